package format

import "sysreel/proto/syscalls"

// Levels and types of control messages (include/linux/socket.h,
// include/uapi/linux/in.h).
const (
	solIP     = 0
	solSocket = 1

	scmRights      = 1
	scmCredentials = 2
	scmSecurity    = 3
	scmPidfd       = 4

	ipTOS         = 1
	ipTTL         = 2
	ipRecvOpts    = 6
	ipRetOpts     = 7
	ipPktinfo     = 8
	ipRecvErr     = 11
	ipOrigDstAddr = 20
	ipChecksum    = 23
	ipProtocol    = 52

	sockErr = 16 // struct sock_extended_err (include/uapi/linux/errqueue.h)
)

// scmTimes are the structures of the control messages that tell when a packet
// came, by type (include/uapi/asm-generic/socket.h).
var scmTimes = map[int64]string{29: "timeval", 35: "timespec", 37: "scm_timestamping", 63: "sock_timeval", 64: "timespec64", 65: "scm_timestamping64"}

// cmsgs writes the control messages of a msghdr.
func cmsgs(p *printer, _ *syscalls.Type, v view) {
	w := p.arch.PtrSize()
	head := w + 8 // size_t cmsg_len; int cmsg_level, cmsg_type
	if !v.has(head) || v.faulted && len(v.data) < v.want {
		if len(v.data) == 0 && v.want == 0 {
			p.s("[]")
			return
		}
		p.lost(v)
		return
	}
	p.c('[')
	off := 0
	for n := 0; off+head <= len(v.data); n++ {
		if n > 0 {
			p.s(", ")
		}
		size := load(v.data, off, w)
		level, kind := int64(int32(load(v.data, off+w, 4))), int64(int32(load(v.data, off+w+4, 4)))
		p.s("{cmsg_len=")
		p.udec(size)
		p.s(", cmsg_level=")
		if c := p.set("sock_level"); c != nil && !hasValue(c, uint64(uint32(level))) {
			p.hex(uint64(uint32(level)))
			p.unnamed("SOL_")
		} else {
			p.named("sock_level", level)
		}
		p.s(", cmsg_type=")
		switch level {
		case solSocket:
			p.named("scm_type", kind)
		case solIP:
			p.named("ip_cmsg_types", kind)
		default:
			p.hex(uint64(uint32(kind)))
		}
		rest := uint64(len(v.data) - off)
		if size < uint64(head) {
			p.c('}')
			off += head
			break
		}
		body := v.data[off+head : off+int(min(size, rest))]
		if len(body) > 0 {
			before := len(p.b)
			p.s(", cmsg_data=")
			if v := (view{data: body, want: len(body)}); !p.cmsg(level, kind, v) {
				p.b = append(p.b[:before], ", cmsg_data=\""...)
				p.quoteHex(body)
				p.c('"')
			}
		}
		p.c('}')
		if size >= rest { // also when rounding it up would overflow
			off = v.want
			break
		}
		off += (int(size) + w - 1) &^ (w - 1)
	}
	if off < v.want {
		p.s(", ... /* ")
		p.hex(v.addr + uint64(off))
		p.s(" */")
	}
	p.c(']')
}

// cmsg writes the data of a control message, if it is known and long enough.
func (p *printer) cmsg(level, kind int64, v view) bool {
	switch level {
	case solSocket:
		return p.cmsgSocket(kind, v)
	case solIP:
		return p.cmsgIP(kind, v)
	}
	return false
}

func (p *printer) cmsgSocket(kind int64, v view) bool {
	switch {
	case kind == scmRights && len(v.data) >= 4:
		p.list(v.data, 4, func(b []byte) { p.fd(int32(load(b, 0, 4))) })
	case kind == scmCredentials && len(v.data) >= 12:
		p.s("{pid=")
		p.dec(int64(int32(load(v.data, 0, 4))))
		p.s(", uid=")
		p.id(load(v.data, 4, 4))
		p.s(", gid=")
		p.id(load(v.data, 8, 4))
		p.c('}')
	case kind == scmSecurity:
		p.str(v.data, v.want, v.want)
	case kind == scmPidfd && v.has(4):
		p.fd(int32(load(v.data, 0, 4)))
	case scmTimes[kind] != "":
		t := syscalls.TypeByName(p.arch, scmTimes[kind])
		if t == nil {
			return false
		}
		if f := t.Fields[0].Type; f.Kind == syscalls.Array { // stands for the structure
			t = f
		}
		if !v.has(t.Size) {
			p.lost(v)
			return true
		}
		p.value(t, v.at(0, t.Size))
	default:
		return false
	}
	return true
}

func (p *printer) cmsgIP(kind int64, v view) bool {
	switch {
	case kind == ipPktinfo:
		t := syscalls.TypeByName(p.arch, "in_pktinfo")
		if t == nil || !v.has(t.Size) {
			return false
		}
		p.value(t, v.at(0, t.Size))
	case (kind == ipTTL || kind == ipChecksum) && v.has(4):
		p.list(v.data, 4, func(b []byte) { p.udec(load(b, 0, 4)) })
	case kind == ipTOS || kind == ipRecvOpts || kind == ipRetOpts:
		p.list(v.data, 1, func(b []byte) { p.hex(uint64(b[0])) })
	case kind == ipRecvErr && v.has(sockErr+16):
		p.s("{ee_errno=")
		p.udec(load(v.data, 0, 4))
		for i, name := range []string{"origin", "type", "code"} {
			p.s(", ee_" + name + "=")
			p.udec(load(v.data, 4+i, 1))
		}
		p.s(", ee_info=")
		p.udec(load(v.data, 8, 4))
		p.s(", ee_data=")
		p.udec(load(v.data, 12, 4))
		p.s(", offender=")
		sockaddr(p, nil, v.at(sockErr, 16))
		p.c('}')
	case kind == scmSecurity:
		p.str(v.data, v.want, v.want)
	case kind == ipProtocol && v.has(4):
		p.c('[')
		if n := load(v.data, 0, 4); hasValue(p.set("inet_protocol"), n) {
			p.consts(p.set("inet_protocol"), n)
		} else if hasValue(p.set("inet6_protocol"), n) {
			p.consts(p.set("inet6_protocol"), n)
		} else {
			p.hex(n)
			p.unnamed("IP_")
		}
		p.c(']')
	case kind == ipOrigDstAddr && v.has(16):
		sockaddr(p, nil, v)
	default:
		return false
	}
	return true
}

// list writes what of data is whole numbers of size bytes; without -v no more
// than there are characters in a string.
func (p *printer) list(data []byte, size int, one func([]byte)) {
	p.c('[')
	for i := 0; i+size <= len(data); i += size {
		if i > 0 {
			p.s(", ")
		}
		if !p.o.Verbose && i/size >= p.o.Strings {
			p.s("...")
			break
		}
		one(data[i : i+size])
	}
	p.c(']')
}
