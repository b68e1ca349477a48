package tracefile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"testing"

	"google.golang.org/protobuf/proto"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracepb"
)

// randomEvents makes n events that use everything an Event can say.
func randomEvents(rng *rand.Rand, n int) []Event {
	var events []Event
	stacks := randomStacks(rng)
	now := int64(1e12)
	for range n {
		now += rng.Int64N(1 << rng.IntN(30))
		id := ThreadID(1 + rng.IntN(5))
		e := Event{
			Kind: Kind(1 + rng.IntN(9)), Arch: syscalls.Arch(1 + rng.IntN(3)), NR: uint32(rng.IntN(20)),
			Thread: Thread{id, ProcessID(1 + id/2), int32(100 + id), int32(100 + id/2)},
			End:    now,
		}
		if e.Kind == InFlight {
			e.Kind = Syscall
		}
		if rng.IntN(10) == 0 {
			e.NR = rng.Uint32()
		}
		if !e.Kind.isCall() {
			e.Arch = 0
		}
		e.Start = now - rng.Int64N(1<<rng.IntN(35))
		if rng.IntN(4) == 0 {
			e.Flags = Flags(1 + rng.IntN(31))
		}
		for i := range e.Args {
			e.Args[i] = rng.Uint64() >> rng.IntN(64)
		}
		e.Ret = int64(rng.Uint64()>>rng.IntN(64)) * int64(1-2*rng.IntN(2))
		for i := range rng.IntN(4) {
			b := Buf{Phase: Phase(rng.IntN(2)), Arg: int8(rng.IntN(7) - 1), Parent: int16(rng.IntN(i+1)) - 1, Faulted: rng.IntN(5) == 0}
			if b.Parent >= 0 {
				b.Off = uint32(8 * rng.IntN(4))
			}
			b.Data = make([]byte, rng.IntN(4)*rng.IntN(20))
			for i := range b.Data {
				b.Data[i] = byte(rng.IntN(3))
			}
			b.Want = uint32(len(b.Data)) + uint32(rng.IntN(2)*rng.IntN(1<<20))
			e.Bufs = append(e.Bufs, b)
			if b.Parent >= 0 && rng.IntN(2) == 0 { // an array of pointers
				for j := range rng.IntN(10) {
					c := b
					c.Off += uint32(8 * (j + 1))
					c.Data = []byte(fmt.Sprintf("arg%d\x00", rng.IntN(4)))
					c.Want = uint32(len(c.Data))
					e.Bufs = append(e.Bufs, c)
				}
			}
		}
		if e.Kind.isCall() && rng.IntN(8) == 0 {
			e.Fingerprint = uint16(1 + rng.IntN(65535))
		}
		for range rng.IntN(3) * rng.IntN(3) {
			s := Secontext{Of: SecontextOf(rng.IntN(4)), At: int32(rng.Uint32() >> rng.IntN(32)), Off: rng.Uint32() >> rng.IntN(32)}
			s.Context = []string{"", "unconfined\n", "u:object_r:etc_t:s0", "u:object_r:\xff_t"}[rng.IntN(4)]
			s.Expected = []string{"", "??", "u:object_r:etc_t:s0"}[rng.IntN(3)]
			e.Secontexts = append(e.Secontexts, s)
		}
		if e.Kind == ThreadStart || e.Kind == Exec {
			e.Facts = &tracepb.Process{Exe: []byte("/bin/\xff"), Tgid: e.Thread.TGID}
		}
		if s := stacks[rng.IntN(len(stacks))]; rng.IntN(3) > 0 && s != nil {
			e.Stack, e.IP = s, s.Offset
			if s.Object != nil {
				e.IP += uint64(rng.IntN(3)) << 40
			}
		}
		events = append(events, e)
	}
	return events
}

// randomStacks makes some stacks that have frames in common; not all are nil.
func randomStacks(rng *rand.Rand) []*Stack {
	objects := []*Object{nil, {Path: "/lib/\xff", BuildID: "\x00id"}, {Path: "/lib/\xff", BuildID: "\x00id"},
		{Path: "/bin/x (deleted)", Bias: -4096, Size: 1 << 40, Mtime: 1e18}, {}}
	stacks := []*Stack{nil}
	for range rng.IntN(200) {
		s := &Stack{Object: objects[rng.IntN(len(objects))], Offset: rng.Uint64() >> rng.IntN(64), Exact: rng.IntN(5) == 0}
		if s.Caller = stacks[rng.IntN(len(stacks))]; s.Caller == nil {
			s.Partial = rng.IntN(2) == 0
		}
		stacks = append(stacks, s)
	}
	return stacks
}

