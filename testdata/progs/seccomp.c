/* Programs with seccomp filters of their own, and calls that reach a recorder's
 * filter in unusual ways: each has the result that it has without a recorder. */
#include "prog.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>

#ifdef __x86_64__
#define ARCH AUDIT_ARCH_X86_64
#else
#define ARCH AUDIT_ARCH_AARCH64
#endif

/* A filter that does action at one call and lets all others be. */
static void filter(int nr, unsigned action)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog p = {sizeof f / sizeof *f, f};
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &p) == 0);
}

static volatile sig_atomic_t trapped;

static void on_sigsys(int sig, siginfo_t *info, void *context)
{
	trapped = info->si_syscall;
}

static void refused(void)
{
	filter(SYS_mkdirat, SECCOMP_RET_ERRNO | EXDEV);
	CHECK(syscall(SYS_mkdirat, AT_FDCWD, "/mark/refused", 0700) == -1 && errno == EXDEV);
	mark("refused");
}

static void traced(void) /* by nobody: there is no such call */
{
	filter(SYS_mkdirat, SECCOMP_RET_TRACE | 7);
	CHECK(syscall(SYS_mkdirat, AT_FDCWD, "/mark/traced", 0700) == -1 && errno == ENOSYS);
	filter(SYS_faccessat, SECCOMP_RET_TRACE | 8);
	CHECK(syscall(SYS_faccessat, AT_FDCWD, "/mark/traced", 0) == -1 && errno == ENOSYS);
}

static void trap(void)
{
	struct sigaction sa = {.sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO};
	CHECK(sigaction(SIGSYS, &sa, NULL) == 0);
	filter(SYS_mkdirat, SECCOMP_RET_TRAP);
	syscall(SYS_mkdirat, AT_FDCWD, "/mark/trap", 0700);
	CHECK(trapped == SYS_mkdirat);
	mark("trap");
}

static void killed(void)
{
	filter(SYS_mkdirat, SECCOMP_RET_KILL_PROCESS);
	mark("killed");
	syscall(SYS_mkdirat, AT_FDCWD, "/mark/killed", 0700);
}

/* A child that asks not to be traced has the filter all the same. */
static char stack[65536] __attribute__((aligned(16)));

static int untraced_child(void *arg)
{
	if (access("/mark/untraced", F_OK) == 0 || errno != ENOENT)
		return 1;
	return 7;
}

static void untraced(void)
{
	int st;
	pid_t p = clone(untraced_child, stack + sizeof stack, CLONE_UNTRACED | SIGCHLD, NULL);
	CHECK(p > 0 && waitpid(p, &st, 0) == p && st == 7 << 8);
	struct clone_args a = {.flags = CLONE_UNTRACED, .exit_signal = SIGCHLD};
	p = syscall(SYS_clone3, &a, sizeof a);
	if (p == 0)
		_exit(untraced_child(NULL));
	CHECK(p > 0 && waitpid(p, &st, 0) == p && st == 7 << 8);
	CHECK(a.flags == CLONE_UNTRACED);
}

#ifdef __x86_64__
static int has_vsyscall(void)
{
	char line[256];
	int found = 0;
	FILE *f = fopen("/proc/self/maps", "r");
	while (f && fgets(line, sizeof line, f))
		found |= strstr(line, "[vsyscall]") != NULL;
	if (f)
		fclose(f);
	return found;
}

static void vsyscall(void)
{
	if (!has_vsyscall())
		return;
	time_t (*vtime)(time_t *) = (void *)0xffffffffff600400;
	time_t now = time(NULL), v = vtime(NULL);
	CHECK(v >= now && v < now + 100);
	mark("vsyscall");
	CHECK(vtime(NULL) >= now);
}
#endif

static void on_signal(int sig)
{
	mark("handler");
}

/* read is made again by the kernel after the handler, and is one call. */
static void restarted(void)
{
	int fd[2];
	char c;
	struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	CHECK(sigaction(SIGUSR1, &sa, NULL) == 0 && pipe(fd) == 0);
	pid_t parent = getpid(), p = fork();
	if (p == 0) {
		sleep_ms(20);
		kill(parent, SIGUSR1);
		sleep_ms(20);
		_exit(write(fd[1], "x", 1) != 1);
	}
	CHECK(read(fd[0], &c, 1) == 1);
	CHECK(waitpid(p, NULL, 0) == p);
	/* nanosleep goes on as restart_syscall */
	p = fork();
	if (p == 0) {
		sleep_ms(50);
		kill(parent, SIGSTOP);
		sleep_ms(50);
		kill(parent, SIGCONT);
		_exit(0);
	}
	struct timespec t = {0, 150 * 1000000};
	CHECK(syscall(SYS_nanosleep, &t, NULL) == 0);
	CHECK(waitpid(p, NULL, 0) == p);
}

static int in_child(void (*fn)(void))
{
	int st;
	pid_t p = fork();
	if (p == 0) {
		fn();
		_exit(0);
	}
	CHECK(p > 0 && waitpid(p, &st, 0) == p);
	return st;
}

/* With arguments: runs a command under a filter that refuses mkdir. */
int main(int argc, char **argv)
{
	if (argc > 1) {
		filter(SYS_mkdirat, SECCOMP_RET_ERRNO | EPERM);
#ifdef SYS_mkdir
		filter(SYS_mkdir, SECCOMP_RET_ERRNO | EPERM);
#endif
		execvp(argv[1], argv + 1);
		fail("%s", argv[1]);
	}
	CHECK(in_child(refused) == 0);
	CHECK(in_child(traced) == 0);
	CHECK(in_child(trap) == 0);
	CHECK(in_child(killed) == (SIGSYS | 0x80) || in_child(killed) == SIGSYS);
	untraced();
#ifdef __x86_64__
	vsyscall();
#endif
	restarted();
	return ok();
}
