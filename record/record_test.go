//go:build linux && (amd64 || arm64)

package record

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
)

// The tests run a recorder as a process of its own: this test binary, started
// with helperArg, which behaves as `sysreel record` does.
const helperArg = "record-helper"

// attachedSuffix makes the name of a file that says that everything is
// attached to.
const attachedSuffix = ".attached"

func TestMain(m *testing.M) {
	if len(os.Args) > 3 && os.Args[1] == helperArg {
		os.Exit(helper(os.Args[2], os.Args[3], os.Args[4:]))
	}
	// In the background these may be ignored; what the tests start finds them
	// at their defaults.
	for _, sig := range []os.Signal{syscall.SIGINT, syscall.SIGHUP} {
		if signal.Ignored(sig) {
			signal.Notify(make(chan os.Signal, 1), sig)
		}
	}
	status := m.Run()
	if progs.dir != "" {
		os.RemoveAll(progs.dir)
	}
	os.Exit(status)
}

// helper records a command into a file, "-" for standard output.
func helper(options, file string, command []string) int {
	var p plainOptions
	if err := json.Unmarshal([]byte(options), &p); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 125
	}
	out := os.Stdout
	if file != "-" {
		f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 125
		}
		defer f.Close()
		out = f
	}
	signals := make(chan os.Signal, 4)
	for _, sig := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(sig) {
			signal.Notify(signals, sig)
		}
	}
	o := p.options()
	o.Command, o.Output, o.Signals = command, out, signals
	o.Recorder, o.HandOver, o.StdoutToStderr = "test", true, out == os.Stdout
	if len(o.PIDs) > 0 {
		o.Attached = func() { os.WriteFile(file+attachedSuffix, nil, 0o600) }
	}
	o.Warn = func(m string) { fmt.Fprintln(os.Stderr, "warning:", m) }
	r, err := Run(context.Background(), o)
	var ce *CommandError
	switch {
	case errors.As(err, &ce) && ce.NotFound:
		fmt.Fprintln(os.Stderr, err)
		return 127
	case errors.As(err, &ce):
		fmt.Fprintln(os.Stderr, err)
		return 126
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		return 125
	}
	if ws := syscall.WaitStatus(r.WaitStatus); ws.Signaled() {
		return 128 + int(ws.Signal())
	} else if r.Exited {
		return ws.ExitStatus()
	}
	return 0
}

// plainOptions are the Options that are data.
type plainOptions struct {
	PIDs           []int
	Tree, NoFollow bool
	Trace          string
	Snap           int
	Environ        bool
	MaxTime        time.Duration
	MaxSize        int64
	MaxEvents      uint64
	Seccomp        Seccomp
	Cgroup         string
	Wait, Restarts bool
	Inject         []string
	Redact         string
	NoFingerprints bool
}

func plain(o Options) plainOptions {
	return plainOptions{o.PIDs, o.Tree, o.NoFollow, o.Trace, o.Snap, o.Environ, o.MaxTime, o.MaxSize, o.MaxEvents, o.Seccomp,
		o.Cgroup, o.Wait, o.Restarts, o.Inject, o.Redact, o.NoFingerprints}
}

func (p plainOptions) options() Options {
	return Options{PIDs: p.PIDs, Tree: p.Tree, NoFollow: p.NoFollow, Trace: p.Trace, Snap: p.Snap, Environ: p.Environ,
		MaxTime: p.MaxTime, MaxSize: p.MaxSize, MaxEvents: p.MaxEvents, Seccomp: p.Seccomp,
		Cgroup: p.Cgroup, Wait: p.Wait, Restarts: p.Restarts, Inject: p.Inject, Redact: p.Redact, NoFingerprints: p.NoFingerprints}
}

// recorder returns the command line of a recorder.
func recorder(t testing.TB, o Options, file string, command ...string) *exec.Cmd {
	t.Helper()
	b, err := json.Marshal(plain(o))
	if err != nil {
		t.Fatal(err)
	}
	return exec.Command(os.Args[0], append([]string{helperArg, string(b), file}, command...)...)
}

// recording is what came of recording a command.
type recording struct {
	stdout, stderr string
	status         int
	trace
}

// record records a command and reads its trace.
func record(t *testing.T, o Options, command ...string) recording {
	t.Helper()
	return recordIn(t, nil, o, command...)
}

