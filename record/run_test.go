//go:build linux && (amd64 || arm64)

package record

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
)

// What a command sees of its own process is the same, recorded or not.
func TestCommandSeesNothing(t *testing.T) {
	script := `
grep -E '^(Sig(Blk|Ign|Cgt)|ShdPnd|Cpus_allowed_list|NoNewPrivs|Seccomp|Cap|Umask|Groups|Uid)' /proc/$$/status | grep -v Cpus
ulimit -a; umask; pwd; env | sort | grep -v ^_=
ls /proc/$$/fd; readlink /proc/$$/fd/0
cat /proc/$$/cgroup; nproc; id
tr '\0' '\n' < /proc/$$/cmdline
ps -o pgid=,sid= -p $$ | wc -w`
	if _, err := exec.LookPath("ps"); err != nil {
		script = script[:strings.LastIndexByte(script, '\n')]
	}
	setup := func(c *exec.Cmd) {
		c.Env = append(os.Environ(), "A=b c", "EMPTY=", "ODD=\xff\x01")
		c.Dir = os.TempDir()
	}
	// Around the shell: blocked and ignored signals, a low soft limit.
	around := `ulimit -Sn 77; trap '' HUP INT; exec "$@"`
	bare := exec.Command("sh", "-c", around, "sh", "sh", "-c", script, "the name", "and 1", "")
	setup(bare)
	want, err := bare.CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "t.reel")
	rec := recorder(t, Options{}, file, "sh", "-c", script, "the name", "and 1", "")
	recorded := exec.Command("sh", append([]string{"-c", around, "sh"}, rec.Args...)...)
	setup(recorded)
	got, err := recorded.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, got)
	}
	if !bytes.Equal(got, want) {
		w := strings.Split(string(want), "\n")
		for i, line := range strings.Split(string(got), "\n") {
			if i >= len(w) || line != w[i] {
				t.Errorf("recorded: %q\n    bare: %q", line, w[min(i, len(w)-1)])
			}
		}
	}
}

func TestExitStatus(t *testing.T) {
	for _, c := range []struct {
		script string
		want   int
	}{{"exit 0", 0}, {"exit 7", 7}, {"exit 255", 255}, {"kill -KILL $$", 137}, {"kill -SEGV $$", 139}, {"kill -TERM $$", 143}} {
		r := record(t, Options{}, "sh", "-c", c.script)
		if r.status != c.want {
			t.Errorf("%s: status %d, want %d", c.script, r.status, c.want)
		}
		if r.footer.GetEnd() != tracepb.Footer_EXITED || !r.footer.ExitKnown {
			t.Errorf("%s: footer %v", c.script, r.footer)
		}
	}
}

