package format

import "sysreel/proto/syscalls"

// maxGrown is the size beyond which the kernel refuses a structure whose size
// the caller states: a page (copy_struct_from_user, bpf_check_uarg_tail_zero).
const maxGrown = 4096

// growing writes a structure that Grows, in v and, if not nil, as it is when the
// call has ended in out. What the caller does not state is 0; a set byte behind
// the members that are known is a newer kernel's.
func (p *printer) growing(t *syscalls.Type, v view, out *view) {
	if v.want == 0 || v.want > maxGrown || len(v.data) < v.want {
		p.lost(v)
		return
	}
	if out != nil && out.buf < 0 && p.ended() {
		out = &v // an older trace does not have it
	}
	size := v.want
	p.grows = true
	end := p.grown(t, v, out)
	p.grows = false
	if out != nil && t.Split {
		p.pause()
		if v = *out; v.buf < 0 {
			return
		}
	}
	if size = min(size, len(v.data)); end < size && anySet(v.data[end:size]) {
		if !p.o.Verbose {
			p.s(", ...")
		} else {
			p.s(", extra_data=\"")
			p.quoteHex(v.data[end:size])
			p.s("\" /* bytes ")
			p.udec(uint64(end))
			p.s("..")
			p.udec(uint64(size - 1))
			p.s(" */")
		}
	}
	p.c('}')
}

// grown writes such a structure without its closing brace and returns where the
// members end that are known of it.
func (p *printer) grown(t *syscalls.Type, given view, out *view) (end int) {
	size := given.want
	v := filled(given, t.Size)
	var after view
	if out != nil {
		after = filled(*out, t.Size)
	}
	for i := range t.Fields {
		if f := &t.Fields[i]; !f.Overlaid || f.If.Holds(v.data) {
			end = max(end, f.Off+extent(f.Type))
		}
	}
	p.c('{')
	first := true
	for i := range t.Fields {
		f := &t.Fields[i]
		if f.Since && size < f.Least {
			break
		}
		if f.Hidden || size < f.Least || !f.If.Holds(v.data) {
			continue
		}
		from, to := v, (*view)(nil)
		if out != nil {
			to = &after
			if f.After || f.Changed {
				p.pause()
			}
			if f.After && out.buf < 0 {
				continue
			}
			if f.After {
				from = after
			}
		}
		fv := from.at(f.Off, sizeOr(f.Type, from.want-f.Off))
		if f.NonZero && !anySet(fv.data) {
			continue
		}
		if !first {
			p.s(", ")
		}
		first = false
		p.s(f.Name)
		p.c('=')
		switch {
		case f.Type.Grows:
			if to != nil {
				inner := out.at(f.Off, size-f.Off)
				if out.buf < 0 {
					inner = *out
				}
				to = &inner
			}
			end = f.Off + p.grown(f.Type, given.at(f.Off, size-f.Off), to)
			p.c('}')
		case f.Type.Kind == syscalls.String && f.Type.Size > 0:
			short := *f.Type // as much of the text as the caller states
			short.Size = min(f.Type.Size, size-f.Off)
			p.value(&short, fv.at(0, short.Size))
		default:
			p.field(f, from, fv, to)
		}
	}
	return end
}

// extent returns how many bytes the members of t take, without what pads them
// to its alignment.
func extent(t *syscalls.Type) int {
	end := 0
	for i := range t.Fields {
		end = max(end, t.Fields[i].Off+t.Fields[i].Type.Size)
	}
	if end == 0 {
		return t.Size
	}
	return end
}

// filled returns v with at least size bytes: those that are not there are 0.
func filled(v view, size int) view {
	if len(v.data) < size {
		data := make([]byte, size)
		copy(data, v.data)
		v.data = data
	}
	v.want, v.faulted = max(v.want, size), false
	return v
}
