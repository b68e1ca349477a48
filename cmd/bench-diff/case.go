//go:build unix

package main

import (
	"regexp"
	"strings"

	"sysreel/analyze/diff"
)

// A failure is a command that works, and the same command where something has
// been broken. want is what a right answer must say; it is written before
// sysreel is run on the case and not changed to fit what it says.
type failure struct {
	name    string
	program string // whose failure it is, for leave-one-program-out
	setup   string // shell, in an empty directory, before either run
	broken  string // shell, after setup, before the bad run only
	command string // shell; recorded
	bad     string // the bad run's command, if it is another
	env     []string
	badEnv  []string
	server  string // shell, in the background during both runs
	badSrv  string // the same, during the bad run only; "-": no server
	kill    int    // seconds after which the bad run gets SIGTERM
	root    bool   // needs root
	want    want
}

// want is what a finding must say to be right: every field that is set.
type want struct {
	kind    string // regular expression on the kind
	syscall string // on the system call
	path    string // on path or summary
	errno   string
	text    string // on summary
}

func match(pattern string, texts ...string) bool {
	if pattern == "" {
		return true
	}
	re := regexp.MustCompile(pattern)
	for _, t := range texts {
		if re.MatchString(t) {
			return true
		}
	}
	return false
}

// right reports whether a finding gives the answer.
func (w *want) right(f *diff.Finding) bool {
	return match(w.kind, string(f.Kind)) && match(w.syscall, f.Syscall) && match(w.path, f.Path, f.Summary) &&
		(w.errno == "" || f.Errno == w.errno) && match(w.text, f.Summary)
}

// inLine reports whether a line of strace's text shows the answer; the same
// demands, as far as such a line can meet them.
func (w *want) inLine(line string) bool {
	if w.path != "" && !match(w.path, line) || w.errno != "" && !strings.Contains(line, w.errno) {
		return false
	}
	if w.syscall != "" && !match(w.syscall, line) {
		return false
	}
	if w.path == "" && w.errno == "" {
		return match(w.text, line) || w.text == "" && w.syscall != ""
	}
	return true
}
