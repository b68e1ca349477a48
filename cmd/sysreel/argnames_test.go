package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"sysreel/proto/syscalls"
)

// TestArgNames holds the names of arguments (-N) of every call against those of a
// strace that has them.
func TestArgNames(t *testing.T) {
	if testing.Short() {
		t.Skip("makes some thousand calls twice")
	}
	if !canRecord() {
		t.Skip("cannot record here")
	}
	if os.Geteuid() != 0 {
		skipOrFail(t, "the program of calls gives up root's privileges: there are none")
	}
	need(t, "strace")
	if straceBefore(t, "7.0") {
		t.Skip("this strace has no -N")
	}
	need(t, "setarch")
	bin, prog := buildSysreel(t), compileProg(t, "plan")
	p := newPlanner(syscalls.AMD64, 1, 1)
	for _, d := range syscalls.All(syscalls.AMD64) {
		if unplanned[d.Name] == "" {
			p.call(d)
		}
	}
	top := t.TempDir()
	for d := top; d != "/" && d != os.TempDir(); d = filepath.Dir(d) {
		os.Chmod(d, 0o755)
	}
	plan, dir := filepath.Join(top, "plan"), filepath.Join(top, "dir")
	names := func(tracer ...string) map[string]string {
		t.Helper()
		os.RemoveAll(dir)
		if err := p.write(plan, dir); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("chown", "-R", "54321", dir).CombinedOutput(); err != nil {
			t.Fatalf("chown: %v\n%s", err, out)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		log := filepath.Join(top, "log")
		args := append(tracer[1:], "-N", "-f", "-o", log, "setarch", "-R", prog, plan, dir)
		if out, err := exec.CommandContext(ctx, tracer[0], args...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", tracer, err, out)
		}
		text, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		if d := os.Getenv("SYSREEL_KEEP"); d != "" {
			os.WriteFile(filepath.Join(d, filepath.Base(tracer[0])+".txt"), text, 0o644)
		}
		return namesOfArgs(string(text))
	}
	want, got := names("strace"), names(bin, "strace")
	if len(want) < 300 {
		t.Errorf("strace names the arguments of %d calls", len(want))
	}
	odd := map[string]string{
		"mremap": "strace never names the fifth argument",
		"ptrace": "of PTRACE_GETREGS and its like strace leaves out an argument",
		"keyctl": "strace does not know KEYCTL_WATCH_KEY",
	}
	for name, w := range want {
		if g := got[name]; g != w && odd[name] == "" && !strings.HasPrefix(name, "syscall_") {
			t.Errorf("%s\nstrace  %s\nsysreel %s", name, w, g)
		}
	}
}

var (
	argsLine  = regexp.MustCompile(`^\d+ +(\w+)\((.*)\) += `)
	inString  = regexp.MustCompile(`"(?:[^"\\]|\\.)*"(?:\.\.\.)?`)
	inBraces  = regexp.MustCompile(`\{[^{}]*\}|\[[^][{}]*\]|/\*[^*]*\*/|<[^<>]*>|\([^()]*\)`)
	nameFirst = regexp.MustCompile(`^(\w+)=`)
)

// namesOfArgs returns the names of the arguments of each call in a text, all that
// it is ever written with.
func namesOfArgs(text string) map[string]string {
	found := make(map[string]map[string]bool)
	for line := range strings.Lines(text) {
		m := argsLine.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		args := inString.ReplaceAllString(m[2], "S")
		for before := ""; before != args; {
			before = args
			args = inBraces.ReplaceAllString(args, "V")
		}
		var names []string
		for a := range strings.SplitSeq(args, ", ") {
			n := "?"
			if f := nameFirst.FindStringSubmatch(a); f != nil {
				n = f[1]
			}
			names = append(names, n)
		}
		if found[m[1]] == nil {
			found[m[1]] = make(map[string]bool)
		}
		found[m[1]][strings.Join(names, " ")] = true
	}
	all := make(map[string]string)
	for call, forms := range found {
		var list []string
		for f := range forms {
			list = append(list, f)
		}
		slices.Sort(list)
		all[call] = strings.Join(list, " | ")
	}
	return all
}
