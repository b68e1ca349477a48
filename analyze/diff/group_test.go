package diff

import (
	"fmt"
	"strings"
	"testing"

	"sysreel/analyze/tracetest"
)

// worker opens the files named and then its data, with result ret.
func worker(ret int64, ns int64, files ...string) func(b *tracetest.Builder) {
	return func(b *tracetest.Builder) {
		p := program(b, 50, "worker")
		for _, f := range files {
			b.Call(p, "openat", 1000, 3, atFDCWD, f, rdonly)
		}
		b.Call(p, "openat", ns, ret, atFDCWD, "/data", rdonly)
		b.Exit(p, 0)
	}
}

func TestWhatVariesAmongGoodRunsIsNoise(t *testing.T) {
	g1, g2 := source(t, "g1", worker(3, 1000)), source(t, "g2", worker(3, 1100, "/cache/b"))
	b1, b2 := source(t, "b1", worker(enoent, 1000, "/cache/b")), source(t, "b2", worker(enoent, 1000))
	alone := compare(t, Options{Good: []Source{g1}, Bad: []Source{b1}})
	if len(alone.Findings) != 2 {
		t.Errorf("one against one: %d findings, want the cause and the noise: %+v", len(alone.Findings), alone.Findings)
	}
	r := compare(t, Options{Good: []Source{g1, g2}, Bad: []Source{b1, b2}})
	if len(r.Findings) != 1 || r.Findings[0].Path != "/data" {
		t.Fatalf("groups: findings %+v, want /data alone", r.Findings)
	}
	f := r.Findings[0]
	if f.BadRuns != 2 || f.P == nil {
		t.Fatalf("in %d bad runs, p %v", f.BadRuns, f.P)
	}
	near(t, "p of 2 against 2", *f.P, 1.0/3) // 2/C(4,2)
	notes := strings.Join(r.Notes, "\n")
	for _, want := range []string{"1 difference left out that also varies", "2 good and 2 bad runs are too few"} {
		if !strings.Contains(notes, want) {
			t.Errorf("notes %q lack %q", notes, want)
		}
	}
}

func TestGroupsOfEqualRunsAreTheSame(t *testing.T) {
	var o Options
	for i := range 3 {
		o.Good = append(o.Good, source(t, fmt.Sprint("g", i), worker(3, 1000)))
		o.Bad = append(o.Bad, source(t, fmt.Sprint("b", i), worker(3, 1000)))
	}
	if r := compare(t, o); r.Verdict != Same {
		t.Errorf("%s: %+v", r.Verdict, r.Findings)
	}
}

func TestGroupTimes(t *testing.T) {
	var o Options
	for i := range 5 {
		o.Good = append(o.Good, source(t, fmt.Sprint("g", i), worker(3, 1_000_000+int64(i))))
		o.Bad = append(o.Bad, source(t, fmt.Sprint("b", i), worker(3, 5_000_000+int64(i))))
	}
	r := compare(t, o)
	l := r.Latency[0]
	if l.Object != "/data" || l.P == nil {
		t.Fatalf("first row %+v", l)
	}
	near(t, "shift", l.ShiftNS, 4_000_000)
	near(t, "Cliff's delta", l.Effect, 1)
	if *l.P > 0.05 { // 2/C(10,5) = 0.008 before adjustment
		t.Errorf("p = %g", *l.P)
	}
}
