package diff

import (
	"slices"
	"strings"

	"sysreel/proto/syscalls"
)

// families groups calls that do the same, and says what a difference of them
// means: "class family: names". A name that is not here is an effect and a
// family of its own.
var families = parseFamilies(`
effect open: open openat openat2 creat
effect stat: stat stat64 lstat lstat64 newfstatat fstatat64 fstat fstat64 statx oldstat oldlstat oldfstat
effect access: access faccessat faccessat2
effect readlink: readlink readlinkat
effect list: getdents getdents64
effect unlink: unlink unlinkat rmdir
effect rename: rename renameat renameat2
effect mkdir: mkdir mkdirat
effect mknod: mknod mknodat
effect link: link linkat
effect symlink: symlink symlinkat
effect chmod: chmod fchmod fchmodat fchmodat2
effect chown: chown fchown lchown fchownat chown32 fchown32 lchown32
effect utimes: utime utimes futimesat utimensat utimensat_time64
effect truncate: truncate ftruncate truncate64 ftruncate64
effect statfs: statfs fstatfs statfs64 fstatfs64
effect getxattr: getxattr lgetxattr fgetxattr
effect exec: execve execveat
effect fork: fork vfork clone clone3
effect pipe: pipe pipe2
effect socketpair: socketpair
effect lock: flock
effect sync: fsync fdatasync syncfs sync sync_file_range msync
effect setuid: setuid setresuid setreuid setfsuid setuid32 setresuid32 setreuid32
effect setgid: setgid setresgid setregid setfsgid setgid32 setresgid32 setregid32
effect getrlimit: getrlimit ugetrlimit
effect setrlimit: setrlimit
effect rlimit: prlimit64
effect kill: kill tkill tgkill pidfd_send_signal
effect exit: exit_group exit
stream read: read readv pread64 preadv preadv2
stream write: write writev pwrite64 pwritev pwritev2
stream recv: recv recvfrom recvmsg recvmmsg
stream send: send sendto sendmsg sendmmsg
stream copy: sendfile sendfile64 splice tee vmsplice copy_file_range
stream accept: accept accept4
wait poll: poll ppoll ppoll_time64 select _newselect pselect6 pselect6_time64 epoll_wait epoll_pwait epoll_pwait2
wait wait: wait4 waitpid waitid
wait sleep: nanosleep clock_nanosleep clock_nanosleep_time64 pause
wait futex: futex futex_time64 futex_wait futex_waitv
wait sigwait: rt_sigtimedwait rt_sigtimedwait_time64 rt_sigsuspend sigsuspend
wait events: io_getevents io_pgetevents io_uring_enter
wait semop: semop semtimedop msgrcv msgsnd mq_timedreceive mq_timedsend
wait restart: restart_syscall
quiet memory: brk mmap mmap2 munmap mprotect mremap madvise mincore mlock mlock2 munlock membarrier pkey_alloc pkey_free pkey_mprotect mbind set_mempolicy get_mempolicy
quiet signals: rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigqueueinfo sigaltstack sigaction sigprocmask sigreturn signalfd signalfd4
quiet clock: clock_gettime clock_getres gettimeofday time times clock_gettime64 getitimer setitimer alarm timer_create timer_settime timer_gettime timer_delete timerfd_create timerfd_settime timerfd_gettime getrusage getcpu
quiet sched: sched_yield sched_getaffinity sched_setaffinity sched_getparam sched_setparam sched_getscheduler sched_setscheduler sched_get_priority_max sched_get_priority_min getpriority setpriority ioprio_get ioprio_set
quiet identity: getpid gettid getppid getpgrp getpgid getsid getuid geteuid getgid getegid getuid32 geteuid32 getgid32 getegid32 getresuid getresgid getgroups
quiet thread: set_tid_address set_robust_list get_robust_list rseq arch_prctl set_thread_area get_thread_area futex_wake futex_requeue prctl
quiet descriptors: close close_range dup dup2 dup3 fcntl fcntl64 lseek _llseek epoll_create epoll_create1 epoll_ctl eventfd eventfd2 inotify_init inotify_init1 fadvise64 fadvise64_64 readahead ioctl pidfd_open umask getcwd
quiet system: uname sysinfo getrandom capget
quiet sockets: getsockname getpeername getsockopt setsockopt shutdown
quiet session: setpgid setsid
quiet locks: semget shmget shmat shmdt shmctl semctl msgget msgctl
`)

type family struct {
	name  string
	class class
}

