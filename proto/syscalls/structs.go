package syscalls

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// section returns the structure, union or alias of types.txt, or nil.
// t.mu is held.
func (t *archTable) section(name string) *Type {
	all, _ := loadTypes()
	for s := range all.named(name) {
		kind, words := s.header()
		if len(words) > 0 && strings.HasPrefix(words[0], "[") {
			if !forArch(words[0], t.arch) {
				continue
			}
			words = words[1:]
		}
		typ, err := t.parseSection(s, kind, words)
		if err != nil {
			t.problem(err)
		}
		return typ
	}
	return nil
}

// parseSection parses a section with the words behind its name and
// architectures.
func (t *archTable) parseSection(s *section, kind string, words []string) (*Type, error) {
	typ := &Type{Kind: Struct, Name: s.name}
	t.keep(s.name, typ) // before the fields: a structure may point to itself
	switch kind {
	case "type":
		return t.parseAlias(s, words, typ)
	case "union":
		typ.Kind = Union
	}
	packed := false
	for _, w := range words {
		n, isAlign := strings.CutPrefix(w, "align=")
		switch {
		case w == "packed":
			packed = true
		case w == "gaps":
			typ.Gaps = true
		case w == "open":
			typ.Open = true
		case w == "grows":
			typ.Grows = true
		case isAlign:
			a, err := strconv.Atoi(n)
			if err != nil || a <= 0 || a&(a-1) != 0 {
				return typ, s.fail(fmt.Errorf("align=%s is no power of two", n))
			}
			typ.align = a
		}
	}
	var fields []fieldExpr
	var order, again []string
	err := s.lines(func(line string) error {
		if names, ok := strings.CutPrefix(line, "=>"); ok {
			again = strings.Fields(names)
			return nil
		}
		if names, ok := strings.CutPrefix(line, "="); ok {
			order = strings.Fields(names)
			return nil
		}
		f, err := parseField(line)
		fields = append(fields, f)
		return err
	})
	if err != nil {
		return typ, err
	}
	// A length may name a field further down (iov_base, iov_len): the first
	// round finds where the fields are, the second what their lengths are.
	l := layout{t: t, union: typ.Kind == Union, packed: packed}
	for range 2 {
		if err := l.place(fields); err != nil {
			return typ, s.fail(err)
		}
	}
	if err := reorder(l.fields, order); err != nil {
		return typ, s.fail(err)
	}
	typ.Fields = l.fields
	if err := typ.split(again); err != nil {
		return typ, s.fail(err)
	}
	typ.align = max(l.align, typ.align, 1)
	typ.Size = (l.end + typ.align - 1) / typ.align * typ.align
	return typ, nil
}

// reorder brings the named fields to the front: the order of printing where it
// is not that of the layout.
func reorder(fields []Field, names []string) error {
	for to, name := range names {
		from := to + slices.IndexFunc(fields[to:], func(f Field) bool { return f.Name == name })
		if from < to {
			return fmt.Errorf("= %s: no such field, or named too often", name)
		}
		f := fields[from]
		copy(fields[to+1:from+1], fields[to:from])
		fields[to] = f
	}
	return nil
}

// split notes which fields are looked at when the call has ended: those named,
// and those that say so.
func (t *Type) split(again []string) error {
	for _, name := range again {
		bare := strings.Trim(name, "[]")
		t.Bare = bare != name
		i := len(t.Fields) - 1
		for i >= 0 && t.Fields[i].Name != bare { // the last of that name: see at=
			i--
		}
		if i < 0 {
			return fmt.Errorf("=> %s: no such field", name)
		}
		t.Again = append(t.Again, i)
	}
	t.Split = len(again) > 0 || slices.ContainsFunc(t.Fields, func(f Field) bool {
		return f.After || f.Changed || f.Type.Kind == Struct && f.Type.Split
	})
	return nil
}

