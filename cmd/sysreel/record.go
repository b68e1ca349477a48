package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"sysreel/analyze/format"
	"sysreel/proto/syscalls"
	"sysreel/record"
)

// recordOptions are the flags of record.
type recordOptions struct {
	output    string
	force     bool
	backend   string
	pids      pidsValue
	tree      bool
	cgroup    string
	container string
	wait      bool
	restarts  bool
	noFollow  bool
	trace     exprValue
	seccomp   string
	snap      snapValue
	inject    []string
	noPrints  bool
	env       bool
	stacks    depthValue
	kvm       vcpuValue
	secontext string
	redact    listValue
	maxTime   time.Duration
	maxSize   sizeValue
	rotate    rotateValue
	ring      sizeValue
	until     string
	onFull    string
	maxEvents countValue
	quiet     bool
}

func newRecordCommand(std *stdio) *cobra.Command {
	var o recordOptions
	cmd := &cobra.Command{
		Use:   "record [flags] -- COMMAND [ARG...]\n  sysreel record [flags] -p PID[,PID...]\n  sysreel record [flags] --container NAME|ID",
		Short: "record the system calls of a command or of running processes",
		Long: `Record the system calls, signals and exits of a command and of all its
children, of running processes, or of a container, into a trace file.

The command's output, input and exit status are its own. Recording slows its
system calls down; it changes nothing else. If recording has to end early (a
limit, a full disk), the command goes on without it.

With -e a command gets a seccomp filter, where that pays: the kernel then
stops it at the calls selected and lets the others through at full speed. A
filter cannot be taken away and needs the recorder. So when the recording ends
early sysreel stays until the last process has ended; kill -9 of sysreel kills
them, as does a further signal; and the command's processes cannot trace each
other (gdb, strace). --seccomp=off does without.

SIGUSR1 ends the recording as a limit does. A ring is what --ring keeps, and what
is there if sysreel is killed: with --ring 100MB --until 'exit!=0,signal=SEGV'
FILE shows what went before a failure. It takes up to 1.75 times its size on the
disk for moments.`,
		Example: `  sysreel record -o good.reel -- make -j4
  sysreel record -p "$(pidof redis-server)" --max-time 10s
  sysreel record --container web --wait
  sysreel record -e trace=%file -o - -- ls | sysreel summary -
  sysreel record -p 1234 --ring 100MB --until write=ENOSPC -o last.reel
  sysreel record -p 1234 --rotate 100MB,10 -o day.reel`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runRecord(cmd.Context(), std, o, args)
		},
	}
	f := cmd.Flags()
	f.SetInterspersed(false) // the command's flags are its own, "--" or not
	f.StringVarP(&o.output, "output", "o", "", "write the trace to `FILE`, - for standard output (default COMMAND-YYYYMMDD-HHMMSS.reel)")
	f.BoolVar(&o.force, "force", false, "overwrite an existing FILE")
	f.StringVar(&o.backend, "backend", "auto", "how to record: auto or ptrace")
	f.VarP(&o.pids, "pid", "p", "attach to running processes")
	f.BoolVar(&o.tree, "tree", false, "with -p: and to all their descendants")
	f.StringVar(&o.container, "container", "", "every process of a container, now and later: `NAME`, ID or beginning of an ID (Docker, podman, containerd, Kubernetes)")
	f.StringVar(&o.cgroup, "cgroup", "", "every process of a control group and of those below it, now and later: a directory, or a `PATH` as in /proc/PID/cgroup")
	f.BoolVar(&o.wait, "wait", false, "with --container and --cgroup: wait for it to start")
	f.BoolVar(&o.restarts, "restarts", false, "with --container and --cgroup: when it has ended, wait for it to start again, until interrupted")
	f.BoolVar(&o.noFollow, "no-follow", false, "leave child processes alone")
	f.VarP(&o.trace, "expr", "e", "which calls: names, %file, %network, %process, %desc, …, /regex; ! negates")
	f.StringVar(&o.seccomp, "seccomp", "auto", "with -e: let the kernel pass other calls by: auto, on or off")
	f.Var(&o.snap, "snap", fmt.Sprintf("keep `BYTES` of each data buffer; structures and paths are kept whole (default %d; %d of text that is written)",
		record.DefaultSnap, record.DefaultWritten))
	f.BoolVar(&o.noPrints, "no-fingerprints", false, "keep no 16-bit hashes of what is read from files, by which diff sees changes in what is not kept")
	f.Var(&o.stacks, "stacks", fmt.Sprintf("keep the call stack of each call, of `DEPTH` frames at most (%d without a number; 1: the instruction pointer alone)", record.DefaultStacks))
	f.Lookup("stacks").NoOptDefVal = strconv.Itoa(record.DefaultStacks)
	f.Var(&o.kvm, "kvm", "keep of virtual CPUs that KVM runs: vcpu, why KVM_RUN came back; vcpu+, and their state before it")
	f.StringVar(&o.secontext, "secontext", "none", "keep the SELinux contexts of threads, descriptors and files; `SET` is as of strace: mismatch keeps also what the policy has")
	f.Lookup("secontext").NoOptDefVal = secontextTypes
	f.StringArrayVar(&o.inject, "inject", nil, "tamper with calls: `EXPR` is what strace's -e inject= takes, or fault= and what its -e fault= takes; repeatable")
	f.BoolVar(&o.env, "env", false, "keep environments too")
	f.Var(&o.redact, "redact", "blank secrets in the trace by `RULES`, or off; see below")
	f.DurationVar(&o.maxTime, "max-time", 0, "stop after this long (10s, 5m)")
	f.Var(&o.maxSize, "max-size", "stop before FILE is larger than this (100MB)")
	f.Var(&o.rotate, "rotate", "write files of this size, each a trace, and keep the last KEEP: NAME.0001.reel, NAME.0002.reel, …")
	f.Var(&o.ring, "ring", "keep the last of the recording only: FILE is never larger than this")
	f.StringVar(&o.until, "until", "", "stop at `EVENT`: exit=N, exit!=N, signal=NAME, ERRNO or CALL=ERRNO; any of several with commas")
	f.StringVar(&o.onFull, "on-full", "block", "where FILE is slower than the processes: `block` them, or drop events and count them")
	f.Var(&o.maxEvents, "max-events", "stop after `N` events")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print nothing but errors")
	cmd.SetUsageTemplate(cmd.UsageTemplate() + redactHelp() + `
Exit status: the COMMAND's own, 128+N if it was killed by signal N; 0 after
an attach; 125 if sysreel itself failed or left COMMAND running, 126 if COMMAND
cannot be executed, 127 if it was not found.
`)
	return cmd
}

