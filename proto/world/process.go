package world

import (
	"path"
	"strconv"

	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
)

// Thread is a thread of the trace.
type Thread struct {
	ID       tracefile.ThreadID
	TID      int32
	Process  *Process
	Comm     string // of a thread that is not the leader; empty: the process's
	How      tracefile.StartHow
	Start    int64 // ns; 0 if the start is not in the trace
	End      int64 // ns; valid with Ended
	Status   int32 // wait status; valid with Ended and StatusKnown
	Ended    bool
	Detached bool
	// StatusKnown is false of a thread that vanished (another's exec, SIGKILL).
	StatusKnown bool

	lastChild *Thread // the last thread or process it made
	inner     inner
	block     uint32
}

// Name returns the thread's command name: its own, or its process's.
func (t *Thread) Name() string {
	if t.Comm != "" {
		return t.Comm
	}
	return t.Process.Comm
}

// Process is a process of the trace: all threads of one thread group, through
// all programs it executes.
type Process struct {
	ID      tracefile.ProcessID
	TGID    int32
	Parent  *Process // nil if not recorded
	Start   int64    // ns; 0 if the start is not in the trace
	End     int64    // ns; valid with Ended
	Creator tracefile.ThreadID
	Status  int32 // wait status; valid with Ended and StatusKnown
	How     tracefile.StartHow
	Ended   bool
	// StatusKnown is false of a process that vanished unseen.
	StatusKnown bool

	// frozen: fs and files are shared with others that ended, see freeze.
	frozen bool
	block  uint32

	Comm    string   // at most 15 bytes, as in /proc/PID/comm
	Exe     string   // the program's path
	Argv    []string // may be another's too: not to be changed
	Execs   []Exec   // every program it ran while recorded, in order
	Threads int      // seen so far, ended ones too

	fs    *fs
	files *table
}

// Exec is the execution of a program.
type Exec struct {
	Event uint64 // number of the event; 0: before recording began
	Time  int64  // ns
	Path  string
}

// fs is what CLONE_FS shares.
type fs struct{ cwd, root string }

// Cwd returns the working directory, "" if not known.
func (p *Process) Cwd() string { return p.fs.cwd }

// Root returns the root directory where it is known and not "/".
func (p *Process) Root() string { return p.fs.root }

// Role names what the process runs: the base name of its program, else its
// comm, else "?".
func (p *Process) Role() string {
	switch {
	case p.Exe != "":
		return path.Base(p.Exe)
	case p.Comm != "":
		return p.Comm
	}
	return "?"
}

// Flags of clone(2), include/uapi/linux/sched.h.
const (
	cloneFS     = 0x00000200
	cloneFiles  = 0x00000400
	clonePidfd  = 0x00001000
	cloneThread = 0x00010000
)

func (w *World) startThread(t *Thread, e *tracefile.Event) {
	p := t.Process
	t.How, t.Start = tracefile.StartHow(e.Args[0]), e.End
	creator := w.Thread(tracefile.ThreadID(e.Args[1]))
	if creator != nil {
		creator.lastChild = t
	}
	if p.Start == 0 && p.Threads <= 1 && (creator == nil || creator.Process != p) {
		p.Start, p.How = e.End, t.How
		w.byTGID[p.TGID] = p
		if creator != nil && creator.Process != p {
			p.Creator = creator.ID
			w.inherit(p, creator)
		}
	}
	if e.Facts != nil {
		w.snapshot(t, e.Facts, false)
		w.nest(t, e.Facts.Inner)
		if len(p.Execs) == 0 && len(e.Facts.Exe) > 0 {
			p.Execs = append(p.Execs, Exec{Time: e.End, Path: p.Exe})
		}
	}
}

// inherit makes p a copy of its creator's process, as fork(2) does.
func (w *World) inherit(p *Process, creator *Thread) {
	parent := creator.Process
	p.Parent = parent
	p.Comm, p.Exe, p.Argv = creator.Name(), parent.Exe, parent.Argv
	own := *parent.fs
	p.fs = &own
	p.files = parent.files.fork(p.ID, w.block)
}

// cloned runs when clone, clone3, fork or vfork returned in the creator: only
// now are the flags seen.
func (w *World) cloned(t *Thread, flags uint64) {
	child := t.lastChild
	if child == nil || child.Process == t.Process || child.Process.Creator != t.ID {
		return
	}
	p := child.Process
	if len(p.Execs) > 0 || p.Ended { // vfork: it has its own by now
		return
	}
	if flags&cloneFiles != 0 && p.files != t.Process.files {
		p.files.release()
		p.files = t.Process.files
		p.files.refs++
	}
	if flags&cloneFS != 0 {
		p.fs = t.Process.fs
	}
}

