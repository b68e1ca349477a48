//go:build linux && (amd64 || arm64)

package ptrace

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"

	"sysreel/proto/tracefile"
)

// The stub may be seized in the middle of the execve that makes it the stub. It is
// not let go of for that where executing ends the tracing.
func TestStubSeizedInExec(t *testing.T) {
	cmd := exec.Command("sh", "-c", "echo ready; read x; exec sleep 60")
	in, _ := cmd.StdinPipe()
	stdout, _ := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	if s, err := bufio.NewReader(stdout).ReadString('\n'); s != "ready\n" {
		t.Fatalf("%q, %v", s, err)
	}
	pid := cmd.Process.Pid
	Go(func() {
		e := New(Config{DetachExec: true})
		defer e.Discard()
		if errno := seize(pid, e.options()); errno != 0 {
			t.Errorf("seize: %v", errno)
			return
		}
		root := e.newThread(pid, e.newProcess(pid, os.Getpid()), tracefile.StartLaunch)
		e.launch.root = root
		io.WriteString(in, "\n")
		for s := inSyscall; s != execed; {
			var status uint32
			tid, errno := wait(0, &status)
			if errno == unix.ECHILD {
				t.Error("the process has ended")
				return
			} else if errno != 0 {
				continue
			}
			if s, _ = classify(status); s == execed {
				root.launching = true // as if the enter of the call had not been seen
			}
			e.handle(tid, status, e.now())
		}
		if e.threads[pid] != root {
			t.Error("the stub was let go of")
		}
	})
}
