package format

import (
	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

// syscallInfo writes struct ptrace_syscall_info as far as it is there: what the
// kernel gave, or the size that the caller states. Its end is for the kind of
// stop (include/uapi/linux/ptrace.h).
func syscallInfo(p *printer, t *syscalls.Type, v view) bool {
	size := v.want
	if v.buf >= 0 && p.e.Bufs[v.buf].Phase == tracefile.AtExit && p.done() {
		size = int(min(uint64(size), uint64(p.e.Ret))) // of PTRACE_GET_SYSCALL_INFO
	}
	if size == 0 || !v.has(min(size, t.Size)) {
		p.lost(v)
		return true
	}
	v = v.at(0, min(size, t.Size))
	const entry, exit, seccomp = 1, 2, 3 // PTRACE_SYSCALL_INFO_*
	first := true
	p.c('{')
	for i := range t.Fields {
		f := &t.Fields[i]
		if f.Hidden {
			continue
		}
		of := v
		if f.NonZero { // what is beyond the end is 0
			whole := make([]byte, f.Off+f.Type.Size)
			copy(whole, v.data)
			if of.data = whole; !anySet(whole[f.Off:]) {
				continue
			}
		}
		p.member(t, of, f.Name, &first)
	}
	const nr, args, data = 24, 32, 80 // offsets
	switch v.data[0] {
	case entry, seccomp:
		if !v.has(nr + 8) {
			break
		}
		p.s(", entry={nr=")
		if v.data[0] == seccomp {
			p.b = append(p.b[:len(p.b)-len("entry={nr=")], "seccomp={nr="...)
		}
		p.stopNumber(load(v.data, nr, 8), uint32(load(v.data, 4, 4)))
		for off := args; off < data && v.has(off+8); off += 8 {
			if off == args {
				p.s(", args=[")
			} else {
				p.s(", ")
			}
			p.hex(load(v.data, off, 8))
		}
		if v.has(args + 8) {
			p.c(']')
		}
		if v.data[0] == seccomp && v.has(data+4) {
			p.s(", ret_data=")
			p.udec(load(v.data, data, 4))
		}
		p.c('}')
	case exit:
		const result, failed = 24, 32
		if !v.has(result + 8) {
			break
		}
		p.s(", exit={rval=")
		n := int64(load(v.data, result, 8))
		name := ""
		if v.has(failed+1) && v.data[failed] != 0 && n < 0 && n >= -4095 {
			name = syscalls.ErrnoName(int(-n))
		}
		if name != "" {
			p.styled(func() { p.dec(n) }, func() { p.c('-'); p.s(name) })
		} else {
			p.dec(n)
		}
		if v.has(failed + 1) {
			p.s(", is_error=")
			p.udec(uint64(v.data[failed]))
		}
		p.c('}')
	}
	p.c('}')
	return true
}

// stopNumber writes a call number of an audit architecture: by name if it is that
// of the caller, else the name is a comment.
func (p *printer) stopNumber(nr uint64, audit uint32) {
	const x32 = 0x40000000 // __X32_SYSCALL_BIT, arch/x86/include/uapi/asm/unistd.h
	a, ok := syscalls.ArchFromAudit(audit)
	own := a == p.arch
	n := nr
	if a == syscalls.AMD64 && n&x32 != 0 {
		own, n = false, n&^x32
	}
	var d *syscalls.Desc
	if ok && n == uint64(uint32(n)) {
		d = syscalls.Lookup(a, uint32(n))
	}
	if d == nil || !own {
		p.udec(nr)
		if d != nil {
			p.s(" /* ")
			p.s(d.Name)
			p.s(" */")
		}
		return
	}
	p.styled(func() { p.udec(nr) }, func() { p.s("__NR_"); p.s(d.Name) })
}
