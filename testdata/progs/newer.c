/* Calls on files, memory and processes whose arguments take more than a row of
 * the table to tell. */
#include "pretend.h"
#include <time.h>
#include <sys/uio.h>

int main(void)
{
	static const uint64_t flags[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 0x10, 0x20, 0x3f, 0x100, 0x200, 0x1000, 0x7ff, 0xfff, 0x1fff, 0x2000, 0x6000, 0x20000, 0x80000,
		0x12345, 0x80000000, 0xffffffff, 0x100000000, -1};
	static const long sizes[] = {0, 4, 8, 15, 16, 20, 24, 28, 32, 40, 64, 5000, -1};
	char *end = room(8);
	uint64_t *how = (uint64_t *)room(40), *edge = (uint64_t *)room(24), *stx = (uint64_t *)room(256);
	uint32_t *handle = (uint32_t *)room(8 + 128), *size = (uint32_t *)room(4);
	struct iovec *iov = (struct iovec *)room(2 * sizeof *iov);
	char *page = room(4096);

	memcpy(end, "in path", 8);
	pretend();
	for (int i = 0; i < 27; i++) {
		long f = flags[i];
		for (int e = FINE; e <= FAIL; e++) {
			for (int k = 0; k < 32; k++)
				stx[k] = i % 3 == 0 ? 0 : i % 3 == 1 ? 0x0000000500000003 * k + i : -1;
			((uint32_t *)stx)[0] = f;
			((uint16_t *)stx)[14] = (uint16_t[]){0100644, 020600, 060660, 040755, 0120777, 0}[i % 6];
			stx[8 + 1] = i % 2 ? 1700000000 : -1;
			stx[1] = i < 24 ? 1ull << i : flags[i];
			syscall(SYS_statx, -100L, end, f, flags[26 - i], stx, e);
			syscall(SYS_statx, 3L, "", 0x1000L | f, 0xfffL, stx, e);
			syscall(SYS_statx, 3L, end + 8, 0L, f, stx + 1, e);
			syscall(SYS_openat2, -100L, end, how, 24L, 0, e);
			syscall(461, (long)i * 25, 0L, size, f, 0, e);
			syscall(453, f, 0x1000L * i, flags[26 - i], 0, 0, e); /* map_shadow_stack */
			syscall(462, 0x10000L * i, f, flags[26 - i], 0, 0, e); /* mseal */
			syscall(447, f, 0, 0, 0, 0, e); /* memfd_secret */
			syscall(448, 3L, f, 0, 0, 0, e); /* process_mrelease */
			syscall(434, (long)i - 1, f, 0, 0, 0, e); /* pidfd_open */
			syscall(438, -1L, (long)i - 1, f, 0, 0, e); /* pidfd_getfd */
			syscall(334, i ? 0x7ffff0001000 : 0, 32L * i, f, 0x53053053L * i, 0, e); /* rseq */
			syscall(471, 0, 0, 0, 0, 0, e);
			syscall(SYS_membarrier, f, 0L, 3L, 0, 0, e);
			syscall(SYS_membarrier, f, 1L, (long)i - 2, 0, 0, e);
			syscall(SYS_membarrier, 1L << i, flags[26 - i], 7L, 0, 0, e);
			syscall(312, 1L, 2L, (long)i, f, 9L, e); /* kcmp */
			syscall(312, -1L, 0L, (long)i - 1, 0L, how, e);
			syscall(246, 0x1000L * i, (long)i, how, f, 0, e); /* kexec_load */
			syscall(246, f, 1L, 0L, 0x3e0000L | i, 0, e);
			syscall(320, 3L, -1L, (long)i, "command line", f, e); /* kexec_file_load */
			syscall(320, -1L, 5L, 8L, end + 4, f, e);
			syscall(325, 0x1000L, 0x2000L, f, 0, 0, e); /* mlock2 */
			syscall(319, end, f, 0, 0, 0, e); /* memfd_create */
			syscall(319, end + 8, f, 0, 0, 0, e);
			iov[0] = (struct iovec){(void *)0x10000, 4096 * i};
			iov[1] = (struct iovec){0, -1};
			syscall(440, 3L, iov, 2L, (long)i, f, e); /* process_madvise */
			syscall(440, -1L, iov + 1, (long)i, f, 0L, e);
			how[0] = f;
			how[1] = -i;
			how[2] = 0x100 * i;
			syscall(451, 3L, how, how + 1, f, 0, e); /* cachestat */
			syscall(451, -1L, how + 4, how, 0L, 0, e);
			syscall(451, -1L, how, 0L, 0L, 0, e);
			handle[0] = (uint32_t[]){0, 8, 128, 129, 4}[i % 5];
			handle[1] = i * 40 - 1;
			for (int k = 2; k < 34; k++)
				handle[k] = i * k;
			syscall(303, -100L, end, handle, size, f, e); /* name_to_handle_at */
			syscall(303, 3L, "", handle + 33, size, f, e);
			syscall(304, -100L, handle, f, 0, 0, e); /* open_by_handle_at */
			syscall(304, 3L, handle + 32, 0L, 0, 0, e);
			syscall(465, -100L, end, f, page, (long)i * 20, e); /* listxattrat */
			syscall(466, -100L, end, f, "user.x", 0, e); /* removexattrat */
			*size = (uint32_t[]){0, 8, 32, 48, 4096}[i % 5];
			for (int k = 0; k < 4096; k++)
				page[k] = i % 3 == 1 ? k : i % 3 ? k % 8 == 0 : 0;
			((uint32_t *)page)[4] = 32 + i % 9 * 8;
			((uint32_t *)page)[6] = i % 7;
			syscall(459, f, page, size, flags[26 - i], 0, e); /* lsm_get_self_attr */
			syscall(459, (long)i * 10, 0L, size, 1L, 0, e);
			syscall(460, f, page, 16L * i, flags[26 - i], 0, e); /* lsm_set_self_attr */
			syscall(460, 101L, page + 4090, 16L, 0L, 0, e);
		}
	}
	for (int form = 0; form < 5; form++) {
		for (int i = 0; i < 5; i++) {
			how[i] = form == 0 ? 0 : form == 1 ? (uint64_t[]){0x80042, 0644, 0x1f, 0, 0}[i] : form == 2 ? -1 : form == 3 ? 0x41ull << (8 * i) : i == 4;
			if (i < 3)
				edge[i] = how[i];
		}
		if (form == 4)
			how[0] = (uint64_t)end, how[1] = 0x200000007;
		for (int s = 0; s < 13; s++) {
			for (int e = FINE; e <= FAIL; e++) {
				syscall(SYS_openat2, -100L, end, how, sizes[s], 0, e);
				syscall(SYS_openat2, 3L, end + 8, edge, sizes[s], 0, e);
				syscall(SYS_openat2, 3L, "x", edge + 1, sizes[s], 0, e);
				syscall(468, -100L, end, how, sizes[s], 0L, e); /* file_getattr */
				syscall(469, -100L, end, how, sizes[s], (long)form, e); /* file_setattr */
				syscall(469, 3L, end + 8, edge, sizes[s], -1L, e);
			}
			/* Six arguments: the kernel refuses them by their descriptor. */
			syscall(463, -1L, "x", 0L, "user.x", how, sizes[s]); /* setxattrat */
			syscall(463, -1L, "x", flags[s + 10], end, edge, sizes[s]);
			syscall(464, -1L, "x", flags[s], "user.x", how, sizes[s]); /* getxattrat */
			syscall(464, -1L, 0L, 0L, end + 8, edge + 2, sizes[s]);
		}
	}
	return 0;
}
