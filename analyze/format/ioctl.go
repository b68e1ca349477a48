package format

import (
	"net/netip"

	"sysreel/proto/syscalls"
)

// ioctlRequest writes an ioctl request; one without a name by its parts
// (include/uapi/asm-generic/ioctl.h).
func ioctlRequest(p *printer, c *syscalls.Consts, v uint64) {
	if v = truncate(v, 4); c.Has(v) {
		p.consts(c, v)
		return
	}
	p.s("_IOC(")
	p.s([...]string{"_IOC_NONE", "_IOC_WRITE", "_IOC_READ", "_IOC_READ|_IOC_WRITE"}[v>>30])
	for _, part := range [...]uint64{v >> 8 & 0xff, v & 0xff, v >> 16 & 0x3fff} {
		p.s(", ")
		p.hex(part)
	}
	p.c(')')
}

// personality writes a personality; all ones only ask for it.
func personality(p *printer, c *syscalls.Consts, v uint64) {
	if v == 0xffffffff {
		p.hex(v)
		return
	}
	p.consts(c, v)
}

// fanotifyMark writes fanotify_mark: no directory is FAN_NOFD, not AT_FDCWD.
func fanotifyMark(p *printer) bool {
	const noFD = -1
	for i := range p.d.Args {
		if a := &p.d.Args[i]; a.Type.Name == "dirfd" && int32(p.reg(a)) == noFD {
			p.next()
			p.s("FAN_NOFD")
			continue
		}
		p.arg(i)
	}
	return true
}

// ipv6Mreq writes struct ipv6_mreq.
func ipv6Mreq(p *printer, t *syscalls.Type, v view) bool {
	if !v.has(t.Size) || t.Size < 20 {
		return false
	}
	p.s(`{inet_pton(AF_INET6, "`)
	p.b = netip.AddrFrom16([16]byte(v.data[:16])).AppendTo(p.b)
	p.s(`", &ipv6mr_multiaddr), ipv6mr_interface=`)
	p.dec(signExtend(load(v.data, 16, 4), 4))
	p.c('}')
	return true
}

// fiemap writes FS_IOC_FIEMAP: the question, then what the kernel found.
func fiemap(p *printer, t *syscalls.Type, in, out view) bool {
	const header = 32 // include/uapi/linux/fiemap.h
	if !in.has(header) {
		return false
	}
	first := true
	p.c('{')
	for _, name := range []string{"fm_start", "fm_length", "fm_flags", "fm_extent_count"} {
		p.member(t, in, name, &first)
	}
	p.c('}')
	p.pause()
	if !out.has(header) || !p.done() {
		return true
	}
	first = true
	p.s(" => {")
	p.member(t, out, "fm_flags", &first)
	p.member(t, out, "fm_mapped_extents", &first)
	if f := fieldOf(t, "fm_extents"); p.o.Verbose && f != nil && f.Type.Elem != nil && f.Type.Elem.Size > 0 {
		p.s(", fm_extents=")
		n := int(min(load(out.data, 20, 4), load(out.data, 24, 4), 1<<20)) // mapped, room
		if n == 0 {
			p.s("[]")
		} else {
			p.array(f.Type, out.at(header, n*f.Type.Elem.Size))
		}
	} else {
		p.s(", ...")
	}
	p.c('}')
	return true
}

// ifconf writes SIOCGIFCONF: how much room there is, how much was filled, and
// with what (struct ifconf in include/uapi/linux/if.h).
func ifconf(p *printer, t *syscalls.Type, in, out view) bool {
	w := p.arch.PtrSize()
	if !in.has(2 * w) {
		return false
	}
	const nameSize = 16 // IFNAMSIZ
	unit := nameSize + 16
	if w == 8 {
		unit += 8 // union ifr_ifru has an ifmap, with longs
	}
	length := func(v view) int64 {
		n := signExtend(load(v.data, 0, 4), 4)
		p.s("ifc_len=")
		p.dec(n)
		if n >= 0 && n%int64(unit) == 0 {
			p.s(" /* ")
			p.dec(n / int64(unit))
			p.s(" * sizeof(struct ifreq) */")
		}
		return n
	}
	addr := load(in.data, w, w)
	p.c('{')
	defer p.c('}')
	was := length(in)
	if addr != 0 {
		p.pause()
	}
	if !out.has(2*w) || !p.done() {
		p.s(", ifc_buf=")
		p.addr(addr)
		return true
	}
	if is := signExtend(load(out.data, 0, 4), 4); is != was || addr == 0 {
		if is != was {
			n := len(p.b)
			length(out)
			p.b = append(p.b[:n], append([]byte(" => "), p.b[n+len("ifc_len="):]...)...)
		}
	}
	p.s(", ifc_buf=")
	buf, ok := p.child(out, w, phaseOf(syscalls.Out))
	if addr == 0 || !ok {
		p.addr(addr)
		return true
	}
	p.c('[')
	for off := 0; off+unit <= buf.want; off += unit {
		if off > 0 {
			p.s(", ")
		}
		if !buf.has(off+unit) || !p.o.Verbose && off/unit >= p.o.Strings {
			p.s("...")
			break
		}
		name, ended := trimNUL(buf.data[off : off+nameSize])
		p.s("{ifr_name=")
		p.path(name, !ended)
		p.s(", ifr_addr=")
		sockaddr(p, nil, buf.at(off+nameSize, 16))
		p.c('}')
	}
	p.c(']')
	return true
}
