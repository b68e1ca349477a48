package format

import (
	"math/bits"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

// isLength tells whether n is the length of an option's value: the kernel takes it
// for a signed number.
func isLength(n int) bool { return n <= 1<<31-1 }

// moreThanStrace are the variants of setsockopt and getsockopt whose values strace
// writes as it does those of options that it does not know: as numbers and bytes.
// If the length is right they are described all the same; some structures may
// be cut, to so many bytes.
var moreThanStrace = map[string]int{
	"SOCKET_TIMEO": 0, "SOCKET_TIMEO_NEW": 0, "SOCKET_COOKIE": 0, "SOCKET_TXTIME": 0, "SOCKET_PEERNAME": 0, "SOCKET_PEERGROUPS": 0,
	"SOCKET_TYPE": 0, "SOCKET_DOMAIN": 0, "SOCKET_PROTOCOL": 0, "SOCKET_TIMESTAMPING": 0, "SOCKET_MEMINFO": 0,
	"IP_MTU_DISCOVER": 0, "IPV6_MTU_DISCOVER": 0, "IP_SOURCE_MEMBERSHIP": 0, "TCP_INFO": 104, "TCP_MD5SIG": 0,
	"TCP_REPAIR_WINDOW": 0, "TCP_ZEROCOPY_RECEIVE": 16, "TLS_CRYPTO": 4, "ICMPV6_FILTER": 0,
	"XDP_UMEM_REG": 0, "XDP_STATISTICS": 0, "XDP_MMAP_OFFSETS": 0, "XDP_OPTIONS": 0, "SCTP_INITMSG": 0, "SCTP_RTOINFO": 0,
}

// optionValue writes the value of a socket option whose length is not that of its
// type. Reports false if it is.
func (p *printer) optionValue(t *syscalls.Type, v view, reg int) bool {
	const value = 3 // the argument
	set := p.d.Name == "setsockopt"
	if !set && p.d.Name != "getsockopt" || reg != value {
		return false
	}
	least, more := moreThanStrace[p.d.Variant]
	if least == 0 {
		least = t.Size
	}
	switch {
	case p.d.Variant == "SOCKET_GET_FILTER":
		const insn, most = 8, 1<<16 - 1 // the length counts instructions
		if room, ok := p.root(value+1, tracefile.AtEnter); ok {
			v.want = int(min(uint64(v.want), load(room.data, 0, 4)*insn))
		}
		if !p.o.Verbose || v.want == 0 || v.want > most*insn {
			p.lost(v)
			return true
		}
		p.array(t, v)
	case more && (!isLength(v.want) || v.want == 0 || len(v.data) < min(v.want, max(least, 128)) || v.want < least || v.want > least && least == t.Size && t.Size > 0):
		if p.d.Variant == "SOCKET_TIMESTAMPING" {
			socketNumber(p, t, v)
		} else {
			socketOption(p, t, v)
		}
	case p.d.Variant == "TIPC" || p.d.Variant == "NETLINK_INT" && !set || p.d.Variant == "NETLINK_MEMBERSHIPS":
		// A number whatever the length, or as many as fit in it whole.
		n, ok := p.length(syscalls.Length{From: syscalls.LenDeref, Val: value + 1, Size: 4}, view{})
		if !set && (!ok || n == 0 || !isLength(int(n))) {
			p.lost(v)
			return true
		}
		if t.Kind != syscalls.Array {
			return false
		}
		v.want = int(n) &^ 3
		p.array(t, v)
	case more || t.Size == 0:
		return false
	case !isLength(v.want), v.want == 0, len(v.data) < min(v.want, t.Size), set && v.want < t.Size, t.Name == "sock_fprog" && v.want != t.Size:
		p.lost(v)
	case v.want >= t.Size && p.d.Variant != "IP_PROTOCOL", v.want == t.Size:
		return false
	case t.Kind == syscalls.Struct:
		p.shorter(t, v)
	default:
		p.hexBytes(v)
	}
	return true
}

// shorter writes a structure of which the kernel has given a part: what there is of
// the last member as bytes.
func (p *printer) shorter(t *syscalls.Type, v view) {
	p.c('{')
	first := true
	for i := range t.Fields {
		f := &t.Fields[i]
		if f.Off >= v.want || f.Hidden {
			continue
		}
		if v.has(f.Off + f.Type.Size) {
			p.member(t, v, f.Name, &first)
			continue
		}
		if !first {
			p.s(", ")
		}
		p.s(f.Name)
		p.c('=')
		p.hexBytes(v.at(f.Off, v.want-f.Off))
		break
	}
	p.c('}')
}

// socketOption writes the value of a socket option that is not described: a
// number if it is as long as one.
func socketOption(p *printer, t *syscalls.Type, v view) {
	if v.want == 4 && v.has(4) {
		socketNumber(p, t, v)
		return
	}
	if p.d.Name == "getsockopt" && (len(v.data) == 0 || !isLength(v.want)) {
		p.lost(v)
		return
	}
	p.bytes(v)
}

// socketNumber writes the value of a socket option that is a number.
func socketNumber(p *printer, _ *syscalls.Type, v view) {
	switch {
	case v.has(4) && isLength(v.want):
		p.c('[')
		p.dec(signExtend(load(v.data, 0, 4), 4))
		p.c(']')
	case p.d.Name == "getsockopt" && len(v.data) > 0 && v.want < 4:
		p.hexBytes(v)
	default:
		p.lost(v)
	}
}

// portRange writes the value of IP_LOCAL_PORT_RANGE: the lowest port and, above
// it, the highest.
func portRange(p *printer, t *syscalls.Type, v view) {
	switch {
	case v.want == 4 && v.has(4):
		n := load(v.data, 0, 4)
		p.c('[')
		p.hex(n)
		if n != 0 {
			p.s(" /* ")
			p.udec(n & 0xffff)
			p.s("..")
			p.udec(n >> 16)
			p.s(" */")
		}
		p.c(']')
	case p.d.Name == "getsockopt" && (v.want == 0 || !isLength(v.want)):
		p.lost(v)
	default:
		p.hexBytes(v)
	}
}

// tcpAOKey writes struct tcp_ao_add (include/uapi/linux/tcp.h), the rest of
// which is zero if it is not long enough.
func tcpAOKey(p *printer, _ *syscalls.Type, v view) {
	t := syscalls.TypeByName(p.arch, "tcp_ao_add")
	if t == nil || v.want == 0 || !isLength(v.want) || !v.has(min(v.want, t.Size)) {
		p.lost(v)
		return
	}
	whole := make([]byte, t.Size)
	copy(whole, v.data)
	limit := p.o.Strings
	p.o.Strings = len(whole) // the key is written whole
	p.structure(t, view{data: whole, want: t.Size, buf: -1, addr: v.addr})
	p.o.Strings = limit
}

// packetAddress writes mr_address of a struct packet_mreq: as many bytes as
// mr_alen before it says.
func packetAddress(p *printer, _ *syscalls.Type, v view) {
	n := len(v.data)
	if v.buf >= 0 && v.off >= 2 {
		n = min(n, int(load(p.e.Bufs[v.buf].Data, v.off-2, 2)))
	}
	p.bluetoothAddr(v.data[:n])
}

// icmpFilter writes struct icmp_filter (include/uapi/linux/icmp.h): a bit for
// each type that is not wanted; if most are not, those that are.
func icmpFilter(p *printer, t *syscalls.Type, v view) bool {
	if !v.has(4) {
		return false
	}
	set := uint32(load(v.data, 0, 4))
	if bits.OnesCount32(set) > 16 {
		p.c('~')
		set = ^set
	}
	p.c('[')
	for first := true; set != 0; set &= set - 1 {
		if !first {
			p.c(' ')
		}
		first = false
		p.named("icmp_types", int64(bits.TrailingZeros32(set)))
	}
	p.c(']')
	return true
}
