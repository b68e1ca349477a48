package latency

import (
	"fmt"
	"io"
	"math"
	"time"

	"sysreel/analyze/svg"
	"sysreel/analyze/term"
)

// Where plots lie, in pixels.
const (
	plotLeft   = 84.0
	plotRight  = svg.Width - 64.0
	plotHeight = 150.0
	axisHeight = 50.0 // below a plot, for its labels
	svgBars    = 64   // at most
)

// WriteSVG writes the result as a picture: of each key a histogram with its
// percentiles and its cumulated share, all on one scale of durations, and the
// maps that there are.
func WriteSVG(w io.Writer, title string, r *Result) error {
	p := svg.New(title)
	note := fmt.Sprintf("%s by %s", term.Plural(r.Events, "call"), r.By)
	if r.CalibrationNs > 0 {
		note += fmt.Sprintf("; the recorder adds about %s to each", term.Duration(r.CalibrationNs))
	}
	p.Text(16, p.Take(18)+10, svg.Note, note)
	if len(r.Rows) == 0 {
		p.Text(16, p.Take(30)+18, svg.Text, "no calls")
	} else {
		p.Legend(plotLeft, p.Take(24)+14, svg.Key{Class: svg.First, Text: "calls"}, svg.Key{Class: svg.Line, Curve: true, Text: "share of calls not longer"},
			svg.Key{Class: svg.Mark, Curve: true, Text: "p50, p90, p99"})
	}
	lo, hi := span(r.Rows)
	for i := range r.Rows {
		drawRow(p, &r.Rows[i], edges(lo, hi, svgBars))
	}
	if m := r.Heatmap; m != nil && len(m.Rows) > 0 {
		drawMap(p, m, "Calls by when they ended and how long they took", "duration", 3)
	}
	if m := r.Subsecond; m != nil && len(m.Rows) > 0 {
		drawMap(p, m.seconds(int(int64(time.Second)/offsetStep)), "Calls by the second they began in and when in it", "offset in the second", 10)
	}
	_, err := p.WriteTo(w)
	return err
}

// span returns the shortest and the longest duration of rows.
func span(rows []Row) (lo, hi int64) {
	lo = math.MaxInt64
	for i := range rows {
		lo, hi = min(lo, rows[i].MinNs), max(hi, rows[i].MaxNs)
	}
	return lo, hi
}

func drawRow(p *svg.Picture, r *Row, e []int64) {
	y := p.Take(40 + plotHeight + axisHeight)
	name := svg.Fit(r.Name, 400, 14)
	p.Text(16, y+16, svg.Heading, name)
	said := fmt.Sprintf("%s, %s in all, max %s", term.Plural(r.Count, "call"), term.Duration(r.TotalNs), term.Duration(r.MaxNs))
	if r.MaxEvent != 0 {
		said += " " + eventName(r.MaxEvent, r.MaxFile)
	}
	if r.AtLeast > 0 {
		said += fmt.Sprintf(", %s unfinished", term.Count(r.AtLeast))
	}
	p.TextEnd(plotRight, y+16, svg.Note, said)
	top := y + 40
	bottom := top + plotHeight
	x := svg.Log(e, plotLeft, plotRight)
	bars := fold(r.Buckets, e)
	most := uint64(1)
	for _, b := range bars {
		most = max(most, b.Count)
	}
	up := svg.Linear(0, float64(most), bottom, top)
	p.AxisLeft(up.Linearly(4, func(v int64) string { return term.Count(uint64(v)) }), plotLeft, plotRight, top, bottom, "calls")
	p.AxisBelow(x.Durations(50), plotLeft, plotRight, top, bottom, "duration of a call, logarithmic")
	for _, b := range bars {
		if b.Count == 0 {
			continue
		}
		from, to, at := x.At(float64(b.Low)), x.At(float64(b.High)), up.At(float64(b.Count))
		tip := fmt.Sprintf("%s … %s: %s, %s", term.Edge(b.Low), term.Edge(b.High), term.Plural(b.Count, "call"), term.Percent(float64(b.Count)/float64(r.Count)))
		p.Rect(from+0.5, at, max(to-from-1, 0.5), bottom-at, svg.First, tip)
	}
	drawShare(p, r, x, top, bottom, svg.Line)
	shares(p, top, bottom)
	last := math.Inf(-1)
	for _, q := range []struct {
		name string
		ns   int64
	}{{"p50", r.P50Ns}, {"p90", r.P90Ns}, {"p99", r.P99Ns}} {
		at := x.At(float64(q.ns))
		p.Line(at, top, at, bottom, svg.Mark)
		label := q.name + " " + term.Duration(q.ns)
		if half := svg.TextWidth(label, 12) / 2; at-half > last { // else the one before says about the same
			p.TextMid(min(max(at, plotLeft+half-20), plotRight-half+40), top-6, svg.Note, label)
			last = at + half
		}
	}
}

