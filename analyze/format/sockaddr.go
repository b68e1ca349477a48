package format

import (
	"net/netip"

	"sysreel/proto/syscalls"
)

// Address families (include/linux/socket.h); the names come from the table.
const (
	afUnspec  = 0
	afUnix    = 1
	afInet    = 2
	afInet6   = 10
	afNetlink = 16
	afPacket  = 17
	afVsock   = 40
)

// addressFamily writes what follows sa_family, when the address is at least so
// long.
type addressFamily struct {
	least int
	write func(p *printer, v view)
}

// families are the families that are more than bytes. See families.go too.
var families = map[uint64]addressFamily{
	afUnix:    {3, sockaddrUnix},
	afInet:    {16, sockaddrInet},
	afInet6:   {24, sockaddrInet6},
	afNetlink: {12, sockaddrNetlink},
	afPacket:  {20, sockaddrPacket},
}

// sockaddr writes {sa_family=AF_INET, sin_port=htons(80), ...}.
func sockaddr(p *printer, _ *syscalls.Type, v view) {
	if !v.has(2) || !isLength(v.want) {
		p.lost(v)
		return
	}
	const storage = 128 // sizeof(struct sockaddr_storage), include/uapi/linux/socket.h
	if v = v.at(0, storage); v.faulted && len(v.data) < v.want {
		p.lost(v)
		return
	}
	family := load(v.data, 0, 2)
	p.s("{sa_family=")
	p.named("address_family", int64(family))
	if f, ok := families[family]; ok && v.has(f.least) {
		p.s(", ")
		f.write(p, v)
	} else if len(v.data) > 2 {
		p.s(", sa_data=")
		p.str(v.data[2:], max(v.want-2, 0), v.want)
	}
	p.c('}')
}

func sockaddrUnix(p *printer, v view) {
	const most = 108 // UNIX_PATH_MAX
	path := v.data[2:min(len(v.data), 2+most)]
	v.want = min(v.want, 2+most)
	p.s("sun_path=")
	if path[0] == 0 { // abstract: all the bytes count
		p.c('@')
		p.path(path[1:], v.want > len(v.data))
		return
	}
	path, ended := trimNUL(path)
	p.path(path, !ended && v.want > len(v.data))
	p.pathContext(v, 2)
}

func be16(data []byte, off int) uint64 { return load(data, off, 1)<<8 | load(data, off+1, 1) }
func be32(data []byte, off int) uint64 { return be16(data, off)<<16 | be16(data, off+2) }

func (p *printer) htons(v uint64) {
	p.styled(func() { p.netBytes([]byte{byte(v >> 8), byte(v)}) }, func() {
		p.s("htons(")
		p.udec(v)
		p.c(')')
	})
}

func sockaddrInet(p *printer, v view) {
	p.s("sin_port=")
	p.htons(be16(v.data, 2))
	p.s(", sin_addr=")
	p.inet4(v.data[4:8])
}

func (p *printer) inet4(a []byte) {
	p.styled(func() { p.netBytes(a[:4]) }, func() {
		p.s(`inet_addr("`)
		p.b = netip.AddrFrom4([4]byte(a)).AppendTo(p.b)
		p.s(`")`)
	})
}

// inet writes an address of size bytes that stands alone.
func (p *printer) inet(v view, size int) {
	switch {
	case !v.has(size):
		p.lost(v)
	case size == 4:
		p.inet4(v.data[:4])
	default:
		p.s(`inet_pton(AF_INET6, "`)
		p.b = netip.AddrFrom16([16]byte(v.data[:16])).AppendTo(p.b)
		p.s(`")`)
	}
}

func sockaddrInet6(p *printer, v view) {
	p.s("sin6_port=")
	p.htons(be16(v.data, 2))
	p.s(", sin6_flowinfo=")
	p.styled(func() { p.netBytes(v.data[4:8]) }, func() {
		p.s("htonl(")
		p.udec(be32(v.data, 4))
		p.c(')')
	})
	p.s(", ")
	if p.o.Constants != Abbreviated {
		p.s("sin6_addr=")
	}
	p.styled(func() { p.netBytes(v.data[8:24]) }, func() {
		p.s(`inet_pton(AF_INET6, "`)
		p.b = netip.AddrFrom16([16]byte(v.data[8:24])).AppendTo(p.b)
		p.s(`", &sin6_addr)`)
	})
	if v.has(25) {
		p.s(", sin6_scope_id=")
		p.udec(load(v.data, 24, min(4, len(v.data)-24)))
	}
}

func sockaddrNetlink(p *printer, v view) {
	if pad := load(v.data, 2, 2); pad != 0 {
		p.s("nl_pad=")
		p.hex(pad)
		p.s(", ")
	}
	p.s("nl_pid=")
	p.dec(int64(int32(load(v.data, 4, 4))))
	p.s(", nl_groups=")
	p.paddedHex(load(v.data, 8, 4), 8)
}

func sockaddrPacket(p *printer, v view) {
	p.s("sll_protocol=htons(")
	p.named("ethernet_protocol", int64(be16(v.data, 2)))
	p.s("), sll_ifindex=")
	p.interfaceIndex(load(v.data, 4, 4))
	p.s(", sll_hatype=")
	p.named("arp_hardware", int64(load(v.data, 8, 2)))
	p.s(", sll_pkttype=")
	p.named("packet_type", int64(load(v.data, 10, 1)))
	n := int(load(v.data, 11, 1))
	p.s(", sll_halen=")
	p.udec(uint64(n))
	if n > 0 && v.has(13) {
		p.s(", sll_addr=[")
		for i, c := range v.data[12:min(12+n, len(v.data))] {
			if i > 0 {
				p.s(", ")
			}
			p.hex02(c)
		}
		if 12+n > len(v.data) {
			p.s(", ...")
		}
		p.c(']')
	}
}
