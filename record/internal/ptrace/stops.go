//go:build linux && (amd64 || arm64)

package ptrace

import (
	"encoding/binary"
	"os"

	"golang.org/x/sys/unix"

	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
)

// handle acts on one wait status. now is the time at which wait returned.
func (e *Engine) handle(tid int, status uint32, now int64) {
	t := e.threads[tid]
	if t == nil {
		e.strange(tid, status, now)
		return
	}
	s, signo := classify(status)
	if s == gone {
		e.exited(t, status, now)
		return
	}
	e.observe(t, now)
	t.halted = false
	if t.call.held { // killed, most likely
		e.unheld(t)
	}
	if t.heir != nil && !e.waits(t.heir) {
		t.heir = nil // killed
	}
	if t.heir != nil {
		e.begin(t, now)
		switch s {
		case inSyscall:
			e.remedy(tid)
		case execed:
			e.execed(t, now)
		}
		if s != signalStop {
			signo = 0
		}
		e.yield(t, signo, now)
		return
	}
	if t.first {
		if t.letGo {
			if s == execed {
				e.forgetOthers(t)
			}
			e.release(t, now)
			return
		}
		if t.how == tracefile.StartAttach {
			e.attached(t, s, now)
		}
		e.settle(t)
	}
	switch s {
	case inSyscall:
		if e.syscallStop(t, now) {
			return
		}
		signo = t.sends()
	case signalStop:
		e.signal(t, signo, now)
	case groupStop:
		e.emit(&tracefile.Event{Kind: tracefile.Stop, Thread: t.Thread, NR: uint32(signo), Start: now, End: now}, nil)
		t.halted = true
		listen(tid)
		return
	case filtered:
		if e.seccompStop(t, now) {
			return
		}
		signo = 0
	case forked:
		e.forked(t, signo, now)
		signo = 0
	case execed:
		// The stub's own may be told of: it was seized in the middle of it.
		first := t.launching || t == e.launch.root && e.launch.pending == t
		t = e.execed(t, now)
		signo = 0
		if e.cfg.DetachExec && !first {
			e.letGoOf(t, now)
			return
		}
	default:
		signo = 0
	}
	if !t.inside {
		e.ran(t, now)
	}
	e.next(t, signo)
}

// stays leaves a stopped thread where it is: its status must not come again. If it
// has been killed since, the status of its end has come instead.
func (e *Engine) stays(t *thread, now int64) {
	var status uint32
	var ended unix.Rusage
	if tid, errno := consumeUsage(int(t.TID), &status, &ended); errno != 0 || tid == 0 {
		return
	}
	if s, _ := classify(status); s == gone {
		e.used = ended.Utime.Nano() + ended.Stime.Nano()
		e.exited(t, status, now)
	}
}

// syscallStop handles a syscall-enter or -exit. It reports whether the thread
// is to stay where it is.
func (e *Engine) syscallStop(t *thread, now int64) (stay bool) {
	if errno := getSyscallInfo(int(t.TID), &e.info); errno != 0 {
		if errno != unix.ESRCH {
			e.launch.noInfo = errno
		}
		return false // killed: its status comes
	}
	switch e.info.Op {
	case opEntry:
		e.enter(t, now)
		if en := t.call.entry; en != nil && en.role == ptraceCall && !e.filtered {
			return e.nested(t, now)
		}
		return e.hold(t, false, now)
	case opExit:
		if t.inside && t.call.rule != nil {
			e.info.NR = uint64(e.force(t, int64(e.info.NR)))
			if e.hold(t, true, now) {
				return true
			}
		}
		e.exit(t, now)
	}
	return false
}

