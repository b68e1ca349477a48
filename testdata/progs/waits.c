/* Every way a child's state changes, as each of the calls that wait is told. */
#include "prog.h"
#include <sys/resource.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static void report(pid_t p, int status)
{
	siginfo_t si;
	struct rusage u;
	int st;

	/* left as it is, then taken */
	memset(&si, 0, sizeof si);
	syscall(SYS_waitid, P_PID, p, &si, WEXITED | WSTOPPED | WCONTINUED | WNOWAIT, NULL);
	CHECK(si.si_pid == p);
	syscall(SYS_waitid, P_ALL, 0, &si, WEXITED | WSTOPPED | WCONTINUED | WNOWAIT, &u);
	int fd = syscall(SYS_pidfd_open, p, 0);
	if (fd >= 0) {
		syscall(SYS_waitid, P_PIDFD, fd, &si, WEXITED | WSTOPPED | WCONTINUED | WNOWAIT, NULL);
		close(fd);
	}
	syscall(SYS_waitid, P_PGID, getpgrp(), NULL, WEXITED | WSTOPPED | WCONTINUED | WNOWAIT, NULL);
	CHECK(wait4(p, &st, WUNTRACED | WCONTINUED, &u) == p);
	CHECK(status == -1 || st == status);
}

static pid_t start(void)
{
	pid_t p = fork();
	CHECK(p >= 0);
	return p;
}

static void end(pid_t p)
{
	signal_asleep(p, SIGKILL);
	CHECK(waitpid(p, NULL, 0) == p);
}

int main(void)
{
	siginfo_t si;
	struct rusage u;
	int st;
	pid_t p;
	struct rlimit core = {0, 0};

	hold_sigchld();
	static const int codes[] = {0, 1, 7, 127, 128, 255};
	for (int i = 0; i < 6; i++) {
		if ((p = start()) == 0)
			_exit(codes[i]);
		report(p, codes[i] << 8);
	}
	static const int signals[] = {SIGHUP, SIGKILL, SIGTERM, SIGPIPE, SIGALRM, SIGUSR1, 34, 64};
	for (int i = 0; i < 8; i++) {
		if ((p = start()) == 0)
			for (;;)
				pause();
		signal_asleep(p, signals[i]);
		report(p, signals[i]);
	}
	static const int cores[] = {SIGQUIT, SIGABRT, SIGSEGV, SIGXCPU};
	for (int i = 0; i < 4; i++) {
		if ((p = start()) == 0) {
			chdir("/nonexistent");
			setrlimit(RLIMIT_CORE, &core);
			for (;;)
				pause();
		}
		signal_asleep(p, cores[i]);
		report(p, -1);
	}
	if ((p = start()) == 0)
		for (;;)
			pause();
	signal_asleep(p, SIGSTOP);
	report(p, 0x7f | SIGSTOP << 8);
	kill(p, SIGCONT);
	report(p, 0xffff);
	end(p);
	/* nothing to tell */
	if ((p = start()) == 0)
		for (;;)
			pause();
	memset(&si, -1, sizeof si);
	CHECK(syscall(SYS_waitid, P_PID, p, &si, WEXITED | WNOHANG, &u) == 0);
	CHECK(syscall(SYS_waitid, P_PID, p, NULL, WEXITED | WNOHANG, NULL) == 0);
	CHECK(wait4(p, &st, WNOHANG, &u) == 0);
	CHECK(wait4(-1, NULL, WNOHANG, NULL) == 0);
	CHECK(wait4(0, &st, WNOHANG | __WNOTHREAD, NULL) == 0);
	CHECK(wait4(-getpgrp(), &st, WNOHANG | __WALL, &u) == 0);
	CHECK(wait4(p, &st, WNOHANG | __WCLONE, &u) == -1);
	CHECK(syscall(SYS_waitid, P_PID, p, &si, 0, NULL) == -1);
	CHECK(syscall(SYS_waitid, 9, p, &si, WEXITED, NULL) == -1);
	end(p);
	CHECK(wait4(-1, &st, 0, &u) == -1 && errno == ECHILD);
	CHECK(syscall(SYS_waitid, P_ALL, 0, &si, WEXITED, &u) == -1);
	for (int who = -2; who < 3; who++)
		syscall(SYS_getrusage, who, &u);
	return ok();
}
