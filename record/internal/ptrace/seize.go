//go:build linux && (amd64 || arm64)

package ptrace

import (
	"slices"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"sysreel/proto/tracefile"
	"sysreel/record/internal/procfs"
)

// A process that is attached to may execute another program just then. If one of its
// threads that is not the leader does, the others end, and it gets the leader's
// number (de_thread in fs/exec.c): without a word to the tracer, unless it was traced
// already.

// maxTries bounds how often a thread is seized that refuses it.
const maxTries = 20

// seize seizes a thread of a process, and returns what number it has then: its own or
// the leader's. Of one that must not be traced (EPERM) it tells what it is; an end is
// ESRCH.
func (e *Engine) seize(tid, tgid int) (now int, errno syscall.Errno, s procfs.Status) {
	for range maxTries {
		switch errno = e.seizeOnce(tid, tgid); errno {
		case 0:
			if unix.Tgkill(tgid, tid, 0) == unix.ESRCH && !slices.ContainsFunc(e.reaped, func(o ended) bool { return o.tid == tid }) {
				return tgid, 0, s
			}
			return tid, 0, s
		case unix.EPERM:
		default:
			return tid, errno, s
		}
		var ok bool
		switch s, ok = e.proc.Look(tid); {
		case !ok:
			return tid, unix.ESRCH, s
		case s.State == 'Z', s.State == 'X', s.TracerPID != 0, s.Kernel:
			return tid, errno, s
		}
		// It may have been a leader that had ended, to whose place the
		// thread of an execve has come since.
	}
	return tid, errno, s
}

// slowSeize is how long a PTRACE_SEIZE takes that waits for something.
const slowSeize = 10 * time.Millisecond

// seizeOnce tries it once. If a thread of the process is in an execve, the kernel has
// PTRACE_SEIZE wait for that (cred_guard_mutex in ptrace_attach, kernel/ptrace.c), and
// the execve for the ends of the other threads to be waited for. That is for the
// engine to do, but any thread of this process can: so one does as long as the call
// lasts.
func (e *Engine) seizeOnce(tid, tgid int) syscall.Errno {
	over, done := make(chan struct{}), make(chan struct{})
	late := time.AfterFunc(slowSeize, func() {
		defer close(done)
		for {
			e.reaped = append(e.reaped, reapThreads(tgid)...)
			select {
			case <-over:
				return
			case <-time.After(slowSeize):
			}
		}
	})
	errno := seize(tid, e.options())
	if close(over); !late.Stop() {
		<-done
	}
	return errno
}

// ended is a thread whose end was waited for out of turn.
type ended struct {
	tid    int
	status uint32
	usage  unix.Rusage
}

// reapThreads waits for the threads of a process that have ended, but not for its
// leader, whose end is that of the process.
func reapThreads(tgid int) (all []ended) {
	for _, tid := range procfs.Threads(tgid) {
		if tid == tgid {
			continue
		}
		const one = 1                                   // P_PID
		const cldExited, cldKilled, cldDumped = 1, 2, 3 // include/uapi/asm-generic/siginfo.h
		var info waitInfo
		_, _, errno := syscall.RawSyscall6(unix.SYS_WAITID, one, uintptr(tid), uintptr(unsafe.Pointer(&info)),
			unix.WEXITED|unix.WNOHANG|unix.WNOWAIT|unix.WALL, 0, 0)
		if errno != 0 || info.PID == 0 || info.Code != cldExited && info.Code != cldKilled && info.Code != cldDumped {
			continue // a stop is not for us
		}
		end := ended{tid: tid}
		got, _, errno := syscall.RawSyscall6(unix.SYS_WAIT4, uintptr(tid), uintptr(unsafe.Pointer(&end.status)),
			unix.WNOHANG|unix.WALL, uintptr(unsafe.Pointer(&end.usage)), 0, 0)
		if errno == 0 && int(got) == tid {
			all = append(all, end)
		}
	}
	return all
}

// regain seizes the leader of a process if another thread is in its place that was
// not traced before its execve. It reports whether there was one.
func (e *Engine) regain(p *process) bool {
	switch _, errno, _ := e.seize(p.tgid, p.tgid); errno {
	case 0:
		e.succeed(p)
		return true
	case unix.ESRCH:
		if t := e.threads[p.tgid]; t != nil {
			e.vanish(t, e.now())
		}
	}
	return false // it is traced, as before, or has ended
}

// succeed registers a thread that has been seized in the leader's place. If its
// leader has been told of, so is the execve.
func (e *Engine) succeed(p *process) {
	switch t := e.threads[p.tgid]; {
	case t == nil:
		e.newAttached(p.tgid, p)
	case !t.unsettled():
		now := e.now()
		e.unfinished(t, now)
		e.stopped(t)
		e.place.guard.remove(p.tgid)
		t.placed, t.mask, t.interrupted = false, nil, interrupted{}
		e.executed(t, &tracefile.Event{Kind: tracefile.Exec, Arch: native, Thread: t.Thread, Start: now, End: now})
		t.first, t.how = true, tracefile.StartAttach
		p.unsettled++
		e.unsettled++
	}
	interrupt(p.tgid)
}

// settleLate goes on looking, now and then, for leaders in whose place others have
// come, as long as there are threads that were attached to and have not stopped. What
// keeps them may last: a vfork, for example.
func (e *Engine) settleLate() {
	if !e.running || e.settling || e.unsettled == 0 || e.cfg.Alone {
		return
	}
	e.settling = true
	look := func() {
		for _, t := range e.threads {
			if t.unsettled() && t.TID == t.TGID {
				e.regain(t.proc)
			}
		}
		e.settling = e.unsettled > 0
	}
	go func() {
		for pause, more := 10*time.Millisecond, true; more; pause = min(2*pause, time.Second) {
			time.Sleep(pause)
			more = false
			e.Do(func() { look(); more = e.settling })
		}
	}()
}
