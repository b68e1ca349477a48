package stracelog

import (
	"bytes"
	"path"

	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
)

// add takes the next line of a log.
func (a *assembler) add(s *state, r *record) error {
	switch r.kind {
	case damaged:
		return a.damage(s, r)
	case stack:
		a.res.Stacks++
		return nil
	case note, attached, counts:
		return nil
	case mode:
		a.setMode(r)
		return nil
	}
	a.unheld(s)
	if a.w == nil {
		if err := a.open(r); err != nil {
			return err
		}
	}
	at := a.time(s, r.at)
	t, err := a.thread(s, r, at)
	if err != nil {
		return err
	}
	switch r.kind {
	case begun:
		return a.begin(t, r, at)
	case resumed:
		return a.resume(s, t, r, at)
	case complete:
		return a.complete(t, r, at)
	case signal, stopped:
		e := &r.ev
		e.Thread, e.Start, e.End = t.Thread, at, at
		return a.emit(e)
	case superseded:
		if r.n > 0 {
			return a.supersede(t, int32(r.n), at)
		}
	}
	return a.exit(t, r, at)
}

// damage takes a line that could not be understood. It may be half of one, which
// strace's own word or the program's output has broken in two: then it is held for
// the next.
func (a *assembler) damage(s *state, r *record) error {
	if s.held != nil {
		var whole record
		a.enc.record(&whole, append(s.held, r.raw...), s.heldLine, &batch{})
		if whole.kind != damaged {
			s.held = nil
			return a.add(s, &whole)
		}
		a.unheld(s)
	}
	raw := r.raw
	if i := bytes.Index(raw, []byte("strace: Process ")); i > 0 {
		raw = raw[:i]
	}
	if bytes.IndexByte(raw, '(') > 0 {
		s.held, s.heldLine = append([]byte{}, raw...), r.num
		return nil
	}
	a.count(s, r.num, r.raw)
	return nil
}

// unheld gives up a line that was held.
func (a *assembler) unheld(s *state) {
	if s.held != nil {
		a.count(s, s.heldLine, s.held)
		s.held = nil
	}
}

// count counts a damaged line.
func (a *assembler) count(s *state, line int64, text []byte) {
	a.res.Damaged++
	if len(a.res.First) < maxDamage {
		a.res.First = append(a.res.First, Damage{s.log.Name, line, string(text[:min(len(text), 80)])})
	}
}

// begin notes a call that has begun.
func (a *assembler) begin(t *thread, r *record, at int64) error {
	if t.in { // its end is missing
		if err := a.abandon(t, at); err != nil {
			return err
		}
	}
	t.in, t.call, t.start, t.child, t.execed = true, r.call, at, false, false
	t.latest = at
	if raw := a.raw; a.res.Clock && raw <= at {
		t.latest = max(at, raw+r.at.unit-1)
	}
	if t.arch != a.o.Arch {
		a.enc.withArch(t.arch, func() { t.call = a.enc.info(r.name) })
	}
	t.name = append(t.name[:0], r.name...)
	t.args = append(t.args[:0], r.args...)
	return nil
}

// abandon ends a call of which the end was not seen.
func (a *assembler) abandon(t *thread, at int64) error {
	e := a.partial(t, tracefile.Unfinished)
	e.Start, e.End = t.start, at
	t.in = false
	return a.emit(&e)
}

