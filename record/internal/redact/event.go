package redact

import (
	"bytes"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
	"sysreel/proto/world"
)

// Events redacts what a recording consists of, before it is written and before
// the world takes it into account. Data and facts are changed in place.
type Events struct {
	*Redactor
	world *world.World // as it stands before the event
	plans map[*syscalls.Desc]*plan
	known [2][512]*plan // of AMD64 and ARM64, by number: those without variants

	streams [ways]map[*world.File]*tail

	// Of the event at hand: for its buffers the index in Desc.Copies, or −1, if
	// that is needed; strings collected; what its data goes on with.
	from []int8
	list [][]byte
	cuts []bool
	tail tail
	// before is a piece of a file's as it was.
	before []byte
}

// NewEvents returns an Events; w tells what descriptors stand for. It is nil,
// which does nothing, if no rule is in force.
func NewEvents(r *Rules, w *world.World) *Events {
	if r.Off() {
		return nil
	}
	x := &Events{Redactor: New(r), world: w, plans: make(map[*syscalls.Desc]*plan)}
	for i := range x.streams {
		x.streams[i] = make(map[*world.File]*tail)
	}
	return x
}

// Header redacts what a header says of the target.
func (x *Events) Header(h *tracepb.Header) {
	if x == nil {
		return
	}
	x.Argv(h.GetTarget().GetCommand(), nil)
	x.Text(h.GetTarget().GetCwd(), false)
}

// Take hands over, by rule, how much has been blanked since the last call.
func (x *Events) Take(add func(rule string, n uint64)) {
	if x == nil {
		return
	}
	for i, n := range x.counts {
		if n > 0 {
			add(x.rules.name(Rule(i)), n)
			x.counts[i] = 0
		}
	}
}

// kind is what a piece of memory holds.
type kind uint8

const (
	structure kind = iota // nothing that is looked at
	text
	data
	argument
	environ
)

// plan is what a call's description means here.
type plan struct {
	idle   bool
	plain  bool    // all memory that an argument leads to is of one kind
	args   [8]kind // that kind, by register; the last two are no registers
	copies []syscalls.Copy
	kinds  []kind
	fd     int8 // register of the descriptor that data goes through, −1: none
	out    bool // the call sends
	peeks  int8 // register of recv's flags, −1: none
}

func newPlan(d *syscalls.Desc) *plan {
	p := &plan{copies: d.Copies, kinds: make([]kind, len(d.Copies)), fd: -1, peeks: -1, idle: true, plain: true}
	for i, c := range d.Copies {
		var a *syscalls.Arg
		for j := range d.Args {
			if d.Args[j].Reg == int(c.Arg) {
				a = &d.Args[j]
			}
		}
		if a == nil {
			continue
		}
		elem := a.Type
		if elem.Kind == syscalls.Pointer && elem.Elem != nil {
			elem = elem.Elem
		}
		switch {
		case c.Mode == syscalls.CString && elem.Name == "strings":
			p.kinds[i] = argument
		case c.Mode == syscalls.CString && elem.Name == "envs":
			p.kinds[i] = environ
		case c.Mode == syscalls.CString, c.Parent < 0 && elem.Kind == syscalls.String:
			p.kinds[i] = text
		case c.Data && elem.Kind != syscalls.Special:
			p.kinds[i] = data
			p.out = c.Phase == syscalls.AtEnter
		default:
			continue
		}
		p.idle = false
		p.args[c.Arg&7] = p.kinds[i]
	}
	for i, c := range d.Copies {
		p.plain = p.plain && p.kinds[i] == p.args[c.Arg&7]
	}
	for i := range d.Args {
		switch a := &d.Args[i]; {
		case a.Type.Name == "fd" && p.fd < 0:
			p.fd = int8(a.Reg)
		case a.Type.Name == "msg_flags" && !p.out:
			p.peeks = int8(a.Reg)
		}
	}
	return p
}

// plan returns nil for a call in whose memory nothing is looked for.
func (x *Events) plan(e *tracefile.Event) *plan {
	var known **plan
	if a := int(e.Arch) - 1; a >= 0 && a < len(x.known) && e.NR < uint32(len(x.known[0])) {
		known = &x.known[a][e.NR]
	}
	if known == nil || *known == nil {
		d := syscalls.Lookup(e.Arch, e.NR)
		if d == nil {
			return nil
		}
		s := d.Select(&e.Args)
		p := x.plans[s]
		if p == nil {
			p = newPlan(s)
			x.plans[s] = p
		}
		if known == nil || d.HasVariants() {
			return p.ifAny()
		}
		*known = p
	}
	return (*known).ifAny()
}

