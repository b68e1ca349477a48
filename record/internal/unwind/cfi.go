//go:build linux && (amd64 || arm64)

package unwind

import (
	"cmp"
	"slices"
	"strings"
)

// frames is the call frame information of a file: its .eh_frame, and a way to
// find the entry of an address.
type frames struct {
	word  int
	data  []byte // .eh_frame
	addr  uint64 // virtual address of data
	table []byte // of .eh_frame_hdr: pairs of 32-bit numbers, sorted, relative to hdr
	hdr   uint64
	list  []span // instead of a table, where the file has none
}

// span is the addresses that an entry is for.
type span struct {
	from, to uint64
	entry    int // offset in data
}

// A row says how the registers of the caller are found at some address.
type row struct {
	cfa    rule
	rules  []regRule
	signal bool // the frame is that of a signal trampoline
}

type regRule struct {
	reg uint8
	rule
}

// rule says how a value is found.
type rule struct {
	how  how
	reg  uint8
	off  int64
	expr []byte // of exprAt and exprIs
}

type how uint8

const (
	same      how = iota // as in the frame itself
	undefined            // it is not known
	offsetAt             // at CFA + off
	offsetIs             // CFA + off
	register             // reg + off
	exprAt               // at what expr comes to
	exprIs               // what expr comes to
)

// maxList bounds the entries of a file without a table.
const maxList = 1 << 20

// scan makes the list of a file that has no table.
func (f *frames) scan() {
	for at := 0; at < len(f.data) && len(f.list) < maxList; {
		e, ok := f.entry(at)
		if !ok {
			break
		}
		if !e.isCIE {
			if s, ok := f.span(&e); ok {
				f.list = append(f.list, span{s.from, s.to, at})
			}
		}
		if e.next <= at {
			break
		}
		at = e.next
	}
	slices.SortFunc(f.list, func(x, y span) int { return cmp.Compare(x.from, y.from) })
}

