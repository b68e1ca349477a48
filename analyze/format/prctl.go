package format

import "sysreel/proto/syscalls"

// Words of prctl that are more than a set of flags (include/uapi/linux/prctl.h).

// taggedAddress writes how tagged addresses of arm64 are to be treated: three
// fields, and what is left.
func taggedAddress(p *printer, c *syscalls.Consts, v uint64) {
	const (
		enable  = 1               // PR_TAGGED_ADDR_ENABLE
		tcf     = 3 << 1          // PR_MTE_TCF_MASK
		shift   = 3               // PR_MTE_TAG_SHIFT
		tagMask = 0xffff << shift // PR_MTE_TAG_MASK
	)
	p.explainedField(v, func() {
		if v&enable == 0 {
			p.c('!')
		}
		p.s("PR_TAGGED_ADDR_ENABLE|")
		p.s([...]string{"PR_MTE_TCF_NONE", "PR_MTE_TCF_SYNC", "PR_MTE_TCF_ASYNC", "PR_MTE_TCF_MASK"}[v&tcf>>1])
		if tag := v & tagMask >> shift; tag != 0 {
			p.c('|')
			p.hex(tag)
			p.s("<<PR_MTE_TAG_SHIFT")
		}
		p.left0x(v &^ (enable | tcf | tagMask))
	})
}

// riscvVector writes when RISC-V's vector extension is there: now, and from the
// next execve on.
func riscvVector(p *printer, c *syscalls.Consts, v uint64) {
	const current, next, inherit = 3, 3 << 2, 1 << 4 // PR_RISCV_V_VSTATE_CTRL_CUR_MASK, _NEXT_MASK, _INHERIT
	state := func(n uint64) {
		p.s([...]string{"PR_RISCV_V_VSTATE_CTRL_DEFAULT", "PR_RISCV_V_VSTATE_CTRL_OFF", "PR_RISCV_V_VSTATE_CTRL_ON", "0x3"}[n])
	}
	p.explainedField(v, func() {
		state(v & current)
		p.c('|')
		state(v & next >> 2)
		p.s("<<2|")
		if v&inherit == 0 {
			p.c('!')
		}
		p.s("PR_RISCV_V_VSTATE_CTRL_INHERIT")
		p.left0x(v &^ (current | next | inherit))
	})
}

const vectorLengthMask = 0xffff // PR_SVE_VL_LEN_MASK, PR_SME_VL_LEN_MASK

// vectorLength writes the length of arm64's vectors, with flags before it.
func vectorLength(p *printer, c *syscalls.Consts, v uint64) {
	flags := v &^ vectorLengthMask
	if flags == 0 {
		p.hex(v)
		return
	}
	p.styled(func() { p.hex(v) }, func() {
		p.consts(c, flags)
		p.c('|')
		p.hex(v & vectorLengthMask)
	})
}

// explainedField writes v as number and fields say.
func (p *printer) explainedField(v uint64, fields func()) {
	p.styled(func() { p.hex(v) }, fields)
}

// left0x writes the bits that nothing else stands for.
func (p *printer) left0x(v uint64) {
	if v != 0 {
		p.c('|')
		p.hex(v)
	}
}
