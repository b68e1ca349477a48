package inject

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"sysreel/proto/syscalls"
)

// Limits of strace: what its counters hold, and of the bytes of a poke.
const (
	maxCount = 1<<16 - 1
	maxLast  = maxCount - 1
	maxPoke  = 1024
	maxErrno = 4095 // MAX_ERRNO in include/linux/err.h
)

// parser reads one expression.
type parser struct {
	rule  *Rule
	fault bool // -e fault=: only error= and when= may be said
	seen  map[string]bool
}

// ParseRule parses SET[:error=ERRNO|:retval=N][:signal=SIG]… as strace's
// -e inject= takes it, or fault=SET[:error=ERRNO][:when=…], of which the error
// is ENOSYS if none is named. An error names the part that is wrong.
func ParseRule(expr string) (*Rule, error) {
	p := parser{
		rule: &Rule{When: When{1, math.MaxUint32, 1}, DelayEnter: -1, DelayExit: -1},
		seen: make(map[string]bool),
	}
	text, fault := strings.CutPrefix(expr, "fault=")
	if p.fault = fault; !fault {
		text = strings.TrimPrefix(text, "inject=")
	}
	if err := p.expression(text); err != nil {
		return nil, fmt.Errorf("%q: %w", expr, err)
	}
	return p.rule, nil
}

func (p *parser) expression(text string) error {
	calls, rest, _ := strings.Cut(text, ":")
	set, err := syscalls.ParseSet(calls)
	if err != nil {
		return err
	}
	p.rule.Calls = set
	for part := range strings.SplitSeq(rest, ":") {
		if part == "" { // strace takes SET::error=EIO and SET:error=EIO: too
			continue
		}
		if err := p.part(part); err != nil {
			return fmt.Errorf("%s: %w", part, err)
		}
	}
	if p.fault && !p.rule.Forced {
		p.rule.Forced, p.rule.Result = true, -38 // ENOSYS
	}
	return p.check()
}

// check looks at what only the whole tells.
func (p *parser) check() error {
	r := p.rule
	switch {
	case r.Instead != "" && !r.Forced:
		return errors.New("syscall= goes with error= or retval=, the result of the call that is not made")
	case !r.Forced && r.Signal == 0 && !r.Delays() && r.PokeEnter == nil && r.PokeExit == nil:
		return errors.New("it says nothing to do: error=, retval=, signal=, delay_enter=, delay_exit=, poke_enter= or poke_exit=")
	}
	for key, pokes := range map[string][]Poke{"poke_enter": r.PokeEnter, "poke_exit": r.PokeExit} {
		for _, poke := range pokes {
			if !p.hasArg(poke.Arg) {
				return fmt.Errorf("%s=@arg%d: the calls have no such argument", key, poke.Arg+1)
			}
		}
	}
	return nil
}

// hasArg reports whether any of the calls has an argument in that register.
func (p *parser) hasArg(reg int) bool {
	for _, a := range []syscalls.Arch{syscalls.AMD64, syscalls.ARM64, syscalls.I386} {
		for _, nr := range p.rule.Calls.NRs(a) {
			if d := syscalls.Lookup(a, nr); d != nil && HasArg(d, reg) {
				return true
			}
		}
	}
	return false
}

// HasArg reports whether a call has an argument in that register.
func HasArg(d *syscalls.Desc, reg int) bool {
	for i := range d.Args {
		if int(d.Args[i].Reg) == reg {
			return true
		}
	}
	return false
}

func (p *parser) part(part string) (err error) {
	key, value, valued := strings.Cut(part, "=")
	r := p.rule
	parse, known := map[string]func() error{
		"error":       func() error { r.Forced = true; r.Result, err = parseErrno(value); return err },
		"retval":      func() error { r.Forced = true; r.Result, err = parseResult(value); return err },
		"signal":      func() error { r.Signal, err = parseSignal(value); return err },
		"syscall":     func() error { r.Instead, err = value, checkPure(value); return err },
		"delay_enter": func() error { r.DelayEnter, err = parseDelay(value); return err },
		"delay_exit":  func() error { r.DelayExit, err = parseDelay(value); return err },
		"poke_enter":  func() error { r.PokeEnter, err = parsePokes(value); return err },
		"poke_exit":   func() error { r.PokeExit, err = parsePokes(value); return err },
		"when":        func() error { r.When, err = parseWhen(value); return err },
	}[key]
	switch {
	case !known || !valued:
		return errors.New("it is none of error=, retval=, signal=, syscall=, delay_enter=, delay_exit=, poke_enter=, poke_exit= and when=")
	case p.fault && key != "error" && key != "when":
		return errors.New("fault= takes error= and when= only; see inject=")
	case key == "when": // the last one counts
	case p.seen[key]:
		return fmt.Errorf("%s= is there already", key)
	case key == "error" && p.seen["retval"] || key == "retval" && p.seen["error"]:
		return errors.New("error= and retval= exclude each other")
	}
	p.seen[key] = true
	return parse()
}

