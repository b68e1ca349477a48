//go:build linux && (amd64 || arm64)

package ptrace

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
	"sysreel/proto/world"
	"sysreel/record/internal/selinux"
)

// Security contexts are read when text would show them: those of a thread, of
// descriptors and of the files that paths name as the call begins, those of what the
// call returned when it has. The files are looked up as the thread would find them.

// contexts reads security contexts.
type contexts struct {
	policy *selinux.Files // tells what they are to be; nil: that is not asked for
	known  map[string]string
	path   []byte // with a NUL
	value  [4096]byte
}

// maxContexts bounds how many different contexts are remembered.
const maxContexts = 4096

func newContexts(policy *selinux.Files) *contexts {
	return &contexts{policy: policy, known: make(map[string]string)}
}

// text returns a value that was read, up to a NUL, as a string that is kept.
func (c *contexts) text(n int) string {
	b := c.value[:n]
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	s, ok := c.known[string(b)]
	if !ok {
		if len(c.known) >= maxContexts {
			clear(c.known)
		}
		s = string(b)
		c.known[s] = s
	}
	return s
}

// ofThread appends the context of a thread, if it has one: if the kernel has such a
// security module.
func (c *contexts) ofThread(dst []tracefile.Secontext, tid int32) []tracefile.Secontext {
	c.path = strconv.AppendInt(append(c.path[:0], "/proc/"...), int64(tid), 10)
	c.path = append(c.path, "/attr/current\x00"...)
	at := unix.AT_FDCWD
	fd, _, errno := unix.RawSyscall6(unix.SYS_OPENAT, uintptr(at), uintptr(unsafe.Pointer(&c.path[0])), unix.O_RDONLY|unix.O_CLOEXEC, 0, 0, 0)
	if errno != 0 {
		return dst
	}
	n, _, errno := unix.RawSyscall(unix.SYS_READ, fd, uintptr(unsafe.Pointer(&c.value[0])), uintptr(len(c.value)))
	_, _, _ = unix.RawSyscall(unix.SYS_CLOSE, fd, 0, 0)
	if errno != 0 {
		return dst
	}
	return append(dst, tracefile.Secontext{Of: tracefile.OfThread, Context: c.text(int(n))})
}

var selinuxName = []byte("security.selinux\x00")

// ofFile returns the context of the file that c.path names, or of the symbolic link
// if it is one and is not to be followed.
func (c *contexts) ofFile(follow bool) (context string, ok bool) {
	call := uintptr(unix.SYS_LGETXATTR)
	if follow {
		call = unix.SYS_GETXATTR
	}
	n, _, errno := unix.RawSyscall6(call, uintptr(unsafe.Pointer(&c.path[0])), uintptr(unsafe.Pointer(&selinuxName[0])),
		uintptr(unsafe.Pointer(&c.value[0])), uintptr(len(c.value)), 0, 0)
	if errno != 0 || n == 0 {
		return "", false
	}
	return c.text(int(n)), true
}

// find adds to the call's contexts that of the file that c.path names.
func (c *contexts) find(call *call, s tracefile.Secontext, follow bool) {
	var ok bool
	if s.Context, ok = c.ofFile(follow); !ok {
		return
	}
	if c.policy != nil {
		if expected := c.policy.Expected(string(c.path[:len(c.path)-1]), follow); expected != s.Context {
			s.Expected = expected
		}
	}
	call.contexts = append(call.contexts, s)
}

// contextOfFD notes the context of a descriptor.
func (e *Engine) contextOfFD(t *thread, fd int32, after bool) {
	c := e.contexts
	of := tracefile.OfFD
	if after {
		of = tracefile.OfFDAfter
	}
	if slices.ContainsFunc(t.call.contexts, func(s tracefile.Secontext) bool { return s.Of == of && s.At == fd }) {
		return
	}
	c.path = append(c.path[:0], e.fdPath(t, fd)...)
	c.find(&t.call, tracefile.Secontext{Of: of, At: fd}, true)
}

// contextOfPath notes the context of the file that a path names, which lies in a
// piece of the call's memory. dir is what it is relative to: a descriptor, or
// world.Cwd.
func (e *Engine) contextOfPath(t *thread, piece, off int, path []byte, dir int32) {
	c := e.contexts
	find := func(path []byte) {
		c.path = strconv.AppendInt(append(c.path[:0], "/proc/"...), int64(t.TID), 10)
		switch {
		case len(path) > 0 && path[0] == '/':
			c.path = append(c.path, "/root"...)
		case dir == world.Cwd:
			c.path = append(c.path, "/cwd/"...)
		default:
			c.path = append(strconv.AppendInt(append(c.path, "/fd/"...), int64(dir), 10), '/')
		}
		c.path = append(append(c.path, path...), 0)
		c.find(&t.call, tracefile.Secontext{Of: tracefile.OfPath, At: int32(piece), Off: uint32(off)}, false)
	}
	if dir < 0 && dir != world.Cwd && (len(path) == 0 || path[0] != '/') {
		return
	}
	n := len(t.call.contexts)
	own := ownProc(path, t.TID)
	if find(own); len(t.call.contexts) == n && len(own) != len(path) {
		find(path) // it is in no /proc
	}
}

