package stracelog

import (
	"bytes"

	"sysreel/analyze/format"
	"sysreel/proto/syscalls"
)

// clockKind is how the lines of a log tell the time.
type clockKind uint8

const (
	noClock  clockKind = iota
	dayClock           // -t, -tt: ns since midnight
	epoch              // -ttt: ns since 1970
	relative           // -r: ns since the line before
)

// stamp is the time in front of a line.
type stamp struct {
	kind clockKind
	ns   int64
	unit int64 // ns: what the last digit stands for
}

// lineKind is what a line tells.
type lineKind uint8

const (
	damaged  lineKind = iota
	complete          // name(args) = result
	begun             // name(args <unfinished ...>
	resumed           // <... name resumed>rest) = result
	signal            // --- SIGCHLD {...} ---
	stopped           // --- stopped by SIGSTOP ---
	exited            // +++ exited with 0 +++
	killed
	vanished   // +++ exited +++
	superseded // +++ superseded by execve in pid 42 +++
	attached   // strace: Process 42 attached
	mode       // [ Process PID=42 runs in 32 bit mode. ]
	stack      // a line of -k
	note       // something else that strace says
	counts     // the head of the table of -c
)

// line is a line of a log, cut into its parts. The slices are the log's.
type line struct {
	kind  lineKind
	pid   int32 // 0: not told
	attr  bool  // the PID stood in "[pid 42]": strace left out that of a lone process
	at    stamp
	name  []byte
	args  []byte // of begun: those so far; of resumed: the rest
	ret   []byte // what follows "= "
	dur   int64  // ns; −1: not told
	durU  int64  // unit of dur
	n     int64  // status, signal, PID or bits: by kind
	flag  bool   // killed: with a core dump
	other []byte // siginfo
}

// parse cuts a line without its end into parts. l is empty.
func (l *line) parse(b []byte) {
	l.dur = -1
	if bytes.HasPrefix(b, stackNote) {
		l.kind = stack
		return
	}
	if said(l, b) {
		return
	}
	b = l.prefix(b)
	if len(b) == 0 {
		return
	}
	switch {
	case b[0] == '<':
		l.resume(b)
	case b[0] == '-' && bytes.HasPrefix(b, []byte("--- ")):
		l.delivered(b)
	case b[0] == '+' && bytes.HasPrefix(b, []byte("+++ ")):
		l.ended(b)
	case bytes.HasPrefix(b, stackNote):
		l.kind = stack
	case said(l, b):
	default:
		l.call(b)
	}
}

var (
	stackNote   = []byte(" > ")
	unfinished  = []byte("<unfinished ...>")
	detachedEnd = []byte("<detached ...>")
)

// said recognises what strace says by itself.
func said(l *line, b []byte) bool {
	if len(b) == 0 {
		return false
	}
	switch b[0] {
	case 's':
		if !bytes.HasPrefix(b, []byte("strace: ")) {
			return false
		}
		b = b[len("strace: "):]
	case 'P', '%', '[':
	default:
		return false
	}
	switch {
	case bytes.HasPrefix(b, []byte("Process ")):
		n, rest := number(b[len("Process "):])
		l.kind = note
		if n > 0 && n < 1<<31 && bytes.HasPrefix(rest, []byte(" attached")) {
			l.kind, l.n = attached, n
		}
	case bytes.HasPrefix(b, []byte("[ Process PID=")):
		n, rest := number(b[len("[ Process PID="):])
		l.kind, l.pid = mode, int32(n)
		if _, rest, ok := bytes.Cut(rest, []byte("runs in ")); ok {
			l.n, _ = number(rest)
		}
	case bytes.HasPrefix(b, []byte("% time ")):
		l.kind = counts
	case b[0] == '[' || b[0] == '%':
		return false
	default:
		l.kind = note
	}
	return true
}

// number returns the decimal number that b begins with, −1 if none, and what
// follows.
func number(b []byte) (int64, []byte) {
	var n int64
	i := 0
	for i < len(b) && b[i] >= '0' && b[i] <= '9' && i < 18 {
		n = n*10 + int64(b[i]-'0')
		i++
	}
	if i == 0 {
		return -1, b
	}
	return n, b[i:]
}

