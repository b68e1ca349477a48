/* Signals of every origin, as they arrive. What is told of them does not depend on
 * when: each is waited for. */
#include "prog.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <mqueue.h>
#include <setjmp.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <ucontext.h>

static volatile sig_atomic_t hits;
static sigjmp_buf out;

static void on(int sig, siginfo_t *si, void *ctx)
{
	hits++;
	(void)sig, (void)si, (void)ctx;
}

static void back(int sig, siginfo_t *si, void *ctx)
{
	hits++;
	siglongjmp(out, 1);
	(void)sig, (void)si, (void)ctx;
}

static void handle(int sig, void (*fn)(int, siginfo_t *, void *), int flags)
{
	struct sigaction a = {.sa_sigaction = fn, .sa_flags = SA_SIGINFO | flags};
	sigemptyset(&a.sa_mask);
	CHECK(sigaction(sig, &a, NULL) == 0);
}

/* Runs what raises a signal that does not return. */
#define FAULT(sig, what)                                \
	do {                                            \
		hits = 0;                               \
		handle(sig, back, SA_NODEFER);          \
		if (!sigsetjmp(out, 1)) {               \
			what;                           \
		}                                       \
		CHECK(hits == 1);                       \
		signal(sig, SIG_DFL);                   \
	} while (0)

/* Waits for a signal that is blocked until then. */
static void await(int sig)
{
	sigset_t all;
	hits = 0;
	sigfillset(&all);
	sigdelset(&all, sig);
	CHECK(sigsuspend(&all) == -1 && errno == EINTR);
	CHECK(hits == 1);
}

static void block(int sig)
{
	sigset_t s;
	sigemptyset(&s);
	sigaddset(&s, sig);
	sigprocmask(SIG_BLOCK, &s, NULL);
}

static void sent(void)
{
	sigset_t s;
	union sigval v = {.sival_ptr = (void *)0x123456789abc};
	siginfo_t si;

	static const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTERM, SIGURG, SIGXCPU, SIGWINCH, SIGPWR, SIGSTKFLT, 34, 35, 50, 63, 64};
	for (int i = 0; i < 15; i++) {
		hits = 0;
		handle(signals[i], on, 0);
		kill(getpid(), signals[i]);
		syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), signals[i]);
		syscall(SYS_tkill, syscall(SYS_gettid), signals[i]);
		sigqueue(getpid(), signals[i], v);
		CHECK(hits == 4);
	}
	v.sival_int = -7;
	sigqueue(getpid(), 40 - 5, v);
	for (int code = -70; code < 0; code++) {
		memset(&si, 0, sizeof si);
		for (int i = 3; i < 12; i++)
			((int *)&si)[i] = i * 1000 - 2000;
		si.si_signo = SIGHUP;
		si.si_errno = code % 2 ? 0 : ENOENT;
		si.si_code = code;
		CHECK(syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), SIGHUP, &si) == 0);
	}
	/* taken, not delivered */
	block(34);
	block(SIGUSR1);
	sigemptyset(&s);
	sigaddset(&s, 34);
	sigaddset(&s, SIGUSR1);
	sigqueue(getpid(), 34, v);
	kill(getpid(), SIGUSR1);
	int fd = signalfd(-1, &s, SFD_NONBLOCK);
	struct signalfd_siginfo got[3];
	CHECK(read(fd, got, sizeof got) == 2 * sizeof *got);
	sigqueue(getpid(), 34, v);
	sigpending(&s);
	struct timespec t = {0, 0};
	CHECK(sigtimedwait(&s, &si, &t) == 34);
	CHECK(sigtimedwait(&s, &si, &t) == -1 && errno == EAGAIN);
	close(fd);
}

