/* prctl by option. */
#include "pretend.h"

int main(void)
{
	static const long special[] = {0x53564d41, 0x59616d61, 0x41555856, 0x4d4d4d4d}; /* SET_VMA, SET_PTRACER, GET_AUXV, none */
	static const long values[] = {0, 1, 2, 3, 4, 5, 7, 8, 10, 15, 16, 17, 24, 40, 41, 63, 64, 0x7f, 0x100, 0x155, 0x10001, 0x60010, 0x20000, 0x7fffffff,
		0xfffffffe, 0xffffffff, 0x100000001, -2, -1};
	static const char *texts[] = {"", "name", "a name of more than 16", "\001 odd\n\xff", "123456789012345", "1234567890123456"};
	char *text = room(4096);
	uint64_t *words = (uint64_t *)room(16);
	struct sock_filter *f = (struct sock_filter *)room(4 * sizeof *f);
	struct sock_fprog *prog = (struct sock_fprog *)room(sizeof *prog);
	uint64_t *map = (uint64_t *)room(14 * 8 - 8); /* struct prctl_mm_map */

	for (int i = 0; i < 4; i++)
		f[i] = (struct sock_filter){i * 5 + 1, i == 1, i == 2, 0x7fff0000 + i};
	for (int i = 0; i < 13; i++)
		map[i] = i < 11 ? 0x1000 * i : i == 11 ? (uint64_t)words : 0x300000010;
	pretend();
	for (int n = 0; n < 100; n++) {
		long op = n < 96 ? n : special[n - 96];
		for (int i = 0; i < 29; i++) {
			for (int end = FINE; end <= FINE + (i % 9 == 0); end++) {
				syscall(SYS_prctl, op, values[i], values[28 - i], values[(i * 7 + 1) % 29], values[(i * 5 + 2) % 29], end);
				syscall(SYS_prctl, op, i, values[i], (long)words, i % 3, end);
				if (i < 9 || end == FAIL)
					syscall(SYS_prctl, op, (long)i, 0L, (long)words, 8L, end);
			}
			if (i > 12 && i < 16)
				syscall(SYS_prctl, op, i, (char *)map + i % 2 * 8, 104L, 0L, FINE);
		}
		for (int i = 0; i < 9; i += 2) {
			words[0] = values[i * 3];
			words[1] = values[i];
			for (int end = FINE; end <= FINE + (i == 4); end++) {
				syscall(SYS_prctl, op, words, words + 1, words, words, end);
				syscall(SYS_prctl, op, (char *)words + 12, (long)i, 0L, 0L, end);
				syscall(SYS_prctl, op, 0L, (long)i, 1L, words, end);
				syscall(SYS_prctl, op, 1L, 2L, 3L, (char *)words + 12, end);
				syscall(SYS_prctl, op, (char *)words + 15, i * 16L, 0L, 0L, end);
				syscall(SYS_prctl, op, words + 2, 8L, 0L, 0L, end);
			}
		}
		for (int i = op == 15 || op == 22 || op >= 96 ? 0 : 4; i < 6; i++) { /* names and filters */
			strcpy(text, texts[i]);
			memcpy(text + 4096 - strlen(texts[i]), texts[i], strlen(texts[i]));
			syscall(SYS_prctl, op, text, 16L, 0L, 0L, FINE);
			syscall(SYS_prctl, op, 0L, 0x10000L, 4096L, text, FINE);
			syscall(SYS_prctl, op, text + 4096 - strlen(texts[i]), 1L, 2L, 3L, FAIL);
			syscall(SYS_prctl, op, 0L, 0x10000L, 4096L, text + 4096 - strlen(texts[i]), FAIL);
			*prog = (struct sock_fprog){i, i % 2 ? f : f + 1};
			syscall(SYS_prctl, op, 2L, prog, 0L, 0L, FAIL);
			syscall(SYS_prctl, op, 1L, prog, i, 0L, FINE);
			syscall(SYS_prctl, op, 2L, (char *)prog + 8, 0L, 0L, FAIL);
		}
	}
	return 0;
}
