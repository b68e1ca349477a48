//go:build linux && (amd64 || arm64)

package ptrace

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// One function a request of ptrace(2). They must run on the engine's thread,
// and any of them may return ESRCH at any time: a SIGKILL has come, and the
// status is still to be waited for.

// options of every tracee. Without EXITKILL the death of the recorder lets
// the tracees go on.
const options = unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_TRACEEXEC
const followOptions = unix.PTRACE_O_TRACEFORK | unix.PTRACE_O_TRACEVFORK

// options of what this engine follows.
func (e *Engine) options() int {
	opts := options
	if !e.cfg.NoFollow {
		opts |= followOptions
	}
	if e.cfg.Alone {
		opts &^= unix.PTRACE_O_TRACECLONE
	}
	if e.cfg.KillOnExit {
		opts |= unix.PTRACE_O_EXITKILL
	}
	return opts
}

func ptrace(request, tid int, addr, data uintptr) syscall.Errno {
	_, _, errno := syscall.RawSyscall6(unix.SYS_PTRACE, uintptr(request), uintptr(tid), addr, data, 0, 0)
	return errno
}

// seize waits while a thread of the same process is in an execve, so it is Syscall6
// and not RawSyscall6: see [Engine.seizeOnce].
func seize(tid, options int) syscall.Errno {
	_, _, errno := syscall.Syscall6(unix.SYS_PTRACE, unix.PTRACE_SEIZE, uintptr(tid), 0, uintptr(options), 0, 0)
	return errno
}

func setOptions(tid, options int) syscall.Errno {
	return ptrace(unix.PTRACE_SETOPTIONS, tid, 0, uintptr(options))
}

func interrupt(tid int) syscall.Errno { return ptrace(unix.PTRACE_INTERRUPT, tid, 0, 0) }

// listen leaves a tracee in its group-stop until SIGCONT.
func listen(tid int) syscall.Errno { return ptrace(unix.PTRACE_LISTEN, tid, 0, 0) }

func detach(tid, signo int) syscall.Errno { return ptrace(unix.PTRACE_DETACH, tid, 0, uintptr(signo)) }

// resume lets a stopped tracee run, delivering signo, up to its next stop:
// request is PTRACE_SYSCALL or PTRACE_CONT.
func resume(request, tid, signo int) syscall.Errno {
	return ptrace(request, tid, 0, uintptr(signo))
}

// eventMessage returns the number that goes with a PTRACE_EVENT stop.
func eventMessage(tid int) (uint64, syscall.Errno) {
	var msg uint64
	errno := ptrace(unix.PTRACE_GETEVENTMSG, tid, 0, uintptr(unsafe.Pointer(&msg)))
	return msg, errno
}

// siginfoSize is the size of siginfo_t (include/uapi/asm-generic/siginfo.h, SI_MAX_SIZE).
const siginfoSize = 128

func getSiginfo(tid int, info *[siginfoSize]byte) syscall.Errno {
	return ptrace(unix.PTRACE_GETSIGINFO, tid, 0, uintptr(unsafe.Pointer(info)))
}

// syscallInfo is struct ptrace_syscall_info (include/uapi/linux/ptrace.h,
// Linux 5.3). The union's members overlap as Args shows: entry and seccomp
// have the number and the arguments, exit has the result in NR's place and
// is_error in the first byte of Args[0].
type syscallInfo struct {
	Op   uint8
	_    uint8
	_    uint16
	Arch uint32
	IP   uint64
	SP   uint64
	NR   uint64
	Args [6]uint64
	// seccomp: what the filter said; newer kernels have more behind it.
	RetData uint32
	_       [3]uint32
}

const (
	opNone    = 0
	opEntry   = 1
	opExit    = 2
	opSeccomp = 3
)

func getSyscallInfo(tid int, info *syscallInfo) syscall.Errno {
	_, _, errno := syscall.RawSyscall6(unix.SYS_PTRACE, unix.PTRACE_GET_SYSCALL_INFO, uintptr(tid),
		unsafe.Sizeof(*info), uintptr(unsafe.Pointer(info)), 0, 0)
	return errno
}

