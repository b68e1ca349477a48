/* What descriptors of the kernel's own kinds tell: epoll, eventfd, timerfd,
 * inotify, fanotify, message queues, pidfds, io_uring. */
#include "prog.h"
#include <linux/io_uring.h>
#include <mqueue.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

static void polls(void)
{
	struct epoll_event ev, got[4];
	struct timespec t = {0, 1000}, long_time = {100, 0};
	struct timeval tv = {100, 0};
	uint64_t n = 5;
	int fds[2], e = epoll_create1(EPOLL_CLOEXEC), v = eventfd(7, EFD_NONBLOCK | EFD_CLOEXEC), s = eventfd(0, EFD_SEMAPHORE);
	CHECK(e >= 0 && v >= 0 && pipe2(fds, O_NONBLOCK | O_CLOEXEC) == 0);
	ev = (struct epoll_event){.events = EPOLLIN | EPOLLET | EPOLLONESHOT, .data.u64 = 0x1122334455667788};
	CHECK(epoll_ctl(e, EPOLL_CTL_ADD, v, &ev) == 0);
	ev = (struct epoll_event){.events = EPOLLIN | EPOLLRDHUP | EPOLLPRI, .data.fd = fds[0]};
	CHECK(epoll_ctl(e, EPOLL_CTL_ADD, fds[0], &ev) == 0);
	CHECK(epoll_wait(e, got, 4, -1) == 1);
	CHECK(write(fds[1], "x", 1) == 1);
	CHECK(epoll_pwait(e, got, 4, 100, NULL) == 1);
	ev.events = EPOLLIN | EPOLLWAKEUP | EPOLLEXCLUSIVE;
	epoll_ctl(e, EPOLL_CTL_MOD, fds[0], &ev);
	syscall(441, e, got, 4, &long_time, NULL, 8); /* epoll_pwait2 */
	CHECK(epoll_ctl(e, EPOLL_CTL_DEL, v, NULL) == 0);
	CHECK(read(v, &n, 8) == 8 && n == 7);
	CHECK(write(v, &n, 8) == 8 && read(s, &n, 4) == -1);
	struct pollfd p[3] = {{fds[0], POLLIN | POLLPRI}, {fds[1], POLLOUT}, {-1, POLLIN}};
	CHECK(poll(p, 3, -1) == 2);
	CHECK(ppoll(p, 3, &long_time, NULL) == 2);
	p[0].events = POLLPRI;
	CHECK(poll(p, 1, 0) == 0);
	CHECK(ppoll(p, 1, &t, NULL) == 0);
	close(fds[1]);
	CHECK(poll(p, 2, -1) == 2);
	CHECK(epoll_wait(e, got, 4, -1) == 1);
	fd_set r, w;
	FD_ZERO(&r);
	FD_ZERO(&w);
	FD_SET(fds[0], &r);
	FD_SET(v, &r);
	FD_SET(v, &w);
	CHECK(select(v > fds[0] ? v + 1 : fds[0] + 1, &r, &w, NULL, &tv) == 3);
	CHECK(pselect(e + 1, &r, NULL, NULL, &t, NULL) >= 0);
	close(e), close(v), close(s), close(fds[0]);
}

static void timers(void)
{
	struct itimerspec its = {{0, 0}, {0, 1}}, old;
	uint64_t n;
	int t = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	CHECK(t >= 0 && timerfd_settime(t, 0, &its, &old) == 0);
	CHECK(read(t, &n, 8) == 8 && n == 1);
	its.it_value.tv_sec = 1;
	CHECK(timerfd_settime(t, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &its, &old) == 0);
	CHECK(timerfd_gettime(t, &old) == 0);
	close(t);
}

