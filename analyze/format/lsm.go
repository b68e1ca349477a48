package format

import (
	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

// lsmContextSize is that of struct lsm_ctx without the context
// (include/uapi/linux/lsm.h).
const lsmContextSize = 32

// lsmContext writes the struct lsm_ctx that v begins with.
func (p *printer) lsmContext(v view) {
	t := syscalls.TypeByName(p.arch, "lsm_ctx_head")
	if t == nil || !v.has(lsmContextSize) {
		p.lost(v)
		return
	}
	p.structure(t, v.at(0, lsmContextSize))
	n := load(v.data, 24, 8)
	room := min(uint64(v.want), load(v.data, 16, 8))
	if n == 0 || room <= lsmContextSize {
		return
	}
	p.b = p.b[:len(p.b)-1] // its brace
	p.s(", ctx=")
	p.hexBytes(v.at(lsmContextSize, int(min(n, room-lsmContextSize))))
	p.c('}')
}

// lsmSet writes lsm_set_self_attr.
func lsmSet(p *printer) bool {
	if len(p.d.Args) < 4 {
		return false
	}
	v, ok := p.root(1, tracefile.AtEnter)
	if !ok {
		return false
	}
	p.arg(0)
	p.next()
	if v.want < lsmContextSize {
		p.lost(v)
	} else {
		p.lsmContext(v)
	}
	p.arg(2)
	p.arg(3)
	return true
}

// lsmGet writes lsm_get_self_attr: which module is asked, if only one is, and
// then what the kernel gave.
func lsmGet(p *printer) bool {
	if len(p.d.Args) < 4 {
		return false
	}
	const single = 1 // LSM_FLAG_SINGLE
	in, asked := p.root(1, tracefile.AtEnter)
	p.arg(0)
	p.next()
	if p.e.Args[3]&single != 0 && asked && in.has(8) {
		p.s("{id=")
		p.consts(p.set("lsm_ids"), load(in.data, 0, 8))
		p.s("} => ")
	}
	p.pause()
	out, ok := p.root(1, tracefile.AtExit)
	size, known := p.root(2, tracefile.AtExit)
	if end := int(min(load(size.data, 0, 4), 1<<20)); !p.done() || !ok || !known || end < lsmContextSize {
		p.addr(p.e.Args[1])
	} else {
		out.want = end
		p.lsmContexts(out)
	}
	p.arg(2)
	p.arg(3)
	return true
}

func (p *printer) lsmContexts(v view) {
	p.c('[')
	for off, n := 0, 0; ; n++ {
		if n > 0 {
			p.s(", ")
		}
		at := v.at(off, v.want-off)
		if !at.has(lsmContextSize) {
			p.s("... /* ")
			p.hex(at.addr)
			p.s(" */")
			break
		}
		if n >= p.o.Strings && !p.o.Verbose {
			p.s("...")
			break
		}
		p.lsmContext(at)
		size := load(at.data, 16, 8)
		if size < lsmContextSize || size >= uint64(at.want) {
			break
		}
		off += int(size)
	}
	p.c(']')
}