// redactHelp tells what --redact takes.
func redactHelp() string {
	var b strings.Builder
	b.WriteString(`
Rules of --redact: "off", or a list of NAME (only what is named), +NAME and -NAME
(changes to the default) and /REGEXP/ (what it matches, or its first group):
`)
	for _, r := range record.RedactRules() {
		sign := " "
		if r.Default {
			sign = "*"
		}
		fmt.Fprintf(&b, "%s %-12s %s\n", sign, r.Name, r.About)
	}
	b.WriteString("* by default. A secret is replaced in the trace by a mark of its length.\n")
	return b.String()
}

func runRecord(ctx context.Context, std *stdio, o recordOptions, args []string) error {
	targets := 0
	for _, given := range []bool{len(args) > 0, len(o.pids) > 0, o.container != "", o.cgroup != ""} {
		if given {
			targets++
		}
	}
	switch {
	case targets == 0:
		return usagef("nothing to record: give a COMMAND, processes with -p, or a --container or --cgroup")
	case targets > 1:
		return usagef("give one of a COMMAND, processes with -p, --container and --cgroup")
	case o.wait && o.container == "" && o.cgroup == "":
		return usagef("--wait goes with --container or --cgroup")
	case o.restarts && o.container == "" && o.cgroup == "":
		return usagef("--restarts goes with --container or --cgroup")
	case o.noFollow && (o.container != "" || o.cgroup != ""):
		return usagef("--no-follow does not go with --container and --cgroup, which record all processes")
	case o.maxTime < 0:
		return usagef("--max-time %v: a recording cannot last less than no time", o.maxTime)
	case o.tree && len(o.pids) == 0:
		return usagef("--tree goes with -p")
	case o.backend != "auto" && o.backend != "ptrace":
		return usagef("no backend %q: there is auto and ptrace", o.backend)
	}
	seccomp, ok := seccompModes[o.seccomp]
	switch {
	case !ok:
		return usagef("--seccomp is auto, on or off, not %q", o.seccomp)
	case seccomp == record.SeccompOn && o.trace == "":
		return usagef("--seccomp=on goes with -e")
	case seccomp == record.SeccompOn && len(o.pids) > 0:
		return usagef("--seccomp=on goes with a COMMAND: a running process cannot be given a filter")
	case seccomp == record.SeccompOn && o.noFollow:
		return usagef("--seccomp=on does not go with --no-follow: children inherit the filter, and cannot run without a tracer")
	}
	if o.trace != "" {
		if _, err := syscalls.ParseSet(string(o.trace)); err != nil {
			return &usageError{fmt.Errorf("-e trace=%s: %w", o.trace, err)}
		}
	}
	for _, expr := range o.inject {
		if err := record.CheckInject(expr); err != nil {
			return &usageError{fmt.Errorf("--inject %w", err)}
		}
	}
	if err := record.CheckRedact(string(o.redact)); err != nil {
		return &usageError{fmt.Errorf("--redact=%s: %w", o.redact, err)}
	}

	secontexts, err := parseSecontexts(o.secontext)
	if err != nil {
		return usagef("--secontext: %v", err)
	}
	drop := false
	switch o.onFull {
	case "drop":
		drop = true
	case "block":
	default:
		return usagef("--on-full=%s: there is block and drop", o.onFull)
	}
	if err := o.checkSizes(); err != nil {
		return err
	}
	if o.until != "" {
		if _, err := record.ParseUntil(o.until); err != nil {
			return &usageError{fmt.Errorf("--until: %w", err)}
		}
	}

	name := o.output
	if name == "" {
		name = defaultOutput(args, o, time.Now())
	}
	dest, err := o.open(name, std)
	if err != nil {
		return &exitError{status: exitRecord, err: err}
	}
	out := dest.output

	quickStart()
	signals := make(chan os.Signal, 4)
	for _, sig := range stopSignals {
		if !signal.Ignored(sig) { // nohup, background jobs
			signal.Notify(signals, sig)
		}
	}
	defer signal.Stop(signals)
	freeze := make(chan string, 1)
	defer onFreezeSignal(freeze)()
	surviveBrokenPipe()

	result, err := record.Run(ctx, record.Options{
		Command:        args,
		PIDs:           o.pids,
		Tree:           o.tree,
		Output:         dest.w,
		Drop:           drop,
		PartSize:       int64(o.rotate.size),
		NextPart:       dest.next,
		RingSize:       int64(o.ring),
		RingFiles:      dest.ring,
		Until:          o.until,
		Freeze:         freeze,
		Cgroup:         o.cgroup,
		Container:      o.container,
		Wait:           o.wait,
		Restarts:       o.restarts,
		StdoutToStderr: out.isStdout,
		HandOver:       true,
		Recorder:       "sysreel " + buildVersion(),
		NoFollow:       o.noFollow,
		Trace:          string(o.trace),
		Seccomp:        seccomp,
		Snap:           int(o.snap),
		Inject:         o.inject,
		NoFingerprints: o.noPrints,
		Environ:        o.env,
		Stacks:         int(o.stacks),
		VCPUs:          record.VCPUs(o.kvm),
		Redact:         string(o.redact),
		Secontexts:     secontexts != format.NoSecontexts,
		MaxTime:        o.maxTime,
		MaxSize:        int64(o.maxSize),
		MaxEvents:      uint64(o.maxEvents),
		Signals:        signals,

		ExpectedSecontexts: secontexts&format.ExpectedToo != 0,

		Warn: func(message string) {
			if !o.quiet {
				std.message("sysreel record: %s", message)
			}
		},
	})
	if cerr := out.Close(); err == nil && cerr != nil {
		err = &record.OutputError{Err: cerr}
	}
	if err != nil {
		return recordError(err, out, result)
	}
	if !o.quiet {
		std.message("sysreel: %s", recordSummary(result, out))
	}
	if len(args) > 0 && !result.Exited {
		return &exitError{status: exitRecord, err: fmt.Errorf("%s was left running; its exit status is not known", args[0])}
	}
	if status := commandStatus(result); status != 0 {
		return &exitError{status: status}
	}
	return nil
}

