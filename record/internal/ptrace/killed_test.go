//go:build linux && (amd64 || arm64)

package ptrace

import (
	"bufio"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sysreel/proto/tracefile"
	"sysreel/record/internal/inject"
)

// Any request of ptrace may fail because the thread was killed meanwhile: at
// each stop of a program with children, threads, programs executed and signals
// the process is killed before the engine looks at it. Its end is seen all the
// same, by its status and as the last of it, and nothing waits for ever.
func TestKilledAtEachStop(t *testing.T) {
	path := compile(t, "stops")
	defer Signals()()
	known := func(kind stop) func(*Engine, int, stop) bool {
		return func(e *Engine, tid int, s stop) bool { return s == kind && e.threads[tid] != nil }
	}
	for _, c := range []struct {
		what   string
		step   int
		is     func(*Engine, int, stop) bool
		inject []string
	}{
		{what: "call", step: 16, is: known(inSyscall)},
		{what: "signal", step: 1, is: known(signalStop)},
		{what: "group-stop", step: 1, is: known(groupStop)},
		{what: "event", step: 1, is: known(eventStop)},
		{what: "fork", step: 1, is: known(forked)},
		{what: "execve", step: 1, is: known(execed)},
		// Those that are kept where they are.
		{what: "stranger", step: 1, is: func(e *Engine, tid int, s stop) bool { return s == eventStop && e.threads[tid] == nil }},
		{what: "delay", step: 1, is: func(e *Engine, tid int, s stop) bool {
			return s == inSyscall && getSyscallInfo(tid, &e.info) == 0 && e.info.Op == opEntry && e.info.NR == unix.SYS_GETPPID
		}, inject: []string{"getppid:delay_enter=1us"}},
	} {
		n := 0
		for n < 1000 && killAt(t, path, c.what, c.is, n, c.inject) && !t.Failed() {
			n += c.step
		}
		// Whether a child stops before it is told of is for the kernel to say.
		if n == 0 && c.what != "stranger" || n >= 1000 {
			t.Errorf("killed up to %s %d", c.what, n)
		}
	}
}

// killAt runs the program and kills who makes the nth stop of a kind. It
// reports whether there was one.
func killAt(t *testing.T, path, kind string, is func(*Engine, int, stop) bool, n int, injected []string) (killed bool) {
	t.Helper()
	rules, err := inject.Parse(injected)
	if err != nil {
		t.Fatal(err)
	}
	status := make(map[tracefile.ThreadID]int64)
	var victim *thread
	Go(func() {
		e := New(Config{Snap: 32, Inject: rules})
		if err := e.Launch(Command{Path: path, Argv: []string{path}, Env: os.Environ(), StdoutToStderr: true}); err != nil {
			t.Error(err)
			return
		}
		defer e.place.guard.close()
		done := make(chan struct{})
		go func() {
			defer close(done)
			for b := range e.Full {
				for i := range b.Events {
					ev := &b.Events[i]
					if _, ended := status[ev.Thread.ID]; ended {
						t.Errorf("%s %d: an event of kind %d after the end of thread %d", kind, n, ev.Kind, ev.Thread.ID)
					}
					if ev.Kind == tracefile.ThreadExit {
						status[ev.Thread.ID] = ev.Ret
						if tracefile.ExitHow(ev.Args[1]) == tracefile.ExitVanished {
							t.Errorf("%s %d: the end of thread %d was not seen", kind, n, ev.Thread.ID)
						}
					}
				}
				e.Free <- b
			}
		}()
		stops := 0
		for end := time.Now().Add(2 * time.Minute); ; {
			var ws uint32
			tid, errno := wait(unix.WNOHANG, &ws)
			if errno == unix.ECHILD {
				e.vanished(e.now())
				break
			}
			if tid <= 0 {
				if time.Now().After(end) {
					t.Errorf("%s %d: hangs", kind, n)
					unix.Kill(e.launch.pid, unix.SIGKILL)
					break
				}
				time.Sleep(20 * time.Microsecond)
				continue
			}
			s, _ := classify(ws)
			if is(e, tid, s) {
				if stops == n {
					victim, killed = e.threads[tid], true
					unix.Kill(tid, unix.SIGKILL)
					for running(tid) {
						time.Sleep(10 * time.Microsecond)
					}
				}
				stops++
			}
			e.handle(tid, ws, e.now())
			if len(e.strangers) > 0 {
				e.adopt(e.now())
			}
			if len(e.held) > 0 {
				e.releaseDue()
			}
			if s == groupStop {
				unix.Kill(tid, unix.SIGCONT)
			}
		}
		e.Close()
		<-done
	})
	if victim == nil { // it was not known yet
		return killed
	}
	if ws, ok := status[victim.ID]; !ok || ws != int64(unix.SIGKILL) {
		t.Errorf("%s %d: the status of who was killed is %#x, %v", kind, n, ws, ok)
	}
	return true
}

// running reports whether a thread has not ended.
func running(tid int) bool {
	b, err := os.ReadFile("/proc/" + itoa(tid) + "/stat")
	if err != nil {
		return false
	}
	return !strings.ContainsAny(string(b[strings.LastIndexByte(string(b), ')')+2]), "ZX")
}

// The engine's thread must have no children but those that the engine starts:
// it would wait for them.
func TestThreadWithoutChildren(t *testing.T) {
	for range 20 {
		// A new goroutine runs, mostly, on the thread of the one that
		// makes it and waits.
		cmd := exec.Command("sleep", "100")
		runtime.LockOSThread()
		err := cmd.Start()
		runtime.UnlockOSThread()
		if err != nil {
			t.Fatal(err)
		}
		var children, main bool
		Go(func() { children, main = hasChildren(), unix.Gettid() == os.Getpid() })
		cmd.Process.Kill()
		cmd.Wait()
		if children || main {
			t.Fatalf("the thread has children: %v, it is the main one: %v", children, main)
		}
	}
}

// The recorder may be killed between the stop for a signal and the resume that
// delivers it. The signal is delivered all the same.
func TestSignalOutlivesTracer(t *testing.T) {
	cmd := exec.Command("sh", "-c", "trap 'echo got; exit' USR1; echo ready; while :; do sleep 0.01; done")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	out := bufio.NewReader(stdout)
	if s, err := out.ReadString('\n'); s != "ready\n" {
		t.Fatalf("%q, %v", s, err)
	}
	pid := cmd.Process.Pid
	Go(func() {
		if errno := seize(pid, options); errno != 0 {
			t.Errorf("seize: %v", errno)
			return
		}
		unix.Kill(pid, unix.SIGUSR1)
		for {
			var status uint32
			tid, errno := wait(0, &status)
			if errno == unix.EINTR {
				continue
			}
			switch s, signo := classify(status); {
			case errno != 0 || s == gone:
				t.Errorf("%v, status %#x", errno, status)
				return
			case signo == int(unix.SIGUSR1):
				return // without having resumed it; it is let go of as the thread ends
			default:
				resume(unix.PTRACE_CONT, tid, signo)
			}
		}
	})
	defer time.AfterFunc(2*time.Minute, func() { cmd.Process.Kill() }).Stop()
	if s, err := out.ReadString('\n'); s != "got\n" {
		t.Errorf("the signal was lost: %q, %v", s, err)
	}
}
