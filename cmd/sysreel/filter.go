package main

import (
	"strings"
	"time"

	"github.com/spf13/pflag"

	"sysreel/analyze"
)

// filterFlags are the filters that all analysers have in common.
type filterFlags struct {
	trace      exprValue
	pids       pidsValue
	tids       pidsValue
	paths      []string
	failed     bool
	errnos     []string
	minLatency time.Duration
	from, to   pointValue
}

// add declares the flags.
func (f *filterFlags) add(flags *pflag.FlagSet) {
	flags.VarP(&f.trace, "expr", "e", "only these calls: names, %file, %network, %process, %desc, …, /regex; ! negates")
	flags.VarP(&f.pids, "pid", "p", "only these processes")
	flags.Var(&f.tids, "tid", "only these threads")
	flags.StringArrayVar(&f.paths, "path", nil, "only calls on files that match `GLOB` (** crosses directories)")
	flags.BoolVar(&f.failed, "failed", false, "only calls that returned an error")
	flags.StringSliceVar(&f.errnos, "errno", nil, "only calls that failed with one of `ENOENT,...`")
	flags.DurationVar(&f.minLatency, "min-latency", 0, "only calls that took at least this long (10ms)")
	flags.Var(&f.from, "from", "begin at `T`: 1.5s after the start, 15:04:05 on the clock, or event '#N'")
	flags.Var(&f.to, "to", "end at `T`")
}

// filter returns the filter that the flags ask for.
func (f *filterFlags) filter() (analyze.Filter, error) {
	out := analyze.Filter{
		Trace:      string(f.trace),
		PIDs:       f.pids.int32s(),
		TIDs:       f.tids.int32s(),
		Paths:      f.paths,
		Failed:     f.failed,
		MinLatency: f.minLatency,
		From:       f.from.point,
		To:         f.to.point,
	}
	for _, e := range f.errnos {
		out.Errnos = append(out.Errnos, strings.TrimSpace(e))
	}
	if err := out.Check(); err != nil {
		return out, &usageError{err}
	}
	return out, nil
}

func (v pidsValue) int32s() []int32 {
	var out []int32
	for _, n := range v {
		out = append(out, int32(n))
	}
	return out
}

// pointValue is a flag for a place in a trace.
type pointValue struct {
	text  string
	point analyze.Point
}

func (v *pointValue) Type() string   { return "T" }
func (v *pointValue) String() string { return v.text }

func (v *pointValue) Set(s string) error {
	p, err := analyze.ParsePoint(s)
	if err != nil {
		return err
	}
	v.text, v.point = s, p
	return nil
}
