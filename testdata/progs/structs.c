/* Structures of which members depend on others: perf_event_attr by type, bpf
 * by command, a terminal's characters. TestCallsLikeStrace holds their text
 * against strace's, with and without -v. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <fcntl.h>
#include <termios.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <linux/kcmp.h>
#include <poll.h>
#include <sys/mman.h>
#define S syscall
static long b(int cmd, void *a, int n) { return S(SYS_bpf, cmd, a, n); }
int main(void) {
	int fd = open("/dev/null", O_RDWR), z = open("/dev/zero", 0), m = open("/dev/ptmx", O_RDWR|O_NOCTTY);
	char c[4];
	read(z, c, 4);
	read(fd, c, 4);
	struct stat st;
	fstat(fd, &st);
	struct termios t;
	ioctl(m, TCGETS, &t);
	ioctl(m, TCSETS, &t);
	t.c_lflag = 0;
	ioctl(m, TCSETSW, &t);
	struct winsize w = {24, 80};
	ioctl(m, TIOCSWINSZ, &w);
	ioctl(m, TIOCGWINSZ, &w);
	struct perf_event_attr p;
	memset(&p, 0, sizeof p);
	p.size = sizeof p;
	p.type = PERF_TYPE_HARDWARE;
	p.config = PERF_COUNT_HW_INSTRUCTIONS;
	S(SYS_perf_event_open, &p, 0, -1, -1, 0);
	p.type = PERF_TYPE_SOFTWARE;
	p.config = PERF_COUNT_SW_TASK_CLOCK;
	p.sample_period = 1000;
	p.sample_type = 0x47;
	p.read_format = 3;
	p.disabled = 1;
	p.exclude_kernel = 1;
	S(SYS_perf_event_open, &p, 0, -1, -1, 8);
	p.freq = 1;
	p.type = PERF_TYPE_HW_CACHE;
	p.config = 0x10203;
	S(SYS_perf_event_open, &p, 0, -1, -1, 1);
	p.type = PERF_TYPE_RAW;
	p.config = 0xc0;
	p.precise_ip = 2;
	p.watermark = 1;
	p.wakeup_watermark = 5;
	S(SYS_perf_event_open, &p, 0, -1, -1, 0);
	p.type = PERF_TYPE_BREAKPOINT;
	p.bp_type = 3;
	p.bp_addr = 0x1000;
	p.bp_len = 4;
	p.config = 0;
	p.use_clockid = 1;
	p.clockid = 1;
	S(SYS_perf_event_open, &p, 0, -1, -1, 0);
	p.type = PERF_TYPE_TRACEPOINT;
	p.config = 5;
	p.branch_sample_type = 9;
	p.sample_regs_user = 7;
	S(SYS_perf_event_open, &p, 0, -1, -1, 0);
	p.type = 77;
	S(SYS_perf_event_open, &p, 0, -1, -1, 0x80);
	p.size = 64;
	S(SYS_perf_event_open, &p, 0, -1, -1, 0);
	struct kcmp_epoll_slot sl = {1, 2, 3};
	S(SYS_kcmp, 1, 2, KCMP_EPOLL_TFD, 3, &sl);
	union bpf_attr a;
	memset(&a, 0, sizeof a);
	a.test.prog_fd = -1;
	b(BPF_PROG_TEST_RUN, &a, sizeof a);
	memset(&a, 0, sizeof a);
	a.target_fd = -1;
	a.attach_bpf_fd = 5;
	a.attach_type = BPF_CGROUP_INET_INGRESS;
	a.attach_flags = 1;
	b(BPF_PROG_ATTACH, &a, 16);
	memset(&a, 0, sizeof a);
	a.map_fd = 1000;
	b(BPF_MAP_LOOKUP_ELEM, &a, 32);
	b(BPF_MAP_DELETE_ELEM, &a, 16);
	b(BPF_MAP_FREEZE, &a, 4);
	memset(&a, 0, sizeof a);
	a.pathname = (long)"/sys/fs/bpf/x";
	a.bpf_fd = 3;
	b(BPF_OBJ_GET, &a, 16);
	memset(&a, 0, sizeof a);
	a.info.bpf_fd = -1;
	a.info.info_len = 8;
	b(BPF_OBJ_GET_INFO_BY_FD, &a, 16);
	memset(&a, 0, sizeof a);
	a.query.target_fd = -1;
	a.query.attach_type = 1;
	b(BPF_PROG_QUERY, &a, 32);
	memset(&a, 0, sizeof a);
	a.raw_tracepoint.name = (long)"sched_switch";
	a.raw_tracepoint.prog_fd = -1;
	b(BPF_RAW_TRACEPOINT_OPEN, &a, 16);
	memset(&a, 0, sizeof a);
	a.task_fd_query.pid = 1;
	b(BPF_TASK_FD_QUERY, &a, 48);
	memset(&a, 0, sizeof a);
	a.link_create.prog_fd = -1;
	a.link_create.target_fd = -1;
	a.link_create.attach_type = 2;
	b(BPF_LINK_CREATE, &a, 16);
	return 0;
}
