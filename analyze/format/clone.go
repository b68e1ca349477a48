package format

import (
	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

// clone writes clone's arguments by name, those after the flags only where
// the flags give them a meaning; the kernel fills some in, so strace writes
// them at the end of the call.
func clone(p *printer) bool {
	for i := range p.d.Args {
		if i == 2 {
			p.pause()
			if p.clonePIDFD(&p.d.Args[i]) {
				continue
			}
		}
		p.arg(i)
	}
	return true
}

// clonePIDFD writes the argument of clone that leads to a thread's ID, where it is
// a pidfd's place. Reports false where it is not, or there is none.
func (p *printer) clonePIDFD(a *syscalls.Arg) bool {
	v, ok := p.root(a.Reg, tracefile.AtExit)
	if p.e.Args[0]&clonePIDFD == 0 || !ok || !v.has(4) || p.shallow || !p.done() {
		return false
	}
	p.next()
	if !p.o.ArgNames {
		p.s(a.Name)
		p.c('=')
	}
	p.c('[')
	p.fd(int32(load(v.data, 0, 4)))
	p.c(']')
	return true
}

// cloneSignalFlags writes clone's flags, whose lowest byte is the signal sent
// to the parent when the child ends.
func cloneSignalFlags(p *printer, c *syscalls.Consts, v uint64) {
	const csignal = 0xff // include/uapi/linux/sched.h
	flags, sig := v&^csignal, v&csignal
	if flags != 0 || sig == 0 {
		p.consts(c, flags)
		if sig == 0 {
			return
		}
		p.c('|')
	}
	p.signo(sig)
}

// What clone3's flags say of its other arguments (include/uapi/linux/sched.h).
const (
	clonePIDFD         = 0x1000
	cloneSetTLS        = 0x80000
	cloneParentSetTID  = 0x100000
	cloneChildClearTID = 0x200000
	cloneChildSetTID   = 0x1000000
	cloneIntoCgroup    = 0x200000000
)

// clone3 writes clone3: of its arguments those that the size covers and that
// mean something, then what the kernel gave back.
func clone3(p *printer) bool {
	if len(p.d.Args) < 2 {
		return false
	}
	a := &p.d.Args[0]
	in, ok := p.root(a.Reg, tracefile.AtEnter)
	t := a.Type.Elem
	const least = 64 // CLONE_ARGS_SIZE_VER0
	if !ok || t == nil {
		return false
	}
	p.next()
	if whole := min(in.want, t.Size); in.want < least || !in.has(whole) {
		p.lost(in)
	} else {
		p.clone3In(t, in)
		p.clone3Out(t, in, load(in.data, 0, 8))
	}
	for i := 1; i < len(p.d.Args); i++ {
		p.arg(i)
	}
	return true
}

func (p *printer) clone3In(t *syscalls.Type, in view) {
	var full [88]byte // missing members are 0
	copy(full[:], in.data)
	word := func(name string) uint64 {
		f := fieldOf(t, name)
		if f == nil || f.Off+f.Type.Size > len(full) {
			return 0
		}
		return load(full[:], f.Off, f.Type.Size)
	}
	flags := word("flags")
	p.c('{')
	first := true
	show := func(name string, yes bool) {
		if !yes {
			return
		}
		if !first {
			p.s(", ")
		}
		first = false
		p.s(name)
		p.c('=')
		f := fieldOf(t, name)
		switch v := word(name); {
		case f == nil:
		case name == "exit_signal" && v < 1<<31-1:
			p.signo(v)
		case f.Type.Kind == syscalls.Pointer:
			p.addr(v)
		default:
			p.word(f.Type, v)
		}
	}
	show("flags", true)
	show("pidfd", flags&clonePIDFD != 0)
	show("child_tid", flags&(cloneChildSetTID|cloneChildClearTID) != 0)
	show("parent_tid", flags&cloneParentSetTID != 0)
	show("exit_signal", true)
	show("stack", true)
	show("stack_size", true)
	show("tls", flags&cloneSetTLS != 0)
	const most = 32 // MAX_PID_NS_LEVEL, include/linux/pid_namespace.h
	if n := word("set_tid_size"); n != 0 || word("set_tid") != 0 {
		if f := fieldOf(t, "set_tid"); n > 0 && n <= most && f != nil {
			p.s(", set_tid=")
			p.pointerIn(f.Type, in, f.Off)
		} else {
			show("set_tid", true)
		}
		show("set_tid_size", true)
	}
	show("cgroup", in.want > 80 && (flags&cloneIntoCgroup != 0 || word("cgroup") != 0))
	p.behind(", ", in, t.Size)
	p.c('}')
}

// clone3Out writes " => {pidfd=[3], parent_tid=[1234]}".
func (p *printer) clone3Out(t *syscalls.Type, in view, flags uint64) {
	more := in.want > t.Size
	if flags&(clonePIDFD|cloneParentSetTID) == 0 && !more {
		return
	}
	p.pause()
	if !p.done() {
		return
	}
	prefix := " => {"
	show := func(name string) {
		f := fieldOf(t, name)
		if f == nil {
			return
		}
		p.s(prefix)
		prefix = ", "
		p.s(name)
		p.c('=')
		p.pointerIn(f.Type, in, f.Off)
	}
	if flags&clonePIDFD != 0 {
		show("pidfd")
	}
	if flags&cloneParentSetTID != 0 {
		show("parent_tid")
	}
	if more && p.behind(prefix, in, t.Size) || prefix == ", " {
		p.c('}')
	}
}
