package main

import (
	"bufio"
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"sysreel/analyze"
	"sysreel/analyze/format"
	"sysreel/analyze/replay"
	"sysreel/analyze/symbols"
	"sysreel/proto/tracefile"
)

// replayOptions are the flags of replay.
type replayOptions struct {
	filter    filterFlags
	clock     int
	relative  bool
	durations bool
	names     int
	pidNames  string // --decode-pids
	hex       int
	verbose   bool
	constants string
	argNames  bool
	column    int
	callNos   bool
	strings   int
	pids      bool
	numbers   bool
	json      bool
	around    pointValue
	context   limitValue
	follow    bool
	utc       bool
	stacks    int
	ip        bool
	symbols   []string
	kvm       vcpuValue
	color     string
	secontext string
}

func newReplayCommand(std *stdio) *cobra.Command {
	var o replayOptions
	cmd := &cobra.Command{
		Use:   "replay [flags] FILE",
		Short: "print the calls as text, in strace's notation",
		Long: `Print a trace as strace -f would have printed the run, or as a line of JSON for
each event. FILE may be - for standard input.`,
		Example: `  sysreel replay trace.reel
  sysreel replay -tt -T -y -e trace=%file --failed trace.reel
  sysreel replay --around '#1234' trace.reel
  sysreel replay --json trace.reel | jq 'select(.errno)'`,
		Args: oneTrace,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runReplay(cmd.Context(), std, o, args[0])
		},
	}
	f := cmd.Flags()
	f.CountVarP(&o.clock, "time", "t", "begin lines with the time; -tt with microseconds, -ttt seconds since 1970")
	f.BoolVarP(&o.relative, "relative", "r", false, "begin lines with the time since the line before")
	f.BoolVarP(&o.durations, "durations", "T", false, "end calls with the time spent in them")
	f.CountVarP(&o.names, "names", "y", "name what descriptors stand for; -yy with socket addresses")
	f.StringVar(&o.pidNames, "decode-pids", "", "write behind IDs of processes, by `SET`: comm their names; pidns what they are called outside of their PID namespace, of a trace recorded by sysreel strace with --decode-pids or from a process in such")
	f.CountVarP(&o.hex, "hex", "x", "non-ASCII strings in hexadecimal; -xx all strings")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "print structures and environments whole")
	f.IntVarP(&o.strings, "strings", "s", format.DefaultStrings, "print at most `BYTES` of a string")
	f.StringVarP(&o.constants, "const-print-style", "X", "abbrev", "constants by `STYLE`: raw (numbers), abbrev (names) or verbose (both)")
	f.BoolVar(&o.argNames, "arg-names", false, "name the arguments of calls")
	f.BoolVarP(&o.callNos, "syscall-number", "n", false, "begin calls with their numbers: [ 257]")
	f.IntVarP(&o.column, "columns", "a", defaultColumn, "print results in `COLUMN`")
	f.BoolVarP(&o.pids, "follow-forks", "f", true, "begin lines with the thread ID, as strace -f")
	f.BoolVarP(&o.numbers, "numbers", "N", false, "begin lines with the event's number: #42")
	f.BoolVar(&o.json, "json", false, "a JSON document a line for each event")
	f.Var(&o.around, "around", "only what surrounds event '#N'; implies -N")
	f.Lookup("around").DefValue = ""
	o.context = 10
	f.Var(&o.context, "context", "with --around: `EVENTS` before and after")
	f.BoolVar(&o.follow, "follow", false, "wait for more while the trace is still being recorded")
	f.CountVarP(&o.stacks, "stacks", "k", "the stack behind each call, of a trace recorded with --stacks; -kk with the places in the source")
	f.BoolVarP(&o.ip, "instruction-pointer", "i", false, "begin lines with the instruction pointer, of a trace recorded with --stacks")
	f.Var(&o.kvm, "kvm", "of virtual CPUs, of a trace recorded with --kvm: vcpu, why KVM_RUN came back; vcpu+, and struct kvm_run before and after it")
	f.StringArrayVar(&o.symbols, "symbols", nil, "with -k, --json: look in `DIR` too for the recorded files and their debugging symbols: by path, by name or as .build-id/xx/yyyy.debug")
	f.StringVar(&o.color, "color", string(colorAuto), "colours, as of strace --color: `WHEN` is auto (on a terminal), always or never")
	f.StringVar(&o.secontext, "secontext", "none", "SELinux contexts by `SET`: without one their types; full; mismatch: what the policy had, where it was another; of a trace recorded with --secontext")
	f.Lookup("secontext").NoOptDefVal = secontextTypes
	f.BoolVar(&o.utc, "utc", false, "times of day in UTC, not in the recording machine's zone")
	o.filter.add(f)
	cmd.SetUsageTemplate(cmd.UsageTemplate() + analyserStatus)
	return cmd
}

