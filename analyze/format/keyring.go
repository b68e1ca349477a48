package format

import (
	"sysreel/proto/syscalls"
)

// decimalConst writes one of an enumeration whose values are decimal where they
// are not a name: -3 /* KEY_REQKEY_DEFL_??? */.
func decimalConst(p *printer, c *syscalls.Consts, v uint64) {
	if hasValue(c, v) {
		p.styled(func() { p.dec(int64(int32(v))) }, func() { p.consts(c, v) })
		return
	}
	p.dec(int64(int32(v)))
	p.unnamed(c.Prefix)
}

// keySpec writes a key's serial number, or which of the keyrings it is.
func keySpec(p *printer, c *syscalls.Consts, v uint64) {
	name := c.Format(v)
	if p.o.Constants == Abbreviated || name == "" || name[0] >= '0' && name[0] <= '9' {
		p.consts(c, v)
		return
	}
	p.styled(func() { p.dec(int64(int32(v))) }, func() { p.s(name) })
}

// keyText writes a description of a key: as much as there was room for, without
// the NUL at its end, but in hexadecimal.
func keyText(p *printer, _ *syscalls.Type, v view) {
	s := v.data
	if n := len(s); n > 0 && s[n-1] == 0 && p.o.Hex == HexNone {
		s = s[:n-1]
	}
	p.str(s, len(s), p.o.Strings)
}

// keyCapabilities writes what KEYCTL_CAPABILITIES tells, by bytes.
func keyCapabilities(p *printer, _ *syscalls.Type, v view) {
	p.c('[')
	for i, b := range v.data {
		if i > 0 {
			p.s(", ")
		}
		switch i {
		case 0:
			p.consts(p.set("keyctl_caps0"), uint64(b))
		case 1:
			p.consts(p.set("keyctl_caps1"), uint64(b))
		default:
			p.hex(uint64(b))
		}
	}
	p.c(']')
}
