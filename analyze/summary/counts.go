package summary

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"sysreel/analyze"
	"sysreel/analyze/term"
	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

// Counts adds up calls for the table of strace -c. Its memory is bounded by the
// number of different calls.
type Counts struct {
	o    CountOptions
	rows map[countKey]*countRow
}

// CountOptions of Counts. The zero value gives strace's defaults.
type CountOptions struct {
	// Wall counts the time from begin to end (-w), where without it the CPU
	// time that a call took in the kernel counts: of a recording that has it.
	Wall bool
	// Overhead is taken off each call.
	Overhead time.Duration
	// Sort is the order of the rows: time, min, max, avg, walltotal, wallmin,
	// wallmax, wallavg, calls, errors, name or nothing, which is by number; "":
	// time.
	Sort string
	// Columns are share, total, min, max, avg, walltotal, wallmin, wallmax,
	// wallavg, calls, errors and name; nil: share, total, avg, calls, errors and
	// name. The name comes last if it is not among them. Those that begin with
	// wall are of the time from begin to end, with and without Wall.
	Columns []string
}

type countKey struct {
	arch syscalls.Arch
	nr   uint32
}

type countRow struct {
	key           countKey
	name          string
	calls, errors uint64
	times         [2]spent // the time that counts, and from begin to end
}

// The times of a row.
const (
	ofInterest = iota
	fromBeginToEnd
)

// spent is the time of a row's calls, in nanoseconds.
type spent struct{ total, min, max int64 }

// add adds a call; first if it is the first one.
func (s *spent) add(took int64, first bool) {
	s.total += took
	if first || took < s.min {
		s.min = took
	}
	s.max = max(s.max, took)
}

// less takes the overhead of tracing off.
func (s *spent) less(overhead int64, calls uint64) {
	s.total = max(0, s.total-overhead*int64(calls))
	s.min, s.max = max(0, s.min-overhead), max(0, s.max-overhead)
}

// NewCounts returns Counts of nothing.
func NewCounts(o CountOptions) *Counts {
	if o.Columns == nil {
		o.Columns = []string{"share", "total", "avg", "calls", "errors", "name"}
	}
	if !slices.Contains(o.Columns, "name") {
		o.Columns = append(slices.Clone(o.Columns), "name")
	}
	return &Counts{o: o, rows: make(map[countKey]*countRow)}
}

// Add counts an event, if it is a call that returned.
func (n *Counts) Add(c *analyze.Call) {
	if c.Kind != tracefile.Syscall || c.Flags&tracefile.NoResult != 0 || !c.Returns() {
		return
	}
	key := countKey{c.Arch, c.NR}
	r := n.rows[key]
	if r == nil {
		r = &countRow{key: key, name: c.Name}
		n.rows[key] = r
	}
	wall := c.Duration()
	took := int64(c.Facts.GetSystemNs())
	if n.o.Wall {
		took = wall
	}
	r.times[ofInterest].add(took, r.calls == 0)
	r.times[fromBeginToEnd].add(wall, r.calls == 0)
	r.calls++
	if c.Failed() {
		r.errors++
	}
}

// Write writes the table.
func (n *Counts) Write(w io.Writer) error {
	if len(n.rows) == 0 {
		return nil
	}
	rows := make([]*countRow, 0, len(n.rows))
	sum := &countRow{name: "total"}
	width := 16
	for _, r := range n.rows {
		for i := range r.times {
			r.times[i].less(int64(n.o.Overhead), r.calls)
		}
		r.name = term.Safe(r.name)
		rows = append(rows, r)
		width = max(width, len(r.name))
	}
	slices.SortFunc(rows, func(a, b *countRow) int {
		return cmp.Or(cmp.Compare(a.key.arch, b.key.arch), cmp.Compare(a.key.nr, b.key.nr))
	})
	slices.SortStableFunc(rows, n.compare)
	for i, r := range rows {
		sum.calls, sum.errors = sum.calls+r.calls, sum.errors+r.errors
		for k := range r.times {
			t, all := &r.times[k], &sum.times[k]
			all.total += t.total
			all.max = max(all.max, t.max)
			if i == 0 || t.min < all.min {
				all.min = t.min
			}
		}
	}
	var b strings.Builder
	n.line(&b, width, func(column string) string { return titles[column] })
	rule := func(column string) string { return strings.Repeat("-", columnWidth(column, width)) }
	n.line(&b, width, rule)
	for _, r := range rows {
		n.line(&b, width, func(column string) string { return r.cell(column, sum) })
	}
	n.line(&b, width, rule)
	n.line(&b, width, func(column string) string { return sum.cell(column, sum) })
	_, err := io.WriteString(w, b.String())
	return err
}

