/* futex by operation, its successors, clone and clone3. */
#include "pretend.h"
#include <time.h>
#include <sys/wait.h>

int main(void)
{
	static const long flags[] = {0, 0x80, 0x100, 0x180, 0x200, 0x8000000};
	static const long masks[] = {0, 1, 0x5eed, 0xffffffff, 0x100000000, -1};
	static const long sizes[] = {0, 8, 56, 63, 64, 72, 80, 84, 88, 96, 104, 200};
	static const uint64_t cloned[] = {0, 0x3d0f00, 0x1000, 0x100000, 0x101000, 0x1200000, 0x80000, 0x200000000, 0x100000000, 0x7d0f00, 0xfffffffffffffe00,
		0x400000000, 0x3ffff00ff, 0x7c020000, 0x80};
	struct timespec *times = (struct timespec *)room(6 * sizeof *times), given[] = {
		{0, 0}, {1, 500000000}, {-1, -1}, {1234567890, 123456789}, {0, 1000000000}, {INT64_MAX, 999999999}};
	struct waiter { uint64_t val, addr; uint32_t flags, reserved; } *w = (struct waiter *)room(4 * sizeof *w);
	uint64_t *args = (uint64_t *)room(104), *edge = (uint64_t *)room(88);
	int *tids = (int *)room(12);

	memcpy(times, given, sizeof given);
	for (int i = 0; i < 4; i++)
		w[i] = (struct waiter){i * 3 - 1, i ? (uint64_t)tids : 0, (uint32_t[]){0x82, 2, -1, 7}[i], i == 3};
	for (int i = 0; i < 3; i++)
		tids[i] = 100 * i + 7;
	pretend();
	for (int op = 0; op < 18; op++) {
		for (int f = 0; f < 6; f++) {
			long o = op | flags[f];
			for (int i = 0; i < 6; i++) {
				for (int end = FINE; end <= FAIL; end++) {
					syscall(SYS_futex, tids + 1, o, masks[i], times + i, tids, end);
					syscall(SYS_futex, tids, o, i - 1L, masks[i], tids, end);
				}
				/* FINE is in the place of one argument: these the kernel refuses. */
				syscall(SYS_futex, 1L, o, masks[i], i % 2 ? times + i : 0, 1L, masks[i]);
			}
			syscall(SYS_futex, 0L, o, 0L, 0L, 0L, FINE);
			syscall(SYS_futex, tids, o, 1L, (char *)times + 88, 8L, FAIL);
			for (int i = 0; i < 64 && op == 5 && !f; i++)
				syscall(SYS_futex, 1L, o, 1L, 1L, 1L, i << 28 | (i * 5) << 24 | i * 7919);
		}
	}
	for (int i = 0; i < 6; i++) {
		for (int f = 0; f < 0x180; f = f ? f * 2 : 1) {
			for (int end = FINE; end <= FAIL; end++) {
				syscall(449, w, (long)i, (long)f, times + i, 1L, end);
				syscall(449, w + i, 3L, 0L, 0L, (long)i + 5, end);
				syscall(454, tids, masks[i], i - 1L, f | 2L, 0L, end); /* futex_wake */
				syscall(456, w, (long)f, (long)i, 3L, 0L, end); /* futex_requeue */
				syscall(456, w + i, 0L, i - 3L, i * -1L, 0L, end);
			}
			syscall(455, tids + 1, masks[i], masks[5 - i], f, times + i, FINE); /* futex_wait */
			syscall(455, 1L, masks[5 - i], masks[i], 0x200L | f, times + i, 1L);
			syscall(455, 1L, 1L, 1L, 0xffffffffL, 0L, (long)i);
		}
	}
	for (int c = 0; c < 15; c++) {
		for (int form = 0; form < 4; form++) {
			memset(args, 0, 104);
			args[0] = cloned[c];
			args[1] = (uint64_t)tids;
			args[2] = form ? (uint64_t)tids + 4 : 0;
			args[3] = form == 2 ? 1 : (uint64_t)tids + 8;
			args[4] = (uint64_t[]){17, 0, 64, 0x100000011}[form];
			args[5] = form > 1 ? 0x10000 : 0;
			args[6] = form == 1 ? 0 : 0x8000 * form;
			args[7] = form ? 0x7000 : 0;
			args[8] = form == 1 ? (uint64_t)tids : form == 2 ? 16 : 0;
			args[9] = (uint64_t[]){0, 3, 2, 40}[form];
			args[10] = form ? 5 + form : 0;
			args[11] = form == 2;
			args[12] = form == 3 ? 0x1234 : 0;
			for (int i = 0; i < 12; i++) {
				syscall(SYS_clone3, args, sizes[i], 0, 0, 0, FINE);
				syscall(SYS_clone3, args, sizes[i], 0, 0, 0, FAIL);
			}
			memcpy(edge, args, 88);
			syscall(SYS_clone3, edge, 88L, 0, 0, 0, FINE);
			syscall(SYS_clone3, edge, 104L, 0, 0, 0, FINE);
			syscall(SYS_clone3, edge + 3, 64L, 0, 0, 0, FAIL);
			syscall(SYS_clone3, edge + 4, 64L, 0, 0, 0, FAIL);
			syscall(SYS_clone, cloned[c], args[5], args[2], args[3], args[7], form % 2 ? FINE : FAIL);
			syscall(SYS_clone, cloned[c] | 17, args[5], 0L, 0L, 0L, FINE);
		}
	}
	syscall(SYS_clone3, 0L, 88L, 0, 0, 0, FINE);
	syscall(SYS_clone3, 1L, 88L, 0, 0, 0, FAIL);
	syscall(SYS_clone3, args, -1L, 0, 0, 0, FAIL);
	return 0;
}
