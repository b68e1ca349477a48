/* Calls that never return: the process is killed in them, another thread
 * exits or executes a program. */
#include "prog.h"

static int fds[2];

static atomic_int blocking;

static void *block(void *unused)
{
	char c;
	atomic_store(&blocking, gettid());
	read(fds[0], &c, 1);
	return unused;
}

/* Waits until a thread sleeps in read of the pipe. */
static void blocked(pid_t tid)
{
	long nr;
	unsigned long fd;
	char path[64], state;
	FILE *f;
	do {
		sleep_ms(1);
		snprintf(path, sizeof path, "/proc/%d/syscall", tid);
		CHECK(f = fopen(path, "r"));
		if (fscanf(f, "%ld %lx", &nr, &fd) != 2)
			nr = -1;
		fclose(f);
		snprintf(path, sizeof path, "/proc/%d/stat", tid);
		CHECK(f = fopen(path, "r"));
		CHECK(fscanf(f, "%*d (%*[^)]) %c", &state) == 1);
		fclose(f);
	} while (nr != SYS_read || fd != fds[0] || state != 'S');
}

static void child(int how)
{
	pthread_t t;
	pthread_create(&t, NULL, block, NULL);
	while (!atomic_load(&blocking))
		sleep_ms(1);
	blocked(atomic_load(&blocking));
	if (how == 0)
		syscall(SYS_exit_group, 5);
	if (how == 1)
		execl("/bin/true", "true", NULL);
	block(NULL);
}

int main(void)
{
	int st;
	CHECK(pipe(fds) == 0);
	for (int how = 0; how < 3; how++) {
		pid_t p = fork();
		if (p == 0)
			child(how);
		if (how == 2) {
			blocked(p);
			kill(p, SIGKILL);
		}
		CHECK(waitpid(p, &st, 0) == p);
		CHECK(how == 2 ? WIFSIGNALED(st) : WIFEXITED(st) && WEXITSTATUS(st) == (how ? 0 : 5));
	}
	return ok();
}
