package world

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"
	"sync"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

// Values of include/linux/socket.h, include/linux/net.h and include/uapi/linux/in.h.
const (
	afUnspec  = 0
	afUnix    = 1
	afInet    = 2
	afInet6   = 10
	afNetlink = 16
	afPacket  = 17
	afVsock   = 40

	sockTypeMask = 0xf

	ipprotoICMP   = 1
	ipprotoICMPv6 = 58
	ipprotoSCTP   = 132
	ipprotoMPTCP  = 262
)

// socketProto names a socket as strace -yy does.
func socketProto(domain, typ, proto uint64) string {
	typ &= sockTypeMask
	types := [...]string{1: "STREAM", 2: "DGRAM", 3: "RAW", 4: "RDM", 5: "SEQPACKET", 6: "DCCP", 10: "PACKET"}
	name := "SOCK"
	if typ < uint64(len(types)) && types[typ] != "" {
		name = types[typ]
	}
	v6 := ""
	switch domain {
	case afUnix:
		if name == "STREAM" {
			return "UNIX-STREAM"
		}
		return "UNIX" // as the kernel names the protocol
	case afNetlink:
		return "NETLINK"
	case afPacket:
		return "PACKET"
	case afVsock:
		return "VSOCK-" + name
	case afInet6:
		v6 = "v6"
		fallthrough
	case afInet:
		switch {
		case proto == ipprotoMPTCP:
			return "MPTCP" + v6
		case proto == ipprotoSCTP:
			return "SCTP" + v6
		case typ == 1:
			return "TCP" + v6
		case typ == 2 && (proto == ipprotoICMP || proto == ipprotoICMPv6):
			return "PING" + v6
		case typ == 2:
			return "UDP" + v6
		case typ == 3:
			return "RAW" + v6
		}
	}
	return "SOCKET" + strconv.FormatUint(domain, 10) + "-" + name
}

// SockAddr prints a socket address: "127.0.0.1:80", "[::1]:80", "/run/x.sock",
// "@abstract", "pid 1" for netlink; "" for an unnamed or unknown one. b is
// memory in the form of struct sockaddr, which is alike on all architectures
// known.
func SockAddr(b []byte) string {
	if len(b) < 2 {
		return ""
	}
	switch binary.LittleEndian.Uint16(b) {
	case afUnix:
		switch b = b[2:]; {
		case len(b) == 0:
			return ""
		case b[0] == 0:
			if len(b) == 1 {
				return ""
			}
			return "@" + cString(b[1:])
		}
		return cString(b)
	case afInet:
		if len(b) >= 8 {
			return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[4:8])), binary.BigEndian.Uint16(b[2:])).String()
		}
	case afInet6:
		if len(b) >= 24 {
			return netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[8:24])), binary.BigEndian.Uint16(b[2:])).String()
		}
	case afNetlink:
		if len(b) >= 8 {
			return "pid " + strconv.FormatUint(uint64(binary.LittleEndian.Uint32(b[4:])), 10)
		}
	case afVsock:
		if len(b) >= 12 {
			return strconv.FormatUint(uint64(binary.LittleEndian.Uint32(b[8:])), 10) + ":" +
				strconv.FormatUint(uint64(binary.LittleEndian.Uint32(b[4:])), 10)
		}
	}
	return ""
}

// netlinkNames is the set of netlink protocols, NETLINK_ROUTE and others.
var netlinkNames = sync.OnceValue(func() *syscalls.Consts { return syscalls.ConstSet(syscalls.AMD64, "netlink_family") })

// NetlinkName names a netlink protocol: "ROUTE", or its number.
func NetlinkName(proto uint64) string {
	name := netlinkNames().Format(proto & 0xffffffff)
	if short, ok := strings.CutPrefix(name, "NETLINK_"); ok {
		return short
	}
	return strconv.FormatUint(proto&0xffffffff, 10)
}

// Netlink returns the protocol of a netlink socket (NETLINK_ROUTE is 0); false
// of all else.
func (f *File) Netlink() (int, bool) {
	if f.Kind != Socket || f.Proto != "NETLINK" {
		return 0, false
	}
	name, _, _ := strings.Cut(f.Local, ":")
	if n, err := strconv.ParseUint(name, 10, 16); err == nil {
		return int(n), true
	}
	n, ok := netlinkNames().ByName("NETLINK_" + name)
	return int(n), ok
}

