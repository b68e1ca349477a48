package summary

import (
	"encoding/csv"
	"fmt"
	"io"
	"sort"
	"strings"

	"sysreel/analyze/term"
)

// ColumnsSchema names the form of Columns' JSON.
const ColumnsSchema = "sysreel.summary-columns/1"

// Columns sets the results of several traces side by side.
type Columns struct {
	Schema string       `json:"schema"`
	By     string       `json:"by"`
	Traces []Column     `json:"traces"` // in the order given
	Rows   []ColumnsRow `json:"rows"`   // the most time in any trace first
}

// Column is what there is to say of a whole trace.
type Column struct {
	Name      string `json:"name"`
	Events    uint64 `json:"events"`
	Processes int    `json:"processes"`
	Threads   int    `json:"threads"`
	ElapsedNs int64  `json:"elapsed_ns"`
	ThreadNs  int64  `json:"thread_ns"`
	Untimed
}

// ColumnsRow is what happened under a key: a cell for each trace, null of
// traces that do not have it.
type ColumnsRow struct {
	Name  string `json:"name"`
	Cells []*Row `json:"cells"`
}

// SideBySide joins the rows of results by name; they should have been grouped
// by [Options.Roles]. Rows of a result that have one name are an error of the
// caller; the last one counts.
func SideBySide(names []string, results []*Result) *Columns {
	c := &Columns{Schema: ColumnsSchema, By: results[0].By, Rows: []ColumnsRow{}}
	index := make(map[string]int)
	for i, r := range results {
		c.Traces = append(c.Traces, Column{names[i], r.Events, len(r.Processes), r.Threads, r.ElapsedNs, r.ThreadNs, r.Untimed})
		for j := range r.Rows {
			name := r.Rows[j].Name
			at, ok := index[name]
			if !ok {
				at = len(c.Rows)
				index[name] = at
				c.Rows = append(c.Rows, ColumnsRow{Name: name, Cells: make([]*Row, len(results))})
			}
			c.Rows[at].Cells[i] = &r.Rows[j]
		}
	}
	c.Sort(ByTotal)
	return c
}

// Sort puts the row first that comes first in any trace; phases stay in their
// order.
func (c *Columns) Sort(by Sort) {
	first := func(r *ColumnsRow) (best rank) {
		found := false
		for _, x := range r.Cells {
			if x == nil {
				continue
			}
			if k := x.rank(by); !found || k.before(&best) {
				best, found = k, true
			}
		}
		return best
	}
	sort.SliceStable(c.Rows, func(i, j int) bool {
		x, y := &c.Rows[i], &c.Rows[j]
		if p, q := x.phase(), y.phase(); p != nil && q != nil {
			return p.From < q.From || p.From == q.From && p.To < q.To
		}
		k, l := first(x), first(y)
		return k.before(&l)
	})
}

func (r *ColumnsRow) phase() *Phase {
	for _, x := range r.Cells {
		if x != nil {
			return x.Phase
		}
	}
	return nil
}

// Top keeps the first n rows; 0 keeps all.
func (c *Columns) Top(n int) {
	if n > 0 && n < len(c.Rows) {
		c.Rows = c.Rows[:n]
	}
}

// columnSets are the columns of a trace, from the fullest that may fit.
var columnSets = [...][]string{
	{"total", "p50", "p99", "max", "@event", "calls", "errors"},
	{"total", "p50", "p99", "max", "calls", "errors"},
	{"total", "p50", "p99", "calls", "errors"},
	{"total", "p50", "calls", "errors"},
	{"total", "calls", "errors"},
	{"total", "calls"},
	{"total"},
}

// RenderColumns writes the table for people: a group of columns for each trace.
func RenderColumns(w io.Writer, c *Columns, o RenderOptions) error {
	b := &strings.Builder{}
	t := term.Options{Width: o.Width, Color: o.Color}
	for i, x := range c.Traces {
		elapsed := ""
		if !x.NoClock {
			elapsed = fmt.Sprintf(", %s elapsed", term.Duration(x.ElapsedNs))
		}
		told := fmt.Sprintf("%s, %s, %s%s", term.Plural(x.Events, "event"), term.Plural(uint64(x.Processes), "process"),
			term.Plural(uint64(x.Threads), "thread"), elapsed)
		name := term.Fit(term.Safe(x.Name), t.Columns()-5-term.Len(told))
		fmt.Fprintf(b, "%s  %s  %s\n", t.Paint(letter(i), term.Bold), name, t.Paint(told, term.Dim))
	}
	b.WriteByte('\n')
	limit := o.limit(tableLines)
	var table *term.Table
	for _, set := range columnSets {
		if table = c.table(set, limit); table.Width(20) <= t.Columns() {
			break
		}
	}
	table.Write(b, t)
	more(b, len(c.Rows), limit, t)
	_, err := io.WriteString(w, b.String())
	return err
}

// letter names a trace: A, B, … Z, then its number.
func letter(i int) string {
	if i < 26 {
		return string(rune('A' + i))
	}
	return fmt.Sprint(i + 1)
}

func (c *Columns) table(set []string, limit int) *term.Table {
	table := &term.Table{}
	for i := range c.Traces {
		for j, title := range set {
			if j == 0 {
				title = letter(i) + " " + title
			}
			table.Columns = append(table.Columns, term.Column{Title: title, Right: set[j] != "@event"})
		}
	}
	table.Columns = append(table.Columns, term.Column{Title: c.By, Flex: true})
	for i := range c.Rows {
		if i == limit {
			break
		}
		var row []term.Cell
		for j, x := range c.Rows[i].Cells {
			row = append(row, c.cells(set, x, c.Traces[j].NoDurations)...)
		}
		table.Rows = append(table.Rows, append(row, term.Cell{Text: c.Rows[i].Name, Style: term.Bold}))
	}
	return table
}

// cells writes a trace's columns of a row.
func (c *Columns) cells(set []string, x *Row, untimed bool) []term.Cell {
	out := make([]term.Cell, len(set))
	if x == nil {
		out[0] = term.Cell{Text: "–", Style: term.Dim}
		return out
	}
	for i, column := range set {
		cell := &out[i]
		switch column {
		case "calls":
			cell.Text = term.Count(x.Calls)
			continue
		case "errors":
			if x.Errors > 0 {
				*cell = term.Cell{Text: term.Count(x.Errors), Style: term.Yellow}
			}
			continue
		}
		if untimed || x.returned == 0 && x.Unfinished == 0 {
			continue
		}
		switch column {
		case "total":
			cell.Text = term.Duration(x.TotalNs)
		case "p50":
			cell.Text = term.Duration(x.P50Ns)
		case "p99":
			cell.Text = term.Duration(x.P99Ns)
		case "max":
			cell.Text = term.Duration(x.MaxNs)
		case "@event":
			*cell = term.Cell{Text: event(x.MaxEvent, 0), Style: term.Cyan}
		}
	}
	return out
}

// WriteColumnsCSV writes a line for each trace and row that it has, the trace
// first, then as WriteCSV.
func WriteColumnsCSV(w io.Writer, c *Columns) error {
	out := csv.NewWriter(w)
	out.Write(append([]string{"trace", c.By}, csvColumns[:]...))
	for i := range c.Rows {
		for j, x := range c.Rows[i].Cells {
			if x != nil {
				out.Write(append([]string{term.Safe(c.Traces[j].Name), term.Safe(x.Name)}, x.csv(c.Traces[j].ThreadNs, c.Traces[j].Untimed)...))
			}
		}
	}
	out.Flush()
	return out.Error()
}
