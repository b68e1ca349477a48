//go:build linux && (amd64 || arm64)

package record

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
	"sysreel/proto/world"
	"sysreel/record/internal/ptrace"
)

// flushEvery keeps the file at most a second behind.
const flushEvery = 900 * time.Millisecond

// session is one recording.
type session struct {
	o      Options
	engine *ptrace.Engine
	path   string // of the command
	begin  time.Time
	res    Result
	err    error // why recording could not begin
	out    encoder
}

func run(ctx context.Context, o Options) (Result, error) {
	s := &session{o: o, begin: time.Now()}
	cfg := ptrace.Config{Snap: o.Snap, Environ: o.Environ, NoFollow: o.NoFollow, MaxEvents: o.MaxEvents}
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

// record runs on the engine's thread.
func (s *session) record(ctx context.Context) {
	if s.err = s.start(); s.err != nil {
		return
	}
	s.out.free = s.engine.Free
	s.out.done = make(chan struct{})
	s.out.failed = s.engine.Stop
	s.out.maxSize = s.o.MaxSize
	header := s.header()
	if s.out.open(s.o.Output, header) != nil {
		// Nobody will read it: let go at once.
		s.engine.Stop()
	}
	go s.out.run(s.engine.Full)

	quit := make(chan struct{})
	go s.watch(ctx, quit)
	switch s.engine.Run() {
	case ptrace.Ended:
		s.res.End = Exited
	case ptrace.EventsMet:
		s.res.End, s.res.Detail = Limit, fmt.Sprintf("%d events", s.o.MaxEvents)
	case ptrace.Stopped:
		// why is told by whoever called Stop
	}
	close(quit)
	s.engine.Close()
	<-s.out.done
}

// start launches the command or attaches.
func (s *session) start() error {
	if len(s.o.Command) == 0 {
		return s.engine.Attach(s.o.PIDs)
	}
	err := s.engine.Launch(ptrace.Command{Path: s.path, Argv: s.o.Command, Env: os.Environ()})
	if err != nil {
		return fmt.Errorf("starting %s: %w", s.o.Command[0], err)
	}
	return nil
}

// watch flushes, and stops the engine when it is time.
func (s *session) watch(ctx context.Context, quit chan struct{}) {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	var limit <-chan time.Time
	if s.o.MaxTime > 0 {
		t := time.NewTimer(s.o.MaxTime)
		defer t.Stop()
		limit = t.C
	}
	for {
		select {
		case <-quit:
			return
		case <-tick.C:
			s.engine.Tick()
		case <-limit:
			s.res.End, s.res.Detail = Limit, s.o.MaxTime.String()
			s.engine.Stop()
		case <-ctx.Done():
			s.res.End, s.res.Detail = Interrupted, context.Cause(ctx).Error()
			s.engine.Stop()
			return
		}
	}
}

// finish writes the footer and waits for a command that was left running.
func (s *session) finish() (Result, error) {
	r := &s.res
	counts := s.engine.Counts
	r.Processes, r.Threads = counts.Processes, counts.Threads
	status, exited, failed := s.engine.Launched()
	r.WaitStatus, r.Exited = status, exited
	if s.out.err != nil {
		r.End, r.Detail = OutputFailed, s.out.err.Error()
	}
	r.Duration = time.Since(s.begin)
	s.out.close(s.footer())
	r.Events, r.Bytes, r.Lost = s.out.events, s.out.size(), s.out.lost
	if failed != nil {
		return *r, s.commandError(failed)
	}
	if s.out.err != nil {
		return *r, &OutputError{s.out.err}
	}
	return *r, nil
}

// commandError explains why the kernel did not execute the command.
func (s *session) commandError(err error) error {
	e := &CommandError{Name: s.o.Command[0], Err: err}
	switch {
	case errors.Is(err, syscall.ENOEXEC):
		e.Err = fmt.Errorf("%w: not a program, or a script without a #! line", err)
	case errors.Is(err, fs.ErrNotExist):
		e.Err = fmt.Errorf("%w: its interpreter or loader does not exist", err)
	}
	return e
}

func (s *session) footer() *tracepb.Footer {
	return &tracepb.Footer{
		End:        s.res.End.footer(),
		Clock:      clock(),
		Processes:  uint32(s.res.Processes),
		Threads:    uint32(s.res.Threads),
		ExitStatus: int32(s.res.WaitStatus),
		ExitKnown:  s.res.Exited,
		Detail:     s.res.Detail,
	}
}

var _ = tracefile.WriterOptions{}
var _ = world.New
