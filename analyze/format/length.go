package format

import (
	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

// countUnread tells whether it lies in memory how much there is behind a
// register, and that memory is not there.
func (p *printer) countUnread(reg int) bool {
	if p.known().counted>>reg&1 == 0 {
		return false
	}
	for i := range p.d.Copies {
		c := &p.d.Copies[i]
		if c.Parent >= 0 || int(c.Arg) != reg || c.Mode != syscalls.Counted {
			continue
		}
		for _, l := range c.Count {
			if l.From == syscalls.LenDeref && int(l.Val) != reg {
				if _, ok := p.length(l, view{}); !ok || p.structLost(int(l.Val)) {
					return true
				}
			}
		}
	}
	return false
}

// within cuts an answer to the room that the caller had for it, where the
// number of bytes that there would be takes that room's place.
func (p *printer) within(reg int, out view) view {
	for i := range p.d.Copies {
		c := &p.d.Copies[i]
		if c.Parent >= 0 || int(c.Arg) != reg || c.Mode != syscalls.Counted {
			continue
		}
		for _, l := range c.Count {
			if l.From != syscalls.LenDeref || l.Val > 5 {
				continue
			}
			m, ok := p.root(int(l.Val), tracefile.AtEnter)
			if !ok || !m.has(int(l.Off)+int(l.Size)) {
				continue
			}
			if room := int32(load(m.data, int(l.Off), int(l.Size))); room >= 0 && int(room) < out.want {
				out = out.at(0, int(room))
			}
		}
	}
	return out
}

// structLost tells whether of a structure behind a register only the beginning
// is there.
func (p *printer) structLost(reg int) bool {
	for i := range p.d.Args {
		a := &p.d.Args[i]
		if t := a.Type; a.Reg == reg && t.Kind == syscalls.Pointer && t.Elem != nil && t.Elem.Kind == syscalls.Struct {
			m, ok := p.root(reg, phaseOf(t.Dir))
			return !ok || !m.has(t.Elem.Size)
		}
	}
	return false
}

// rootLength returns how many bytes the memory behind a register should have,
// when the table and the arguments tell.
func (p *printer) rootLength(reg int, phase tracefile.Phase) (uint64, bool) {
	for i := range p.d.Copies {
		c := &p.d.Copies[i]
		if c.Parent >= 0 || int(c.Arg) != reg || (c.Phase == syscalls.AtEnter) != (phase == tracefile.AtEnter) || c.Mode != syscalls.Counted {
			continue
		}
		least, known := uint64(0), false
		for _, l := range c.Count {
			if n, ok := p.length(l, view{}); ok && (!known || n < least) {
				least, known = n, true
			}
		}
		return least * uint64(c.Unit), known
	}
	return 0, false
}

// length evaluates a Length, whose siblings lie in v.
func (p *printer) length(l syscalls.Length, v view) (uint64, bool) {
	var n uint64
	switch l.From {
	case syscalls.LenConst:
		n = uint64(l.Val)
	case syscalls.LenArg:
		if l.Val > 5 {
			return 0, false
		}
		n = p.e.Args[l.Val]
	case syscalls.LenIoctl:
		if l.Val > 5 {
			return 0, false
		}
		n = syscalls.IoctlSize(p.e.Args[l.Val])
	case syscalls.LenRet:
		if !p.done() {
			return 0, false
		}
		n = uint64(p.e.Ret)
	case syscalls.LenDeref:
		if l.Val > 5 {
			return 0, false
		}
		m, ok := p.root(int(l.Val), tracefile.AtExit)
		if !ok {
			m, ok = p.root(int(l.Val), tracefile.AtEnter)
		}
		if !ok || !m.has(int(l.Off)+int(l.Size)) {
			return 0, false
		}
		n = load(m.data, int(l.Off), int(l.Size))
	case syscalls.LenField:
		if uint64(l.Val)+uint64(l.Size) > uint64(len(v.data)) {
			return 0, false
		}
		n = load(v.data, int(l.Val), int(l.Size))
	default:
		return 0, false
	}
	return uint64(l.Scale(n)), true
}
