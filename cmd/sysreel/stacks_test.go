//go:build linux && (amd64 || arm64)

package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A stackOf is the stack of a call or signal: of each frame the file and the
// function, as "file:function".
type stackOf []string

// stacksOf returns the stacks of calls of write by what they wrote, and of signals
// by their names.
func stacksOf(t *testing.T, sysreel, trace string, args ...string) map[string]stackOf {
	t.Helper()
	all := make(map[string]stackOf)
	args = append(append([]string{"replay", "--json"}, args...), trace)
	for line := range strings.Lines(outputOf(t, sysreel, args...)) {
		var e struct {
			Syscall, Signal string
			Args            []string
			Stack           []struct {
				Path, Symbol string
			}
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		name := e.Signal
		if e.Syscall == "write" && e.Args[0] == "-1" {
			name, _ = strconv.Unquote(e.Args[1])
		}
		for _, f := range e.Stack {
			all[name] = append(all[name], filepath.Base(f.Path)+":"+f.Symbol)
		}
	}
	return all
}

// chains are the functions of testdata/progs/stacks.c on the stacks, innermost
// first.
var chains = map[string]string{
	"plain":    "mark inner middle outer main",
	"growing":  "mark growing main",
	"large":    "mark large main",
	"deep":     "mark " + strings.Repeat("deep ", 21) + "main",
	"compare":  "mark compare sorting main",
	"SIGUSR1":  "raising main",
	"handler":  "mark handler raising main",
	"altstack": "mark handler raising main",
	"SIGSEGV":  "faulting main",
	"faulted":  "mark faulted faulting main",
	"never":    "mark never last main",
	"thread":   "mark inner middle outer thread",
	"vforked":  "mark child vforking main",
	"end":      "mark inner middle outer main",
}

// recordStacks records a command with stacks and returns the trace.
func recordStacks(t *testing.T, sysreel string, args ...string) string {
	t.Helper()
	trace := filepath.Join(t.TempDir(), "trace.reel")
	if out, err := exec.Command(sysreel, append([]string{"record", "-q", "-o", trace}, args...)...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return trace
}

func outputOf(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// TestStacks records programs whose chains of calls are known, made in several
// ways.
func TestStacks(t *testing.T) {
	sysreel := buildSysreel(t)
	for _, v := range []struct {
		name  string
		flags string
		amd64 bool
	}{
		{name: "optimised", flags: "-O2 -fomit-frame-pointer"},
		{name: "not optimised", flags: "-O0"},
		{name: "at a fixed address", flags: "-O2 -no-pie"},
		{name: "static", flags: "-O2 -static -fomit-frame-pointer"},
		{name: "static without a table", flags: "-O2 -static -fomit-frame-pointer -Wl,--no-eh-frame-hdr"},
		{name: "frame pointers alone", flags: "-O2 -fno-omit-frame-pointer -fno-asynchronous-unwind-tables -fno-unwind-tables"},
		{name: "of 32 bits", flags: "-m32 -O2 -fomit-frame-pointer", amd64: true},
		{name: "of 32 bits, frame pointers alone", flags: "-m32 -O1 -fno-omit-frame-pointer -fno-asynchronous-unwind-tables", amd64: true},
	} {
		t.Run(v.name, func(t *testing.T) {
			if v.amd64 && runtime.GOARCH != "amd64" {
				t.Skip("for amd64")
			}
			t.Parallel()
			bin := compileProg(t, "stacks", strings.Fields(v.flags)...)
			got := stacksOf(t, sysreel, recordStacks(t, sysreel, "--stacks", bin))
			for name, want := range chains {
				var own []string
				for _, f := range got[name] {
					// Others are libc's; static, these have its names.
					if _, fn, _ := strings.Cut(f, "stacks:"); slices.Contains(strings.Fields(want), fn) {
						own = append(own, fn)
					}
				}
				if strings.Join(own, " ") != strings.Join(strings.Fields(want), " ") {
					t.Errorf("%s: %s\nwant %s, in %s", name, strings.Join(own, " "), want, strings.Join(got[name], " "))
				}
			}
		})
	}
}

// TestStackDepth records no more frames than are asked for.
func TestStackDepth(t *testing.T) {
	sysreel := buildSysreel(t)
	bin := compileProg(t, "stacks", "-O2")
	for depth, want := range map[string]int{"1": 1, "7": 7} {
		trace := recordStacks(t, sysreel, "--stacks="+depth, bin)
		if got := stacksOf(t, sysreel, trace)["deep"]; len(got) != want {
			t.Errorf("--stacks=%s: %d frames: %s", depth, len(got), strings.Join(got, " "))
		}
		out := outputOf(t, sysreel, "replay", "--json", "-e", "trace=write", trace)
		if partial := strings.Contains(out, `"stack_partial":true`); partial != (depth != "1") {
			t.Errorf("--stacks=%s: partial is %v:\n%s", depth, partial, out)
		}
	}
}

// TestSymbols names functions of a program that is no longer where it was.
func TestSymbols(t *testing.T) {
	sysreel := buildSysreel(t)
	bin := compileProg(t, "stacks", "-O2", "-Wl,--build-id")
	trace := recordStacks(t, sysreel, "--stacks", bin)
	names := func(args ...string) string {
		return strings.Join(stacksOf(t, sysreel, trace, args...)["end"], " ")
	}
	want := names()
	if !strings.Contains(want, "stacks:mark stacks:inner stacks:middle stacks:outer stacks:main") {
		t.Fatal(want)
	}
	away := t.TempDir()
	move := func(to ...string) {
		t.Helper()
		name := filepath.Join(append([]string{away}, to...)...)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(bin, name); err != nil {
			t.Fatal(err)
		}
		bin = name
	}
	tree := bin
	move("flat", "stacks")
	if got := names(); strings.Contains(got, "stacks:main") {
		t.Errorf("with no file: %s", got)
	}
	if got := names("--symbols", filepath.Join(away, "flat")); got != want {
		t.Errorf("by name: %s, want %s", got, want)
	}
	move("tree", tree)
	if got := names("--symbols", filepath.Join(away, "tree")); got != want {
		t.Errorf("by path: %s, want %s", got, want)
	}
	// Debugging symbols alone, by build ID.
	id := regexp.MustCompile(`Build ID: ([0-9a-f]+)`).FindStringSubmatch(outputOf(t, "readelf", "-n", bin))
	if id == nil {
		t.Fatal("the program has no build ID")
	}
	debug := filepath.Join(away, "debug", ".build-id", id[1][:2], id[1][2:]+".debug")
	if err := os.MkdirAll(filepath.Dir(debug), 0o700); err != nil {
		t.Fatal(err)
	}
	outputOf(t, "objcopy", "--only-keep-debug", bin, debug)
	if got := names("--symbols", filepath.Join(away, "debug")); got != want {
		t.Errorf("by build ID: %s, want %s", got, want)
	}
	// Another file of that name is not taken for it.
	other := compileProg(t, "stacks", "-O1", "-Wl,--build-id")
	if got := names("--symbols", filepath.Dir(other)); strings.Contains(got, "stacks:main") {
		t.Errorf("with another file: %s", got)
	}
}

// straceFrame is a frame as strace -k prints it.
var straceFrame = regexp.MustCompile(`^ > (.*?)(?:\(.*\))? \[0x([0-9a-f]+)\]$`)

// TestStacksOfStrace finds the frames that strace -k finds: files and offsets.
func TestStacksOfStrace(t *testing.T) {
	need(t, "strace")
	sysreel := buildSysreel(t)
	bin := compileProg(t, "stacks", "-O2", "-fomit-frame-pointer")
	log := filepath.Join(t.TempDir(), "log")
	outputOf(t, "strace", "-f", "-k", "-e", "trace=write", "-o", log, bin)
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	want := make(map[string]string)
	name := ""
	for line := range strings.Lines(string(text)) {
		if m := straceFrame.FindStringSubmatch(strings.TrimSuffix(line, "\n")); m != nil {
			if name != "" {
				want[name] += " " + m[1] + ":" + m[2]
			}
			continue
		}
		// A call in two lines is not compared: whose frames follow cannot be told.
		name = ""
		if _, rest, ok := strings.Cut(line, `write(-1, "`); ok && !strings.Contains(line, "unfinished") {
			name, _, _ = strings.Cut(rest, `"`)
		}
	}
	got := make(map[string]string)
	out := outputOf(t, sysreel, "replay", "--json", "-e", "trace=write", recordStacks(t, sysreel, "--stacks", bin))
	for line := range strings.Lines(out) {
		var e struct {
			Args  []string
			Stack []struct {
				Path   string
				Offset uint64
			}
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if len(e.Args) < 2 {
			continue
		}
		name, _ := strconv.Unquote(e.Args[1])
		for _, f := range e.Stack {
			got[name] += " " + f.Path + ":" + strconv.FormatUint(f.Offset, 16)
		}
	}
	compared := 0
	for name, frames := range want {
		if compared++; got[name] != frames {
			t.Errorf("%s:%s\nstrace:%s", name, got[name], frames)
		}
	}
	if compared < 8 {
		t.Errorf("%d stacks were compared:\n%s", compared, text)
	}
}

// TestSources finds the lines that frames are of: of the program and, with its
// debugging information away from it, by build ID.
func TestSources(t *testing.T) {
	sysreel := buildSysreel(t)
	bin := compileProg(t, "stacks", "-O2", "-g", "-Wl,--build-id")
	source, err := os.ReadFile("../../testdata/progs/stacks.c")
	if err != nil {
		t.Fatal(err)
	}
	where := make(map[string]string) // functions that are a line each
	for i, line := range strings.Split(string(source), "\n") {
		for _, name := range []string{"mark", "inner", "middle", "outer"} {
			if strings.HasPrefix(line, "function void "+name+"(") {
				where[name] = "stacks.c:" + strconv.Itoa(i+1)
			}
		}
	}
	trace := recordStacks(t, sysreel, "--stacks", bin)
	check := func(out string) {
		t.Helper()
		for name, line := range where {
			if !regexp.MustCompile(`(?m)^ > .*/stacks\(` + name + `\+0x[0-9a-f]+\) \[0x[0-9a-f]+\] .*/` + regexp.QuoteMeta(line) + "$").MatchString(out) {
				t.Errorf("no frame of %s at %s", name, line)
			}
		}
		if t.Failed() || len(where) < 4 {
			t.Fatal(out)
		}
	}
	check(outputOf(t, sysreel, "replay", "-kk", "-e", "trace=write", trace))
	check(outputOf(t, sysreel, "strace", "-kk", "-e", "trace=write", bin))
	check(outputOf(t, sysreel, "strace", "--stack-trace=source", "-e", "trace=write", bin))
	if out := outputOf(t, sysreel, "replay", "-k", "-e", "trace=write", trace); strings.Contains(out, "stacks.c:") {
		t.Errorf("-k tells lines:\n%s", out)
	}
	if out := outputOf(t, sysreel, "replay", "--json", "-kk", "-e", "trace=write", trace); !regexp.MustCompile(`"symbol":"mark","symbol_offset":\d+,"file":"[^"]*/stacks\.c","line":\d+\}`).MatchString(out) {
		t.Errorf("JSON has no lines:\n%s", out)
	}
	id := regexp.MustCompile(`Build ID: ([0-9a-f]+)`).FindStringSubmatch(outputOf(t, "readelf", "-n", bin))
	if id == nil {
		t.Fatal("the program has no build ID")
	}
	away := t.TempDir()
	debug := filepath.Join(away, ".build-id", id[1][:2], id[1][2:]+".debug")
	if err := os.MkdirAll(filepath.Dir(debug), 0o700); err != nil {
		t.Fatal(err)
	}
	outputOf(t, "objcopy", "--only-keep-debug", "--compress-debug-sections", bin, debug)
	outputOf(t, "strip", bin)
	check(outputOf(t, sysreel, "replay", "-kk", "--symbols", away, "-e", "trace=write", trace))
}
