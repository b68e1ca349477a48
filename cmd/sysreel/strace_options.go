package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"sysreel/analyze/format"
	"sysreel/analyze/replay"
	"sysreel/proto/syscalls"
	"sysreel/record"
)

// straceOptions are strace's options.
type straceOptions struct {
	help, version bool

	// what to trace
	follow     bool
	pids       []int
	command    []string
	env        []string // as given: VAR=VALUE, or VAR to take away
	user       string
	argv0      string
	detachExec bool
	interrupt  int // -I; 0: not given
	seccomp    bool
	killOnExit bool
	limit      int // --syscall-limit; 0: none
	inject     []string

	// which of it to print
	trace      string
	paths      []string
	signals    *straceSet
	statuses   *straceSet
	quiet      *straceSet
	quietCount int // of -q
	read       *straceSet
	write      *straceSet

	// how
	output     string
	separately bool
	append     bool
	column     int
	strings    int
	hex        format.Hex
	constants  string // -X
	abbrev     string // sets of calls
	verbose    string
	raw        string
	decodeFDs  *straceSet
	names      int // number of -y
	comms      bool
	numbers    bool // -n
	ip         bool
	stacks     int // frames; 0: none
	frames     int // of --stack-trace-frame-limit
	alwaysPID  bool

	clock     replay.Clock
	clockUnit replay.Precision
	clockSet  bool // by --absolute-timestamps
	times     int  // number of -t
	relative  bool
	relUnit   replay.Precision
	durations bool
	durUnit   replay.Precision

	// statistics
	summary     bool // -c
	andSummary  bool // -C
	overhead    time.Duration
	overheadSet bool
	sortBy      string
	columns     []string
	wall        bool

	// ours
	record string
	redact string
}

// straceShorts are strace's letters.
const straceShorts = "a:Ab:cCdDe:E:fFhiI:kno:O:p:P:qrs:S:tTu:U:vVwxX:yYzZ"

var straceLongs = []longOption{
	{"columns", needsValue, "a"},
	{"output-append-mode", noValue, "A"},
	{"detach-on", needsValue, "b"},
	{"summary-only", noValue, "c"},
	{"summary", noValue, "C"},
	{"debug", noValue, "d"},
	{"daemonize", mayHaveValue, "daemonize"},
	{"daemonise", mayHaveValue, "daemonize"},
	{"daemonised", mayHaveValue, "daemonize"},
	{"daemonized", mayHaveValue, "daemonize"},
	{"env", needsValue, "E"},
	{"follow-forks", noValue, "follow-forks"},
	{"output-separately", noValue, "output-separately"},
	{"help", noValue, "h"},
	{"instruction-pointer", noValue, "i"},
	{"interruptible", needsValue, "I"},
	{"stack-traces", mayHaveValue, "stack-trace"},
	{"stack-trace-frame-limit", needsValue, "stack-trace-frame-limit"},
	{"syscall-limit", needsValue, "syscall-limit"},
	{"syscall-number", noValue, "n"},
	{"arg-names", noValue, "arg-names"},
	{"output", needsValue, "o"},
	{"summary-syscall-overhead", needsValue, "O"},
	{"attach", needsValue, "p"},
	{"trace-path", needsValue, "P"},
	{"relative-timestamps", mayHaveValue, "relative-timestamps"},
	{"string-limit", needsValue, "s"},
	{"summary-sort-by", needsValue, "S"},
	{"absolute-timestamps", mayHaveValue, "absolute-timestamps"},
	{"timestamps", mayHaveValue, "absolute-timestamps"},
	{"syscall-times", mayHaveValue, "syscall-times"},
	{"user", needsValue, "u"},
	{"summary-columns", needsValue, "U"},
	{"no-abbrev", noValue, "v"},
	{"version", noValue, "V"},
	{"summary-wall-clock", noValue, "w"},
	{"strings-in-hex", mayHaveValue, "strings-in-hex"},
	{"const-print-style", needsValue, "X"},
	{"pidns-translation", noValue, "pidns-translation"},
	{"successful-only", noValue, "z"},
	{"failed-only", noValue, "Z"},
	{"failing-only", noValue, "Z"},
	{"seccomp-bpf", noValue, "seccomp-bpf"},
	{"kill-on-exit", noValue, "kill-on-exit"},
	{"argv0", needsValue, "argv0"},
	{"always-show-pid", noValue, "always-show-pid"},
	{"secontext", mayHaveValue, "secontext"},
	{"tips", mayHaveValue, "tips"},
	{"trace", needsValue, "trace"},
	{"trace-fds", needsValue, "trace-fds"},
	{"abbrev", needsValue, "abbrev"},
	{"verbose", needsValue, "verbose"},
	{"raw", needsValue, "raw"},
	{"signals", needsValue, "signal"},
	{"status", needsValue, "status"},
	{"read", needsValue, "read"},
	{"write", needsValue, "write"},
	{"fault", needsValue, "fault"},
	{"inject", needsValue, "inject"},
	{"kvm", needsValue, "kvm"},
	{"quiet", mayHaveValue, "quiet"},
	{"silent", mayHaveValue, "quiet"},
	{"silence", mayHaveValue, "quiet"},
	{"decode-fds", mayHaveValue, "decode-fds"},
	{"decode-pids", needsValue, "decode-pids"},
	{"record", needsValue, "record"},
	{"redact", needsValue, "redact"},
}

