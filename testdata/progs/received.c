/* What sockets receive beside data: descriptors, credentials, times, addresses and
 * errors. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <linux/filter.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif

static char control[2][512], data[2][64];
static struct iovec to[2] = {{data[0], 64}, {data[1], 64}};

static void set(int s, int level, int option, int value)
{
	setsockopt(s, level, option, &value, sizeof value);
}

static void sendRights(int s, const int *fds, int n)
{
	char c[CMSG_SPACE(64)] = {0};
	struct iovec v = {"fd", 2};
	struct msghdr h = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = c, .msg_controllen = CMSG_SPACE(n * sizeof(int))};
	struct cmsghdr *m = CMSG_FIRSTHDR(&h);

	m->cmsg_level = SOL_SOCKET;
	m->cmsg_type = SCM_RIGHTS;
	m->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(m), fds, n * sizeof(int));
	sendmsg(s, &h, 0);
}

static int receive(int s, size_t room, int flags)
{
	struct sockaddr_storage from;
	struct msghdr h = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = to, .msg_iovlen = 1, .msg_control = control[0], .msg_controllen = room};

	memset(control, 0, sizeof control);
	return recvmsg(s, &h, flags);
}

static void rights(void)
{
	int sv[2], p[2], fds[3], dir = open(".", O_RDONLY | O_DIRECTORY), null = open("/dev/null", O_RDWR);

	socketpair(AF_UNIX, SOCK_DGRAM, 0, sv);
	pipe(p);
	fds[0] = null, fds[1] = p[0], fds[2] = dir;
	sendRights(sv[0], fds, 1);
	receive(sv[1], 512, 0);
	sendRights(sv[0], fds, 3);
	receive(sv[1], 512, MSG_CMSG_CLOEXEC);
	sendRights(sv[0], fds, 3);
	receive(sv[1], CMSG_LEN(8), 0);
	sendRights(sv[0], fds, 3);
	receive(sv[1], 512, MSG_PEEK);
	receive(sv[1], 0, 0);
	sendRights(sv[0], sv, 2);
	sendRights(sv[0], fds + 1, 2);

	struct mmsghdr m[2];
	memset(m, 0, sizeof m);
	for (int i = 0; i < 2; i++) {
		m[i].msg_hdr.msg_iov = &to[i];
		m[i].msg_hdr.msg_iovlen = 1;
		m[i].msg_hdr.msg_control = control[i];
		m[i].msg_hdr.msg_controllen = 512;
	}
	struct timespec t = {1, 0};
	recvmmsg(sv[1], m, 2, 0, &t);
	recvmmsg(sv[1], m, 2, MSG_DONTWAIT, 0);

	/* sent on, with the right that came */
	for (int i = 0; i < 2; i++)
		m[i].msg_hdr.msg_iov->iov_len = 2;
	sendmmsg(sv[0], m, 2, 0);
	sendmmsg(-1, m, 2, 0);
	sendmmsg(null, m, 2, 0);
	to[0].iov_len = to[1].iov_len = 64;

	/* to another process */
	fflush(0);
	if (!fork()) {
		receive(sv[1], 512, 0);
		write(*(int *)CMSG_DATA((struct cmsghdr *)control[0]), "x", 1);
		fcntl(*(int *)CMSG_DATA((struct cmsghdr *)control[0]), F_GETFD);
		_exit(0);
	}
	wait(0);
}

static void credentials(void)
{
	int sv[2];

	socketpair(AF_UNIX, SOCK_STREAM, 0, sv);
	set(sv[1], SOL_SOCKET, SO_PASSCRED, 1);
	write(sv[0], "cred", 4);
	receive(sv[1], 512, 0);
	set(sv[1], SOL_SOCKET, SO_PASSSEC, 1);
	write(sv[0], "sec", 3);
	receive(sv[1], 512, 0);
	set(sv[1], SOL_SOCKET, SO_PASSSEC, 0);
	set(sv[1], SOL_SOCKET, SO_PASSPIDFD, 1);
	write(sv[0], "pidfd", 5);
	receive(sv[1], 512, 0);
	write(sv[0], "pidfd", 5);
	receive(sv[1], CMSG_SPACE(sizeof(struct ucred)), 0);

	struct ucred u = {getpid(), getuid(), getgid()};
	char c[CMSG_SPACE(sizeof u)] = {0};
	struct iovec v = {"own", 3};
	struct msghdr h = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = c, .msg_controllen = sizeof c};
	struct cmsghdr *m = CMSG_FIRSTHDR(&h);

	m->cmsg_level = SOL_SOCKET;
	m->cmsg_type = SCM_CREDENTIALS;
	m->cmsg_len = CMSG_LEN(sizeof u);
	memcpy(CMSG_DATA(m), &u, sizeof u);
	sendmsg(sv[0], &h, 0);
	set(sv[1], SOL_SOCKET, SO_PASSPIDFD, 0);
	receive(sv[1], 512, 0);
}

