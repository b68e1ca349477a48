// Package diff compares two recorded runs and says what made the bad one bad.
//
// The steps, a file each: calls are reduced to symbols in which nothing is left
// that varies between healthy runs (rules.go, names.go, build.go); processes
// are matched by what they ran (match.go); loops are folded (fold.go) and each
// thread is aligned with its counterpart (align.go); what is left over, in
// either run, cancels where only order or the sharing of work differs
// (compare.go); the rest are candidates (candidates.go, latency.go, facts.go),
// ranked by what they explain of how the bad run ended (outcome.go, rank.go).
// A second pass over the traces fetches the text of what is reported
// (evidence.go).
//
// Memory: 16 bytes for each call that is not quiet, and the table of distinct
// canonical calls. Nothing of the traces' text is kept.
package diff

import (
	"context"
	"fmt"
	"hash/maphash"
	"strings"

	"sysreel/analyze"
	"sysreel/proto/syscalls"
	"sysreel/proto/tracepb"
)

// Source is a trace that can be opened more than once.
type Source struct {
	Name string
	Open func() (*analyze.Trace, error) // each time the same trace from its beginning
}

// Mapping says that a path prefix of one run stands for another of the other.
type Mapping struct{ From, To string }

// Options of a comparison.
type Options struct {
	Good, Bad []Source // at least one each
	Filter    analyze.Filter
	NoNorm    []string  // names of rules to switch off
	Map       []Mapping // directories that stand for each other
	Context   int       // calls of the same thread to show around each evidence
	Workers   int       // as in analyze.Options
	Detail    bool      // keep what Result.Detail tells
	// Progress, if set, is told what is being read and how far that is, as
	// [analyze.Options] has it.
	Progress func(file string, events uint64, share float64)
}

// Compare compares the runs. The first of each group is compared call by call;
// the others say what varies anyway, and give the statistics.
func Compare(ctx context.Context, o Options) (*Result, error) {
	m, err := measure(ctx, o)
	if err != nil {
		return nil, err
	}
	c := m.comparison
	list := c.rank(m.list, m.outcome, DefaultWeights())
	res := c.result(list, m.rows)
	res.Notes = append(res.Notes, m.groups.notes()...)
	m.groups.times(c, res.Latency)
	for _, r := range m.groups.good {
		res.Good = append(res.Good, r.describe())
	}
	for _, r := range m.groups.bad {
		res.Bad = append(res.Bad, r.describe())
	}
	if res.Findings, err = c.fill(ctx, o, list, m.outcome, DefaultWeights()); err != nil {
		return nil, err
	}
	if n := len(list) - len(res.Findings); n > 0 {
		res.Notes = append(res.Notes, fmt.Sprintf("%d weaker findings are left out", n))
	}
	if o.Detail {
		res.Detail = c.detail(list[:len(res.Findings)])
	}
	return res, nil
}

// measured is everything that is known of the runs before it is ranked.
type measured struct {
	groups     *groups
	comparison *comparison
	outcome    *outcome
	rows       []*row
	list       []*candidate // with their features
}

// measure reads the runs, compares them, and finds the features of each difference.
func measure(ctx context.Context, o Options) (*measured, error) {
	if len(o.Good) == 0 || len(o.Bad) == 0 {
		return nil, fmt.Errorf("a comparison needs a good and a bad run")
	}
	rs, err := newRuleSet(o.NoNorm)
	if err != nil {
		return nil, err
	}
	syms := newSymbols()
	seed := maphash.MakeSeed()
	ld := &loader{o: o, syms: syms, rules: rs, seed: seed}
	if err := ld.headers(); err != nil {
		return nil, err
	}
	var runs [2][]*run
	for side, list := range [2][]Source{o.Good, o.Bad} {
		for i, s := range list {
			r, err := ld.load(ctx, s, ld.roots[side][i])
			if err != nil {
				return nil, err
			}
			runs[side] = append(runs[side], r)
		}
	}
	m := &measured{groups: survey(runs[goodSide], runs[badSide], syms, rs)}
	c := compareRuns(runs[goodSide][0], runs[badSide][0], syms, rs)
	m.comparison, m.outcome = c, readOutcome(c)
	if !c.untimed() {
		m.rows = c.timeRows()
	}
	m.list = m.groups.sift(c.all(m.outcome, m.rows))
	c.characterise(m.list, m.outcome)
	return m, nil
}

