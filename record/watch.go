//go:build linux && (amd64 || arm64)

package record

import (
	"context"
	"os"
	"syscall"
	"time"
)

// flushEvery keeps the file at most a second behind.
const flushEvery = 900 * time.Millisecond

// stuckAfter is how long the processes have waited for an output that is stuck
// rather than slow.
const stuckAfter = 500 * time.Millisecond

// signalTries bounds how often the command is asked about a signal, while it is
// not known: it makes calls without pause on a busy machine, or it is stopped.
const signalTries = 20

// watch does what happens beside the engine until the session is finished: it
// flushes in time, and obeys limits, signals and the context.
func (s *session) watch(ctx context.Context) {
	every := flushEvery
	if s.o.FlushEvery > 0 {
		every = s.o.FlushEvery
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	var limit <-chan time.Time
	var begun <-chan struct{} // what is waited for; the time counts from then
	start := func() {
		if s.o.MaxTime > 0 {
			limit = time.After(s.o.MaxTime)
		}
	}
	if s.group != nil {
		begun = s.group.begun
	} else {
		start()
	}
	signals, done, freeze := s.o.Signals, ctx.Done(), s.o.Freeze
	for n := 0; ; {
		select {
		case <-s.finished:
			return
		case <-tick.C:
			s.engine.Tick()
			if n > 0 {
				// The processes cannot obey while they wait for the output.
				s.engine.Hurry(stuckAfter)
			}
			if n > 0 && s.o.launches() && !s.engine.CommandLives() {
				// The command has obeyed; what it leaves behind need not
				// hold up who asked for the end.
				s.force("the command was ended by a signal")
			}
		case <-begun:
			begun = nil
			start()
		case <-limit:
			s.stop(Limit, s.o.MaxTime.String())
		case <-done:
			done = nil
			s.force(context.Cause(ctx).Error())
		case why := <-freeze:
			freeze = nil
			s.stop(Triggered, why)
		case sig, ok := <-signals:
			if !ok {
				signals = nil
				continue
			}
			n++
			s.engine.Hurry(stuckAfter)
			s.signal(sig)
		}
	}
}

// signal obeys a signal to the recorder. From the terminal it goes to the
// whole foreground process group, and the command has it by itself, in a
// moment: what comes of it is the command's affair, and an interactive program
// may be interrupted again and again.
func (s *session) signal(sig os.Signal) {
	signo, ok := sig.(syscall.Signal)
	if !ok || !s.o.launches() || !s.engine.CommandLives() {
		s.order(signo, sig.String())
		return
	}
	since := s.engine.Now() - int64(20*time.Millisecond)
	go func() {
		for range signalTries {
			time.Sleep(50 * time.Millisecond)
			// Once one was passed on, that may be what waits.
			if gets, known := s.engine.CommandGets(signo, since, s.orders.Load() == 0); gets {
				return
			} else if known {
				break
			}
		}
		s.order(signo, sig.String())
	}()
}

// order obeys a signal that is meant for the recorder. The first is passed on
// to the command; each further one ends more.
func (s *session) order(signo syscall.Signal, why string) {
	n := s.orders.Add(1)
	if n == 1 && s.o.launches() && s.engine.CommandLives() {
		s.engine.SignalCommand(signo)
		return
	}
	switch {
	case !s.engine.Filtered():
	case s.isOver():
		s.engine.Abandon()
	default:
		s.warn("the recording has ended, but what has a seccomp filter cannot go on without the recorder, which stays; another signal kills both")
	}
	s.force(why)
	if s.engine.Filtered() {
		n-- // one more, for the second one has left the command running
	}
	switch n {
	case 2:
		close(s.abandoned)
	case 3:
		close(s.given)
	}
}

// force ends the recording and the wait for the command.
func (s *session) force(why string) {
	s.stop(Interrupted, why)
	s.forceOnce.Do(func() { close(s.forced) })
}