// parseAlias handles "type socklen_t u32".
func (t *archTable) parseAlias(s *section, words []string, typ *Type) (*Type, error) {
	var e typeExpr
	if len(words) == 0 {
		return typ, s.fail(errors.New("it is given no type"))
	}
	if err := e.parse(words[0]); err != nil {
		return typ, s.fail(err)
	}
	base, _, err := t.value(&e, noScope{}, 4)
	if err != nil {
		return typ, s.fail(err)
	}
	sym := typ.Sym
	*typ = *base
	typ.Name, typ.Sym = s.name, sym
	return typ, nil
}

// fieldExpr is a line of a structure, as written.
type fieldExpr struct {
	name string
	typ  typeExpr
	Field
	at   string // the field whose place it shares, perhaps "+" bytes behind it; "" for none
	cond string // "name=value", "name!=value", "name&value" or "name!&value", more behind " and "; "" for none
	with string // the field without which it is not printed, "" for none
}

// parseField parses "name type [word ...] [if condition]".
func parseField(line string) (fieldExpr, error) {
	var f fieldExpr
	line, f.cond, _ = strings.Cut(line, " if ")
	words := strings.Fields(line)
words:
	for n := len(words); n > 2; n-- {
		at, isAt := strings.CutPrefix(words[n-1], "at=")
		with, isWith := strings.CutPrefix(words[n-1], "with=")
		switch w := words[n-1]; {
		case w == "terse":
			f.Terse = true
		case w == "hidden":
			f.Hidden = true
		case w == "after":
			f.After = true
		case w == "changed":
			f.Changed = true
		case w == "varies":
			f.Changed, f.Varies = true, true
		case w == "nonzero":
			f.NonZero = true
		case w == "since":
			f.Since = true
		case w == "whole":
			f.Least = -1
		case w == "deep":
			f.Deep = true
		case isWith:
			f.with = with
		case isAt:
			f.at = at
		default:
			break words
		}
		words = words[:n-1]
	}
	if len(words) < 2 || !isIdent(strings.ReplaceAll(words[0], ".", "_")) {
		return f, fmt.Errorf("%q is not a name and a type", line)
	}
	f.name = words[0]
	return f, f.typ.parse(strings.Join(words[1:], " "))
}

// layout places fields as the C ABI does.
type layout struct {
	t      *archTable
	union  bool
	packed bool
	known  []Field // of an earlier round: what lengths may name
	fields []Field
	end    int // of the fields so far
	align  int
}

