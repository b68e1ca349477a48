package tracefile

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"google.golang.org/protobuf/proto"

	"sysreel/proto/tracepb"
)

// What is known of a process may be more than an event has room for: a server
// with a hundred thousand connections, an argument list of megabytes.
func TestLargeFacts(t *testing.T) {
	files := func(n, length int) (all []*tracepb.OpenFile) {
		for i := range n {
			all = append(all, &tracepb.OpenFile{Fd: int32(i), Flags: 2, Pos: 7, Link: bytes.Repeat([]byte("x"), length), Socket: []byte("TCP:[127.0.0.1:80]")})
		}
		return all
	}
	strings := func(n, length int) (all [][]byte) {
		for range n {
			all = append(all, bytes.Repeat([]byte("y"), length))
		}
		return all
	}
	for _, c := range []struct {
		name  string
		facts *tracepb.Process
		files int // that must be kept
		cut   bool
	}{
		{"thousands of descriptors", &tracepb.Process{Files: files(10000, 20)}, 10000, false},
		{"a hundred thousand", &tracepb.Process{Files: files(100000, 20)}, 10000, true},
		{"long paths", &tracepb.Process{Files: files(3000, 4000)}, 250, true},
		{"empty arguments", &tracepb.Process{Argv: strings(1<<20, 0), Files: files(10, 10)}, 10, true},
		{"a long argument", &tracepb.Process{Argv: strings(2, 3<<20), Env: strings(300000, 6)}, 0, true},
		{"mapped files", &tracepb.Process{Maps: &tracepb.Maps{Count: 60000, Files: strings(60000, 100)}}, 0, true},
	} {
		var out bytes.Buffer
		w, err := NewWriter(&out, &tracepb.Header{}, WriterOptions{})
		if err != nil {
			t.Fatal(err)
		}
		before := proto.Size(c.facts)
		for i := range 3 {
			e := Event{Kind: ThreadStart, Thread: Thread{ID: ThreadID(i + 1)}, Start: 1, End: 1, Facts: c.facts}
			if err := w.Add(&e); err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			if w.Full() {
				if err := w.Flush(nil); err != nil {
					t.Fatalf("%s: %v", c.name, err)
				}
			}
		}
		if err := w.Close(&tracepb.Footer{}); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if proto.Size(c.facts) != before {
			t.Errorf("%s: the caller's facts were changed", c.name)
		}
		r, err := NewReader(&out, ReaderOptions{})
		if err != nil {
			t.Fatal(err)
		}
		events, losses := 0, 0
		var b Block
		for {
			chunk, err := r.Next()
			if err == io.EOF {
				break
			}
			if err == nil {
				err = chunk.Block(&b)
			}
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			losses += len(b.Losses)
			var e Event
			for i := range len(b.End) {
				b.Event(i, &e)
				if n := len(e.Facts.GetFiles()); n < c.files || !c.cut && n > c.files {
					t.Errorf("%s: %d descriptors, want %d", c.name, n, c.files)
				}
				events++
			}
		}
		if events != 3 || (losses == 3) != c.cut || r.State() != Complete {
			t.Errorf("%s: %d events, %d losses, state %v", c.name, events, losses, r.State())
		}
		if want := fmt.Sprint(c.cut); (r.Footer().GetLosses() != nil) != c.cut {
			t.Errorf("%s: losses in the footer: %v, want %s", c.name, r.Footer().GetLosses(), want)
		}
	}
}

// What is said of calls goes with them, also of those in flight, and only where
// it is said.
func TestFactsOfCalls(t *testing.T) {
	thread := func(id uint32) Thread { return Thread{ID: ThreadID(id), Process: 1, TID: int32(id), TGID: 1} }
	facts := func(link string) *tracepb.Process {
		return &tracepb.Process{Files: []*tracepb.OpenFile{{Fd: 3}, {Fd: 3, Link: []byte(link)}}}
	}
	calls := []Event{
		{Kind: Syscall, Arch: 1, Thread: thread(1), Start: 10, End: 20, Facts: facts("/a")},
		{Kind: Syscall, Arch: 1, Thread: thread(1), Start: 20, End: 30},
	}
	flying := []Event{
		{Kind: InFlight, Arch: 1, Thread: thread(1), Start: 30},
		{Kind: InFlight, Arch: 1, Thread: thread(2), Start: 5, Facts: facts("/b")},
	}
	b := write(t, calls, 2, 1, func(int) []Event { return flying })
	r, err := NewReader(bytes.NewReader(b), ReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	var got Block
	if err := c.Block(&got); err != nil {
		t.Fatal(err)
	}
	for i := range calls {
		var e Event
		if got.Event(i, &e); !proto.Equal(e.Facts, calls[i].Facts) {
			t.Errorf("event %d: %v", i, e.Facts)
		}
	}
	if len(got.InFlight) != len(flying) {
		t.Fatalf("%d calls in flight", len(got.InFlight))
	}
	for i := range flying {
		if e := &got.InFlight[i]; !proto.Equal(e.Facts, flying[i].Facts) {
			t.Errorf("in flight %d: %v", i, e.Facts)
		}
	}
}
