package diff

import (
	"math"
	"slices"
)

// In a comparison of groups the sample is a run, never a call: calls of one run
// are not independent. So samples are small, and exact tests are affordable.

// exactLimit is the number of runs up to which mannWhitney enumerates.
const exactLimit = 40

// mannWhitney returns the two-sided p-value of the Mann–Whitney U test of x
// against y. Ties get mid-ranks; up to exactLimit values in all it is the exact
// permutation probability, above that the normal approximation corrected for
// ties and continuity. It is 1 when either sample is empty.
func mannWhitney(x, y []float64) float64 {
	n, m := len(x), len(y)
	if n == 0 || m == 0 {
		return 1
	}
	ranks, ties := doubledRanks(x, y)
	sum := 0 // doubled rank sum of x
	for _, r := range ranks[:n] {
		sum += r
	}
	mean := n * (n + m + 1) // doubled expectation of sum
	dev := abs(sum - mean)
	if n+m <= exactLimit {
		return exactRankSum(ranks, n, mean, dev)
	}
	nm := float64(n + m)
	variance := float64(n) * float64(m) / 12 * (nm + 1 - ties/(nm*(nm-1)))
	if variance <= 0 {
		return 1
	}
	z := (float64(dev)/2 - 0.5) / math.Sqrt(variance)
	return math.Min(1, math.Erfc(max(z, 0)/math.Sqrt2))
}

// doubledRanks returns twice the mid-rank of every value of x, then of y, and
// the tie term Σ(t³−t).
func doubledRanks(x, y []float64) (ranks []int, ties float64) {
	type obs struct {
		v float64
		i int
	}
	all := make([]obs, 0, len(x)+len(y))
	for i, v := range x {
		all = append(all, obs{v, i})
	}
	for i, v := range y {
		all = append(all, obs{v, len(x) + i})
	}
	slices.SortFunc(all, func(a, b obs) int {
		switch {
		case a.v < b.v:
			return -1
		case a.v > b.v:
			return 1
		}
		return 0
	})
	ranks = make([]int, len(all))
	for i := 0; i < len(all); {
		j := i
		for j < len(all) && all[j].v == all[i].v {
			j++
		}
		for k := i; k < j; k++ {
			ranks[all[k].i] = i + 1 + j // twice the mean of i+1 … j
		}
		t := float64(j - i)
		ties += t*t*t - t
		i = j
	}
	return ranks, ties
}

// exactRankSum returns the probability that a random choice of n of the ranks
// has a sum at least dev away from mean.
func exactRankSum(ranks []int, n, mean, dev int) float64 {
	total := 0
	for _, r := range ranks {
		total += r
	}
	// ways[k][s]: choices of k ranks with sum s.
	ways := make([][]float64, n+1)
	for k := range ways {
		ways[k] = make([]float64, total+1)
	}
	ways[0][0] = 1
	for _, r := range ranks {
		for k := n; k > 0; k-- {
			for s := total; s >= r; s-- {
				ways[k][s] += ways[k-1][s-r]
			}
		}
	}
	var extreme, all float64
	for s, w := range ways[n] {
		all += w
		if abs(s-mean) >= dev {
			extreme += w
		}
	}
	return extreme / all
}

// hodgesLehmann returns the median of all differences y−x: by how much values
// of y are typically larger. It is 0 when either sample is empty.
func hodgesLehmann(x, y []float64) float64 {
	d := make([]float64, 0, len(x)*len(y))
	for _, a := range x {
		for _, b := range y {
			d = append(d, b-a)
		}
	}
	return median(d)
}

// median sorts v.
func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	slices.Sort(v)
	k := len(v) / 2
	if len(v)%2 == 1 {
		return v[k]
	}
	return (v[k-1] + v[k]) / 2
}

// cliffsDelta returns P(y > x) − P(y < x), from −1 to 1.
func cliffsDelta(x, y []float64) float64 {
	if len(x) == 0 || len(y) == 0 {
		return 0
	}
	n := 0
	for _, a := range x {
		for _, b := range y {
			switch {
			case b > a:
				n++
			case b < a:
				n--
			}
		}
	}
	return float64(n) / float64(len(x)*len(y))
}

// fisher returns the two-sided p-value of Fisher's exact test: a of n runs of
// one group show something, b of m runs of the other.
func fisher(a, n, b, m int) float64 {
	k := a + b
	logp := func(i int) float64 { return logChoose(n, i) + logChoose(m, k-i) - logChoose(n+m, k) }
	seen := logp(a)
	p := 0.0
	for i := max(0, k-m); i <= min(n, k); i++ {
		if l := logp(i); l <= seen+1e-9 {
			p += math.Exp(l)
		}
	}
	return math.Min(1, p)
}

func logChoose(n, k int) float64 {
	lg := func(i int) float64 { v, _ := math.Lgamma(float64(i + 1)); return v }
	return lg(n) - lg(k) - lg(n-k)
}

// benjaminiHochberg returns the p-values adjusted so that rejecting those
// below q keeps the false-discovery rate at q.
func benjaminiHochberg(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case p[a] < p[b]:
			return -1
		case p[a] > p[b]:
			return 1
		}
		return 0
	})
	out := make([]float64, len(p))
	least := 1.0
	for i := len(order) - 1; i >= 0; i-- {
		least = math.Min(least, p[order[i]]*float64(len(p))/float64(i+1))
		out[order[i]] = least
	}
	return out
}

// runsNeeded returns the least number of runs in each group with which a
// perfect separation would reach the level alpha in one exact test.
func runsNeeded(alpha float64) int {
	for n := 1; ; n++ {
		if 2*math.Exp(-logChoose(2*n, n)) <= alpha {
			return n
		}
	}
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}
