/* The mount calls, old and new, and Landlock. */
#include "pretend.h"

int main(void)
{
	static const uint64_t flags[] = {0, 1, 2, 3, 4, 5, 8, 0x10, 0x20, 0x40, 0x70, 0x77, 0x80, 0x100, 0x1000, 0x8000, 0x80000, 0x100000, 0xc0ed0000, 0x1ff0000,
		0x7fffffff, 0xffffffff, 0x100000000, -1};
	static const long sizes[] = {0, 4, 8, 16, 24, 31, 32, 33, 40, 48, 200, 5000, -1};
	char *text = room(40), *end = room(4);
	uint64_t *attr = (uint64_t *)room(48), *edge = (uint64_t *)room(32), *out = (uint64_t *)room(4096);
	struct { uint64_t access; int fd; } __attribute__((packed)) *beneath = (void *)room(12);

	strcpy(text, "a value that is longer than shown");
	memcpy(end, "key", 4);
	pretend();
	for (int i = 0; i < 24; i++) {
		long f = flags[i];
		for (int e = FINE; e <= FAIL; e++) {
			syscall(SYS_mount, "source", "/target", "type", f, text, e);
			syscall(SYS_mount, 0L, text, 0L, f, end, e);
			syscall(SYS_mount, end, end, end, f, end + 1, e);
			syscall(SYS_mount, end, text, end + 4, f, 1L, e);
			syscall(SYS_umount2, text, f, 0, 0, 0, e);
			syscall(428, -100L, end, f, 0, 0, e); /* open_tree */
			syscall(429, -100L, text, (long)i, "", f, e); /* move_mount */
			syscall(430, end, f, 0, 0, 0, e); /* fsopen */
			syscall(432, 3L, f, flags[23 - i], 0, 0, e); /* fsmount */
			syscall(433, -100L, end + 4, f, 0, 0, e); /* fspick */
		}
	}
	for (int cmd = 0; cmd < 11; cmd++) {
		for (int i = 0; i < 5; i++) {
			int aux = (int[]){0, 1, 33, -100, 100}[i];
			for (int e = FINE; e <= FAIL; e++) {
				syscall(431, 3L, (long)cmd, end, text, aux, e); /* fsconfig */
				syscall(431, -1L, (long)cmd, 0L, 0L, aux, e);
				syscall(431, 3L, (long)cmd, end + 4, end, aux, e);
				syscall(431, 3L, (long)cmd, "key", end + 1, aux, e);
				syscall(431, 3L, (long)cmd, text, attr + 6, aux, e);
				syscall(431, 3L, cmd | 0x100000000, text, 5L, aux, e);
			}
		}
	}
	for (int form = 0; form < 5; form++) {
		for (int i = 0; i < 6; i++) {
			attr[i] = form == 0 ? 0 : form == 1 ? flags[3 * i + 2] : form == 2 ? -1 : form == 3 ? 0x10 << i : i < 4 ? 1 << (18 + i) : 0;
			if (i < 4)
				edge[i] = attr[i];
		}
		for (int s = 0; s < 13; s++) {
			long size = sizes[s];
			for (int e = FINE; e <= FAIL; e++) {
				syscall(442, -100L, text, 0x8000L | form, attr, size, e); /* mount_setattr */
				syscall(442, 3L, "", flags[s], edge, size, e);
				syscall(442, 3L, 0L, flags[s], edge + 2, size, e);
				syscall(467, -100L, text, flags[s], attr, size, e); /* open_tree_attr */
				syscall(467, -100L, text, 1L, edge, size, e);
				syscall(444, attr, size, (long)form, 0, 0, e); /* landlock_create_ruleset */
				syscall(444, edge, size, 0L, 0, 0, e);
				syscall(444, 0L, size, flags[s], 0, 0, e);
				syscall(444, edge + 3, size, 1L, 0, 0, e);
			}
		}
		for (int type = 0; type < 4; type++) {
			beneath->access = attr[1];
			beneath->fd = (int[]){-1, 3, -100, 0, 7}[form];
			for (int e = FINE; e <= FAIL; e++) {
				syscall(445, 3L, (long)type, attr, (long)form, 0, e); /* landlock_add_rule */
				syscall(445, 3L, (long)type, beneath, 0L, 0, e);
				syscall(445, 3L, (long)type, edge + 2, 0L, 0, e);
				syscall(445, 3L, (long)type, edge + 3, 0L, 0, e);
				syscall(445, 3L, (long)type, 0L, -1L, 0, e);
			}
		}
		for (int i = 0; i < 24; i++)
			syscall(446, (long)form - 1, flags[i], 0, 0, 0, i % 2 ? FINE : FAIL); /* landlock_restrict_self */
	}
	for (int form = 0; form < 6; form++) {
		for (int s = 0; s < 13; s++) {
			/* struct mnt_id_req and struct ns_id_req: the first member is its size. */
			((uint32_t *)attr)[0] = sizes[s];
			((uint32_t *)attr)[1] = form == 3 ? 0 : form == 4 ? 7 : form == 5 ? -1 : 0;
			attr[1] = form ? 0x80001234 : -1;
			attr[2] = form ? flags[form * 3 + s % 6] : 1;
			attr[3] = form == 2 ? 0x1122334455667788 : form == 1 ? 0 : 0xeffffffd;
			attr[4] = form == 3 ? 5 : 0;
			attr[5] = form == 4;
			memcpy(edge, attr, 32);
			for (int i = 0; i < 512; i++)
				out[i] = form == 0 ? 0 : form == 1 ? i * 0x100000001 : form == 2 ? -1 : 0x1000000 + i;
			((uint32_t *)out)[0] = 512;
			for (int e = FINE; e <= FAIL; e++) {
				syscall(457, attr, out, (long)(512 + s * 100), (long)form, 0, e); /* statmount */
				syscall(457, edge, out, 4096L, flags[s], 0, e);
				syscall(457, edge + 2, 0L, 0L, 0L, 0, e);
				syscall(458, attr, out, (long)s, (long)form, 0, e); /* listmount */
				syscall(458, edge, out, 100L, flags[s], 0, e);
				syscall(458, edge + 3, out + 512, 1L, 0L, 0, e);
				syscall(470, attr, out, (long)s, (long)form, 0, e); /* listns */
				syscall(470, edge, out + 510, 5L, flags[s], 0, e);
				syscall(470, 0L, 0L, 5L, 1L, 0, e);
			}
		}
	}
	return 0;
}
