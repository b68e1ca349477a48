package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"sysreel/analyze/format"
	"sysreel/analyze/replay"
	"sysreel/proto/syscalls"
	"sysreel/record"
)

// straceVersion is the strace whose options and text are meant.
const straceVersion = "7.2"

func newStraceCommand(std *stdio) *cobra.Command {
	return &cobra.Command{
		Use:   "strace [strace's options] PROG [ARGS]\n  sysreel strace [strace's options] -p PID",
		Short: "trace system calls as strace does: same options, same text",
		Long: `Print the system calls and signals of a command or of running processes while
they happen, as strace does: with its options, in its notation. An option that
is not supported is refused by name. Called as "strace" sysreel does the same.`,
		Example: `  sysreel strace -f -o make.txt make
  sysreel strace -p "$(pidof redis-server)" -e trace=%network -T
  sysreel strace --record build.reel -f -o build.txt make`,
		DisableFlagParsing: true, // they are strace's: see straceHelp
		RunE: func(cmd *cobra.Command, args []string) error {
			return runStrace(cmd.Context(), std, args)
		},
	}
}

// calledStrace tells whether the program is to be strace.
func calledStrace(argv0 string) bool {
	return strings.TrimSuffix(filepath.Base(argv0), ".exe") == "strace"
}

func runStrace(ctx context.Context, std *stdio, args []string) error {
	o, err := parseStrace(args)
	if o != nil && os.Getenv(heldVariable) == "" {
		for _, w := range o.warnings {
			straceSays(std, "%s", w)
		}
	}
	if err == nil {
		switch {
		case o.help:
			_, err = io.WriteString(std.out, straceHelp)
		case o.version:
			_, err = fmt.Fprintf(std.out, "strace -- version %s\nThis is sysreel %s, which stands in for it: same options, same text.\n\n"+
				"Optional features enabled: stack-trace m32-mpers mx32-mpers\n", straceVersion, buildVersion())
		case len(o.command) == 0 && len(o.pids) == 0: // for the tip alone
		default:
			err = o.run(ctx, std)
		}
		if o.tips.shown && !o.help && !o.version {
			io.WriteString(std.err, o.tips.text())
		}
	}
	var usage *usageError
	var exit *exitError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &usage):
		straceSays(std, "%v", usage)
		fmt.Fprintln(std.err, "Try 'strace -h' for more information.")
	case errors.As(err, &exit) && exit.err == nil:
		return exit
	default:
		straceSays(std, "%v", err)
	}
	return &exitError{status: exitTrouble}
}

// straceSays writes a message as strace does.
func straceSays(std *stdio, format string, args ...any) {
	std.message("strace: "+format, args...)
}

// run traces.
func (o *straceOptions) run(ctx context.Context, std *stdio) error {
	if len(o.command) > 0 && strings.Contains(o.command[0], "/") {
		if _, err := os.Stat(o.command[0]); err != nil {
			return cannotStat(o.command[0], err)
		}
	}
	var held *record.Held
	if o.daemonized() != 0 {
		var err error
		if held, err = o.become(std); held == nil {
			return err
		}
	}
	out, err := o.openText(std)
	if err != nil {
		return err
	}
	defer out.close()
	stream, err := o.openStream(std)
	if err != nil {
		return err
	}
	signals := make(chan os.Signal, 4)
	ro, err := o.recordOptions(stream, signals, std)
	if err != nil {
		return err
	}
	ro.Held = held
	text := newStraceText(o, std, out)
	if held != nil && !text.quietly("attach") {
		straceSays(std, "Process %d attached", held.PID)
	}
	ro.Freeze = text.enough
	done := make(chan error, 1)
	go func() { done <- text.run(ctx, stream.reader) }()

	quickStart()
	ended := o.listen(signals)
	surviveBrokenPipe()

	result, err := record.Run(ctx, ro)
	for _, e := range []error{stream.end(), <-done, out.close()} {
		if err == nil {
			err = e
		}
	}
	if err != nil {
		return o.failure(err, text.told)
	}
	if text.atLimit() {
		return nil
	}
	return o.exit(result, ended)
}

