/* Processes that fork at once, several at a time, N in all. */
#include "prog.h"

static atomic_int *left;

static void breed(int depth)
{
	for (int i = 0; i < 3; i++) {
		if (atomic_fetch_sub(left, 1) <= 0)
			break;
		pid_t p = fork();
		CHECK(p >= 0);
		if (p == 0) {
			getppid();
			breed(depth + 1);
			_exit(depth % 100);
		}
	}
	int st;
	while (wait(&st) > 0)
		CHECK(WIFEXITED(st) && WEXITSTATUS(st) == depth % 100);
}

int main(int argc, char **argv)
{
	left = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(left != MAP_FAILED);
	atomic_store(left, argc > 1 ? atoi(argv[1]) : 100);
	breed(0);
	while (atomic_load(left) > 0)
		breed(0);
	return ok();
}