func (l *layout) place(fields []fieldExpr) error {
	l.known, l.fields, l.end, l.align = l.fields, make([]Field, 0, len(fields)), 0, 1
	for i := range fields {
		e := &fields[i]
		var typ *Type
		var err error
		if e.typ.ptr {
			typ, err = l.t.pointer(&e.typ, l)
		} else {
			typ, _, err = l.t.value(&e.typ, l, 4)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
		align := 1
		if !l.packed {
			align = l.t.alignment(typ)
		}
		l.align = max(l.align, align)
		off := 0
		if !l.union {
			off = (l.end + align - 1) / align * align
		}
		f := e.Field
		if e.at != "" {
			at, by, _ := strings.Cut(e.at, "+")
			i := slices.IndexFunc(l.fields, func(f Field) bool { return f.Name == at })
			if i < 0 {
				return fmt.Errorf("%s: at=%s is no field before it", e.name, e.at)
			}
			off = l.fields[i].Off
			if by != "" {
				n, err := strconv.Atoi(by)
				if err != nil || n <= 0 {
					return fmt.Errorf("%s: at=%s: %q is no number", e.name, e.at, by)
				}
				off += n
			}
			f.Overlaid, l.fields[i].Overlaid = true, true
		}
		f.Name, f.Off, f.Type, f.Bits = e.name, off, typ, uint8(e.typ.bits)
		if f.If, err = l.condition(e.cond); err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
		if f.Least, err = l.least(e, off, typ.Size); err != nil {
			return err
		}
		if f.Bits != 0 && len(l.fields) > 0 {
			// It shares the integer of the bit-field before, if it fits.
			last := &l.fields[len(l.fields)-1]
			shift := int(last.Shift) + int(last.Bits)
			if last.Bits != 0 && last.Type.Size == typ.Size && shift+e.typ.bits <= 8*typ.Size {
				f.Off, f.Shift = last.Off, uint8(shift)
			}
		}
		if e.typ.bits > 8*typ.Size {
			return fmt.Errorf("%s: %d bits in %d bytes", e.name, e.typ.bits, typ.Size)
		}
		l.end = max(l.end, f.Off+typ.Size)
		l.fields = append(l.fields, f)
	}
	return nil
}

// least returns how many bytes of a structure that grows there must be for a
// field to be printed.
func (l *layout) least(e *fieldExpr, off, size int) (int, error) {
	switch {
	case e.Since:
		return off + 1, nil
	case e.Least < 0:
		return off + size, nil
	case e.with == "" || l.known == nil:
		return 0, nil
	}
	i := slices.IndexFunc(l.known, func(f Field) bool { return f.Name == e.with })
	if i < 0 {
		return 0, fmt.Errorf("%s: with=%s is no field", e.name, e.with)
	}
	return l.known[i].Off + 1, nil
}

// condition resolves the condition of a field to others, of the round before.
func (l *layout) condition(s string) (c FieldCond, err error) {
	s, more, several := strings.Cut(s, " and ")
	if several {
		and, err := l.condition(more)
		if err != nil {
			return c, err
		}
		c.And = &and
	}
	at := strings.IndexAny(s, "=&")
	if s == "" || l.known == nil {
		return c, nil
	}
	if at < 0 {
		return c, fmt.Errorf("if %s: neither = nor &", s)
	}
	var name string
	name, c.Not = strings.CutSuffix(s[:at], "!")
	i := slices.IndexFunc(l.known, func(f Field) bool { return f.Name == name })
	if i < 0 {
		return c, fmt.Errorf("if %s: no such field", s)
	}
	f := &l.known[i]
	c.Off, c.Size, c.Mask = f.Off, f.Type.Size, 1<<(8*min(f.Type.Size, 8)-1)<<1-1
	if c.Size == 0 || c.Size > 8 {
		return c, fmt.Errorf("if %s: %s is no integer", s, f.Name)
	}
	if s[at] == '&' {
		c.Mask, err = l.t.evaluate(s[at+1:], f.Type.Consts)
		return c, err
	}
	for name := range strings.SplitSeq(s[at+1:], "|") {
		if set := l.t.constSet(name); set != nil { // one of them
			for _, v := range set.Values {
				c.Any = append(c.Any, v.Val&c.Mask)
			}
			continue
		}
		v, err := l.t.evaluate(name, f.Type.Consts)
		if err != nil {
			return c, err
		}
		c.Any = append(c.Any, v&c.Mask)
	}
	return c, nil
}

// length implements scope.
func (l *layout) length(e termExpr) (Length, error) {
	n := lengthOps(e)
	switch {
	case e.deref || e.name == "ret":
		return n, fmt.Errorf("length %s means nothing in a structure", e)
	case e.name == "":
		n.From, n.Val = LenConst, e.val
		return n, nil
	case e.name == "rest":
		n.From = LenRest
		return n, nil
	}
	if len(e.name) == 4 && strings.HasPrefix(e.name, "arg") && e.name[3] >= '0' && e.name[3] <= '5' {
		n.From, n.Val, n.Size = LenArg, uint32(e.name[3]-'0'), 4
		return n, nil
	}
	n.From = LenField
	for _, f := range l.known {
		if f.Name == e.name {
			n.Val, n.Size = uint32(f.Off), uint8(f.Type.Size)
			return n, nil
		}
	}
	if l.known != nil {
		return n, fmt.Errorf("length %s is no field", e)
	}
	return n, nil
}

// lengthOps carries the multiplication or division of a term over.
func lengthOps(e termExpr) Length {
	var n Length
	switch e.op {
	case '*':
		n.Mul, n.Add = e.by, e.plus
	case '/':
		n.Div = e.by
	case '+':
		n.Add = e.by
	}
	return n
}

// noScope has no names.
type noScope struct{}

func (noScope) length(e termExpr) (Length, error) {
	n := lengthOps(e)
	if e.name != "" || e.deref {
		return n, fmt.Errorf("length %s names nothing here", e)
	}
	n.From, n.Val = LenConst, e.val
	return n, nil
}
