package main

// processOperations are programs of calls on processes, signals, mounts and the
// kernel itself.
var processOperations = []operation{
	{prog: "futexes", calls: `futex\w*|clone3?`, lines: 5500, differ: []difference{
		{lines: `FUTEX_FD\|FUTEX_PRIVATE_FLAG`, why: "a name for it", before: "7.2"},
		{lines: `^futex\(\w+, 0x[26]\w\w /\* FUTEX_\?\?\?`, why: "robust unlocking, which strace 6.1 does not know", before: "7.2"},
		{lines: `^futex_waitv\(\[`, why: "flags by other names", before: "7.2"},
		{lines: `^clone3\(.*\|0x7ffc0040007c`, why: "flags newer than strace 6.1", before: "7.2"},
		{lines: `^clone3\(.*CLONE_\?\?\?`, why: "the same", before: "7.2"},
	}},
	{prog: "prctls", calls: `prctl`, lines: 10000, differ: []difference{
		{lines: `^prctl\(0x`, why: "options that strace 6.1 does not know", before: "7.2"},
		{lines: `SECBIT_\?\?\?|SECBIT_.*\|0x|PR_SYS_DISPATCH_`, why: "constants that strace 6.1 does not know", before: "7.2"},
		{lines: `^prctl\(PR_SCHED_CORE, .*, NULL\)`, why: "the last argument was an address", before: "7.2"},
	}},
	{prog: "infos", calls: `(?:rt_)?(?:tg)?sig\w+|kill|tgkill|tkill|waitid|pidfd_send_signal`, lines: 9500, differ: []difference{
		{lines: `^pidfd_send_signal\(.*, 0x\w+\)`, why: "flags that strace 6.1 does not know", before: "7.2"},
		{lines: `SIGSEGV, si_code=0xa`, why: "SEGV_CPERR, which strace 6.1 does not know", before: "7.2"},
	}},
	{prog: "filters", calls: `prctl|seccomp|[gs]etsockopt`, lines: 3000, differ: filterDifferences},
	{prog: "filters", calls: `prctl|seccomp|[gs]etsockopt`, lines: 3000, differ: filterDifferences, option: "-v"},
	{prog: "mounts", calls: mountCalls, lines: 1500, differ: mountDifferences},
	{prog: "mounts", calls: mountCalls, lines: 1500, differ: mountDifferences, option: "-v"},
	{prog: "newer", calls: newerCalls, lines: 1500, differ: newerDifferences},
	{prog: "newer", calls: newerCalls, lines: 1500, differ: newerDifferences, option: "-v"},
}

const (
	mountCalls = `u?mount2?|mount_setattr|move_mount|open_tree\w*|fs(?:open|config|mount|pick)|statmount|list(?:mount|ns)|landlock_\w+`
	newerCalls = `statx|openat2|lsm_\w+|map_shadow_stack|mseal|memfd_\w+|process_m\w+|pidfd_\w+|rseq\w*|membarrier|kcmp|kexec_\w+|mlock2|cachestat|` +
		`\w+_handle_at|\w+xattrat|file_[gs]etattr`
)

var filterDifferences = []difference{
	{lines: `BPF_(?:W|H|B|DW)\|0xc0 /\* BPF_\?\?\? \*/|BPF_JMP\|BPF_[KX]\|0xe0`, why: "BPF_XADD and BPF_JCOND, which strace 6.1 does not know", before: "7.2"},
	{lines: `^seccomp\(0x\w+ /\* SECCOMP_SET_MODE_\?\?\?`, why: "a comment of today", before: "7.2"},
}

var mountDifferences = []difference{
	{lines: `MOUNT_ATTR_(?:NOATIME\|MOUNT_ATTR_STRICTATIME|\?\?\?)|^fsmount\(.*\|0x\w+`, why: "flags of mounts that strace 6.1 does not know", before: "7.2"},
	{lines: `(?:OPEN_TREE|FSMOUNT|FSCONFIG|LANDLOCK_\w+)_\?\?\? \*/|OPEN_TREE_CLO\w+\|.*0x|^move_mount\(.*\|0x`, why: "constants that strace 6.1 does not know", before: "7.2"},
	{lines: `^landlock_`, why: "Landlock has grown since strace 6.1", before: "7.2"},
	{lines: `^mount_setattr\(.*propagation=0 |, 4096, MS_`, why: "the same", before: "7.2"},
}

var newerDifferences = []difference{
	{lines: `^statx\(`, why: "members and the choice of them", before: "7.2"},
	{lines: `^openat2\(`, why: "flags, and the mode where there is none", before: "7.2"},
	{lines: `^(?:rseq|memfd_create|membarrier|pidfd_open|kexec_\w+|name_to_handle_at)\(.*(?:_\?\?\? \*/|\|0x\w+)`, why: "flags that strace 6.1 does not know", before: "7.2"},
	{lines: `^rseq\(`, why: "not described by strace 6.1", before: "7.2"},
	{lines: `^process_madvise\(.*MADV_`, why: "advice by name that is another number on some architectures", before: "7.2"},
}