// recordOptions are what is to be recorded.
func (o *straceOptions) recordOptions(stream *straceStream, signals <-chan os.Signal, std *stdio) (record.Options, error) {
	snap := -1
	if o.strings > 0 {
		snap = o.strings + 1 // strace looks at one more, and shows nothing of a string if it cannot
	}
	r := record.Options{
		Command:        o.command,
		Unchecked:      true,
		PIDs:           o.attached(),
		NoSuspend:      o.interruptible() == neverEvenStopped,
		Alone:          !o.follow,
		KillOnExit:     o.killOnExit,
		Leave:          o.limit > 0,
		NoFingerprints: o.record == "",
		Inject:         o.inject,
		Stacks:         o.stackDepth(),
		VCPUs:          record.VCPUs(o.vcpus),
		SystemTime:     (o.summary || o.andSummary) && !o.wall,
		DetachExec:     o.detachExec,
		Names:          o.fdNames() != replay.NoNames,
		Inner:          o.comms || o.outerPIDs,
		Secontexts:     o.secontexts != format.NoSecontexts && !o.summary,
		Sockets:        o.fdNames()&replay.Sockets != 0,
		Output:         stream,
		HandOver:       true,
		Recorder:       "sysreel " + buildVersion(),
		NoFollow:       !o.follow,
		Trace:          o.trace,
		Seccomp:        o.seccompMode(),
		Snap:           snap,
		Environ:        o.abbrev != "",
		Redact:         o.redact,
		FlushEvery:     o.flushEvery(),
		Signals:        signals,
		Warn:           func(message string) { straceSays(std, "%s", message) },
	}
	r.ExpectedSecontexts = o.secontexts&format.ExpectedToo != 0
	if len(o.pids) > 1 || len(o.command) > 0 {
		r.Skipped = func(err error) { o.skip(std, err) }
	}
	if o.argv0 != nil {
		r.Program = o.command[0]
		r.Command = append([]string{*o.argv0}, o.command[1:]...)
	}
	if len(o.env) > 0 {
		r.Env = changedEnv(os.Environ(), o.env)
	}
	r.WholeRead, r.WholeWritten = o.read.descriptors(), o.write.descriptors()
	if o.user != nil {
		var err error
		if r.User, err = lookUpUser(*o.user); err != nil {
			return r, err
		}
	}
	return r, nil
}

// attached are the processes or threads to attach to: with -f all of a process, by
// whichever of its threads it was named.
func (o *straceOptions) attached() []int {
	if !o.follow {
		return o.pids
	}
	var pids []int
	for _, id := range o.pids {
		pids = append(pids, processOf(id))
	}
	return pids
}

// processOf returns the process that a thread is of; the ID itself if there is none.
func processOf(tid int) int {
	status, _ := os.ReadFile("/proc/" + strconv.Itoa(tid) + "/status")
	for line := range strings.Lines(string(status)) {
		if id, ok := strings.CutPrefix(line, "Tgid:\t"); ok {
			if pid, err := strconv.Atoi(strings.TrimSpace(id)); err == nil {
				return pid
			}
		}
	}
	return tid
}

func threadsOf(pid int) int {
	list, _ := os.ReadDir("/proc/" + strconv.Itoa(pid) + "/task")
	return len(list)
}

// changedEnv returns an environment with variables set, and taken away.
func changedEnv(env, changes []string) []string {
	for _, c := range changes {
		name, _, set := strings.Cut(c, "=")
		env = slices.DeleteFunc(env, func(v string) bool { return strings.HasPrefix(v, name+"=") })
		if set {
			env = append(env, c)
		}
	}
	return env
}

