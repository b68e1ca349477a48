package tracefile

import (
	"bytes"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"sysreel/proto/tracepb"
)

// onlyReader hides that a bytes.Reader can seek: it stands for a pipe.
type onlyReader struct{ io.Reader }

// smallTrace returns a trace of several blocks, and its events.
func smallTrace(t testing.TB) ([]byte, []Event) {
	events := randomEvents(rand.New(rand.NewPCG(7, 7)), 24)
	for i := range events { // small, so that every byte can be tried
		events[i].Bufs = events[i].Bufs[:min(1, len(events[i].Bufs))]
	}
	return write(t, events, 8, 0, nil), events
}

// readGood reads what it can and checks every event against want. It returns
// how many it got, and the reader, nil if there was no trace to read.
func readGood(t *testing.T, r io.Reader, want []Event) (int, *Reader) {
	t.Helper()
	rd, err := NewReader(r, ReaderOptions{})
	if err != nil {
		return 0, nil
	}
	n := 0
	for {
		c, err := rd.Next()
		if err != nil {
			if err != io.EOF {
				t.Fatalf("%v", err)
			}
			return n, rd
		}
		var b Block
		if err := c.Block(&b); err != nil {
			t.Fatalf("chunk with a right checksum: %v", err)
		}
		for i := range b.Events {
			var e Event
			b.Event(i, &e)
			if e.Num < 1 || e.Num > uint64(len(want)) {
				t.Fatalf("event number %d", e.Num)
			}
			w := kept(want[e.Num-1], 1)
			w.Num = e.Num
			if err := sameEvent(&e, &w); err != nil {
				t.Fatalf("event %d: %v", e.Num, err)
			}
			n++
		}
	}
}

// blockEnds returns the offsets at which the blocks of a trace end, and where
// the header chunk and the footer end.
func chunkEnds(t *testing.T, trace []byte) (ends []int, kinds []chunkKind) {
	t.Helper()
	for off := 0; off < len(trace); {
		var h chunkHeader
		if !h.get(trace[off:]) {
			t.Fatal("bad header")
		}
		off += headerSize + h.size()
		ends, kinds = append(ends, off), append(kinds, h.kind)
	}
	return ends, kinds
}

// TestTruncated cuts a trace at every byte: every whole block is read, nothing
// else, and the state is Incomplete.
func TestTruncated(t *testing.T) {
	trace, events := smallTrace(t)
	ends, kinds := chunkEnds(t, trace)
	for n := range trace {
		blocks := 0
		for i, end := range ends {
			if kinds[i] == kindBlock && end <= n {
				blocks++
			}
		}
		for _, r := range []io.Reader{bytes.NewReader(trace[:n]), onlyReader{bytes.NewReader(trace[:n])}} {
			got, rd := readGood(t, r, events)
			if rd == nil {
				if n >= ends[0] {
					t.Fatalf("cut at %d: not readable", n)
				}
				continue
			}
			if got != 8*blocks {
				t.Fatalf("cut at %d: %d events, want %d", n, got, 8*blocks)
			}
			if rd.State() != Incomplete || len(rd.Gaps()) > 0 || rd.Warning() == "" {
				t.Fatalf("cut at %d: %v %q %+v", n, rd.State(), rd.Warning(), rd.Gaps())
			}
		}
	}
}

// TestFlippedBit flips a bit of every byte: what is read is right, what is not
// is reported, and at most one block is lost.
func TestFlippedBit(t *testing.T) {
	trace, events := smallTrace(t)
	ends, _ := chunkEnds(t, trace)
	rng := rand.New(rand.NewPCG(1, 1))
	for n := range trace {
		bad := slices.Clone(trace)
		bad[n] ^= 1 << rng.IntN(8)
		for _, r := range []io.Reader{bytes.NewReader(bad), onlyReader{bytes.NewReader(bad)}} {
			got, rd := readGood(t, r, events)
			if rd == nil {
				t.Fatalf("byte %d of the header makes the trace unreadable", n)
			}
			if got < len(events)-8 {
				t.Fatalf("byte %d: %d events left of %d", n, got, len(events))
			}
			if n < ends[len(ends)-2] && (rd.State() != Damaged || len(rd.Gaps()) != 1 || rd.Warning() == "") {
				t.Fatalf("byte %d: %v, gaps %+v, %q", n, rd.State(), rd.Gaps(), rd.Warning())
			}
			if rd.State() == Complete {
				t.Fatalf("byte %d: complete", n)
			}
			g := rd.Gaps()
			if len(g) == 1 && n < ends[len(ends)-3] && (!g[0].Known || int(g[0].Events) != len(events)-got) {
				t.Fatalf("byte %d: %d events read, gap %+v", n, got, g[0])
			}
		}
	}
}

// TestDamaged tries other things that happen to files.
func TestDamaged(t *testing.T) {
	trace, events := smallTrace(t)
	ends, _ := chunkEnds(t, trace)
	cut := func(from, to int) []byte { return slices.Concat(trace[:from], trace[to:]) }
	for _, test := range []struct {
		name   string
		data   []byte
		events int
		state  State
		reason string
	}{
		{"a block is missing", cut(ends[1], ends[2]), 16, Damaged, "chunk 2 is missing"},
		{"the middle of a block is missing", cut(ends[1]+150, ends[1]+160), 16, Damaged, ""},
		{"the header is missing", trace[ends[0]:], 24, Damaged, "the beginning is missing"},
		{"a block twice", slices.Concat(trace[:ends[2]], trace[ends[1]:]), 24, Damaged, "chunk 2 in the place of chunk 3"},
		{"junk between blocks", slices.Concat(trace[:ends[1]], make([]byte, 5000), trace[ends[1]:]), 24, Damaged, "zero bytes"},
		{"much junk between blocks", slices.Concat(trace[:ends[1]], bytes.Repeat([]byte("\x89REEL\r\n"), 2*sourceChunk/7), trace[ends[1]:]), 24, Damaged, "no chunk header"},
		{"zeros at the end", slices.Concat(trace[:ends[2]+50], make([]byte, 5000)), 16, Damaged, ""},
		{"junk at the end", slices.Concat(trace, []byte("more")), 24, Damaged, "after the end"},
		{"another trace after it", slices.Concat(trace, write(t, events, 8, 0, nil)), 24, Damaged, ""},
	} {
		for _, r := range []io.Reader{bytes.NewReader(test.data), onlyReader{bytes.NewReader(test.data)}, onlyReader{iotest.OneByteReader(bytes.NewReader(test.data))}} {
			got, rd := readGood(t, r, events)
			if rd == nil {
				t.Errorf("%s: not readable", test.name)
				continue
			}
			if got != test.events || rd.State() != test.state || len(rd.Gaps()) == 0 || !strings.Contains(rd.Gaps()[0].Reason, test.reason) {
				t.Errorf("%s: %d events, %v, gaps %+v, warning %q", test.name, got, rd.State(), rd.Gaps(), rd.Warning())
			}
		}
	}
}

// TestKilled reads what a writer has written at every flush.
func TestKilled(t *testing.T) {
	_, events := smallTrace(t)
	var out bytes.Buffer
	w, err := NewWriter(&out, &tracepb.Header{}, WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range events {
		if err := w.Add(&events[i]); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(nil); err != nil {
			t.Fatal(err)
		}
		got, rd := readGood(t, bytes.NewReader(out.Bytes()), events)
		if got != i+1 || rd.State() != Incomplete {
			t.Fatalf("%d events after %d flushes, %v", got, i+1, rd.State())
		}
	}
}
