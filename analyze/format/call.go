package format

import (
	"strings"

	"sysreel/proto/syscalls"
)

// wait4 writes wait4 and waitpid: a status is there only if a child is.
func wait4(p *printer) bool {
	if p.e.Ret != 0 || !p.done() {
		return false
	}
	p.asRegisters()
	return true
}

// xattr writes the calls that read extended attributes: with no room given
// they only tell how much is needed.
func xattr(p *printer) bool {
	n := len(p.d.Args)
	if n == 0 || p.reg(&p.d.Args[n-1]) != 0 {
		return false
	}
	p.asRegisters()
	if strings.Contains(p.d.Name, "getxattr") { // strace writes these when they begin
		p.enter = -1
	}
	return true
}

// asRegisters writes the arguments without looking behind what the call gave
// back.
func (p *printer) asRegisters() {
	for i := range p.d.Args {
		a := &p.d.Args[i]
		if a.Type.Kind != syscalls.Pointer || a.Type.Dir != syscalls.Out {
			p.arg(i)
			continue
		}
		p.next()
		p.pause()
		p.addr(p.reg(a))
	}
}

// getrandom writes random bytes in hexadecimal: they are no text.
func getrandom(p *printer) bool {
	h := p.o.Hex
	p.o.Hex = HexAll
	p.arg(0)
	p.o.Hex = h
	for i := 1; i < len(p.d.Args); i++ {
		p.arg(i)
	}
	return true
}

// nanosleep writes nanosleep and clock_nanosleep: the time left is there only
// if a signal ended the sleep.
func nanosleep(p *printer) bool {
	const intr, noHand, restartBlock = -4, -514, -516
	if r := p.e.Ret; r == intr || r == noHand || r == restartBlock {
		return false
	}
	p.asRegisters()
	return true
}