// untimed reports whether the times of a run mean nothing: the log that its trace
// was made from does not have them.
func (c *comparison) untimed() bool {
	for _, r := range []*run{c.good, c.bad} {
		if r.header.GetNoDurations() || r.header.GetNoClock() {
			return true
		}
	}
	return false
}

// loader reads traces into runs.
type loader struct {
	o     Options
	syms  *symbols
	rules ruleSet
	seed  maphash.Seed
	roots [2][][]root
	// prints: all traces have fingerprints of what was read, made alike.
	prints bool
}

// headers decides, by what the traces' headers say, which directories stand for
// each other: those the user named and, where they differ, the directories the
// commands were started in; and whether fingerprints can be compared.
func (ld *loader) headers() error {
	var mapped []root
	for _, m := range ld.o.Map {
		mapped = append(mapped, root{strings.TrimRight(m.From, "/"), strings.TrimRight(m.To, "/")})
	}
	var cwds [2][]string
	var policy *tracepb.Policy
	differ := false
	for side, list := range [2][]Source{ld.o.Good, ld.o.Bad} {
		for _, s := range list {
			t, err := s.Open()
			if err != nil {
				return err
			}
			cwd := string(t.Header().GetTarget().GetCwd())
			p := t.Header().GetPolicy()
			if policy == nil {
				policy, ld.prints = p, p.GetFingerprint() > 0
			}
			ld.prints = ld.prints && p.GetFingerprint() == policy.GetFingerprint() && p.GetFingerprintPages() == policy.GetFingerprintPages()
			if err := t.Close(); err != nil {
				return fmt.Errorf("%s: %w", s.Name, err)
			}
			cwds[side] = append(cwds[side], cwd)
			differ = differ || cwd != cwds[goodSide][0]
		}
	}
	for side := range cwds {
		for _, cwd := range cwds[side] {
			own := append([]root(nil), mapped...)
			if differ && len(cwd) > 1 {
				own = append(own, root{cwd, "/<cwd>"})
			}
			ld.roots[side] = append(ld.roots[side], own)
		}
	}
	return nil
}

