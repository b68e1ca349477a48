package diff

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// candidate is a difference before it is ranked.
type candidate struct {
	kind    Kind
	proc    *proc // where: of the bad run if it is there, else of the good
	form    form  // the call, in the bad run if it is there
	was     form  // the call in the good run, of a changed result
	good    uint64
	bad     uint64 // events; 0: none
	at      uint64 // event of the bad run where it belongs; 0 unknown
	count   int
	means   feature // the kind of difference that it is
	share   float64 // of that feature's weight; 0 means 1
	what    string  // of a changed input: what changed; else more about the call
	subject string  // a name that a message may echo, if not form.Object
	added   int64   // ns of time added; Slower and Faster
	tail    bool    // missing because the process had ended
	first   bool    // first difference of its process

	index int // in Differences

	runs int      // of groups: bad runs that show it
	p    *float64 // of groups: Fisher's exact test, adjusted

	ranked
}

// ranked is what ranking makes of a candidate.
type ranked struct {
	score    float64
	features []has
	echoed   bool // a message names its object
	repeats  int  // other failures to reach the same name
	folded   []*candidate
}

// Bounds on what becomes a candidate.
const (
	manyMore      = 100 // calls more, and
	manyTimes     = 3   // times as many, are more than a matter of timing
	maxPerProcess = 64  // candidates of missing or added calls
	maxCandidates = 4096
)

// all lists every difference of c, those of time among them.
func (c *comparison) all(o *outcome, rows []*row) []*candidate {
	return append(append(c.candidates(o), c.hangCandidates()...), c.slowCandidates(rows)...)
}

// candidates lists every difference of c in what was done.
func (c *comparison) candidates(o *outcome) []*candidate {
	var out []*candidate
	for _, pp := range c.pairs {
		switch {
		case pp.bad == nil:
			if pp.good.parent == nil || pp.good.parent.other != nil {
				out = append(out, &candidate{kind: ProcessMissing, proc: pp.good, good: pp.good.born, means: kindProcess})
			}
			continue
		case pp.good == nil:
			if pp.bad.parent == nil || pp.bad.parent.other != nil {
				w := kindNewProcess
				if o.failing[pp.bad] {
					w = kindFailedProcess
				}
				out = append(out, &candidate{kind: ProcessAdded, proc: pp.bad, bad: pp.bad.born, at: pp.bad.born, means: w})
			}
			out = append(out, c.failures(pp, o)...)
		default:
			out = append(out, c.callCandidates(pp, o)...)
			out = append(out, c.inputCandidates(pp, o)...)
		}
		out = append(out, endCandidates(pp)...)
		if len(out) > maxCandidates {
			break
		}
	}
	return append(out, c.listingCandidates(o)...)
}

// failures lists the failed calls of a process that the good run lacks.
func (c *comparison) failures(pp *procPair, o *outcome) []*candidate {
	if !o.failing[pp.bad] {
		return nil
	}
	var out []*candidate
	done := map[symbol]bool{}
	for _, r := range pp.onlyBad {
		s := r.step().sym
		f := c.syms.form(s)
		if !f.Failed() || done[s] || c.inOther(r, badSide) || len(out) >= maxPerProcess {
			continue
		}
		done[s] = true
		out = append(out, &candidate{kind: Added, proc: pp.bad, form: *f, bad: r.event(), at: r.event(), means: kindLoneError})
	}
	return out
}

