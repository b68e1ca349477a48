/* io_uring_setup, and io_uring_register by opcode. */
#include "pretend.h"

int main(void)
{
	static const int sizes[] = {0, 1, 2, 7, 16, 40};
	char *m = room(4096);
	int *fds = (int *)room(16);
	uint32_t *params = (uint32_t *)room(120);

	pretend();
	for (int form = 0; form < 4; form++) {
		memset(params, 0, 120);
		if (form) {
			for (int i = 0; i < 30; i++)
				params[i] = form == 2 ? -1 : i * 3 + 1;
			if (form == 3)
				params[4] = -1, params[2] = 0;
		}
		syscall(425, 8L, params, 0, 0, 0, FINE);
		syscall(425, 8L, params, 0, 0, 0, FAIL);
		syscall(425, 0x100000001L, (char *)params + 4, 0, 0, 0, FAIL);
		for (int op = 0; op < 24; op++) {
			for (int i = 0; i < 4096; i++)
				m[i] = form == 0 ? 0 : form == 1 ? 1 + i % 251 : form == 2 ? -1 : i % 4 == 0;
			for (int i = 0; i < 6; i++) {
				syscall(427, -1L, (long)op, m, (long)sizes[i], 0, FINE);
				syscall(427, -1L, (long)op, m, (long)sizes[i], 0, FAIL);
				syscall(427, -1L, (long)op, m + 4088, (long)sizes[i], 0, FINE);
				syscall(427, -1L, (long)op, fds, (long)sizes[i], 0, FINE);
			}
			syscall(427, -1L, (long)op, 0L, 0L, 0, FINE);
			syscall(427, -1L, (long)op, 0L, 1L, 0, FAIL);
			syscall(427, -1L, (long)op, 16L, 5L, 0, FINE);
		}
		fds[0] = 3;
		fds[1] = -1;
		fds[2] = -2;
		fds[3] = 4;
	}
	return 0;
}
