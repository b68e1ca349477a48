package tracefile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"sysreel/proto/tracepb"
)

// longTrace returns a trace of 100 blocks of 10 events.
func longTrace(t testing.TB) ([]byte, []Event) {
	events := randomEvents(rand.New(rand.NewPCG(5, 5)), 1000)
	return write(t, events, 10, 0, nil), events
}

func TestSeek(t *testing.T) {
	trace, events := longTrace(t)
	ends, kinds := chunkEnds(t, trace)
	noIndex := trace[:ends[slices.Index(kinds, kindIndex)-1]]
	badIndex := slices.Clone(trace)
	badIndex[ends[slices.Index(kinds, kindIndex)]-1] ^= 1
	damaged := slices.Clone(trace)
	damaged[ends[20]+3] ^= 1 // the header of block 21, with events 201 to 210
	for name, test := range map[string]struct {
		data []byte
		pipe bool
		lost uint64 // the block of this event cannot be read
	}{
		"with an index":                  {data: trace},
		"without an index":               {data: noIndex},
		"with a bad index":               {data: badIndex},
		"a pipe":                         {data: trace, pipe: true},
		"damaged":                        {data: damaged, lost: 201},
		"damaged and without an index":   {data: damaged[:len(noIndex)], lost: 201},
		"with something before the file": {data: trace},
	} {
		var r io.Reader = bytes.NewReader(test.data)
		if test.pipe {
			r = onlyReader{r}
		}
		if name == "with something before the file" {
			r = bytes.NewReader(append([]byte("prefix"), test.data...))
			if _, err := r.(io.Seeker).Seek(6, io.SeekStart); err != nil {
				t.Fatal(err)
			}
		}
		rd, err := NewReader(r, ReaderOptions{})
		if err != nil {
			t.Fatal(err)
		}
		targets := []uint64{1, 15, 205, 215, 500, 985, 1000}
		if !test.pipe {
			targets = append(targets, 999, 10, 5, 700, 211, 1)
		}
		for _, n := range targets {
			want := (n-1)/10*10 + 1
			if want == test.lost {
				want += 10
			}
			if err := rd.SeekEvent(n); err != nil {
				t.Fatalf("%s: seeking event %d: %v", name, n, err)
			}
			c, err := rd.Next()
			if err != nil || c.FirstEvent != want {
				t.Fatalf("%s: seeking event %d: %+v, %v", name, n, c, err)
			}
			var b Block
			if err := c.Block(&b); err != nil || b.FirstEvent != want {
				t.Fatalf("%s: event %d: %v", name, n, err)
			}
			if test.pipe {
				continue
			}
			if err := rd.SeekTime(events[n-1].End); err != nil {
				t.Fatalf("%s: seeking the time of event %d: %v", name, n, err)
			}
			if c, err = rd.Next(); err != nil || c.FirstEvent > want || c.LastTime < events[n-1].End {
				t.Fatalf("%s: seeking the time of event %d: %+v, %v", name, n, c, err)
			}
		}
		if err := rd.SeekEvent(3); test.pipe != errors.Is(err, ErrPipe) {
			t.Errorf("%s: going back: %v", name, err)
		}
		if err := rd.SeekEvent(1001); err != nil {
			t.Errorf("%s: seeking beyond the end: %v", name, err)
		}
		if _, err := rd.Next(); err != io.EOF {
			t.Errorf("%s: beyond the end: %v, want EOF", name, err)
		}
		if test.pipe {
			continue
		}
		if err := rd.SeekEvent(1); err != nil {
			t.Fatal(err)
		}
		n := 0
		for {
			c, err := rd.Next()
			if err == io.EOF {
				break
			}
			n += c.Events
		}
		wantState := Complete
		switch {
		case test.lost > 0 || name == "with a bad index":
			wantState = Damaged
		case len(test.data) < len(trace):
			wantState = Incomplete
		}
		if want := len(events) - 10*int(min(test.lost, 1)); n != want || rd.State() != wantState {
			t.Errorf("%s: from the start again: %d events, %v: %s", name, n, rd.State(), rd.Warning())
		}
	}
}

func choice(full bool) Choose {
	if full {
		return All
	}
	return nil
}

