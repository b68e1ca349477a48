/* keyctl, add_key and request_key by operation. */
#include "pretend.h"
#include <sys/uio.h>

int main(void)
{
	static const long ids[] = {0, 1, -3, 0x12345678};
	static const long sizes[] = {0, 1, 4, 16, 24, 100};
	char *m = room(4096), *name = strcpy(room(4), "key");
	struct iovec *iov = (struct iovec *)room(2 * sizeof *iov);
	int *dh = (int *)room(16);
	long *kdf = (long *)room(24 + 32);
	int *pkey = (int *)room(48);

	pretend();
	for (int form = 0; form < 2; form++) {
		for (int i = 0; i < 4096; i++)
			m[i] = form ? 1 + i % 251 : 0;
		iov[0] = (struct iovec){"one", 3};
		iov[1] = (struct iovec){form ? m : 0, form ? 5 : 0};
		dh[0] = form ? 0x1234 : -1;
		dh[1] = 2;
		dh[2] = 3;
		memset(kdf, form ? 0 : 1, 56);
		kdf[0] = (long)name;
		kdf[1] = (long)"other information";
		kdf[2] = form ? 5 : 300;
		memset(pkey, 0, 48);
		pkey[0] = 7;
		pkey[1] = 3;
		pkey[2] = 40;
		pkey[3] = form ? 0 : 9;
		for (int op = 0; op < 34; op++) {
			for (int i = 0; i < 4; i++) {
				for (int end = FINE; end <= FAIL; end++) {
					syscall(SYS_keyctl, op, ids[i], ids[3 - i], 1L, 2L, end);
					syscall(SYS_keyctl, op, ids[i], name, name, ids[i], end);
					syscall(SYS_keyctl, op, ids[i], name, "of three", m, end);
					syscall(SYS_keyctl, op, ids[i], 0L, 0L, 0L, end);
					syscall(SYS_keyctl, op, ids[i], iov, 2L, -2L, end);
					syscall(SYS_keyctl, op, ids[i], 0xffffL << 8 * i, 5L, 6L, end);
					syscall(SYS_keyctl, op, ids[i], 0L, "enc=pkcs1 hash=sha256", m, end);
				}
			}
			for (int i = 0; i < 6; i++) {
				for (int end = FINE; end <= FAIL; end++) {
					syscall(SYS_keyctl, op, -2L, m, sizes[i], -4L, end);
					syscall(SYS_keyctl, op, m, sizes[i], 3L, 4L, end);
					syscall(SYS_keyctl, op, dh, m, sizes[i], i % 2 ? kdf : 0, end);
					syscall(SYS_keyctl, op, pkey, "enc=raw", m, m + 100, end);
				}
			}
			syscall(SYS_keyctl, op, name, 0L, 0L, 0L, FINE);
			syscall(SYS_keyctl, op, name + 4, name + 4, 4L, name + 4, FINE);
			syscall(SYS_keyctl, op, 1L, name + 4, 4L, name + 4, FINE);
		}
		for (int i = 0; i < 4; i++) {
			syscall(SYS_add_key, "user", name, m, 40L, ids[i], FINE);
			syscall(SYS_add_key, "keyring", name, 0L, 0L, ids[i], FAIL);
			syscall(SYS_request_key, "user", name, 0L, ids[i], 0, FINE);
			syscall(SYS_request_key, name + 4, 0L, "info", ids[i], 0, FAIL);
		}
	}
	return 0;
}
