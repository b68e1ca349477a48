package analyze

import (
	"math"
	"sync/atomic"

	"sysreel/proto/tracefile"
)

// pushdown decides for each block, from its core columns, how much of the rest
// a pass needs: the arguments and memory of the calls that the filter lets through
// and of those that change the world. The calls of a kind are decoded together, so
// it is a matter of kinds; of a block without any of these nothing is. The world
// is as it would be without: nothing of what changes it is passed over.
type pushdown struct {
	match  *matcher
	shapes *shapes
	world  bool // it is followed

	next   uint64       // number of the event expected
	broken atomic.Int64 // offset of the first block from which on events are missing
}

// see takes note of a block; it is called with each in file order, before choose.
func (p *pushdown) see(c *tracefile.ChunkInfo) {
	if c.FirstEvent != p.next || c.Losses > 0 {
		p.broken.CompareAndSwap(math.MaxInt64, c.Offset)
	}
	p.next = c.FirstEvent + uint64(c.Events)
}

// choose is the tracefile.Choose of a pass.
func (p *pushdown) choose(c *tracefile.Core, shapes []bool) bool {
	// Where events are missing the world needs the contexts of all blocks.
	any := p.world && c.Chunk.Offset >= p.broken.Load()
	pass := make([]bool, len(c.Shapes))
	left := 0
	for i, s := range c.Shapes {
		m := p.shapes.of(s.Kind, s.Arch, s.NR, s.Name, s.Proto)
		shapes[i] = p.world && m.changes && isCall(s.Kind)
		any = any || shapes[i]
		if pass[i] = m.pass && !shapes[i]; pass[i] {
			left++
		}
	}
	threads := make([]bool, len(c.Threads))
	for i, t := range c.Threads {
		threads[i] = p.match.thread(t)
	}
	picky := p.match.picky()
	for _, rows := range [...]*tracefile.Columns{&c.Columns, &c.Pending} {
		for i, s := range rows.Shape {
			if left == 0 {
				return any
			}
			if !pass[s] || !threads[rows.Thread[i]] {
				continue
			}
			if k := c.Shapes[s].Kind; !picky || !isCall(k) || p.match.row(rows, i, k) {
				pass[s], shapes[s], any = false, true, true
				left--
			}
		}
	}
	return any
}
