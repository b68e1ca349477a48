//go:build linux && (amd64 || arm64)

package ptrace

import (
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
	"sysreel/record/internal/unwind"
)

// Flags of clone(2), include/uapi/linux/sched.h.
const (
	cloneFS       = 0x00000200
	cloneFiles    = 0x00000400
	cloneThread   = 0x00010000
	cloneParent   = 0x00008000
	cloneUntraced = 0x00800000
)

// forked registers the child that t has made.
func (e *Engine) forked(t *thread, event int, now int64) {
	msg, errno := eventMessage(int(t.TID))
	if errno != 0 {
		return // killed; the child, if any, is found as a stranger
	}
	tid := int(msg)
	t.call.told, t.call.child = true, tid
	if e.threads[tid] != nil {
		return // adopted
	}
	how := tracefile.StartClone
	switch event {
	case unix.PTRACE_EVENT_FORK:
		how = tracefile.StartFork
	case unix.PTRACE_EVENT_VFORK:
		how = tracefile.StartVfork
	}
	flags, known := e.cloneFlags(t)
	proc := t.proc
	if !known && event == unix.PTRACE_EVENT_CLONE {
		if s, ok := e.proc.Look(tid); !ok || s.TGID == int(t.TGID) {
			flags = cloneThread
		}
	}
	ppid := int(t.TGID)
	if flags&cloneParent != 0 {
		ppid = t.proc.ppid
	}
	if flags&cloneThread == 0 {
		proc = e.newProcess(tid, ppid)
		proc.nested = t.proc.nested
		*proc.space = *t.proc.space // the child has the same mappings
	}
	if e.cfg.Selected != nil && flags&cloneThread == 0 {
		// What they share is not in the trace, or comes too late.
		e.naming.files = e.naming.files || flags&cloneFiles != 0
		e.naming.cwd = e.naming.cwd || flags&cloneFS != 0
	}
	child := e.newThread(tid, proc, how)
	e.inherit(child, t.mask)
	if flags&cloneThread == 0 && e.cfg.NoFollow {
		child.letGo = true
	} else {
		e.started(child, t.ID, now)
	}
	if s, ok := e.strangers[tid]; ok {
		delete(e.strangers, tid)
		e.handle(tid, s.status, now)
	}
}

// cloneFlags returns the flags of the clone that t is in.
func (e *Engine) cloneFlags(t *thread) (flags uint64, known bool) {
	c := &t.call
	if !t.inside || c.entry == nil {
		return 0, false
	}
	switch c.entry.role {
	case forkCall:
		return 0, true
	case cloneCall:
		return c.args[0], true
	case clone3Call:
		// struct clone_args begins with the flags, 64 bits on every
		// architecture.
		return e.capturer.Word(int(t.TID), c.args[0])
	}
	return 0, false
}

// begin reports the first event of a thread that was attached to, if it has not
// been yet: anything may be the first that is seen of it.
func (e *Engine) begin(t *thread, now int64) {
	if !t.begun {
		e.started(t, 0, now)
	}
}

// started reports the first event of a thread. The first of a process describes
// the process; the others of one attached to tell their names.
func (e *Engine) started(t *thread, creator tracefile.ThreadID, now int64) {
	t.begun = true
	ev := tracefile.Event{Kind: tracefile.ThreadStart, Thread: t.Thread, Start: now, End: now}
	ev.Args[0] = uint64(t.how)
	ev.Args[1] = uint64(creator)
	switch {
	case t.proc.described && t.how == tracefile.StartAttach:
		if s, ok := e.proc.Look(int(t.TID)); ok {
			ev.Facts = &tracepb.Process{Comm: []byte(s.Name), Tgid: t.TGID}
		}
	case !t.proc.described:
		t.proc.described = true
		// Through a thread that lives: the leader may be a zombie.
		switch t.how {
		case tracefile.StartLaunch:
			ev.Facts = e.proc.Launched(int(t.TID))
		case tracefile.StartAttach:
			ev.Facts = e.proc.Running(int(t.TID))
			e.checkForeign(t, ev.Facts, now)
		default: // it has all else from its creator
			ev.Facts = &tracepb.Process{Ppid: int32(t.proc.ppid)}
		}
		ev.Facts.Tgid, ev.Facts.Arch = t.TGID, uint32(native)
		e.ringsOf(t, ev.Facts, now)
	}
	e.nest(t, &ev)
	e.emit(&ev, nil)
}

