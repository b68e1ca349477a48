package diff

import (
	"context"
	"fmt"
	"strings"

	"sysreel/analyze"
	"sysreel/analyze/format"
	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
	"sysreel/proto/world"
)

// evidence is what the second pass over a trace finds out about an event.
type evidence struct {
	call  Call
	path  string // as named in the run
	errno string
	name  string
	meta  metadata
	stat  bool // meta is valid
	ret   int64
	data  string // what was read, as far as kept
	// offset is where in its file that stood; see unknown.
	offset int64
	tid    int32
	// prefer, if set, is the path of the call that is compared: the rules let
	// paths stand for each other, and where this run has a successful call of
	// the same name on that very path, that is the better evidence.
	prefer, preferName string
}

// maxText is the longest text of a call, in bytes.
const maxText = 400

// collect passes over the trace again and describes the wanted events. It
// stops after the last of them.
func collect(ctx context.Context, s Source, o Options, want map[uint64]*evidence) error {
	var last uint64
	for n := range want {
		last = max(last, n)
	}
	if last == 0 {
		return nil
	}
	preferred := map[string]*evidence{}
	for _, ev := range want {
		if ev.prefer != "" {
			preferred[ev.preferName] = ev
		}
	}
	t, err := s.Open()
	if err != nil {
		return err
	}
	defer t.Close()
	col := &collector{o: o, want: want, preferred: preferred, text: format.New(format.Options{Strings: 64}), recent: map[tracefile.ThreadID][]string{}, after: map[tracefile.ThreadID][]*evidence{}, at: positions{}}
	stop := fmt.Errorf("done")
	err = analyze.Run(ctx, t.Reader, analyze.Options{Need: analyze.NeedWorld, Workers: o.Workers}, func(c *analyze.Call) error {
		col.add(c)
		if c.Num >= last+uint64(o.Context*64) && c.Num > 0 && len(col.preferred) == 0 {
			return stop
		}
		return nil
	})
	if err == stop {
		return nil
	}
	return err
}

// collector describes events, and with Options.Context what the same thread
// did before and after.
type collector struct {
	o    Options
	want map[uint64]*evidence
	text *format.Formatter
	// preferred are the evidences that look for a path, by the call's name.
	preferred map[string]*evidence
	recent    map[tracefile.ThreadID][]string
	after     map[tracefile.ThreadID][]*evidence
	at        positions
}

func (col *collector) add(c *analyze.Call) {
	ev := col.want[c.Num]
	offset := col.at.take(c)
	if p := col.preferred[c.Name]; p != nil && c.IsCall() && !c.Failed() && !c.AtLeast() {
		if paths := c.Paths(); len(paths) > 0 && paths[0] == p.prefer {
			delete(col.preferred, c.Name)
			if ev == nil {
				ev = p
			}
		}
	}
	if ev == nil && col.o.Context == 0 || c.Num == 0 {
		return
	}
	id := c.Event.Thread.ID
	var line string
	if col.o.Context > 0 {
		line = fmt.Sprintf("#%d %s", c.Num, Describe(col.text, c))
		for _, e := range col.after[id] {
			if len(e.call.After) < col.o.Context {
				e.call.After = append(e.call.After, line)
			}
		}
	}
	if ev != nil {
		col.describe(ev, c)
		ev.offset = offset
		if col.o.Context > 0 {
			ev.call.Before = append([]string(nil), col.recent[id]...)
			col.after[id] = append(col.after[id], ev)
		}
	}
	if col.o.Context > 0 {
		r := append(col.recent[id], line)
		if len(r) > col.o.Context {
			r = r[1:]
		}
		col.recent[id] = r
	}
}

func (col *collector) describe(ev *evidence, c *analyze.Call) {
	e := c.Event
	ev.call.Event, ev.call.PID, ev.tid = c.Num, e.Thread.TGID, e.Thread.TID
	ev.call.Text = clipText(Describe(col.text, c), maxText)
	ev.name = c.Name
	if !c.IsCall() {
		return
	}
	if n := e.Errno(); n != 0 {
		ev.errno = syscalls.ErrnoName(n)
	}
	ev.ret = e.Ret
	ev.call.Tampered = analyze.TamperWords(e.Flags)
	switch paths := c.Paths(); {
	case len(paths) > 0:
		ev.path = paths[0]
	case c.Peer() != "":
		ev.path = c.Peer()
	}
	if c.Desc != nil {
		if pl := newPlan(c.Desc.Select(&e.Args)); pl.stat != nil {
			ev.meta, ev.stat = pl.metadata(e)
		}
		if fam := familyOf(c.Desc.Name, ""); fam.name == "read" || fam.name == "readlink" || fam.name == "recv" {
			ev.data = string(payload(e))
		}
	}
}

// Describe writes an event on one line, as it stands in a finding's evidence: a
// call in strace's notation, its descriptors named.
func Describe(f *format.Formatter, c *analyze.Call) string {
	switch c.Kind {
	case tracefile.Syscall, tracefile.Unfinished, tracefile.InFlight:
		t := f.Call(c.Desc, c.Event, fdNames{c.Process})
		return string(t.Call) + ") = " + string(t.Result)
	case tracefile.Signal:
		text := "--- " + c.Name
		if len(c.Bufs) > 0 {
			text += " " + string(f.Siginfo(nil, c.Bufs[0].Data))
		}
		return text + " ---"
	case tracefile.Stop:
		return "--- stopped by " + syscalls.SignalName(int(c.NR)) + " ---"
	case tracefile.Detach:
		return "lives on, not recorded any more"
	case tracefile.ThreadStart:
		return "starts as a copy of its parent"
	case tracefile.Exec:
		return "runs " + quoteArgv(c.Facts)
	case tracefile.ThreadExit:
		switch st := int32(c.Ret); {
		case tracefile.ExitHow(c.Args[1]) != tracefile.ExitWaited:
			return "+++ gone +++"
		case st&0x7f != 0:
			return "+++ killed by " + syscalls.SignalName(int(st&0x7f)) + " +++"
		default:
			return fmt.Sprintf("+++ exited with %d +++", st>>8&0xff)
		}
	}
	return c.Name
}

func quoteArgv(f *tracepb.Process) string {
	if f == nil {
		return "a program"
	}
	var words []string
	for _, a := range f.Argv {
		words = append(words, string(a))
	}
	return clipText(strings.Join(words, " "), maxText)
}

// fdNames lets the formatter name descriptors as strace -y does.
type fdNames struct{ p *world.Process }

func (n fdNames) FD(dst []byte, fd int32) []byte {
	if n.p != nil {
		if f := n.p.File(fd); f != nil {
			return append(dst, f.Detail()...)
		}
	}
	return dst
}

// Cwd leaves AT_FDCWD as it is: evidence is short of room, and Path tells more.
func (n fdNames) Cwd(dst []byte) []byte { return dst }

// Netlink leaves messages as they are, for the same reason.
func (n fdNames) Netlink(int32) int { return format.NotNetlink }
