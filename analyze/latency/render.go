package latency

import (
	"fmt"
	"io"
	"strings"

	"sysreel/analyze"
	"sysreel/analyze/term"
)

// Render writes the result for people: for each key its percentiles, then a bar
// a range of durations.
func Render(w io.Writer, r *Result, o term.Options) error {
	b := &strings.Builder{}
	if len(r.Rows) == 0 {
		fmt.Fprintf(b, "no calls%s\n", noKey(r))
	}
	for i := range r.Rows {
		if i > 0 {
			b.WriteByte('\n')
		}
		renderRow(b, &r.Rows[i], r.CalibrationNs, o)
	}
	if r.OtherKeys > 0 {
		fmt.Fprintf(b, "\n%s\n", o.Paint(fmt.Sprintf("%s is what %s with less time come to together", analyze.OtherName, term.Plural(r.OtherKeys, r.By)), term.Dim))
	}
	if r.Problem != "" {
		fmt.Fprintf(b, "\n%s\n", o.Paint(fmt.Sprintf("%s is also what could not be told apart: %s", analyze.OtherName, term.Safe(r.Problem)), term.Dim))
	}
	if len(r.Rows) > 0 && r.NoKey > 0 {
		fmt.Fprintf(b, "\n%s\n", o.Paint(strings.TrimPrefix(noKey(r), ": "), term.Dim))
	}
	if r.Heatmap != nil {
		b.WriteByte('\n')
		renderHeatmap(b, r.Heatmap, o)
	}
	if r.Subsecond != nil {
		b.WriteByte('\n')
		renderSubsecond(b, r.Subsecond, o)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func noKey(r *Result) string {
	if r.NoKey == 0 {
		return ""
	}
	return ": " + term.Plural(r.NoKey, "call") + " " + analyze.Without(r.By)
}

// eventName writes an event's number; of several traces, "2#42" in the second.
func eventName(n uint64, file int) string {
	if file > 0 {
		return fmt.Sprintf("%d#%d", file+1, n)
	}
	return fmt.Sprintf("#%d", n)
}

// overheadFactor: where the median is below so many times the recorder's own
// cost, the histogram shows the recorder more than the call.
const overheadFactor = 3

func renderRow(b *strings.Builder, r *Row, stop int64, o term.Options) {
	fmt.Fprintf(b, "%s  %s, %s in all", o.Paint(term.Fit(term.Safe(r.Name), o.Columns()/2), term.Bold), term.Plural(r.Count, "call"), term.Duration(r.TotalNs))
	if r.AtLeast > 0 {
		fmt.Fprintf(b, ", %s unfinished (counted as long as seen)", term.Count(r.AtLeast))
	}
	fmt.Fprintf(b, "\n  p50 %s   p90 %s   p99 %s   p99.9 %s   max %s", term.Duration(r.P50Ns), term.Duration(r.P90Ns),
		term.Duration(r.P99Ns), term.Duration(r.P999Ns), term.Duration(r.MaxNs))
	if r.MaxEvent != 0 {
		fmt.Fprintf(b, " %s", o.Paint(eventName(r.MaxEvent, r.MaxFile), term.Cyan))
	}
	b.WriteByte('\n')
	if stop > 0 && r.P50Ns < overheadFactor*stop {
		fmt.Fprintf(b, "  %s\n", o.Paint(fmt.Sprintf("the recorder alone adds about %s to each: the short ones are mostly that", term.Duration(stop)), term.Dim))
	}
	bars(b, fold(r.Buckets, edges(r.MinNs, r.MaxNs, maxBars)), r.Count, o)
}

// edges returns the boundaries of the bars for durations from lo to hi: decades
// in steps as fine as make no more than so many bars, if that is possible.
func edges(lo, hi int64, most int) []int64 {
	for _, steps := range [][]int64{
		{100, 126, 158, 200, 250, 315, 400, 500, 630, 800}, // a tenth of a decade each: no bar is longer for being wider
		{100, 200, 500},
	} {
		if e := edgesBy(lo, hi, steps); len(e)-1 <= most {
			return e
		}
	}
	return edgesBy(lo, hi, []int64{100})
}

const maxBars = 22

// edgesBy returns the boundaries from the last ≤ lo to the first > hi.
func edgesBy(lo, hi int64, steps []int64) []int64 {
	var e []int64
	if lo < 100 {
		e = append(e, 0)
		if small := []int64{1, 2, 5, 10, 20, 50}; len(steps) > 1 {
			for _, s := range small {
				if s <= lo {
					e[0] = s
				} else if e[len(e)-1] <= hi {
					e = append(e, s)
				}
			}
		}
	}
	for unit := int64(1); ; unit *= 10 {
		for _, s := range steps {
			if s > (1<<63-1)/unit {
				return append(e, 1<<63-1)
			}
			edge := s * unit
			switch {
			case edge <= lo && len(e) <= 1:
				e = append(e[:0], edge)
			case len(e) > 0 && e[len(e)-1] > hi:
				return e
			default:
				e = append(e, edge)
			}
		}
		if unit > (1<<63-1)/10 {
			return e
		}
	}
}

// fold adds up buckets between the edges; every edge is a bucket's.
func fold(bs []Bucket, edges []int64) []Bucket {
	out := make([]Bucket, 0, len(edges))
	for i := 0; i+1 < len(edges); i++ {
		f := Bucket{Low: edges[i], High: edges[i+1]}
		for len(bs) > 0 && bs[0].Low < f.High {
			f.Count += bs[0].Count
			bs = bs[1:]
		}
		out = append(out, f)
	}
	return out
}

func bars(b *strings.Builder, bs []Bucket, total uint64, o term.Options) {
	most := uint64(1)
	for _, x := range bs {
		most = max(most, x.Count)
	}
	counts := len(term.Count(most))
	width := min(o.Columns()-2-7-3-7-2-2-counts-2-7, 100)
	for i := 0; i < len(bs); i++ {
		x := bs[i]
		label := term.Pad(term.Edge(x.Low), 7, true) + " … " + term.Pad(term.Edge(x.High), 7, true)
		if x.Count == 0 {
			fmt.Fprintf(b, "  %s\n", o.Paint(label, term.Dim))
			i += emptyRun(len(bs)-i, func(j int) bool { return bs[i+j].Count == 0 }, b, o)
			continue
		}
		bar := term.Pad(term.Bar(float64(x.Count)/float64(most), width), width, false)
		fmt.Fprintf(b, "  %s  %s  %s  %s\n", label, o.Paint(bar, term.Green),
			term.Pad(term.Count(x.Count), counts, true), term.Pad(term.Percent(float64(x.Count)/float64(total)), 7, true))
	}
}

// emptyRun shortens a run of empty bars to its first, a sign, and its last: it
// returns how many to leave out after the first, having drawn the sign.
func emptyRun(n int, empty func(int) bool, b *strings.Builder, o term.Options) int {
	run := 1
	for run < n && empty(run) {
		run++
	}
	if run < 4 {
		return 0
	}
	fmt.Fprintf(b, "  %s\n", o.Paint("        ⋮", term.Dim))
	return run - 2
}