// callCandidates lists the calls of a matched process that only one run made
// or that ended differently.
func (c *comparison) callCandidates(pp *procPair, o *outcome) []*candidate {
	var out []*candidate
	// What the good run made and the bad did not, by what it acted on.
	goodByKey := map[symbol][]ref{}
	for _, r := range pp.onlyGood {
		if !c.inOther(r, goodSide) {
			k := c.syms.form(r.step().sym).key
			goodByKey[k] = append(goodByKey[k], r)
		}
	}
	used := map[symbol]bool{}
	done := map[symbol]bool{}
	var added []ref
	for _, r := range pp.onlyBad {
		s := r.step().sym
		if done[s] {
			continue
		}
		if c.inOther(r, badSide) {
			if k := c.muchMore(r, badSide); k != nil {
				out = append(out, k)
				done[s] = true
			}
			continue
		}
		f := c.syms.form(s)
		if f.Family == "exit" && pp.bad.known { // told by how the process ended
			continue
		}
		was, found := c.counterpart(goodByKey[f.key], f)
		switch {
		case found:
			w := c.syms.form(was.step().sym)
			used[f.key] = true
			out = append(out, &candidate{kind: ResultChanged, proc: pp.bad, form: *f, was: *w,
				good: was.event(), bad: r.event(), at: r.event(), means: changeKind(w, f)})
		case f.Failed():
			if !o.worse && c.rules.on(ruleLook) && looksInVain(f) {
				break
			}
			if g, ok := c.anyGood(pp, f); ok { // the good run made the same call, only more often with success
				out = append(out, &candidate{kind: ResultChanged, proc: pp.bad, form: *f, was: *c.syms.form(g.step().sym),
					good: g.event(), bad: r.event(), at: r.event(), means: kindFailed})
			} else {
				out = append(out, &candidate{kind: Added, proc: pp.bad, form: *f, bad: r.event(), at: r.event(), means: kindNewError})
			}
		default:
			added = append(added, r)
			continue
		}
		done[s] = true
	}
	out = append(out, c.appeared(pp, used)...)
	var missing []ref
	for _, r := range pp.onlyGood {
		if s := r.step().sym; !done[s] && c.inOther(r, goodSide) {
			if k := c.muchMore(r, goodSide); k != nil {
				k.proc = pp.bad
				out = append(out, k)
				done[s] = true
			}
		}
		if f := c.syms.form(r.step().sym); !c.inOther(r, goodSide) && !used[f.key] {
			missing = append(missing, r)
		}
	}
	if !o.worse {
		missing = slices.DeleteFunc(missing, func(r ref) bool {
			return c.again(r, goodSide) || c.rules.on(ruleLook) && looksInVain(c.syms.form(r.step().sym))
		})
		added = slices.DeleteFunc(added, func(r ref) bool { return c.again(r, badSide) })
	}
	out = append(out, c.blocks(pp, missing, Missing)...)
	out = append(out, c.blocks(pp, added, Added)...)
	if len(out) > 0 {
		first := slices.MinFunc(out, func(x, y *candidate) int { return cmp.Compare(x.at, y.at) })
		first.first = true
	}
	return out
}

// appeared lists what the good run asked for in vain and the bad run found there.
// That the good run found it too, later, when it had made it itself, does not
// matter; so only the first answers are compared. What it lists is put in used.
func (c *comparison) appeared(pp *procPair, used map[symbol]bool) []*candidate {
	var out []*candidate
	for _, r := range pp.onlyGood {
		f := c.syms.form(r.step().sym)
		if f.Result != "ENOENT" || f.Object == "" || used[f.key] || c.inOther(r, goodSide) {
			continue
		}
		switch f.Family {
		case "stat", "access", "open", "readlink":
		default:
			continue
		}
		g, b := c.firstOf(pp.good, f.key), c.firstOf(pp.bad, f.key)
		if g.thread == nil || b.thread == nil || !c.syms.form(g.step().sym).Failed() || c.syms.form(b.step().sym).Failed() {
			continue
		}
		used[f.key] = true
		out = append(out, &candidate{kind: ResultChanged, proc: pp.bad, form: *c.syms.form(b.step().sym), was: *c.syms.form(g.step().sym),
			good: g.event(), bad: b.event(), at: b.event(), means: kindMended})
	}
	return out
}

// appeared reports whether k is that something was there, not in the good run.
func (k *candidate) appeared() bool {
	return k.kind == ResultChanged && k.was.Result == "ENOENT" && !k.form.Failed()
}

// firstOf returns the first step of a process with that key, by event; its thread
// is nil if there is none.
func (c *comparison) firstOf(p *proc, key symbol) ref {
	var first ref
	for _, t := range p.threads {
		for i := range t.steps {
			if c.syms.form(t.steps[i].sym).key == key {
				if r := (ref{thread: t, index: int32(i)}); first.thread == nil || r.event() < first.event() {
					first = r
				}
				break
			}
		}
	}
	return first
}

