package format

import "sysreel/proto/syscalls"

// Registers in struct user, in words, as the headers of x86 name them
// (arch/x86/include/uapi/asm/ptrace-abi.h).
var (
	userRegs64 = [...]string{"R15", "R14", "R13", "R12", "RBP", "RBX", "R11", "R10", "R9", "R8", "RAX", "RCX", "RDX", "RSI", "RDI", "ORIG_RAX", "RIP", "CS", "EFLAGS", "RSP", "SS", "FS_BASE", "GS_BASE", "DS", "ES", "FS", "GS"}
	userRegs32 = [...]string{"EBX", "ECX", "EDX", "ESI", "EDI", "EBP", "EAX", "XDS", "XES", "XFS", "XGS", "ORIG_EAX", "EIP", "XCS", "EFL", "UESP", "XSS"}
)

// userField is a member of struct user behind the registers.
type userField struct {
	off  uint64
	name string
}

// Members of struct user (arch/x86/include/asm/user_64.h, user_32.h).
var (
	userFields64 = [...]userField{{216, "u_fpvalid"}, {224, "i387"}, {736, "u_tsize"}, {744, "u_dsize"}, {752, "u_ssize"}, {760, "start_code"},
		{768, "start_stack"}, {776, "signal"}, {784, "reserved"}, {792, "u_ar0"}, {800, "u_fpstate"}, {808, "magic"}, {816, "u_comm"}, {848, "u_debugreg"}}
	userFields32 = [...]userField{{68, "u_fpvalid"}, {72, "i387"}, {180, "u_tsize"}, {184, "u_dsize"}, {188, "u_ssize"}, {192, "start_code"},
		{196, "start_stack"}, {200, "signal"}, {204, "reserved"}, {208, "u_ar0"}, {212, "u_fpstate"}, {216, "magic"}, {220, "u_comm"}, {252, "u_debugreg"}}
)

const (
	userSize64 = 928
	userSize32 = 284
)

// userOffset writes where in struct user a register lies: 8*RAX.
func userOffset(p *printer, _ *syscalls.Type, v view) {
	w := uint64(p.arch.PtrSize())
	off := load(v.data, 0, int(w))
	var regs []string
	var fields []userField
	var size uint64
	switch p.arch {
	case syscalls.AMD64:
		regs, fields, size = userRegs64[:], userFields64[:], userSize64
	case syscalls.I386:
		regs, fields, size = userRegs32[:], userFields32[:], userSize32
	}
	if off >= size {
		p.addr(off)
		return
	}
	p.styled(func() { p.addr(off) }, func() { p.userField(off, w, regs, fields) })
}

// userField writes the member of struct user at off, be it one of the registers,
// of w bytes each.
func (p *printer) userField(off, w uint64, regs []string, fields []userField) {
	var base uint64
	if n := off / w; n < uint64(len(regs)) {
		base = n * w
		p.udec(w)
		p.c('*')
		p.s(regs[n])
	} else {
		f := fields[0]
		for _, next := range fields {
			if next.off <= off {
				f = next
			}
		}
		base = f.off
		p.s("offsetof(struct user, ")
		p.s(f.name)
		p.c(')')
	}
	if off > base {
		p.c('+')
		p.udec(off - base)
	}
}

// ptrace writes PTRACE_SECCOMP_GET_FILTER, whose instructions only -v shows.
func ptrace(p *printer) bool {
	if p.d.Variant != "SECCOMP_GET_FILTER" || p.o.Verbose {
		return false
	}
	last := len(p.d.Args) - 1
	for i := range last {
		p.arg(i)
	}
	p.next()
	p.addr(p.reg(&p.d.Args[last]))
	return true
}

// registers writes as much of a set of registers as a tracer asks for or has
// given, which the kernel counts in words.
func registers(p *printer, t *syscalls.Type, v view) bool {
	if v.want == t.Size {
		return false
	}
	n := min(v.want, t.Size)
	if n == 0 || v.want%p.arch.PtrSize() != 0 || !v.has(n) {
		p.lost(v)
		return true
	}
	p.c('{')
	for i := range t.Fields {
		f := &t.Fields[i]
		if f.Hidden || f.Off >= n {
			continue
		}
		if i > 0 {
			p.s(", ")
		}
		p.s(f.Name)
		p.c('=')
		p.value(f.Type, v.at(f.Off, min(f.Type.Size, n-f.Off)))
	}
	if v.want > t.Size {
		p.s(", ...")
	}
	p.c('}')
	return true
}
