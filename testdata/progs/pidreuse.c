/* Two processes after each other with the same PID. Needs root, for
 * /proc/sys/kernel/ns_last_pid. */
#include "prog.h"

int main(void)
{
	for (int attempt = 0; attempt < 200; attempt++) {
		pid_t first = fork();
		if (first == 0)
			_exit(1);
		CHECK(waitpid(first, NULL, 0) == first);
		int fd = open("/proc/sys/kernel/ns_last_pid", O_WRONLY);
		CHECK(fd >= 0);
		CHECK(dprintf(fd, "%d", first - 1) > 0);
		close(fd);
		pid_t second = fork();
		if (second == 0)
			_exit(2);
		int st;
		CHECK(waitpid(second, &st, 0) == second);
		CHECK(WEXITSTATUS(st) == 2);
		if (first == second) {
			printf("%d\n", first);
			return ok();
		}
	}
	printf("no PID was reused\n");
	return 77;
}