func TestCommandErrors(t *testing.T) {
	dir := t.TempDir()
	put := func(name, content string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, c := range []struct {
		command string
		status  int
		message string
	}{
		{"no-such-command", 127, "cannot run no-such-command: command not found in PATH"},
		{dir + "/absent", 127, "no such file or directory"},
		{dir, 126, "is a directory"},
		{put("plain", "x", 0o600), 126, "permission denied"},
		{put("noformat", "echo hi\n", 0o700), 126, "exec format error: it is neither a program nor a script"},
		{put("nointerp", "#!/no/such/interpreter\n", 0o700), 126, "its interpreter or loader is not there"},
		{put("x", "", 0o600) + "/below", 126, "not a directory"},
	} {
		r := record(t, Options{}, c.command)
		if r.status != c.status || !strings.Contains(r.stderr, c.message) || strings.Count(r.stderr, "\n") != 1 {
			t.Errorf("%s: status %d, %q; want %d, %q", c.command, r.status, r.stderr, c.status, c.message)
		}
	}
	r := record(t, Options{}, "sh", "-c", "exec 2>/dev/null; no-such-command; exit $?")
	if r.status != 127 {
		t.Errorf("status 127 of the command itself becomes %d", r.status)
	}
}

// A limit ends the recording; the command goes on to its end.
func TestLimits(t *testing.T) {
	script := "i=0; while [ $i -lt 3000 ]; do : < /dev/null; i=$((i+1)); done; echo done; exit 3"
	for name, o := range map[string]Options{
		"events": {MaxEvents: 1000},
		"time":   {MaxTime: 30 * time.Millisecond},
		"size":   {MaxSize: 20_000},
	} {
		r := record(t, o, "sh", "-c", script)
		if r.status != 3 || r.stdout != "done\n" {
			t.Errorf("%s: the command: status %d, output %q", name, r.status, r.stdout)
		}
		if r.state != tracefile.Complete || r.footer.End != tracepb.Footer_LIMIT || r.footer.Detail == "" {
			t.Errorf("%s: %v, footer %v", name, r.state, r.footer)
		}
		if name == "events" && (len(r.events) < 1000 || len(r.events) > 1010) {
			t.Errorf("%d events, the limit was 1000", len(r.events))
		}
		if n := len(r.events); n > 8000 {
			t.Errorf("%s: %d events: the limit was not obeyed", name, n)
		}
		last := r.events[len(r.events)-1]
		if last.Kind != tracefile.Detach {
			t.Errorf("%s: the last event is of kind %d, want a detach", name, last.Kind)
		}
	}
}

// Trouble with the output never reaches the command.
func TestOutputFails(t *testing.T) {
	script := "i=0; while [ $i -lt 2000 ]; do : < /dev/null; i=$((i+1)); done; echo done > \"$1\"; exit 3"
	t.Run("full", func(t *testing.T) {
		need(t, exists("/dev/full"), "/dev/full")
		done := filepath.Join(t.TempDir(), "done")
		cmd := recorder(t, Options{}, "/dev/full", "sh", "-c", script, "sh", done)
		out, _ := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != 125 || !strings.Contains(string(out), "no space left on device") {
			t.Errorf("status %d, %q", cmd.ProcessState.ExitCode(), out)
		}
		if !exists(done) {
			t.Error("the command did not come to its end")
		}
	})
	t.Run("pipe", func(t *testing.T) {
		done := filepath.Join(t.TempDir(), "done")
		cmd := recorder(t, Options{}, "-", "sh", "-c", script, "sh", done)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, _ := cmd.StdoutPipe()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		out.Read(make([]byte, 10))
		out.Close()
		cmd.Wait()
		if !exists(done) {
			t.Error("the command did not come to its end")
		}
	})
	t.Run("later", func(t *testing.T) {
		// In-process: the writer fails in the middle.
		w := &failingWriter{after: 3}
		r, err := Run(context.Background(), Options{Command: []string{"sh", "-c", "exec >/dev/null; " + strings.Replace(script, "2000", "60000", 1), "sh", os.DevNull}, Output: w})
		var oe *OutputError
		if !errors.As(err, &oe) || !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("error %v, want an OutputError of ENOSPC", err)
		}
		if !r.Exited || r.WaitStatus != 3<<8 || r.End != OutputFailed {
			t.Errorf("result %+v", r)
		}
		file := filepath.Join(t.TempDir(), "t.reel")
		if err := os.WriteFile(file, w.held.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		if tr := readTrace(t, file); uint64(len(tr.events)) != r.Events || r.Events == 0 {
			t.Errorf("%d events can be read, the result says %d", len(tr.events), r.Events)
		}
	})
}

// failingWriter is a disk that is full after some writes.
type failingWriter struct {
	after int
	held  bytes.Buffer
}

func (w *failingWriter) Write(b []byte) (int, error) {
	if w.after--; w.after < 0 {
		n, _ := w.held.Write(b[:len(b)/2])
		return n, syscall.ENOSPC
	}
	return w.held.Write(b)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// A signal to the recorder is passed on, once; from the terminal it goes to
// the command by itself.
func TestSignalPassedOn(t *testing.T) {
	script := `trap 'echo TERM; n=1' TERM; trap 'echo INT' INT; n=; echo ready; while [ -z "$n" ]; do sleep 0.02; done; exit 4`
	run := func(group bool) (string, int) {
		file := filepath.Join(t.TempDir(), "t.reel")
		cmd := recorder(t, Options{}, file, "sh", "-c", script)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		var out bytes.Buffer
		stdout, _ := cmd.StdoutPipe()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(2*time.Minute, func() { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
		defer timer.Stop()
		b := make([]byte, 6)
		stdout.Read(b)
		out.Write(b)
		pid := cmd.Process.Pid
		if group {
			pid = -pid
		}
		syscall.Kill(pid, syscall.SIGTERM)
		out.ReadFrom(stdout)
		cmd.Wait()
		return out.String(), cmd.ProcessState.ExitCode()
	}
	for _, group := range []bool{false, true} {
		if out, status := run(group); out != "ready\nTERM\n" || status != 4 {
			t.Errorf("to the group: %v: output %q, status %d", group, out, status)
		}
	}
}

// A second signal ends the recording although the command ignores the first;
// the command lives on.
func TestSecondSignalForces(t *testing.T) {
	file := filepath.Join(t.TempDir(), "t.reel")
	cmd := recorder(t, Options{}, file, "sh", "-c", `trap '' TERM; echo ready; while :; do sleep 0.05; echo tick; done`)
	out, _ := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 6)
	out.Read(b)
	cmd.Process.Signal(syscall.SIGTERM)
	again := time.AfterFunc(300*time.Millisecond, func() { cmd.Process.Signal(syscall.SIGTERM) })
	defer again.Stop()
	late := time.AfterFunc(5*time.Second, func() { cmd.Process.Signal(syscall.SIGTERM) }) // the two may have come as one
	defer late.Stop()
	if err := waitFor(cmd, 2*time.Minute); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(b); err != nil {
		t.Errorf("the command does not go on: %v", err)
	}
	out.Close()
	tr := readTrace(t, file)
	if tr.state != tracefile.Complete || tr.footer.End != tracepb.Footer_INTERRUPTED {
		t.Errorf("%v, footer %v", tr.state, tr.footer)
	}
}

// waitFor waits for a process, but not for its pipes.
func waitFor(cmd *exec.Cmd, d time.Duration) error {
	done := make(chan error, 1)
	go func() {
		_, err := cmd.Process.Wait()
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-time.After(d):
		cmd.Process.Kill()
		return errors.New("the recorder does not end")
	}
}

// Attaching and detaching leaves a process as it was.
func TestDetach(t *testing.T) {
	p := start(t, prog(t, "server"))
	before := affinity(t, p.Process.Pid)
	file := filepath.Join(t.TempDir(), "t.reel")
	for range 20 {
		cmd := attach(t, Options{PIDs: []int{p.Process.Pid}}, file)
		tr := finish(t, cmd, file)
		if n := len(tr.kind(tracefile.Detach)); n != 6 {
			t.Fatalf("%d threads let go, want 6", n)
		}
		var names []string
		for _, e := range tr.kind(tracefile.ThreadStart) {
			names = append(names, string(e.Facts.GetComm()))
		}
		slices.Sort(names)
		if got := strings.Join(names, ", "); got != "server, server, server, server, server, waits at futex" {
			t.Errorf("the threads are named %s", got)
		}
		if tr.footer.End != tracepb.Footer_INTERRUPTED {
			t.Fatalf("footer %v", tr.footer)
		}
		waitTraced(t, p.Process.Pid, false)
		if after := affinity(t, p.Process.Pid); after != before {
			t.Fatalf("on CPUs %s, before it was on %s", after, before)
		}
	}
	p.Process.Signal(syscall.SIGUSR1)
	if s := p.line(t); s != "ok" {
		t.Errorf("the target: %s", s)
	}
}

// A process that is stopped when it is attached to stays so, also when it is
// let go of, and SIGCONT lets it go on at any time.
func TestAttachStopped(t *testing.T) {
	p := start(t, prog(t, "server"))
	o, file := Options{PIDs: []int{p.Process.Pid}}, filepath.Join(t.TempDir(), "t.reel")
	// await waits for every thread to be in one of some states.
	await := func(when, want string) {
		t.Helper()
		for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(2 * time.Millisecond) {
			if s := states(p.Process.Pid); strings.Trim(s, want) == "" {
				return
			} else if time.Now().After(deadline) {
				t.Fatalf("%s: the threads are in states %s, want %s", when, s, want)
			}
		}
	}
	for _, kill := range []bool{false, true} {
		p.Process.Signal(syscall.SIGSTOP)
		await("stopped", "T")
		cmd := attach(t, o, file)
		await("attached to", "tT")
		time.Sleep(20 * time.Millisecond)
		await("attached to for a while", "tT")
		if kill {
			cmd.Process.Kill()
			cmd.Wait()
		} else {
			tr := finish(t, cmd, file)
			if n := len(tr.kind(tracefile.Stop)); n != 6 {
				t.Errorf("%d threads shown as stopped, want 6", n)
			}
		}
		waitTraced(t, p.Process.Pid, false)
		await("let go of", "T")

		// Under the recorder it is continued, and stopped again.
		cmd = attach(t, o, file)
		await("attached to again", "tT")
		p.Process.Signal(syscall.SIGCONT)
		await("continued", "SRD")
		p.Process.Signal(syscall.SIGSTOP)
		await("stopped again", "tT")
		finish(t, cmd, file)
		await("let go of, stopped again", "T")
		p.Process.Signal(syscall.SIGCONT)
		await("continued at last", "SRD")
	}
	p.Process.Signal(syscall.SIGUSR1)
	if s := p.line(t); s != "ok" {
		t.Errorf("the target: %s", s)
	}
}

// until waits for something to come true.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("in two minutes it was not seen that %s", what)
		}
	}
}

