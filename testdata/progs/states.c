/* What the kernel says of itself, of a process and of a thread; what is made
 * with clone3; keys. Nothing of the machine is changed. */
#include "prog.h"
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/times.h>
#include <sys/timex.h>
#include <sys/utsname.h>

static void kernel(void)
{
	struct sysinfo si;
	struct utsname u;
	struct tms t;
	struct timex x = {.modes = 0};
	struct rusage r;
	struct timespec ts;
	char buf[64];
	CHECK(sysinfo(&si) == 0 && uname(&u) == 0);
	times(&t);
	times(NULL);
	CHECK(adjtimex(&x) >= 0 && clock_adjtime(CLOCK_REALTIME, &x) >= 0);
	CHECK(getrusage(RUSAGE_SELF, &r) == 0 && getrusage(RUSAGE_CHILDREN, &r) == 0 && getrusage(RUSAGE_THREAD, &r) == 0);
	for (int c = -10; c < 15; c++)
		syscall(SYS_clock_getres, c, &ts);
	syscall(SYS_clock_getres, 1, NULL);
	syscall(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, &ts);
	syscall(SYS_getrandom, buf, 16L, 1);
	syscall(SYS_getrandom, buf, 0L, 6);
	unsigned cpu, node;
	syscall(SYS_getcpu, &cpu, &node, NULL);
	syscall(SYS_getcpu, NULL, NULL, NULL);
	syscall(SYS_syslog, 10, NULL, 0);
	syscall(SYS_membarrier, 0, 0, 0);
	syscall(SYS_membarrier, 16, 0, 0);
	syscall(SYS_membarrier, 8, 0, 0);
}

static void process(void)
{
	struct rlimit rl;
	uid_t a, b, c;
	gid_t groups[100];
	int v;
	void *p;
	size_t n;
	char name[20];
	struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct d[2];
	for (int i = 0; i < 17; i++)
		syscall(SYS_prlimit64, 0, i, NULL, &rl);
	getrlimit(RLIMIT_NOFILE, &rl);
	syscall(SYS_getresuid, &a, &b, &c);
	syscall(SYS_getresgid, &a, &b, &c);
	syscall(SYS_setresuid, -1, getuid(), -1);
	syscall(SYS_getgroups, 100, groups);
	syscall(SYS_getgroups, 0, NULL);
	syscall(SYS_capget, &h, d);
	syscall(SYS_capset, &h, d);
	h.version = 0;
	syscall(SYS_capget, &h, NULL);
	syscall(SYS_getpriority, PRIO_PROCESS, 0);
	syscall(SYS_setpriority, PRIO_PROCESS, 0, 1);
	syscall(SYS_ioprio_get, 1, 0);
	syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 5);
	syscall(SYS_ioprio_get, 1, 0);
	static const int asks[] = {PR_GET_PDEATHSIG, PR_GET_DUMPABLE, PR_GET_KEEPCAPS, PR_GET_TIMING, PR_GET_NAME, PR_GET_SECUREBITS, PR_GET_TIMERSLACK,
		PR_GET_CHILD_SUBREAPER, PR_GET_NO_NEW_PRIVS, PR_GET_TID_ADDRESS, PR_GET_THP_DISABLE, PR_GET_FPEXC, PR_GET_ENDIAN, PR_GET_TSC, PR_MCE_KILL_GET,
		PR_GET_SECCOMP, PR_GET_IO_FLUSHER, PR_GET_UNALIGN};
	for (int i = 0; i < 18; i++) {
		memset(name, 0, sizeof name);
		syscall(SYS_prctl, asks[i], name, 0L, 0L, 0L);
	}
	prctl(PR_SET_NAME, "a long name that is cut");
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	prctl(PR_GET_PDEATHSIG, &v);
	prctl(PR_SET_PDEATHSIG, 0);
	for (int i = 0; i < 4; i++)
		prctl(PR_GET_SPECULATION_CTRL, i, 0, 0, 0);
	prctl(PR_CAPBSET_READ, 21);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 3, 0, 0);
	syscall(SYS_get_robust_list, 0, &p, &n);
