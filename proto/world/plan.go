package world

import (
	"bytes"
	"encoding/binary"
	"path"
	"slices"
	"strings"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

// plan is what a call's description means to the world; computed once a call.
type plan struct {
	fds    []int8 // registers that hold descriptors
	polls  int8   // argument that is an array of pollfd, or −1
	paths  []pathArg
	effect effect
	// evenFailed: the effect looks at failed calls too (connect in progress).
	evenFailed bool
	// receives: the descriptors that it makes came with messages.
	receives bool
}

// pathArg is a path argument and the register of the directory descriptor it
// is relative to, −1 for the working directory.
type pathArg struct{ arg, dir int8 }

// effect changes the world as a returned call did. It runs for successful calls
// only, unless the plan says otherwise.
type effect func(w *World, t *Thread, e *tracefile.Event)

// idle is the plan of calls that mention nothing and change nothing.
var idle = &plan{}

func newPlan(d *syscalls.Desc) *plan {
	if d == nil {
		return idle
	}
	pl := &plan{polls: -1, effect: effects[d.Name]}
	pl.receives = isMessage(d.Name) && strings.HasPrefix(d.Name, "recv")
	pl.evenFailed = d.Name == "connect" || d.Name == "close"
	dir := int8(-1)
	for i := range d.Args {
		a := &d.Args[i]
		if a.Type == nil {
			continue
		}
		switch {
		case a.Type.Name == "fd" && a.Type.Kind != syscalls.Pointer: // pipe gives descriptors back
			pl.fds = append(pl.fds, int8(a.Reg))
		case a.Type.Name == "dirfd":
			pl.fds = append(pl.fds, int8(a.Reg))
			dir = int8(a.Reg)
		case isPath(a.Type):
			pl.paths = append(pl.paths, pathArg{int8(a.Reg), dir})
			dir = -1
		case a.Type.Kind == syscalls.Pointer && elemName(a.Type) == "pollfd":
			pl.polls = int8(a.Reg)
		}
	}
	if pl.effect == nil && d.Ret != nil && d.Ret.Name == "fd" {
		switch {
		case len(pl.paths) > 0:
			pl.effect = openPath
		default:
			pl.effect = openOther(d.Name)
		}
	}
	if pl.effect == nil && len(pl.fds) == 0 && len(pl.paths) == 0 && pl.polls < 0 {
		return idle
	}
	return pl
}

// Changes reports whether a call can change the world when it returns. Others
// need not be applied, save to note what they mention.
func Changes(arch syscalls.Arch, nr uint32) bool {
	d := syscalls.Lookup(arch, nr)
	return d != nil && newPlan(d).effect != nil
}

func isPath(t *syscalls.Type) bool {
	if t.Kind == syscalls.Pointer && t.Elem != nil && t.Dir == syscalls.In {
		t = t.Elem
	}
	return t.Kind == syscalls.String && t.Name == "path"
}

// elemName returns the name of what a pointer leads to, through an array.
func elemName(t *syscalls.Type) string {
	e := t.Elem
	if e != nil && e.Kind == syscalls.Array && e.Elem != nil {
		e = e.Elem
	}
	if e == nil {
		return ""
	}
	return e.Name
}

// atFDCWD is AT_FDCWD, include/uapi/linux/fcntl.h.
const atFDCWD = -100

// Resolve makes a path of the process absolute, relative to the directory
// descriptor dir (AT_FDCWD: the working directory), and cleans it. What cannot
// be known stays relative.
func (p *Process) Resolve(dir int32, name string) string {
	if strings.HasPrefix(name, "/") {
		return clean(name)
	}
	base := p.base(dir)
	switch {
	case name == "":
		return base // AT_EMPTY_PATH
	case base == "":
		return name
	}
	return clean(base + "/" + name)
}

// base returns what paths are relative to, "" if that is not known.
func (p *Process) base(dir int32) string {
	if dir == atFDCWD {
		return p.Cwd()
	}
	if f := p.File(dir); f != nil && f.Kind == Named {
		return f.Path
	}
	return ""
}

// clean is path.Clean without work for what is clean already.
func clean(name string) string {
	if !strings.Contains(name, "//") && !strings.Contains(name, "/.") && (len(name) == 1 || !strings.HasSuffix(name, "/")) {
		return name
	}
	return path.Clean(name)
}

// resolve appends the call's path arguments, made absolute as by
// [Process.Resolve].
func (w *World) resolve(dst []string, pl *plan, p *Process, e *tracefile.Event) []string {
	for _, a := range pl.paths {
		data, ok := arg(e, a.arg, tracefile.AtEnter)
		if !ok {
			continue
		}
		if i := bytes.IndexByte(data, 0); i >= 0 {
			data = data[:i]
		}
		name := ""
		if len(data) == 0 || data[0] != '/' {
			dir := int32(atFDCWD)
			if a.dir >= 0 {
				dir = int32(e.Args[a.dir])
			}
			switch base := p.base(dir); {
			case len(data) == 0:
				name = base
			case base == "":
				name = w.text(data)
			default:
				w.path = append(append(append(w.path[:0], base...), '/'), data...)
				name = clean(w.text(w.path))
			}
		} else {
			name = clean(w.text(data))
		}
		if name != "" {
			dst = append(dst, name)
		}
	}
	return dst
}

// text returns b as a string, the same one for what comes again soon.
func (w *World) text(b []byte) string {
	h := uint64(len(b))
	if n := len(b); n >= 8 {
		h ^= binary.LittleEndian.Uint64(b[n-8:])
	}
	slot := &w.texts[h*0x9E3779B97F4A7C15>>(64-textBits)]
	if *slot != string(b) {
		*slot = string(b)
	}
	return *slot
}

// maxShared is the length from which texts are not worth looking for.
const maxShared = 1 << 12

// list returns the texts, those of a recent call if they are the same: programs
// are run again and again with the same arguments. The result is shared.
func (w *World) list(texts [][]byte) []string {
	h := uint64(len(texts))
	for _, b := range texts {
		h = h*0x100000001B3 ^ uint64(len(b))
		if n := len(b); n >= 8 {
			h ^= binary.LittleEndian.Uint64(b[n-8:])
		} else if n > 0 {
			h ^= uint64(b[n-1])
		}
	}
	slot := &w.lists[h*0x9E3779B97F4A7C15>>(64-listBits)]
	if slices.EqualFunc(*slot, texts, func(s string, b []byte) bool { return s == string(b) }) && *slot != nil {
		return *slot
	}
	list := make([]string, len(texts))
	for i, b := range texts {
		if len(b) < maxShared {
			list[i] = w.text(b)
		} else {
			list[i] = string(b)
		}
	}
	*slot = list
	return list
}

// PathArgs appends the paths that the call names in its arguments, absolute
// where that can be known.
func (w *World) PathArgs(dst []string, t *Thread, e *tracefile.Event) []string {
	if e.Kind != tracefile.Syscall && e.Kind != tracefile.Unfinished && e.Kind != tracefile.InFlight {
		return dst
	}
	if pl := w.plan(e.Arch, e.NR); pl != nil && len(pl.paths) > 0 {
		return w.resolve(dst, pl, t.Process, e)
	}
	return dst
}

// FDArgs appends the descriptors that the call names in its arguments, in
// order, AT_FDCWD and other negative ones left out.
func (w *World) FDArgs(dst []int32, e *tracefile.Event) []int32 {
	if e.Kind != tracefile.Syscall && e.Kind != tracefile.Unfinished && e.Kind != tracefile.InFlight {
		return dst
	}
	e = w.meant(e)
	if pl := w.plan(e.Arch, e.NR); pl != nil {
		for _, r := range pl.fds {
			if fd := int32(e.Args[r]); fd >= 0 {
				dst = append(dst, fd)
			}
		}
	}
	return dst
}

// arg returns the memory copied for an argument.
func arg(e *tracefile.Event, reg int8, phase tracefile.Phase) ([]byte, bool) {
	for i := range e.Bufs {
		if b := &e.Bufs[i]; b.Arg == reg && b.Parent < 0 && b.Phase == phase {
			return b.Data, true
		}
	}
	return nil, false
}

func cString(b []byte) string {
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}
