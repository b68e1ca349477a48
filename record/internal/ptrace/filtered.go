//go:build linux && (amd64 || arm64)

package ptrace

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"sysreel/proto/tracepb"
)

// A filter cannot be taken away, and with the tracer gone every call that it
// wants traced fails with ENOSYS. So nothing that has the filter is ever let
// go of: when the recording ends before the command, the engine stays and
// resumes whatever stops ([Engine.Attend]); if it is killed, its tracees are.

const filterOptions = unix.PTRACE_O_TRACESECCOMP | unix.PTRACE_O_EXITKILL

// filterInstalled is called at the exit of the stub's seccomp call.
func (e *Engine) filterInstalled(t *thread, ret int64) {
	if ret != 0 {
		if e.cfg.Filter == FilterOn && e.cfg.Warn != nil {
			e.cfg.Warn("the kernel does not take the seccomp filter: every call is stopped at")
		}
		return
	}
	e.filtered = setOptions(int(t.TID), e.options()|filterOptions) == 0
	// On one CPU from now on only if stops turn out to be frequent.
	e.spread()
}

// Filtered reports whether the command has a seccomp filter, and with that
// cannot live without the engine.
func (e *Engine) Filtered() bool { return e.filtered }

// next lets a stopped thread run up to its next stop that matters.
func (e *Engine) next(t *thread, signo int) {
	request := unix.PTRACE_SYSCALL
	if e.filtered && !t.inside {
		request = unix.PTRACE_CONT // to the next call that the filter tells of
	}
	resume(request, int(t.TID), signo)
}

// seccompStop handles the enter of a call that a filter wants traced. The exit
// comes as a stop of its own. It reports whether the thread is to stay where it
// is.
func (e *Engine) seccompStop(t *thread, now int64) (stay bool) {
	if getSyscallInfo(int(t.TID), &e.info) != 0 || e.info.Op != opSeccomp {
		return false // killed: its status comes
	}
	e.enter(t, now)
	t.sendSignal()
	en := t.call.entry
	switch {
	case e.info.RetData != filterMark:
		refuse(int(t.TID))
	case e.info.IP&^0xfff == vsyscallPage:
		// Emulated by the kernel at a page fault: the exit is not seen.
		e.unfinished(t, now)
	case en != nil && en.role == ptraceCall:
		e.refusesTracing(t, now)
	case en != nil:
		e.keepTraced(int(t.TID), en.role, &t.call)
	}
	if en == nil {
		t.inside = false
	}
	return e.hold(t, false, now)
}

// vsyscallPage is VSYSCALL_ADDR, arch/x86/include/uapi/asm/vsyscall.h.
const vsyscallPage = 0xffffffffff600000

// keepTraced takes CLONE_UNTRACED from a clone: the child has the filter, so it
// must have a tracer too.
func (e *Engine) keepTraced(tid int, r role, c *call) {
	switch r {
	case cloneCall:
		if c.args[0]&cloneUntraced != 0 {
			c.untraced = setFirstArg(tid, c.arch, c.args[0]&^cloneUntraced)
		}
	case clone3Call: // struct clone_args begins with the flags
		if flags, ok := e.capturer.Word(tid, c.args[0]); ok && flags&cloneUntraced != 0 {
			c.untraced = e.capturer.Write(tid, c.args[0], binary.LittleEndian.AppendUint64(nil, flags&^cloneUntraced))
		}
	}
}

// putUntraced gives the caller back what keepTraced took.
func (e *Engine) putUntraced(tid int, r role, c *call) {
	c.untraced = false
	if r == cloneCall {
		setFirstArg(tid, c.arch, c.args[0])
	} else if flags, ok := e.capturer.Word(tid, c.args[0]); ok {
		e.capturer.Write(tid, c.args[0], binary.LittleEndian.AppendUint64(nil, flags|cloneUntraced))
	}
}

// refusesTracing notes that a program wants to trace another one of those
// recorded. It gets EPERM from the kernel, as that has a tracer that it cannot
// be without.
func (e *Engine) refusesTracing(t *thread, now int64) {
	switch t.call.args[0] {
	case unix.PTRACE_ATTACH, unix.PTRACE_SEIZE:
		if e.threads[int(int32(t.call.args[1]))] == nil {
			return
		}
	case unix.PTRACE_TRACEME:
	default:
		return
	}
	e.loss(&tracepb.Loss{Reason: tracepb.Loss_ALTERED, Thread: uint32(t.ID), FirstNs: now, LastNs: now, Count: 1,
		Detail: "a recorded program was not allowed to trace another: it has a seccomp filter for the recorder"})
}

// Attend resumes whatever stops, until nothing that is traced lives or Abandon
// is called. It follows a Run that ended early, on the same thread.
func (e *Engine) Attend() {
	defer e.stop.Or(attended)
	for tid, s := range e.strangers {
		e.attend(tid, s.status)
	}
	for e.stop.Load()&abandoned == 0 {
		var status uint32
		switch tid, errno := e.nextStop(&status, nil); errno {
		case 0:
			e.attend(tid, status)
		case unix.ECHILD:
			return
		}
	}
}

func (e *Engine) attend(tid int, status uint32) {
	s, signo := classify(status)
	switch s {
	case gone:
		e.ended(tid, status)
		return
	case groupStop:
		listen(tid)
		return
	case filtered:
		e.attendCall(tid)
		signo = 0
	case signalStop:
	default:
		signo = 0
	}
	resume(unix.PTRACE_CONT, tid, signo)
}

// attendCall lets a call be made as it would be without the engine.
func (e *Engine) attendCall(tid int) {
	info := &e.info
	if getSyscallInfo(tid, info) != 0 || info.Op != opSeccomp {
		return
	}
	if info.RetData != filterMark {
		refuse(tid)
		return
	}
	c := call{arch: archOf(info.Arch, info.NR), nr: uint32(info.NR), args: info.Args}
	e.keepTraced(tid, e.lookup(c.arch, c.nr, &c.args).role, &c)
}

// ended notes the end of the launched command.
func (e *Engine) ended(tid int, status uint32) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if tid == e.launch.pid {
		e.launch.status, e.launch.exited = status, true
	}
}

// Abandon makes Attend return soon; what still lives is killed with the end of
// the engine's thread. It may be called from any goroutine.
func (e *Engine) Abandon() {
	if e.stop.Or(abandoned)&abandoned == 0 {
		e.interrupt(attended)
	}
}

// ownFilter notes that a program has installed a seccomp filter: what that
// refuses never gets to the engine's.
func (e *Engine) ownFilter(t *thread, r role, ret, now int64) {
	const (
		modeFilter   = 1  // SECCOMP_SET_MODE_FILTER
		prSetSeccomp = 22 // PR_SET_SECCOMP
	)
	first := uint32(t.call.args[0])
	if !e.filtered || ret < 0 || r == filterCall && first != modeFilter || r == prctlCall && first != prSetSeccomp {
		return
	}
	e.loss(&tracepb.Loss{Reason: tracepb.Loss_UNSEEN_CALLS, Thread: uint32(t.ID), FirstNs: now, LastNs: now, Count: 1,
		Detail: "refused by a program's own seccomp filter"})
}
