// Package analyze passes over a trace and hands every call, with the world it
// happened in, to an analysis. It reads nothing of the machine it runs on, and
// knows nothing of recording.
package analyze

import (
	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
	"sysreel/proto/world"
)

// Call is one event of a trace: mostly a system call, but also a signal, the
// start, exec or end of a thread; [Call.IsCall] tells. It is valid until the
// function it was handed to returns, and so is everything reached from it but
// strings, Desc, Thread and Process.
//
// With [NeedCore] calls have neither Args nor Bufs; the other events have.
type Call struct {
	*tracefile.Event
	Name    string         // "openat"; "SIGCHLD" of signals and stops; else ""
	Desc    *syscalls.Desc // of the call, without its variant; nil if not known
	Thread  *world.Thread
	Process *world.Process // as it was before the call

	world *world.World
	meta  *shapeMeta
	paths []string
	fds   []int32
	known bool // paths and fds have been computed
}

// Shape returns a small number, from 0, of the event's kind, architecture and
// call number within the pass: an index for caches.
func (c *Call) Shape() int { return c.meta.id }

// IsCall reports whether the event is a system call, finished or not.
func (c *Call) IsCall() bool {
	return isCall(c.Kind)
}

func isCall(k tracefile.Kind) bool {
	return k == tracefile.Syscall || k == tracefile.Unfinished || k == tracefile.InFlight
}

// AtLeast reports whether the call's end was not seen: its duration is then at
// least what Duration says, and it has no result.
func (c *Call) AtLeast() bool {
	return c.Kind == tracefile.Unfinished || c.Kind == tracefile.InFlight
}

// Returns reports whether the call is of a kind that returns: exit and
// exit_group do not, so their durations mean nothing.
func (c *Call) Returns() bool { return c.Desc == nil || !c.Desc.NoReturn }

// Received returns the descriptors that came with the messages that the call has
// received, with what the trace tells of them. What it leads to changes with the
// next event.
func (c *Call) Received() []world.Received {
	if c.world == nil {
		return nil
	}
	return c.world.Received(c.Event)
}

// Failed reports whether the call returned an error.
func (c *Call) Failed() bool { return c.Errno() != 0 }

// look computes what the call names.
func (c *Call) look() {
	if c.known {
		return
	}
	c.known = true
	c.paths, c.fds = c.paths[:0], c.fds[:0]
	if c.world == nil || !c.IsCall() {
		return
	}
	c.paths = c.world.PathArgs(c.paths, c.Thread, c.Event)
	c.fds = c.world.FDArgs(c.fds, c.Event)
	for _, fd := range c.fds {
		if f := c.Process.File(fd); f != nil && f.Kind == world.Named && !(len(c.paths) > 0 && c.isDir(fd)) {
			c.paths = append(c.paths, f.Path)
		}
	}
}

// isDir reports whether the descriptor only says what a path is relative to.
func (c *Call) isDir(fd int32) bool {
	if c.Desc == nil {
		return false
	}
	for i := range c.Desc.Args {
		if a := &c.Desc.Args[i]; a.Type != nil && a.Type.Name == "dirfd" && int32(c.Args[a.Reg]) == fd {
			return true
		}
	}
	return false
}

// Paths returns what the call acts on by name: the paths among its arguments,
// absolute where the working directory or directory descriptor is known, then
// those behind its descriptors. It needs [NeedWorld].
func (c *Call) Paths() []string {
	c.look()
	return c.paths
}

// FDs returns the descriptors among the call's arguments, in order. It needs
// [NeedBuffers].
func (c *Call) FDs() []int32 {
	c.look()
	return c.fds
}

// File returns what the call's first descriptor stands for, nil if it has none
// or that is not known. It needs [NeedWorld].
func (c *Call) File() *world.File {
	if fds := c.FDs(); len(fds) > 0 {
		return c.Process.File(fds[0])
	}
	return nil
}

// Peer returns the address that the call talks to: the one in its arguments
// (connect, sendto, recvfrom, accept; of bind and getsockname the socket's own),
// else that of the socket behind its descriptor; "" if none. It needs
// [NeedWorld].
func (c *Call) Peer() string {
	if c.meta != nil && c.meta.addr >= 0 {
		for i := range c.Bufs {
			if b := &c.Bufs[i]; b.Parent < 0 && b.Arg == c.meta.addr {
				if a := world.SockAddr(b.Data); a != "" {
					return a
				}
			}
		}
	}
	return c.socketPeer()
}

// farEnd is [Call.Peer] without the socket's own address.
func (c *Call) farEnd() string {
	if c.meta != nil && c.meta.own {
		return c.socketPeer()
	}
	return c.Peer()
}

func (c *Call) socketPeer() string {
	if f := c.File(); f != nil && f.Kind == world.Socket {
		return f.Peer
	}
	return ""
}

// Flow says which way a call moves bytes.
type Flow uint8

const (
	NoFlow  Flow = iota
	Read         // from the object to the caller
	Written      // from the caller to the object
)

// Bytes returns how many bytes the call moved through a descriptor, and which
// way. Calls that move none, or failed, return 0.
func (c *Call) Bytes() (int64, Flow) {
	if c.meta == nil || c.meta.flow == NoFlow || c.Kind != tracefile.Syscall || c.Flags&(tracefile.NoResult|tracefile.Injected) != 0 || c.Ret <= 0 {
		return 0, NoFlow
	}
	return c.Ret, c.meta.flow
}