// nest gives an event what its thread is called in PID namespaces below the
// recorder's: of what was there before, of what comes from it, and of all where
// that is asked for.
func (e *Engine) nest(t *thread, ev *tracefile.Event) {
	if !e.cfg.Inner && !t.proc.nested && t.how != tracefile.StartAttach {
		return
	}
	ids := e.proc.Inner(int(t.TID))
	if len(ids) == 0 {
		return
	}
	t.proc.nested = true
	if ev.Facts == nil {
		ev.Facts = &tracepb.Process{}
	}
	ev.Facts.Inner = ids
}

// execed handles a successful execve. All other threads of the process are
// gone, and the one that made the call has the process's ID from now on.
func (e *Engine) execed(t *thread, now int64) *thread {
	if t.launching { // the stub itself
		return t
	}
	ev := tracefile.Event{Kind: tracefile.Exec, Arch: native, Thread: t.Thread, Start: now, End: now}
	if maker := e.maker(t); maker != nil && maker != t {
		e.begin(maker, now)
		ev.Args[0] = uint64(maker.ID)
		e.unfinished(t, now) // the leader's call, if it was in one
		// The leader's place, and the execve.
		t.inside, t.call = maker.inside, maker.call
		t.interrupted = interrupted{}
		t.mask, t.placed = maker.mask, maker.placed // affinity belongs to the thread
		t.made = maker.made
		e.forget(maker)
	}
	e.executed(t, &ev)
	return t
}

// executed reports that the process of t, which is its leader, executes another
// program.
func (e *Engine) executed(t *thread, ev *tracefile.Event) {
	now := ev.End
	for _, other := range e.threads {
		if other.proc == t.proc && other != t {
			e.supersede(other, now)
			e.forget(other)
		}
	}
	e.processes[t.proc.tgid] = t.proc
	t.proc.execs = 0
	t.proc.space.Forget()
	clear(t.proc.vcpus)
	if t.executes() {
		t.proc.execs = 1
	}
	if e.launch.pending == t {
		e.launch.pending = nil
	}
	ev.Facts = e.proc.Executed(int(t.TGID))
	ev.Facts.Arch = uint32(native)
	e.checkSetuid(t, ev.Facts, now)
	e.checkForeign(t, ev.Facts, now)
	if ev.Args[0] != 0 && t.proc.nested { // it has the leader's numbers now
		e.nest(t, ev)
	}
	e.emit(ev, nil)
}

// maker returns the thread that has made the execve after which t has stopped.
func (e *Engine) maker(t *thread) *thread {
	if former, errno := eventMessage(int(t.TID)); errno == 0 {
		return e.threads[int(former)]
	}
	// Killed since. The others are gone all the same.
	for _, other := range e.threads {
		if other.proc == t.proc && other != t && other.executes() && !t.executes() {
			return other
		}
	}
	return t
}

// forgetOthers removes the threads that an execve of t's process has ended.
func (e *Engine) forgetOthers(t *thread) {
	for _, other := range e.threads {
		if other.proc == t.proc && other != t {
			e.forget(other)
		}
	}
}

// supersede ends a thread that another's execve has removed.
func (e *Engine) supersede(t *thread, now int64) {
	e.begin(t, now)
	e.unfinished(t, now)
	ev := tracefile.Event{Kind: tracefile.ThreadExit, Thread: t.Thread, Start: now, End: now}
	ev.Args[1] = uint64(tracefile.ExitSuperseded)
	e.emit(&ev, nil)
}

