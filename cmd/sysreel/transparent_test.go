//go:build linux && (amd64 || arm64)

package main

import (
	"bytes"
	"errors"
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
