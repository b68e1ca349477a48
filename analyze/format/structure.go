package format

import (
	"bytes"

	"sysreel/proto/syscalls"
)

// structure writes {name=value, ...}.
func (p *printer) structure(t *syscalls.Type, v view) { p.split(t, v, nil) }

// split writes a structure that a call reads and writes: v as it was before and,
// if the call has ended well, out as it is then. For others out is nil.
func (p *printer) split(t *syscalls.Type, v view, out *view) {
	if t.Grows {
		p.growing(t, v, out)
		return
	}
	if !p.holds(t, v) || v.want < p.code(t).least || v.faulted && !v.has(t.Size) && len(v.data) < v.want {
		p.lost(v)
		return
	}
	terse := false
	if !p.o.Verbose {
		for i := range t.Fields {
			if t.Fields[i].Terse {
				terse = true
				break
			}
		}
	}
	p.c('{')
	first, more := true, false
	for i := range t.Fields {
		f := &t.Fields[i]
		if f.Hidden || !f.If.Holds(v.data) {
			continue
		}
		if f.After && out != nil && out.buf < 0 {
			p.pause()
			continue
		}
		if terse && !f.Terse {
			more = true
			continue
		}
		if t.Gaps && more {
			p.s(", ...")
			more = false
		}
		from := v
		if f.After && out != nil {
			p.pause()
			from = *out
		}
		fv := from.at(f.Off, sizeOr(f.Type, from.want-f.Off))
		if f.NonZero && !anySet(fv.data) {
			continue
		}
		if f.Type.Size > 0 && !fv.has(f.Type.Size) && (f.Type.Kind != syscalls.Struct || !p.holds(f.Type, fv)) {
			// A shorter structure of an older kernel, or a piece cut short.
			more = more || v.want > len(v.data)
			break
		}
		if !first {
			p.s(", ")
		}
		first = false
		p.s(f.Name)
		p.c('=')
		p.field(f, from, fv, out)
	}
	if more || t.Open && (out == nil || out.buf >= 0) {
		if !first {
			p.s(", ")
		}
		p.s("...")
	}
	if behindKnown[t.Name] {
		p.behind(", ", v, t.Size)
	}
	p.c('}')
	if out != nil && len(t.Again) > 0 {
		p.again(t, *out)
	}
}

// again writes " => {name=value, ...}": the members that are of interest once
// more when the call has ended well.
func (p *printer) again(t *syscalls.Type, out view) {
	p.pause()
	if out.buf < 0 {
		return
	}
	if !t.Bare && !p.anyAgain(t, out) {
		return
	}
	p.s(" => ")
	if t.Bare {
		f := &t.Fields[t.Again[0]]
		p.c('[')
		p.field(f, out, out.at(f.Off, f.Type.Size), nil)
		p.c(']')
		return
	}
	p.c('{')
	first := true
	for _, i := range t.Again {
		f := &t.Fields[i]
		fv := out.at(f.Off, sizeOr(f.Type, out.want-f.Off))
		if !f.If.Holds(out.data) || f.NonZero && !anySet(fv.data) || !fv.has(f.Type.Size) {
			continue
		}
		if !first {
			p.s(", ")
		}
		first = false
		if !p.o.Verbose && !f.Terse && t.Fields[t.Again[0]].Terse {
			p.s("...")
			break
		}
		p.s(f.Name)
		p.c('=')
		p.field(f, out, fv, nil)
	}
	p.c('}')
}

// anyAgain tells whether there is anything for again to write.
func (p *printer) anyAgain(t *syscalls.Type, out view) bool {
	for _, i := range t.Again {
		if f := &t.Fields[i]; f.If.Holds(out.data) {
			return true
		}
	}
	return false
}

// holds tells whether v has at least the first member of the structure t.
func (p *printer) holds(t *syscalls.Type, v view) bool {
	for i := range t.Fields {
		if f := &t.Fields[i]; !f.Hidden {
			if f.Type.Kind == syscalls.Struct && p.depth < maxDepth {
				return p.holds(f.Type, v.at(f.Off, f.Type.Size))
			}
			return len(v.data) > 0 && v.has(f.Off+f.Type.Size)
		}
	}
	return len(v.data) > 0 || v.want == 0
}

// field writes the value of a member of v. out is that of [printer.split].
func (p *printer) field(f *syscalls.Field, v, fv view, out *view) {
	if out != nil && f.Changed {
		p.field(f, v, fv, nil)
		p.pause()
		if now := out.at(f.Off, fv.want); out.buf >= 0 && !(f.Varies && bytes.Equal(fv.data, now.data)) {
			p.s(" => ")
			p.field(f, *out, now, nil)
		}
		return
	}
	switch {
	case out != nil && f.Type.Kind == syscalls.Struct && f.Type.Split:
		o := *out
		if o.buf >= 0 {
			o = out.at(f.Off, fv.want)
		}
		p.split(f.Type, fv, &o)
	case f.Type.Kind == syscalls.Pointer && f.Deep && !p.o.Verbose:
		p.addr(load(v.data, f.Off, f.Type.Size))
	case f.Type.Kind == syscalls.Pointer:
		p.pointerIn(f.Type, v, f.Off)
	case f.Type.Kind == syscalls.Array && f.Type.Len.From == syscalls.LenField && f.Type.Elem != nil:
		if n, ok := p.length(f.Type.Len, v); ok { // of a fixed number only so many count
			fv.want = int(min(uint64(fv.want), n*uint64(f.Type.Elem.Size)))
		}
		p.array(f.Type, fv)
	case f.Type.Kind == syscalls.Bytes && f.Type.Size > 0 && f.Type.Len.From == syscalls.LenField:
		if n, ok := p.length(f.Type.Len, v); ok {
			fv = fv.at(0, int(min(n, uint64(f.Type.Size))))
		}
		p.value(f.Type, fv)
	case f.Type.Kind == syscalls.String && f.Type.Size > 0 && f.Type.Len.From == syscalls.LenField:
		n, _ := p.length(f.Type.Len, v)
		if f.Type.Len.Size == 2 && int16(n) < 0 {
			n = 0
		}
		size := int(min(n, uint64(f.Type.Size-1), uint64(len(fv.data))))
		s, _ := trimNUL(fv.data[:size])
		_, ended := trimNUL(fv.data[:min(size+1, len(fv.data))])
		p.path(s, !ended)
	case f.Bits != 0:
		p.word(f.Type, f.Get(load(fv.data, 0, f.Type.Size)))
	default:
		p.value(f.Type, fv)
	}
}