// children lists the children of a process that has one thread.
func children(pid int) (all []int) {
	b, _ := os.ReadFile("/proc/" + itoa(pid) + "/task/" + itoa(pid) + "/children")
	for _, field := range strings.Fields(string(b)) {
		child, _ := strconv.Atoi(field)
		all = append(all, child)
	}
	return all
}

// With --tree the descendants are attached to as well.
func TestTree(t *testing.T) {
	p := start(t, "sh", "-c", "(sh -c 'while kill -0 '$$'; do sleep 0.01; done' & while kill -0 $$; do sleep 0.05; done) >&- 2>&- & echo $!; wait")
	var loop int // a grandchild of the shell that starts others
	until(t, "there is the tree", func() bool {
		for _, child := range children(p.Process.Pid) {
			for _, loop = range children(child) {
				if len(children(loop)) > 0 {
					return true
				}
			}
		}
		return false
	})
	file := filepath.Join(t.TempDir(), "t.reel")
	cmd := attach(t, Options{PIDs: []int{p.Process.Pid}, Tree: true}, file)
	waitTraced(t, loop, true)
	seen := make(map[int]bool) // what the loop has started
	until(t, "there are new processes", func() bool {
		for _, c := range children(loop) {
			seen[c] = true
		}
		return len(seen) > 5
	})
	tr := finish(t, cmd, file)
	attached := 0
	for _, e := range tr.kind(tracefile.ThreadStart) {
		if tracefile.StartHow(e.Args[0]) == tracefile.StartAttach {
			attached++
		}
	}
	if attached < 3 || len(tr.kind(tracefile.Exec)) == 0 {
		t.Errorf("%d processes attached, %d execs seen", attached, len(tr.kind(tracefile.Exec)))
	}
}

