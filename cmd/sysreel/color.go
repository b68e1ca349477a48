package main

import (
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"sysreel/analyze/paint"
)

// colorWhen is a word of --color.
type colorWhen string

const (
	colorAuto   colorWhen = "auto"
	colorAlways colorWhen = "always"
	colorNever  colorWhen = "never"
)

// parseColor takes the word in any case, as strace does.
func parseColor(word string) (when colorWhen, ok bool) {
	when = colorWhen(strings.ToLower(word))
	return when, when == colorAuto || when == colorAlways || when == colorNever
}

// painter returns what gives text that goes to w its colours; nil for none. auto is
// strace's: where w is a terminal that has them, and NO_COLOR is not set.
func (when colorWhen) painter(w io.Writer) *paint.Painter {
	if when == colorNever || when != colorAlways && !hasColors(w) {
		return nil
	}
	return paint.New(os.Getenv("STRACE_COLORS"))
}

func hasColors(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return false
	}
	if _, unwanted := os.LookupEnv("NO_COLOR"); unwanted {
		return false
	}
	switch strings.ToLower(os.Getenv("TERM")) {
	case "", "dumb", "unknown":
		return false
	}
	return true
}