// qualifiers are what -e takes before an equals sign, by the option they are.
var qualifiers = map[string]string{
	"trace": "trace", "t": "trace",
	"abbrev": "abbrev", "a": "abbrev",
	"verbose": "verbose", "v": "verbose",
	"raw": "raw", "x": "raw",
	"signal": "signal", "signals": "signal", "s": "signal",
	"status": "status",
	"read":   "read", "reads": "read", "r": "read",
	"write": "write", "writes": "write", "w": "write",
	"fault": "fault", "inject": "inject", "kvm": "kvm",
	"quiet": "quiet", "silent": "quiet", "silence": "quiet", "q": "quiet",
	"decode-fd": "decode-fds", "decode-fds": "decode-fds",
	"decode-pid": "decode-pids", "decode-pids": "decode-pids",
	"trace-fd": "trace-fds", "trace-fds": "trace-fds", "fd": "trace-fds", "fds": "trace-fds",
	"namespace": "namespace", "secontext": "secontext",
}

// parseStrace takes strace's command line.
func parseStrace(args []string) (*straceOptions, error) {
	o := &straceOptions{strings: format.DefaultStrings, column: 40, signals: allOf(), quiet: &straceSet{}, redact: "off"}
	g := getopt{options: straceLongs, shorts: straceShorts}
	rest, err := g.parse(args, o.set)
	if err != nil {
		return nil, err
	}
	o.command = rest
	return o, o.check()
}

// set takes one option.
func (o *straceOptions) set(key string, value *string) error {
	text := ""
	if value != nil {
		text = *value
	}
	if done, err := o.setFlag(key, value); done || err != nil {
		return err
	}
	switch key {
	case "a":
		return number(&o.column, "-a", text, 0)
	case "b":
		if text != "execve" {
			return straceError("Syscall '%s' for -b isn't supported", text)
		}
		o.detachExec = true
	case "e":
		name, set, ok := strings.Cut(text, "=")
		if q := qualifiers[name]; ok && q != "" {
			return o.set(q, &set)
		}
		return o.set("trace", &text)
	case "E":
		o.env = append(o.env, text)
	case "I":
		n, ok := map[string]int{"1": 1, "2": 2, "3": 3, "4": 4, "anywhere": 1, "waiting": 2, "never": 3, "never_tstp": 4}[text]
		if !ok {
			return usagef("invalid -I argument: '%s'", text)
		}
		o.interrupt = n
	case "o":
		o.output = text
	case "O":
		d, ok := overhead(text)
		if !ok {
			return usagef("invalid -O argument: '%s'", text)
		}
		o.overhead, o.overheadSet = d, true
	case "p":
		return o.attach(text)
	case "P":
		o.paths = append(o.paths, text)
	case "s":
		return number(&o.strings, "-s", text, 0)
	case "S":
		by, ok := straceSorts[text]
		if !ok {
			return usagef("invalid sortby: '%s'", text)
		}
		o.sortBy = by
	case "u":
		o.user = text
	case "U":
		o.columns = nil
		for name := range strings.SplitSeq(text, ",") {
			c, ok := straceColumns[name]
			if !ok {
				return usagef("unknown column name: '%s'", name)
			}
			o.columns = append(o.columns, c)
		}
	case "X":
		switch text {
		case "raw", "abbrev", "verbose":
			o.constants = text
		default:
			return usagef("invalid -X argument: '%s'", text)
		}
	case "syscall-limit":
		return number(&o.limit, "--syscall-limit", text, 1)
	case "argv0":
		o.argv0 = text
	case "k", "stack-trace":
		if text != "" && text != "symbol" {
			return refused("--stack-trace="+text, "places in the source are not looked up")
		}
		o.stacks = record.DefaultStacks
	case "stack-trace-frame-limit":
		return number(&o.frames, "--stack-trace-frame-limit", text, 1)
	case "inject", "fault":
		expr := text
		if key == "fault" {
			expr = "fault=" + text
		}
		if err := record.CheckInject(expr); err != nil {
			return straceError("invalid %s argument '%s': %v", key, text, err)
		}
		o.inject = append(o.inject, expr)
	case "record":
		o.record = text
	case "redact":
		o.redact = text
	default:
		return o.setSet(key, value)
	}
	return nil
}

