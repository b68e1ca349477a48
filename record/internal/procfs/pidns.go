//go:build linux && (amd64 || arm64)

package procfs

import (
	"bytes"

	"golang.org/x/sys/unix"

	"sysreel/proto/tracepb"
)

// Inner returns the numbers of a thread in the PID namespaces below this process's,
// its own first; nil if it is in this one (pid_namespaces(7)).
func (r *Reader) Inner(tid int) []*tracepb.InnerID {
	ids := r.numbers(tid)[0]
	if len(ids) < 2 {
		return nil
	}
	var all []*tracepb.InnerID
	for i, inode := range r.pidNamespaces(tid, len(ids)-1) {
		all = append(all, &tracepb.InnerID{Namespace: inode, Tid: ids[len(ids)-1-i]})
	}
	return all
}

// numbers returns those of a thread, its process group and its session in the PID
// namespaces from that of /proc to the thread's own (proc_pid_status(5)).
func (r *Reader) numbers(tid int) (all [3][]int32) {
	for line := range bytes.Lines(r.file(tid, "status")) {
		for i, name := range []string{"NSpid:", "NSpgid:", "NSsid:"} {
			rest, ok := bytes.CutPrefix(line, []byte(name))
			if !ok {
				continue
			}
			for _, f := range bytes.Fields(rest) {
				all[i] = append(all[i], int32(atoi(f)))
			}
		}
	}
	return all
}

// pidNamespaces returns the inodes of a thread's PID namespace and of those above
// it, n at most.
func (r *Reader) pidNamespaces(tid, n int) (inodes []uint64) {
	fd, err := unix.Open(r.name(tid, "ns/pid"), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	for err == nil {
		var st unix.Stat_t
		above := -1
		if err = unix.Fstat(fd, &st); err == nil {
			inodes = append(inodes, st.Ino)
			if len(inodes) < n {
				above, err = unix.IoctlRetInt(fd, unix.NS_GET_PARENT)
			}
		}
		unix.Close(fd)
		if fd = above; fd < 0 {
			break
		}
	}
	return inodes
}

// Namespaces finds processes by numbers in other PID namespaces. It must not be used
// concurrently.
type Namespaces struct {
	r     Reader
	found map[inner]int // the thread by which it was found
}

type inner struct {
	namespace uint64
	id        int32
}

// Outer returns what this process calls the thread, process group or session that
// has a number in a PID namespace; 0 if there is none.
func (n *Namespaces) Outer(namespace uint64, id int32) int32 {
	key := inner{namespace, id}
	if outer := n.outer(n.found[key], key); outer != 0 {
		return outer
	}
	for _, pid := range Processes() {
		for _, tid := range Threads(pid) {
			if outer := n.outer(tid, key); outer != 0 {
				if n.found == nil || len(n.found) >= maxFound {
					n.found = make(map[inner]int)
				}
				n.found[key] = tid
				return outer
			}
		}
	}
	return 0
}

// maxFound bounds what is remembered.
const maxFound = 4096

// outer is Outer as far as one thread tells.
func (n *Namespaces) outer(tid int, key inner) int32 {
	if tid == 0 {
		return 0
	}
	for _, ids := range n.r.numbers(tid) {
		for i := 1; i < len(ids); i++ {
			if ids[i] != key.id {
				continue
			}
			up := len(ids) - 1 - i // from the thread's own
			if spaces := n.r.pidNamespaces(tid, up+1); len(spaces) > up && spaces[up] == key.namespace {
				return ids[0]
			}
		}
	}
	return 0
}
