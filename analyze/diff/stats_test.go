package diff

import (
	"math"
	"testing"
)

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-4 {
		t.Errorf("%s = %.6f, want %.6f", what, got, want)
	}
}

// Reference values: R's wilcox.test(exact=TRUE), fisher.test and p.adjust.
func TestMannWhitney(t *testing.T) {
	near(t, "3 against 3, apart", mannWhitney([]float64{1, 2, 3}, []float64{4, 5, 6}), 0.1)
	near(t, "4 against 4, apart", mannWhitney([]float64{1, 2, 3, 4}, []float64{5, 6, 7, 8}), 2.0/70)
	near(t, "5 against 4, mixed", mannWhitney([]float64{0.8, 0.83, 1.89, 1.04, 1.45}, []float64{1.15, 0.88, 0.9, 0.74}), 0.5556)
	near(t, "all tied", mannWhitney([]float64{1, 1}, []float64{1, 1}), 1)
	near(t, "one each", mannWhitney([]float64{1}, []float64{2}), 1)
	near(t, "empty", mannWhitney(nil, []float64{2}), 1)
	var x, y []float64
	for i := range 30 {
		x, y = append(x, float64(i)), append(y, float64(i)+10.5)
	}
	if p := mannWhitney(x, y); p < 1e-5 || p > 1e-3 {
		t.Errorf("30 against 30 shifted by a third: p = %g", p)
	}
}

func TestEffectSizes(t *testing.T) {
	x, y := []float64{1, 2, 3}, []float64{11, 12, 14}
	near(t, "Hodges-Lehmann", hodgesLehmann(x, y), 10)
	near(t, "Cliff's delta", cliffsDelta(x, y), 1)
	near(t, "Cliff's delta, reversed", cliffsDelta(y, x), -1)
	near(t, "Cliff's delta, equal", cliffsDelta(x, x), 0)
}

func TestFisher(t *testing.T) {
	near(t, "tea", fisher(3, 4, 1, 4), 0.4857)
	near(t, "0/3 against 3/3", fisher(0, 3, 3, 3), 0.1)
	near(t, "0/5 against 5/5", fisher(0, 5, 5, 5), 0.0079365)
	near(t, "nothing anywhere", fisher(0, 5, 0, 5), 1)
}

func TestBenjaminiHochberg(t *testing.T) {
	got := benjaminiHochberg([]float64{0.01, 0.04, 0.03, 0.005})
	for i, want := range []float64{0.02, 0.04, 0.04, 0.02} {
		near(t, "adjusted", got[i], want)
	}
}

func TestRunsNeeded(t *testing.T) {
	if n := runsNeeded(0.05); n != 4 {
		t.Errorf("runsNeeded(0.05) = %d, want 4", n)
	}
	if n := runsNeeded(0.001); n != 7 {
		t.Errorf("runsNeeded(0.001) = %d, want 7", n)
	}
}