// setFlag takes the options without a value, and those for times.
func (o *straceOptions) setFlag(key string, value *string) (done bool, err error) {
	switch key {
	case "A":
		o.append = true
	case "c":
		o.summary = true
	case "C":
		o.andSummary = true
	case "f", "F", "follow-forks":
		if key == "f" && o.follow {
			o.separately = true
		}
		o.follow = true
	case "h":
		o.help = true
	case "i":
		o.ip = true
	case "n":
		o.numbers = true
	case "q":
		o.quietCount++
	case "r":
		o.relative, o.relUnit = true, replay.Micros
	case "t":
		o.times++
	case "T":
		o.durations, o.durUnit = true, replay.Micros
	case "v":
		o.abbrev = "none"
	case "V":
		o.version = true
	case "w":
		o.wall = true
	case "x":
		o.hex = min(max(o.hex, format.HexNone)+1, format.HexAll)
	case "y":
		o.names++
	case "Y":
		o.comms = true
	case "z":
		o.statuses = setOfOne("successful")
	case "Z":
		o.statuses = setOfOne("failed")
	case "output-separately":
		o.separately = true
	case "seccomp-bpf":
		o.seccomp = true
	case "kill-on-exit":
		o.killOnExit = true
	case "always-show-pid":
		o.alwaysPID = true
	case "relative-timestamps":
		o.relative = true
		return true, unitOf(&o.relUnit, key, value)
	case "syscall-times":
		o.durations = true
		return true, unitOf(&o.durUnit, key, value)
	case "absolute-timestamps":
		return true, o.timestamps(value)
	default:
		return false, nil
	}
	return true, nil
}

// setSet takes the options whose value is a set, and refuses those that are not
// to be had.
func (o *straceOptions) setSet(key string, value *string) (err error) {
	text := ""
	if value != nil {
		text = *value
	}
	switch key {
	case "trace":
		return callSet(&o.trace, text)
	case "abbrev":
		return callSet(&o.abbrev, text)
	case "verbose":
		return callSet(&o.verbose, text)
	case "raw":
		return callSet(&o.raw, text)
	case "signal":
		o.signals, err = parseStraceSet(text, "signal", signalMember)
	case "status":
		o.statuses, err = parseStraceSet(text, "status", memberOf("successful", "failed", "unfinished", "unavailable", "detached"))
	case "quiet":
		if value == nil {
			text = "attach,personality"
		}
		o.quiet, err = parseStraceSet(text, "quiet", quietMember)
		o.quiet.given = true
	case "read":
		o.read, err = parseStraceSet(text, "descriptor", descriptorMember)
	case "write":
		o.write, err = parseStraceSet(text, "descriptor", descriptorMember)
	case "decode-fds":
		if value == nil {
			text = "path"
		}
		o.decodeFDs, err = parseStraceSet(text, "decode-fds", memberOf("path", "dev", "socket", "pidfd", "eventfd", "signalfd"))
	case "decode-pids":
		set, err := parseStraceSet(text, "decode-pids", memberOf("comm", "pidns"))
		if err != nil {
			return err
		}
		if set.has("pidns") {
			return refused("--decode-pids=pidns", "PIDs in a trace are those that the recorder sees")
		}
		o.comms = set.has("comm")
	case "strings-in-hex":
		modes := map[string]format.Hex{"none": format.HexNone, "non-ascii-chars": format.HexChars, "non-ascii": format.HexNonASCII, "all": format.HexAll}
		mode, ok := modes[text]
		if value == nil {
			mode, ok = format.HexAll, true
		}
		if !ok {
			return usagef("invalid --strings-in-hex argument: '%s'", text)
		}
		o.hex = mode
	default:
		return o.refuse(key, text)
	}
	return err
}

