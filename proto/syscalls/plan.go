package syscalls

import "fmt"

const (
	// maxWhole bounds what is kept whole: a getdents64 buffer is rarely larger.
	maxWhole = 64 << 10
	// maxString bounds a path or text (PATH_MAX).
	maxString = 4096
	// maxGrowing bounds a structure whose size the caller states; the kernel
	// takes no more than a page (copy_struct_from_user).
	maxGrowing = 4096
)

// planner turns the pointers of a call into Copies.
type planner struct {
	t      *archTable
	d      *Desc
	copies []Copy
}

// piece is a pointer to follow.
type piece struct {
	typ    *Type // the Pointer
	arg    int8
	parent int8
	off    int // of the pointer in the parent's unit
	stride int
	phase  uint8
	nested int  // offset of the structure that the lengths speak of, in the parent's unit
	rest   bool // no array above counts its units by the result
	spread bool // the array above was written with `rest`
	only   CopyIfs
}

// plan returns the copies of all arguments: those at enter, then those at exit.
func (p *planner) plan() ([]Copy, error) {
	for _, exit := range []bool{false, true} {
		for i := range p.d.Args {
			a := &p.d.Args[i]
			if a.Type.Kind != Pointer {
				continue
			}
			enter := a.Type.Dir == In || a.Type.Dir == InOut
			leave := a.Type.Dir == Out || a.Type.Dir == InOut || flowsOut(a.Type.Elem, 0)
			w := piece{typ: a.Type, arg: int8(a.Reg), parent: -1, rest: true}
			if exit {
				w.phase = AtSuccess
				if a.Type.always {
					w.phase = AtExit
				}
			}
			if exit && !leave || !exit && !enter {
				continue
			}
			if err := p.follow(w, a.Type.Dir); err != nil {
				return nil, fmt.Errorf("%s: %w", a.Name, err)
			}
		}
	}
	return p.copies, nil
}

// flowsOut reports whether a structure has a pointer to what the kernel
// writes.
func flowsOut(t *Type, depth int) bool {
	switch {
	case t == nil || depth > 4:
		return false
	case t.Kind == Array:
		return flowsOut(t.Elem, depth+1)
	case t.Kind != Struct:
		return false
	}
	for _, f := range t.Fields {
		if f.Type.Kind == Pointer && (f.Type.Dir == Out || f.Type.Dir == InOut) || flowsOut(f.Type, depth+1) {
			return true
		}
	}
	return false
}

// follow adds the copy of what w points to, and of what that points to. dir is
// how the argument flows.
func (p *planner) follow(w piece, dir Dir) error {
	elem := w.typ.Elem
	c := Copy{Phase: w.phase, Arg: w.arg, Parent: w.parent, Off: uint16(w.off), Stride: uint16(w.stride), Max: maxWhole, Unit: 1, If: w.only}
	unit := elem // of which there are Count
	if w.phase == AtExit && w.parent >= 0 && elem.Kind == Array && !w.typ.always {
		c.Phase = AtSuccess // strace looks at no array of a call that failed
	}
	switch {
	case elem.Kind == String && elem.Size == 0:
		c.Mode, c.Max, c.Data = CString, maxString, elem.Name == "str"
	case elem.Kind == Array && elem.Name == "strings", elem.Kind == Array && elem.Name == "envs":
		c.Mode, c.Unit = Pointers, uint32(p.t.arch.PtrSize())
		unit = elem.Elem
	case elem.Kind == String:
		c.Data = elem.Name == "str"
	case elem.Kind == Bytes:
		c.Data = elem.Name != "raw"
	case w.typ.prefix:
		c.Max = maxGrowing
	case elem.Kind == Special && elem.Size == 0:
	case elem.Kind == Array:
		unit = elem.Elem
		c.Unit = uint32(unit.Size)
	default:
		c.Unit = uint32(elem.Size)
	}
	if s, ok := specials[elem.Name]; ok && elem.Kind == Special && s.max != 0 {
		c.Max = s.max
	}
	if c.Unit == 0 && unit.Kind == Int {
		return nil // a name that stands for nothing
	}
	if c.Unit == 0 {
		return fmt.Errorf("type %s has no size", elem.Name)
	}
	byUnits, spread := p.counts(&c, &w)
	if n, ok := tail(elem); ok && w.parent < 0 && len(w.typ.lens) == 0 {
		n.Val = uint32(w.arg)
		c.Count[0], c.Unit = n, 1
	}
	if c.Mode == Counted && c.Count[0].From == LenNone {
		c.Count[0] = Length{From: LenConst, Val: 1}
		if w.typ.prefix || elem.Size == 0 && elem.Kind != Array {
			return fmt.Errorf("type %s has no length", elem.Name)
		}
	}
	if len(p.copies) > 100 {
		return fmt.Errorf("more than 100 copies")
	}
	p.copies = append(p.copies, c)
	stride := 0
	if unit != elem || c.Mode == Pointers {
		stride = int(c.Unit)
	}
	inner := w
	inner.parent, inner.stride, inner.nested, inner.only = int8(len(p.copies)-1), stride, 0, CopyIfs{}
	inner.rest, inner.spread = w.rest && !byUnits, spread
	return p.inside(unit, 0, inner, dir)
}

