/* Stops of every kind, few of each: system calls, a thread, fork, vfork,
 * execve, also by a thread, signals, a group-stop. Whoever is killed, the others come to an end. */
#include "prog.h"

static void on(int sig) { (void)sig; }

static void *thread(void *unused)
{
	getppid();
	return unused;
}

static void *execute(void *unused)
{
	execl("/bin/true", "true", NULL);
	_exit(1);
	return unused;
}

int main(void)
{
	pthread_t t;
	pid_t p, parent = getpid();
	signal(SIGUSR1, on);
	raise(SIGUSR1);
	if (pthread_create(&t, NULL, thread, NULL) == 0)
		pthread_join(t, NULL);
	if ((p = fork()) == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		raise(SIGSTOP);
		_exit(0);
	}
	waitpid(p, NULL, 0); /* somebody else lets it go on */
	if ((p = vfork()) == 0) {
		execl("/bin/true", "true", NULL);
		_exit(1);
	}
	waitpid(p, NULL, 0);
	if ((p = fork()) == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent || pthread_create(&t, NULL, execute, NULL) != 0)
			_exit(1);
		for (;;)
			pause();
	}
	waitpid(p, NULL, 0);
	return 0;
}
