package analyze

import (
	"strings"
	"sync"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
	"sysreel/proto/world"
)

// shapeMeta is what does not change from call to call of one kind, architecture
// and number.
type shapeMeta struct {
	name string
	desc *syscalls.Desc
	flow Flow
	wait waitKind
	addr int8 // argument that is a socket address, or −1
	own  bool // which is the socket's own
	id   int  // dense, from 0, of the metas of a pass
	pass bool // the filter's -e trace= lets it through
	// changes: the call may change the world.
	changes bool
}

type shapeKey struct {
	kind tracefile.Kind
	arch syscalls.Arch
	nr   uint32
}

// shapes caches the meta of the calls a trace holds. It is safe for concurrent
// use.
type shapes struct {
	set  *syscalls.Set // nil: all
	mu   sync.Mutex
	meta map[shapeKey]*shapeMeta
}

// of returns the meta of a shape. name and proto are the trace's own
// definition, for calls that this build does not know.
func (s *shapes) of(kind tracefile.Kind, arch syscalls.Arch, nr uint32, name, proto string) *shapeMeta {
	k := shapeKey{kind, arch, nr}
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.meta[k]
	if m == nil {
		m = s.make(k, name, proto)
		s.meta[k] = m
	}
	return m
}

func (s *shapes) make(k shapeKey, name, proto string) *shapeMeta {
	m := &shapeMeta{name: name, id: len(s.meta), addr: -1, pass: true, changes: world.Changes(k.arch, k.nr)}
	switch k.kind {
	case tracefile.Syscall, tracefile.Unfinished, tracefile.InFlight:
	case tracefile.Signal, tracefile.Stop:
		m.name = syscalls.SignalName(int(k.nr))
		return m
	default:
		m.name = ""
		return m
	}
	m.desc = syscalls.Lookup(k.arch, k.nr)
	if (m.desc == nil || name != "" && m.desc.Name != name) && proto != "" {
		if d, err := syscalls.ParseDesc(proto, k.arch); err == nil {
			m.desc = d
		}
	}
	if m.desc != nil {
		m.name = m.desc.Name
		m.flow, m.addr = traits(m.desc)
	}
	m.wait = waitKinds[m.name]
	m.own = m.name == "bind" || m.name == "getsockname"
	if m.name == "" {
		m.name = unknownName(k.nr)
	}
	if s.set != nil {
		m.pass = m.desc != nil && s.set.Has(m.desc) || m.desc == nil && s.set.HasName(m.name)
	}
	return m
}

// unknownName is strace's name of a call it does not know.
func unknownName(nr uint32) string {
	const hex = "0123456789abcdef"
	var b [8]byte
	i := len(b)
	for n := nr; n != 0 || i == len(b); n >>= 4 {
		i--
		b[i] = hex[n&15]
	}
	return "syscall_0x" + string(b[i:])
}

// traits derives from a description what Bytes and Peer need: a call moves
// bytes if its result is a size and an argument a descriptor.
func traits(d *syscalls.Desc) (flow Flow, addr int8) {
	addr = -1
	fds, in, out := 0, false, false
	for i := range d.Args {
		t := d.Args[i].Type
		switch {
		case t == nil:
		case t.Name == "fd":
			fds++
		case t.Kind == syscalls.Pointer:
			if e := t.Elem; e != nil && strings.HasPrefix(e.Name, "sockaddr") {
				addr = int8(d.Args[i].Reg)
				continue
			}
			if addr < 0 { // buffers stand before addresses
				in = in || t.Dir == syscalls.In
				out = out || t.Dir == syscalls.Out
			}
		}
	}
	if fds == 0 || d.Ret == nil || d.Ret.Name != "size" {
		return NoFlow, addr
	}
	switch {
	case fds > 1: // sendfile, splice, copy_file_range: counted once, as written
		return Written, addr
	case d.Name == "recvmsg" || strings.Contains(d.Name, "read") || strings.HasPrefix(d.Name, "recv"):
		return Read, addr // its vector is an input, its buffers are not
	case strings.Contains(d.Name, "write") || strings.HasPrefix(d.Name, "send"):
		return Written, addr
	case out && !in:
		return Read, addr
	}
	return NoFlow, addr
}
