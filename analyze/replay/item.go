package replay

import (
	"fmt"
	"slices"
	"strconv"

	"sysreel/analyze"
	"sysreel/analyze/format"
	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
	"sysreel/proto/world"
)

// item is a rendered event that waits to be written in its place.
type item struct {
	num        uint64
	start, end int64
	thread     tracefile.ThreadID
	tid        int32
	began      int32 // TID at the beginning: of a thread that became leader by execve, the one it had
	kind       uint8
	begun      bool // its beginning has been written
	more       bool // see format.Text
	whole      bool // it is written in one piece, at its end
	nr         uint32
	comm       string // of the thread, for Options.Comms
	note       string // of a cutItem: a message before what follows
	cut        string // what stands for its end: " <detached ...>"
	// name, the part of the call known at its beginning, the call and the
	// result end at these offsets of Replay.text, after from.
	from, name, enter, call, result int32
	stack                           *tracefile.Stack
	ip                              uint64
	context                         string // of the thread's security, for Format.Secontexts
	arch                            syscalls.Arch
	dump                            int32 // of the dump behind the result: lines
	states                          int32 // of lines behind the stack
}

const (
	callItem     uint8 = iota
	lastItem           // a call that never ends: "= ?"
	cutItem            // a call that the recorder let go of, or that returns to another thread
	inFlightItem       // a call that has not ended yet
	lineItem           // a line of its own
	startItem          // a thread begins: its text is a message
	leaveItem          // a thread is let go of: the same
	exitItem           // lineItem, of a thread's end
)

// single tells the items that have one moment.
func (it *item) single() bool { return it.kind >= lineItem }

// call renders a system call.
func (r *Replay) call(c *analyze.Call) {
	it := item{num: c.Num, start: c.Start, end: c.End, thread: c.Event.Thread.ID, tid: c.Event.Thread.TID, stack: c.Stack, ip: c.IP, arch: c.Arch}
	it.began, it.nr, it.context = it.tid, c.NR, r.ownContext(c)
	if r.o.Comms && c.Thread != nil {
		it.comm = c.Thread.Name()
	}
	if was, ok := r.former[it.thread]; ok {
		if c.Start <= was.until {
			it.began = was.tid
		}
		delete(r.former, it.thread)
	}
	switch c.Kind {
	case tracefile.Unfinished:
		it.kind = lastItem
	case tracefile.InFlight:
		it.kind = inFlightItem
	}
	if start, ok := r.waiting[it.thread]; ok && it.kind != inFlightItem {
		it.begun = start == it.start
		delete(r.waiting, it.thread)
	} else if ok && start == it.start {
		return // in flight still
	}
	r.personality(c)
	if r.o.CallNumbers {
		r.numbers[it.thread] = c.NR
	}
	if r.o.Results != nil {
		if it.kind == inFlightItem || !r.o.Results(c) {
			return
		}
		it.whole = true
	}
	t := r.f.Call(c.Desc, c.Event, r.namesOf(c))
	if c.Name == "restart_syscall" && c.Text().Args == nil {
		t.Call = r.restarted(t.Call, it.thread)
		t.Enter = len(t.Call)
	} else if c.Ret == restartBlock && c.Kind == tracefile.Syscall {
		r.blocked[it.thread] = string(t.Call[:t.Name])
	}
	it.from, it.more = int32(len(r.text)), t.More
	it.name = it.from + int32(t.Name)
	it.enter = it.from + int32(t.Enter)
	r.text = append(r.text, t.Call...)
	it.call = int32(len(r.text))
	r.text = append(r.text, t.Result...)
	it.result = int32(len(r.text))
	if it.kind == callItem {
		r.text = r.f.Dump(r.text, c.Desc, c.Event)
	}
	it.dump = int32(len(r.text))
	if it.kind == callItem {
		r.text = r.f.States(r.text, c.Desc, c.Event)
	}
	it.states = int32(len(r.text))
	r.items = append(r.items, it)
	if t.FD >= 0 && (r.o.Names != NoNames || r.o.Format.Secontexts != format.NoSecontexts) && c.Process != nil {
		r.fresh.process, r.fresh.fd = c.Process, t.FD
		r.fresh.context = r.context(r.fresh.context[:0], c, tracefile.OfFDAfter, t.FD)
	}
}

