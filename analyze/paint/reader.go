package paint

import (
	"bytes"
	"strings"

	"sysreel/proto/syscalls"
)

// reader reads text and writes a part of it with colours. What begins a piece of
// text is written with it, and what ends it too, at whichever side the part is cut.
type reader struct {
	p        *Painter
	s        []byte
	i        int // read up to here
	from, to int // the part
	dst      []byte
	plain    bool   // there are no constants
	name     string // of the call
	field    string // the last one's name
	open     []byte // brackets
	args     int    // commas of the call's own so far
}

// before starts a colour at what is read next.
func (r *reader) before(k kind) {
	if r.i >= r.from && r.i < r.to {
		r.dst = append(r.dst, r.p.start[k]...)
	}
}

// after starts a colour behind what was read last.
func (r *reader) after(k kind) { r.behind(r.p.start[k]) }

func (r *reader) behind(sequence string) {
	if r.i > r.from && r.i <= r.to {
		r.dst = append(r.dst, sequence...)
	}
}

// take writes the next bytes.
func (r *reader) take(n int) {
	if from, to := max(r.i, r.from), min(r.i+n, r.to); from < to {
		r.dst = append(r.dst, r.s[from:to]...)
	}
	r.i += n
}

func (r *reader) punct(n int) {
	r.before(punctuation)
	r.take(n)
	r.after(argValue)
}

func (r *reader) at(s string) bool { return len(r.s)-r.i >= len(s) && string(r.s[r.i:r.i+len(s)]) == s }

// word returns the word that is next.
func (r *reader) word() []byte {
	n := r.i
	for n < len(r.s) && isWordByte(r.s[n]) {
		n++
	}
	return r.s[r.i:n]
}

