//go:build linux && (amd64 || arm64)

// Package sockdiag asks the kernel what sockets are connected to, by sock_diag(7).
// It holds no socket of another process: nothing that those do is changed.
package sockdiag

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"sysreel/proto/world"
)

// Sizes and offsets of include/uapi/linux/inet_diag.h, unix_diag.h and
// netlink_diag.h.
const (
	inetRequest = 56 // struct inet_diag_req_v2
	inetMessage = 72 // struct inet_diag_msg
	inetPorts   = 4  // in struct inet_diag_msg: two in network order
	inetLocal   = 8
	inetRemote  = 24
	inetInode   = 68

	unixRequest = 24 // struct unix_diag_req
	unixMessage = 16 // struct unix_diag_msg
	showName    = 1
	showPeer    = 4
	unixName    = 0 // attributes
	unixPeer    = 2

	netlinkRequest  = 20 // struct netlink_diag_req
	netlinkMessage  = 28 // struct netlink_diag_msg
	netlinkProtocol = 2
	netlinkPort     = 4
	netlinkInode    = 16
	allProtocols    = 0xff // NDIAG_PROTO_ALL

	anyState = 0xffffffff
	noCookie = 0xffffffff
)

// inet are the protocols whose sockets have addresses and ports.
var inet = map[string]struct{ family, protocol byte }{
	"TCP":   {unix.AF_INET, unix.IPPROTO_TCP},
	"UDP":   {unix.AF_INET, unix.IPPROTO_UDP},
	"RAW":   {unix.AF_INET, unix.IPPROTO_RAW},
	"TCPv6": {unix.AF_INET6, unix.IPPROTO_TCP},
	"UDPv6": {unix.AF_INET6, unix.IPPROTO_UDP},
	"RAWv6": {unix.AF_INET6, unix.IPPROTO_RAW},
}

// Text returns what strace -yy shows of a socket of this network namespace:
// "TCP:[127.0.0.1:80->127.0.0.1:5000]", `UNIX-STREAM:[12->11,"/run/x.sock"]`; or
// "UNIX-STREAM:[12]" of one whose connection has not been accepted yet. proto is
// the kernel's name of its protocol. "" is returned of one that has no address or is
// not found. A socket of the UNIX domain is looked up; the others are listed, which
// takes as long as the kernel needs to go through its table: a millisecond if there
// are few.
func Text(proto string, inode uint64) string {
	if p, ok := inet[proto]; ok {
		return inetText(proto, p.family, p.protocol, inode)
	}
	switch proto {
	case "UNIX", "UNIX-STREAM":
		return unixText(proto, inode)
	case "NETLINK":
		return netlinkText(inode)
	case "MPTCP": // listed as what carries it
		return inetText("TCP", unix.AF_INET, unix.IPPROTO_TCP, inode)
	case "MPTCPv6":
		return inetText("TCPv6", unix.AF_INET6, unix.IPPROTO_TCP, inode)
	}
	return ""
}

func inetText(proto string, family, protocol byte, inode uint64) (text string) {
	var req [inetRequest]byte
	req[0], req[1] = family, protocol
	binary.LittleEndian.PutUint32(req[4:], anyState)
	ask(req[:], unix.NLM_F_DUMP, func(m []byte) bool {
		if len(m) < inetMessage || uint64(binary.LittleEndian.Uint32(m[inetInode:])) != inode {
			return true
		}
		address := func(at, port int) netip.AddrPort {
			n := binary.BigEndian.Uint16(m[inetPorts+port:])
			if family == unix.AF_INET {
				return netip.AddrPortFrom(netip.AddrFrom4([4]byte(m[at:])), n)
			}
			return netip.AddrPortFrom(netip.AddrFrom16([16]byte(m[at:])), n)
		}
		local, remote := address(inetLocal, 0), address(inetRemote, 2)
		text = proto + ":[" + local.String()
		if !remote.Addr().IsUnspecified() || remote.Port() != 0 {
			text += "->" + remote.String()
		}
		text += "]"
		return false
	})
	return text
}