static void watches(void)
{
	char buf[4096];
	int n = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	CHECK(n >= 0);
	CHECK(inotify_add_watch(n, ".", IN_CREATE | IN_DELETE | IN_MOVE | IN_CLOSE_WRITE | IN_ONLYDIR) == 1);
	CHECK(inotify_add_watch(n, "/nonexistent", IN_ALL_EVENTS | IN_MASK_ADD) == -1);
	int f = open("one", O_CREAT | O_WRONLY, 0600);
	write(f, "x", 1);
	close(f);
	rename("one", "another name");
	CHECK(read(n, buf, sizeof buf) > 0);
	CHECK(read(n, buf, sizeof buf) == -1);
	CHECK(inotify_rm_watch(n, 1) == 0);
	close(n);
	static const struct { unsigned flags, events, mark; uint64_t mask; } f_[] = {
		{FAN_CLASS_NOTIF | FAN_NONBLOCK | FAN_CLOEXEC, O_RDONLY | O_LARGEFILE, FAN_MARK_ADD, FAN_OPEN | FAN_CLOSE_WRITE | FAN_EVENT_ON_CHILD},
		{FAN_CLASS_NOTIF | FAN_REPORT_DFID_NAME | FAN_NONBLOCK, O_RDWR, FAN_MARK_ADD | FAN_MARK_ONLYDIR, FAN_CREATE | FAN_DELETE | FAN_MOVED_TO | FAN_ONDIR},
		{FAN_CLASS_NOTIF | FAN_REPORT_FID | FAN_REPORT_PIDFD | FAN_NONBLOCK, O_RDONLY, FAN_MARK_ADD, FAN_MODIFY | FAN_ATTRIB | FAN_EVENT_ON_CHILD},
	};
	for (int i = 0; i < 3; i++) {
		int a = syscall(SYS_fanotify_init, f_[i].flags, f_[i].events);
		if (a < 0)
			continue;
		fanotify_mark(a, f_[i].mark, f_[i].mask, AT_FDCWD, ".");
		f = open("two", O_CREAT | O_WRONLY, 0600);
		write(f, "x", 1);
		close(f);
		unlink("two");
		read(a, buf, sizeof buf);
		fanotify_mark(a, FAN_MARK_FLUSH, 0, AT_FDCWD, NULL);
		close(a);
		for (int k = 3; k < 20; k++) /* those that came with events */
			close(k);
	}
}

static void queues(void)
{
	char buf[100];
	unsigned prio;
	struct mq_attr attr = {.mq_flags = O_NONBLOCK, .mq_maxmsg = 3, .mq_msgsize = 64}, old;
	struct timespec past = {1, 500000000};
	mq_unlink("/sysreel-events");
	mqd_t q = mq_open("/sysreel-events", O_RDWR | O_CREAT | O_EXCL | O_NONBLOCK, 0640, &attr);
	if (q < 0)
		return;
	CHECK(mq_send(q, "the first of the messages, a long one indeed", 44, 7) == 0);
	CHECK(mq_timedsend(q, "second", 6, 9, &past) == 0);
	CHECK(mq_setattr(q, &attr, &old) == 0 && mq_getattr(q, &old) == 0 && old.mq_curmsgs == 2);
	CHECK(mq_receive(q, buf, sizeof buf, &prio) == 6 && prio == 9);
	CHECK(mq_timedreceive(q, buf, sizeof buf, NULL, &past) == 44);
	CHECK(mq_receive(q, buf, sizeof buf, &prio) == -1 && errno == EAGAIN);
	CHECK(mq_receive(q, buf, 1, &prio) == -1 && errno == EMSGSIZE);
	struct sigevent sev = {.sigev_notify = SIGEV_NONE};
	mq_notify(q, &sev);
	mq_notify(q, NULL);
	mq_close(q);
	CHECK(mq_unlink("/sysreel-events") == 0);
	CHECK(mq_open("/sysreel-events", O_RDONLY) == -1);
}

