package format

import (
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

// clone3 writes clone3: of its arguments those that the size covers and that
// mean something, then what the kernel gave back.
func clone3(p *printer) bool {
	if len(p.d.Args) < 2 {
		return false
	}
	a := &p.d.Args[0]
	in, ok := p.root(a.Reg, 0)
	if !ok || a.Type.Elem == nil || !in.has(64) {
		return false
	}
	const (
		pidfd, childSetTID, childClearTID, parentSetTID, setTLS = 0x1000, 0x01000000, 0x00200000, 0x00100000, 0x00080000
		intoCgroup                                              = 0x200000000
	)
	t := a.Type.Elem
	flags := load(in.data, 0, 8)
	p.next()
	p.c('{')
	first := true
	show := func(name string, yes bool) {
		if yes {
			p.member(t, in, name, &first)
		}
	}
	stack := load(in.data, 40, 8)
	show("flags", true)
	show("pidfd", flags&pidfd != 0)
	show("child_tid", flags&(childSetTID|childClearTID) != 0)
	show("parent_tid", flags&parentSetTID != 0)
	show("exit_signal", true)
	show("stack", true)
	show("stack_size", stack != 0 || load(in.data, 48, 8) != 0)
	show("tls", flags&setTLS != 0)
	if in.has(80) && load(in.data, 72, 8) != 0 {
		show("set_tid", true)
		show("set_tid_size", true)
	}
	show("cgroup", in.has(88) && flags&intoCgroup != 0)
	p.c('}')
	p.clone3Result(in, flags&pidfd != 0, flags&parentSetTID != 0)
	for i := 1; i < len(p.d.Args); i++ {
		p.arg(i)
	}
	return true
}

// clone3Result writes " => {parent_tid=[1234]}".
func (p *printer) clone3Result(in view, pidfd, parent bool) {
	if !pidfd && !parent {
		return
	}
	p.pause()
	if !p.done() {
		return
	}
	first := true
	show := func(name string, off int) {
		v, ok := p.child(in, off, 1)
		if !ok || !v.has(4) {
			return
		}
		if first {
			p.s(" => {")
		} else {
			p.s(", ")
		}
		first = false
		p.s(name)
		p.s("=[")
		p.dec(int64(int32(load(v.data, 0, 4))))
		p.c(']')
	}
	if pidfd {
		show("pidfd", 8)
	}
	if parent && first {
		p.s(" => {")
	} else if parent {
		p.s(", ")
	}
	if parent { // the kernel stores the result there
		first = false
		p.s("parent_tid=[")
		p.dec(p.e.Ret)
		p.c(']')
	}
	if !first {
		p.c('}')
	}
}
