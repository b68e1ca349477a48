package diff

import (
	"cmp"
	"slices"
	"strings"
)

// comparison is what is known of two runs once their processes are matched
// and their threads aligned.
type comparison struct {
	syms    *symbols
	rules   ruleSet
	loops   *loops
	good    *run
	bad     *run
	pairs   []*procPair
	bags    int // symbols in gaps that were too costly to align
	steps   int // of both runs, not counting quiet ones
	dropped int // differences that are more likely an accident than a cause
	left    int // of them without a counterpart, in any order

	groupSeen [2]map[groupSymbol]int // by side
	inputs    map[symbol]*[2]map[uint32]bool
	looked    [2]map[string]bool // objects that a run looked at, by side; see again
}

type groupSymbol struct {
	group int
	sym   symbol
}

// procPair is a process of each run; either may be missing.
type procPair struct {
	good, bad *proc
	// Steps without a counterpart, in order of events.
	onlyGood, onlyBad []ref
	changed           []stepPair // aligned, of equal symbols, with unequal attributes
	threads           []*threadPair
}

// threadPair is a thread of each run; either may be missing.
type threadPair struct {
	good, bad *thread
	matches   []match // of their steps
	bag       bool    // some could not be aligned at a reasonable cost
}

// pair notes that two steps stand opposite each other.
func (tp *threadPair) pair(good, bad int32) {
	if k := len(tp.matches); k > 0 {
		if m := &tp.matches[k-1]; m.A+m.N == int(good) && m.B+m.N == int(bad) {
			m.N++
			return
		}
	}
	tp.matches = append(tp.matches, match{int(good), int(bad), 1})
}

// stepPair is a step of each run, aligned.
type stepPair struct{ good, bad ref }

const (
	goodSide = 0
	badSide  = 1
)

// compareRuns matches, aligns and cancels.
func compareRuns(g, b *run, syms *symbols, rs ruleSet) *comparison {
	c := &comparison{syms: syms, rules: rs, loops: newLoops(syms), good: g, bad: b}
	matchRuns(g, b)
	groupTwins(g, b)
	for side, r := range [2]*run{g, b} {
		c.groupSeen[side] = map[groupSymbol]int{}
		for _, p := range r.procs {
			for s, n := range p.seen {
				c.groupSeen[side][groupSymbol{p.group, s}] += int(n)
				c.steps += int(n)
			}
		}
	}
	for _, p := range g.procs {
		c.pairs = append(c.pairs, &procPair{good: p, bad: p.other})
	}
	for _, p := range b.procs {
		if p.other == nil {
			c.pairs = append(c.pairs, &procPair{bad: p})
		}
	}
	for _, pp := range c.pairs {
		c.alignProcess(pp)
	}
	if rs.on(ruleOrder) {
		c.cancelTwins()
	}
	for _, pp := range c.pairs {
		c.left += len(pp.onlyGood) + len(pp.onlyBad)
		byEvent := func(x, y ref) int { return cmp.Compare(x.event(), y.event()) }
		slices.SortFunc(pp.onlyGood, byEvent)
		slices.SortFunc(pp.onlyBad, byEvent)
	}
	return c
}

// alignProcess aligns the threads of a pair and leaves what is over in pp.
func (c *comparison) alignProcess(pp *procPair) {
	switch {
	case pp.good == nil:
		pp.onlyBad = allSteps(pp.bad)
		return
	case pp.bad == nil:
		pp.onlyGood = allSteps(pp.good)
		return
	}
	pp.threads = matchThreads(pp.good, pp.bad)
	for _, tp := range pp.threads {
		switch {
		case tp.good == nil:
			pp.onlyBad = append(pp.onlyBad, threadSteps(tp.bad)...)
		case tp.bad == nil:
			pp.onlyGood = append(pp.onlyGood, threadSteps(tp.good)...)
		default:
			c.alignThreads(pp, tp)
		}
	}
	if c.rules.on(ruleOrder) {
		g, b := pp.onlyGood, pp.onlyBad
		pp.onlyGood, pp.onlyBad = cancel(g, b)
		c.pairCancelled(pp, g, b)
	}
}

// pairCancelled compares the steps of g and b that were taken away from pp: the
// calls are no difference, what they read may be one.
func (c *comparison) pairCancelled(pp *procPair, g, b []ref) {
	gone := map[symbol][]ref{}
	eachDropped(g, pp.onlyGood, func(r ref) {
		if r.step().attr != 0 {
			gone[r.step().sym] = append(gone[r.step().sym], r)
		}
	})
	eachDropped(b, pp.onlyBad, func(r ref) {
		s := r.step().sym
		if list := gone[s]; len(list) > 0 {
			c.pairSteps(pp, list[0], r)
			gone[s] = list[1:]
		}
	})
}

