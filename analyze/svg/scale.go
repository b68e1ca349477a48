package svg

import (
	"math"
	"slices"

	"sysreel/analyze/term"
)

// Scale maps values to pixels.
type Scale struct {
	from, to float64 // of the values, or their logarithms
	a, b     float64 // pixels there
	least    float64 // of a logarithmic scale: what is smaller is drawn here
}

// Linear returns a scale on which from is at a and to at b.
func Linear(from, to, a, b float64) Scale {
	if to <= from {
		to = from + 1
	}
	return Scale{from: from, to: to, a: a, b: b}
}

// Log returns a logarithmic scale of durations from edges[0] to the last edge,
// of ascending ones. Zero is drawn half as far as the edge behind it.
func Log(edges []int64, a, b float64) Scale {
	least := float64(edges[0])
	if least <= 0 {
		least = 0.5
		if len(edges) > 1 {
			least = float64(edges[1]) / 2
		}
	}
	last := max(float64(edges[len(edges)-1]), least*1.01)
	return Scale{from: math.Log(least), to: math.Log(last), a: a, b: b, least: least}
}

// At returns the pixel of a value.
func (s Scale) At(v float64) float64 {
	if s.least > 0 {
		v = math.Log(max(v, s.least))
	}
	return s.a + (min(max(v, s.from), s.to)-s.from)/(s.to-s.from)*(s.b-s.a)
}

// Tick is a marked place of a scale.
type Tick struct {
	At    float64 // pixel
	Label string  // "" of a line without
}

// Durations returns ticks of a logarithmic scale in ns, a label about every
// space pixels at most.
func (s Scale) Durations(space float64) []Tick {
	var ticks []Tick
	low, high := math.Exp(s.from)*0.999, math.Exp(s.to)*1.001
	decade := math.Abs(s.b-s.a) / (s.to - s.from) * math.Ln10
	labelled := []int64{1, 2, 5}
	every := 1
	if decade/3.4 < space { // the narrowest of the three gaps
		labelled = labelled[:1]
		every = max(int(math.Ceil(space/decade)), 1)
	}
	n := 0
	for unit := int64(1); ; unit *= 10 {
		for _, m := range []int64{1, 2, 5} {
			v := m * unit
			if f := float64(v); f < low || f > high {
				continue
			}
			t := Tick{At: s.At(float64(v))}
			if m == 1 {
				n++
			}
			if slices.Contains(labelled, m) && (m != 1 || (n-1)%every == 0) {
				t.Label = Duration(v)
			}
			ticks = append(ticks, t)
		}
		if unit >= 1e18 || float64(unit) > high {
			return ticks
		}
	}
}

// Duration writes a round duration, ns, without a unit if it is none.
func Duration(ns int64) string {
	if ns == 0 {
		return "0"
	}
	return term.Edge(ns)
}

// Linearly returns ticks of a linear scale at round values, whole ones, label
// says how they are written; at most about n of them.
func (s Scale) Linearly(n int, label func(v int64) string) []Tick {
	step := max(round((s.to-s.from)/float64(n)), 1)
	var ticks []Tick
	for v := math.Ceil(s.from/step) * step; v <= s.to*1.0001; v += step {
		ticks = append(ticks, Tick{s.At(v), label(int64(v))})
	}
	return ticks
}

// round returns the least of 1, 2 and 5 times a power of ten that is not less
// than v.
func round(v float64) float64 {
	if v <= 0 {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 5} {
		if m*unit >= v*0.9999 {
			return m * unit
		}
	}
	return 10 * unit
}

// AxisBelow draws the ticks of a scale below a plot that ends at bottom, with
// lines through it from top, and what they measure.
func (p *Picture) AxisBelow(ticks []Tick, left, right, top, bottom float64, title string) {
	for _, t := range ticks {
		p.Line(t.At, top, t.At, bottom, Grid)
	}
	for _, t := range ticks {
		if t.Label != "" {
			p.Line(t.At, bottom, t.At, bottom+4, Axis)
			p.TextMid(t.At, bottom+16, Note, t.Label)
		}
	}
	p.Line(left, bottom, right, bottom, Axis)
	p.TextMid((left+right)/2, bottom+32, Note, title)
}

// AxisLeft draws the ticks of a scale left of a plot, with lines through it, and
// what they measure.
func (p *Picture) AxisLeft(ticks []Tick, left, right, top, bottom float64, title string) {
	for _, t := range ticks {
		p.Line(left, t.At, right, t.At, Grid)
		p.TextEnd(left-6, t.At+4, Note, t.Label)
	}
	p.Line(left, top, left, bottom, Axis)
	p.TextUp(16, (top+bottom)/2, Note, title)
}

// AxisRight draws the ticks of a scale right of a plot, without lines.
func (p *Picture) AxisRight(ticks []Tick, right, top, bottom float64, title string) {
	for _, t := range ticks {
		p.Text(right+6, t.At+4, Note, t.Label)
	}
	p.Line(right, top, right, bottom, Axis)
	p.TextUp(Width-8, (top+bottom)/2, Note, title)
}

// Key is an entry of a legend.
type Key struct {
	Class Class
	Curve bool // a line, not an area
	Text  string
}

// Legend draws the entries in a row that begins at x, its base line at y.
func (p *Picture) Legend(x, y float64, keys ...Key) {
	for _, k := range keys {
		text := Fit(k.Text, 300, 12)
		if k.Curve {
			p.Line(x, y-4, x+14, y-4, k.Class)
		} else {
			p.Rect(x, y-10, 14, 11, k.Class, "")
		}
		p.Text(x+20, y, Note, text)
		x += 20 + TextWidth(text, 12) + 16
	}
}