// enter begins a call.
func (e *Engine) enter(t *thread, now int64) {
	info := &e.info
	c := &t.call
	if t.resuming {
		t.resuming = false
		if e.midCall(t) {
			if e.cfg.Stacks > 0 && c.entry != nil {
				c.stack, c.ip = e.stackAt(t, false)
			}
			if en := e.lookup(archOf(info.Arch, info.NR), uint32(info.NR), &info.Args); en.rule != nil && e.tampers() {
				c.entry = e.tamper(t, c.entry, en.rule)
			}
			return
		}
	}
	if t.inside { // an exit was not seen
		e.unfinished(t, now)
	}
	t.inside = true
	c.arch, c.nr, c.args = archOf(info.Arch, info.NR), uint32(info.NR), info.Args
	c.start, c.flags, c.told, c.tampered = now, 0, false, tampered{}
	c.child, c.entered = 0, nil
	if e.usage != nil {
		c.system = e.usage.Stime.Nano()
	}
	en := e.lookup(c.arch, c.nr, &c.args)
	c.entry = en
	if en.role == sigreturnCall {
		c.args[0] = info.SP // it takes none: linux.txt describes the frame on the stack
	}
	c.stack, c.ip = nil, 0
	stub := t.launching
	if stub {
		if en.role != execCall {
			c.entry = nil
			return
		}
		e.launched(t, now)
	}
	if t.interrupted.valid && t.interrupted.resumes(c, info.IP) {
		c.flags |= tracefile.Resumed
	}
	if en.rule != nil && !stub && e.tampers() {
		en = e.tamper(t, en, en.rule)
		c.entry = en
	}
	switch en.role {
	case execCall:
		t.proc.execs++
	case affinityGet, affinitySet:
		e.place.asking++
	case forkCall, cloneCall, clone3Call:
		if e.cfg.NoFollow || en.role == cloneCall && c.args[0]&cloneUntraced != 0 && !e.filtered {
			e.leavePlace(t) // a child that is not followed inherits the affinity
		}
	case closeRangeCall:
		e.naming.files = e.naming.files || !en.selected
	}
	if !en.selected {
		if en.role == plain {
			c.entry = nil
		}
		return
	}
	if e.cfg.Stacks > 0 && !stub { // the recorder's own code
		c.stack, c.ip = e.stackAt(t, false)
	}
	c.mem.Reset()
	if en.plan.NeedsEnter() {
		usual := e.whole(t)
		e.capturer.Enter(int(t.TID), e.slow(t), en.plan, &c.args, &c.mem)
		e.capturer.Keep = usual
	}
	c.names, c.contexts = c.names[:0], c.contexts[:0]
	if e.naming.files || e.naming.cwd {
		e.nameArgs(t)
	}
	if e.cfg.VCPUs == VCPUStates && c.runsVCPU() {
		e.keepVCPU(t, tracefile.AtEnter)
	}
	if e.contexts != nil {
		e.contextArgs(t)
	}
	e.dirty = true
}

// slow tells whether process_vm_readv could wait for an execve that itself
// waits for the process's other threads to be reaped: the kernel locks
// credentials (before Linux 5.8: cred_guard_mutex) from the start of an
// execve to its end.
func (e *Engine) slow(t *thread) bool { return t.proc.execs > 0 && t.proc.threads > 1 }

// exit ends a call.
func (e *Engine) exit(t *thread, now int64) {
	if !t.inside {
		return // the rest of a call that began before the recording
	}
	c := &t.call
	t.inside = false
	ret := int64(e.info.NR)
	en := c.entry
	if en == nil {
		if t.launching {
			if c.nr == unix.SYS_SECCOMP {
				e.filterInstalled(t, ret)
			} else {
				e.launch.sample(now - c.start)
			}
		}
		return
	}
	if en.role != plain {
		e.leave(t, en, ret, now)
	}
	if c.flags&tracefile.Injected != 0 {
		// It is not made again, whatever the result says.
	} else if isRestart(ret) {
		i := &t.interrupted
		if en.role != restartCall { // which stands for what it is to restart
			i.arch, i.nr, i.args = c.arch, c.nr, c.args
		}
		i.valid, i.away, i.ip = true, false, e.info.IP
		c.flags |= tracefile.Restarted
	} else if t.interrupted.valid {
		t.interrupted.left(en.role, e.info.IP)
	}
	if !en.selected {
		return
	}
	if en.alters {
		clear(t.proc.stored)
		clear(t.proc.netlink)
	}
	if c.rule != nil && c.rule.PokeExit != nil && e.poke(t, en, c.rule.PokeExit) {
		c.flags |= tracefile.Poked
	}
	if en.plan != nil && en.plan.NeedsExit(ret < 0 && ret >= -4095) {
		c.mem.Whole = en.plan.Fingerprinted && e.printed(t, ret)
		usual := e.whole(t)
		e.capturer.Exit(int(t.TID), e.slow(t), en.plan, &c.args, ret, &c.mem)
		e.capturer.Keep = usual
	}
	if e.cfg.VCPUs != NoVCPUs && ret >= 0 && c.runsVCPU() {
		e.keepVCPU(t, tracefile.AtExit)
	}
	e.countUnread(t, ret, now)
	if (e.naming.files || en.refs.Rights) && c.flags&tracefile.Injected == 0 {
		e.nameMade(t, en, ret)
		if e.contexts != nil {
			e.contextMade(t, ret)
		}
	}
	var ev tracefile.Event
	t.event(&ev, tracefile.Syscall, now)
	ev.Ret, ev.Fingerprint = ret, c.mem.Fingerprint
	if e.usage != nil && e.usage.Stime.Nano() > c.system {
		ev.Facts = &tracepb.Process{SystemNs: uint64(e.usage.Stime.Nano() - c.system)}
	}
	if c.entered != nil {
		if ev.Facts == nil {
			ev.Facts = &tracepb.Process{}
		}
		ev.Facts.Namespaces = c.entered
	}
	e.emitCall(&ev, c)
}

