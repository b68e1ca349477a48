package stracelog

import (
	"bytes"
	"strings"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
)

// thread returns the thread of a line, a new one if it was not seen yet.
func (a *assembler) thread(s *state, r *record, at int64) (*thread, error) {
	tid := r.pid
	if tid == 0 {
		switch {
		case s.log.PID != 0:
			tid = s.log.PID
		case len(a.threads) == 1 && s.lone != nil: // the one that is left
			for _, t := range a.threads {
				return t, nil
			}
		default:
			tid = s.tid
		}
	}
	if t := a.threads[tid]; t != nil {
		return t, nil
	}
	t, err := a.start(tid, r, at)
	if r.pid == 0 && s.log.PID == 0 {
		s.lone = t
	}
	return t, err
}

// start makes a thread known.
func (a *assembler) start(tid int32, r *record, at int64) (*thread, error) {
	how := tracefile.StartAttach
	b, ok := a.born[tid]
	if ok {
		delete(a.born, tid)
	} else {
		b, ok = a.parent(tid)
	}
	t := &thread{arch: a.o.Arch}
	switch {
	case ok:
		how, t.arch = b.how, b.creator.arch
		if b.shares {
			t.proc = b.creator.proc
		}
	case len(a.threads) == 0 && a.all == 0 && (string(r.name) == "execve" || string(r.name) == "execveat"):
		how = tracefile.StartLaunch
	}
	if t.proc == nil {
		a.procs++
		t.proc = &process{id: tracefile.ProcessID(a.procs), tgid: tid}
		if how == tracefile.StartLaunch {
			a.launch = t.proc
		}
	}
	t.proc.live++
	a.all++
	t.Thread = tracefile.Thread{ID: tracefile.ThreadID(a.all), Process: t.proc.id, TID: tid, TGID: t.proc.tgid}
	a.threads[tid] = t
	e := tracefile.Event{Kind: tracefile.ThreadStart, Arch: t.arch, Thread: t.Thread, Start: at, End: at}
	e.Args[0] = uint64(how)
	if ok {
		e.Args[1] = uint64(b.creator.ID)
	}
	return t, a.emit(&e)
}

// parent looks for the call that made a thread whose lines came before the
// call's end.
func (a *assembler) parent(tid int32) (birth, bool) {
	if a.creator != nil {
		if b := a.creator(tid); b != nil {
			return *b, true
		}
	}
	var found *thread
	for _, t := range a.threads {
		if t.in && !t.child && isClone(t.name) && (found == nil || t.start < found.start) {
			found = t
		}
	}
	if found == nil {
		return birth{}, false
	}
	found.child = true
	return birthOf(found, string(found.name), found.args), true
}

func isClone(name []byte) bool {
	switch string(name) {
	case "clone", "clone3", "fork", "vfork":
		return true
	}
	return false
}

// birthOf reads from the text of a call how it makes a thread.
func birthOf(t *thread, name string, args []byte) birth {
	b := birth{creator: t, how: tracefile.StartFork}
	b.shares = bytes.Contains(args, []byte("CLONE_THREAD"))
	switch {
	case b.shares:
		b.how = tracefile.StartClone
	case name == "vfork" || bytes.Contains(args, []byte("CLONE_VFORK")):
		b.how = tracefile.StartVfork
	case !bytes.Contains(args, []byte("SIGCHLD")) && name != "fork":
		b.how = tracefile.StartClone
	}
	return b
}

// maxBorn bounds the children of which nothing was seen: without -f that is all.
const maxBorn = 1 << 16

// bear notes a thread that a call has made.
func (a *assembler) bear(t *thread, tid int32, name string, args []byte) {
	if a.threads[tid] == nil && len(a.born) < maxBorn {
		a.born[tid] = birthOf(t, name, args)
	}
}

// exit ends a thread.
func (a *assembler) exit(t *thread, r *record, at int64) error {
	if t.in {
		if err := a.abandon(t, at); err != nil {
			return err
		}
	}
	e := tracefile.Event{Kind: tracefile.ThreadExit, Arch: t.arch, Thread: t.Thread, Start: at, End: at}
	switch r.kind {
	case exited:
		e.Ret = r.n << 8
	case killed:
		if e.Ret = r.n; r.flag {
			e.Ret |= 0x80
		}
	case vanished:
		e.Args[1] = uint64(tracefile.ExitVanished)
	case superseded:
		e.Args[1] = uint64(tracefile.ExitSuperseded)
	}
	return a.gone(t, &e)
}

