package world

import (
	"encoding/binary"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

// nrSocketcall is i386's number of socketcall, which makes the calls of sockets:
// their arguments are words in memory (net/socket.c).
const nrSocketcall = 102

// meant returns the call that e stands for: e itself, unless it is socketcall. The
// result is valid until the next use.
func (w *World) meant(e *tracefile.Event) *tracefile.Event {
	if e.NR != nrSocketcall || e.Arch != syscalls.I386 {
		return e
	}
	name := syscalls.SocketCall(e.Args[0])
	switch name { // those without a number of their own
	case "send":
		name = "sendto"
	case "recv":
		name = "recvfrom"
	case "accept":
		name = "accept4"
	}
	d := syscalls.ByName(syscalls.I386, name)
	words, ok := arg(e, 1, tracefile.AtEnter)
	if d == nil || !ok {
		return e
	}
	m := &w.unfolded
	bufs := append(m.Bufs[:0], e.Bufs...)
	*m = *e
	m.NR, m.Args, m.Bufs = d.NR, [6]uint64{}, bufs
	for i := range min(len(d.Args), len(m.Args), len(words)/4) {
		m.Args[i] = uint64(binary.LittleEndian.Uint32(words[4*i:]))
	}
	for i := range bufs {
		b := &bufs[i]
		switch parent := int(b.Parent); {
		case parent < 0:
			b.Arg = -1
		case parent < i && e.Bufs[parent].Parent < 0:
			b.Arg, b.Parent, b.Off = int8(b.Off/4&7), -1, 0
		}
	}
	return m
}
