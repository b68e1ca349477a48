package page

import (
	"bytes"
	"fmt"
	"html/template"
	"strings"

	"sysreel/analyze/diff"
	"sysreel/analyze/info"
	"sysreel/analyze/latency"
	"sysreel/analyze/term"
	"sysreel/proto/syscalls"
)

// view is what the template shows. All its texts are safe to show.
type view struct {
	Sides     [2]string
	Title     string
	Same      bool
	Headline  string
	Match     string // how much of the runs is the same
	Lead      *FindingView
	Runs      []RunView
	Count     int // of findings
	Findings  []FindingView
	Weaker    []FindingView // folded
	Tree      []TreeRow
	Hidden    int // processes that are not in Tree
	Threads   []ThreadOption
	Times     []TimeRow
	LessTimes []TimeRow // folded
	Groups    bool
	Plots     []Plot
	Errors    []ErrorRow
	Counts    []CountRow
	Notes     []string
	LeftOut   string
	Traces    []Recording

	Model  Model
	CSS    template.CSS
	Script template.JS
	Data   template.JS
	Policy string
}

// RunView is a run in the table at the top.
type RunView struct {
	Side, File, Command, Ended, Events, Elapsed string
}

// FindingView is a finding.
type FindingView struct {
	Rank         int
	Likely       bool
	Kind         string
	Summary      string
	Process      int // index, −1 none
	Good, Bad    *Evidence
	Around       []ContextRow
	Consequences []Consequence
	Reasons      []string
	Score        string
	Stats        string
}

// Evidence is an event that a finding names. Text is in three pieces, of which
// the middle one differs from the other run's.
type Evidence struct {
	Event  uint64
	PID    int32
	Pieces [3]string
	Link   template.URL // of its row, empty if the page does not have it
}

// ContextRow is a row near a finding.
type ContextRow struct {
	Kind diff.RowKind
	Here bool
	Side [2]Cell
}

// Cell is an event of one side, Event 0 of none.
type Cell struct {
	Event uint64
	Text  string
	Time  string // that it took, if that is notable
}

// Consequence is what follows from a finding.
type Consequence struct {
	Text  string
	Event uint64
	Link  template.URL
}

// TreeRow is a process pair in the tree.
type TreeRow struct {
	Index     int
	Depth     int
	Side      string // "both", "good", "bad"
	Name      string
	Command   string
	InPlace   bool
	Good, Bad *ProcessView
	Differs   int
	Findings  []int // at most maxMarks
	More      int   // others
	Link      template.URL
	Ended     bool // differently
}

// ProcessView is one side of it.
type ProcessView struct {
	PID           int32
	Ended         string
	Failed        bool
	Elapsed       string
	Calls, Errors uint64
}

// ThreadOption is a thread that can be chosen.
type ThreadOption struct {
	Index int
	Label string
}

// TimeRow is where time went.
type TimeRow struct {
	Delta, Good, Bad string
	Calls            string
	Process, What    string
	Slower           bool
	Stats            string
}

// Plot is a picture of how long calls took.
type Plot struct {
	Name, Delta string
	SVG         template.HTML // made by package svg, which escapes
}

// ErrorRow is an error number whose frequency differs.
type ErrorRow struct {
	Name, Text string
	Good, Bad  int
	Delta      string
}

// CountRow is a number of what only one run has.
type CountRow struct {
	What      string
	Good, Bad int
}

// Recording is what is known of a trace.
type Recording struct {
	Side, File, State string
	Lines             []info.Line
}

// Bounds on what is written into the page whole.
const (
	maxTree       = 2000 // processes
	maxMarks      = 5    // findings at a process
	maxPlots      = 12
	shownTimes    = 12
	shownFindings = 5 // others are folded, as on a terminal
)

