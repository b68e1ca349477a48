package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"sysreel/analyze"
	"sysreel/analyze/format"
	"sysreel/analyze/replay"
	"sysreel/analyze/summary"
	"sysreel/analyze/symbols"
	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
	"sysreel/record"
)

// How far the text may be behind: what is read while it is written should seem to
// come at once, a file need not.
const (
	promptly = 5 * time.Millisecond
	atLength = 100 * time.Millisecond
)

func (o *straceOptions) flushEvery() time.Duration {
	if o.output == "" || o.piped() {
		return promptly
	}
	return atLength
}

// straceText turns the stream of a recording into strace's text.
type straceText struct {
	o   *straceOptions
	std *stdio
	out *straceOutput

	paths map[string]bool // of -P; nil: any
	calls int             // printed

	launched tracefile.ThreadID // the command's thread, until it has been executed
	told     bool               // that it cannot be
	enough   chan string        // told when --syscall-limit is reached
}

func newStraceText(o *straceOptions, std *stdio, out *straceOutput) *straceText {
	t := &straceText{o: o, std: std, out: out, enough: make(chan string, 1)}
	t.selectPaths()
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
	var counts *summary.Counts
	if t.o.summary || t.o.andSummary {
		counts = summary.NewCounts(summary.CountOptions{Wall: t.o.wall, Overhead: t.o.overhead, Sort: t.o.sortBy, Columns: t.o.columns})
	}
	if t.out.each != nil {
		text = replay.NewFiles(o, t.out.each)
	} else {
		text = replay.New(o, t.out.w)
	}
	pass := analyze.Options{Need: analyze.NeedWorld, BlockEnd: text.Flush}
	add := func(c *analyze.Call) error {
		if !t.wanted(c) {
			if t.atLimit() && c.Kind == tracefile.ThreadExit && !t.quietly("attach") {
				straceSays(t.std, "Process %d detached", c.Event.Thread.TID) // it was too fast
			}
			return nil
		}
		if counts != nil {
			counts.Add(c)
		}
		if t.o.summary && c.Kind != tracefile.ThreadStart && c.Kind != tracefile.Detach {
			return nil
		}
		if err := text.Add(c); err != nil || !t.atLimit() || c.Kind != tracefile.Syscall {
			return err
		}
		return t.letGo(text)
	}
	if err := analyze.Run(ctx, r, pass, func(c *analyze.Call) error {
		executes := t.executes(c)
		if t.launched != 0 && !executes && isCall(c) {
			return nil // of the program that executes the command
		}
		if err := add(c); err != nil || !executes || !c.Failed() {
			return err
		}
		t.told = true
		if err := text.Flush(); err != nil {
			return err
		}
		straceSays(t.std, "%s", cannotExec(c.Errno()))
		return nil
	}); err != nil {
		return err
	}
	if err := text.Close(); err != nil || counts == nil {
		return err
	}
	return counts.Write(t.out.w)
}

// printer is what writes text.
type printer interface {
	Add(*analyze.Call) error
	Flush() error
	Close() error
}

// commOf returns the name that a process has now.
func commOf(id int32) string {
	b, _ := os.ReadFile("/proc/" + strconv.Itoa(int(id)) + "/comm")
	return strings.TrimSuffix(string(b), "\n")
}

// executes follows a command until it has been executed, and tells whether an event
// is the call that does it.
func (t *straceText) executes(c *analyze.Call) bool {
	switch {
	case c.Kind == tracefile.ThreadStart && tracefile.StartHow(c.Args[0]) == tracefile.StartLaunch:
		t.launched = c.Event.Thread.ID
	case c.Kind == tracefile.Exec && c.Event.Thread.ID == t.launched:
		t.launched = 0
	}
	return t.launched != 0 && c.Event.Thread.ID == t.launched && isCall(c) && c.Name == "execve"
}

func isCall(c *analyze.Call) bool {
	return c.Kind == tracefile.Syscall || c.Kind == tracefile.Unfinished || c.Kind == tracefile.InFlight
}

