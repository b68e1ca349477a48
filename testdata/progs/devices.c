/* Requests of device mapper, SCSI and disks, btrfs, RTC, KVM and more whose
 * structures hold what the kernel would expect: ioctls.c has the odd ones. */
#include "pretend.h"
#include <linux/btrfs.h>
#include <linux/dm-ioctl.h>
#include <linux/fs.h>
#include <linux/hdreg.h>
#include <linux/kvm.h>
#include <linux/loop.h>
#include <linux/rtc.h>
#include <linux/videodev2.h>
#include <linux/bsg.h>
#include <scsi/sg.h>
#include <sys/uio.h>

enum { SIZE = 65536 };
static char *m, *other;

static void both(unsigned long r, void *arg)
{
	static char kept[SIZE];

	memcpy(kept, m, SIZE);
	syscall(SYS_ioctl, -1, r, arg, 0, 0, FAIL);
	memcpy(m, kept, SIZE);
	syscall(SYS_ioctl, -1, r, arg, 0, 0, FINE);
	memset(m, 0, SIZE);
	memset(other, 0, SIZE);
}

static struct dm_ioctl *mapper(unsigned size, unsigned targets)
{
	struct dm_ioctl *d = (void *)m;

	d->version[0] = 4;
	d->version[1] = 1;
	d->version[2] = 2;
	d->data_size = size;
	d->data_start = sizeof(*d);
	d->target_count = targets;
	d->open_count = 3;
	d->flags = DM_PERSISTENT_DEV_FLAG | DM_ACTIVE_PRESENT_FLAG;
	d->event_nr = 7;
	d->dev = 0xfd01;
	strcpy(d->name, "vg-root");
	strcpy(d->uuid, "LVM-abcdef");
	return d;
}

static void deviceMapper(void)
{
	static const unsigned requests[] = {
		DM_VERSION, DM_REMOVE_ALL, DM_LIST_DEVICES, DM_DEV_CREATE, DM_DEV_REMOVE, DM_DEV_RENAME,
		DM_DEV_SUSPEND, DM_DEV_STATUS, DM_DEV_WAIT, DM_DEV_ARM_POLL, DM_TABLE_LOAD, DM_TABLE_CLEAR,
		DM_TABLE_DEPS, DM_TABLE_STATUS, DM_LIST_VERSIONS, DM_TARGET_MSG, DM_DEV_SET_GEOMETRY,
	};

	for (unsigned i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
		unsigned r = requests[i];
		struct dm_ioctl *d;

		/* nothing behind the header */
		mapper(sizeof(*d), 0);
		both(r, m);
		mapper(sizeof(*d), 1);
		both(r, m);
		mapper(100, 0);
		both(r, m);

		/* data of each kind */
		d = mapper(4096, 2);
		struct dm_target_spec *s = (void *)(m + d->data_start);
		s->sector_start = 0;
		s->length = 2048;
		strcpy(s->target_type, "linear");
		strcpy((char *)(s + 1), "8:16 0");
		s->next = 56;
		s = (void *)((char *)s + 56);
		s->sector_start = 2048;
		s->length = 4096;
		s->status = 1;
		strcpy(s->target_type, "striped");
		strcpy((char *)(s + 1), "2 128 8:16 0 8:32 0");
		s->next = 120;
		both(r, m);

		d = mapper(4096, 0);
		struct dm_name_list *n = (void *)(m + d->data_start);
		n->dev = 0xfd00;
		n->next = 32;
		strcpy(n->name, "first");
		n = (void *)((char *)n + 32);
		n->dev = 0xfd02;
		strcpy(n->name, "second");
		both(r, m);

		d = mapper(4096, 0);
		struct dm_target_versions *v = (void *)(m + d->data_start);
		v->next = 32;
		v->version[0] = 1;
		v->version[1] = 2;
		strcpy(v->name, "linear");
		v = (void *)((char *)v + 32);
		v->version[0] = 1;
		strcpy(v->name, "error");
		both(r, m);

		d = mapper(4096, 0);
		struct dm_target_deps *deps = (void *)(m + d->data_start);
		deps->count = 2;
		deps->dev[0] = 0x810;
		deps->dev[1] = 0x820;
		both(r, m);

		d = mapper(4096, 0);
		struct dm_target_msg *msg = (void *)(m + d->data_start);
		msg->sector = 5;
		strcpy(msg->message, "a message");
		both(r, m);

		d = mapper(4096, 0);
		strcpy(m + d->data_start, "a new name");
		both(r, m);

		d = mapper(4096, 2); /* data that begins nowhere */
		d->data_start = 5000;
		both(r, m);

		d = mapper(4096, 2); /* flags and names that are not there */
		d->flags = 0;
		d->name[0] = d->uuid[0] = 0;
		d->dev = 0;
		both(r, m);
	}
}