// shares draws the axis of cumulated shares.
func shares(p *svg.Picture, top, bottom float64) {
	s := svg.Linear(0, 100, bottom, top)
	p.AxisRight(s.Linearly(4, func(v int64) string { return fmt.Sprintf("%d %%", v) }), plotRight, top, bottom, "share of calls")
}

// drawShare draws the share of calls not longer, as exactly as the buckets are.
func drawShare(p *svg.Picture, r *Row, x svg.Scale, top, bottom float64, c svg.Class) {
	points := []svg.Point{{X: x.At(float64(r.MinNs)), Y: bottom}}
	up := svg.Linear(0, 1, bottom, top)
	seen := uint64(0)
	for _, b := range r.Buckets {
		seen += b.Count
		points = append(points, svg.Point{X: x.At(float64(min(b.High, max(r.MaxNs, 1)))), Y: up.At(float64(seen) / float64(r.Count))})
	}
	p.Steps(append(points, svg.Point{X: plotRight, Y: points[len(points)-1].Y}), c)
}

// drawMap draws a map of counts; every so many rows have a label.
func drawMap(p *svg.Picture, m *Heatmap, title, axis string, every int) {
	const mapTop, rowHeight = 56.0, 12.0
	tall := rowHeight
	if len(m.Rows) > 30 {
		tall = 6
	}
	height := tall * float64(len(m.Rows))
	y := p.Take(mapTop + height + axisHeight)
	p.Text(16, y+18, svg.Heading, title)
	top := y + mapTop
	bottom := top + height
	grid, per, most := m.squeeze(128)
	columnNs := m.ColumnNs * int64(per)
	across := svg.Linear(0, float64(columnNs*int64(len(grid[0]))), plotLeft, plotRight)
	for i, line := range grid {
		at := bottom - tall*float64(i+1)
		for c, n := range line {
			level := heatLevel(n, most, svg.Levels)
			if level < 0 {
				continue
			}
			from := int64(c) * columnNs
			tip := fmt.Sprintf("+%s, %s … %s: %s", term.Edge(from), term.Edge(m.Rows[i].Low), term.Edge(m.Rows[i].High), term.Plural(n, "call"))
			left := across.At(float64(from))
			p.Rect(left, at, across.At(float64(from+columnNs))-left, tall, svg.Heat(level), tip)
		}
	}
	var labels []svg.Tick
	for i := range m.Rows {
		if i%every == 0 {
			labels = append(labels, svg.Tick{At: bottom - tall*float64(i), Label: svg.Duration(m.Rows[i].Low)})
		}
	}
	labels = append(labels, svg.Tick{At: top, Label: svg.Duration(m.Rows[len(m.Rows)-1].High)})
	if n := len(labels); n > 1 && labels[n-2].At-labels[n-1].At < 16 {
		labels = append(labels[:n-2], labels[n-1])
	}
	p.AxisLeft(labels, plotLeft, plotLeft, top, bottom, axis)
	p.AxisBelow(across.Linearly(8, svg.Duration), plotLeft, plotRight, bottom, bottom, "time since the beginning of the trace")
	heatLegend(p, y+42, most, columnNs)
}

