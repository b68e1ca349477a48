//go:build linux && (amd64 || arm64)

package summary_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"
)

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

// TestCountsEqualStrace records deterministic programs and compares the counts
// of calls and errors with those of strace -f -c of another run.
func TestCountsEqualStrace(t *testing.T) {
	if testing.Short() {
		t.Skip("runs programs")
	}
	need(t, "strace")
	dir := t.TempDir()
	bin := filepath.Join(dir, "sysreel")
	if out, err := exec.Command("go", "build", "-o", bin, "sysreel/cmd/sysreel").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	for i, argv := range [][]string{
		{"true"},
		{"ls", "-l", "/usr"},
		{"cat", "/etc/passwd", "/nonexistent"},
		{"find", "/usr/include", "-name", "*.h"},
		{"tar", "cf", "/dev/null", "/etc/init.d"},
		{"sh", "-c", "ls /; cat /nonexistent; (exit 3)"},
		{"git", "--version"},
	} {
		t.Run(strings.Join(argv[:1], " "), func(t *testing.T) {
			need(t, argv[0])
			text := filepath.Join(dir, fmt.Sprintf("%d.txt", i))
			reel := filepath.Join(dir, fmt.Sprintf("%d.reel", i))
			exec.Command("strace", append([]string{"-f", "-c", "-o", text, "--"}, argv...)...).Run()
			want, err := os.ReadFile(text)
			if err != nil {
				t.Skipf("strace cannot trace here: %v", err)
			}
			record := exec.Command(bin, append([]string{"record", "-q", "-o", reel, "--"}, argv...)...)
			record.Run() // its status is the program's
			got, err := exec.Command(bin, "summary", "--format", "strace-c", reel).Output()
			if err != nil {
				t.Fatalf("summary: %v", err)
			}
			if g, w := counts(string(got)), counts(string(want)); g != w {
				t.Errorf("sysreel counts\n%s\nstrace -f -c\n%s", g, w)
			}
		})
	}
}

// counts reduces strace -c's table to sorted lines of name, calls and errors.
func counts(table string) string {
	var lines []string
	for _, line := range strings.Split(table, "\n") {
		f := strings.Fields(line)
		if len(f) < 5 || f[0] == "%" || strings.HasPrefix(f[0], "-") {
			continue
		}
		errors := "0"
		if len(f) == 6 {
			errors = f[4]
		}
		lines = append(lines, fmt.Sprintf("%s %s %s", f[len(f)-1], f[3], errors))
	}
	sort.Strings(lines)
	return strings.Join(lines, "\n")
}

// TestCountsEqualPerf compares them with those of perf trace -s of another run.
// It needs what CI machines seldom have, so it is skipped there too: perf, and
// the right to use the kernel's trace points. Calls that do not return perf does
// not count, and those that return twice, in the child as well, it counts twice:
// the programs are of one process.
func TestCountsEqualPerf(t *testing.T) {
	if testing.Short() {
		t.Skip("runs programs")
	}
	dir := t.TempDir()
	text := filepath.Join(dir, "perf.txt")
	if out, err := exec.Command("perf", "trace", "-s", "-o", text, "--", "true").CombinedOutput(); err != nil {
		t.Skipf("perf trace does not work here: %v\n%s", err, out)
	}
	bin := filepath.Join(dir, "sysreel")
	if out, err := exec.Command("go", "build", "-o", bin, "sysreel/cmd/sysreel").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	for _, argv := range [][]string{{"true"}, {"ls", "-l", "/usr"}, {"cat", "/etc/passwd", "/nonexistent"}, {"find", "/usr/include/linux", "-name", "*.h"}} {
		exec.Command("perf", append([]string{"trace", "-s", "-o", text, "--"}, argv...)...).Run()
		perf, err := os.ReadFile(text)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(perf), "LOST") {
			t.Logf("%s: perf lost events", argv[0])
			continue
		}
		reel := filepath.Join(dir, argv[0]+".reel")
		exec.Command(bin, append([]string{"record", "-q", "-o", reel, "--"}, argv...)...).Run()
		table, err := exec.Command(bin, "summary", "--format", "strace-c", reel).Output()
		if err != nil {
			t.Fatalf("summary: %v", err)
		}
		if g, w := withoutExec(counts(string(table))), withoutExec(perfCounts(string(perf))); g != w {
			t.Errorf("%s: sysreel counts\n%s\nperf trace -s\n%s", argv[0], g, w)
		}
	}
}

// withoutExec drops the total, and the execve during which perf begins, which it
// counts or not.
func withoutExec(counts string) string {
	var lines []string
	for line := range strings.Lines(counts) {
		if !strings.HasPrefix(line, "execve ") && !strings.HasPrefix(line, "total ") {
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
	}
	return strings.Join(lines, "\n")
}

// perfCounts reduces the tables of perf trace -s, one a thread, to lines as
// counts does.
func perfCounts(text string) string {
	var lines []string
	for _, line := range strings.Split(text, "\n") {
		f := strings.Fields(line)
		if len(f) < 7 || strings.Trim(f[1]+f[2], "0123456789") != "" {
			continue
		}
		lines = append(lines, strings.Join(f[:3], " "))
	}
	sort.Strings(lines)
	return strings.Join(lines, "\n")
}
