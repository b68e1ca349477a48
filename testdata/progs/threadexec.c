/* A thread that is not the leader executes a program, while the leader and
 * other threads are in the middle of calls. */
#include "prog.h"

static char *self;

static void *wait_forever(void *unused)
{
	pause();
	return unused;
}

static void *run(void *arg)
{
	sleep_ms(50);
	if (arg)
		execl("/no-such-file", "no-such-file", NULL);
	execl(self, self, "again", arg ? "1" : "0", NULL);
	fail("execl");
	return arg;
}

int main(int argc, char **argv)
{
	static int generation;
	if (argc > 1 && !strcmp(argv[1], "again")) {
		CHECK(getpid() == syscall(SYS_gettid)); /* the thread has become the leader */
		mark("again");
		if (argc > 2 && !strcmp(argv[2], "1"))
			return ok();
	}
	self = "/proc/self/exe";
	pthread_t t;
	pthread_create(&t, NULL, wait_forever, NULL);
	pthread_create(&t, NULL, run, argc > 1 ? "x" : NULL);
	(void)generation;
	for (;;)
		pause();
}
