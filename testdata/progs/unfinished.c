/* Calls that never return: the process is killed in them, another thread
 * exits or executes a program. */
#include "prog.h"

static int fds[2];

static void *block(void *unused)
{
	char c;
	read(fds[0], &c, 1);
	return unused;
}

static void child(int how)
{
	pthread_t t;
	pthread_create(&t, NULL, block, NULL);
	sleep_ms(50);
	if (how == 0)
		syscall(SYS_exit_group, 5);
	if (how == 1)
		execl("/bin/true", "true", NULL);
	block(NULL);
}

int main(void)
{
	int st;
	CHECK(pipe(fds) == 0);
	for (int how = 0; how < 3; how++) {
		pid_t p = fork();
		if (p == 0)
			child(how);
		sleep_ms(120);
		if (how == 2)
			kill(p, SIGKILL);
		CHECK(waitpid(p, &st, 0) == p);
		CHECK(how == 2 ? WIFSIGNALED(st) : WIFEXITED(st) && WEXITSTATUS(st) == (how ? 0 : 5));
	}
	return ok();
}
