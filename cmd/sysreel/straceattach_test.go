//go:build linux

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestStraceCannotExecute holds text and status of commands that there are not, or
// that the kernel does not execute, against strace's.
func TestStraceCannotExecute(t *testing.T) {
	if !canRecord() {
		t.Skip("cannot record here")
	}
	need(t, "strace")
	called := calledStraceHere(t)
	dir := straceDir(t)
	for name, text := range map[string]string{"format": "hello\n", "empty": "", "interpreter": "#!/no/such/thing\n", "elf": "\x7fELF garbage"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	address := regexp.MustCompile(`0x[0-9a-f]+`)
	older := regexp.MustCompile(`(?m)^strace: Can't stat '([^/]*'): .*`) // before strace 7.0
	run := func(program, options, command string) string {
		cmd := exec.Command(program, append(strings.Fields(options), command, "argument")...)
		cmd.Dir = dir
		cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C"}
		out, _ := cmd.CombinedOutput()
		text := strings.ReplaceAll(address.ReplaceAllString(string(out), "0xADDRESS"), program+": ", "strace: ")
		text = older.ReplaceAllString(text, "strace: Cannot find executable '$1")
		return strings.ReplaceAll(text, "strace: Can't stat", "strace: Cannot stat") + cmd.ProcessState.String()
	}
	for _, command := range []string{"./missing", "no-such-command", "./format", "./empty", "./interpreter", "./elf", "./dir/file", "./dir", "./dir/file/below"} {
		for _, options := range []string{"", "-f", "-e trace=execve -e status=failed", "-e trace=none", "-o /dev/null"} {
			theirs, ours := run("strace", options, command), run(called, options, command)
			if options == "-e trace=none" {
				// What comes first, the end or the message, which is the
				// command's own under strace, is not certain there.
				theirs, ours = strings.ReplaceAll(theirs, "+++ exited with 1 +++\n", ""), strings.ReplaceAll(ours, "+++ exited with 1 +++\n", "")
			}
			if theirs != ours {
				t.Errorf("strace %s %s\n%s\nsysreel\n%s", options, command, theirs, ours)
			}
		}
	}
}

// attachedTo is a `sysreel strace` that has attached.
type attachedTo struct {
	*exec.Cmd
	text *bufio.Reader
	seen string
}

// straceAttach starts sysreel strace and waits until it says that it has attached
// as often as it is to.
func straceAttach(t *testing.T, times int, options ...string) *attachedTo {
	t.Helper()
	a := &attachedTo{Cmd: exec.Command(buildSysreel(t), append([]string{"strace"}, options...)...)}
	pipe, err := a.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Process.Kill(); a.Wait() })
	a.text = bufio.NewReader(pipe)
	for times > 0 {
		line, err := a.text.ReadString('\n')
		a.seen += line
		switch {
		case err == nil && strings.Contains(line, " attached"):
			times--
		case err != nil || !strings.HasPrefix(line, "strace: attach: "):
			t.Fatalf("%v: %q", err, a.seen)
		}
	}
	return a
}

// end returns the rest of the text and how the program ended.
func (a *attachedTo) end(t *testing.T) (string, syscall.WaitStatus) {
	t.Helper()
	rest, err := io.ReadAll(a.text)
	if err != nil {
		t.Fatal(err)
	}
	_ = a.Wait() // its status is asked for
	return a.seen + string(rest), a.ProcessState.Sys().(syscall.WaitStatus)
}

// sleeper starts a program that is asleep in a call when it returns.
func sleeper(t *testing.T) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	for { // until the test's own time is up
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/syscall", cmd.Process.Pid))
		if err != nil {
			t.Fatal(err)
		}
		nr, _, _ := bytes.Cut(b, []byte(" "))
		if s := string(nr); s == "230" || s == "115" { // clock_nanosleep, amd64 and arm64
			return cmd
		}
		time.Sleep(time.Millisecond)
	}
}

