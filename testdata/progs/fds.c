/* Has as many descriptors as it may, prints its number and theirs, then makes a
 * mark and ends when SIGUSR1 comes. */
#include "prog.h"
#include <sys/resource.h>

int main(void)
{
	char name[201];
	sigset_t set;
	struct rlimit r;
	int sig, fd, n = 4;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	CHECK(getrlimit(RLIMIT_NOFILE, &r) == 0);
	r.rlim_cur = r.rlim_max < 20000 ? r.rlim_max : 20000;
	CHECK(setrlimit(RLIMIT_NOFILE, &r) == 0);
	memset(name, 'n', sizeof name - 1);
	name[sizeof name - 1] = 0;
	CHECK((fd = memfd_create(name, 0)) == 3);
	while (dup(fd) >= 0)
		n++;
	printf("%d\n%d\n", getpid(), n);
	fflush(stdout);
	CHECK(sigwait(&set, &sig) == 0);
	mark("end");
	return ok();
}
