package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sysreel/analyze/tracetest/cross"
	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

// goldenTraces are recordings, of amd64 unless said, of which the text is kept, the
// architectures for which they are rewritten as well, and which texts.
var goldenTraces = []struct {
	name  string
	also  []syscalls.Arch
	texts string
}{
	{"badcalls", []syscalls.Arch{syscalls.ARM64, syscalls.I386}, "replay"},
	{"structs", []syscalls.Arch{syscalls.ARM64}, "replay json"},
	{"git-status", []syscalls.Arch{syscalls.ARM64}, "replay summary"},
	{"shell-v1", nil, "replay summary"},           // processes, signals
	{"i386calls", nil, "replay json summary"},     // calls of i386 in a program of amd64
	{"shell-native-arm64", nil, "replay summary"}, // recorded on arm64
	{"structs-native-arm64", nil, "replay json"},
	{"secontext", nil, "secontext"}, // files with security contexts
}

// goldenTexts are the commands whose output is kept, by the end of the file's name.
var goldenTexts = map[string][]string{
	".replay.txt":  {"replay", "-v", "-yy", "-T", "-ttt", "--utc"},
	".json":        {"replay", "--json", "--utc"},
	".summary.txt": {"summary"},

	".secontext.txt": {"replay", "--secontext=full,mismatch"},
}

// What is printed of a trace depends on the trace alone, not on the system nor
// on the architecture that prints it. UPDATE=1 rewrites the texts, and makes
// the traces of other architectures that are not there.
func TestGoldenTraces(t *testing.T) {
	t.Setenv("TZ", "Asia/Kathmandu") // nothing may follow it
	t.Setenv("LC_ALL", "de_DE.UTF-8")
	t.Chdir(filepath.Join("..", "..", "testdata", "traces"))
	for _, g := range goldenTraces {
		names := []string{g.name}
		for _, arch := range g.also {
			to := g.name + "-" + arch.String()
			names = append(names, to)
			if os.Getenv("UPDATE") != "" {
				rewriteTrace(t, g.name+".reel", to+".reel", arch)
			}
		}
		for _, name := range names {
			for ending, args := range goldenTexts {
				if kind, _, _ := strings.Cut(ending[1:], "."); !strings.Contains(g.texts, kind) {
					continue
				}
				t.Run(name+ending, func(t *testing.T) {
					var out, errs bytes.Buffer
					args := append(slices.Clone(args), name+".reel")
					if status := run(args, strings.NewReader(""), &out, &errs); status != 0 || errs.Len() > 0 {
						t.Fatalf("%s: status %d: %s", strings.Join(args, " "), status, errs.String())
					}
					checkGolden(t, name+ending, out.Bytes())
				})
			}
		}
	}
}

// rewriteTrace makes a trace of another architecture, unless it is there.
func rewriteTrace(t *testing.T, from, to string, arch syscalls.Arch) {
	t.Helper()
	if _, err := os.Stat(to); !errors.Is(err, fs.ErrNotExist) {
		return
	}
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	r, err := tracefile.NewReader(bytes.NewReader(data), tracefile.ReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var here, there bytes.Buffer
	if _, err := cross.Rewrite(r, &here, &there, arch); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, there.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// checkGolden compares output with a file, or with UPDATE writes it.
func checkGolden(t *testing.T, file string, got []byte) {
	t.Helper()
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v: make golden writes it", err)
	}
	if bytes.Equal(got, want) {
		return
	}
	a, b := strings.Split(string(want), "\n"), strings.Split(string(got), "\n")
	shown := 0
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			t.Errorf("line %d\nwant %s\ngot  %s", i+1, a[i], b[i])
			if shown++; shown == 5 {
				break
			}
		}
	}
	t.Errorf("%s: %d lines, want %d; if they are meant to differ: make golden", file, len(b), len(a))
}
