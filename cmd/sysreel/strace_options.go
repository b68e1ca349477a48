package main

import (
	"fmt"
	"math"
	"strings"
	"syscall"
	"time"

	"sysreel/analyze/format"
	"sysreel/analyze/replay"
	"sysreel/record"
)

// straceOptions are strace's options.
type straceOptions struct {
	help, version bool
	tips          tips
	warnings      []string // of options without effect, see check

	// what to trace
	follow     bool
	forks      int  // number of -f
	oldForks   bool // -F
	daemon     daemonized
	daemons    int   // number of -D
	skipped    []int // of pids: they cannot be attached to
	pids       []int
	command    []string
	env        []string // as given: VAR=VALUE, or VAR to take away
	user       *string  // nil: not given
	argv0      *string  // likewise
	detachExec bool
	interrupt  int // -I; 0: not given
	seccomp    bool
	killOnExit bool
	limit      int // --syscall-limit; 0: none
	inject     []string

	// which of it to print
	trace      string
	paths      []string
	traceFDs   *straceSet
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
	outerPIDs  bool
	namespaces bool // -e namespace=new
	vcpus      format.VCPUs
	numbers    bool // -n
	ip         bool
	argNames   bool // -N
	secontexts format.Secontexts
	stacks     int  // frames; 0: none
	sources    bool // -kk
	frames     int  // of --stack-trace-frame-limit
	framesSet  bool
	alwaysPID  bool
	color      colorWhen
	hexCount   int  // number of -x
	hexSet     bool // by --strings-in-hex
	resultSets int  // number of -z and -Z

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
const straceShorts = "a:Ab:cCdDe:E:fFhiI:knNo:O:p:P:qrs:S:tTu:U:vVwxX:yYzZ"

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
	{"stack-trace", mayHaveValue, "stack-trace"},
	{"stack-traces", mayHaveValue, "stack-trace"},
	{"stack-trace-frame-limit", needsValue, "stack-trace-frame-limit"},
	{"syscall-limit", needsValue, "syscall-limit"},
	{"syscall-number", noValue, "n"},
	{"arg-names", noValue, "N"},
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
	{"color", needsValue, "color"},
	{"namespace", needsValue, "namespace"},
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
	o := &straceOptions{strings: format.DefaultStrings, column: defaultColumn, signals: allOf(), quiet: &straceSet{}, redact: "off", color: colorAuto}
	g := getopt{options: straceLongs, shorts: straceShorts}
	rest, err := g.parse(args, o.set)
	if err != nil {
		return nil, err
	}
	o.command = rest
	return o, o.check()
}

