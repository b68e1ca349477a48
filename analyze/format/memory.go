package format

import (
	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

// view is a piece of the caller's memory as the trace holds it.
type view struct {
	data    []byte
	want    int    // bytes that should be there
	faulted bool   // the rest could not be read
	addr    uint64 // of data[0]
	buf     int    // index in Event.Bufs of the piece it lies in; −1: none
	off     int    // of data[0] in that piece
}

// at returns the part of v from off on, of up to size bytes.
func (v view) at(off, size int) view {
	w := view{want: max(0, min(v.want-off, size)), faulted: v.faulted, addr: v.addr + uint64(off), buf: v.buf, off: v.off + off}
	if off >= 0 && off <= len(v.data) {
		w.data = v.data[off:min(len(v.data), off+size)]
	}
	return w
}

// has tells whether the first n bytes are there.
func (v view) has(n int) bool { return len(v.data) >= n }

// phaseOf returns when memory behind a pointer of this direction is looked at.
func phaseOf(d syscalls.Dir) tracefile.Phase {
	if d == syscalls.Out || d == syscalls.InOut {
		return tracefile.AtExit
	}
	return tracefile.AtEnter
}

// root finds the memory behind the pointer in register reg.
func (p *printer) root(reg int, phase tracefile.Phase) (view, bool) {
	if reg < 0 || reg > 5 {
		return view{buf: -1}, false
	}
	for i := range p.e.Bufs {
		b := &p.e.Bufs[i]
		if b.Parent < 0 && int(b.Arg) == reg && b.Phase == phase {
			return p.view(i, p.e.Args[reg]), true
		}
	}
	return view{buf: -1, addr: p.e.Args[reg]}, false
}

// maxSearch bounds the steps in search of children for one call: a hostile
// trace may have many pieces and many pointers that lead to none of them.
// Pieces lie in the order in which they are asked for, so that an honest one
// takes about a step each.
const maxSearch = 1 << 18

// child finds the memory behind the pointer that lies at offset off of v,
// as it was at phase, or at the other one if it was copied only then.
func (p *printer) child(v view, off int, phase tracefile.Phase) (view, bool) {
	addr := load(v.data, off, p.arch.PtrSize())
	none := view{buf: -1, addr: addr}
	if v.buf < 0 {
		return none, false
	}
	twin := p.twin(v.buf)
	at := uint32(v.off + off)
	found := -1
	n := len(p.e.Bufs)
	if p.cursor >= n {
		p.cursor = 0
	}
	for k := range n {
		if p.searched++; p.searched > maxSearch {
			break
		}
		i := p.cursor + k
		if i >= n {
			i -= n
		}
		b := &p.e.Bufs[i]
		if b.Off != at || int(b.Parent) != v.buf && (twin < 0 || int(b.Parent) != twin) {
			continue
		}
		if found = i; b.Phase == phase {
			break
		}
	}
	if found < 0 {
		return none, false
	}
	p.cursor = found + 1
	return p.view(found, addr), true
}

// twin returns the index of the copy of the same memory made at the other
// phase, or −1.
func (p *printer) twin(i int) int {
	if i == p.twinOf {
		return p.twinIs
	}
	p.twinOf, p.twinIs = i, -1
	bufs := p.e.Bufs
	b := &bufs[i]
	for j := range bufs {
		if p.searched++; p.searched > maxSearch {
			break
		}
		o := &bufs[j]
		if o.Phase == b.Phase || o.Arg != b.Arg || o.Off != b.Off {
			continue
		}
		if o.Parent == b.Parent || p.sameRoot(int(o.Parent), int(b.Parent)) {
			p.twinIs = j
			break
		}
	}
	return p.twinIs
}

// sameRoot tells whether two pieces are the copies, at both phases, of what
// one argument points to.
func (p *printer) sameRoot(i, j int) bool {
	bufs := p.e.Bufs
	if i < 0 || j < 0 || i >= len(bufs) || j >= len(bufs) {
		return false
	}
	return bufs[i].Parent < 0 && bufs[j].Parent < 0 && bufs[i].Arg == bufs[j].Arg
}

func (p *printer) view(i int, addr uint64) view {
	b := &p.e.Bufs[i]
	return view{data: b.Data, want: max(int(b.Want), len(b.Data)), faulted: b.Faulted, addr: addr, buf: i}
}
