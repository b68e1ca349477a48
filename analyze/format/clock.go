package format

import "sysreel/proto/syscalls"

// clockParam writes RTC_PARAM_GET: which parameter of a clock, and its value
// (include/uapi/linux/rtc.h).
func clockParam(p *printer, t *syscalls.Type, in, out view) bool {
	if !in.has(t.Size) {
		return false
	}
	first := true
	p.c('{')
	p.member(t, in, "param", &first)
	p.member(t, in, "index", &first)
	pad := func(v view) {
		if memberValue(t, v, "__pad") != 0 {
			p.member(t, v, "__pad", &first)
		}
	}
	pad(in)
	p.c('}')
	p.pause()
	if !p.ended() {
		return true
	}
	p.s(" => ")
	if !p.done() || !out.has(t.Size) {
		p.hex(in.addr)
		return true
	}
	p.c('{')
	for i := range t.Fields {
		if f := &t.Fields[i]; (f.Name == "uvalue" || f.Name == "svalue") && f.If.Holds(out.data) {
			p.s(f.Name)
			p.c('=')
			p.field(f, out, out.at(f.Off, f.Type.Size), nil)
		}
	}
	first = false
	pad(out)
	p.c('}')
	return true
}
