/* fcntl, System V IPC's controls and arch_prctl by command. */
#include "pretend.h"

int main(void)
{
	/* What commands take: locks, owners, numbers. */
	static const long numbers[] = {0, 1, 2, 3, 10, 64, 0x800, 0x80000, 0x80000017, -1, -100};
	static const short locks[][16] = {
		{0}, {1, 1, 0, 0, 7, 0, 0, 0, 9, 0, 0, 0, 100}, {2, 2, 0, 0, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1},
		{5, 9, 0, 0, 1},
	};
	char *m = room(4096);
	short *lock = (short *)room(32);
	long *hint = (long *)room(8);

	pretend();
	for (int cmd = 0; cmd < 1060; cmd = cmd == 40 ? 1020 : cmd + 1) {
		for (int i = 0; i < 11; i++)
			syscall(SYS_fcntl, -1L, (long)cmd, numbers[i], 0, 0, i % 3 ? FINE : FAIL);
		for (int i = 0; i < 4; i++) {
			memcpy(lock, locks[i], 32);
			syscall(SYS_fcntl, -1L, (long)cmd, lock, 0, 0, FINE);
			syscall(SYS_fcntl, -1L, (long)cmd, lock, 0, 0, FAIL);
		}
		for (*hint = 0; *hint < 7; ++*hint) {
			syscall(SYS_fcntl, -1L, (long)cmd, hint, 0, 0, FINE);
		}
		syscall(SYS_fcntl, -1L, (long)cmd, (char *)lock + 8, 0, 0, FINE);
		syscall(SYS_fcntl, -1L, (long)cmd, (char *)hint + 4, 0, 0, FINE);
	}
	for (int form = 0; form < 3; form++) {
		for (int i = 0; i < 4096; i++)
			m[i] = form == 1 ? 1 + i % 251 : -form;
		for (int cmd = 0; cmd < 24; cmd++) {
			for (int more = 0; more < 0x300; more += 0x100) { /* IPC_64 */
				long c = cmd | more;
				for (int end = FINE; end <= FAIL; end++) {
					syscall(SYS_shmctl, 1L, c, m, 0, 0, end);
					syscall(SYS_msgctl, 1L, c, m, 0, 0, end);
					syscall(SYS_semctl, 1L, 2L, c, m, 0, end);
					syscall(SYS_shmctl, 1L, c, m + 4090, 0, 0, end);
					syscall(SYS_msgctl, 1L, c, m + 4090, 0, 0, end);
					syscall(SYS_semctl, 1L, 2L, c, m + 4090, 0, end);
				}
				syscall(SYS_shmctl, 1L, c, 0L, 0, 0, FINE);
				syscall(SYS_msgctl, 1L, c, 0L, 0, 0, FINE);
				syscall(SYS_semctl, 1L, 2L, c, 0L, 0, FINE);
				syscall(SYS_semctl, 1L, 2L, c, 5L, 0, FINE);
			}
		}
		for (int group = 0x1000; group < 0x6000; group += 0x1000) {
			for (int op = 0; op < 0x30; op++) {
				syscall(SYS_arch_prctl, group + op, m, 0, 0, 0, FINE);
				syscall(SYS_arch_prctl, group + op, m, 0, 0, 0, FAIL);
				syscall(SYS_arch_prctl, group + op, (long)op, 0, 0, 0, FINE);
				syscall(SYS_arch_prctl, group + op, 0L, 0, 0, 0, FAIL);
			}
		}
	}
	return 0;
}