func (b *builder) view() (*view, error) {
	r := b.r
	v := &view{Sides: sides, Title: "sysreel diff: " + baseNames(r), Same: r.Verdict == diff.Same, Groups: len(r.Good)+len(r.Bad) > 2}
	v.Headline = headline(r)
	v.Match = fmt.Sprintf("%s of the calls match", term.Percent(r.Matched))
	for side, list := range [][]diff.Run{r.Good, r.Bad} {
		for _, x := range list {
			v.Runs = append(v.Runs, runView(side, x))
		}
	}
	for i := range r.Findings {
		v.Findings = append(v.Findings, b.finding(i))
	}
	if len(v.Findings) > 0 {
		lead := v.Findings[0]
		v.Lead = &lead
	}
	v.Count = len(v.Findings)
	if v.Count > shownFindings+1 {
		v.Findings, v.Weaker = v.Findings[:shownFindings], v.Findings[shownFindings:]
	}
	b.tree(v)
	if err := b.times(v); err != nil {
		return nil, err
	}
	for _, e := range r.Errors {
		row := ErrorRow{Name: e.Name, Good: e.Good, Bad: e.Bad, Delta: strings.Replace(fmt.Sprintf("%+d", e.Bad-e.Good), "-", "−", 1)}
		if n, ok := syscalls.ErrnoByName(e.Name); ok {
			row.Text = syscalls.ErrnoText(n)
		}
		v.Errors = append(v.Errors, row)
	}
	s := r.Structure
	v.Counts = []CountRow{{"processes", s.ProcessesMissing, s.ProcessesAdded}, {"calls", s.CallsMissing, s.CallsAdded}}
	for _, n := range r.Notes {
		v.Notes = append(v.Notes, term.Safe(n))
	}
	if left := b.left[goodSide] + b.left[badSide]; left > 0 {
		total := r.Good[0].Events + r.Bad[0].Events
		v.LeftOut = fmt.Sprintf("This page has %s of the %s events of the two runs: those near the differences. The other %s are in the traces:",
			term.Count(total-left), term.Count(total), term.Count(left))
	}
	var err error
	if v.Traces, err = b.recordings(); err != nil {
		return nil, err
	}
	b.model.Clock = b.clock
	b.model.Files = [2]string{term.Safe(r.Good[0].File), term.Safe(r.Bad[0].File)}
	for i := range r.Findings {
		for side, c := range []*diff.Call{r.Findings[i].Good, r.Findings[i].Bad} {
			if c != nil {
				key := fmt.Sprintf("%c%d", sides[side][0], c.Event)
				b.model.Marks[key] = append(b.model.Marks[key], i+1)
			}
		}
	}
	v.Model = b.model
	return v, nil
}

