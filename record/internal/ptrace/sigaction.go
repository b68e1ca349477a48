//go:build linux && (amd64 || arm64)

package ptrace

import (
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// kernelSigaction is what rt_sigaction(2) takes. arm64 has the restorer too,
// unused (include/linux/signal_types.h, SA_RESTORER in asm/signal.h).
type kernelSigaction struct {
	handler  uintptr
	flags    uint64
	restorer uintptr
	mask     uint64
}

const (
	saNoCldStop = 0x00000001 // include/uapi/asm-generic/signal-defs.h
	saRestart   = 0x10000000
)

func sigaction(signo syscall.Signal, set, old *kernelSigaction) {
	syscall.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(signo), uintptr(unsafe.Pointer(set)), uintptr(unsafe.Pointer(old)), 8, 0, 0)
}

// wakeSignal takes the engine out of wait4. Go ignores it unless a program
// asks for it.
const wakeSignal = unix.SIGIO

// Signals prepares the signals of the whole process: SIGCHLD gets its default
// action, for Go's handler would run at every stop of every tracee; wakeSignal
// interrupts system calls; an output without a reader is an error of its
// write, where by default Go would let SIGPIPE end the process, and with that
// a command that has a filter. The function returned undoes it.
func Signals() (restore func()) {
	var chld, wake kernelSigaction
	sigaction(unix.SIGCHLD, nil, &chld)
	sigaction(unix.SIGCHLD, &kernelSigaction{flags: saNoCldStop}, nil)
	sigaction(wakeSignal, nil, &wake)
	interrupting := wake
	interrupting.flags &^= saRestart
	sigaction(wakeSignal, &interrupting, nil)
	pipe := make(chan os.Signal, 1)
	signal.Notify(pipe, unix.SIGPIPE)
	return func() {
		signal.Stop(pipe)
		sigaction(unix.SIGCHLD, &chld, nil)
		sigaction(wakeSignal, &wake, nil)
	}
}

// KeepAction returns a function that gives a signal the disposition that it has
// now; nil if the signal is ignored. It is for signals of which os/signal does
// not restore the default: those that it leaves alone at first.
func KeepAction(signo syscall.Signal) (restore func()) {
	var now kernelSigaction
	sigaction(signo, nil, &now)
	if now.handler == sigIgn {
		return nil
	}
	return func() { sigaction(signo, &now, nil) }
}

// StopSelf stops this process as signo does by default, until SIGCONT.
func StopSelf(signo syscall.Signal) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var now kernelSigaction
	sigaction(signo, &kernelSigaction{}, &now)
	unix.Tgkill(os.Getpid(), unix.Gettid(), signo) // takes effect before it returns
	sigaction(signo, &now, nil)
}

// DieOf ends this process by a signal's default action. It returns if that does
// not end it.
func DieOf(signo syscall.Signal) {
	runtime.LockOSThread()
	sigaction(signo, &kernelSigaction{}, nil)
	set := unix.Sigset_t{}
	set.Val[(signo-1)/64] |= 1 << ((signo - 1) % 64)
	_ = unix.PthreadSigmask(unix.SIG_UNBLOCK, &set, nil)
	unix.Tgkill(os.Getpid(), unix.Gettid(), signo)
}

func itoa(n int) string { return strconv.Itoa(n) }