// kept is what of e the file holds under a tick.
func kept(e Event, tick int64) Event {
	e.Start, e.End = e.Start/tick*tick, e.End/tick*tick
	if e.Kind.isCall() {
		if d := syscalls.Lookup(e.Arch, e.NR); d != nil {
			for i := registers(d); i < 6; i++ {
				e.Args[i] = 0
			}
		}
	}
	return e
}

// write makes a trace of events with a Flush after every per events.
func write(t testing.TB, events []Event, per int, tick uint32, inFlight func(i int) []Event) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := NewWriter(&out, &tracepb.Header{TickNs: tick, Uuid: []byte("0123456789abcdef")}, WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range events {
		if err := w.Add(&events[i]); err != nil {
			t.Fatal(err)
		}
		if (i+1)%per == 0 {
			var calls []Event
			if inFlight != nil {
				calls = inFlight(i)
			}
			if err := w.Flush(calls); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(&tracepb.Footer{End: tracepb.Footer_EXITED}); err != nil {
		t.Fatal(err)
	}
	if w.Size() != int64(out.Len()) {
		t.Fatalf("Size is %d, wrote %d", w.Size(), out.Len())
	}
	return out.Bytes()
}

// readAll returns all events of a trace.
func readAll(t testing.TB, r io.Reader) ([]Event, *Reader) {
	t.Helper()
	rd, err := NewReader(r, ReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var events []Event
	for {
		c, err := rd.Next()
		if err == io.EOF {
			return events, rd
		}
		if err != nil {
			t.Fatal(err)
		}
		var b Block
		if err := c.Block(&b); err != nil {
			t.Fatal(err)
		}
		for i := range b.Events {
			var e Event
			b.Event(i, &e)
			events = append(events, e)
		}
	}
}

func sameEvent(a, b *Event) error {
	x, y := *a, *b
	if !proto.Equal(x.Facts, y.Facts) {
		return errors.New("facts differ")
	}
	x.Facts, y.Facts = nil, nil
	if len(x.Bufs) == 0 && len(y.Bufs) == 0 {
		x.Bufs, y.Bufs = nil, nil
	}
	if len(x.Bufs) != len(y.Bufs) {
		return fmt.Errorf("%d pieces of memory, want %d", len(x.Bufs), len(y.Bufs))
	}
	for i := range x.Bufs {
		p, q := x.Bufs[i], y.Bufs[i]
		if !bytes.Equal(p.Data, q.Data) {
			return fmt.Errorf("memory %d: %q, want %q", i, p.Data, q.Data)
		}
		p.Data, q.Data = nil, nil
		if !reflect.DeepEqual(p, q) {
			return fmt.Errorf("memory %d: %+v, want %+v", i, p, q)
		}
	}
	x.Bufs, y.Bufs = nil, nil
	if !reflect.DeepEqual(x, y) {
		return fmt.Errorf("%+v, want %+v", x, y)
	}
	return nil
}

func TestRoundTrip(t *testing.T) {
	for seed := range uint64(20) {
		for _, tick := range []uint32{0, 1, 64, 100} {
			rng := rand.New(rand.NewPCG(seed, 1))
			events := randomEvents(rng, 300)
			trace := write(t, events, 1+rng.IntN(200), tick, nil)
			got, rd := readAll(t, bytes.NewReader(trace))
			if rd.State() != Complete || rd.Warning() != "" {
				t.Fatalf("seed %d: %v: %s", seed, rd.State(), rd.Warning())
			}
			if len(got) != len(events) || rd.Footer().Events != uint64(len(events)) {
				t.Fatalf("seed %d: %d events, footer says %d, want %d", seed, len(got), rd.Footer().Events, len(events))
			}
			for i := range got {
				want := kept(events[i], max(1, int64(tick)))
				want.Num = uint64(i + 1)
				if err := sameEvent(&got[i], &want); err != nil {
					t.Fatalf("seed %d, tick %d, event %d: %v", seed, tick, i+1, err)
				}
			}
		}
	}
}
