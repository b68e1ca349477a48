package latency

import (
	"fmt"
	"math"
	"strings"
	"time"

	"sysreel/analyze/term"
)

// Heat colours of the 256-colour palette, from few to many: dark blue over
// green and yellow to red, as bright as they are hot.
var heatColors = [...]int{17, 18, 19, 25, 31, 30, 29, 34, 70, 106, 142, 178, 214, 208, 202, 196}

// heatChars is the same without colour.
const heatChars = ".:-=+*#%@"

// renderHeatmap draws latency over time.
func renderHeatmap(b *strings.Builder, m *Heatmap, o term.Options) {
	fmt.Fprintf(b, "%s\n", o.Paint("calls by the time they ended (across) and how long they took (up)", term.Bold))
	labels := make([]string, len(m.Rows))
	for i := range m.Rows {
		labels[i] = term.Edge(m.Rows[i].Low)
	}
	renderMap(b, m, labels, true, o)
}

// renderSubsecond draws when in their second calls began: what happens at a
// steady pace makes lines.
func renderSubsecond(b *strings.Builder, m *Heatmap, o term.Options) {
	fmt.Fprintf(b, "%s\n", o.Paint("calls by the second they began in (across) and when in it (up)", term.Bold))
	m = m.seconds(subsecondLines)
	labels := make([]string, len(m.Rows))
	for i := range m.Rows {
		if i%5 == 0 {
			labels[i] = term.Edge(m.Rows[i].Low)
		}
	}
	renderMap(b, m, labels, false, o)
}

// subsecondLines is how many rows a second has in text: 40 ms each.
const subsecondLines = 25

// seconds returns the map of offsets with n rows, which divides how many a whole
// second has, those included in which nothing was.
func (m *Heatmap) seconds(n int) *Heatmap {
	out := &Heatmap{ColumnNs: m.ColumnNs, Columns: m.Columns}
	if len(m.Rows) == 0 {
		return out
	}
	step := int64(time.Second) / int64(n)
	for i := range int64(n) {
		row := HeatmapRow{Low: i * step, High: (i + 1) * step, Counts: make([]uint64, m.Columns)}
		for _, r := range m.Rows {
			if r.Low >= row.Low && r.Low < row.High {
				for c, k := range r.Counts {
					row.Counts[c] += k
				}
			}
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

// squeeze returns the counts of the map in at most width columns, how many of
// its columns each takes, and the largest count, at least 1.
func (m *Heatmap) squeeze(width int) (grid [][]uint64, per int, most uint64) {
	per = max((m.Columns+width-1)/width, 1)
	most = 1
	for _, row := range m.Rows {
		line := make([]uint64, (m.Columns+per-1)/per)
		for c, n := range row.Counts {
			line[c/per] += n
			most = max(most, line[c/per])
		}
		grid = append(grid, line)
	}
	return grid, per, most
}

// renderMap draws a map, a label before each row. With fold, of many empty rows
// one after the other only the first and the last are there.
func renderMap(b *strings.Builder, m *Heatmap, labels []string, fold bool, o term.Options) {
	if len(m.Rows) == 0 {
		return
	}
	grid, per, most := m.squeeze(o.Columns() - 11)
	width := len(grid[0])
	for i := len(grid) - 1; i >= 0; i-- {
		line := heatLine(grid[i], most, o)
		fmt.Fprintf(b, "  %s ▕%s\n", term.Pad(labels[i], 6, true), line)
		run := 1
		for fold && line == "" && run <= i && heatLine(grid[i-run], most, o) == "" {
			run++
		}
		if run >= 4 {
			fmt.Fprintf(b, "  %s\n", o.Paint("     ⋮", term.Dim))
			i -= run - 2
		}
	}
	col := m.ColumnNs * int64(per)
	left, right := "0 s", term.Duration(col*int64(width))
	fmt.Fprintf(b, "         %s%s\n", left, term.Pad(right, max(width+1-len(left), len(right)+1), true))
	if o.Color {
		b.WriteString("         a cell: 1 ")
		for _, c := range heatColors {
			fmt.Fprintf(b, "\x1b[48;5;%dm ", c)
		}
		fmt.Fprintf(b, "\x1b[0m %s, %s wide\n", term.Plural(most, "call"), term.Duration(col))
		return
	}
	fmt.Fprintf(b, "         a cell: 1 %s %s, %s wide\n", heatChars, term.Plural(most, "call"), term.Duration(col))
}

// heatLine draws a row of cells on a logarithmic scale.
func heatLine(cells []uint64, most uint64, o term.Options) string {
	var b strings.Builder
	last := -1
	for _, n := range cells {
		levels := len(heatChars)
		if o.Color {
			levels = len(heatColors)
		}
		level := heatLevel(n, most, levels)
		if !o.Color {
			if level < 0 {
				b.WriteByte(' ')
			} else {
				b.WriteByte(heatChars[level])
			}
			continue
		}
		if level != last {
			if level < 0 {
				b.WriteString("\x1b[0m")
			} else {
				fmt.Fprintf(&b, "\x1b[48;5;%dm", heatColors[level])
			}
			last = level
		}
		b.WriteByte(' ')
	}
	if last >= 0 {
		b.WriteString("\x1b[0m")
	}
	return strings.TrimRight(b.String(), " ")
}

// heatLevel returns the level, 0 to levels−1, of n on a logarithmic scale up to
// most; −1 of none.
func heatLevel(n, most uint64, levels int) int {
	if n == 0 {
		return -1
	}
	if most <= 1 {
		return levels - 1
	}
	return int(math.Log(float64(n)) / math.Log(float64(most)) * (float64(levels) - 0.001))
}