// tail returns the length in bytes of a structure that ends in an array as long
// as one of its fields says.
func tail(t *Type) (Length, bool) {
	if t.Kind != Struct || len(t.Fields) == 0 {
		return Length{}, false
	}
	f := t.Fields[len(t.Fields)-1]
	n := f.Type.Len
	if f.Type.Size != 0 || n.From != LenField || n.Div > 1 || n.Val > maxGrowing {
		return Length{}, false
	}
	n.From, n.Off = LenDeref, uint16(n.Val)
	if f.Type.Kind == Array {
		n.Mul = max(n.Mul, 1) * uint32(f.Type.Elem.Size)
	}
	n.Add += uint32(f.Off)
	return n, true
}

// counts fills in the lengths of a copy. It reports whether the result counts
// its units, and whether the result counts the bytes of the data behind it.
func (p *planner) counts(c *Copy, w *piece) (byUnits, spread bool) {
	n := 0
	for _, l := range w.typ.lens {
		switch l.From {
		case LenRet:
			if w.phase == AtEnter {
				continue
			}
			byUnits = true
		case LenRest:
			spread = true
			continue
		case LenField:
			l.Val += uint32(w.nested)
		}
		c.Count[n] = l
		n++
	}
	// Data behind an iovec array ends where the result ends.
	if c.Data && w.parent >= 0 && w.rest && w.phase != AtEnter && w.spread && n < 2 {
		c.Count[n] = Length{From: LenRest}
	}
	return byUnits, spread
}

// inside follows the pointers in a value of type t at offset off of the unit
// just copied.
func (p *planner) inside(t *Type, off int, w piece, dir Dir) error {
	switch t.Kind {
	case Pointer:
		return p.followField(t, off, off, w, dir)
	case Struct:
		for _, f := range t.Fields {
			var err error
			w := w
			w.only = w.only.and(&f.If, off)
			if f.Type.Kind == Pointer {
				err = p.followField(f.Type, off+f.Off, off, w, dir)
			} else {
				err = p.inside(f.Type, off+f.Off, w, dir)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", f.Name, err)
			}
		}
	}
	return nil
}

// followField follows a pointer in a structure, if it flows in this phase: one
// with a direction by that, one without as the argument does.
func (p *planner) followField(t *Type, off, nested int, w piece, dir Dir) error {
	atEnter := w.phase == AtEnter
	switch t.Dir {
	case In:
		if !atEnter && dir != Out {
			return nil
		}
		if atEnter {
			dir = In // and so does what it leads to
		}
	case Out:
		if atEnter {
			return nil
		}
	case NoDir:
		if atEnter != (dir == In) {
			return nil
		}
	}
	w.typ, w.off, w.nested = t, off, nested
	return p.follow(w, dir)
}