// wanted tells whether an event is one to print.
func (t *straceText) wanted(c *analyze.Call) bool {
	if t.atLimit() {
		return c.Kind == tracefile.Detach
	}
	switch c.Kind {
	case tracefile.Signal, tracefile.Stop:
		return t.o.signals.has(strconv.Itoa(int(c.NR)))
	case tracefile.Syscall, tracefile.Unfinished, tracefile.InFlight:
		if !t.accesses(c) || t.o.statuses != nil && !t.status(c) {
			return false
		}
		if c.Kind == tracefile.Syscall {
			t.calls++
		}
	}
	return true
}

// atLimit tells whether --syscall-limit has been reached.
func (t *straceText) atLimit() bool { return t.o.limit > 0 && t.calls >= t.o.limit }

// letGo lets go of what is traced.
func (t *straceText) letGo(text printer) error {
	t.enough <- "--syscall-limit"
	if t.quietly("attach") {
		return nil
	}
	if err := text.Flush(); err != nil {
		return err
	}
	straceSays(t.std, "System call limit has been reached, detaching tracees")
	return nil
}

// accesses tells whether a call is on one of the files of -P, or the descriptors
// of --trace-fds.
func (t *straceText) accesses(c *analyze.Call) bool {
	if t.paths == nil && t.o.traceFDs == nil {
		return true
	}
	return t.paths != nil && slices.ContainsFunc(c.Paths(), t.onPath) ||
		t.o.traceFDs != nil && slices.ContainsFunc(c.FDs(), t.onFD)
}

func (t *straceText) onFD(fd int32) bool {
	return fd >= 0 && t.o.traceFDs.has(strconv.Itoa(int(fd)))
}

// onPath tells whether a path is one of those of -P.
func (t *straceText) onPath(path string) bool { return t.paths[path] }

// selectPaths notes the paths of -P: as given, and what they are in truth.
func (t *straceText) selectPaths() {
	if len(t.o.paths) == 0 {
		return
	}
	t.paths = make(map[string]bool)
	for _, p := range t.o.paths {
		if p == "" {
			continue
		}
		t.paths[p] = true
		abs, err := filepath.Abs(p)
		if err != nil {
			continue
		}
		if real, err := filepath.EvalSymlinks(abs); err == nil {
			abs = real
		}
		t.paths[abs] = true
		if abs != p && !t.o.quiet.has("path-resolution") {
			straceSays(t.std, "Requested path \"%s\" resolved into \"%s\"", p, abs)
		}
	}
}

// options are how the text is to look.
func (t *straceText) options(r *tracefile.Reader) replay.Options {
	o := t.o
	clock := r.Header().GetClock()
	present := t.present()
	out := replay.Options{
		Present:       present,
		Format:        o.formatOptions(),
		Clock:         o.clock,
		ClockUnit:     o.clockUnit,
		Epoch:         clock.GetRealtimeNs() - clock.GetMonotonicNs(),
		Zone:          time.FixedZone(clock.GetZone(), int(clock.GetUtcOffsetS())),
		Relative:      o.relative,
		RelativeUnit:  o.relUnit,
		Durations:     o.durations,
		DurationUnit:  o.durUnit,
		Names:         o.fdNames(),
		Comms:         o.comms,
		Comm:          commOf,
		OuterPIDs:     o.outerPIDs,
		CallNumbers:   o.numbers,
		IP:            o.ip,
		Stacks:        o.stacks > 0,
		Sources:       o.sources,
		Column:        o.column,
		Personalities: !t.quietly("personality"),
		Silence: replay.Silence{
			Exits:      o.quiet.has("exit"),
			Superseded: o.quiet.has("thread-execve"),
			Killed:     func(signo int) bool { return !o.signals.has(strconv.Itoa(signo)) },
		},
	}
	if o.comms || o.outerPIDs {
		out.Outer = record.OuterPIDs()
	}
	if o.stacks > 0 {
		out.Symbols = symbols.New(symbols.Options{Host: true})
	}
	if t.out.each == nil || o.color == colorAlways { // of files for each thread by word only
		out.Paint = o.color.painter(t.out.w)
	}
	out.Interfaces = replay.NewInterfaces(r.Header())
	out.Format.Family = replay.Families(r.Header())
	if o.strings <= 0 {
		out.Format.Strings = -1
	}
	if o.column <= 0 {
		out.Column = -1
	}
	switch {
	case o.output != "" && !o.separately && (o.follow || len(o.pids)+min(len(o.command), 1) > 1), o.alwaysPID:
		out.PIDs = replay.AllPIDs
	case o.output == "":
		out.PIDs = replay.ManyPIDs
	}
	if o.statuses != nil {
		out.Results, out.NoLetGo = t.status, !o.statuses.has("detached")
	}
	if !t.quietly("attach") {
		out.Attached, out.Detached = t.attached, t.detached
	}
	return out
}