func baseNames(r *diff.Result) string {
	name := func(list []diff.Run) string {
		n := list[0].File
		if i := strings.LastIndexAny(n, `/\`); i >= 0 {
			n = n[i+1:]
		}
		if len(list) > 1 {
			return fmt.Sprintf("%s and %d more", n, len(list)-1)
		}
		return n
	}
	return term.Safe(name(r.Good) + " and " + name(r.Bad))
}

// headline tells how the runs ended, in a sentence.
func headline(r *diff.Result) string {
	good, bad := ended(r.Good[0].Exit), ended(r.Bad[0].Exit)
	switch {
	case r.Verdict == diff.Same && good == bad:
		return "The runs did the same: both " + bad + "."
	case r.Verdict == diff.Same:
		return "The runs did the same."
	case good == bad && slower(r):
		return fmt.Sprintf("The bad run took %s, the good one %s; both %s.", term.Duration(r.Bad[0].Elapsed), term.Duration(r.Good[0].Elapsed), bad)
	case good == bad:
		return "Both runs " + bad + ", but they did not do the same."
	}
	return "The bad run " + bad + "; the good run " + good + "."
}

// slower reports whether the bad run of a command took so much longer that no
// usual load explains it.
func slower(r *diff.Result) bool {
	good, bad := r.Good[0], r.Bad[0]
	return good.Exit != nil && good.Elapsed > 0 && bad.Elapsed > good.Elapsed*3/2 && bad.Elapsed-good.Elapsed > 250e6
}

func ended(e *diff.Exit) string {
	switch {
	case e == nil:
		return "did not end in its recording"
	case e.Signal != "":
		return "was killed by " + e.Signal
	case *e.Code == 0:
		return "ended well (exit 0)"
	}
	return fmt.Sprintf("failed with exit %d", *e.Code)
}

func runView(side int, x diff.Run) RunView {
	v := RunView{Side: sides[side], File: term.Safe(x.File), Command: term.Safe(strings.Join(x.Command, " ")), Events: term.Count(x.Events)}
	switch {
	case x.Exit == nil:
		v.Ended = "not recorded"
	case x.Exit.Signal != "":
		v.Ended = "killed by " + x.Exit.Signal
	default:
		v.Ended = fmt.Sprintf("exit %d", *x.Exit.Code)
	}
	if x.Elapsed > 0 {
		v.Elapsed = term.Duration(x.Elapsed)
	}
	return v
}

// times fills in where the time went.
func (b *builder) times(v *view) error {
	for _, l := range b.r.Latency {
		row := TimeRow{Delta: signed(l.DeltaNS), Good: term.Duration(l.GoodNS), Bad: term.Duration(l.BadNS), Process: term.Safe(l.Process),
			What: "outside calls", Slower: l.DeltaNS*10 > b.r.Good[0].Elapsed}
		if l.Syscall != "" {
			row.What = term.Safe(strings.TrimSpace(l.Syscall + " " + l.Object))
			row.Calls = fmt.Sprintf("%d → %d", l.GoodCalls, l.BadCalls)
		}
		if l.P != nil {
			row.Stats = fmt.Sprintf("%s, δ %+.2f, p %.2g", signed(int64(l.ShiftNS)), l.Effect, *l.P)
		}
		v.Times = append(v.Times, row)
	}
	if len(v.Times) > shownTimes+1 {
		v.Times, v.LessTimes = v.Times[:shownTimes], v.Times[shownTimes:]
	}
	g, x := b.latency[goodSide], b.latency[badSide]
	if g == nil || x == nil {
		return nil
	}
	c := latency.Compare("good", g, "bad", x)
	c.Top(maxPlots)
	for i := range c.Rows {
		r := &c.Rows[i]
		var out bytes.Buffer
		if err := latency.WriteComparedPart(&out, r, "good", "bad"); err != nil {
			return err
		}
		var d int64
		if r.A != nil {
			d -= r.A.TotalNs
		}
		if r.B != nil {
			d += r.B.TotalNs
		}
		v.Plots = append(v.Plots, Plot{Name: term.Safe(r.Name), Delta: signed(d), SVG: template.HTML(out.String())})
	}
	return nil
}

func signed(ns int64) string {
	if ns > 0 {
		return "+" + term.Duration(ns)
	}
	return strings.Replace(term.Duration(ns), "-", "−", 1)
}

// functions are what the template calls.
var functions = template.FuncMap{
	"count": func(n any) string {
		switch n := n.(type) {
		case int:
			return term.Count(uint64(n))
		case uint64:
			return term.Count(n)
		}
		return fmt.Sprint(n)
	},
	"sign": func(k diff.RowKind) string {
		return map[diff.RowKind]string{diff.Changed: "≠", diff.OnlyGood: "−", diff.OnlyBad: "+", diff.Elsewhere: "~"}[k]
	},
	"kind":  func(k diff.RowKind) string { return kindClass[k] },
	"times": func(n int) []struct{} { return make([]struct{}, min(n, 12)) },
}

// kindClass names the style of a row.
var kindClass = map[diff.RowKind]string{
	diff.Equal: "equal", diff.Changed: "changed", diff.OnlyGood: "only-good", diff.OnlyBad: "only-bad",
	diff.Elsewhere: "elsewhere", diff.NotCompared: "aside", diff.LeftOut: "left",
}