// quickStart keeps the garbage collector out of recordings that are over in a
// moment, where it would take a good part of the time: for a second it waits
// until there are 40 MiB.
func quickStart() {
	usual := debug.SetGCPercent(1000) // of 4 MiB
	time.AfterFunc(time.Second, func() { debug.SetGCPercent(usual) })
}

var seccompModes = map[string]record.Seccomp{"auto": record.SeccompAuto, "on": record.SeccompOn, "off": record.SeccompOff}

// recordError turns an error of Run into a message and an exit status.
func recordError(err error, out *output, result record.Result) error {
	var command *record.CommandError
	var output *record.OutputError
	switch {
	case errors.As(err, &command) && command.NotFound:
		return &exitError{status: exitNoCmd, err: err}
	case errors.As(err, &command):
		return &exitError{status: exitNoExec, err: err}
	case errors.Is(err, record.ErrAbsent):
		err = fmt.Errorf("%w; with --wait sysreel waits for it", err)
	case errors.As(err, &output):
		holds := fmt.Sprintf("the first %s", humanize.Comma(int64(result.Events)))
		if result.Kept < result.Events {
			holds = fmt.Sprintf("%s to %s", humanize.Comma(int64(result.Events-result.Kept+1)), humanize.Comma(int64(result.Events)))
		}
		err = fmt.Errorf("writing %s: %w; it holds %s events, the rest was not recorded", out.name, output.Err, holds)
	}
	return &exitError{status: exitRecord, err: err}
}