// refuse says that an option is not to be had, and why.
func (o *straceOptions) refuse(key, text string) error {
	switch key {
	case "d":
		return refused("-d/--debug", "it shows what strace itself does")
	case "D", "daemonize":
		return refused("-D/--daemonize", "the recorder is the parent of what it records")
	case "kvm":
		return refused("-e kvm="+text, "the exits of virtual CPUs are not recorded")
	case "secontext":
		return refused("--secontext", "SELinux contexts are not recorded")
	case "pidns-translation":
		return refused("--pidns-translation", "PIDs in a trace are those that the recorder sees")
	case "tips":
		return refused("--tips", "there are none")
	}
	return refused("--"+key, "not yet")
}

// attach takes the PIDs of -p.
func (o *straceOptions) attach(list string) error {
	for _, word := range strings.FieldsFunc(list, func(r rune) bool { return strings.ContainsRune(", \t\n", r) }) {
		pid, err := strconv.Atoi(word)
		if err != nil || pid <= 0 {
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
	if value == nil {
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
		return straceError("invalid system call '%s'", name)
	}
	*to = text
	return nil
}

// check tells what does not go together, as strace does.
func (o *straceOptions) check() error {
	if o.help || o.version {
		return nil
	}
	piped := strings.HasPrefix(o.output, "|") || strings.HasPrefix(o.output, "!")
	switch {
	case len(o.command) == 0 && len(o.pids) == 0:
		return usagef("must have PROG [ARGS] or -p PID")
	case len(o.command) > 0 && len(o.pids) > 0:
		return refused("-p with PROG", "one recording is either of a command or of processes that run")
	case len(o.command) == 0 && o.user != "":
		return usagef("-u/--user and -p/--attach: PROG [ARGS] must be specified")
	case len(o.command) == 0 && o.argv0 != "":
		return usagef("--argv0: PROG [ARGS] must be specified")
	case o.summary && o.andSummary:
		return usagef("-c/--summary-only and -C/--summary are mutually exclusive")
	case (o.summary || o.andSummary) && o.separately:
		return usagef("(-c/--summary-only or -C/--summary) and -ff/--output-separately are mutually exclusive")
	case o.wall && !o.summary && !o.andSummary:
		return usagef("-w/--summary-wall-clock must be given with (-c/--summary-only or -C/--summary)")
	case piped && o.separately:
		return usagef("piping the output and -ff/--output-separately are mutually exclusive")
	case o.quietCount > 0 && o.quiet.given:
		return straceError("-q and -e quiet/--quiet cannot be provided simultaneously")
	case o.times > 0 && o.clockSet:
		return straceError("-t and --absolute-timestamps cannot be provided simultaneously")
	case o.names > 0 && o.decodeFDs != nil:
		return straceError("-y and --decode-fds cannot be provided simultaneously")
	}
	if o.stacks > 0 && o.frames > 0 {
		o.stacks = min(o.frames, record.MaxStacks)
	}
	if o.times > 0 {
		o.clock, o.clockUnit = clockOf(o.times)
	}
	if o.quietCount > 0 {
		o.quiet = setOfOne("attach", "personality")
		if o.quietCount > 1 {
			o.quiet.members["exit"] = true
		}
		if o.quietCount > 2 {
			o.quiet = allOf()
		}
	}
	return nil
}

// straceError is a mistake that strace tells without the hint at its help.
func straceError(format string, args ...any) error {
	return &exitError{status: exitTrouble, err: fmt.Errorf(format, args...)}
}

func refused(option, why string) error {
	return straceError("%s is not supported: %s", option, why)
}