static void faults(void)
{
	char *m = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open("/proc/self/exe", O_RDONLY);
	volatile char *file = mmap(NULL, 1 << 26, PROT_READ, MAP_PRIVATE, fd, 0);
	volatile int zero = 0;
	static volatile int sink;

	FAULT(SIGSEGV, *(volatile int *)0x1230 = 1);
	FAULT(SIGSEGV, *(volatile char *)m = 1);
	FAULT(SIGBUS, sink = file[(1 << 26) - 1]);
#ifdef __x86_64__
	FAULT(SIGSEGV, sink = *(volatile int *)0x8000000000000000);
	FAULT(SIGFPE, sink = 77 / zero);
	FAULT(SIGILL, __asm__ volatile("ud2"));
	FAULT(SIGTRAP, __asm__ volatile("int3"));
	FAULT(SIGTRAP, __asm__ volatile("pushf; orl $0x100, (%rsp); popf; nop; nop"));
	FAULT(SIGSEGV, __asm__ volatile("hlt"));
	FAULT(SIGSEGV, __asm__ volatile("int $0x42"));
	FAULT(SIGSEGV, __asm__ volatile("int $4"));
	FAULT(SIGFPE, __asm__ volatile("fninit; fldcw %0; fld1; fldz; fdivrp; fwait" : : "m"((short){0x37b})));
	__asm__ volatile("fninit");
	unsigned csr = 0x1f80 & ~0x80, normal = 0x1f80;
	FAULT(SIGFPE, __asm__ volatile("ldmxcsr %0; divss %1, %1" : : "m"(csr), "x"(0.0f)));
	__asm__ volatile("ldmxcsr %0" : : "m"(normal));
	int key = syscall(SYS_pkey_alloc, 0, 0);
	if (key >= 0) { /* a page of a key that may not be read */
		syscall(SYS_pkey_mprotect, m, 4096L, PROT_READ | PROT_WRITE, key);
		FAULT(SIGSEGV, __asm__ volatile("xor %%ecx, %%ecx; rdpkru; mov $0x55555554, %%eax; xor %%edx, %%edx; wrpkru; mov (%0), %%al" : : "r"(m) : "rax", "rcx", "rdx"));
		__asm__ volatile("xor %%ecx, %%ecx; xor %%eax, %%eax; xor %%edx, %%edx; wrpkru" : : : "rax", "rcx", "rdx");
	}
#endif
	FAULT(SIGABRT, abort());
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sched_yield, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP | 0x77),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {sizeof f / sizeof *f, f};
	pid_t p = fork();
	if (p == 0) {
		CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
		CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) == 0);
		FAULT(SIGSYS, syscall(SYS_sched_yield));
		syscall(SYS_sched_yield);
		_exit(0);
	}
	CHECK(waitpid(p, NULL, 0) == p);
#ifdef PR_SET_SYSCALL_USER_DISPATCH
	p = fork();
	if (p == 0) {
		static char chosen = 0;
		CHECK(prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, 0, 0, &chosen) == 0);
		handle(SIGSYS, on, 0);
		chosen = 1;
		syscall(SYS_getppid);
		_exit(0);
	}
	CHECK(waitpid(p, NULL, 0) == p);
#endif
	munmap((void *)file, 1 << 26);
	close(fd);
}

static void children(void)
{
	pid_t p;
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	CHECK(sigwaitinfo(&set, NULL) == SIGCHLD); /* of those before */
	handle(SIGCHLD, on, 0);
	if ((p = fork()) == 0)
		_exit(200);
	await(SIGCHLD);
	CHECK(waitpid(p, NULL, 0) == p);
	if ((p = fork()) == 0)
		for (;;)
			pause();
	signal_asleep(p, SIGSTOP);
	await(SIGCHLD);
	kill(p, SIGCONT);
	await(SIGCHLD);
	signal_asleep(p, SIGKILL);
	await(SIGCHLD);
	CHECK(waitpid(p, NULL, 0) == p);
	struct rlimit { unsigned long cur, max; } none = {0, 0};
	if ((p = fork()) == 0) {
		syscall(SYS_prlimit64, 0, 4, &none, 0);
		signal(SIGQUIT, SIG_DFL);
		kill(getpid(), SIGQUIT);
	}
	await(SIGCHLD);
	CHECK(waitpid(p, NULL, 0) == p);
}

