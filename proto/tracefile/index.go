package tracefile

import (
	"cmp"
	"slices"

	"sysreel/proto/tracepb"
)

// Field numbers of Index.
const (
	idxOffset = 1
	idxEvents = 2
	idxFirst  = 3
	idxStart  = 4
	idxEnd    = 5
	idxLosses = 6
	idxSeq    = 7
	idxBlocks = 8
)

// indexColumns is what an Index holds.
type indexColumns struct {
	offset, events, first, start, end, losses, seq []uint64
}

func (x *indexColumns) add(offset int64, h *chunkHeader) {
	x.offset = append(x.offset, uint64(offset))
	x.events = append(x.events, uint64(h.events))
	x.first = append(x.first, h.first)
	x.start = append(x.start, zigzag(h.start))
	x.end = append(x.end, zigzag(h.end))
	x.losses = append(x.losses, uint64(h.losses))
	x.seq = append(x.seq, uint64(h.seq))
}

func (x *indexColumns) encode(c *columnEncoder) []byte {
	var b []byte
	c.cuts = c.cuts[:0]
	b = c.append(b, idxOffset, x.offset, related{})
	b = c.append(b, idxEvents, x.events, related{})
	b = c.append(b, idxFirst, x.first, related{})
	b = c.append(b, idxStart, x.start, related{})
	b = c.append(b, idxEnd, x.end, related{})
	b = c.append(b, idxLosses, x.losses, related{})
	b = c.append(b, idxSeq, x.seq, related{})
	return appendUint(b, idxBlocks, uint64(len(x.offset)))
}

func sortLosses(l []*tracepb.Loss) {
	slices.SortFunc(l, func(a, b *tracepb.Loss) int { return cmp.Compare(a.Reason, b.Reason) })
}
