package syscalls

import (
	"fmt"
	"strings"
)

// compileRow compiles a row of linux.txt with its variants. t.mu is held.
func (t *archTable) compileRow(r *rowText) (*Desc, error) {
	row, err := parseProto(r.proto)
	if err != nil {
		return nil, fmt.Errorf("linux.txt:%d: %w", r.line, err)
	}
	d, err := t.compile(row, nil)
	if err != nil {
		return nil, fmt.Errorf("linux.txt:%d: %w", r.line, err)
	}
	d.NR = uint32(r.nr[t.arch])
	if len(r.variants) > 0 {
		d.variants = &variants{t: t, base: d, texts: r.variants}
	}
	return d, nil
}

// compileVariant compiles a variant row: a Desc for each combination of the
// values that its arguments may have.
func (t *archTable) compileVariant(base *Desc, row *rowExpr) ([]*Desc, error) {
	d, err := t.compile(row, base)
	if err != nil {
		return nil, err
	}
	all := [][]Match{nil}
	for i := range row.args {
		if row.args[i].match == nil {
			continue
		}
		alternatives, err := t.matches(&d.Args[i], row.args[i].match)
		if err != nil {
			return nil, fmt.Errorf("%s$%s: %w", row.name, row.variant, err)
		}
		var next [][]Match
		for _, m := range alternatives {
			for _, before := range all {
				next = append(next, append(before[:len(before):len(before)], m))
			}
		}
		all = next
	}
	descs := make([]*Desc, len(all))
	for i, match := range all {
		v := *d
		v.NR, v.Match = base.NR, match
		descs[i] = &v
	}
	return descs, nil
}

// matches returns the alternatives of a condition, without those that the
// architecture does not have.
func (t *archTable) matches(a *Arg, e *matchExpr) ([]Match, error) {
	mask, err := t.matchMask(a, e.mask)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", a.Name, err)
	}
	list := make([]Match, 0, len(e.values))
	for _, s := range e.values {
		v, err := t.constant(a.Type, s)
		if err == errAbsent {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a.Name, err)
		}
		list = append(list, Match{Reg: a.Reg, Mask: mask, Value: v & mask})
	}
	return list, nil
}

func (t *archTable) matchMask(a *Arg, s string) (uint64, error) {
	mask := ^uint64(0)
	if a.Type.Size > 0 && a.Type.Size < 8 {
		mask = 1<<(8*a.Type.Size) - 1
	}
	if s == "" {
		return mask, nil
	}
	m, err := t.evaluate(s, a.Type.Consts)
	return m & mask, err
}

// constant returns the value of a name of a flag set or enumeration, or of a
// number.
func (t *archTable) constant(typ *Type, s string) (uint64, error) {
	if typ.Kind == Pointer {
		typ = typ.Elem
	}
	return t.evaluate(s, typ.Consts)
}

// compile gives a row its meaning on t's architecture. base is the row that a
// variant belongs to, or nil. t.mu is held.
func (t *archTable) compile(row *rowExpr, base *Desc) (*Desc, error) {
	d := &Desc{Arch: t.arch, Name: row.name, Variant: row.variant, Proto: row.String()}
	s := &argScope{d: d}
	reg := 0
	// Registers and plain types first: lengths and conditions name arguments
	// in any order.
	d.Args = make([]Arg, len(row.args))
	for i := range row.args {
		e := &row.args[i]
		a := &d.Args[i]
		a.Name, a.Label = e.name, e.label
		typ, err := t.argType(e, base, nil)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", row.name, e.name, err)
		}
		a.Type = typ
		if e.reg >= 0 {
			reg = e.reg
		}
		a.Reg = reg
		reg++
		switch two := typ.Name == "loffhl" || typ.Name == "loffhilo"; {
		case typ.Kind == Pointer:
		case typ.Size == 8 && t.arch.PtrSize() == 4:
			a.Wide, a.Hi = true, reg
			if typ.Name == "loffhilo" {
				a.Reg, a.Hi = reg, a.Reg
			}
			reg++
		case two:
			reg++
		}
		if reg > 6 {
			return nil, fmt.Errorf("%s: %s: more than 6 registers", row.name, e.name)
		}
	}
	for i := range row.args {
		e := &row.args[i]
		if e.typ.name != "" {
			typ, err := t.argType(e, base, s)
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", row.name, e.name, err)
			}
			d.Args[i].Type = typ
		}
		if e.cond != nil {
			if err := t.compileCond(d, &d.Args[i], e.cond); err != nil {
				return nil, fmt.Errorf("%s: %s: %w", row.name, e.name, err)
			}
		}
	}
	var ret typeExpr
	if err := ret.parse(row.ret); err != nil {
		return nil, fmt.Errorf("%s: result: %w", row.name, err)
	}
	typ, _, err := t.value(&ret, noScope{}, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: result: %w", row.name, err)
	}
	d.Ret, d.NoReturn = typ, row.ret == "noreturn"
	if base != nil {
		d.Sets, d.NoReturn = base.Sets, base.NoReturn
	} else {
		d.Sets = row.classes()
	}
	p := planner{t: t, d: d}
	if d.Copies, err = p.plan(); err != nil {
		return nil, fmt.Errorf("%s: %w", row.name, err)
	}
	return d, nil
}