// formatOptions are how calls are to look.
func (o *straceOptions) formatOptions() format.Options {
	set := func(text string) *syscalls.Set {
		if text == "" || text == "all" {
			return nil
		}
		s, _ := syscalls.ParseSet(text) // it could be parsed before
		return s
	}
	f := format.Options{
		Strings: o.strings, Hex: o.hex, ArgNames: o.argNames,
		Pointed: set(o.verbose), DumpRead: o.read.descriptors(), DumpWritten: o.write.descriptors(),
		Constants: constantStyles[o.constants], NewNamespaces: o.namespaces, VCPUs: o.vcpus, Secontexts: o.secontexts,
	}
	if o.raw != "" {
		f.Raw, _ = syscalls.ParseSet(o.raw)
	}
	switch o.abbrev {
	case "none", "!all":
		f.Verbose = true
	default:
		if f.Whole = set(o.abbrev); f.Whole != nil { // what is not abbreviated
			f.Whole, _ = syscalls.ParseSet(negated(o.abbrev))
		}
	}
	return f
}

// negated turns a set around.
func negated(set string) string {
	if rest, ok := strings.CutPrefix(set, "!"); ok {
		return rest
	}
	return "!" + set
}

// fdNames is what is written behind descriptors.
func (o *straceOptions) fdNames() replay.FDNames {
	if o.decodeFDs == nil {
		return namesOf(o.names)
	}
	var n replay.FDNames
	for word, bit := range map[string]replay.FDNames{"path": replay.Paths, "socket": replay.Sockets, "dev": replay.DevNos, "pidfd": replay.PIDFDs,
		"eventfd": replay.EventFDs, "signalfd": replay.SignalFDs} {
		if o.decodeFDs.has(word) {
			n |= bit
		}
	}
	return n
}

// quietly tells whether a kind of message is left out: strace does so by itself
// where a command's text goes to a file.
func (t *straceText) quietly(what string) bool {
	return t.o.quiet.has(what) || !t.o.quiet.given && t.o.output != "" && len(t.o.command) > 0
}

// status tells whether a call came out as it is wanted.
func (t *straceText) status(c *analyze.Call) bool {
	switch {
	case c.Kind == tracefile.Unfinished && strings.HasPrefix(c.Name, "exit"):
		return t.o.statuses.has("unfinished")
	case c.Kind == tracefile.Unfinished: // or the thread is let go of: see replay.Options.NoLetGo
		return t.o.statuses.has("unfinished") || t.o.statuses.has("detached")
	case c.Flags&tracefile.NoResult != 0:
		return t.o.statuses.has("unavailable")
	case c.Failed() || c.Ret < -4095 && c.Ret >= -4200:
		return t.o.statuses.has("failed")
	}
	return t.o.statuses.has("successful")
}

// present tells of the processes attached to and returns how many threads they
// have.
func (t *straceText) present() int {
	all := 0
	for _, pid := range t.o.pids {
		if slices.Contains(t.o.skipped, pid) || t.o.follow && slices.Contains(t.o.skipped, processOf(pid)) {
			continue
		}
		n := 1
		if t.o.follow {
			n = max(n, threadsOf(pid))
		}
		all += n
		if t.quietly("attach") {
			continue
		}
		with := ""
		if n > 1 {
			with = fmt.Sprintf(" with %d threads", n)
		}
		fmt.Fprintf(t.std.err, "strace: Process %d attached%s\n", pid, with)
	}
	return all
}

// attached is the message about a new thread.
func (t *straceText) attached(tid int32) string {
	return t.say(fmt.Sprintf("strace: Process %d attached\n", tid))
}

// detached is the message about a thread that is let go of.
func (t *straceText) detached(tid int32) string {
	return t.say(fmt.Sprintf("strace: Process %d detached\n", tid))
}

// say returns a message that is part of the text; where the text goes elsewhere
// it is written to standard error.
func (t *straceText) say(s string) string {
	if t.out.w == t.std.err {
		return s
	}
	io.WriteString(t.std.err, s)
	return ""
}
