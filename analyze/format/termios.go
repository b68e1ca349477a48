package format

import "sysreel/proto/syscalls"

// controlChars are the indices of termios.c_cc
// (include/uapi/asm-generic/termbits.h).
var controlChars = [...]string{"VINTR", "VQUIT", "VERASE", "VKILL", "VEOF", "VTIME", "VMIN", "VSWTC", "VSTART", "VSTOP", "VSUSP", "VEOL",
	"VREPRINT", "VDISCARD", "VWERASE", "VLNEXT", "VEOL2"}

// termCC writes the control characters of a terminal by name.
func termCC(p *printer, _ *syscalls.Type, v view) {
	p.c('[')
	for i, c := range v.data {
		if i > 0 {
			p.s(", ")
		}
		p.c('[')
		if i < len(controlChars) {
			p.s(controlChars[i])
		} else {
			p.udec(uint64(i))
		}
		p.s("]=")
		p.hex(uint64(c))
	}
	p.c(']')
}

// modes writes modes of a terminal of which those within fields are fields: as
// strace does, with a bar before the flags even if there are none.
func modes(p *printer, c *syscalls.Consts, v, fields uint64) {
	p.consts(c, v)
	if v&^fields == 0 {
		p.c('|')
	}
}

// localModes writes modes of a terminal that are all flags: as strace does,
// nothing for 0.
func localModes(p *printer, c *syscalls.Consts, v uint64) {
	if v != 0 {
		p.consts(c, v)
	}
}
