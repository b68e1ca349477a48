/* Calls with arguments good and bad: what they point to cannot be read, values
 * have no name, structures are short. TestCallsLikeStrace holds the text of
 * each against strace's. Constants that strace 6.1 does not know are left out. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <fcntl.h>
#include <time.h>
#include <signal.h>
#include <poll.h>
#include <utime.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/epoll.h>
#include <sys/fanotify.h>
#include <sys/ptrace.h>
#include <netinet/in.h>
#include <net/if.h>
#include <linux/fs.h>
#include <linux/fiemap.h>
#include <termios.h>
#define S syscall
int main(void) {
	void *bad = (void *)0x10;
	struct iovec iov[2] = {{bad, 4}, {"abcd", 4}};
	int fd = open("/dev/null", O_RDWR), s, i;
	S(SYS_writev, 1000, bad, 2);
	S(SYS_writev, 1000, iov, 2);
	S(SYS_writev, 1000, iov, 0);
	S(SYS_readv, 1000, iov, 2);
	S(SYS_sendmsg, 1000, bad, 0);
	struct msghdr m = {0};
	S(SYS_sendmsg, 1000, &m, 0);
	m.msg_iov = bad;
	m.msg_iovlen = 2;
	m.msg_control = bad;
	m.msg_controllen = 16;
	m.msg_name = bad;
	m.msg_namelen = 8;
	S(SYS_sendmsg, 1000, &m, 0);
	m.msg_controllen = 0;
	m.msg_control = 0;
	S(SYS_sendmsg, 1000, &m, 0);
	m.msg_control = bad;
	S(SYS_sendmsg, 1000, &m, 0);
	S(SYS_poll, bad, 2, 0);
	S(SYS_ppoll, bad, 2, bad, bad, 8);
	S(SYS_select, 4, bad, bad, 0, bad);
	S(SYS_pselect6, 4, bad, 0, 0, bad, bad);
	S(SYS_execve, bad, bad, bad);
	char *av[] = {"a", bad, 0};
	S(SYS_execve, "/nonexistent", av, av);
	S(SYS_execve, "/nonexistent", bad, bad);
	S(SYS_rt_sigaction, SIGUSR1, bad, 0, 8);
	S(SYS_rt_sigaction, SIGUSR1, bad, 0, 4);
	S(SYS_rt_sigprocmask, 0, bad, 0, 8);
	S(SYS_rt_sigprocmask, 77, bad, 0, 8);
	S(SYS_nanosleep, bad, bad);
	S(SYS_clock_settime, 99, bad);
	S(SYS_setitimer, 0, bad, 0);
	S(SYS_setitimer, 9, bad, 0);
	S(SYS_epoll_ctl, 1000, EPOLL_CTL_ADD, 3, bad);
	S(SYS_epoll_ctl, 1000, 77, 3, 0);
	S(SYS_epoll_wait, 1000, bad, 3, 0);
	S(SYS_setsockopt, 1000, SOL_SOCKET, SO_LINGER, bad, 8);
	S(SYS_setsockopt, 1000, SOL_SOCKET, SO_RCVTIMEO, bad, 16);
	S(SYS_setsockopt, 1000, SOL_SOCKET, 999, bad, 16);
	S(SYS_setsockopt, 1000, 999, 999, bad, 16);
	S(SYS_getsockopt, 1000, SOL_SOCKET, 999, bad, bad);
	S(SYS_setgroups, 2, bad);
	S(SYS_sched_setaffinity, 0, 8, bad);
	S(SYS_sched_setparam, 0, bad);
	S(SYS_sched_setattr, 0, bad, 0);
	S(SYS_capset, bad, bad);
	S(SYS_clone3, bad, 88);
	S(SYS_openat2, -1, "x", bad, 24);
	S(SYS_statx, -1, bad, 0, 0, bad);
	S(SYS_ioctl, 1000, 0x5404, bad);
	S(SYS_ioctl, 1000, 0x80045401, bad);
	S(SYS_ioctl, 1000, 0x12345678, 5);
	S(SYS_ioctl, 1000, 0, 0);
	S(SYS_ioctl, 1000, 0xffffffff, -1);
	S(SYS_ioctl, 1000, 0xff00, 0);
	S(SYS_ioctl, 1000, TCSETS, bad);
	S(SYS_ioctl, 1000, FIONREAD, bad);
	S(SYS_ioctl, 1000, FIONBIO, bad);
	S(SYS_ioctl, 1000, _IOC(_IOC_READ|_IOC_WRITE, 0x99, 3, 16), bad);
	S(SYS_ioctl, 1000, _IO('z', 3), bad);
	S(SYS_fcntl, 1000, 77, 5);
	S(SYS_fcntl, 1000, 77, 0xfffff);
	S(SYS_fcntl, 1000, F_SETLK, bad);
	S(SYS_fcntl, 1000, F_SETOWN_EX, bad);
	S(SYS_fcntl, 1000, F_SETFL, 0x40000000);
	S(SYS_fcntl, 1000, F_SETFD, 6);
	S(SYS_fcntl,1000,F_NOTIFY,5);
	S(SYS_fcntl,1000,F_SETLEASE,7);
	S(SYS_fcntl,1000,F_ADD_SEALS,0x1005);
	S(SYS_mmap, 0, 0, 0x10, 0xf, -1, 0);
	S(SYS_mmap, 0, 0, 0x13, 0x1f, -1, 0);
	S(SYS_mmap, 0, 0, 0, 4, -1, 0xfff);
	S(SYS_mprotect, 0x1000, 0, 0x1000007);
	S(SYS_madvise, 0, 0, 999);
	S(SYS_msync, 0, 0, 0xf);
	S(SYS_open, "/nonexistent/x", 3|O_CREAT, 07777);
	S(SYS_open, "/nonexistent", 0x80000003);
	S(SYS_open, bad, 0);
	prctl(PR_GET_DUMPABLE);
	prctl(PR_GET_KEEPCAPS);
	prctl(PR_GET_TIMERSLACK);
	prctl(PR_GET_SECCOMP);
	prctl(PR_GET_TSC, &i);
	prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
	prctl(PR_GET_SECUREBITS);
	prctl(PR_GET_TIMING);
	prctl(PR_MCE_KILL_GET, 0, 0, 0, 0);
	prctl(PR_GET_SPECULATION_CTRL, 0, 0, 0, 0);
	prctl(PR_CAPBSET_READ, 3);
	prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0);
	prctl(PR_GET_CHILD_SUBREAPER, &i);
	prctl(PR_GET_PDEATHSIG, &i);
	prctl(9999, 1, 2, 3, 4);
	prctl(PR_GET_IO_FLUSHER, 0,0,0,0);
	prctl(PR_GET_NAME, bad);
	prctl(PR_SET_NAME, bad);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 3, 0, 0);
	prctl(PR_SET_DUMPABLE, 7);
	prctl(PR_SET_MM, 77, 1, 2, 3);
	struct timex tx = {0};
	S(SYS_adjtimex, &tx);
	S(SYS_adjtimex, bad);
	S(SYS_personality, 0xffffffff);
	S(SYS_personality, 0x0040000);
	S(SYS_personality, 0);
	S(SYS_personality, 0x999);
	S(SYS_ioprio_get, 1, 0);
	S(SYS_ioprio_set, 1, 0, 0x4007);
	S(SYS_ioprio_get, 1, 0);
	S(SYS_ioprio_get, 77, 0);
	S(SYS_ioprio_set, 1, 0, 0xc007);
	time_t t;
	S(SYS_time, 0);
	S(SYS_time, &t);
	S(SYS_time, bad);
	struct utimbuf ub = {1000000000, 1500000000};
	S(SYS_utime, "/nonexistent", &ub);
	S(SYS_utime, "/nonexistent", bad);
	struct timeval tv[2] = {{1000000000, 5}, {1500000000, 999999}};
	S(SYS_utimes, "/nonexistent", tv);
	S(SYS_utimes, "/nonexistent", bad);
	S(SYS_futimesat, -100, "/nonexistent", tv);
	struct timespec ts[2] = {{1000000000, 5}, {0, UTIME_OMIT}};
	S(SYS_utimensat, -100, "/nonexistent", ts, 0);
	ts[0].tv_nsec = UTIME_NOW;
	S(SYS_utimensat, -100, "/nonexistent", ts, 0);
	ts[0].tv_nsec = 1999999999;
	S(SYS_utimensat, -100, "/nonexistent", ts, 0);
	S(SYS_kcmp, 1, 2, 0, 3, 4);
	S(SYS_kcmp, 1, 2, 1, 3, 4);
	S(SYS_kcmp, 1, 2, 7, 3, bad);
	S(SYS_kcmp, 1, 2, 77, 3, 4);
	S(SYS_mknodat, -1, "x", S_IFREG|0600, 0x801);
	S(SYS_mknodat, -1, "x", S_IFCHR|0600, 0x801);
	S(SYS_mknod, "/nonexistent/x", S_IFIFO|0600, 0x801);
	S(SYS_mknod, "/nonexistent/x", S_IFBLK|0600, 0x801);
	S(SYS_ptrace, 3, 1, 8 * 15, 0);
	S(SYS_ptrace, 3, 99999, 8 * 16, 0);
	S(SYS_ptrace, 6, 99999, 8 * 10, 5);
	S(SYS_ptrace, 3, 99999, 848, 0);
	S(SYS_ptrace, 3, 99999, 5, 0);
	S(SYS_ptrace, 3, 99999, 904, 0);
	S(SYS_ptrace, 3, 99999, 5000, 0);
	S(SYS_ptrace, 999, 99999, 8, 5);
	S(SYS_ptrace, 24, 99999, 8, 5);
	struct ipv6_mreq { struct in6_addr a; int i; } mq = {{{{0xff, 2, [15] = 1}}}, 1};
	s = socket(AF_INET6, SOCK_DGRAM, 0);
	setsockopt(s, IPPROTO_IPV6, IPV6_JOIN_GROUP, &mq, sizeof mq);
	setsockopt(s, IPPROTO_IPV6, IPV6_LEAVE_GROUP, &mq, sizeof mq);
	setsockopt(s, IPPROTO_IPV6, IPV6_JOIN_GROUP, &mq, 4);
	setsockopt(s, IPPROTO_IPV6, IPV6_JOIN_GROUP, bad, sizeof mq);
	struct { struct fiemap f; struct fiemap_extent e[4]; } fm = {{0, ~0ull, 0, 0, 4}};
	int f = open("/etc/passwd", 0);
	ioctl(f, FS_IOC_FIEMAP, &fm);
	memset(&fm, 0, sizeof fm);
	fm.f.fm_length = 1000;
	ioctl(f, FS_IOC_FIEMAP, &fm);
	ioctl(f, FS_IOC_FIEMAP, bad);
	struct ifreq ifr[8];
	struct ifconf ic = {sizeof ifr, {(void *)ifr}};
	ioctl(s, SIOCGIFCONF, &ic);
	ic.ifc_buf = 0;
	ioctl(s, SIOCGIFCONF, &ic);
	ioctl(s, SIOCGIFCONF, bad);
	ic.ifc_len = 40;
	ic.ifc_buf = bad;
	ioctl(s, SIOCGIFCONF, &ic);
	S(SYS_fanotify_mark, -1, 0, 0, -1, 0);
	S(SYS_fanotify_mark, -1, FAN_MARK_ADD, FAN_OPEN, -1, "x");
	S(SYS_fanotify_mark, -1, FAN_MARK_ADD, FAN_OPEN, -100, "x");
	int mfd = open("/dev/ptmx", O_RDWR|O_NOCTTY);
	struct termios tio;
	ioctl(mfd, TCGETS, &tio);
	ioctl(mfd, TCSETS, &tio);
	S(SYS_wait4, -1, bad, 0xf0000000, bad);
	S(SYS_waitid, 77, 1, bad, 4, 0);
	S(SYS_futex, bad, 0, 1, bad);
	S(SYS_futex, bad, 77, 1, bad, bad, 3);
	S(SYS_futex, bad, 128|5, 1, 2, bad, 0x12345678);
	S(SYS_getdents64, fd, bad, 100);
	S(SYS_getcwd, bad, 100);
	S(SYS_readlink, "/nonexistent", bad, 10);
	S(SYS_uname, bad);
	S(SYS_sysinfo, bad);
	S(SYS_getrlimit, 77, bad);
	S(SYS_setrlimit, 0, bad);
	S(SYS_prlimit64, 0, 3, bad, bad);
	S(SYS_times, bad);
	S(SYS_getrusage, 77, bad);
	S(SYS_bind, 1000, bad, 16);
	S(SYS_bind, 1000, "\2\0\0\1\2\3\4\5", 8);
	S(SYS_bind, 1000, "\2\0\0\1", 4);
	S(SYS_bind, 1000, "\x7f\0ab", 4);
	S(SYS_bind, 1000, "\1\0/tmp/x", 8);
	S(SYS_bind, 1000, "\1", 1);
	S(SYS_bind, 1000, 0, 0);
	S(SYS_bind, 1000, bad, 0);
	S(SYS_accept, 1000, bad, bad);
	S(SYS_sendto, 1000, bad, 5, 0x10000000, bad, 16);
	S(SYS_socket, 99, 99, 99);
	S(SYS_socket, 2, 0x80003, 255);
	S(SYS_socketpair, 1, 1, 0, bad);
	S(SYS_shutdown, 1000, 7);
	S(SYS_mount, bad, bad, bad, 0xc0ed0000, bad);
	S(SYS_umount2, bad, 0x1f);
	S(SYS_quotactl, 0x80000700, bad, 0, bad);
	S(SYS_keyctl, 999, 1, 2, 3, 4);
	S(SYS_add_key, bad, bad, bad, 5, -3);
	S(SYS_bpf, 0, bad, 40);
	S(SYS_bpf, 99, bad, 40);
	S(SYS_perf_event_open, bad, 0, 0, -1, 0);
	S(SYS_seccomp, 1, 7, bad);
	S(SYS_seccomp, 9, 7, bad);
	S(SYS_io_uring_setup, 1, bad);
	S(SYS_semctl, 1, 2, 3, bad);
	S(SYS_shmctl, 1, 2, bad);
	S(SYS_msgctl, 1, 1, bad);
	S(SYS_semop, 1, bad, 2);
	S(SYS_msgsnd, 1, bad, 2, 0);
	S(SYS_shmget, 5, 100, 01777);
	S(SYS_mq_open, "x", O_CREAT, 0600, bad);
	S(SYS_timer_create, 0, bad, bad);
	S(SYS_signalfd4, -1, bad, 8, 0x80801);
	S(SYS_getcpu, bad, bad, 0);
	S(SYS_move_pages, 0, 2, bad, bad, bad, 2);
	S(SYS_mbind, 0, 0, 2, bad, 64, 0);
	S(SYS_set_mempolicy, 0x8002, bad, 64);
	S(SYS_process_vm_readv, 1, bad, 1, bad, 1, 0);
	S(SYS_preadv2, 1000, bad, 1, 0, 0, 0x1f);
	S(SYS_vmsplice, 1000, bad, 1, 0xff);
	S(SYS_io_submit, 0, 1, bad);
	S(SYS_name_to_handle_at, -1, "x", bad, bad, 0);
	S(SYS_open_by_handle_at, -1, bad, 0);
	S(SYS_getxattr, "/", "user.x", bad, 5);
	S(SYS_setxattr, "/", "user.x", bad, 5, 7);
	S(SYS_set_robust_list, bad, 24);
	S(SYS_landlock_create_ruleset, bad, 16, 0);
	S(SYS_pidfd_send_signal, -1, 9, bad, 0);
	S(SYS_rt_sigqueueinfo, 1, 9, bad);
	S(SYS_tgkill, -1, -1, 99);
	S(SYS_arch_prctl, 0x1003, bad);
	S(SYS_arch_prctl, 0x9999, 5);
	S(SYS_sysfs, 1, "proc");
	S(SYS_reboot, 1, 2, 3, bad);
	S(SYS_kexec_load, 0, 1, bad, 0);
	S(SYS_membarrier, 77, 7, 0);
	S(SYS_memfd_create, bad, 0x1007);
	S(SYS_userfaultfd, 0xff);
	S(SYS_inotify_add_watch, -1, "x", 0xf0000fff);
	S(SYS_eventfd2, 1, 0xff);
	S(SYS_pipe2, bad, 0xff);
	S(SYS_dup3, 3, 4, 0xff);
	S(SYS_unshare, 0xff);
	S(SYS_setns, -1, 0xff);
	S(SYS_getrandom, bad, 5, 0xff);
	S(SYS_copy_file_range, -1, bad, -1, bad, 5, 7);
	S(SYS_sendfile, -1, -1, bad, 5);
	S(SYS_fadvise64, -1, 0, 0, 77);
	S(SYS_fallocate, -1, 0x17f, 0, 0);
	S(SYS_sync_file_range, -1, 0, 0, 0xff);
	S(SYS_renameat2, -1, "a", -1, "b", 0xff);
	S(SYS_linkat, -1, "a", -1, "b", 0xff);
	S(SYS_faccessat, -1, "a", 0xff);
	S(SYS_fchmodat, -1, "a", 07777);
	S(SYS_fchownat, -1, "a", -1, -1, 0xffff);
	S(SYS_flock, -1, 0xff);
	S(SYS_lseek, -1, -5, 7);
	S(SYS_getpriority, 7, 0);
	S(SYS_timerfd_create, 77, 0xff);
	S(SYS_timerfd_settime, -1, 0xff, bad, bad);
	S(SYS_fspick, -1, "a", 0xff);
	S(SYS_fsopen, "a", 0xff);
	S(SYS_fsmount, -1, 0xff, 0xff);
	S(SYS_move_mount, -1, "a", -1, "b", 0x177);
	S(SYS_open_tree, -1, "a", 0x9001);
	S(SYS_mount_setattr, -1, "a", 0, bad, 32);
	S(SYS_close_range, 5, 4, 0xff);
	S(SYS_epoll_create1, 0xff);
	S(SYS_accept4, -1, 0, 0, 0xff);
	S(SYS_recvmmsg, -1, bad, 2, 0, bad);
	S(SYS_sendmmsg, -1, bad, 2, 0);
	return 0;
}
