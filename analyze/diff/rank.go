package diff

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"sysreel/proto/syscalls"
)

// characterise finds the features of the candidates.
func (c *comparison) characterise(list []*candidate, o *outcome) {
	search := c.searches()
	last := c.lastFailures(list, o)
	for _, k := range list {
		c.describe(k, o, search, last)
	}
	c.discountStop(list)
	discountLater(list)
}

// rank sorts the candidates by score, folds consequences beneath their causes
// and leaves out what is not worth reading. It changes what is ranked of the
// candidates, save their features.
func (c *comparison) rank(list []*candidate, o *outcome, w *Weights) []*candidate {
	sortByScore(list, w)
	list = c.foldConsequences(foldRepeats(list), o)
	// What is more likely an accident than a cause is not worth reading, as
	// long as there is anything else; or if nothing went wrong and it is but a
	// transfer that a process that had ended did not make.
	for i, k := range list {
		if k.score <= 0 && (i > 0 || !o.worse && k.tail && k.form.Class == stream) {
			c.dropped = len(list) - i
			return list[:i]
		}
	}
	return list
}

func sortByScore(list []*candidate, w *Weights) {
	for _, k := range list {
		k.score = 0
		for _, h := range k.features {
			k.score += w[h.feature] * h.share
		}
	}
	slices.SortStableFunc(list, func(x, y *candidate) int {
		return cmp.Or(cmp.Compare(y.score, x.score), cmp.Compare(x.at, y.at))
	})
}

// discountStop takes weight from the signal that ended a run that was stuck:
// somebody gave up waiting.
func (c *comparison) discountStop(list []*candidate) {
	stuck := slices.ContainsFunc(list, func(k *candidate) bool { return k.what == "blocked" })
	for _, k := range list {
		if stuck && k.form.Family == "end" && k.proc.signalled() != 0 {
			k.add(stuckBefore, 1)
		}
	}
}

// discountLater marks what a process did, or did not do, after it had got
// another result or another input: its way had parted by then, and the rest
// follows from that more often than not.
func discountLater(list []*candidate) {
	parted := map[*proc]uint64{}
	for _, k := range list {
		if k.at == 0 || k.kind != ResultChanged && k.kind != InputChanged || k.form.Family == "end" ||
			slices.ContainsFunc(k.features, func(h has) bool { return h.feature == succeededLater || h.feature == foundElsewhere }) {
			continue
		}
		if at, ok := parted[k.proc]; !ok || k.at < at {
			parted[k.proc] = k.at
		}
	}
	for _, k := range list {
		if at, ok := parted[k.proc]; ok && k.at > at && (k.kind == Added || k.kind == Missing) && k.form.Family != "end" {
			k.add(afterChange, 1)
		}
	}
}

// searches lists, by process group, the base names of paths that the bad run
// reached successfully: a name that was found somewhere in the end.
func (c *comparison) searches() map[string]uint64 {
	m := map[string]uint64{}
	for _, p := range c.bad.procs {
		for _, t := range p.threads {
			for i := range t.steps {
				f := c.syms.form(t.steps[i].sym)
				if f.Class == effect && !f.Failed() && strings.HasPrefix(f.Object, "/") {
					m[itoa(p.group)+" "+base(f.Object)] = uint64(t.steps[i].num)
					if f.Family == "exec" && p.parent != nil { // its parent may have looked for it
						m[itoa(p.parent.group)+" "+base(f.Object)] = uint64(t.steps[i].num)
					}
				}
			}
		}
	}
	return m
}

// lastFailures finds, by process, the last failed candidate before each of the
// process's new messages.
func (c *comparison) lastFailures(list []*candidate, o *outcome) map[*candidate]bool {
	out := map[*candidate]bool{}
	for p, said := range o.bySaid {
		for _, s := range said {
			if s.fd == 1 {
				continue
			}
			var last *candidate
			for _, k := range list {
				if k.proc == p && k.form.Failed() && k.bad != 0 && k.bad < s.event && (last == nil || k.bad > last.bad) {
					last = k
				}
			}
			if last != nil {
				out[last] = true
			}
			break
		}
	}
	return out
}

// add gives k a feature.
func (k *candidate) add(f feature, share float64) {
	k.features = append(k.features, has{f, share})
}