// wait waits for any tracee or child of this thread. __WNOTHREAD keeps it from
// reaping what other threads of the process started.
//
// The status of a stop is left where it is, which takes the same one call: if the
// recorder is killed before it has resumed the tracee, the tracee goes on with
// the signal that it has stopped for, and not without (ptrace_stop returns
// exit_code, which wait4 would have cleared). Whoever leaves a tracee stopped
// must consume the status, or it comes again.
func wait(flags int, status *uint32) (tid int, errno syscall.Errno) {
	return waitUsage(anyone, flags, status, nil, nil)
}

// anyone is every tracee and child, to waitUsage.
const anyone = 0

// waitUsage is wait, for one thread unless who is anyone, that also tells what the
// tracee has used, unless that is nil, and of one that has ended what its process
// and the children have used that it waited for.
func waitUsage(who, flags int, status *uint32, usage, ended *unix.Rusage) (tid int, errno syscall.Errno) {
	const all, one = 0, 1 // P_ALL, P_PID
	kind := all
	if who != anyone {
		kind = one
	}
	var info waitInfo
	// Syscall6 and not RawSyscall6: it blocks, and the garbage collector
	// must not wait for it. Stops of tracees come without WSTOPPED too.
	_, _, errno = syscall.Syscall6(unix.SYS_WAITID, uintptr(kind), uintptr(who), uintptr(unsafe.Pointer(&info)),
		uintptr(flags|unix.WEXITED|unix.WNOWAIT|unix.WALL|unix.WNOTHREAD), uintptr(unsafe.Pointer(usage)), 0)
	if errno != 0 || info.PID == 0 {
		return 0, errno
	}
	// After an execve that has changed the thread's number, the kernel takes no
	// request before the status is consumed (looks_like_a_spurious_pid in
	// kernel/ptrace.c).
	const trapped = 4 // CLD_TRAPPED
	if info.Code == trapped && info.Status>>8 != unix.PTRACE_EVENT_EXEC {
		*status = uint32(info.Status)<<8 | 0x7f
		return int(info.PID), 0
	}
	return consumeUsage(int(info.PID), status, ended)
}

// waitInfo is siginfo_t as waitid(2) fills it (include/uapi/asm-generic/siginfo.h).
type waitInfo struct {
	Signo, Errno, Code, _ int32
	PID, UID, Status      int32
	_                     [siginfoSize - 28]byte
}

// consume takes the status of a tracee or child that wait has returned.
func consume(tid int, status *uint32) (int, syscall.Errno) { return consumeUsage(tid, status, nil) }

func consumeUsage(tid int, status *uint32, usage *unix.Rusage) (int, syscall.Errno) {
	r, _, errno := syscall.RawSyscall6(unix.SYS_WAIT4, uintptr(tid), uintptr(unsafe.Pointer(status)),
		unix.WNOHANG|unix.WALL|unix.WNOTHREAD, uintptr(unsafe.Pointer(usage)), 0, 0)
	return int(r), errno
}

func setAffinity(tid int, mask []uint64) syscall.Errno {
	_, _, errno := syscall.RawSyscall(unix.SYS_SCHED_SETAFFINITY, uintptr(tid), uintptr(len(mask)*8), uintptr(unsafe.Pointer(&mask[0])))
	return errno
}

// getAffinity fills mask and returns how many bytes the kernel wrote.
func getAffinity(tid int, mask []uint64) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall(unix.SYS_SCHED_GETAFFINITY, uintptr(tid), uintptr(len(mask)*8), uintptr(unsafe.Pointer(&mask[0])))
	return int(n), errno
}

// hasChildren reports whether the calling thread is the parent of a process.
func hasChildren() bool {
	const all = 0 // P_ALL
	_, _, errno := syscall.RawSyscall6(unix.SYS_WAITID, all, 0, 0, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT|unix.WALL|unix.WNOTHREAD, 0, 0)
	return errno != unix.ECHILD
}