// resume joins the end of a call to its beginning.
func (a *assembler) resume(s *state, t *thread, r *record, at int64) error {
	if !t.in || !bytes.Equal(t.name, r.name) {
		// The log begins in the middle, or the beginning is among what is damaged.
		r.kind = complete
		r.args = append([]byte(nil), r.args...)
		var whole record
		whole.line, whole.num, whole.call = r.line, r.num, a.enc.info(r.name)
		a.enc.complete(&whole, r.args, r.ret, -1, nil)
		whole.ev.Flags |= tracefile.MidCall
		return a.complete(t, &whole, at)
	}
	whole, args := r, r.whole
	n := len(t.args)
	if r.whole == nil || t.arch != a.o.Arch || len(r.whole) != n+len(r.args) || !bytes.HasPrefix(r.whole, t.args) {
		t.args = append(t.args, r.args...)
		args = t.args
		whole = &record{line: r.line, num: r.num, call: t.call}
		a.enc.withArch(t.arch, func() { a.enc.complete(whole, t.args, r.ret, n, nil) })
	}
	start, end := t.start, at
	switch {
	case r.dur < 0:
	case !a.res.Clock: // when it began is not known
		end = max(end, start+r.dur)
		start = end - r.dur
	default:
		// All three as printed, if that can be; else the end gives way, which strace
		// notes only when it prints; and where an event that ended later came first
		// in the log, the start.
		most := r.dur + r.durU - 1
		start = max(start, min(end-most, t.latest))
		end = max(min(max(end, start+r.dur), start+most), a.lastEnd)
		start = max(start, end-most)
	}
	t.in = false
	return a.finish(t, whole, args, start, end)
}

// complete takes a call that stands in one line.
func (a *assembler) complete(t *thread, r *record, at int64) error {
	if t.in {
		if err := a.abandon(t, at); err != nil {
			return err
		}
	}
	if t.arch != a.o.Arch {
		a.enc.withArch(t.arch, func() {
			r.call = a.enc.info(r.name)
			a.enc.complete(r, r.args, r.ret, -1, nil)
		})
	}
	t.execed = false
	return a.finish(t, r, r.args, at, at+max(0, r.dur))
}

// finish writes a call whose event is made. args is the text of its arguments,
// of both halves.
func (a *assembler) finish(t *thread, r *record, args []byte, start, end int64) error {
	e := &r.ev
	e.Thread, e.Start, e.End = t.Thread, start, end
	e.NR = a.number(r.call, r.name)
	if len(r.names) > 0 {
		e.Facts = a.facts(t, r.names)
	}
	if d := r.call.d; d != nil && e.Kind == tracefile.Syscall && e.Flags&tracefile.NoResult == 0 {
		switch d.Name {
		case "execve", "execveat":
			if e.Ret == 0 && !t.execed {
				if err := a.exec(t, 0, e, end); err != nil {
					return err
				}
			}
		case "clone", "clone3", "fork", "vfork":
			if e.Ret > 0 && e.Ret < 1<<31 {
				a.bear(t, int32(e.Ret), d.Name, args)
			}
		}
	}
	err := a.emit(e)
	a.enc.mem.reset()
	return err
}

// exec writes that a program was executed. maker is the thread that called if it
// was not the leader.
func (a *assembler) exec(t *thread, maker tracefile.ThreadID, call *tracefile.Event, at int64) error {
	e := tracefile.Event{Kind: tracefile.Exec, Arch: t.arch, Thread: t.Thread, Start: at, End: at, Facts: &tracepb.Process{Tgid: t.TGID}}
	e.Args[0] = uint64(maker)
	reg := int8(0)
	if th := a.world.Thread(t.ID); th != nil {
		if paths := a.world.PathArgs(nil, th, call); len(paths) > 0 {
			e.Facts.Exe = []byte(paths[0])
		}
	}
	if d := a.lookup(call.Arch, call.NR); d != nil && d.Name == "execveat" {
		reg = 1
	}
	for i := range call.Bufs {
		b := &call.Bufs[i]
		if len(e.Facts.Exe) == 0 && b.Arg == reg && b.Parent < 0 {
			e.Facts.Exe = append([]byte(nil), bytes.TrimRight(b.Data, "\x00")...)
		}
		if b.Arg == reg+1 && b.Parent >= 0 {
			e.Facts.Argv = append(e.Facts.Argv, append([]byte(nil), bytes.TrimRight(b.Data, "\x00")...))
		}
	}
	if comm := path.Base(string(e.Facts.Exe)); len(e.Facts.Exe) > 0 {
		e.Facts.Comm = []byte(comm[:min(len(comm), 15)]) // TASK_COMM_LEN
	}
	return a.emit(&e)
}
