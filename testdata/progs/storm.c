/* Two threads under a storm of timer signals: each counts those it is sent,
 * and no queued one may be lost or doubled. Ends at SIGUSR1. */
#include "prog.h"

static atomic_long sent, got;
static volatile sig_atomic_t over;

static void on(int sig, siginfo_t *si, void *ctx)
{
	if (sig == SIGUSR1)
		over = 1;
	else if (si->si_code == SI_QUEUE)
		atomic_fetch_add(&got, 1);
	(void)ctx;
}

static void *busy(void *unused)
{
	while (!over)
		access("/etc/passwd", F_OK);
	return unused;
}

int main(void)
{
	struct sigaction a = {.sa_sigaction = on, .sa_flags = SA_SIGINFO | SA_RESTART};
	sigaction(SIGALRM, &a, NULL);
	sigaction(SIGUSR1, &a, NULL);
	sigaction(SIGRTMIN + 1, &a, NULL);
	struct itimerval t = {{0, 300}, {0, 300}};
	CHECK(setitimer(ITIMER_REAL, &t, NULL) == 0);
	pthread_t th;
	pthread_create(&th, NULL, busy, NULL);
	printf("%d\n", getpid());
	fflush(stdout);
	while (!over) {
		if (sigqueue(getpid(), SIGRTMIN + 1, (union sigval){0}) == 0)
			atomic_fetch_add(&sent, 1);
		usleep(200);
	}
	memset(&t, 0, sizeof t);
	setitimer(ITIMER_REAL, &t, NULL);
	pthread_join(th, NULL);
	sleep_ms(20);
	if (atomic_load(&sent) != atomic_load(&got)) {
		printf("%ld signals sent, %ld arrived\n", atomic_load(&sent), atomic_load(&got));
		return 1;
	}
	return ok();
}