func (ld *loader) load(ctx context.Context, s Source, roots []root) (*run, error) {
	t, err := s.Open()
	if err != nil {
		return nil, err
	}
	defer t.Close()
	b := newBuilder(s.Name, ld.syms, ld.seed, ld.rules, roots)
	b.run.header, b.prints = t.Header(), ld.prints
	ao := analyze.Options{Filter: ld.o.Filter, Need: analyze.NeedWorld, Workers: ld.o.Workers}
	if ld.o.Progress != nil {
		ao.Progress = func(events uint64, share float64) { ld.o.Progress(s.Name, events, share) }
	}
	err = analyze.Run(ctx, t.Reader, ao, func(c *analyze.Call) error {
		b.add(c)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	r := b.run
	r.footer, r.warning = t.Footer(), t.Warning()
	if r.events == 0 {
		if r.warning == "" {
			r.warning = "nothing is in it, or nothing that the filters let through"
		}
		return nil, fmt.Errorf("%s: there is nothing to compare: %s", s.Name, r.warning)
	}
	for _, p := range r.procs {
		if p.parent == nil {
			r.roots = append(r.roots, p)
		}
	}
	return r, nil
}

// describe makes the Run of the result.
func (r *run) describe() Run {
	d := Run{File: r.name, Command: []string{}, Events: r.events}
	if !r.header.GetNoClock() {
		d.Elapsed = max(0, r.last-r.first)
	}
	for _, a := range r.header.GetTarget().GetCommand() {
		d.Command = append(d.Command, string(a))
	}
	if len(d.Command) > 0 && len(r.roots) > 0 {
		d.Exit = exitOf(r.roots[0])
	}
	return d
}

// result makes all of the result but the findings.
func (c *comparison) result(list []*candidate, rows []*row) *Result {
	res := &Result{Schema: Schema, Verdict: Same, Matched: 1, Findings: []Finding{}, Latency: c.latency(rows)}
	if c.steps > 0 {
		res.Matched = 1 - float64(c.left)/float64(c.steps)
	}
	if len(list) > 0 {
		res.Verdict = Different
	}
	for _, pp := range c.pairs {
		if pp.bad == nil && pp.good.was == nil {
			res.Structure.ProcessesMissing++
		}
		if pp.good == nil && pp.bad.was == nil {
			res.Structure.ProcessesAdded++
		}
		res.Structure.CallsMissing += len(pp.onlyGood)
		res.Structure.CallsAdded += len(pp.onlyBad)
	}
	res.Errors = errorCounts(c.good.errnos, c.bad.errnos)
	if c.bags > 0 {
		res.Notes = append(res.Notes, fmt.Sprintf("%d calls were compared as unordered sets: aligning them would have taken too long", c.bags))
	}
	if c.dropped > 0 {
		res.Notes = append(res.Notes, fmt.Sprintf("%d %s left out", c.dropped, plural(c.dropped, "difference that explains nothing is", "differences that explain nothing are")))
	}
	for _, r := range []*run{c.good, c.bad} {
		if r.warning != "" {
			res.Notes = append(res.Notes, r.name+": "+r.warning)
		}
		if inject := r.header.GetPolicy().GetInject(); len(inject) > 0 {
			res.Notes = append(res.Notes, fmt.Sprintf("%s: calls were tampered with: %s", r.name, strings.Join(inject, ", ")))
		}
	}
	if a, b := c.good.header.GetMachine().GetArch(), c.bad.header.GetMachine().GetArch(); a != b {
		res.Notes = append(res.Notes, fmt.Sprintf("the runs are of different architectures, %s and %s", a, b))
	}
	if c.untimed() {
		res.Notes = append(res.Notes, "times are not compared: a log that a trace was made from lacks them (strace -ttt -T)")
	}
	if len(c.good.roots) > 0 && len(c.bad.roots) > 0 {
		if a, b := c.good.roots[0].program(), c.bad.roots[0].program(); a != b && a != "" && b != "" {
			res.Notes = append(res.Notes, fmt.Sprintf("the runs are of different programs, %s and %s", a, b))
		}
	}
	if a, b := c.good.header.GetUuid(), c.bad.header.GetUuid(); len(a) > 0 && string(a) == string(b) {
		res.Notes = append(res.Notes, "both are the same recording")
	}
	if good, bad := c.good.roots, c.bad.roots; len(good) > 0 && len(bad) > 0 && good[0].failed() && bad[0].known && !bad[0].failed() {
		res.Notes = append(res.Notes, "the run given as good failed and the one given as bad did not: are they swapped?")
	}
	return res
}

// errorCounts lists the error numbers whose frequency differs.
func errorCounts(good, bad map[string]int) []Count {
	var out []Count
	for n := 1; n < 200; n++ {
		name := syscalls.ErrnoName(n)
		if g, b := good[name], bad[name]; g != b {
			out = append(out, Count{name, g, b})
		}
	}
	return out
}

// maxFindings bounds the findings of a result.
const maxFindings = 200

// fill fetches the evidence of the first maxFindings of list and makes findings of them.
func (c *comparison) fill(ctx context.Context, o Options, list []*candidate, out *outcome, w *Weights) ([]Finding, error) {
	list = list[:min(len(list), maxFindings)]
	want := [2]map[uint64]*evidence{{}, {}}
	note := func(k *candidate) {
		for side, n := range [2]uint64{k.good, k.bad} {
			if n != 0 && want[side][n] == nil {
				want[side][n] = &evidence{}
			}
		}
	}
	for _, k := range list {
		note(k)
	}
	if err := collect(ctx, o.Bad[0], o, want[badSide]); err != nil {
		return nil, err
	}
	for _, k := range list {
		if bad := want[badSide][k.bad]; bad != nil && k.good != 0 && bad.errno != "" && bad.path != "" {
			good := want[goodSide][k.good]
			good.prefer, good.preferName = bad.path, bad.name
		}
	}
	if err := collect(ctx, o.Good[0], o, want[goodSide]); err != nil {
		return nil, err
	}
	get := func(side int, n uint64) *evidence {
		if e := want[side][n]; e != nil && e.call.Event != 0 {
			return e
		}
		return nil
	}
	findings := make([]Finding, 0, len(list))
	for i, k := range list {
		f := c.finding(k, get(goodSide, k.good), get(badSide, k.bad), w)
		f.Rank, f.BadRuns, f.P = i+1, k.runs, k.p
		f.Consequences = c.chain(k, out)
		findings = append(findings, f)
	}
	return findings, nil
}
