package format

import "sysreel/proto/syscalls"

// flagKey names a rendered set of flags.
type flagKey struct {
	consts *syscalls.Consts
	v      uint64
}

// maxCachedFlags bounds the memory kept for rendered flags: real programs use
// a few hundred different ones.
const maxCachedFlags = 4096

// consts writes v as flags or as one of an enumeration. Rendered values are
// kept: a trace has few different ones.
func (p *printer) consts(c *syscalls.Consts, v uint64) {
	if c == nil {
		p.hex(v)
		return
	}
	k := flagKey{c, v}
	s, ok := p.f.flags[k]
	if !ok {
		s = c.Format(v)
		if len(p.f.flags) >= maxCachedFlags {
			clear(p.f.flags)
		}
		p.f.flags[k] = s
	}
	if p.o.Constants != Abbreviated {
		p.styledConsts(v, s)
		return
	}
	p.s(s)
}

func hasValue(c *syscalls.Consts, v uint64) bool {
	for i := range c.Values {
		if c.Values[i].Val == v && !c.Values[i].Hidden {
			return true
		}
	}
	return false
}
