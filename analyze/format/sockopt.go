package format

import "sysreel/proto/syscalls"

// socketOption writes the value of a socket option that is not described: a
// number if it is as long as one.
func socketOption(p *printer, t *syscalls.Type, v view) {
	if v.want == 4 && v.has(4) {
		socketNumber(p, t, v)
		return
	}
	if len(v.data) == 0 && p.d.Name == "getsockopt" {
		p.lost(v)
		return
	}
	p.bytes(v)
}

// socketNumber writes the value of a socket option that is a number.
func socketNumber(p *printer, _ *syscalls.Type, v view) {
	const most = 1<<31 - 1 // a negative length is none
	switch {
	case v.has(4) && v.want <= most:
		p.c('[')
		p.dec(signExtend(load(v.data, 0, 4), 4))
		p.c(']')
	case p.d.Name == "getsockopt" && len(v.data) > 0 && v.want < 4:
		p.hexBytes(v)
	default:
		p.lost(v)
	}
}
