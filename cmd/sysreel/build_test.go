package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

var built struct {
	sync.Once
	bin string
	err error
}

// buildSysreel builds the program, once, for tests that kill it or need it as
// it is delivered. SYSREEL_BIN names one where there is no Go (testdata/vm).
func buildSysreel(t testing.TB) string {
	t.Helper()
	built.Do(func() {
		if built.bin = os.Getenv("SYSREEL_BIN"); built.bin != "" {
			return
		}
		dir, err := os.MkdirTemp("", "sysreel-build")
		if err != nil {
			built.err = err
			return
		}
		cleanup = append(cleanup, func() { os.RemoveAll(dir) })
		built.bin = filepath.Join(dir, "sysreel")
		cmd := exec.Command("go", "build", "-ldflags=-w", "-o", built.bin, ".")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("go build: %w\n%s", err, out)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.bin
}

// compileProg compiles a program of testdata/progs. Outside CI a machine may lack
// what -m32 needs.
func compileProg(t *testing.T, name string, flags ...string) string {
	t.Helper()
	need(t, "gcc")
	bin := filepath.Join(t.TempDir(), name)
	args := append(slices.Clone(flags), "-w", "-pthread", "-o", bin, "../../testdata/progs/"+name+".c")
	if out, err := exec.Command("gcc", args...).CombinedOutput(); err != nil {
		if slices.Contains(flags, "-m32") && os.Getenv("CI") == "" {
			t.Skipf("gcc-multilib is not installed: %s", out)
		}
		t.Fatalf("gcc %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return bin
}
