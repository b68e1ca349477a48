package main

import "strings"

// theirOwn are the calls whose text is held against strace's elsewhere, by
// programs that know their operations.
var theirOwn = map[string]string{
	"ioctl": "ioctls.c", "setsockopt": "sockopts.c", "getsockopt": "sockopts.c", "bpf": "bpf.c", "keyctl": "keyctl.c",
}

// otherwise are the lines that replay writes in another way. All others must be
// the same to the letter.
var otherwise = []difference{
	{lines: `^sendmmsg\(.*= -1 E`, why: "what a call that failed would have sent is not recorded"},

	{lines: `^(?:mbind|get_mempolicy|move_pages)\(.* /\* MPOL_\?\?\? \*/`, why: "MPOL_F_??? and MPOL_MF_??? now", before: "7.2"},
	{lines: `^quotactl_fd\(.* /\* QFMT_VFS_\?\?\? \*/`, why: "QFMT_??? now", before: "7.2"},
	{lines: `^reboot\(.* /\* LINUX_REBOOT_MAGIC_\?\?\? \*/`, why: "LINUX_REBOOT_MAGIC1??? and LINUX_REBOOT_MAGIC2??? now", before: "7.2"},
	{lines: `^seccomp\(0x[0-9a-f]+ /\* SECCOMP_SET_MODE_\?\?\? \*/`, why: "SECCOMP_??? now", before: "7.2"},
	{lines: `^name_to_handle_at\(.*[ |]0x1\b`, why: "AT_HANDLE_MNT_ID_UNIQUE, of which the mount's number is another", before: "7.2"},
	{lines: `^pidfd_send_signal\(.*, 0x[0-9a-f]+\) = `, why: "flags are named now", before: "7.2"},
	{lines: `^fsmount\(.*MOUNT_ATTR_STRICTATIME`, why: "two flags where there is a field, MOUNT_ATTR__ATIME", before: "7.2"},
	{lines: `^sched_[gs]etattr\(.*, \d+\) = `, why: "flags are hexadecimal now", before: "7.2"},
	{lines: `^sendfile(?:64)?\(.*\] => \[`, why: "[1 => 2] now", before: "7.2"},
	{lines: `^io_uring_enter\(.*(?:sigmask|ts)=0x[0-9a-f]{9}`, why: "addresses of 64 bits in a program of 32"},
	{lines: `^io_uring_enter\(.*IORING_ENTER_EXT_ARG`, why: "arguments that strace 6.1 takes for signals", before: "7.2"},
	{lines: `^rseq\(0x[0-9a-f]+, 0x`, why: "the structure is shown now, and a name for its flags", before: "7.2"},

	{lines: `^fcntl(?:64)?\(`, why: "not as strace 7.2 yet"},
	{lines: `^(?:file_getattr|file_setattr|fsconfig|futex|futex_requeue|futex_waitv|getxattrat|kexec_load|landlock_add_rule|landlock_create_ruleset|listmount|listns|listxattrat|lsm_get_self_attr|lsm_set_self_attr|mount|mount_setattr|open_tree|open_tree_attr|prctl|ptrace|removexattrat|setxattrat|statmount)\(`, why: "not as strace 7.2 yet"},
	{lines: `^(?:io_uring_register|perf_event_open)\(`, why: "not as strace 7.2 yet"},
	{lines: `^sendmsg\(`, why: "not as strace 7.2 yet"},
}

// everyTime are the calls that tell what is otherwise every time: times, inode
// numbers, what is free. Their lines are compared with any number or text taken
// for any other.
var everyTime = map[string]bool{}

func init() {
	for _, n := range strings.Fields(`add_key clock_adjtime clock_getres clock_gettime fstat fstatfs getcpu getrandom getrusage gettimeofday
		lstat mincore msgctl name_to_handle_at newfstatat semctl shmctl stat statfs statx sysinfo time times adjtimex getdents getdents64
		stat64 lstat64 fstat64 fstatat64 statfs64 fstatfs64 clock_gettime64 clock_adjtime64 oldstat oldlstat oldfstat ustat getpid gettid getppid
		set_tid_address getpgrp getpgid getsid setsid sched_rr_get_interval getitimer setitimer timer_gettime timer_settime alarm io_uring_setup`) {
		everyTime[n] = true
	}
}