static void processes(void)
{
	static char buf[4096];
	int fds[2], st;
	siginfo_t si;
	CHECK(pipe(fds) == 0);
	pid_t p = fork();
	if (p == 0)
		for (;;)
			pause();
	int fd = syscall(434, p, 0);
	if (fd >= 0) {
		syscall(438, fd, fds[0], 0); /* pidfd_getfd */
		syscall(438, fd, 999, 0);
		syscall(424, fd, 0, NULL, 0); /* pidfd_send_signal */
		memset(&si, 0, sizeof si);
		si.si_signo = SIGTERM;
		si.si_code = SI_QUEUE;
		si.si_pid = getpid();
		signal_asleep(p, 0);
		syscall(424, fd, SIGTERM, &si, 0);
		CHECK(syscall(SYS_waitid, 3, fd, &si, WEXITED, NULL) == 0);
		syscall(424, fd, SIGTERM, NULL, 0);
		close(fd);
	} else {
		signal_asleep(p, SIGTERM);
		CHECK(waitpid(p, &st, 0) == p);
	}
	int self = syscall(434, getpid(), 0);
	char own[10], other[10] = "other";
	struct iovec l[2] = {{own, 4}, {own + 4, 3}}, r[2] = {{other, 6}, {other, 1}};
	CHECK(process_vm_readv(getpid(), l, 2, r, 2, 0) == 7);
	CHECK(process_vm_writev(getpid(), l, 1, r, 1, 0) == 4);
	r[1].iov_base = (void *)8;
	process_vm_readv(getpid(), l, 2, r, 2, 0);
	process_vm_readv(getpid(), l, 1, r + 1, 1, 0);
	struct iovec advice = {(void *)((long)buf & ~4095L), 4096};
	syscall(440, self, &advice, 1, MADV_COLD, 0); /* process_madvise */
	for (int type = 0; type < 9; type++)
		syscall(SYS_kcmp, getpid(), getpid(), type, fds[0], fds[0]);
	syscall(448, self, 0); /* process_mrelease */
	close(self);
}

static void rings(void)
{
	struct io_uring_params p = {.flags = IORING_SETUP_CQSIZE, .cq_entries = 16};
	struct io_uring_probe *probe = calloc(1, sizeof *probe + 64 * sizeof *probe->ops);
	int r = syscall(425, 4, &p);
	if (r < 0)
		return;
	char *sq = mmap(NULL, p.sq_off.array + p.sq_entries * 4, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, r, IORING_OFF_SQ_RING);
	struct io_uring_sqe *e = mmap(NULL, p.sq_entries * sizeof *e, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, r, IORING_OFF_SQES);
	CHECK(sq != MAP_FAILED && e != MAP_FAILED);
	static char buf[4096];
	struct iovec iov = {buf, sizeof buf};
	int f = open("three", O_CREAT | O_RDWR, 0600);
	syscall(427, r, IORING_REGISTER_BUFFERS, &iov, 1);
	syscall(427, r, IORING_REGISTER_FILES, &f, 1);
	syscall(427, r, IORING_REGISTER_PROBE, probe, 64);
	e[0] = (struct io_uring_sqe){.opcode = IORING_OP_NOP, .user_data = 1};
	e[1] = (struct io_uring_sqe){.opcode = IORING_OP_WRITE, .fd = f, .addr = (long)"text", .len = 4, .user_data = 2};
	for (int i = 0; i < 2; i++)
		((unsigned *)(sq + p.sq_off.array))[i] = i;
	atomic_store((atomic_uint *)(sq + p.sq_off.tail), 2);
	CHECK(syscall(426, r, 2, 2, IORING_ENTER_GETEVENTS, NULL, 0) == 2);
	syscall(427, r, IORING_UNREGISTER_FILES, NULL, 0);
	syscall(427, r, IORING_UNREGISTER_BUFFERS, NULL, 0);
	close(f), close(r);
}

int main(void)
{
	hold_sigchld();
	polls();
	timers();
	watches();
	queues();
	processes();
	rings();
	unlink("another name");
	unlink("three");
	return ok();
}
