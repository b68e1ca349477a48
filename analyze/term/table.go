package term

import (
	"io"
	"slices"
	"strings"
)

// Column of a table.
type Column struct {
	Title string
	Right bool // numbers
	// Flex marks the column that gives way where the table is too wide; its
	// texts are cut in the middle. At most one.
	Flex bool
	// Head: cut texts keep their beginning rather than both ends.
	Head bool
	// Optional columns are dropped, the highest first, where even that does
	// not help. 0 is never dropped.
	Optional int
}

// Cell of a table. Its text is made safe when written.
type Cell struct {
	Text  string
	Style Style
}

// Table has columns of the width of their longest text.
type Table struct {
	Columns []Column
	Rows    [][]Cell
	Indent  string
}

// minFlex is the width below which a flexible column tells too little.
const minFlex = 30

// Row appends a row of plain texts.
func (t *Table) Row(cells ...string) {
	row := make([]Cell, len(cells))
	for i, c := range cells {
		row[i].Text = c
	}
	t.Rows = append(t.Rows, row)
}

// Drop takes the columns from from up to, but not with, to away.
func (t *Table) Drop(from, to int) {
	t.Columns = slices.Delete(t.Columns, from, to)
	for i := range t.Rows {
		t.Rows[i] = slices.Delete(t.Rows[i], from, to)
	}
}

// Width returns how many columns the table takes if nothing is left out and the
// flexible column gets at most flex.
func (t *Table) Width(flex int) int {
	sum := Len(t.Indent) - 2
	for i, c := range t.Columns {
		w := Len(c.Title)
		for _, row := range t.Rows {
			w = max(w, Len(Safe(row[i].Text)))
		}
		if c.Flex {
			w = min(w, flex)
		}
		sum += w + 2
	}
	return sum
}

// Write writes the table, the titles first if any column has one.
func (t *Table) Write(w io.Writer, o Options) error {
	widths := make([]int, len(t.Columns))
	titled := false
	for i, c := range t.Columns {
		widths[i] = Len(c.Title)
		titled = titled || c.Title != ""
	}
	for _, row := range t.Rows {
		for i := range row {
			row[i].Text = Safe(row[i].Text)
			widths[i] = max(widths[i], Len(row[i].Text))
		}
	}
	shown := t.fit(widths, o.Columns())
	var b strings.Builder
	if titled {
		head := make([]Cell, len(t.Columns))
		for i, c := range t.Columns {
			head[i] = Cell{c.Title, Bold}
		}
		t.line(&b, head, widths, shown, o)
	}
	for _, row := range t.Rows {
		t.line(&b, row, widths, shown, o)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// fit decides which columns to show and narrows the flexible one.
func (t *Table) fit(widths []int, total int) []bool {
	shown := make([]bool, len(widths))
	flex := -1
	for i, c := range t.Columns {
		shown[i] = true
		if c.Flex {
			flex = i
		}
	}
	for {
		sum := Len(t.Indent) - 2
		for i, w := range widths {
			if shown[i] {
				sum += w + 2
			}
		}
		over := sum - total
		if over <= 0 {
			return shown
		}
		if flex >= 0 && widths[flex]-over >= min(minFlex, widths[flex]) {
			widths[flex] -= over
			return shown
		}
		drop := -1
		for i, c := range t.Columns {
			if shown[i] && c.Optional > 0 && (drop < 0 || c.Optional > t.Columns[drop].Optional) {
				drop = i
			}
		}
		if drop < 0 {
			if flex >= 0 {
				widths[flex] = max(min(minFlex, widths[flex]), widths[flex]-over)
			}
			return shown
		}
		shown[drop] = false
	}
}

func (t *Table) line(b *strings.Builder, row []Cell, widths []int, shown []bool, o Options) {
	last := len(row) - 1
	for last > 0 && (!shown[last] || row[last].Text == "") {
		last--
	}
	b.WriteString(t.Indent)
	first := true
	for i := 0; i <= last; i++ {
		if !shown[i] {
			continue
		}
		if !first {
			b.WriteString("  ")
		}
		first = false
		text := Fit(row[i].Text, widths[i])
		if t.Columns[i].Head {
			text = FitHead(row[i].Text, widths[i])
		}
		right := t.Columns[i].Right
		pad := strings.Repeat(" ", widths[i]-Len(text))
		if right {
			b.WriteString(pad)
		}
		b.WriteString(o.Paint(text, row[i].Style))
		if !right && i != last {
			b.WriteString(pad)
		}
	}
	b.WriteByte('\n')
}