func parseErrno(s string) (int64, error) {
	if n, err := strconv.ParseUint(s, 10, 64); err == nil {
		if n == 0 || n > maxErrno {
			return 0, fmt.Errorf("an error number is one from 1 to %d", maxErrno)
		}
		return -int64(n), nil
	}
	n, ok := syscalls.ErrnoByName(strings.ToUpper(s))
	if !ok {
		return 0, errors.New("there is no such error (ENOENT, EIO, …, or its number)")
	}
	return -int64(n), nil
}

func parseResult(s string) (int64, error) {
	u, err := strconv.ParseUint(s, 0, 64)
	if err == nil {
		return int64(u), nil
	}
	n, err := strconv.ParseInt(s, 0, 64)
	if err != nil {
		return 0, errors.New("it is not a number of 64 bits")
	}
	return n, nil
}

// maxSignal is _NSIG.
const maxSignal = 64

func parseSignal(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil {
		var ok bool
		if n, ok = syscalls.SignalByName(strings.ToUpper(s)); !ok {
			return 0, errors.New("there is no such signal (SIGUSR1, USR1, …, or its number)")
		}
	}
	if n < 1 || n > maxSignal {
		return 0, fmt.Errorf("a signal is a number from 1 to %d", maxSignal)
	}
	return n, nil
}

// checkPure tells whether a call can be made in another's place: one that has
// no arguments, always succeeds and changes nothing.
func checkPure(name string) error {
	pure, err := syscalls.ParseSet("%pure")
	if err != nil {
		return err
	}
	for _, a := range []syscalls.Arch{syscalls.AMD64, syscalls.ARM64, syscalls.I386} {
		if d := syscalls.ByName(a, name); d != nil {
			if pure.Has(d) {
				return nil
			}
			return errors.New("only calls without effect can be made instead (%pure: getpid, getuid, …)")
		}
	}
	return errors.New("there is no such system call")
}

// units of a delay, longest suffix first.
var units = []struct {
	suffix string
	ns     float64
}{{"ms", 1e6}, {"us", 1e3}, {"ns", 1}, {"s", 1e9}, {"", 1e3}}

func parseDelay(s string) (time.Duration, error) {
	for _, u := range units {
		number, ok := strings.CutSuffix(s, u.suffix)
		if !ok {
			continue
		}
		v, err := strconv.ParseFloat(strings.TrimLeft(number, " "), 64)
		if err != nil || v < 0 || math.IsNaN(v) || strings.ContainsAny(number, "xX_pP") {
			break
		}
		if v *= u.ns; v > float64(math.MaxInt64)/2 {
			return 0, errors.New("that is too long")
		}
		return time.Duration(v), nil
	}
	return 0, errors.New("a delay is a number of microseconds, or one with s, ms, us or ns")
}

func parsePokes(s string) ([]Poke, error) {
	var all []Poke
	for item := range strings.SplitSeq(s, ",") {
		name, data, ok := strings.Cut(item, "=")
		number, isArg := strings.CutPrefix(name, "@arg")
		n, err := strconv.Atoi(number)
		if !ok || !isArg || err != nil || len(number) != 1 || n < 1 || n > 6 {
			return nil, fmt.Errorf("%q is not @argN=HEX with N from 1 to 6", item)
		}
		b, err := hex.DecodeString(data)
		if err != nil || len(b) == 0 || len(b) > maxPoke {
			return nil, fmt.Errorf("%q: %q is not 1 to %d bytes of two hexadecimal digits each", item, data, maxPoke)
		}
		for _, other := range all {
			if other.Arg == n-1 {
				return nil, fmt.Errorf("%q: @arg%d is there already", item, n)
			}
		}
		all = append(all, Poke{n - 1, b})
	}
	return all, nil
}

// parseWhen parses FIRST[..LAST][+[STEP]].
func parseWhen(s string) (When, error) {
	w := When{Last: math.MaxUint32}
	first, rest := digits(s)
	last := ""
	ranged := strings.HasPrefix(rest, "..")
	if ranged {
		last, rest = digits(rest[2:])
	}
	step, stepped := strings.CutPrefix(rest, "+")
	more, tail := digits(step)
	if first == "" || ranged && last == "" || rest != "" && !stepped || tail != "" {
		return w, errors.New("it is not FIRST[..LAST][+[STEP]], which are numbers")
	}
	var err error
	if w.First, err = count("FIRST", first, maxCount); err != nil {
		return w, err
	}
	if ranged {
		if w.Last, err = count("LAST", last, maxLast); err != nil {
			return w, err
		}
		if w.Last < w.First {
			return w, fmt.Errorf("LAST, %d, is less than FIRST, %d", w.Last, w.First)
		}
	}
	if ranged || stepped {
		w.Step = 1
	}
	if more != "" {
		w.Step, err = count("STEP", more, maxCount)
	}
	return w, err
}

// digits cuts the digits off that s begins with.
func digits(s string) (number, rest string) {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return s[:n], s[n:]
}

func count(what, s string, most uint64) (uint32, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || n < 1 || n > most {
		return 0, fmt.Errorf("%s, %s, is not a number from 1 to %d", what, s, most)
	}
	return uint32(n), nil
}
