package tracefile

import (
	"math"
	"math/bits"
)

// estimator guesses what a column takes after compression: the entropy of its
// low bytes and of the lengths of the rest, and the bits of the rest. The guess
// ignores repeated sequences.
type estimator struct {
	low  [256]uint16
	high [64]uint16
}

// log2 holds n·log2(n).
var nlogn = func() (t [sample + 1]float64) {
	for n := 2; n <= sample; n++ {
		t[n] = float64(n) * math.Log2(float64(n))
	}
	return t
}()

// cost guesses the bits of up to sample numbers.
func (e *estimator) cost(v []uint64) float64 {
	*e = estimator{}
	extra := 0
	for _, x := range v {
		e.low[byte(x)]++
		l := bits.Len64(x >> 8)
		e.high[l]++
		extra += max(0, l-1)
	}
	return entropy(e.low[:], len(v)) + entropy(e.high[:], len(v)) + float64(extra)
}

// entropy returns the bits of n symbols with the given counts, and a guess at
// what the code's table takes.
func entropy(counts []uint16, n int) float64 {
	bits, used := nlogn[n], 0
	for _, c := range counts {
		if c > 0 {
			bits -= nlogn[c]
			used++
		}
	}
	return bits + 3*float64(used)
}
