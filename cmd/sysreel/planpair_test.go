package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sysreel/proto/syscalls"
)

// A pair is a trace of a plan and strace's text of the same plan, both made at
// one time on one machine, so that text is held against a strace that is not
// installed, and on any system.

// TestEveryCallText holds replay's text of the plans that testdata/strace72 keeps
// against that of strace 7.2. The pairs stay as they are when the table grows.
// TestEveryCall makes them:
//
//	UPDATE=1 go test -run 'TestEveryCall$/amd64' ./cmd/sysreel
//	UPDATE=1 SYSREEL_SEED=2 go test -run 'TestEveryCall$/i386' ./cmd/sysreel
//
// with a strace of 7.2 or later in PATH make those that are not there, of plans
// that have other arguments.
// SYSREEL_PAIRS=DIR looks at pairs elsewhere.
func TestEveryCallText(t *testing.T) {
	for _, arch := range []syscalls.Arch{syscalls.AMD64, syscalls.I386, syscalls.ARM64} {
		t.Run(arch.String(), func(t *testing.T) {
			reel, text := pairFiles(os.Getenv("SYSREEL_PAIRS"), arch, nil)
			s, err := readPlanText(text)
			if err != nil {
				t.Fatal(err)
			}
			var out, errs bytes.Buffer
			if status := run([]string{"replay", reel}, strings.NewReader(""), &out, &errs); status != 0 || errs.Len() > 0 {
				t.Fatalf("replay: status %d: %s", status, errs.String())
			}
			s.compare(t, parseText(out.String()))
		})
	}
}

// pairFiles returns the names of a pair made with options of strace.
func pairFiles(dir string, arch syscalls.Arch, args []string) (reel, text string) {
	if dir == "" {
		dir = filepath.Join("..", "..", "testdata", "strace72")
	}
	name := filepath.Join(dir, "everycall-"+arch.String()+strings.Join(args, ""))
	return name + ".reel", name + ".txt.gz"
}

// write keeps the text of a plan: a line of each process and the place that it
// has in the tree, then its lines, a tab and what the second run has behind
// those that it has otherwise.
func (s *planText) write(file string) error {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(z)
	fmt.Fprintf(w, "strace %s %s\n", s.strace, s.arch)
	for _, run := range s.runs {
		fmt.Fprintln(w, strings.Join(run.pids, " "))
	}
	for _, place := range slices.Sorted(maps.Keys(s.pairs)) {
		fmt.Fprintf(w, "= %s\n", place)
		for _, l := range s.pairs[place] {
			w.WriteString(l.first)
			if l.second != l.first {
				w.WriteString("\t" + l.second)
			}
			w.WriteByte('\n')
		}
	}
	if err := errors.Join(w.Flush(), z.Close()); err != nil {
		return err
	}
	return os.WriteFile(file, b.Bytes(), 0o644)
}

// readPlanText reads what write has written. The names that strace knows are
// taken to be those that it has printed.
func readPlanText(file string) (*planText, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	r := bufio.NewScanner(z)
	r.Buffer(nil, 64<<20)
	s := &planText{pairs: make(map[string][]planLine), names: make(straceWords)}
	var arch, place string
	if !r.Scan() {
		return nil, errors.Join(fs.ErrInvalid, r.Err())
	}
	if _, err := fmt.Sscanf(r.Text(), "strace %s %s", &s.strace, &arch); err != nil {
		return nil, err
	}
	for _, a := range []syscalls.Arch{syscalls.AMD64, syscalls.I386, syscalls.ARM64} {
		if a.String() == arch {
			s.arch = a
		}
	}
	for i := range s.runs {
		r.Scan()
		s.runs[i] = &straced{pids: strings.Fields(r.Text())}
	}
	for r.Scan() {
		if p, ok := strings.CutPrefix(r.Text(), "= "); ok {
			place = p
			continue
		}
		var l planLine
		var changed bool
		if l.first, l.second, changed = strings.Cut(r.Text(), "\t"); !changed {
			l.second = l.first
		}
		s.pairs[place] = append(s.pairs[place], l)
		for _, n := range constant.FindAllString(stringShape.ReplaceAllString(l.first, "S"), -1) {
			s.names[n] = true
		}
	}
	return s, r.Err()
}
