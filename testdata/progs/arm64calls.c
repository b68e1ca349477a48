/* What only arm64 has: prctls, kinds of memory, sets of registers, signals.
 * Whether a call works depends on the machine. */
#define _GNU_SOURCE
#include <elf.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define BAD ((void *)-8L)

static long words[1024];

static void prctl(long option, long a, long b, long c, long d)
{
	syscall(SYS_prctl, option, a, b, c, d);
}

static void vectors(void)
{
	static const long lengths[] = {16, 32, 64, 17, 0, 0xffff, 0x20010, 0x40020, 0x60020, 0x10010, 0xffff0010, -1L, 0x100000010};
	for (int sme = 0; sme < 2; sme++) {
		long set = sme ? 63 : 50;
		prctl(set + 1, 0, 0, 0, 0);
		prctl(set + 1, 1, 2, 3, 4);
		for (unsigned i = 0; i < sizeof lengths / sizeof *lengths; i++) {
			prctl(set, lengths[i], 7, 8, 9);
			prctl(set + 1, 0, 0, 0, 0);
		}
	}
}

static void keys(void)
{
	static const long sets[] = {0, 1, 2, 16, 31, 32, 0x8000000f, -1L};
	for (unsigned i = 0; i < sizeof sets / sizeof *sets; i++) {
		prctl(54, sets[i], 0, 0, 0);
		prctl(54, sets[i], 1, 2, 3);
		prctl(60, sets[i], i ? sets[i - 1] : 0, 0, 0);
		prctl(60, sets[i], sets[i], 1, 2);
		prctl(61, 0, 0, 0, 0);
		prctl(61, sets[i], 0, 0, 0);
	}
	prctl(60, 15, 15, 0, 0);
}

static void tags(void)
{
	static const long words[] = {0, 1, 3, 5, 7, 1 | 0xfffe << 3, 3 | 0x1234 << 3, 1 << 19, 0x80001, -1L};
	for (unsigned i = 0; i < sizeof words / sizeof *words; i++) {
		prctl(55, words[i], 0, 0, 0);
		prctl(55, words[i], 1, 2, 3);
		prctl(56, 0, 0, 0, 0);
		prctl(56, 1, 2, 3, 4);
	}
}

static void shadow_stacks(void)
{
	for (long n = -1; n < 9; n++) {
		prctl(75, n, 0, 0, 0);
		prctl(76, n, 1, 0, 0);
	}
	prctl(74, (long)words, 0, 0, 0);
	prctl(74, (long)BAD, 0, 0, 0);
	prctl(74, 0, 0, 0, 0);
	syscall(453, 0L, 4096L, 0L);
	syscall(453, 0L, 8192L, 1L);
	syscall(453, 0x7000L, 8192L, 7L);
	syscall(453, 0L, 0L, -1L);
}

static void memory(void)
{
	static const int kinds[] = {0x10, 0x20, 0x30, 0x40, 0x11, 0x25, 0x100003f, 0x3000025};
	for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		char *p = mmap(NULL, 65536, kinds[i], MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		mprotect(words, 0, kinds[i]);
		if (p != MAP_FAILED)
			mprotect(p, 4096, kinds[i]);
		syscall(SYS_pkey_mprotect, p, 4096L, (long)kinds[i], -1L);
	}
}

/* Of no process: strace's own children cannot trace. */
static void registers(void)
{
	const long none = -1;
	static const int sets[] = {0, 1, 2, 3, 6, 0x100, 0x202, 0x400, 0x401, 0x402, 0x403, 0x404, 0x405, 0x406, 0x407, 0x408, 0x409, 0x40a,
		0x40b, 0x40c, 0x40d, 0x40e, 0x40f, 0x410, 0x411, -1};
	static const long requests[] = {12, 13, 14, 15, 18, 19, 22, 25, 31, 32, 33, 34};
	for (unsigned i = 0; i < sizeof sets / sizeof *sets; i++) {
		struct iovec v = {words, sizeof words}, small = {words, 16};
		syscall(SYS_ptrace, (long)PTRACE_GETREGSET, none, (long)sets[i], &small);
		syscall(SYS_ptrace, (long)PTRACE_GETREGSET, none, (long)sets[i], &v);
		syscall(SYS_ptrace, (long)PTRACE_SETREGSET, none, (long)sets[i], &v);
		v.iov_base = BAD;
		syscall(SYS_ptrace, (long)PTRACE_SETREGSET, none, (long)sets[i], &v);
		syscall(SYS_ptrace, (long)PTRACE_GETREGSET, none, (long)sets[i], BAD);
	}
	for (unsigned i = 0; i < sizeof requests / sizeof *requests; i++)
		syscall(SYS_ptrace, requests[i], none, 0x1000L, words);
	for (long n = 0; n < 400; n += 37)
		syscall(SYS_ptrace, (long)PTRACE_PEEKUSER, none, n, words);
}

static void handler(int sig)
{
	syscall(SYS_getpid);
}

/* A child that the signal of a fault kills. */
#define DIES(what) do { \
	pid_t p = fork(); \
	if (p == 0) { what; _exit(0); } \
	waitpid(p, NULL, 0); \
} while (0)

static void tag_fault(void)
{
	volatile char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | 0x20, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	prctl(55, 3 | 0xfffe << 3, 0, 0, 0);
	p[0] = 1;
	((volatile char *)((uintptr_t)p | 5ul << 56))[16] = 1;
}

static void signals(void)
{
	struct sigaction sa = {.sa_handler = handler, .sa_flags = SA_SIGINFO | 0x800};
	sigaddset(&sa.sa_mask, SIGUSR2);
	sigaddset(&sa.sa_mask, 40);
	sigaction(SIGUSR1, &sa, NULL);
	raise(SIGUSR1);
	sigaction(SIGUSR1, NULL, &sa);
	/* Whether a child ends before it is waited for is left to chance. */
	sigemptyset(&sa.sa_mask);
	sigaddset(&sa.sa_mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &sa.sa_mask, NULL);
	DIES(tag_fault());
#ifdef __aarch64__
	DIES(__asm__ volatile("brk #1"));
	DIES(__asm__ volatile("udf #0"));
	DIES(__asm__ volatile("mrs x0, s3_0_c0_c15_0"));
	DIES(*(volatile int *)8 = 1);
	DIES(__asm__ volatile("mov x0, #1; br x0"));
#endif
}

static void others(void)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE, .size = sizeof attr, .config = PERF_COUNT_SW_TASK_CLOCK, .disabled = 1};
	syscall(SYS_perf_event_open, &attr, 0L, -1L, -1L, 8L);
	syscall(SYS_personality, 0xffffffffL);
	syscall(SYS_personality, 8L);
	syscall(SYS_personality, 0L);
	prctl(5, (long)words, 0, 0, 0);
	prctl(6, 1, 0, 0, 0);
	prctl(25, (long)words, 0, 0, 0);
	prctl(26, 1, 0, 0, 0);
	prctl(26, 2, 0, 0, 0);
	syscall(SYS_getrandom, words, 0L, 0x80L);
	syscall(244L); /* the first of those that an architecture may have */
	syscall(259L, 1L, 2L, 3L);
	syscall(0xf0002L, 1L, 2L, 3L); /* a call of 32-bit ARM alone */
	syscall(600L, 1L, 2L, 3L, 4L, 5L, 6L);
}

int main(void)
{
	memory();
	shadow_stacks();
	registers();
	signals();
	others();
	tags();
	vectors();
	keys();
	_exit(0);
}
