package format

import "sysreel/proto/syscalls"

const ipc64 = 0x100 // IPC_64, include/uapi/linux/ipc.h

// ipcCommand writes what is to be done to a System V object; a bit tells of
// which form its structures are.
func ipcCommand(p *printer, c *syscalls.Consts, v uint64) {
	if v&ipc64 != 0 {
		p.styled(func() { p.hex(ipc64) }, func() { p.s("IPC_64") })
		p.c('|')
	}
	p.consts(c, v&^ipc64)
}

// explained writes a number and, behind it, what it is: 0x3 /* XFEATURE_MASK_FPSSE */.
func explained(p *printer, c *syscalls.Consts, v uint64) {
	p.hex(v)
	if !c.Enum {
		if v != 0 && p.o.Constants != RawConstants {
			p.s(" /* ")
			p.s(c.Format(v))
			p.s(" */")
		}
		return
	}
	if p.o.Constants != Abbreviated {
		return
	}
	p.valueComment(c, v)
}

// valueComment writes the name of a value that stands before it as a number.
func (p *printer) valueComment(c *syscalls.Consts, v uint64) {
	p.s(" /* ")
	if hasValue(c, v) {
		p.consts(c, v)
	} else {
		p.s(c.Prefix)
		p.s("???")
	}
	p.s(" */")
}
