//go:build linux && (amd64 || arm64)

package ptrace

import (
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"

	"sysreel/proto/tracefile"
	"sysreel/proto/world"
)

// smallRead is up to which size data is read for a fingerprint without asking
// what it comes from: that would cost more, and the encoder knows.
const smallRead = 4 << 10

// printed tells whether a fingerprint is to be made of what a call has read.
// The encoder drops those of what is not a file.
func (e *Engine) printed(t *thread, ret int64) bool {
	const tampered = tracefile.Injected | tracefile.Poked // it is not the file's
	if e.cfg.Fingerprint <= 0 || ret <= int64(e.cfg.Snap) || t.call.flags&tampered != 0 || e.slow(t) {
		return false
	}
	return ret <= smallRead || e.stored(t, int32(t.call.args[0]))
}

// stored tells whether a descriptor is of a file with content, by its name: the
// file itself may be served by a program that is being recorded. The answer is
// kept until the process makes a call that may change it.
func (e *Engine) stored(t *thread, fd int32) bool {
	return e.kept(&t.proc.stored, fd, func() bool { return world.StoredAt(string(e.readLink(t, fd))) })
}

// kept returns what answers has of a descriptor, else what ask says, and keeps that.
func (e *Engine) kept(answers *map[int32]bool, fd int32, ask func() bool) bool {
	all := e.cfg.Selected == nil // else calls that change descriptors may not be seen
	if is, ok := (*answers)[fd]; ok && all {
		return is
	}
	if *answers == nil {
		*answers = make(map[int32]bool)
	}
	is := ask()
	(*answers)[fd] = is
	return is
}

// readLink returns what readlink of /proc/PID/fd/N shows, or of its working
// directory, valid until the next call; nil: there is nothing.
func (e *Engine) readLink(t *thread, fd int32) []byte {
	n := &e.naming
	path := e.fdPath(t, fd)
	at := unix.AT_FDCWD
	size, _, errno := unix.RawSyscall6(unix.SYS_READLINKAT, uintptr(at), uintptr(unsafe.Pointer(&path[0])),
		uintptr(unsafe.Pointer(&n.link[0])), uintptr(len(n.link)), 0, 0)
	if errno != 0 {
		return nil
	}
	return n.link[:size]
}

// fdPath returns the path of /proc/PID/fd/N, or of the working directory, with a
// NUL behind it, valid until the next call.
func (e *Engine) fdPath(t *thread, fd int32) []byte {
	n := &e.naming
	n.path = strconv.AppendInt(append(n.path[:0], "/proc/"...), int64(t.TID), 10)
	if fd == world.Cwd {
		n.path = append(n.path, "/cwd\x00"...)
	} else {
		n.path = append(strconv.AppendInt(append(n.path, "/fd/"...), int64(fd), 10), 0)
	}
	return n.path
}
