/* Interrupted calls: restarted with SA_RESTART, EINTR without, resumed by
 * restart_syscall after a stop. */
#include "prog.h"

static volatile int hits;
static int fds[2];

static void on(int sig)
{
	hits++;
	mark("handler");
	(void)sig;
}

static void arm(int flags)
{
	struct sigaction a = {.sa_handler = on, .sa_flags = flags};
	CHECK(sigaction(SIGALRM, &a, NULL) == 0);
	struct itimerval t = {.it_value = {0, 50000}};
	CHECK(setitimer(ITIMER_REAL, &t, NULL) == 0);
}

int main(void)
{
	char c;
	CHECK(pipe(fds) == 0);
	pid_t writer = fork();
	if (writer == 0) {
		sleep_ms(150);
		CHECK(write(fds[1], "x", 1) == 1);
		_exit(0);
	}
	mark("restart");
	arm(SA_RESTART);
	CHECK(read(fds[0], &c, 1) == 1); /* interrupted, and made again */
	CHECK(hits == 1 && c == 'x');
	waitpid(writer, NULL, 0);

	mark("eintr");
	arm(0);
	CHECK(read(fds[0], &c, 1) == -1 && errno == EINTR);
	CHECK(hits == 2);

	mark("stop");
	pid_t self = getpid();
	pid_t stopper = fork();
	if (stopper == 0) {
		sleep_ms(50);
		kill(self, SIGSTOP);
		sleep_ms(50);
		kill(self, SIGCONT);
		_exit(0);
	}
	struct timespec t = {0, 200000000}, left = {7, 7};
	struct timespec from, to;
	clock_gettime(CLOCK_MONOTONIC, &from);
	CHECK(nanosleep(&t, &left) == 0); /* goes on as restart_syscall */
	clock_gettime(CLOCK_MONOTONIC, &to);
	CHECK((to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000 >= 199);
	waitpid(stopper, NULL, 0);
	mark("end");
	return ok();
}
