//go:build linux && (amd64 || arm64)

package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// recorded returns the words that put a command under record, writing into a
// directory of the test.
func recorded(t testing.TB, flags ...string) []string {
	t.Helper()
	if !canRecord() {
		t.Skip("recording is not possible here")
	}
	words := []string{buildSysreel(t), "record", "-q", "--force", "-o", filepath.Join(t.TempDir(), "t.reel")}
	return append(append(words, flags...), "--")
}

// outcome is what a command's caller sees of it.
type outcome struct {
	output string // standard output and error
	status int
}

// command runs a command to its end.
func command(t testing.TB, dir string, argv ...string) outcome {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	var out bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = dir, &out, &out, 10*time.Second
	hangs := time.AfterFunc(3*time.Minute, func() { cmd.Process.Kill() })
	err := cmd.Run()
	if !hangs.Stop() {
		t.Fatalf("%q hangs; killed. Its output:\n%s", argv, &out)
	}
	if ee := (*exec.ExitError)(nil); err != nil && !errors.As(err, &ee) {
		t.Fatal(err)
	}
	return outcome{out.String(), cmd.ProcessState.ExitCode()}
}

// Signals that are ignored when sysreel is started are ignored in the command,
// though Go's runtime puts handlers in their places.
func TestIgnoredSignals(t *testing.T) {
	rec := recorded(t)
	for _, signals := range []string{"", "PIPE", "HUP INT QUIT PIPE TERM USR1 USR2 ALRM CHLD URG IO 34 64", "TSTP TTIN TTOU PROF"} {
		around := "trap '' " + signals + `; exec "$@"`
		if signals == "" {
			around = `exec "$@"`
		}
		show := []string{"grep", "^Sig[BI]", "/proc/self/status"}
		sh := []string{"sh", "-c", around, "sh"}
		want := command(t, "", append(sh, show...)...)
		got := command(t, "", append(append(sh, rec...), show...)...)
		if got != want {
			t.Errorf("ignored: %q: the command sees\n%swant\n%s", signals, got.output, want.output)
		}
	}
}

// A command that asks for a signal at its parent's death does not get it when
// the recording ends before the command.
func TestParentDeathSignal(t *testing.T) {
	if _, err := exec.LookPath("setpriv"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	// The limit is met in the loop, long after setpriv has asked.
	got := command(t, "", append(recorded(t, "--max-events", "400"), "setpriv", "--pdeathsig", "TERM",
		"sh", "-c", "i=0; while [ $i -lt 5000 ]; do : </dev/null; i=$((i+1)); done; sleep 0.2; echo lives")...)
	if want := (outcome{"lives\n", 0}); got != want {
		t.Errorf("the command: %+v, want %+v", got, want)
	}
}