// describe finds the features of k.
func (c *comparison) describe(k *candidate, o *outcome, search map[string]uint64, last map[*candidate]bool) {
	add := func(f feature) { k.add(f, 1) }
	k.add(k.means, cmp.Or(k.share, 1))
	end := k.form.Family == "end" || k.form.Family == "exit"
	object, errnoText := k.form.Object, ""
	if k.form.Failed() {
		if n, ok := syscalls.ErrnoByName(k.form.Result); ok {
			errnoText = syscalls.ErrnoText(n)
		}
	}
	if k.subject != "" {
		object = k.subject
	}
	if !end && (k.form.Failed() || k.appeared() || k.kind == InputChanged || k.kind == Missing || k.kind == ProcessMissing) {
		from := k.bad
		if k.kind == Missing || k.kind == ProcessMissing {
			from = 0
		}
		name := object
		if base(name) == k.proc.role() {
			name = "" // any message of it begins so
		}
		path, errno, _ := o.echoes(name, errnoText, from)
		if path && object != "" {
			add(inMessage)
			k.echoed = true
		}
		if errno {
			add(errorInMessage)
		}
	}
	telling := k.form.Failed() || k.appeared() || k.kind == InputChanged || k.kind == Slower || k.kind == ProcessMissing
	if o.worse && !end {
		switch {
		case !telling:
			if o.failing[k.proc] {
				add(nearOrigin)
			}
		case k.proc == o.origin:
			add(inOrigin)
			if k.kind == InputChanged {
				add(originInput)
			}
		case o.failing[k.proc]:
			add(inFailing)
		case o.origin.ancestor(k.proc), k.proc.ancestor(o.origin):
		case k.kind == InputChanged && k.at < o.origin.endEvent: // may have handed it on
		default:
			add(inUnfailing)
		}
		if s := o.complaint(k.proc); s != nil && k.at > s.event && k.kind != Slower {
			add(afterMessage)
		} else if k.proc != o.origin && k.at > o.origin.endEvent && k.kind != Slower {
			add(afterMessage)
		}
	}
	if last[k] {
		add(lastFailure)
	}
	if k.first {
		add(firstDifference)
	}
	if k.tail {
		add(processEnded)
	}
	if k.form.Failed() && k.form.Class == effect {
		if c.mended(k) {
			add(succeededLater)
		} else if at := search[itoa(k.proc.group)+" "+base(object)]; at > k.bad && strings.HasPrefix(object, "/") {
			add(foundElsewhere)
		}
	}
}

// mended reports whether the bad process later did successfully what k failed.
func (c *comparison) mended(k *candidate) bool {
	for _, t := range k.proc.threads {
		for i := range t.steps {
			if s := &t.steps[i]; uint64(s.num) > k.bad {
				if f := c.syms.form(s.sym); f.key == k.form.key && !f.Failed() {
					return true
				}
			}
		}
	}
	return false
}

// foldRepeats puts failures to reach one name beneath the first of them: a
// search goes through many directories, and many processes miss the same file.
func foldRepeats(list []*candidate) []*candidate {
	first := map[string]*candidate{}
	var kept []*candidate
	for _, k := range list {
		if k.form.Class != effect || !k.form.Failed() || k.form.Object == "" || k.kind != Added && k.kind != ResultChanged {
			kept = append(kept, k)
			continue
		}
		id := k.proc.role() + "\x00" + base(k.form.Object) + "\x00" + k.form.Result
		if f := first[id]; f != nil {
			if k.form.Object == f.form.Object && k.proc == f.proc && k.at < f.at {
				// What went wrong is the first failure; the later one only
				// stands nearer to the message.
				k.score, k.features, k.repeats, k.echoed = f.score, f.features, f.repeats, k.echoed || f.echoed
				*f = *k
			}
			f.repeats++
			continue
		}
		first[id] = k
		kept = append(kept, k)
	}
	return kept
}