func isWordByte(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// call reads a call.
func (r *reader) call() {
	name := r.word()
	if len(name) == 0 || len(name) == len(r.s) || r.s[len(name)] != '(' {
		r.take(len(r.s))
		return
	}
	r.name = string(name)
	r.named(name, syscallName)
	r.values()
}

// named reads the name of a call or macro, and its parenthesis.
func (r *reader) named(name []byte, k kind) {
	r.before(k)
	r.take(len(name))
	r.punct(1)
	r.open = append(r.open, '(')
}

// inside tells what encloses the place.
func (r *reader) inside() byte {
	if len(r.open) == 0 {
		return 0
	}
	return r.open[len(r.open)-1]
}

func (r *reader) close(n int) {
	r.punct(n)
	if len(r.open) > 0 {
		r.open = r.open[:len(r.open)-1]
	}
}

// values reads to the end.
func (r *reader) values() {
	begins := true // a member of a list
	for r.i < len(r.s) {
		c := r.s[r.i]
		if begins {
			begins = false
			if r.fieldName() || r.control() {
				continue
			}
		}
		switch {
		case r.inside() == '<' && c != '<' && c != '>' && !r.at("{eventfd-"):
			r.take(1)
		case c == '"' || c == '\'':
			r.take(quoted(r.s[r.i:]))
		case r.at("(deleted)"):
			r.take(len("(deleted)"))
		case c == '{' && (r.at("{W") || r.at("{tv_sec=") && len(r.open) == 1 && plainTimes[r.name]): // the first is a wait status
			r.take(upTo(r.s[r.i:], "}"))
		case c == '{':
			r.punct(1)
			r.open = append(r.open, c)
			begins = true
		case c == '[' && r.signals():
			r.take(upTo(r.s[r.i:], "]"))
		case c == '[':
			r.punct(1)
			r.open = append(r.open, c)
			begins = true
		case r.inside() == '[' && r.at("]="): // behind an index
			r.close(2)
			begins = true
		case c == '}' || c == ']':
			r.close(1)
		case c == ')' && r.inside() == '(':
			r.before(punctuation)
			r.take(1)
			r.behind(Reset)
			r.open = r.open[:len(r.open)-1]
		case r.at(", l2_bdaddr="):
			r.take(upTo(r.s[r.i:], "="))
		case r.at("/* "): // before a value
			r.take(upTo(r.s[r.i:], " */ "))
		case r.at(", "):
			r.punct(2)
			begins = true
			if len(r.open) == 1 {
				r.args++
			}
		case r.at(" */"):
			r.before(comment)
			r.take(3)
			r.after(argValue)
		case r.at(" /* "):
			r.comment()
		case r.at(" => "):
			r.punct(4)
			begins = true
		case r.at(" or "):
			r.punct(4)
		case r.at("..."):
			r.punct(3)
		case r.at("???"):
			r.before(failure)
			r.take(3)
			r.after(argValue)
		case c == '|':
			r.punct(1)
		case r.at("1<<"):
			r.before(constant)
			r.take(shift(r.s[r.i:]))
			r.after(argValue)
		case r.at("<<"):
			r.take(2)
		case r.at("<... "): // what restart_syscall goes on with
			r.take(upTo(r.s[r.i:], ">"))
		case c == '<':
			r.punct(1)
			r.open = append(r.open, c)
		case c == '>' && r.inside() == '<' && r.s[r.i-1] != '-':
			r.close(1)
		case c == ' ' && r.inside() == '[': // between the members of a set
			r.punct(1)
		case isWordByte(c):
			r.anyWord()
		default:
			r.take(1)
		}
	}
}

// fieldName reads the name of a field or argument.
func (r *reader) fieldName() bool {
	name := r.word()
	for n := r.i + len(name); len(name) > 0 && n+1 < len(r.s) && (r.s[n] == '.' || r.s[n] == '-' && string(name) == "eventfd") && isWordByte(r.s[n+1]); n = r.i + len(name) {
		name = r.s[r.i : n+1] // fmt.pix
		for n++; n < len(r.s) && isWordByte(r.s[n]); n++ {
			name = r.s[r.i : n+1]
		}
	}
	if n := r.i + len(name); len(name) == 0 || n >= len(r.s)-1 || r.s[n] != '=' || r.s[n+1] == '=' || name[0] >= '0' && name[0] <= '9' {
		return false
	}
	if s := string(name); s == "rc_bdaddr" || s == "sco_bdaddr" {
		r.take(len(name) + 1)
		return true
	}
	r.before(argName)
	r.take(len(name))
	r.punct(1)
	r.field = string(name)
	r.control()
	return true
}

// signals tells whether what is next is a set of signals.
func (r *reader) signals() bool {
	if strings.HasPrefix(r.name, "rt_sig") && len(r.open) == 1 {
		return true
	}
	if r.at("[]") {
		return r.i > 0 && r.s[r.i-1] == '~' || strings.HasPrefix(r.name, "rt_sig") || strings.HasPrefix(r.name, "sig") ||
			strings.HasSuffix(r.field, "mask") || r.args >= 3 && len(r.open) == 1 && maskedCalls[r.name]
	}
	end := bytes.IndexByte(r.s[r.i:], ']')
	if end < 0 {
		return false
	}
	some := false
	for name := range bytes.FieldsSeq(r.s[r.i+1 : r.i+end]) {
		switch {
		case isSignal(string(name)):
			some = true
		case name[0] != '/' && name[0] != '*' && (name[0] < '0' || name[0] > '9'): // a number with its name behind it
			return false
		}
	}
	return some
}

func isSignal(name string) bool {
	if _, ok := syscalls.SignalByName("SIG" + name); ok {
		return true
	}
	return len(name) > 3 && (name[:3] == "RT_" || name == "RTMIN")
}

// comment reads a comment, or what begins it where it is written as a value.
func (r *reader) comment() {
	r.before(comment)
	r.take(4)
	if n := r.i + len(r.word()); n > r.i && n < len(r.s) && r.s[n] == '(' {
		return // makedev(1, 3), as outside of a comment
	}
	end := upTo(r.s[r.i:], " */")
	if !bytes.HasSuffix(r.s[r.i:r.i+end], []byte(" */")) {
		r.take(end)
		return
	}
	r.commented(r.s[r.i : r.i+end-3])
	r.before(comment)
	r.take(3)
	r.after(argValue)
}

// commented reads what a comment says: flags may have colours.
func (r *reader) commented(text []byte) {
	if joined(text) || bytes.IndexByte(text, ' ') >= 0 {
		r.take(len(text))
		return
	}
	bright := bytes.HasPrefix(text, []byte("MAP_")) && r.name != "memfd_create" || bytes.HasPrefix(text, []byte("MFD_"))
	bright = bright && !bytes.HasSuffix(text, []byte("???"))
	for flag := range bytes.SplitSeq(text, []byte("|")) {
		if r.s[r.i] == '|' {
			r.punct(1)
		}
		if bright {
			r.before(constant)
		}
		r.take(len(flag))
		if bright {
			r.after(argValue)
		}
	}
}

// anyWord reads a word or number.
func (r *reader) anyWord() {
	word := r.word()
	next := byte(0)
	if n := r.i + len(word); n < len(r.s) {
		next = r.s[n]
	}
	switch {
	case r.at("S_I"):
		r.takeJoined()
	case word[0] >= '0' && word[0] <= '9':
		r.take(len(word))
	case next == '(' && (string(word) == "if_nametoindex" || string(word) == "KVAL"):
		r.before(constant)
		r.take(upTo(r.s[r.i:], ")"))
		r.after(argValue)
	case next == '(' && (string(word) == "IOPRIO_PRIO_VALUE" || string(word) == "offsetof"):
		r.take(upTo(r.s[r.i:], ")"))
	case next == '(':
		r.named(word, macro)
	case !r.constant(word):
		r.take(len(word))
	default:
		r.before(constant)
		if joined(word) {
			r.takeJoined()
		} else {
			r.take(len(word))
			if r.at("<<") && bytes.HasPrefix(word, []byte("LED_")) {
				r.take(2)
				r.take(len(r.word()))
			} else if r.i+1 < len(r.s) && (r.s[r.i] == '-' || r.s[r.i] == '+' && bytes.HasPrefix(word, []byte("V4L2_"))) {
				r.take(1)
				r.take(len(r.word()))
			}
		}
		r.after(argValue)
	}
}

// constant tells whether a word has a constant's colour where it is.
func (r *reader) constant(word []byte) bool {
	switch {
	case r.i > 0 && r.s[r.i-1] == '*': // a register
		return false
	case bytes.HasPrefix(word, []byte("L2CAP_")) && r.i+len(word) < len(r.s) && r.s[r.i+len(word)] == '+':
		return true
	case bytes.HasPrefix(word, []byte("MPOL_")) && !bytes.HasPrefix(word, []byte("MPOL_F_")) && !bytes.HasPrefix(word, []byte("MPOL_MF_")) && r.i+len(word) < len(r.s) && r.s[r.i+len(word)] == '|':
		return false
	case r.plain, r.name == "ioctl" && r.args == 1 && len(r.open) == 1, r.field == "sax25_call":
		return false
	case r.field == "nlmsg_type" && word[0] >= 'a':
		return true
	}
	return isConstant(string(word))
}

// control reads an argument of prctl's that has no colours at all.
func (r *reader) control() bool {
	if r.name != "prctl" || r.args == 0 || len(r.open) != 1 {
		return false
	}
	arg := r.s[r.i : r.i+upToAny(r.s[r.i:], ",")]
	if !plainControl.Match(arg) {
		return false
	}
	r.take(len(arg))
	return true
}

// joined tells whether text begins with flags that are one word to strace.
func joined(text []byte) bool {
	for _, prefix := range [...]string{"O_RD", "O_WR", "O_ACC", "S_I", "FUTEX_", "SCHED_RESET_ON_FORK"} {
		if bytes.HasPrefix(text, []byte(prefix)) {
			return true
		}
	}
	return false
}

// takeJoined reads words with bars between them.
func (r *reader) takeJoined() {
	r.take(len(r.word()))
	for r.i+1 < len(r.s) && r.s[r.i] == '|' && isWordByte(r.s[r.i+1]) {
		r.take(1)
		r.take(len(r.word()))
	}
}

// shift returns the length of the shifted 1 that s begins with.
func shift(s []byte) int {
	n := len("1<<")
	if n < len(s) && s[n] == '(' {
		return upTo(s, ")")
	}
	for n < len(s) && isWordByte(s[n]) {
		n++
	}
	return n
}

// quoted returns the length of the string that s begins with.
func quoted(s []byte) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case s[0]:
			return i + 1
		}
	}
	return len(s)
}

// upTo returns how much of s there is up to the end of mark, or all of it.
func upTo(s []byte, mark string) int {
	if n := bytes.Index(s, []byte(mark)); n >= 0 {
		return n + len(mark)
	}
	return len(s)
}

// upToAny returns how much of s there is before one of some bytes.
func upToAny(s []byte, chars string) int {
	if n := bytes.IndexAny(s, chars); n >= 0 {
		return n
	}
	return len(s)
}
