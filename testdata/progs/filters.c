/* Filters of seccomp and of sockets by instruction, and what else is asked of seccomp. */
#include "pretend.h"
#include <sys/socket.h>

static struct sock_fprog *prog;

/* attach makes the calls that take a program. */
static void attach(int len, void *filter, int end)
{
	*prog = (struct sock_fprog){len, filter};
	syscall(SYS_prctl, PR_SET_SECCOMP, 2L, prog, 0L, 0L, end);
	syscall(SYS_seccomp, 1L, (long)len % 65, prog, 0L, 0L, end);
	syscall(SYS_setsockopt, -1L, SOL_SOCKET, SO_ATTACH_FILTER, prog, 16L, end);
	syscall(SYS_setsockopt, -1L, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, prog, 16L, end);
}

int main(void)
{
	static const uint32_t values[] = {0, 1, 4, 0x10, 0x7fff0000, 0x7ffc0000, 0x7ff00001, 0x7fc00000, 0x50001, 0x5ffff, 0x30000, 0x3beef, 0xabcd, 0x80000000, 0x80000001,
		0xffffffff, 0xfffff000, 0xfffff004, 0xfffff020, 0xfffff040, 0xfffff044, 0xffffefff, 0xfff00000, 0xfff00010, 0xffefffff, 0xffe00000, 0xffdfffff,
		0x40000, 0x7fffffff, 0x7ffe0000, 0x10000, 0x60000};
	static const int lengths[] = {0, 1, 2, 31, 32, 33, 64, 65, 255, 4095, 4096, 4097, 32768, 65535};
	struct sock_filter *f = (struct sock_filter *)room(64 * sizeof *f);
	uint32_t *word = (uint32_t *)room(8);
	unsigned v = 0;

	prog = (struct sock_fprog *)room(sizeof *prog);
	pretend();
	for (int code = 0; code < 0x200; code += 8) { /* with each jump, and each value now and then */
		for (int i = 0; i < 64; i++)
			f[i] = (struct sock_filter){code + i % 8 + (i > 60) * 0x1200, i % 5 == 1 ? i : 0, i % 7 == 2 ? 255 - i : 0, values[v++ % 32]};
		attach(64, f, code % 16 ? FAIL : FINE);
	}
	static const int loads[] = {0, 0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0x60, 0x80, 0xa1, 0xb1, 0x21, 0x41, 0x06, 0x0e, 0x16, 0x1e, 0x26, 0x15, 0x05};
	for (int l = 0; l < 20; l++) {
		for (int i = 0; i < 64; i++)
			f[i] = (struct sock_filter){loads[l], i > 56, i % 32 > 28, values[i % 32]};
		attach(64, f, FINE);
		for (int i = 0; i < 64; i++) /* surroundings of a packet */
			f[i] = (struct sock_filter){loads[l], 0, 0, 0xfffff000 + i};
		attach(64, f, FINE);
	}
	for (int i = 0; i < 14; i++) {
		attach(lengths[i], f, FINE);
		attach(lengths[i], f + 63, FAIL);
		attach(lengths[i], f + 64, FINE);
		attach(lengths[i], (char *)f + 64 * 8 - 4, FAIL);
		attach(lengths[i], 0, FINE);
		attach(lengths[i], (void *)-1, FAIL);
		for (int size = 0; size < 26; size += size > 14 && size < 17 ? 1 : 3) {
			*prog = (struct sock_fprog){lengths[i] % 4, f};
			syscall(SYS_setsockopt, 3L, SOL_SOCKET, SO_ATTACH_FILTER, prog, (long)size, FINE);
			syscall(SYS_setsockopt, 3L, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, prog, (long)-size, FAIL);
			syscall(SYS_setsockopt, 3L, SOL_SOCKET, SO_DETACH_FILTER, prog, (long)size, FAIL);
			*word = lengths[i];
			syscall(SYS_getsockopt, 3L, SOL_SOCKET, SO_ATTACH_FILTER, f + 64 - i, word, FINE);
			syscall(SYS_getsockopt, 3L, SOL_SOCKET, SO_ATTACH_FILTER, f, word, FAIL);
		}
		syscall(SYS_setsockopt, 3L, SOL_SOCKET, SO_ATTACH_FILTER, (char *)prog + 8, 16L, FINE);
		syscall(SYS_setsockopt, 3L, SOL_SOCKET, SO_ATTACH_FILTER, 0L, 16L, FAIL);
	}
	for (int op = -1; op < 6; op++) {
		for (int i = 0; i < 32; i++) {
			word[1] = values[i];
			for (int end = FINE; end <= FAIL; end++) {
				syscall(SYS_seccomp, (long)op, (long)values[i], word + 1, 0L, 0L, end);
				syscall(SYS_seccomp, (long)op, i < 16 ? 1L << i : ~0L << i, (char *)word + 7 * (i % 2), 0L, 0L, end);
				syscall(SYS_seccomp, (long)op, 0L, i % 4 ? (void *)word : 0, 0L, 0L, end);
				syscall(SYS_prctl, PR_SET_SECCOMP, (long)op, i % 3 ? (char *)prog + 8 : 0, (long)i, 0L, end);
			}
		}
	}
	syscall(SYS_prctl, PR_GET_SECCOMP, 1L, 2L, 3L, 4L, FINE);
	return 0;
}
