//go:build linux && (amd64 || arm64)

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// waitFor polls until ok says so; two minutes are for what hangs.
func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited two minutes for %s", what)
		}
	}
}

// TestKilledRecorder kills the recorder with SIGKILL at several moments. Every
// event of what was written must be there, numbered without a gap, the
// analysers must say what is missing in one line, and the recorded command must
// not notice.
func TestKilledRecorder(t *testing.T) {
	bin := buildSysreel(t)
	for round := range 6 {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			dir := t.TempDir()
			trace := filepath.Join(dir, "t.reel")
			script := `i=0; while ! [ -e stop ]; do [ -e /nothing ]; i=$((i+1)); done; echo $i >part; mv part done`
			cmd := exec.Command(bin, "record", "-q", "-o", trace, "--", "sh", "-c", script)
			cmd.Dir = dir
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			waitFor(t, "a call of the loop in the trace", func() bool {
				text, _ := exec.Command(bin, "replay", trace).Output()
				return bytes.Contains(text, []byte("/nothing"))
			})
			time.Sleep(time.Duration(round) * 170 * time.Millisecond)
			cmd.Process.Signal(syscall.SIGKILL)
			cmd.Wait()
			if err := os.WriteFile(filepath.Join(dir, "stop"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			waitFor(t, "the command to end", func() bool {
				_, err := os.Stat(filepath.Join(dir, "done"))
				return err == nil
			})

			var stdout, stderr bytes.Buffer
			replay := exec.Command(bin, "replay", "--json", trace)
			replay.Stdout, replay.Stderr = &stdout, &stderr
			if err := replay.Run(); err != nil {
				t.Fatalf("replay: %v\n%s", err, stderr.String())
			}
			if n := strings.Count(stderr.String(), "\n"); n != 1 || !strings.Contains(stderr.String(), "warning: "+trace+": unfinished trace") {
				t.Errorf("warning is %q, want one line about an unfinished trace", stderr.String())
			}
			next, checks := uint64(1), 0
			for line := range strings.Lines(stdout.String()) {
				var e struct {
					Event   uint64   `json:"event"`
					Syscall string   `json:"syscall"`
					Paths   []string `json:"paths"`
				}
				if err := json.Unmarshal([]byte(line), &e); err != nil {
					t.Fatalf("%v in %s", err, line)
				}
				if e.Event == 0 { // in flight at the end
					continue
				}
				if e.Event != next {
					t.Fatalf("event %d where %d should be", e.Event, next)
				}
				next++
				if len(e.Paths) > 0 && e.Paths[0] == "/nothing" {
					checks++
				}
			}
			if checks == 0 {
				t.Error("none of the calls of the loop is in the trace")
			}
		})
	}
}