// lookUpUser returns whom the command is to run as: a user, or UID:GID without any
// other groups.
func lookUpUser(name string) (*record.User, error) {
	if uid, gid, ok := strings.Cut(name, ":"); ok {
		const none = math.MaxUint32 // for setresuid(2): no change
		u, uerr := strconv.ParseUint(uid, 10, 32)
		g, gerr := strconv.ParseUint(gid, 10, 32)
		if uerr != nil || gerr != nil || u == none || g == none {
			return nil, straceError("Invalid UID:GID pair '%s'", name)
		}
		return &record.User{UID: uint32(u), GID: uint32(g)}, nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		return nil, straceError("Cannot find user '%s'", name)
	}
	ids, err := u.GroupIds()
	if err != nil {
		return nil, straceError("Cannot find the groups of user '%s': %v", name, err)
	}
	id := func(s string) uint32 {
		n, perr := strconv.ParseUint(s, 10, 32)
		if perr != nil {
			err = straceError("User '%s' has no number: %v", name, perr)
		}
		return uint32(n)
	}
	r := &record.User{UID: id(u.Uid), GID: id(u.Gid)}
	for _, s := range ids {
		r.Groups = append(r.Groups, id(s))
	}
	return r, err
}

// stackDepth is how much is needed of stacks: of -i the innermost frame.
func (o *straceOptions) stackDepth() int {
	if o.stacks == 0 && o.ip {
		return 1
	}
	return o.stacks
}

func (o *straceOptions) seccompMode() record.Seccomp {
	if o.seccomp && o.follow && !o.detachExec && o.trace != "" && len(o.command) > 0 {
		return record.SeccompOn
	}
	return record.SeccompOff
}

// failure tells why there is no trace, in strace's words. told is whether the text
// has told that the command cannot be executed.
func (o *straceOptions) failure(err error, told bool) error {
	var command *record.CommandError
	var attach *record.AttachError
	var errno syscall.Errno
	numbered := errors.As(err, &errno) // the kernel's word
	switch {
	case errors.As(err, &command) && numbered && told:
		return &exitError{status: exitTrouble}
	case errors.As(err, &command) && numbered:
		return straceError("%s", cannotExec(int(errno)))
	case errors.As(err, &command):
		return straceError("Cannot find executable '%s'", command.Name)
	case errors.As(err, &attach) && numbered:
		s := fmt.Sprintf("attach: ptrace(PTRACE_SEIZE, %d): %s", attach.PID, syscalls.ErrnoText(int(errno)))
		if attach.Hint != "" {
			s += "; " + attach.Hint
		}
		return straceError("%s", s)
	case errors.As(err, &attach):
		return straceError("attach: %v", attach)
	}
	return &exitError{status: exitTrouble, err: err}
}

// skip tells of a process that could not be attached to where others could.
func (o *straceOptions) skip(std *stdio, err error) {
	straceSays(std, "%v", o.failure(err, false))
	var attach *record.AttachError
	if errors.As(err, &attach) {
		o.skipped = append(o.skipped, attach.PID)
	}
}

// cannotExec is what strace says where the kernel does not execute the command.
func cannotExec(errno int) string { return "exec: " + syscalls.ErrnoText(errno) }

func cannotStat(name string, err error) error {
	return straceError("Cannot stat '%s': %s", name, reason(err))
}

// exit ends as the command did: with its status, or by the same signal. Where it
// goes on without a trace, by the signal that ended that.
func (o *straceOptions) exit(r record.Result, ended <-chan syscall.Signal) error {
	switch {
	case !r.Exited:
		return endedBy(ended)
	case r.WaitStatus&0x7f != 0:
		return &exitError{status: 128 + int(r.WaitStatus&0x7f), signal: int(r.WaitStatus & 0x7f)}
	case r.WaitStatus>>8&0xff != 0:
		return &exitError{status: int(r.WaitStatus >> 8 & 0xff)}
	}
	return nil
}
