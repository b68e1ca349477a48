package main

import (
	"bytes"
	"os"
	"runtime"
	"testing"
	"time"
)

// A text takes the place of the one before, cut to the screen, and goes away.
func TestLive(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(1000, 0)
	l := &live{w: &out, now: func() time.Time { return now }, height: func() int { return 4 }}
	for _, step := range []struct {
		after      time.Duration
		text, want string
	}{
		{0, "a\nb\n", "\x1b[?7la\nb\n\x1b[?7h"},
		{time.Second / 2, "", ""},
		{time.Second / 2, "c\nd\ne\nf\ng\n", "\r\x1b[2A\x1b[J\x1b[?7lc\nd\ne\n\x1b[?7h"},
		{time.Minute, "h\n", "\r\x1b[3A\x1b[J\x1b[?7lh\n\x1b[?7h"},
	} {
		out.Reset()
		now = now.Add(step.after)
		if due := l.due(); due != (step.want != "") {
			t.Fatalf("%q: due %v", step.text, due)
		} else if due {
			if err := l.show(step.text); err != nil {
				t.Fatal(err)
			}
		}
		if out.String() != step.want {
			t.Errorf("%q: written %q, want %q", step.text, out.String(), step.want)
		}
	}
	out.Reset()
	l.clear()
	l.clear()
	if out.String() != "\r\x1b[1A\x1b[J" {
		t.Errorf("cleared by %q", out.String())
	}
	if l := newLive(&stdio{out: &out}); l.due() {
		t.Error("a buffer is taken for a terminal")
	}
}

// The first interrupt ends what is waited for, not the program.
func TestUntilInterrupt(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a program cannot interrupt itself there")
	}
	ctx, stop := untilInterrupt(t.Context())
	defer stop()
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if err := self.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	<-ctx.Done()
	if t.Context().Err() != nil {
		t.Error("the test's own context has ended")
	}
}