// ownProc puts the number of a thread in place of "self" in paths below /proc/self,
// which is the recorder where it looks them up.
func ownProc(path []byte, tid int32) []byte {
	const self = "/proc/self"
	rest, out := path, []byte(nil)
	for {
		i := bytes.Index(rest, []byte(self))
		if i < 0 {
			break
		}
		end := i + len(self)
		out = append(out, rest[:end]...)
		if rest = rest[end:]; len(rest) == 0 || rest[0] == '/' {
			out = strconv.AppendInt(out[:len(out)-len("self")], int64(tid), 10)
		}
	}
	if out == nil {
		return path
	}
	return append(out, rest...)
}

// contextArgs reads, as the call begins, the contexts of its thread and of the files
// that its paths name.
func (e *Engine) contextArgs(t *thread) {
	c := &t.call
	c.contexts = e.contexts.ofThread(c.contexts, t.TID)
	for _, f := range c.entry.refs.Files {
		dir := int32(world.Cwd)
		if f.Dir >= 0 {
			dir = int32(c.args[f.Dir])
		}
		e.contextOfRoot(t, f.Arg, tracefile.AtEnter, 0, dir)
	}
	e.contextOfAddresses(t, tracefile.AtEnter)
}

// contextMade reads, when the call has returned, the contexts of the files that it
// tells the names of.
func (e *Engine) contextMade(t *thread, ret int64) {
	c := &t.call
	if c.entry.desc == nil || ret < 0 {
		return
	}
	switch name := c.entry.desc.Name; {
	case name == "getcwd":
		e.contextOfRoot(t, 0, tracefile.AtExit, 0, world.Cwd)
	case name == "getdents64":
		const inode = 8 // bytes, and of an offset, struct linux_dirent64
		e.contextOfEntries(t, 2*inode, 2*inode+3)
	case name == "getdents":
		width := c.arch.PtrSize()
		e.contextOfEntries(t, 2*width, 2*width+2)
	}
	e.contextOfAddresses(t, tracefile.AtExit)
}

// piece returns the memory behind an argument and its index; −1: there is none.
func (c *call) piece(reg int8, phase tracefile.Phase) (int, []byte) {
	for i := range c.mem.Bufs {
		if b := &c.mem.Bufs[i]; b.Arg == reg && b.Parent < 0 && b.Phase == phase {
			return i, b.Data
		}
	}
	return -1, nil
}

// contextOfRoot reads the context of the file whose path an argument points to.
func (e *Engine) contextOfRoot(t *thread, reg int8, phase tracefile.Phase, off int, dir int32) {
	piece, data := t.call.piece(reg, phase)
	if end := bytes.IndexByte(data, 0); end >= off {
		e.contextOfPath(t, piece, off, data[off:end], dir)
	}
}

// contextOfEntries reads the contexts of a directory's entries: their length stands
// at an offset, their name at another.
func (e *Engine) contextOfEntries(t *thread, length, name int) {
	piece, data := t.call.piece(1, tracefile.AtExit)
	for at := 0; at+name < len(data); {
		size := int(binary.LittleEndian.Uint16(data[at+length:]))
		if size <= name || at+size > len(data) {
			return
		}
		text := data[at+name : at+size]
		if end := bytes.IndexByte(text, 0); end >= 0 {
			e.contextOfPath(t, piece, at+name, text[:end], int32(t.call.args[0]))
		}
		at += size
	}
}

// contextOfAddresses reads the contexts of the files that addresses of UNIX sockets
// name.
func (e *Engine) contextOfAddresses(t *thread, phase tracefile.Phase) {
	c := &t.call
	if c.entry.desc == nil {
		return
	}
	for i := range c.entry.desc.Args {
		a := &c.entry.desc.Args[i]
		if a.Type == nil || a.Type.Kind != syscalls.Pointer || a.Type.Elem == nil {
			continue
		}
		switch a.Type.Elem.Name {
		case "sockaddr":
			if piece, data := c.piece(int8(a.Reg), phase); piece >= 0 {
				e.contextOfAddress(t, piece, data)
			}
		case "msghdr": // begins with the pointer to one
			root, _ := c.piece(int8(a.Reg), phase)
			for k := range c.mem.Bufs {
				if b := &c.mem.Bufs[k]; int(b.Parent) == root && root >= 0 && b.Off == 0 && b.Phase == phase {
					e.contextOfAddress(t, k, b.Data)
				}
			}
		}
	}
}

// contextOfAddress does so for one address.
func (e *Engine) contextOfAddress(t *thread, piece int, address []byte) {
	const path = 2 // offset of sun_path in struct sockaddr_un
	if len(address) <= path || binary.LittleEndian.Uint16(address) != unix.AF_UNIX || address[path] == 0 {
		return
	}
	name := address[path:min(len(address), unix.SizeofSockaddrUnix)]
	if end := bytes.IndexByte(name, 0); end >= 0 {
		name = name[:end]
	}
	e.contextOfPath(t, piece, path, name, world.Cwd)
}
