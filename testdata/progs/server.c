/* Something to attach to: threads that block in calls of several kinds, and go
 * on when SIGUSR1 comes. Prints its PID when it is ready, "ok" at its end. */
#include "prog.h"
#include <dirent.h>
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

/* Whether a thread is in one of the calls above. */
static int blocked(const char *tid)
{
	static const long calls[] = {SYS_read, SYS_futex, SYS_nanosleep, SYS_clock_nanosleep, SYS_ppoll, SYS_epoll_pwait,
#ifdef SYS_poll
		SYS_poll, SYS_epoll_wait,
#endif
	};
	char path[300];
	long nr = -1;
	snprintf(path, sizeof path, "/proc/self/task/%s/syscall", tid);
	FILE *f = fopen(path, "r");
	CHECK(f != NULL);
	if (fscanf(f, "%ld", &nr) != 1) /* "running" */
		nr = -1;
	fclose(f);
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		if (nr == calls[i])
			return 1;
	return 0;
}

static void await_blocked(void)
{
	for (int n = 0; n < 5; sleep_ms(1)) {
		struct dirent *e;
		DIR *d = opendir("/proc/self/task");
		CHECK(d != NULL);
		n = 0;
		while ((e = readdir(d)))
			if (e->d_name[0] != '.' && atoi(e->d_name) != getpid())
				n += blocked(e->d_name);
		closedir(d);
	}
}

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
	await_blocked();
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
