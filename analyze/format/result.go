package format

import (
	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
)

// restarts are the results by which the kernel tells itself to run the call
// again after a signal (include/linux/errno.h); programs never see them.
var restarts = map[int64]string{
	-512: "ERESTARTSYS (To be restarted if SA_RESTART is set)",
	-513: "ERESTARTNOINTR (To be restarted)",
	-514: "ERESTARTNOHAND (To be restarted if no handler)",
	-516: "ERESTART_RESTARTBLOCK (Interrupted by signal)",
}

// result writes what follows "= ".
func (p *printer) result() {
	e := p.e
	switch {
	case e.Kind != tracefile.Syscall, e.Flags&tracefile.NoResult != 0, p.d != nil && p.d.NoReturn && e.Flags&tracefile.Injected == 0:
		p.c('?')
		return
	case e.Ret <= -512 && restarts[e.Ret] != "":
		p.s("? ")
		p.s(restarts[e.Ret])
	case p.failed():
		n := int(-e.Ret)
		p.s("-1 ")
		if name := syscalls.ErrnoName(n); name[0] == 'E' { // else it is the number
			p.s(name)
			p.s(" (")
			p.s(syscalls.ErrnoText(n))
			p.c(')')
		} else {
			p.s("(errno ")
			p.dec(int64(n))
			p.c(')')
		}
	case p.raw():
		p.hex(uint64(e.Ret))
	default:
		p.returned()
	}
	if n := -int32(e.Ret); n > 0 && n < 4096 && p.d != nil && p.d.Name == "modify_ldt" && p.arch == syscalls.AMD64 && e.Ret > 0 && !p.raw() {
		p.c(' ') // modify_ldt returns an int, see arch/x86/kernel/ldt.c
		p.errno(int(n))
		p.s(" (")
		p.s(syscalls.ErrnoText(int(n)))
		p.c(')')
	}
	if e.Facts != nil && p.o.NewNamespaces {
		p.namespaces(e.Facts.Namespaces)
	}
	if p.f.base.VCPUs != NoVCPUs && !p.raw() {
		p.noted(func() { p.s(p.vcpuExit()) })
	}
	if len(p.note) > 0 {
		p.s(" (")
		p.b = append(p.b, p.note...)
		p.c(')')
	}
	p.b = append(p.b, tamperings[e.Flags&tampered]...)
}

// namespaces notes namespaces as the links in /proc/PID/ns name them.
func (p *printer) namespaces(all []*tracepb.Namespace) {
	for i, n := range all {
		p.noted(func() {
			if i > 0 {
				p.s(", ")
			}
			p.plain([]byte(n.Name))
			p.s(":[")
			p.udec(n.Inode)
			p.c(']')
		})
	}
}

const tampered = tracefile.Injected | tracefile.Poked | tracefile.Delayed

// tamperings say what was done to a call on purpose.
var tamperings = map[tracefile.Flags]string{
	tracefile.Injected:                                       " (INJECTED)",
	tracefile.Poked:                                          " (INJECTED: args)",
	tracefile.Injected | tracefile.Poked:                     " (INJECTED: args, retval)",
	tracefile.Delayed:                                        " (DELAYED)",
	tracefile.Delayed | tracefile.Injected:                   " (INJECTED) (DELAYED)",
	tracefile.Delayed | tracefile.Poked:                      " (INJECTED: args) (DELAYED)",
	tracefile.Delayed | tracefile.Injected | tracefile.Poked: " (INJECTED: args, retval) (DELAYED)",
}

// returned writes the value of a call that did not fail.
func (p *printer) returned() {
	ret := uint64(p.e.Ret)
	if p.d == nil || p.d.Ret == nil {
		p.hex(ret)
		return
	}
	t := p.d.Ret
	switch {
	case t.Name == "key_spec":
		p.dec(signExtend(ret, 4))
	case t.Name == "prctl_spec_flags" && p.f.base.Constants == RawConstants:
		p.hex(truncate(ret, 4))
	case t.Kind == syscalls.Flags || t.Kind == syscalls.Enum:
		v := truncate(ret, max(t.Size, 4))
		if t.Kind == syscalls.Enum && t.Name != "flock_type" && t.Name != "prctl_tagged_addr" {
			p.dec(signExtend(v, 4))
		} else {
			p.hex(v)
		}
		explained := v != 0 || hasZero(t.Consts)
		if t.Name == "prctl_sve_vl" || t.Name == "prctl_sme_vl" {
			explained = v > vectorLengthMask
		}
		if explained {
			p.s(" (")
			if styledResults[t.Name] {
				p.o.Constants = p.f.base.Constants
			}
			switch {
			case p.d.Name != "fcntl" && p.d.Name != "fcntl64" || t.Kind == syscalls.Enum:
			case t.Name == "seal_flags":
				p.s("seals ")
			default:
				p.s("flags ")
			}
			p.word(t, v)
			p.c(')')
		}
	case t.Kind == syscalls.Pointer || t.Base == syscalls.Hex || t.Name == "addr":
		p.hex(truncate(ret, p.arch.PtrSize()))
	case t.Name == "ioprio":
		p.dec(signExtend(ret, 4))
		if p.o.Constants = p.f.base.Constants; p.o.Constants != RawConstants {
			p.s(" (")
			p.ioprioValue(truncate(ret, 4))
			p.c(')')
		}
	case t.Name == "old_sigset" || t.Name == "sigset8":
		p.hex(truncate(ret, 4))
		p.s(" (")
		if p.d.Name == "ssetmask" {
			p.s("old ")
		}
		p.s("mask ")
		p.word(t, ret)
		p.c(')')
	case t.Name == "sighandler":
		h := truncate(ret, p.arch.PtrSize())
		p.hex(h)
		if name := handlerName(h); name != "" {
			p.s(" (")
			p.s(name)
			p.c(')')
		}
	case t.Name == "fd":
		p.dec(int64(int32(ret)))
		if p.e.Flags&tracefile.Injected == 0 {
			p.fd0 = int32(ret)
		}
	case t.Name == "pid" || t.Name == "tid":
		p.pid(ret)
	case t.Name == "pgid":
		p.pgid(ret)
	case t.Name == "signo":
		p.dec(int64(int32(ret)))
		if name := signalName(ret); name != "" {
			p.s(" (")
			p.s(name)
			p.c(')')
		}
	case t.Name == "mode":
		p.mode(ret)
	case t.Base == syscalls.Oct:
		p.oct(ret)
	case t.Name == "uid" || t.Name == "gid":
		p.id(truncate(ret, 4))
	case p.arch.PtrSize() == 4 && t.Size <= 4:
		p.dec(signExtend(ret, 4))
	default:
		p.dec(p.e.Ret)
	}
}

// styledResults are the sets whose names in a result are numbers too, as those
// of arguments are, where numbers are asked for.
var styledResults = map[string]bool{"personality_type": true, "membarrier_cmd_mask": true, "seal_flags": true}

// hasZero tells whether 0 is one of the constants, as O_RDONLY is.
func hasZero(c *syscalls.Consts) bool { return c != nil && hasValue(c, 0) }
