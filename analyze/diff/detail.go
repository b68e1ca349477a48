package diff

import (
	"iter"
	"strings"

	"sysreel/analyze"
	"sysreel/proto/tracefile"
)

// Detail is what a Result sums up, for those who want to look for themselves:
// the processes of the first good and the first bad run, and how their calls
// stand opposite each other. It holds 16 bytes for each call compared, and is
// not safe for concurrent use.
type Detail struct {
	Processes []*ProcessPair // a parent before its children
	// Findings tells of each finding of the Result the index of its process,
	// −1 if it has none.
	Findings []int

	segments [2]map[tracefile.ThreadID][]*Thread // in order of events
}

// ProcessPair is a process of each run that play the same role; one of the two
// may be nil. A process that executes another program goes on as its own child.
type ProcessPair struct {
	Parent    int // index, −1 of a root
	Good, Bad *Process
	Threads   []*ThreadPair
	// Calls that differ: made in one run only, or with another outcome.
	Missing, Added, Changed int
}

// Process is a process as long as it ran one program. Times are ns from the
// first event of its run.
type Process struct {
	PID        int32
	Role       string   // the program, as a person calls it
	Argv       []string // nil of a copy of its parent
	InPlace    bool     // it goes on in the place of its parent: execve
	Start, End int64
	Ended      string // in words: "exit 1", "killed by SIGSEGV", "still running"; "" if it went on as another
	Failed     bool
	Calls      uint64
	Errors     uint64
}

// ThreadPair is a thread of each process; one of the two may be nil.
type ThreadPair struct {
	Good, Bad *Thread
	// Unordered: part of the two was compared as sets, as aligning it would
	// have taken too long.
	Unordered bool

	c       *comparison
	matches []match
	changed map[int32]bool // good steps whose counterpart got other data
}

// Thread is a thread of a process.
type Thread struct {
	TID int32

	t       *thread
	from    uint64   // first event
	differs []uint64 // bits of steps that are a difference; nil: all
}

// RowKind says how two events stand to each other.
type RowKind byte

const (
	Equal       RowKind = '=' // the same call, with the same outcome
	Changed     RowKind = '!' // the same call, with another outcome or other data
	OnlyGood    RowKind = '-'
	OnlyBad     RowKind = '+'
	Elsewhere   RowKind = '~' // made in the other run as well, but at another place or another number of times
	NotCompared RowKind = '.' // memory, clocks, waiting, signals: they vary between healthy runs
	LeftOut     RowKind = '/' // Row.Good and Row.Bad are numbers of events that were not given
)

// Differs reports whether a row of the kind is a difference.
func (k RowKind) Differs() bool { return k == Changed || k == OnlyGood || k == OnlyBad }

// Row is two events opposite each other, by number; 0: there is none.
type Row struct {
	Kind      RowKind
	Good, Bad uint64
}

// detail makes the Detail of a comparison.
func (c *comparison) detail(list []*candidate) *Detail {
	d := &Detail{segments: [2]map[tracefile.ThreadID][]*Thread{{}, {}}}
	index := map[*proc]int{}
	for i, pp := range c.pairs {
		for _, p := range []*proc{pp.good, pp.bad} {
			if p != nil {
				index[p] = i
			}
		}
	}
	at := func(p *proc) int {
		if i, ok := index[p]; ok {
			return i
		}
		return -1
	}
	for _, pp := range c.pairs {
		out := &ProcessPair{Parent: -1, Good: pp.good.describe(), Bad: pp.bad.describe()}
		for _, p := range []*proc{pp.bad, pp.good} {
			if p != nil && p.parent != nil {
				out.Parent = at(p.parent)
			}
		}
		d.Processes = append(d.Processes, out)
		threads := pp.threads
		if threads == nil {
			threads = pp.alone()
		}
		side := map[*thread]*Thread{}
		for _, tp := range threads {
			t := &ThreadPair{Good: d.thread(goodSide, tp.good), Bad: d.thread(badSide, tp.bad), Unordered: tp.bag, c: c, matches: tp.matches}
			for _, x := range []*Thread{t.Good, t.Bad} {
				if x != nil {
					side[x.t] = x
				}
			}
			out.Threads = append(out.Threads, t)
		}
		c.mark(pp, out, side)
	}
	for _, k := range list {
		d.Findings = append(d.Findings, at(k.proc))
	}
	return d
}

// alone returns the threads of a process without a counterpart.
func (pp *procPair) alone() []*threadPair {
	var out []*threadPair
	if pp.good != nil {
		for _, t := range pp.good.threads {
			out = append(out, &threadPair{good: t})
		}
	}
	if pp.bad != nil {
		for _, t := range pp.bad.threads {
			out = append(out, &threadPair{bad: t})
		}
	}
	return out
}

// thread makes the Thread of t and notes which events are its.
func (d *Detail) thread(side int, t *thread) *Thread {
	if t == nil {
		return nil
	}
	x := &Thread{TID: t.tid, t: t}
	if t.proc.was != nil {
		x.from = t.proc.born
	}
	list := append(d.segments[side][t.id], x)
	for i := len(list) - 1; i > 0 && list[i-1].from > x.from; i-- {
		list[i-1], list[i] = list[i], list[i-1]
	}
	d.segments[side][t.id] = list
	return x
}

