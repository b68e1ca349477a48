//go:build linux && (amd64 || arm64)

package record

import (
	"bytes"
	"slices"
	"strings"

	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
	"sysreel/proto/world"
	"sysreel/record/internal/ptrace"
)

// name gives a call the names of its descriptors that the trace does not tell
// otherwise: those that the world, as it stands before the call, does not have
// or has different. It tells the world too, of a call that has returned.
func (c *encoder) name(e *tracefile.Event, names []ptrace.Name) {
	for i := range names {
		n := &names[i]
		if n.After || !varies(n) && !c.untold(e, n) && !c.reaped(e, n) && c.world.Knows(e.Thread, n.FD, n.Link) &&
			(!c.names || c.world.Shows(e.Thread, n.FD, n.Link) && c.world.Connected(e.Thread, n.FD, n.Socket)) {
			continue
		}
		shown := c.secrets.Link(n.Link)
		if !bytes.Equal(shown, n.Link) && c.world.Knows(e.Thread, n.FD, shown) {
			continue
		}
		if e.Kind != tracefile.InFlight {
			copy(shown, n.Link) // what is blanked is counted below
		}
		if e.Facts == nil {
			e.Facts = &tracepb.Process{}
		}
		f := e.Facts
		if n.FD == world.Cwd {
			f.Cwd = shown
			continue
		}
		f.Files = append(f.Files, &tracepb.OpenFile{Fd: n.FD})
		if len(shown) > 0 {
			f.Files = append(f.Files, &tracepb.OpenFile{Fd: n.FD, Link: shown, Device: []byte(n.Device), Socket: c.secrets.Link([]byte(n.Socket))})
		}
	}
	if c.names {
		c.nameMade(e, names)
	} else {
		c.nameReceived(e, names)
	}
	if e.Facts != nil && e.Kind != tracefile.InFlight {
		c.secrets.Facts(e.Facts)
		c.world.Named(e)
	}
}

// varies tells whether what is told of a descriptor is another thing each time: the
// count of an eventfd.
func varies(n *ptrace.Name) bool { return strings.HasPrefix(n.Device, "{") }

// reaped tells whether the process of a pidfd has been waited for since it was named
// last.
func (c *encoder) reaped(e *tracefile.Event, n *ptrace.Name) bool {
	if n.Device != world.Reaped {
		return false
	}
	f := c.world.See(e.Thread).Process.File(n.FD)
	return f != nil && f.PID > 0
}

// untold tells whether it is not known yet which netlink socket a descriptor is.
func (c *encoder) untold(e *tracefile.Event, n *ptrace.Name) bool {
	if !strings.HasPrefix(n.Socket, "NETLINK:") {
		return false
	}
	f := c.world.See(e.Thread).Process.File(n.FD)
	if f == nil {
		return true
	}
	_, known := f.Netlink()
	return !known
}

// nameMade gives a call what the descriptors are that it made, all of them.
func (c *encoder) nameMade(e *tracefile.Event, names []ptrace.Name) {
	for i := range names {
		n := &names[i]
		if !n.After || len(n.Link) == 0 || n.Device == "" && c.told(e, n.Link) {
			continue
		}
		if e.Facts == nil {
			e.Facts = &tracepb.Process{}
		}
		e.Facts.Made = append(e.Facts.Made, &tracepb.OpenFile{Fd: n.FD, Link: c.secrets.Link(n.Link), Device: []byte(n.Device), Socket: c.secrets.Link([]byte(n.Socket))})
	}
}

// nameReceived gives a call what the descriptors are that came with messages, where
// the trace does not tell who has sent what.
func (c *encoder) nameReceived(e *tracefile.Event, names []ptrace.Name) {
	var list []world.Received
	for i := range names {
		n := &names[i]
		if !n.After || len(n.Link) == 0 {
			continue
		}
		if list == nil {
			if list = c.world.Received(e); len(list) == 0 {
				return
			}
		}
		k := slices.IndexFunc(list, func(r world.Received) bool { return r.FD == n.FD })
		if k < 0 || list[k].Same(n.Link) || list[k].Same(c.secrets.Link(n.Link)) {
			continue
		}
		if e.Facts == nil {
			e.Facts = &tracepb.Process{}
		}
		e.Facts.Made = append(e.Facts.Made, &tracepb.OpenFile{Fd: n.FD, Link: c.secrets.Link(n.Link)})
	}
}

// told reports whether the call itself tells that it has opened link.
func (c *encoder) told(e *tracefile.Event, link []byte) bool {
	c.paths = c.world.PathArgs(c.paths[:0], c.world.See(e.Thread), e)
	return slices.Contains(c.paths, string(link))
}

// made notes what the descriptors are that a call made, which was added last.
func (c *encoder) made(e *tracefile.Event, names []ptrace.Name) {
	for i := range names {
		if n := &names[i]; n.After {
			c.world.Seen(e.Thread, n.FD, n.Link)
		}
	}
}

// namesOf cuts off the names of the event at an index.
func namesOf(names *[]ptrace.Name, event int) []ptrace.Name {
	all := *names
	n := 0
	for n < len(all) && all[n].Event == event {
		n++
	}
	*names = all[n:]
	return all[:n]
}
