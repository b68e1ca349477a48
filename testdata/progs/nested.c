// Calls that take and give the IDs of processes, of a process group and of a
// session, in a PID namespace of its own. It needs CAP_SYS_ADMIN.
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void child(void)
{
	setpgid(0, 0);
	raise(SIGSTOP);
	setsid(); // fails: it leads a group
	prctl(PR_SET_NAME, "renamed");
	raise(SIGSTOP);
	_exit(3);
}

static void signals(pid_t pid)
{
	kill(pid, 0);
	kill(-pid, 0);
	kill(0, 0);
	kill(77, 0); // there is none
	syscall(SYS_tgkill, pid, pid, 0);
	syscall(SYS_tkill, pid, 0);
}

static void owners(pid_t pid)
{
	int fds[2];
	pipe(fds);
	fcntl(fds[0], F_SETOWN, pid);
	fcntl(fds[0], F_SETOWN, -pid);
	syscall(SYS_fcntl, fds[0], F_GETOWN);
	for (int type = 0; type < 4; type++) {
		struct f_owner_ex owner = {type, pid};
		fcntl(fds[0], F_SETOWN_EX, &owner);
		fcntl(fds[0], F_GETOWN_EX, &owner);
	}
	close(fds[0]);
	close(fds[1]);
}

static void attributes(pid_t pid)
{
	getpgid(pid);
	getsid(pid);
	getsid(0);
	getpgrp();
	setpgid(pid, pid);
	for (int which = 0; which < 4; which++) {
		getpriority(which, pid);
		setpriority(which, pid, 0);
	}
	for (int who = 0; who < 4; who++) {
		syscall(SYS_ioprio_get, who, pid);
		syscall(SYS_ioprio_set, who, pid, 0);
	}
	sched_getscheduler(pid);
	struct rlimit limit;
	prlimit(pid, RLIMIT_CORE, NULL, &limit);
	syscall(SYS_process_vm_readv, pid, NULL, 0, NULL, 0, 0);
	syscall(SYS_migrate_pages, pid, 0, NULL, NULL);
	syscall(SYS_perf_event_open, NULL, pid, -1, -1, 0);
	close(syscall(SYS_pidfd_open, pid, 0));
	struct ucred cred;
	socklen_t size = sizeof(cred);
	int pair[2];
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, &cred, &size);
	close(pair[0]);
	close(pair[1]);
}

static int inside(void)
{
	sigset_t chld;
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	syscall(SYS_getpid);
	getppid();
	syscall(SYS_gettid);
	pid_t pid = fork();
	if (pid == 0)
		child();
	int status;
	siginfo_t info;
	waitpid(pid, &status, WUNTRACED);
	sigwaitinfo(&chld, &info);
	signals(pid);
	owners(pid);
	attributes(pid);
	kill(pid, SIGCONT);
	waitid(P_PGID, pid, &info, WSTOPPED);
	while (sigtimedwait(&chld, &info, &(struct timespec){0}) > 0)
		;
	kill(pid, SIGCONT);
	waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
	kill(pid, 0); // a zombie is there
	waitid(P_PID, pid, &info, WEXITED);
	kill(pid, 0);
	kill(-pid, 0);
	return 0;
}

int main(void)
{
	if (unshare(CLONE_NEWPID) != 0)
		return 77;
	pid_t pid = fork();
	if (pid == 0)
		_exit(inside());
	int status;
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}
