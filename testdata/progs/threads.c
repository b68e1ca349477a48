/* Threads that keep starting and ending. Ends when SIGUSR1 comes, after as
 * many marks as it says: each by a thread of its own. */
#include "prog.h"

static atomic_int stop, marks, live;

static void *one(void *arg)
{
	if (atomic_load(&stop)) {
		mark("last");
		atomic_fetch_add(&marks, 1);
	}
	getppid();
	atomic_fetch_sub(&live, 1);
	return arg;
}

static void *starter(void *unused)
{
	for (int last = 0; last < 50;) {
		pthread_t t;
		if (atomic_load(&stop))
			last++;
		while (atomic_load(&live) > 60)
			sched_yield();
		atomic_fetch_add(&live, 1);
		CHECK(pthread_create(&t, NULL, one, NULL) == 0);
		pthread_detach(t);
	}
	return unused;
}

/* Each thread starts the next and ends: who looks for them late finds none. */
static void *relay(void *unused)
{
	pthread_t t;
	if (atomic_load(&stop)) {
		mark("last");
		atomic_fetch_add(&marks, 1);
		atomic_fetch_sub(&live, 1);
		return unused;
	}
	getppid();
	CHECK(pthread_create(&t, NULL, relay, NULL) == 0);
	pthread_detach(t);
	return unused;
}

int main(void)
{
	sigset_t set;
	pthread_t t[4];
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	for (int i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, starter, NULL);
	for (int i = 0; i < 30; i++) {
		atomic_fetch_add(&live, 1);
		pthread_create(&t[3], NULL, relay, NULL);
	}
	printf("%d\n", getpid());
	fflush(stdout);
	int sig;
	CHECK(sigwait(&set, &sig) == 0);
	atomic_store(&stop, 1);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	while (atomic_load(&live) > 0)
		sched_yield();
	printf("%d\n", atomic_load(&marks));
	return ok();
}
