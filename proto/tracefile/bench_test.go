package tracefile

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"sysreel/proto/tracepb"
)

// recordings returns the real recordings to measure with: SYSREEL_TRACES, a list
// of files, or those in testdata.
func recordings(tb testing.TB) []string {
	if list := os.Getenv("SYSREEL_TRACES"); list != "" {
		return filepath.SplitList(list)
	}
	files, err := filepath.Glob("testdata/*.reel")
	if err != nil || len(files) == 0 {
		tb.Fatal("no recordings in testdata", err)
	}
	return files
}

// load returns the events of a recording, with memory of their own.
func load(tb testing.TB, file string) ([]Event, *tracepb.Header) {
	data, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	events, rd := readAll(tb, bytes.NewReader(data))
	if rd.State() != Complete {
		tb.Fatalf("%s: %s", file, rd.Warning())
	}
	return events, rd.Header()
}

// generator writes a recording over and over, each time later.
type generator struct {
	events []Event
	e      Event
	w      *Writer
	shift  int64
	n      uint64
	once   float64 // bytes an event of the recording written once
}

func newGenerator(tb testing.TB, file string, out io.Writer) *generator {
	events, h := load(tb, file)
	w, err := NewWriter(out, proto.Clone(h).(*tracepb.Header), WriterOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	g := &generator{events: events, w: w}
	var alone bytes.Buffer
	if g.w, err = NewWriter(&alone, proto.Clone(h).(*tracepb.Header), WriterOptions{}); err != nil {
		tb.Fatal(err)
	}
	g.round(tb)
	if err := g.w.Flush(nil); err != nil {
		tb.Fatal(err)
	}
	g.once = float64(alone.Len()) / float64(len(events))
	g.w, g.n, g.shift = w, 0, 0
	return g
}

// round writes the recording once.
func (g *generator) round(tb testing.TB) {
	for i := range g.events {
		g.e = g.events[i]
		g.e.Start += g.shift
		g.e.End += g.shift
		if err := g.w.Add(&g.e); err != nil {
			tb.Fatal(err)
		}
		if g.w.Full() {
			if err := g.w.Flush(nil); err != nil {
				tb.Fatal(err)
			}
		}
	}
	g.n += uint64(len(g.events))
	g.shift += g.events[len(g.events)-1].End - g.events[0].End + 1e6
}

// BenchmarkWrite measures a Writer that goes on for long, as a recorder's does.
func BenchmarkWrite(b *testing.B) {
	for _, file := range recordings(b) {
		b.Run(filepath.Base(file), func(b *testing.B) {
			g := newGenerator(b, file, io.Discard)
			for range 1 + 1<<17/len(g.events) { // warm up
				g.round(b)
			}
			if err := g.w.Flush(nil); err != nil {
				b.Fatal(err)
			}
			runtime.GC()
			n := g.n
			b.ReportAllocs()
			cpu := cpuTime()
			for b.Loop() {
				g.round(b)
			}
			if err := g.w.Flush(nil); err != nil {
				b.Fatal(err)
			}
			n = g.n - n
			reportRate(b, float64(n), cpuTime()-cpu)
			b.ReportMetric(g.once, "B/event")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// reportRate reports events a second, of the clock and of processor time.
func reportRate(b *testing.B, events float64, cpu time.Duration) {
	b.ReportMetric(events/b.Elapsed().Seconds(), "events/s")
	if cpu > 0 {
		b.ReportMetric(events/cpu.Seconds(), "events/cpu-s")
	}
}

func benchmarkRead(b *testing.B, full bool) {
	for _, file := range recordings(b) {
		b.Run(filepath.Base(file), func(b *testing.B) {
			var out bytes.Buffer
			g := newGenerator(b, file, &out)
			for range 1 + 1<<18/len(g.events) {
				g.round(b)
			}
			if err := g.w.Close(&tracepb.Footer{}); err != nil {
				b.Fatal(err)
			}
			var block Block
			var e Event
			cpu := cpuTime()
			for b.Loop() {
				rd, err := NewReader(bytes.NewReader(out.Bytes()), ReaderOptions{})
				if err != nil {
					b.Fatal(err)
				}
				n := 0
				for {
					c, err := rd.Next()
					if err == io.EOF {
						break
					}
					if full {
						if err := c.Block(&block); err != nil {
							b.Fatal(err)
						}
						for i := range block.Events {
							block.Event(i, &e)
						}
					} else if err := c.Core(&block.Core); err != nil {
						b.Fatal(err)
					}
					n += block.Events
				}
				if n != int(g.n) {
					b.Fatalf("%d events of %d", n, g.n)
				}
			}
			reportRate(b, float64(g.n)*float64(b.N), cpuTime()-cpu)
			b.ReportMetric(g.once, "B/event")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkReadCore decodes the core columns on one goroutine.
func BenchmarkReadCore(b *testing.B) { benchmarkRead(b, false) }

// BenchmarkReadFull decodes everything and fills an Event for each.
func BenchmarkReadFull(b *testing.B) { benchmarkRead(b, true) }

// TestReaderMemory reads a long trace with a Reader, workers and all, and
// bounds the heap. SYSREEL_EVENTS sets the length, "100000000" for the stated
// target; without it, it is short.
func TestReaderMemory(t *testing.T) {
	events := uint64(1e6)
	if s := os.Getenv("SYSREEL_EVENTS"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		events = n
	}
	f, err := os.Create(filepath.Join(t.TempDir(), "long.reel"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	total := replicate(t, recordings(t)[0], f, events)
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	for _, full := range []bool{false, true} {
		runtime.GC()
		var base runtime.MemStats
		runtime.ReadMemStats(&base)
		rd, err := NewReader(io.NewSectionReader(f, 0, 1<<62), ReaderOptions{})
		if err != nil {
			t.Fatal(err)
		}
		n, peak, blocks := uint64(0), uint64(0), 0
		err = rd.Each(t.Context(), 2, choice(full), nil, func(b *Block) error {
			if b.FirstEvent != n+1 {
				t.Errorf("block of #%d after #%d", b.FirstEvent, n)
			}
			n += uint64(b.Events)
			if blocks++; blocks%64 == 1 {
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				peak = max(peak, m.HeapInuse-min(m.HeapInuse, base.HeapInuse))
			}
			return nil
		})
		if err != nil || n != total || rd.State() != Complete {
			t.Fatalf("%d events of %d, %v %s %v", n, total, rd.State(), rd.Warning(), err)
		}
		t.Logf("full %v: %d events in %d blocks, heap in use up to %d MiB", full, n, blocks, peak>>20)
		if peak > 64<<20 {
			t.Errorf("full %v: heap in use up to %d MiB, want at most 64", full, peak>>20)
		}
	}
}

// replicate writes a trace of at least n events: the blocks of a recording over
// and over, with numbers and times moved on. It returns how many.
func replicate(tb testing.TB, file string, out io.Writer, n uint64) uint64 {
	var once bytes.Buffer
	g := newGenerator(tb, file, &once)
	for g.n < min(n, 4*defaultMaxEvents) {
		g.round(tb)
	}
	if err := g.w.Close(&tracepb.Footer{}); err != nil {
		tb.Fatal(err)
	}
	rd, err := NewReader(bytes.NewReader(once.Bytes()), ReaderOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	var replicas []replica
	for {
		c, err := rd.Next()
		if err == io.EOF {
			break
		}
		replicas = append(replicas, newReplica(tb, c))
	}
	w, err := NewWriter(out, proto.Clone(rd.Header()).(*tracepb.Header), WriterOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	step := g.shift / w.b.tick // ticks from one round of the blocks to the next
	for ticks := int64(0); w.next <= n; ticks += step {
		for i := range replicas {
			replicas[i].write(tb, w, ticks)
		}
	}
	if err := w.Close(&tracepb.Footer{}); err != nil {
		tb.Fatal(err)
	}
	return w.next - 1
}

// replica is a block that is written again and again.
type replica struct {
	info         ChunkInfo
	base         int64 // ticks
	core, detail []byte
}

func newReplica(tb testing.TB, c *Chunk) replica {
	var b Block
	if err := c.Block(&b); err != nil {
		tb.Fatal(err)
	}
	_, core, err := decompress(nil, c.core, c.CoreRaw, chunkBlockField)
	if err != nil {
		tb.Fatal(err)
	}
	_, detail, err := decompress(nil, c.detail, c.DetailRaw, chunkDetailField)
	if err != nil {
		tb.Fatal(err)
	}
	return replica{c.ChunkInfo, b.raw.base, core, detail}
}

// write writes the block as w's next, some ticks later. In protobuf the last of
// several values of a field counts, so the new ones are appended.
func (r *replica) write(tb testing.TB, w *Writer, ticks int64) {
	h := w.head
	h.kind, h.events, h.losses, h.first = kindBlock, uint32(r.info.Events), uint32(r.info.Losses), w.next
	h.start, h.end = r.info.FirstTime+ticks*w.b.tick, r.info.LastTime+ticks*w.b.tick
	core := appendUint(bytes.Clone(r.core), blockFirstEvent, w.next)
	core = appendUint(core, blockBase, uint64(r.base+ticks))
	detail := appendUint(bytes.Clone(r.detail), detailFirstEvent, w.next)
	at := w.size
	out, err := w.pack(&h, []protowire.Number{chunkBlockField, chunkDetailField}, [][]byte{core, detail}, nil)
	if err == nil {
		err = w.write(&h, out)
	}
	if err != nil {
		tb.Fatal(err)
	}
	w.index.add(at, &h)
	w.next += uint64(r.info.Events)
	w.lastEnd = h.end
	w.done, w.doneEnd = w.next, w.lastEnd
}
