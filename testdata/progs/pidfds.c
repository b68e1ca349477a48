/* Descriptors of processes, made in each way there is, before their processes have
 * been waited for and after it. */
#include "prog.h"
#include <linux/sched.h>

static void looked_at(int fd)
{
	CHECK(fcntl(fd, F_GETFD) >= 0);
	CHECK(close(dup(fd)) == 0);
}

static void waited_for(int fd, pid_t p)
{
	looked_at(fd);
	CHECK(waitpid(p, NULL, 0) == p);
	looked_at(fd);
	CHECK(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0) == -1 && errno == ESRCH);
	CHECK(close(fd) == 0);
}

int main(void)
{
	int fd = -1;
	struct clone_args args = {.flags = CLONE_PIDFD, .pidfd = (uintptr_t)&fd, .exit_signal = SIGCHLD};
	pid_t p = syscall(SYS_clone3, &args, sizeof args);

	if (p == 0)
		_exit(1);
	CHECK(p > 0 && fd >= 0);
	waited_for(fd, p);
	p = syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, &fd, NULL, NULL);
	if (p == 0)
		_exit(2);
	CHECK(p > 0);
	waited_for(fd, p);
	p = fork();
	if (p == 0)
		_exit(3);
	fd = syscall(SYS_pidfd_open, p, 0);
	CHECK(fd >= 0);
	waited_for(fd, p);
	return ok();
}
