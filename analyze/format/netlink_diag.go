package format

import (
	"net/netip"

	"sysreel/proto/syscalls"
)

const afSMC = 43 // include/linux/socket.h

// diagFlags returns the set of flags of messages that all ask or answer.
func diagFlags(uint64) string { return "netlink_get_flags" }

// diagShape is a payload of NETLINK_SOCK_DIAG: a structure, and the set of the
// attributes behind it.
type diagShape struct{ body, attrs string }

// diagShapes are the questions and answers about the sockets of a family.
var diagShapes = map[byte][2]diagShape{
	afUnix:    {{"unix_diag_req", ""}, {"unix_diag_msg", "unix_diag_attrs"}},
	afInet:    {{"inet_diag_req_v2", "inet_diag_req_attrs"}, {"inet_diag_msg", "inet_diag_attrs"}},
	afInet6:   {{"inet_diag_req_v2", "inet_diag_req_attrs"}, {"inet_diag_msg", "inet_diag_attrs"}},
	afNetlink: {{"netlink_diag_req", ""}, {"netlink_diag_msg", "netlink_diag_attrs"}},
	afPacket:  {{"packet_diag_req", ""}, {"packet_diag_msg", "packet_diag_attrs"}},
	afSMC:     {{"smc_diag_req", ""}, {"smc_diag_msg", "smc_diag_attrs"}},
}

// sockDiag writes a payload of NETLINK_SOCK_DIAG.
func sockDiag(p *printer, m netlinkHead, v view) bool {
	const request, tcpGetSock, dccpGetSock = 1, 18, 19 // NLM_F_REQUEST, TCPDIAG_GETSOCK, DCCPDIAG_GETSOCK
	family := v.data[0]
	shapes, ok := diagShapes[family]
	if !ok || v.want < 2 {
		p.familyOnly(v)
		return true
	}
	p.diagHead = family
	switch {
	case m.flags&request == 0:
		p.shaped(shapes[1].body, shapes[1].attrs, v)
	case (m.kind == tcpGetSock || m.kind == dccpGetSock) && (family == afInet || family == afInet6): // of old programs
		p.shaped("inet_diag_req", "inet_diag_req_attrs", v)
	default:
		p.shaped(shapes[0].body, shapes[0].attrs, v)
	}
	return true
}

// diagSockid writes struct inet_diag_sockid, whose addresses are of the
// family of its message.
func diagSockid(p *printer, t *syscalls.Type, v view) bool {
	if !v.has(t.Size) {
		return false
	}
	p.s("{idiag_sport=")
	p.htons(be16(v.data, 0))
	p.s(", idiag_dport=")
	p.htons(be16(v.data, 2))
	for i, name := range []string{"idiag_src", "idiag_dst"} {
		p.s(", ")
		family := uint64(afInet)
		if p.diagHead == afInet6 {
			family = afInet6
		}
		p.inetMember(v.at(4+16*i, 16), family, name)
	}
	first := false
	p.member(t, v, "idiag_if", &first)
	p.member(t, v, "idiag_cookie", &first)
	p.c('}')
	return true
}

// inet6To writes an address that fills a member.
func (p *printer) inet6To(v view, name string) {
	p.s(`inet_pton(AF_INET6, "`)
	p.b = netip.AddrFrom16([16]byte(v.data[:16])).AppendTo(p.b)
	p.s(`", &`)
	p.s(name)
	p.c(')')
}

// setBits writes of a structure of flags those that are set.
func setBits(p *printer, t *syscalls.Type, v view) bool {
	if !v.has(t.Size) {
		return false
	}
	p.c('{')
	first := true
	for i := range t.Fields {
		if f := &t.Fields[i]; !f.Hidden && f.Get(load(v.data, f.Off, f.Type.Size)) != 0 {
			p.member(t, v, f.Name, &first)
		}
	}
	if rest := load(v.data, 1, 1) >> 3; rest != 0 && t.Name == "inet_diag_sockopt" {
		if !first {
			p.s(", ")
		}
		p.s("unused=")
		p.hex(rest)
		p.s(" /* bits 3..8 */")
	}
	p.c('}')
	return true
}

// Instructions of the filter of a question about sockets that have data behind
// them (include/uapi/linux/inet_diag.h).
const (
	diagSrcGE    = 2
	diagDstLE    = 5
	diagSrcCond  = 7
	diagDstCond  = 8
	diagDevCond  = 9
	diagMarkCond = 10
)