// set takes one option, spelt as it is on the command line.
func (o *straceOptions) set(key, spelt string, value *string) error {
	text := ""
	if value != nil {
		text = *value
	}
	if done, err := o.setFlag(key, value); done || err != nil {
		return err
	}
	invalid := func() error { return usagef("invalid %s argument: '%s'", spelt, text) }
	switch key {
	case "a":
		return number(&o.column, spelt, text, 0)
	case "b":
		if text != "execve" {
			return straceError("Syscall '%s' for -b isn't supported", text)
		}
		o.detachExec = true
	case "e":
		name, set, ok := strings.Cut(text, "=")
		if q := qualifiers[name]; ok && q != "" {
			return o.set(q, "--"+q, &set)
		}
		return o.set("trace", "--trace", &text)
	case "E":
		o.env = append(o.env, text)
	case "I":
		n, ok := map[string]int{"1": 1, "2": 2, "3": 3, "4": 4, "anywhere": 1, "waiting": 2, "never": 3, "never_tstp": 4}[text]
		if !ok {
			return invalid()
		}
		o.interrupt = n
	case "o":
		if o.output = text; text == "" {
			return straceError("Can't fopen '': %s", reason(syscall.ENOENT))
		}
	case "O":
		d, ok := overhead(text)
		if !ok {
			return invalid()
		}
		o.overhead, o.overheadSet = d, true
	case "p":
		return o.attach(text)
	case "P":
		o.paths = append(o.paths, text)
	case "s":
		const most = math.MaxUint32 / 4
		if err := number(&o.strings, spelt, text, 0); err != nil || o.strings <= most {
			return err
		}
		return invalid()
	case "S":
		by, ok := straceSorts[strings.ReplaceAll(text, "_", "-")]
		if !ok {
			return usagef("invalid sortby: '%s'", text)
		}
		o.sortBy = by
	case "u":
		o.user = &text
	case "U":
		return o.setColumns(text)
	case "X":
		if _, ok := constantStyles[text]; !ok {
			return invalid()
		}
		o.constants = text
	case "syscall-limit":
		return number(&o.limit, spelt, text, 1)
	case "argv0":
		o.argv0 = &text
	case "k", "stack-trace":
		if value != nil && text != "symbol" && text != "source" {
			return invalid()
		}
		o.sources = text == "source" || key == "k" && o.stacks > 0
		o.stacks = record.DefaultStacks
	case "stack-trace-frame-limit":
		o.framesSet = true
		return number(&o.frames, spelt, text, 1)
	case "inject", "fault":
		expr := text
		if key == "fault" {
			expr = "fault=" + text
		}
		calls, _, _ := strings.Cut(text, ":")
		if err := callSet(new(string), calls); err != nil {
			return err
		}
		if err := record.CheckInject(expr); err != nil {
			return straceError("invalid %s argument '%s': %v", key, text, err)
		}
		o.warnOfErrors(text)
		o.inject = append(o.inject, expr)
	case "daemonize":
		how, ok := daemonizedAs[text]
		if value == nil {
			how, ok = grandchild, true
		}
		if !ok {
			return invalid()
		}
		o.daemon = how
	case "color":
		when, ok := parseColor(text)
		if !ok {
			return invalid()
		}
		o.color = when
	case "tips":
		if err := o.tips.parse(text); err != nil {
			return invalid()
		}
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
	case "D":
		o.daemons++
	case "f":
		o.forks++
	case "F":
		o.oldForks = true
	case "follow-forks":
		o.follow = true
	case "h":
		o.help = true
	case "i":
		o.ip = true
	case "n":
		o.numbers = true
	case "N":
		o.argNames = true
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
		o.hexCount++
	case "y":
		o.names++
	case "Y":
		o.comms = true
	case "z":
		o.statuses = setOfOne("successful")
		o.resultSets++
	case "Z":
		o.statuses = setOfOne("failed")
		o.resultSets++
	case "output-separately":
		o.separately = true
	case "seccomp-bpf":
		o.seccomp = true
	case "kill-on-exit":
		o.killOnExit = true
	case "always-show-pid":
		o.alwaysPID = true
	case "pidns-translation":
		o.outerPIDs = true
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
		set, err := parseStraceSet(text, "decode-pids", pidDetail)
		if err != nil {
			return err
		}
		o.comms, o.outerPIDs = set.has("comm"), set.has("pidns")
	case "strings-in-hex":
		modes := map[string]format.Hex{"none": format.HexNone, "non-ascii-chars": format.HexChars, "non-ascii": format.HexNonASCII, "all": format.HexAll}
		mode, ok := modes[text]
		if value == nil {
			mode, ok = format.HexAll, true
		}
		if !ok {
			return usagef("invalid --strings-in-hex argument: '%s'", text)
		}
		o.hex, o.hexSet = mode, true
	case "namespace":
		if text != "new" {
			return straceError("invalid -e namespace= argument: '%s'", text)
		}
		o.namespaces = true
	case "kvm":
		vcpus, ok := vcpuWords[text]
		if !ok {
			return straceError("invalid -e kvm= argument: '%s'", text)
		}
		o.vcpus = vcpus
	case "secontext":
		if value == nil {
			text = secontextTypes
		}
		o.secontexts, err = parseSecontexts(text)
	case "trace-fds":
		o.traceFDs, err = parseStraceSet(text, "descriptor", descriptorMember)
	default:
		return o.refuse(key)
	}
	return err
}

// refuse says that an option is not to be had, and why.
func (o *straceOptions) refuse(key string) error {
	switch key {
	case "d":
		return refused("-d/--debug", "it shows what strace itself does")
	}
	return refused("--"+key, "not yet")
}

// straceError is a mistake that strace tells without the hint at its help.
func straceError(format string, args ...any) error {
	return &exitError{status: exitTrouble, err: fmt.Errorf(format, args...)}
}

func refused(option, why string) error {
	return straceError("%s is not supported: %s", option, why)
}
