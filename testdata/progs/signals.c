/* Signals of many kinds arrive exactly once, in order, with their siginfo. */
#include "prog.h"
#include <ucontext.h>

static volatile int count[65];
static volatile siginfo_t last[65];
static volatile int order[64], n;

static void on(int sig, siginfo_t *si, void *ctx)
{
	count[sig]++;
	memcpy((void *)&last[sig], si, sizeof *si);
	if (si->si_code == SI_QUEUE && n < 64)
		order[n++] = si->si_value.sival_int;
	(void)ctx;
}

#include <setjmp.h>
static sigjmp_buf out;

static void on_fault(int sig, siginfo_t *si, void *ctx)
{
	count[sig]++;
	memcpy((void *)&last[sig], si, sizeof *si);
	siglongjmp(out, 1);
	(void)ctx;
}

int main(void)
{
	struct sigaction a = {.sa_sigaction = on, .sa_flags = SA_SIGINFO | SA_RESTART};
	for (int s = 1; s <= 64; s++)
		if (s != SIGKILL && s != SIGSTOP && s != 32 && s != 33 && s != SIGSEGV && s != SIGCONT)
			CHECK(sigaction(s, &a, NULL) == 0);

	/* to itself, every signal there is */
	for (int s = 1; s <= 64; s++)
		if (s != SIGKILL && s != SIGSTOP && s != 32 && s != 33 && s != SIGSEGV && s != SIGCONT) {
			CHECK(kill(getpid(), s) == 0);
			CHECK(count[s] == 1);
			CHECK(last[s].si_code == SI_USER && last[s].si_pid == getpid());
		}

	/* queued real-time signals keep their order and their values */
	sigset_t all, old;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	for (int i = 0; i < 20; i++)
		CHECK(sigqueue(getpid(), SIGRTMIN + 3, (union sigval){.sival_int = 1000 + i}) == 0);
	sigprocmask(SIG_SETMASK, &old, NULL);
	CHECK(n == 20);
	for (int i = 0; i < 20; i++)
		CHECK(order[i] == 1000 + i);

	/* a fault, with its address */
	a.sa_sigaction = on_fault;
	sigaction(SIGSEGV, &a, NULL);
	if (!sigsetjmp(out, 1))
		*(volatile int *)0x1230 = 1;
	CHECK(count[SIGSEGV] == 1);
	CHECK(last[SIGSEGV].si_code == SEGV_MAPERR && last[SIGSEGV].si_addr == (void *)0x1230);

	/* a child's end */
	int before = count[SIGCHLD];
	pid_t p = fork();
	if (p == 0)
		_exit(7);
	CHECK(waitpid(p, NULL, 0) == p);
	CHECK(count[SIGCHLD] == before + 1);
	CHECK(last[SIGCHLD].si_code == CLD_EXITED && last[SIGCHLD].si_status == 7 && last[SIGCHLD].si_pid == p);

	/* a timer */
	before = count[SIGALRM];
	struct itimerval t = {.it_value = {0, 20000}};
	setitimer(ITIMER_REAL, &t, NULL);
	while (count[SIGALRM] == before)
		usleep(1000);
	CHECK(count[SIGALRM] == before + 1 && last[SIGALRM].si_code == SI_KERNEL);

	/* ignored and blocked ones do not arrive */
	signal(SIGUSR1, SIG_IGN);
	before = count[SIGUSR1];
	kill(getpid(), SIGUSR1);
	CHECK(count[SIGUSR1] == before);
	return ok();
}
