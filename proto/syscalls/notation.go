package syscalls

import (
	"fmt"
	"strconv"
	"strings"
)

// The syntax tree of a row, as written. It prints itself exactly as it was
// parsed; compile.go gives it meaning for one architecture.

type rowExpr struct {
	name    string
	variant string
	args    []argExpr
	ret     string
	sets    []string // as written: "%network", "-%desc"
}

type argExpr struct {
	name  string
	label bool
	reg   int // −1: the next one
	typ   typeExpr
	match *matchExpr
	cond  *condExpr
}

// typeExpr is [in|out|inout [always]] name[*][:width][/bits][lengths]. In a structure
// a pointer is written "ptr [in|out] T", or "ptr64" where it has 8 bytes always.
type typeExpr struct {
	ptr    bool // a pointer field without or with dir
	ptr64  bool // one of 8 bytes on every architecture
	dir    Dir
	always bool
	name   string // "" for a variant's argument that keeps the base row's type
	star   bool   // pointer to name
	width  string
	bits   int  // bit-field of that many bits, 0: none
	prefix bool // [:len]
	lens   []termExpr
}

// termExpr is one term of a length.
type termExpr struct {
	name  string // of an argument or field, "ret", "rest", or "" for a number
	deref bool
	val   uint32
	op    byte // '*', '/', '+' or 0
	by    uint32
	plus  uint32 // behind op '*'
}

type matchExpr struct {
	values []string
	mask   string
}

type condExpr struct {
	arg    string
	equal  bool
	values []string
}

func (r *rowExpr) String() string {
	var b strings.Builder
	b.WriteString(r.name)
	if r.variant != "" {
		b.WriteString("$" + r.variant)
	}
	b.WriteByte('(')
	for i := range r.args {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(r.args[i].String())
	}
	b.WriteString(") " + r.ret)
	for _, s := range r.sets {
		b.WriteString(" " + s)
	}
	return b.String()
}

func (a *argExpr) String() string {
	var b strings.Builder
	b.WriteString(a.name)
	if a.label {
		b.WriteByte('=')
	}
	if a.reg >= 0 {
		fmt.Fprintf(&b, "@%d", a.reg)
	}
	if t := a.typ.String(); t != "" {
		b.WriteString(" " + t)
	}
	if a.match != nil {
		b.WriteString(" =" + strings.Join(a.match.values, "|"))
		if a.match.mask != "" {
			b.WriteString("&" + a.match.mask)
		}
	}
	if a.cond != nil {
		op := "&"
		if a.cond.equal {
			op = "="
		}
		b.WriteString(" if " + a.cond.arg + op + strings.Join(a.cond.values, "|"))
	}
	return b.String()
}

func (t *typeExpr) String() string {
	var b strings.Builder
	switch {
	case t.ptr64:
		b.WriteString("ptr64 ")
	case t.ptr:
		b.WriteString("ptr ")
	}
	if t.dir != NoDir {
		b.WriteString(t.dir.String() + " ")
	}
	if t.always {
		b.WriteString("always ")
	}
	b.WriteString(t.name)
	if t.star {
		b.WriteByte('*')
	}
	if t.width != "" {
		b.WriteString(":" + t.width)
	}
	if t.bits != 0 {
		fmt.Fprintf(&b, "/%d", t.bits)
	}
	if len(t.lens) > 0 {
		b.WriteByte('[')
		if t.prefix {
			b.WriteByte(':')
		}
		for i, l := range t.lens {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(l.String())
		}
		b.WriteByte(']')
	}
	return b.String()
}

func (l termExpr) String() string {
	s := l.name
	if s == "" {
		s = strconv.FormatUint(uint64(l.val), 10)
	}
	if l.deref {
		s = "*" + s
	}
	if l.op != 0 {
		s += string(l.op) + strconv.FormatUint(uint64(l.by), 10)
	}
	if l.plus != 0 {
		s += "+" + strconv.FormatUint(uint64(l.plus), 10)
	}
	return s
}

// String returns "in", "out" or "inout", as the notation has it.
func (d Dir) String() string {
	return [...]string{"", "in", "out", "inout"}[d&3]
}

// parseProto parses name[$variant](args) result [%set ...].
func parseProto(s string) (*rowExpr, error) {
	name, rest, ok := strings.Cut(s, "(")
	if !ok {
		return nil, fmt.Errorf("%q: no parenthesis after the name", s)
	}
	args, result, ok := strings.Cut(rest, ")")
	if !ok {
		return nil, fmt.Errorf("%s: arguments are not closed", name)
	}
	r := &rowExpr{}
	r.name, r.variant, _ = strings.Cut(name, "$")
	if !isIdent(r.name) || r.variant != "" && !isIdent(r.variant) {
		return nil, fmt.Errorf("%q is not the name of a call", name)
	}
	if args != "" {
		parts := strings.Split(args, ", ")
		if len(parts) > 6 {
			return nil, fmt.Errorf("%s: %d arguments, at most 6 are possible", name, len(parts))
		}
		r.args = make([]argExpr, len(parts))
		for i, p := range parts {
			if err := r.args[i].parse(p); err != nil {
				return nil, fmt.Errorf("%s: argument %d: %w", name, i+1, err)
			}
		}
	}
	words := strings.Fields(result)
	if len(words) == 0 {
		return nil, fmt.Errorf("%s: no result type", name)
	}
	r.ret = words[0]
	for _, w := range words[1:] {
		if !strings.HasPrefix(strings.TrimPrefix(w, "-"), "%") {
			return nil, fmt.Errorf("%s: %q after the result is not a %%set", name, w)
		}
		r.sets = append(r.sets, w)
	}
	return r, nil
}

