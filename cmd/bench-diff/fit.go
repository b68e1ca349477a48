//go:build unix

package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"sysreel/analyze/diff"
)

// example is a failure with its differences, and which of them are right.
type example struct {
	f     *failure
	d     *diff.Differences
	x     []diff.Weights // features of each difference
	right []bool
}

// rank returns the place of the first right finding under w, 0 if it has none.
func (e *example) rank(w *diff.Weights) int {
	return 1 + slices.IndexFunc(e.d.Rank(w), func(i int) bool { return e.right[i] })
}

// fit fits the weights to the recorded cases, and measures how well weights do on
// programs that they were not fitted to: each program's cases are ranked by
// weights fitted to all others'.
func (b *bench) fit(re *regexp.Regexp, traces string) int {
	var all []*example
	for _, f := range allCases() {
		if !re.MatchString(f.name) {
			continue
		}
		good, bad := filepath.Join(traces, f.name+".good.reel"), filepath.Join(traces, f.name+".bad.reel")
		if _, err := os.Stat(bad); err != nil {
			continue
		}
		d, err := diff.FindDifferences(context.Background(), diff.Options{Good: []diff.Source{source(good)}, Bad: []diff.Source{source(bad)}})
		if err != nil {
			fmt.Fprintf(os.Stderr, "bench-diff: %s: %v\n", f.name, err)
			return 1
		}
		e := &example{f: &f, d: d}
		for i := range d.Findings {
			e.x = append(e.x, d.Features(i))
			e.right = append(e.right, f.want.right(&d.Findings[i]))
		}
		all = append(all, e)
	}
	if len(all) == 0 {
		fmt.Fprintln(os.Stderr, "bench-diff: no traces there: run it with -keep first")
		return 1
	}
	now := diff.DefaultWeights()
	programs := map[string]bool{}
	var held []int
	for _, e := range all {
		programs[e.f.program] = true
	}
	fmt.Printf("%-30s %-10s %5s %5s\n", "case", "program", "now", "held")
	byProgram := map[string]*diff.Weights{}
	for p := range programs {
		byProgram[p] = fitWeights(slices.DeleteFunc(slices.Clone(all), func(e *example) bool { return e.f.program == p }), now)
	}
	var ranks []int
	for _, e := range all {
		r, h := e.rank(now), e.rank(byProgram[e.f.program])
		ranks, held = append(ranks, r), append(held, h)
		if r != 1 || h != 1 {
			fmt.Printf("%-30s %-10s %5d %5d\n", e.f.name, e.f.program, r, h)
		}
	}
	fitted := fitWeights(all, now)
	var best []int
	for _, e := range all {
		best = append(best, e.rank(fitted))
	}
	fmt.Printf("\n%d cases of %d programs\n", len(all), len(programs))
	fmt.Printf("%-46s %s\n", "the weights in use", score(ranks))
	fmt.Printf("%-46s %s\n", "fitted to the other programs (held out)", score(held))
	fmt.Printf("%-46s %s\n", "fitted to all", score(best))
	fmt.Printf("\n%-50s %8s %8s\n", "feature", "in use", "fitted")
	for i, name := range now.Names() {
		fmt.Printf("%-50s %8.1f %8.2f\n", name, now[i], fitted[i])
	}
	return 0
}

// score says how well ranks are, 0 being not found.
func score(ranks []int) string {
	var top1, top3, mrr float64
	for _, r := range ranks {
		if r == 1 {
			top1++
		}
		if r > 0 && r <= 3 {
			top3++
		}
		if r > 0 {
			mrr += 1 / float64(r)
		}
	}
	n := float64(len(ranks))
	return fmt.Sprintf("top-1 %.1f %%, top-3 %.1f %%, mean reciprocal rank %.3f", 100*top1/n, 100*top3/n, mrr/n)
}

// fitWeights maximises the likelihood that a right finding is chosen where one is
// chosen with odds of exp(score) (conditional logit), with a normal prior around
// the weights from: what the examples do not tell stays as it is.
func fitWeights(list []*example, from *diff.Weights) *diff.Weights {
	const (
		steps = 400
		rate  = 0.05
		prior = 0.005 // 1/variance, per example
	)
	w := *from
	var m, v diff.Weights // Adam's moments
	for t := 1; t <= steps; t++ {
		var g diff.Weights
		for _, e := range list {
			gradient(e, &w, &g)
		}
		for i := range w {
			d := g[i]/float64(len(list)) - prior*(w[i]-from[i])
			m[i] = 0.9*m[i] + 0.1*d
			v[i] = 0.999*v[i] + 0.001*d*d
			w[i] += rate * (m[i] / (1 - math.Pow(0.9, float64(t)))) / (math.Sqrt(v[i]/(1-math.Pow(0.999, float64(t)))) + 1e-8)
		}
	}
	return &w
}

// gradient adds that of the log-likelihood of e.
func gradient(e *example, w, g *diff.Weights) {
	if !slices.Contains(e.right, true) || !slices.Contains(e.right, false) {
		return
	}
	s := make([]float64, len(e.x))
	most := math.Inf(-1)
	for i := range e.x {
		for j, x := range e.x[i] {
			s[i] += x * w[j]
		}
		most = max(most, s[i])
	}
	var all, right float64
	for i := range s {
		s[i] = math.Exp(s[i] - most)
		all += s[i]
		if e.right[i] {
			right += s[i]
		}
	}
	for i := range s {
		p := -s[i] / all
		if e.right[i] {
			p += s[i] / right
		}
		for j, x := range e.x[i] {
			g[j] += p * x
		}
	}
}
