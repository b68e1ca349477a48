package world

import (
	"encoding/binary"
	"slices"
	"strings"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

// Values of include/linux/socket.h.
const (
	solSocket      = 1
	scmRights      = 1
	scmPidfd       = 4
	msgPeek        = 2
	msgCtrunc      = 8
	msgCmsgCloexec = 0x40000000
)

// isMessage tells whether a call sends or receives messages that may have
// descriptors with them.
func isMessage(name string) bool {
	switch name {
	case "sendmsg", "sendmmsg", "recvmsg", "recvmmsg", "recvmmsg_time64":
		return true
	}
	return false
}

// rights is a set of descriptors under way between processes.
type rights struct {
	via   *File // the sender's socket
	files []*File
}

// maxRights bounds what is remembered of messages that nobody received.
const maxRights = 64

// sendmsg is the effect of sendmsg and sendmmsg.
func sendmsg(w *World, t *Thread, e *tracefile.Event) {
	for _, m := range messages(e, tracefile.AtEnter) {
		if len(m.rights) == 0 || m.index > 0 && int64(m.index) >= e.Ret { // not sent
			continue
		}
		r := rights{via: t.Process.File(int32(e.Args[0]))}
		for _, fd := range m.rights {
			r.files = append(r.files, t.Process.File(fd))
		}
		if len(w.rights) == maxRights {
			w.rights = append(w.rights[:0], w.rights[1:]...)
		}
		w.rights = append(w.rights, r)
	}
}

// Received is a descriptor that came with a message.
type Received struct {
	FD   int32
	File *File // nil: not known
}

// Received returns what the call e, of recvmsg, recvmmsg or recvmmsg_time64 that is not applied
// yet, has received: descriptors are the files that were sent.
func (w *World) Received(e *tracefile.Event) []Received {
	list, _ := w.received(w.See(e.Thread), w.meant(e))
	return list
}

// recvmsg is the effect of recvmsg and recvmmsg.
func recvmsg(w *World, t *Thread, e *tracefile.Event) {
	list, left := w.received(t, e)
	w.rights = left
	for _, r := range list {
		f := r.File
		if f == nil {
			f = &File{Link: numbered("received", w.num), Opened: w.num}
		}
		w.open(t.Process, r.FD, f, receiveFlags(e)&msgCmsgCloexec != 0)
	}
}

// receiveFlags returns the argument flags: recvmmsg has one more before it.
func receiveFlags(e *tracefile.Event) uint64 {
	if d := syscalls.Lookup(e.Arch, e.NR); d != nil && d.Name != "recvmsg" {
		return e.Args[3]
	}
	return e.Args[2]
}

// received gives received descriptors the files that were sent: those of the
// oldest message of the socket's other end, if it is known, else of the oldest
// with as many. It returns the messages that are then left.
func (w *World) received(t *Thread, e *tracefile.Event) (list []Received, left []rights) {
	left = w.rights
	via := t.Process.File(int32(e.Args[0]))
	peek := false
	for i, m := range messages(e, tracefile.AtExit) {
		if i == 0 {
			peek = receiveFlags(e)&msgPeek != 0
			left = slices.Clone(left)
		}
		found := -1
		for i, r := range left {
			if len(r.files) != len(m.rights) && !(m.cut && len(r.files) > len(m.rights)) || len(m.rights) == 0 {
				continue
			}
			if via != nil && r.via != nil && via.object != 0 && r.via.object == via.object {
				found = i
				break
			}
			if found < 0 && (via == nil || r.via == nil || via.object == 0 || r.via.object == 0) {
				found = i
			}
		}
		for k, fd := range m.rights {
			r := Received{FD: fd}
			if found >= 0 {
				r.File = left[found].files[k]
			}
			list = append(list, r)
		}
		if m.pidfd >= 0 {
			list = append(list, Received{m.pidfd, &File{Kind: Anon, Link: "anon_inode:[pidfd]", Opened: w.num}})
		}
		if found >= 0 && !peek {
			left = slices.Delete(left, found, found+1)
		}
	}
	return list, left
}

// Same reports whether a file that was sent can be what readlink shows of the
// descriptor that was received.
func (r *Received) Same(link []byte) bool {
	f := r.File
	switch {
	case f == nil:
		return false
	case f.Link == string(link), f.seen != "" && f.seen == string(link):
		return true
	case f.Kind == Named:
		return strings.TrimSuffix(string(link), " (deleted)") == f.Link
	}
	return f.seen == "" && strings.Contains(f.Link, "[#") && fileFromLink(string(link), 0, "").Kind == f.Kind
}

// Rights returns the descriptors that sendmsg or sendmmsg sends, known at its enter,
// or that recvmsg or recvmmsg has received.
func Rights(e *tracefile.Event, phase tracefile.Phase) (fds []int32) {
	for _, m := range messages(e, phase) {
		fds = append(fds, m.rights...)
		if m.pidfd >= 0 && phase == tracefile.AtExit {
			fds = append(fds, m.pidfd)
		}
	}
	return fds
}

// message is what goes with one message.
type message struct {
	index  int // among the call's messages
	rights []int32
	pidfd  int32 // −1: none
	cut    bool  // there was no room for all of it
}

// messages returns the messages of a call with descriptors in their control
// buffers, see cmsg(3).
func messages(e *tracefile.Event, phase tracefile.Phase) (list []message) {
	word := e.Arch.PtrSize()
	control, flags := 4*word, 6*word // msg_control and msg_flags: after name, namelen, iov, iovlen; controllen
	size := flags + word             // of struct msghdr
	for i := range e.Bufs {
		b := &e.Bufs[i]
		if b.Arg != 1 || b.Parent < 0 || int(b.Parent) >= len(e.Bufs) || b.Phase != phase || e.Bufs[b.Parent].Parent >= 0 {
			continue
		}
		heads := e.Bufs[b.Parent].Data
		m := message{pidfd: -1}
		at := int(b.Off)
		if len(heads) != size { // struct mmsghdr: a message, and its length
			m.index = at / (size + word)
			at -= m.index * (size + word)
		}
		if at != control {
			continue
		}
		if f := int(b.Off) - control + flags; f+4 <= len(heads) {
			m.cut = binary.LittleEndian.Uint32(heads[f:])&msgCtrunc != 0
		}
		if m.passed(b.Data, word); len(m.rights) > 0 || m.pidfd >= 0 {
			list = append(list, m)
		}
	}
	return list
}

// passed finds the descriptors in a control buffer.
func (m *message) passed(d []byte, word int) {
	for len(d) >= word+8 {
		n := uint64(binary.LittleEndian.Uint32(d)) // lengths fit
		if n < uint64(word+8) || n > uint64(len(d)) {
			break
		}
		if level := binary.LittleEndian.Uint32(d[word:]); level == solSocket {
			switch typ := binary.LittleEndian.Uint32(d[word+4:]); {
			case typ == scmRights:
				for p := d[word+8 : n]; len(p) >= 4; p = p[4:] {
					m.rights = append(m.rights, int32(binary.LittleEndian.Uint32(p)))
				}
			case typ == scmPidfd && n >= uint64(word+8+4):
				m.pidfd = int32(binary.LittleEndian.Uint32(d[word+8:]))
			}
		}
		next := (n + uint64(word) - 1) &^ (uint64(word) - 1)
		if next >= uint64(len(d)) {
			break
		}
		d = d[next:]
	}
}
