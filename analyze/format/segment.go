package format

import (
	"sysreel/proto/syscalls"
)

// userDesc writes struct user_desc, an entry of the table of segments
// (arch/x86/include/uapi/asm/ldt.h).
func userDesc(p *printer, t *syscalls.Type, v view) bool {
	if !v.has(t.Size) && (p.d.Name != "get_thread_area" || !p.failed() || !v.has(4)) {
		return false
	}
	p.s("{entry_number=")
	p.id(load(v.data, 0, 4)) // -1: any
	if p.d.Name == "get_thread_area" && p.failed() {
		p.s(", ...}")
		return true
	}
	p.s(", base_addr=")
	p.wideHex(load(v.data, 4, 4))
	p.s(", limit=")
	p.wideHex(load(v.data, 8, 4))
	first := false
	for i := range t.Fields {
		if f := &t.Fields[i]; f.Bits != 0 {
			p.member(t, v, f.Name, &first)
		}
	}
	p.c('}')
	return true
}

// threadArea writes what set_thread_area was given; the entry that the kernel
// chose follows the result.
func threadArea(p *printer, t *syscalls.Type, in, out view) bool {
	if p.d.Name != "set_thread_area" || !in.has(4) || out.buf < 0 {
		return false
	}
	p.pointee(t, in)
	if p.done() && out.has(4) {
		p.noted(func() {
			p.s("entry_number=")
			p.udec(load(out.data, 0, 4))
		})
	}
	return true
}

// wideHex writes a number eight characters wide, with 0x unless it is 0.
func (p *printer) wideHex(v uint64) {
	const width = 8
	if v == 0 {
		p.s("00000000")
		return
	}
	p.s("0x")
	start := len(p.b)
	p.b = appendHexDigits(p.b, v)
	for len(p.b)-start < width-2 {
		p.b = append(p.b[:start+1], p.b[start:]...)
		p.b[start] = '0'
	}
}