// analyserStatus ends the help of the analysers.
const analyserStatus = `
Exit status: 0 done, 1 trouble, 2 wrong usage.
`

func runReplay(ctx context.Context, std *stdio, o replayOptions, name string) error {
	filter, err := o.filter.filter()
	if err != nil {
		return err
	}
	if o.strings < 0 {
		return usagef("-s %d: a string has no fewer than 0 bytes", o.strings)
	}
	if o.column < 0 {
		return usagef("-a %d: columns are counted from 0", o.column)
	}
	if _, ok := constantStyles[o.constants]; !ok {
		return usagef("-X %s: it is none of raw, abbrev and verbose", o.constants)
	}
	color, ok := parseColor(o.color)
	if !ok {
		return usagef("--color=%s: it is none of auto, always and never", o.color)
	}
	pids, err := parseStraceSet(o.pidNames, "decode-pids", pidDetail)
	if err != nil && o.pidNames != "" {
		return usagef("--decode-pids: %v", err)
	}
	secontexts, err := parseSecontexts(o.secontext)
	if err != nil {
		return usagef("--secontext: %v", err)
	}
	if o.around.text != "" {
		if filter.From, filter.To, err = surrounding(o.around, uint64(o.context)); err != nil {
			return err
		}
		o.numbers = true
	}
	var ro tracefile.ReaderOptions
	if o.follow {
		follow, stop := untilInterrupt(ctx)
		defer stop()
		ro.Follow = follow
	}
	return passTrace(ctx, std, "replay", name, ro, func(t *analyze.Trace) error {
		o.untimed(std, t)
		if (o.stacks > 0 || o.ip) && t.Header().GetPolicy().GetStacks() == 0 {
			std.message("sysreel replay: %s: there are no stacks in it: record with --stacks", t.Name)
		}
		if int(o.kvm) > int(t.Header().GetPolicy().GetVcpus()) {
			std.message("sysreel replay: %s: the states of virtual CPUs are not in it: record with --kvm=%s", t.Name, o.kvm.String())
		}
		unlabelled(std, t, secontexts)
		w := bufio.NewWriterSize(std.out, 64<<10)
		ro := o.options(t)
		if !o.json {
			ro.Paint = color.painter(std.out)
		}
		ro.Format.Secontexts = secontexts
		if o.pidNames != "" {
			ro.Comms, ro.OuterPIDs = pids.has("comm"), pids.has("pidns")
		}
		r := replay.New(ro, w)
		// What a socket is tells what its messages are, names or not.
		pass := analyze.Options{Filter: filter, Need: analyze.NeedWorld}
		pass.BlockEnd = func() error {
			if err := r.Flush(); err != nil || !o.follow {
				return err
			}
			return w.Flush()
		}
		if err := t.Run(ctx, pass, r.Add); err != nil {
			return err
		}
		if err := r.Close(); err != nil {
			return err
		}
		if o.around.text != "" && r.Lines() == 0 {
			return fmt.Errorf("%s: there is nothing to print around %s", name, o.around.text)
		}
		return w.Flush()
	})
}

