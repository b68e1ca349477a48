//go:build linux && (amd64 || arm64)

package record

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
)

// filtered asks for a seccomp filter.
func filtered(expr string) Options { return Options{Trace: expr, Seccomp: SeccompOn} }

// Every program works with a filter as it does without, whatever it does with
// processes, threads and signals, and the calls selected are the same.
func TestFilter(t *testing.T) {
	const expr = "access,faccessat,kill,tgkill,wait4,nanosleep,clock_nanosleep"
	counted := []string{"access", "faccessat", "kill"}
	for _, name := range []string{"affinity", "badmem", "clones", "exec", "execrace", "forks", "int80", "jobctl", "killed", "pidreuse",
		"restart", "signals", "threadexec", "unfinished", "vfork", "zombieleader"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "int80" && runtime.GOARCH != "amd64" {
				t.Skip("amd64 only")
			}
			need(t, name != "pidreuse" || os.Geteuid() == 0, "root")
			with := record(t, filtered(expr), prog(t, name))
			if with.status == 77 {
				return // TestInt80 and others say what is missing
			}
			if with.status != 0 || !strings.HasSuffix(with.stdout, "ok\n") {
				t.Fatalf("status %d\n%s%s", with.status, with.stdout, with.stderr)
			}
			if !with.header.Policy.Seccomp {
				t.Fatal("there was no filter")
			}
			without := record(t, Options{Trace: expr, Seccomp: SeccompOff}, prog(t, name))
			if without.status != 0 || without.header.Policy.Seccomp {
				t.Fatalf("without a filter: status %d, filter %v", without.status, without.header.Policy.Seccomp)
			}
			if name == "killed" {
				return // at random moments
			}
			for _, call := range counted {
				if got, want := len(with.calls(call)), len(without.calls(call)); got != want && !(name == "clones" && got == want+1) {
					t.Errorf("%d calls of %s with a filter, %d without", got, call, want)
				}
			}
			if name == "clones" && with.footer.Processes != without.footer.Processes+1 {
				t.Errorf("%d processes, and %d where the one with CLONE_UNTRACED is not followed", with.footer.Processes, without.footer.Processes)
			}
		})
	}
}

// Filters that programs install themselves do what they do without a recorder,
// and what they hide from the recorder's filter is said.
func TestFilterOfProgram(t *testing.T) {
	const expr = "mkdirat,access,faccessat,time,read"
	hidden := func(r *recording) (n uint64) {
		for _, l := range r.losses {
			if l.Reason == tracepb.Loss_UNSEEN_CALLS {
				n += l.Count
			}
		}
		return n
	}
	path := prog(t, "seccomp")
	for _, o := range []Options{{}, {Trace: expr, Seccomp: SeccompOff}, filtered(expr)} {
		r := record(t, o, path)
		if r.status != 0 || r.stdout != "ok\n" {
			t.Fatalf("%q, filter %d: status %d, %q %s", o.Trace, o.Seccomp, r.status, r.stdout, r.stderr)
		}
		var results []int64
		for _, e := range r.calls("mkdirat") {
			if e.Kind == tracefile.Syscall {
				results = append(results, e.Ret)
			}
		}
		want := []int64{-int64(syscall.EXDEV), -int64(syscall.ENOSYS)}
		if o.Seccomp == SeccompOn {
			want = want[1:]
			if n := hidden(&r); n < 5 {
				t.Errorf("%d filters were noted", n)
			}
			if n := len(r.marks("untraced")); n != 2 {
				t.Errorf("%d marks of children with CLONE_UNTRACED", n)
			}
			if n := len(r.marks("vsyscall")); n > 0 && len(r.calls("time")) < 2 {
				t.Errorf("%d calls of time through the vsyscall page", len(r.calls("time")))
			}
		} else if n := hidden(&r); n != 0 {
			t.Errorf("%d losses, but nothing is hidden", n)
		}
		// RET_TRAP and RET_KILL have a result too where the call is seen.
		if len(results) < len(want) || !slices.Equal(results[:len(want)], want) {
			t.Errorf("%q, filter %d: results %d, want %d first", o.Trace, o.Seccomp, results, want)
		}
	}
}

