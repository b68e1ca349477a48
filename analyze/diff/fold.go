package diff

// Loops are folded before threads are aligned: a server that answered 900
// requests and one that answered 1000 then differ in a count and not in 100
// times a request's calls. The reduction works on a stack as in nested loop
// recognition (Ketterlin and Clauss, "Prediction and trace compression of data
// access addresses through nested loop recognition", 2008): whenever the top of
// the stack repeats what is right beneath it the two become one.

// maxPeriod is the longest loop body, in nodes of the folded sequence.
const maxPeriod = 32

// A node is a stretch of a thread's steps: one symbol or a loop.
type node struct {
	sym   symbol // of the step, or of the loop's body
	count uint32 // repetitions, ≥ 1; not part of the symbol
	from  int32  // first step
	to    int32  // after the last step
}

// loops names loop bodies. Bodies that are equal up to the counts of inner
// loops get the same symbol. It is shared by all runs of a comparison.
type loops struct {
	table *symbols
	ids   map[string]symbol
	body  map[symbol][]symbol
}

func newLoops(t *symbols) *loops {
	return &loops{table: t, ids: map[string]symbol{}, body: map[symbol][]symbol{}}
}

func (l *loops) symbol(body []node) symbol {
	key := make([]byte, 0, 4*len(body))
	for _, n := range body {
		key = append(key, byte(n.sym), byte(n.sym>>8), byte(n.sym>>16), byte(n.sym>>24))
	}
	if s, ok := l.ids[string(key)]; ok {
		return s
	}
	s := l.table.reserve()
	l.ids[string(key)] = s
	syms := make([]symbol, len(body))
	for i, n := range body {
		syms[i] = n.sym
	}
	l.body[s] = syms
	return s
}

// fold reduces the steps of a thread to nodes.
func (l *loops) fold(steps []step) []node {
	var st []node
	for i := range steps {
		st = append(st, node{sym: steps[i].sym, count: 1, from: int32(i), to: int32(i + 1)})
		for l.reduce(&st) {
		}
	}
	return st
}

// reduce makes one reduction at the top of the stack, if there is one.
func (l *loops) reduce(stack *[]node) bool {
	st := *stack
	top := len(st) - 1
	for p := 1; p <= maxPeriod && p <= top; p++ {
		// The p nodes on top repeat the p nodes beneath them.
		if st[top].sym == st[top-p].sym && 2*p <= len(st) && sameSymbols(st[len(st)-p:], st[len(st)-2*p:len(st)-p]) {
			lower := st[len(st)-2*p : len(st)-p]
			loop := node{sym: lower[0].sym, count: lower[0].count + st[top].count, from: lower[0].from, to: st[top].to}
			if p > 1 {
				loop.sym, loop.count = l.symbol(lower), 2
			}
			*stack = append(st[:len(st)-2*p], loop)
			return true
		}
		// They repeat the body of the loop beneath them.
		if under := st[top-p]; p > 1 {
			if body := l.body[under.sym]; len(body) == p && body[p-1] == st[top].sym && equalBody(body, st[len(st)-p:]) {
				under.count++
				under.to = st[top].to
				*stack = append(st[:top-p], under)
				return true
			}
		}
	}
	return false
}

func sameSymbols(a, b []node) bool {
	for i := range a {
		if a[i].sym != b[i].sym {
			return false
		}
	}
	return true
}

func equalBody(body []symbol, n []node) bool {
	for i := range body {
		if body[i] != n[i].sym {
			return false
		}
	}
	return true
}