// eachDropped calls fn with those of all that are not in kept, a part of it in
// the same order.
func eachDropped(all, kept []ref, fn func(ref)) {
	for _, r := range all {
		if len(kept) > 0 && kept[0] == r {
			kept = kept[1:]
			continue
		}
		fn(r)
	}
}

func allSteps(p *proc) []ref {
	var out []ref
	for _, t := range p.threads {
		out = append(out, threadSteps(t)...)
	}
	return out
}

func threadSteps(t *thread) []ref {
	out := make([]ref, len(t.steps))
	for i := range out {
		out[i] = ref{thread: t, index: int32(i)}
	}
	return out
}

// matchThreads pairs threads: the first with the first, the others by order of
// appearance. What is paired badly is put right when equal steps cancel.
func matchThreads(g, b *proc) []*threadPair {
	out := make([]*threadPair, max(len(g.threads), len(b.threads)))
	for i := range out {
		out[i] = &threadPair{}
		if i < len(g.threads) {
			out[i].good = g.threads[i]
		}
		if i < len(b.threads) {
			out[i].bad = b.threads[i]
		}
	}
	return out
}

// alignThreads aligns the folded steps of two threads.
func (c *comparison) alignThreads(pp *procPair, tp *threadPair) {
	g, b := tp.good, tp.bad
	ng, nb := c.loops.fold(g.steps), c.loops.fold(b.steps)
	var al aligner
	m := al.align(nodeSymbols(ng), nodeSymbols(nb))
	c.bags += al.skipped
	tp.bag = al.skipped > 0
	ig, ib := 0, 0
	leave := func(toG, toB int) {
		for ; ig < toG; ig++ {
			pp.onlyGood = appendSteps(pp.onlyGood, g, ng[ig].from, ng[ig].to, numberAt(b, nb, ib))
		}
		for ; ib < toB; ib++ {
			pp.onlyBad = appendSteps(pp.onlyBad, b, nb[ib].from, nb[ib].to, numberAt(g, ng, ig))
		}
	}
	for _, x := range m {
		leave(x.A, x.B)
		for range x.N {
			c.pairNodes(pp, tp, ng[ig], nb[ib])
			ig++
			ib++
		}
	}
	leave(len(ng), len(nb))
}

// numberAt returns the number of the event before node i of t, 0 if there is none.
func numberAt(t *thread, nodes []node, i int) uint32 {
	if i == 0 {
		return 0
	}
	return t.steps[nodes[i-1].to-1].num
}

func appendSteps(dst []ref, t *thread, from, to int32, at uint32) []ref {
	for i := from; i < to; i++ {
		dst = append(dst, ref{t, i, at})
	}
	return dst
}

func nodeSymbols(n []node) []symbol {
	out := make([]symbol, len(n))
	for i := range n {
		out[i] = n[i].sym
	}
	return out
}

// pairNodes compares the steps of two aligned nodes, which are equal but for
// repetitions: the steps they have in common one by one; the rest is left over.
func (c *comparison) pairNodes(pp *procPair, tp *threadPair, x, y node) {
	g, b := tp.good, tp.bad
	i, j := x.from, y.from
	for i < x.to && j < y.to && g.steps[i].sym == b.steps[j].sym {
		tp.pair(i, j)
		c.pairSteps(pp, ref{thread: g, index: i}, ref{thread: b, index: j})
		i++
		j++
	}
	pp.onlyGood = appendSteps(pp.onlyGood, g, i, x.to, b.steps[j-1].num)
	pp.onlyBad = appendSteps(pp.onlyBad, b, j, y.to, g.steps[i-1].num)
}

func (c *comparison) pairSteps(pp *procPair, g, b ref) {
	if g.step().attr != b.step().attr && g.step().attr != 0 && b.step().attr != 0 {
		pp.changed = append(pp.changed, stepPair{g, b})
	}
}

// cancel takes away equal symbols from both sides: the same call at another
// place or by another thread. Of several equal ones the first stay.
func cancel(g, b []ref) (restG, restB []ref) {
	count := map[symbol]int{}
	for _, r := range b {
		count[r.step().sym]++
	}
	common := map[symbol]int{}
	for _, r := range g {
		if s := r.step().sym; count[s] > 0 {
			count[s]--
			common[s]++
		}
	}
	if len(common) == 0 {
		return g, b
	}
	return dropLast(g, common), dropLast(b, common)
}

