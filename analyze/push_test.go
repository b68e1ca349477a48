package analyze_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"sysreel/analyze"
	"sysreel/analyze/format"
	"sysreel/analyze/latency"
	"sysreel/analyze/replay"
	"sysreel/analyze/summary"
	"sysreel/proto/tracefile"
	"sysreel/proto/world"
)

// reblock writes a trace anew in blocks of n events, with the calls that are in
// flight where they end.
func reblock(t *testing.T, name string, n int) []byte {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := tracefile.NewReader(f, tracefile.ReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var events []tracefile.Event
	if err := r.Each(context.Background(), 1, tracefile.All, nil, func(b *tracefile.Block) error {
		for i := range b.Events {
			var e tracefile.Event
			b.Event(i, &e)
			for j := range e.Bufs {
				e.Bufs[j].Data = bytes.Clone(e.Bufs[j].Data)
			}
			events = append(events, e)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w, err := tracefile.NewWriter(&out, r.Header(), tracefile.WriterOptions{Tracker: world.New(), MaxEvents: n})
	if err != nil {
		t.Fatal(err)
	}
	for i := range events {
		if err := w.Add(&events[i]); err != nil {
			t.Fatal(err)
		}
		if !w.Full() {
			continue
		}
		if err := w.Flush(inFlight(events[i+1:], events[i].End)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(r.Footer()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// inFlight returns the calls of the events to come that had begun.
func inFlight(coming []tracefile.Event, now int64) []tracefile.Event {
	var out []tracefile.Event
	for _, e := range coming {
		if e.Kind != tracefile.Syscall || e.Start >= now {
			continue
		}
		e.Kind, e.End, e.Ret, e.Num = tracefile.InFlight, now, 0, 0
		e.Bufs = slices.DeleteFunc(slices.Clone(e.Bufs), func(b tracefile.Buf) bool { return b.Phase != tracefile.AtEnter })
		out = append(out, e)
	}
	return out
}

// results returns what the analyses that look at all of a call make of a trace.
func results(t *testing.T, trace []byte, options func(analyze.Options) analyze.Options, f analyze.Filter) string {
	t.Helper()
	var out bytes.Buffer
	run := func(o analyze.Options, fn func(*analyze.Call) error) {
		t.Helper()
		r, err := tracefile.NewReader(bytes.NewReader(trace), tracefile.ReaderOptions{})
		if err != nil {
			t.Fatal(err)
		}
		o.Filter = f
		if err := analyze.Run(context.Background(), r, options(o), fn); err != nil {
			t.Fatal(err)
		}
	}
	r, err := tracefile.NewReader(bytes.NewReader(trace), tracefile.ReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, each := range []bool{false, true} { // calls in flight with every block
		text := replay.New(replay.Options{Names: replay.Protocols, Durations: true, Numbers: true, PIDs: replay.AllPIDs, Clock: replay.Epoch, Format: format.Options{Verbose: true}}, &out)
		o := analyze.Options{Need: analyze.NeedWorld}
		if each {
			o.BlockEnd = text.Flush
		}
		run(o, text.Add)
		if err := text.Close(); err != nil {
			t.Fatal(err)
		}
	}
	so := summary.Options{Objects: true, Threads: true, By: analyze.ByFile}
	sum := summary.New(r.Header(), so)
	run(analyze.Options{Need: so.Need()}, func(c *analyze.Call) error { sum.Add(c); return nil })
	for _, by := range []analyze.By{analyze.ByFD, analyze.ByWait, analyze.ByPeer} {
		lo := latency.Options{By: by}
		hist := latency.New(r.Header(), lo)
		run(analyze.Options{Need: lo.Need()}, func(c *analyze.Call) error { hist.Add(c); return nil })
		if err := json.NewEncoder(&out).Encode(hist.Result()); err != nil {
			t.Fatal(err)
		}
	}
	if err := json.NewEncoder(&out).Encode(sum.Result()); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestPushdown: what a filter needs not is not decoded, and nothing comes out
// otherwise for it. Traces are whole, and with a block missing.
func TestPushdown(t *testing.T) {
	names, err := filepath.Glob("../*/*/*.reel")
	if err != nil {
		t.Fatal(err)
	}
	if list, err := filepath.Glob("../proto/tracefile/testdata/*.reel"); err == nil {
		names = append(names, list...)
	}
	if len(names) < 5 {
		t.Fatalf("traces: %v", names)
	}
	rounds := 6
	if more := os.Getenv("SYSREEL_TRACES"); more != "" { // others, and more filters
		names, rounds = filepath.SplitList(more), 60
	}
	r := rand.New(rand.NewPCG(7, 8))
	left := 0
	for _, name := range names {
		trace := reblock(t, name, 40)
		var ids []tracefile.Thread
		var numbers []uint64
		rd, err := tracefile.NewReader(bytes.NewReader(trace), tracefile.ReaderOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := rd.Each(context.Background(), 1, nil, nil, func(b *tracefile.Block) error {
			ids = append(ids, b.Threads...)
			numbers = append(numbers, b.FirstEvent)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if len(numbers) < 3 {
			continue // short
		}
		damaged := bytes.Clone(trace)
		damaged[len(trace)*2/5] ^= 0x40
		for i := range rounds {
			f := randomFilter(t, r, ids, numbers)
			trace := trace
			if i%2 == 0 {
				trace = damaged
			}
			want := results(t, trace, analyze.Everything, f)
			got := results(t, trace, func(o analyze.Options) analyze.Options { return o }, f)
			if got != want {
				at := 0
				for at < min(len(got), len(want)) && got[at] == want[at] {
					at++
				}
				t.Fatalf("%s, filter %+v, damaged: %v: differs at\n%.300s\nfrom\n%.300s", name, f, i%2 == 0, got[max(at-80, 0):], want[max(at-80, 0):])
			}
			left += len(want)
		}
	}
	if left == 0 {
		t.Error("no filter let anything through")
	}
}

func randomFilter(t *testing.T, r *rand.Rand, ids []tracefile.Thread, numbers []uint64) analyze.Filter {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	var f analyze.Filter
	if r.IntN(3) > 0 {
		f.Trace = pick("execve", "%file", "read,write", "!%desc", "%network", "openat", "wait4", "select,pselect6,poll,ppoll", "close", "futex", "none", "mmap")
	}
	id := ids[r.IntN(len(ids))]
	switch r.IntN(4) {
	case 0:
		f.PIDs = []int32{id.TGID}
	case 1:
		f.TIDs = []int32{id.TID}
	}
	switch r.IntN(6) {
	case 0:
		f.Failed = true
	case 1:
		f.Errnos = []string{pick("ENOENT", "ECHILD", "EMFILE", "ENOTTY")}
	case 2:
		f.MinLatency = []time.Duration{1000, 50_000, 1e6, 1e9}[r.IntN(4)]
	}
	if r.IntN(5) == 0 {
		f.Paths = []string{pick("/etc/**", "**/*.so*", "/**", "/no/such")}
	}
	if r.IntN(4) == 0 {
		var err error
		if f.From, err = analyze.ParsePoint(fmt.Sprintf("#%d", numbers[r.IntN(len(numbers))])); err != nil {
			t.Fatal(err)
		}
	} else if r.IntN(5) == 0 {
		var err error
		if f.From, err = analyze.ParsePoint(fmt.Sprintf("%dms", r.IntN(20))); err != nil {
			t.Fatal(err)
		}
	}
	return f
}
