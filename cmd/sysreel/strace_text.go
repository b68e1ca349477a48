package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"sysreel/analyze"
	"sysreel/analyze/format"
	"sysreel/analyze/replay"
	"sysreel/proto/tracefile"
)

// How far the text may be behind: what is read while it is written should seem to
// come at once, a file need not.
const (
	promptly = 5 * time.Millisecond
	atLength = 100 * time.Millisecond
)

func (o *straceOptions) flushEvery() time.Duration {
	if o.output == "" || o.output[0] == '|' || o.output[0] == '!' {
		return promptly
	}
	return atLength
}

// straceText turns the stream of a recording into strace's text.
type straceText struct {
	o    *straceOptions
	std  *stdio
	out  *straceOutput
	lead map[int32]int // processes attached to: how many threads they have
}

func newStraceText(o *straceOptions, std *stdio, out *straceOutput) *straceText {
	t := &straceText{o: o, std: std, out: out, lead: make(map[int32]int)}
	for _, pid := range o.pids {
		n := 1
		if o.follow {
			if list, err := os.ReadDir("/proc/" + strconv.Itoa(pid) + "/task"); err == nil {
				n = len(list)
			}
		}
		t.lead[int32(pid)] = n
	}
	return t
}

// run writes text until the stream ends. What it cannot use it reads to the end
// all the same, for the recorder waits where nobody reads.
func (t *straceText) run(ctx context.Context, stream io.Reader) error {
	err := t.pass(ctx, stream)
	_, _ = io.Copy(io.Discard, stream)
	return err
}

func (t *straceText) pass(ctx context.Context, stream io.Reader) error {
	r, err := tracefile.NewReader(stream, tracefile.ReaderOptions{})
	if err != nil {
		return nil // there is nothing to tell: nothing was recorded
	}
	var text printer
	o := t.options(r)
	if t.out.each != nil {
		text = replay.NewFiles(o, t.out.each)
	} else {
		text = replay.New(o, t.out.w)
	}
	pass := analyze.Options{Need: analyze.NeedWorld, BlockEnd: text.Flush}
	if err := analyze.Run(ctx, r, pass, func(c *analyze.Call) error {
		if !t.wanted(c) {
			return nil
		}
		return text.Add(c)
	}); err != nil {
		return err
	}
	return text.Close()
}

// printer is what writes text.
type printer interface {
	Add(*analyze.Call) error
	Flush() error
	Close() error
}

// wanted tells whether an event is one to print.
func (t *straceText) wanted(c *analyze.Call) bool {
	switch c.Kind {
	case tracefile.Signal, tracefile.Stop:
		return t.o.signals.has(strconv.Itoa(int(c.NR)))
	}
	return true
}

// options are how the text is to look.
func (t *straceText) options(r *tracefile.Reader) replay.Options {
	o := t.o
	clock := r.Header().GetClock()
	out := replay.Options{
		Format:       format.Options{Verbose: o.abbrev == "none", Strings: o.strings, Hex: o.hex},
		Clock:        o.clock,
		ClockUnit:    o.clockUnit,
		Epoch:        clock.GetRealtimeNs() - clock.GetMonotonicNs(),
		Zone:         time.FixedZone(clock.GetZone(), int(clock.GetUtcOffsetS())),
		Relative:     o.relative,
		RelativeUnit: o.relUnit,
		Durations:    o.durations,
		DurationUnit: o.durUnit,
		Names:        replay.FDNames(min(o.names, int(replay.Protocols))),
		Comms:        o.comms,
		CallNumbers:  o.numbers,
		Column:       o.column,
		Silence: replay.Silence{
			Exits:         o.quiet.has("exit"),
			Superseded:    o.quiet.has("thread-execve"),
			Personalities: t.quietly("personality"),
		},
	}
	if o.strings <= 0 {
		out.Format.Strings = -1
	}
	if o.column <= 0 {
		out.Column = -1
	}
	switch {
	case o.output != "" && !o.separately && (o.follow || len(o.pids) > 1), o.alwaysPID:
		out.PIDs = replay.AllPIDs
	case o.output == "":
		out.PIDs = replay.ManyPIDs
	}
	if o.statuses != nil {
		out.Results = t.status
	}
	if !t.quietly("attach") {
		out.Attached = t.attached
	}
	return out
}

// quietly tells whether a kind of message is left out: strace does so by itself
// where a command's text goes to a file.
func (t *straceText) quietly(what string) bool {
	return t.o.quiet.has(what) || !t.o.quiet.given && t.o.output != "" && len(t.o.command) > 0
}

// status tells whether a call came out as it is wanted.
func (t *straceText) status(c *analyze.Call) bool {
	switch {
	case c.Kind == tracefile.Unfinished:
		return t.o.statuses.has("unfinished")
	case c.Flags&tracefile.NoResult != 0:
		return t.o.statuses.has("unavailable")
	case c.Failed() || c.Ret < -4095 && c.Ret >= -4200:
		return t.o.statuses.has("failed")
	}
	return t.o.statuses.has("successful")
}

// attached is the message about a new thread.
func (t *straceText) attached(tid int32) string {
	s := ""
	switch n, given := t.lead[tid]; {
	case given && n > 1:
		s = fmt.Sprintf("strace: Process %d attached with %d threads\n", tid, n)
	case given || len(t.o.command) > 0:
		s = fmt.Sprintf("strace: Process %d attached\n", tid)
	}
	if t.out.w == t.std.err {
		return s
	}
	io.WriteString(t.std.err, s)
	return ""
}