func recordIn(t *testing.T, setup func(*exec.Cmd), o Options, command ...string) recording {
	t.Helper()
	file := filepath.Join(t.TempDir(), "t.reel")
	cmd := recorder(t, o, file, command...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = 10 * time.Second
	if setup != nil {
		setup(cmd)
	}
	timer := time.AfterFunc(2*time.Minute, func() { cmd.Process.Kill() })
	err := cmd.Run()
	if !timer.Stop() {
		t.Fatalf("the recording of %q hangs; killed", command)
	}
	var ee *exec.ExitError
	if err != nil && !errors.As(err, &ee) {
		t.Fatal(err)
	}
	r := recording{stdout: stdout.String(), stderr: stderr.String(), status: cmd.ProcessState.ExitCode()}
	if r.status < 125 || r.status > 127 {
		r.trace = readTrace(t, file)
	}
	return r
}

// trace is a file's content.
type trace struct {
	header *tracepb.Header
	footer *tracepb.Footer
	state  tracefile.State
	events []tracefile.Event
	blocks [][]tracefile.Event // calls in flight at each block's end
	losses []*tracepb.Loss
}

func readTrace(t testing.TB, file string) trace {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := tracefile.NewReader(f, tracefile.ReaderOptions{})
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	tr := trace{header: r.Header()}
	for {
		c, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		var b tracefile.Block
		if err := c.Block(&b); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for i := range c.Events {
			var e tracefile.Event
			b.Event(i, &e)
			tr.events = append(tr.events, clone(e))
		}
		var flying []tracefile.Event
		for _, e := range b.InFlight {
			flying = append(flying, clone(e))
		}
		tr.blocks = append(tr.blocks, flying)
		tr.losses = append(tr.losses, b.Losses...)
	}
	tr.footer, tr.state = r.Footer(), r.State()
	checkTrace(t, &tr)
	return tr
}

func clone(e tracefile.Event) tracefile.Event {
	e.Bufs = slices.Clone(e.Bufs)
	for i := range e.Bufs {
		e.Bufs[i].Data = bytes.Clone(e.Bufs[i].Data)
	}
	return e
}

// checkTrace checks what is true of every trace.
func checkTrace(t testing.TB, tr *trace) {
	t.Helper()
	type state struct {
		tid   int32
		ended bool
	}
	threads := make(map[tracefile.ThreadID]*state)
	last := int64(0)
	for i := range tr.events {
		e := &tr.events[i]
		if e.End < last || e.Start > e.End {
			t.Errorf("event %d: from %d to %d ns, the one before ends at %d", e.Num, e.Start, e.End, last)
		}
		last = e.End
		th := threads[e.Thread.ID]
		if th == nil {
			if e.Kind != tracefile.ThreadStart {
				t.Errorf("event %d, kind %d, is the first of thread %d: not its start", e.Num, e.Kind, e.Thread.ID)
			}
			th = &state{tid: e.Thread.TID}
			threads[e.Thread.ID] = th
		} else if e.Kind == tracefile.ThreadStart {
			t.Errorf("event %d: thread %d starts again", e.Num, e.Thread.ID)
		}
		if th.ended {
			t.Errorf("event %d, kind %d, of thread %d comes after its end", e.Num, e.Kind, e.Thread.ID)
		}
		switch e.Kind {
		case tracefile.ThreadExit, tracefile.Detach:
			th.ended = true
		case tracefile.Exec:
			former := tracefile.ThreadID(e.Args[0])
			if by := threads[former]; by != nil {
				by.ended = true
			} else if former != 0 {
				t.Errorf("event %d: an execve of thread %d, which has not started", e.Num, former)
			}
		}
	}
	if tr.state != tracefile.Complete {
		return
	}
	for id, th := range threads {
		if !th.ended {
			t.Errorf("thread %d (TID %d) has no end", id, th.tid)
		}
	}
}

// name returns the name of a call as the table has it.
func name(e *tracefile.Event) string {
	if d := syscalls.Lookup(e.Arch, e.NR); d != nil {
		return d.Name
	}
	return fmt.Sprintf("syscall_%d", e.NR)
}

// isCall tells the events that are calls.
func isCall(e *tracefile.Event) bool {
	return e.Kind == tracefile.Syscall || e.Kind == tracefile.Unfinished || e.Kind == tracefile.InFlight
}

// calls returns the events of the calls named.
func (tr *trace) calls(names ...string) []*tracefile.Event {
	var all []*tracefile.Event
	for i := range tr.events {
		if e := &tr.events[i]; isCall(e) && slices.Contains(names, name(e)) {
			all = append(all, e)
		}
	}
	return all
}

// kind returns the events of a kind.
func (tr *trace) kind(k tracefile.Kind) []*tracefile.Event {
	var all []*tracefile.Event
	for i := range tr.events {
		if e := &tr.events[i]; e.Kind == k {
			all = append(all, e)
		}
	}
	return all
}

// marks returns the events of mark(what) in the programs.
func (tr *trace) marks(what string) []*tracefile.Event {
	var all []*tracefile.Event
	for _, e := range tr.calls("access", "faccessat", "faccessat2") {
		if text(e, -1) == "/mark/"+what {
			all = append(all, e)
		}
	}
	return all
}

// text returns the string that argument arg of e points to; −1: any.
func text(e *tracefile.Event, arg int) string {
	for _, b := range e.Bufs {
		if b.Parent < 0 && (arg < 0 || int(b.Arg) == arg) {
			return string(bytes.TrimSuffix(b.Data, []byte{0}))
		}
	}
	return ""
}

// need skips the test where a tool or a right is missing, and fails it in CI.
func need(t testing.TB, ok bool, what string) {
	t.Helper()
	if ok {
		return
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is needed", what)
	}
	t.Skipf("%s is needed", what)
}

func needTool(t testing.TB, names ...string) {
	t.Helper()
	for _, name := range names {
		_, err := exec.LookPath(name)
		need(t, err == nil, name)
	}
}

var progs struct {
	sync.Mutex
	dir  string
	done map[string]error
}

// prog compiles testdata/progs/NAME.c once and returns the program.
func prog(t testing.TB, name string) string {
	t.Helper()
	needTool(t, "cc")
	progs.Lock()
	defer progs.Unlock()
	if progs.dir == "" {
		dir, err := os.MkdirTemp("", "sysreel-progs")
		if err != nil {
			t.Fatal(err)
		}
		progs.dir, progs.done = dir, make(map[string]error)
		os.Chmod(dir, 0o755)
	}
	path := filepath.Join(progs.dir, name)
	err, done := progs.done[name]
	if !done {
		out, cerr := exec.Command("cc", "-O1", "-w", "-pthread", "-o", path, "../testdata/progs/"+name+".c").CombinedOutput()
		if cerr != nil {
			err = fmt.Errorf("%w\n%s", cerr, out)
		}
		progs.done[name] = err
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// runProg records a self-checking program, which must be content.
func runProg(t *testing.T, name string, args ...string) recording {
	t.Helper()
	r := record(t, Options{}, append([]string{prog(t, name)}, args...)...)
	if r.status == 77 {
		need(t, false, strings.TrimSpace(r.stdout))
	}
	if r.status != 0 || !strings.HasSuffix(r.stdout, "ok\n") {
		t.Fatalf("%s does not work when it is recorded: status %d\n%s%s", name, r.status, r.stdout, r.stderr)
	}
	return r
}

// start starts a program to attach to and returns it with the first line that
// it prints, read before it is attached to.
func start(t *testing.T, argv ...string) *target {
	t.Helper()
	p := &target{Cmd: exec.Command(argv[0], argv[1:]...)}
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.Stderr = os.Stderr
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Process.Kill()
		p.Wait()
	})
	p.lines = make(chan string, 100)
	go func() {
		defer close(p.lines)
		var line []byte
		b := make([]byte, 1)
		for {
			if _, err := out.Read(b); err != nil {
				return
			}
			if line = append(line, b[0]); b[0] == '\n' {
				p.lines <- strings.TrimSpace(string(line))
				line = line[:0]
			}
		}
	}()
	p.line(t)
	return p
}

type target struct {
	*exec.Cmd
	lines chan string
}

// line waits for the target's next line.
func (p *target) line(t *testing.T) string {
	t.Helper()
	select {
	case s := <-p.lines:
		return s
	case <-time.After(2 * time.Minute):
		t.Fatal("the target is stuck")
		return ""
	}
}

// attach starts a recorder on processes and returns when it follows those that
// are named.
func attach(t *testing.T, o Options, file string) *exec.Cmd {
	t.Helper()
	cmd := recorder(t, o, file)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	for deadline := time.Now().Add(4 * time.Minute); len(o.PIDs) > 0; time.Sleep(time.Millisecond) {
		gone := states(cmd.Process.Pid) == "Z"
		if os.Remove(file+attachedSuffix) == nil {
			break
		}
		if gone || time.Now().After(deadline) {
			t.Fatal("the recorder does not attach")
		}
	}
	return cmd
}

// waitTraced waits until every thread of a process has a tracer, or none.
func waitTraced(t *testing.T, pid int, traced bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(2 * time.Millisecond) {
		tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
		all := len(tasks) > 0
		for _, task := range tasks {
			b, err := os.ReadFile(task)
			if err == nil && bytes.Contains(b, []byte("\nTracerPid:\t0\n")) == traced {
				all = false
			}
		}
		if all {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("process %d: traced is not %v", pid, traced)
		}
	}
}

// finish ends an attach by SIGINT and reads the trace.
func finish(t *testing.T, cmd *exec.Cmd, file string) trace {
	t.Helper()
	cmd.Process.Signal(syscall.SIGINT)
	if err := cmd.Wait(); err != nil {
		t.Fatalf("the recorder: %v", err)
	}
	return readTrace(t, file)
}

func itoa(n int) string { return strconv.Itoa(n) }
