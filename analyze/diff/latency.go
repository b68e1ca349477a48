package diff

import (
	"cmp"
	"slices"
	"strings"
)

// A difference of time between two single runs is told only where no usual
// load explains it. These bounds keep two healthy runs on a busy machine from
// being called different.
const (
	slowRun     = 250e6 // ns that a run must have taken longer
	slowRatio   = 1.5   // … and times as long
	slowCall    = 200e6 // ns added by one kind of call on one object
	slowCompute = 600e6 // ns added between calls
	slowFactor  = 3     // … and times as long as in the good run
	stallMost   = 2e9   // ns for which a busy machine may hold up one call, or what is between two
	hangLeast   = 800e6 // ns in one call that never returned
	maxLatency  = 50    // rows
)

// rowKey names a row of the time table: the processes of one role, and a call
// on an object. key 0 is the time between calls.
type rowKey struct {
	group int
	key   symbol
}

// row is where time went in both runs.
type row struct {
	rowKey
	proc  *proc // an example, of the bad run if it has one
	calls [2]uint64
	total [2]int64
	max   [2]int64
	event [2]uint64 // of the longest
	// Of the time between calls: CPU time used, and of how many processes it is
	// not known.
	cpu     [2]int64
	unknown [2]int
}

func (r *row) delta() int64 { return r.total[badSide] - r.total[goodSide] }

// timeRows sums up where the time went, largest change first.
func (c *comparison) timeRows() []*row {
	rows := map[rowKey]*row{}
	at := func(p *proc, key symbol) *row {
		k := rowKey{p.group, key}
		r := rows[k]
		if r == nil {
			r = &row{rowKey: k}
			rows[k] = r
		}
		if r.proc == nil || r.proc.run == c.good && p.run == c.bad {
			r.proc = p
		}
		return r
	}
	for side, x := range [2]*run{c.good, c.bad} {
		for _, p := range x.procs {
			for key, u := range p.uses {
				r := at(p, key)
				r.calls[side] += u.calls
				r.total[side] += u.total
				if u.longest > r.max[side] {
					r.max[side], r.event[side] = u.longest, u.longestEvent
				}
			}
			r := at(p, 0)
			for _, t := range p.threads {
				r.total[side] += max(0, t.end-t.start-t.busy)
				r.max[side] = max(r.max[side], t.gap)
			}
			if p.next != nil {
				continue
			}
			if own, ok := p.ownCPU(); ok {
				r.cpu[side] += own
			} else {
				r.unknown[side]++
			}
		}
	}
	out := make([]*row, 0, len(rows))
	for _, r := range rows {
		out = append(out, r)
	}
	slices.SortFunc(out, func(x, y *row) int {
		if d := cmp.Compare(max(y.delta(), -y.delta()), max(x.delta(), -x.delta())); d != 0 {
			return d
		}
		return cmp.Or(cmp.Compare(x.group, y.group), cmp.Compare(x.key, y.key))
	})
	return out
}

// latency makes the table of the result.
func (c *comparison) latency(rows []*row) []Latency {
	out := []Latency{}
	for _, r := range rows {
		if len(out) >= maxLatency || r.delta() == 0 {
			break
		}
		f := c.syms.form(r.key)
		out = append(out, Latency{Process: r.proc.role(), Syscall: f.Family, Object: f.Object,
			GoodCalls: r.calls[goodSide], BadCalls: r.calls[badSide],
			GoodNS: r.total[goodSide], BadNS: r.total[badSide], DeltaNS: r.delta()})
	}
	return out
}

// slowCandidates lists what took the time, if the bad run took much longer, and
// what no longer takes it, if it was much faster.
func (c *comparison) slowCandidates(rows []*row) []*candidate {
	good, bad := c.good.last-c.good.first, c.bad.last-c.bad.first
	kind, sign, g, b := Slower, int64(1), goodSide, badSide
	if bad < good {
		kind, sign, g, b = Faster, -1, badSide, goodSide
		good, bad = bad, good
	}
	// How long a recording by attaching took says nothing; there a call must
	// stand out by itself.
	attached := c.good.attached() || c.bad.attached()
	if attached {
		kind, sign, g, b = Slower, 1, goodSide, badSide
	} else if bad-good < slowRun || float64(bad) < slowRatio*float64(good) {
		return nil
	}
	pace, starved := c.pace(rows, g, b), starvation(rows, b)-starvation(rows, g)
	var out []*candidate
	for _, r := range rows {
		d := r.delta() * sign
		least := int64(slowCall)
		if r.key == 0 {
			least = slowCompute
		}
		if d < least || r.total[b] < slowFactor*r.total[g] {
			continue
		}
		f := *c.syms.form(r.key)
		if f.Class == wait && r.max[b]-r.max[g] < slowCall/2 {
			continue // many short waits: a thread with little to do
		}
		if attached {
			if idle(&f) || r.key == 0 || r.max[b] < slowFactor*r.max[g] {
				continue
			}
		} else if d*5 < bad-good {
			continue
		}
		if waitsForRun(&f) {
			continue // it waited for others of the run, and those are compared
		}
		if !mayWait(&f) && r.heldUp(g, b, least, pace) {
			continue
		}
		if f.Class == wait && f.Family != "sleep" && (d < starved || float64(r.total[b]) < slowFactor*pace*float64(r.total[g])) {
			continue // those it waited for may have waited for a CPU
		}
		if r.key == 0 && r.unknown == [2]int{} && (r.cpu[b]-r.cpu[g])*2 < d {
			continue // it did not compute, it waited for a CPU
		}
		k := &candidate{kind: kind, proc: r.proc, form: f, good: r.event[goodSide], bad: r.event[badSide], at: r.event[badSide],
			count: int(r.calls[badSide]), added: d, means: kindTime, share: 1}
		if !attached {
			k.share *= float64(min(d, bad-good)) / float64(bad-good)
		}
		if waits(&f) {
			k.share *= 0.4
		}
		if kind == Faster {
			k.share *= 0.2
		}
		out = append(out, k)
		if len(out) >= 10 {
			break
		}
	}
	return out
}