func unixText(proto string, inode uint64) (text string) {
	var req [unixRequest]byte
	req[0] = unix.AF_UNIX
	binary.LittleEndian.PutUint32(req[4:], anyState)
	binary.LittleEndian.PutUint32(req[8:], uint32(inode))
	binary.LittleEndian.PutUint32(req[12:], showName|showPeer)
	binary.LittleEndian.PutUint32(req[16:], noCookie)
	binary.LittleEndian.PutUint32(req[20:], noCookie)
	ask(req[:], 0, func(m []byte) bool {
		if len(m) < unixMessage || uint64(binary.LittleEndian.Uint32(m[4:])) != inode {
			return true
		}
		name, peer, connected := "", "", false
		attributes(m[unixMessage:], func(kind uint16, data []byte) {
			switch {
			case kind == unixPeer && len(data) >= 4:
				connected = true
				if n := binary.LittleEndian.Uint32(data); n != 0 {
					peer = "->" + strconv.FormatUint(uint64(n), 10)
				}
			case kind == unixName && len(data) > 1 && data[0] == 0:
				name = `,@"` + string(data[1:]) + `"`
			case kind == unixName && len(data) > 0:
				name = `,"` + strings.TrimRight(string(data), "\x00") + `"`
			}
		})
		if name != "" || connected {
			text = fmt.Sprintf("%s:[%d%s%s]", proto, inode, peer, name)
		}
		return false
	})
	return text
}

func netlinkText(inode uint64) (text string) {
	var req [netlinkRequest]byte
	req[0], req[1] = unix.AF_NETLINK, allProtocols
	ask(req[:], unix.NLM_F_DUMP, func(m []byte) bool {
		if len(m) < netlinkMessage || uint64(binary.LittleEndian.Uint32(m[netlinkInode:])) != inode {
			return true
		}
		text = fmt.Sprintf("NETLINK:[%s:%d]", world.NetlinkName(uint64(m[netlinkProtocol])), binary.LittleEndian.Uint32(m[netlinkPort:]))
		return false
	})
	return text
}

// attributes calls fn with each attribute of a message.
func attributes(b []byte, fn func(kind uint16, data []byte)) {
	for len(b) >= unix.SizeofRtAttr {
		n := int(binary.LittleEndian.Uint16(b))
		if n < unix.SizeofRtAttr || n > len(b) {
			return
		}
		fn(binary.LittleEndian.Uint16(b[2:]), b[unix.SizeofRtAttr:n])
		b = b[min((n+unix.RTA_ALIGNTO-1)&^(unix.RTA_ALIGNTO-1), len(b)):]
	}
}

// ask sends a request and calls fn with each message of the answer, until it
// returns false.
func ask(req []byte, flags uint16, fn func([]byte) bool) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	b := make([]byte, unix.NLMSG_HDRLEN, unix.NLMSG_HDRLEN+len(req))
	binary.LittleEndian.PutUint32(b, uint32(cap(b)))
	binary.LittleEndian.PutUint16(b[4:], unix.SOCK_DIAG_BY_FAMILY)
	binary.LittleEndian.PutUint16(b[6:], unix.NLM_F_REQUEST|flags)
	if unix.Sendto(fd, append(b, req...), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}) != nil {
		return
	}
	room := make([]byte, 32<<10)
	for {
		n, _, err := unix.Recvfrom(fd, room, unix.MSG_DONTWAIT) // the kernel answers at once
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return
		}
		for b := room[:n]; len(b) >= unix.NLMSG_HDRLEN; {
			size := int(binary.LittleEndian.Uint32(b))
			if size < unix.NLMSG_HDRLEN || size > len(b) {
				return
			}
			if binary.LittleEndian.Uint16(b[4:]) != unix.SOCK_DIAG_BY_FAMILY { // the end, or an error
				return
			}
			if !fn(b[unix.NLMSG_HDRLEN:size]) {
				return
			}
			b = b[min((size+unix.NLMSG_ALIGNTO-1)&^(unix.NLMSG_ALIGNTO-1), len(b)):]
		}
		if flags == 0 {
			return
		}
	}
}
