package diff

import "context"

// Differences is a comparison before its differences are ranked. It serves to
// try other weights: [Compare] is what tells a cause.
type Differences struct {
	Findings []Finding // in no order that matters; Score is that of DefaultWeights
	m        *measured
}

// FindDifferences compares the runs like [Compare], and stops before ranking.
// No more than the 200 highest-ranking differences are considered.
func FindDifferences(ctx context.Context, o Options) (*Differences, error) {
	m, err := measure(ctx, o)
	if err != nil {
		return nil, err
	}
	sortByScore(m.list, DefaultWeights())
	m.list = m.list[:min(len(m.list), maxFindings)]
	for i, k := range m.list {
		k.index = i
	}
	d := &Differences{m: m}
	d.Findings, err = m.comparison.fill(ctx, o, m.list, m.outcome, DefaultWeights())
	return d, err
}

// Features returns by how much each weight counts in the score of a finding.
func (d *Differences) Features(i int) Weights {
	var x Weights
	for _, h := range d.m.list[i].features {
		x[h.feature] += h.share
	}
	return x
}

// Rank returns which findings [Compare] would list under w, as indexes of
// d.Findings, most likely cause first.
func (d *Differences) Rank(w *Weights) []int {
	list := make([]*candidate, len(d.m.list))
	for i, k := range d.m.list {
		c := *k
		list[i] = &c
	}
	list = d.m.comparison.rank(list, d.m.outcome, w)
	order := make([]int, len(list))
	for i, k := range list {
		order[i] = k.index
	}
	return order
}
