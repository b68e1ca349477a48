package diff

import (
	"math/rand/v2"
	"testing"
)

// lcs is the textbook dynamic program, the reference for the aligner.
func lcs(a, b []symbol) int {
	row := make([]int, len(b)+1)
	for _, x := range a {
		diag := 0
		for j, y := range b {
			up := row[j+1]
			if x == y {
				row[j+1] = diag + 1
			} else {
				row[j+1] = max(up, row[j])
			}
			diag = up
		}
	}
	return row[len(b)]
}

func syms(s string) []symbol {
	out := make([]symbol, len(s))
	for i := range s {
		out[i] = symbol(s[i])
	}
	return out
}

// checkMatches fails unless m is in order, without overlap, and of equal symbols.
func checkMatches(t *testing.T, a, b []symbol, m []match) (total int) {
	t.Helper()
	pa, pb := 0, 0
	for _, x := range m {
		if x.A < pa || x.B < pb || x.N <= 0 || x.A+x.N > len(a) || x.B+x.N > len(b) {
			t.Fatalf("match %+v out of order or range after %d,%d (lengths %d,%d)", x, pa, pb, len(a), len(b))
		}
		for i := range x.N {
			if a[x.A+i] != b[x.B+i] {
				t.Fatalf("match %+v pairs different symbols", x)
			}
		}
		pa, pb, total = x.A+x.N, x.B+x.N, total+x.N
	}
	return total
}

func TestAlignExamples(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"abc", "", 0},
		{"abc", "abc", 3},
		{"abcabba", "cbabac", 4}, // the example of Myers' paper
		{"xaaaa", "aaaay", 4},
		{"ab", "ba", 1},
		{"aXbYc", "abc", 3},
	} {
		a, b := syms(c.a), syms(c.b)
		var al aligner
		if got := checkMatches(t, a, b, al.align(a, b)); got != c.want {
			t.Errorf("align(%q, %q) matches %d symbols, want %d", c.a, c.b, got, c.want)
		}
	}
}

// The part below the anchors must find a longest common subsequence.
func TestMyersIsOptimal(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 4000 {
		a := make([]symbol, rng.IntN(24))
		b := make([]symbol, rng.IntN(24))
		k := 1 + rng.IntN(5)
		for j := range a {
			a[j] = symbol(rng.IntN(k))
		}
		for j := range b {
			b[j] = symbol(rng.IntN(k))
		}
		al := aligner{maxCost: defaultMaxCost}
		al.trimmed(a, b, 0, 0)
		if got, want := checkMatches(t, a, b, al.matches), lcs(a, b); got != want {
			t.Fatalf("case %d: %v against %v: %d matched, want %d", i, a, b, got, want)
		}
	}
}

func TestAlignGivesUpAtTheCap(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	a, b := make([]symbol, 4000), make([]symbol, 4000)
	for i := range a {
		a[i], b[i] = symbol(rng.IntN(2)), symbol(2+rng.IntN(2))
	}
	al := aligner{maxCost: 50}
	checkMatches(t, a, b, al.align(a, b))
	if al.skipped != len(a)+len(b) {
		t.Errorf("skipped %d symbols, want all %d", al.skipped, len(a)+len(b))
	}
}

func FuzzAlign(f *testing.F) {
	f.Add([]byte("abcabba"), []byte("cbabac"))
	f.Fuzz(func(t *testing.T, x, y []byte) {
		if len(x)+len(y) > 1<<12 {
			t.Skip()
		}
		a, b := syms(string(x)), syms(string(y))
		al := aligner{maxCost: 64}
		checkMatches(t, a, b, al.align(a, b))
	})
}
