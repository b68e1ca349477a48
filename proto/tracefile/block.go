package tracefile

import (
	"encoding/binary"
	"fmt"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"sysreel/proto/tracepb"
)

// maxPieces bounds the pieces of memory in a block.
const maxPieces = 1 << 20

// Block is a decoded block. Its memory, and the data of the events that it
// gives, is used again by the next decoding into it.
type Block struct {
	Core
	Files    []FileContext // open files as they stood before the first event
	InFlight []Event       // calls that had not returned where the block ends

	nodes     []Stack // of the tree of stacks
	bases     column
	baseCount int

	secontexts secontexts

	chosen []bool // shapes to decode; nil: everything
	choice []bool // memory for it
	shapes []shapeDetail
	tables []tableData
	pool   numberPool
	words  numberPool // for one column
	index  []uint32   // pool of indices
	buf    []byte
	expand int // bytes of tables made so far
	pieces int
}

// shapeDetail holds the columns of a shape's rows.
type shapeDetail struct {
	args    []column
	layout  []uint32 // of each row, plus 1; nil: no memory
	ordinal []uint32 // of each row among those of its layout
	layouts []layoutDetail
	stack   column // node of each row, plus 1; 0: no stack
	base    column
	prints  column // fingerprints
	printed bool   // there are any
}

type layoutDetail struct {
	rows   int
	pieces int
	slots  []slotDetail
}

type slotDetail struct {
	Buf           // all but Want and Data
	count, stride uint32
	table         *tableData
	row           []uint32
	wantBase      tracepb.WantBase
	want          column
}

type tableData struct {
	raw  []byte // nil: it is decoded
	data []byte
	end  []uint32 // of each row; nil where all have one size
	size int
	rows int
	next int // rows referred to so far
}

func (t *tableData) row(i uint32) []byte {
	if t.end == nil {
		return t.data[int(i)*t.size : (int(i)+1)*t.size : (int(i)+1)*t.size]
	}
	start := uint32(0)
	if i > 0 {
		start = t.end[i-1]
	}
	return t.data[start:t.end[i]:t.end[i]]
}

// Block decodes everything into dst.
func (c *Chunk) Block(dst *Block) error { return c.choose(dst, All) }

// choose decodes what is chosen. Events of other shapes have no arguments and
// no memory.
func (c *Chunk) choose(dst *Block, choose Choose) error {
	if err := c.Core(&dst.Core); err != nil {
		return err
	}
	dst.choice = resize(dst.choice, len(dst.Shapes))
	clear(dst.choice)
	if !choose(&dst.Core, dst.choice) {
		return dst.noDetail()
	}
	dst.chosen = nil
	if slices.Contains(dst.choice, false) {
		dst.chosen = dst.choice
	}
	if err := c.decodeDetail(dst); err != nil {
		return fmt.Errorf("reading the block of events from #%d: %w", c.FirstEvent, err)
	}
	return nil
}

// noDetail makes the block one whose core columns alone are known.
func (b *Block) noDetail() error {
	b.Files = b.Files[:0]
	b.nodes, b.bases, b.baseCount = nil, column{}, 0
	b.secontexts = secontexts{}
	b.shapes = resize(b.shapes, len(b.Shapes))
	for i := range b.shapes {
		b.shapes[i].clear()
	}
	return b.decodeInFlight()
}

func (s *shapeDetail) clear() {
	s.args, s.layouts, s.layout, s.printed = s.args[:0], s.layouts[:0], nil, false
	s.stack, s.base = column{}, column{}
}

func (c *Chunk) decodeDetail(b *Block) error {
	buf, msg, err := decompress(b.buf, c.detail, c.DetailRaw, chunkDetailField)
	b.buf = buf
	if err != nil {
		return err
	}
	return b.parseDetail(msg)
}

