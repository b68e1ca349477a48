//go:build linux && (amd64 || arm64)

package ptrace

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"sysreel/record/internal/capture"
)

// whole makes the capturer keep all of a call's data if that is asked for of its
// descriptor, and netlink messages: they are structures, which are cut nowhere.
// It returns what it was to keep.
func (e *Engine) whole(t *thread) (usual capture.Keep) {
	c := &t.call
	usual = e.capturer.Keep
	if c.entry.desc == nil || !c.entry.takesFD {
		return usual
	}
	fd := int32(c.args[0])
	if e.cfg.WholeRead != nil && e.cfg.WholeRead(fd) || e.cfg.WholeWritten != nil && e.cfg.WholeWritten(fd) ||
		c.entry.messages && usual.Snap >= 0 && e.netlink(t, fd) {
		e.capturer.Keep = capture.Keep{Snap: capture.Whole, Written: capture.Whole}
	}
	return usual
}

// netlink tells whether a descriptor is of a netlink socket. The answer is kept
// until the process makes a call that may change it.
func (e *Engine) netlink(t *thread, fd int32) bool {
	return e.kept(&t.proc.netlink, fd, func() bool { return e.protocol(t, fd) == "NETLINK" })
}

var protocolName = []byte("system.sockprotoname\x00")

// protocol returns the protocol family of a socket as the kernel names it, "" of
// what is no socket (sockfs_xattr_handlers in net/socket.c).
func (e *Engine) protocol(t *thread, fd int32) string {
	var name [32]byte // as struct proto has it, with its NUL
	path := e.fdPath(t, fd)
	n, _, errno := unix.RawSyscall6(unix.SYS_GETXATTR, uintptr(unsafe.Pointer(&path[0])), uintptr(unsafe.Pointer(&protocolName[0])),
		uintptr(unsafe.Pointer(&name[0])), uintptr(len(name)), 0, 0)
	if errno != 0 || n == 0 {
		return ""
	}
	return unix.ByteSliceToString(name[:n])
}
