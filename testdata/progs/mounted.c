/* Mounts that are made, looked at and taken away, in a mount namespace of the
 * program's own; and what Landlock allows. */
#include "prog.h"
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/statfs.h>

enum { OPEN_TREE_ = 428, MOVE_MOUNT, FSOPEN, FSCONFIG, FSMOUNT, FSPICK, MOUNT_SETATTR = 442, LANDLOCK_CREATE_RULESET = 444, LANDLOCK_ADD_RULE,
	LANDLOCK_RESTRICT_SELF, STATMOUNT = 457, LISTMOUNT, OPEN_TREE_ATTR = 467, LISTNS = 470 };

/* struct mnt_id_req */
static struct { uint32_t size, fd; uint64_t id, param, ns; } req;
static uint64_t room[2048];

static uint64_t mount_of(const char *path)
{
	struct statx x;
	if (statx(AT_FDCWD, path, 0, 0x4000 /* STATX_MNT_ID_UNIQUE */, &x) || !(x.stx_mask & 0x4000))
		return 0;
	return ((uint64_t *)&x)[18]; /* stx_mnt_id */
}

static void look(uint64_t id)
{
	static const uint64_t masks[] = {0, 1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80, 0x100, 0x200, 0x400, 0x800, 0x1000, 0x2000, 0x4000, 0x7fff, 0x133, -1};
	for (int i = 0; i < 19; i++)
		for (int s = 0; s < 4; s++) {
			req.size = (int[]){24, 32, 24, 16}[s];
			req.id = id;
			req.param = masks[i];
			memset(room, 0, sizeof room);
			syscall(STATMOUNT, &req, room, (long[]){sizeof room, 600, 512, 4096}[s], 0L);
		}
	req.size = 24;
	for (int s = 0; s < 4; s++)
		for (int i = 0; i < 3; i++) {
			req.id = s ? id : -1; /* LSMT_ROOT */
			req.param = i == 2 ? id : 0;
			syscall(LISTMOUNT, &req, room, (long[]){0, 1, 100}[i], s == 3 ? 1L : 0L);
		}
}

static void newer(void)
{
	int fs = syscall(FSOPEN, "tmpfs", 1L);
	if (fs < 0)
		return;
	char log[200];
	syscall(FSCONFIG, fs, 1L, "source", "a source, with a comma", 0L);
	syscall(FSCONFIG, fs, 1L, "size", "1M", 0L);
	syscall(FSCONFIG, fs, 1L, "nonsense", "0123456789012345678901234567890123456789", 0L);
	while (read(fs, log, sizeof log) > 0)
		;
	syscall(FSCONFIG, fs, 1L, "mode", "0755", 0L);
	syscall(FSCONFIG, fs, 0L, "ro", 0L, 0L);
	syscall(FSCONFIG, fs, 5L, "fd", 0L, 1L);
	CHECK(syscall(FSCONFIG, fs, 6L, 0L, 0L, 0L) == 0);
	int m = syscall(FSMOUNT, fs, 1L, 0x2fL);
	CHECK(m >= 0);
	CHECK(syscall(MOVE_MOUNT, m, "", AT_FDCWD, "one", 4L) == 0);
	look(mount_of("one"));
	struct { uint64_t set, clear, propagation, userns; } attr = {0x1, 0x20, MS_SHARED, 0};
	syscall(MOUNT_SETATTR, AT_FDCWD, "one", 0x8000L, &attr, sizeof attr);
	int p = syscall(FSPICK, AT_FDCWD, "one", 1L);
	CHECK(p >= 0);
	syscall(FSCONFIG, p, 1L, "size", "2M", 0L);
	syscall(FSCONFIG, p, 7L, 0L, 0L, 0L);
	int t = syscall(OPEN_TREE_, AT_FDCWD, "one", 0x80001L);
	CHECK(t >= 0 && syscall(MOVE_MOUNT, t, "", AT_FDCWD, "two", 0x4L) == 0);
	int same = syscall(OPEN_TREE_, AT_FDCWD, "two", O_CLOEXEC);
	syscall(MOVE_MOUNT, AT_FDCWD, "one", AT_FDCWD, "two", 0x100L);
	look(mount_of("two"));
	attr.set = 0x100000;
	attr.clear = 0;
	attr.propagation = MS_SLAVE;
	attr.userns = 1000;
	int own = syscall(OPEN_TREE_ATTR, AT_FDCWD, "one", 0x80001L, &attr, sizeof attr);
	attr.set = 8;
	attr.propagation = MS_SLAVE;
	own = syscall(OPEN_TREE_ATTR, AT_FDCWD, "one", 0x80001L, &attr, sizeof attr);
	if (own >= 0)
		syscall(MOVE_MOUNT, own, "", AT_FDCWD, "three", 4L);
	look(mount_of("three"));
	struct statfs sf;
	fstatfs(m, &sf);
	close(fs), close(m), close(p), close(t), close(same), close(own);
}

