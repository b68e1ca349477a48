/* A thread whose calls another one answers. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS _IOW('!', 4, __u64)
#endif

static int listener = -1, ready[2];

static void *caller(void *arg)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_getppid, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_memfd_create, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
	};
	struct sock_fprog p = {sizeof f / sizeof *f, f};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &p);
	write(ready[1], "", 1);
	if (listener < 0)
		return 0;
	for (int i = 0; i < 3; i++)
		syscall(SYS_getppid, 1, 2, 0x123456789aul, 4, 5, 6);
	syscall(SYS_memfd_create, "x", 0);
	syscall(SYS_memfd_create, "y", 0);
	return 0;
}

static struct seccomp_notif *next(struct seccomp_notif *n)
{
	memset(n, 0, sizeof *n);
	ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, n);
	return n;
}

static void answer(uint64_t id, int error, int64_t value, unsigned flags)
{
	struct seccomp_notif_resp r = {.id = id, .val = value, .error = error, .flags = flags};

	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &r);
}

int main(void)
{
	pthread_t t;
	char c;
	struct seccomp_notif n;
	struct seccomp_notif_addfd a = {0};
	uint64_t none = 77;

	pipe(ready);
	pthread_create(&t, 0, caller, 0);
	read(ready[0], &c, 1);
	if (listener < 0)
		return 1;
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, 0);
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, 8);
	next(&n);
	ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &n.id);
	ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &none);
	n.flags = 3; /* must be zeros */
	ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &n);
	n.flags = 0;
	answer(none, 0, 5, 0);
	answer(n.id, 0, 5, 2);
	answer(n.id, 0, 42, 0);
	answer(next(&n)->id, -EPERM, 0, 0);
	answer(next(&n)->id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);

	next(&n);
	a.id = n.id;
	a.srcfd = open("/dev/null", O_RDONLY);
	ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &a);
	a.flags = SECCOMP_ADDFD_FLAG_SETFD;
	a.newfd = 40;
	a.newfd_flags = O_CLOEXEC;
	ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &a);
	a.flags = 0;
	ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &a);
	answer(n.id, 0, 40, 0);

	next(&n);
	a.id = n.id;
	a.flags = SECCOMP_ADDFD_FLAG_SETFD | SECCOMP_ADDFD_FLAG_SEND;
	a.newfd = 41;
	ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &a);
	pthread_join(t, 0);
	return 0;
}