// diagBytecode writes the first instruction of such a filter.
func diagBytecode(p *printer, v view, _ []byte) bool {
	t := syscalls.TypeByName(p.arch, "inet_diag_bc_op")
	if t == nil || !v.has(t.Size) {
		return false
	}
	p.value(t, v.at(0, t.Size))
	rest := v.at(t.Size, v.want)
	if rest.want == 0 {
		return true
	}
	p.s(", ")
	var data *syscalls.Type
	switch code := v.data[0]; {
	case code == diagSrcCond || code == diagDstCond:
		p.hostCondition(rest)
		return true
	case code == diagDevCond:
		data = syscalls.TypeByName(p.arch, "ifindex")
	case code >= diagSrcGE && code <= diagDstLE:
		data = t
	case code == diagMarkCond:
		data = syscalls.TypeByName(p.arch, "inet_diag_markcond")
	}
	if data == nil || !rest.has(data.Size) {
		p.hexBytes(rest)
		return true
	}
	p.value(data, rest.at(0, data.Size))
	return true
}

// hostCondition writes struct inet_diag_hostcond and the address behind it.
func (p *printer) hostCondition(v view) {
	t := syscalls.TypeByName(p.arch, "inet_diag_hostcond")
	if t == nil || !v.has(t.Size) {
		p.hexBytes(v)
		return
	}
	p.value(t, v.at(0, t.Size))
	if v.want > t.Size {
		p.b = p.b[:len(p.b)-1] // the closing brace
		p.s(", ")
		p.inetMember(v.at(t.Size, v.want), load(v.data, 0, 1), "addr")
		p.c('}')
	}
}

// diagGroups writes the multicast groups of a netlink socket, a bit each.
func diagGroups(p *printer, v view, _ []byte) bool {
	size := p.arch.PtrSize()
	return p.words(v, size, func(_ int, m uint64) { p.paddedHex(m, 2*size) })
}

// diagSockaddrs writes a list of struct sockaddr_storage.
func diagSockaddrs(p *printer, v view, _ []byte) bool {
	const storage = 128 // include/uapi/linux/socket.h
	n := v.want / storage
	if n == 0 || !v.has(2) {
		return false
	}
	p.c('[')
	for i := range n {
		if i > 0 {
			p.s(", ")
		}
		if one := v.at(i*storage, storage); one.has(2) && (p.o.Verbose || i < p.o.Strings) {
			sockaddr(p, nil, one)
			continue
		}
		p.s("...")
		break
	}
	p.c(']')
	return true
}

// diagFilter writes the filter of a packet socket.
func diagFilter(p *printer, v view, _ []byte) bool {
	t := syscalls.TypeByName(p.arch, "sock_filter")
	if t == nil || v.want < t.Size || v.want/t.Size > 0xffff {
		return false
	}
	if !p.o.Verbose {
		p.addr(v.addr)
		return true
	}
	p.array(&syscalls.Type{Kind: syscalls.Array, Elem: t}, v.at(0, v.want/t.Size*t.Size))
	return true
}

// diagMD5 writes struct tcp_diag_md5sig: the key of a connection's signatures.
func diagMD5(p *printer, t *syscalls.Type, v view) bool {
	if !v.has(t.Size) {
		return false
	}
	first := true
	p.c('{')
	for _, name := range []string{"tcpm_family", "tcpm_prefixlen", "tcpm_keylen"} {
		p.member(t, v, name, &first)
	}
	p.s(", ")
	p.inetMember(v.at(4, 16), load(v.data, 0, 1), "tcpm_addr")
	p.s(", tcpm_key=")
	key, h := v.at(20, int(min(load(v.data, 2, 2), 80))), p.o.Hex
	p.o.Hex = HexAll
	p.str(key.data, key.want, key.want)
	p.o.Hex = h
	p.c('}')
	return true
}

// diagMulticast writes struct packet_mclist.
func diagMulticast(p *printer, t *syscalls.Type, v view) bool {
	if !v.has(t.Size) {
		return false
	}
	first := true
	p.c('{')
	for _, name := range []string{"pdmc_index", "pdmc_count", "pdmc_type", "pdmc_alen"} {
		p.member(t, v, name, &first)
	}
	p.s(", pdmc_addr=")
	p.hexBytes(v.at(12, int(min(load(v.data, 10, 2), maxHardware))))
	p.c('}')
	return true
}