static void older(void)
{
	struct statfs sf;
	CHECK(mkdir("a", 0755) == 0 && mkdir("b", 0755) == 0);
	CHECK(mount("none, really", "a", "tmpfs", MS_NOSUID | MS_NODEV | MS_STRICTATIME, "size=100k,mode=700,nr_inodes=10") == 0);
	CHECK(mount("a", "b", NULL, MS_BIND | MS_REC, NULL) == 0);
	CHECK(mount(NULL, "b", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOEXEC, NULL) == 0);
	CHECK(mount(NULL, "b", NULL, MS_SHARED | MS_REC, NULL) == 0);
	look(mount_of("b"));
	CHECK(statfs("b", &sf) == 0);
	CHECK(mount(NULL, "b", NULL, MS_UNBINDABLE, NULL) == 0);
	look(mount_of("b"));
	CHECK(mount("ram", "b", "ramfs", 0, "mode=700") == 0 || 1);
	look(mount_of("b"));
	CHECK(umount2("a", UMOUNT_NOFOLLOW) == 0);
	CHECK(umount2("b", MNT_DETACH) == 0);
	umount2("b", MNT_EXPIRE);
	umount2("b", MNT_FORCE | MNT_DETACH);
	CHECK(mount("overlay", "a", "overlay", 0, "lowerdir=/usr:/etc,ro") == 0 || 1);
	look(mount_of("a"));
	syscall(FSOPEN, "nosuchfs", 0L);
}

static void landlock(void)
{
	struct { uint64_t fs, net, scoped; } rules = {0x1ff, 3, 3};
	struct { uint64_t access; int fd; } __attribute__((packed)) beneath = {0xd, open("/usr", O_PATH | O_CLOEXEC)};
	struct { uint64_t access, port; } port = {2, 443};
	syscall(LANDLOCK_CREATE_RULESET, 0L, 0L, 1L);
	syscall(LANDLOCK_CREATE_RULESET, 0L, 0L, 2L);
	for (long size = 8; size <= 24; size += 8) {
		int fd = syscall(LANDLOCK_CREATE_RULESET, &rules, size, 0L);
		if (fd < 0)
			continue;
		syscall(LANDLOCK_ADD_RULE, fd, 1L, &beneath, 0L);
		syscall(LANDLOCK_ADD_RULE, fd, 2L, &port, 0L);
		port.port = 70000;
		syscall(LANDLOCK_ADD_RULE, fd, 2L, &port, 0L);
		syscall(LANDLOCK_RESTRICT_SELF, fd, 1L << size / 8);
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		syscall(LANDLOCK_RESTRICT_SELF, fd, 0L);
		close(fd);
	}
	CHECK(open("/etc/passwd", O_RDONLY) == -1 || 1);
}

int main(void)
{
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL)) {
		puts("no mount namespaces here");
		return 77;
	}
	CHECK(mount("sysreel", "/mnt", "tmpfs", 0, NULL) == 0 && chdir("/mnt") == 0);
	CHECK(mkdir("one", 0700) == 0 && mkdir("two", 0700) == 0 && mkdir("three", 0700) == 0);
	newer();
	older();
	landlock();
	return ok();
}
