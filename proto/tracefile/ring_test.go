package tracefile

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"testing"

	"sysreel/proto/tracepb"
)

// memoryFile is a RingFile in memory.
type memoryFile struct{ data []byte }

func (f *memoryFile) Write(b []byte) (int, error) {
	f.data = append(f.data, b...)
	return len(b), nil
}
func (f *memoryFile) ReadAt(b []byte, off int64) (int, error) {
	return bytes.NewReader(f.data).ReadAt(b, off)
}
func (f *memoryFile) Sync() error { return nil }

// memoryRing has the files of a ring in memory.
type memoryRing struct {
	live, next *memoryFile
	replaced   int
	failing    error
}

func (r *memoryRing) Create() (RingFile, error) {
	if r.failing != nil {
		return nil, r.failing
	}
	r.next = &memoryFile{}
	return r.next, nil
}
func (r *memoryRing) Replace(RingFile) error {
	r.live, r.next = r.next, nil
	r.replaced++
	return nil
}
func (r *memoryRing) Discard(RingFile) { r.next = nil }

// readNumbered reads a trace and returns the numbers of its first and last event.
// They must follow each other, and nothing may be damaged.
func readNumbered(t *testing.T, data []byte, want State) (first, last uint64) {
	t.Helper()
	r, err := NewReader(bytes.NewReader(data), ReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var b Block
	var e Event
	for {
		c, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Block(&b); err != nil {
			t.Fatal(err)
		}
		for i := range c.Events {
			b.Event(i, &e)
			if first == 0 {
				first, last = e.Num, e.Num-1
			}
			if e.Num != last+1 {
				t.Fatalf("event %d follows %d", e.Num, last)
			}
			if e.Ret != int64(e.Num) {
				t.Fatalf("event %d is that of number %d", e.Num, e.Ret)
			}
			last = e.Num
		}
	}
	if r.State() != want {
		t.Fatalf("the trace is %v, want %v: %s", r.State(), want, r.Warning())
	}
	if f := r.Footer(); want == Complete && f.Events != last+1-first {
		t.Errorf("the footer tells of %d events, the trace has %d to %d", f.Events, first, last)
	}
	if first > 0 && want == Complete {
		n := first + (last-first)/2
		if err := r.SeekEvent(n); err != nil {
			t.Fatal(err)
		}
		c, err := r.Next()
		if err != nil || n < c.FirstEvent || n >= c.FirstEvent+uint64(c.Events) {
			t.Fatalf("seeking event %d: %+v, %v", n, c, err)
		}
	}
	return first, last
}

// numbered returns events whose results are their numbers.
func numbered(rng *rand.Rand, n int) []Event {
	events := randomEvents(rng, n)
	for i := range events {
		events[i].Ret = int64(i + 1)
	}
	return events
}

// After every Flush a ring's file is a readable trace that ends with the last
// event, no larger than allowed, and the space taken has its bound.
func TestRing(t *testing.T) {
	for seed := range uint64(3) {
		rng := rand.New(rand.NewPCG(seed, 1))
		size := int64(60_000 + rng.IntN(100_000))
		files := &memoryRing{live: &memoryFile{}}
		h := &tracepb.Header{TickNs: 1}
		w, err := NewWriter(files.live, h, WriterOptions{MaxSize: size, Ring: files})
		if err != nil {
			t.Fatal(err)
		}
		events := numbered(rng, 8_000)
		most, least := int64(0), size
		for i, next := 0, 0; i < len(events); i++ {
			if err := w.Add(&events[i]); err != nil {
				t.Fatal(err)
			}
			if i < next && i+1 < len(events) {
				continue
			}
			next = i + 1 + rng.IntN(20)
			if rng.IntN(50) == 0 {
				next += 60
			}
			if err := w.Flush(nil); err != nil {
				t.Fatal(err)
			}
			total := int64(len(files.live.data))
			if total > size {
				t.Fatalf("the file has %d bytes, %d allowed", total, size)
			}
			if files.replaced > 0 {
				least = min(least, total)
			}
			if files.next != nil {
				total += int64(len(files.next.data))
			}
			most = max(most, total)
			if rng.IntN(20) == 0 {
				if _, last := readNumbered(t, files.live.data, Incomplete); last != uint64(i+1) {
					t.Fatalf("the file ends with event %d, %d were written", last, i+1)
				}
			}
		}
		if most > size*7/4 {
			t.Errorf("seed %d: %d bytes were in use, %.2f of the size", seed, most, float64(most)/float64(size))
		}
		if least < size/2 { // a large block may be a tenth
			t.Errorf("seed %d: only %d of %d bytes were kept", seed, least, size)
		}
		if err := w.Close(&tracepb.Footer{}); err != nil {
			t.Fatal(err)
		}
		first, last := readNumbered(t, files.live.data, Complete)
		if int64(len(files.live.data)) > size || files.next != nil || last != uint64(len(events)) || first == 1 || files.replaced < 3 {
			t.Errorf("seed %d: in the end %d bytes of %d, events %d to %d, %d successors, one left: %v",
				seed, len(files.live.data), size, first, last, files.replaced, files.next != nil)
		}
	}
}

// A ring is followed through the files that take each other's place. What was
// dropped before it was read is counted.
func TestFollowRing(t *testing.T) {
	t.Parallel()
	dropped := 0
	for seed := range uint64(4) {
		rng := rand.New(rand.NewPCG(seed, 2))
		size := int64(60_000 + rng.IntN(40_000))
		files := &memoryRing{live: &memoryFile{}}
		w, err := NewWriter(files.live, &tracepb.Header{TickNs: 1}, WriterOptions{MaxSize: size, Ring: files})
		if err != nil {
			t.Fatal(err)
		}
		events := numbered(rng, 4_000)
		at, reading := 0, files.live
		// The reader is at the end of what is there: write more.
		more := func() io.ReaderAt {
			flushes := 120
			if seed%2 == 0 {
				flushes = 25 // too few for anything to be dropped
			}
			for range 1 + rng.IntN(flushes) {
				for range 1 + rng.IntN(20) {
					if at < len(events) {
						if err := w.Add(&events[at]); err != nil {
							t.Error(err)
						}
						at++
					}
				}
				if err := w.Flush(nil); err != nil {
					t.Error(err)
				}
			}
			if at == len(events) && files.live != nil {
				at++
				if err := w.Close(&tracepb.Footer{}); err != nil {
					t.Error(err)
				}
			}
			if files.live == reading {
				return nil
			}
			reading = files.live
			return reading
		}
		r, err := NewReader(io.NewSectionReader(files.live, 0, 1<<40), ReaderOptions{Follow: t.Context(), Successor: more})
		if err != nil {
			t.Fatal(err)
		}
		last, missing := uint64(0), uint64(0)
		for {
			c, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if c.FirstEvent <= last {
				t.Fatalf("seed %d: event %d after %d", seed, c.FirstEvent, last)
			}
			missing += c.FirstEvent - last - 1
			last = c.FirstEvent + uint64(c.Events) - 1
		}
		counted := uint64(0)
		for _, g := range r.Gaps() {
			counted += g.Events
		}
		if last != uint64(len(events)) || counted != missing || r.Footer() == nil || files.replaced < 2 || seed%2 == 0 && missing > 0 {
			t.Errorf("seed %d: read to #%d, %d missing, %d in gaps %+v, %d successors", seed, last, missing, counted, r.Gaps(), files.replaced)
		}
		if missing > 0 {
			dropped++
		}
	}
	if dropped == 0 {
		t.Error("nothing was ever dropped before it was read")
	}
}

// A file that another trace has taken the place of has ended.
func TestFollowOther(t *testing.T) {
	trace, events := longTrace(t)
	other, err := os.ReadFile(recordings(t)[0])
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewReader(bytes.NewReader(trace[:len(trace)*3/4]), ReaderOptions{Follow: t.Context(), Successor: func() io.ReaderAt { return bytes.NewReader(other) }})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for {
		c, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		n += c.Events
	}
	if n == 0 || n >= len(events) || r.State() != Incomplete {
		t.Errorf("%d of %d events, %v", n, len(events), r.State())
	}
}

// A block that is larger than the ring is a loss; a successor that cannot be
// made leaves the file as it is.
func TestRingTrouble(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	events := numbered(rng, 3000)
	files := &memoryRing{live: &memoryFile{}}
	w, err := NewWriter(files.live, &tracepb.Header{TickNs: 1}, WriterOptions{MaxSize: 16_000, Ring: files})
	if err != nil {
		t.Fatal(err)
	}
	add := func(from, to int) error {
		for i := from; i < to; i++ {
			if err := w.Add(&events[i]); err != nil {
				return err
			}
		}
		return w.Flush(nil)
	}
	if err := add(0, 50); err != nil {
		t.Fatal(err)
	}
	if err := add(50, 2000); err != nil {
		t.Fatal(err)
	}
	for i := range events[2000:] {
		events[2000+i].Ret -= 1950 // the lost ones have no number
	}
	if err := add(2000, 2050); err != nil {
		t.Fatal(err)
	}
	files.failing = errors.New("no space")
	n := 2050
	for err = nil; err == nil && n < len(events); n += 50 {
		err = add(n, n+50)
	}
	if !errors.Is(err, files.failing) {
		t.Fatalf("error %v", err)
	}
	first, last := readNumbered(t, files.live.data, Incomplete)
	if last < 100 || last > uint64(n-1950) {
		t.Errorf("events %d to %d are left", first, last)
	}
	if _, events := w.Written(); events != last+1-first {
		t.Errorf("Written tells of %d events, %d are there", events, last+1-first)
	}
}

// The parts of a series are whole traces that together have every event once.
func TestSeries(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	events := numbered(rng, 5_000)
	const size = 50_000
	parts := []*bytes.Buffer{{}}
	w, err := NewWriter(parts[0], &tracepb.Header{TickNs: 1}, WriterOptions{MaxSize: size, Next: func() (io.Writer, error) {
		parts = append(parts, &bytes.Buffer{})
		return parts[len(parts)-1], nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range events {
		if err := w.Add(&events[i]); err != nil {
			t.Fatal(err)
		}
		if i%97 == 0 {
			w.AddLoss(&tracepb.Loss{Reason: tracepb.Loss_UNREADABLE, FirstNs: 1, LastNs: 2, Count: 1})
			if err := w.Flush(nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(&tracepb.Footer{End: tracepb.Footer_EXITED}); err != nil {
		t.Fatal(err)
	}
	next, losses := uint64(1), uint64(0)
	var id []byte
	for i, p := range parts {
		if p.Len() > size || i+1 < len(parts) && p.Len() < size*3/4 {
			t.Errorf("part %d has %d bytes", i+1, p.Len())
		}
		first, last := readNumbered(t, p.Bytes(), Complete)
		if first != next {
			t.Errorf("part %d begins with event %d, not %d", i+1, first, next)
		}
		next = last + 1
		r, _ := NewReader(bytes.NewReader(p.Bytes()), ReaderOptions{})
		for _, err := r.Next(); err == nil; _, err = r.Next() {
		}
		s := r.Header().Series
		if i == 0 {
			id = r.Header().Uuid
		} else if bytes.Equal(r.Header().Uuid, id) {
			t.Errorf("part %d has the UUID of the first", i+1)
		}
		if !bytes.Equal(s.GetId(), id) || s.GetPart() != uint32(i+1) {
			t.Errorf("part %d says it is %v", i+1, s)
		}
		want := tracepb.Footer_NEXT_PART
		if i+1 == len(parts) {
			want = tracepb.Footer_EXITED
		}
		if r.Footer().End != want {
			t.Errorf("part %d ends with %v", i+1, r.Footer().End)
		}
		for _, l := range r.Footer().Losses {
			losses += l.Count
		}
	}
	if len(parts) < 4 || next != uint64(len(events))+1 || losses != 52 {
		t.Errorf("%d parts with %d events and %d losses", len(parts), next-1, losses)
	}
}

// MaxSize is kept to the byte, whatever the size.
func TestMaxSize(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	events := numbered(rng, 3000)
	for size := int64(8_000); size < 30_000; size += 1777 {
		var out bytes.Buffer
		w, err := NewWriter(&out, &tracepb.Header{TickNs: 1}, WriterOptions{MaxSize: size})
		if err != nil {
			t.Fatal(err)
		}
		for i := range events {
			if err = w.Add(&events[i]); err == nil && i%50 == 49 {
				err = w.Flush(nil)
			}
			if err != nil {
				break
			}
		}
		if err != ErrFull {
			t.Fatalf("size %d: %v", size, err)
		}
		if err := w.Close(&tracepb.Footer{}); err != nil {
			t.Fatal(err)
		}
		if _, last := readNumbered(t, out.Bytes(), Complete); int64(out.Len()) > size || size > 20_000 && last == 0 {
			t.Errorf("size %d: %d bytes, %d events", size, out.Len(), last)
		}
	}
}
