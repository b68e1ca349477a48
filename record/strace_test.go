//go:build linux && (amd64 || arm64)

package record

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sysreel/proto/tracefile"
)

// A recording names the same calls in the same order as strace does of another
// run, thread by thread. What differs between two runs of strace itself is not
// compared, but most must not.
func TestAgainstStrace(t *testing.T) {
	needTool(t, "strace")
	src := filepath.Join(t.TempDir(), "h.c")
	if err := os.WriteFile(src, []byte("#include <stdio.h>\nint main(void) { puts(\"hello\"); return 0; }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	// Not the shell script that some installations put before it: where its
	// SIGCHLD comes is never twice the same.
	python := "python3"
	if out, err := exec.Command(python, "-c", "import sys; print(sys.executable)").Output(); err == nil {
		python = strings.TrimSpace(string(out))
	}
	for _, argv := range [][]string{
		{"ls", "-l", "/"},
		{"sh", "-c", "for i in 1 2 3; do echo $i; done | sort -r | head -2; cat /etc/passwd > /dev/null"},
		{"find", "/etc", "-name", "*.conf"},
		{"gcc", "-O1", "-o", src + ".out", src},
		{"git", "--no-pager", "log", "--oneline", "-3"},
		{python, "-S", "-c", "import json, subprocess; subprocess.run(['true']); print(json.dumps([1]))"},
		{"tar", "-cf", "/dev/null", "/etc/alternatives"},
		{"bash", "-c", "[ -f /etc/passwd ] && echo yes; cd /etc; echo $PWD *; type ls"}, // no children: when it reaps them varies
		{"make", "-s", "-f", "/dev/null", "--eval", "all: a b;", "--eval", "a b: ; @echo $@"},
		{prog(t, "unfinished")},
		{prog(t, "vfork"), "10"},
		{prog(t, "clones")},
		{prog(t, "threadexec")},
	} {
		t.Run(filepath.Base(argv[0]), func(t *testing.T) {
			if _, err := exec.LookPath(argv[0]); err != nil {
				need(t, false, argv[0])
			}
			// Now and then a program does something else (a temporary name
			// is taken, a timer is late): five times in a row it does not.
			var trouble string
			for range 5 {
				if trouble = compare(t, argv); trouble == "" {
					return
				}
			}
			t.Error(trouble)
		})
	}
}

// compare records argv and says how it differs from what strace sees twice.
func compare(t *testing.T, argv []string) (trouble string) {
	t.Helper()
	first, second := straceSequences(t, argv), straceSequences(t, argv)
	r := record(t, Options{}, argv...)
	got := sequences(&r.trace)
	total, recorded := 0, 0
	for s, n := range first {
		total += n
		if m := min(n, second[s]); got[s] < m {
			want, near := around(s, nearest(got, first, s))
			trouble += fmt.Sprintf("%d of %d threads with this sequence were recorded:\n%s\nnearest:\n%s\n", got[s], m, want, near)
		}
	}
	for _, n := range got {
		recorded += n
	}
	if recorded != total {
		trouble += fmt.Sprintf("%d threads recorded, strace has %d\n", recorded, total)
	}
	return trouble
}

// nearest returns a recorded sequence that strace does not have, to look at.
func nearest(got, strace map[string]int, want string) string {
	best, at := "", -1
	for s := range got {
		if strace[s] > 0 {
			continue
		}
		n := 0
		for n < min(len(s), len(want)) && s[n] == want[n] {
			n++
		}
		if n > at {
			best, at = s, n
		}
	}
	return best
}

// around cuts two sequences to where they begin to differ.
func around(a, b string) (string, string) {
	x, y := strings.Fields(a), strings.Fields(b)
	n := 0
	for n < min(len(x), len(y)) && x[n] == y[n] {
		n++
	}
	cut := func(s []string) string { return strings.Join(s[max(0, min(n, len(s))-8):min(n+8, len(s))], " ") }
	return cut(x), cut(y)
}

// asynchronous is the call that comes wherever a SIGCHLD does.
const asynchronous = "rt_sigreturn"

var straceLine = regexp.MustCompile(`^(\d+) +(<\.\.\. )?(\w+)(\(| resumed)`)

// straceSequences returns the calls of each thread, as one string a thread,
// with how many threads have it.
func straceSequences(t *testing.T, argv []string) map[string]int {
	t.Helper()
	out := filepath.Join(t.TempDir(), "strace")
	cmd := exec.Command("strace", append([]string{"-f", "-o", out}, argv...)...)
	cmd.Stdout, cmd.Stderr = new(bytes.Buffer), new(bytes.Buffer) // pipes, as record has
	cmd.Run()
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	calls := make(map[string][]string)
	for line := range strings.Lines(string(b)) {
		m := straceLine.FindStringSubmatch(line)
		if m == nil || m[2] != "" || m[3] == asynchronous {
			continue // a signal, an exit, or the end of a call begun before
		}
		calls[m[1]] = append(calls[m[1]], m[3])
	}
	all := make(map[string]int)
	for _, c := range calls {
		all[polled(c)]++
	}
	return all
}

// polled joins the calls of a thread. Of a loop that sleeps until something has
// happened the last round stays: how many there are is a matter of speed.
func polled(calls []string) string {
	const sleep = "clock_nanosleep "
	rounds := strings.Split(strings.Join(calls, " ")+" ", sleep)
	kept := rounds[:1:1]
	for i, round := range rounds[1:] {
		if i+2 == len(rounds) || !strings.HasPrefix(rounds[i+2], round) {
			kept = append(kept, round)
		}
	}
	return strings.Join(kept, sleep)
}

func sequences(tr *trace) map[string]int {
	type begun struct {
		start int64
		name  string
	}
	calls := make(map[tracefile.ThreadID][]begun)
	for i := range tr.events {
		if e := &tr.events[i]; isCall(e) && name(e) != asynchronous {
			id := e.Thread.ID
			if x := &tr.events[max(i, 1)-1]; x.Kind == tracefile.Exec && x.Args[0] != 0 {
				id = tracefile.ThreadID(x.Args[0]) // the thread that made the call
			}
			calls[id] = append(calls[id], begun{e.Start, name(e)})
		}
	}
	all := make(map[string]int)
	for _, c := range calls {
		slices.SortStableFunc(c, func(a, b begun) int { return int(a.start - b.start) })
		var names []string
		for _, b := range c {
			names = append(names, b.name)
		}
		all[polled(names)]++
	}
	return all
}
