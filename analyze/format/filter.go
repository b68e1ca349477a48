package format

import "sysreel/proto/syscalls"

// Classic BPF: filters of sockets and of seccomp (include/uapi/linux/filter.h,
// bpf_common.h). The names of extended BPF are shown too, as strace does.

const (
	bpfLD, bpfLDX, bpfALU, bpfJMP, bpfRET, bpfMISC = 0, 1, 4, 5, 6, 7

	bpfABS = 0x20
)

var (
	bpfClasses = [...]string{"BPF_LD", "BPF_LDX", "BPF_ST", "BPF_STX", "BPF_ALU", "BPF_JMP", "BPF_RET", "BPF_MISC"}
	bpfSizes   = map[uint64]string{0: "BPF_W", 0x08: "BPF_H", 0x10: "BPF_B", 0x18: "BPF_DW"}
	bpfModes   = map[uint64]string{0: "BPF_IMM", 0x20: "BPF_ABS", 0x40: "BPF_IND", 0x60: "BPF_MEM", 0x80: "BPF_LEN", 0xa0: "BPF_MSH", 0xc0: "BPF_XADD"}
	bpfSources = map[uint64]string{0: "BPF_K", 0x08: "BPF_X"}
	bpfValues  = map[uint64]string{0: "BPF_K", 0x08: "BPF_X", 0x10: "BPF_A"}
	bpfALUOps  = map[uint64]string{0: "BPF_ADD", 0x10: "BPF_SUB", 0x20: "BPF_MUL", 0x30: "BPF_DIV", 0x40: "BPF_OR", 0x50: "BPF_AND",
		0x60: "BPF_LSH", 0x70: "BPF_RSH", 0x80: "BPF_NEG", 0x90: "BPF_MOD", 0xa0: "BPF_XOR",
		0xb0: "BPF_MOV", 0xc0: "BPF_ARSH", 0xd0: "BPF_END"}
	bpfJumps = map[uint64]string{0: "BPF_JA", 0x10: "BPF_JEQ", 0x20: "BPF_JGT", 0x30: "BPF_JGE", 0x40: "BPF_JSET",
		0x50: "BPF_JNE", 0x60: "BPF_JSGT", 0x70: "BPF_JSGE", 0x80: "BPF_CALL", 0x90: "BPF_EXIT", 0xa0: "BPF_JLT", 0xb0: "BPF_JLE",
		0xc0: "BPF_JSLT", 0xd0: "BPF_JSLE", 0xe0: "BPF_JCOND"}
	bpfMisc = map[uint64]string{0: "BPF_TAX", 0x80: "BPF_TXA"}
)

// sockFprog writes struct sock_fprog: its program only with -v.
func sockFprog(p *printer, t *syscalls.Type, v view) bool {
	f := fieldOf(t, "filter")
	if p.o.Verbose || f == nil || !v.has(t.Size) {
		return false
	}
	p.s("{len=")
	p.udec(load(v.data, 0, 2))
	p.s(", filter=")
	p.addr(load(v.data, f.Off, p.arch.PtrSize()))
	p.c('}')
	return true
}

// sockFilter writes an instruction with the macros that make it.
func sockFilter(p *printer, t *syscalls.Type, v view) bool {
	if !v.has(8) {
		return false
	}
	code, jt, jf, k := load(v.data, 0, 2), load(v.data, 2, 1), load(v.data, 3, 1), load(v.data, 4, 4)
	jump := jt != 0 || jf != 0
	if jump {
		p.s("BPF_JUMP(")
	} else {
		p.s("BPF_STMT(")
	}
	p.bpfCode(code)
	p.s(", ")
	class := code & 7
	switch seccomp := p.d.Name == "prctl" || p.d.Name == "seccomp" || p.d.Name == "ptrace"; {
	case seccomp && class == bpfRET && !jump:
		p.seccompAction(k)
	case !seccomp && !jump && class == bpfLD && code&0xe0 == bpfABS:
		p.filterOffset(k)
	default:
		p.hex(k)
	}
	if jump {
		p.s(", ")
		p.hex(jt)
		p.s(", ")
		p.hex(jf)
	}
	p.c(')')
	return true
}

// bpfCode writes the code of an instruction by its parts.
func (p *printer) bpfCode(code uint64) {
	class := code & 7
	p.s(bpfClasses[class])
	part := func(names map[uint64]string, mask uint64) {
		p.c('|')
		if s := names[code&mask]; s != "" {
			p.s(s)
			return
		}
		p.hex(code & mask)
		p.s(" /* BPF_??? */")
	}
	var rest uint64 // strace does not look at that of other classes
	switch class {
	case bpfLD, bpfLDX:
		part(bpfSizes, 0x18)
		part(bpfModes, 0xe0)
	case bpfALU:
		part(bpfSources, 0x08)
		part(bpfALUOps, 0xf0)
	case bpfJMP:
		part(bpfSources, 0x08)
		part(bpfJumps, 0xf0)
	case bpfRET:
		part(bpfValues, 0x18)
		rest = code &^ 0x1f
	case bpfMISC:
		part(bpfMisc, 0xf8)
		rest = code &^ 0xff
	default:
		rest = code &^ 7
	}
	if rest != 0 {
		p.c('|')
		p.hex(rest)
		p.s(" /* BPF_??? */")
	}
}

// seccompAction writes what a filter of seccomp returns: an action and data.
func (p *printer) seccompAction(k uint64) {
	const dataMask = 0xffff // SECCOMP_RET_DATA
	p.consts(p.set("seccomp_ret"), k&^dataMask)
	if k&dataMask != 0 {
		p.c('|')
		p.hex(k & dataMask)
	}
}

// filterOffset writes where a socket filter loads from: beyond the packet lie
// its surroundings.
func (p *printer) filterOffset(k uint64) {
	const ad, net, ll = 0xfffff000, 0xfff00000, 0xffe00000 // SKF_AD_OFF, SKF_NET_OFF, SKF_LL_OFF
	switch {
	case k >= ad:
		p.s("SKF_AD_OFF+")
		p.named("skf_ad", int64(k-ad))
	case k >= net:
		p.s("SKF_NET_OFF+")
		p.udec(k - net)
	case k >= ll:
		p.s("SKF_LL_OFF+")
		p.udec(k - ll)
	default:
		p.hex(k)
	}
}

// seccompData writes the call that a filter has looked at.
func seccompData(p *printer, t *syscalls.Type, v view) bool {
	if !v.has(t.Size) {
		return false
	}
	p.s("{nr=")
	p.stopNumber(memberValue(t, v, "nr"), uint32(memberValue(t, v, "arch")))
	first := false
	for _, name := range []string{"arch", "instruction_pointer", "args"} {
		p.member(t, v, name, &first)
	}
	p.c('}')
	return true
}

// notification writes SECCOMP_IOCTL_NOTIF_RECV: what the kernel is given, which
// should be zeros, and what it answers.
func notification(p *printer, t *syscalls.Type, in, out view) bool {
	if !in.has(t.Size) || !anySet(in.data[:t.Size]) {
		p.pause()
		p.begunComma = true
		if out.buf < 0 {
			p.hex(in.addr)
			return true
		}
		return false
	}
	p.structure(t, in)
	p.pause()
	if !p.ended() {
		return true
	}
	p.s(" => ")
	if p.done() && out.has(t.Size) {
		p.structure(t, out)
	} else {
		p.hex(in.addr)
	}
	return true
}
