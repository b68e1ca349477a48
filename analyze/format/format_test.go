package format

import (
	"strings"
	"testing"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

const cwdFD = 0xffffffffffffff9c

// u makes a system-call argument of a signed number.
func u(v int64) uint64 { return uint64(v) }

var tests = []struct {
	want  string // as strace prints it, without padding
	call  string
	args  [6]uint64
	ret   int64
	enter memoryAt
	exit  memoryAt
	o     Options
}{
	{
		want: `openat(AT_FDCWD, "/etc/passwd", O_RDONLY|O_CLOEXEC) = 3`,
		call: "openat", args: [6]uint64{cwdFD, 0x1000, 0o2000000}, ret: 3,
		enter: memoryAt{0x1000: []byte("/etc/passwd\x00")},
	}, {
		want: `openat(AT_FDCWD, "x", O_WRONLY|O_CREAT|O_TRUNC, 0666) = -1 EACCES (Permission denied)`,
		call: "openat", args: [6]uint64{cwdFD, 0x1000, 0o1101, 0o666}, ret: -13,
		enter: memoryAt{0x1000: []byte("x\x00")},
	}, {
		want: `openat(5, 0x1000, O_RDONLY|O_DIRECTORY) = -1 EFAULT (Bad address)`,
		call: "openat", args: [6]uint64{5, 0x1000, 0o200000}, ret: -14,
	}, {
		want: `read(3, "\177ELF\2\1\1\3\0\0\0\0\0\0\0\0\3\0>\0\1\0\0\0\20t\2\0\0\0\0\0"..., 832) = 832`,
		call: "read", args: [6]uint64{3, 0x1000, 832}, ret: 832,
		exit: memoryAt{0x1000: []byte("\x7fELF\x02\x01\x01\x03\x00\x00\x00\x00\x00\x00\x00\x00\x03\x00>\x00\x01\x00\x00\x00\x10t\x02\x00\x00\x00\x00\x00" + strings.Repeat("x", 800))},
	}, {
		want: `read(3, "", 100) = 0`,
		call: "read", args: [6]uint64{3, 0x1000, 100}, ret: 0,
	}, {
		want: `read(3, 0x1000, 100) = -1 EAGAIN (Resource temporarily unavailable)`,
		call: "read", args: [6]uint64{3, 0x1000, 100}, ret: -11,
	}, {
		want: `read(3, 0x1000, 100) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)`,
		call: "read", args: [6]uint64{3, 0x1000, 100}, ret: -512,
	}, {
		want: `write(1, NULL, 0) = 0`,
		call: "write", args: [6]uint64{1, 0, 0}, ret: 0,
	}, {
		want: `write(1, "\0001\08\0a\33[1m\177\3779\\\"\t\n\v\f\r\10\7", 22) = 22`,
		call: "write", args: [6]uint64{1, 0x1000, 22}, ret: 22,
		enter: memoryAt{0x1000: []byte("\x001\x008\x00a\x1b[1m\x7f\xff9\\\"\t\n\v\f\r\x08\x07")},
	}, {
		want: `write(1, "ab", 2) = 2`, o: Options{Hex: HexNonASCII},
		call: "write", args: [6]uint64{1, 0x1000, 2}, ret: 2, enter: memoryAt{0x1000: []byte("ab")},
	}, {
		want: `write(1, "\x61\x00", 2) = 2`, o: Options{Hex: HexNonASCII},
		call: "write", args: [6]uint64{1, 0x1000, 2}, ret: 2, enter: memoryAt{0x1000: []byte("a\x00")},
	}, {
		want: `mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f5b79f16000`,
		call: "mmap", args: [6]uint64{0, 8192, 3, 0x22, u(-1), 0}, ret: 0x7f5b79f16000,
	}, {
		want: `mmap(0x7f5b79d50000, 1400832, PROT_READ|PROT_EXEC, MAP_PRIVATE|MAP_FIXED|MAP_DENYWRITE, 3, 0x26000) = 0x7f5b79d50000`,
		call: "mmap", args: [6]uint64{0x7f5b79d50000, 1400832, 5, 0x812, 3, 0x26000}, ret: 0x7f5b79d50000,
	}, {
		want: `brk(NULL) = 0x55ffbbe82000`,
		call: "brk", ret: 0x55ffbbe82000,
	}, {
		want: `newfstatat(3, "", {st_mode=S_IFREG|0644, st_size=37235, ...}, AT_EMPTY_PATH) = 0`,
		call: "newfstatat", args: [6]uint64{3, 0x1000, 0x2000, 0x1000},
		enter: memoryAt{0x1000: []byte{0}}, exit: memoryAt{0x2000: statBytes},
	}, {
		want: `newfstatat(3, "", {st_dev=makedev(0xfe, 0), st_ino=9978065, st_mode=S_IFREG|0644, st_nlink=1, st_uid=0, st_gid=0, st_blksize=4096, st_blocks=8, st_size=37235, st_atime=1795385798 /* 2026-11-22T22:16:38.238671911+0000 */, st_atime_nsec=238671911, st_mtime=1778312084 /* 2026-05-09T07:34:44+0000 */, st_mtime_nsec=0, st_ctime=0, st_ctime_nsec=0}, AT_EMPTY_PATH) = 0`,
		call: "newfstatat", args: [6]uint64{3, 0x1000, 0x2000, 0x1000}, o: Options{Verbose: true},
		enter: memoryAt{0x1000: []byte{0}}, exit: memoryAt{0x2000: statBytes},
	}, {
		want: `execve("/bin/true", ["true", "-x"], 0x3000 /* 2 vars */) = 0`,
		call: "execve", args: [6]uint64{0x1000, 0x2000, 0x3000},
		enter: execMemory,
	}, {
		want: `execve("/bin/true", ["true", "-x"], ["A=1", "B=2"]) = 0`,
		call: "execve", args: [6]uint64{0x1000, 0x2000, 0x3000}, o: Options{Verbose: true},
		enter: execMemory,
	}, {
		want: `wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 0}], 0, NULL) = 8040`,
		call: "wait4", args: [6]uint64{u(-1), 0x1000, 0, 0}, ret: 8040, exit: memoryAt{0x1000: bin(0)},
	}, {
		want: `wait4(-1, 0x1000, WNOHANG, NULL) = 0`,
		call: "wait4", args: [6]uint64{u(-1), 0x1000, 1, 0}, ret: 0, exit: memoryAt{0x1000: bin(77)},
	}, {
		want: `wait4(5, [{WIFSIGNALED(s) && WTERMSIG(s) == SIGSEGV && WCOREDUMP(s)}], WSTOPPED, NULL) = 5`,
		call: "wait4", args: [6]uint64{5, 0x1000, 2, 0}, ret: 5, exit: memoryAt{0x1000: bin(0x8b)},
	}, {
		want: `rt_sigprocmask(SIG_BLOCK, [INT CHLD], ~[KILL STOP], 8) = 0`,
		call: "rt_sigprocmask", args: [6]uint64{0, 0x1000, 0x2000, 8},
		enter: memoryAt{0x1000: bin(uint64(1<<1 | 1<<16))}, exit: memoryAt{0x2000: bin(^uint64(1<<8 | 1<<18))},
	}, {
		want: `rt_sigaction(SIGRT_30, {sa_handler=SIG_DFL, sa_mask=[], sa_flags=SA_RESTORER, sa_restorer=0x7fc77c650050}, NULL, 8) = 0`,
		call: "rt_sigaction", args: [6]uint64{62, 0x1000, 0, 8},
		enter: memoryAt{0x1000: bin(uint64(0), uint64(0x4000000), uint64(0x7fc77c650050), uint64(0))},
	}, {
		want: `rt_sigaction(SIGRT_30, NULL, {sa_handler=SIG_DFL, sa_mask=[], sa_flags=0}, 8) = 0`,
		call: "rt_sigaction", args: [6]uint64{62, 0, 0x1000, 8},
		exit: memoryAt{0x1000: bin(uint64(0), uint64(0), uint64(0), uint64(0))},
	}, {
		want: `clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f0000000a10) = 7`,
		call: "clone", args: [6]uint64{0x1200011, 0, 0, 0x7f0000000a10}, ret: 7,
	}, {
		want: `connect(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}, 16) = -1 EINPROGRESS (Operation now in progress)`,
		call: "connect", args: [6]uint64{3, 0x1000, 16}, ret: -115,
		enter: memoryAt{0x1000: bin(uint16(2), "\x00\x50\x7f\x00\x00\x01", uint64(0))},
	}, {
		want: `connect(3, {sa_family=AF_INET6, sin6_port=htons(80), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "::1", &sin6_addr), sin6_scope_id=0}, 28) = 0`,
		call: "connect", args: [6]uint64{3, 0x1000, 28},
		enter: memoryAt{0x1000: bin(uint16(10), "\x00\x50", 0, uint64(0), uint64(1<<56), 0)},
	}, {
		want: `connect(3, {sa_family=AF_UNIX, sun_path="/run/nscd/socket"}, 110) = -1 ENOENT (No such file or directory)`,
		call: "connect", args: [6]uint64{3, 0x1000, 110}, ret: -2,
		enter: memoryAt{0x1000: append(bin(uint16(1), "/run/nscd/socket\x00"), make([]byte, 91)...)},
	}, {
		want: `connect(3, {sa_family=AF_UNIX, sun_path=@"dbus"}, 7) = 0`,
		call: "connect", args: [6]uint64{3, 0x1000, 7},
		enter: memoryAt{0x1000: bin(uint16(1), "\x00dbus")},
	}, {
		want: `bind(3, {sa_family=AF_NETLINK, nl_pid=0, nl_groups=00000000}, 12) = 0`,
		call: "bind", args: [6]uint64{3, 0x1000, 12},
		enter: memoryAt{0x1000: bin(uint16(16), uint16(0), 0, 0)},
	}, {
		want: `getsockname(5, {sa_family=AF_UNIX}, [110 => 2]) = 0`,
		call: "getsockname", args: [6]uint64{5, 0x1000, 0x2000},
		enter: memoryAt{0x2000: bin(110)}, exit: memoryAt{0x1000: bin(uint16(1)), 0x2000: bin(2)},
	}, {
		want: `poll([{fd=3, events=POLLIN}, {fd=4, events=POLLIN|POLLOUT}], 2, -1) = 1 ([{fd=4, revents=POLLOUT}])`,
		call: "poll", args: [6]uint64{0x1000, 2, u(-1)}, ret: 1,
		enter: memoryAt{0x1000: bin(3, uint16(1), uint16(0), 4, uint16(5), uint16(0))},
		exit:  memoryAt{0x1000: bin(3, uint16(1), uint16(0), 4, uint16(5), uint16(4))},
	}, {
		want: `poll([{fd=3, events=POLLIN}], 1, 10) = 0 (Timeout)`,
		call: "poll", args: [6]uint64{0x1000, 1, 10},
		enter: memoryAt{0x1000: bin(3, uint16(1), uint16(0))}, exit: memoryAt{0x1000: bin(3, uint16(1), uint16(0))},
	}, {
		want: `select(5, [4], [4], [], {tv_sec=0, tv_usec=500000}) = 1 (out [4], left {tv_sec=0, tv_usec=499998})`,
		call: "select", args: [6]uint64{5, 0x1000, 0x2000, 0x3000, 0x4000}, ret: 1,
		enter: memoryAt{0x1000: bin(uint64(16)), 0x2000: bin(uint64(16)), 0x3000: bin(uint64(0)), 0x4000: bin(uint64(0), uint64(500000))},
		exit:  memoryAt{0x1000: bin(uint64(0)), 0x2000: bin(uint64(16)), 0x3000: bin(uint64(0)), 0x4000: bin(uint64(0), uint64(499998))},
	}, {
		// The process's table of descriptors has room for 64: no more is written back.
		want: `select(70, [0 66], [69], [], {tv_sec=0, tv_usec=0}) = 1 (in [0], left {tv_sec=0, tv_usec=0})`,
		call: "select", args: [6]uint64{70, 0x1000, 0x2000, 0x3000, 0x4000}, ret: 1,
		enter: memoryAt{0x1000: bin(uint64(1), uint64(4)), 0x2000: bin(uint64(0), uint64(32)), 0x3000: bin(uint64(0), uint64(0)), 0x4000: bin(uint64(0), uint64(0))},
		exit:  memoryAt{0x1000: bin(uint64(1), uint64(4)), 0x2000: bin(uint64(0), uint64(32)), 0x3000: bin(uint64(0), uint64(0)), 0x4000: bin(uint64(0), uint64(0))},
	}, {
		want: `epoll_ctl(8, EPOLL_CTL_ADD, 4, {events=EPOLLIN, data=0x7fc700000004}) = 0`,
		call: "epoll_ctl", args: [6]uint64{8, 1, 4, 0x1000},
		enter: memoryAt{0x1000: bin(1, uint64(140492675219460))},
	}, {
		want: `epoll_wait(8, [{events=EPOLLIN, data=0x7fc700000004}], 1023, 100) = 1`,
		call: "epoll_wait", args: [6]uint64{8, 0x1000, 1023, 100}, ret: 1,
		exit: memoryAt{0x1000: bin(1, uint64(140492675219460))},
	}, {
		want: `getdents64(4, 0x1000 /* 2 entries */, 32768) = 48`,
		call: "getdents64", args: [6]uint64{4, 0x1000, 32768}, ret: 48, exit: memoryAt{0x1000: direntBytes},
	}, {
		want: `getdents64(4, [{d_ino=1, d_off=2, d_reclen=24, d_type=DT_DIR, d_name="."}, {d_ino=3, d_off=4, d_reclen=24, d_type=DT_REG, d_name="x\1y"}], 32768) = 48`,
		call: "getdents64", args: [6]uint64{4, 0x1000, 32768}, ret: 48, exit: memoryAt{0x1000: direntBytes}, o: Options{Verbose: true},
	}, {
		want: `writev(1, [{iov_base="abc", iov_len=3}, {iov_base="", iov_len=0}], 2) = 3`,
		call: "writev", args: [6]uint64{1, 0x1000, 2}, ret: 3,
		enter: memoryAt{0x1000: bin(uint64(0x2000), uint64(3), uint64(0x3000), uint64(0)), 0x2000: []byte("abc")},
	}, {
		want: `readv(1, [{iov_base="abc", iov_len=3}, {iov_base="d", iov_len=3}], 2) = 4`,
		call: "readv", args: [6]uint64{1, 0x1000, 2}, ret: 4,
		enter: memoryAt{0x1000: bin(uint64(0x2000), uint64(3), uint64(0x3000), uint64(3))},
		exit:  memoryAt{0x1000: bin(uint64(0x2000), uint64(3), uint64(0x3000), uint64(3)), 0x2000: []byte("abc"), 0x3000: []byte("dxx")},
	}, {
		want: `pipe2([3, 4], O_CLOEXEC) = 0`,
		call: "pipe2", args: [6]uint64{0x1000, 0o2000000}, exit: memoryAt{0x1000: bin(3, 4)},
	}, {
		want: `fcntl(1, F_GETFL) = 0x8002 (flags O_RDWR|O_LARGEFILE)`,
		call: "fcntl", args: [6]uint64{1, 3}, ret: 0x8002,
	}, {
		want: `fcntl(3, F_SETFD, FD_CLOEXEC) = 0`,
		call: "fcntl", args: [6]uint64{3, 2, 1},
	}, {
		want: `prlimit64(0, RLIMIT_STACK, NULL, {rlim_cur=8192*1024, rlim_max=RLIM64_INFINITY}) = 0`,
		call: "prlimit64", args: [6]uint64{0, 3, 0, 0x1000}, exit: memoryAt{0x1000: bin(uint64(8192*1024), ^uint64(0))},
	}, {
		want: `umask(022) = 002`,
		call: "umask", args: [6]uint64{0o22}, ret: 2,
	}, {
		want: `futex(0x7f00, FUTEX_WAIT_PRIVATE, 2, NULL) = 0`,
		call: "futex", args: [6]uint64{0x7f00, 0x80, 2, 0},
	}, {
		want: `getrandom("\x01\x61\xff", 3, GRND_NONBLOCK) = 3`,
		call: "getrandom", args: [6]uint64{0x1000, 3, 1}, ret: 3, exit: memoryAt{0x1000: []byte("\x01a\xff")},
	}, {
		want: `rseq(0x7f5b79d28060, 32, 0, 0x53053053) = 0`,
		call: "rseq", args: [6]uint64{0x7f5b79d28060, 0x20, 0, 0x53053053},
	}, {
		want: `exit_group(0) = ?`,
		call: "exit_group", args: [6]uint64{0},
	}, {
		want: `access("/etc/ld.so.preload", R_OK) = -1 ENOENT (No such file or directory)`,
		call: "access", args: [6]uint64{0x1000, 4}, ret: -2, enter: memoryAt{0x1000: []byte("/etc/ld.so.preload\x00")},
	}, {
		want: `socket(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK, 0) = 3`,
		call: "socket", args: [6]uint64{1, 0x80801, 0}, ret: 3,
	}, {
		want: `sched_getaffinity(0, 128, [0 1]) = 8`,
		call: "sched_getaffinity", args: [6]uint64{0, 128, 0x1000}, ret: 8, exit: memoryAt{0x1000: bin(uint64(3))},
	},
}

var statBytes = bin(uint64(0xfe00), uint64(9978065), uint64(1), 0o100644, 0, 0, 0, uint64(0), uint64(37235), uint64(4096), uint64(8),
	uint64(1795385798), uint64(238671911), uint64(1778312084), uint64(0), uint64(0), uint64(0), uint64(0), uint64(0), uint64(0))

var execMemory = memoryAt{
	0x1000: []byte("/bin/true\x00"),
	0x2000: bin(uint64(0x4000), uint64(0x4100), uint64(0)),
	0x3000: bin(uint64(0x4200), uint64(0x4300), uint64(0)),
	0x4000: []byte("true\x00"), 0x4100: []byte("-x\x00"), 0x4200: []byte("A=1\x00"), 0x4300: []byte("B=2\x00"),
}

var direntBytes = bin(uint64(1), uint64(2), uint16(24), "\x04.\x00\x00\x00\x00", uint64(3), uint64(4), uint16(24), "\x08x\x01y\x00\x00")

func TestCall(t *testing.T) {
	for _, tt := range tests {
		d, e := call(t, syscalls.AMD64, tt.call, tt.args, tt.ret, tt.enter, tt.exit)
		x := New(tt.o).Call(d, e, nil)
		if got := string(x.Call) + ") = " + string(x.Result); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

// TestArch checks that the layout and the numbers are those of the call's
// architecture, whatever this test runs on.
func TestArch(t *testing.T) {
	path := memoryAt{0x1000: []byte("/x\x00")}
	for _, tt := range []struct {
		want  string
		arch  syscalls.Arch
		call  string
		args  [6]uint64
		ret   int64
		enter memoryAt
		exit  memoryAt
	}{
		{`openat(AT_FDCWD, "/x", O_RDONLY|O_DIRECTORY) = 3`, syscalls.ARM64, "openat", [6]uint64{cwdFD, 0x1000, 0x4000}, 3, path, nil},
		{`openat(AT_FDCWD, "/x", O_RDONLY|O_DIRECTORY) = -1 ENOENT (No such file or directory)`, syscalls.I386, "openat", [6]uint64{0xffffff9c, 0x1000, 0o200000}, -2, path, nil},
		{`_llseek(3, 4294967297, [4294967297], SEEK_SET) = 0`, syscalls.I386, "_llseek", [6]uint64{3, 1, 1, 0x1000, 0}, 0, nil, memoryAt{0x1000: bin(uint64(1<<32 + 1))}},
		{`mmap2(NULL, 4096, PROT_READ, MAP_PRIVATE, 3, 0x1000) = 0xf7f00000`, syscalls.I386, "mmap2", [6]uint64{0, 4096, 1, 2, 3, 1}, 0xf7f00000, nil, nil},
		{`pread64(3, "abc", 3, 4294967298) = 3`, syscalls.I386, "pread64", [6]uint64{3, 0x1000, 3, 2, 1}, 3, nil, memoryAt{0x1000: []byte("abc")}},
		{`writev(1, [{iov_base="abc", iov_len=3}], 1) = 3`, syscalls.I386, "writev", [6]uint64{1, 0x1000, 1}, 3, memoryAt{0x1000: bin(0x2000, 3), 0x2000: []byte("abc")}, nil},
		{`clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f10) = 7`, syscalls.ARM64, "clone", [6]uint64{0x1200011, 0, 0, 0, 0x7f10}, 7, nil, nil},
		{`prctl(PR_SVE_GET_VL) = 0x20010 (PR_SVE_VL_INHERIT|0x10)`, syscalls.ARM64, "prctl", [6]uint64{51}, 0x20010, nil, nil},
		{`prctl(PR_SME_SET_VL, PR_SME_SET_VL_ONEXEC|0x20) = 0x20`, syscalls.ARM64, "prctl", [6]uint64{63, 0x40020}, 0x20, nil, nil},
		{`prctl(PR_GET_TAGGED_ADDR_CTRL, 0, 0, 0, 0) = 0x91a3 (PR_TAGGED_ADDR_ENABLE|PR_MTE_TCF_SYNC|0x1234<<PR_MTE_TAG_SHIFT)`, syscalls.ARM64, "prctl", [6]uint64{56}, 0x91a3, nil, nil},
		{`prctl(PR_PAC_GET_ENABLED_KEYS, 0, 0, 0, 0) = 0xe (PR_PAC_APIBKEY|PR_PAC_APDAKEY|PR_PAC_APDBKEY)`, syscalls.ARM64, "prctl", [6]uint64{61}, 0xe, nil, nil},
		{`clock_gettime(CLOCK_MONOTONIC, {tv_sec=1, tv_nsec=2}) = 0`, syscalls.I386, "clock_gettime", [6]uint64{1, 0x1000}, 0, nil, memoryAt{0x1000: bin(1, 2)}},
		{`getuid() = 0`, syscalls.I386, "getuid", [6]uint64{}, 0, nil, nil},
		{`kill(-1, SIGTERM) = -1 EPERM (Operation not permitted)`, syscalls.I386, "kill", [6]uint64{0xffffffff, 15}, -1, nil, nil},
	} {
		d, e := call(t, tt.arch, tt.call, tt.args, tt.ret, tt.enter, tt.exit)
		x := New(Options{}).Call(d, e, nil)
		if got := string(x.Call) + ") = " + string(x.Result); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

func TestSignals(t *testing.T) {
	f := New(Options{})
	for _, tt := range []struct{ got, want string }{
		{string(f.Siginfo(nil, bin(17, 0, 1, 0, 8040, 0, 3, 0, uint64(0), uint64(112)))),
			`{si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=8040, si_uid=0, si_status=3, si_utime=0, si_stime=112 /* 1.12 s */}`},
		{string(f.Siginfo(nil, bin(11, 0, 1, 0, uint64(0x10), uint64(0)))),
			`{si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x10}`},
		{string(f.Siginfo(nil, bin(10, 0, -1, 0, 5, 6, uint64(9)))),
			`{si_signo=SIGUSR1, si_code=SI_QUEUE, si_pid=5, si_uid=6, si_int=9, si_ptr=0x9}`},
		{string(f.Siginfo(nil, bin(15, 0, 0, 0, 5, 6))), `{si_signo=SIGTERM, si_code=SI_USER, si_pid=5, si_uid=6}`},
		{string(f.Exit(nil, 3<<8)), "+++ exited with 3 +++"},
		{string(f.Exit(nil, 0x8b)), "+++ killed by SIGSEGV (core dumped) +++"},
	} {
		if tt.got != tt.want {
			t.Errorf("got  %s\nwant %s", tt.got, tt.want)
		}
	}
}

// TestEnter checks where strace splits a call that another thread's line
// interrupts.
func TestEnter(t *testing.T) {
	mem := memoryAt{0x1000: []byte("/etc/passwd\x00\x00\x00\x00\x00")}
	for _, tt := range []struct {
		want string
		call string
		args [6]uint64
	}{
		{`read(3`, "read", [6]uint64{3, 0x1000, 10}},
		{`openat(3, "/etc/passwd", O_RDONLY`, "openat", [6]uint64{3, 0x1000}},
		{`wait4(-1`, "wait4", [6]uint64{u(-1), 0x1000}},
		{`pipe2(`, "pipe2", [6]uint64{0x1000}},
		{`clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD`, "clone", [6]uint64{0x1000011, 0, 0, 0x1000}},
	} {
		d, e := call(t, syscalls.AMD64, tt.call, tt.args, 1, mem, mem)
		x := New(Options{}).Call(d, e, nil)
		if got := string(x.Call[:x.Enter]); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

// TestSets checks that the constant sets which code asks for exist.
func TestSets(t *testing.T) {
	for _, name := range []string{
		"address_family", "arp_hardware", "audit_arch", "capability", "clone_flags", "dirent_type", "ethernet_protocol",
		"futex_wake_cmps", "futex_wake_ops", "ioprio_class", "packet_type", "poll_events", "ptrace_events", "quota_cmds",
		"quota_types", "scm_type", "sock_level", "vsock_cid",
		"si_code", "si_code_ill", "si_code_trap", "si_code_bus", "si_code_fpe", "si_code_segv", "si_code_chld", "si_code_poll", "si_code_sys",
	} {
		if syscalls.ConstSet(syscalls.AMD64, name) == nil {
			t.Errorf("%s: no such set of constants", name)
		}
	}
}

// fuzzNames says of each descriptor that it is a netlink socket of one protocol.
type fuzzNames int

func (n fuzzNames) FD(dst []byte, _ int32) []byte { return append(dst, "/a<\x1b>"...) }
func (n fuzzNames) Cwd(dst []byte) []byte         { return dst }
func (n fuzzNames) Netlink(int32) int             { return int(n) }

func FuzzFormat(f *testing.F) {
	for i, d := range syscalls.All(syscalls.AMD64) {
		if d.Name != "sendto" {
			continue
		}
		link := bin(64, int16(16), int16(0x301), 1, 0, "\x00\x00\x01\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00", int16(7), int16(3), "lo\x00\x00", int16(20), int16(18), int16(9), int16(1), "dummy\x00\x00\x00", bin(20, int16(3), int16(2), 1, 0, 0))
		f.Add(uint16(i), uint8(0), uint64(0x1000), uint64(84), int64(84), link, uint8(1<<3|1))
		f.Add(uint16(i), uint8(0), uint64(0x1000), uint64(84), int64(84), bin(36, int16(2), int16(0x200), 1, 0, -2, link), uint8(1<<3|1))
		diag := bin(72, int16(20), int16(0x301), 1, 0, "\x02\x06\x00\x00", -1, make([]byte, 48))
		f.Add(uint16(i), uint8(0), uint64(0x1000), uint64(72), int64(72), diag, uint8(2<<3|1))
	}
	f.Add(uint16(0), uint8(0), uint64(0x1000), uint64(1), int64(1), []byte("abc\x1b\x00\xff"), uint8(3))
	f.Fuzz(func(t *testing.T, nr uint16, bits uint8, a, b uint64, ret int64, data []byte, shape uint8) {
		arch := []syscalls.Arch{syscalls.AMD64, syscalls.ARM64, syscalls.I386}[int(bits)%3]
		all := syscalls.All(arch)
		d := all[int(nr)%len(all)]
		e := &tracefile.Event{Kind: tracefile.Kind(1 + bits>>2&3%3), Arch: arch, NR: d.NR, Ret: ret,
			Args: [6]uint64{a, b, a + 8, b ^ a, a >> 1, b >> 3}}
		for i := 0; len(data) > 0; i++ {
			n := min(len(data), 1+int(shape)+i)
			e.Bufs = append(e.Bufs, tracefile.Buf{
				Phase: tracefile.Phase(i >> (shape & 3) & 1), Arg: int8(i % 7), Parent: int16(i%5 - 1 - int(shape&1)), Off: uint32(i * int(shape) % 64),
				Want: uint32(n) + uint32(b&7), Faulted: shape&4 != 0, Data: data[:n],
			})
			data = data[n:]
		}
		// Families of netlink are few: the shape chooses one, or none.
		names := fuzzNames([]int{NotNetlink, netlinkRoute, netlinkSockDiag, netlinkGeneric, 9}[int(shape>>3)%5])
		for _, o := range []Options{{}, {Verbose: true, Strings: 1 << 20}, {Hex: HexAll, Strings: -1}, {Hex: HexNonASCII}} {
			x := New(o).Call(d, e, names)
			if x.Enter > len(x.Call) {
				t.Fatalf("enter %d of %d", x.Enter, len(x.Call))
			}
			for _, c := range string(x.Call) + string(x.Result) {
				if c < ' ' || c > '~' {
					t.Fatalf("%q in %q", c, x.Call)
				}
			}
		}
	})
}
