//go:build linux && (amd64 || arm64)

package ptrace

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
	"sysreel/record/internal/procfs"
)

// Attach follows every thread of processes that run already, and with tree
// those of their descendants. If one of the processes cannot be followed,
// none is: those seized are let go when the thread ends. With Config.Skipped the
// others are, if there are any.
func (e *Engine) Attach(pids []int, tree bool) error {
	if e.cfg.Skipped == nil {
		for _, pid := range pids {
			if err := e.refuse(pid); err != nil {
				return err
			}
		}
	}
	if err := e.calibrate(); err != nil {
		return err
	}
	var last error
	for _, pid := range pids {
		err := e.refuse(pid)
		if err == nil {
			err = e.attach(pid)
		}
		if err == nil {
			continue
		}
		if e.cfg.Skipped == nil {
			return err
		}
		if last != nil {
			e.cfg.Skipped(last)
		}
		last = err
	}
	switch {
	case last != nil && len(e.threads) == 0:
		return last
	case last != nil:
		e.cfg.Skipped(last)
	}
	if e.tree = tree; tree {
		e.attachTree()
	}
	e.stopUnsettled()
	return nil
}

// attachTree follows the descendants of what is followed. One may fork before
// it is seized, so they are looked for until nothing new turns up.
func (e *Engine) attachTree() {
	for again := true; again; {
		again = false
		for _, pid := range e.children() {
			if e.missing[pid] || e.refuse(pid) != nil { // ourselves, most likely
				continue
			}
			switch err := e.attach(pid); {
			case err == nil:
				again = true
			case !errors.Is(err, syscall.ESRCH):
				e.missed(pid, err)
			}
		}
	}
}

// children lists the processes whose parent is followed but which are not.
func (e *Engine) children() []int {
	var all []int
	for _, pid := range procfs.Processes() {
		if e.processes[pid] != nil {
			continue
		}
		if s, ok := e.proc.Look(pid); ok && e.processes[s.PPID] != nil && s.State != 'Z' && s.TracerPID == 0 {
			all = append(all, pid)
		}
	}
	return all
}

// maxScans bounds how often the threads of a process are listed.
const maxScans = 1000

// attach follows one process.
func (e *Engine) attach(pid int) error {
	if e.processes[pid] != nil && !e.cfg.Alone || e.threads[pid] != nil {
		return nil // named twice
	}
	s, ok := e.proc.Look(pid)
	switch {
	case !ok:
		return &AttachError{PID: pid, Err: syscall.ESRCH}
	case e.cfg.Alone:
		return e.attachThread(pid, s)
	case s.TGID != pid:
		return &AttachError{PID: pid, Err: fmt.Errorf("it is a thread of process %d", s.TGID), Hint: fmt.Sprintf("attach to %d", s.TGID)}
	}
	p := e.newProcess(pid, s.PPID)
	err := e.seizeThreads(p)
	if p.threads == 0 {
		delete(e.processes, pid)
	}
	if err == nil && p.threads == 0 {
		err = &AttachError{PID: pid, Err: errors.New("it has ended already and waits for its parent (a zombie)")}
	}
	return err
}

// attachThread follows one thread, of a process that may have others.
func (e *Engine) attachThread(tid int, s procfs.Status) error {
	tid, errno, now := e.seize(tid, s.TGID)
	if errno != 0 {
		if now.State == 'Z' {
			return &AttachError{PID: tid, Err: errors.New("it has ended already and waits for its parent (a zombie)")}
		}
		return e.explain(s.TGID, tid, errno)
	}
	p := e.processes[s.TGID]
	if p == nil {
		p = e.newProcess(s.TGID, s.PPID)
	}
	e.newAttached(tid, p)
	return nil
}

// newAttached registers a thread that has been seized.
func (e *Engine) newAttached(tid int, p *process) *thread {
	e.processes[p.tgid] = p
	p.unsettled++
	e.unsettled++
	return e.newThread(tid, p, tracefile.StartAttach)
}

// stopUnsettled stops the threads that were attached to and run on since.
func (e *Engine) stopUnsettled() {
	for _, t := range e.threads {
		if t.unsettled() {
			interrupt(int(t.TID))
		}
	}
	e.settleLate()
}

// seizeThreads seizes the threads of a process that are not traced yet. A thread
// may start another before it is seized, so they are listed until all that the
// process has are known to be traced: a traced thread stays until it is waited
// for, so that none of them can go meanwhile and none that it starts goes
// untraced.
func (e *Engine) seizeThreads(p *process) error {
	held := make(map[int]bool) // traced by this engine
	for range maxScans {
		zombies := 0 // a leader that has ended stays while its threads live
		reaped := len(e.reaped)
		for _, tid := range procfs.Threads(p.tgid) {
			if held[tid] {
				continue
			}
			if e.threads[tid] != nil {
				held[tid] = true
				continue
			}
			switch now, errno, s := e.seize(tid, p.tgid); {
			case errno == 0 && now != tid:
				e.succeed(p)
			case errno == 0:
				held[tid] = true
				e.newAttached(tid, p)
			case errno == unix.ESRCH:
				// It has ended.
			case errno != unix.EPERM:
				return e.explain(p.tgid, tid, errno)
			case s.State == 'Z' && tid == p.tgid:
				zombies = 1
			case s.State == 'Z' || s.State == 'X':
			case s.TracerPID == e.tid || s.TracerPID == os.Getpid():
				held[tid] = true // started by a thread that is followed: its event comes
			default:
				return e.explain(p.tgid, tid, errno)
			}
		}
		// The list is not always whole: the kernel ends it early where the
		// thread it has got to exits just then (next_tid in fs/proc/base.c).
		s, ok := e.proc.Look(p.tgid)
		if s.State != 'Z' {
			zombies = 0 // an execve has put another thread in the leader's place
		}
		again := ok && (s.Threads == 0 || s.Threads > len(held)+zombies)
		again = e.regain(p) || again
		switch {
		case len(e.reaped) > reaped:
			clear(held) // of some there is nothing left to stay
		case !again:
			return nil
		}
	}
	return nil
}