// muchMore makes a candidate of a call that one run made many times as often as
// the other, nil if it did not.
func (c *comparison) muchMore(r ref, side int) *candidate {
	f := c.syms.form(r.step().sym)
	at := groupSymbol{r.thread.proc.group, r.step().sym}
	many, few := c.groupSeen[side][at], c.groupSeen[1-side][at]
	if f.Class != effect || many-few < manyMore || many < manyTimes*few {
		return nil
	}
	k := &candidate{kind: Added, proc: r.thread.proc, form: *f, bad: r.event(), at: r.event(), means: kindMore,
		what: fmt.Sprintf("%d times, %d in the good run", many, few)}
	if side == goodSide {
		k.kind, k.good, k.bad, k.at = Missing, r.event(), 0, uint64(r.at)+1
		k.what = fmt.Sprintf("%d times, %d in the good run", few, many)
	}
	return k
}

// counterpart chooses among good steps of the same key the one of the same
// detail, else the first.
func (c *comparison) counterpart(list []ref, f *form) (ref, bool) {
	for _, r := range list {
		if g := c.syms.form(r.step().sym); g.Detail == f.Detail && g.Result != f.Result {
			return r, true
		}
	}
	for _, r := range list {
		if g := c.syms.form(r.step().sym); g.Result != f.Result || g.Detail != f.Detail {
			return r, true
		}
	}
	return ref{}, false
}

// anyGood finds a successful call of the same key in the good process.
func (c *comparison) anyGood(pp *procPair, f *form) (ref, bool) {
	for _, t := range pp.good.threads {
		for i := range t.steps {
			if g := c.syms.form(t.steps[i].sym); g.key == f.key && !g.Failed() {
				return ref{thread: t, index: int32(i)}, true
			}
		}
	}
	return ref{}, false
}

// changeKind tells how a call on the same object ended differently.
func changeKind(was, is *form) feature {
	switch {
	case is.Family == "exit":
		return kindExit
	case !was.Failed() && is.Failed():
		return kindFailed
	case was.Failed() && is.Failed():
		if was.Result == is.Result {
			return kindDetail
		}
		return kindErrno
	case was.Failed():
		return kindMended
	}
	return kindDetail
}

// blocks puts neighbouring calls that only one run made together.
func (c *comparison) blocks(pp *procPair, list []ref, kind Kind) []*candidate {
	var out []*candidate
	var cur *candidate
	var last ref
	if stopped(pp) {
		return nil
	}
	for _, r := range list {
		f := c.syms.form(r.step().sym)
		if f.Family == "exit" || f.Family == "fork" && !f.Failed() { // told by how processes ended and started
			continue
		}
		near := cur != nil && r.thread == last.thread && r.index-last.index <= 4 && !f.Failed()
		last = r
		if near {
			cur.count++
			continue
		}
		if len(out) >= maxPerProcess {
			out[len(out)-1].count++
			continue
		}
		cur = &candidate{kind: kind, proc: cmp.Or(pp.bad, pp.good), form: *f, count: 1}
		if kind == Missing {
			cur.good, cur.at, cur.means = r.event(), uint64(r.at)+1, kindMissing
			cur.tail = c.ended(pp, r)
			if f.Failed() {
				cur.means, cur.share = kindMended, 0.5
			}
		} else {
			cur.bad, cur.at, cur.means = r.event(), r.event(), kindAdded
		}
		switch {
		case strings.HasPrefix(f.Object, "std"):
			cur.means, cur.share = kindOutput, 1
		case f.Class != effect:
			cur.share = cmp.Or(cur.share, 1) / 2
		}
		out = append(out, cur)
	}
	return out
}

// ended reports whether the good step r comes after all that the bad process
// did: it is missing because the process was gone.
func (c *comparison) ended(pp *procPair, r ref) bool {
	for _, t := range pp.bad.threads {
		if n := len(t.steps); n > 0 && t.steps[n-1].num > r.at {
			// Only the end itself may follow.
			return c.syms.form(t.steps[n-1].sym).Family == "exit" && (n == 1 || t.steps[n-2].num <= r.at)
		}
	}
	return true
}

