package tracefile

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestReleased reads the traces of every released version, with both readers.
func TestReleased(t *testing.T) {
	const dir = "../../testdata/traces"
	if _, err := os.Stat(dir); err != nil {
		t.Skip("no version is released yet:", err)
	}
	files, err := filepath.Glob(dir + "/*.reel")
	if err != nil || len(files) == 0 {
		t.Fatalf("no trace in %s (%v)", dir, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got, rd := readAll(t, bytes.NewReader(data))
		if rd.State() != Complete || len(got) == 0 || uint64(len(got)) != rd.Footer().GetEvents() {
			t.Errorf("%s: %d events, footer says %d, %v %s", file, len(got), rd.Footer().GetEvents(), rd.State(), rd.Warning())
		}
		want, _, err := referenceRead(data)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if len(got) != len(want) {
			t.Fatalf("%s: %d events, reference has %d", file, len(got), len(want))
		}
		for i := range got {
			if err := sameEvent(&got[i], &want[i]); err != nil {
				t.Fatalf("%s: event %d: %v", file, i+1, err)
			}
		}
	}
}
