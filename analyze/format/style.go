package format

import (
	"strings"

	"sysreel/proto/syscalls"
)

// Constants says how named constants are written.
type Constants uint8

const (
	Abbreviated   Constants = iota // O_RDONLY
	RawConstants                   // -X raw: 0x1
	BothConstants                  // -X verbose: 0x1 /* O_WRONLY */
)

// styled writes a value that has a name: number and name write it each way.
func (p *printer) styled(number, name func()) {
	p.besides(number, func() {
		style := p.o.Constants
		p.o.Constants = Abbreviated
		name()
		p.o.Constants = style
	})
}

// besides does the same where the constants within the name have a style too.
func (p *printer) besides(number, name func()) {
	switch p.o.Constants {
	case Abbreviated:
		name()
	case RawConstants:
		number()
	default:
		number()
		p.s(" /* ")
		name()
		p.s(" */")
	}
}

// styledConsts writes flags, or one of an enumeration, whose names are s.
func (p *printer) styledConsts(v uint64, s string) {
	switch {
	case s != "" && s[0] >= '0' && s[0] <= '9': // unknown: 0x40 /* PROT_??? */
		if p.o.Constants == RawConstants {
			s, _, _ = strings.Cut(s, " ")
		}
		p.s(s)
	default:
		p.styled(func() { p.hex(v) }, func() { p.s(s) })
	}
}

// alwaysNamed writes a constant whose number and name stand in each style.
func alwaysNamed(p *printer, c *syscalls.Consts, v uint64) { p.s(c.Format(v)) }

// unnamed writes, behind a number, that there is no name for it.
func (p *printer) unnamed(prefix string) {
	if p.o.Constants != RawConstants {
		p.s(" /* ")
		p.s(prefix)
		p.s("??? */")
	}
}

// netBytes writes bytes in network order as -X raw does.
func (p *printer) netBytes(b []byte) {
	p.c('"')
	p.quoteHex(b)
	p.c('"')
}
