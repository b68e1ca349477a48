package tracefile

import (
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"sysreel/proto/tracepb"
)

// encoder turns a builder's rows into the two messages of a block. It keeps
// scratch memory.
type encoder struct {
	column columnEncoder
	nums   []uint64
	shape  []byte
	layout []byte
	slot   []byte
	table  []byte
}

// Field numbers of Block, Shape and Detail, as in trace.proto.
const (
	blockFirstEvent    = 1
	blockEvents        = 2
	blockInFlight      = 3
	blockTickNs        = 4
	blockBase          = 5
	blockThread        = 6
	blockShape         = 7
	blockRowShape      = 8
	blockRowThread     = 9
	blockRowGap        = 10
	blockRowDuration   = 11
	blockFlagRow       = 12
	blockFlagBits      = 13
	blockLoss          = 14
	blockProcess       = 15
	blockFacts         = 16
	blockInFlightFacts = 21
	blockRedaction     = 20

	shapeKind  = 1
	shapeArch  = 2
	shapeNR    = 3
	shapeName  = 4
	shapeProto = 5
	shapeRet   = 6
	shapeArg   = 7

	detailFirstEvent = 1
	detailShape      = 2
	detailTable      = 3
	detailFile       = 4

	sdArg         = 1
	sdLayout      = 2
	sdSlots       = 3
	sdFingerprint = 55

	layoutSlot = 1

	slotPhase    = 1
	slotArg      = 2
	slotParent   = 3
	slotOffset   = 4
	slotFaulted  = 5
	slotCount    = 6
	slotStride   = 7
	slotTable    = 8
	slotRow      = 9
	slotWantBase = 10
	slotWant     = 11
)

