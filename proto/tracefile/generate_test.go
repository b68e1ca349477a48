package tracefile

import (
	"os"
	"strconv"
	"testing"
)

// TestGenerate writes a long trace for benchmarks, if it is asked to:
// SYSREEL_GENERATE names the file, SYSREEL_EVENTS says how many events it is to
// have at least, and SYSREEL_TRACES may name the recording that is repeated.
func TestGenerate(t *testing.T) {
	name := os.Getenv("SYSREEL_GENERATE")
	if name == "" {
		t.Skip("SYSREEL_GENERATE names no file")
	}
	events, err := strconv.ParseUint(os.Getenv("SYSREEL_EVENTS"), 10, 64)
	if err != nil {
		t.Fatalf("SYSREEL_EVENTS: %v", err)
	}
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	n := replicate(t, recordings(t)[0], f, events)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d events in %s", n, name)
}
