/* A debugger in small: one child asks to be traced, another is seized while it
 * runs. */
#include "prog.h"
#include <sys/ptrace.h>

int main(void)
{
	pid_t p = fork();
	if (p == 0) {
		CHECK(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0);
		raise(SIGSTOP);
		execl("/bin/true", "true", NULL);
		_exit(9);
	}
	int st, stops = 0;
	CHECK(waitpid(p, &st, 0) == p);
	CHECK(WIFSTOPPED(st) && WSTOPSIG(st) == SIGSTOP);
	CHECK(ptrace(PTRACE_SYSCALL, p, 0, 0) == 0);
	while (waitpid(p, &st, 0) == p && WIFSTOPPED(st)) {
		stops++;
		ptrace(PTRACE_SYSCALL, p, 0, 0);
	}
	CHECK(WIFEXITED(st) && WEXITSTATUS(st) == 0);
	CHECK(stops > 10);

	p = fork();
	if (p == 0)
		for (;;)
			usleep(1000);
	usleep(20000);
	CHECK(ptrace(PTRACE_SEIZE, p, 0, 0) == 0);
	CHECK(ptrace(PTRACE_INTERRUPT, p, 0, 0) == 0);
	CHECK(waitpid(p, &st, 0) == p && WIFSTOPPED(st));
	CHECK(ptrace(PTRACE_DETACH, p, 0, 0) == 0);
	kill(p, SIGTERM);
	CHECK(waitpid(p, &st, 0) == p && WIFSIGNALED(st) && WTERMSIG(st) == SIGTERM);
	return ok();
}
