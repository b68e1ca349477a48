package latency

import (
	"fmt"
	"io"

	"sysreel/analyze/svg"
	"sysreel/analyze/term"
)

// Where a plot that is part of a page lies, in pixels.
const (
	partWidth  = 460.0
	partLeft   = 64.0
	partRight  = partWidth - 28
	partTop    = 48.0
	partHeight = 120.0
	partBars   = 32 // at most
)

// WriteComparedPart writes both histograms of a key as an SVG element for an
// HTML page: the shares of the calls of each over one another, and their
// medians.
func WriteComparedPart(w io.Writer, r *ComparedRow, nameA, nameB string) error {
	p := svg.NewPart(r.Name+": how long the calls took, "+nameA+" and "+nameB, partWidth, 0)
	bottom := partTop + partHeight
	p.Take(bottom + 40)
	lo, hi := r.span()
	e := edges(lo, hi, partBars)
	x := svg.Log(e, partLeft, partRight)
	rows, names := []*Row{r.A, r.B}, []string{nameA, nameB}
	classes, curves := []svg.Class{svg.First, svg.Second}, []svg.Class{svg.Line, svg.Line2}
	var sides [2][]Bucket
	most := 0.0
	for i, s := range rows {
		said := names[i] + ": none"
		if s != nil {
			sides[i] = fold(s.Buckets, e)
			for _, b := range sides[i] {
				most = max(most, 100*float64(b.Count)/float64(s.Count))
			}
			said = fmt.Sprintf("%s: %s, median %s", names[i], term.Plural(s.Count, "call"), term.Duration(s.P50Ns))
		}
		p.Legend(partLeft, 14+17*float64(i), svg.Key{Class: classes[i], Text: said})
	}
	up := svg.Linear(0, max(most, 1), bottom, partTop)
	p.AxisLeft(up.Linearly(4, func(v int64) string { return fmt.Sprintf("%d %%", v) }), partLeft, partRight, partTop, bottom, "share of calls")
	p.AxisBelow(x.Durations(44), partLeft, partRight, partTop, bottom, "duration of a call, logarithmic")
	for i, s := range rows {
		for _, b := range sides[i] {
			if b.Count == 0 {
				continue
			}
			share := float64(b.Count) / float64(s.Count)
			from, to, at := x.At(float64(b.Low)), x.At(float64(b.High)), up.At(100*share)
			half := (to - from) / 2
			tip := fmt.Sprintf("%s, %s … %s: %s, %s", names[i], term.Edge(b.Low), term.Edge(b.High), term.Plural(b.Count, "call"), term.Percent(share))
			p.Rect(from+half*float64(i)+0.25, at, max(half-0.5, 0.5), bottom-at, classes[i], tip)
		}
	}
	for i, s := range rows {
		if s != nil {
			at := x.At(float64(s.P50Ns))
			p.Line(at, partTop-4, at, bottom, curves[i])
		}
	}
	return p.WritePart(w)
}
