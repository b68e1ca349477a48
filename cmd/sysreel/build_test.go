package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
