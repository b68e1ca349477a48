package tracefile

import (
	"bytes"
	"io"
	"testing"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracepb"
)

// The text of a log goes through a file, each piece by itself, and beside memory.
func TestText(t *testing.T) {
	memory := Buf{Phase: AtEnter, Arg: 1, Parent: -1, Want: 2, Data: []byte("ab")}
	for _, want := range []Text{
		{},
		{Args: []byte("1, ...")},
		{Result: []byte("2 (Timeout)")},
		{Args: []byte("1, "), Rest: []byte(`"x"`), Result: []byte("?")},
	} {
		e := Event{Kind: Syscall, Arch: syscalls.AMD64, NR: 1, Thread: Thread{1, 1, 7, 7}, Start: 5, End: 6, Bufs: []Buf{memory}}
		e.AppendText(want)
		var file bytes.Buffer
		w, err := NewWriter(&file, &tracepb.Header{}, WriterOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Add(&e); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(&tracepb.Footer{}); err != nil {
			t.Fatal(err)
		}
		r, err := NewReader(&file, ReaderOptions{})
		if err != nil {
			t.Fatal(err)
		}
		c, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		var b Block
		var got Event
		if err := c.Block(&b); err != nil {
			t.Fatal(err)
		}
		b.Event(0, &got)
		text := got.Text()
		if !same(text.Args, want.Args) || !same(text.Rest, want.Rest) || !same(text.Result, want.Result) {
			t.Errorf("got %q, want %q", text, want)
		}
		if len(got.Bufs) < 1 || string(got.Bufs[0].Data) != "ab" || got.Bufs[0].Arg != 1 {
			t.Errorf("memory: %+v", got.Bufs)
		}
		if _, err := r.Next(); err != io.EOF {
			t.Error(err)
		}
	}
}

func same(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }
