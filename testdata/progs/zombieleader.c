/* The leader ends before its threads: it is a zombie until they end too, and
 * its end is reported last. With an argument the threads wait until they are
 * traced. */
#include "prog.h"

static int late;

static long tracer(void)
{
	char line[256];
	long pid = 0;
	FILE *f = fopen("/proc/thread-self/status", "r");
	CHECK(f != NULL);
	while (fgets(line, sizeof line, f))
		sscanf(line, "TracerPid: %ld", &pid);
	fclose(f);
	return pid;
}

static void *go_on(void *unused)
{
	int marks = late ? 50 : 1; /* the tracer has to stop it first */
	do
		sleep_ms(late ? 10 : 100);
	while (late && !tracer());
	while (marks--) {
		mark("alone");
		sleep_ms(20);
	}
	puts("ok");
	fflush(stdout);
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t t;
	late = argc > 1;
	pthread_create(&t, NULL, go_on, NULL);
	pthread_create(&t, NULL, go_on, NULL);
	pthread_exit(NULL);
}