// unlabelled says that the trace does not have the security contexts that are to be
// shown.
func unlabelled(std *stdio, t *analyze.Trace, show format.Secontexts) {
	policy := t.Header().GetPolicy()
	switch {
	case show != format.NoSecontexts && !policy.GetSecontexts():
		std.message("sysreel replay: %s: there are no security contexts in it: record with --secontext", t.Name)
	case show&format.ExpectedToo != 0 && !policy.GetExpectedSecontexts():
		std.message("sysreel replay: %s: it does not tell what security contexts the policy has: record with --secontext=mismatch", t.Name)
	}
}

// untimed takes back the flags that ask for times which the log that the trace
// was made from does not have, and says so.
func (o *replayOptions) untimed(std *stdio, t *analyze.Trace) {
	if t.Header().GetNoDurations() && o.durations {
		o.durations = false
		std.message("sysreel replay: %s: no -T: the log that this was made from has no durations", t.Name)
	}
	if t.Header().GetNoClock() && (o.clock > 0 || o.relative) {
		o.clock, o.relative = 0, false
		std.message("sysreel replay: %s: no -t or -r: the log that this was made from has no times", t.Name)
	}
}

// options translates the flags.
func (o *replayOptions) options(t *analyze.Trace) replay.Options {
	clock := t.Header().GetClock()
	out := replay.Options{
		Format: format.Options{
			Verbose: o.verbose, Strings: o.strings, ArgNames: o.argNames, Constants: constantStyles[o.constants],
			VCPUs: format.VCPUs(o.kvm),
		},
		Epoch:       clock.GetRealtimeNs() - clock.GetMonotonicNs(),
		Relative:    o.relative,
		Durations:   o.durations,
		Numbers:     o.numbers,
		CallNumbers: o.callNos,
		Column:      o.column,
		JSON:        o.json,
		Stacks:      o.stacks > 0,
		Sources:     o.stacks > 1,
		IP:          o.ip,
		Symbols:     symbols.New(symbols.Options{Dirs: o.symbols, Host: runtime.GOOS == "linux"}),
	}
	out.Interfaces = replay.NewInterfaces(t.Header())
	out.Format.Family = replay.Families(t.Header())
	if o.strings <= 0 {
		out.Format.Strings = -1
	}
	if o.column <= 0 {
		out.Column = -1
	}
	if !o.utc {
		out.Zone = time.FixedZone(clock.GetZone(), int(clock.GetUtcOffsetS()))
	}
	if o.pids {
		out.PIDs = replay.AllPIDs
	}
	out.Clock, out.ClockUnit = clockOf(o.clock)
	out.Names = namesOf(o.names)
	out.Format.Hex = format.Hex(min(o.hex, int(format.HexAll)))
	return out
}

// defaultColumn is where strace prints results.
const defaultColumn = 40

// constantStyles are the words of -X.
var constantStyles = map[string]format.Constants{"raw": format.RawConstants, "abbrev": format.Abbreviated, "verbose": format.BothConstants}

// namesOf translates the number of -y.
func namesOf(y int) replay.FDNames {
	switch y {
	case 0:
		return replay.NoNames
	case 1:
		return replay.Paths
	}
	return replay.Protocols
}

// clockOf translates the number of -t.
func clockOf(t int) (replay.Clock, replay.Precision) {
	switch t {
	case 0:
		return replay.NoClock, replay.Micros
	case 1:
		return replay.Day, replay.Seconds
	case 2:
		return replay.Day, replay.Micros
	}
	return replay.Epoch, replay.Micros
}

// surrounding returns the range of events around one.
func surrounding(at pointValue, n uint64) (from, to analyze.Point, err error) {
	num, ok := at.point.Event()
	if !ok {
		return from, to, usagef("--around %s: give an event's number, as '#42'", at.text)
	}
	first := uint64(1)
	if num > n {
		first = num - n
	}
	if from, err = analyze.ParsePoint(fmt.Sprintf("#%d", first)); err != nil {
		return from, to, err
	}
	to, err = analyze.ParsePoint(fmt.Sprintf("#%d", num+n))
	return from, to, err
}
