package main

import (
	"os"
	"strings"

	"sysreel/analyze/format"
	"sysreel/record"
)

// check tells what does not go together, and warns of what has no effect, in the
// order in which strace does.
func (o *straceOptions) check() error {
	if o.help || o.version {
		return nil
	}
	if o.summary && o.andSummary {
		return usagef("-c/--summary-only and -C/--summary are mutually exclusive")
	}
	if len(o.command) == 0 && len(o.pids) == 0 {
		if o.tips.shown {
			return nil
		}
		return usagef("must have PROG [ARGS] or -p PID")
	}
	for _, check := range []func() error{o.checkCommand, o.checkCounted, o.checkForks, o.checkSummary, o.checkRest} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (o *straceOptions) warn(message string) { o.warnings = append(o.warnings, message) }

// checkCommand checks what only a command can have.
func (o *straceOptions) checkCommand() error {
	const most = 3
	given := o.daemons > 0 || o.daemon != 0
	switch {
	case len(o.command) == 0 && o.argv0 != nil:
		return usagef("PROG [ARGS] must be specified with --argv0")
	case o.daemons > 0 && o.daemon != 0:
		return straceError("-D and --daemonize cannot be provided simultaneously")
	case len(o.command) == 0 && given:
		return usagef("PROG [ARGS] must be specified with -D/--daemonize")
	case o.daemons > most:
		return usagef("Too many -D's (%d), maximum supported -D count is %d", o.daemons, most)
	}
	return nil
}

// checkCounted settles what is said by repeating a letter, or by a long option.
func (o *straceOptions) checkCounted() error {
	switch {
	case o.times > 0 && o.clockSet:
		return straceError("-t and --absolute-timestamps cannot be provided simultaneously")
	case o.hexCount > 0 && o.hexSet:
		return straceError("-x and --strings-in-hex cannot be provided simultaneously")
	case o.names > 0 && o.decodeFDs != nil:
		return straceError("-y and --decode-fds cannot be provided simultaneously")
	}
	if o.times > 0 {
		o.clock, o.clockUnit = clockOf(o.times)
	}
	if o.hexCount > 0 {
		o.hex = format.HexNonASCII
	}
	if o.hexCount > 1 {
		o.hex = format.HexAll
	}
	return nil
}

// checkForks settles what is followed, and how.
func (o *straceOptions) checkForks() error {
	switch {
	case o.forks > 0 && o.follow:
		return straceError("-f and --follow-forks cannot be provided simultaneously")
	case o.forks > 1 && o.separately:
		return straceError("-ff and --output-separately cannot be provided simultaneously")
	}
	o.follow = o.follow || o.forks > 0
	o.separately = o.separately || o.forks > 1
	if o.seccomp {
		switch {
		case len(o.pids) > 0:
			o.warn("--seccomp-bpf is not enabled for processes attached with -p")
		case !o.follow:
			o.warn("--seccomp-bpf cannot be used without -f/--follow-forks, disabling")
			o.seccomp = false
		case o.detachExec:
			o.warn("--seccomp-bpf is not enabled because it is not compatible with -b")
		case o.limit > 0:
			o.warn("--seccomp-bpf is not enabled because it is not compatible with --syscall-limit")
		}
	}
	if o.oldForks {
		if o.follow {
			o.warn("deprecated option -F ignored")
		} else {
			o.warn("option -F is deprecated, please use -f/--follow-forks instead")
			o.follow = true
		}
	}
	return nil
}

// checkSummary checks what there is only with statistics, or only without.
func (o *straceOptions) checkSummary() error {
	counted := o.summary || o.andSummary
	switch {
	case counted && o.separately:
		return usagef("(-c/--summary-only or -C/--summary) and -ff/--output-separately are mutually exclusive")
	case o.wall && !counted:
		return usagef("-w/--summary-wall-clock must be given with (-c/--summary-only or -C/--summary)")
	case o.columns != nil && !counted:
		return usagef("-U/--summary-columns must be given with (-c/--summary-only or -C/--summary)")
	case o.sortBy != "" && !counted:
		o.warn("-S/--summary-sort-by has no effect without (-c/--summary-only or -C/--summary)")
	}
	if !o.summary {
		return nil
	}
	for _, option := range []struct {
		given bool
		name  string
	}{
		{o.ip, "-i/--instruction-pointer"},
		{o.stacks > 0, "-k/--stack-trace"},
		{o.numbers, "-n/--syscall-number"},
		{o.argNames, "-N/--arg-names"},
		{o.relative, "-r/--relative-timestamps"},
		{o.clock != 0, "-t/--absolute-timestamps"},
		{o.durations, "-T/--syscall-times"},
		{o.fdNames() != 0, "-y/--decode-fds"},
		{o.secontexts != format.NoSecontexts, "--secontext"},
	} {
		if option.given {
			o.warn(option.name + " has no effect with -c/--summary-only")
		}
	}
	return nil
}

// checkRest checks where the text goes, and the rest.
func (o *straceOptions) checkRest() error {
	if o.output == "" {
		if o.separately && !o.follow {
			o.warn("--output-separately has no effect without -o/--output")
		}
		if o.append {
			o.warn("-A/--output-append-mode has no effect without -o/--output")
		}
	}
	if o.resultSets > 1 {
		o.warn("Only the last of -z/--successful-only/-Z/--failed-only options will take effect. See status qualifier for more complex filters.")
	}
	if o.framesSet && o.stacks == 0 {
		o.warn("--stack-trace-frame-limit has no effect without -k/--stack-trace")
	}
	if o.user != nil && os.Getuid() != 0 {
		return straceError("You must be root to use the -u/--username option")
	}
	switch {
	case o.killOnExit && len(o.pids) > 0:
		return straceError("--kill-on-exit and -p/--attach are mutually exclusive options")
	case o.piped() && o.separately:
		return usagef("piping the output and -ff/--output-separately are mutually exclusive")
	case o.quietCount > 0 && o.quiet.given:
		return straceError("-q and -e quiet/--quiet cannot be provided simultaneously")
	}
	if o.stacks > 0 && o.frames > 0 {
		o.stacks = min(o.frames, record.MaxStacks)
	}
	switch o.quietCount {
	case 0:
	case 1:
		o.quiet = setOfOne("attach", "personality")
	case 2:
		o.quiet = setOfOne("attach", "personality", "exit")
	default:
		o.quiet = allOf()
	}
	return nil
}

// piped tells whether the text goes to a command.
func (o *straceOptions) piped() bool {
	return strings.HasPrefix(o.output, "|") || strings.HasPrefix(o.output, "!")
}
