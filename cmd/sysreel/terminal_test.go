//go:build linux && (amd64 || arm64)

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// terminal is a shell under job control in a terminal of tmux.
type terminal struct {
	t      *testing.T
	socket string
}

// newTerminal starts a shell with an empty configuration. around are words to
// put before it, to record it.
func newTerminal(t *testing.T, around ...string) *terminal {
	t.Helper()
	for _, tool := range []string{"tmux", "bash"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatal(err)
			}
			t.Skip(err)
		}
	}
	dir, err := os.MkdirTemp("/tmp", "tmux") // short, whatever TMPDIR is: it holds a socket
	if err != nil {
		t.Fatal(err)
	}
	term := &terminal{t, filepath.Join(dir, "s")}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the screen:\n%s", term.screen())
		}
		exec.Command("tmux", "-S", term.socket, "kill-server").Run()
		os.RemoveAll(dir)
	})
	// Around it another one, that tells its exit status.
	shell := []string{"sh", "-c", `"$@"; echo left with $?; exec sleep 1000`, "sh"}
	shell = append(append(shell, around...), "env", "-i", "PATH="+os.Getenv("PATH"), "HOME="+dir, "PS1=$ ", "TERM=screen", "bash", "--norc", "--noprofile", "-i")
	args := []string{"-S", term.socket, "-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "50", "--"}
	if out, err := exec.Command("tmux", append(args, shell...)...).CombinedOutput(); err != nil {
		t.Fatalf("tmux: %v\n%s", err, out)
	}
	term.see("$")
	return term
}

func (term *terminal) tmux(args ...string) string {
	out, err := exec.Command("tmux", append([]string{"-S", term.socket}, args...)...).CombinedOutput()
	if err != nil {
		term.t.Fatalf("tmux %q: %v\n%s", args, err, out)
	}
	return strings.TrimRight(string(out), "\n")
}

func (term *terminal) screen() string {
	out, _ := exec.Command("tmux", "-S", term.socket, "capture-pane", "-p", "-J").Output()
	return strings.TrimRight(string(out), "\n")
}

// keys types.
func (term *terminal) keys(keys ...string) { term.tmux(append([]string{"send-keys"}, keys...)...) }

// line types a line.
func (term *terminal) line(s string) { term.keys(s, "Enter") }

// see waits until the screen has a line that begins with what is wanted.
func (term *terminal) see(want string) {
	term.t.Helper()
	waitFor(term.t, "the line "+want, func() bool {
		return strings.Contains("\n"+term.screen(), "\n"+want)
	})
}

// ask types a command and waits for the line that it prints.
func (term *terminal) ask(command, want string) {
	term.t.Helper()
	term.line(command)
	term.see(want)
}

// foreground waits until a program is the terminal's foreground process.
func (term *terminal) foreground(name string) {
	term.t.Helper()
	waitFor(term.t, name+" in the foreground", func() bool {
		return term.tmux("display", "-p", "#{pane_current_command}") == name
	})
}

// running waits until a process of the terminal has been executed with these words.
func (term *terminal) running(command string) {
	term.t.Helper()
	waitFor(term.t, command+" to run", func() bool {
		for pids := []string{term.tmux("display", "-p", "#{pane_pid}")}; len(pids) > 0; pids = pids[1:] {
			words, _ := os.ReadFile("/proc/" + pids[0] + "/cmdline")
			if strings.ReplaceAll(string(words), "\x00", " ") == command+" " {
				return true
			}
			threads, _ := filepath.Glob("/proc/" + pids[0] + "/task/*/children")
			for _, file := range threads {
				children, _ := os.ReadFile(file)
				pids = append(pids, strings.Fields(string(children))...)
			}
		}
		return false
	})
}

// suspend types ^Z until a line tells that the job has stopped: a process of it
// that the shell is still starting does not take part in the first.
func (term *terminal) suspend(want string) {
	term.t.Helper()
	var asked time.Time
	waitFor(term.t, "the line "+want, func() bool {
		if strings.Contains("\n"+term.screen(), "\n"+want) {
			return true
		}
		if time.Since(asked) > 2*time.Second {
			term.keys("C-z")
			asked = time.Now()
		}
		return false
	})
}

// A shell in a terminal and its jobs behave the same under record and without.
func TestJobControl(t *testing.T) {
	run := func(t *testing.T, around ...string) {
		term := newTerminal(t, around...)
		term.line("sleep 1000")
		term.foreground("sleep")
		term.suspend("[1]+  Stopped                 sleep 1000")
		term.ask("bg", "[1]+ sleep 1000 &")
		term.ask("jobs", "[1]+  Running                 sleep 1000 &")
		term.line("fg")
		term.foreground("sleep")
		term.keys("C-c")
		term.ask("echo status $?", "status 130")
		term.line("clear")
		// Reading from the terminal stops a background job.
		term.line("cat &")
		term.ask("until jobs | grep Stopped; do sleep 0.02; done", "[1]+  Stopped                 cat")
		term.line("fg")
		term.foreground("cat")
		term.line("what it reads")
		term.see("what it reads\nwhat it reads")
		term.keys("C-d")
		term.ask("echo cat $?", "cat 0")
		// A pipeline is one job, and so is a shell within.
		term.line("sh -c 'sleep 1001; sleep 1002' | cat")
		term.foreground("sh")
		// Stopped between its vfork and the execve, sleep would keep the
		// shell from stopping for good.
		term.running("sleep 1001")
		term.suspend("[1]+  Stopped                 sh -c 'sleep 1001; sleep 1002' | cat")
		term.ask("kill %1; fg; echo pipe $?", "pipe ")
		term.line("clear")
		term.line("exit 7")
		term.see("left with 7")
	}
	rec := recorded(t)
	t.Run("bare", func(t *testing.T) { run(t) })
	t.Run("recorded", func(t *testing.T) { run(t, rec...) })
}

// A recording is a job like the command alone: ^Z first lets the command act
// on it, and ^C is the command's affair however often it comes.
func TestRecordingAsJob(t *testing.T) {
	if _, err := exec.LookPath("cc"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	tidy := filepath.Join(t.TempDir(), "tidy")
	if out, err := exec.Command("cc", "-w", "-o", tidy, "../../testdata/progs/tidy.c").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	run := func(t *testing.T, around ...string) {
		term := newTerminal(t)
		term.line("job() { " + strings.Join(append(around, tidy), " ") + "; }; clear")
		term.ask("echo defined", "defined")
		term.ask("job", "started 0")
		stop := func(n string) {
			term.keys("C-z")
			term.see("tidied up " + n)
			term.see("[1]+  Stopped ")
			term.ask("echo asked "+n, "asked "+n)
			term.ask("clear; fg", "back again "+n)
		}
		stop("1")
		stop("2")
		term.keys("C-c")
		term.see("interrupt 1")
		term.keys("C-c")
		term.see("interrupt 2")
		stop("3")
		term.keys("C-c")
		term.see("interrupt 3")
		term.ask("echo status $?", "status 3")
	}
	rec := recorded(t)
	t.Run("bare", func(t *testing.T) { run(t) })
	t.Run("recorded", func(t *testing.T) { run(t, rec...) })
}
