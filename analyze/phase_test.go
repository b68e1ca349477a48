package analyze

import (
	"maps"
	"math/rand/v2"
	"testing"
)

// Phases hold every moment in the phase that it is in, and those of parts merge
// into what the whole has, however long each part was.
func TestPhases(t *testing.T) {
	add := func(into, from *int) { *into += *from }
	rnd := rand.New(rand.NewPCG(3, 4))
	for _, length := range []int64{1, 1e6, 30e6, 1e9, 77e9, 1e15} {
		whole := NewPhases(add)
		parts := [3]*Phases[int]{NewPhases(add), NewPhases(add), NewPhases(add)}
		var moments []int64
		for range 1000 {
			ns := rnd.Int64N(length)
			moments = append(moments, ns)
			*whole.At(ns)++
			*parts[min(ns*3/length, 2)].At(ns)++ // the last part alone reaches the end
		}
		parts[1].Merge(parts[2])
		parts[1].Merge(parts[0])
		counts := func(p *Phases[int]) map[[2]int64]int {
			m := make(map[[2]int64]int)
			p.Each(func(from, to int64, n *int) { m[[2]int64{from, to}] = *n })
			return m
		}
		got := counts(whole)
		want := make(map[[2]int64]int)
		for _, ns := range moments {
			for span := range got {
				if span[0] <= ns && ns < span[1] {
					want[span]++
				}
			}
		}
		if len(got) > maxPhases || length >= 30e6 && len(got) < maxPhases/5 {
			t.Errorf("%d ns are %d phases", length, len(got))
		}
		if !maps.Equal(got, want) {
			t.Errorf("%d ns: phases are %v, want %v", length, got, want)
		}
		if m := counts(parts[1]); !maps.Equal(m, got) {
			t.Errorf("%d ns: parts merge into %v, the whole is %v", length, m, got)
		}
	}
}
