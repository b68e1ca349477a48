//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sysreel/analyze/diff"
)

// newBench builds sysreel and returns a bench, or skips where nothing can be
// recorded.
func newBench(t *testing.T) *bench {
	t.Helper()
	if testing.Short() {
		t.Skip("records programs")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(dir, "sysreel")
	if out, err := exec.Command("go", "build", "-o", bin, "sysreel/cmd/sysreel").CombinedOutput(); err != nil {
		t.Fatalf("building sysreel: %v\n%s", err, out)
	}
	if out, err := exec.Command(bin, "record", "-q", "-o", filepath.Join(dir, "true.reel"), "--", "true").CombinedOutput(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("recording: %v\n%s", err, out)
		}
		t.Skipf("recording: %v: %s", err, out)
	}
	return &bench{sysreel: bin, dir: dir}
}

// need skips the test where a program is missing, but not on CI.
func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is not installed", program)
		}
		t.Skipf("%s is not installed", program)
	}
}

// The cause must stand first in a few cases that are quick and need little.
func TestCauseOfRealFailures(t *testing.T) {
	b := newBench(t)
	for _, f := range slices.Concat(fileCases, buildCases) {
		switch f.name {
		case "cat-missing", "sh-missing-command", "sh-changed-config", "tar-truncated", "sh-hang-fifo", "git-index-lock", "gcc-missing-header":
		default:
			continue
		}
		t.Run(f.name, func(t *testing.T) {
			need(t, f.program)
			good, bad := filepath.Join(b.dir, f.name+".good"), filepath.Join(b.dir, f.name+".bad")
			if err := b.record(&f, good, bad); err != nil {
				t.Fatal(err)
			}
			r, err := compare(good, bad)
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Findings) == 0 || !f.want.right(&r.Findings[0]) {
				var s strings.Builder
				if err := diff.Render(&s, r, diff.RenderOptions{All: true}); err != nil {
					t.Fatal(err)
				}
				t.Errorf("the first finding is not %+v:\n%s", f.want, s.String())
			}
		})
	}
}

// Two healthy runs are the same. Some programs do differ now and then: git reads
// a file again if it was written in the same clock tick as the index. So a
// difference counts if three pairs in a row have one.
func TestHealthyRunsAreTheSame(t *testing.T) {
	b := newBench(t)
	for _, h := range healthyCommands {
		switch h.name {
		case "sh-pipeline", "git-commit", "gcc":
		default:
			continue
		}
		t.Run(h.name, func(t *testing.T) {
			need(t, strings.Split(h.name, "-")[0])
			for pair := 1; ; pair++ {
				var files [2]string
				for i := range files {
					files[i] = filepath.Join(b.dir, fmt.Sprintf("%s-%d-%d", h.name, pair, i))
					if status, out, err := b.run(side{setup: h.setup, command: h.command}, "sysreel", files[i]); err != nil || status != 0 {
						t.Fatalf("status %d, %v: %s", status, err, out)
					}
				}
				r, err := compare(files[0], files[1])
				if err != nil {
					t.Fatal(err)
				}
				if r.Verdict == diff.Same {
					return
				}
				if pair == 3 {
					t.Fatalf("%+v", r.Findings)
				}
				t.Logf("pair %d: %+v", pair, r.Findings)
			}
		})
	}
}

// Case tables are data: names must be unique and patterns must compile.
func TestCases(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range allCases() {
		if seen[f.name] {
			t.Errorf("two cases are called %s", f.name)
		}
		seen[f.name] = true
		if f.want == (want{}) {
			t.Errorf("%s: any answer would be right", f.name)
		}
		for _, p := range []string{f.want.kind, f.want.syscall, f.want.path, f.want.text} {
			if _, err := regexp.Compile(p); err != nil {
				t.Errorf("%s: %v", f.name, err)
			}
		}
	}
	if len(seen) < 40 {
		t.Errorf("%d cases", len(seen))
	}
}
