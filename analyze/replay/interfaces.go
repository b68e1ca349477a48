package replay

import (
	"bytes"
	"encoding/binary"

	"sysreel/analyze"
	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
	"sysreel/proto/world"
)

// Interfaces knows the names of network interfaces: those that the recording
// machine had, and what calls have been told since.
type Interfaces struct {
	names map[uint32]string
	// away are the processes that have gone to another network namespace, where
	// an index may be another interface's.
	away map[*world.Process]bool
}

// maxInterfaces bounds what is remembered of names.
const maxInterfaces = 1 << 16

// NewInterfaces returns what the header tells.
func NewInterfaces(h *tracepb.Header) *Interfaces {
	n := &Interfaces{names: make(map[uint32]string), away: make(map[*world.Process]bool)}
	for _, i := range h.GetInterfaces() {
		n.names[i.GetIndex()] = string(i.GetName())
	}
	return n
}

// Name returns the name of an interface, "" if it is not known.
func (n *Interfaces) Name(index uint32) string { return n.names[index] }

// Numbers of include/uapi/linux/sched.h, sockios.h, rtnetlink.h and if_link.h.
const (
	cloneNewNet  = 0x40000000
	siocGIFName  = 0x8910
	siocGIFIndex = 0x8933
	rtmNewLink   = 16
	rtmDelLink   = 17
	iflaIfname   = 3
)

// see learns from a call that has ended well, before it is written: strace looks
// names up when it has.
func (n *Interfaces) see(c *analyze.Call) {
	if c.Kind != tracefile.Syscall || c.Ret < 0 || c.Process == nil {
		return
	}
	switch c.Name {
	case "ioctl":
		if request := uint32(c.Args[1]); request == siocGIFIndex || request == siocGIFName {
			n.asked(c)
		}
	case "recvmsg", "recvmmsg", "recvmmsg_time64", "recvfrom", "recv":
		if f := c.Process.File(int32(c.Args[0])); f != nil {
			if protocol, ok := f.Netlink(); ok && protocol == 0 { // NETLINK_ROUTE
				n.received(c)
			}
		}
	case "unshare":
		if c.Args[0]&cloneNewNet != 0 {
			n.away[c.Process] = true
		}
	case "setns":
		n.away[c.Process] = true
	}
}

// learn notes the name of an interface where the process is.
func (n *Interfaces) learn(c *analyze.Call, index uint32, name []byte) {
	if len(n.away) > 0 {
		for p, depth := c.Process, 0; p != nil && depth < 100; p, depth = p.Parent, depth+1 {
			if n.away[p] {
				return
			}
		}
	}
	if name, _, _ = bytes.Cut(name, []byte{0}); len(name) == 0 {
		delete(n.names, index)
	} else if n.names[index] != string(name) && len(n.names) < maxInterfaces {
		n.names[index] = string(name)
	}
}

// asked learns from a struct ifreq.
func (n *Interfaces) asked(c *analyze.Call) {
	const index = 16 // behind the name
	for i := range c.Bufs {
		if b := &c.Bufs[i]; b.Parent < 0 && b.Arg == 2 && b.Phase == tracefile.AtExit && len(b.Data) >= index+4 {
			n.learn(c, binary.LittleEndian.Uint32(b.Data[index:]), b.Data[:index])
		}
	}
}

// received learns from messages of rtnetlink(7).
func (n *Interfaces) received(c *analyze.Call) {
	for i := range c.Bufs {
		b := &c.Bufs[i]
		if b.Phase != tracefile.AtExit {
			continue
		}
		data := b.Parent < 0 && b.Arg == 1 // of recv and recvfrom, else behind an array of struct iovec
		if c.Name != "recvfrom" && c.Name != "recv" {
			data = b.Parent >= 0 && int(b.Parent) < len(c.Bufs) && c.Bufs[b.Parent].Parent >= 0
		}
		if data {
			n.messages(c, b.Data)
		}
	}
}

func (n *Interfaces) messages(c *analyze.Call, d []byte) {
	const (
		index      = 16 + 4  // of struct ifinfomsg, behind struct nlmsghdr
		attributes = 16 + 16 // behind struct ifinfomsg
	)
	for len(d) >= attributes {
		size := uint64(binary.LittleEndian.Uint32(d))
		kind := binary.LittleEndian.Uint16(d[4:])
		if kind == rtmNewLink || kind == rtmDelLink {
			var name []byte
			if kind == rtmNewLink {
				name = attribute(d[attributes:min(max(size, attributes), uint64(len(d)))], iflaIfname)
			}
			if len(name) > 0 || kind == rtmDelLink {
				n.learn(c, binary.LittleEndian.Uint32(d[index:]), name)
			}
		}
		next := (size + 3) &^ 3
		if size < 16 || next > uint64(len(d)) {
			return
		}
		d = d[next:]
	}
}

// attribute returns the data of the first attribute of a kind.
func attribute(d []byte, kind uint16) []byte {
	for len(d) >= 4 {
		size := int(binary.LittleEndian.Uint16(d))
		if size < 4 || size > len(d) {
			return nil
		}
		if binary.LittleEndian.Uint16(d[2:]) == kind {
			return d[4:size]
		}
		d = d[min((size+3)&^3, len(d)):]
	}
	return nil
}

// Families returns the names of the recording machine's families of generic
// netlink by their number, for [format.Options]; nil if the trace does not tell any.
func Families(h *tracepb.Header) func(id uint16) string {
	if len(h.GetFamilies()) == 0 {
		return nil
	}
	names := make(map[uint16]string)
	for _, f := range h.GetFamilies() {
		names[uint16(f.GetId())] = string(f.GetName())
	}
	return func(id uint16) string { return names[id] }
}