static void scsi(void)
{
	static const unsigned char inquiry[16] = {0x12, 0, 0, 0, 36};
	static const int directions[] = {SG_DXFER_NONE, SG_DXFER_TO_DEV, SG_DXFER_FROM_DEV, SG_DXFER_TO_FROM_DEV, 5};

	for (unsigned i = 0; i < 5; i++)
		for (int vectors = 0; vectors < 3; vectors++) {
			struct sg_io_hdr *h = (void *)m;
			struct iovec *v = (void *)(other + 4096);

			h->interface_id = 'S';
			h->dxfer_direction = directions[i];
			h->cmd_len = 6;
			h->mx_sb_len = 32;
			h->iovec_count = vectors;
			h->dxfer_len = 36;
			h->dxferp = other;
			if (vectors) {
				h->dxferp = v;
				v[0].iov_base = other;
				v[0].iov_len = 16;
				v[1].iov_base = other + 16;
				v[1].iov_len = 20;
			}
			memcpy(other + 8192, inquiry, 16);
			strcpy(other, "what the disk says of itself");
			strcpy(other + 12000, "sense");
			h->cmdp = (void *)(other + 8192);
			h->sbp = (void *)(other + 12000);
			h->timeout = 20000;
			h->flags = SG_FLAG_DIRECT_IO;
			h->sb_len_wr = 8;
			h->status = 2;
			h->masked_status = 1;
			h->resid = 4;
			h->duration = 11;
			h->info = SG_INFO_CHECK;
			both(SG_IO, m);
		}
	for (int dout = 0; dout < 2; dout++)
		for (int vectors = 0; vectors < 2; vectors++) {
			struct sg_io_v4 *h = (void *)m;
			struct iovec *v = (void *)(other + 4096);

			h->guard = 'Q';
			h->protocol = BSG_PROTOCOL_SCSI;
			h->subprotocol = BSG_SUB_PROTOCOL_SCSI_CMD;
			h->request_len = 6;
			h->request = (unsigned long)(other + 8192);
			h->request_tag = 9;
			h->max_response_len = 32;
			h->response = (unsigned long)(other + 12000);
			memcpy(other + 8192, inquiry, 16);
			strcpy(other, "what the disk says of itself");
			strcpy(other + 12000, "sense");
			v[0].iov_base = other;
			v[0].iov_len = 16;
			if (dout) {
				h->dout_xfer_len = 16;
				h->dout_xferp = (unsigned long)(vectors ? (void *)v : other);
				h->dout_iovec_count = vectors;
			} else {
				h->din_xfer_len = 16;
				h->din_xferp = (unsigned long)(vectors ? (void *)v : other);
				h->din_iovec_count = vectors;
			}
			h->timeout = 20000;
			h->flags = 0x10;
			h->response_len = 5;
			h->device_status = 2;
			h->din_resid = 3;
			both(SG_IO, m);
		}
	for (unsigned id = 0; id < 128; id += 9) {
		*(int *)m = id;
		both(SG_IO, m);
	}
	for (int reset = 0; reset < 6; reset++)
		for (int escalate = 0; escalate < 2; escalate++) {
			*(int *)m = reset | (escalate ? 0x100 : 0);
			both(SG_SCSI_RESET, m);
		}
}

static void disks(void)
{
	for (unsigned char command = 0;; command += 5) {
		m[0] = command;
		m[1] = 1;
		m[3] = command % 3;
		strcpy(m + 4, "what the disk says of itself, and more of that");
		both(HDIO_DRIVE_CMD, m);
		if (command == 255)
			break;
	}
}

