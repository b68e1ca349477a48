/* Interrupted calls: restarted with SA_RESTART, EINTR without, resumed by
 * restart_syscall after a stop. Nothing here is a matter of time: a signal is
 * sent when the process is seen to sleep. */
#include "prog.h"
#include <linux/futex.h>

static struct {
	atomic_int phase, hits, word;
} *shared;
static pid_t self;

static void on(int sig)
{
	mark("handler");
	shared->hits++;
	(void)sig;
}

/* Waits until the process has one of these states, as /proc shows them. */
static void await_state(const char *states)
{
	char path[40], line[200], *p;
	snprintf(path, sizeof path, "/proc/%d/stat", self);
	for (;; sleep_ms(1)) {
		FILE *f = fopen(path, "r");
		CHECK(f && fgets(line, sizeof line, f));
		fclose(f);
		if ((p = strrchr(line, ')')) && p[1] == ' ' && p[2] && strchr(states, p[2]))
			return;
	}
}

/* Waits until the process sleeps in the call that follows a phase's beginning. */
static void await_phase(int n)
{
	while (shared->phase < n)
		sleep_ms(1);
	await_state("S");
}

static void handle(int flags)
{
	struct sigaction a = {.sa_handler = on, .sa_flags = flags};
	CHECK(sigaction(SIGALRM, &a, NULL) == 0);
}

int main(void)
{
	char c;
	int fds[2], st;
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(shared != MAP_FAILED && pipe(fds) == 0);
	self = getpid();
	pid_t other = fork();
	if (other == 0) {
		await_phase(1);
		CHECK(kill(self, SIGALRM) == 0);
		while (shared->hits < 1)
			sleep_ms(1);
		await_state("S");
		CHECK(write(fds[1], "x", 1) == 1);

		await_phase(2);
		CHECK(kill(self, SIGALRM) == 0);

		for (int phase = 3; phase <= 4; phase++) {
			await_phase(phase);
			CHECK(kill(self, SIGSTOP) == 0);
			await_state("Tt");
			CHECK(kill(self, SIGCONT) == 0);
			await_state("S");
			if (phase == 3) {
				CHECK(kill(self, SIGALRM) == 0);
			} else {
				shared->word = 1;
				CHECK(syscall(SYS_futex, &shared->word, FUTEX_WAKE, 1, NULL, NULL, 0) == 1);
			}
		}
		_exit(0);
	}

	mark("restart");
	handle(SA_RESTART);
	shared->phase = 1;
	CHECK(read(fds[0], &c, 1) == 1); /* interrupted, and made again */
	CHECK(shared->hits == 1 && c == 'x');

	mark("eintr");
	handle(0);
	shared->phase = 2;
	CHECK(read(fds[0], &c, 1) == -1 && errno == EINTR);
	CHECK(shared->hits == 2);

	mark("stop");
	struct timespec t = {3600, 0}, left = {7, 7};
	shared->phase = 3;
	CHECK(nanosleep(&t, &left) == -1 && errno == EINTR); /* goes on as restart_syscall after the stop */
	CHECK(shared->hits == 3 && left.tv_sec <= 3600);

	mark("wake");
	shared->phase = 4;
	CHECK(syscall(SYS_futex, &shared->word, FUTEX_WAIT, 0, &t, NULL, 0) == 0);
	CHECK(shared->word == 1);
	mark("end");
	CHECK(waitpid(other, &st, 0) == other && st == 0);
	return ok();
}
