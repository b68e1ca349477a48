package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"sysreel/analyze/replay"
	"sysreel/record"
)

// straceVersion is the strace whose options and text are meant.
const straceVersion = "7.0"

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
	if err == nil {
		switch {
		case o.help:
			_, err = io.WriteString(std.out, straceHelp)
		case o.version:
			_, err = fmt.Fprintf(std.out, "sysreel %s\nOptions and text as of strace %s.\n", buildVersion(), straceVersion)
		default:
			err = o.run(ctx, std)
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
	text := newStraceText(o, std, out)
	ro.Freeze = text.enough
	done := make(chan error, 1)
	go func() { done <- text.run(ctx, stream.reader) }()

	quickStart()
	o.listen(signals)
	defer signal.Stop(signals)
	surviveBrokenPipe()

	result, err := record.Run(ctx, ro)
	for _, e := range []error{stream.end(), <-done, out.close()} {
		if err == nil {
			err = e
		}
	}
	if err != nil {
		return o.failure(std, err)
	}
	return o.exit(result)
}

// recordOptions are what is to be recorded.
func (o *straceOptions) recordOptions(stream *straceStream, signals <-chan os.Signal, std *stdio) (record.Options, error) {
	snap := o.strings
	if snap == 0 {
		snap = -1
	}
	r := record.Options{
		Command:        o.command,
		PIDs:           o.pids,
		Alone:          !o.follow,
		KillOnExit:     o.killOnExit,
		NoFingerprints: o.record == "",
		Inject:         o.inject,
		Stacks:         o.stackDepth(),
		SystemTime:     (o.summary || o.andSummary) && !o.wall,
		DetachExec:     o.detachExec,
		Names:          o.fdNames() != replay.NoNames,
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
	if o.argv0 != "" {
		r.Program = o.command[0]
		r.Command = append([]string{o.argv0}, o.command[1:]...)
	}
	if len(o.env) > 0 {
		r.Env = changedEnv(os.Environ(), o.env)
	}
	r.WholeRead, r.WholeWritten = o.read.descriptors(), o.write.descriptors()
	if o.user != "" {
		var err error
		if r.User, err = lookUpUser(o.user); err != nil {
			return r, err
		}
	}
	return r, nil
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

// lookUpUser returns whom the command is to run as.
func lookUpUser(name string) (*record.User, error) {
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

// failure tells why there is no trace, in strace's words.
func (o *straceOptions) failure(std *stdio, err error) error {
	var command *record.CommandError
	var attach *record.AttachError
	switch {
	case errors.As(err, &command) && command.NotFound:
		return straceError("Can't stat '%s': No such file or directory", command.Name)
	case errors.As(err, &command):
		return straceError("exec: %s", capital(command.Err.Error()))
	case errors.As(err, &attach):
		return straceError("attach: %v", attach)
	}
	return &exitError{status: exitTrouble, err: err}
}

// exit ends as the command did: with its status, or by the same signal.
func (o *straceOptions) exit(r record.Result) error {
	switch {
	case !r.Exited:
		return nil
	case r.WaitStatus&0x7f != 0:
		return &exitError{status: 128 + int(r.WaitStatus&0x7f), signal: int(r.WaitStatus & 0x7f)}
	case r.WaitStatus>>8&0xff != 0:
		return &exitError{status: int(r.WaitStatus >> 8 & 0xff)}
	}
	return nil
}

// listen asks for the signals that end a trace. With -I 3 or 4, and where a
// command's text goes to a file, they do not.
func (o *straceOptions) listen(signals chan os.Signal) {
	level := o.interrupt
	if level == 0 {
		level = 2
		if o.output != "" && len(o.command) > 0 {
			level = 3
		}
	}
	if level >= 3 {
		signals = make(chan os.Signal, 1) // nobody listens
	}
	for _, sig := range stopSignals {
		if !signal.Ignored(sig) {
			signal.Notify(signals, sig)
		}
	}
}

// capital begins a message as the C library's do.
func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
