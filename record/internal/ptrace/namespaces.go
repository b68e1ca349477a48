//go:build linux && (amd64 || arm64)

package ptrace

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
)

// newNamespaces are the flags of clone(2), unshare(2) and setns(2) by the name of the
// namespace in /proc/PID/ns, in the order of these names.
var newNamespaces = []struct {
	name string
	flag uint64
}{
	{"cgroup", unix.CLONE_NEWCGROUP}, {"ipc", unix.CLONE_NEWIPC}, {"mnt", unix.CLONE_NEWNS}, {"net", unix.CLONE_NEWNET},
	{"pid", unix.CLONE_NEWPID}, {"time", unix.CLONE_NEWTIME}, {"user", unix.CLONE_NEWUSER}, {"uts", unix.CLONE_NEWUTS},
}

// entered returns, of a call that was to bring its thread or its child into other
// namespaces and did, those that it names, as far as they can be read.
func (e *Engine) entered(t *thread, role role, ret int64) (all []*tracepb.Namespace) {
	c := &t.call
	if ret < 0 || c.flags&tracefile.Injected != 0 {
		return nil
	}
	tid, flags := int(t.TID), c.args[0]
	switch role {
	case setnsCall:
		flags = c.args[1]
	case cloneCall:
		tid, flags = c.child, flags&^0xff // its signal
	case clone3Call:
		tid, flags = c.child, 0
		if b := c.atEnter(0); len(b) >= 8 { // struct clone_args begins with them
			flags = binary.LittleEndian.Uint64(b)
		}
	}
	for _, n := range newNamespaces {
		if flags&n.flag == 0 || tid == 0 {
			continue
		}
		if inode := e.proc.Namespace(tid, n.name); inode != 0 {
			all = append(all, &tracepb.Namespace{Name: n.name, Inode: inode})
		}
	}
	return all
}
