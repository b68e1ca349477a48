//go:build linux && (amd64 || arm64)

package record

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracepb"
	"sysreel/record/internal/inject"
	"sysreel/record/internal/ptrace"
	"sysreel/record/internal/redact"
	"sysreel/record/internal/selinux"
)

// session is one recording.
type session struct {
	o      Options
	path   string // of the command
	rules  *redact.Rules
	engine *ptrace.Engine
	out    encoder
	begin  time.Time
	took   time.Duration // up to the end of the recording
	err    error         // why recording could not begin

	group   *group               // what a cgroup or container is recorded with
	headers chan *tracepb.Header // brings the encoder the header

	mu   sync.Mutex
	end  End // why it ended; the first reason counts
	why  string
	over bool // there is a reason

	finished  chan struct{} // closed when nothing more is waited for
	forced    chan struct{} // closed to stop waiting for the command
	abandoned chan struct{} // closed to stop waiting for an output that is stuck
	given     chan struct{} // closed to stop waiting for the output
	forceOnce sync.Once
	orders    atomic.Int32 // signals that were meant for the recorder

	policy tracepb.Policy // as far as it is known from the beginning
}

func run(ctx context.Context, o Options) (Result, error) {
	s := &session{o: o, begin: time.Now(), finished: make(chan struct{}), forced: make(chan struct{}), abandoned: make(chan struct{}), given: make(chan struct{}),
		headers: make(chan *tracepb.Header, 1)}
	cfg := ptrace.Config{
		Snap: o.snap(), Written: o.written(), Environ: o.Environ, NoFollow: o.NoFollow,
		MaxEvents: o.MaxEvents, Warn: s.warn, Attached: o.Attached, Hold: o.Cgroup != "" || o.Container != "",
	}
	cfg.Drop = o.Drop
	cfg.Stacks = max(0, min(o.Stacks, MaxStacks))
	cfg.VCPUs = ptrace.VCPUs(o.VCPUs)
	cfg.Names, cfg.Alone, cfg.DetachExec, cfg.KillOnExit = o.Names, o.Alone, o.DetachExec, o.KillOnExit
	cfg.SystemTime, cfg.Sockets, cfg.Inner = o.SystemTime, o.Sockets, o.Inner
	if cfg.Secontexts = o.Secontexts; o.Secontexts && o.ExpectedSecontexts {
		cfg.Policy = s.policyFiles()
	}
	cfg.WholeRead, cfg.WholeWritten = o.WholeRead, o.WholeWritten
	if o.Alone {
		cfg.NoFollow = true
	}
	if o.Skipped != nil {
		cfg.Skipped = func(err error) { o.Skipped(attachError(err)) }
	}
	if size := max(o.MaxSize, o.RingSize, o.PartSize); size > 0 {
		// Small blocks: little is lost where one does not fit.
		cfg.BlockEvents = int(max(64, size/256))
		cfg.BlockBytes = int(max(16<<10, size/16))
	}
	var err error
	var set *syscalls.Set
	if o.Trace != "" {
		if set, err = syscalls.ParseSet(o.Trace); err != nil {
			return Result{}, err
		}
		cfg.Selected = set
		cfg.Filter = ptrace.Filter(o.Seccomp)
	}
	if cfg.Inject, err = inject.Parse(o.Inject); err != nil {
		return Result{}, fmt.Errorf("inject: %w", err)
	}
	if o.Until != "" {
		until, err := ParseUntil(o.Until)
		if err != nil {
			return Result{}, err
		}
		if set != nil {
			if err := until.possible(set); err != nil {
				return Result{}, err
			}
		}
		cfg.Until = until.Met
	}
	if s.rules, err = redact.Parse(o.Redact); err != nil {
		return Result{}, fmt.Errorf("redact: %w", err)
	}
	if !o.NoFingerprints && cfg.Snap >= 0 && !s.rules.ReadFiles() {
		cfg.Fingerprint, cfg.FingerprintPages = fingerprint, fingerprintPages
		s.policy.Fingerprint, s.policy.FingerprintPages = fingerprint, fingerprintPages
	}
	if s.path, err = o.program(); err != nil {
		return Result{}, err
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
		if s.group != nil {
			s.group.watch.Close()
		}
		s.engine.Discard()
		return
	}
	s.out = encoder{free: s.engine.Free, maxSize: s.o.MaxSize, names: s.o.Names, rules: s.rules, done: make(chan struct{})}
	s.out.failed = func(err error) { s.stop(OutputFailed, err.Error()) }
	s.out.full = func() { s.stop(Limit, fmt.Sprintf("%d bytes", s.o.MaxSize)) }
	if s.group == nil {
		s.headers <- s.header()
	} else {
		go s.group.run()
	}
	go func() {
		defer close(s.out.done)
		s.out.open(&s.o, <-s.headers)
		s.out.run(s.engine.Full)
		s.out.close(s.footer())
	}()
	go s.watch(ctx)
	if s.o.HandOver && !s.o.NoSuspend {
		defer s.suspends()()
	}
	reason := s.engine.Run()
	s.took = time.Since(s.begin)
	if met := s.engine.Met; met.Text != "" {
		s.ended(Triggered, met.Text)
	}
	switch reason {
	case ptrace.Ended:
		s.ended(Exited, "")
	case ptrace.EventsMet:
		s.ended(Limit, fmt.Sprintf("%d events", s.o.MaxEvents))
	}
	if s.group != nil {
		<-s.group.done
		s.group.begin() // nothing came: the trace is one of nothing
	}
	s.engine.Close()
	if s.engine.Filtered() {
		s.engine.Attend() // the recording is over; the command cannot do without the engine
	}
}

