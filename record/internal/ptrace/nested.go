//go:build linux && (amd64 || arm64)

package ptrace

import (
	"fmt"

	"golang.org/x/sys/unix"

	"sysreel/proto/tracepb"
	"sysreel/record/internal/procfs"
)

// A thread has one tracer. Debuggers and tracers among the recorded programs
// get the threads that they want to trace: those are not followed any further,
// which is a loss.

// nested acts at the enter of ptrace(2). It reports whether t must not be
// resumed: because it has been let go of, or because it has to wait.
func (e *Engine) nested(t *thread, now int64) bool {
	switch t.call.args[0] {
	case unix.PTRACE_TRACEME:
		// Its parent becomes its tracer when the call is carried out.
		e.yield(t, 0, now)
		return true
	case unix.PTRACE_ATTACH, unix.PTRACE_SEIZE:
		target := e.named(t, int(int32(t.call.args[1])))
		if target == nil || target == t || target.heir != nil || target.proc == t.proc {
			return false
		}
		// Only a stopped thread can be let go of.
		if interrupt(int(target.TID)) != 0 {
			return false
		}
		target.heir = t
		e.stays(t, now)
		return true
	}
	return false
}

// named returns the thread that t calls tid: in a PID namespace the numbers are
// others than here. Threads in namespaces below t's are not found.
func (e *Engine) named(t *thread, tid int) *thread {
	self, ok := e.proc.Look(int(t.TID))
	if !ok || self.Depth == 0 {
		return e.threads[tid]
	}
	if tid == self.Inner {
		return t
	}
	namespace := procfs.PIDNamespace(int(t.TID))
	for outer, other := range e.threads {
		s, ok := e.proc.Look(outer)
		if !ok || s.Inner != tid || s.Depth != self.Depth {
			continue
		}
		if other.proc == t.proc || procfs.PIDNamespace(outer) == namespace {
			return other
		}
	}
	return nil
}

// yield lets go of a stopped thread for good, delivering signo.
func (e *Engine) yield(t *thread, signo int, now int64) {
	e.release(t, now)
	e.loss(&tracepb.Loss{Reason: tracepb.Loss_NOT_FOLLOWED, Thread: uint32(t.ID), FirstNs: now, LastNs: now, Count: 1,
		Detail: "traced by another recorded program"})
	e.leavePlace(t)
	detach(int(t.TID), signo)
	e.forget(t)
}

// inherited resumes the thread that has waited for t to be let go of, or to
// end.
func (e *Engine) inherited(t *thread) {
	if heir := t.heir; heir != nil {
		t.heir = nil
		if e.waits(heir) {
			e.next(heir, 0)
		}
	}
}

// waits reports whether a thread is still at the enter of its ptrace call.
func (e *Engine) waits(heir *thread) bool {
	return e.threads[int(heir.TID)] == heir && heir.inside && heir.call.entry != nil && heir.call.entry.role == ptraceCall
}

// checkSetuid tells when a program runs without the rights of its
// set-user-ID bit: the kernel gives them to a traced program only if the tracer
// has CAP_SYS_PTRACE (security/commoncap.c).
func (e *Engine) checkSetuid(t *thread, facts *tracepb.Process, now int64) {
	if facts.ExeFile == nil || facts.ExeFile.Mode&unix.S_ISUID == 0 || facts.Credentials == nil {
		return
	}
	var st unix.Stat_t
	if unix.Stat("/proc/"+itoa(int(t.TGID))+"/exe", &st) != nil || st.Uid == facts.Credentials.Euid {
		return
	}
	e.count(t, tally{tracepb.Loss_ALTERED, "set-user-ID programs without their rights"}, 1, now)
	if e.cfg.Warn != nil {
		e.cfg.Warn(fmt.Sprintf("%s (process %d) runs as user %d and not as its owner, user %d: a traced program gets set-user-ID rights only if the recorder has CAP_SYS_PTRACE",
			facts.Exe, t.TGID, facts.Credentials.Euid, st.Uid))
	}
}