// gone writes the end of a thread.
func (a *assembler) gone(t *thread, e *tracefile.Event) error {
	delete(a.threads, t.TID)
	if t.proc.live--; t.proc.live == 0 {
		e.Args[0] = 1
		if t.proc == a.launch && e.Args[1] == 0 {
			a.status, a.known = int32(e.Ret), true
		}
	}
	return a.emit(e)
}

// supersede gives the place of the leader to the thread that has executed a
// program; it has the leader's number from now on.
func (a *assembler) supersede(leader *thread, tid int32, at int64) error {
	maker := a.threads[tid]
	if leader.in {
		if err := a.abandon(leader, at); err != nil {
			return err
		}
	}
	if maker == nil || maker == leader || !maker.in {
		return nil
	}
	call := a.partial(maker, tracefile.Syscall)
	leader.in, leader.call, leader.start, leader.execed = true, maker.call, maker.start, true
	leader.name, leader.args = maker.name, maker.args
	delete(a.threads, tid)
	maker.proc.live--
	return a.exec(leader, maker.ID, &call, at)
}

// setMode notes that a process runs code of another architecture.
func (a *assembler) setMode(r *record) {
	t := a.threads[r.pid]
	switch {
	case t == nil || a.o.Arch != syscalls.AMD64:
	case r.n == 32:
		t.arch = syscalls.I386
	default:
		t.arch = syscalls.AMD64
	}
}

// facts returns what the names in a call's text tell that the calls before did
// not, nil for nothing.
func (a *assembler) facts(t *thread, names []named) *tracepb.Process {
	th := a.world.Thread(t.ID)
	if th == nil {
		return nil
	}
	var facts *tracepb.Process
	for _, n := range names {
		name := string(unescape(n.name))
		if n.fd == atFDCWD {
			if name != th.Process.Cwd() {
				if facts == nil {
					facts = &tracepb.Process{}
				}
				facts.Cwd = []byte(name)
			}
			continue
		}
		f := th.Process.File(n.fd)
		if n.fd < 0 || f != nil && (f.Name() == name || f.Detail() == name) {
			continue
		}
		of := &tracepb.OpenFile{Fd: n.fd, Link: []byte(name)}
		switch {
		case strings.HasPrefix(name, "/"):
			if i := strings.Index(name, "<char "); i > 0 { // -yy: /dev/null<char 1:3>
				of.Link = of.Link[:i]
			} else if i := strings.Index(name, "<block "); i > 0 {
				of.Link = of.Link[:i]
			}
			if f != nil && f.Name() == string(of.Link) {
				continue
			}
		case strings.HasPrefix(name, "socket:["):
			if f != nil && f.Proto != "" {
				of.Socket = []byte(f.Detail())
			}
		case strings.HasPrefix(name, "pipe:["), strings.HasPrefix(name, "anon_inode:"):
		case strings.Contains(name, ":["): // -yy: TCP:[127.0.0.1:80]
			of.Link, of.Socket = []byte("socket:["+inode(name)+"]"), []byte(name)
		}
		if facts == nil {
			facts = &tracepb.Process{}
		}
		facts.Files = append(facts.Files, of)
	}
	return facts
}

// inode returns the number in "UNIX-STREAM:[123->456]", "" if it is an address.
func inode(name string) string {
	_, in, _ := strings.Cut(name, ":[")
	i := 0
	for i < len(in) && in[i] >= '0' && in[i] <= '9' {
		i++
	}
	if i < len(in) && (in[i] == ']' || in[i] == '-' || in[i] == ',') {
		return in[:i]
	}
	return ""
}

// unescape undoes the escapes in a name.
func unescape(b []byte) []byte {
	if bytes.IndexByte(b, '\\') < 0 {
		return b
	}
	c := encoder{b: append(append([]byte{}, b...), '"')}
	if out, ok := c.escaped(); ok && c.pos == len(c.b) {
		return out
	}
	return b
}
