/* The leader ends before its threads: it is a zombie until they end too, and
 * its end is reported last. */
#include "prog.h"

static long ms = 100;

static void *go_on(void *unused)
{
	sleep_ms(ms);
	mark("alone");
	sleep_ms(ms);
	puts("ok");
	fflush(stdout);
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t t;
	if (argc > 1)
		ms = atol(argv[1]);
	pthread_create(&t, NULL, go_on, NULL);
	pthread_create(&t, NULL, go_on, NULL);
	pthread_exit(NULL);
}
