package diff

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"strings"

	"sysreel/analyze/term"
)

// RenderOptions say how a Result is written for a terminal.
type RenderOptions struct {
	term.Options
	All        bool // every finding, with what its score rests on
	SideBySide bool // evidence of the two runs beside each other
}

// shownFindings is how many findings are written without RenderOptions.All.
const shownFindings = 5

// Render writes the result for a person: the verdict, the findings, what the
// runs differ in as a whole.
func Render(w io.Writer, r *Result, o RenderOptions) error {
	b := bufio.NewWriter(w)
	p := &page{b, o, r}
	p.verdict()
	shown := r.Findings
	if !o.All && len(shown) > shownFindings {
		shown = shown[:shownFindings]
	}
	for i := range shown {
		p.finding(&shown[i])
	}
	if n := len(r.Findings) - len(shown); n > 0 {
		p.line(o.Paint(fmt.Sprintf("%d more %s; --all shows them", n, plural(n, "finding", "findings")), term.Dim))
	}
	p.totals()
	p.latency()
	for _, n := range r.Notes {
		p.line(o.Paint("note: ", term.Yellow) + term.Safe(n))
	}
	return b.Flush()
}

type page struct {
	w *bufio.Writer
	o RenderOptions
	r *Result
}

func (p *page) line(s string) {
	p.w.WriteString(s)
	p.w.WriteByte('\n')
}

func (p *page) verdict() {
	calls := p.r.Good[0].Events + p.r.Bad[0].Events
	match := fmt.Sprintf("%s of the calls match (%s events)", term.Percent(p.r.Matched), term.Count(calls))
	if p.r.Verdict == Same {
		p.line(p.o.Paint("same", term.Green) + ": " + exitWords(p.r.Bad[0].Exit) + " · " + match)
		return
	}
	good, bad := exitWords(p.r.Good[0].Exit), exitWords(p.r.Bad[0].Exit)
	head := "both runs " + strings.TrimPrefix(good, "the command ")
	if good != bad {
		head = fmt.Sprintf("bad run: %s (good: %s)", bad, good)
	} else {
		head = "both runs: " + good
	}
	p.line(p.o.Paint("different", term.Bold) + " · " + head + " · " + match)
}

func exitWords(e *Exit) string {
	switch {
	case e == nil:
		return "end not recorded"
	case e.Signal != "":
		return "killed by " + e.Signal
	}
	return fmt.Sprintf("exit %d", *e.Code)
}

func (p *page) finding(f *Finding) {
	label, style := "weak  ", term.Dim
	if f.Likely {
		label, style = "LIKELY", term.Red
	}
	p.line(fmt.Sprintf("%s %s  %s", p.o.Paint(fmt.Sprintf("%2d", f.Rank), term.Bold), p.o.Paint(label, style), p.o.Paint(term.Safe(f.Summary), cmp.Or(boldIf(f.Rank == 1), term.Plain))))
	if p.o.SideBySide && f.Good != nil && f.Bad != nil {
		p.beside(f.Good, f.Bad)
	} else {
		p.evidence("bad ", f.Bad)
		p.evidence("good", f.Good)
	}
	if len(f.Consequences) > 0 {
		p.wrap("     → ", f.Consequences)
	}
	if f.P != nil {
		p.line(p.o.Paint(fmt.Sprintf("     in %d of %d bad runs and no good one (Fisher's exact test, adjusted: p = %.2g)", f.BadRuns, len(p.r.Bad), *f.P), term.Dim))
	}
	if p.o.All {
		p.line(p.o.Paint(fmt.Sprintf("     score %.1f: %s", f.Score, strings.Join(f.Reasons, ", ")), term.Dim))
	}
}

func boldIf(b bool) term.Style {
	if b {
		return term.Bold
	}
	return term.Plain
}

func (p *page) evidence(side string, c *Call) {
	if c == nil {
		return
	}
	for _, s := range c.Before {
		p.line(p.o.Paint("       "+side+" "+p.cut(s, 12), term.Dim))
	}
	head := fmt.Sprintf("     %s #%d [%d] ", side, c.Event, c.PID)
	p.line(p.o.Paint(head, term.Cyan) + p.cut(c.Text, len(head)))
	for _, s := range c.After {
		p.line(p.o.Paint("       "+side+" "+p.cut(s, 12), term.Dim))
	}
}