// parseDetail decodes a Detail message. The Block's must have been decoded.
func (b *Block) parseDetail(msg []byte) error {
	b.pool.reset()
	b.index = b.index[:0]
	b.Files = b.Files[:0]
	b.expand, b.pieces = 0, 0
	var shapes, tables [][]byte
	var stacks, contexts []byte
	b.nodes, b.bases, b.baseCount = nil, column{}, 0
	first := uint64(0)
	err := eachField(msg, func(num protowire.Number, v uint64, data []byte) error {
		if err := b.parts.spend(1); err != nil {
			return err
		}
		switch num {
		case detailFirstEvent:
			first = v
		case detailShape:
			shapes = append(shapes, data)
		case detailTable:
			tables = append(tables, data)
		case detailStacks:
			stacks = data
		case detailSecontexts:
			contexts = data
		case detailFile:
			return b.addFile(data)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if first != b.FirstEvent || len(shapes) != len(b.Shapes) {
		return errMalformed
	}
	b.tables = resize(b.tables, len(tables))
	for i, t := range tables {
		b.tables[i] = tableData{raw: t} // decoded when it is referred to
		if b.chosen != nil {
			continue
		}
		if err := b.decodeTable(&b.tables[i]); err != nil {
			return err
		}
	}
	if err := b.decodeStacks(stacks); err != nil {
		return err
	}
	if err := b.decodeSecontexts(contexts); err != nil {
		return err
	}
	b.shapes = resize(b.shapes, len(shapes))
	last := len(shapes) - 1
	for b.chosen != nil && last >= 0 && !b.chosen[last] {
		last--
	}
	for i, s := range shapes {
		if i > last {
			b.shapes[i].clear()
			continue
		}
		if err := b.decodeShape(&b.shapes[i], s, i); err != nil {
			return err
		}
	}
	return b.decodeInFlight()
}

// addFile decodes a FileContext. Its bytes stay where they are.
func (b *Block) addFile(msg []byte) error {
	var f FileContext
	err := eachField(msg, func(num protowire.Number, v uint64, data []byte) error {
		switch num {
		case 1:
			f.Process = ProcessID(v)
		case 2:
			f.FD = int32(v)
		case 3:
			f.Link = data
		case 4:
			f.Flags = uint32(v)
		case 5:
			f.Peer = data
		}
		return nil
	})
	b.Files = append(b.Files, f)
	return err
}

// decodeTable decodes a Table message, if that was not done. Its columns are
// transposed back to rows.
func (b *Block) decodeTable(t *tableData) error {
	msg := t.raw
	if msg == nil {
		return nil
	}
	t.raw = nil
	var rows, size uint64
	var length, data, dirents []byte
	var words [][]byte
	err := eachField(msg, func(num protowire.Number, v uint64, field []byte) error {
		if err := b.parts.spend(1); err != nil {
			return err
		}
		switch num {
		case tabRows:
			rows = v
		case tabSize:
			size = v
		case tabLength:
			length = field
		case tabData:
			data = field
		case tabWord:
			words = append(words, field)
		case tabDirent:
			dirents = field
		}
		return nil
	})
	if err != nil {
		return err
	}
	if rows > maxPieces || size > maxExpand {
		return errMalformed
	}
	t.rows, t.size, t.data = int(rows), int(size), data
	switch {
	case len(words) > 0:
		if size != 4*uint64(len(words)) || rows*size > uint64(maxExpand-b.expand) {
			return errMalformed
		}
		b.expand += t.rows * t.size
		return b.transpose(t, words)
	case dirents != nil:
		t.size = 0
		return b.decodeDirents(t, dirents)
	case size > 0:
		if rows*size != uint64(len(data)) {
			return errMalformed
		}
		return nil
	}
	col, err := b.column(length, t.rows, decodeRelated{})
	if err != nil {
		return err
	}
	t.end = b.take(t.rows)
	sum := uint64(0)
	for i := range t.end {
		l := col.at(i)
		if l > uint64(len(data))-sum {
			return errMalformed
		}
		sum += l
		t.end[i] = uint32(sum)
	}
	if sum != uint64(len(data)) {
		return errMalformed
	}
	return nil
}

func (b *Block) transpose(t *tableData, words [][]byte) error {
	t.data = make([]byte, t.rows*t.size)
	for w, raw := range words {
		b.words.reset()
		c, err := parseColumn(raw)
		if err != nil {
			return err
		}
		col, err := c.decode(t.rows, &b.words, decodeRelated{}, &b.memory)
		if err != nil {
			return err
		}
		for i, p := 0, 4*w; i < t.rows; i, p = i+1, p+t.size {
			binary.LittleEndian.PutUint32(t.data[p:], uint32(col.at(i)))
		}
	}
	return nil
}

func (b *Block) decodeShape(s *shapeDetail, msg []byte, index int) error {
	rows := int(b.perShape[index])
	s.clear()
	chosen := b.chosen == nil || b.chosen[index]
	var layout, stack, base []byte
	var layouts [][]byte
	err := eachField(msg, func(num protowire.Number, v uint64, data []byte) error {
		if err := b.parts.spend(1); err != nil {
			return err
		}
		switch num {
		case sdArg:
			if !chosen {
				return nil
			}
			r := decodeRelated{ret: &b.rets[index]}
			if n := len(s.args); n > 0 {
				r.last = &s.args[n-1]
			}
			col, err := b.shapeColumn(data, index, r, &b.pool)
			if s.args = append(s.args, col); len(s.args) > 6 {
				return errMalformed
			}
			return err
		case sdLayout:
			layout = data
		case sdSlots:
			layouts = append(layouts, data)
		case sdStack:
			stack = data
		case sdBase:
			base = data
		case sdFingerprint:
			if !chosen {
				return nil
			}
			col, err := b.column(data, rows, decodeRelated{})
			s.prints, s.printed = col, true
			return err
		}
		return nil
	})
	if err == nil && stack != nil && chosen {
		err = b.decodeRowStacks(s, stack, base, index)
	}
	if err != nil || layout == nil {
		return err
	}
	s.layout = b.take(rows)
	if err := b.indices(s.layout, layout, len(layouts)+1); err != nil {
		return err
	}
	s.ordinal = b.take(rows)
	s.layouts = make([]layoutDetail, len(layouts))
	for i, l := range s.layout {
		if l > 0 {
			s.ordinal[i] = uint32(s.layouts[l-1].rows)
			s.layouts[l-1].rows++
		}
	}
	for i, l := range layouts {
		if err := b.decodeLayout(&s.layouts[i], l, chosen); err != nil {
			return err
		}
	}
	if !chosen {
		s.clear()
	}
	return nil
}

func (b *Block) decodeLayout(l *layoutDetail, msg []byte, chosen bool) error {
	return eachField(msg, func(num protowire.Number, v uint64, data []byte) error {
		if num != layoutSlot {
			return nil
		}
		if err := b.parts.spend(2); err != nil {
			return err
		}
		var s slotDetail
		if err := b.decodeSlot(&s, data, l, chosen); err != nil {
			return err
		}
		l.slots = append(l.slots, s)
		l.pieces += int(s.count)
		return nil
	})
}

// decodeSlot decodes a slot. Of one that is not chosen it only counts the rows of
// its table that it is the first to refer to: others go on from there.
func (b *Block) decodeSlot(s *slotDetail, msg []byte, l *layoutDetail, chosen bool) error {
	var table, arg, parent, phase, base uint64
	var row, want []byte
	s.count = 1
	err := eachField(msg, func(num protowire.Number, v uint64, data []byte) error {
		switch num {
		case slotPhase:
			phase = v
		case slotArg:
			arg = v
		case slotParent:
			parent = v
		case slotOffset:
			s.Off = uint32(v)
		case slotFaulted:
			s.Faulted = v != 0
		case slotCount:
			s.count = uint32(min(v, maxPieces+1))
		case slotStride:
			s.stride = uint32(v)
		case slotTable:
			table = v
		case slotRow:
			row = data
		case slotWantBase:
			base = v
		case slotWant:
			want = data
		}
		return nil
	})
	if err != nil {
		return err
	}
	n := uint64(l.rows) * uint64(s.count)
	if table >= uint64(len(b.tables)) || phase > uint64(AtExit) || unzigzag(arg) < -1 || unzigzag(arg) > 5 ||
		parent > uint64(l.pieces) || base > uint64(tracepb.WantBase_ARG5) || s.count == 0 ||
		uint64(l.pieces)+uint64(s.count) > 1<<15 || n > uint64(maxPieces-b.pieces) {
		return errMalformed
	}
	b.pieces += int(n)
	if !chosen {
		return b.passRows(&b.tables[table], row, int(n))
	}
	if err := b.decodeTable(&b.tables[table]); err != nil {
		return err
	}
	s.Phase, s.Arg, s.Parent = Phase(phase), int8(unzigzag(arg)), int16(parent)-1
	s.table, s.wantBase = &b.tables[table], tracepb.WantBase(base)
	if s.want, err = b.column(want, int(n), decodeRelated{}); err != nil {
		return err
	}
	refs, err := b.column(row, int(n), decodeRelated{})
	if err != nil {
		return err
	}
	s.row = b.take(int(n))
	for i := range s.row {
		ref := refs.at(i)
		if ref == 0 {
			s.table.next++
			ref = uint64(s.table.next)
		}
		if ref > uint64(s.table.rows) {
			return errMalformed
		}
		s.row[i] = uint32(ref - 1)
	}
	return nil
}

// passRows counts the rows that n references are the first to lead to.
func (b *Block) passRows(t *tableData, raw []byte, n int) error {
	c, err := parseColumn(raw)
	if err != nil {
		return err
	}
	b.words.reset()
	refs, err := c.decode(n, &b.words, decodeRelated{}, &b.memory)
	if err != nil {
		return err
	}
	for i := range n {
		if refs.at(i) == 0 {
			t.next++
		}
	}
	return nil
}

func (b *Block) column(raw []byte, n int, r decodeRelated) (column, error) {
	c, err := parseColumn(raw)
	if err != nil {
		return column{}, err
	}
	return c.decode(n, &b.pool, r, &b.memory)
}

// take cuts n numbers off the pool of indices.
func (b *Block) take(n int) []uint32 {
	if cap(b.index)-len(b.index) < n {
		b.index = make([]uint32, 0, max(n, 2*cap(b.index), 1<<14))
	}
	l := len(b.index)
	b.index = b.index[:l+n]
	return b.index[l : l+n : l+n]
}