// leave does what the engine has to at the end of the calls it understands.
func (e *Engine) leave(t *thread, en *entry, ret, now int64) {
	if e.cfg.NoFollow && ret > 0 && en.role.forks() {
		e.leftAlone(t, en.role, now)
	}
	switch en.role {
	case unshareCall, setnsCall, cloneCall, clone3Call:
		t.call.entered = e.entered(t, en.role, ret)
	}
	switch en.role {
	case cloneCall, clone3Call:
		if t.call.untraced {
			e.putUntraced(int(t.TID), en.role, &t.call)
		} else if en.role == cloneCall && ret > 0 && t.call.args[0]&cloneUntraced != 0 {
			e.loss(&tracepb.Loss{Reason: tracepb.Loss_NOT_FOLLOWED, Thread: uint32(t.ID), FirstNs: now, LastNs: now, Count: 1,
				Detail: "started with CLONE_UNTRACED"})
		}
	case uringCall:
		if ret >= 0 {
			e.uringSetup(t, now)
		}
	case uringEnter:
		if ret > 0 {
			e.count(t, tally{tracepb.Loss_IO_URING, ringSubmitted}, uint64(ret), now)
		}
	case filterCall, prctlCall:
		e.ownFilter(t, en.role, ret, now)
	case affinityGet, affinitySet:
		e.place.asking--
		e.affinityCall(t, en.role, ret)
	case mapCall:
		if ret >= 0 || ret < -4095 {
			e.mapped(t, ret)
		}
	case execCall:
		if t.proc.execs > 0 {
			t.proc.execs--
		}
		if e.launch.pending == t {
			e.launch.pending = nil
			if ret < 0 {
				e.launchFailed(int(-ret))
			}
		}
	}
}

// unfinished reports the call a thread is in as one whose exit is not seen.
func (e *Engine) unfinished(t *thread, now int64) {
	if !t.inside {
		return
	}
	e.orphan(t, now)
	t.inside = false
	if en := t.call.entry; en != nil && en.selected {
		var ev tracefile.Event
		t.event(&ev, tracefile.Unfinished, now)
		e.emitCall(&ev, &t.call)
	}
	switch en := t.call.entry; {
	case en == nil:
	case en.role == execCall && t.proc.execs > 0:
		t.proc.execs--
	case en.role == affinityGet || en.role == affinitySet:
		e.place.asking--
	}
}

// signal reports a signal about to be delivered.
func (e *Engine) signal(t *thread, signo int, now int64) {
	ev := tracefile.Event{Kind: tracefile.Signal, Arch: native, Thread: t.Thread, NR: uint32(signo), Start: now, End: now}
	var bufs []tracefile.Buf
	if getSiginfo(int(t.TID), &e.siginfo) == 0 {
		bufs = []tracefile.Buf{{Arg: -1, Parent: -1, Want: siginfoSize, Data: e.siginfo[:]}}
	}
	if e.cfg.Stacks > 0 {
		ev.Stack, ev.IP = e.stackAt(t, true)
	}
	e.emit(&ev, bufs)
	if l := &e.launch; l.root != nil && t.proc == l.root.proc && signo < len(l.got) && !e.passedOn() {
		l.got[signo] = now
	}
}

// passedOn reports whether the signal just read is one that SignalCommand has
// sent (siginfo_t: si_code, then si_pid; include/uapi/asm-generic/siginfo.h).
func (e *Engine) passedOn() bool {
	code, pid := binary.NativeEndian.Uint32(e.siginfo[8:]), binary.NativeEndian.Uint32(e.siginfo[16:])
	const user = 0 // SI_USER
	return code == user && int(pid) == os.Getpid()
}
