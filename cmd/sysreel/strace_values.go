package main

import (
	"errors"
	"fmt"
	"math"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"time"

	"sysreel/analyze/replay"
	"sysreel/proto/syscalls"
)

// attach takes the PIDs of -p.
func (o *straceOptions) attach(list string) error {
	for _, word := range strings.FieldsFunc(list, func(r rune) bool { return strings.ContainsRune(", \t\n", r) }) {
		pid, err := strconv.Atoi(word)
		if err != nil || pid <= 0 || pid > math.MaxInt32 {
			return straceError("Invalid process id: '%s'", word)
		}
		o.pids = append(o.pids, pid)
	}
	return nil
}

// timestamps takes --absolute-timestamps.
func (o *straceOptions) timestamps(value *string) error {
	o.clockSet = true
	o.clock, o.clockUnit = replay.Day, replay.Seconds
	if value == nil || *value == "" {
		return nil
	}
	for word := range strings.SplitSeq(*value, ",") {
		kind, name, named := strings.Cut(word, ":")
		if !named {
			kind, name = "", word
		}
		clock, isClock := map[string]replay.Clock{"none": replay.NoClock, "time": replay.Day, "unix": replay.Epoch}[name]
		unit, isUnit := precisions[name]
		switch {
		case isClock && kind != "precision":
			o.clock = clock
		case isUnit && kind != "format":
			o.clockUnit = unit
		default:
			return usagef("invalid --absolute-timestamps argument: '%s'", *value)
		}
	}
	return nil
}

var precisions = map[string]replay.Precision{"s": replay.Seconds, "ms": replay.Millis, "us": replay.Micros, "ns": replay.Nanos}

func unitOf(to *replay.Precision, key string, value *string) error {
	*to = replay.Micros
	if value == nil {
		return nil
	}
	unit, ok := precisions[*value]
	if !ok {
		return usagef("invalid --%s argument: '%s'", key, *value)
	}
	*to = unit
	return nil
}

func number(to *int, name, text string, least int) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > math.MaxInt32 {
		return usagef("invalid %s argument: '%s'", name, text)
	}
	*to = n
	return nil
}

// overhead takes a time with a unit, microseconds if there is none.
func overhead(text string) (time.Duration, bool) {
	for _, unit := range []struct {
		name string
		d    time.Duration
	}{{"ms", time.Millisecond}, {"us", time.Microsecond}, {"ns", time.Nanosecond}, {"s", time.Second}, {"", time.Microsecond}} {
		if number, ok := strings.CutSuffix(text, unit.name); ok {
			f, err := strconv.ParseFloat(number, 64)
			return time.Duration(f * float64(unit.d)), err == nil && f >= 0
		}
	}
	return 0, false
}

// warnOfErrors warns of retval= that is an error to the program.
func (o *straceOptions) warnOfErrors(inject string) {
	for part := range strings.SplitSeq(inject, ":") {
		text, ok := strings.CutPrefix(part, "retval=")
		if v, err := strconv.ParseInt(text, 0, 64); ok && err == nil && v < 0 && v >= -4095 {
			o.warn(fmt.Sprintf("Inadvertent injection of error %d is possible for retval=%d", -v, uint64(v)))
		}
	}
}

// setColumns takes the columns of -U.
func (o *straceOptions) setColumns(list string) error {
	o.columns = nil
	for rest, more := list, true; more; {
		var name string
		whole := rest
		name, rest, more = strings.Cut(rest, ",")
		c, ok := straceColumns[strings.ReplaceAll(name, "_", "-")]
		if !ok {
			return usagef("unknown column name: '%s'", name)
		}
		if slices.Contains(o.columns, c) {
			return usagef("call summary column has been provided more than once: '%s' (-U option residual: '%s')", name, whole)
		}
		o.columns = append(o.columns, c)
	}
	return nil
}

// callSet takes a set of calls.
func callSet(to *string, text string) error {
	rest, not := text, ""
	for strings.HasPrefix(rest, "!") {
		rest = rest[1:]
		not = map[string]string{"": "!", "!": ""}[not]
	}
	items := strings.FieldsFunc(rest, func(r rune) bool { return r == ',' })
	if len(items) == 0 {
		return straceError("invalid system call '%s'", text)
	}
	for _, item := range items {
		if err := callItem(item, len(items) == 1); err != nil {
			return err
		}
	}
	*to = not + strings.Join(items, ",")
	return nil
}

// callItem checks a member of a set of calls; alone tells whether it is the only
// one.
func callItem(item string, alone bool) error {
	_, err := syscalls.ParseSet(item)
	name, size, sized := strings.Cut(strings.TrimPrefix(item, "?"), "@")
	nr, notNumber := strconv.ParseUint(name, 10, 31)
	var re *syntax.Error
	switch {
	case errors.As(err, &re):
		return straceError("regcomp: %s: %s", strings.TrimLeft(item, "?/"), regexpTrouble(re))
	case err != nil && sized && callItem(name, alone) == nil:
		return usagef("incorrect personality designator '%s' in qualification '%s'", size, item)
	case err != nil, item == "none" && !alone, notNumber == nil && item[0] != '?' && !callNumber(uint32(nr)):
		return straceError("invalid system call '%s'", item)
	}
	return nil
}

// callNumber tells whether a call of any architecture has that number.
func callNumber(nr uint32) bool {
	known := func(a syscalls.Arch) bool { return syscalls.Lookup(a, nr) != nil }
	return known(syscalls.AMD64) || known(syscalls.ARM64) || known(syscalls.I386)
}

// regexpTrouble tells in the words of regerror(3) what is wrong.
func regexpTrouble(err *syntax.Error) string {
	switch err.Code {
	case syntax.ErrMissingParen, syntax.ErrUnexpectedParen:
		return `Unmatched ( or \(`
	case syntax.ErrMissingBracket:
		if err.Expr == "[" {
			return "Invalid regular expression"
		}
		return "Unmatched [, [^, [:, [., or [="
	case syntax.ErrMissingRepeatArgument, syntax.ErrInvalidRepeatOp:
		return "Invalid preceding regular expression"
	case syntax.ErrInvalidRepeatSize:
		return "Regular expression too big"
	case syntax.ErrTrailingBackslash:
		return "Trailing backslash"
	case syntax.ErrInvalidCharRange:
		if strings.HasPrefix(err.Expr, "[:") {
			return "Invalid character class name"
		}
		return "Invalid range end"
	}
	return "Invalid regular expression"
}

// daemonized is where the tracer is to run: -D.
type daemonized uint8

const (
	grandchild daemonized = 1 + iota // of its parent, which becomes the command
	pgroup                           // and in a process group of its own
	session                          // and in a session of its own
)

var daemonizedAs = map[string]daemonized{"grandchild": grandchild, "pgroup": pgroup, "pgrp": pgroup, "session": session}

// daemonized is how -D is asked for.
func (o *straceOptions) daemonized() daemonized {
	if o.daemons > 0 {
		return daemonized(o.daemons)
	}
	return o.daemon
}

// heldVariable is, for the child, "start", and for the tracer the process to trace.
const heldVariable = "SYSREEL_HELD"
