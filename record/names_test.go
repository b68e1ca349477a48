//go:build linux && (amd64 || arm64)

package record

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"sysreel/proto/tracefile"
	"sysreel/proto/world"
)

// What descriptors are is right whichever calls are recorded, or not said.
func TestNames(t *testing.T) {
	path := prog(t, "names")
	for _, expr := range []string{"write", "write,close", "write,openat", "write,socketpair,pipe,pipe2", "write,dup2,fcntl,close", "!chdir", "!dup2", "%desc,%network,%file"} {
		for _, seccomp := range []Seccomp{SeccompOn, SeccompOff} {
			t.Run(fmt.Sprintf("%s/%d", expr, seccomp), func(t *testing.T) {
				t.Parallel()
				r := record(t, Options{Trace: expr, Seccomp: seccomp, Snap: 1 << 10}, path, namesDir(t))
				if r.status != 0 || r.stdout != "ok\n" {
					t.Fatalf("status %d\n%s%s", r.status, r.stdout, r.stderr)
				}
				checkNames(t, r.trace)
			})
		}
	}
	t.Run("attach", func(t *testing.T) {
		t.Parallel()
		cmd := exec.Command(path, namesDir(t), "-")
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		cmd.Stdout = &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "t.reel")
		rec := attach(t, Options{PIDs: []int{cmd.Process.Pid}, Trace: "write", Snap: 1 << 10}, file)
		io.WriteString(in, "!")
		if err := cmd.Wait(); err != nil || out.String() != "ok\n" {
			t.Errorf("%v: %s", err, &out)
		}
		if err := rec.Wait(); err != nil {
			t.Fatal(err)
		}
		checkNames(t, readTrace(t, file))
	})
}

// namesDir is a directory for testdata/progs/names.c.
func namesDir(t *testing.T) string {
	dir := t.TempDir()
	for _, sub := range []string{"sub", "elsewhere"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("elsewhere/file", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// checkNames holds what a trace says of descriptors against what the program
// wrote to them.
func checkNames(t *testing.T, tr trace) {
	t.Helper()
	w := world.ForReading()
	checked := 0
	for i := range tr.events {
		e := &tr.events[i]
		w.Named(e)
		if e.Kind == tracefile.Syscall && len(e.Bufs) == 1 && len(e.Bufs[0].Data) > 1 && e.Bufs[0].Data[0] == '=' {
			checked++
			want, got := string(e.Bufs[0].Data[1:]), "nothing"
			if f := w.See(e.Thread).Process.File(int32(e.Args[0])); f != nil {
				got = f.Name()
			}
			// A call that is recorded tells the name that it was opened by.
			opened := strings.Replace(got, "/link", "/elsewhere/file", 1)
			if opened != strings.TrimSuffix(want, " (deleted)") && got != want && !numbered(got) {
				t.Errorf("event %d: descriptor %d is %s, not %s", e.Num, int32(e.Args[0]), got, want)
			}
		}
		w.Apply(e)
	}
	if checked < 400 {
		t.Errorf("only %d descriptors were checked", checked)
	}
}

// Where every call that changes descriptors is recorded nothing more is said, and
// where they are not no more than what changes.
func TestNamesSaid(t *testing.T) {
	for expr, most := range map[string]int{"%desc,%network,%file": 0, "!brk": 0, "read": 1} {
		r := record(t, Options{Trace: expr}, "sh", "-c", "while read x; do :; done < /proc/self/status")
		calls, said := 0, 0
		for _, e := range r.events {
			if e.Kind == tracefile.Syscall && e.NR == syscall.SYS_READ && e.Args[0] == 0 {
				calls++
				if e.Facts != nil {
					said++
				}
			}
		}
		if calls < 100 || said > most {
			t.Errorf("%s: of %d calls %d said what they read", expr, calls, said)
		}
	}
}

// Of which protocol a netlink socket is, is known whichever calls are recorded.
func TestNamesNetlink(t *testing.T) {
	path := prog(t, "protocols")
	for _, expr := range []string{"all", "sendto", "sendto,bind", "sendto,socket", "sendto,dup2,close", "!dup2", "!bind"} {
		t.Run(expr, func(t *testing.T) {
			t.Parallel()
			r := record(t, Options{Trace: expr}, path)
			if r.status != 0 || r.stdout != "ok\n" || r.stderr != "" {
				t.Fatalf("status %d\n%s%s", r.status, r.stdout, r.stderr)
			}
			checkProtocols(t, r.trace)
		})
	}
	for _, expr := range []string{"all", "sendto"} {
		t.Run("attach/"+expr, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(path, "-")
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			awaitOpen(t, cmd.Process.Pid, 6)
			file := filepath.Join(t.TempDir(), "t.reel")
			rec := attach(t, Options{PIDs: []int{cmd.Process.Pid}, Trace: expr}, file)
			io.WriteString(in, "!")
			if b, err := io.ReadAll(out); err != nil || string(b) != "ok\n" {
				t.Errorf("%v: %s", err, b)
			}
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
			if err := rec.Wait(); err != nil {
				t.Fatal(err)
			}
			checkProtocols(t, readTrace(t, file))
		})
	}
}

// awaitOpen waits until the process is in read(2), having opened a descriptor.
func awaitOpen(t *testing.T, pid, fd int) {
	t.Helper()
	until(t, "the program reads", func() bool {
		call, _ := os.ReadFile(fmt.Sprintf("/proc/%d/syscall", pid))
		_, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", pid, fd))
		return err == nil && strings.HasPrefix(string(call), fmt.Sprint(syscall.SYS_READ, " "))
	})
}

// checkProtocols holds the protocols of the sockets of a trace against what
// testdata/progs/protocols.c says of them.
func checkProtocols(t *testing.T, tr trace) {
	t.Helper()
	w := world.ForReading()
	checked := 0
	for i := range tr.events {
		e := &tr.events[i]
		w.Named(e)
		if e.Kind == tracefile.Syscall && e.NR == syscall.SYS_SENDTO && len(e.Bufs) > 0 && len(e.Bufs[0].Data) == 16 {
			header := e.Bufs[0].Data
			want, got, known := int(header[8]), 0, false
			if f := w.See(e.Thread).Process.File(int32(e.Args[0])); f != nil {
				got, known = f.Netlink()
			}
			if maybe := header[4] == 2; known && got != want || !known && !maybe {
				t.Errorf("event %d: descriptor %d is of protocol %d (%v), not %d", e.Num, int32(e.Args[0]), got, known, want)
			}
			checked++
		}
		w.Apply(e)
	}
	if checked != 28 {
		t.Errorf("%d messages", checked)
	}
}

// numbered tells a name of what a recorded call has made.
func numbered(name string) bool { return strings.Contains(name, ":[#") }
