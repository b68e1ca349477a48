package format

import "sysreel/proto/syscalls"

// clone writes clone's arguments by name, those after the flags only where
// the flags give them a meaning; the kernel fills some in, so strace writes
// them at the end of the call.
func clone(p *printer) bool {
	for i := range p.d.Args {
		if i == 2 {
			p.pause()
		}
		p.arg(i)
	}
	return true
}

// cloneSignalFlags writes clone's flags, whose lowest byte is the signal sent
// to the parent when the child ends.
func cloneSignalFlags(p *printer, _ *syscalls.Type, v view) {
	const csignal = 0xff // include/uapi/linux/sched.h
	word := load(v.data, 0, len(v.data))
	flags, sig := word&^csignal, word&csignal
	if flags != 0 || sig == 0 {
		p.consts(p.set("clone_flags"), flags)
		if sig == 0 {
			return
		}
		p.c('|')
	}
	p.signo(sig)
}
