package syscalls

import (
	"fmt"
	"strings"
	"sync"
)

// variants are the forms of an irregular call, like ioctl. They are compiled
// when one that may fit is asked for: there are hundreds.
type variants struct {
	t     *archTable
	base  *Desc
	texts []variantText

	once  sync.Once
	key   Match // Value aside: what the first variant looks at first
	keyed map[uint64][]*variant
	loose []*variant // those that look at something else first
	all   []*variant // in the table's order
}

// variant is a row that may become several Descs, one for each combination of
// the values that its arguments may have.
type variant struct {
	line  int
	proto string // not yet parsed
	once  sync.Once
	descs []*Desc
}

// HasVariants reports whether Select may return something else than d.
func (d *Desc) HasVariants() bool { return d.variants != nil }

// Select returns the variant of d that fits the arguments, or d itself. Of
// several that fit it is the first in the table, but those that look at fewer
// bits of an argument (ioctl requests that carry a size) come last.
func (d *Desc) Select(args *[6]uint64) *Desc {
	v := d.variants
	if v == nil {
		return d
	}
	v.once.Do(v.index)
	for _, o := range v.keyed[args[v.key.Reg]&v.key.Mask] {
		if s := v.fitting(o, args); s != nil {
			return s
		}
	}
	for _, o := range v.loose {
		if s := v.fitting(o, args); s != nil {
			return s
		}
	}
	return d
}

// Variants returns all variants of a call, compiled.
func (d *Desc) Variants() []*Desc {
	v := d.variants
	if v == nil {
		return nil
	}
	v.once.Do(v.index)
	var all []*Desc
	for _, o := range v.all {
		o.once.Do(func() { v.compile(o) })
		all = append(all, o.descs...)
	}
	return all
}

func (v *variants) fitting(o *variant, args *[6]uint64) *Desc {
	o.once.Do(func() { v.compile(o) })
descs:
	for _, d := range o.descs {
		for _, m := range d.Match {
			if args[m.Reg]&m.Mask != m.Value {
				continue descs
			}
		}
		return d
	}
	return nil
}

// index sorts the variants by the first thing they look at.
func (v *variants) index() {
	v.t.mu.Lock()
	defer v.t.mu.Unlock()
	v.keyed = make(map[uint64][]*variant, 4*len(v.texts))
	for _, text := range v.texts {
		archs, proto := text.split()
		if archs != "" && !forArch(archs, v.t.arch) {
			continue
		}
		o := &variant{line: text.line, proto: proto}
		first, err := v.firstMatch(proto)
		if err != nil {
			v.t.problem(fmt.Errorf("linux.txt:%d: %s: %w", text.line, proto, err))
			continue
		}
		if len(first) == 0 {
			continue // nothing of it exists on this architecture
		}
		if v.all = append(v.all, o); len(v.all) == 1 {
			v.key = first[0]
		}
		if first[0].Reg != v.key.Reg || v.key.Mask&^first[0].Mask != 0 {
			v.loose = append(v.loose, o)
			continue
		}
		for _, m := range first {
			at := m.Value & v.key.Mask
			v.keyed[at] = append(v.keyed[at], o)
		}
	}
}

// firstMatch returns the alternatives of a variant's first condition. The
// argument has the type and the register of the base row's. The rest of the row
// is left for when the variant is wanted.
func (v *variants) firstMatch(proto string) ([]Match, error) {
	_, args, _ := strings.Cut(proto, "(")
	args, _, _ = strings.Cut(args, ")")
	for arg := range strings.SplitSeq(args, ", ") {
		if !strings.Contains(arg, " =") {
			continue
		}
		var e argExpr
		if err := e.parse(arg); err != nil {
			return nil, err
		}
		if e.match == nil {
			continue
		}
		for j := range v.base.Args {
			if a := &v.base.Args[j]; a.Name == e.name {
				return v.t.matches(a, e.match)
			}
		}
		return nil, fmt.Errorf("%s: the base row has no such argument", e.name)
	}
	return nil, fmt.Errorf("has no condition")
}

func (v *variants) compile(o *variant) {
	v.t.mu.Lock()
	defer v.t.mu.Unlock()
	row, err := parseProto(o.proto)
	if err == nil {
		o.descs, err = v.t.compileVariant(v.base, row)
	}
	if err != nil {
		v.t.problem(fmt.Errorf("linux.txt:%d: %w", o.line, err))
	}
}
