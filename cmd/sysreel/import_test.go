package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// sysreelOut runs sysreel and returns what it printed.
func sysreelOut(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if status := run(args, strings.NewReader(""), &out, &errs); status != 0 {
		t.Fatalf("sysreel %s: status %d: %s", strings.Join(args, " "), status, errs.String())
	}
	return out.String()
}

// importedPrograms are what TestImportStrace runs.
var importedPrograms = []struct {
	name, script string
	needs        []string
	options      []string // of strace, beside -o
}{
	{name: "sh", script: `cat passwd | wc -l >/dev/null; (exit 3); trap : USR1; kill -USR1 $$; sleep 0.01 & wait`, options: []string{"-f", "-ttt", "-T"}},
	{name: "git", needs: []string{"git"}, script: `git init -q r; cd r; cp ../passwd .; git add .; git status --short`, options: []string{"-f", "-y", "-tt"}},
	{name: "gcc", needs: []string{"gcc"}, script: `gcc -O1 -c hello.c`, options: []string{"-ff", "-ttt", "-T"}},
	{name: "make", needs: []string{"make"}, script: `make -j2 -f rules all`, options: []string{"-f", "-v", "-s", "300"}},
	{name: "python3", needs: []string{"/usr/bin/python3"}, options: []string{"-f", "-yy", "-ttt", "-T"}, script: `/usr/bin/python3 -c 'import threading, subprocess
ts = [threading.Thread(target=lambda: [open("passwd").read() for _ in range(20)]) for _ in range(4)]
[t.start() for t in ts]; subprocess.run(["true"]); [t.join() for t in ts]'`},
	{name: "curl", needs: []string{"curl"}, script: `curl -s http://127.0.0.1:1/`, options: []string{"-f", "-T", "-x"}},
}

// A log of a real program, made by strace, gives summary the calls and errors
// that a search in its text counts.
func TestImportStrace(t *testing.T) {
	need(t, "strace")
	if !canRecord() {
		t.Skip("ptrace is not permitted")
	}
	for _, p := range importedPrograms {
		t.Run(p.name, func(t *testing.T) {
			for _, n := range p.needs {
				need(t, n)
			}
			dir := t.TempDir()
			for name, text := range comparedFiles(1) {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			log := filepath.Join(t.TempDir(), "log")
			cmd := exec.Command("strace", append(p.options, "-o", log, "sh", "-c", p.script)...)
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); err != nil && cmd.ProcessState.ExitCode() == 1 && !strings.Contains(p.name, "curl") {
				t.Logf("strace: %v\n%s", err, out)
			}
			trace := filepath.Join(dir, "trace.reel")
			sysreelOut(t, "import", "-q", log, "-o", trace)
			var sum struct {
				Rows []struct {
					Name          string
					Calls, Errors uint64
				}
				NoDurations bool `json:"no_durations"`
			}
			if err := json.Unmarshal([]byte(sysreelOut(t, "summary", "--json", trace)), &sum); err != nil {
				t.Fatal(err)
			}
			files, _ := filepath.Glob(log + "*")
			want, errors := countCalls(t, files)
			if len(want) < 10 || len(sum.Rows) != len(want) {
				t.Errorf("%d different calls, want %d", len(sum.Rows), len(want))
			}
			for _, r := range sum.Rows {
				if r.Calls != want[r.Name] || r.Errors != errors[r.Name] {
					t.Errorf("%s: %d calls, %d errors; the log has %d, %d", r.Name, r.Calls, r.Errors, want[r.Name], errors[r.Name])
				}
			}
			timed := strings.Contains(strings.Join(p.options, " "), "-T")
			if sum.NoDurations == timed {
				t.Errorf("no durations: %v", sum.NoDurations)
			}
		})
	}
}

var (
	callLine    = regexp.MustCompile(`(?m)^[0-9.: ]*([a-z_0-9]+)\(.*$`)
	resumedLine = regexp.MustCompile(`(?m)^[0-9.: ]*<\.\.\. ([a-z_0-9]+) resumed>.*$`)
	failedLine  = regexp.MustCompile(`\) += (-1 E[A-Z0-9]+|\? ERESTART)`)
)