// TestChoose decodes some shapes of real recordings: their events are as they are
// when everything is decoded.
func TestChoose(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, name := range recordings(t) {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for range 8 {
			share := r.Float64()
			seed := r.Uint64()
			chosen := func(b *Core, i int) bool {
				s := &b.Shapes[i]
				return float64((seed^uint64(s.NR)<<8^uint64(s.Kind))*0x9E3779B97F4A7C15>>32)/(1<<32) < share
			}
			some := func(c *Core, shapes []bool) bool {
				any := false
				for i := range shapes {
					shapes[i] = chosen(c, i)
					any = any || shapes[i]
				}
				return any
			}
			all, err := NewReader(bytes.NewReader(data), ReaderOptions{})
			if err != nil {
				t.Fatal(err)
			}
			part, err := NewReader(bytes.NewReader(data), ReaderOptions{})
			if err != nil {
				t.Fatal(err)
			}
			var whole Block
			if err := part.Each(t.Context(), 1, some, nil, func(b *Block) error {
				c, err := all.Next()
				if err != nil {
					return err
				}
				if err := c.Block(&whole); err != nil {
					return err
				}
				compare := func(want, got *Event, shape int) error {
					if !chosen(&b.Core, shape) && want.Kind.isCall() {
						want.Args, want.Bufs = [6]uint64{}, nil
					}
					if !chosen(&b.Core, shape) {
						want.Bufs, want.Stack, want.IP = nil, nil, 0
					}
					if len(want.Bufs) == 0 && len(got.Bufs) == 0 {
						want.Bufs, got.Bufs = nil, nil
					}
					if !reflect.DeepEqual(want, got) {
						return fmt.Errorf("#%d is %+v, want %+v", want.Num, got, want)
					}
					return nil
				}
				for i := range b.Events {
					var want, got Event
					whole.Event(i, &want)
					b.Event(i, &got)
					if err := compare(&want, &got, int(b.Shape[i])); err != nil {
						return err
					}
				}
				for i := range b.InFlight {
					if err := compare(&whole.InFlight[i], &b.InFlight[i], int(b.Pending.Shape[i])); err != nil {
						return err
					}
				}
				return nil
			}); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
	}
}

func TestEach(t *testing.T) {
	trace, events := longTrace(t)
	for _, workers := range []int{1, 4} {
		for _, full := range []bool{false, true} {
			rd, err := NewReader(bytes.NewReader(trace), ReaderOptions{})
			if err != nil {
				t.Fatal(err)
			}
			next := uint64(11)
			skip := func(c *ChunkInfo) bool { return c.FirstEvent < 10 }
			err = rd.Each(t.Context(), workers, choice(full), skip, func(b *Block) error {
				if b.FirstEvent != next {
					t.Fatalf("block of #%d, want #%d", b.FirstEvent, next)
				}
				for i := range b.Events {
					if b.Ret[i] != events[next-1+uint64(i)].Ret {
						t.Fatalf("event %d: result %d", next+uint64(i), b.Ret[i])
					}
					var e Event
					if full {
						if b.Event(i, &e); e.Num != next+uint64(i) {
							t.Fatalf("event %d is #%d", next+uint64(i), e.Num)
						}
					}
				}
				next += uint64(b.Events)
				return nil
			})
			if err != nil || next != 1001 || rd.State() != Complete {
				t.Errorf("workers %d: up to #%d, %v, %v", workers, next, rd.State(), err)
			}
		}
	}
	rd, err := NewReader(bytes.NewReader(trace), ReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	stop := errors.New("stop")
	if err := rd.Each(t.Context(), 2, All, nil, func(b *Block) error {
		if b.FirstEvent > 100 {
			return stop
		}
		return nil
	}); err != stop {
		t.Errorf("error of the function: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	rd, _ = NewReader(bytes.NewReader(trace), ReaderOptions{})
	if err := rd.Each(ctx, 2, All, nil, func(b *Block) error { cancel(); return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestEachBadBlock has a block whose checksum is right and whose content is not.
func TestEachBadBlock(t *testing.T) {
	trace := blockTrace(t, &tracepb.Block{FirstEvent: 1, Events: 1}, &tracepb.Detail{})
	rd, err := NewReader(bytes.NewReader(trace), ReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := rd.Each(t.Context(), 2, All, nil, func(*Block) error { t.Error("called"); return nil }); err != nil {
		t.Fatal(err)
	}
	if g := rd.Gaps(); rd.State() != Damaged || len(g) != 1 || g[0].Events != 1 {
		t.Errorf("%v, gaps %+v", rd.State(), g)
	}
}

// TestFollow reads a file while it is written.
func TestFollow(t *testing.T) {
	_, events := smallTrace(t)
	file := filepath.Join(t.TempDir(), "x.reel")
	out, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	// Half a chunk at a time.
	w, err := NewWriter(halves{out}, &tracepb.Header{}, WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	rd, err := NewReader(in, ReaderOptions{Follow: t.Context()})
	if err != nil {
		t.Fatal(err)
	}
	for i := range events {
		go func() {
			_ = w.Add(&events[i])
			_ = w.Flush(nil)
		}()
		c, err := rd.Next()
		if err != nil {
			t.Fatal(err)
		}
		var b Block
		if err := c.Block(&b); err != nil || b.FirstEvent != uint64(i+1) || b.Events != 1 {
			t.Fatalf("block %d: %d events from #%d, %v", i, b.Events, b.FirstEvent, err)
		}
	}
	go w.Close(&tracepb.Footer{})
	if _, err := rd.Next(); err != io.EOF || rd.State() != Complete {
		t.Errorf("at the end: %v, %v", err, rd.State())
	}

	ctx, cancel := context.WithTimeout(t.Context(), 2*followPoll)
	defer cancel()
	trace, _ := smallTrace(t)
	rd, err = NewReader(bytes.NewReader(trace[:len(trace)-300]), ReaderOptions{Follow: ctx})
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err = rd.Next(); err != nil {
			break
		}
	}
	if err != io.EOF || rd.State() != Incomplete || ctx.Err() == nil {
		t.Errorf("followed in vain: %v, %v", err, rd.State())
	}
}

// halves writes in two pieces, the second a little later.
type halves struct{ w io.Writer }

func (h halves) Write(b []byte) (int, error) {
	n, err := h.w.Write(b[:len(b)/2])
	if err != nil {
		return n, err
	}
	time.Sleep(time.Millisecond)
	m, err := h.w.Write(b[n:])
	return n + m, err
}

// fakeTracker mentions a process and a file in every block.
type fakeTracker struct{ applied, taken int }

func (f *fakeTracker) Apply(*Event) { f.applied++ }

func (f *fakeTracker) TakeContext() *Context {
	f.taken++
	return &Context{
		Threads:   []Thread{{ID: 77, Process: 5, TID: 777, TGID: 700}},
		Processes: []ProcessContext{{ID: 5, TGID: 700, Parent: 1, Exe: []byte("/bin/x"), Comm: []byte("x\xff"), Argv: [][]byte{[]byte("x"), {}}, Cwd: []byte("/"), Root: []byte("/r")}},
		Files:     []FileContext{{Process: 5, FD: 3, Link: []byte("socket:[5]"), Flags: 2, Peer: []byte("TCP:[a->b]")}},
	}
}

// TestBlockExtras checks what a block carries besides events.
func TestBlockExtras(t *testing.T) {
	var out bytes.Buffer
	tracker := &fakeTracker{}
	w, err := NewWriter(&out, &tracepb.Header{Recorder: "test 1"}, WriterOptions{Tracker: tracker})
	if err != nil {
		t.Fatal(err)
	}
	futex := Event{Kind: Syscall, Arch: 1, NR: 202, Thread: Thread{3, 2, 30, 20}, Start: 50, Flags: MidCall | Restarted, Args: [6]uint64{1, 2, 3},
		Bufs: []Buf{{Arg: 3, Parent: -1, Want: 16, Data: make([]byte, 16)}}}
	add := func(e Event) {
		t.Helper()
		if err := w.Add(&e); err != nil {
			t.Fatal(err)
		}
	}
	flush := func(calls ...Event) int64 {
		t.Helper()
		if err := w.Flush(calls); err != nil {
			t.Fatal(err)
		}
		return w.Size()
	}
	add(Event{Kind: Syscall, Arch: 1, NR: 39, Thread: Thread{1, 1, 10, 10}, Start: 100, End: 110, Ret: 10})
	w.AddLoss(&tracepb.Loss{Reason: tracepb.Loss_UNREADABLE, Thread: 1, FirstNs: 105, LastNs: 106, Count: 2})
	one := flush(futex)
	if n := flush(futex); n != one {
		t.Error("a block for nothing new")
	}
	late := futex
	late.Thread.ID, late.Start = 4, 200
	two := flush(futex, late) // no event, but another call in flight
	if two == one {
		t.Error("no block for a new call in flight")
	}
	w.AddLoss(&tracepb.Loss{Reason: tracepb.Loss_UNREADABLE, FirstNs: 120, LastNs: 125, Count: 5})
	flush(futex, late) // a loss only
	add(Event{Kind: Signal, NR: 15, Thread: Thread{1, 1, 10, 10}, Start: 300, End: 300, Args: [6]uint64{7, 8}})
	footer := &tracepb.Footer{End: tracepb.Footer_EXITED}
	if err := w.Close(footer); err != nil {
		t.Fatal(err)
	}
	if footer.Events != 2 || footer.Blocks != 4 || len(footer.Losses) != 1 || footer.Losses[0].Count != 7 || footer.Losses[0].FirstNs != 105 || footer.Losses[0].LastNs != 125 {
		t.Errorf("footer %v", footer)
	}
	if tracker.applied != 2+5 || tracker.taken != 4 { // calls in flight are mentioned too
		t.Errorf("tracker applied %d, taken %d", tracker.applied, tracker.taken)
	}
	if err := w.Add(&futex); err == nil {
		t.Error("Add after Close succeeds")
	}

	rd, err := NewReader(&out, ReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if rd.Header().Recorder != "test 1" || len(rd.Header().Uuid) != 16 || rd.Header().Major != 1 {
		t.Errorf("header %v", rd.Header())
	}
	var blocks []*Block
	for {
		c, err := rd.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		b := new(Block)
		if err := c.Block(b); err != nil {
			t.Fatal(err)
		}
		if c.Losses != len(b.Losses) {
			t.Errorf("chunk has %d losses, block %d", c.Losses, len(b.Losses))
		}
		blocks = append(blocks, b)
	}
	if !proto.Equal(rd.Footer(), footer) {
		t.Errorf("footer read %v, written %v", rd.Footer(), footer)
	}
	if len(blocks) != 4 {
		t.Fatalf("%d blocks", len(blocks))
	}
	for i, want := range []struct{ events, flight, losses int }{{1, 1, 1}, {0, 2, 0}, {0, 2, 1}, {1, 0, 0}} {
		b := blocks[i]
		if b.Events != want.events || len(b.InFlight) != want.flight || len(b.Losses) != want.losses || len(b.Pending.End) != want.flight || len(b.End) != want.events {
			t.Errorf("block %d: %d events, %d in flight, %d losses", i, b.Events, len(b.InFlight), len(b.Losses))
		}
		ctx := (&fakeTracker{}).TakeContext()
		if len(b.Processes) != 1 || len(b.Files) != 1 || string(b.Processes[0].Comm) != "x\xff" || len(b.Processes[0].Argv) != 2 ||
			b.Processes[0].Parent != 1 || string(b.Processes[0].Root) != "/r" || string(b.Files[0].Peer) != string(ctx.Files[0].Peer) || b.Files[0].FD != 3 || b.Files[0].Flags != 2 {
			t.Errorf("block %d: context %+v %+v", i, b.Processes, b.Files)
		}
		if !slices.Contains(b.Threads, ctx.Threads[0]) {
			t.Errorf("block %d: threads %+v", i, b.Threads)
		}
	}
	got, want := blocks[0].InFlight[0], futex
	want.Kind, want.Flags, want.End = InFlight, MidCall, 110
	if err := sameEvent(&got, &want); err != nil {
		t.Errorf("in flight: %v", err)
	}
	if got := blocks[1].InFlight[1]; got.Start != 200 || got.End != 200 {
		t.Errorf("in flight from 200 to %d", got.End)
	}
	// Arguments of what is no call are in the core columns.
	rd, _ = NewReader(bytes.NewReader(nil), ReaderOptions{})
	if a, b := blocks[3].Arg(0, 0), blocks[3].Arg(0, 1); a != 7 || b != 8 || blocks[0].Arg(0, 0) != 0 {
		t.Errorf("arguments of a signal: %d, %d", a, b)
	}
}

// TestAddErrors gives events that cannot be written.
func TestAddErrors(t *testing.T) {
	w, err := NewWriter(io.Discard, &tracepb.Header{}, WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ok := Event{Kind: Syscall, Arch: 1, Thread: Thread{ID: 1}, Start: 10, End: 20}
	if err := w.Add(&ok); err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]Event{
		"goes back in time":    {Kind: Syscall, Start: 10, End: 19},
		"ends before it began": {Kind: Syscall, Start: 31, End: 30},
		"before time":          {Kind: Syscall, Start: -1, End: 30},
		"too much memory":      {Kind: Syscall, Start: 30, End: 30, Bufs: []Buf{{Data: make([]byte, maxEventBytes)}}},
		"too many pieces":      {Kind: Syscall, Start: 30, End: 30, Bufs: make([]Buf, maxEventPieces+1)},
	} {
		if err := w.Add(&bad); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if err := w.Add(&ok); err != nil {
		t.Errorf("after refused events: %v", err)
	}

	// Errors of the output are sticky.
	full := errors.New("disk full")
	w, err = NewWriter(&failing{n: 300, err: full}, &tracepb.Header{}, WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		if err = w.Add(&ok); err == nil {
			err = w.Flush(nil)
		}
	}
	if !errors.Is(err, full) || !errors.Is(w.Add(&ok), full) || !errors.Is(w.Flush(nil), full) || !errors.Is(w.Close(&tracepb.Footer{}), full) {
		t.Errorf("full disk: %v", err)
	}
}

type failing struct {
	n   int
	err error
}

func (f *failing) Write(b []byte) (int, error) {
	if len(b) > f.n {
		return f.n, f.err
	}
	f.n -= len(b)
	return len(b), nil
}