func parseFamilies(table string) map[string]family {
	classes := map[string]class{"effect": effect, "stream": stream, "wait": wait, "quiet": quiet}
	m := map[string]family{}
	for line := range strings.Lines(strings.TrimSpace(table)) {
		head, calls, _ := strings.Cut(line, ":")
		cl, name, _ := strings.Cut(head, " ")
		for _, c := range strings.Fields(calls) {
			m[c] = family{name, classes[cl]}
		}
	}
	return m
}

// familyOf returns the family of a call. Variants of calls that do many
// things may be of another class than the call itself.
func familyOf(name, variant string) family {
	switch {
	case strings.HasPrefix(name, "fcntl") && (strings.HasPrefix(variant, "SETLK") || strings.HasPrefix(variant, "OFD_SETLK")):
		return family{"lock", effect}
	}
	if f, ok := families[name]; ok {
		return f
	}
	return family{name, effect}
}

// timing are the errors by which a call says "not now".
var timing = map[string][]string{
	"read":    {"EAGAIN", "EINTR"},
	"write":   {"EAGAIN", "EINTR"},
	"recv":    {"EAGAIN", "EINTR"},
	"send":    {"EAGAIN", "EINTR"},
	"copy":    {"EAGAIN", "EINTR"},
	"accept":  {"EAGAIN", "EINTR"},
	"poll":    {"EINTR"},
	"wait":    {"EINTR", "ECHILD"},
	"sleep":   {"EINTR"},
	"futex":   {"EAGAIN", "EINTR", "ETIMEDOUT"},
	"sigwait": {"EAGAIN", "EINTR"},
	"semop":   {"EINTR"},
	"restart": {"EINTR"},
	"events":  {"EINTR", "EAGAIN"},
	"rename":  {},
}

// usual are errors of quiet calls that say nothing about the health of a
// program: questions that are answered with an error.
var usual = map[string][]string{
	"ioctl":        {"ENOTTY", "EINVAL", "ENXIO"},
	"lseek":        {"ESPIPE", "ENXIO"},
	"_llseek":      {"ESPIPE"},
	"close":        {"EBADF"},
	"fcntl":        {"EBADF"},
	"epoll_ctl":    {"EPERM", "EEXIST", "ENOENT", "EBADF"},
	"getpeername":  {"ENOTCONN", "ENOTSOCK"},
	"getsockname":  {"ENOTSOCK"},
	"getsockopt":   {"ENOTSOCK", "ENOPROTOOPT", "EOPNOTSUPP"},
	"shutdown":     {"ENOTCONN"},
	"prctl":        {"EINVAL"},
	"arch_prctl":   {"EINVAL"},
	"setpgid":      {"EACCES", "ESRCH", "EPERM"},
	"mincore":      {"ENOMEM"},
	"madvise":      {"EINVAL"},
	"rt_sigaction": {"EINVAL"},
	"getcwd":       {},
}

// noResult are calls whose "result" is not one: rt_sigreturn brings back the
// registers of what was interrupted.
var noResult = map[string]bool{"rt_sigreturn": true, "sigreturn": true}

// notable reports whether a failed call of the family is worth comparing.
func notable(f family, name, errno string) bool {
	if noResult[name] {
		return false
	}
	if f.class == quiet {
		return !slices.Contains(usual[name], errno) && errno != "EAGAIN" && errno != "EINTR"
	}
	return !slices.Contains(timing[f.name], errno)
}

// openFlags are the flags of open(2) that change what it does to the file and
// have the same value on every architecture (include/uapi/asm-generic/fcntl.h).
const (
	oAccMode  = 0o3
	oCreat    = 0o100
	oExcl     = 0o200
	oTrunc    = 0o1000
	oAppend   = 0o2000
	openFlags = oAccMode | oCreat | oExcl | oTrunc | oAppend
)

// openWord says what an open is for.
func openWord(flags uint64) string {
	var b strings.Builder
	b.WriteString([]string{"r", "w", "rw", "3"}[flags&oAccMode])
	for _, f := range []struct {
		bit  uint64
		word string
	}{{oCreat, "+creat"}, {oExcl, "+excl"}, {oTrunc, "+trunc"}, {oAppend, "+append"}} {
		if flags&f.bit != 0 {
			b.WriteString(f.word)
		}
	}
	return b.String()
}

// isPath reports whether an argument of the type names a file.
func isPath(t *syscalls.Type) bool {
	if t.Kind == syscalls.Pointer && t.Dir == syscalls.In && t.Elem != nil {
		t = t.Elem
	}
	return t.Kind == syscalls.String && t.Name == "path"
}
