package format

import (
	"sysreel/proto/syscalls"
)

// decimalConst writes one of an enumeration whose values without a name are
// decimal: -3 /* KEY_REQKEY_DEFL_??? */.
func decimalConst(p *printer, c *syscalls.Consts, v uint64) {
	if hasValue(c, v) {
		p.consts(c, v)
		return
	}
	p.dec(int64(int32(v)))
	if p.o.Constants != RawConstants {
		p.s(" /* ")
		p.s(c.Prefix)
		p.s("??? */")
	}
}

// keyText writes a description of a key: as much as there was room for, without
// the NUL at its end.
func keyText(p *printer, _ *syscalls.Type, v view) {
	s := v.data
	if n := len(s); n > 0 && s[n-1] == 0 {
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
