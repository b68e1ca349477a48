// Calls that enter namespaces. It prints the last UTS and network namespaces that it
// has made, and needs CAP_SYS_ADMIN.
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void print(const char *path)
{
	char name[64];
	ssize_t n = readlink(path, name, sizeof(name));
	printf("%.*s\n", (int)n, name);
}

static int fds[2];

// A child lives until its parent has returned from the call that made it.
static void made(pid_t pid)
{
	char c;
	if (pid == 0) {
		read(fds[0], &c, 1);
		_exit(0);
	}
	write(fds[1], "x", 1);
	waitpid(pid, NULL, 0);
}

int main(void)
{
	int uts = open("/proc/self/ns/uts", O_RDONLY), net = open("/proc/self/ns/net", O_RDONLY);
	pipe(fds);
	if (unshare(CLONE_NEWUTS | CLONE_FS) != 0)
		return 77;
	print("/proc/self/ns/uts");
	unshare(CLONE_FILES);
	unshare(CLONE_NEWCGROUP | CLONE_NEWNET);
	print("/proc/self/ns/net");
	unshare(1 << 20); // fails
	setns(uts, 0);
	setns(net, CLONE_NEWNET);
	setns(uts, CLONE_NEWNET); // fails
	made(syscall(SYS_clone, CLONE_NEWUTS | CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0));
	made(fork());
	struct { uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, rest[6]; } args = {CLONE_NEWIPC, 0, 0, 0, SIGCHLD};
	made(syscall(SYS_clone3, &args, sizeof(args)));
	return 0;
}
