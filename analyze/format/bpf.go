package format

import "sysreel/proto/syscalls"

// bpfBatch writes what bpf's batch commands take; how many elements there were
// stands behind it once more, if that is another number than was asked for.
func bpfBatch(p *printer, t *syscalls.Type, in, out view) bool {
	f := fieldOf(t, "batch")
	if f == nil {
		return false
	}
	count := fieldOf(f.Type, "count")
	if count == nil {
		return false
	}
	p.growing(t, in, nil)
	if p.pause(); out.buf < 0 {
		return true
	}
	n := load(out.data, f.Off+count.Off, 4)
	if n != load(in.data, f.Off+count.Off, 4) {
		p.s(" => {batch={count=")
		p.udec(n)
		p.s("}}")
	}
	return true
}

// The names of the codes of eBPF (include/uapi/linux/bpf.h) that classic BPF does
// not have, and of those that it has others of.
var (
	ebpfClasses = [...]string{"BPF_LD", "BPF_LDX", "BPF_ST", "BPF_STX", "BPF_ALU", "BPF_JMP", "BPF_JMP32", "BPF_ALU64"}
	ebpfSizes   = [...]string{"BPF_W", "BPF_H", "BPF_B", "BPF_DW"}
	ebpfModes   = [...]string{"BPF_IMM", "BPF_ABS", "BPF_IND", "BPF_MEM", "BPF_MEMSX", "", "BPF_ATOMIC", ""}
	ebpfALUOps  = [...]string{"BPF_ADD", "BPF_SUB", "BPF_MUL", "BPF_DIV", "BPF_OR", "BPF_AND", "BPF_LSH", "BPF_RSH",
		"BPF_NEG", "BPF_MOD", "BPF_XOR", "BPF_MOV", "BPF_ARSH", "BPF_END", "", ""}
	ebpfJumps = [...]string{"BPF_JA", "BPF_JEQ", "BPF_JGT", "BPF_JGE", "BPF_JSET", "BPF_JNE", "BPF_JSGT", "BPF_JSGE",
		"BPF_CALL", "BPF_EXIT", "BPF_JLT", "BPF_JLE", "BPF_JSLT", "BPF_JSLE", "BPF_JCOND", ""}
)

// ebpfCode writes the code of an instruction of eBPF by its parts.
func ebpfCode(p *printer, code uint64) {
	class := code & 7
	p.s(ebpfClasses[class])
	part := func(names []string, shift int) {
		i := int(code>>shift) & (len(names) - 1)
		p.c('|')
		if names[i] != "" {
			p.s(names[i])
			return
		}
		p.hex(uint64(i) << shift)
		p.s(" /* BPF_??? */")
	}
	switch class {
	case 0, 1, 2, 3:
		part(ebpfSizes[:], 3)
		part(ebpfModes[:], 5)
	case 4, 7:
		part([]string{"BPF_K", "BPF_X"}, 3)
		part(ebpfALUOps[:], 4)
	case 5:
		part([]string{"BPF_K", "BPF_X"}, 3)
		part(ebpfJumps[:], 4)
	case 6: // strace has no names for what is behind it
		if rest := code &^ 7; rest != 0 {
			p.c('|')
			p.hex(rest)
			p.s(" /* BPF_??? */")
		}
	}
}