#ifdef __x86_64__
	unsigned long base;
	syscall(SYS_arch_prctl, 0x1003, &base);
	syscall(SYS_arch_prctl, 0x1011);
	syscall(SYS_arch_prctl, 0x1021, &base);
	syscall(SYS_arch_prctl, 0x1022, &base);
	syscall(SYS_arch_prctl, 0x4001, &base);
	char ldt[200];
	syscall(SYS_modify_ldt, 0, ldt, 200L);
#endif
	syscall(SYS_personality, -1L);
}

static void scheduling(void)
{
	struct sched_param sp = {0};
	struct { uint32_t size, policy; uint64_t flags; int32_t nice; uint32_t prio; uint64_t runtime, deadline, period; uint32_t min, max; } a;
	cpu_set_t set = {0};
	struct timespec ts;
	for (int i = 0; i < 8; i++) {
		syscall(SYS_sched_get_priority_max, i);
		syscall(SYS_sched_get_priority_min, i);
	}
	CHECK(sched_getscheduler(0) >= 0 && sched_getparam(0, &sp) == 0 && sched_rr_get_interval(0, &ts) == 0);
	CHECK(syscall(SYS_sched_getaffinity, 0, sizeof set, &set) > 0);
	syscall(SYS_sched_setaffinity, 0, sizeof set, &set);
	syscall(SYS_sched_getaffinity, 0, 8L, &set);
	syscall(SYS_sched_getattr, 0, &a, sizeof a, 0);
	syscall(SYS_sched_getattr, 0, &a, 48, 0);
	a.size = sizeof a;
	a.policy = SCHED_BATCH;
	a.nice = 5;
	syscall(SYS_sched_setattr, 0, &a, 0);
	syscall(SYS_sched_getattr, 0, &a, sizeof a, 0);
	CHECK(sched_setscheduler(0, SCHED_IDLE, &sp) == 0 && sched_getscheduler(0) == SCHED_IDLE);
	sp.sched_priority = 1;
	CHECK(sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &sp) == 0 || 1);
	CHECK(sched_getscheduler(0) >= 0);
	sp.sched_priority = 0;
	CHECK(sched_setscheduler(0, SCHED_OTHER, &sp) == 0);
}

static void children(void)
{
	struct { uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup; } a = {0};
	int pidfd = -1, ctid = 0, ptid = 0;
	pid_t tids[3] = {0};
	siginfo_t si;
	hold_sigchld();
	a.flags = CLONE_PIDFD | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
	a.pidfd = (uint64_t)&pidfd;
	a.child_tid = (uint64_t)&ctid;
	a.parent_tid = (uint64_t)&ptid;
	a.exit_signal = SIGCHLD;
	for (int i = 0; i < 6; i++) {
		long size = (long[]){sizeof a, sizeof a, sizeof a, 64, 88, 80}[i];
		if (i == 1)
			a.flags |= CLONE_CLEAR_SIGHAND;
		if (i == 2)
			a.flags |= CLONE_VFORK;
		if (i == 3)
			a.flags = 0;
		if (i == 4) { /* the number of the one before, that has ended */
			a.set_tid = (uint64_t)tids;
			a.set_tid_size = 1;
		}
		if (i == 5) {
			a.flags = CLONE_INTO_CGROUP;
			a.cgroup = -1;
			a.exit_signal = 0;
		}
		pid_t p = syscall(SYS_clone3, &a, size);
		if (p == 0)
			_exit(i);
		if (p < 0)
			continue;
		tids[0] = p;
		CHECK(syscall(SYS_waitid, P_PID, p, &si, WEXITED | __WALL, NULL) == 0 && si.si_status == i);
		if (a.flags & CLONE_PIDFD)
			close(pidfd);
	}
	pid_t p = syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, 0L, &pidfd, NULL, 0L);
	if (p == 0)
		_exit(9);
	CHECK(p > 0 && waitpid(p, NULL, 0) == p);
	close(pidfd);
	syscall(SYS_unshare, CLONE_FILES | CLONE_FS);
	int ns = open("/proc/self/ns/uts", O_RDONLY);
	syscall(SYS_setns, ns, CLONE_NEWUTS);
	close(ns);
}

