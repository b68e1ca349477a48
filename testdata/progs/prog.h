/* Common to the programs here: each checks by itself that what it does works
 * as it should, prints "ok" and exits 0, or says what went wrong and exits 1.
 * The tests of record/ run them under the recorder and look at the trace. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static inline void fail(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf(": %s\n", strerror(errno));
	fflush(stdout);
	_exit(1);
}

#define CHECK(what) ((what) ? (void)0 : fail("line %d: " #what, __LINE__))

static inline int ok(void)
{
	puts("ok");
	fflush(stdout);
	return 0;
}

static inline void sleep_ms(long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};
	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}

/* A call that leaves a mark in the trace: access() of a path that is not there. */
static inline void mark(const char *name)
{
	char path[200];
	snprintf(path, sizeof path, "/mark/%s", name);
	access(path, F_OK);
}

/* Sends a signal to a process when that sleeps in a call. A process that no
 * recorder follows does it, so that nobody's calls depend on when that is. */
static inline void signal_asleep(pid_t p, int sig)
{
	pid_t k = syscall(SYS_clone, CLONE_UNTRACED | CLONE_VFORK, 0L, 0L, 0L, 0L);
	if (k == 0) {
		char path[40], line[200], *s;
		snprintf(path, sizeof path, "/proc/%d/stat", p);
		for (;; sleep_ms(1)) {
			int fd = open(path, O_RDONLY);
			ssize_t n = read(fd, line, sizeof line - 1);
			close(fd);
			line[n > 0 ? n : 0] = 0;
			if ((s = strrchr(line, ')')) && s[1] == ' ' && s[2] == 'S')
				break;
		}
		_exit(kill(p, sig) != 0);
	}
	int st;
	CHECK(k > 0 && waitpid(k, &st, __WALL) == k && st == 0);
}

/* Has SIGCHLD wait: it comes when it likes. */
static inline void hold_sigchld(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/* How /proc/self/status describes the process: the value of a field. */
static inline long status_field(const char *name)
{
	char line[256];
	long v = -1;
	FILE *f = fopen("/proc/self/status", "r");
	while (f && fgets(line, sizeof line, f))
		if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ':')
			v = strtol(line + strlen(name) + 1, NULL, 0);
	if (f)
		fclose(f);
	return v;
}
