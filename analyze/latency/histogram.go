// Package latency counts durations in histograms: by what a call was, where it
// ran and what it touched, over time, and one trace against another.
package latency

import (
	"math/bits"
)

// Histogram counts durations in log-linear buckets. Durations under 100 ns have
// a bucket each; above, every decade has 160 buckets, 50 from 1 to 2, 60 from 2
// to 5 and 50 from 5 to 10, so that none is wider than 2.5 % of where it begins
// and the powers of ten with their doubles and quintuples are boundaries.
// Adding up the counts of two histograms gives exactly the histogram of both.
//
// The zero Histogram is empty. One that holds few distinct buckets takes little
// memory; a full one takes 23 KiB. A Histogram is not safe for concurrent use.
type Histogram struct {
	Count uint64
	Total int64 // ns
	Min   int64 // ns, 0 if empty
	Max   int64 // ns, 0 if empty
	// MaxEvent is the number of the first event as long as Max, in the trace
	// number MaxFile.
	MaxEvent uint64
	MaxFile  int
	// AtLeast counts the durations whose end was not seen.
	AtLeast uint64

	size   int // bytes of few and chunks
	few    []fewBucket
	chunks *[numChunks]*[chunkLen]uint64 // nil until a bucket is in one
}

// fewBucket is a bucket while there are few.
type fewBucket struct {
	index uint16
	count uint32
}

const (
	exact      = 100 // durations below are their own bucket
	perDecade  = 160
	decades    = 17 // 10² to 10¹⁹, more than an int64 holds
	numBuckets = exact + decades*perDecade
	chunkLen   = perDecade
	numChunks  = (numBuckets + chunkLen - 1) / chunkLen
	maxFew     = 24
	fewBytes   = 8 // of a fewBucket
)

// firstOf has the smallest of 100…999 in each bucket of a decade; pow10 has 10⁰
// to 10¹⁸.
var (
	firstOf [perDecade + 1]uint16
	pow10   [19]uint64
)

// cells leads from a duration to its bucket: a power of two divided into 128 has
// parts narrower than any bucket, so that each lies in one or in two of these.
var (
	cells [(64 - cellBits) << cellBits]uint16 // bucket that a part begins in
	lasts [numBuckets]int64                   // the longest duration of a bucket
)

const cellBits = 7

func init() {
	n := 0
	for v := 100; v < 1000; n++ {
		firstOf[n] = uint16(v)
		switch {
		case v < 200:
			v += 2
		case v < 500:
			v += 5
		default:
			v += 10
		}
	}
	firstOf[n] = 1000
	p := uint64(1)
	for i := range pow10 {
		pow10[i] = p
		p *= 10
	}
	for i := range lasts {
		if _, high := bounds(i); high < 1<<63-1 {
			lasts[i] = high - 1
		} else {
			lasts[i] = high
		}
	}
	bucket := 0
	for i := range cells {
		shift := max(i>>cellBits-1, 0)
		low := (uint64(i) - uint64(shift)<<cellBits) << shift
		for uint64(lasts[bucket]) < low {
			bucket++
		}
		cells[i] = uint16(bucket)
	}
}

// bucketOf returns the index of the bucket that ns is in. Negative durations
// count as 0.
func bucketOf(ns int64) int {
	v := uint64(max(ns, 0))
	// The place of the highest bit and the seven that follow it. Below 256
	// every number has a cell of its own.
	shift := max(bits.Len64(v)-cellBits-1, 0)
	i := int(cells[uint64(shift)<<cellBits+v>>shift])
	if ns > lasts[i] {
		i++
	}
	return i
}

// bounds returns the durations [low, high) of a bucket.
func bounds(index int) (low, high int64) {
	if index < exact {
		return int64(index), int64(index) + 1
	}
	d, i := (index-exact)/perDecade, (index-exact)%perDecade
	low = int64(uint64(firstOf[i]) * pow10[d])
	if h := uint64(firstOf[i+1]); h <= (1<<63-1)/pow10[d] {
		return low, int64(h * pow10[d])
	}
	return low, 1<<63 - 1
}

// Add counts a duration of an event of trace number file.
func (h *Histogram) Add(ns int64, event uint64, file int) {
	ns = max(ns, 0)
	if h.Count == 0 || ns < h.Min {
		h.Min = ns
	}
	if h.Count == 0 || ns > h.Max || ns == h.Max && before(file, event, h.MaxFile, h.MaxEvent) {
		h.Max, h.MaxEvent, h.MaxFile = ns, event, file
	}
	h.Count++
	h.Total += ns
	h.bump(bucketOf(ns), 1)
}

// before orders events of several traces, those without a number last, so that
// the outcome of a merge does not depend on its order.
func before(file int, event uint64, file2 int, event2 uint64) bool {
	if file != file2 {
		return file < file2
	}
	return event-1 < event2-1 // 0 wraps to the end
}

func (h *Histogram) bump(index int, n uint64) {
	if h.chunks != nil {
		if c := h.chunks[index/chunkLen]; c != nil {
			c[index%chunkLen] += n
			return
		}
	}
	for i := range h.few {
		if f := &h.few[i]; int(f.index) == index {
			if sum := uint64(f.count) + n; sum>>32 == 0 {
				f.count = uint32(sum)
				return
			}
			break
		}
	}
	if len(h.few) < maxFew && n>>32 == 0 && !h.holds(index) {
		h.size -= fewBytes * cap(h.few)
		h.few = append(h.few, fewBucket{uint16(index), uint32(n)})
		h.size += fewBytes * cap(h.few)
		return
	}
	h.spread(index / chunkLen)
	h.chunks[index/chunkLen][index%chunkLen] += n
}

