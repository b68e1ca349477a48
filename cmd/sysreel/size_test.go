//go:build linux && (amd64 || arm64)

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"sysreel/proto/tracefile"
)

// BenchmarkSize records programs and sets the bytes an event against those of
// zstd -19 over the text of strace -f -ttt -T -v of another run:
//
//	B/event       the trace's size by its events
//	text-B/event  the compressed text's size by its calls, signals and exits
//	ratio         the one by the other
func BenchmarkSize(b *testing.B) {
	for _, tool := range []string{"strace", "zstd", "gcc", "python3", "find"} {
		if _, err := exec.LookPath(tool); err != nil {
			b.Skipf("%s is missing", tool)
		}
	}
	bin := buildSysreel(b)
	dir := b.TempDir()
	source := filepath.Join(dir, "a.c")
	if err := os.WriteFile(source, []byte("#include <stdio.h>\n#include <stdlib.h>\nint main(void) { puts(\"a\"); return 0; }\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	for _, bm := range []struct {
		name string
		snap string
		argv []string
	}{
		{"find", "32", []string{"find", "/usr/share", "-name", "*.conf"}},
		{"gcc", "32", []string{"gcc", "-O2", "-o", filepath.Join(dir, "a"), source}},
		{"go-build", "32", []string{"sh", "-c", "GOCACHE=" + dir + "/cache$(date +%N) exec go build -o " + dir + "/hex encoding/hex"}},
		{"python", "32", []string{"python3", "-c", "import json, asyncio, argparse"}},
		{"find-default", "", []string{"find", "/usr/share", "-name", "*.conf"}},
		{"gcc-default", "", []string{"gcc", "-O2", "-o", filepath.Join(dir, "a"), source}},
	} {
		b.Run(bm.name, func(b *testing.B) {
			var ours, text float64
			for b.Loop() {
				ours = traceBytesPerEvent(b, bin, dir, bm.snap, bm.argv)
				text = textBytesPerEvent(b, dir, bm.argv)
			}
			b.ReportMetric(ours, "B/event")
			b.ReportMetric(text, "text-B/event")
			b.ReportMetric(ours/text, "ratio")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func traceBytesPerEvent(b *testing.B, bin, dir, snap string, argv []string) float64 {
	b.Helper()
	name := filepath.Join(dir, "t.reel")
	args := []string{"record", "-q", "--force", "-o", name}
	if snap != "" {
		args = append(args, "--snap", snap)
	}
	cmd := exec.Command(bin, append(append(args, "--"), argv...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	f, err := os.Open(name)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	r, err := tracefile.NewReader(f, tracefile.ReaderOptions{})
	if err != nil {
		b.Fatal(err)
	}
	var events int
	for {
		c, err := r.Next()
		if err != nil {
			break
		}
		events += c.Events
	}
	if r.State() != tracefile.Complete {
		b.Fatal(r.Warning())
	}
	info, err := f.Stat()
	if err != nil {
		b.Fatal(err)
	}
	return float64(info.Size()) / float64(events)
}

func textBytesPerEvent(b *testing.B, dir string, argv []string) float64 {
	b.Helper()
	name := filepath.Join(dir, "t.strace")
	cmd := exec.Command("strace", append([]string{"-f", "-ttt", "-T", "-v", "-o", name}, argv...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		b.Fatal(err)
	}
	zipped, err := exec.Command("zstd", "-19", "-q", "-c", name).Output()
	if err != nil {
		b.Fatal(err)
	}
	events := 0
	for line := range bytes.Lines(text) {
		// A resumed call is the second half of one that was counted.
		if !bytes.Contains(line, []byte(" <... ")) {
			events++
		}
	}
	return float64(len(zipped)) / float64(events)
}
