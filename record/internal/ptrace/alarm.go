//go:build linux && (amd64 || arm64)

package ptrace

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// alarm is a timer of the kernel (timer_create(2)) that takes the engine out of
// its wait. A signal that comes just before the wait is lost, so it rings again
// and again until it is set anew.
type alarm struct {
	id     int32
	opened bool
	told   bool  // that there is none
	at     int64 // when it is to ring, as of Engine.now; 0: not at all
}

// again is how long it is to the next ring, ns.
const again = 200e3

// open makes the timer, if there is none, for a thread.
func (a *alarm) open(tid int) error {
	if a.opened {
		return nil
	}
	const threadID = 4 // SIGEV_THREAD_ID
	// struct sigevent, include/uapi/asm-generic/siginfo.h
	event := struct {
		value         uint64
		signo, notify int32
		tid           int32
		_             [11]int32
	}{signo: int32(wakeSignal), notify: threadID, tid: int32(tid)}
	_, _, errno := unix.RawSyscall(unix.SYS_TIMER_CREATE, unix.CLOCK_MONOTONIC, uintptr(unsafe.Pointer(&event)), uintptr(unsafe.Pointer(&a.id)))
	if errno != 0 {
		return errno
	}
	a.opened = true
	return nil
}

// set has it ring at a time, after so many nanoseconds; at 0 it does not.
func (a *alarm) set(at, after int64) {
	if a.at == at {
		return
	}
	a.at = at
	var spec struct{ Interval, Value unix.Timespec } // struct itimerspec
	if at != 0 {
		spec.Interval, spec.Value = unix.NsecToTimespec(again), unix.NsecToTimespec(max(after, 1))
	}
	unix.RawSyscall6(unix.SYS_TIMER_SETTIME, uintptr(a.id), 0, uintptr(unsafe.Pointer(&spec)), 0, 0, 0)
}

// close deletes the timer.
func (a *alarm) close() {
	if a.opened {
		unix.RawSyscall(unix.SYS_TIMER_DELETE, uintptr(a.id), 0, 0)
		a.opened, a.at = false, 0
	}
}