// A filter is not used where it would do harm, or no good.
func TestFilterChoice(t *testing.T) {
	status, _ := os.ReadFile("/proc/self/status")
	free := bytes.Contains(status, []byte("Seccomp:\t0"))
	uses := func(o Options, command ...string) bool {
		t.Helper()
		r := record(t, o, command...)
		if r.status != 0 || r.stdout != "fine\n" {
			t.Fatalf("status %d, %q\n%s", r.status, r.stdout, r.stderr)
		}
		return r.header.Policy.Seccomp
	}
	sh := []string{"sh", "-c", "/bin/echo fine"}
	if uses(Options{}, sh...) {
		t.Error("there is a filter without a selection")
	}
	if uses(Options{Trace: "accept", Seccomp: SeccompOff}, sh...) {
		t.Error("there is a filter against the option")
	}
	if uses(Options{Trace: "write,execve", Seccomp: SeccompOn, NoFollow: true}, sh...) {
		t.Error("there is a filter although children are not followed")
	}
	if uses(Options{Trace: "!close"}, sh...) {
		t.Error("there is a filter that saves nothing")
	}
	need(t, os.Geteuid() == 0, "root")
	if got := uses(Options{Trace: "accept"}, sh...); got != free {
		t.Errorf("as root: %v, the test is free of filters: %v", got, free)
	}
	needTool(t, "setpriv")
	// Under another filter, and with rights that no_new_privs would take away.
	if recordedBy(t, []string{prog(t, "seccomp")}, Options{Trace: "accept"}) {
		t.Error("there is a filter below another one, which hides calls")
	}
	if recordedBy(t, []string{"setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"}, Options{Trace: "accept"}) {
		t.Error("there is a filter, with no_new_privs, where set-user-ID programs have their rights")
	}
	if got := recordedBy(t, []string{"setpriv", "--bounding-set=-sys_admin,-sys_ptrace", "--inh-caps=-sys_admin,-sys_ptrace"}, Options{Trace: "accept"}); got != free {
		t.Errorf("without CAP_SYS_PTRACE: %v, free of filters: %v", got, free)
	}
}