// exited reports the end of a thread.
func (e *Engine) exited(t *thread, status uint32, now int64) {
	e.forget(t)
	if t.letGo {
		return
	}
	if t == e.launch.root {
		e.launch.status, e.launch.exited = status, true
	}
	if t.launching {
		e.launchFailed(0)
		return
	}
	e.begin(t, now) // it may have ended before it could be stopped
	e.unfinished(t, now)
	ev := tracefile.Event{Kind: tracefile.ThreadExit, Thread: t.Thread, Start: now, End: now, Ret: int64(status)}
	if t.proc.threads == 0 {
		ev.Args[0], ev.Args[2] = 1, uint64(e.used)
	}
	e.emit(&ev, nil)
}

// vanished reports what is still in the table when nothing is left to wait
// for.
func (e *Engine) vanished(now int64) {
	for _, t := range e.threads {
		e.vanish(t, now)
	}
}

// vanish ends a thread of which no status will come.
func (e *Engine) vanish(t *thread, now int64) {
	e.forget(t)
	if t.letGo || t.launching {
		return
	}
	e.begin(t, now)
	e.unfinished(t, now)
	ev := tracefile.Event{Kind: tracefile.ThreadExit, Thread: t.Thread, Start: now, End: now}
	ev.Args[1] = uint64(tracefile.ExitVanished)
	if t.proc.threads == 0 {
		ev.Args[0] = 1
	}
	e.emit(&ev, nil)
}

// letGo reports that the threads still followed live on unseen.
func (e *Engine) letGo() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.spread()
	e.place.on = false
	e.releaseAll(e.now())
	e.awaitChildren()
	now := e.now()
	for _, t := range e.threads {
		if !t.letGo && !t.launching {
			e.begin(t, now)
			e.release(t, now)
		}
	}
}

// awaitChildren waits, for childTime at most, for the threads that are being
// made to be told of: they have the affinity that their creators had when they
// were placed. And for calls to return in the place of which others were made.
func (e *Engine) awaitChildren() {
	var creators []*thread
	for _, t := range e.threads {
		if t.untold() && t.mask != nil || t.call.instead {
			creators = append(creators, t)
		}
	}
	busy := func(t *thread) bool { return e.threads[int(t.TID)] == t && (t.untold() || t.call.instead) }
	for end := e.now() + childTime; slices.ContainsFunc(creators, busy) && e.now() < end; {
		var status uint32
		switch tid, errno := wait(unix.WNOHANG, &status); {
		case errno == unix.ECHILD:
			return
		case errno == 0 && tid > 0:
			e.handle(tid, status, e.now())
		default:
			time.Sleep(50 * time.Microsecond)
		}
	}
	e.adopt(e.now())
}

const childTime = 1e9 // ns

// release reports that a thread is let go of, and does it if it is stopped.
func (e *Engine) release(t *thread, now int64) {
	if t.letGo { // a child that is not to be followed, at its first stop
		e.leavePlace(t)
		detach(int(t.TID), 0)
		e.forget(t)
		return
	}
	e.unfinished(t, now)
	e.emit(&tracefile.Event{Kind: tracefile.Detach, Thread: t.Thread, Start: now, End: now}, nil)
}

func (e *Engine) newProcess(tgid, ppid int) *process {
	e.lastPID++
	p := &process{id: e.lastPID, tgid: tgid, ppid: ppid, space: new(unwind.Space)}
	e.processes[tgid] = p
	e.Counts.Processes++
	return p
}

func (e *Engine) newThread(tid int, p *process, how tracefile.StartHow) *thread {
	e.lastID++
	t := &thread{
		Thread: tracefile.Thread{ID: e.lastID, Process: p.id, TID: int32(tid), TGID: int32(p.tgid)},
		proc:   p, how: how, first: true,
	}
	p.threads++
	e.threads[tid] = t
	e.Counts.Threads++
	return t
}

// forget removes a thread that is no longer followed.
func (e *Engine) forget(t *thread) {
	e.stopped(t)
	e.unheld(t)
	e.place.guard.remove(int(t.TID))
	delete(e.threads, int(t.TID))
	e.inherited(t)
	if t.proc.threads--; t.proc.threads == 0 {
		delete(e.processes, t.proc.tgid)
	}
	e.settle(t)
}
