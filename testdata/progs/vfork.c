/* The parent of a vfork is in uninterruptible sleep until the child executes a
 * program or exits. */
#include "prog.h"

int main(int argc, char **argv)
{
	long ms = argc > 1 ? atol(argv[1]) : 100;
	for (int i = 0; i < 3; i++) {
		mark("vfork");
		pid_t p = vfork();
		if (p == 0) {
			sleep_ms(ms);
			if (i % 2)
				_exit(3);
			execl("/bin/true", "true", NULL);
			_exit(4);
		}
		int st;
		CHECK(waitpid(p, &st, 0) == p);
		CHECK(WIFEXITED(st) && WEXITSTATUS(st) == (i % 2 ? 3 : 0));
	}
	return ok();
}
