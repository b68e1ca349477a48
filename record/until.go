package record

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

// Until is what ends a recording: any of some conditions.
type Until struct {
	exits   []exitCondition
	signals []signalCondition
	errnos  []errnoCondition
}

type exitCondition struct {
	text string
	not  bool
	code int
}

type signalCondition struct {
	text  string
	signo int
}

type errnoCondition struct {
	text  string
	set   *syscalls.Set // nil: any call
	errno int
}

// ParseUntil parses conditions, parted by commas:
//
//	exit=N, exit!=N   a process ends with such a status, 128+N if signal N killed it
//	signal=NAME       a process gets the signal, or is killed by it
//	ERRNO             a call fails with it
//	CALL=ERRNO        the call does; CALL is a name, %class or /regex, as for Options.Trace
func ParseUntil(expr string) (*Until, error) {
	u := &Until{}
	for part := range strings.SplitSeq(expr, ",") {
		if err := u.parse(strings.TrimSpace(part)); err != nil {
			return nil, err
		}
	}
	return u, nil
}

var errUntil = errors.New("it is none of exit=N, exit!=N, signal=NAME, ERRNO and CALL=ERRNO")

func (u *Until) parse(text string) error {
	key, value, found := strings.Cut(text, "=")
	switch {
	case !found:
		errno, ok := syscalls.ErrnoByName(text)
		if !ok {
			return fmt.Errorf("%q: %w", text, errUntil)
		}
		u.errnos = append(u.errnos, errnoCondition{text: text, errno: errno})
	case key == "exit" || key == "exit!":
		code, err := strconv.ParseUint(value, 10, 8)
		if err != nil {
			return fmt.Errorf("%q: %q is not an exit status from 0 to 255", text, value)
		}
		u.exits = append(u.exits, exitCondition{text, key == "exit!", int(code)})
	case key == "signal":
		signo, ok := signalNumber(value)
		if !ok {
			return fmt.Errorf("%q: %q is not a signal", text, value)
		}
		u.signals = append(u.signals, signalCondition{text, signo})
	default:
		if key == "" || strings.HasSuffix(key, "!") {
			return fmt.Errorf("%q: %w", text, errUntil)
		}
		errno, ok := syscalls.ErrnoByName(value)
		if !ok {
			return fmt.Errorf("%q: %q is not an errno", text, value)
		}
		set, err := syscalls.ParseSet(key)
		if err != nil {
			return fmt.Errorf("%q: %w", text, err)
		}
		u.errnos = append(u.errnos, errnoCondition{text, set, errno})
	}
	return nil
}

// signalNumber takes SIGSEGV, SEGV and 11.
func signalNumber(name string) (int, bool) {
	if n, err := strconv.Atoi(name); err == nil {
		return n, n >= 1 && n <= 64
	}
	name = strings.ToUpper(name)
	if !strings.HasPrefix(name, "SIG") {
		name = "SIG" + name
	}
	return syscalls.SignalByName(name)
}

// Met returns what has happened with the event, "" if it is not what was waited
// for. It may be called from one goroutine at a time.
func (u *Until) Met(e *tracefile.Event) string {
	switch e.Kind {
	case tracefile.Syscall:
		if len(u.errnos) == 0 || e.Ret >= 0 {
			return ""
		}
		return u.failed(e)
	case tracefile.Signal:
		for _, c := range u.signals {
			if int(e.NR) == c.signo {
				return fmt.Sprintf("%s: process %d got it", c.text, e.Thread.TGID)
			}
		}
	case tracefile.ThreadExit:
		if e.Args[0] == 1 && tracefile.ExitHow(e.Args[1]) == tracefile.ExitWaited {
			return u.ended(e)
		}
	}
	return ""
}

func (u *Until) failed(e *tracefile.Event) string {
	errno := e.Errno()
	for i := range u.errnos {
		c := &u.errnos[i]
		if c.errno != errno {
			continue
		}
		d := syscalls.Lookup(e.Arch, e.NR)
		switch {
		case c.set == nil && d == nil:
			return fmt.Sprintf("%s: call %d of process %d", c.text, e.NR, e.Thread.TGID)
		case d != nil && (c.set == nil || c.set.Has(d)):
			return fmt.Sprintf("%s: %s of process %d", c.text, d.Name, e.Thread.TGID)
		}
	}
	return ""
}

// ended looks at the end of a process.
func (u *Until) ended(e *tracefile.Event) string {
	status := uint32(e.Ret) // wait(2)
	signo := int(status & 0x7f)
	code := int(status >> 8 & 0xff)
	how := fmt.Sprintf("exited with %d", code)
	if signo != 0 {
		code, how = 128+signo, "was killed by "+syscalls.SignalName(signo)
	}
	for _, c := range u.exits {
		if (code == c.code) != c.not {
			return fmt.Sprintf("%s: process %d %s", c.text, e.Thread.TGID, how)
		}
	}
	for _, c := range u.signals {
		if signo == c.signo {
			return fmt.Sprintf("%s: process %d %s", c.text, e.Thread.TGID, how)
		}
	}
	return ""
}

// possible returns an error for a condition that cannot be met because its calls
// are not recorded.
func (u *Until) possible(selected *syscalls.Set) error {
	arch := map[string]syscalls.Arch{"amd64": syscalls.AMD64, "arm64": syscalls.ARM64}[runtime.GOARCH]
	for _, c := range u.errnos {
		if c.set == nil {
			continue
		}
		if recorded := selected.NRs(arch); !slices.ContainsFunc(c.set.NRs(arch), func(nr uint32) bool { return slices.Contains(recorded, nr) }) {
			return fmt.Errorf("%q would never happen: the calls to record (-e trace=) leave it out", c.text)
		}
	}
	return nil
}
