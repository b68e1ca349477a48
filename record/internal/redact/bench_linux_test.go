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
// proto/tracefile/testdata. Two writers, one of which redacts, take turns every
// few thousand events, so that what else the machine does hits both; ratio and
// times are of the medians of CPU time:
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
			var without, ratio []float64
			for b.Loop() {
				took := write(b, header, events)
				without = append(without, float64(took[0]))
				ratio = append(ratio, float64(took[1])/float64(took[0]))
			}
			median := func(of []float64) float64 {
				slices.Sort(of)
				return of[len(of)/2]
			}
			each, times := median(without)/float64(len(events)), median(ratio)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(times, "x/without")
			b.ReportMetric(each, "ns/event")
			b.ReportMetric(each*(times-1), "ns/event-more")
		})
	}
}

// write writes the events as the recorder's encoder does, without redaction and
// with it; it returns the CPU time of both.
func write(b *testing.B, header *tracepb.Header, events []tracefile.Event) (took [2]time.Duration) {
	type side struct {
		w *tracefile.Writer
		x *Events
	}
	var sides [2]side
	for i := range sides {
		s, known := &sides[i], world.New()
		if i == 1 {
			s.x = NewEvents(parse(b, ""), known)
		}
		var err error
		s.w, err = tracefile.NewWriter(io.Discard, proto.Clone(header).(*tracepb.Header), tracefile.WriterOptions{Tracker: known})
		if err != nil {
			b.Fatal(err)
		}
	}
	runtime.GC()
	first := 0 // who finds the events in no cache
	for chunk := range slices.Chunk(events, 4096) {
		for i := range sides {
			who := i ^ first
			s := &sides[who]
			begin := cpuTime(b)
			for i := range chunk {
				s.x.Event(&chunk[i])
				if err := s.w.Add(&chunk[i]); err != nil {
					b.Fatal(err)
				}
				if s.w.Full() {
					s.x.Take(s.w.AddRedactions)
					if err := s.w.Flush(nil); err != nil {
						b.Fatal(err)
					}
				}
			}
			took[who] += cpuTime(b) - begin
		}
		first ^= 1
	}
	for i := range sides {
		begin := cpuTime(b)
		sides[i].x.Take(sides[i].w.AddRedactions)
		if err := sides[i].w.Close(&tracepb.Footer{}); err != nil {
			b.Fatal(err)
		}
		took[i] += cpuTime(b) - begin
	}
	return took
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
