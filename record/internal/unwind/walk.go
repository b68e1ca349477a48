//go:build linux && (amd64 || arm64)

package unwind

import (
	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

// Unwinder unwinds stacks. It keeps what it has learnt of files, within bounds,
// and must not be used concurrently.
type Unwinder struct {
	files files
	rows  []cached
	nodes map[node]*tracefile.Stack
	pcs   []place
	walk  walk
}

// node tells interned stacks apart.
type node struct {
	object  *tracefile.Object
	offset  uint64
	exact   bool
	partial bool
	caller  *tracefile.Stack
}

// cached is the row of an address of a file.
type cached struct {
	image *image
	pc    uint64
	row   *row // nil: there is none
}

const (
	cacheRows = 1 << 13
	maxNodes  = 1 << 17
)

// Target is a stopped thread.
type Target struct {
	TID   int
	Space *Space
	Regs  Regs
	// Exact: the thread is not behind a call or system call, but was stopped
	// where it is.
	Exact bool
	// Read copies the thread's memory and returns how many bytes there were.
	// nil: none can be read.
	Read func(addr uint64, into []byte) int
	// Extent is how much of the stack was needed the last time; it is a hint
	// and is brought up to date.
	Extent *uint64
}

// place is a frame that has been found.
type place struct {
	pc    uint64
	exact bool
	at    *mapping
}

// walk is the unwinding of one stack.
type walk struct {
	l    *layout
	regs Regs
	mem  memory
	code [16]byte // read to see what it is
}

// Stack returns the stack of a thread, of depth frames at most, nil if nothing is
// known of it. Equal stacks are mostly the same pointer.
func (u *Unwinder) Stack(t *Target, depth int) *tracefile.Stack {
	l := layouts[t.Regs.Arch]
	if l == nil || depth <= 0 {
		return nil
	}
	if !t.Space.known {
		u.files.load(t)
	}
	depth = min(depth, tracefile.MaxStack)
	w := &u.walk
	w.l, w.regs, w.mem.read = l, t.Regs, t.Read
	if t.Read == nil {
		w.mem.read = func(uint64, []byte) int { return 0 }
	}
	u.pcs = u.pcs[:0]
	partial := true
	exact := t.Exact
	reading := false
	for {
		pc := w.regs.R[l.pc] & l.pcMask
		at := u.find(t, pc)
		if at == nil && len(u.pcs) > 0 {
			break // no code is there
		}
		u.pcs = append(u.pcs, place{pc, exact, at})
		if len(u.pcs) == depth {
			partial = depth > 1
			break
		}
		if !reading {
			reading = true
			w.mem.reset(w.regs.R[l.sp]&^7, max(*t.Extent, grain))
		}
		found, next := u.caller(t, at, pc, exact)
		if next {
			u.pcs[len(u.pcs)-1].exact = true // a trampoline: it is returned to
		}
		if found != more {
			partial = found == lost
			break
		}
		exact = next
	}
	if reading {
		*t.Extent = min(w.mem.far-w.mem.first, maxGrow)
	}
	return u.intern(partial)
}

// find returns the mapping of an address. Where there may be more than is known, it
// looks again.
func (u *Unwinder) find(t *Target, pc uint64) *mapping {
	m := t.Space.find(pc)
	if m == nil && t.Space.grown {
		u.files.load(t)
		m = t.Space.find(pc)
	}
	return m
}

// result is what became of the search for a caller.
type result uint8

const (
	more   result = iota // it is in walk.regs
	bottom               // there is none
	lost                 // it cannot be told
)

// caller replaces the registers by the caller's. exact says whether pc is the
// next instruction's address, and so for the caller does interrupted.
func (u *Unwinder) caller(t *Target, at *mapping, pc uint64, exact bool) (r result, interrupted bool) {
	w := &u.walk
	before := w.regs
	innermost := len(u.pcs) == 1
	if at != nil && at.image != nil {
		lookup := pc - at.from + at.off + uint64(at.object.Bias)
		if !exact {
			lookup--
		}
		if row := u.row(at.image, lookup, w.l); row != nil {
			r, interrupted = w.apply(row), row.signal
			return w.progress(r, &before), interrupted
		}
		// Where a function begins nothing has been called.
		code := uint64(len(w.l.trampoline))
		if g := at.image.goTable; g != nil && (exact || !g.begins(lookup+1) && !g.begins(lookup+1-code)) {
			if r, ok := w.goFrame(g, lookup); ok {
				return w.progress(r, &before), false
			}
		}
	}
	if !exact && w.trampoline(pc, innermost) {
		return w.progress(w.interrupted(), &before), true
	}
	return w.progress(w.framePointer(t.Space, innermost || exact), &before), false
}

// progress makes it the end where nothing has changed.
func (w *walk) progress(r result, before *Regs) result {
	if r == more && w.regs.R[w.l.pc] == before.R[w.l.pc] && w.regs.R[w.l.sp] == before.R[w.l.sp] {
		return lost
	}
	return r
}

// row returns the row of a virtual address, nil if there is none.
func (u *Unwinder) row(im *image, pc uint64, l *layout) *row {
	if im.frames == nil || im.frames.word != l.word {
		return nil
	}
	if u.rows == nil {
		u.rows = make([]cached, cacheRows)
	}
	c := &u.rows[pc*0x9E3779B97F4A7C15>>(64-13)]
	if c.image != im || c.pc != pc {
		*c = cached{image: im, pc: pc}
		if r, ok := im.frames.row(pc, l); ok {
			c.row = r
		}
	}
	return c.row
}

// apply computes the caller's registers by a row.
func (w *walk) apply(r *row) result {
	cfa, ok := w.value(&r.cfa, 0)
	if !ok {
		return lost
	}
	next := w.regs
	next.R[w.l.sp] = cfa
	for i := range r.rules {
		ru := &r.rules[i]
		v, ok := w.value(&ru.rule, cfa)
		if !ok {
			if int(ru.reg) == w.l.pc {
				if ru.how == undefined {
					return bottom
				}
				return lost
			}
			v = 0
		}
		next.R[ru.reg] = v
	}
	w.mask(&next)
	if next.R[w.l.pc] == 0 {
		return bottom
	}
	w.regs = next
	return more
}

// mask takes from the program counter what is no address.
func (w *walk) mask(r *Regs) {
	r.R[w.l.pc] &= w.l.pcMask
	if w.l.word == 4 {
		r.R[w.l.sp] &= w.l.pcMask
	}
}

// value computes what a rule says, of the CFA with cfa 0.
func (w *walk) value(r *rule, cfa uint64) (uint64, bool) {
	switch r.how {
	case offsetAt:
		return w.load(cfa + uint64(r.off))
	case offsetIs:
		return cfa + uint64(r.off), true
	case register:
		return w.regs.R[r.reg] + uint64(r.off), true
	case exprAt:
		if addr, ok := w.eval(r.expr, cfa, true); ok {
			return w.load(addr)
		}
	case exprIs:
		return w.eval(r.expr, cfa, cfa != 0)
	}
	return 0, false
}

func (w *walk) load(addr uint64) (uint64, bool) {
	if w.l.word == 4 {
		addr = uint64(uint32(addr))
	}
	return w.mem.word(addr, w.l.word)
}

// intern makes the stack of the places found.
func (u *Unwinder) intern(partial bool) *tracefile.Stack {
	if u.nodes == nil || len(u.nodes) > maxNodes {
		u.nodes = make(map[node]*tracefile.Stack)
	}
	var s *tracefile.Stack
	for i := len(u.pcs) - 1; i >= 0; i-- {
		p := &u.pcs[i]
		k := node{offset: p.pc, exact: p.exact, caller: s, partial: partial && s == nil}
		if p.at != nil && p.at.object != nil {
			k.object, k.offset = p.at.object, p.pc-p.at.from+p.at.off
		}
		n := u.nodes[k]
		if n == nil {
			n = &tracefile.Stack{Object: k.object, Offset: k.offset, Exact: k.exact, Partial: k.partial, Caller: s}
			u.nodes[k] = n
		}
		s = n
	}
	return s
}

// Supported reports whether stacks of an architecture can be unwound.
func Supported(a syscalls.Arch) bool { return layouts[a] != nil }
