/* io_uring_setup, io_uring_enter with what it waits for, and io_uring_register by
 * opcode, with what each reads good and bad. */
#include "pretend.h"

static void reg(long op, const void *arg, long n, long answer)
{
	syscall(427, -1L, op, arg, n, 0, answer);
	if (answer == FINE)
		syscall(427, 7L, op | 0x80000000, arg, n, 0, FAIL);
}

/* Pointers in what it reads. */
static void resources(void)
{
	int *fds = (int *)room(40);
	uint64_t *tags = (uint64_t *)room(80), (*iov)[2] = (void *)room(80);
	uint32_t *a = (uint32_t *)room(64);

	for (int i = 0; i < 10; i++) {
		fds[i] = i < 4 ? i - 2 : -i;
		tags[i] = i * 0x101010101;
		iov[i / 2][i % 2] = i % 2 ? i : (uint64_t)fds;
	}
	for (int i = 0; i < 120; i++) {
		void *data = i % 7 == 6 ? (void *)16 : i % 4 == 3 ? (void *)(fds + 7) : fds;

		memset(a, 0, 64);
		a[0] = i % 5; /* nr, or offset */
		a[1] = i % 9 == 8;
		if (i % 3 == 1)
			data = i % 5 ? (void *)iov : NULL;
		memcpy(a + 4, &data, 8);
		memcpy(a + 6, &(uint64_t *){i % 4 ? tags + i % 10 : (void *)(long)(i % 8)}, 8);
		a[12] = i % 3;
		if (i % 11 == 10)
			a[9] = i;
		for (int op = 13; op <= 16; op++)
			reg(op, a + i % 2 * 8, i % 6 == 5 ? 31 : i % 6 == 4 ? 40 : 32, i % 2 ? FINE : FAIL);
		a[8] = i % 5;
		for (int op = 13; op <= 16; op++)
			reg(op, a, i % 6 == 5 ? 31 : i % 6 == 4 ? 40 : 32, i % 2 ? FINE : FAIL);
		memcpy(a + 2, &data, 8);
		reg(6, a, i % 13, i % 2 ? FINE : FAIL);
		reg(6, a + 13, i % 13, FAIL);
	}
}

/* Entries of a submission ring: all operations. */
static void entries(void)
{
	uint8_t *sqe = (uint8_t *)room(128), *pi = (uint8_t *)room(32);

	for (int op = 0; op < 70; op++) {
		for (int form = 0; form < 6; form++) {
			for (int i = 0; i < 128; i++)
				sqe[i] = form == 0 ? 0 : form == 1 ? i * 3 : form == 2 ? 255 : i % 4 ? 0 : i;
			sqe[0] = op;
			memset(sqe + 4, 255, 4); /* its descriptor */
			if (form >= 3)
				memset(sqe + 56, 0, 8), sqe[56] = form - 3;
			if (form >= 4)
				memcpy(sqe + 48, &(void *){form == 4 ? pi : (void *)8}, 8);
			reg(31, sqe, 1, form % 2 ? FINE : FAIL);
			memmove(sqe + 64, sqe, 64);
			reg(31, sqe + 64, 1, FAIL);
		}
	}
}

/* Lists of queries, and commands of received data. */
static void queries(void)
{
	uint32_t *q = (uint32_t *)room(3 * 40), *data = (uint32_t *)room(48), *ctrl = (uint32_t *)room(72);

	for (int i = 0; i < 12; i++)
		data[i] = 1u << i | i;
	for (int i = 0; i < 60; i++) {
		memset(q, 0, 120);
		for (int k = 0; k < 3; k++) {
			uint32_t *h = q + 10 * k;

			memcpy(h, &(void *){k < i % 3 ? h + 10 : i % 5 == 4 ? (void *)8 : NULL}, 8);
			memcpy(h + 2, &(void *){i % 7 ? data + i % 4 : i % 2 ? (void *)16 : NULL}, 8);
			h[4] = (i + k) % 6;
			h[5] = i % 4 ? 48 : 0;
			h[6] = i - 3;
			h[7 + i % 3] = i % 8 == 7;
		}
		reg(35, q, 0, i % 2 ? FINE : FAIL);
		reg(35, q + 21, 0, FAIL);
		memset(ctrl, 0, 72);
		ctrl[0] = i;
		ctrl[1] = i % 5;
		ctrl[6] = i % 3;
		ctrl[2 + i % 16] |= i / 16;
		reg(36, ctrl, i % 9 != 8, i % 2 ? FINE : FAIL);
		reg(36, ctrl + 1, 1, FAIL);
	}
}

static void waits(void)
{
	static const long flags[] = {0, 1, 8, 9, 0x40, 0x41, 0x48, 0x49, 0xff, 0x1ff, -1};
	uint64_t *set = (uint64_t *)room(8), *ts = (uint64_t *)room(16), *arg = (uint64_t *)room(24);

	*set = 0xfffffffe7ffbfeffu;
	ts[0] = 3;
	ts[1] = 999999999;
	for (int i = 0; i < 11; i++) {
		for (int k = 0; k < 12; k++) {
			arg[0] = (uint64_t)(k % 3 ? set : k % 2 ? 0 : (uint64_t *)8);
			arg[1] = k % 4 == 3 ? 4 : 8 | (uint64_t)k << 32;
			arg[2] = (uint64_t)(k % 5 == 4 ? (uint64_t *)(k - 4L) : ts + k % 5 / 3);
			syscall(426, -1L, 1L, 2L, flags[i], k % 2 ? arg : set, FINE);
			syscall(426, -1L, -1L, -2L, flags[i], k % 3 ? arg : (uint64_t *)(long)k, FAIL);
		}
	}
}

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
		for (int op = 0; op < 40; op++) {
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
	resources();
	entries();
	queries();
	waits();
	return 0;
}
