package page

import (
	"cmp"
	"fmt"
	"html/template"
	"strings"

	"sysreel/analyze/diff"
	"sysreel/analyze/term"
)

var kinds = map[diff.Kind]string{
	diff.ResultChanged: "result changed", diff.Missing: "call missing", diff.Added: "call added",
	diff.ProcessMissing: "process missing", diff.ProcessAdded: "process added", diff.InputChanged: "input changed",
	diff.Slower: "slower", diff.Faster: "faster",
}

// finding makes the view of finding i.
func (b *builder) finding(i int) FindingView {
	f := &b.r.Findings[i]
	v := FindingView{Rank: f.Rank, Likely: f.Likely, Kind: cmp.Or(kinds[f.Kind], string(f.Kind)), Summary: term.Safe(f.Summary), Process: b.d.Findings[i],
		Around: b.around[i], Score: fmt.Sprintf("%.1f", f.Score)}
	v.Good, v.Bad = b.evidence(goodSide, f.Good), b.evidence(badSide, f.Bad)
	if v.Good != nil && v.Bad != nil {
		v.Good.Pieces, v.Bad.Pieces = differ(v.Good.Pieces[0], v.Bad.Pieces[0])
	}
	for _, c := range f.Consequences {
		n := numberIn(c)
		x := Consequence{Text: term.Safe(strings.TrimSuffix(c, fmt.Sprintf(" #%d", n))), Event: n}
		if n != 0 {
			x.Link = b.link(badSide, n)
		}
		v.Consequences = append(v.Consequences, x)
	}
	for _, s := range f.Reasons {
		v.Reasons = append(v.Reasons, term.Safe(s))
	}
	if f.P != nil {
		v.Stats = fmt.Sprintf("In %d of %d bad runs and no good one (Fisher's exact test, adjusted: p = %.2g).", f.BadRuns, len(b.r.Bad), *f.P)
	}
	return v
}

func (b *builder) evidence(side int, c *diff.Call) *Evidence {
	if c == nil {
		return nil
	}
	return &Evidence{Event: c.Event, PID: c.PID, Pieces: [3]string{term.Safe(c.Text)}, Link: b.link(side, c.Event)}
}

// link returns the address of an event's row.
func (b *builder) link(side int, n uint64) template.URL {
	p, ok := b.at[side][n]
	if !ok {
		return ""
	}
	return template.URL(fmt.Sprintf("#tab=calls&thread=%d&at=%c%d", p.thread, sides[side][0], n))
}

// differ cuts two texts in a beginning and an end that they share and what is in
// between, at the boundaries of words.
func differ(x, y string) (px, py [3]string) {
	a, c := words(x), words(y)
	n := 0
	for n < len(a) && n < len(c) && a[n] == c[n] {
		n++
	}
	m := 0
	for m < len(a)-n && m < len(c)-n && a[len(a)-1-m] == c[len(c)-1-m] {
		m++
	}
	cut := func(w []string) [3]string {
		return [3]string{strings.Join(w[:n], ""), strings.Join(w[n:len(w)-m], ""), strings.Join(w[len(w)-m:], "")}
	}
	return cut(a), cut(c)
}

// words cuts a text so that what a person reads as one stays together.
func words(s string) []string {
	var out []string
	from := 0
	for i := 0; i < len(s); i++ {
		if strings.IndexByte(` ,"()|/=`, s[i]) >= 0 {
			if i > from {
				out = append(out, s[from:i])
			}
			out = append(out, s[i:i+1])
			from = i + 1
		}
	}
	if from < len(s) {
		out = append(out, s[from:])
	}
	return out
}