// setNetlink takes over what a trace says of a netlink socket: "ROUTE", "ROUTE:1234"
// or, as /proc/net/netlink has it, "0:1234". Where the protocol was not known there
// is an inode.
func (f *File) setNetlink(text string) {
	name, pid, bound := strings.Cut(text, ":")
	if n, err := strconv.ParseUint(name, 10, 5); err == nil { // MAX_LINKS is 32
		name = NetlinkName(n)
	} else if _, ok := netlinkNames().ByName("NETLINK_" + name); !ok {
		return
	}
	f.Local = name
	if bound {
		f.Local += ":" + pid
	}
}

// setLocal notes the address of a socket. That of netlink is told as strace
// -yy does: "ROUTE:1234".
func (f *File) setLocal(data []byte) {
	a := SockAddr(data)
	if f.Proto != "NETLINK" {
		f.Local = a
		return
	}
	if pid, ok := strings.CutPrefix(a, "pid "); ok && pid != "0" {
		name, _, _ := strings.Cut(f.Local, ":")
		f.Local = name + ":" + pid
	}
}

func socket(w *World, t *Thread, e *tracefile.Event) {
	f := &File{Kind: Socket, Proto: socketProto(e.Args[0], e.Args[1], e.Args[2]), Link: numbered("socket", w.num), Opened: w.num}
	if f.Proto == "NETLINK" {
		f.Local = NetlinkName(e.Args[2])
	}
	w.open(t.Process, int32(e.Ret), f, e.Args[1]&sockCloexec != 0)
}

func socketpair(w *World, t *Thread, e *tracefile.Event) {
	a, b, ok := twoFDs(e, 3)
	if !ok {
		return
	}
	for _, fd := range [2]int32{a, b} {
		f := &File{Kind: Socket, Proto: socketProto(e.Args[0], e.Args[1], e.Args[2]), Link: numbered("socket", w.num), Opened: w.num, object: w.num}
		w.open(t.Process, fd, f, e.Args[1]&sockCloexec != 0)
	}
}

// socketOf returns the socket behind the call's first argument, made known if
// it was not.
func (w *World) socketOf(t *Thread, e *tracefile.Event) *File {
	fd := int32(e.Args[0])
	f := t.Process.File(fd)
	if f == nil || f.Kind != Socket {
		f = &File{Kind: Socket, Link: "socket:[?]"}
		w.open(t.Process, fd, f, t.Process.CloseOnExec(fd))
	}
	return f
}

func bind(w *World, t *Thread, e *tracefile.Event) {
	if data, ok := arg(e, 1, tracefile.AtEnter); ok {
		w.socketOf(t, e).setLocal(data)
	}
}

func connect(w *World, t *Thread, e *tracefile.Event) {
	if errno := e.Errno(); errno != 0 && errno != einprogress {
		return
	}
	if data, ok := arg(e, 1, tracefile.AtEnter); ok && len(data) >= 2 {
		w.socketOf(t, e).Peer = SockAddr(data) // "" for AF_UNSPEC, which dissolves a connection
	}
}

func (w *World) accept(t *Thread, e *tracefile.Event, cloexec bool) {
	l := w.socketOf(t, e)
	f := &File{Kind: Socket, Proto: l.Proto, Local: l.Local, Link: numbered("socket", w.num), Opened: w.num}
	if data, ok := arg(e, 1, tracefile.AtExit); ok {
		f.Peer = SockAddr(data)
	}
	w.open(t.Process, int32(e.Ret), f, cloexec)
}

func getsockname(w *World, t *Thread, e *tracefile.Event) {
	if data, ok := arg(e, 1, tracefile.AtExit); ok {
		if a := SockAddr(data); a != "" {
			w.socketOf(t, e).setLocal(data)
		}
	}
}

func getpeername(w *World, t *Thread, e *tracefile.Event) {
	if data, ok := arg(e, 1, tracefile.AtExit); ok {
		if a := SockAddr(data); a != "" {
			w.socketOf(t, e).Peer = a
		}
	}
}
