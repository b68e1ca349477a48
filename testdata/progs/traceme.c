/* A debugger in small: the child asks to be traced, the parent follows it. */
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
	return ok();
}
