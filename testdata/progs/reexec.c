/* A thread that is not the leader executes this program, again and again,
 * until SIGUSR1 comes. With an argument the leader has ended before. */
#include "prog.h"

static int leaderless;
static char *self;

static void *run(void *unused)
{
	execl(self, self, leaderless ? "leaderless" : "again", "again", NULL);
	fail("execl");
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
	if (argc < 3) {
		puts("ready");
		fflush(stdout);
	}
	sigpending(&s);
	if (sigismember(&s, SIGUSR1))
		return ok();
	pthread_t t;
	pthread_create(&t, NULL, run, NULL);
	if (leaderless)
		pthread_exit(NULL);
	for (;;)
		pause();
}