// recordSummary is the one line at the end.
func recordSummary(r record.Result, out *output) string {
	file := out.name
	if r.Kept < r.Events {
		file = fmt.Sprintf("the last %s in %s", humanize.Comma(int64(r.Kept)), out.name)
	}
	s := fmt.Sprintf("%s %s of %s %s in %s → %s (%s), %s lost",
		humanize.Comma(int64(r.Events)), plural(r.Events, "event"),
		humanize.Comma(int64(r.Processes)), plural(uint64(r.Processes), "process"),
		shortDuration(r.Duration), file, humanize.IBytes(uint64(r.Bytes)),
		humanize.Comma(int64(r.Lost)))
	switch r.End {
	case record.Interrupted:
		s += "; interrupted"
	case record.Limit:
		s += "; stopped by the limit of " + r.Detail
	case record.Triggered:
		s += "; stopped by " + r.Detail
		if r.Trigger > 0 {
			s += fmt.Sprintf(" (#%d)", r.Trigger)
		}
	}
	return s
}

func plural(n uint64, noun string) string {
	switch {
	case n == 1:
		return noun
	case strings.HasSuffix(noun, "s"):
		return noun + "es"
	}
	return noun + "s"
}

func shortDuration(d time.Duration) string {
	switch {
	case d >= time.Minute:
		return d.Round(time.Second).String()
	case d >= time.Second:
		return fmt.Sprintf("%.2f s", d.Seconds())
	}
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}

// commandStatus is the exit status that a shell would give the command.
func commandStatus(r record.Result) int {
	if !r.Exited {
		return exitDone
	}
	if sig := r.WaitStatus & 0x7f; sig != 0 {
		return 128 + int(sig)
	}
	return int(r.WaitStatus >> 8 & 0xff)
}

// defaultOutput is COMMAND-YYYYMMDD-HHMMSS.reel.
func defaultOutput(args []string, o recordOptions, now time.Time) string {
	name := "attach"
	switch {
	case len(args) > 0:
		name = filepath.Base(args[0])
	case len(o.pids) > 0:
		name = fmt.Sprintf("pid%d", o.pids[0])
	case o.container != "":
		name = fileName(o.container)
	case o.cgroup != "":
		name = fileName(o.cgroup)
	}
	return name + now.Format("-20060102-150405") + ".reel"
}

// fileName makes the last part of a container's name or of a cgroup's path the
// beginning of a file's name.
func fileName(target string) string {
	name := filepath.Base(target)
	if name == "/" || name == "." || name == ".." {
		return "cgroup"
	}
	return strings.TrimLeft(name, "-")
}