func (a *argExpr) parse(s string) error {
	s, cond, isCond := strings.Cut(s, " if ")
	s, match, isMatch := strings.Cut(s, " =")
	name, typ, _ := strings.Cut(s, " ")
	a.reg = -1
	if n, reg, ok := strings.Cut(name, "@"); ok {
		if len(reg) != 1 || reg[0] > '5' || reg[0] < '0' {
			return fmt.Errorf("%q: register %q is not 0…5", s, reg)
		}
		name, a.reg = n, int(reg[0]-'0')
	}
	a.name, a.label = strings.CutSuffix(name, "=")
	if !isIdent(a.name) {
		return fmt.Errorf("%q is not a name", a.name)
	}
	if isMatch {
		v, mask, _ := strings.Cut(match, "&")
		a.match = &matchExpr{values: strings.Split(v, "|"), mask: mask}
	}
	if isCond {
		a.cond = &condExpr{}
		sep := strings.IndexAny(cond, "&=")
		if sep < 0 {
			return fmt.Errorf("condition %q has neither & nor =", cond)
		}
		a.cond.arg, a.cond.equal = cond[:sep], cond[sep] == '='
		a.cond.values = strings.Split(cond[sep+1:], "|")
	}
	if typ == "" {
		if a.match == nil {
			return fmt.Errorf("%s has no type", a.name)
		}
		return nil
	}
	return a.typ.parse(typ)
}

func (t *typeExpr) parse(s string) error {
	rest, ok := strings.CutPrefix(s, "ptr ")
	if !ok {
		rest, t.ptr64 = strings.CutPrefix(s, "ptr64 ")
	}
	t.ptr = ok || t.ptr64
	for _, d := range []Dir{In, Out, InOut} {
		if r, ok := strings.CutPrefix(rest, d.String()+" "); ok {
			t.dir, rest = d, r
			break
		}
	}
	if t.dir != NoDir {
		rest, t.always = strings.CutPrefix(rest, "always ")
	}
	name, lens, hasLens := strings.Cut(rest, "[")
	name, bits, isBits := strings.Cut(name, "/")
	if isBits {
		n, err := strconv.Atoi(bits)
		if err != nil || n < 1 || n > 64 {
			return fmt.Errorf("type %q: bit-field of %q bits", s, bits)
		}
		t.bits = n
	}
	name, t.width, _ = strings.Cut(name, ":")
	t.name, t.star = strings.CutSuffix(name, "*")
	if !isIdent(t.name) {
		return fmt.Errorf("%q is not a type", s)
	}
	if !hasLens {
		return nil
	}
	lens, ok = strings.CutSuffix(lens, "]")
	if !ok {
		return fmt.Errorf("type %q: length is not closed", s)
	}
	lens, t.prefix = strings.CutPrefix(lens, ":")
	for l := range strings.SplitSeq(lens, ",") {
		term, err := parseTerm(l)
		if err != nil {
			return fmt.Errorf("type %q: %w", s, err)
		}
		t.lens = append(t.lens, term)
	}
	if len(t.lens) > 2 {
		return fmt.Errorf("type %q: more than two lengths", s)
	}
	return nil
}

func parseTerm(s string) (termExpr, error) {
	var t termExpr
	s, t.deref = strings.CutPrefix(s, "*")
	if i := strings.IndexAny(s, "*/+"); i >= 0 {
		if j := strings.IndexByte(s[i+1:], '+'); s[i] == '*' && j >= 0 {
			plus, err := strconv.ParseUint(s[i+1+j+1:], 10, 32)
			if err != nil || plus == 0 {
				return t, fmt.Errorf("length %q: %q is not a positive number", s, s[i+1+j+1:])
			}
			t.plus, s = uint32(plus), s[:i+1+j]
		}
		by, err := strconv.ParseUint(s[i+1:], 10, 32)
		if err != nil || by == 0 {
			return t, fmt.Errorf("length %q: %q is not a positive number", s, s[i+1:])
		}
		t.op, t.by = s[i], uint32(by)
		s = s[:i]
	}
	if v, err := strconv.ParseUint(s, 10, 32); err == nil {
		t.val = uint32(v)
		return t, nil
	}
	name, member, inside := strings.Cut(s, ".")
	if !isIdent(name) || inside && (!isIdent(member) || !t.deref) {
		return t, fmt.Errorf("length %q is neither a number nor a name", s)
	}
	t.name = s
	return t, nil
}

func isIdent(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}
