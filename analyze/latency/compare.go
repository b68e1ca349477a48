package latency

import (
	"fmt"
	"io"
	"math"
	"sort"
	"strings"

	"sysreel/analyze/term"
)

// Comparison sets two results side by side.
type Comparison struct {
	Schema string        `json:"schema"`
	A      string        `json:"a"` // names of the two
	B      string        `json:"b"`
	Rows   []ComparedRow `json:"rows"` // the largest difference of total time first
}

// ComparedRow is a key in both; the one that does not have it is null.
type ComparedRow struct {
	Name string `json:"name"`
	A    *Row   `json:"a"`
	B    *Row   `json:"b"`
}

// Compare joins the rows of two results by name.
func Compare(nameA string, a *Result, nameB string, b *Result) *Comparison {
	c := &Comparison{Schema: Schema, A: nameA, B: nameB, Rows: []ComparedRow{}}
	index := make(map[string]int)
	for i := range a.Rows {
		index[a.Rows[i].Name] = len(c.Rows)
		c.Rows = append(c.Rows, ComparedRow{Name: a.Rows[i].Name, A: &a.Rows[i]})
	}
	for i := range b.Rows {
		if at, ok := index[b.Rows[i].Name]; ok && c.Rows[at].B == nil {
			c.Rows[at].B = &b.Rows[i]
		} else {
			c.Rows = append(c.Rows, ComparedRow{Name: b.Rows[i].Name, B: &b.Rows[i]})
		}
	}
	sort.SliceStable(c.Rows, func(i, j int) bool {
		x, y := c.Rows[i].change(), c.Rows[j].change()
		if x != y {
			return x > y
		}
		return c.Rows[i].Name < c.Rows[j].Name
	})
	return c
}

// change returns by how much the total time differs, in ns.
func (r *ComparedRow) change() int64 {
	var d int64
	if r.A != nil {
		d -= r.A.TotalNs
	}
	if r.B != nil {
		d += r.B.TotalNs
	}
	return max(d, -d)
}

// Top keeps the n rows that differ most; 0 keeps all.
func (c *Comparison) Top(n int) {
	if n > 0 && n < len(c.Rows) {
		c.Rows = c.Rows[:n]
	}
}

// RenderComparison writes both histograms of each key over one another, as
// shares of the calls of each, so that runs of different length compare.
func RenderComparison(w io.Writer, c *Comparison, o term.Options) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "A %s\nB %s\n", term.Safe(c.A), term.Safe(c.B))
	for i := range c.Rows {
		b.WriteByte('\n')
		renderCompared(b, &c.Rows[i], o)
	}
	if len(c.Rows) == 0 {
		b.WriteString("\nno calls\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func renderCompared(b *strings.Builder, r *ComparedRow, o term.Options) {
	fmt.Fprintf(b, "%s\n", o.Paint(term.Fit(term.Safe(r.Name), o.Columns()), term.Bold))
	t := term.Table{Indent: "  ", Columns: []term.Column{{}, {Title: "calls", Right: true}, {Title: "total", Right: true},
		{Title: "p50", Right: true}, {Title: "p90", Right: true, Optional: 1}, {Title: "p99", Right: true}, {Title: "max", Right: true}, {Title: "event"}}}
	side := func(name string, x *Row) {
		if x == nil {
			t.Row(name, "none")
			return
		}
		t.Row(name, term.Count(x.Count), term.Duration(x.TotalNs), term.Duration(x.P50Ns), term.Duration(x.P90Ns),
			term.Duration(x.P99Ns), term.Duration(x.MaxNs), fmt.Sprintf("#%d", x.MaxEvent))
	}
	side("A", r.A)
	side("B", r.B)
	if r.A != nil && r.B != nil {
		t.Rows = append(t.Rows, []term.Cell{{Text: "B/A"}, ratio(float64(r.A.Count), float64(r.B.Count), 0), ratioNs(r.A.TotalNs, r.B.TotalNs),
			ratioNs(r.A.P50Ns, r.B.P50Ns), ratioNs(r.A.P90Ns, r.B.P90Ns), ratioNs(r.A.P99Ns, r.B.P99Ns), ratioNs(r.A.MaxNs, r.B.MaxNs), {}})
	}
	t.Write(b, o)
	overlay(b, r, o)
}

func ratioNs(a, b int64) term.Cell { return ratio(float64(a), float64(b), 1.5) }

// ratio writes b/a; from notable on, up or down, it stands out.
func ratio(a, b, notable float64) term.Cell {
	if a == 0 {
		return term.Cell{Text: "–"}
	}
	x := b / a
	c := term.Cell{Text: fmt.Sprintf("× %.2f", x)}
	if x >= 100 {
		c.Text = fmt.Sprintf("× %.0f", x)
	}
	switch {
	case notable == 0:
	case x >= notable:
		c.Style = term.Red
	case x <= 1/notable:
		c.Style = term.Green
	}
	return c
}

func overlay(b *strings.Builder, r *ComparedRow, o term.Options) {
	lo, hi := int64(math.MaxInt64), int64(0)
	for _, x := range []*Row{r.A, r.B} {
		if x != nil {
			lo, hi = min(lo, x.MinNs), max(hi, x.MaxNs)
		}
	}
	e := edges(lo, hi, maxBars)
	var sides [2][]Bucket
	var total [2]uint64
	most := 0.0
	for i, x := range []*Row{r.A, r.B} {
		if x == nil {
			continue
		}
		sides[i], total[i] = fold(x.Buckets, e), x.Count
		for _, f := range sides[i] {
			most = max(most, float64(f.Count)/float64(x.Count))
		}
	}
	width := min(o.Columns()-2-7-3-7-2-2-2-7, 100)
	for j := 0; j+1 < len(e); j++ {
		label := term.Pad(term.Edge(e[j]), 7, true) + " … " + term.Pad(term.Edge(e[j+1]), 7, true)
		empty := true
		for i, name := range [...]string{"A", "B"} {
			if sides[i] == nil || sides[i][j].Count == 0 {
				continue
			}
			share := float64(sides[i][j].Count) / float64(total[i])
			bar := term.Pad(term.Bar(share/most, width), width, false)
			fmt.Fprintf(b, "  %s %s %s  %s\n", label, name, o.Paint(bar, [...]term.Style{term.Green, term.Yellow}[i]), term.Pad(term.Percent(share), 7, true))
			label, empty = strings.Repeat(" ", term.Len(label)), false
		}
		if empty {
			fmt.Fprintf(b, "  %s\n", o.Paint(label, term.Dim))
			j += emptyRun(len(e)-1-j, func(k int) bool {
				return (sides[0] == nil || sides[0][j+k].Count == 0) && (sides[1] == nil || sides[1][j+k].Count == 0)
			}, b, o)
		}
	}
}