static void btrfs(void)
{
	for (int command = 0; command < 4; command++)
		for (int result = 0; result < 5; result++) {
			struct btrfs_ioctl_dev_replace_args *a = (void *)m;

			a->cmd = command;
			a->result = result;
			if (command == BTRFS_IOCTL_DEV_REPLACE_CMD_START) {
				a->start.srcdevid = 2;
				a->start.cont_reading_from_srcdev_mode = result;
				strcpy((char *)a->start.srcdev_name, "/dev/sdb");
				strcpy((char *)a->start.tgtdev_name, "/dev/sdc");
			} else {
				a->status.replace_state = result;
				a->status.progress_1000 = 123 * result;
				a->status.time_started = 1700000000;
				a->status.time_stopped = result ? 1700003600 : 0;
				a->status.num_write_errors = 2;
				a->status.num_uncorrectable_read_errors = 3;
			}
			both(BTRFS_IOC_DEV_REPLACE, m);
		}
	for (int items = 0; items < 8; items++) {
		struct btrfs_ioctl_get_dev_stats *s = (void *)m;

		s->devid = 1;
		s->nr_items = items;
		s->flags = items & 1;
		for (int i = 0; i < 5; i++)
			s->values[i] = 10 * i;
		both(BTRFS_IOC_GET_DEV_STATS, m);
	}
}

static void loops(void)
{
	for (int type = 0; type < 20; type++) {
		struct loop_info64 *l = (void *)m;

		l->lo_number = 3;
		l->lo_offset = 4096;
		l->lo_encrypt_type = type;
		l->lo_encrypt_key_size = type;
		strcpy((char *)l->lo_file_name, "/tmp/disk");
		strcpy((char *)l->lo_crypt_name, "aes");
		strcpy((char *)l->lo_encrypt_key, "a key that nobody knows");
		both(LOOP_SET_STATUS64, m);
	}
}

static void clocks(void)
{
	struct rtc_param *p = (void *)m;

	for (unsigned param = 0; param < 4; param++)
		for (int bit = -1; bit < 64; bit += bit < 12 ? 1 : 17) {
			p->param = param;
			p->uvalue = bit < 0 ? 0 : 1ull << bit | bit % 3;
			p->index = param;
			p->__pad = bit % 2 == 0;
			both(RTC_PARAM_SET, m);
			p->param = param;
			p->uvalue = bit < 0 ? 0 : 1ull << bit | bit % 3;
			p->index = param;
			both(RTC_PARAM_GET, m);
		}
	both(RTC_PARAM_GET, m + SIZE - 8);
	both(RTC_PARAM_SET, m + SIZE - 8);
}

static void controls(void)
{
	static const unsigned bases[] = {0, 0x980000, 0x990000, 0x9a0000, 0x9b0000, 0x9c0000, 0x9d0000, 0x9e0000, 0x9f0000,
		0xa00000, 0xa10000, 0xa20000, 0xa30000, 0xa40000, 0xa50000, 0xa60000, 0x8000000, 0x3fff0000};

	for (unsigned i = 0; i < sizeof(bases) / sizeof(*bases); i++)
		for (unsigned n = 0; n < 0x10000; n = n < 4 ? n + 1 : n == 4 ? 0x900 : n < 0x904 ? n + 1 : 3 * n) {
			unsigned id = bases[i] + n;

			((struct v4l2_control *)m)->id = id;
			((struct v4l2_control *)m)->value = n;
			both(VIDIOC_S_CTRL, m);
			((struct v4l2_queryctrl *)m)->id = id | n << 30;
			((struct v4l2_queryctrl *)m)->type = n % 12;
			strcpy((char *)((struct v4l2_queryctrl *)m)->name, "Brightness");
			both(VIDIOC_QUERYCTRL, m);
		}
	static const unsigned long requests[] = {VIDIOC_G_EXT_CTRLS, VIDIOC_S_EXT_CTRLS, VIDIOC_TRY_EXT_CTRLS};
	for (unsigned i = 0; i < 3; i++)
		for (unsigned count = 0; count < 4; count++)
			for (int place = 0; place < 4; place++) {
				struct v4l2_ext_controls *c = (void *)m;
				struct v4l2_ext_control *e = (void *)other;

				c->ctrl_class = V4L2_CTRL_CLASS_USER;
				c->count = count;
				c->error_idx = count - 1;
				e[0].id = 0x980900;
				e[0].value = 5;
				e[1].id = 0x9a0901;
				e[1].size = 6;
				e[1].string = other + 4096;
				strcpy(other + 4096, "a text");
				e[2].id = 7;
				e[2].size = 3;
				e[2].string = (char *)8;
				c->controls = place == 0 ? e : place == 1 ? (void *)(other + SIZE - sizeof(*e)) : place == 2 ? (void *)8 : 0;
				both(requests[i], m);
			}
}

int main(void)
{
	m = room(SIZE);
	other = room(SIZE);
	pretend();
	deviceMapper();
	scsi();
	disks();
	btrfs();
	loops();
	clocks();
	controls();
	return 0;
}
