//go:build linux && (amd64 || arm64)

package ptrace

import (
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"sysreel/record/internal/procfs"
)

// requests are functions that other goroutines have the engine's thread run
// between two stops.
type requests struct {
	queue   chan func()
	waiting atomic.Int32  // callers of Do that have yet to be served
	release chan struct{} // closed by Release: nothing more will be asked for
	stopped chan struct{} // closed by Stop
	over    chan struct{} // closed when Run has returned
}

func newRequests() requests {
	return requests{
		queue:   make(chan func()),
		release: make(chan struct{}), stopped: make(chan struct{}), over: make(chan struct{}),
	}
}

// wakeAgain is how long to wait for the engine before it is sent another
// signal: one that comes just before wait4 is lost.
const wakeAgain = 5 * time.Millisecond

// Do runs fn on the engine's thread, with the engine at rest, and returns when
// it has. It reports false, and fn is not run, if Run has returned or does so
// first. It may be called from any goroutine, but not by fn.
func (e *Engine) Do(fn func()) bool {
	r := &e.requests
	done := make(chan struct{})
	r.waiting.Add(1)
	defer r.waiting.Add(-1)
	for {
		unix.Tgkill(os.Getpid(), e.tid, wakeSignal)
		select {
		case r.queue <- func() { fn(); close(done) }:
			<-done
			return true
		case <-r.over:
			return false
		case <-time.After(wakeAgain):
		}
	}
}

// Release undoes Config.Hold: Run ends when nothing is left to follow. It may
// be called from any goroutine, once.
func (e *Engine) Release() { close(e.requests.release) }

// serve runs the requests that are there.
func (e *Engine) serve() {
	for e.requests.waiting.Load() > 0 {
		select {
		case fn := <-e.requests.queue:
			e.mu.Lock()
			fn()
			e.mu.Unlock()
		default:
			return // it comes, and with it a signal
		}
	}
}

// idle waits, with nothing to follow, for something to. It reports whether Run
// is to go on.
func (e *Engine) idle() bool {
	if !e.cfg.Hold {
		return false
	}
	select {
	case fn := <-e.requests.queue:
		e.mu.Lock()
		fn()
		e.mu.Unlock()
		return true
	case <-e.requests.stopped:
		return true
	case <-e.requests.release:
		return false
	}
}

// Over is closed when Run has returned.
func (e *Engine) Over() <-chan struct{} { return e.requests.over }

// Following reports whether anything is followed. It must be called by Do.
func (e *Engine) Following() bool { return len(e.threads) > 0 }

// Follows reports whether a process is followed. It must be called by Do, or
// before Run.
func (e *Engine) Follows(pid int) bool { return e.processes[pid] != nil }

// Join follows every thread of a process that runs already, beside what is
// followed. It does nothing if the process is followed, or about to be as the
// child of one that is. belongs is asked, when the process is held and its PID
// can no longer become another's, whether it is the one that was meant.
//
// It must be called by Do, or before Run. If the process cannot be followed
// the error is an *AttachError; one that has ended is no error.
func (e *Engine) Join(pid int, belongs func() bool) error {
	if e.processes[pid] != nil {
		return nil
	}
	s, ok := e.proc.Look(pid)
	if !ok || s.TracerPID == e.tid || hasEnded(s) {
		return nil
	}
	counts := e.Counts
	err := e.refuse(pid)
	if err == nil {
		err = e.attach(pid)
	}
	if s, ok := e.proc.Look(pid); err != nil && (!ok || hasEnded(s)) {
		err = nil
	}
	if err != nil {
		e.missed(pid, err)
	}
	p := e.processes[pid]
	// One that is ending is in no list of processes any more, and most likely
	// was the one.
	drop := p == nil || err != nil || !belongs() && !e.proc.Exiting(pid)
	if drop {
		e.Counts.Processes, e.Counts.Threads = counts.Processes, counts.Threads
	}
	for _, t := range e.threads {
		if t.proc == p && t.first {
			t.letGo = drop
		}
	}
	e.stopUnsettled()
	return err
}

// hasEnded reports whether nothing of a process is left but its status.
func hasEnded(s procfs.Status) bool { return s.State == 'X' || s.State == 'Z' && s.Threads <= 1 }
