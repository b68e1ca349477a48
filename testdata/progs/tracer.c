/* What ptrace answers: a debugger of a process that no other debugger follows,
 * which is made with CLONE_UNTRACED. */
#include "prog.h"
#include <elf.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/ptrace.h>
#include <sys/user.h>

#ifndef PTRACE_GET_RSEQ_CONFIGURATION
#define PTRACE_GET_RSEQ_CONFIGURATION 0x420f
#endif
#define PTRACE_SET_SYSCALL_INFO_ 0x4212
#define PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG_ 0x4211

static struct {
	atomic_int ready, go;
	long word;
} *shared;

/* fork, of a child that is not followed. */
static pid_t untraced(void)
{
	return syscall(SYS_clone, CLONE_UNTRACED | SIGCHLD, 0L, 0L, 0L, 0L);
}

static int st;
static pid_t p;

static int await(void)
{
	CHECK(waitpid(p, &st, __WALL) == p);
	return st;
}

static void filtered(void)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpriority, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE | 0x123),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {sizeof f / sizeof *f, f};
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) == 0);
}

static void on(int sig)
{
	(void)sig;
}

/* What is traced. */
static void traced(void)
{
	sigset_t set;

	signal(SIGUSR1, on);
	signal(SIGUSR2, on);
	CHECK(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0);
	raise(SIGSTOP);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN + 1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 77});
	kill(getpid(), SIGUSR1);
	syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR2);
	filtered();
	syscall(SYS_getpriority, 0, 0);
	if (fork() == 0)
		_exit(3);
	waitpid(-1, NULL, 0);
	syscall(SYS_dup3, 7, 7, 0x123456789);
	_exit(5);
}

static void registers(void)
{
	static char room[8192];
	struct iovec iov = {room, sizeof room};
#ifdef __x86_64__
	struct user_regs_struct regs;
	struct user_fpregs_struct fp;
	CHECK(ptrace(PTRACE_GETREGS, p, 0, &regs) == 0);
	CHECK(ptrace(PTRACE_SETREGS, p, 0, &regs) == 0);
	CHECK(ptrace(PTRACE_GETFPREGS, p, 0, &fp) == 0);
	CHECK(ptrace(PTRACE_SETFPREGS, p, 0, &fp) == 0);
	CHECK(ptrace(PTRACE_PEEKUSER, p, offsetof(struct user, regs.rip), 0) != -1);
	CHECK(ptrace(PTRACE_PEEKUSER, p, offsetof(struct user, u_debugreg[7]), 0) != -1 || errno == 0);
	CHECK(ptrace(PTRACE_POKEUSER, p, offsetof(struct user, u_debugreg[0]), 0x1000) == 0);
	CHECK(ptrace(PTRACE_POKEUSER, p, offsetof(struct user, regs.r15), 0) == 0);
	long fs;
	ptrace(PTRACE_ARCH_PRCTL, p, &fs, 0x1003);
#endif
	/* of the last ones the kernel looks at 32 bits */
	static const long kinds[] = {NT_PRSTATUS, NT_FPREGSET, NT_X86_XSTATE, NT_PRPSINFO, 0x200, 0x201, 0x202, 0x203, 0x204, 0x400, 0x401, 0x402, 0x403, 0x404, 0x405, 0x406, 0x407, 0x40a, (long)(1ULL << 32 | NT_PRSTATUS), -1};
	for (int i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		for (int k = 0; k < 4; k++) {
			iov.iov_len = (long[]){sizeof room, 16, 0, 12}[k];
			ptrace(PTRACE_GETREGSET, p, kinds[i], &iov);
			if (k < 2)
				ptrace(PTRACE_SETREGSET, p, kinds[i], &iov);
		}
		iov.iov_base = NULL;
		ptrace(PTRACE_GETREGSET, p, kinds[i], &iov);
		iov.iov_base = room;
		iov.iov_len = 8;
	}
	ptrace(PTRACE_GETREGSET, p, NT_PRSTATUS, 0);
}

static void state(void)
{
	siginfo_t si, more[10];
	uint64_t mask;
	unsigned long message;
	char info[128], rseq[32], dispatch[32];
	struct { uint64_t off; uint32_t flags; int32_t nr; } peek;

	ptrace(PTRACE_GETSIGINFO, p, 0, &si);
	ptrace(PTRACE_SETSIGINFO, p, 0, &si);
	CHECK(ptrace(PTRACE_GETSIGMASK, p, 8, &mask) == 0);
	CHECK(ptrace(PTRACE_SETSIGMASK, p, 8, &mask) == 0);
	ptrace(PTRACE_GETSIGMASK, p, 4, &mask);
	for (int shared = 0; shared < 2; shared++)
		for (int off = 0; off < 2; off++)
			for (int nr = 0; nr < 3; nr++) {
				peek.off = off;
				peek.flags = shared;
				peek.nr = nr * 5;
				ptrace(PTRACE_PEEKSIGINFO, p, &peek, more);
			}
	CHECK(ptrace(PTRACE_GETEVENTMSG, p, 0, &message) == 0);
	for (int n = 0; n < 112; n += 8)
		ptrace(PTRACE_GET_SYSCALL_INFO, p, n, info);
	ptrace(PTRACE_GET_SYSCALL_INFO, p, sizeof info, info);
	ptrace(PTRACE_SET_SYSCALL_INFO_, p, 88L, info);
	ptrace(PTRACE_SET_SYSCALL_INFO_, p, 24L, info);
	for (int n = 0; n < 33; n += 8)
		ptrace(PTRACE_GET_RSEQ_CONFIGURATION, p, n, rseq);
	ptrace(PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG_, p, 32, dispatch);
}

