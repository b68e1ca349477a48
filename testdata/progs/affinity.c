/* The CPUs that a process may use are its own affair. */
#include "prog.h"

static cpu_set_t want;

static void *look(void *unused)
{
	cpu_set_t s;
	for (int i = 0; i < 50; i++) {
		getppid();
		CHECK(sched_getaffinity(0, sizeof s, &s) == 0);
		CHECK(CPU_EQUAL(&s, &want));
	}
	return unused;
}

int main(void)
{
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		return 77;
	pthread_t t;
	CHECK(sched_getaffinity(0, sizeof want, &want) == 0);
	if (CPU_COUNT(&want) < 2)
		return 77;
	look(NULL);
	CHECK(CPU_COUNT(&want) == sysconf(_SC_NPROCESSORS_ONLN));
	pthread_create(&t, NULL, look, NULL);
	pthread_join(t, NULL);
	pid_t p = fork();
	if (p == 0) {
		look(NULL);
		_exit(0);
	}
	int st;
	CHECK(waitpid(p, &st, 0) == p && st == 0);

	/* a change is obeyed, and inherited */
	cpu_set_t all = want;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &all)) {
			CPU_ZERO(&want);
			CPU_SET(cpu, &want);
			CHECK(sched_setaffinity(0, sizeof want, &want) == 0);
			look(NULL);
			CHECK(sched_getcpu() == cpu);
			pthread_create(&t, NULL, look, NULL);
			pthread_join(t, NULL);
		}
	want = all;
	CHECK(sched_setaffinity(0, sizeof want, &want) == 0);
	look(NULL);
	return ok();
}
