/* Children are killed by SIGKILL at any moment of a busy life: in user mode,
 * at a stop, between enter and exit. Each must be reaped as killed. */
#include "prog.h"

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 200;
	srand(1);
	for (int i = 0; i < rounds; i++) {
		pid_t p = fork();
		CHECK(p >= 0);
		if (p == 0)
			for (;;) {
				getppid();
				access("/etc/passwd", F_OK);
			}
		struct timespec t = {0, rand() % 2000000};
		nanosleep(&t, NULL);
		CHECK(kill(p, SIGKILL) == 0);
		int st;
		CHECK(waitpid(p, &st, 0) == p);
		CHECK(WIFSIGNALED(st) && WTERMSIG(st) == SIGKILL);
	}
	return ok();
}