func (w *World) exec(t *Thread, e *tracefile.Event) {
	p := t.Process
	p.files = p.files.exec(p.ID, w.block)
	t.Comm = ""
	if e.Facts != nil {
		w.snapshot(t, e.Facts, true)
		w.nest(t, e.Facts.Inner)
	}
	x := Exec{Event: w.num, Time: e.End}
	if e.Facts != nil { // else the call's own exit comes next and tells path and arguments
		x.Path = p.Exe
	}
	p.Execs = append(p.Execs, x)
}

// execReturned completes an exec of which no snapshot could be taken from the
// arguments of the call.
func (w *World) execReturned(t *Thread, e *tracefile.Event) {
	p := t.Process
	if n := len(p.Execs); n > 0 && p.Execs[n-1].Event+1 == w.num && p.Execs[n-1].Path == "" {
		last := &p.Execs[n-1]
		pl := w.plan(e.Arch, e.NR)
		if paths := w.resolve(nil, pl, p, e); len(paths) > 0 {
			last.Path = paths[0]
		}
		argv := int8(len(pl.paths)) // follows the path
		if len(pl.paths) > 0 {
			argv = pl.paths[0].arg + 1
		}
		p.Exe, p.Argv = last.Path, nil
		for i := range e.Bufs {
			if b := &e.Bufs[i]; b.Arg == argv && b.Parent >= 0 {
				p.Argv = append(p.Argv, cString(b.Data))
			}
		}
		p.Comm = path.Base(p.Exe)
		if len(p.Comm) > 15 { // TASK_COMM_LEN
			p.Comm = p.Comm[:15]
		}
	}
}

func (w *World) exitThread(t *Thread, e *tracefile.Event) {
	t.Ended, t.End, t.Status = true, e.End, int32(e.Ret)
	if t.TID != t.Process.TGID { // it leaves no zombie
		t.inner.gone = e.End
	}
	t.StatusKnown = tracefile.ExitHow(e.Args[1]) == tracefile.ExitWaited
	if p := t.Process; e.Args[0] == 1 {
		p.Ended, p.End, p.Status, p.StatusKnown = true, e.End, t.Status, t.StatusKnown
		p.files.release()
		p.files = &table{owner: p.ID, refs: 1}
		if !w.tracking {
			w.freeze(p)
		}
	}
	w.ended = append(w.ended, t)
	if !w.tracking && len(w.ended) == 2*maxEnded {
		// Not at once: damaged traces have calls of threads behind their end.
		for _, t := range w.ended[:maxEnded] {
			w.forget(t)
		}
		w.ended = append(w.ended[:0], w.ended[maxEnded:]...)
	}
}

// maxEnded is how many threads that ended last a World for reading keeps.
const maxEnded = 256

// forget lets go of a thread that ended. Its process stays.
func (w *World) forget(t *Thread) {
	delete(w.threads, t.ID)
	w.unnest(t)
	if w.recent[t.ID%64] == t {
		w.recent[t.ID%64] = nil
	}
}

// freeze makes a process that ended share what it had of its own: a trace may have
// hundreds of thousands.
func (w *World) freeze(p *Process) {
	if w.lastFS == nil || *w.lastFS != *p.fs {
		own := *p.fs
		w.lastFS = &own
	}
	p.fs, p.files, p.frozen = w.lastFS, &w.noFiles, true
}

// thaw gives a process back what is its own. Call it before changing that of one
// that may have ended.
func (p *Process) thaw() {
	if p.frozen {
		own := *p.fs
		p.fs, p.files, p.frozen = &own, &table{owner: p.ID, refs: 1}, false
	}
}

// setComm names the thread. The leader's name is the process's, as in
// /proc/PID/comm; another thread's is its own.
func (t *Thread) setComm(name string) {
	if t.TID == t.Process.TGID {
		t.Process.Comm = name
	} else {
		t.Comm = name
	}
}

// snapshot takes over what the recorder read of the thread and its process.
func (w *World) snapshot(t *Thread, f *tracepb.Process, exec bool) {
	p := t.Process
	if len(f.Exe) > 0 {
		p.Exe = w.text(f.Exe)
	}
	if len(f.Argv) > 0 || exec {
		p.Argv = w.list(f.Argv)
	}
	switch {
	case len(f.Comm) == 0:
	case exec: // whoever called it is the leader now
		p.Comm = w.text(f.Comm)
	default:
		t.setComm(w.text(f.Comm))
	}
	if len(f.Cwd) > 0 {
		p.fs.cwd = w.text(f.Cwd)
	}
	if len(f.Cwd) > 0 { // root was read too; it is not told when it is "/"
		p.fs.root = w.text(f.Root)
	}
	if f.FilesKnown || len(f.Files) > 0 {
		w.snapshotFiles(p, f.Files)
	}
}

// Name names the process for people: its comm where known, else its role.
func (p *Process) Name() string {
	if p.Comm != "" {
		return p.Comm
	}
	return p.Role()
}

// Label is the name with the kernel's number: "nginx[42]".
func (p *Process) Label() string { return p.Name() + "[" + strconv.Itoa(int(p.TGID)) + "]" }
