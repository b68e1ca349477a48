package world

import (
	"encoding/binary"

	"sysreel/proto/tracefile"
)

// TakeContext returns what the events applied since the last call mention, as
// it stood before the first of them, and forgets the processes and threads that
// ended. The caller owns the result. To have calls in flight at a block's edge
// covered, apply them as events of kind InFlight first.
func (w *World) TakeContext() *tracefile.Context {
	c := w.ctx
	w.ctx = tracefile.Context{}
	w.block++
	for _, t := range w.ended {
		w.forget(t)
		if p := t.Process; p.Ended {
			delete(w.processes, p.ID)
			if w.byTGID[p.TGID] == p {
				delete(w.byTGID, p.TGID)
			}
		}
	}
	w.ended = w.ended[:0]
	return &c
}

// touchThread notes the thread and its process, unless they begin here.
func (w *World) touchThread(t *Thread, begins bool) {
	t.block = w.block
	if !begins {
		w.ctx.Threads = append(w.ctx.Threads, tracefile.Thread{ID: t.ID, Process: t.Process.ID, TID: t.TID, TGID: t.Process.TGID})
	}
	if p := t.Process; p.block != w.block {
		p.block = w.block
		if !begins || p.Threads > 1 {
			w.ctx.Processes = append(w.ctx.Processes, p.context())
		}
	}
}

func (p *Process) context() tracefile.ProcessContext {
	c := tracefile.ProcessContext{
		ID: p.ID, TGID: p.TGID,
		Exe: []byte(p.Exe), Comm: []byte(p.Comm), Cwd: []byte(p.fs.cwd), Root: []byte(p.fs.root),
	}
	if p.Parent != nil {
		c.Parent = p.Parent.ID
	}
	for _, a := range p.Argv {
		c.Argv = append(c.Argv, []byte(a))
	}
	return c
}

// touchArgs notes the descriptors that a call names.
func (w *World) touchArgs(p *Process, e *tracefile.Event, pl *plan) {
	for _, r := range pl.fds {
		if s := p.files.slot(int32(e.Args[r])); s != nil && s.block != w.block {
			w.touch(p.files, int32(e.Args[r]))
		}
	}
	if pl.polls < 0 {
		return
	}
	if data, ok := arg(e, pl.polls, tracefile.AtEnter); ok {
		for ; len(data) >= 8; data = data[8:] { // struct pollfd
			w.touch(p.files, int32(binary.LittleEndian.Uint32(data)))
		}
	}
}

// touch notes the descriptor as it stood before the block, at its first mention
// in it. Call it before changing the slot.
func (w *World) touch(t *table, fd int32) {
	s := t.slot(fd)
	if s == nil || !w.tracking || s.block == w.block {
		return
	}
	s.block = w.block
	if t.born == w.block {
		// The table was copied within this block, and the copying is an
		// event of it: what counts is the original, unless that was
		// touched already.
		if t.origin != nil {
			w.touch(t.origin, fd)
		}
		return
	}
	if s.file == nil {
		return
	}
	f := tracefile.FileContext{Process: t.owner, FD: fd, Link: []byte(s.file.Link), Flags: s.file.Flags &^ oCloexec}
	if s.cloexec {
		f.Flags |= oCloexec
	}
	if s.file.Kind == Socket {
		f.Peer = []byte(s.file.socketText())
	}
	w.ctx.Files = append(w.ctx.Files, f)
}

// Lose forgets every descriptor: events are missing, or the trace was entered in
// the middle. After it, load the context of every block before its events.
func (w *World) Lose() {
	for _, p := range w.processes {
		if p.frozen {
			continue // it has none
		}
		p.files.release()
		p.files = &table{owner: p.ID, refs: 1}
	}
	w.rights = nil
}

// Load takes over what a block says about the world as it stands before its
// events. What is known already and agrees stays as it is.
func (w *World) Load(c *tracefile.Context) {
	for i := range c.Processes {
		pc := &c.Processes[i]
		p := w.process(pc.ID, pc.TGID)
		p.thaw()
		p.Exe, p.Comm = w.text(pc.Exe), w.text(pc.Comm)
		p.fs.cwd, p.fs.root = w.text(pc.Cwd), w.text(pc.Root)
		if len(p.Argv) != len(pc.Argv) || len(p.Argv) > 0 {
			p.Argv = w.list(pc.Argv)
		}
		if p.Parent == nil && pc.Parent != 0 {
			p.Parent = w.processes[pc.Parent]
		}
	}
	for _, t := range c.Threads {
		w.see(t)
	}
	for i := range c.Files {
		fc := &c.Files[i]
		p := w.processes[fc.Process]
		if p == nil {
			continue
		}
		p.thaw()
		if s := p.files.slot(fc.FD); s != nil && s.file != nil && s.file.Link == string(fc.Link) &&
			(s.file.Kind != Socket || s.file.socketText() == string(fc.Peer)) {
			continue
		}
		if s := p.files.grow(fc.FD); s != nil {
			*s = slot{file: fileFromLink(string(fc.Link), fc.Flags, string(fc.Peer)), cloexec: fc.Flags&oCloexec != 0}
		}
	}
}
