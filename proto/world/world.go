// Package world follows the processes of a trace: who they are, what their
// descriptors stand for and where they stand in the file system. It works from
// the events alone, so the same code serves the recorder's encoder, which
// writes into each block what the block mentions, and the analysers, which name
// descriptors and paths by it.
//
// Paths are as the process wrote them, made absolute by its working directory
// or the directory descriptor and cleaned lexically; symbolic links cannot be
// resolved from a trace.
package world

import (
	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

// World is the state of everything a trace has shown so far. It is not safe for
// concurrent use. Memory is bounded by the processes, threads and descriptors
// that live; those that ended are kept, without their descriptors, until
// [World.TakeContext]. A World for reading keeps a little of every process, and
// forgets threads some time after their end.
type World struct {
	threads   map[tracefile.ThreadID]*Thread
	processes map[tracefile.ProcessID]*Process
	byTGID    map[int32]*Process // the latest of that number
	recent    [64]*Thread        // direct-mapped cache in front of threads
	plans     [maxArch + 1][]*plan
	unfolded  tracefile.Event // see meant

	num  uint64 // number of the event being applied
	time int64  // its end
	// block counts the calls of TakeContext, from 1: what is stamped with it is
	// in ctx. 0 in a World that notes no context.
	block    uint32
	tracking bool // made by New
	ctx      tracefile.Context
	nested   map[innerID]*Thread
	ended    []*Thread // since the last TakeContext, or not yet forgotten
	rights   []rights  // descriptors sent over sockets and not yet received
	lastFS   *fs       // see freeze
	noFiles  table     // of processes that ended: stays empty

	texts [1 << textBits]string   // see text
	lists [1 << listBits][]string // see list
	path  []byte
}

const (
	textBits = 9
	listBits = 8
)

const (
	maxArch = 4   // syscalls.X32
	maxNR   = 600 // beyond: no plan is kept; nothing that changes the world has such a number
)

// New returns a World that knows nothing and notes what is mentioned, for
// [World.TakeContext].
func New() *World {
	w := ForReading()
	w.tracking, w.block = true, 1
	return w
}

// ForReading returns a World that knows nothing and serves to name things only:
// it notes no context, and never forgets a process.
func ForReading() *World {
	return &World{
		threads:   make(map[tracefile.ThreadID]*Thread),
		processes: make(map[tracefile.ProcessID]*Process),
		byTGID:    make(map[int32]*Process),
	}
}

// Thread returns the thread, or nil if no event has named it.
func (w *World) Thread(id tracefile.ThreadID) *Thread {
	if t := w.recent[id%64]; t != nil && t.ID == id {
		return t
	}
	t := w.threads[id]
	if t != nil {
		w.recent[id%64] = t
	}
	return t
}

// Process returns the process, or nil if no event has named it.
func (w *World) Process(id tracefile.ProcessID) *Process { return w.processes[id] }

// ByTGID returns the latest process that had the kernel's process number, or nil.
func (w *World) ByTGID(tgid int32) *Process { return w.byTGID[tgid] }

// Processes calls fn with every process known, in no order.
func (w *World) Processes(fn func(*Process)) {
	for _, p := range w.processes {
		fn(p)
	}
}

// See returns the thread of an event, making it and its process known if they
// were not. It changes nothing else: use it to look at the world as it stood
// before the event.
func (w *World) See(id tracefile.Thread) *Thread {
	if t := w.recent[id.ID%64]; t != nil && t.ID == id.ID && t.TID == id.TID {
		return t
	}
	return w.see(id)
}

func (w *World) see(id tracefile.Thread) *Thread {
	t := w.threads[id.ID]
	if t == nil {
		t = &Thread{ID: id.ID, TID: id.TID}
		t.Process = w.process(id.Process, id.TGID)
		t.Process.Threads++
		w.threads[id.ID] = t
	}
	t.TID = id.TID // an exec by another thread gives it the leader's
	w.recent[id.ID%64] = t
	return t
}

func (w *World) process(id tracefile.ProcessID, tgid int32) *Process {
	p := w.processes[id]
	if p == nil {
		p = &Process{ID: id, TGID: tgid, fs: &fs{}, files: &table{owner: id, refs: 1}}
		w.processes[id] = p
		w.byTGID[tgid] = p
	}
	return p
}

// Apply takes the event into account. Call it after using the event: until then
// the world is as it stood before, which is what the event's descriptors mean.
// Events must come in the order of the trace. Nothing of e is kept.
func (w *World) Apply(e *tracefile.Event) {
	if e.Num != 0 {
		w.num = e.Num
	} else if e.Kind != tracefile.InFlight {
		w.num++
	}
	w.time = e.End
	t := w.See(e.Thread)
	if w.tracking && t.block != w.block {
		w.touchThread(t, e.Kind == tracefile.ThreadStart)
	}
	t.Process.thaw()
	switch e.Kind {
	case tracefile.Syscall, tracefile.Unfinished, tracefile.InFlight:
		if e.Kind != tracefile.InFlight {
			w.Named(e)
		}
		e = w.meant(e)
		pl := w.plan(e.Arch, e.NR)
		if pl == nil {
			w.made(t, e, pl)
			return
		}
		if w.tracking {
			w.touchArgs(t.Process, e, pl)
		}
		const unmade = tracefile.NoResult | tracefile.Injected
		if pl.effect != nil && e.Kind == tracefile.Syscall && e.Flags&unmade == 0 {
			if e.Ret >= 0 || e.Ret < -4095 || pl.evenFailed {
				pl.effect(w, t, e)
			}
		}
		w.made(t, e, pl)
	case tracefile.ThreadStart:
		w.startThread(t, e)
	case tracefile.Exec:
		w.exec(t, e)
	case tracefile.ThreadExit:
		w.exitThread(t, e)
	case tracefile.Detach:
		t.Detached = true
	}
}

// plan returns what to do for a call, or nil for nothing.
func (w *World) plan(arch syscalls.Arch, nr uint32) *plan {
	if arch > maxArch || nr >= maxNR {
		return nil
	}
	plans := w.plans[arch]
	if plans == nil {
		plans = make([]*plan, maxNR)
		w.plans[arch] = plans
	}
	pl := plans[nr]
	if pl == nil {
		pl = newPlan(syscalls.Lookup(arch, nr))
		plans[nr] = pl
	}
	if pl == idle {
		return nil
	}
	return pl
}
