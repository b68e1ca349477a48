/* Calls of i386 that stand for others (socketcall, ipc) or take their arguments
 * in memory (mmap, select). TestCallsLikeStrace holds their text against
 * strace's. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sched.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <netinet/in.h>
static long c80(long nr, long a, long b, long c, long d, long e)
{
	long r;
	__asm__ volatile("int $0x80" : "=a"(r) : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e) : "memory", "r8", "r9", "r10", "r11");
	return r;
}
enum { NR_sgetmask = 68, NR_ssetmask = 69, NR_socketcall = 102, NR_mmap = 90, NR_select = 82, NR__newselect = 142, NR_ipc = 117, NR_time = 13, NR_stat64 = 195, NR_fcntl64 = 221, NR_pread64 = 180, NR__llseek = 140 };

/* In a namespace of its own each object has the same number in every run. Times
 * are left out. mem is below 4 GiB. */
static void ipc_objects(unsigned *mem)
{
	enum { SET = 0x101, INFO = 0x103, SEM_INFO_ = 0x113, MSG_INFO_ = 0x10c, SHM_INFO_ = 0x10e, RMID = 0x100 };
	unsigned at = (unsigned)(long)mem, buf = at + 256;
	if (unshare(CLONE_NEWIPC) < 0)
		return;
	long q = c80(NR_ipc, 13, 0, 01600, 0, 0);
	mem[64] = 5;
	memcpy(mem + 65, "hello", 5);
	c80(NR_ipc, 11, q, 5, 0, buf);
	mem[0] = buf;
	mem[1] = 5;
	c80(NR_ipc, 12, q, 5, 0, at);
	c80(NR_ipc, 12, q, 5, 04000, 0x10);
	c80(NR_ipc, 12, q + 1, 5, 04000, at);
	memset(mem + 64, 0, 512);
	c80(NR_ipc, 14, q, SET, 0, buf);
	c80(NR_ipc, 14, q, INFO, 0, buf);
	c80(NR_ipc, 14, q, MSG_INFO_, 0, buf);
	c80(NR_ipc, 14, q, SET, 0, 0x10);
	c80(NR_ipc, 14, q, RMID, 0, 0);
	long s = c80(NR_ipc, 2, 0, 3, 01600, 0);
	for (int bad = 0; bad < 2; bad++) {
		mem[0] = bad ? 0x10 : buf;
		memset(mem + 64, 0, 512);
		c80(NR_ipc, 3, s, 0, SET, at);
		c80(NR_ipc, 3, s, 0, INFO, at);
		c80(NR_ipc, 3, s, 0, SEM_INFO_, at);
		c80(NR_ipc, 3, s, 0, 16, at);
		c80(NR_ipc, 3, s, 0, INFO, 0x10);
	}
	c80(NR_ipc, 3, s, 0, RMID, at);
	long m = c80(NR_ipc, 23, 0, 4096, 01600, 0);
	memset(mem + 64, 0, 512);
	c80(NR_ipc, 24, m, SET, 0, buf);
	c80(NR_ipc, 24, m, INFO, 0, buf);
	c80(NR_ipc, 24, m, SHM_INFO_, 0, buf);
	c80(NR_ipc, 24, m, RMID, 0, 0);
}

int main(void)
{
	unsigned *p = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	unsigned L = (unsigned)(long)p; unsigned D = L + 4096; char *d = (char *)p + 4096;
#define ARGS(...) ({ unsigned v_[] = {__VA_ARGS__}; memcpy(p, v_, sizeof v_); })
	c80(NR_sgetmask, 0, 0, 0, 0, 0);
	c80(NR_ssetmask, 0x4200, 0, 0, 0, 0);
	c80(NR_sgetmask, 0, 0, 0, 0, 0);
	c80(NR_ssetmask, 0, 0, 0, 0, 0);
	ARGS(AF_INET, SOCK_STREAM, 0);
	c80(NR_socketcall, 1, L, 0, 0, 0);
	struct sockaddr_in a = {AF_INET};
	memcpy(d, &a, 16);
	ARGS(3, D, 16);
	c80(NR_socketcall, 2, L, 0, 0, 0);
	ARGS(3, 5);
	c80(NR_socketcall, 4, L, 0, 0, 0);
	ARGS(3, 0x10, 0x10);
	c80(NR_socketcall, 6, L, 0, 0, 0);
	c80(NR_socketcall, 1, 0x10, 0, 0, 0);
	*(int *)(d + 64) = 16;
	ARGS(3, D, D + 64);
	c80(NR_socketcall, 6, L, 0, 0, 0);
	ARGS(3, SOL_SOCKET, SO_REUSEADDR, D, 4);
	*(int *)d = 1;
	c80(NR_socketcall, 14, L, 0, 0, 0);
	ARGS(AF_UNIX, SOCK_DGRAM, 0, D);
	c80(NR_socketcall, 8, L, 0, 0, 0);
	strcpy(d + 100, "hello");
	ARGS(4, D + 100, 5, 0);
	c80(NR_socketcall, 9, L, 0, 0, 0);
	ARGS(5, D + 200, 50, 0x40);
	c80(NR_socketcall, 10, L, 0, 0, 0);
	ARGS(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	c80(NR_mmap, L, 0, 0, 0, 0);
	c80(NR_mmap, 0x10, 0, 0, 0, 0);
	memset(d, 0, 128);
	d[0] = 1;
	ARGS(1, D, 0, 0, D + 64);
	c80(NR_select, L, 0, 0, 0, 0);
	c80(NR_select, 0x10, 0, 0, 0, 0);
	d[0] = 1;
	c80(NR__newselect, 1, D, 0, 0, D + 64);
	d[0] = 1;
	*(int *)(d + 64) = 1;
	c80(NR__newselect, 1, 0, D, 0, D + 64);
	c80(NR_ipc, 24, 0, 100, 01600, 0);
	c80(NR_ipc, 11, 1000, 5, 0, D);
	c80(NR_ipc, 3, 1000, 0, 14, 0);
	c80(NR_ipc, 1, 1000, 1, 0, D);
	c80(NR_ipc, 21, 1000, 0, D, 0);
	c80(NR_ipc, 22, 0x1000, 0, 0, D);
	ipc_objects(p);
	c80(NR_time, 0, 0, 0, 0, 0);
	c80(NR_stat64, D, D + 100, 0, 0, 0);
	c80(NR_fcntl64, 1000, 5, D, 0, 0);
	c80(NR_pread64, 1000, D, 5, 7, 1);
	c80(NR__llseek, 0, 1, 2, D, 0);
	return 0;
}
