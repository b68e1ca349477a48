/* Something to attach to: threads that block in calls of several kinds, and go
 * on when SIGUSR1 comes. Prints its PID when it is ready, "ok" at its end. */
#include "prog.h"
#include <linux/futex.h>
#include <poll.h>
#include <sys/epoll.h>

static int fds[2];
static int word;

static void *in_read(void *unused)
{
	char c;
	CHECK(read(fds[0], &c, 1) == 1 && c == 'g');
	return unused;
}

static void *in_futex(void *unused)
{
	while (__atomic_load_n(&word, __ATOMIC_SEQ_CST) == 0)
		syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0);
	return unused;
}

static void *in_nanosleep(void *unused)
{
	while (__atomic_load_n(&word, __ATOMIC_SEQ_CST) == 0) {
		struct timespec t = {1000, 0};
		CHECK(nanosleep(&t, NULL) == 0 || errno == EINTR);
	}
	return unused;
}

static void *in_poll(void *unused)
{
	struct pollfd p = {.fd = fds[0], .events = POLLIN};
	while (__atomic_load_n(&word, __ATOMIC_SEQ_CST) == 0)
		poll(&p, 1, 1000000);
	return unused;
}

static void *in_epoll(void *unused)
{
	struct epoll_event e;
	int ep = epoll_create1(0);
	while (__atomic_load_n(&word, __ATOMIC_SEQ_CST) == 0)
		epoll_wait(ep, &e, 1, -1);
	return unused;
}

static void none(int sig) { (void)sig; }

int main(void)
{
	void *(*bodies[])(void *) = {in_read, in_futex, in_nanosleep, in_poll, in_epoll};
	pthread_t t[5];
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGUSR2, none);
	CHECK(pipe(fds) == 0);
	for (int i = 0; i < 5; i++)
		pthread_create(&t[i], NULL, bodies[i], NULL);
	pthread_setname_np(t[1], "waits at futex");
	sleep_ms(50);
	printf("%d\n", getpid());
	fflush(stdout);
	int sig;
	CHECK(sigwait(&set, &sig) == 0);
	__atomic_store_n(&word, 1, __ATOMIC_SEQ_CST);
	CHECK(write(fds[1], "g", 1) == 1);
	syscall(SYS_futex, &word, FUTEX_WAKE, 100, NULL, NULL, 0);
	for (int i = 0; i < 5; i++) {
		if (i >= 2)
			pthread_kill(t[i], SIGUSR2);
		pthread_join(t[i], NULL);
	}
	return ok();
}
