/* i386 system calls from a 64-bit process: the same numbers mean other calls. */
#include "prog.h"

static long call80(long nr, long a, long b, long c)
{
	long r;
	__asm__ volatile("int $0x80" : "=a"(r) : "a"(nr), "b"(a), "c"(b), "d"(c) : "memory", "r8", "r9", "r10", "r11");
	return r;
}

int main(void)
{
	char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	CHECK(low != MAP_FAILED);
	if (call80(20, 0, 0, 0) != getpid()) { /* getpid; 20 is writev on amd64 */
		puts("no i386 system calls here");
		return 77;
	}
	strcpy(low, "/i386/path");
	CHECK(call80(33, (long)low, 0, 0) == -ENOENT); /* access; 33 is dup2 on amd64 */
	strcpy(low, "ok\n");
	CHECK(call80(4, 1, (long)low, 3) == 3); /* write; 4 is stat on amd64 */
	/* x32: amd64 numbers with bit 30. Most kernels say ENOSYS, Ubuntu's 5.4 answers. */
	long parent = syscall(0x40000000 + SYS_getppid);
	CHECK(parent == getppid() || parent == -1 && errno == ENOSYS);
	syscall(100000); /* no such call */
	return 0;
}