// foldConsequences puts beneath the first candidate what follows from it: what
// its process and those above it did differently from then on, and how they
// ended.
func (c *comparison) foldConsequences(list []*candidate, o *outcome) []*candidate {
	if len(list) == 0 {
		return list
	}
	top := list[0]
	if top.kind == Faster || top.form.Family == "end" && top.proc.signalled() == 0 {
		return list
	}
	kept := list[:1:1]
	for _, k := range list[1:] {
		if c.follows(k, top, o) {
			top.folded = append(top.folded, k)
		} else {
			kept = append(kept, k)
		}
	}
	return kept
}

// follows reports whether k can be explained by the cause.
func (c *comparison) follows(k, cause *candidate, o *outcome) bool {
	if k.form.Failed() && k.kind != Missing && k.form.Family != "end" && k.form.Family != "exit" {
		// A failure is not hidden, unless it is of a call that the process made
		// only after the cause and said nothing about.
		return k.kind == Added && k.proc == cause.proc && k.at > cause.at && !k.echoed && cause.form.Failed()
	}
	if k.kind == InputChanged || k.form.Family == "end" && k.proc.signalled() != 0 {
		return false
	}
	later := k.at == 0 || k.at >= cause.at || k.tail ||
		k.kind == Missing && cause.good != 0 && k.good > cause.good && (cause.form.Failed() || cause.appeared())
	switch k.kind {
	case ProcessMissing, ProcessAdded:
		parent := k.proc.parent
		if k.kind == ProcessMissing && parent != nil {
			parent = parent.other
		}
		return parent != nil && later && (cause.proc.ancestor(parent) || parent.ancestor(cause.proc))
	}
	q := k.proc
	if q.run == c.good {
		q = q.other
	}
	return q != nil && later && cause.proc.ancestor(q)
}

// chain describes what follows from a cause: the message, then how processes
// ended, from the inside out.
func (c *comparison) chain(k *candidate, o *outcome) []string {
	var out []string
	if k.kind != Slower && k.kind != Faster {
		if _, _, by := o.echoes(cmp.Or(k.subject, k.form.Object), errnoText(k.form.Result), k.bad); by != nil {
			out = append(out, by.describe())
		} else {
			if s := o.complaint(k.proc); s != nil && s.event > k.at {
				out = append(out, s.describe())
			}
		}
	}
	for p := k.proc; p != nil; p = p.parent {
		if p.run == c.bad && p.next == nil && o.failing[p] && (p.parent == nil || p.parent.role() != p.role() || !o.failing[p.parent]) {
			out = append(out, fmt.Sprintf("%s %s #%d", p.role(), endWord(p), p.endEvent))
		}
	}
	if k.repeats > 0 {
		out = append(out, fmt.Sprintf("%d more %s to reach it", k.repeats, plural(k.repeats, "failure", "failures")))
	}
	missing, procs, failed := 0, 0, 0
	for _, f := range k.folded {
		switch f.kind {
		case Missing:
			missing += f.count
		case ProcessMissing:
			procs++
		case Added, ResultChanged:
			if f.form.Failed() {
				failed++
			}
		}
	}
	if failed > 0 {
		out = append(out, fmt.Sprintf("%d other %s after it that the good run did not make", failed, plural(failed, "failed call", "failed calls")))
	}
	if procs > 0 {
		out = append(out, fmt.Sprintf("%d %s of the good run not started", procs, plural(procs, "process", "processes")))
	}
	if missing > 0 {
		out = append(out, fmt.Sprintf("%d %s of the good run not made", missing, plural(missing, "call", "calls")))
	}
	return out
}

func errnoText(name string) string {
	if n, ok := syscalls.ErrnoByName(name); ok {
		return syscalls.ErrnoText(n)
	}
	return ""
}

func (s *saying) describe() string {
	where := "stderr"
	switch {
	case s.fd == 1:
		where = "stdout"
	case s.fd > 2:
		where = "log"
	}
	line, _, _ := strings.Cut(strings.TrimSpace(s.text), "\n")
	return fmt.Sprintf("%s %q #%d", where, clipText(line, 120), s.event)
}

// endWord says how a process ended.
func endWord(p *proc) string {
	switch {
	case !p.ended:
		return "still running"
	case !p.known:
		return "gone"
	case p.signalled() != 0:
		return "killed by " + syscalls.SignalName(p.signalled())
	}
	return fmt.Sprintf("exit %d", p.code())
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
