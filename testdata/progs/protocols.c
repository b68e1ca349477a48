/* Netlink messages through sockets that change: each has the protocol of its
 * socket for a number, and the type 1; where a socket has no address yet, 2. With
 * an argument it waits in between. */
#include <linux/netlink.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static const int protocols[] = {NETLINK_ROUTE, NETLINK_GENERIC, NETLINK_SOCK_DIAG, NETLINK_KOBJECT_UEVENT};

static int opened(int protocol, int bound)
{
	struct sockaddr_nl self = {AF_NETLINK};
	int fd = socket(AF_NETLINK, SOCK_RAW, protocol);

	if (fd < 0 || bound && bind(fd, (void *)&self, sizeof self))
		perror("socket");
	return fd;
}

static void tell(int fd, int protocol, int type)
{
	/* not a request: the kernel does nothing about it */
	struct nlmsghdr m = {sizeof m, type, 0, protocol};

	sendto(fd, &m, sizeof m, 0, 0, 0);
}

int main(int argc, char **argv)
{
	int old[4], fd;
	char c;

	for (int i = 0; i < 4; i++)
		old[i] = opened(protocols[i], 1);
	if (argc > 1)
		read(0, &c, 1);
	for (int round = 0; round < 3; round++)
		for (int i = 0; i < 4; i++)
			tell(old[i], protocols[i], 1);
	for (int i = 0; i < 4; i++) { /* the number of another, which has it no more */
		fd = opened(protocols[i], i % 2);
		tell(fd, protocols[i], 2 - i % 2);
		tell(fd, protocols[i], 1);
		dup2(old[3 - i], fd);
		tell(fd, protocols[3 - i], 1);
		tell(dup(fd), protocols[3 - i], 1);
		close(fd);
	}
	puts("ok");
	return 0;
}
