package tracefile

import (
	"math"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers of Column.
const (
	colConstant = 1
	colPlain    = 2
	colDelta    = 3
	colValue    = 4
	colIndex    = 5
	colLow      = 6
	colByThread = 7
	colLessLast = 8
	colLessRet  = 9
)

// maxDistinct is the largest dictionary of a column.
const maxDistinct = 4096

// columnEncoder writes Columns, each in the form that should compress best. The
// zero value is ready; it keeps scratch memory.
type columnEncoder struct {
	slots  []uint16 // hash table: index in values, plus 1
	values []uint64 // in ascending order
	index  []uint64
	rank   []uint64
	sorted []uint64
	nums   []uint64 // after less_last
	code   []uint64 // after delta
	low    []byte
	last   threadMemory
	est    estimator
	mem    []byte
	cuts   []int // where bodies of minCut bytes begin and end in the output
}

// minCut is the size from which the body of a column gets a zstd block, and so
// an entropy code, of its own.
const minCut = 1024

// sample is how many numbers of a column the choice of its form looks at.
const sample = 1024

// related is what a column's numbers may be counted from.
type related struct {
	thread []uint32 // of each row
	last   []uint64 // the column before
	ret    []uint64 // the results, zigzag
}

// less says what is subtracted from a column's numbers first.
type less uint8

const (
	lessNothing less = iota
	lessLast         // the column before
	lessRet          // the result
)

// lessField is the field of Column that says so.
var lessField = [...]protowire.Number{lessLast: colLessLast, lessRet: colLessRet}

// append appends v to b as a Column in the given field.
func (c *columnEncoder) append(b []byte, field protowire.Number, v []uint64, r related) []byte {
	cut := len(c.cuts)
	m := c.encode(c.mem[:0], v, r)
	c.mem = m
	return c.nest(b, field, m, cut)
}

// nest appends m as a field of b. The cuts made since from were in m.
func (c *columnEncoder) nest(b []byte, field protowire.Number, m []byte, from int) []byte {
	b = appendBytes(b, field, m)
	for i := from; i < len(c.cuts); i++ {
		c.cuts[i] += len(b) - len(m)
	}
	return b
}

// body appends a field that may get a zstd block of its own.
func (c *columnEncoder) body(b []byte, field protowire.Number, body []byte) []byte {
	b = appendBytes(b, field, body)
	if len(body) >= minCut {
		c.cuts = append(c.cuts, len(b)-len(body), len(b))
	}
	return b
}

// form is a way to write a column.
type form struct {
	field    protowire.Number
	byThread bool
	less     less
}

func (c *columnEncoder) encode(b []byte, v []uint64, r related) []byte {
	if len(v) == 0 {
		return b
	}
	if constant(v) {
		return appendUint(b, colConstant, v[0])
	}
	best := c.choose(v, r)
	if best.less != lessNothing {
		v = c.subtract(v, r, best.less)
		if constant(v) {
			return appendUint(appendUint(b, colConstant, v[0]), lessField[best.less], 1)
		}
	}
	switch {
	case best.field == colIndex && c.distinct(v, maxDistinct):
		b = c.packed(b, colValue, c.steps())
		b = c.numbers(b, colIndex, c.index)
	case best.field == colPlain:
		b = c.numbers(b, colPlain, v)
	default:
		b = c.numbers(b, colDelta, c.deltas(v, r, best.byThread))
	}
	if best.byThread {
		b = appendUint(b, colByThread, 1)
	}
	if best.less != lessNothing {
		b = appendUint(b, lessField[best.less], 1)
	}
	return b
}

func constant(v []uint64) bool {
	for _, x := range v {
		if x != v[0] {
			return false
		}
	}
	return true
}

// choose picks the form for v by what a sample would take.
func (c *columnEncoder) choose(v []uint64, r related) form {
	n := min(len(v), sample)
	s := v[:n]
	best, least := form{}, 0.0
	try := func(f form, cost float64) {
		if best.field == 0 || cost < least {
			best, least = f, cost
		}
	}
	all := func(s []uint64, less less) {
		try(form{colPlain, false, less}, c.est.cost(s))
		try(form{colDelta, false, less}, c.est.cost(c.deltas(s, r, false)))
		if r.thread != nil {
			// What is a matter of the thread must be clearly better: it is slower to read.
			try(form{colDelta, true, less}, 1.02*c.est.cost(c.deltas(s, r, true)))
		}
		if c.distinct(s, n/2) {
			// A longer column refers to its dictionary more often.
			share := math.Sqrt(float64(n) / float64(len(v)))
			try(form{colIndex, false, less}, c.est.cost(c.index)+share*c.est.cost(c.steps()))
		}
	}
	all(s, lessNothing)
	if r.last != nil {
		all(c.subtract(s, r, lessLast), lessLast)
	}
	if r.ret != nil {
		all(c.subtract(s, r, lessRet), lessRet)
	}
	return best
}

func (c *columnEncoder) subtract(v []uint64, r related, from less) []uint64 {
	c.nums = resize(c.nums, len(v))
	for i, x := range v {
		if from == lessLast {
			c.nums[i] = x - r.last[i]
		} else {
			c.nums[i] = x - uint64(unzigzag(r.ret[i]))
		}
	}
	return c.nums
}

// deltas returns the zigzag differences of v.
func (c *columnEncoder) deltas(v []uint64, r related, byThread bool) []uint64 {
	c.code = resize(c.code, len(v))
	prev := uint64(0)
	if !byThread {
		for i, x := range v {
			c.code[i] = zigzag(int64(x - prev))
			prev = x
		}
		return c.code
	}
	c.last.reset()
	for i, x := range v {
		c.code[i] = zigzag(int64(x - c.last.swap(r.thread[i], x, prev)))
		prev = x
	}
	return c.code
}

// threadMemory holds a number for each thread.
type threadMemory struct {
	value []uint64
	stamp []uint32 // value is of this column
	now   uint32
}

func (m *threadMemory) reset() { m.now++ }

// swap sets the number of thread t and returns the one before, or other if there
// was none since the reset.
func (m *threadMemory) swap(t uint32, v, other uint64) uint64 {
	if int(t) >= len(m.value) {
		m.value = append(m.value, make([]uint64, int(t)+1-len(m.value))...)
		m.stamp = append(m.stamp, make([]uint32, int(t)+1-len(m.stamp))...)
	}
	if m.stamp[t] == m.now {
		other = m.value[t]
	}
	m.value[t], m.stamp[t] = v, m.now
	return other
}

// add adds to the number of thread t, or to other if it had none since the
// reset, and returns it.
func (m *threadMemory) add(t uint32, d, other uint64) uint64 {
	if int(t) < len(m.stamp) && m.stamp[t] == m.now {
		other = m.value[t]
	}
	m.swap(t, other+d, 0)
	return other + d
}

// numbers appends v, split into low bytes and the rest if most numbers need
// more than one byte.
func (c *columnEncoder) numbers(b []byte, field protowire.Number, v []uint64) []byte {
	size := 0
	for _, x := range v {
		size += varintLen(x)
	}
	if 8*size < 9*len(v) {
		return c.packed(b, field, v)
	}
	c.low = resize(c.low, len(v))
	for i, x := range v {
		c.low[i] = byte(x)
		v[i] = x >> 8
	}
	b = c.packed(b, field, v)
	for i, x := range v {
		v[i] = x<<8 | uint64(c.low[i])
	}
	return c.body(b, colLow, c.low)
}

// packed appends v as a packed field of varints.
func (c *columnEncoder) packed(b []byte, field protowire.Number, v []uint64) []byte {
	b = appendPacked(b, field, v)
	n := 0
	for _, x := range v {
		n += varintLen(x)
	}
	if n >= minCut {
		c.cuts = append(c.cuts, len(b)-n, len(b))
	}
	return b
}

func appendPacked(b []byte, field protowire.Number, v []uint64) []byte {
	n := 0
	for _, x := range v {
		n += varintLen(x)
	}
	b = protowire.AppendTag(b, field, protowire.BytesType)
	b = appendVarint(b, uint64(n))
	for _, x := range v {
		b = appendVarint(b, x)
	}
	return b
}

// distinct fills c.values, sorted, and c.index. It reports whether v has at most
// limit distinct values; if not, they are of no use.
func (c *columnEncoder) distinct(v []uint64, limit int) bool {
	limit = min(limit, maxDistinct)
	size := 64
	for size < 2*min(len(v), limit) {
		size *= 2
	}
	c.slots = resize(c.slots, size)
	clear(c.slots)
	mask := uint64(size - 1)
	c.values, c.index = c.values[:0], c.index[:0]
	for _, x := range v {
		h := c.slot(x, mask)
		if c.slots[h] == 0 {
			if len(c.values) == limit {
				return false
			}
			c.values = append(c.values, x)
			c.slots[h] = uint16(len(c.values))
		}
		c.index = append(c.index, uint64(c.slots[h]-1))
	}
	// Sort the values, and have the indices follow.
	c.rank = resize(c.rank, len(c.values))
	c.sorted = append(c.sorted[:0], c.values...)
	slices.Sort(c.sorted)
	for r, x := range c.sorted {
		c.rank[c.slots[c.slot(x, mask)]-1] = uint64(r)
	}
	for i, x := range c.index {
		c.index[i] = c.rank[x]
	}
	c.values, c.sorted = c.sorted, c.values
	return true
}

// slot returns the place in c.slots of x, or of a free one for it.
func (c *columnEncoder) slot(x, mask uint64) uint64 {
	h := x * 0x9E3779B97F4A7C15 >> 40 & mask
	for s := c.slots[h]; s != 0 && c.values[s-1] != x; s = c.slots[h] {
		h = (h + 1) & mask
	}
	return h
}

// steps returns the differences of c.values.
func (c *columnEncoder) steps() []uint64 {
	c.code = resize(c.code, len(c.values))
	prev := uint64(0)
	for i, x := range c.values {
		c.code[i] = x - prev
		prev = x
	}
	return c.code
}