// argType returns the type of an argument. Without a scope, lengths are left
// out.
func (t *archTable) argType(e *argExpr, base *Desc, s *argScope) (*Type, error) {
	if e.typ.name == "" {
		for i := range base.argsOrNil() {
			if base.Args[i].Name == e.name {
				return base.Args[i].Type, nil
			}
		}
		return nil, fmt.Errorf("the base row has no argument of this name to take the type from")
	}
	typ := e.typ
	var sc scope = s
	if s == nil {
		typ.lens = nil
		sc = noScope{}
	}
	if typ.dir != NoDir {
		return t.pointer(&typ, sc)
	}
	v, _, err := t.value(&typ, sc, t.arch.PtrSize())
	return v, err
}

func (d *Desc) argsOrNil() []Arg {
	if d == nil {
		return nil
	}
	return d.Args
}

func (t *archTable) compileCond(d *Desc, a *Arg, e *condExpr) error {
	for i := range d.Args {
		o := &d.Args[i]
		if o.Name != e.arg {
			continue
		}
		a.If.Reg = o.Reg
		for _, s := range e.values {
			v, err := t.constant(o.Type, s)
			if err != nil && o.Type.Consts == nil && o.Type.Kind == Int && o.Type.Base == Hex {
				continue // a set that is not defined yet
			}
			if err != nil {
				return fmt.Errorf("if: %w", err)
			}
			if !e.equal {
				a.If.Mask |= v
				continue
			}
			mask, _ := t.matchMask(o, "")
			a.If.Mask = mask
			a.If.Any = append(a.If.Any, v&mask)
		}
		return nil
	}
	return fmt.Errorf("if: %s is no argument", e.arg)
}

// argScope resolves lengths to arguments.
type argScope struct{ d *Desc }

func (s *argScope) length(e termExpr) (Length, error) {
	n := lengthOps(e)
	switch {
	case e.name == "" && !e.deref:
		n.From, n.Val = LenConst, e.val
		return n, nil
	case e.name == "ret":
		n.From = LenRet
		return n, nil
	case e.name == "rest":
		n.From = LenRest
		return n, nil
	case e.name == "ioc_size":
		n.From, n.Val = LenIoctl, 1
		return n, nil
	}
	name, field, inside := strings.Cut(e.name, ".")
	for i := range s.d.Args {
		a := &s.d.Args[i]
		if a.Name != name {
			continue
		}
		n.From, n.Val = LenArg, uint32(a.Reg)
		if a.Type.Kind != Pointer {
			n.Size = uint8(a.Type.Size)
			if e.deref {
				return n, fmt.Errorf("length %s: %s is no pointer", e, e.name)
			}
			return n, nil
		}
		if !e.deref {
			return n, fmt.Errorf("length %s is a pointer: *%s?", e, e)
		}
		n.From, n.Size = LenDeref, 4
		k := a.Type.Elem
		if inside {
			f := fieldNamed(k, field)
			if f == nil {
				return n, fmt.Errorf("length %s: %s has no member %s", e, name, field)
			}
			n.Off, k = uint16(f.Off), f.Type
		}
		if k.Kind == Int && k.Size > 0 {
			n.Size = uint8(k.Size)
		}
		return n, nil
	}
	return n, fmt.Errorf("length %s is no argument", e)
}

// fieldNamed returns a member of a structure, or nil.
func fieldNamed(t *Type, name string) *Field {
	for i := range t.Fields {
		if t.Fields[i].Name == name {
			return &t.Fields[i]
		}
	}
	return nil
}
