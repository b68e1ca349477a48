package diff

import "slices"

// A match says that a[A:A+N] equals b[B:B+N] and that the two are aligned.
type match struct{ A, B, N int }

// aligner aligns two sequences of symbols so that what is equal stands
// opposite each other, in order.
//
// Common ends are trimmed; symbols that occur once in both sequences anchor the
// rest (patience diff); between anchors the linear-space algorithm of Myers
// ("An O(ND) Difference Algorithm and Its Variations", 1986) finds a longest
// common subsequence. A gap whose edit distance exceeds maxCost is left
// unaligned and counted in skipped: the caller compares it as a bag.
type aligner struct {
	maxCost int // edit distance given up on in one gap; 0 means defaultMaxCost
	matches []match
	skipped int // symbols of both sequences in gaps that were given up
	fwd     []int
	rev     []int
}

// defaultMaxCost keeps the worst gap near 10^7 steps.
const defaultMaxCost = 3000

// align returns the aligned stretches of a and b in order.
func (al *aligner) align(a, b []symbol) []match {
	if al.maxCost == 0 {
		al.maxCost = defaultMaxCost
	}
	al.matches = al.matches[:0]
	al.gap(a, b, 0, 0)
	return al.matches
}

// emit appends a stretch, joining it to the one before where they touch.
func (al *aligner) emit(a, b, n int) {
	if n == 0 {
		return
	}
	if k := len(al.matches); k > 0 {
		m := &al.matches[k-1]
		if m.A+m.N == a && m.B+m.N == b {
			m.N += n
			return
		}
	}
	al.matches = append(al.matches, match{a, b, n})
}

// gap aligns a and b, which stand at offsets oa and ob of the whole.
func (al *aligner) gap(a, b []symbol, oa, ob int) {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	al.emit(oa, ob, n)
	a, b, oa, ob = a[n:], b[n:], oa+n, ob+n
	tail := 0
	for tail < len(a) && tail < len(b) && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	a, b = a[:len(a)-tail], b[:len(b)-tail]
	if len(a) > 0 && len(b) > 0 {
		if anchors := uniqueAnchors(a, b); len(anchors) > 0 {
			pa, pb := 0, 0
			for _, m := range anchors {
				al.gap(a[pa:m.A], b[pb:m.B], oa+pa, ob+pb)
				al.emit(oa+m.A, ob+m.B, 1)
				pa, pb = m.A+1, m.B+1
			}
			al.gap(a[pa:], b[pb:], oa+pa, ob+pb)
		} else {
			al.myers(a, b, oa, ob)
		}
	}
	al.emit(oa+len(a), ob+len(b), tail)
}

// uniqueAnchors returns the longest increasing chain of symbols that occur
// exactly once in a and exactly once in b.
func uniqueAnchors(a, b []symbol) []match {
	type seen struct{ na, nb, ia, ib int32 }
	at := make(map[symbol]seen, len(a))
	for i, s := range a {
		e := at[s]
		e.na++
		e.ia = int32(i)
		at[s] = e
	}
	for i, s := range b {
		if e, ok := at[s]; ok {
			e.nb++
			e.ib = int32(i)
			at[s] = e
		}
	}
	var both []match
	for i, s := range a {
		if e := at[s]; e.na == 1 && e.nb == 1 {
			both = append(both, match{i, int(e.ib), 1})
		}
	}
	return increasing(both)
}

// increasing returns a longest subsequence of m, sorted by A, whose B rise.
func increasing(m []match) []match {
	if len(m) == 0 {
		return nil
	}
	ends := make([]int, 0, len(m)) // ends[k]: index of the smallest B ending a chain of k+1
	prev := make([]int, len(m))
	for i := range m {
		k, _ := slices.BinarySearchFunc(ends, m[i].B, func(e, b int) int { return m[e].B - b })
		prev[i] = -1
		if k > 0 {
			prev[i] = ends[k-1]
		}
		if k == len(ends) {
			ends = append(ends, i)
		} else {
			ends[k] = i
		}
	}
	chain := make([]match, len(ends))
	for i, k := ends[len(ends)-1], len(ends)-1; k >= 0; i, k = prev[i], k-1 {
		chain[k] = m[i]
	}
	return chain
}

// myers aligns a and b, which differ at both ends, by divide and conquer at
// the middle snake.
func (al *aligner) myers(a, b []symbol, oa, ob int) {
	if len(a) == 0 || len(b) == 0 {
		return
	}
	x, y, u, ok := al.middleSnake(a, b)
	if !ok {
		al.skipped += len(a) + len(b)
		return
	}
	if u == 0 && (x == 0 && y == 0 || x == len(a) && y == len(b)) {
		return // nothing in common
	}
	al.trimmed(a[:x], b[:y], oa, ob)
	al.emit(oa+x, ob+y, u)
	al.trimmed(a[x+u:], b[y+u:], oa+x+u, ob+y+u)
}

// trimmed aligns common ends and hands what is between to myers.
func (al *aligner) trimmed(a, b []symbol, oa, ob int) {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	al.emit(oa, ob, n)
	a, b, oa, ob = a[n:], b[n:], oa+n, ob+n
	tail := 0
	for tail < len(a) && tail < len(b) && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	al.myers(a[:len(a)-tail], b[:len(b)-tail], oa, ob)
	al.emit(oa+len(a)-tail, ob+len(b)-tail, tail)
}

// middleSnake finds a stretch of u equal symbols at (x, y) on an optimal path,
// searching from both ends at once. ok is false when the cost cap was reached.
func (al *aligner) middleSnake(a, b []symbol) (x, y, u int, ok bool) {
	n, m := len(a), len(b)
	delta := n - m
	odd := delta&1 != 0
	limit := min((n+m+1)/2, al.maxCost)
	size := 2*limit + 2
	if len(al.fwd) < size+1 {
		al.fwd = make([]int, size+1)
		al.rev = make([]int, size+1)
	}
	// fwd[k+limit] is the furthest x on diagonal k from the start, rev the same
	// from the end in reversed coordinates.
	f, r := al.fwd[:size+1], al.rev[:size+1]
	f[limit+1], r[limit+1] = 0, 0
	for d := 0; d <= limit; d++ {
		for k := -d; k <= d; k += 2 {
			var px int
			if k == -d || k != d && f[limit+k-1] < f[limit+k+1] {
				px = f[limit+k+1]
			} else {
				px = f[limit+k-1] + 1
			}
			py := px - k
			sx := px
			for px < n && py < m && py >= 0 && a[px] == b[py] {
				px++
				py++
			}
			f[limit+k] = px
			if odd && k-delta >= -(d-1) && k-delta <= d-1 {
				if back := delta - k; px+r[limit+back] >= n && px <= n && py <= m && py >= 0 {
					return sx, sx - k, px - sx, true
				}
			}
		}
		for k := -d; k <= d; k += 2 {
			var px int
			if k == -d || k != d && r[limit+k-1] < r[limit+k+1] {
				px = r[limit+k+1]
			} else {
				px = r[limit+k-1] + 1
			}
			py := px - k
			sx := px
			for px < n && py < m && py >= 0 && a[n-1-px] == b[m-1-py] {
				px++
				py++
			}
			r[limit+k] = px
			if !odd && delta-k >= -d && delta-k <= d {
				if px+f[limit+delta-k] >= n && px <= n && py <= m && py >= 0 {
					return n - px, m - py, px - sx, true
				}
			}
		}
	}
	return 0, 0, 0, false
}