// policyFiles returns what contexts the policy gives files. Where there is no policy it
// says so.
func (s *session) policyFiles() *selinux.Files {
	f, err := selinux.Open("/etc/selinux")
	if err != nil {
		s.warn(fmt.Sprintf("no SELinux policy to compare contexts with: %v", err))
		return selinux.Absent()
	}
	return f
}

// start launches the command or attaches.
func (s *session) start() error {
	switch {
	case len(s.o.PIDs) > 0:
		err := attachError(s.engine.Attach(s.o.PIDs, s.o.Tree))
		var attach *AttachError
		if errors.As(err, &attach) && s.o.Skipped != nil && len(s.o.Command) > 0 {
			s.o.Skipped(err) // there is the command yet
			err = nil
		}
		if err != nil || len(s.o.Command) == 0 {
			return err
		}
	case len(s.o.Command) == 0:
		s.group = newGroup(s)
		return s.group.start()
	}
	if err := s.engine.Launch(s.o.command(s.path)); err != nil {
		return fmt.Errorf("starting %s: %w", s.o.Command[0], err)
	}
	if s.o.HandOver {
		ptrace.GiveUpFiles(s.o.StdoutToStderr)
	}
	return nil
}

// program looks up the file that the command is, "" if there is none.
func (o *Options) program() (string, error) {
	if len(o.Command) == 0 {
		return "", nil
	}
	name := o.Command[0]
	if o.Program != "" {
		name = o.Program
	}
	if o.Unchecked && strings.Contains(name, "/") {
		return name, nil
	}
	return lookup(name)
}

// command is what is to be launched.
func (o *Options) command(path string) ptrace.Command {
	c := ptrace.Command{Path: path, Argv: o.Command, Env: o.Env, StdoutToStderr: o.StdoutToStderr, Held: (*ptrace.Held)(o.Held)}
	if c.Env == nil {
		c.Env = os.Environ()
	}
	if o.Unchecked {
		c.FailStatus = 1
	}
	if u := o.User; u != nil {
		c.User = &syscall.Credential{Uid: u.UID, Gid: u.GID, Groups: u.Groups}
	}
	return c
}

// launches tells whether there is a command that is a child of this process.
func (o *Options) launches() bool { return len(o.Command) > 0 && o.Held == nil }

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

// isOver reports whether the recording has ended, or is about to.
func (s *session) isOver() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.over
}

// warn passes a warning on.
func (s *session) warn(message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.o.Warn != nil {
		s.o.Warn(message)
	}
}

// footer says how the recording ended. It is asked for when the engine has.
func (s *session) footer() *tracepb.Footer {
	status, exited, _ := s.engine.Launched()
	s.mu.Lock()
	defer s.mu.Unlock()
	f := &tracepb.Footer{
		End:        s.end.footer(),
		Clock:      clock(),
		Processes:  uint32(s.engine.Counts.Processes),
		Threads:    uint32(s.engine.Counts.Threads),
		ExitStatus: int32(status),
		ExitKnown:  exited,
		Detail:     s.why,

		RecorderCpuNs: ptrace.CPUTime(),
	}
	if s.end == Triggered && s.why == s.engine.Met.Text {
		f.TriggerEvent = s.engine.Met.Event
	}
	return f
}

// finish waits for the end of the trace, and for a command that was left running.
func (s *session) finish() (Result, error) {
	s.drain()
	status, exited, failed := s.engine.Launched()
	r := Result{
		Processes: s.engine.Counts.Processes, Threads: s.engine.Counts.Threads,
		WaitStatus: status, Exited: exited, Duration: s.took,
	}
	s.mu.Lock()
	r.End, r.Detail = s.end, s.why
	s.mu.Unlock()
	out := s.out.progress()
	r.Events, r.Kept, r.Bytes, r.Lost = out.events, out.kept, out.bytes, out.lost
	if r.End == Triggered && r.Detail == s.engine.Met.Text && s.engine.Met.Event <= r.Events {
		r.Trigger = s.engine.Met.Event
	}
	if out.err != nil {
		r.End, r.Detail = OutputFailed, out.err.Error()
	}
	switch {
	case !s.o.launches() || r.Exited:
	case s.engine.Filtered(): // killed when the engine gave up
		r.WaitStatus, r.Exited = s.engine.Await()
	case !s.o.Leave:
		s.await(&r)
	}
	s.engine.Reap()
	close(s.finished)
	switch {
	case failed != nil:
		return r, s.commandError(failed)
	case out.err != nil:
		return r, &OutputError{out.err}
	}
	return r, nil
}

// drain waits until the output has taken everything. Two signals give it up if
// nothing moves in it for some seconds, three soon.
func (s *session) drain() {
	begin, moved, last := time.Now(), time.Now(), int64(-1)
	patience := time.Duration(math.MaxInt64)
	told := false
	poll := time.NewTicker(100 * time.Millisecond)
	defer poll.Stop()
	for abandoned, given := s.abandoned, s.given; ; {
		select {
		case <-s.out.done:
			return
		case <-abandoned:
			abandoned, patience, moved = nil, 3*time.Second, time.Now()
		case <-given:
			abandoned, given, patience, moved = nil, nil, time.Second, time.Now()
		case <-poll.C:
			if size := s.out.progress().bytes; size != last {
				last, moved = size, time.Now()
			}
			if time.Since(moved) > patience {
				s.out.giveUp()
				return
			}
			if !told && time.Since(begin) > 2*time.Second {
				told = true
				s.warn("the recorded processes are free; waiting for the output to take what is left (further signals give it up)")
			}
		}
	}
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
