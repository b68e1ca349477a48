package format

import (
	"net/netip"

	"sysreel/proto/syscalls"
)

// Message types of NETLINK_SOCK_DIAG (include/uapi/linux/sock_diag.h).
const (
	sockDiagByFamily = 20
	sockDestroy      = 21
)

func diagFlags(uint64) string { return "netlink_get_flags" }

// diagShapes are the questions and answers about the sockets of a family.
var diagShapes = map[byte][2]netlinkShape{
	afUnix:    {{"unix_diag_req", ""}, {"unix_diag_msg", "unix_diag_attrs"}},
	afInet:    {{"inet_diag_req_v2", "inet_diag_req_attrs"}, {"inet_diag_msg", "inet_diag_attrs"}},
	afInet6:   {{"inet_diag_req_v2", "inet_diag_req_attrs"}, {"inet_diag_msg", "inet_diag_attrs"}},
	afNetlink: {{"netlink_diag_req", ""}, {"netlink_diag_msg", "netlink_diag_attrs"}},
}

// sockDiag writes a payload of NETLINK_SOCK_DIAG: a question if the program
// sends it.
func (p *printer) sockDiag(kind uint64, v view) {
	shapes, ok := diagShapes[v.data[0]]
	if !ok || kind != sockDiagByFamily && kind != sockDestroy {
		p.familyOnly(v)
		return
	}
	i := 1
	switch p.d.Name {
	case "sendto", "send", "sendmsg", "sendmmsg":
		i = 0
	}
	p.diagHead = v.data[0]
	p.shaped(&shapes[i], v)
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
		a := v.at(4+16*i, 16)
		p.s(", ")
		if p.diagHead == afInet6 {
			p.s("inet_pton(AF_INET6, \"")
			p.b = netip.AddrFrom16([16]byte(a.data)).AppendTo(p.b)
			p.s("\", &")
			p.s(name)
			p.c(')')
			continue
		}
		p.s(name)
		p.c('=')
		p.inet4(a.data[:4])
	}
	first := false
	p.member(t, v, "idiag_if", &first)
	p.member(t, v, "idiag_cookie", &first)
	p.c('}')
	return true
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
	p.c('}')
	return true
}