// TestStraceSignals ends traces of a running process by signals, under each -I.
func TestStraceSignals(t *testing.T) {
	if !canRecord() {
		t.Skip("cannot record here")
	}
	for _, c := range []struct {
		level  string
		signal syscall.Signal
		ends   bool
		tells  bool // that it has let go
	}{
		{"1", syscall.SIGINT, true, false},
		{"anywhere", syscall.SIGTERM, true, false},
		{"2", syscall.SIGINT, true, true},
		{"2", syscall.SIGHUP, true, true},
		{"waiting", syscall.SIGTERM, true, true},
		{"3", syscall.SIGTERM, false, false},
		{"never", syscall.SIGQUIT, false, false},
		{"4", syscall.SIGTSTP, false, false},
		{"never_tstp", syscall.SIGINT, false, false},
	} {
		t.Run("-I "+c.level+" "+c.signal.String(), func(t *testing.T) {
			target := sleeper(t)
			a := straceAttach(t, 1, "-I", c.level, "-p", strconv.Itoa(target.Process.Pid))
			if err := a.Process.Signal(c.signal); err != nil {
				t.Fatal(err)
			}
			if !c.ends {
				target.Process.Kill()
			}
			text, status := a.end(t)
			switch {
			case c.ends && (!status.Signaled() || status.Signal() != c.signal):
				t.Errorf("ended with %v after %q", a.ProcessState, text)
			case !c.ends && (status.ExitStatus() != 0 || !strings.HasSuffix(text, "+++ killed by SIGKILL +++\n")):
				t.Errorf("ended with %v after %q", a.ProcessState, text)
			case c.tells != strings.Contains(text, fmt.Sprintf("strace: Process %d detached\n", target.Process.Pid)):
				t.Errorf("text %q", text)
			}
			if c.ends && target.Process.Signal(syscall.Signal(0)) != nil {
				t.Error("the process has ended")
			}
		})
	}
}

// TestStraceSeveral attaches to processes named in several ways, and tells of them
// in their order.
func TestStraceSeveral(t *testing.T) {
	if !canRecord() {
		t.Skip("cannot record here")
	}
	var ids []string
	for range 4 {
		ids = append(ids, strconv.Itoa(sleeper(t).Process.Pid))
	}
	a := straceAttach(t, 4, "-p", ids[0]+" "+ids[1]+","+ids[2], "--attach="+ids[3])
	want := ""
	for _, id := range ids {
		want += "strace: Process " + id + " attached\n"
	}
	if a.seen != want {
		t.Errorf("it says %q, not %q", a.seen, want)
	}
	if err := a.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	text, _ := a.end(t)
	for _, id := range ids {
		if !strings.Contains(text, "strace: Process "+id+" detached\n") {
			t.Errorf("nothing of the end of %s in %q", id, text)
		}
	}
}

// TestStraceThread attaches to a thread: alone, and with -f to its process.
func TestStraceThread(t *testing.T) {
	if !canRecord() {
		t.Skip("cannot record here")
	}
	need(t, "/usr/bin/python3")
	target := exec.Command("/usr/bin/python3", "-c", `
import threading, time
def run():
    print(threading.get_native_id(), flush=True)
    time.sleep(1000)
threading.Thread(target=run, daemon=True).start()
time.sleep(1000)
`)
	out, err := target.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := target.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { target.Process.Kill(); target.Wait() })
	tid, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	tid = strings.TrimSpace(tid)
	for _, c := range []struct {
		options []string
		says    string
		lines   int
	}{
		{nil, "strace: Process " + tid + " attached\n", 2},
		{[]string{"-f"}, "strace: Process " + tid + " attached with 2 threads\n", 3},
	} {
		a := straceAttach(t, 1, append(c.options, "-e", "trace=none", "-p", tid)...)
		if a.seen != c.says {
			t.Errorf("it says %q, not %q", a.seen, c.says)
		}
		if err := a.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		if text, _ := a.end(t); strings.Count(text, "\n") != c.lines || !strings.Contains(text, "strace: Process "+tid+" detached\n") {
			t.Errorf("%s: %q", c.options, text)
		}
	}
}

// TestStraceAttachSome attaches to those processes of a list that there are.
func TestStraceAttachSome(t *testing.T) {
	if !canRecord() {
		t.Skip("cannot record here")
	}
	gone := exec.Command("true")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	none, target := strconv.Itoa(gone.Process.Pid), sleeper(t)
	there := strconv.Itoa(target.Process.Pid)
	for _, list := range []string{none + "," + there, there + " " + none + " " + none} {
		a := straceAttach(t, 1, "-e", "trace=none", "-p", list)
		says := strings.Repeat("strace: attach: ptrace(PTRACE_SEIZE, "+none+"): No such process\n", strings.Count(list, none))
		if want := says + "strace: Process " + there + " attached\n"; a.seen != want {
			t.Errorf("-p %q says %q, not %q", list, a.seen, want)
		}
		if err := a.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		if text, _ := a.end(t); !strings.Contains(text, "strace: Process "+there+" detached\n") {
			t.Errorf("-p %q: %q", list, text)
		}
	}
	cmd := exec.Command(buildSysreel(t), "strace", "-p", none, "-p", none)
	if out, err := cmd.CombinedOutput(); err == nil || strings.Count(string(out), "No such process\n") != 2 {
		t.Errorf("%v: %s", err, out)
	}
}

