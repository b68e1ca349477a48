/* Job control: a stopped process stays stopped and says so to its parent, and
 * goes on with SIGCONT, by each of the stop signals. */
#include "prog.h"

static atomic_long *beats;

static void settle(pid_t p, int sig)
{
	int st;
	CHECK(kill(p, sig) == 0);
	CHECK(waitpid(p, &st, WUNTRACED) == p);
	CHECK(WIFSTOPPED(st) && WSTOPSIG(st) == sig);
	sleep_ms(20);
	long before = atomic_load(beats);
	sleep_ms(60);
	CHECK(atomic_load(beats) == before); /* it does not run on */
	CHECK(kill(p, SIGCONT) == 0);
	CHECK(waitpid(p, &st, WCONTINUED) == p);
	CHECK(WIFCONTINUED(st));
	for (int i = 0; atomic_load(beats) == before; i++) {
		CHECK(i < 500);
		sleep_ms(10);
	}
}

static void *beat(void *unused)
{
	for (;;) {
		atomic_fetch_add(beats, 1);
		usleep(500);
	}
	return unused;
}

int main(void)
{
	signal(SIGTSTP, SIG_DFL); /* whatever was inherited */
	signal(SIGTTIN, SIG_DFL);
	signal(SIGTTOU, SIG_DFL);
	beats = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(beats != MAP_FAILED);
	pid_t p = fork();
	if (p == 0) {
		setpgid(0, 0);
		pthread_t t;
		pthread_create(&t, NULL, beat, NULL);
		beat(NULL);
	}
	while (atomic_load(beats) < 10)
		sleep_ms(1);
	settle(p, SIGSTOP);
	signal(SIGTTOU, SIG_IGN);
	settle(p, SIGTSTP);
	settle(p, SIGTTIN);
	settle(p, SIGTTOU);
	settle(p, SIGSTOP);
	/* A stopped process can be killed. */
	int st;
	kill(p, SIGSTOP);
	CHECK(waitpid(p, &st, WUNTRACED) == p && WIFSTOPPED(st));
	kill(p, SIGKILL);
	CHECK(waitpid(p, &st, 0) == p && WIFSIGNALED(st) && WTERMSIG(st) == SIGKILL);
	return ok();
}