// cut makes s harmless and fits it into what is left of the line.
func (p *page) cut(s string, used int) string {
	s = term.Safe(s)
	if p.o.Width <= 0 {
		return s
	}
	return term.Fit(s, max(40, p.o.Columns()-used))
}

// beside writes the evidence in two columns.
func (p *page) beside(good, bad *Call) {
	half := (p.o.Columns() - 5 - 3) / 2
	row := func(l, r string) {
		p.line("     " + term.Pad(term.Fit(term.Safe(l), half), half, false) + " │ " + term.Fit(term.Safe(r), half))
	}
	row("good #"+fmt.Sprint(good.Event), "bad #"+fmt.Sprint(bad.Event))
	side := func(c *Call) []string {
		return append(append(append([]string(nil), c.Before...), c.Text), c.After...)
	}
	l, r := side(good), side(bad)
	for i := range max(len(l), len(r)) {
		var x, y string
		if i < len(l) {
			x = l[i]
		}
		if i < len(r) {
			y = r[i]
		}
		row(x, y)
	}
}

// wrap writes items joined by arrows, continued on further lines.
func (p *page) wrap(head string, items []string) {
	width := p.o.Columns()
	if p.o.Width <= 0 {
		width = 1 << 20
	}
	line := head
	for i, s := range items {
		s = term.Safe(s)
		if i > 0 {
			if term.Len(line)+term.Len(s)+3 > width {
				p.line(line)
				line = "       → " + s
				continue
			}
			line += " → "
		}
		line += s
	}
	p.line(line)
}

func (p *page) totals() {
	var parts []string
	s := p.r.Structure
	signed := func(n int, what string) {
		if n != 0 {
			parts = append(parts, fmt.Sprintf("%+d %s", n, what))
		}
	}
	signed(-s.ProcessesMissing, plural(s.ProcessesMissing, "process", "processes"))
	signed(s.ProcessesAdded, plural(s.ProcessesAdded, "process", "processes"))
	signed(-s.CallsMissing, plural(s.CallsMissing, "call", "calls"))
	signed(s.CallsAdded, plural(s.CallsAdded, "call", "calls"))
	var lines []string
	if len(parts) > 0 {
		lines = append(lines, "Structure "+strings.Join(parts, ", "))
	}
	parts = nil
	for _, e := range p.r.Errors {
		parts = append(parts, fmt.Sprintf("%s %+d", e.Name, e.Bad-e.Good))
	}
	if len(parts) > 0 {
		lines = append(lines, "Errors "+strings.Join(parts, ", "))
	}
	if g, b := p.r.Good[0].Elapsed, p.r.Bad[0].Elapsed; g > 0 && b > 0 {
		lines = append(lines, fmt.Sprintf("Time %s → %s (%+.0f %%)", term.Duration(g), term.Duration(b), 100*float64(b-g)/float64(g)))
	}
	if p.r.Verdict == Different && len(lines) > 0 {
		p.line(strings.Join(lines, " · "))
	}
}

// latency writes the largest changes of time, where the runs differ.
func (p *page) latency() {
	if p.r.Verdict == Same || !p.o.All || len(p.r.Latency) == 0 {
		return
	}
	head := "Where the time went (total of all threads, one run each: within-run only)"
	if len(p.r.Good)+len(p.r.Bad) > 2 {
		head = "Where the time went (total of all threads; first runs, then the shift over all runs, Cliff's delta, adjusted p)"
	}
	p.line(p.o.Paint(head, term.Bold))
	for i, l := range p.r.Latency {
		if i >= 10 {
			break
		}
		what := cmp.Or(l.Syscall, "between calls")
		if l.Object != "" {
			what += " " + l.Object
		}
		stats := ""
		if l.P != nil {
			stats = fmt.Sprintf("  [%s, %+.2f, p %.2g]", signedDuration(int64(l.ShiftNS)), l.Effect, *l.P)
		}
		p.line(fmt.Sprintf("  %10s  %s → %s  %s: %s%s", signedDuration(l.DeltaNS), term.Duration(l.GoodNS), term.Duration(l.BadNS), term.Safe(l.Process), term.Safe(what), stats))
	}
}

func signedDuration(ns int64) string {
	if ns > 0 {
		return "+" + term.Duration(ns)
	}
	return term.Duration(ns)
}