// find returns the offset in data of the entry that may be for pc.
func (f *frames) find(pc uint64) (int, bool) {
	if f.table == nil {
		i, found := slices.BinarySearchFunc(f.list, pc, func(s span, pc uint64) int { return cmp.Compare(s.from, pc) })
		if !found {
			i--
		}
		if i < 0 || pc >= f.list[i].to {
			return 0, false
		}
		return f.list[i].entry, true
	}
	at := func(i int) (from, entry uint64) {
		d := data{b: f.table[8*i : 8*i+8]}
		return f.hdr + d.int(4), f.hdr + d.int(4)
	}
	lo, hi := 0, len(f.table)/8
	for lo < hi {
		mid := int(uint(lo+hi) / 2)
		if from, _ := at(mid); from <= pc {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == 0 {
		return 0, false
	}
	_, entry := at(lo - 1)
	if entry < f.addr || entry-f.addr >= uint64(len(f.data)) {
		return 0, false
	}
	return int(entry - f.addr), true
}

// entry is a CIE or an FDE, from behind its ID.
type entry struct {
	isCIE bool
	cie   int // of an FDE: offset of its CIE
	body  data
	next  int
}

// entry reads the head of what is at an offset in data.
func (f *frames) entry(at int) (e entry, ok bool) {
	if at < 0 || at > len(f.data) {
		return e, false
	}
	d := data{b: f.data, addr: f.addr, at: at, word: f.word}
	length := d.uint(4)
	if length == 0xffffffff {
		length = d.uint(8)
	}
	if d.bad || length < 4 || length > uint64(len(f.data)-d.at) { // a length of 0 ends the section
		return e, false
	}
	start := d.at
	e.next = start + int(length)
	id := d.uint(4)
	e.isCIE = id == 0
	if !e.isCIE {
		if id > uint64(start) {
			return e, false
		}
		e.cie = start - int(id)
	}
	e.body = d
	e.body.b = f.data[:e.next]
	return e, !d.bad
}

// cie is a common information entry.
type cie struct {
	codeAlign uint64
	dataAlign int64
	ra        uint64
	enc       byte // of the FDEs' addresses
	augmented bool // entries have augmentation data
	signal    bool
	program   data
}

func (f *frames) cie(at int) (c cie, ok bool) {
	e, ok := f.entry(at)
	if !ok || !e.isCIE {
		return c, false
	}
	d := e.body
	version := d.uint(1)
	if version != 1 && version != 3 && version != 4 {
		return c, false
	}
	aug := d.text()
	if strings.HasPrefix(aug, "eh") { // of gcc 2
		d.uint(d.word)
	}
	if version == 4 {
		d.uint(2) // sizes of addresses and segments
	}
	c.codeAlign, c.dataAlign = d.uleb(), d.sleb()
	if version == 1 {
		c.ra = d.uint(1)
	} else {
		c.ra = d.uleb()
	}
	if strings.HasPrefix(aug, "z") {
		c.augmented = true
		n := d.uleb()
		if n > uint64(len(d.b)-d.at) {
			return c, false
		}
		end := d.at + int(n)
	letters:
		for _, l := range aug[1:] {
			switch l {
			case 'R':
				c.enc = byte(d.uint(1))
			case 'P':
				enc := byte(d.uint(1))
				if enc != peOmit {
					d.pointer(enc&^0x80, 0) // the personality is of no interest
				}
			case 'L':
				d.uint(1)
			case 'S':
				c.signal = true
			case 'B', 'G': // arm64: keys of pointer authentication, memory tagging
			default:
				break letters
			}
		}
		d.at = end
	}
	c.program = d
	return c, !d.bad
}

// span reads the addresses that an FDE is for and leaves e.body behind them.
func (f *frames) span(e *entry) (s span, ok bool) {
	c, ok := f.cie(e.cie)
	if !ok {
		return s, false
	}
	return e.span(&c)
}

func (e *entry) span(c *cie) (s span, ok bool) {
	s.from = e.body.pointer(c.enc, 0)
	s.to = s.from + e.body.pointer(c.enc&peFormat, 0)
	return s, !e.body.bad
}

// row returns how to find the caller of pc, a virtual address of the file.
func (f *frames) row(pc uint64, l *layout) (*row, bool) {
	at, ok := f.find(pc)
	if !ok {
		return nil, false
	}
	e, ok := f.entry(at)
	if !ok || e.isCIE {
		return nil, false
	}
	c, ok := f.cie(e.cie)
	if !ok {
		return nil, false
	}
	s, ok := e.span(&c)
	if !ok || pc < s.from || pc >= s.to {
		return nil, false
	}
	if c.augmented {
		e.body.take(int(min(e.body.uleb(), 1<<31)))
	}
	m := machine{cie: &c, layout: l, loc: s.from}
	if !m.run(c.program, ^uint64(0)) {
		return nil, false
	}
	m.initial = m.state
	if e.body.bad || !m.run(e.body, pc) {
		return nil, false
	}
	r := &row{cfa: m.state.cfa, signal: c.signal}
	for reg := range l.regs {
		ru := m.state.regs[reg]
		target := reg
		if uint64(reg) == c.ra && l.ra >= 0 {
			target = l.pc // the caller goes on there
			if ru.how == same {
				ru = rule{how: register, reg: uint8(reg)}
			}
			if m.state.regs[reg].how != same {
				r.rules = append(r.rules, regRule{uint8(reg), m.state.regs[reg]})
			}
		}
		if ru.how != same {
			r.rules = append(r.rules, regRule{uint8(target), ru})
		}
	}
	return r, true
}

// state is a row being made.
type state struct {
	cfa  rule
	regs [maxRegs]rule
}

// machine executes the instructions of an entry.
type machine struct {
	cie     *cie
	layout  *layout
	loc     uint64
	state   state
	initial state
	saved   []state
}

// maxSaved bounds DW_CFA_remember_state, maxOps the instructions of an entry.
const (
	maxSaved = 32
	maxOps   = 1 << 16
)

// run executes d up to the row of pc. It reports whether all was understood.
func (m *machine) run(d data, pc uint64) bool {
	code := m.cie.codeAlign
	// set notes a register's rule; those that are not followed do not count.
	set := func(reg uint64, r rule) {
		if reg < uint64(m.layout.regs) {
			m.state.regs[reg] = r
		}
	}
	advance := func(by uint64) bool {
		m.loc += by * code
		return m.loc > pc
	}
	block := func() []byte {
		n := d.uleb()
		if n > uint64(len(d.b)-d.at) {
			d.bad = true
			return nil
		}
		return d.take(int(n))
	}
	factored := func(v int64) int64 { return v * m.cie.dataAlign }
	for ops := 0; d.at < len(d.b) && !d.bad; ops++ {
		if ops == maxOps {
			return false
		}
		op := d.uint(1)
		low := op & 0x3f
		switch op & 0xc0 {
		case 0x40: // DW_CFA_advance_loc
			if advance(low) {
				return true
			}
			continue
		case 0x80: // DW_CFA_offset
			set(low, rule{how: offsetAt, off: factored(int64(d.uleb()))})
			continue
		case 0xc0: // DW_CFA_restore
			if low < maxRegs {
				set(low, m.initial.regs[low])
			}
			continue
		}
		switch op {
		case 0x00: // DW_CFA_nop
		case 0x01: // DW_CFA_set_loc
			if m.loc = d.pointer(m.cie.enc, 0); m.loc > pc {
				return !d.bad
			}
		case 0x02, 0x03, 0x04: // DW_CFA_advance_loc1, 2, 4
			if advance(d.uint(1 << (op - 2))) {
				return !d.bad
			}
		case 0x05: // DW_CFA_offset_extended
			reg := d.uleb()
			set(reg, rule{how: offsetAt, off: factored(int64(d.uleb()))})
		case 0x06: // DW_CFA_restore_extended
			if reg := d.uleb(); reg < maxRegs {
				set(reg, m.initial.regs[reg])
			}
		case 0x07: // DW_CFA_undefined
			set(d.uleb(), rule{how: undefined})
		case 0x08: // DW_CFA_same_value
			set(d.uleb(), rule{how: same})
		case 0x09: // DW_CFA_register
			reg, from := d.uleb(), d.uleb()
			if from >= maxRegs {
				set(reg, rule{how: undefined})
			} else {
				set(reg, rule{how: register, reg: uint8(from)})
			}
		case 0x0a: // DW_CFA_remember_state
			if len(m.saved) == maxSaved {
				return false
			}
			m.saved = append(m.saved, m.state)
		case 0x0b: // DW_CFA_restore_state
			if len(m.saved) == 0 {
				return false
			}
			m.state = m.saved[len(m.saved)-1]
			m.saved = m.saved[:len(m.saved)-1]
		case 0x0c, 0x12: // DW_CFA_def_cfa, _sf
			reg, off := d.uleb(), int64(0)
			if op == 0x0c {
				off = int64(d.uleb())
			} else {
				off = factored(d.sleb())
			}
			if reg >= maxRegs {
				return false
			}
			m.state.cfa = rule{how: register, reg: uint8(reg), off: off}
		case 0x0d: // DW_CFA_def_cfa_register
			reg := d.uleb()
			if reg >= maxRegs {
				return false
			}
			m.state.cfa = rule{how: register, reg: uint8(reg), off: m.state.cfa.off}
		case 0x0e: // DW_CFA_def_cfa_offset
			m.state.cfa.off = int64(d.uleb())
		case 0x13: // DW_CFA_def_cfa_offset_sf
			m.state.cfa.off = factored(d.sleb())
		case 0x0f: // DW_CFA_def_cfa_expression
			m.state.cfa = rule{how: exprIs, expr: block()}
		case 0x10: // DW_CFA_expression
			reg := d.uleb()
			set(reg, rule{how: exprAt, expr: block()})
		case 0x11: // DW_CFA_offset_extended_sf
			reg := d.uleb()
			set(reg, rule{how: offsetAt, off: factored(d.sleb())})
		case 0x14: // DW_CFA_val_offset
			reg := d.uleb()
			set(reg, rule{how: offsetIs, off: factored(int64(d.uleb()))})
		case 0x15: // DW_CFA_val_offset_sf
			reg := d.uleb()
			set(reg, rule{how: offsetIs, off: factored(d.sleb())})
		case 0x16: // DW_CFA_val_expression
			reg := d.uleb()
			set(reg, rule{how: exprIs, expr: block()})
		case 0x2d: // DW_CFA_AARCH64_negate_ra_state: signatures are masked in any case
		case 0x2e: // DW_CFA_GNU_args_size
			d.uleb()
		case 0x2f: // DW_CFA_GNU_negative_offset_extended
			reg := d.uleb()
			set(reg, rule{how: offsetAt, off: -factored(int64(d.uleb()))})
		default:
			return false
		}
	}
	return !d.bad
}
