//go:build linux && (amd64 || arm64)

package ptrace

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"golang.org/x/sys/unix"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
	"sysreel/proto/world"
	"sysreel/record/internal/procfs"
)

// Where calls that change descriptors are not recorded, what the descriptors of
// the others stand for cannot be told from the trace. It is read at their enter
// then: a readlink costs 2 µs, a stop ten times as much.

// Name is what a descriptor of an event's process is.
type Name struct {
	Event int    // index of the event
	FD    int32  // or world.Cwd
	Link  []byte // as readlink of /proc/PID/fd/N shows it; empty: it is not open. Never changed
	// After: the call made it. Else it is as at the enter of the call.
	After bool
	// Device is what procfs.Detail tells of it, where everything is read.
	Device string
	// Socket is what procfs.Netlink tells of a socket that messages go through:
	// its protocol says what they are. Where it is asked for, it is what any socket
	// is connected to: see sockdiag.Text.
	Socket string

	changed bool // since it was last asked for
}

// naming says what is to be read.
type naming struct {
	files, cwd bool
	all        bool // every descriptor of every call, and what calls make
	sockets    *sockets
	path       []byte
	link       [unix.PathMax]byte
}

// maxPolled bounds how many entries of a set for poll(2) or select(2) are named.
const maxPolled = 64

// namingFor returns what is to be read where only the calls of the set are
// recorded. The engine sees close_range in any case, and clone with flags that
// share what descriptors are.
func namingFor(set *syscalls.Set, all, connections bool) (n naming) {
	if all {
		n.files, n.cwd, n.all = true, true, true
		if connections {
			n.sockets = newSockets()
		}
		return n
	}
	if set == nil {
		return n
	}
	for _, d := range syscalls.All(native) {
		if files, cwd := world.Alters(d); !set.Has(d) && roles[d.Name] == plain {
			n.files, n.cwd = n.files || files, n.cwd || cwd
		}
	}
	return n
}

// nameArgs reads what the descriptors among the arguments of the call that t has
// entered are.
func (e *Engine) nameArgs(t *thread) {
	c := &t.call
	r := &c.entry.refs
	cwd := false
	for _, reg := range r.FDs {
		switch fd := int32(c.args[reg]); {
		case fd == world.Cwd:
			cwd = true
		case e.naming.files:
			e.name(t, fd, false)
		}
	}
	if e.naming.files {
		if op, words := c.socketcall(); len(words) >= 4 && op != opSocket && op != opSocketpair {
			e.name(t, int32(binary.LittleEndian.Uint32(words)), false)
		}
		if r.Polls >= 0 {
			e.namePolled(t, r.Polls)
		}
		for _, reg := range r.Sets {
			e.nameSet(t, reg)
		}
		if r.Rights {
			for _, fd := range world.Rights(&tracefile.Event{Arch: c.arch, Bufs: c.mem.Bufs}, tracefile.AtEnter) {
				e.name(t, fd, false)
			}
		}
	}
	if e.naming.cwd && (cwd || relative(c, r.Paths)) {
		e.name(t, world.Cwd, false)
	}
	e.countAddressing(c.entry)
}

// countAddressing counts a call that has been entered, or has returned.
func (e *Engine) countAddressing(en *entry) {
	if s := e.naming.sockets; s != nil && en.desc != nil && addressing[en.desc.Name] {
		s.calls++
	}
}

// namePolled reads what is in an array of struct pollfd. Of very many
// descriptors it is said of none what they are.
func (e *Engine) namePolled(t *thread, reg int8) {
	const size = 8
	data := t.call.atEnter(reg)
	for n := 0; len(data) >= (n+1)*size; n++ {
		e.nameSome(t, int32(binary.LittleEndian.Uint32(data[n*size:])), n)
	}
}

// nameSet does the same for an fd_set.
func (e *Engine) nameSet(t *thread, reg int8) {
	n := 0
	for i, b := range t.call.atEnter(reg) {
		for ; b != 0; b &= b - 1 {
			e.nameSome(t, int32(8*i+bits.TrailingZeros8(b)), n)
			n++
		}
	}
}

// nameSome names the descriptor that is number n of many.
func (e *Engine) nameSome(t *thread, fd int32, n int) {
	if n < maxPolled {
		e.name(t, fd, false)
	} else if fd >= 0 {
		t.call.names = append(t.call.names, Name{FD: fd})
	}
}

// atEnter returns the memory behind an argument at the enter of the call.
func (c *call) atEnter(reg int8) []byte {
	for i := range c.mem.Bufs {
		if b := &c.mem.Bufs[i]; b.Arg == reg && b.Parent < 0 && b.Phase == tracefile.AtEnter {
			return b.Data
		}
	}
	return nil
}

// relative reports whether any of the paths is.
func relative(c *call, paths []int8) bool {
	for _, reg := range paths {
		if path := c.atEnter(reg); len(path) > 0 && path[0] != '/' {
			return true
		}
	}
	return false
}