// starvation returns how much of the time between the calls of a run was not
// spent computing, in ns, as far as that is known.
func starvation(rows []*row, side int) (ns int64) {
	for _, r := range rows {
		if r.key == 0 && r.unknown[side] == 0 {
			ns += max(0, r.total[side]-r.cpu[side])
		}
	}
	return ns
}

// ownCPU returns the CPU time of p without its children's.
func (p *proc) ownCPU() (ns int64, known bool) {
	if p.cpu == 0 {
		return 0, false
	}
	ns = p.cpu
	for q := p; q != nil; q = q.was {
		for _, child := range q.children {
			for child.next != nil {
				child = child.next
			}
			if child != p {
				ns -= child.cpu
			}
		}
	}
	return max(0, ns), true
}

// pace returns how many times as long as in the one run calls took in the other
// that neither wait nor do much: memory, signal masks, identities. A machine that
// is busy with something else makes all calls slower, and what is between them.
func (c *comparison) pace(rows []*row, g, b int) float64 {
	var total [2]float64
	for _, r := range rows {
		if r.key == 0 || c.syms.form(r.key).Class != quiet || r.calls[g] == 0 || r.calls[b] == 0 {
			continue
		}
		total[g] += float64(r.total[g]) / float64(r.calls[g])
		total[b] += float64(r.total[b]) / float64(r.calls[b])
	}
	if total[g] == 0 {
		return 1
	}
	return max(1, total[b]/total[g])
}

// heldUp reports whether a difference of the time that goes into what waits for
// nobody can be the machine's doing: without the longest in each run it is none,
// or it is no more than that of other such calls. least and pace are what a real
// one must exceed.
func (r *row) heldUp(g, b int, least int64, pace float64) bool {
	if r.max[b]-r.max[g] >= stallMost {
		return false
	}
	x, y := r.total[g]-r.max[g], r.total[b]-r.max[b]
	return y-x < least || float64(y) < slowFactor*pace*float64(x)
}

// mayWait reports whether a call can take long because it waits for somebody: a
// peer, a lock, a disk that is to have written.
func mayWait(f *form) bool {
	switch f.Family {
	case "lock", "connect", "sync", "copy", "mount", "umount2":
		return true
	}
	return f.Class == wait || f.Class == stream && (!strings.HasPrefix(f.Object, "/") || strings.HasPrefix(f.Object, "/dev/"))
}

// idle reports whether a call's time is that of a server with nothing to do.
func idle(f *form) bool {
	return f.Class == wait && f.Family != "sleep" || f.Class == stream && (f.Family == "accept" || f.Family == "recv" || f.Family == "read")
}

// waitsForRun reports whether a call waits for processes or threads of the
// same run, whose own time tells more.
func waitsForRun(f *form) bool {
	switch f.Family {
	case "wait", "futex", "semop", "sigwait", "restart":
		return true
	}
	return f.Class == stream && (f.Object == "pipe" || f.Object == "stdin")
}

// waits reports whether a call's time is spent waiting for somebody who may be
// recorded as well, so that the cause lies elsewhere.
func waits(f *form) bool {
	return f.Class == wait && f.Family != "sleep" || f.Class == stream && (f.Object == "pipe" || f.Object == "stdin")
}

// hangCandidates lists the calls in which the bad run was stuck when it was
// killed or the recording ended.
func (c *comparison) hangCandidates() []*candidate {
	var out []*candidate
	for _, p := range c.bad.procs {
		if p.next != nil || p.ended && p.signalled() == 0 {
			continue
		}
		var longest *thread
		for _, t := range p.threads {
			l := &t.last
			if d := l.end - l.start; l.unfinished && d >= hangLeast && (longest == nil || d > longest.last.end-longest.last.start) {
				longest = t
			}
		}
		// Of several threads the first speaks for the process.
		if m := p.threads[0]; m.last.unfinished && m.last.end-m.last.start >= hangLeast {
			longest = m
		}
		if longest == nil {
			continue
		}
		l := &longest.last
		f := *c.syms.form(l.sym)
		f.Name = l.name
		k := &candidate{kind: Slower, proc: p, form: f, bad: l.event, at: l.event, added: l.end - l.start, means: kindHang, what: "blocked"}
		if g := p.other; g != nil {
			if u := g.uses[l.sym]; u != nil {
				k.good = u.longestEvent
				if u.longest*2 > k.added {
					continue // as long in the good run
				}
			}
		}
		if waits(&f) && stuckBelow(p) {
			k.means = kindWaiting
		}
		out = append(out, k)
	}
	return out
}

// stuckBelow reports whether a descendant of p was stuck as well.
func stuckBelow(p *proc) bool {
	for _, q := range p.children {
		if !q.ended || q.signalled() != 0 {
			for _, t := range q.threads {
				if t.last.unfinished && t.last.end-t.last.start >= hangLeast {
					return true
				}
			}
		}
		if stuckBelow(q) {
			return true
		}
	}
	return false
}