// Only the calls asked for are recorded, starts, execs and exits always.
func TestTraceSet(t *testing.T) {
	r := record(t, Options{Trace: "openat,%process"}, "sh", "-c", "cat /dev/null; exit 2")
	seen := make(map[string]int)
	for i := range r.events {
		if e := &r.events[i]; isCall(e) {
			seen[name(e)]++
		}
	}
	if seen["openat"] == 0 || seen["execve"] != 2 || seen["read"]+seen["mmap"]+seen["close"] != 0 {
		t.Errorf("calls: %v", seen)
	}
	if len(r.kind(tracefile.Exec)) != 2 || len(r.kind(tracefile.ThreadExit)) != 2 || r.status != 2 {
		t.Errorf("%d execs, %d exits, status %d", len(r.kind(tracefile.Exec)), len(r.kind(tracefile.ThreadExit)), r.status)
	}
}

// Without following, children live unseen, threads do not.
func TestNoFollow(t *testing.T) {
	r := record(t, Options{NoFollow: true}, prog(t, "clones"))
	if r.status != 0 || r.footer.Processes != 1 && len(r.kind(tracefile.ThreadStart)) != 1 {
		t.Errorf("status %d, footer %v\n%s", r.status, r.footer, r.stdout)
	}
	r = record(t, Options{NoFollow: true}, prog(t, "affinity"))
	if r.status != 77 && (r.status != 0 || len(r.kind(tracefile.ThreadStart)) < 3) {
		t.Errorf("affinity: status %d, %d threads\n%s", r.status, len(r.kind(tracefile.ThreadStart)), r.stdout)
	}
}

// Environments are recorded only when asked for.
func TestEnviron(t *testing.T) {
	for _, keep := range []bool{false, true} {
		r := recordIn(t, func(c *exec.Cmd) { c.Env = append(os.Environ(), "MARK=a-secret") }, Options{Environ: keep}, "sh", "-c", "true; /bin/true")
		found := 0
		for i := range r.events {
			e := &r.events[i]
			if bytes.Contains(joined(e), []byte("a-secret")) {
				found++
			}
			if e.Facts != nil && slices.ContainsFunc(e.Facts.Env, func(b []byte) bool { return bytes.Contains(b, []byte("a-secret")) }) {
				found++
			}
		}
		if keep != (found > 0) {
			t.Errorf("kept: %v, found %d times", keep, found)
		}
		for _, e := range r.kind(tracefile.Exec) {
			if !e.Facts.EnvKnown || e.Facts.EnvCount == 0 {
				t.Errorf("the size of the environment is not known: %v", e.Facts)
			}
		}
	}
}

// Several recordings go on in one process, beside commands of its own.
func TestConcurrentRuns(t *testing.T) {
	type outcome struct {
		r   Result
		err error
		n   int
	}
	out := make(chan outcome)
	for i := range 4 {
		go func() {
			var b bytes.Buffer
			r, err := Run(context.Background(), Options{Command: []string{"sh", "-c", "for i in 1 2 3; do /bin/true; done; exit " + itoa(i)}, Output: &b})
			out <- outcome{r, err, i}
		}()
	}
	for range 20 {
		if err := exec.Command("sh", "-c", "exit 9").Run(); err == nil || err.Error() != "exit status 9" {
			t.Errorf("a command of the process itself: %v", err)
		}
	}
	for range 4 {
		o := <-out
		if o.err != nil || !o.r.Exited || o.r.WaitStatus>>8 != uint32(o.n) || o.r.Processes != 4 {
			t.Errorf("run %d: %+v, %v", o.n, o.r, o.err)
		}
	}
}
