package diff

import (
	"cmp"
	"fmt"
	"strings"
)

// In a comparison of groups the first good run stands for the good ones and the
// first bad run for the bad. What the other good runs do differently from the
// first is noise; in how many of the other bad runs a difference shows says how
// much it is worth. The sample is the run.

// alpha is the level below which an adjusted p-value counts as significant.
const alpha = 0.05

// groups is what the other runs tell.
type groups struct {
	good, bad []*run
	noise     map[string]bool // identities of differences among good runs
	inBad     map[string]int  // bad runs that show a difference
	ignored   int             // candidates that were noise
}

// identity names a difference so that it can be found again in another
// comparison with the same good run.
func (k *candidate) identity() string {
	what, _, _ := strings.Cut(k.what, ":")
	if k.what == "blocked" || k.kind == Slower || k.kind == Faster {
		what = "time"
	}
	return strings.Join([]string{k.proc.role(), k.form.Family, k.form.Object, what}, "\x00")
}

// survey compares the first good run with every other run.
func survey(good, bad []*run, syms *symbols, rs ruleSet) *groups {
	g := &groups{good: good, bad: bad, noise: map[string]bool{}, inBad: map[string]int{}}
	for _, r := range good[1:] {
		for id := range differences(good[0], r, syms, rs) {
			g.noise[id] = true
		}
	}
	for _, r := range bad[1:] {
		for id := range differences(good[0], r, syms, rs) {
			g.inBad[id]++
		}
	}
	return g
}

// differences returns the identities of all differences of two runs.
func differences(good, bad *run, syms *symbols, rs ruleSet) map[string]bool {
	c := compareRuns(good, bad, syms, rs)
	ids := map[string]bool{}
	for _, k := range c.all(readOutcome(c), c.timeRows()) {
		ids[k.identity()] = true
	}
	return ids
}

// sift drops what varies among good runs, and notes of the rest how many bad
// runs show it, with Fisher's exact test of that.
func (g *groups) sift(list []*candidate) []*candidate {
	if len(g.good) == 1 && len(g.bad) == 1 {
		return list
	}
	var kept []*candidate
	for _, k := range list {
		id := k.identity()
		if g.noise[id] {
			g.ignored++
			continue
		}
		k.runs = 1 + g.inBad[id]
		kept = append(kept, k)
	}
	p := make([]float64, len(kept))
	for i, k := range kept {
		p[i] = fisher(0, len(g.good), k.runs, len(g.bad))
	}
	for i, q := range benjaminiHochberg(p) {
		k := kept[i]
		k.p = &q
		k.share = cmp.Or(k.share, 1) * (0.4 + 0.6*float64(k.runs)/float64(len(g.bad)))
	}
	return kept
}

// notes says what the number of runs allows to conclude.
func (g *groups) notes() []string {
	if len(g.good) == 1 && len(g.bad) == 1 {
		return nil
	}
	var out []string
	if g.ignored > 0 {
		out = append(out, fmt.Sprintf("%d %s left out that also %s among the good runs", g.ignored, plural(g.ignored, "difference", "differences"), plural(g.ignored, "varies", "vary")))
	}
	if need := runsNeeded(alpha); len(g.good) < need || len(g.bad) < need {
		if fisher(0, len(g.good), len(g.bad), len(g.bad)) > alpha {
			out = append(out, fmt.Sprintf("%d good and %d bad runs are too few for significance at %g; %d of each would do", len(g.good), len(g.bad), alpha, need))
		}
	}
	return out
}

// times fills in the statistics over runs of the rows of the latency table.
func (g *groups) times(c *comparison, rows []Latency) {
	if len(g.good) == 1 && len(g.bad) == 1 {
		return
	}
	good, bad := runTimes(g.good, c.syms), runTimes(g.bad, c.syms)
	p := make([]float64, len(rows))
	for i := range rows {
		l := &rows[i]
		id := timeID(l.Process, l.Syscall, l.Object)
		x, y := column(good, id), column(bad, id)
		l.ShiftNS, l.Effect = hodgesLehmann(x, y), cliffsDelta(x, y)
		p[i] = mannWhitney(x, y)
	}
	for i, q := range benjaminiHochberg(p) {
		rows[i].P = &q
	}
}

func timeID(process, family, object string) string {
	return process + "\x00" + family + "\x00" + object
}

// runTimes sums up, for every run, the time by process, call and object.
func runTimes(list []*run, syms *symbols) []map[string]float64 {
	out := make([]map[string]float64, len(list))
	for i, r := range list {
		m := map[string]float64{}
		for _, p := range r.procs {
			role := p.role()
			for key, u := range p.uses {
				f := syms.form(key)
				m[timeID(role, f.Family, f.Object)] += float64(u.total)
			}
			for _, t := range p.threads {
				m[timeID(role, "", "")] += float64(max(0, t.end-t.start-t.busy))
			}
		}
		out[i] = m
	}
	return out
}

func column(list []map[string]float64, id string) []float64 {
	out := make([]float64, len(list))
	for i, m := range list {
		out[i] = m[id]
	}
	return out
}
