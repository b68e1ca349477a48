//go:build linux && (amd64 || arm64)

package unwind

// maxSteps bounds the operations of an expression, which may go in circles;
// maxDepth its stack.
const (
	maxSteps = 1 << 10
	maxDepth = 64
)

// eval computes a DWARF expression (DWARF 5, 2.5) as call frame information has
// them: with constants, registers and memory, but no symbols. initial is pushed
// first if push is set.
func (w *walk) eval(expr []byte, initial uint64, push bool) (uint64, bool) {
	var room [maxDepth]uint64
	st := room[:0]
	if push {
		st = append(st, initial)
	}
	d := data{b: expr, word: w.l.word}
	for steps := 0; d.at < len(d.b); steps++ {
		if steps == maxSteps || len(st) > maxDepth-2 {
			return 0, false
		}
		op := d.uint(1)
		need := 0
		switch {
		case op == 0x12, op == 0x13, op == 0x06, op == 0x19, op == 0x1f, op == 0x20, op == 0x23, op == 0x28, op == 0x94:
			need = 1
		case op == 0x14, op == 0x16, op >= 0x1a && op <= 0x2e && op != 0x23 && op != 0x28:
			need = 2
		case op == 0x17:
			need = 3
		}
		if len(st) < need {
			return 0, false
		}
		top := len(st) - 1
		switch {
		case op == 0x03: // DW_OP_addr
			st = append(st, d.uint(w.l.word))
		case op == 0x06 || op == 0x94: // DW_OP_deref, DW_OP_deref_size
			size := w.l.word
			if op == 0x94 {
				size = int(d.uint(1))
			}
			if size != 1 && size != 2 && size != 4 && size != 8 {
				return 0, false
			}
			v, ok := w.mem.word(st[top], size)
			if !ok {
				return 0, false
			}
			st[top] = v
		case op >= 0x08 && op <= 0x0f: // DW_OP_const1u … const8s
			size := 1 << ((op - 8) / 2)
			if op&1 == 0 {
				st = append(st, d.uint(size))
			} else {
				st = append(st, d.int(size))
			}
		case op == 0x10: // DW_OP_constu
			st = append(st, d.uleb())
		case op == 0x11: // DW_OP_consts
			st = append(st, uint64(d.sleb()))
		case op == 0x12: // DW_OP_dup
			st = append(st, st[top])
		case op == 0x13: // DW_OP_drop
			st = st[:top]
		case op == 0x14: // DW_OP_over
			st = append(st, st[top-1])
		case op == 0x15: // DW_OP_pick
			i := int(d.uint(1))
			if i > top {
				return 0, false
			}
			st = append(st, st[top-i])
		case op == 0x16: // DW_OP_swap
			st[top], st[top-1] = st[top-1], st[top]
		case op == 0x17: // DW_OP_rot
			st[top], st[top-1], st[top-2] = st[top-1], st[top-2], st[top]
		case op == 0x19: // DW_OP_abs
			if int64(st[top]) < 0 {
				st[top] = -st[top]
			}
		case op == 0x1f: // DW_OP_neg
			st[top] = -st[top]
		case op == 0x20: // DW_OP_not
			st[top] = ^st[top]
		case op == 0x23: // DW_OP_plus_uconst
			st[top] += d.uleb()
		case op == 0x28: // DW_OP_bra
			to := d.at + 2 + int(int16(d.uint(2)))
			if st[top] != 0 {
				if to < 0 || to > len(d.b) {
					return 0, false
				}
				d.at = to
			}
			st = st[:top]
		case op == 0x2f: // DW_OP_skip
			to := d.at + 2 + int(int16(d.uint(2)))
			if to < 0 || to > len(d.b) {
				return 0, false
			}
			d.at = to
		case op >= 0x1a && op <= 0x2e:
			v, ok := combine(op, st[top-1], st[top])
			if !ok {
				return 0, false
			}
			st[top-1], st = v, st[:top]
		case op >= 0x30 && op <= 0x4f: // DW_OP_lit0 … lit31
			st = append(st, op-0x30)
		case op >= 0x70 && op <= 0x8f, op == 0x92: // DW_OP_breg0 … breg31, bregx
			reg := op - 0x70
			if op == 0x92 {
				reg = d.uleb()
			}
			off := d.sleb()
			if reg >= uint64(w.l.regs) {
				return 0, false
			}
			st = append(st, w.regs.R[reg]+uint64(off))
		case op == 0x96: // DW_OP_nop
		default:
			return 0, false
		}
		if d.bad {
			return 0, false
		}
	}
	if len(st) == 0 {
		return 0, false
	}
	return st[len(st)-1], true
}

// combine computes an operation of two numbers.
func combine(op, a, b uint64) (uint64, bool) {
	is := func(c bool) (uint64, bool) {
		if c {
			return 1, true
		}
		return 0, true
	}
	x, y := int64(a), int64(b)
	switch op {
	case 0x1a: // DW_OP_and
		return a & b, true
	case 0x1b: // DW_OP_div
		if y == 0 || y == -1 {
			return -a, y != 0
		}
		return uint64(x / y), true
	case 0x1c: // DW_OP_minus
		return a - b, true
	case 0x1d: // DW_OP_mod
		if b == 0 {
			return 0, false
		}
		return a % b, true
	case 0x1e: // DW_OP_mul
		return a * b, true
	case 0x21: // DW_OP_or
		return a | b, true
	case 0x22: // DW_OP_plus
		return a + b, true
	case 0x24: // DW_OP_shl
		return a << b, true
	case 0x25: // DW_OP_shr
		return a >> b, true
	case 0x26: // DW_OP_shra
		return uint64(x >> b), true
	case 0x27: // DW_OP_xor
		return a ^ b, true
	case 0x29: // DW_OP_eq
		return is(x == y)
	case 0x2a: // DW_OP_ge
		return is(x >= y)
	case 0x2b: // DW_OP_gt
		return is(x > y)
	case 0x2c: // DW_OP_le
		return is(x <= y)
	case 0x2d: // DW_OP_lt
		return is(x < y)
	case 0x2e: // DW_OP_ne
		return is(x != y)
	}
	return 0, false
}
