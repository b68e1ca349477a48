package format

import (
	"sysreel/proto/syscalls"
)

// typeCode is the code that there is for types of one name.
type typeCode struct {
	number    func(p *printer, v uint64)
	set       func(p *printer, c *syscalls.Consts, v uint64)
	special   special
	structure func(p *printer, t *syscalls.Type, v view) bool
	change    func(p *printer, t *syscalls.Type, in, out view) bool
	scalar    bool // of a special
	least     int
}

// code returns the code for a type, which is looked up by name once. It is valid
// until the next use.
func (p *printer) code(t *syscalls.Type) *typeCode {
	f, n := p.f, int(t.Sym)
	if n < len(f.types) && f.types[n] != nil {
		return f.types[n]
	}
	c := typeCode{
		number: ints[t.Name], set: sets[t.Name], special: specials[t.Name], structure: structs[t.Name], change: changes[t.Name],
		scalar: scalarSpecials[t.Name], least: least[t.Name],
	}
	if n == 0 { // not of the table
		f.other = c
		return &f.other
	}
	if n >= len(f.types) {
		f.types = append(f.types, make([]*typeCode, n+1-len(f.types))...)
	}
	f.types[n] = &c
	return &c
}

// callCode is the code that there is for a call, and what is looked at in each of
// its lines.
type callCode struct {
	d         *syscalls.Desc
	irregular func(p *printer) bool
	atExit    uint8
	atOnce    uint8
	most      uint64
	counted   uint8 // registers that lead to as much as a number in memory says
}

// callCodes is how many calls' code is kept. Those of one number, like the
// variants of ioctl, displace each other.
const callCodes = 512

// known returns the code for the call. It is valid until the next use.
func (p *printer) known() *callCode {
	c := &p.f.calls[p.d.NR%callCodes]
	if c.d == p.d {
		return c
	}
	*c = callCode{d: p.d, irregular: irregular[p.d.Name], atExit: atExit[p.d.Name], atOnce: atOnce[p.d.Name], most: most[p.d.Name]}
	for i := range p.d.Copies {
		o := &p.d.Copies[i]
		if o.Parent >= 0 || o.Arg < 0 || o.Mode != syscalls.Counted {
			continue
		}
		for _, l := range o.Count {
			if l.From == syscalls.LenDeref && int(l.Val) != int(o.Arg) {
				c.counted |= 1 << o.Arg
			}
		}
	}
	return c
}
