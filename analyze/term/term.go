// Package term lays out the analysers' results for a terminal: tables whose
// columns line up, numbers with units, bars, and text of the traced machine made
// harmless. It writes to any writer; whether that is a terminal, how wide it is
// and whether it has colours is for the caller to say.
package term

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Options of rendering.
type Options struct {
	Width int  // columns; 0: 80
	Color bool // SGR sequences may be used
}

// Columns returns the width to lay out for.
func (o Options) Columns() int {
	if o.Width <= 0 {
		return 80
	}
	return max(o.Width, 40)
}

// Style is how a piece of text stands out where there is colour.
type Style uint8

const (
	Plain Style = iota
	Bold
	Dim
	Red
	Yellow
	Green
	Cyan
)

var sgr = [...]string{"", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[33m", "\x1b[32m", "\x1b[36m"}

// Paint returns s in the style, if there is colour.
func (o Options) Paint(s string, style Style) string {
	if !o.Color || style == Plain || s == "" {
		return s
	}
	return sgr[style] + s + "\x1b[0m"
}

// Safe returns s with everything that could move the cursor, change colours or
// is not UTF-8 escaped: names come from the traced machine.
func Safe(s string) string {
	clean := true
	for _, r := range s {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n <= 1:
			b.WriteString(`\x` + hex2(s[0]))
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			q := strconv.QuoteRune(r)
			b.WriteString(q[1 : len(q)-1])
		}
		s = s[n:]
	}
	return b.String()
}

const digits = "0123456789abcdef"

func hex2(c byte) string { return string([]byte{digits[c>>4], digits[c&15]}) }

// SafeJSON returns the same JSON document with everything in its strings that
// Safe would escape written as \u.
func SafeJSON(doc []byte) []byte {
	b := make([]byte, 0, len(doc))
	for len(doc) > 0 {
		r, n := utf8.DecodeRune(doc)
		if r < ' ' || unicode.IsPrint(r) { // white space between values
			b = append(b, doc[:n]...)
		} else {
			b = AppendEscape(b, r)
		}
		doc = doc[n:]
	}
	return b
}

// AppendEscape appends a character as a string of JSON escapes it.
func AppendEscape(b []byte, r rune) []byte {
	if r1, r2 := utf16.EncodeRune(r); r1 != utf8.RuneError {
		return AppendEscape(AppendEscape(b, r1), r2)
	}
	return append(b, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
}

// Len returns the number of columns that a safe text takes, one a character.
func Len(s string) int { return utf8.RuneCountInString(s) }

// Fit cuts s to n columns, in the middle, as both ends of a path tell most.
func Fit(s string, n int) string {
	if Len(s) <= n {
		return s
	}
	if n <= 1 {
		return "…"[:min(max(n, 0), 1)*len("…")]
	}
	r := []rune(s)
	head := (n - 1) / 3
	tail := n - 1 - head
	return string(r[:head]) + "…" + string(r[len(r)-tail:])
}

// FitHead cuts s to n columns at its end.
func FitHead(s string, n int) string {
	if Len(s) <= n {
		return s
	}
	if n < 1 {
		return ""
	}
	return string([]rune(s)[:n-1]) + "…"
}

// Pad fills s up to n columns, on the left if right says that s belongs there.
func Pad(s string, n int, right bool) string {
	gap := n - Len(s)
	switch {
	case gap <= 0:
		return s
	case right:
		return strings.Repeat(" ", gap) + s
	}
	return s + strings.Repeat(" ", gap)
}

// Bar returns a bar of a share (0 to 1) of width columns, in eighths; what is
// not zero shows.
func Bar(share float64, width int) string {
	eighths := int(share*float64(width)*8 + 0.5)
	if eighths == 0 && share > 0 {
		eighths = 1
	}
	eighths = min(eighths, width*8)
	bar := strings.Repeat("█", eighths/8)
	if rest := eighths % 8; rest > 0 {
		bar += string([]rune("▏▎▍▌▋▊▉")[rest-1])
	}
	return bar
}