// prefix takes thread, times and addresses off the front of a line.
func (l *line) prefix(b []byte) []byte {
	for first := true; len(b) > 0; first = false {
		switch c := b[0]; {
		case c == '[':
			end := bytes.IndexByte(b, ']')
			if end < 0 {
				return b
			}
			in := b[1:end]
			if bytes.HasPrefix(in, []byte("pid ")) {
				n, _ := number(bytes.TrimLeft(in[4:], " "))
				if n <= 0 || n >= 1<<31 {
					return b
				}
				l.pid, l.attr = int32(n), true
			} else if !isAddress(in) { // -i, -n
				return b
			}
			b = b[end+1:]
			if len(b) > 0 && b[0] == ' ' {
				b = b[1:]
			}
		case c == ' ':
			trimmed := bytes.TrimLeft(b, " ")
			if len(trimmed) == 0 || trimmed[0] < '0' || trimmed[0] > '9' {
				if first {
					return b
				}
				return trimmed
			}
			b = trimmed
		case c == '(' && len(b) > 2 && b[1] == '+': // -r beside another time
			end := bytes.IndexByte(b, ')')
			if end < 0 {
				return b
			}
			if b = b[end+1:]; len(b) > 0 && b[0] == ' ' {
				b = b[1:]
			}
		case c >= '0' && c <= '9':
			rest, ok := l.numeric(b)
			if !ok {
				return b
			}
			b = rest
		default:
			return b
		}
	}
	return b
}

// isAddress recognises the instruction pointer of -i and the number of -n.
func isAddress(b []byte) bool {
	b = bytes.TrimLeft(b, " ")
	for _, c := range b {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && c != '?' {
			return false
		}
	}
	return len(b) > 0
}

// numeric takes a thread ID or a time off.
func (l *line) numeric(b []byte) ([]byte, bool) {
	n, rest := number(b)
	if len(rest) == 0 {
		return b, false
	}
	switch rest[0] {
	case ' ':
		if l.at.kind == noClock && l.pid == 0 {
			if n <= 0 || n >= 1<<31 {
				return b, false
			}
			l.pid = int32(n)
			return bytes.TrimLeft(rest, " "), true
		}
		if l.at.kind == noClock { // -ttt of whole seconds
			l.at = stamp{epoch, n * 1e9, 1e9}
			return rest[1:], true
		}
		return b, false
	case '<': // -Y: 42<make>
		if m := format.ScanName(rest); m > 0 && l.pid == 0 && n > 0 && n < 1<<31 && m < len(rest) && rest[m] == ' ' {
			l.pid = int32(n)
			return bytes.TrimLeft(rest[m:], " "), true
		}
		return b, false
	case '.':
		ns, unit, rest := fraction(rest[1:])
		if unit == 0 || len(rest) == 0 || rest[0] != ' ' || n > 1<<33 {
			return b, false
		}
		kind := epoch
		if n < 1<<26 { // two years
			kind = relative
		}
		l.at = stamp{kind, n*1e9 + ns, unit}
		return rest[1:], true
	case ':':
		m, rest := number(rest[1:])
		if m < 0 || len(rest) == 0 || rest[0] != ':' {
			return b, false
		}
		s, rest := number(rest[1:])
		if s < 0 || n > 24 || m > 59 || s > 60 {
			return b, false
		}
		t := stamp{dayClock, (n*3600 + m*60 + s) * 1e9, 1e9}
		if len(rest) > 0 && rest[0] == '.' {
			var ns int64
			if ns, t.unit, rest = fraction(rest[1:]); t.unit == 0 {
				return b, false
			}
			t.ns += ns
		}
		if len(rest) == 0 || rest[0] != ' ' {
			return b, false
		}
		l.at = t
		return rest[1:], true
	}
	return b, false
}

// fraction reads the digits behind a second's point: ns, and what the last one
// stands for; 0 if there is none.
func fraction(b []byte) (ns, unit int64, rest []byte) {
	unit = 1e9
	i := 0
	for ; i < len(b) && b[i] >= '0' && b[i] <= '9' && unit > 1; i++ {
		unit /= 10
		ns += int64(b[i]-'0') * unit
	}
	if i == 0 {
		unit = 0
	}
	return ns, unit, b[i:]
}

