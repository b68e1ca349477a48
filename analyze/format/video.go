package format

import "sysreel/proto/syscalls"

// The ioctls of V4L2 (include/uapi/linux/videodev2.h).

// fourcc writes a pixel format by its four characters, and by name.
func fourcc(p *printer, _ *syscalls.Type, v view) {
	if !v.has(4) {
		p.lost(v)
		return
	}
	p.s("v4l2_fourcc(")
	for i, c := range v.data[:4] {
		if i > 0 {
			p.s(", ")
		}
		p.char(c)
	}
	p.c(')')
	if c, n := p.set("v4l2_pix_fmts"), load(v.data, 0, 4); c != nil && hasValue(c, n) {
		p.s(" /* ")
		p.consts(c, n)
		p.s(" */")
	}
}

// controlID writes the ID of a control, perhaps with a flag that asks for the
// one after it.
func controlID(p *printer, _ *syscalls.Type, v view) {
	n := load(v.data, 0, 4)
	if c := p.set("v4l2_control_ids"); c != nil && !hasValue(c, n&0x3fffffff) {
		p.named("v4l2_control_ids", int64(n))
		return
	}
	for _, f := range []struct {
		bit  uint64
		name string
	}{{0x80000000, "V4L2_CTRL_FLAG_NEXT_CTRL|"}, {0x40000000, "V4L2_CTRL_FLAG_NEXT_COMPOUND|"}} {
		if n&f.bit != 0 {
			p.s(f.name)
			n &^= f.bit
		}
	}
	p.named("v4l2_control_ids", int64(n))
}

// fraction writes struct v4l2_fract: 1/25.
func fraction(p *printer, t *syscalls.Type, v view) bool {
	if !v.has(t.Size) || t.Size < 8 {
		return false
	}
	p.udec(load(v.data, 0, 4))
	p.c('/')
	p.udec(load(v.data, 4, 4))
	return true
}