// TestStraceKillOnExit ends a process with its trace, however that ends.
func TestStraceKillOnExit(t *testing.T) {
	if !canRecord() {
		t.Skip("cannot record here")
	}
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		cmd := exec.Command(buildSysreel(t), "strace", "--kill-on-exit", "-e", "trace=none", "sh", "-c", "echo; exec sleep 1000")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, out); err != nil { // ends with the command, which has it
			t.Fatal(err)
		}
		_ = cmd.Wait() // its status is asked for
		if s := cmd.ProcessState.Sys().(syscall.WaitStatus); s.Signal() != sig {
			t.Errorf("after %v sysreel ended with %v", sig, cmd.ProcessState)
		}
	}
}

// TestStraceAttachAndRun attaches to a process and runs another one, that ends it, and
// holds the text of each against strace's.
func TestStraceAttachAndRun(t *testing.T) {
	if !canRecord() {
		t.Skip("cannot record here")
	}
	need(t, "strace")
	run := func(program string) *straced {
		cat := exec.Command("cat")
		in, err := cat.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		out, err := cat.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cat.Start(); err != nil {
			t.Fatal(err)
		}
		defer cat.Wait()
		pid, log := strconv.Itoa(cat.Process.Pid), filepath.Join(t.TempDir(), "text")
		if _, err := io.WriteString(in, "x"); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(out, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		for state := ""; state != "S"; { // until it reads again
			stat, err := os.ReadFile("/proc/" + pid + "/stat")
			if err != nil {
				t.Fatal(err)
			}
			state = strings.Fields(string(stat))[2]
		}
		tracer := exec.Command(program, "-o", log, "-e", "trace=read,kill,exit_group", "-p", pid, "sh", "-c", "kill "+pid+"; exit 3")
		if out, err := tracer.CombinedOutput(); tracer.ProcessState.ExitCode() != 3 {
			t.Fatalf("%s ends with %v: %s", program, err, out)
		}
		text, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		return parseText(string(text))
	}
	tryTimes(t, func() []string {
		a, b := run("strace"), run("strace")
		r := compareText(run(calledStraceHere(t)), a, b)
		if r.processes != 2 || r.lines < 5 || r.text != r.lines {
			return []string{fmt.Sprintf("%v; missing %q, %v", r, r.missing, r.examples)}
		}
		return nil
	})
}

// TestStraceThreadExec holds the lines of threads that execute programs, with all of
// their forms of output, against strace's.
func TestStraceThreadExec(t *testing.T) {
	if !canRecord() {
		t.Skip("cannot record here")
	}
	need(t, "strace")
	prog, called := compileProg(t, "threadexec"), calledStraceHere(t)
	number := regexp.MustCompile(` *\b(0x[0-9a-f]+|\d{2,})\b *`) // and the blanks that make it five wide
	lines := func(program string, options ...string) string {
		dir := t.TempDir()
		cmd := exec.Command(program, append(options, "-q", "-e", "trace=execve", prog)...)
		cmd.Dir = dir
		var text bytes.Buffer
		cmd.Stderr = &text
		if err := cmd.Run(); err != nil {
			t.Fatalf("%s: %v\n%s", program, err, &text)
		}
		var all []string
		files, err := filepath.Glob(filepath.Join(dir, "text*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, number.ReplaceAllString(string(b), "N"))
		}
		slices.Sort(all) // each thread's file
		var kept []string
		for line := range strings.Lines(strings.Join(all, "") + number.ReplaceAllString(text.String(), "N")) {
			if strings.Contains(line, "execve") {
				kept = append(kept, line)
			}
		}
		return strings.Join(kept, "")
	}
	for _, options := range [][]string{{"-f"}, {"-f", "-o", "text"}, {"-ff", "-o", "text"}} {
		want, got := lines("strace", options...), lines(called, options...)
		if got != want || strings.Count(want, "superseded") != 2 {
			t.Errorf("%q: strace\n%s\nsysreel\n%s", options, want, got)
		}
	}
}
