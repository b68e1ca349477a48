//go:build linux && (amd64 || arm64)

package unwind

// trampoline reports whether the code at pc is what a signal handler returns to;
// behind: or before pc, where the thread has got to. The kernel's and glibc's have
// call frame information; musl's and Go's do not.
func (w *walk) trampoline(pc uint64, behind bool) bool {
	code := w.l.trampoline
	if code == "" {
		return false
	}
	is := func(pc uint64) bool {
		b := w.code[:len(code)]
		return w.mem.read(pc, b) == len(b) && string(b) == code
	}
	return is(pc) || behind && is(pc-uint64(len(code)))
}

// interrupted restores the registers that a signal's delivery has saved.
func (w *walk) interrupted() result {
	at := w.regs.R[w.l.sp] + w.l.context
	next := w.regs
	for i, reg := range w.l.contextOrder {
		v, ok := w.load(at + uint64(i*w.l.word))
		if !ok {
			return lost
		}
		next.R[reg] = v
	}
	w.mask(&next)
	w.regs = next
	return more
}

// framePointer goes to the caller as code does that keeps frame pointers. Where the
// program was stopped it may be in a function without a frame of its own, or that
// has not made it yet: leaf.
func (w *walk) framePointer(s *Space, leaf bool) result {
	l := w.l
	sp, fp := w.regs.R[l.sp], w.regs.R[l.fp]
	word := uint64(l.word)
	next, ok := w.load(fp)
	var ret uint64
	if ok {
		ret, ok = w.load(fp + word)
		ret &= l.pcMask
	}
	if leaf {
		if l.ra >= 0 {
			lr := w.regs.R[l.ra] & l.pcMask
			if lr != ret && w.called(s, lr) {
				w.regs.R[l.pc] = lr
				return more
			}
		} else if at, fine := w.load(sp); fine && w.called(s, at) {
			w.regs.R[l.pc], w.regs.R[l.sp] = at, sp+word
			return more
		}
	}
	switch {
	case fp == 0:
		return bottom
	case !ok || fp%word != 0 || fp < sp && !leaf:
		return lost
	case ret == 0:
		return bottom
	case s.find(ret) == nil:
		return lost
	}
	w.regs.R[l.pc], w.regs.R[l.sp], w.regs.R[l.fp] = ret, fp+2*word, next
	if l.ra >= 0 {
		w.regs.R[l.ra] = ret
	}
	return more
}

// called reports whether addr is behind a call instruction.
func (w *walk) called(s *Space, addr uint64) bool {
	if s.find(addr) == nil || addr < 8 {
		return false
	}
	b := w.code[:7]
	if w.l.ra >= 0 {
		if w.mem.read(addr-4, b[:4]) != 4 {
			return false
		}
		d := data{b: b[:4]}
		insn := d.uint(4)
		return insn&0xfc000000 == 0x94000000 || insn&0xfffffc1f == 0xd63f0000 // BL, BLR
	}
	if w.mem.read(addr-7, b) != len(b) {
		return false
	}
	if b[2] == 0xe8 { // call rel32
		return true
	}
	// call *reg, *mem: ff /2, of 2, 3, 6 or 7 bytes.
	for _, n := range []int{2, 3, 4, 6, 7} {
		if b[7-n] == 0xff && b[8-n]&0x38 == 0x10 {
			return true
		}
	}
	return false
}
