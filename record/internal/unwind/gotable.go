//go:build linux && (amd64 || arm64)

package unwind

// goTable is the table of functions that Go's linker puts into programs, which
// have no .eh_frame of their own (runtime/symtab.go, internal/abi/symtab.go; Go
// 1.18 and later). It tells the size of the frame at every instruction.
type goTable struct {
	data    []byte
	text    uint64 // address that functions count from
	count   int
	quantum uint64
	pctab   uint64
	funcs   uint64
	flag    uint64 // offset of the flags in a function's entry
}

const (
	goMagic118 = 0xfffffff0
	goMagic120 = 0xfffffff1

	goTopFrame = 1 << 0 // nothing called it
	goSPWrite  = 1 << 1 // it changes stacks
)

// newGoTable returns nil if b is no such table; text is the address of .text.
func newGoTable(b []byte, text uint64) *goTable {
	d := data{b: b, word: 8}
	magic := d.uint(4)
	g := &goTable{data: b, flag: 41}
	switch magic {
	case goMagic118:
		g.flag = 37
	case goMagic120:
	default:
		return nil
	}
	d.uint(2)
	g.quantum = d.uint(1)
	ptr := d.uint(1)
	count := d.uint(8)
	d.uint(8) // files
	if g.text = d.uint(8); g.text == 0 {
		g.text = text // of newer versions
	}
	d.take(3 * 8) // names, units, files
	g.pctab, g.funcs = d.uint(8), d.uint(8)
	if d.bad || ptr != 8 || g.quantum == 0 || g.funcs > uint64(len(b)) || count > (uint64(len(b))-g.funcs)/8 {
		return nil
	}
	g.count = int(count)
	return g
}

// at returns a reader at an offset.
func (g *goTable) at(off uint64) data {
	if off > uint64(len(g.data)) {
		return data{bad: true}
	}
	return data{b: g.data, at: int(off), word: 8}
}

// function returns the index of the function that off, which counts from text, is
// in.
func (g *goTable) function(off uint64) (int, bool) {
	lo, hi := 0, g.count
	for lo < hi {
		mid := int(uint(lo+hi) / 2)
		if d := g.at(g.funcs + 8*uint64(mid)); d.uint(4) <= off {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	d := g.at(g.funcs + 8*uint64(lo))
	end := d.uint(4)
	return lo - 1, lo > 0 && !d.bad && off < end
}

// begins reports whether a function begins at pc.
func (g *goTable) begins(pc uint64) bool {
	if g == nil || pc < g.text {
		return false
	}
	i, ok := g.function(pc - g.text)
	d := g.at(g.funcs + 8*uint64(max(i, 0)))
	return ok && d.uint(4) == pc-g.text
}

// frame returns the size of the frame of the function that pc is in, and its
// flags.
func (g *goTable) frame(pc uint64) (size int64, flags byte, ok bool) {
	if g == nil || pc < g.text {
		return 0, 0, false
	}
	off := pc - g.text
	i, ok := g.function(off)
	if !ok {
		return 0, 0, false
	}
	d := g.at(g.funcs + 8*uint64(i) + 4)
	entry := g.funcs + d.uint(4)
	f := g.at(entry)
	at := f.uint(4)
	f.take(12) // name, size of the arguments, deferreturn
	table := f.uint(4)
	if fl := g.at(entry + g.flag); !fl.bad {
		flags = byte(fl.uint(1))
	}
	if f.bad || d.bad || table == 0 {
		return 0, flags, !f.bad && !d.bad
	}
	// Pairs of differences: of the size, and of the address up to which it holds.
	t := g.at(g.pctab + table)
	size = -1
	for first := true; !t.bad; first = false {
		v := t.uleb()
		if v == 0 && !first {
			return 0, 0, false
		}
		size += int64(v>>1) ^ -int64(v&1)
		if at += t.uleb() * g.quantum; off < at {
			return size, flags, !t.bad && size >= 0
		}
	}
	return 0, 0, false
}

// goFrame goes to the caller of a Go function. ok is false if the frame must be
// told in another way.
func (w *walk) goFrame(g *goTable, pc uint64) (r result, ok bool) {
	size, flags, ok := g.frame(pc)
	if !ok || flags&goSPWrite != 0 && flags&goTopFrame == 0 {
		return lost, false
	}
	if flags&goTopFrame != 0 {
		return bottom, true
	}
	l := w.l
	sp := w.regs.R[l.sp]
	next := w.regs
	if l.ra >= 0 { // the return address is the lowest word, the frame pointer below it
		ret := w.regs.R[l.ra]
		if size > 0 {
			var a, b bool
			ret, a = w.load(sp)
			next.R[l.fp], b = w.load(sp - 8)
			if !a || !b {
				return lost, true
			}
		}
		next.R[l.pc], next.R[l.ra], next.R[l.sp] = ret, ret, sp+uint64(size)
	} else {
		ret, fine := w.load(sp + uint64(size))
		if !fine {
			return lost, true
		}
		if size > 0 {
			if next.R[l.fp], fine = w.load(sp + uint64(size) - 8); !fine {
				return lost, true
			}
		}
		next.R[l.pc], next.R[l.sp] = ret, sp+uint64(size)+8
	}
	w.mask(&next)
	if next.R[l.pc] == 0 {
		return bottom, true
	}
	w.regs = next
	return more, true
}