static void others(void)
{
	struct itimerval it = {.it_value = {0, 1000}};
	struct itimerspec its = {.it_value = {0, 1000}};
	struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2, .sigev_value.sival_ptr = (void *)0x1234};
	timer_t timer;
	char c;

	block(SIGALRM);
	block(SIGUSR2);
	block(SIGIO);
	block(36);
	handle(SIGALRM, on, 0);
	handle(SIGUSR2, on, 0);
	handle(SIGIO, on, 0);
	handle(36, on, 0);
	setitimer(ITIMER_REAL, &it, NULL);
	await(SIGALRM);
	CHECK(syscall(SYS_timer_create, CLOCK_MONOTONIC, &ev, &timer) == 0);
	CHECK(syscall(SYS_timer_settime, (int)(long)timer, 0, &its, NULL) == 0);
	await(SIGUSR2);
	CHECK(syscall(SYS_timer_gettime, (int)(long)timer, &its) == 0);
	CHECK(syscall(SYS_timer_getoverrun, (int)(long)timer) == 0);
	CHECK(syscall(SYS_timer_delete, (int)(long)timer) == 0);

	ev.sigev_notify = 4; /* SIGEV_THREAD_ID */
	((int *)&ev)[4] = syscall(SYS_gettid);
	CHECK(syscall(SYS_timer_create, CLOCK_REALTIME, &ev, &timer) == 0);
	CHECK(syscall(SYS_timer_delete, (int)(long)timer) == 0);
	ev.sigev_notify = SIGEV_NONE;
	CHECK(syscall(SYS_timer_create, CLOCK_BOOTTIME, &ev, &timer) == 0);
	CHECK(syscall(SYS_timer_settime, (int)(long)timer, TIMER_ABSTIME, &its, &its) == 0);
	CHECK(syscall(SYS_timer_delete, (int)(long)timer) == 0);
	CHECK(syscall(SYS_timer_create, CLOCK_BOOTTIME, NULL, &timer) == 0);
	CHECK(syscall(SYS_timer_delete, (int)(long)timer) == 0);

	struct mq_attr attr = {.mq_maxmsg = 2, .mq_msgsize = 32};
	mq_unlink("/sysreel-deliver");
	mqd_t q = mq_open("/sysreel-deliver", O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
	if (q >= 0) {
		struct sigevent me = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2, .sigev_value.sival_int = 99};
		CHECK(mq_notify(q, &me) == 0);
		CHECK(mq_send(q, "text", 4, 3) == 0);
		await(SIGUSR2);
		mq_close(q);
		mq_unlink("/sysreel-deliver");
	}

	int fds[2];
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	CHECK(fcntl(fds[0], F_SETOWN, getpid()) == 0);
	CHECK(fcntl(fds[0], F_SETFL, O_ASYNC) == 0);
	CHECK(write(fds[1], "x", 1) == 1);
	await(SIGIO);
	CHECK(fcntl(fds[0], F_SETSIG, 36) == 0);
	CHECK(write(fds[1], "y", 1) == 1);
	await(36);
	CHECK(read(fds[0], &c, 1) == 1);
	fcntl(fds[0], F_SETFL, 0);
	close(fds[0]);
	close(fds[1]);
}

static void stacks(void)
{
	static char room[65536];
	stack_t s = {.ss_sp = room, .ss_size = sizeof room, .ss_flags = 0}, old;
	CHECK(sigaltstack(&s, &old) == 0);
	handle(SIGHUP, on, SA_ONSTACK | SA_RESTART | SA_NODEFER | SA_RESETHAND);
	kill(getpid(), SIGHUP);
	CHECK(sigaltstack(NULL, &old) == 0);
	s.ss_flags = 1U << 31 | SS_ONSTACK;
	sigaltstack(&s, NULL);
	s.ss_flags = SS_DISABLE;
	CHECK(sigaltstack(&s, &old) == 0);
	s.ss_flags = 0;
	s.ss_size = 1;
	CHECK(sigaltstack(&s, NULL) == -1 && errno == ENOMEM);
	/* what is blocked when it comes back */
	for (int i = 1; i < 4; i++) {
		sigset_t set;
		sigfillset(&set);
		for (int k = 0; k < i; k++)
			sigdelset(&set, (int[]){SIGUSR1, SIGHUP, 40}[k]);
		sigprocmask(SIG_SETMASK, &set, NULL);
		handle(SIGUSR1, on, 0);
		kill(getpid(), SIGUSR1);
	}
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

int main(void)
{
	hold_sigchld();
	sent();
	faults();
	children();
	others();
	stacks();
	return ok();
}
