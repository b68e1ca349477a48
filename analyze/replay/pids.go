package replay

import (
	"encoding/binary"

	"sysreel/analyze"
	"sysreel/proto/tracefile"
	"sysreel/proto/world"
)

// speaker is the thread of the event that is being rendered, whose numbers are those
// of its PID namespace.
type speaker struct {
	thread     *world.Thread
	start, end int64
}

// speaks notes whose event is rendered. Whom a wait has waited for is gone when its
// result is written.
func (r *Replay) speaks(c *analyze.Call) {
	if r.reaped != 0 {
		delete(r.alive, r.reaped)
	}
	r.speaker, r.reaped = speaker{c.Thread, c.Start, c.End}, 0
	if id := waitedFor(c); id > 0 && c.Thread != nil {
		outer, _ := c.Thread.Outer(id, c.Start)
		if a, ok := r.alive[outer]; ok && a.Ended {
			r.reaped = outer
		}
		c.Thread.Reaped(id, c.End)
	}
}

// alive is a thread that lives, or a zombie.
type alive struct {
	*world.Thread
	was   string // its name
	until int64  // up to then
}

// executed notes that a thread gets another name.
func (r *Replay) executed(c *analyze.Call) {
	if a, ok := r.alive[c.Event.Thread.TID]; ok {
		r.alive[c.Event.Thread.TID] = alive{a.Thread, a.Name(), c.End}
	}
}

// comm returns the name of a thread that is alive, or a zombie.
func (r *Replay) comm(id int32, atExit bool) string {
	a, ok := r.alive[id]
	switch {
	case ok && atExit && id == r.reaped:
		return ""
	case ok && !atExit && r.speaker.start < a.until:
		return a.was
	case ok:
		return a.Name()
	case r.o.Comm != nil:
		return r.o.Comm(id)
	}
	return ""
}

// ended notes that a thread has. A leader may be waited for later; of those that
// are not, in this trace, the names are kept for a while.
func (r *Replay) ended(t tracefile.Thread) {
	if r.alive == nil {
		return
	}
	if t.TID != t.TGID {
		delete(r.alive, t.TID)
		return
	}
	const most = 256
	if r.zombies = append(r.zombies, t); len(r.zombies) <= most {
		return
	}
	if old, ok := r.alive[r.zombies[0].TID]; ok && old.ID == r.zombies[0].ID {
		delete(r.alive, r.zombies[0].TID)
	}
	r.zombies = r.zombies[1:]
}

// outer returns what the recorder calls a process that the speaker calls id; 0 if it
// is not known.
func (r *Replay) outer(id int32, atExit bool) int32 {
	s := &r.speaker
	at := s.start
	if atExit {
		at = s.end
	}
	outer, known := s.thread.Outer(id, at)
	if !known && r.o.Outer != nil {
		return r.o.Outer(s.thread.Namespace(), id)
	}
	return outer
}

// waitedFor returns the ID of the process whose status a call has taken; 0 if it has
// taken none.
func waitedFor(c *analyze.Call) int32 {
	const wexited, wnowait, pPID = 4, 0x01000000, 1 // include/uapi/linux/wait.h
	switch {
	case c.Kind != tracefile.Syscall || c.Failed():
	case c.Name == "wait4", c.Name == "waitpid":
		return int32(c.Ret)
	case c.Name == "waitid" && c.Args[0] == pPID && c.Args[3]&(wexited|wnowait) == wexited:
		return int32(c.Args[1])
	case c.Name == "waitid" && c.Args[3]&wnowait == 0:
		off := 16 // of si_pid in siginfo_t, include/uapi/asm-generic/siginfo.h
		if c.Arch.PtrSize() == 4 {
			off = 12
		}
		for i := range c.Bufs {
			if b := &c.Bufs[i]; b.Arg == 2 && len(b.Data) >= off+4 {
				return int32(binary.LittleEndian.Uint32(b.Data[off:]))
			}
		}
	}
	return 0
}