// heatLegend draws what the colours mean.
func heatLegend(p *svg.Picture, y float64, most uint64, columnNs int64) {
	x := plotLeft
	for level := range svg.Levels {
		p.Rect(x, y-10, 16, 11, svg.Heat(level), "")
		x += 16
	}
	p.Text(x+6, y, svg.Note, fmt.Sprintf("1 to %s in a cell of %s, logarithmic", term.Plural(most, "call"), term.Edge(columnNs)))
}

// WriteComparisonSVG writes both histograms of each key as a picture, as shares
// of the calls of each.
func WriteComparisonSVG(w io.Writer, title string, c *Comparison) error {
	p := svg.New(title)
	p.Legend(plotLeft, p.Take(26)+14, svg.Key{Class: svg.First, Text: "A " + c.A}, svg.Key{Class: svg.Second, Text: "B " + c.B},
		svg.Key{Class: svg.Line, Curve: true, Text: "A, not longer"}, svg.Key{Class: svg.Line2, Curve: true, Text: "B, not longer"})
	if len(c.Rows) == 0 {
		p.Text(16, p.Take(30)+18, svg.Text, "no calls")
	}
	lo, hi := int64(math.MaxInt64), int64(0)
	for i := range c.Rows {
		l, h := c.Rows[i].span()
		lo, hi = min(lo, l), max(hi, h)
	}
	for i := range c.Rows {
		drawCompared(p, &c.Rows[i], edges(lo, hi, svgBars))
	}
	_, err := p.WriteTo(w)
	return err
}

func (r *ComparedRow) span() (lo, hi int64) {
	lo = math.MaxInt64
	for _, x := range []*Row{r.A, r.B} {
		if x != nil {
			lo, hi = min(lo, x.MinNs), max(hi, x.MaxNs)
		}
	}
	return lo, hi
}

func drawCompared(p *svg.Picture, r *ComparedRow, e []int64) {
	y := p.Take(48 + plotHeight + axisHeight)
	p.Text(16, y+16, svg.Heading, svg.Fit(r.Name, 400, 14))
	top := y + 48
	bottom := top + plotHeight
	x := svg.Log(e, plotLeft, plotRight)
	var sides [2][]Bucket
	most := 0.0
	for i, s := range []*Row{r.A, r.B} {
		said := [...]string{"A ", "B "}[i] + "none"
		if s != nil {
			sides[i] = fold(s.Buckets, e)
			for _, b := range sides[i] {
				most = max(most, 100*float64(b.Count)/float64(s.Count))
			}
			said = fmt.Sprintf("%s%s, %s in all, p50 %s, p99 %s, max %s #%d", said[:2], term.Plural(s.Count, "call"), term.Duration(s.TotalNs),
				term.Duration(s.P50Ns), term.Duration(s.P99Ns), term.Duration(s.MaxNs), s.MaxEvent)
		}
		p.TextEnd(plotRight, y+16+16*float64(i), svg.Note, said)
	}
	up := svg.Linear(0, most, bottom, top)
	p.AxisLeft(up.Linearly(4, func(v int64) string { return fmt.Sprintf("%d %%", v) }), plotLeft, plotRight, top, bottom, "calls, of each side")
	p.AxisBelow(x.Durations(50), plotLeft, plotRight, top, bottom, "duration of a call, logarithmic")
	for i, s := range []*Row{r.A, r.B} {
		for _, b := range sides[i] {
			if b.Count == 0 {
				continue
			}
			share := float64(b.Count) / float64(s.Count)
			from, to, at := x.At(float64(b.Low)), x.At(float64(b.High)), up.At(100*share)
			half := (to - from) / 2
			tip := fmt.Sprintf("%s %s … %s: %s, %s", [...]string{"A", "B"}[i], term.Edge(b.Low), term.Edge(b.High), term.Plural(b.Count, "call"), term.Percent(share))
			p.Rect(from+half*float64(i)+0.25, at, max(half-0.5, 0.5), bottom-at, [...]svg.Class{svg.First, svg.Second}[i], tip)
		}
	}
	for i, s := range []*Row{r.A, r.B} {
		if s != nil {
			drawShare(p, s, x, top, bottom, [...]svg.Class{svg.Line, svg.Line2}[i])
		}
	}
	shares(p, top, bottom)
}
