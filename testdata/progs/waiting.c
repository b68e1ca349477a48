// Calls that wait, each in a process that is killed in it.
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int fds[2], pair[2], listener;

static void wait_in(int n)
{
	char buf[8];
	struct pollfd p = {fds[0], POLLIN};
	struct timespec minute = {60};
	struct timeval tv = {60};
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	fd_set set;
	FD_ZERO(&set);
	FD_SET(fds[0], &set);
	sigset_t signals;
	sigemptyset(&signals);
	switch (n) {
	case 0: poll(&p, 1, -1); break;
	case 1: ppoll(&p, 1, &minute, &signals); break;
	case 2: select(fds[0] + 1, &set, NULL, NULL, &tv); break;
	case 3: pselect(fds[0] + 1, &set, NULL, NULL, &minute, &signals); break;
	case 4: accept(listener, NULL, NULL); break;
	case 5: accept(listener, (void *)&addr, &len); break;
	case 6: accept4(listener, NULL, NULL, SOCK_CLOEXEC); break;
	case 7: sigwaitinfo(&signals, NULL); break;
	case 8: { siginfo_t info; sigtimedwait(&signals, &info, &minute); break; }
	case 9: splice(fds[0], NULL, pair[0], NULL, 10, 0); break;
	case 10: recv(pair[0], buf, sizeof(buf), 0); break;
	case 11: recvfrom(pair[0], buf, sizeof(buf), 0, (void *)&addr, &len); break;
	case 12: nanosleep(&minute, NULL); break;
	case 13: nanosleep(&minute, &minute); break;
	case 14: sigsuspend(&signals); break;
	case 15: { struct iovec v = {buf, sizeof(buf)}; readv(fds[0], &v, 1); break; }
	case 16: sendfile(pair[0], open("/dev/zero", O_RDONLY), NULL, 1 << 30); break;
	default: _exit(77);
	}
}

// Waits until a process does; returns 0 if it has ended.
static int waits(pid_t pid)
{
	char path[64], text[512], *state;
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	int fd = open(path, O_RDONLY);
	do {
		ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
		text[n > 0 ? n : 0] = 0;
		state = strrchr(text, ')');
	} while (state && state[2] != 'S' && state[2] != 'Z');
	close(fd);
	return state && state[2] == 'S';
}

int main(void)
{
	pipe(fds);
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	listen(listener, 1);
	for (int n = 0, more = 1; more; n++) {
		pid_t pid = fork();
		if (pid == 0)
			wait_in(n);
		more = waits(pid);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	return 0;
}
