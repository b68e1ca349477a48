package diff

import (
	"cmp"
	"slices"
	"strings"
)

// Processes are matched from the roots down, children of matched parents with
// each other, in rounds from certain to doubtful. Siblings are an unordered
// set: which of two compilers starts first is the scheduler's business. What
// the tree leaves over is matched across it, so that a child that moved to
// another parent is still compared.

// matchRuns pairs the processes of two runs through proc.other.
func matchRuns(g, b *run) {
	for _, p := range slices.Concat(g.procs, b.procs) {
		p.other = nil
	}
	if len(g.roots) == 1 && len(b.roots) == 1 {
		g.roots[0].other, b.roots[0].other = b.roots[0], g.roots[0]
	}
	matchSiblings(g.roots, b.roots)
	queue := slices.Clone(g.roots)
	for len(queue) > 0 {
		p := queue[0]
		queue = append(queue[1:], p.children...)
		if p.other != nil {
			matchSiblings(p.children, p.other.children)
		}
	}
	matchRound(g.procs, b.procs, (*proc).roleKey, 0.5)
	for _, p := range g.procs { // and what hangs below those
		if p.other != nil {
			matchSiblings(p.children, p.other.children)
		}
	}
}

// matchSiblings pairs children of one parent.
func matchSiblings(gs, bs []*proc) {
	matchRound(gs, bs, func(p *proc) string {
		if k := p.roleKey(); k != "" {
			return k + "\x00" + p.fingerprint()
		}
		return ""
	}, 0)
	matchRound(gs, bs, (*proc).roleKey, 0)
	matchRound(gs, bs, (*proc).program, 0.2)
	matchRound(gs, bs, (*proc).intent, 0)
	matchRound(gs, bs, func(*proc) string { return "any" }, 0.5)
}

// matchRound pairs unmatched processes of equal, non-empty key; within a key
// the most similar first, those less similar than least not at all.
func matchRound(gs, bs []*proc, key func(*proc) string, least float64) {
	byKey := map[string][2][]*proc{}
	var order []string
	for side, list := range [2][]*proc{gs, bs} {
		for _, p := range list {
			if p.other != nil {
				continue
			}
			k := key(p)
			if k == "" {
				continue
			}
			e, ok := byKey[k]
			if !ok {
				order = append(order, k)
			}
			e[side] = append(e[side], p)
			byKey[k] = e
		}
	}
	for _, k := range order {
		if e := byKey[k]; len(e[0]) > 0 && len(e[1]) > 0 {
			pairTwins(e[0], e[1], least)
		}
	}
}

// maxTwins bounds the quadratic search among twins; more are paired in order.
const maxTwins = 128

func pairTwins(gs, bs []*proc, least float64) {
	pair := func(g, b *proc) { g.other, b.other = b, g }
	if len(gs) == 1 && len(bs) == 1 && least == 0 && compatible(gs[0], bs[0]) {
		pair(gs[0], bs[0])
		return
	}
	if len(gs) > maxTwins || len(bs) > maxTwins {
		for i := range min(len(gs), len(bs)) {
			if compatible(gs[i], bs[i]) {
				pair(gs[i], bs[i])
			}
		}
		return
	}
	type candidate struct {
		g, b *proc
		sim  float64
		gap  int // difference of ordinals: decides between equals
	}
	var all []candidate
	for i, g := range gs {
		for j, b := range bs {
			if !compatible(g, b) {
				continue
			}
			if s := similarity(g, b); s >= least {
				all = append(all, candidate{g, b, s, abs(i - j)})
			}
		}
	}
	slices.SortStableFunc(all, func(x, y candidate) int {
		if c := cmp.Compare(y.sim, x.sim); c != 0 {
			return c
		}
		return cmp.Compare(x.gap, y.gap)
	})
	for _, c := range all {
		if c.g.other == nil && c.b.other == nil {
			pair(c.g, c.b)
		}
	}
}

// compatible reports whether two processes may stand for each other: they ran
// the same program last, or one ran none.
func compatible(g, b *proc) bool {
	x, y := g.program(), b.program()
	return x == y || x == "" || y == ""
}

// similarity compares what two processes did to which objects: the Jaccard
// index of their keys of effects and streams.
func similarity(g, b *proc) float64 {
	x, y := g.keys(), b.keys()
	if len(x) == 0 && len(y) == 0 {
		return 1
	}
	both := 0
	for i, j := 0, 0; i < len(x) && j < len(y); {
		switch {
		case x[i] == y[j]:
			both++
			i++
			j++
		case x[i] < y[j]:
			i++
		default:
			j++
		}
	}
	return float64(both) / float64(len(x)+len(y)-both)
}

// keys returns the sorted symbols of p's steps.
func (p *proc) keys() []symbol {
	if p.sorted == nil {
		p.sorted = make([]symbol, 0, len(p.seen))
		for s := range p.seen {
			p.sorted = append(p.sorted, s)
		}
		slices.Sort(p.sorted)
	}
	return p.sorted
}

// fingerprint is equal for processes that made the same set of calls.
func (p *proc) fingerprint() string {
	var b strings.Builder
	for _, s := range p.keys() {
		b.Write([]byte{byte(s), byte(s >> 8), byte(s >> 16), byte(s >> 24)})
	}
	return b.String()
}

// roleKey is the programs that p ran with their arguments; "" if it ran none.
func (p *proc) roleKey() string {
	var b strings.Builder
	for _, x := range p.execs {
		b.WriteString(x.name)
		b.WriteByte(' ')
		b.WriteString(x.args)
		b.WriteByte('\n')
	}
	return b.String()
}

// program is the name of the last program that p ran; "" if it ran none.
func (p *proc) program() string {
	if n := len(p.execs); n > 0 {
		return base(p.execs[n-1].name)
	}
	return ""
}

// intent is the name of the first program that p ran or tried to run, so that
// a child whose exec failed stands against the one whose did not.
func (p *proc) intent() string { return p.tried }

// groupTwins numbers the processes that play the same role, so that work that
// is shared out differently among them can be set off.
func groupTwins(g, b *run) {
	ids := map[string]int{}
	for _, p := range slices.Concat(g.procs, b.procs) {
		if p.run == b && p.other != nil {
			p.group = p.other.group
			continue
		}
		key := p.roleKey()
		if key == "" { // forked without exec: with its siblings
			if p.parent == nil {
				continue
			}
			key = "fork of " + itoa(p.parent.group)
		}
		if ids[key] == 0 {
			ids[key] = len(ids) + 1
		}
		p.group = ids[key]
	}
}
