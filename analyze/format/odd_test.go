package format

import (
	"testing"

	"sysreel/proto/syscalls"
)

// TestOdd holds the text of odd arguments, found by TestEveryCall's plans of
// other seeds, against what strace 7.2 prints of them.
func TestOdd(t *testing.T) {
	const (
		preadv, pwrite, pwritev = 7, 1, 8 // IOCB_CMD_*
		anyLength               = ^uint64(0)
	)
	control := func(op int, buf, n uint64) []byte { // struct iocb
		return bin(uint64(5), 0, 0, uint16(op), uint16(0), 3, buf, n, uint64(0), uint64(0), 0, 0)
	}
	list := bin(uint64(0x2000))
	for _, tt := range []struct {
		want  string
		arch  syscalls.Arch
		call  string
		args  [6]uint64
		ret   int64
		enter memoryAt
		exit  memoryAt
		o     Options
	}{{
		want: `io_submit(NULL, 1, [{aio_data=0x5, aio_lio_opcode=IOCB_CMD_PREADV, aio_fildes=3, aio_buf=0x3000, aio_nbytes=18446744073709551615, aio_offset=0}]) = -1 EINVAL (Invalid argument)`,
		arch: syscalls.AMD64, call: "io_submit", args: [6]uint64{0, 1, 0x1000}, ret: -22,
		enter: memoryAt{0x1000: list, 0x2000: control(preadv, 0x3000, anyLength)},
	}, {
		want: `io_submit(NULL, 1, [{aio_data=0x5, aio_lio_opcode=IOCB_CMD_PWRITEV, aio_fildes=3, aio_buf=0x3000, aio_nbytes=18446744073709551615, aio_offset=0}]) = -1 EINVAL (Invalid argument)`,
		arch: syscalls.I386, call: "io_submit", args: [6]uint64{0, 1, 0x1000}, ret: -22,
		enter: memoryAt{0x1000: bin(0x2000), 0x2000: control(pwritev, 0x3000, anyLength)},
	}, {
		want: `io_submit(NULL, 1, [{aio_data=0x5, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf=0x3000, aio_nbytes=18446744073709551615, aio_offset=0}]) = -1 EINVAL (Invalid argument)`,
		arch: syscalls.AMD64, call: "io_submit", args: [6]uint64{0, 1, 0x1000}, ret: -22,
		enter: memoryAt{0x1000: list, 0x2000: control(pwrite, 0x3000, anyLength), 0x3000: make([]byte, 100)},
	}, {
		// Of control messages that run into memory that cannot be read none is shown.
		want: `sendmsg(3, {msg_name=NULL, msg_namelen=0, msg_iov=NULL, msg_iovlen=0, msg_control=0x2000, msg_controllen=100, msg_flags=0}, 0) = -1 ENOTSOCK (Socket operation on non-socket)`,
		arch: syscalls.AMD64, call: "sendmsg", args: [6]uint64{3, 0x1000, 0}, ret: -88,
		enter: memoryAt{0x1000: bin(uint64(0), uint64(0), uint64(0), uint64(0), uint64(0x2000), uint64(100), uint64(0)), 0x2000: make([]byte, 34)},
	}, {
		want: `ptrace(PTRACE_GETREGSET, 7, 0xffffffff /* NT_??? */, {iov_base=NULL, iov_len=0}) = -1 ESRCH (No such process)`,
		arch: syscalls.AMD64, call: "ptrace", args: [6]uint64{0x4204, 7, anyLength, 0x1000}, ret: -3,
		enter: memoryAt{0x1000: bin(uint64(0), uint64(0))},
	}, {
		want: `ptrace(PTRACE_SETREGSET, 7, NT_PRSTATUS, NULL) = -1 ESRCH (No such process)`,
		arch: syscalls.AMD64, call: "ptrace", args: [6]uint64{0x4205, 7, 0xffffffff00000001, 0}, ret: -3,
	}, {
		want: `socket(AF_RXRPC, SOCK_DGRAM, AF_INET6) = -1 EAFNOSUPPORT (Address family not supported by protocol)`,
		arch: syscalls.AMD64, call: "socket", args: [6]uint64{33, 2, 10}, ret: -97,
	}, {
		want: `socket(AF_IRDA, SOCK_STREAM, 0x63 /* IRDAPROTO_??? */) = -1 EAFNOSUPPORT (Address family not supported by protocol)`,
		arch: syscalls.AMD64, call: "socket", args: [6]uint64{23, 1, 99}, ret: -97,
	}, {
		want: `socket(AF_AX25, SOCK_STREAM, 0xffffffffffffffff /* AX25_P_??? */) = -1 EAFNOSUPPORT (Address family not supported by protocol)`,
		arch: syscalls.AMD64, call: "socket", args: [6]uint64{3, 1, anyLength}, ret: -97,
	}, {
		want: `listns({size=32, ns_id=0x1, ns_type=0, user_ns_id=LISTNS_CURRENT_USER}, NULL, 0, 0) = 0`,
		arch: syscalls.AMD64, call: "listns", args: [6]uint64{0x1000},
		enter: memoryAt{0x1000: bin(32, 0, uint64(1), 0, 0, anyLength)},
	}, {
		want: `sendmmsg(-1, [], 0, 0) = -1 EBADF (Bad file descriptor)`,
		arch: syscalls.AMD64, call: "sendmmsg", args: [6]uint64{u(-1), 0x64}, ret: -9,
	}, {
		// The NUL at the end of an attribute's value is left out, but not of hexadecimal ones.
		want: `fgetxattr(3, "user.x", "a\1", 100) = 3`,
		arch: syscalls.AMD64, call: "fgetxattr", args: [6]uint64{3, 0x1000, 0x2000, 100}, ret: 3,
		enter: memoryAt{0x1000: []byte("user.x\x00")}, exit: memoryAt{0x2000: []byte("a\x01\x00")},
	}, {
		want: `fsetxattr(3, "user.x", "\x61\x62\x00", 3, 0) = 0`,
		arch: syscalls.AMD64, call: "fsetxattr", args: [6]uint64{3, 0x1000, 0x2000, 3}, o: Options{Hex: HexNonASCII},
		enter: memoryAt{0x1000: []byte("user.x\x00"), 0x2000: []byte("ab\x00")},
	}, {
		want: `modify_ldt(0x1, 0, 0x1) = 0xffffffea`,
		arch: syscalls.AMD64, call: "modify_ldt", args: [6]uint64{1, 0, 1}, ret: 0xffffffea, o: Options{Raw: everyCall(t)},
	}, {
		want: `oldfstat(3, {st_dev=makedev(0, 0x10), st_ino=1, st_mode=S_IFREG|0600, st_nlink=1, st_uid=0, st_gid=0, st_blksize=0, st_blocks=0, st_size=5, st_atime=0, st_mtime=0, st_ctime=0}) = 0`,
		arch: syscalls.I386, call: "oldfstat", args: [6]uint64{3, 0x1000}, o: Options{Verbose: true},
		exit: memoryAt{0x1000: bin(uint16(0x10), uint16(1), uint16(0o100600), uint16(1), uint16(0), uint16(0), uint16(0), uint16(0), 5, 0, 0, 0)},
	}} {
		d, e := call(t, tt.arch, tt.call, tt.args, tt.ret, tt.enter, tt.exit)
		x := New(tt.o).Call(d, e, nil)
		if got := string(x.Call) + ") = " + string(x.Result); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

func everyCall(t *testing.T) *syscalls.Set {
	t.Helper()
	set, err := syscalls.ParseSet("all")
	if err != nil {
		t.Fatal(err)
	}
	return set
}
