package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// live shows on a terminal a text that changes, each time in the place of the
// one before, so that what was on the screen before stays there.
type live struct {
	w      io.Writer
	height func() int       // of the terminal
	now    func() time.Time // time.Now
	last   time.Time
	lines  int // shown now
}

const liveEvery = time.Second

// newLive returns nil if standard output is no terminal, or one that cannot move
// its cursor.
func newLive(std *stdio) *live {
	f, ok := std.out.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) || os.Getenv("TERM") == "dumb" {
		return nil
	}
	return &live{w: f, now: time.Now, height: func() int {
		_, h, err := term.GetSize(int(f.Fd()))
		if err != nil {
			return 0
		}
		return h
	}}
}

// due reports whether it is time to show something again: at once, then every
// second.
func (l *live) due() bool { return l != nil && l.now().Sub(l.last) >= liveEvery }

// show writes as much of the text as the screen holds.
func (l *live) show(text string) error {
	h := l.height()
	if h <= 0 {
		h = 24
	}
	lines := strings.SplitAfter(text, "\n")
	if n := len(lines) - 1; lines[n] == "" {
		lines = lines[:n]
	}
	lines = lines[:min(len(lines), h-1)]
	// Lines that are too long are cut, not wrapped: each must take one row.
	_, err := io.WriteString(l.w, l.back()+"\x1b[?7l"+strings.Join(lines, "")+"\x1b[?7h")
	l.lines, l.last = len(lines), l.now()
	return err
}

// back returns what moves the cursor to the first line and erases from there.
func (l *live) back() string {
	if l.lines == 0 {
		return ""
	}
	return fmt.Sprintf("\r\x1b[%dA\x1b[J", l.lines)
}

// clear takes the text away.
func (l *live) clear() {
	if l != nil {
		io.WriteString(l.w, l.back())
		l.lines = 0
	}
}