// settle notes that a thread has stopped for the first time, or ended. When all
// the threads of a process that were attached to have, then what they were
// starting when they were seized has been started, untraced, and is looked for:
// the kernel decides at the beginning of a clone whether the new thread is
// traced (kernel_clone in kernel/fork.c).
func (e *Engine) settle(t *thread) {
	if !t.first {
		return
	}
	t.first = false
	if t.how != tracefile.StartAttach {
		return
	}
	t.proc.unsettled--
	e.unsettled--
	before := e.unsettled
	if t.proc.unsettled == 0 && t.proc.threads > 0 && !e.cfg.Alone {
		if err := e.seizeThreads(t.proc); err != nil {
			e.missed(t.proc.tgid, err)
		}
	}
	if e.unsettled == 0 && e.tree {
		e.attachTree()
	}
	switch {
	case e.unsettled > before:
		e.stopUnsettled()
	case e.unsettled == 0 && e.cfg.Attached != nil:
		e.cfg.Attached()
		e.cfg.Attached = nil
	}
}

// missed records that a process, or some of its threads, cannot be followed.
func (e *Engine) missed(pid int, err error) {
	if e.missing[pid] {
		return
	}
	if e.missing == nil {
		e.missing = make(map[int]bool)
	}
	e.missing[pid] = true
	now := e.now()
	e.loss(&tracepb.Loss{Reason: tracepb.Loss_NOT_FOLLOWED, FirstNs: now, LastNs: now, Count: 1, Detail: err.Error()})
}

// refuse says why attaching to a process would never end well.
func (e *Engine) refuse(pid int) error {
	self := os.Getpid()
	if pid == self {
		return &AttachError{PID: pid, Err: errors.New("it is this recorder itself")}
	}
	// Whoever traces us stops us, and would wait for us to resume it.
	for tracer, seen := self, []int(nil); ; seen = append(seen, tracer) {
		s, ok := e.proc.Look(tracer)
		if !ok || s.TracerPID == 0 || slices.Contains(seen, s.TracerPID) {
			return nil
		}
		tracer = s.TracerPID
		if t, ok := e.proc.Look(tracer); ok {
			tracer = t.TGID
		}
		if tracer == pid {
			return &AttachError{PID: pid, Err: errors.New("it traces this recorder: each would wait for the other")}
		}
	}
}

// attached is called at the first stop of a thread that was attached to.
func (e *Engine) attached(t *thread, s stop, now int64) {
	e.started(t, 0, now)
	if s != eventStop && s != groupStop {
		return
	}
	// Where the thread was in a call, PTRACE_INTERRUPT has taken it out of
	// it: either it will be restarted, or it ends with EINTR now.
	r, ok := callInterrupted(int(t.TID))
	if !ok {
		return
	}
	c := &t.call
	c.arch, c.nr, c.args, c.start, c.flags = r.arch, r.nr, r.args, now, tracefile.MidCall
	c.entry = e.lookup(c.arch, c.nr, &c.args)
	if !c.entry.selected {
		return
	}
	c.mem.Reset()
	if c.entry.plan.NeedsEnter() {
		e.capturer.Enter(int(t.TID), false, c.entry.plan, &c.args, &c.mem)
	}
	if e.cfg.Stacks > 0 {
		c.stack, c.ip = e.stackAt(t, false)
	}
	c.names, c.contexts = c.names[:0], c.contexts[:0]
	if e.naming.files || e.naming.cwd {
		e.nameArgs(t)
	}
	if e.contexts != nil {
		e.contextArgs(t)
	}
	if r.restarts {
		// It is entered again, as itself or as restart_syscall.
		t.inside, t.resuming = true, true
		return
	}
	if c.entry.plan.NeedsExit(r.ret < 0) {
		e.capturer.Exit(int(t.TID), false, c.entry.plan, &c.args, r.ret, &c.mem)
	}
	var ev tracefile.Event
	t.event(&ev, tracefile.Syscall, now)
	ev.Ret = r.ret
	e.emitCall(&ev, c)
}

// midCall reports whether the call being entered is the one that the thread
// was in when it was attached to, which is then already known, by its real name
// even if the kernel goes on with it as restart_syscall.
func (e *Engine) midCall(t *thread) bool {
	c, info := &t.call, &e.info
	arch, nr := archOf(info.Arch, info.NR), uint32(info.NR)
	if arch != c.arch {
		return false
	}
	return e.lookup(arch, nr, &info.Args).role == restartCall || nr == c.nr && info.Args == c.args
}

// pendingCall is a call that a thread was in when it was stopped.
type pendingCall struct {
	call
	ret      int64
	restarts bool
}