// restartBlock is the result of a call that restart_syscall goes on with
// (ERESTART_RESTARTBLOCK in include/linux/errno.h).
const restartBlock = -516

// restarted appends what restart_syscall, which has no arguments, goes on with.
func (r *Replay) restarted(b []byte, thread tracefile.ThreadID) []byte {
	name := r.blocked[thread]
	if name == "" {
		name = "system call"
	}
	b = append(b, "<... resuming interrupted "...)
	b = append(b, name...)
	return append(b, " ...>"...)
}

// namesOf returns what the formatter may ask about descriptors.
func (r *Replay) namesOf(c *analyze.Call) format.Names {
	if c.Process == nil {
		return nil
	}
	n := &r.names
	*n = names{process: c.Process, how: r.o.Names, opened: c.Facts.GetMade()}
	name := c.Name
	if name == "socketcall" {
		name = syscalls.SocketCall(c.Args[0])
	}
	switch class := makes(name); class {
	case "":
	case cloned:
		if fd, f := world.ClonedPIDFD(name, c.Event); f != nil {
			n.received = []world.Received{{FD: fd, File: f}}
		}
	case received:
		if c.Kind == tracefile.Syscall && !c.Failed() {
			n.received = c.Received()
		}
	default:
		n.made = class + strconv.FormatUint(c.Num, 10) + "]"
	}
	return n
}

// line adds a line that is not a call; write appends its text.
func (r *Replay) line(c *analyze.Call, write func(b []byte) []byte) { r.single(lineItem, c, write) }

// single adds what has one moment.
func (r *Replay) single(kind uint8, c *analyze.Call, write func(b []byte) []byte) {
	it := item{num: c.Num, start: c.End, end: c.End, thread: c.Event.Thread.ID, tid: c.Event.Thread.TID, began: c.Event.Thread.TID, kind: kind,
		nr: r.numbers[c.Event.Thread.ID], stack: c.Stack, ip: c.IP, arch: c.Arch, context: r.ownContext(c)}
	if r.o.Comms && c.Thread != nil {
		it.comm = c.Thread.Name()
	}
	it.from = int32(len(r.text))
	r.text = write(r.text)
	it.result = int32(len(r.text))
	r.items = append(r.items, it)
}

// signal renders a delivered signal or a stop.
func (r *Replay) signal(c *analyze.Call) {
	r.line(c, func(b []byte) []byte {
		b = append(b, "--- "...)
		if c.Kind == tracefile.Stop {
			b = append(b, "stopped by "...)
		}
		b = append(b, signalName(c)...)
		if text := c.Text().Rest; text != nil && c.Kind == tracefile.Signal {
			b = r.f.Plain(append(b, ' '), text)
		} else if c.Kind == tracefile.Signal && len(c.Bufs) > 0 {
			b = append(b, ' ')
			b = r.f.Siginfo(b, c.Bufs[0].Data)
		}
		return append(b, " ---"...)
	})
}

// signalName returns the name of an event's signal; those without one have a
// number.
func signalName(c *analyze.Call) string {
	if c.Name != "" {
		return c.Name
	}
	return strconv.Itoa(int(c.NR))
}

// start notes a new thread.
func (r *Replay) start(c *analyze.Call) {
	tid := c.Event.Thread.TID
	if r.alive != nil && c.Thread != nil {
		r.alive[tid] = alive{Thread: c.Thread}
	}
	r.tids[c.Event.Thread.ID] = tid
	how := tracefile.StartHow(c.Args[0])
	if mode, ok := r.modes[tracefile.ThreadID(c.Args[1])]; ok {
		r.modes[c.Event.Thread.ID] = mode
	}
	kind := startItem
	if how == tracefile.StartAttach && r.present > 0 {
		r.present--
		kind = lineItem // of no text: it is counted already
	}
	r.single(kind, c, func(b []byte) []byte {
		if kind == startItem && r.o.Attached != nil && how != tracefile.StartLaunch {
			b = append(b, r.o.Attached(tid)...)
		}
		return b
	})
}