// endCandidates lists how the end of a process differs.
func endCandidates(pp *procPair) []*candidate {
	b := pp.bad
	if !b.known || b.next != nil || pp.good != nil && pp.good.known && pp.good.status == b.status {
		return nil
	}
	if stopped(pp) {
		return nil
	}
	k := &candidate{kind: ResultChanged, proc: b, bad: b.endEvent, at: b.endEvent, means: kindExit,
		form: form{Name: "exit", Family: "end"}}
	if pp.good != nil {
		if !pp.good.known {
			return nil
		}
		k.good = pp.good.endEvent
	} else if !b.failed() {
		return nil
	} else {
		k.kind = Added
	}
	if b.signalled() != 0 {
		k.means = kindSignal
	}
	return []*candidate{k}
}

// stopSignals are what a program sends to helpers that it needs no longer.
var stopSignals = map[int]bool{1: true, 2: true, 9: true, 13: true, 15: true} // HUP, INT, KILL, PIPE, TERM

// stopped reports whether, in one of the runs, the process was stopped by a
// signal and its parent went on and ended as in the other run: how far a helper
// got by then is chance.
func stopped(pp *procPair) bool {
	g, b := pp.good, pp.bad
	if g == nil || b == nil || g.parent == nil || b.parent == nil || g.parent.other != b.parent ||
		!g.parent.known || !b.parent.known || g.parent.status != b.parent.status || g.parent.failed() {
		return false
	}
	return stopSignals[g.signalled()] || stopSignals[b.signalled()]
}

// inputCandidates lists inputs of a matched process that changed between runs:
// files, arguments, environment, credentials, limits.
func (c *comparison) inputCandidates(pp *procPair, o *outcome) []*candidate {
	var out []*candidate
	byObject := map[string]*candidate{}
	for _, sp := range pp.changed {
		if !c.newInput(sp) {
			continue
		}
		f := c.syms.form(sp.bad.step().sym)
		if f.Family == "stat" && (c.good.written[f.Object] || c.bad.written[f.Object]) {
			continue // an output; what was read before it was written is an input
		}
		if !o.worse && c.good.written[f.Object] && c.bad.written[f.Object] {
			continue // what one run leaves to the next
		}
		w := kindContent
		switch f.Family {
		case "stat":
			w = kindMetadata
		case "rlimit", "getrlimit":
			w = kindMetadata
		}
		if k := byObject[f.Object]; k != nil {
			if w == kindMetadata && k.means != kindMetadata && k.form.Family != "stat" { // the size says more than the data
				k.form, k.good, k.bad, k.means = *f, sp.good.event(), sp.bad.event(), w
			}
			continue
		}
		k := &candidate{kind: InputChanged, proc: pp.bad, form: *f, good: sp.good.event(), bad: sp.bad.event(), at: sp.bad.event(), means: w}
		byObject[f.Object] = k
		out = append(out, k)
	}
	for _, ch := range factChanges(pp.good, pp.bad, c.good.canon, c.bad.canon) {
		if inherited(pp, ch, c) {
			continue
		}
		out = append(out, &candidate{kind: InputChanged, proc: pp.bad, good: pp.good.start0(), bad: pp.bad.start0(), at: pp.bad.start0(),
			means: ch.means, what: ch.what + " " + ch.text, subject: ch.subject, form: form{Class: quiet}})
	}
	return out
}

// inherited reports whether the parents differ in the same way: then the
// difference is theirs.
func inherited(pp *procPair, ch change, c *comparison) bool {
	g, b := pp.good.parent, pp.bad.parent
	if g == nil || b == nil || g.other != b || ch.what == "arguments" {
		return false
	}
	return slices.ContainsFunc(factChanges(g, b, c.good.canon, c.bad.canon), func(x change) bool { return x.what == ch.what && x.text == ch.text })
}

// start0 returns the event from which p had what it was given.
func (p *proc) start0() uint64 {
	if n := len(p.execs); n > 0 && p.execs[n-1].event > 0 {
		return p.execs[n-1].event
	}
	return p.born
}