// countCalls counts calls and errors by the look of lines.
func countCalls(t *testing.T, files []string) (calls, errors map[string]uint64) {
	t.Helper()
	calls, errors = map[string]uint64{}, map[string]uint64{}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for i, re := range []*regexp.Regexp{callLine, resumedLine} {
			for _, m := range re.FindAllSubmatch(data, -1) {
				if i == 0 {
					calls[string(m[1])]++
				}
				if failedLine.Match(m[0]) {
					errors[string(m[1])]++
				}
			}
		}
	}
	return calls, errors
}

// What is recorded now, replayed, imported and replayed again, is the same.
func TestImportRecorded(t *testing.T) {
	if !canRecord() {
		t.Skip("ptrace is not permitted")
	}
	bin := buildSysreel(t)
	for _, p := range importedPrograms {
		t.Run(p.name, func(t *testing.T) {
			for _, n := range p.needs {
				need(t, n)
			}
			dir := t.TempDir()
			for name, text := range comparedFiles(1) {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			trace, log, again := filepath.Join(dir, "a.reel"), filepath.Join(dir, "log"), filepath.Join(dir, "b.reel")
			cmd := exec.Command(bin, "record", "-q", "-o", trace, "--", "sh", "-c", p.script)
			cmd.Dir = dir
			_ = cmd.Run() // some fail
			for _, o := range [][]string{{"-ttt", "-T"}, {"-v", "-s", "200", "-x", "-ttt"}, {"-tt", "-T", "-xx"}} {
				text := sysreelOut(t, append(append([]string{"replay", "--utc"}, o...), trace)...)
				if err := os.WriteFile(log, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
				sysreelOut(t, "import", "-q", "--force", log, "-o", again)
				got, want := strings.Split(sysreelOut(t, append(append([]string{"replay", "--utc"}, o...), again)...), "\n"), strings.Split(text, "\n")
				if len(want) < 50 {
					t.Fatalf("only %d lines", len(want))
				}
				for i := range want {
					if i >= len(got) || got[i] != want[i] {
						t.Fatalf("%v: line %d:\n got %q\nwant %q", o, i+1, got[min(i, len(got)-1)], want[i])
					}
				}
			}
		})
	}
}

// The logs of a good and a bad run, made by strace, differ in the cause first; two
// good ones do not. They have no times, which differ by chance.
func TestImportDiff(t *testing.T) {
	need(t, "strace")
	need(t, "gcc")
	if !canRecord() {
		t.Skip("ptrace is not permitted")
	}
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("m.c", "#include \"cfg.h\"\nint main(void) { return A; }\n")
	write("cfg.h", "#define A 0\n")
	traced := func(name string) string {
		log := filepath.Join(t.TempDir(), name+".log")
		cmd := exec.Command("strace", "-f", "-s", "256", "-o", log, "gcc", "-c", "m.c")
		cmd.Dir = dir
		_ = cmd.Run() // the bad one fails
		_ = os.Remove(filepath.Join(dir, "m.o"))
		sysreelOut(t, "import", "-q", log, "-o", log+".reel")
		return log + ".reel"
	}
	good, again := traced("good"), traced("again")
	if err := os.Remove(filepath.Join(dir, "cfg.h")); err != nil {
		t.Fatal(err)
	}
	bad := traced("bad")
	var out, errs bytes.Buffer
	if status := run([]string{"diff", good, again}, strings.NewReader(""), &out, &errs); status != 0 {
		t.Errorf("two good runs: status %d\n%s%s", status, out.String(), errs.String())
	}
	out.Reset()
	if status := run([]string{"diff", good, bad}, strings.NewReader(""), &out, &errs); status != 1 {
		t.Fatalf("status %d: %s", status, errs.String())
	}
	lines := strings.Split(out.String(), "\n")
	if len(lines) < 2 || !strings.Contains(lines[1], " 1 LIKELY  cc1: openat cfg.h failed with ENOENT") {
		t.Errorf("the cause is not first:\n%s", out.String())
	}
}
