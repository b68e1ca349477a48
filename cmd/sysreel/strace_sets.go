package main

import (
	"slices"
	"strconv"
	"strings"

	"sysreel/analyze/format"
	"sysreel/proto/syscalls"
)

// straceSet is the value of an option as in -e signal=SET: members separated by
// commas, all or none; "!" in front turns it around.
type straceSet struct {
	members map[string]bool
	negate  bool
	given   bool
}

// has tells whether a member is in the set; nothing is in no set.
func (s *straceSet) has(member string) bool {
	return s != nil && s.members[member] != s.negate
}

// descriptors returns the set as one of descriptors; nil if none is in it.
func (s *straceSet) descriptors() func(fd int32) bool {
	if s == nil || !s.negate && len(s.members) == 0 {
		return nil
	}
	return func(fd int32) bool { return fd >= 0 && s.has(strconv.Itoa(int(fd))) }
}

func allOf() *straceSet { return &straceSet{negate: true} }

func setOfOne(members ...string) *straceSet {
	s := &straceSet{members: make(map[string]bool)}
	for _, m := range members {
		s.members[m] = true
	}
	return s
}

// pidDetail is what --decode-pids takes.
var pidDetail = memberOf("comm", "pidns")

// secontextTypes is what --secontext means without a value.
const secontextTypes = "!full,mismatch"

// parseSecontexts takes the value of --secontext.
func parseSecontexts(text string) (show format.Secontexts, err error) {
	set, err := parseStraceSet(text, "secontext", memberOf("full", "mismatch"))
	if err != nil || !set.negate && len(set.members) == 0 {
		return format.NoSecontexts, err
	}
	show = format.ContextTypes
	if set.has("full") {
		show |= format.FullContexts
	}
	if set.has("mismatch") {
		show |= format.ExpectedToo
	}
	return show, nil
}

// parseStraceSet takes a set. member returns what a word stands for, "" if it is
// none.
func parseStraceSet(text, what string, member func(string) string) (*straceSet, error) {
	rest, negate := strings.CutPrefix(text, "!")
	s := &straceSet{members: make(map[string]bool), negate: negate}
	switch rest {
	case "none":
		return s, nil
	case "all":
		s.negate = !negate
		return s, nil
	}
	for word := range strings.SplitSeq(rest, ",") {
		m := member(word)
		if m == "" {
			return s, straceError("invalid %s '%s'", what, word)
		}
		s.members[m] = true
	}
	return s, nil
}

// memberOf returns a function that knows these words.
func memberOf(words ...string) func(string) string {
	return func(w string) string {
		if slices.Contains(words, w) {
			return w
		}
		return ""
	}
}

// signalMember takes a signal by number, or by name in any case with or without
// SIG.
func signalMember(w string) string {
	if n, err := strconv.Atoi(w); err == nil && n >= 0 && n <= 255 {
		return strconv.Itoa(n)
	}
	name := strings.ToUpper(w)
	if !strings.HasPrefix(name, "SIG") {
		name = "SIG" + name
	}
	if n, ok := syscalls.SignalByName(name); ok {
		return strconv.Itoa(n)
	}
	return ""
}

func quietMember(w string) string {
	switch w {
	case "attach", "personality", "exit", "path-resolution":
		return w
	case "thread-execve", "superseded":
		return "thread-execve"
	case "exits":
		return "exit"
	case "path-resolve":
		return "path-resolution"
	}
	return ""
}

func descriptorMember(w string) string {
	if n, err := strconv.ParseUint(w, 10, 31); err == nil {
		return strconv.FormatUint(n, 10)
	}
	return ""
}

// straceSorts are the words of -S.
var straceSorts = map[string]string{
	"time": "time", "time-total": "time", "total-time": "time", "time-percent": "time",
	"min-time": "min", "shortest": "min", "time-min": "min",
	"max-time": "max", "longest": "max", "time-max": "max",
	"avg-time": "avg", "time-avg": "avg",
	"calls": "calls", "count": "calls",
	"wall-total": "walltotal", "total-wall": "walltotal",
	"wall-min": "wallmin", "min-wall": "wallmin",
	"wall-max": "wallmax", "max-wall": "wallmax",
	"wall-avg": "wallavg", "avg-wall": "wallavg",
	"errors": "errors", "error": "errors",
	"name": "name", "syscall": "name", "syscall-name": "name",
	"nothing": "nothing", "none": "nothing",
}

// straceColumns are the words of -U.
var straceColumns = map[string]string{
	"time-percent": "share", "time": "share",
	"total-time": "total", "time-total": "total",
	"min-time": "min", "shortest": "min", "time-min": "min",
	"max-time": "max", "longest": "max", "time-max": "max",
	"avg-time": "avg", "time-avg": "avg",
	"wall-total": "walltotal", "total-wall": "walltotal",
	"wall-min": "wallmin", "min-wall": "wallmin",
	"wall-max": "wallmax", "max-wall": "wallmax",
	"wall-avg": "wallavg", "avg-wall": "wallavg",
	"calls": "calls", "count": "calls",
	"errors": "errors", "error": "errors",
	"name": "name", "syscall": "name", "syscall-name": "name",
}