static void keys(void)
{
	char buf[200];
	long ring = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, "sysreel-states");
	if (ring < 0)
		return;
	long key = syscall(SYS_add_key, "user", "sysreel:one", "payload of the key", 18L, KEY_SPEC_PROCESS_KEYRING);
	syscall(SYS_keyctl, KEYCTL_DESCRIBE, key, buf, sizeof buf);
	syscall(SYS_keyctl, KEYCTL_DESCRIBE, key, NULL, 0L);
	syscall(SYS_keyctl, KEYCTL_READ, key, buf, sizeof buf);
	syscall(SYS_keyctl, KEYCTL_UPDATE, key, "another", 7L);
	syscall(SYS_keyctl, KEYCTL_READ, key, buf, 3L);
	syscall(SYS_keyctl, KEYCTL_SETPERM, key, 0x3f3f0000L);
	syscall(SYS_keyctl, KEYCTL_SET_TIMEOUT, key, 100L);
	syscall(SYS_keyctl, KEYCTL_LINK, key, ring);
	syscall(SYS_keyctl, KEYCTL_READ, ring, NULL, 0L);
	syscall(SYS_keyctl, KEYCTL_SEARCH, ring, "user", "sysreel:one", 0L);
	syscall(SYS_request_key, "user", "sysreel:one", NULL, 0L);
	syscall(SYS_request_key, "user", "sysreel:none", NULL, 0L);
	syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0L);
	syscall(SYS_keyctl, KEYCTL_GET_SECURITY, key, buf, sizeof buf);
	syscall(SYS_keyctl, 31 /* KEYCTL_CAPABILITIES */, buf, sizeof buf);
	syscall(SYS_keyctl, KEYCTL_UNLINK, key, ring);
	syscall(SYS_keyctl, KEYCTL_REVOKE, key);
	syscall(SYS_keyctl, KEYCTL_READ, key, buf, sizeof buf);
	syscall(SYS_keyctl, KEYCTL_INVALIDATE, key);
	syscall(SYS_keyctl, KEYCTL_CLEAR, ring);
}

static void waiting(void)
{
	static uint32_t word = 5, other = 7;
	struct timespec past = {0, 1000}, now;
	struct { uint64_t val, uaddr; uint32_t flags, reserved; } w[2] = {{5, (uint64_t)&word, 2 | 0x80}, {7, (uint64_t)&other, 2}};
	CHECK(syscall(SYS_futex, &word, 0x80, 5, &past, NULL, 0) == -1 && errno == ETIMEDOUT);
	CHECK(syscall(SYS_futex, &word, 0x80, 6, NULL, NULL, 0) == -1 && errno == EAGAIN);
	CHECK(syscall(SYS_futex, &word, 0x81, 1, NULL, NULL, 0) == 0);
	CHECK(syscall(SYS_futex, &word, 0x84, 1, 1, &other, 5) == 0);
	CHECK(syscall(SYS_futex, &word, 0x85, 1, 1, &other, 1 << 28 | 3 << 12) == 0);
	clock_gettime(CLOCK_MONOTONIC, &now);
	syscall(449, w, 2, 0, &now, CLOCK_MONOTONIC); /* futex_waitv */
	w[1].val = 0;
	syscall(449, w, 2, 0, NULL, 0);
	syscall(454, &word, -1L, 1, 0x82); /* futex_wake */
	syscall(455, &word, 5L, -1L, 0x82, &now, CLOCK_MONOTONIC); /* futex_wait */
	w[0].val = 3;
	syscall(456, w, 0, 1, 1); /* futex_requeue */
	syscall(SYS_quotactl, 0x80000700, "/dev/null", 0, &now);
	syscall(443, -1, 0x80000700, 0, &now); /* quotactl_fd */
}

int main(void)
{
	kernel();
	process();
	scheduling();
	children();
	keys();
	waiting();
	return ok();
}