static void memory(void)
{
	long v;
	errno = 0;
	CHECK(syscall(SYS_ptrace, PTRACE_PEEKDATA, p, &shared->word, &v) == 0 && v == 0x1122334455667788);
	CHECK(ptrace(PTRACE_POKEDATA, p, &shared->word, 42) == 0 && shared->word == 42);
	CHECK(syscall(SYS_ptrace, PTRACE_PEEKTEXT, p, untraced, &v) == 0);
	CHECK(ptrace(PTRACE_POKETEXT, p, &shared->word, 0x1122334455667788) == 0);
	CHECK(ptrace(PTRACE_PEEKDATA, p, 8, 0) == -1);
}

static void filters(void)
{
	struct sock_filter f[16];
	struct { uint64_t off, flags; } meta = {0, 7};

	ptrace(0x420c, p, 0L, 0L); /* PTRACE_SECCOMP_GET_FILTER */
	ptrace(0x420c, p, 0L, f);
	ptrace(0x420c, p, 1L, f);
	for (int n = 0; n < 25; n += 8) {
		meta.off = 0;
		meta.flags = 7;
		ptrace(0x420d, p, (long)n, &meta); /* PTRACE_SECCOMP_GET_METADATA */
	}
	meta.off = 3;
	ptrace(0x420d, p, 16L, &meta);
}

static void seized(void)
{
	p = untraced();
	if (p == 0)
		for (;;)
			pause();
	CHECK(p > 0);
	signal_asleep(p, 0);
	CHECK(ptrace(PTRACE_SEIZE, p, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXIT) == 0);
	CHECK(ptrace(PTRACE_SEIZE, p, 0, 0) == -1);
	CHECK(ptrace(PTRACE_INTERRUPT, p, 0, 0) == 0);
	await();
	state();
	CHECK(ptrace(PTRACE_CONT, p, 0, 0) == 0);
	kill(p, SIGSTOP);
	await();
	CHECK(ptrace(PTRACE_CONT, p, 0, SIGSTOP) == 0);
	await();
	siginfo_t si;
	ptrace(PTRACE_GETSIGINFO, p, 0, &si);
	CHECK(ptrace(PTRACE_LISTEN, p, 0, 0) == 0);
	kill(p, SIGCONT);
	await();
	CHECK(ptrace(PTRACE_DETACH, p, 0, 0) == 0);
	CHECK(ptrace(PTRACE_ATTACH, p, 0, 0) == 0);
	await();
	CHECK(ptrace(PTRACE_KILL, p, 0, 0) == 0);
	await();
	CHECK(WIFSIGNALED(st));
}

int main(void)
{
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(shared != MAP_FAILED);
	shared->word = 0x1122334455667788;
	hold_sigchld();
	p = untraced();
	if (p == 0)
		traced();
	CHECK(p > 0);
	await();
	CHECK(WIFSTOPPED(st) && WSTOPSIG(st) == SIGSTOP);
	CHECK(ptrace(PTRACE_SETOPTIONS, p, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXIT | PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL) == 0);
	registers();
	memory();
	state();
	int sig = 0, n = 0;
	for (;; n++) {
		CHECK(ptrace(n == 6 ? PTRACE_SINGLESTEP : PTRACE_SYSCALL, p, 0, sig) == 0);
		if (!WIFSTOPPED(await()))
			break;
		sig = 0;
		int event = st >> 16;
		if (!event && WSTOPSIG(st) != (SIGTRAP | 0x80) && WSTOPSIG(st) != SIGTRAP)
			sig = WSTOPSIG(st);
		if (event || sig || n < 4)
			state();
		if (event == PTRACE_EVENT_SECCOMP)
			filters();
		if (event == PTRACE_EVENT_FORK) {
			unsigned long q;
			CHECK(ptrace(PTRACE_GETEVENTMSG, p, 0, &q) == 0);
			CHECK(waitpid(q, &st, __WALL) == q);
			CHECK(ptrace(PTRACE_DETACH, q, 0, 0) == 0);
		}
	}
	CHECK(WIFEXITED(st) && WEXITSTATUS(st) == 5);
	seized();
	return ok();
}
