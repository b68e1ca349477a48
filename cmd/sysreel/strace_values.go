package main

import (
	"math"
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
	if _, err := syscalls.ParseSet(text); err != nil {
		name := text
		for item := range strings.SplitSeq(strings.TrimPrefix(text, "!"), ",") {
			if _, err := syscalls.ParseSet(item); err != nil || item == "none" && text != "none" {
				name = item
				break
			}
		}
		if before, designator, ok := strings.Cut(name, "@"); ok && callSet(new(string), before) == nil {
			return usagef("incorrect personality designator '%s' in qualification '%s'", designator, name)
		}
		return straceError("invalid system call '%s'", name)
	}
	*to = text
	return nil
}

// daemonized is where the tracer is to run: -D.
type daemonized uint8

const (
	grandchild daemonized = 1 + iota // of its parent, which becomes the command
	pgroup                           // and in a process group of its own
	session                          // and in a session of its own
)

var daemonizedAs = map[string]daemonized{"grandchild": grandchild, "pgroup": pgroup, "pgrp": pgroup, "session": session}
