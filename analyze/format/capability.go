package format

import (
	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

// capData writes what capget and capset exchange: one struct
// __user_cap_data_struct in the first version of the interface, else two that
// hold the lower and the upper half of each set
// (include/uapi/linux/capability.h).
func capData(p *printer, _ *syscalls.Type, v view) {
	const version2, version3, one = 0x20071026, 0x20080522, 12
	size := one
	h, ok := p.root(0, tracefile.AtEnter)
	if version := load(h.data, 0, 4); version == version2 || version == version3 {
		size = 2 * one
	}
	if !ok || !h.has(8) || !v.has(size) {
		p.lost(v)
		return
	}
	for i, name := range []string{"{effective=", ", permitted=", ", inheritable="} {
		set := load(v.data, 4*i, 4)
		if size > one {
			set |= load(v.data, one+4*i, 4) << 32
		}
		p.s(name)
		p.capabilities(set)
	}
	p.c('}')
}

// capabilities writes a set of capabilities, of which numbers tell each half.
func (p *printer) capabilities(set uint64) {
	if p.o.Constants == Abbreviated || set == 0 {
		p.capabilityNames(set)
		return
	}
	low, high := set&0xffffffff, set>>32
	if low != 0 {
		p.styled(func() { p.hex(low) }, func() { p.capabilityNames(low) })
		if high == 0 {
			return
		}
		p.c('|')
	}
	p.styled(func() { p.hex(high) }, func() { p.capabilityNames(high << 32) })
}

// capabilityNames writes a set of capabilities as bits: 1<<CAP_CHOWN|1<<CAP_KILL.
func (p *printer) capabilityNames(set uint64) {
	if set == 0 {
		p.c('0')
		return
	}
	first := true
	if c := p.set("capability"); c != nil {
		for i := range c.Values {
			bit := uint64(1) << (c.Values[i].Val & 63)
			if c.Values[i].Val > 63 || set&bit == 0 {
				continue
			}
			if !first {
				p.c('|')
			}
			first = false
			set &^= bit
			p.s("1<<")
			p.s(c.Values[i].Name)
		}
	}
	if set == 0 {
		return
	}
	if !first {
		p.c('|')
	}
	if set > 0xffffffff {
		set >>= 32 // strace prints what is left of the upper half by itself
	}
	p.hex(set)
	if first {
		p.s(" /* CAP_??? */")
	}
}
