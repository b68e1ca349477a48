package tracefile

import (
	"bytes"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"sysreel/proto/syscalls"
)

// Calls in flight have security contexts too, and a block tells them without those
// before it.
func TestSecontextsInFlight(t *testing.T) {
	call := func(n int64, context string) Event {
		e := Event{Kind: Syscall, Arch: syscalls.AMD64, NR: 0, Thread: Thread{ThreadID(n), 1, 7, 7}, Start: 10 * n, End: 10*n + 5}
		e.Secontexts = []Secontext{{Of: OfThread, Context: context}, {Of: OfFD, At: 3, Context: "u:r:t:s0", Expected: "??"}}
		return e
	}
	flying := call(9, "flying")
	flying.Kind = InFlight
	trace := write(t, []Event{call(1, "a"), {Kind: Signal, NR: 2, Start: 20, End: 20, Thread: Thread{1, 1, 7, 7}}, call(3, "b")}, 2, 0,
		func(int) []Event { return []Event{flying} })
	r, err := NewReader(bytes.NewReader(trace), ReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var b Block
	e := Event{Secontexts: make([]Secontext, 5)}
	for _, want := range [][]string{{"a", ""}, {"b"}} {
		c, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Block(&b); err != nil {
			t.Fatal(err)
		}
		for i := range want {
			b.Event(i, &e)
			got := ""
			if s, ok := e.Secontext(OfThread, 0, 0); ok {
				got = s.Context
			}
			if got != want[i] {
				t.Errorf("#%d: %q, want %q", e.Num, got, want[i])
			}
		}
		if want[0] != "a" {
			continue
		}
		if len(b.InFlight) != 1 {
			t.Fatalf("%d calls in flight", len(b.InFlight))
		}
		if s, ok := b.InFlight[0].Secontext(OfFD, 3, 0); !ok || *s != flying.Secontexts[1] {
			t.Errorf("in flight: %+v", s)
		}
		if _, ok := b.InFlight[0].Secontext(OfFDAfter, 3, 0); ok {
			t.Error("a descriptor has a context that was not given")
		}
	}
}

// What does not fit the rows or the contexts is refused.
func TestSecontextsMalformed(t *testing.T) {
	e := Event{Kind: Syscall, Arch: syscalls.AMD64, Start: 1, End: 2, Thread: Thread{1, 1, 7, 7}}
	r, err := NewReader(bytes.NewReader(write(t, []Event{e, e}, 2, 0, nil)), ReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	var b Block
	if err := c.Block(&b); err != nil {
		t.Fatal(err)
	}
	message := func(entries uint64, columns map[protowire.Number]uint64) []byte {
		m := appendBytes(nil, secontextsContext, []byte("c"))
		m = appendUint(m, secontextsEntries, entries)
		for field, constant := range columns {
			m = appendBytes(m, field, appendUint(nil, 1, constant))
		}
		return m
	}
	for name, test := range map[string]struct {
		msg []byte
		ok  bool
	}{
		"right":                  {message(2, nil), true},
		"none":                   {nil, true},
		"too many":               {message(maxPieces+1, nil), false},
		"a row too far":          {message(1, map[protowire.Number]uint64{secontextsRow: 2}), false},
		"rows beyond the last":   {message(3, map[protowire.Number]uint64{secontextsRow: 1}), false},
		"a step around":          {message(2, map[protowire.Number]uint64{secontextsRow: 1<<64 - 1}), false},
		"no such context":        {message(1, map[protowire.Number]uint64{secontextsValue: 1}), false},
		"no such expected":       {message(1, map[protowire.Number]uint64{secontextsExpected: 2}), false},
		"an expected one":        {message(1, map[protowire.Number]uint64{secontextsExpected: 1}), true},
		"of what is not defined": {message(1, map[protowire.Number]uint64{secontextsOf: 99}), true},
	} {
		if err := b.decodeSecontexts(test.msg); (err == nil) != test.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}
