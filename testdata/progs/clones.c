/* clone with unusual flags. */
#include "prog.h"
#include <linux/sched.h>

static char stack[8][65536] __attribute__((aligned(16)));
static volatile int ran[8];

static int child(void *arg)
{
	int i = (int)(long)arg;
	ran[i] = 1;
	mark("child");
	return i;
}

#define CLONE(i, flags) clone(child, stack[i] + sizeof stack[i], (flags), (void *)(long)(i))

int main(void)
{
	int st;
	pid_t p;
	/* without an exit signal, sharing memory */
	CHECK((p = CLONE(1, CLONE_VM)) > 0);
	CHECK(waitpid(p, &st, __WALL) == p && WEXITSTATUS(st) == 1 && ran[1]);
	/* with another exit signal */
	signal(SIGUSR2, SIG_IGN);
	CHECK((p = CLONE(2, CLONE_VM | CLONE_FS | CLONE_FILES | SIGUSR2)) > 0);
	CHECK(waitpid(p, &st, __WALL) == p && WEXITSTATUS(st) == 2 && ran[2]);
	/* CLONE_VFORK by hand */
	CHECK((p = CLONE(3, CLONE_VM | CLONE_VFORK | SIGCHLD)) > 0);
	CHECK(waitpid(p, &st, __WALL) == p && WEXITSTATUS(st) == 3 && ran[3]);
	/* a sibling: the child of our parent; nobody here can wait for it */
	pid_t middle = fork();
	if (middle == 0) {
		CHECK((p = CLONE(4, CLONE_PARENT | SIGCHLD)) > 0);
		_exit(0);
	}
	int status[2];
	for (int i = 0; i < 2; i++)
		CHECK(wait(&status[i]) > 0);
	CHECK(WEXITSTATUS(status[0]) + WEXITSTATUS(status[1]) == 4);
	/* clone3 */
	struct clone_args a = {.exit_signal = SIGCHLD};
	p = syscall(SYS_clone3, &a, sizeof a);
	if (p == 0)
		_exit(6);
	CHECK(p > 0 && waitpid(p, &st, 0) == p && WEXITSTATUS(st) == 6);
	/* one that must not be traced */
	CHECK((p = CLONE(5, CLONE_VM | CLONE_UNTRACED | SIGCHLD)) > 0);
	CHECK(waitpid(p, &st, __WALL) == p && WEXITSTATUS(st) == 5 && ran[5]);
	return ok();
}
