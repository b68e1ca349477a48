//go:build linux && (amd64 || arm64)

package record

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"
)

// BenchmarkRecord compares recording a command with running it bare, under
// strace -f -o as a user starts it, and under strace kept on one CPU. Of an
// iteration the four runs follow each other, and the ratios are of medians:
//
//	go test ./record -run - -bench Record -benchtime 5x
//
// A ratio x/strace under 1 means that recording is faster.
func BenchmarkRecord(b *testing.B) {
	needTool(b, "strace", "taskset")
	dir := b.TempDir()
	src := filepath.Join(dir, "h.c")
	if err := os.WriteFile(src, []byte("#include <stdio.h>\n#include <stdlib.h>\nint main(void) { puts(\"hello\"); return 0; }\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	repo := filepath.Join(dir, "repo")
	if out, err := exec.Command("sh", "-c", "git init -q "+repo+" && cp -r ../proto "+repo+" && git -C "+repo+" add .").CombinedOutput(); err != nil {
		b.Logf("no repository: %v\n%s", err, out)
	}
	for _, c := range []struct {
		name string
		argv []string
	}{
		{"dd", []string{"dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=20000", "status=none"}},
		{"find", []string{"find", "/usr/lib/python3", "/etc"}},
		{"gcc", []string{"gcc", "-O1", "-o", src + ".out", src}},
		{"git-status", []string{"git", "-C", repo, "status", "--short"}},
		{"python", []string{"python3", "-c", "import json, http.client"}},
		{"forks", []string{prog(b, "forks"), "400"}},
		{"make-j2", []string{"sh", "-c", "for i in 1 2; do gcc -O2 -c -o " + dir + "/o$i " + src + " & done; wait"}},
		{"cpu", []string{"sh", "-c", "i=0; while [ $i -lt 400000 ]; do i=$((i+1)); done"}},
	} {
		b.Run(c.name, func(b *testing.B) {
			if _, err := exec.LookPath(c.argv[0]); err != nil {
				b.Skip(err)
			}
			strace := append([]string{"strace", "-f", "-o", filepath.Join(dir, "strace")}, c.argv...)
			rec := recorder(b, Options{}, filepath.Join(dir, "t.reel"), c.argv...)
			variants := [][]string{c.argv, rec.Args, strace, append([]string{"taskset", "-c", "0"}, strace...)}
			times := make([][]float64, len(variants))
			for range b.N {
				for i, argv := range variants {
					cmd := exec.Command(argv[0], argv[1:]...)
					cmd.Stdout, cmd.Stderr = io.Discard, io.Discard
					begin := time.Now()
					if err := cmd.Run(); err != nil {
						b.Fatalf("%v: %v", argv, err)
					}
					times[i] = append(times[i], time.Since(begin).Seconds())
				}
			}
			median := func(i int) float64 {
				slices.Sort(times[i])
				return times[i][len(times[i])/2]
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median(1)*1e3, "ms")
			for i, name := range []string{"x/bare", "", "x/strace", "x/pinned"} {
				if name != "" {
					r, _ := strconv.ParseFloat(fmt.Sprintf("%.3g", median(1)/median(i)), 64)
					b.ReportMetric(r, name)
				}
			}
		})
	}
}
