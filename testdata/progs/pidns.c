/* Processes in a PID namespace of their own have other numbers inside than
 * outside, and use those in their calls. Needs root. */
#include "prog.h"
#include <linux/sched.h>
#include <poll.h>
#include <sys/ptrace.h>

static cpu_set_t cpus;
static atomic_int tid;

static pid_t fork_into(unsigned long flags)
{
	return syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
}

static void look(pid_t who)
{
	cpu_set_t s;
	CHECK(sched_getaffinity(who, sizeof s, &s) == 0);
	CHECK(CPU_EQUAL(&s, &cpus));
}

static void *thread(void *unused)
{
	mark("thread");
	atomic_store(&tid, syscall(SYS_gettid));
	look(syscall(SYS_gettid));
	look(1);
	while (atomic_load(&tid))
		usleep(1000);
	return unused;
}

static void inside(void)
{
	pthread_t t;
	int st;
	CHECK(getpid() == 1);
	mark("inside");
	look(0);
	look(1);
	CHECK(pthread_create(&t, NULL, thread, NULL) == 0);
	while (!atomic_load(&tid))
		usleep(1000);
	look(atomic_load(&tid));
	atomic_store(&tid, 0);
	pthread_join(t, NULL);

	/* a number that is asked for */
	pid_t want = 300;
	struct clone_args a = {.exit_signal = SIGCHLD, .set_tid = (uintptr_t)&want, .set_tid_size = 1};
	pid_t p = syscall(SYS_clone3, &a, sizeof a);
	if (p < 0 && errno == E2BIG) { /* Linux 5.5 and later */
		want = 0;
		p = fork();
	}
	if (p == 0) {
		mark("chosen");
		_exit(!want || getpid() == want ? 3 : 4);
	}
	CHECK(p > 0 && (!want || p == want));
	CHECK(waitpid(p, &st, 0) == p && WEXITSTATUS(st) == 3);

	/* a namespace in the namespace */
	p = fork_into(CLONE_NEWPID);
	if (p == 0) {
		mark("deeper");
		look(1);
		_exit(getpid() == 1 ? 5 : 6);
	}
	CHECK(p > 0 && waitpid(p, &st, 0) == p && WEXITSTATUS(st) == 5);

	/* a debugger in here traces by the numbers of in here */
	p = fork();
	if (p == 0)
		for (;;)
			usleep(1000);
	CHECK(ptrace(PTRACE_SEIZE, p, 0, 0) == 0);
	CHECK(ptrace(PTRACE_INTERRUPT, p, 0, 0) == 0);
	CHECK(waitpid(p, &st, 0) == p && WIFSTOPPED(st));
	CHECK(ptrace(PTRACE_DETACH, p, 0, 0) == 0);
	CHECK(kill(p, SIGKILL) == 0);
	CHECK(waitpid(p, &st, 0) == p && WIFSIGNALED(st));
	_exit(7);
}

int main(void)
{
	int st, pidfd = -1;
	CHECK(sched_getaffinity(0, sizeof cpus, &cpus) == 0);
	pid_t p = fork_into(CLONE_NEWPID);
	if (p < 0 && errno == EPERM) {
		puts("PID namespaces");
		return 77;
	}
	if (p == 0)
		inside();
	CHECK(p > 0 && waitpid(p, &st, 0) == p);
	CHECK(WIFEXITED(st) && WEXITSTATUS(st) == 7);

	/* a descriptor instead of a number */
	struct clone_args a = {.flags = CLONE_PIDFD, .pidfd = (uintptr_t)&pidfd, .exit_signal = SIGCHLD};
	p = syscall(SYS_clone3, &a, sizeof a);
	if (p == 0) {
		mark("pidfd");
		_exit(8);
	}
	CHECK(p > 0 && pidfd >= 0);
	struct pollfd f = {.fd = pidfd, .events = POLLIN};
	CHECK(poll(&f, 1, -1) == 1);
	siginfo_t si;
	CHECK(waitid(3 /* P_PIDFD */, pidfd, &si, WEXITED) == 0 && si.si_status == 8);
	return ok();
}
