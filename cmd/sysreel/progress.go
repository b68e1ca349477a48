package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	layout "sysreel/analyze/term"
)

// progress shows on a terminal how far a pass is, if it takes over a second: one
// line, written over and taken away at the end.
type progress struct {
	w     io.Writer
	width func() int       // of the terminal
	now   func() time.Time // time.Now
	begin time.Time
	last  time.Time // when the line was written; zero: it is not there
}

const (
	progressAfter = time.Second
	progressEvery = 200 * time.Millisecond
)

// newProgress returns nil, which shows nothing, if standard error is no terminal
// or one that cannot erase a line.
func newProgress(std *stdio) *progress {
	f, ok := std.err.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) || os.Getenv("TERM") == "dumb" {
		return nil
	}
	return &progress{w: f, now: time.Now, begin: time.Now(), width: func() int {
		w, _, err := term.GetSize(int(f.Fd()))
		if err != nil {
			return 0
		}
		return w
	}}
}

// hook returns the function that analyze.Options.Progress wants.
func (p *progress) hook(name string) func(events uint64, share float64) {
	if p == nil {
		return nil
	}
	return func(events uint64, share float64) { p.show(name, events, share) }
}

// show writes how far the pass over a trace is, not more often than can be read.
func (p *progress) show(name string, events uint64, share float64) {
	now := p.now()
	if now.Sub(p.begin) < progressAfter || now.Sub(p.last) < progressEvery {
		return
	}
	p.last = now
	done := layout.Plural(events, "event")
	if share >= 0 {
		done = fmt.Sprintf("%2.0f %%, %s", 100*share, done)
	}
	w := p.width()
	if w <= 0 {
		w = 80
	}
	// A line that wraps could not be written over.
	fmt.Fprintf(p.w, "\r%s: %s\x1b[K", layout.FitHead(layout.Safe(name), max(w-4-len(done), 8)), done)
}

// clear takes the line away.
func (p *progress) clear() {
	if p != nil && !p.last.IsZero() {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.last = time.Time{}
	}
}
