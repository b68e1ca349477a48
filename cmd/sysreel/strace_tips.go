package main

import (
	"errors"
	"math/rand/v2"
	"strconv"
	"strings"
)

// tips is what --tips asks for.
type tips struct {
	given  bool
	shown  bool
	random bool
	id     uint64
}

// parse takes [[id:]ID][,[format:]FORMAT].
func (t *tips) parse(text string) error {
	t.given, t.shown, t.random = true, true, true
	for word := range strings.SplitSeq(text, ",") {
		kind, name, named := strings.Cut(word, ":")
		if !named {
			kind, name = "", word
		}
		id, err := strconv.ParseUint(name, 10, 31)
		switch {
		case name == "" && !named && word == text: // nothing but the option
		case kind != "" && kind != "id" && kind != "format":
			return errors.New("unknown kind")
		case kind != "format" && name == "random":
			t.random = true
		case kind != "format" && err == nil:
			t.random, t.id = false, id
		case kind != "id" && (name == "none" || name == "compact" || name == "full"):
			t.shown = name != "none"
		default:
			return errors.New("unknown value")
		}
	}
	return nil
}

// text returns the tip that is asked for.
func (t *tips) text() string {
	id := t.id
	if t.random {
		id = rand.Uint64()
	}
	return straceTips[id%uint64(len(straceTips))]
}

// straceTips are what --tips shows. They are sysreel's own.
var straceTips = []string{
	`Keep the recording beside the text: --record FILE. Then look at it as often as
you like, with sysreel replay, summary, hist, diff and info.
`,
	`-o '|COMMAND' gives the text to a command: -o '|grep -v futex'. The traced
program's own output stays out of it.
`,
	`-f follows children and threads; -ff -o FILE gives each thread a file of its own.
`,
	`-y shows what descriptors are, -yy addresses of sockets and numbers of devices too.
`,
	`-z shows the calls that succeeded, -Z those that failed, and -e status=unfinished
those that never returned.
`,
	`-P FILE shows the calls on one file, and --trace-fds=3 those on one descriptor.
`,
	`-c counts; -C counts and prints; -w counts the time from begin to end, which is
what one waits for; -S and -U choose order and columns.
`,
	`-e inject=openat:error=EACCES:when=3 lets the third openat fail: see how a
program behaves before it happens at 3 a.m.
`,
	`-k shows from where in the program each call is made.
`,
	`-e trace=%file, %network, %process, %desc, %memory, %signal and %ipc are sets of
calls; -e trace=/^get is all that begin so, and a "!" in front turns a set around.
`,
	`--relative-timestamps=ns, --absolute-timestamps=ns and --syscall-times=ns have
nanoseconds, where -r, -tt and -T have microseconds.
`,
	`-b execve lets go of what executes another program: trace a shell, not its commands.
`,
}
