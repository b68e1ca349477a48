//go:build linux && (amd64 || arm64)

package ptrace

import (
	"slices"

	"golang.org/x/sys/unix"

	"sysreel/proto/tracefile"
	"sysreel/record/internal/procfs"
)

// A new thread may stop before its creator's event tells of it, and where the
// creator is killed between making it and saying so no event ever does. Until
// then, or until nobody is left who could tell, it is a stranger.

// stranger is a stopped or ended thread whose creator has not told of it.
type stranger struct {
	status uint32
	// from is what /proc said when it stopped: its parent is its creator
	// then, if that lives.
	from procfs.Status
}

// orphaned is a thread that ended in a call that makes threads, and told of
// none.
type orphaned struct {
	tracefile.Thread
	ended int64
	how   tracefile.StartHow
	mask  cpuMask
}

// orphanTime is for how long such a thread is remembered, ns: what it has made
// stops before that, and most have made nothing.
const orphanTime = 1e9

// strange notes what a thread did that is not known. now is the time at which
// wait returned.
func (e *Engine) strange(tid int, status uint32, now int64) {
	if e.succeeds(tid, status) {
		e.handle(tid, status, now)
		return
	}
	s := stranger{status: status, from: e.strangers[tid].from}
	if what, _ := classify(status); what != gone {
		s.from, _ = e.proc.Look(tid)
		consume(tid, &s.status) // of its end, if it was killed since
	}
	e.strangers[tid] = s
}

// succeeds takes in the leader that an execve of a thread that is followed has
// made, where the former leader was not: it had ended, or was not to be followed.
func (e *Engine) succeeds(tid int, status uint32) bool {
	if what, _ := classify(status); what != execed {
		return false
	}
	var p *process
	switch former, errno := eventMessage(tid); {
	case errno != 0: // killed since
		p = e.processes[tid]
	case e.threads[int(former)] != nil:
		p = e.threads[int(former)].proc
	}
	if p == nil {
		return false
	}
	t := e.newAttached(tid, p)
	for _, other := range e.threads {
		t.letGo = t.letGo || other.proc == p && other.letGo
	}
	return true
}

// orphan notes that a thread will tell of no child any more.
func (e *Engine) orphan(t *thread, now int64) {
	if !t.untold() {
		return
	}
	o := orphaned{Thread: t.Thread, ended: now, how: tracefile.StartClone, mask: t.mask}
	switch c := &t.call; {
	case c.entry.role == forkCall && c.entry.desc.Name == "vfork", c.entry.role == cloneCall && c.args[0]&unix.CLONE_VFORK != 0:
		o.how = tracefile.StartVfork
	case c.entry.role == forkCall, c.entry.role == cloneCall && c.args[0]&unix.CSIGNAL == uint64(unix.SIGCHLD):
		o.how = tracefile.StartFork
	}
	e.forgetOrphaned(now)
	e.orphaned = append(e.orphaned, o)
}

func (e *Engine) forgetOrphaned(now int64) {
	e.orphaned = slices.DeleteFunc(e.orphaned, func(o orphaned) bool { return now-o.ended > orphanTime })
}

// adopt takes in the strangers that nobody will tell of any more.
func (e *Engine) adopt(now int64) {
	for _, t := range e.threads {
		if t.unsettled() || t.untold() {
			return // it may be the creator, and tell
		}
	}
	e.forgetOrphaned(now)
	for tid, s := range e.strangers {
		delete(e.strangers, tid)
		if what, _ := classify(s.status); what == gone {
			continue // it has made no call
		}
		st, ok := e.proc.Look(tid)
		if !ok {
			continue
		}
		how, mask, by := tracefile.StartClone, e.place.own, tracefile.ThreadID(0)
		creator := e.creator(&s)
		if creator != nil {
			how, mask, by = creator.how, creator.mask, creator.ID
			st.PPID = int(creator.TGID)
		}
		proc := e.processes[st.TGID]
		if proc == nil {
			proc = e.newProcess(st.TGID, st.PPID)
		}
		t := e.newThread(tid, proc, how)
		e.inherit(t, mask)
		e.started(t, by, now)
		e.handle(tid, s.status, now)
	}
}

// creator tells which thread has made a stranger, nil: it may have been one or
// another.
func (e *Engine) creator(s *stranger) *orphaned {
	same := func(o orphaned) bool { return int(o.TGID) == s.from.PPID || int(o.TGID) == s.from.TGID }
	i := slices.IndexFunc(e.orphaned, same)
	if i < 0 {
		// Its parent was gone already: then it is known only if there is
		// no other.
		other := func(o orphaned) bool { return o.Process != e.orphaned[0].Process }
		if len(e.orphaned) == 0 || slices.ContainsFunc(e.orphaned, other) {
			return nil
		}
		i = 0
	}
	o := e.orphaned[i]
	e.orphaned = slices.Delete(e.orphaned, i, i+1)
	return &o
}