static void internet(int family)
{
	int s = socket(family, SOCK_DGRAM, 0), one = 1;
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct sockaddr *a = family == AF_INET ? (void *)&four : (void *)&six;
	socklen_t n = family == AF_INET ? sizeof four : sizeof six;
	static const int stamps[] = {SO_TIMESTAMP, SO_TIMESTAMPNS, 63, 64};

	bind(s, a, n);
	getsockname(s, a, &n);
	for (unsigned i = 0; i < 4; i++) {
		set(s, SOL_SOCKET, stamps[i], 1);
		sendto(s, "time", 4, 0, a, n);
		receive(s, 512, 0);
		set(s, SOL_SOCKET, stamps[i], 0);
	}
	if (family == AF_INET) {
		static const int options[] = {IP_PKTINFO, IP_RECVTOS, IP_RECVTTL, IP_RECVOPTS, IP_RETOPTS, IP_RECVORIGDSTADDR, IP_RECVERR, 23, 25};
		for (unsigned i = 0; i < sizeof options / sizeof *options; i++)
			set(s, IPPROTO_IP, options[i], 1);
	} else {
		static const int options[] = {IPV6_RECVPKTINFO, IPV6_RECVHOPLIMIT, IPV6_RECVTCLASS, IPV6_RECVERR, 74, 77, 60, 11};
		for (unsigned i = 0; i < sizeof options / sizeof *options; i++)
			set(s, IPPROTO_IPV6, options[i], 1);
	}
	set(s, SOL_SOCKET, SO_RXQ_OVFL, 1);
	set(s, IPPROTO_UDP, 104, 1);
	sendto(s, "addresses", 9, 0, a, n);
	receive(s, 512, 0);
	sendto(s, "addresses", 9, 0, a, n);
	receive(s, 60, 0);

	/* an error that came back, and when data went out */
	struct pollfd f = {s, POLLERR};
	four.sin_port = six.sin6_port = htons(1);
	sendto(s, "nobody", 6, 0, a, n);
	poll(&f, 1, 1000);
	receive(s, 512, MSG_ERRQUEUE);
	receive(s, 512, MSG_ERRQUEUE | MSG_DONTWAIT);
	receive(s, 512, MSG_DONTWAIT);
	close(s);
	f.fd = s = socket(family, SOCK_DGRAM, 0);
	set(s, SOL_SOCKET, SO_TIMESTAMPING, SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_CMSG);
	sendto(s, "stamped", 7, 0, a, n);
	poll(&f, 1, 1000);
	receive(s, 512, MSG_ERRQUEUE);
	close(s);
}

static void filter(void)
{
	struct sock_filter code[] = {BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0), BPF_STMT(BPF_RET | BPF_A, 0)}, got[8];
	struct sock_fprog p = {2, code};
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	socklen_t n = 0;

	getsockopt(s, SOL_SOCKET, SO_GET_FILTER, got, &n);
	setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof p);
	n = 0;
	getsockopt(s, SOL_SOCKET, SO_GET_FILTER, got, &n);
	n = 1;
	getsockopt(s, SOL_SOCKET, SO_GET_FILTER, got, &n);
	n = 2;
	getsockopt(s, SOL_SOCKET, SO_GET_FILTER, got, &n);
	n = 8;
	getsockopt(s, SOL_SOCKET, SO_GET_FILTER, got, &n);
}

/* Where no tracer can look sockets up. */
static void elsewhere(void)
{
	int s[2];

	unshare(CLONE_NEWNET); /* a user may not: then it is here */
	socketpair(AF_UNIX, SOCK_DGRAM, 0, s);
	dup(s[1]);
	dup(socket(AF_INET, SOCK_STREAM, 0));
}

int main(void)
{
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, 0); /* it may come before wait or after */
	/* of a request that is not described all bytes count, though few are written */
	ioctl(-1, _IOR('z', 1, char[200]), control);
	rights();
	credentials();
	internet(AF_INET);
	internet(AF_INET6);
	filter();
	elsewhere();
	return 0;
}
