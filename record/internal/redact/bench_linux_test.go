package redact

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
	"sysreel/proto/world"
)

// BenchmarkEvents measures what redaction adds to writing a trace as a recorder
// does, on real recordings: those of SYSREEL_TRACES, a list of files, or of
// proto/tracefile/testdata. The two take turns; ratio and times are of the medians
// of CPU time:
//
//	GOMAXPROCS=1 go test ./record/internal/redact -run - -bench Events -benchtime 20x
func BenchmarkEvents(b *testing.B) {
	files := filepath.SplitList(os.Getenv("SYSREEL_TRACES"))
	if len(files) == 0 {
		files, _ = filepath.Glob("../../../proto/tracefile/testdata/*.reel")
	}
	if len(files) == 0 {
		b.Fatal("no recordings")
	}
	for _, file := range files {
		b.Run(filepath.Base(file), func(b *testing.B) {
			header, events := load(b, file)
			var took [2][]time.Duration
			for b.Loop() {
				for with := range took {
					took[with] = append(took[with], write(b, header, events, with == 1))
				}
			}
			median := func(i int) float64 {
				slices.Sort(took[i])
				return float64(took[i][len(took[i])/2])
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median(1)/median(0), "x/without")
			b.ReportMetric(median(0)/float64(len(events)), "ns/event")
			b.ReportMetric((median(1)-median(0))/float64(len(events)), "ns/event-more")
		})
	}
}

// write writes the events as the recorder's encoder does.
func write(b *testing.B, header *tracepb.Header, events []tracefile.Event, with bool) time.Duration {
	known := world.New()
	var x *Events
	if with {
		x = NewEvents(parse(b, ""), known)
	}
	runtime.GC()
	begin := cpuTime(b)
	w, err := tracefile.NewWriter(io.Discard, proto.Clone(header).(*tracepb.Header), tracefile.WriterOptions{Tracker: known})
	if err != nil {
		b.Fatal(err)
	}
	for i := range events {
		x.Event(&events[i])
		if err := w.Add(&events[i]); err != nil {
			b.Fatal(err)
		}
		if w.Full() {
			x.Take(w.AddRedactions)
			if err := w.Flush(nil); err != nil {
				b.Fatal(err)
			}
		}
	}
	x.Take(w.AddRedactions)
	if err := w.Close(&tracepb.Footer{}); err != nil {
		b.Fatal(err)
	}
	return cpuTime(b) - begin
}

func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// load returns the events of a trace, with memory of their own.
func load(tb testing.TB, file string) (*tracepb.Header, []tracefile.Event) {
	data, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	r, err := tracefile.NewReader(bytes.NewReader(data), tracefile.ReaderOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	var events []tracefile.Event
	for {
		c, err := r.Next()
		if err == io.EOF {
			return r.Header(), events
		}
		if err != nil {
			tb.Fatal(err)
		}
		var block tracefile.Block
		if err := c.Block(&block); err != nil {
			tb.Fatal(err)
		}
		for i := range block.Events {
			var e tracefile.Event
			block.Event(i, &e)
			e.Bufs = slices.Clone(e.Bufs)
			for j := range e.Bufs {
				e.Bufs[j].Data = bytes.Clone(e.Bufs[j].Data)
			}
			e.Num = 0
			events = append(events, e)
		}
	}
}