// leave notes that a thread has been let go of.
func (r *Replay) leave(c *analyze.Call) {
	message := ""
	if r.o.Detached != nil {
		message = r.o.Detached(c.Event.Thread.TID)
	}
	for i := len(r.items) - 1; i >= 0; i-- {
		it := &r.items[i]
		if it.thread != c.Event.Thread.ID {
			continue
		}
		if it.kind == lastItem && it.end == c.End {
			if it.whole && r.o.NoLetGo {
				r.items = slices.Delete(r.items, i, i+1)
				break
			}
			it.kind, it.note, it.cut = cutItem, message, " <detached ...>"
			message = ""
		}
		break
	}
	r.single(leaveItem, c, func(b []byte) []byte { return append(b, message...) })
}

// personality notes the kind of system calls that a thread makes, and renders a
// change of it.
func (r *Replay) personality(c *analyze.Call) {
	if !r.o.Personalities || c.Kind == tracefile.InFlight {
		return
	}
	mode := "64 bit"
	switch c.Arch {
	case syscalls.I386:
		mode = "32 bit"
	case syscalls.X32:
		mode = "x32"
	}
	id := c.Event.Thread.ID
	if was, ok := r.modes[id]; mode == was || !ok && mode == "64 bit" {
		return
	}
	r.modes[id] = mode
	r.line(c, func(b []byte) []byte {
		b = append(b, "[ Process PID="...)
		b = strconv.AppendInt(b, int64(c.Event.Thread.TID), 10)
		b = append(b, " runs in "...)
		b = append(b, mode...)
		return append(b, " mode. ]"...)
	})
	it := &r.items[len(r.items)-1]
	it.start, it.end = c.Start, c.Start
}

// exit renders the end of a thread.
func (r *Replay) exit(c *analyze.Call) {
	delete(r.tids, c.Event.Thread.ID)
	delete(r.waiting, c.Event.Thread.ID)
	delete(r.former, c.Event.Thread.ID)
	delete(r.blocked, c.Event.Thread.ID)
	delete(r.modes, c.Event.Thread.ID)
	r.ended(c.Event.Thread)
	defer delete(r.numbers, c.Event.Thread.ID)
	r.single(exitItem, c, func(b []byte) []byte {
		if r.o.Silence.Exits {
			return b
		}
		switch tracefile.ExitHow(c.Args[1]) {
		case tracefile.ExitSuperseded:
			return append(b, "+++ superseded by execve +++"...)
		case tracefile.ExitVanished:
			return append(b, "+++ exited +++"...)
		}
		if sig := int(c.Ret & 0x7f); sig != 0 && r.o.Silence.Killed != nil && r.o.Silence.Killed(sig) {
			return b
		}
		return r.f.Exit(b, int32(c.Ret))
	})
}

// superseded renders the end of the thread-group leader whose place another
// thread of it took by executing a program.
func (r *Replay) superseded(c *analyze.Call) {
	id, maker := c.Event.Thread.ID, tracefile.ThreadID(c.Args[0])
	was := r.tids[maker]
	delete(r.tids, maker)
	r.former[id] = former{was, c.End}
	move(r.waiting, maker, id) // the execve
	move(r.numbers, maker, id)
	move(r.modes, maker, id)
	r.single(leaveItem, c, func(b []byte) []byte { return b })
	if r.o.Silence.Superseded {
		return
	}
	r.line(c, func(b []byte) []byte {
		b = append(b, "+++ superseded by execve in pid "...)
		b = strconv.AppendInt(b, int64(was), 10)
		return append(b, " +++"...)
	})
}

// former is the TID that a thread had until an execve.
type former struct {
	tid   int32
	until int64
}

// move gives one thread what is kept of another.
func move[T any](of map[tracefile.ThreadID]T, from, to tracefile.ThreadID) {
	delete(of, to)
	if v, ok := of[from]; ok {
		of[to] = v
		delete(of, from)
	}
}

// passed renders an execve, whose result another thread has, on the output of
// the thread that made it.
func (r *Replay) passed(c *analyze.Call, by tracefile.Thread) {
	event, call := *c.Event, *c
	event.Kind, event.Thread, call.Event = tracefile.Syscall, by, &event
	n := len(r.items)
	if r.call(&call); len(r.items) > n {
		it := &r.items[n]
		it.kind = cutItem
		it.cut = fmt.Sprintf(" <pid changed to %d ...>", c.Event.Thread.TID)
	}
}