// block appends the Block message. n.column.cuts then has its cuts.
func (n *encoder) block(dst []byte, b *builder, events int, ctx *Context) ([]byte, error) {
	n.column.cuts = n.column.cuts[:0]
	dst = appendUint(dst, blockFirstEvent, b.first)
	dst = appendUint(dst, blockEvents, uint64(events))
	dst = appendUint(dst, blockInFlight, uint64(len(b.end)-events))
	dst = appendUint(dst, blockTickNs, uint64(b.tick))
	dst = appendUint(dst, blockBase, uint64(b.base))
	for _, t := range b.threads {
		m := n.slot[:0]
		m = appendUint(m, 1, uint64(t.ID))
		m = appendUint(m, 2, uint64(t.Process))
		m = appendUint(m, 3, uint64(t.TID))
		m = appendUint(m, 4, uint64(t.TGID))
		dst = appendBytes(dst, blockThread, m)
		n.slot = m
	}
	for _, s := range b.shapes {
		cut := len(n.column.cuts)
		m := n.shape[:0]
		m = appendUint(m, shapeKind, uint64(s.kind))
		m = appendUint(m, shapeArch, uint64(s.arch))
		m = appendUint(m, shapeNR, uint64(s.nr))
		if s.desc != nil {
			m = appendBytes(m, shapeName, []byte(s.desc.Name))
			m = appendBytes(m, shapeProto, []byte(s.desc.Proto))
		}
		m = n.column.append(m, shapeRet, s.ret, related{thread: s.thread})
		if !s.kind.isCall() {
			m = n.args(m, shapeArg, s)
		}
		dst = n.column.nest(dst, blockShape, m, cut)
		n.shape = m
	}
	dst = n.column.append(dst, blockRowShape, b.shape, related{})
	dst = n.column.append(dst, blockRowThread, b.thread, related{})
	nums := n.gaps(n.nums[:0], b)
	n.nums = nums
	dst = n.column.append(dst, blockRowGap, nums, related{})
	dst = n.column.append(dst, blockRowDuration, b.dur, related{})
	if len(b.flags) > 0 {
		nums = nums[:0]
		prev := uint64(0)
		for _, r := range b.flagRow {
			nums, prev = append(nums, r-prev), r
		}
		dst = appendPacked(dst, blockFlagRow, nums)
		dst = appendPacked(dst, blockFlagBits, b.flags)
	}
	var err error
	for _, l := range b.losses {
		if dst, err = appendMessage(dst, blockLoss, l); err != nil {
			return nil, err
		}
	}
	for _, r := range b.redactions {
		if dst, err = appendMessage(dst, blockRedaction, r); err != nil {
			return nil, err
		}
	}
	for i := range ctx.Processes {
		p := &ctx.Processes[i]
		m := &tracepb.ProcessContext{Id: uint32(p.ID), Tgid: p.TGID, Parent: uint32(p.Parent),
			Exe: p.Exe, Comm: p.Comm, Argv: p.Argv, Cwd: p.Cwd, Root: p.Root}
		if dst, err = appendMessage(dst, blockProcess, m); err != nil {
			return nil, err
		}
	}
	for _, f := range b.facts {
		field := protowire.Number(blockFacts)
		if f.row >= events {
			field = blockInFlightFacts
		}
		if dst, err = appendMessage(dst, field, &tracepb.Facts{Row: uint32(f.row), Process: f.facts}); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

// gaps appends, for each row, the ticks from the end of its thread's row before
// to its start.
func (n *encoder) gaps(nums []uint64, b *builder) []uint64 {
	last := &n.column.last
	last.reset()
	prev := b.base
	for i, end := range b.end {
		before := int64(last.swap(uint32(b.thread[i]), uint64(end), uint64(prev)))
		nums = append(nums, zigzag(end-int64(b.dur[i])-before))
		prev = end
	}
	return nums
}

// detail appends the Detail message, and sets the cuts as block does.
func (n *encoder) detail(dst []byte, b *builder, ctx *Context) ([]byte, error) {
	n.column.cuts = n.column.cuts[:0]
	dst = appendUint(dst, detailFirstEvent, b.first)
	var tables []*table
	for _, s := range b.shapes {
		cut := len(n.column.cuts)
		m := n.shape[:0]
		if s.kind.isCall() {
			m = n.args(m, sdArg, s)
		}
		if len(s.layouts) > 0 {
			m = n.column.append(m, sdLayout, s.layout, related{})
		}
		for _, l := range s.layouts {
			cutLayout := len(n.column.cuts)
			lm := n.layout[:0]
			for i := range l.slots {
				sl := &l.slots[i]
				if !sl.table.used {
					sl.table.used = true
					sl.table.index = uint32(len(tables))
					tables = append(tables, sl.table)
				}
				cutSlot := len(n.column.cuts)
				n.slot = n.appendSlot(n.slot[:0], s, l, sl)
				lm = n.column.nest(lm, layoutSlot, n.slot, cutSlot)
			}
			m = n.column.nest(m, sdSlots, lm, cutLayout)
			n.layout = lm
		}
		m = n.rowStacks(m, s)
		if len(s.prints) > 0 {
			for len(s.prints) < len(s.layout) {
				s.prints = append(s.prints, 0)
			}
			m = n.column.append(m, sdFingerprint, s.prints, related{})
		}
		dst = n.column.nest(dst, detailShape, m, cut)
		n.shape = m
	}
	for _, t := range tables {
		cut := len(n.column.cuts)
		n.table = t.encode(n.table[:0], &n.column, n.nums)
		dst = n.column.nest(dst, detailTable, n.table, cut)
	}
	dst = n.stacks(dst, &b.stacks)
	dst = n.secontexts(dst, &b.contexts)
	var err error
	for i := range ctx.Files {
		f := &ctx.Files[i]
		m := &tracepb.FileContext{Process: uint32(f.Process), Fd: f.FD, Link: f.Link, Flags: f.Flags, Peer: f.Peer}
		if dst, err = appendMessage(dst, detailFile, m); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

// args appends the argument columns up to the last that is not all zero.
func (n *encoder) args(m []byte, field protowire.Number, s *shapeBuilder) []byte {
	regs := s.regs
	for regs > 0 && !slices.ContainsFunc(s.args[regs-1], func(x uint64) bool { return x != 0 }) {
		regs--
	}
	for i := range regs {
		r := related{thread: s.thread, ret: s.ret}
		if i > 0 {
			r.last = s.args[i-1]
		}
		m = n.column.append(m, field, s.args[i], r)
	}
	return m
}

func (n *encoder) appendSlot(m []byte, s *shapeBuilder, l *layoutBuilder, sl *slotBuilder) []byte {
	m = appendUint(m, slotPhase, uint64(sl.phase))
	m = appendUint(m, slotArg, zigzag(int64(sl.arg)))
	m = appendUint(m, slotParent, uint64(sl.parent+1))
	m = appendUint(m, slotOffset, uint64(sl.off))
	if sl.faulted {
		m = appendUint(m, slotFaulted, 1)
	}
	if sl.count > 1 {
		m = appendUint(m, slotCount, uint64(sl.count))
		m = appendUint(m, slotStride, uint64(sl.stride))
	}
	m = appendUint(m, slotTable, uint64(sl.table.index))
	nums := sl.table.refer(n.nums[:0], sl.rows)
	m = n.column.append(m, slotRow, nums, related{})
	base, nums := n.want(nums[:0], s, l, sl)
	n.nums = nums
	m = appendUint(m, slotWantBase, uint64(base))
	return n.column.append(m, slotWant, nums, related{})
}

// want chooses what the wanted lengths of a slot are counted from: what is
// right most often in the first rows.
func (n *encoder) want(nums []uint64, s *shapeBuilder, l *layoutBuilder, sl *slotBuilder) (tracepb.WantBase, []uint64) {
	sample := min(len(l.rows), 64)
	best, most := tracepb.WantBase_LENGTH, -1
	for base := tracepb.WantBase_LENGTH; int(base) < int(tracepb.WantBase_ARG0)+s.regs; base++ {
		hits := 0
		for i, row := range l.rows[:sample] {
			for k := i * int(sl.count); k < (i+1)*int(sl.count); k++ {
				if int64(sl.want[k]) == wantBase(base, s, row, sl.length[k]) {
					hits++
				}
			}
		}
		if hits > most {
			best, most = base, hits
		}
	}
	for i, row := range l.rows {
		for k := i * int(sl.count); k < (i+1)*int(sl.count); k++ {
			nums = append(nums, zigzag(int64(sl.want[k])-wantBase(best, s, row, sl.length[k])))
		}
	}
	return best, nums
}

func wantBase(base tracepb.WantBase, s *shapeBuilder, row, length uint32) int64 {
	switch base {
	case tracepb.WantBase_LENGTH:
		return int64(length)
	case tracepb.WantBase_RET:
		return unzigzag(s.ret[row])
	}
	return int64(s.args[base-tracepb.WantBase_ARG0][row])
}

func appendMessage(dst []byte, field protowire.Number, m proto.Message) ([]byte, error) {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return nil, err
	}
	return appendBytes(dst, field, b), nil
}