// dropLast returns list without the last n[s] steps of every symbol s.
func dropLast(list []ref, n map[symbol]int) []ref {
	todo := make(map[symbol]int, len(n))
	for s, k := range n {
		todo[s] = k
	}
	kept := make([]ref, 0, len(list))
	for i := len(list) - 1; i >= 0; i-- {
		if s := list[i].step().sym; todo[s] > 0 {
			todo[s]--
			continue
		}
		kept = append(kept, list[i])
	}
	slices.Reverse(kept)
	return kept
}

// cancelTwins cancels across the processes that play one role.
func (c *comparison) cancelTwins() {
	byGroup := map[int][]*procPair{}
	for _, pp := range c.pairs {
		if p := cmp.Or(pp.good, pp.bad); len(pp.onlyGood)+len(pp.onlyBad) > 0 {
			byGroup[p.group] = append(byGroup[p.group], pp)
		}
	}
	for _, list := range byGroup {
		if len(list) < 2 {
			continue
		}
		var g, b []ref
		for _, pp := range list {
			g, b = append(g, pp.onlyGood...), append(b, pp.onlyBad...)
		}
		g, b = cancel(g, b)
		keptG, keptB := split(g), split(b)
		for _, pp := range list {
			pp.onlyGood, pp.onlyBad = keptG[pp.good], keptB[pp.bad]
		}
	}
}

// split sorts refs by their process.
func split(list []ref) map[*proc][]ref {
	m := map[*proc][]ref{}
	for _, r := range list {
		m[r.thread.proc] = append(m[r.thread.proc], r)
	}
	return m
}

// newInput reports whether what an aligned pair of calls read is not merely
// read at another time or by another thread: whether the bad run got something
// that the good run never did from the same object.
func (c *comparison) newInput(sp stepPair) bool {
	if c.inputs == nil {
		c.collectInputs()
	}
	in := c.inputs[sp.bad.step().sym]
	return in != nil && !in[goodSide][sp.bad.step().attr]
}

// collectInputs gathers, for every symbol with aligned pairs that differ in
// attributes, all attributes in both runs.
func (c *comparison) collectInputs() {
	c.inputs = map[symbol]*[2]map[uint32]bool{}
	for _, pp := range c.pairs {
		for _, sp := range pp.changed {
			if s := sp.bad.step().sym; c.inputs[s] == nil {
				c.inputs[s] = &[2]map[uint32]bool{{}, {}}
			}
		}
	}
	if len(c.inputs) == 0 {
		return
	}
	for side, r := range [2]*run{c.good, c.bad} {
		for _, p := range r.procs {
			for _, t := range p.threads {
				for i := range t.steps {
					if in := c.inputs[t.steps[i].sym]; in != nil {
						in[side][t.steps[i].attr] = true
					}
				}
			}
		}
	}
}

// again reports whether a step looks at a file that the other run looked at as well,
// with success both times, or changes one that the other run has written.
func (c *comparison) again(r ref, side int) bool {
	f := c.syms.form(r.step().sym)
	if !c.rules.on(ruleLook) || !c.rules.on(ruleCount) || f.Failed() {
		return false
	}
	if f.Family == "read" && f.Object == "stdin" && c.rules.on(ruleStream) {
		return true // whether a helper sees the end of its input before it is stopped is chance
	}
	other := 1 - side
	if !looks(f) {
		return [2]*run{c.good, c.bad}[other].written[f.Object]
	}
	if c.looked[other] == nil {
		c.looked[other] = map[string]bool{}
		for _, p := range [2]*run{c.good, c.bad}[other].procs {
			for s := range p.seen {
				if f := c.syms.form(s); looks(f) || f.Family == "exec" && !f.Failed() {
					c.looked[other][f.Object] = true
				}
			}
		}
	}
	return c.looked[other][f.Object]
}

// looks reports whether a call found out about a file and did not change it.
func looks(f *form) bool {
	if f.Failed() || !strings.HasPrefix(f.Object, "/") {
		return false
	}
	switch f.Family {
	case "open":
		return f.Detail == openWord(0)
	case "stat", "access", "readlink", "read", "list", "statfs", "getxattr":
		return true
	}
	return false
}

// looksInVain reports whether a call looked at what is not there.
func looksInVain(f *form) bool {
	if f.Result != "ENOENT" {
		return false
	}
	found := *f
	found.Result = ""
	return looks(&found)
}

// inOther reports whether a step's symbol occurs in the other run, in the
// processes of the same role: then only the number of such calls differs.
func (c *comparison) inOther(r ref, side int) bool {
	rule := ruleCount
	if c.syms.form(r.step().sym).Class == stream {
		rule = ruleStream
	}
	if !c.rules.on(rule) {
		return false
	}
	return c.groupSeen[1-side][groupSymbol{r.thread.proc.group, r.step().sym}] > 0
}
