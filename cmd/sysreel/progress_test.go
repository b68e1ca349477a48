package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sysreel/analyze"
	"sysreel/analyze/stracelog"
	"sysreel/proto/tracefile"
)

// A terminal sees how far a pass is from its second second on, in one line that
// fits and that is gone at the end.
func TestProgress(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(1000, 0)
	p := &progress{w: &out, begin: now, now: func() time.Time { return now }, width: func() int { return 40 }}
	show := p.hook("traces/of/a/long/name\x1b[31m.reel")
	step := func(after time.Duration, events uint64, share float64, want string) {
		t.Helper()
		out.Reset()
		now = now.Add(after)
		show(events, share)
		if out.String() != want {
			t.Errorf("%d events: %q, want %q", events, out.String(), want)
		}
	}
	step(900*time.Millisecond, 100, 0.1, "")
	p.clear()
	if out.Len() > 0 {
		t.Errorf("cleared %q though nothing was shown", out.String())
	}
	step(200*time.Millisecond, 20_000, 0.2, "\rtraces/of/a/long…: 20 %, 20,000 events\x1b[K")
	step(100*time.Millisecond, 30_000, 0.3, "")
	step(100*time.Millisecond, 40_000, -1, "\rtraces/of/a/long/name\\…: 40,000 events\x1b[K")
	step(time.Minute, 50_000, 1, "\rtraces/of/a/lon…: 100 %, 50,000 events\x1b[K")
	out.Reset()
	p.clear()
	p.clear()
	if out.String() != "\r\x1b[K" {
		t.Errorf("cleared by %q", out.String())
	}
}

// What is no terminal sees nothing.
func TestNoProgress(t *testing.T) {
	if p := newProgress(&stdio{err: new(bytes.Buffer)}); p != nil {
		t.Error("a buffer is taken for a terminal")
	}
	var p *progress
	p.clear()
	if p.hook("x") != nil {
		t.Error("progress is asked for where none is shown")
	}
}

// The share of a file that was passed over grows to all of it, from wherever the
// pass begins; of a pipe it is not known.
func TestProgressShare(t *testing.T) {
	file := filepath.Join("..", "..", "testdata", "traces", "python-v1.reel")
	for _, from := range []string{"", "#500"} {
		tr, err := analyze.Open(file, nil, tracefile.ReaderOptions{})
		if err != nil {
			t.Fatal(err)
		}
		point, err := analyze.ParsePoint(from)
		if err != nil {
			t.Fatal(err)
		}
		last, n := 0.0, 0
		err = tr.Run(t.Context(), analyze.Options{Filter: analyze.Filter{From: point}, Progress: func(events uint64, share float64) {
			if n++; share <= last || share > 1 || events == 0 {
				t.Errorf("%d events, %.3f after %.3f", events, share, last)
			}
			last = share
		}}, func(*analyze.Call) error { return nil })
		if err != nil || n == 0 || last < 0.5 {
			t.Errorf("from %q: %d blocks, the last at %.3f; %v", from, n, last, err)
		}
		tr.Close()
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tr, err := analyze.Open("-", io.MultiReader(f), tracefile.ReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	err = tr.Run(t.Context(), analyze.Options{Progress: func(_ uint64, share float64) {
		if share >= 0 {
			t.Errorf("%.3f of a pipe", share)
		}
	}}, func(*analyze.Call) error { return nil })
	if err != nil {
		t.Error(err)
	}
}

// An import tells how much of its logs it has read: all, at the end; of a pipe
// nothing is known.
func TestImportShare(t *testing.T) {
	text := strings.Repeat("1 1700000000.000001 getppid() = 0 <0.000001>\n", 20_000)
	file := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	std := &stdio{in: strings.NewReader(text)}
	for _, name := range []string{file, "-"} {
		logs, err := findLogs(std, []string{name})
		if err != nil {
			t.Fatal(err)
		}
		share, last, n := readShare(logs), 0.0, 0
		o := stracelog.Options{Progress: func(events uint64) {
			n++
			now := share()
			if events == 0 || now > 1 || name == "-" && now >= 0 || name == file && (now < last || now == 0) {
				t.Errorf("%s: %d events, %.3f after %.3f", name, events, now, last)
			}
			last = now
		}}
		if _, err := stracelog.Import(t.Context(), io.Discard, logs, o); err != nil {
			t.Fatal(err)
		}
		if n != 4 || name == file && share() != 1 {
			t.Errorf("%s: told %d times, %.3f at the end", name, n, share())
		}
	}
}
