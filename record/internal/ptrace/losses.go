//go:build linux && (amd64 || arm64)

package ptrace

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"sysreel/proto/tracepb"
)

// tally is a kind of loss that may come by the thousand: such are added up, and
// told with the block in which they happened.
type tally struct {
	reason tracepb.Loss_Reason
	detail string
}

// count adds to a tally. The loss names the thread if there was but one.
func (e *Engine) count(t *thread, what tally, n uint64, now int64) {
	l := e.tallies[what]
	if l == nil {
		if e.tallies == nil {
			e.tallies = make(map[tally]*tracepb.Loss)
		}
		l = &tracepb.Loss{Reason: what.reason, Detail: what.detail, Thread: uint32(t.ID), FirstNs: now}
		e.tallies[what] = l
	}
	if l.Thread != uint32(t.ID) {
		l.Thread = 0
	}
	l.LastNs = now
	l.Count += n
	e.dirty = true
}

// tellTallies records the tallies as losses, and begins new ones.
func (e *Engine) tellTallies() {
	var all []*tracepb.Loss
	for what, l := range e.tallies {
		all = append(all, l)
		delete(e.tallies, what)
	}
	slices.SortFunc(all, func(x, y *tracepb.Loss) int {
		return cmp.Or(cmp.Compare(x.Reason, y.Reason), cmp.Compare(x.Detail, y.Detail))
	})
	for _, l := range all {
		e.loss(l)
	}
}

// countUnread notes the pieces of a call's memory that could not be read. A
// call that fails with EFAULT tells by that itself.
func (e *Engine) countUnread(t *thread, ret, now int64) {
	if ret == -int64(unix.EFAULT) {
		return
	}
	n := uint64(0)
	for i := range t.call.mem.Bufs {
		if t.call.mem.Bufs[i].Faulted {
			n++
		}
	}
	if n > 0 {
		e.count(t, tally{tracepb.Loss_UNREADABLE, t.call.entry.desc.Name}, n, now)
	}
}

// leftAlone notes a child that is not followed because nobody wants it.
func (e *Engine) leftAlone(t *thread, r role, now int64) {
	flags := uint64(0)
	switch r {
	case cloneCall:
		flags = t.call.args[0]
	case clone3Call: // struct clone_args begins with the flags
		flags, _ = e.capturer.Word(int(t.TID), t.call.args[0])
	}
	if flags&(cloneThread|cloneUntraced) == 0 {
		e.count(t, tally{tracepb.Loss_LEFT_ALONE, "children of recorded processes"}, 1, now)
	}
}

// Details of losses by io_uring.
const (
	ringsMade     = "rings set up"
	ringsPolled   = "rings set up that a kernel thread polls (SQPOLL)"
	ringsOpen     = "rings open when recording began"
	ringSubmitted = "operations submitted"
)

// uringSetup notes a new ring: what is submitted to it is no system call.
func (e *Engine) uringSetup(t *thread, now int64) {
	const (
		flagsAt = 8      // in struct io_uring_params, include/uapi/linux/io_uring.h
		sqpoll  = 1 << 1 // IORING_SETUP_SQPOLL
	)
	detail := ringsMade
	if flags, ok := e.capturer.Word(int(t.TID), t.call.args[1]+flagsAt); ok && flags&sqpoll != 0 {
		detail = ringsPolled
	}
	e.count(t, tally{tracepb.Loss_IO_URING, detail}, 1, now)
}

// ringsOf notes the rings that a process has when it is first seen.
func (e *Engine) ringsOf(t *thread, facts *tracepb.Process, now int64) {
	n := uint64(0)
	for _, f := range facts.GetFiles() {
		if bytes.Equal(f.Link, []byte("anon_inode:[io_uring]")) {
			n++
		}
	}
	if n > 0 {
		e.count(t, tally{tracepb.Loss_IO_URING, ringsOpen}, n, now)
	}
}

// checkForeign tells of a program of which only the numbers of the calls are
// known: they are recorded so if all calls are, and cannot be selected by name.
func (e *Engine) checkForeign(t *thread, facts *tracepb.Process, now int64) {
	if !foreign(int(t.TID)) {
		return
	}
	what := "its calls are recorded by number, without names and memory"
	if e.cfg.Selected != nil {
		what = "none of its calls are recorded, for their names are not known"
		e.count(t, tally{tracepb.Loss_UNSEEN_CALLS, "32-bit ARM programs, whose calls have no names here"}, 1, now)
	}
	if e.cfg.Warn != nil {
		e.cfg.Warn(fmt.Sprintf("%s (process %d) is a 32-bit ARM program: %s", facts.GetExe(), t.TGID, what))
	}
}
