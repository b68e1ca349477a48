package latency

import (
	"encoding/binary"
	"errors"
)

// Append appends the histogram, in a form of no more than its buckets need, for
// [Histogram.Decode].
func (h *Histogram) Append(b []byte) []byte {
	for _, v := range [...]uint64{h.Count, uint64(h.Total), uint64(h.Min), uint64(h.Max), h.MaxEvent, uint64(h.MaxFile), h.AtLeast} {
		b = binary.AppendUvarint(b, v)
	}
	n := 0
	h.each(func(int, uint64) { n++ })
	b = binary.AppendUvarint(b, uint64(n))
	last := 0
	h.each(func(index int, count uint64) {
		b = binary.AppendUvarint(b, uint64(index-last))
		b = binary.AppendUvarint(b, count)
		last = index
	})
	return b
}

var errHistogram = errors.New("malformed histogram")

// Decode makes h, which must be empty, the histogram that b begins with, and
// returns what follows it.
func (h *Histogram) Decode(b []byte) ([]byte, error) {
	var v [8]uint64
	for i := range v {
		n := 0
		if v[i], n = binary.Uvarint(b); n <= 0 {
			return nil, errHistogram
		}
		b = b[n:]
	}
	h.Count, h.Total, h.Min, h.Max = v[0], int64(v[1]), int64(v[2]), int64(v[3])
	h.MaxEvent, h.MaxFile, h.AtLeast = v[4], int(v[5]), v[6]
	index := uint64(0)
	for range v[7] {
		d, n := binary.Uvarint(b)
		if n <= 0 {
			return nil, errHistogram
		}
		count, m := binary.Uvarint(b[n:])
		if index += d; m <= 0 || index >= numBuckets {
			return nil, errHistogram
		}
		b = b[n+m:]
		h.bump(int(index), count)
	}
	return b, nil
}

// Bytes returns how much memory the histogram has beyond itself.
func (h *Histogram) Bytes() int { return h.size }
