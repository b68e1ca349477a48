/* A thread that is not the leader executes this program, again and again,
 * until SIGUSR1 comes. With "leaderless" the leader has ended before; with "crowd"
 * several threads do, and others are in their way. */
#include "prog.h"

static int leaderless, crowd;
static char *self;

static void *run(void *unused)
{
	execl(self, self, leaderless ? "leaderless" : crowd ? "crowd" : "again", "again", NULL);
	fail("execl");
	return unused;
}

static void *idle(void *unused)
{
	for (;;)
		pause();
	return unused;
}

int main(int argc, char **argv)
{
	sigset_t s;
	sigemptyset(&s);
	sigaddset(&s, SIGUSR1);
	sigprocmask(SIG_BLOCK, &s, NULL);
	self = argv[0];
	leaderless = argc > 1 && !strcmp(argv[1], "leaderless");
	crowd = argc > 1 && !strcmp(argv[1], "crowd");
	if (argc < 3) {
		puts("ready");
		fflush(stdout);
	}
	sigpending(&s);
	if (sigismember(&s, SIGUSR1))
		return ok();
	pthread_t t;
	for (int i = 0; crowd && i < 3; i++) {
		pthread_create(&t, NULL, idle, NULL);
		pthread_create(&t, NULL, run, NULL);
	}
	pthread_create(&t, NULL, run, NULL);
	if (leaderless)
		pthread_exit(NULL);
	idle(NULL);
}
