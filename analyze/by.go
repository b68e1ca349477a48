package analyze

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	"sysreel/proto/syscalls"
	"sysreel/proto/world"
)

// By is what calls are grouped by.
type By uint8

const (
	BySyscall By = iota
	ByProcess
	ByThread
	ByFile  // what a call names or its descriptor stands for, whatever it is
	ByDir   // the directory of the file
	ByPeer  // the address at the other end
	ByErrno // "ok" for calls that succeeded
	ByFD    // process, descriptor and what it stands for
	ByAll   // not at all: everything together
	ByWait  // what the call waits for: see [Call.Wait]
	ByPhase // when it began; analyses keep [Phases], for there is no Key before the trace's length is known
)

var byNames = [...]string{"syscall", "process", "thread", "file", "dir", "peer", "errno", "fd", "all", "wait", "phase"}

func (b By) String() string { return byNames[b] }

// ByNames lists what ParseBy understands.
func ByNames() []string { return byNames[:] }

// ParseBy understands the names of the grouping keys; "" is syscall.
func ParseBy(s string) (By, error) {
	for i, name := range byNames {
		if s == name {
			return By(i), nil
		}
	}
	switch s {
	case "":
		return BySyscall, nil
	case "directory":
		return ByDir, nil
	}
	return 0, fmt.Errorf("%w: cannot group by %q; use one of %s", ErrFilter, s, strings.Join(byNames[:], ", "))
}

// Need returns what the pass must provide for the keys.
func (b By) Need() Need {
	switch b {
	case ByFile, ByDir, ByPeer, ByFD, ByThread, ByWait:
		return NeedWorld
	}
	return NeedCore
}

// Key is the value that a call is grouped under. Keys compare with ==.
type Key struct {
	Name    string
	Wait    string         // ByWait: the kind of waiting, "futex"
	Process *world.Process // ByProcess, ByFD, ByWait
	Thread  *world.Thread  // ByThread
}

// MaxKeys bounds the keys that a result tells apart: the first ones in its order.
// The sum of the others is a row named [OtherName].
const MaxKeys = 20_000

// OtherName is what the row of what is not told apart is called.
const OtherName = "(other)"

// Key returns the key of a call; false if it has none, as a call that names no
// file has no file.
func (b By) Key(c *Call) (Key, bool) {
	switch b {
	case BySyscall:
		return Key{Name: c.Name}, true
	case ByProcess:
		return Key{Process: c.Process}, true
	case ByThread:
		return Key{Thread: c.Thread}, true
	case ByErrno:
		switch e := c.Errno(); {
		case e != 0:
			return Key{Name: syscalls.ErrnoName(e)}, true
		case c.AtLeast():
			return Key{Name: "unfinished"}, true
		}
		return Key{Name: "ok"}, true
	case ByWait:
		return c.Wait()
	case ByAll:
		return Key{Name: "all calls"}, true
	case ByFile:
		name := c.fileName()
		return Key{Name: name}, name != ""
	case ByDir:
		if paths := c.Paths(); len(paths) > 0 {
			return Key{Name: path.Dir(paths[0])}, true
		}
	case ByPeer:
		peer := c.farEnd()
		return Key{Name: peer}, peer != ""
	case ByFD:
		if fds := c.FDs(); len(fds) > 0 {
			name := strconv.Itoa(int(fds[0]))
			if f := c.Process.File(fds[0]); f != nil {
				name += "<" + f.Detail() + ">"
			}
			return Key{Process: c.Process, Name: name}, true
		}
	}
	return Key{}, false
}

// Without says of calls which of them have no key of that name: "without a file".
func Without(by string) string {
	switch by {
	case byNames[ByErrno]:
		return "without an errno"
	case byNames[ByWait]:
		return "that wait for nothing"
	case byNames[ByFD]:
		return "without a descriptor"
	case byNames[ByDir]:
		return "without a directory"
	}
	return "without a " + by
}

// fileName returns the first path of the call, else the name of what its
// descriptor stands for.
func (c *Call) fileName() string {
	if paths := c.Paths(); len(paths) > 0 {
		return paths[0]
	}
	if f := c.File(); f != nil {
		return f.Detail()
	}
	return ""
}

// Role returns the key without the numbers that differ from run to run: processes
// and threads of one name become one.
func (k Key) Role() Key {
	switch {
	case k.Wait == "child" && k.Process != nil:
		return Key{Wait: k.Wait, Name: k.Process.Name()}
	case k.Wait != "" && k.Process != nil: // without the futex's address, the epoll's number
		return Key{Wait: k.Wait, Name: "of " + k.Process.Name()}
	case k.Thread != nil:
		return Key{Name: k.Thread.Name()}
	case k.Process != nil && k.Name != "":
		return Key{Name: k.Process.Name() + " " + k.Name}
	case k.Process != nil:
		return Key{Name: k.Process.Name()}
	}
	return k
}

// String returns the key as it is shown: "nginx[42]", "nginx/43", "/etc/passwd",
// "futex 0x7f00 of nginx[42]". Processes are called what they ran last.
func (k Key) String() string {
	switch {
	case k.Wait != "":
		return k.waitText()
	case k.Thread != nil:
		return k.Thread.Name() + "/" + strconv.Itoa(int(k.Thread.TID))
	case k.Process != nil && k.Name != "":
		return k.Process.Label() + " " + k.Name
	case k.Process != nil:
		return k.Process.Label()
	}
	return k.Name
}

func (k Key) waitText() string {
	text := k.Wait
	if k.Name != "" {
		text += " " + k.Name
	}
	switch {
	case k.Process == nil:
	case k.Wait == "child":
		text += " " + k.Process.Label()
	default:
		text += " of " + k.Process.Label()
	}
	return text
}