// compare puts the larger first, and names in their order.
func (n *Counts) compare(a, b *countRow) int {
	by, wall := strings.CutPrefix(n.o.Sort, "wall")
	s, t := a.spent(wall), b.spent(wall)
	switch by {
	case "", "time", "total":
		return cmp.Compare(t.total, s.total)
	case "min":
		return cmp.Compare(t.min, s.min)
	case "max":
		return cmp.Compare(t.max, s.max)
	case "avg":
		return cmp.Compare(t.total/int64(b.calls), s.total/int64(a.calls))
	case "calls":
		return cmp.Compare(b.calls, a.calls)
	case "errors":
		return cmp.Compare(b.errors, a.errors)
	case "name":
		return cmp.Compare(a.name, b.name)
	}
	return 0
}

var titles = map[string]string{
	"share": "% time", "total": "seconds", "min": "shortest", "max": "longest", "avg": "usecs/call",
	"walltotal": "wall-total", "wallmin": "wall-min", "wallmax": "wall-max", "wallavg": "wall-avg",
	"calls": "calls", "errors": "errors", "name": "syscall",
}

func columnWidth(column string, name int) int {
	switch column {
	case "share":
		return 6
	case "total", "avg", "walltotal", "wallavg":
		return 11
	case "min", "max", "wallmin", "wallmax":
		return 8
	case "name":
		return name
	}
	return 9
}

// line writes a line of cells. The name is on the left of its column; where it is
// the last one nothing follows.
func (n *Counts) line(b *strings.Builder, name int, cell func(column string) string) {
	for i, c := range n.o.Columns {
		if i > 0 {
			b.WriteByte(' ')
		}
		switch width := columnWidth(c, name); {
		case c != "name":
			fmt.Fprintf(b, "%*s", width, cell(c))
		case i < len(n.o.Columns)-1:
			fmt.Fprintf(b, "%-*s", width, cell(c))
		default:
			b.WriteString(cell(c))
		}
	}
	b.WriteByte('\n')
}

// spent returns one of the row's times.
func (r *countRow) spent(wall bool) *spent {
	if wall {
		return &r.times[fromBeginToEnd]
	}
	return &r.times[ofInterest]
}

func (r *countRow) cell(column string, sum *countRow) string {
	seconds := func(ns int64) string { return fmt.Sprintf("%d.%06d", ns/1e9, ns%1e9/1000) }
	kind, wall := strings.CutPrefix(column, "wall")
	s := r.spent(wall)
	switch kind {
	case "share":
		if all := sum.spent(false).total; all != 0 {
			return fmt.Sprintf("%.2f", 100*float64(s.total)/float64(all))
		}
		if r == sum {
			return "100.00"
		}
		return "0.00"
	case "total":
		return seconds(s.total)
	case "min":
		return seconds(s.min)
	case "max":
		return seconds(s.max)
	case "avg":
		return fmt.Sprint(s.total / int64(max(r.calls, 1)) / 1000)
	case "calls":
		return fmt.Sprint(r.calls)
	case "errors":
		if r.errors == 0 {
			return ""
		}
		return fmt.Sprint(r.errors)
	}
	return r.name
}
