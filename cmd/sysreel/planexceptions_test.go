package main

import (
	"strings"

	"sysreel/proto/syscalls"
)

// theirOwn are the calls whose text is held against strace's elsewhere, by
// programs that know their operations.
var theirOwn = map[string]string{
	"ioctl": "ioctls.c", "setsockopt": "sockopts.c", "getsockopt": "sockopts.c", "bpf": "bpf.c", "keyctl": "keyctl.c",
}

// otherwise are the lines that replay writes in another way. All others must be
// the same to the letter.
var otherwise = []difference{
	{lines: `^p?poll(?:_time64)?\(\[(?:\{[^}]*\}, ){64}`, why: "of so many descriptors -y names none"},
	{lines: `^sendm?msg\(.*msg_controllen=(?:18446744073709551615|4294967295)\b`, why: "strace shows all that there is in memory: here 64 KiB of it are kept"},
	{lines: `^sendmmsg\(.*(?:msg_iovlen|iov_len)=(?:18446744073709551615|4294967295)\b`, why: "more than there is memory: what is kept of it is shown"},
	{lines: `^lsm_get_self_attr\(.*, 0x20ffff`, why: "less than a struct lsm_ctx can be read: the number in it is shown"},
	{lines: `^ptrace\(PTRACE_(?:PEEK|POKE)USER, -?\d+, (?:8\*|offsetof)`, why: "strace names the registers of a program of 64 bits in one of 32", arch: syscalls.I386},
	{lines: `^socket\(AF_(?:INET6?|NETLINK|PACKET|BLUETOOTH|AX25|ISDN|CAN|CAIF|NFC|PHONET|KCM|SMC|RXRPC|IRDA), [^,]+, \d+\) = `, why: "of the family strace takes all 64 bits into account, the kernel 32", arch: syscalls.AMD64},
	{lines: `^socket\(AF_IRDA, [^,]+, CAN_`, why: "strace takes names of another family"},
	{lines: `^(?:msgget|semget)\(.*, 0x[0-9a-f]+0[0-7]{2,3}\) = `, why: "between flags that all have no name and the mode strace forgets the |"},
	{lines: `^rt_sigaction\(.*\b0x20ffffe8\b`, why: "strace reads 8 bytes more than a struct sigaction of 32 bits has", arch: syscalls.I386},
	{lines: `^ptrace\(PTRACE_SECCOMP_GET_METADATA, .*\{filter_off=.* = -1 E`, why: "what the caller asked for is not kept of a call that failed"},
	{lines: `^name_to_handle_at\(.* => \d+\}, .* = -1 EOVERFLOW`, why: "the size that it takes was not kept when testdata/strace72's was recorded", arch: syscalls.ARM64},

	{lines: `^(?:mbind|get_mempolicy|move_pages)\(.* /\* MPOL_\?\?\? \*/`, why: "MPOL_F_??? and MPOL_MF_??? now", before: "7.2"},
	{lines: `^quotactl(?:_fd)?\(.* /\* QFMT_VFS_\?\?\? \*/`, why: "QFMT_??? now", before: "7.2"},
	{lines: `^reboot\(.* /\* LINUX_REBOOT_MAGIC_\?\?\? \*/`, why: "LINUX_REBOOT_MAGIC1??? and LINUX_REBOOT_MAGIC2??? now", before: "7.2"},
	{lines: `^seccomp\(0x[0-9a-f]+ /\* SECCOMP_SET_MODE_\?\?\? \*/`, why: "SECCOMP_??? now", before: "7.2"},
	{lines: `^name_to_handle_at\(.*[ |]0x1\b`, why: "AT_HANDLE_MNT_ID_UNIQUE, of which the mount's number is another", before: "7.2"},
	{lines: `^pidfd_send_signal\(.*, 0x[0-9a-f]+\) = `, why: "flags are named now", before: "7.2"},
	{lines: `^(?:fsmount|mount_setattr)\(.*MOUNT_ATTR_STRICTATIME`, why: "two flags where there is a field, MOUNT_ATTR__ATIME", before: "7.2"},
	{lines: `^sched_[gs]etattr\(.*, \d+\) = `, why: "flags are hexadecimal now", before: "7.2"},
	{lines: `^sendfile(?:64)?\(.*\] => \[`, why: "[1 => 2] now", before: "7.2"},
	{lines: `^io_uring_enter\(.*IORING_ENTER_EXT_ARG`, why: "arguments that strace 6.1 takes for signals", before: "7.2"},
	{lines: `^sched_setscheduler\(.* 0x4[0-9a-f]{7} /\* SCHED_\?\?\? \*/`, why: "SCHED_RESET_ON_FORK, and a policy", before: "7.2"},
	{lines: `^msgrcv\(-?\d+, 0x[0-9a-f]+, \d+, [^,]*\) = `, why: "strace 6.1 looks for struct ipc_kludge elsewhere", before: "7.2", arch: syscalls.I386},
	{lines: `^sendm{1,2}sg\(.*cmsg_level=0x[0-9a-f]+ /\* SOL_\?\?\? \*/, cmsg_type=0x[0-9a-f]+\}`, why: "data of messages that are not known is shown now", before: "7.2"},
	{lines: `^(?:open_tree|execveat)\(.*\bAT_REMOVEDIR\b`, why: "only flags of the call have names now", before: "7.2"},
	{lines: `^landlock_add_rule\(.*, 0x[0-9a-f]+\) = `, why: "LANDLOCK_ADD_RULE_??? now", before: "7.2"},
	{lines: `^io_uring_register\(.*IORING_UNREGISTER_PBUF_RING, \{`, why: "an address now where it is not one that is given", before: "7.2"},
	{lines: `^renameat2\(.* /\* RENAME_\?\? \*/`, why: "RENAME_??? now", before: "7.2"},
	{lines: `^fanotify_mark\(.*FAN_ONDIR\|FAN_EVENT_ON_CHILD`, why: "in another order", before: "7.2"},
	{lines: `^rseq\(0x[0-9a-f]+, 0x`, why: "the structure is shown now, and a name for its flags", before: "7.2"},
	{lines: `^landlock_create_ruleset\(\{.*, \.\.\.\}, `, why: "members that strace 6.1 does not have", before: "7.2"},
	{lines: `^landlock_add_rule\(.* /\* LANDLOCK_RULE_\?\?\? \*/`, why: "LANDLOCK_RULE_NET_PORT", before: "7.2"},
	{lines: `^prctl\(0x[0-9a-f]+ /\* PR_\?\?\? \*/`, why: "options with arguments of their own", before: "7.2"},
	{lines: `^ptrace\(0x[0-9a-f]+ /\* PTRACE_\?\?\? \*/`, why: "PTRACE_SET_SYSCALL_INFO", before: "7.2"},
	{lines: `^fcntl(?:64)?\(-?\d+, 0x4[01][0-9a-f] /\* F_\?\?\? \*/`, why: "commands with arguments of their own: F_DUPFD_QUERY, F_GET_RW_HINT, F_SETDELEG", before: "7.2"},
	{lines: `^fanotify_mark\(.*FAN_MARK_IGNORED_SURV_MODIFY\|FAN_MARK_FILESYSTEM`, why: "in another order", before: "7.2"},
	{lines: `^futex_waitv\(.*flags=(?:0x[0-9a-f]+ /\* FUTEX_|FUTEX_32)`, why: "flags have other names", before: "7.2"},
	{lines: `^io_uring_register\(\d+, 0x[0-9a-f]+ /\* IORING_REGISTER_\?\?\? \*/`, why: "operations that strace 6.1 does not know", before: "7.2"},
	{lines: `^io_uring_register\(.*\bresv=\[`, why: "members that were reserved have got names", before: "7.2"},
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