// mark notes which steps of a matched process are differences: those left over
// that do not occur elsewhere in the other run.
func (c *comparison) mark(pp *procPair, out *ProcessPair, threads map[*thread]*Thread) {
	if pp.good == nil || pp.bad == nil {
		out.Missing, out.Added = len(pp.onlyGood), len(pp.onlyBad)
		return
	}
	for _, t := range threads {
		t.differs = make([]uint64, (len(t.t.steps)+63)/64)
	}
	for side, list := range [2][]ref{pp.onlyGood, pp.onlyBad} {
		for _, r := range list {
			if c.inOther(r, side) && c.muchMore(r, side) == nil {
				continue
			}
			if t := threads[r.thread]; t != nil {
				t.differs[r.index/64] |= 1 << (r.index % 64)
			}
		}
	}
	for _, sp := range pp.changed {
		if !c.newInput(sp) {
			continue
		}
		for _, t := range out.Threads {
			if t.Good != nil && t.Good.t == sp.good.thread {
				if t.changed == nil {
					t.changed = map[int32]bool{}
				}
				t.changed[sp.good.index] = true
			}
		}
	}
	for _, t := range out.Threads {
		for r := range t.Steps() {
			switch r.Kind {
			case OnlyGood:
				out.Missing++
			case OnlyBad:
				out.Added++
			case Changed:
				out.Changed++
			}
		}
	}
}

// describe makes the Process of p, nil of none.
func (p *proc) describe() *Process {
	if p == nil {
		return nil
	}
	x := &Process{PID: p.pid, Role: p.role(), InPlace: p.was != nil, Start: p.start - p.run.first, Failed: p.failed()}
	if n := len(p.execs); n > 0 {
		x.Argv = p.execs[n-1].argv
	}
	end := p.end
	for _, t := range p.threads {
		end = max(end, t.end)
	}
	x.End = end - p.run.first
	if p.next == nil {
		x.Ended = endWord(p)
	}
	for _, u := range p.uses {
		x.Calls += u.calls
		x.Errors += u.errors
	}
	return x
}

// Find returns the thread that an event of the first good or the first bad run
// belongs to, nil if the comparison did not see it.
func (d *Detail) Find(bad bool, c *analyze.Call) *Thread {
	side := goodSide
	if bad {
		side = badSide
	}
	list := d.segments[side][c.Event.Thread.ID]
	for i := len(list) - 1; i >= 0; i-- {
		t := list[i]
		if t.from > c.Num && c.Num != 0 { // a call in flight at the end has no number
			continue
		}
		if i > 0 && c.Num == t.from+1 && c.IsCall() && strings.HasPrefix(c.Name, "exec") {
			return list[i-1] // the execve returns, but it was the old program that made it
		}
		return t
	}
	return nil
}

// Calls returns how many calls of the pair are compared.
func (t *ThreadPair) Calls() int {
	n := 0
	for _, x := range []*Thread{t.Good, t.Bad} {
		if x != nil {
			n += len(x.t.steps)
		}
	}
	return n
}

// Steps returns the calls that are compared, in order.
func (t *ThreadPair) Steps() iter.Seq[Row] {
	return func(yield func(Row) bool) {
		g, b := 0, 0
		for _, m := range append(t.matches[:len(t.matches):len(t.matches)], match{t.Good.steps(), t.Bad.steps(), 0}) {
			if !t.gap(g, m.A, b, m.B, yield) {
				return
			}
			for i := range m.N {
				r := Row{Equal, t.Good.num(m.A + i), t.Bad.num(m.B + i)}
				if t.changed[int32(m.A+i)] {
					r.Kind = Changed
				}
				if !yield(r) {
					return
				}
			}
			g, b = m.A+m.N, m.B+m.N
		}
	}
}

// gap yields steps between aligned ones, those on the same object opposite each
// other.
func (t *ThreadPair) gap(g, toG, b, toB int, yield func(Row) bool) bool {
	if g == toG && b == toB {
		return true
	}
	var m []match
	if g < toG && b < toB {
		var al aligner
		m = al.align(t.keys(t.Good, g, toG), t.keys(t.Bad, b, toB))
	}
	one := func(kind RowKind, x *Thread, i int) Row {
		r := Row{Kind: kind, Good: x.num(i)}
		if kind == OnlyBad {
			r.Good, r.Bad = 0, r.Good
		}
		if !x.differ(i) {
			r.Kind = Elsewhere
		}
		return r
	}
	from, fromB := g, b
	for _, x := range append(m, match{toG - from, toB - fromB, 0}) {
		for ; g < from+x.A; g++ {
			if !yield(one(OnlyGood, t.Good, g)) {
				return false
			}
		}
		for ; b < fromB+x.B; b++ {
			if !yield(one(OnlyBad, t.Bad, b)) {
				return false
			}
		}
		for range x.N {
			r := Row{Elsewhere, t.Good.num(g), t.Bad.num(b)}
			if t.Good.differ(g) || t.Bad.differ(b) {
				r.Kind = Changed
			}
			if !yield(r) {
				return false
			}
			g++
			b++
		}
	}
	return true
}

// keys returns what the steps from from on act on, and by what kind of call.
func (t *ThreadPair) keys(x *Thread, from, to int) []symbol {
	out := make([]symbol, 0, to-from)
	for _, s := range x.t.steps[from:to] {
		out = append(out, t.c.syms.form(s.sym).key)
	}
	return out
}

func (t *Thread) steps() int {
	if t == nil {
		return 0
	}
	return len(t.t.steps)
}

func (t *Thread) num(i int) uint64 { return uint64(t.t.steps[i].num) }

func (t *Thread) differ(i int) bool { return t.differs == nil || t.differs[i/64]>>(i%64)&1 != 0 }
