//go:build linux && (amd64 || arm64)

package ptrace

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"sysreel/proto/tracefile"
)

// follow runs a program of testdata/progs under an engine and returns it, with
// the number of its events of each kind.
func follow(t *testing.T, cfg Config, name string) (*Engine, map[tracefile.Kind]int) {
	t.Helper()
	path := compile(t, name)
	defer Signals()()
	var e *Engine
	events := make(map[tracefile.Kind]int)
	Go(func() {
		e = New(cfg)
		if err := e.Launch(Command{Path: path, Argv: []string{path}, Env: os.Environ(), StdoutToStderr: true}); err != nil {
			t.Error(err)
			return
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			for b := range e.Full {
				for i := range b.Events {
					events[b.Events[i].Kind]++
				}
				e.Free <- b
			}
		}()
		e.Run()
		e.Close()
		<-done
	})
	if t.Failed() {
		t.FailNow()
	}
	if status, exited, err := e.Launched(); !exited || status != 0 || err != nil {
		t.Fatalf("%s: status %#x, exited %v, %v", name, status, exited, err)
	}
	return e, events
}

// compile returns a program of testdata/progs.
func compile(t *testing.T, name string) string {
	t.Helper()
	if _, err := exec.LookPath("cc"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if out, err := exec.Command("cc", "-O1", "-w", "-pthread", "-o", path, "../../../testdata/progs/"+name+".c").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// While a thread of the process is inside execve, the memory of the others is
// read without process_vm_readv: on kernels before 5.8 it waits for the execve,
// which waits for threads that are waiting for the engine.
func TestNoReadvDuringExec(t *testing.T) {
	e, _ := follow(t, Config{Snap: 32}, "execrace")
	if _, words := e.capturer.Reads(); words == 0 {
		t.Error("memory was read by process_vm_readv although an execve was going on")
	}
	e, _ = follow(t, Config{Snap: 32}, "exec")
	if _, words := e.capturer.Reads(); words != 0 {
		t.Errorf("%d words were read one by one without need", words)
	}
}

// A stop costs no more kernel calls than it must: one read of memory for all
// the pointers of a call.
func TestReadsPerCall(t *testing.T) {
	e, events := follow(t, Config{Snap: 32}, "badmem")
	vm, _ := e.capturer.Reads()
	if calls := events[tracefile.Syscall]; vm == 0 || int(vm) > calls {
		t.Errorf("%d reads of memory for %d calls", vm, calls)
	}
}

// With engine and tracees on different CPUs a SIGKILL comes between any two
// requests of the engine.
func TestKilledOnOtherCPU(t *testing.T) {
	_, events := follow(t, Config{Snap: 32, NoPlacement: true}, "killed")
	if starts, exits := events[tracefile.ThreadStart], events[tracefile.ThreadExit]; starts != 201 || exits != 201 {
		t.Errorf("%d starts and %d exits, want 201", starts, exits)
	}
}