func (h *Histogram) holds(index int) bool {
	for _, f := range h.few {
		if int(f.index) == index {
			return true
		}
	}
	return false
}

// spread makes the chunk and moves the few buckets that belong there into it.
func (h *Histogram) spread(chunk int) {
	if h.chunks == nil {
		h.chunks = new([numChunks]*[chunkLen]uint64)
		h.size += 8 * numChunks
	}
	h.size += 8 * chunkLen
	c := new([chunkLen]uint64)
	h.chunks[chunk] = c
	kept := h.few[:0]
	for _, f := range h.few {
		if int(f.index)/chunkLen == chunk {
			c[int(f.index)%chunkLen] += uint64(f.count)
		} else {
			kept = append(kept, f)
		}
	}
	h.few = kept
}

// Merge adds what o counted. o is not changed.
func (h *Histogram) Merge(o *Histogram) {
	if o.Count == 0 {
		return
	}
	if h.Count == 0 || o.Min < h.Min {
		h.Min = o.Min
	}
	if h.Count == 0 || o.Max > h.Max || o.Max == h.Max && before(o.MaxFile, o.MaxEvent, h.MaxFile, h.MaxEvent) {
		h.Max, h.MaxEvent, h.MaxFile = o.Max, o.MaxEvent, o.MaxFile
	}
	h.Count += o.Count
	h.Total += o.Total
	h.AtLeast += o.AtLeast
	for _, f := range o.few {
		h.bump(int(f.index), uint64(f.count))
	}
	if o.chunks == nil {
		return
	}
	for i, c := range o.chunks {
		if c == nil {
			continue
		}
		if h.chunks == nil || h.chunks[i] == nil {
			h.spread(i)
		}
		for j, n := range c {
			h.chunks[i][j] += n
		}
	}
}

// each calls fn with every bucket that is not empty, in order.
func (h *Histogram) each(fn func(index int, n uint64)) {
	few := h.sortedFew()
	if h.chunks == nil {
		for _, f := range few {
			fn(int(f.index), uint64(f.count))
		}
		return
	}
	for i, c := range h.chunks {
		if c != nil {
			for j, n := range c {
				if n != 0 {
					fn(i*chunkLen+j, n)
				}
			}
			continue
		}
		for len(few) > 0 && int(few[0].index)/chunkLen <= i {
			if int(few[0].index)/chunkLen == i {
				fn(int(few[0].index), uint64(few[0].count))
			}
			few = few[1:]
		}
	}
}

func (h *Histogram) sortedFew() []fewBucket {
	few := h.few
	for i := 1; i < len(few); i++ { // at most maxFew, nearly sorted the second time
		for j := i; j > 0 && few[j].index < few[j-1].index; j-- {
			few[j], few[j-1] = few[j-1], few[j]
		}
	}
	return few
}

// Quantile returns the duration that a share q (0 to 1) of all are not longer
// than, by nearest rank. It is off by no more than the bucket is wide: 2.5 %.
func (h *Histogram) Quantile(q float64) int64 {
	if h.Count == 0 {
		return 0
	}
	rank := uint64(q * float64(h.Count))
	if float64(rank) < q*float64(h.Count) {
		rank++
	}
	switch {
	case rank <= 1:
		return h.Min
	case rank >= h.Count:
		return h.Max
	}
	var seen uint64
	result := h.Max
	found := false
	h.each(func(index int, n uint64) {
		if seen += n; seen >= rank && !found {
			found = true
			low, high := bounds(index)
			result = min(max(low+(high-1-low)/2, h.Min), h.Max)
		}
	})
	return result
}

// Mean returns the average duration in ns, 0 of none.
func (h *Histogram) Mean() int64 {
	if h.Count == 0 {
		return 0
	}
	return h.Total / int64(h.Count)
}

// Bucket is a range of durations [Low, High) and how many fell into it.
type Bucket struct {
	Low   int64  `json:"low_ns"`
	High  int64  `json:"high_ns"`
	Count uint64 `json:"count"`
}

// Buckets returns the buckets that are not empty, in order.
func (h *Histogram) Buckets() []Bucket {
	var bs []Bucket
	h.each(func(index int, n uint64) {
		low, high := bounds(index)
		bs = append(bs, Bucket{low, high, n})
	})
	return bs
}

// stepOfBucket maps the buckets of a histogram, whose boundaries the 1-2-5 steps
// are, to steps: 0 for under 1 ns, then [1,2), [2,5), [5,10), [10,20), …
var stepOfBucket [numBuckets]uint8

func init() {
	step, next := 0, stepLow(1)
	for i := range stepOfBucket {
		for low, _ := bounds(i); low > 0 && next > 0 && next <= low; next = stepLow(step + 1) {
			step++
		}
		stepOfBucket[i] = uint8(step)
	}
}

func stepOf(ns int64) int { return int(stepOfBucket[bucketOf(ns)]) }

// stepLow returns where a step begins; not positive beyond the largest int64.
func stepLow(step int) int64 {
	if step == 0 {
		return 0
	}
	low := [...]int64{1, 2, 5}[(step-1)%3]
	for range (step - 1) / 3 {
		low *= 10
	}
	return low
}
