package format

import (
	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

// pointerArg writes what register reg points to.
func (p *printer) pointerArg(t *syscalls.Type, reg int) {
	if reg < 0 || reg > 5 {
		return
	}
	addr := truncate(p.e.Args[reg], p.arch.PtrSize())
	if p.shallow && t.Elem != nil && t.Elem.Kind != syscalls.Bytes && t.Elem.Kind != syscalls.String {
		p.addr(addr)
		return
	}
	if addr == 0 || t.Elem == nil || t.Dir == syscalls.NoDir || p.unread(t.Elem, reg) {
		p.addr(addr)
		return
	}
	if p.countUnread(reg) {
		p.addr(addr)
		return
	}
	in, hasIn := p.root(reg, tracefile.AtEnter)
	out, hasOut := p.root(reg, tracefile.AtExit)
	switch {
	case t.Dir == syscalls.InOut && hasIn && hasOut:
		p.changed(t.Elem, in, out)
	case t.Dir == syscalls.InOut && hasIn, t.Dir == syscalls.In && hasIn:
		if fn := p.code(t.Elem).change; fn != nil && fn(p, t.Elem, in, view{buf: -1}) {
			return
		}
		if t.Dir == syscalls.InOut && t.Elem.Split {
			p.split(t.Elem, in, &view{buf: -1})
			return
		}
		if p.optionValue(t.Elem, in, reg) {
			return
		}
		p.pointee(t.Elem, in)
	case t.Dir != syscalls.In && hasOut:
		if t.Elem.Name == "sockaddr" {
			if out = p.within(reg, out); out.want == 0 {
				p.addr(addr)
				return
			}
		}
		if p.optionValue(t.Elem, out, reg) {
			return
		}
		p.pointee(t.Elem, out)
	default:
		n, known := p.rootLength(reg, phaseOf(t.Dir))
		if known && n == 0 && (t.Dir == syscalls.In || p.done() || emptyAnyway[p.d.Name]) {
			p.pointee(t.Elem, view{buf: -1, addr: addr})
			return
		}
		p.addr(addr)
	}
}

// changed writes memory that the call read and then wrote: [1 => 2] for a
// number, else as it stands after the call.
func (p *printer) changed(t *syscalls.Type, in, out view) {
	if fn := p.code(t).change; fn != nil && fn(p, t, in, out) {
		return
	}
	if t.Split {
		p.split(t, in, &out)
		return
	}
	if !p.scalar(t) {
		p.pointee(t, out)
		return
	}
	if !in.has(t.Size) || !out.has(t.Size) {
		p.pointee(t, out)
		return
	}
	a, b := load(in.data, 0, t.Size), load(out.data, 0, t.Size)
	p.c('[')
	p.word(t, a)
	if a != b {
		p.s(" => ")
		p.word(t, b)
	}
	p.c(']')
}

// pointee writes what a pointer leads to: a number in brackets, all else as
// it is.
func (p *printer) pointee(t *syscalls.Type, v view) {
	if !p.scalar(t) {
		p.value(t, v)
		return
	}
	if t.Size > 0 && !v.has(t.Size) {
		p.lost(v)
		return
	}
	p.c('[')
	p.value(t, v)
	p.c(']')
}

// scalar tells whether strace puts brackets around a value of this type behind
// a pointer.
func (p *printer) scalar(t *syscalls.Type) bool {
	switch t.Kind {
	case syscalls.Int, syscalls.Flags, syscalls.Enum, syscalls.Pointer:
		return true
	case syscalls.Special:
		return p.code(t).scalar
	}
	return false
}

// pointerIn writes what the pointer at offset off of v leads to.
func (p *printer) pointerIn(t *syscalls.Type, v view, off int) {
	addr := load(v.data, off, t.Size)
	if addr == 0 || t.Elem == nil || addr != truncate(addr, p.arch.PtrSize()) {
		p.addr(addr)
		return
	}
	if p.overlong(t.Elem, v, addr) {
		p.addr(addr)
		return
	}
	phase := phaseOf(t.Dir)
	if t.Dir == syscalls.NoDir && v.buf >= 0 {
		phase = p.e.Bufs[v.buf].Phase
	}
	c, ok := p.child(v, off, phase)
	if phase == tracefile.AtExit && p.ended() && p.failed() && t.Elem.Kind == syscalls.Bytes && !p.grows && !p.leftovers {
		p.addr(addr) // what a read that failed has left there
		return
	}
	if ok && t.Elem.Kind == syscalls.Bytes && p.d.Name == "getxattrat" && p.done() {
		c = c.at(0, int(min(uint64(c.want), uint64(p.e.Ret)))) // as long as the value is
	}
	if ok {
		p.pointee(t.Elem, c)
		return
	}
	if n, known := p.length(t.Elem.Len, v); known && n == 0 {
		p.pointee(t.Elem, view{buf: -1, addr: addr})
		return
	}
	p.addr(addr)
}

// pointerAt is pointerIn for a pointer at the start of v.
func (p *printer) pointerAt(t *syscalls.Type, v view) {
	if !v.has(p.arch.PtrSize()) {
		p.lost(v)
		return
	}
	p.pointerIn(t, v, 0)
}
