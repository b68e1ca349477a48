//go:build linux && (amd64 || arm64)

package ptrace

import (
	"bytes"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"sysreel/proto/tracefile"
)

// held runs an engine that follows nothing yet beside fn, and returns the kinds
// of the events that it saw.
func held(t *testing.T, fn func(e *Engine)) map[tracefile.Kind]int {
	t.Helper()
	defer Signals()()
	events := make(map[tracefile.Kind]int)
	Go(func() {
		e := New(Config{Snap: 32, Hold: true})
		var done sync.WaitGroup
		done.Go(func() {
			for b := range e.Full {
				for i := range b.Events {
					events[b.Events[i].Kind]++
				}
				e.Free <- b
			}
		})
		done.Go(func() { fn(e) })
		e.Run()
		e.Close()
		done.Wait()
		if e.Do(func() {}) {
			t.Error("a request was served after Run")
		}
	})
	return events
}

func sleeper(t *testing.T) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return cmd
}

func traced(pid int) bool {
	b, _ := os.ReadFile("/proc/" + itoa(pid) + "/status")
	return !bytes.Contains(b, []byte("\nTracerPid:\t0\n"))
}

// Requests are served whether the engine waits for a tracee or for nothing, and
// Run ends when nothing is followed and nothing more is to come.
func TestRequests(t *testing.T) {
	cmds := []*exec.Cmd{sleeper(t), sleeper(t), sleeper(t)}
	events := held(t, func(e *Engine) {
		for _, cmd := range cmds { // nothing is followed at the begin of a round
			e.Do(func() {
				if err := e.Join(cmd.Process.Pid, func() bool { return true }); err != nil {
					t.Error(err)
				}
			})
			if !traced(cmd.Process.Pid) {
				t.Error("it is not followed")
			}
			served := 0
			for range 100 {
				e.Do(func() { served++ })
			}
			var callers sync.WaitGroup
			for range 20 {
				callers.Go(func() { e.Do(func() { served++ }) })
			}
			callers.Wait()
			if served != 120 {
				t.Errorf("%d requests of 120 were served", served)
			}
			cmd.Process.Kill()
			for following := true; following; time.Sleep(time.Millisecond) {
				e.Do(func() { following = e.Following() })
			}
		}
		e.Release()
	})
	if events[tracefile.ThreadStart] != 3 || events[tracefile.ThreadExit] != 3 {
		t.Errorf("events %v", events)
	}
}

// Stop ends an engine that follows nothing.
func TestStopIdle(t *testing.T) {
	held(t, func(e *Engine) {
		e.Do(func() {})
		e.Stop()
	})
}

// A process that is not the one that was meant, because its PID has become
// another's, is let go of as it was, and nothing is recorded of it.
func TestJoinStranger(t *testing.T) {
	cmd := sleeper(t)
	pid := cmd.Process.Pid
	events := held(t, func(e *Engine) {
		e.Do(func() {
			asked := false
			err := e.Join(pid, func() bool {
				asked = true
				if !traced(pid) {
					t.Error("asked before it is held")
				}
				return false
			})
			if err != nil || !asked || e.Counts.Processes != 0 {
				t.Errorf("error %v, asked %v, counted %d", err, asked, e.Counts.Processes)
			}
		})
		for deadline := time.Now().Add(2 * time.Minute); traced(pid); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Error("it is still traced")
				break
			}
		}
		e.Release()
	})
	if len(events) != 0 {
		t.Errorf("events %v", events)
	}
}
