/* Calls that the kernel does not get to see: with FINE as sixth argument, where
 * a call has fewer, it is answered with 0, with FAIL with EINVAL. So calls can be
 * made with any arguments, on any machine, and end well. What they point to
 * stays as it was. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FINE = 0x5eed0, FAIL };

static void pretend(void)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[5])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FINE, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FAIL, 2, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
	};
	struct sock_fprog p = {sizeof f / sizeof *f, f};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p))
		exit(98);
}

/* Memory of which the last byte is the last before a page that is not there. */
static char *room(size_t size)
{
	size_t all = (size + 4095 & ~4095ul) + 4096;
	char *m = mmap(0, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (m == MAP_FAILED)
		exit(97);
	mprotect(m + all - 4096, 4096, PROT_NONE);
	return m + all - 4096 - size;
}
