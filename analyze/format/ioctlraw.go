package format

import "sysreel/proto/tracefile"

// ioctl writes a request that is not described: with -v the bytes that the size
// in its number speaks of, before the call and after it, whatever became of it.
func ioctl(p *printer) bool {
	const dirs = 3 << 30
	if v := p.d.Variant; v != "READ" && v != "WRITTEN" && v != "BOTH" || len(p.d.Args) < 3 {
		return false
	}
	request := p.reg(&p.d.Args[1])
	p.arg(0)
	p.arg(1)
	p.next()
	if !p.o.Verbose || p.shallow || typesOfIoctls[byte(request>>8)] {
		p.hex(p.reg(&p.d.Args[2]))
		return true
	}
	size := int(request >> 16 & 0x3fff)
	in, asked := p.root(2, tracefile.AtEnter)
	out, answered := p.root(2, tracefile.AtExit)
	read, written := request&dirs != 1<<30, request&dirs != 2<<30
	if size == 0 || written && !(asked && whole(in, size)) {
		p.hex(p.reg(&p.d.Args[2]))
		return true
	}
	if written {
		p.hexBytes(in)
	}
	if !read {
		return true
	}
	p.pause()
	if !p.ended() {
		return true
	}
	if written {
		p.s(" => ")
	}
	if !answered || !whole(out, size) {
		p.hex(p.reg(&p.d.Args[2]))
		return true
	}
	p.hexBytes(out)
	return true
}

// whole tells whether size bytes could be read, be they kept or not.
func whole(v view, size int) bool { return v.has(size) || !v.faulted && v.want >= size }

// typesOfIoctls are the types of requests, some of which strace decodes: of the
// others it does not show bytes.
var typesOfIoctls = [256]bool{0x03: true, 0x12: true, 0x15: true, 0x21: true, 0x22: true, 0x24: true, 0x3d: true,
	0x3e: true, 0x45: true, 0x49: true, 0x4b: true, 0x4c: true, 0x4d: true, 0x4f: true, 0x52: true, 0x54: true,
	0x56: true, 0x57: true, 0x58: true, 0x66: true, 0x69: true, 0x6f: true, 0x70: true, 0x75: true, 0x89: true,
	0x8a: true, 0x94: true, 0xa4: true, 0xaa: true, 0xab: true, 0xae: true, 0xb4: true, 0xb7: true, 0xfd: true, 0xff: true}