// call parses "name(args) = result" and "name(args <unfinished ...>".
func (l *line) call(b []byte) {
	open := bytes.IndexByte(b, '(')
	if open <= 0 || open > 40 {
		return
	}
	for _, c := range b[:open] {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' && (c < 'A' || c > 'Z') {
			return
		}
	}
	l.name = b[:open]
	l.args, l.kind = b[open+1:], damaged
	l.finish()
}

// finish takes the end of a call, if it is there, off l.args.
func (l *line) finish() {
	for _, end := range [][]byte{unfinished, detachedEnd} {
		if rest, ok := bytes.CutSuffix(l.args, end); ok {
			l.args, l.kind = bytes.TrimSuffix(rest, []byte(" ")), begun
			return
		}
	}
	end := format.ScanArgs(l.args, nil)
	if end < 0 {
		return
	}
	ret := bytes.TrimLeft(l.args[end+1:], " ")
	if len(ret) < 3 || ret[0] != '=' || ret[1] != ' ' {
		return
	}
	l.args = l.args[:end]
	l.setResult(bytes.TrimRight(ret[2:], " "))
	l.kind = complete
}

// setResult takes the duration off the end of a result.
func (l *line) setResult(b []byte) {
	l.ret = b
	if len(b) == 0 || b[len(b)-1] != '>' {
		return
	}
	i := bytes.LastIndexByte(b, '<')
	if i <= 0 || b[i-1] != ' ' {
		return
	}
	n, rest := number(b[i+1:])
	if n < 0 || n > 1<<33 {
		if bytes.Equal(b[i:], []byte("<unavailable>")) {
			l.ret = b[:i-1]
		}
		return
	}
	ns, unit := int64(0), int64(1e9)
	if len(rest) > 0 && rest[0] == '.' {
		ns, unit, rest = fraction(rest[1:])
	}
	if unit != 0 && len(rest) == 1 {
		l.ret, l.dur, l.durU = b[:i-1], n*1e9+ns, unit
	}
}

// resume parses "<... name resumed>rest) = result". Older straces write a space
// behind the bracket.
func (l *line) resume(b []byte) {
	const head, tail = "<... ", " resumed>"
	if !bytes.HasPrefix(b, []byte(head)) {
		return
	}
	name, rest, ok := bytes.Cut(b[len(head):], []byte(tail))
	if !ok || len(name) == 0 || len(name) > 40 {
		return
	}
	l.name, l.args = name, rest
	if l.finish(); l.kind != damaged {
		l.kind = resumed
	}
}

// delivered parses "--- SIGCHLD {...} ---" and "--- stopped by SIGSTOP ---".
func (l *line) delivered(b []byte) {
	b, ok := bytes.CutSuffix(b[len("--- "):], []byte(" ---"))
	if !ok {
		return
	}
	kind := signal
	if rest, ok := bytes.CutPrefix(b, []byte("stopped by ")); ok {
		b, kind = rest, stopped
	}
	name, rest, _ := bytes.Cut(b, []byte(" "))
	if l.n = signo(name); l.n == 0 {
		return
	}
	l.kind, l.other = kind, rest
}

// signo returns the number of a signal's name, 0 if it has none.
func signo(name []byte) int64 {
	if n, rest := number(name); n > 0 && len(rest) == 0 && n <= 64 {
		return n
	}
	n, _ := syscalls.SignalByName(string(name))
	return int64(n)
}

// ended parses "+++ exited with 0 +++" and its like.
func (l *line) ended(b []byte) {
	b, ok := bytes.CutSuffix(b[len("+++ "):], []byte(" +++"))
	if !ok {
		return
	}
	switch {
	case bytes.HasPrefix(b, []byte("exited with ")):
		if n, rest := number(b[len("exited with "):]); n >= 0 && n < 256 && len(rest) == 0 {
			l.kind, l.n = exited, n
		}
	case bytes.HasPrefix(b, []byte("killed by ")):
		name, rest, _ := bytes.Cut(b[len("killed by "):], []byte(" "))
		if l.n = signo(name); l.n != 0 {
			l.kind, l.flag = killed, len(rest) > 0
		}
	case bytes.Equal(b, []byte("exited")):
		l.kind = vanished
	case bytes.HasPrefix(b, []byte("superseded by execve")):
		l.kind = superseded
		if rest, ok := bytes.CutPrefix(b, []byte("superseded by execve in pid ")); ok {
			if n, _ := number(rest); n > 0 && n < 1<<31 {
				l.n = n
			}
		}
	}
}
