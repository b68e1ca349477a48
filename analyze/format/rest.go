package format

import (
	"strings"

	"sysreel/proto/syscalls"
)

// ipcKey writes the key of a System V object.
func ipcKey(p *printer, _ *syscalls.Type, v view) {
	if key := load(v.data, 0, 4); key != 0 {
		p.hex(key)
		return
	}
	p.styled(func() { p.c('0') }, func() { p.s("IPC_PRIVATE") })
}

// ipcFlags writes the flags of msgget, semget and shmget, and the mode; of
// numbers each stands for itself, and so does the size of huge pages.
func ipcFlags(p *printer, c *syscalls.Consts, v uint64) {
	const mode, hugeShift = 0o777, 26 // SHM_HUGE_SHIFT, include/uapi/linux/shm.h
	if p.o.Constants == Abbreviated || v&^mode == 0 {
		p.consts(c, v)
		return
	}
	flags, huge := v&^mode, uint64(0)
	if p.d != nil && p.d.Name == "shmget" {
		flags, huge = flags&(1<<hugeShift-1), flags>>hugeShift
	}
	if flags != 0 {
		p.styledConsts(flags, strings.TrimSuffix(c.Format(flags), "|000"))
		p.c('|')
	}
	if huge != 0 {
		p.udec(huge)
		p.s("<<26")
		if p.o.Constants == BothConstants {
			p.s(" /* SHM_HUGE_SHIFT */")
		}
		p.c('|')
	}
	p.mode(v & mode)
}

// ioprio writes an I/O priority: its class and its level
// (include/uapi/linux/ioprio.h).
func ioprio(p *printer, _ *syscalls.Type, v view) {
	n := load(v.data, 0, 4)
	p.besides(func() { p.dec(int64(int32(n))) }, func() { p.ioprioValue(n) })
}

func (p *printer) ioprioValue(n uint64) {
	p.s("IOPRIO_PRIO_VALUE(")
	p.named("ioprio_class", int64(n>>13))
	p.s(", ")
	p.udec(n & 0x1fff)
	p.c(')')
}

// quotaCmd writes quotactl's command with the kind of quota it is about.
func quotaCmd(p *printer, _ *syscalls.Type, v view) {
	n := load(v.data, 0, 4)
	p.styled(func() { p.udec(n) }, func() {
		p.s("QCMD(")
		p.named("quota_cmds", int64(n>>8))
		p.s(", ")
		p.named("quota_types", int64(n&0xff))
		p.c(')')
	})
}

// nodemask writes a set of memory nodes, in words: [0x1].
func nodemask(p *printer, _ *syscalls.Type, v view) {
	w := p.arch.PtrSize()
	words, _ := p.nodeWords()
	if words > 0 && !v.has(w) {
		p.lost(v)
		return
	}
	p.c('[')
	for i := range words {
		if i > 0 {
			p.s(", ")
		}
		if !p.o.Verbose && i >= uint64(p.o.Strings) {
			p.s("...")
			break
		}
		off := int(i) * w
		if !v.has(off + w) {
			p.s("...")
			if v.faulted {
				p.comment(string(appendHex(nil, v.addr+uint64(off))))
			}
			break
		}
		// strace's %#0*lx: as wide as the word's digits, prefix included.
		p.paddedHex(load(v.data, off, w), 2*w)
	}
	p.c(']')
}

// nodeWords returns how many words the call's sets of memory nodes have. maxnode
// is one more than there are bits; ok is false where that is no number of words.
func (p *printer) nodeWords() (words uint64, ok bool) {
	bits := uint64(8 * p.arch.PtrSize())
	for i := range p.d.Args {
		if p.d.Args[i].Name != "maxnode" {
			continue
		}
		n := p.reg(&p.d.Args[i])
		if bits == 32 {
			n = uint64(uint32(n))
		}
		words = (n + bits - 2) / bits
		return words, words >= n/bits && (n == 0 || words > 0)
	}
	return 0, false
}

// msgbuf writes a System V message: its type, then its bytes.
func msgbuf(p *printer, _ *syscalls.Type, v view) {
	w := p.arch.PtrSize()
	if !v.has(w) || v.faulted && !v.has(2*w) { // sizeof(struct msgbuf)
		p.lost(v)
		return
	}
	p.s("{mtype=")
	p.dec(signExtend(load(v.data, 0, w), w))
	p.s(", mtext=")
	p.bytes(v.at(w, max(0, v.want-w)))
	p.c('}')
}

// futexWakeOp writes the operation that FUTEX_WAKE_OP carries in its last
// argument (FUTEX_OP in include/uapi/linux/futex.h).
func futexWakeOp(p *printer, _ *syscalls.Type, v view) {
	n := load(v.data, 0, 4)
	const shifted = 8 // FUTEX_OP_OPARG_SHIFT
	if n>>28&shifted != 0 {
		p.s("FUTEX_OP_OPARG_SHIFT<<28|")
	}
	p.shifted("futex_wake_ops", n>>28&7, "<<28")
	p.c('|')
	p.hex(n >> 12 & 0xfff)
	p.s("<<12|")
	p.shifted("futex_wake_cmps", n>>24&15, "<<24")
	p.c('|')
	p.hex(n & 0xfff)
}

// shifted writes one of an enumeration and by how much it is moved: what it is
// not stands behind that.
func (p *printer) shifted(set string, v uint64, by string) {
	c := p.set(set)
	if c != nil && hasValue(c, v) && p.o.Constants != RawConstants {
		p.consts(c, v)
		p.s(by)
		return
	}
	p.hex(v)
	p.s(by)
	if c != nil {
		p.s(" /* ")
		p.s(c.Prefix)
		p.s("??? */")
	}
}

// ptracer writes whom PR_SET_PTRACER lets trace.
func ptracer(p *printer, _ *syscalls.Type, v view) {
	if n := int32(load(v.data, 0, 4)); n != -1 {
		p.dec(int64(n))
		return
	}
	p.s("PR_SET_PTRACER_ANY")
}

// ether writes a hardware address: 00:16:3e:00:00:01.
func ether(p *printer, _ *syscalls.Type, v view) {
	if !v.has(6) {
		p.lost(v)
		return
	}
	for i, c := range v.data[:6] {
		if i > 0 {
			p.c(':')
		}
		p.b = append(p.b, hexDigits[c>>4], hexDigits[c&15])
	}
}

// pageOffset writes a file offset that is counted in pages of 4096 bytes.
func pageOffset(p *printer, _ *syscalls.Type, v view) {
	p.hex(load(v.data, 0, p.arch.PtrSize()) << 12)
}

// rawBytes writes what no code decodes yet as a string.
func rawBytes(p *printer, _ *syscalls.Type, v view) {
	if len(v.data) == 0 && v.want > 0 {
		p.lost(v)
		return
	}
	p.bytes(v)
}

// capBits writes 32 capabilities.
func capBits(p *printer, _ *syscalls.Type, v view) { p.capabilities(load(v.data, 0, 4)) }
