//go:build linux && (amd64 || arm64)

package record

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"time"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracepb"
	"sysreel/record/internal/ptrace"
)

// session is one recording.
type session struct {
	o      Options
	path   string // of the command
	engine *ptrace.Engine
	out    encoder
	begin  time.Time
	err    error // why recording could not begin

	mu   sync.Mutex
	end  End // why it ended; the first reason counts
	why  string
	over bool // there is a reason

	finished chan struct{} // closed when nothing more is waited for
	forced   chan struct{} // closed to stop waiting for the command
}

func run(ctx context.Context, o Options) (Result, error) {
	s := &session{o: o, begin: time.Now(), finished: make(chan struct{}), forced: make(chan struct{})}
	cfg := ptrace.Config{
		Snap: o.snap(), Written: o.written(), Environ: o.Environ, NoFollow: o.NoFollow,
		MaxEvents: o.MaxEvents, Warn: s.warn,
	}
	if o.MaxSize > 0 {
		// Blocks small enough that the limit is not overrun by much.
		cfg.BlockEvents = int(max(256, o.MaxSize/64))
	}
	if o.Trace != "" {
		set, err := syscalls.ParseSet(o.Trace)
		if err != nil {
			return Result{}, err
		}
		cfg.Selected = set.Has
	}
	if len(o.Command) > 0 {
		path, err := lookup(o.Command[0])
		if err != nil {
			return Result{}, err
		}
		s.path = path
	}
	go syscalls.Load() // while the command starts
	defer ptrace.Signals()()
	ptrace.Go(func() {
		s.engine = ptrace.New(cfg)
		s.record(ctx)
	})
	if s.err != nil {
		return Result{}, s.err
	}
	return s.finish()
}

// record runs on the engine's thread. What still lives when it returns goes on
// without the recorder.
func (s *session) record(ctx context.Context) {
	if s.err = s.start(); s.err != nil {
		s.engine.Discard()
		return
	}
	s.out = encoder{free: s.engine.Free, maxSize: s.o.MaxSize, done: make(chan struct{})}
	s.out.failed = func(err error) { s.stop(OutputFailed, err.Error()) }
	s.out.full = func() { s.stop(Limit, fmt.Sprintf("%d bytes", s.o.MaxSize)) }
	header := s.header()
	go func() {
		defer close(s.out.done)
		s.out.open(s.o.Output, header)
		s.out.run(s.engine.Full)
	}()
	go s.watch(ctx)
	switch s.engine.Run() {
	case ptrace.Ended:
		s.ended(Exited, "")
	case ptrace.EventsMet:
		s.ended(Limit, fmt.Sprintf("%d events", s.o.MaxEvents))
	}
	s.engine.Close()
	<-s.out.done
}

// start launches the command or attaches.
func (s *session) start() error {
	if len(s.o.Command) == 0 {
		err := s.engine.Attach(s.o.PIDs, s.o.Tree)
		var ae *ptrace.AttachError
		if errors.As(err, &ae) {
			return &AttachError{PID: ae.PID, Err: ae.Err, Hint: ae.Hint}
		}
		return err
	}
	err := s.engine.Launch(ptrace.Command{
		Path: s.path, Argv: s.o.Command, Env: os.Environ(), StdoutToStderr: s.o.StdoutToStderr,
	})
	if err != nil {
		return fmt.Errorf("starting %s: %w", s.o.Command[0], err)
	}
	if s.o.HandOver {
		ptrace.GiveUpFiles(s.o.StdoutToStderr)
	}
	return nil
}

// stop ends the recording for the reason given.
func (s *session) stop(end End, why string) {
	s.ended(end, why)
	s.engine.Stop()
}

// ended notes why the recording ends, if nothing did before.
func (s *session) ended(end End, why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over {
		s.over, s.end, s.why = true, end, why
	}
}

// warn passes a warning on.
func (s *session) warn(message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.o.Warn != nil {
		s.o.Warn(message)
	}
}

// finish ends the trace, then waits for a command that was left running.
func (s *session) finish() (Result, error) {
	status, exited, failed := s.engine.Launched()
	r := Result{
		Processes: s.engine.Counts.Processes, Threads: s.engine.Counts.Threads,
		WaitStatus: status, Exited: exited, Duration: time.Since(s.begin),
	}
	s.mu.Lock()
	r.End, r.Detail = s.end, s.why
	s.mu.Unlock()
	s.out.close(&tracepb.Footer{
		End:        r.End.footer(),
		Clock:      clock(),
		Processes:  uint32(r.Processes),
		Threads:    uint32(r.Threads),
		ExitStatus: int32(r.WaitStatus),
		ExitKnown:  r.Exited,
		Detail:     r.Detail,
	})
	r.Events, r.Bytes, r.Lost = s.out.events, s.out.size(), s.out.lost
	if s.out.err != nil {
		r.End, r.Detail = OutputFailed, s.out.err.Error()
	}
	if len(s.o.Command) > 0 && !r.Exited {
		s.await(&r)
	}
	s.engine.Reap()
	close(s.finished)
	switch {
	case failed != nil:
		return r, s.commandError(failed)
	case s.out.err != nil:
		return r, &OutputError{s.out.err}
	}
	return r, nil
}

// await waits for the command to end by itself, untraced.
func (s *session) await(r *Result) {
	exited := make(chan uint32, 1)
	go func() {
		if status, ok := s.engine.Await(); ok {
			exited <- status
		}
	}()
	select {
	case r.WaitStatus = <-exited:
		r.Exited = true
	case <-s.forced:
	}
}

// commandError explains why the kernel did not execute the command.
func (s *session) commandError(err error) error {
	e := &CommandError{Name: s.o.Command[0], Err: err}
	switch {
	case errors.Is(err, syscall.ENOEXEC):
		e.Err = fmt.Errorf("%w: it is neither a program nor a script with a #! line", err)
	case errors.Is(err, fs.ErrNotExist):
		e.Err = fmt.Errorf("%w: its interpreter or loader is not there", err)
	}
	return e
}
