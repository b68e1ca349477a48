//go:build linux && (amd64 || arm64)

package ptrace

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"sysreel/proto/tracefile"
	"sysreel/record/internal/procfs"
)

// launch is the state of a launched command.
type launch struct {
	root    *thread
	pending *thread // in its first execve, which may still fail
	samples []int64 // durations of calls that take no time, ns
	failed  syscall.Errno
	noInfo  syscall.Errno // why PTRACE_GET_SYSCALL_INFO does not work
	status  uint32        // wait status, valid if exited
	exited  bool
	ready   bool
	pid     int
	pidfd   int       // refers to the command without the danger of a reused PID; −1: none
	got     [65]int64 // when the command was last sent a signal
}

// Command is what to launch.
type Command struct {
	Path string   // the file to execute
	Argv []string // its argument vector
	Env  []string
	// StdoutToStderr gives it standard error as its standard output too.
	StdoutToStderr bool
	// User is whom it runs as; nil: as this process.
	User *syscall.Credential
	// FailStatus is what the process exits with if the kernel does not execute
	// the file; 0: 127, as a shell's.
	FailStatus uint8
	// Held, if set, is the process that is to execute it.
	Held *Held
}

func (c *Command) failStatus() uint8 {
	if c.FailStatus == 0 {
		return 127
	}
	return c.FailStatus
}

// ErrGone says that the helper process ended before it executed the command.
var ErrGone = errors.New("the process was killed before it could start")

// Launch starts a command and follows it up to the enter of its execve. What
// it does is recorded by Run.
func (e *Engine) Launch(c Command) error {
	pid, parent, release, err := e.startStub(c)
	if err != nil {
		return err
	}
	defer release.Close()
	if errno := seize(pid, e.options()); errno != 0 {
		if c.Held == nil {
			defer unix.Wait4(pid, nil, 0, nil)
			defer unix.Kill(pid, unix.SIGKILL)
		}
		return e.explainLaunch(pid, errno)
	}
	e.launch.pid = pid
	if e.launch.pidfd, err = unix.PidfdOpen(pid, 0); err != nil {
		e.launch.pidfd = -1
	}
	e.launch.root = e.newThread(pid, e.newProcess(pid, parent), tracefile.StartLaunch)
	e.launch.root.launching = true
	if e.place.on {
		<-e.place.guard.ready
		e.gather(e.launch.root)
	}
	interrupt(pid)
	// Stopped and resumed once, it reports its system calls.
	var status uint32
	for e.launch.root.first {
		tid, errno := wait(0, &status)
		if errno == 0 {
			e.handle(tid, status, e.now())
		}
		if e.launch.exited || errno == unix.ECHILD {
			return ErrGone
		}
	}
	release.Write([]byte{1})
	for !e.launch.ready {
		tid, errno := wait(0, &status)
		if errno == 0 {
			e.handle(tid, status, e.now())
		}
		if e.launch.exited || errno == unix.ECHILD {
			return ErrGone
		}
		if errno := e.launch.noInfo; errno != 0 {
			unix.Kill(pid, unix.SIGKILL)
			unix.Wait4(pid, nil, unix.WALL, nil)
			return errNoInfo(errno)
		}
	}
	return nil
}

// startStub starts the stub, or takes the one that is held; parent is its parent.
func (e *Engine) startStub(c Command) (pid, parent int, release *os.File, err error) {
	if h := c.Held; h != nil {
		h.await()
		s, _ := e.proc.Look(h.PID)
		return h.PID, s.PPID, h.Release, nil
	}
	filter, noNewPrivs := e.chooseFilter()
	pid, release, err = startStub(c, filter, noNewPrivs)
	return pid, os.Getpid(), release, err
}

func (l *launch) sample(d int64) {
	if len(l.samples) < stubSamples {
		l.samples = append(l.samples, d)
	}
}

// StopCost returns the duration that is shown for a call that takes none, in
// nanoseconds: the median of those that the stub made.
func (e *Engine) StopCost() int64 {
	s := slices.Clone(e.launch.samples)
	if len(s) == 0 {
		return 0
	}
	slices.Sort(s)
	return s[len(s)/2]
}

// launched is called at the enter of the stub's execve: here the recording
// begins.
func (e *Engine) launched(t *thread, now int64) {
	t.launching = false
	e.launch.pending, e.launch.ready = t, true
	e.started(t, 0, now)
}

// launchFailed notes that the command could not be executed; the stub exits.
func (e *Engine) launchFailed(errno int) {
	e.launch.failed = syscall.Errno(errno)
}

// Launched returns what became of the command: its wait status if it has
// exited, and the error if it could not be executed.
func (e *Engine) Launched() (status uint32, exited bool, failed error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.launch.failed != 0 {
		failed = e.launch.failed
	}
	return e.launch.status, e.launch.exited, failed
}

// CommandLives reports whether there is a launched command and it runs.
func (e *Engine) CommandLives() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.launch.root != nil && !e.launch.exited
}

// CommandStopped reports whether the command is stopped by a signal: whether
// every thread of it is in its group-stop.
func (e *Engine) CommandStopped() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.launch.root == nil || e.launch.exited {
		return false
	}
	for _, t := range e.threads {
		if t.proc == e.launch.root.proc && !t.halted {
			return false
		}
	}
	return true
}

// CommandGets reports whether a signal reaches the command without the
// recorder: it was sent one at or after a time (as from Now) or, if pending is to
// count, one waits for it. known is false where that cannot be told yet, for a
// thread has stopped for the engine, which has not looked at it.
func (e *Engine) CommandGets(signo syscall.Signal, since int64, pending bool) (gets, known bool) {
	known = true
	for _, tid := range procfs.Threads(e.launch.pid) {
		b, _ := os.ReadFile("/proc/" + itoa(e.launch.pid) + "/task/" + itoa(tid) + "/status")
		for line := range bytes.Lines(b) {
			name, value, _ := bytes.Cut(bytes.TrimSpace(line), []byte(":\t"))
			switch string(name) {
			case "State":
				known = known && !bytes.HasPrefix(value, []byte("t"))
			case "SigPnd", "ShdPnd":
				mask, _ := strconv.ParseUint(string(value), 16, 64)
				gets = gets || pending && mask>>(signo-1)&1 != 0
			}
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	gets = gets || int(signo) < len(e.launch.got) && e.launch.got[signo] >= since
	return gets, known || gets
}

// SignalCommand sends the command a signal.
func (e *Engine) SignalCommand(signo syscall.Signal) {
	if e.launch.pidfd >= 0 {
		unix.PidfdSendSignal(e.launch.pidfd, signo, nil, 0)
	}
}

// Await waits for the command after the engine's thread has ended. ok is false
// if someone else has taken its status.
func (e *Engine) Await() (status uint32, ok bool) {
	for {
		var ws unix.WaitStatus
		switch _, err := unix.Wait4(e.launch.pid, &ws, 0, nil); err {
		case nil:
			return uint32(ws), true
		case unix.EINTR:
		default:
			return 0, false
		}
	}
}
