//go:build linux && (amd64 || arm64)

package record

import (
	"os"
	"os/signal"
	"syscall"
	"time"

	"sysreel/record/internal/ptrace"
)

// The terminal's suspend character (^Z) stops the recorder and what it records.
// A stopped recorder handles no stops: a recorded program could not run its
// handler for SIGTSTP, in which editors and the like put the terminal in order
// before they stop themselves, and processes attached to would hang at their
// next call. So the recorder does not obey at once. It stops when the command
// that it has launched has stopped, and the shell, which waits for the
// recorder, sees what it would have seen of the command. An attached recorder
// does not stop at all.

const (
	suspendPoll = 5 * time.Millisecond
	// suspendWait is how long a command may take to stop after SIGTSTP.
	// One that does not stop is not to be taken for suspended later, when a
	// child of its stops it, and counts on being able to continue it.
	suspendWait = 10 * time.Second
)

// suspends obeys SIGTSTP as above until it is told to end. The disposition is
// then as it was.
func (s *session) suspends() (end func()) {
	asked := make(chan os.Signal, 1)
	restore := ptrace.KeepAction(syscall.SIGTSTP)
	if restore == nil {
		return func() {} // ignored
	}
	signal.Notify(asked, syscall.SIGTSTP)
	if len(s.o.Command) == 0 {
		signal.Ignore(syscall.SIGTTOU) // a message in the background, under stty tostop
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-done:
				return
			case <-asked:
				if len(s.o.Command) > 0 {
					s.suspend(done)
				} else {
					s.warn("not stopped, for the recorded processes would hang; end the recording with ^C")
				}
			}
		}
	}()
	return func() {
		close(done)
		<-ended
		signal.Stop(asked)
		restore()
	}
}

// suspend stops the recorder once the command has stopped.
func (s *session) suspend(done <-chan struct{}) {
	deadline := time.Now().Add(suspendWait)
	for stopped := 0; time.Now().Before(deadline) && s.engine.CommandLives(); {
		select {
		case <-done:
			return
		case <-time.After(suspendPoll):
		}
		if !s.engine.CommandStopped() {
			stopped = 0
			continue
		}
		// Seen twice: it was not being continued, and the others of its
		// process group have had the time to act on the signal.
		if stopped++; stopped == 2 {
			ptrace.StopSelf(syscall.SIGTSTP)
			return
		}
	}
}
