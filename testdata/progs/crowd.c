/* Many processes with many threads, most of them at rest: crowd PROCESSES
 * THREADS. Ends when its standard input does. */
#include "prog.h"

static void *rest(void *unused)
{
	for (;;)
		sleep_ms(50 + random() % 1000);
	return unused;
}

int main(int argc, char **argv)
{
	CHECK(argc > 2);
	int processes = atoi(argv[1]), threads = atoi(argv[2]);
	pthread_attr_t small;
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 65536);
	int ready[2];
	char c;
	CHECK(pipe(ready) == 0);
	for (int i = 0; i < processes; i++) {
		pid_t p = fork();
		CHECK(p >= 0);
		if (p > 0)
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (int n = 1; n < threads; n++) {
			pthread_t t;
			CHECK(pthread_create(&t, &small, rest, NULL) == 0);
		}
		write(ready[1], "r", 1);
		rest(NULL);
	}
	for (int i = 0; i < processes; i++)
		CHECK(read(ready[0], &c, 1) == 1);
	printf("%d\n", getpid());
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	return ok();
}
