//go:build linux && (amd64 || arm64)

package ptrace

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// turns keeps threads that stop all the time from holding up the others. Among
// several that have stopped, wait takes the one that was attached to last
// (__ptrace_link in kernel/ptrace.c puts it first): as long as younger threads
// stop as fast as they are resumed, an older one would never go on. So each
// thread is asked for in its turn, often while that finds stopped ones.
type turns struct {
	left  []int // threads whose turn is still to come
	pause int   // how many stops the last turn that found none is followed by
	skip  int   // how many of them are to come
}

// maxPause bounds what turns cost where nothing is held up: a call for that many
// stops.
const maxPause = 8

// nextStop waits for any tracee or child, as waitUsage does, and lets none of them
// wait for ever.
func (e *Engine) nextStop(status *uint32, ended *unix.Rusage) (tid int, errno syscall.Errno) {
	if len(e.reaped) > 0 {
		first := e.reaped[0]
		e.reaped = e.reaped[1:]
		*status = first.status
		if ended != nil {
			*ended = first.usage
		}
		return first.tid, 0
	}
	t := &e.turns
	switch {
	case len(e.threads) <= 2: // one stops while the other is handled
	case t.skip > 0:
		t.skip--
	default:
		if tid := t.take(e.threads); tid > 0 {
			got, errno := waitUsage(tid, unix.WNOHANG, status, e.usage, ended)
			if errno == 0 && got > 0 {
				t.pause = 0
				return got, 0
			}
		}
		t.pause = min(2*t.pause+1, maxPause)
		t.skip = t.pause
	}
	return waitUsage(anyone, 0, status, e.usage, ended)
}

// take returns the thread whose turn it is, 0 if there is none.
func (t *turns) take(threads map[int]*thread) int {
	for range 2 {
		for n := len(t.left); n > 0; n = len(t.left) {
			tid := t.left[n-1]
			t.left = t.left[:n-1]
			if threads[tid] != nil {
				return tid
			}
		}
		for tid := range threads {
			t.left = append(t.left, tid)
		}
	}
	return 0
}