// recordedBy records a command with a recorder that a wrapper starts, and
// tells whether it used a filter.
func recordedBy(t *testing.T, wrapper []string, o Options) bool {
	t.Helper()
	file := filepath.Join(t.TempDir(), "t.reel")
	rec := recorder(t, o, file, "sh", "-c", "/bin/echo fine")
	cmd := exec.Command(wrapper[0], append(wrapper[1:], rec.Args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil || string(out) != "fine\n" {
		t.Fatalf("%v: %v\n%s", wrapper, err, out)
	}
	return readTrace(t, file).header.Policy.Seccomp
}

// Where a recorder may give set-user-ID programs their rights, a filter does
// not take them.
func TestFilterSetuid(t *testing.T) {
	need(t, os.Geteuid() == 0, "root")
	needTool(t, "setpriv")
	dir, err := os.MkdirTemp("", "sysreel-setuid")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	os.Chmod(dir, 0o755)
	id, _ := exec.LookPath("id")
	b, err := os.ReadFile(id)
	suid := filepath.Join(dir, "id")
	if err == nil {
		err = os.WriteFile(suid, b, 0o755)
	}
	if err == nil {
		err = os.Chmod(suid, os.ModeSetuid|0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	r := record(t, filtered("accept"), "setpriv", "--reuid=65534", "--clear-groups", suid, "-u")
	if r.stdout != "0\n" || !r.header.Policy.Seccomp {
		t.Errorf("user %q, filter %v\n%s", r.stdout, r.header.Policy.Seccomp, r.stderr)
	}
}

// However the recording ends, a command with a filter goes on to its own end.
func TestFilterOutlivesRecording(t *testing.T) {
	// Every cat is a new process whose opens the filter wants traced.
	script := `i=0; while [ $i -lt 40 ]; do cat /dev/null || exit 1; i=$((i+1)); done; echo through; exit 5`
	events, size, later := filtered("%file"), filtered("%file"), filtered("%file")
	events.MaxEvents, size.MaxSize, later.MaxTime = 50, 4000, 30*time.Millisecond
	for name, o := range map[string]Options{"events": events, "size": size, "time": later} {
		r := record(t, o, "sh", "-c", script)
		if r.status != 5 || r.stdout != "through\n" {
			t.Errorf("%s: status %d, %q\n%s", name, r.status, r.stdout, r.stderr)
		}
		if r.state != tracefile.Complete || name == "events" && r.footer.End != tracepb.Footer_LIMIT {
			t.Errorf("%s: the trace is %v, %v", name, r.state, r.footer)
		}
	}
	// An output that fails at once, and one whose reader goes away.
	full := recorder(t, filtered("%file"), "/dev/full", "sh", "-c", script)
	gone := recorder(t, filtered("%file"), "-", "sh", "-c", script) // its output is standard error
	gone.Args = append([]string{"sh", "-c", `"$@" | head -c 1 >/dev/null`, "sh"}, gone.Args...)
	gone.Path, _ = exec.LookPath("sh")
	for name, cmd := range map[string]*exec.Cmd{"full": full, "gone": gone} {
		if out, _ := cmd.CombinedOutput(); !strings.Contains(string(out), "through\n") {
			t.Errorf("%s: the command did not get to its end: %s", name, out)
		}
	}
}

// A second signal ends the recording and not the command; a third ends both.
func TestFilterSignals(t *testing.T) {
	dir := t.TempDir()
	file, fifo := filepath.Join(dir, "t.reel"), filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	in, err := os.OpenFile(fifo, os.O_RDWR, 0) // what is written waits for the shell to read it
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	cmd := recorder(t, filtered("%file"), file, "sh", "-c", `trap '' INT TERM HUP; while read -r line; do cat /dev/null && echo "$line" || echo bad; done < `+fifo)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(2*time.Minute, func() { cmd.Process.Kill() })
	defer timer.Stop()
	lines, messages := readLines(out), readLines(stderr)
	expect := func(from <-chan string, want string) {
		t.Helper()
		for line := range from {
			if strings.Contains(line, want) {
				return
			}
		}
		t.Fatalf("%q never came", want)
	}
	write := func(s string) {
		t.Helper()
		if _, err := in.WriteString(s + "\n"); err != nil {
			t.Fatal(err)
		}
	}
	write("one")
	expect(lines, "one")
	cmd.Process.Signal(syscall.SIGINT)
	cmd.Process.Signal(syscall.SIGTERM)
	expect(messages, "another signal kills both")
	for _, s := range []string{"two", "three"} {
		write(s)
		expect(lines, s)
	}
	cmd.Process.Signal(syscall.SIGHUP)
	for line := range lines {
		t.Errorf("after the third signal: %q", line)
	}
	var rest []string
	for line := range messages {
		rest = append(rest, line)
	}
	cmd.Wait()
	if status := cmd.ProcessState.ExitCode(); status != 128+9 {
		t.Errorf("status %d: %v", status, rest)
	}
	if tr := readTrace(t, file); tr.footer.GetEnd() != tracepb.Footer_INTERRUPTED {
		t.Errorf("the trace ended: %v", tr.footer)
	}
}

// A command with a filter dies with a recorder that is killed: it could not
// make any of the calls that the filter wants traced.
func TestFilterRecorderKilled(t *testing.T) {
	file := filepath.Join(t.TempDir(), "t.reel")
	cmd := recorder(t, filtered("%file"), file, "sh", "-c", "echo $$; sleep 100 & echo $!; wait")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := readLines(out)
	pids := []string{<-lines, <-lines}
	cmd.Process.Kill()
	for range lines { // until nobody has the pipe any more
	}
	cmd.Wait()
	for _, pid := range pids {
		dead := func() bool { // or about to be, its descriptors closed
			status, err := os.ReadFile("/proc/" + pid + "/status")
			return err != nil || bytes.Contains(status, []byte("(zombie)")) || bytes.Contains(status, []byte("(dead)"))
		}
		for deadline := time.Now().Add(2 * time.Minute); !dead(); time.Sleep(2 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("process %s lives on", pid)
			}
		}
	}
}

// Programs that want to trace what has a filter are told that they cannot.
func TestFilterNestedPtrace(t *testing.T) {
	needTool(t, "strace")
	r := record(t, filtered("execve"), "strace", "-o", os.DevNull, "true")
	if r.status == 0 || !strings.Contains(r.stderr, "Operation not permitted") {
		t.Errorf("status %d, %s", r.status, r.stderr)
	}
	var what []string
	for _, l := range r.losses {
		what = append(what, fmt.Sprint(l.Reason, " ", l.Detail))
	}
	if !strings.Contains(strings.Join(what, "\n"), "ALTERED a recorded program was not allowed to trace another") {
		t.Errorf("losses %q", what)
	}
}

// readLines brings the lines of r, without their ends.
func readLines(r io.Reader) <-chan string {
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		for sc := bufio.NewScanner(r); sc.Scan(); {
			lines <- sc.Text()
		}
	}()
	return lines
}
