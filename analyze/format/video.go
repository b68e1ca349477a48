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
	for _, f := range []struct {
		bit  uint64
		name string
	}{{0x80000000, "V4L2_CTRL_FLAG_NEXT_CTRL|"}, {0x40000000, "V4L2_CTRL_FLAG_NEXT_COMPOUND|"}} {
		if n&f.bit != 0 {
			p.s(f.name)
			n &^= f.bit
		}
	}
	if c := p.set("v4l2_control_ids"); c != nil {
		controlName(p, c, n)
	}
}

// controlName writes the ID of a control; one without a name by its class.
func controlName(p *printer, c *syscalls.Consts, v uint64) {
	const within = 0xffff
	if classes := p.set("v4l2_ctrl_classes"); !hasValue(c, v) && hasValue(classes, v&^within) {
		p.consts(classes, v&^within)
		p.c('+')
		p.hex(v & within)
		return
	}
	p.consts(c, v)
}

// extControls writes VIDIOC_S_EXT_CTRLS, VIDIOC_TRY_EXT_CTRLS and VIDIOC_G_EXT_CTRLS, which
// only tells what there is then: of a call that failed too, with the control that
// it failed for.
func extControls(p *printer, t *syscalls.Type, in, out view) bool {
	if !in.has(t.Size) {
		return false
	}
	p.leftovers = true
	defer func() { p.leftovers = false }()
	get := t.Name == "v4l2_ext_controls_get"
	controls := func(v view, dir syscalls.Dir) (whole bool) {
		for i := range t.Fields {
			f := &t.Fields[i]
			if f.Name != "controls" || f.Type.Dir != dir {
				continue
			}
			p.s("controls=")
			c, ok := p.child(v, f.Off, phaseOf(dir))
			p.pointerIn(f.Type, v, f.Off)
			n := int(memberValue(t, v, "count"))
			if !p.o.Verbose {
				n = min(n, p.o.Strings)
			}
			return ok && c.has(n*f.Type.Elem.Elem.Size)
		}
		return false
	}
	first, any := true, memberValue(t, in, "count") != 0
	p.c('{')
	p.member(t, in, "ctrl_class", &first)
	p.member(t, in, "count", &first)
	if !get {
		if any {
			p.s(", ")
			any = controls(in, syscalls.In)
		}
		p.c('}')
	}
	if !any {
		if get {
			p.pause()
			p.c('}')
		}
		return true
	}
	p.pause()
	if !p.ended() {
		return true
	}
	switch {
	case !get:
		p.s(" => {")
	default:
		p.s(", ")
	}
	if first = false; out.has(t.Size) {
		controls(out, syscalls.Out)
		if p.failed() {
			p.member(t, out, "error_idx", &first)
		}
	}
	p.c('}')
	return true
}

// bufferFlags writes the flags of a buffer; two fields of them are one of
// several.
func bufferFlags(p *printer, c *syscalls.Consts, v uint64) {
	const stamp, source = 0xe000, 0x70000 // V4L2_BUF_FLAG_TIMESTAMP_MASK, V4L2_BUF_FLAG_TSTAMP_SRC_MASK
	if flags := v &^ (stamp | source); flags != 0 {
		p.consts(c, flags)
		p.c('|')
	}
	p.consts(p.set("v4l2_buf_timestamps"), v&stamp)
	p.c('|')
	p.consts(p.set("v4l2_buf_timestamp_sources"), v&source)
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

// createBuffers writes VIDIOC_CREATE_BUFS; behind the result stands how many
// buffers there are now.
func createBuffers(p *printer, t *syscalls.Type, in, out view) bool {
	if !in.has(t.Size) {
		return false
	}
	p.structure(t, in)
	if p.done() && out.has(8) {
		p.noted(func() {
			p.s("{index=")
			p.udec(load(out.data, 0, 4))
			p.s(", count=")
			p.udec(load(out.data, 4, 4))
			p.c('}')
		})
	}
	return true
}
