// Package paint gives text in strace's notation the colours that strace --color
// gives it: escape sequences around names of calls, of fields and of constants,
// around punctuation, comments, results and errors.
//
// It reads the text again, so that writing it without colours costs nothing. What
// a word is it tells by its form and its place, as strace 7.2 decides it, not by
// what a reader would call it: a constant that strace prints by other means than
// its tables stays as plain as strace leaves it.
package paint

import "strings"

// kind is what a piece of text is, for its colour.
type kind uint8

const (
	syscallName kind = iota
	argName          // also of a field
	argValue
	macro // makedev(
	constant
	comment
	punctuation
	result
	failure
	kinds
)

// Reset ends all colours.
const Reset = "\x1b[0m"

// defaults are strace's own.
var defaults = [kinds]string{
	syscallName: "33", argName: "39", argValue: "35", macro: "33", constant: "34",
	comment: "36", punctuation: "0", result: "32", failure: "31",
}

// keys are their names in STRACE_COLORS.
var keys = map[string]kind{
	"syscall": syscallName, "argname": argName, "argval": argValue, "call": macro, "const": constant,
	"comment": comment, "punct": punctuation, "retval": result, "error": failure,
}

// A Painter paints. It may be used by several goroutines.
type Painter struct {
	start [kinds]string
}

// New returns a Painter. colors are changes of the colours, as strace takes them
// from its variable STRACE_COLORS: "syscall=1;33:error=31", by the parameters of the
// sequence SGR. What is not understood is passed over.
func New(colors string) *Painter {
	p := new(Painter)
	set := func(k kind, sgr string) { p.start[k] = "\x1b[" + sgr + "m" }
	for k, sgr := range defaults {
		set(kind(k), sgr)
	}
	for part := range strings.SplitSeq(colors, ":") {
		key, sgr, _ := strings.Cut(part, "=")
		k, ok := keys[strings.ToLower(strings.TrimSpace(key))]
		if sgr = strings.TrimSpace(sgr); ok && strings.ContainsAny(sgr, "0123456789") && strings.Trim(sgr, "0123456789;") == "" {
			set(k, sgr)
		}
	}
	return p
}