func (p *plan) ifAny() *plan {
	if p.idle {
		return nil
	}
	return p
}

// Event redacts an event. A call in flight is not counted: it comes again.
func (x *Events) Event(e *tracefile.Event) {
	if x == nil {
		return
	}
	switch e.Kind {
	case tracefile.ThreadStart, tracefile.Exec:
		x.Facts(e.Facts)
	case tracefile.Syscall, tracefile.Unfinished, tracefile.InFlight:
		if len(e.Bufs) == 0 {
			return
		}
		if p := x.plan(e); p != nil {
			x.quiet = e.Kind == tracefile.InFlight
			x.bufs(p, e)
			x.quiet = false
		}
	}
}

// Facts redacts what was read of a process.
func (x *Events) Facts(p *tracepb.Process) {
	if x == nil || p == nil {
		return
	}
	x.Argv(p.Argv, nil)
	x.Env(p.Env, nil)
	for _, b := range [][]byte{p.Exe, p.Comm, p.Cwd, p.Root, p.Cgroup} {
		x.Text(b, false)
	}
	for _, f := range p.Files {
		x.Text(f.Link, false)
	}
	for _, b := range p.GetMaps().GetFiles() {
		x.Text(b, false)
	}
}

// Link returns a copy of the name of a descriptor, redacted. It is not counted.
func (x *Events) Link(link []byte) []byte {
	link = bytes.Clone(link)
	if x != nil {
		x.quiet = true
		x.Text(link, false)
		x.quiet = false
	}
	return link
}

// bufs redacts the memory of a call.
func (x *Events) bufs(p *plan, e *tracefile.Event) {
	x.from, x.list, x.cuts = x.from[:0], x.list[:0], x.cuts[:0]
	f := flow{p: p}
	lists := structure
	for i := range e.Bufs {
		b := &e.Bufs[i]
		k := p.args[b.Arg&7]
		if !p.plain {
			k = structure
			c := p.copyOf(b, x.from)
			if x.from = append(x.from, c); c >= 0 {
				k = p.kinds[c]
			}
		}
		if k == structure || len(b.Data) == 0 {
			continue
		}
		switch k {
		case text:
			x.Text(b.Data, cut(b))
		case data:
			if !f.begun {
				x.begin(&f, e)
			}
			x.data(&f, b)
		case argument, environ:
			if lists != k {
				x.flushList(lists)
				lists = k
			}
			x.list = append(x.list, cString(b.Data))
			x.cuts = append(x.cuts, cut(b))
		}
	}
	if lists != structure {
		x.flushList(lists)
	}
	if f.begun {
		x.end(&f, e)
	}
}

// flushList redacts the strings collected as what they are.
func (x *Events) flushList(k kind) {
	wasCut := func(i int) bool { return x.cuts[i] }
	switch k {
	case argument:
		x.Argv(x.list, wasCut)
	case environ:
		x.Env(x.list, wasCut)
	}
	x.list, x.cuts = x.list[:0], x.cuts[:0]
}

// copyOf finds the copy that a buffer was made by: from are those of the
// buffers before it.
func (p *plan) copyOf(b *tracefile.Buf, from []int8) int8 {
	for i := range p.copies {
		c := &p.copies[i]
		if c.Arg != b.Arg || min(c.Phase, 1) != uint8(b.Phase) {
			continue
		}
		if b.Parent < 0 {
			if c.Parent < 0 {
				return int8(i)
			}
			continue
		}
		if int(b.Parent) >= len(from) || c.Parent < 0 || from[b.Parent] != c.Parent {
			continue
		}
		off := b.Off
		if c.Stride > 0 {
			off %= uint32(c.Stride)
		}
		if off == uint32(c.Off) {
			return int8(i)
		}
	}
	return -1
}

func cut(b *tracefile.Buf) bool { return int(b.Want) > len(b.Data) }

// cString is b without its NUL.
func cString(b []byte) []byte {
	if n := len(b); n > 0 && b[n-1] == 0 {
		return b[:n-1]
	}
	return b
}