// nameMade reads, at the exit of a call, what the descriptors are that it made
// and that have no name by its arguments. Those that came with messages are read in
// any case: they may be of processes that are not recorded.
func (e *Engine) nameMade(t *thread, en *entry, ret int64) {
	e.countAddressing(en)
	if en.refs.Rights && ret >= 0 {
		for _, fd := range world.Rights(&tracefile.Event{Arch: t.call.arch, Bufs: t.call.mem.Bufs}, tracefile.AtExit) {
			if e.naming.files {
				t.call.names = append(t.call.names, Name{FD: fd}) // it was free before
			}
			e.name(t, fd, true)
		}
	}
	if !e.naming.files {
		return
	}
	reg, makes := makers[en.desc.Name]
	if !makes && (e.naming.all || e.contexts != nil) && en.returnsFD {
		reg, makes = -1, true
	}
	op, words := t.call.socketcall()
	switch {
	case ret < 0:
	case op == opSocketpair && len(words) >= 16:
		if pair, ok := e.capturer.Word(int(t.TID), uint64(binary.LittleEndian.Uint32(words[12:]))); ok {
			e.name(t, int32(pair), true)
			e.name(t, int32(pair>>32), true)
		}
	case op == opSocket, op == opAccept, op == opAccept4:
		e.name(t, int32(ret), true)
	case !makes:
	case reg < 0:
		e.name(t, int32(ret), true)
	default:
		if pair, ok := e.capturer.Word(int(t.TID), t.call.args[reg]); ok {
			e.name(t, int32(pair), true)
			e.name(t, int32(pair>>32), true)
		}
	}
}

// makers lists the calls that make what has a number for a name, which is not in
// their arguments: with the register that points to two descriptors, or −1 where
// the result is the descriptor.
var makers = map[string]int{"socket": -1, "accept": -1, "accept4": -1, "socketpair": 3, "pipe": 0, "pipe2": 0}

// Operations of socketcall that make descriptors (include/uapi/linux/net.h).
const (
	opSocket     = 1
	opAccept     = 5
	opSocketpair = 8
	opAccept4    = 18
)

// socketcall returns what a call of socketcall does, and its arguments; 0 for
// other calls.
func (c *call) socketcall() (op uint64, words []byte) {
	if c.entry.desc == nil || c.entry.desc.Name != "socketcall" {
		return 0, nil
	}
	return c.args[0], c.atEnter(1)
}

// name reads what a descriptor is.
func (e *Engine) name(t *thread, fd int32, after bool) {
	if fd < 0 && fd != world.Cwd {
		return
	}
	if e.contexts != nil && fd != world.Cwd {
		e.contextOfFD(t, fd, after)
	}
	link := e.readLink(t, fd)
	if link == nil && fd == world.Cwd {
		return
	}
	known, was := t.proc.links[fd]
	changed := !was || !bytes.Equal(known.link, link)
	if changed {
		known = shown{link: bytes.Clone(link)}
	}
	if known.socket == "" && t.call.entry.messages && e.netlink(t, fd) {
		known.socket = e.proc.Netlink(int(t.TID), known.link)
		changed = changed || known.socket != ""
	}
	if changed {
		if t.proc.links == nil || len(t.proc.links) >= maxLinks {
			t.proc.links = make(map[int32]shown)
		}
		t.proc.links[fd] = known
	}
	named := Name{FD: fd, Link: known.link, After: after, Socket: known.socket, changed: changed}
	if n := &e.naming; n.all && fd != world.Cwd {
		named.Device = procfs.Detail(string(n.path[:len(n.path)-1]), known.link)
		if n.sockets != nil {
			if text := n.sockets.text(string(known.link), func() string { return e.protocol(t, fd) }); text != "" {
				named.Socket = text
			} else if number, ok := bytes.CutPrefix(known.link, []byte("socket")); ok && after {
				// Of what cannot be looked up, in another network namespace, the protocol is known.
				if proto := e.protocol(t, fd); proto != "" && proto != "NETLINK" {
					named.Socket = proto + string(number)
				}
			}
		}
	}
	t.call.names = append(t.call.names, named)
}

// shown is what a descriptor was when it was last asked for.
type shown struct {
	link   []byte // never changed
	socket string // "" if that was not asked for, or is not known
}

// maxLinks bounds what is remembered of a process.
const maxLinks = 4096

// appendNames appends the names that go with the event of that index.
func appendNames(dst, names []Name, event int) []Name {
	for _, n := range names {
		n.Event = event
		dst = append(dst, n)
	}
	return dst
}

// namesBytes is about what is said of the names in a block.
func namesBytes(names []Name) (n int) {
	for i := range names {
		if names[i].changed {
			n += nameBytes + len(names[i].Link) + len(names[i].Socket)
		}
	}
	return n
}

// nameBytes is about what a name weighs in a block, as in factsBytes.
const nameBytes = 8 * 32
