package summary

import (
	"fmt"
	"io"

	"sysreel/analyze/svg"
	"sysreel/analyze/term"
)

// Where the bars lie, in pixels.
const (
	timeLeft   = 240.0
	timeRight  = 580.0
	callsLeft  = 700.0
	callsRight = 820.0
	barHeight  = 22.0
)

// WriteSVG writes the rows as a picture: bars of their time, and bars of their
// calls with those that failed. limit is how many rows it has at most; 0: 40.
func WriteSVG(w io.Writer, title string, r *Result, limit int) error {
	p := svg.New(title)
	p.Text(16, p.Take(18)+10, svg.Note, svg.Fit(heading(r), svg.Width-32, 12))
	if limit == 0 {
		limit = tableLines
	}
	rows := r.Rows[:min(limit, len(r.Rows))]
	timed := !r.NoDurations
	if timed && r.ThreadNs > 0 && !r.NoClock {
		p.Text(16, p.Take(18)+10, svg.Note, fmt.Sprintf("shares are of thread-time, %s in all", term.Duration(r.ThreadNs)))
	}
	p.Legend(timeLeft, p.Take(30)+18, svg.Key{Class: svg.First, Text: "time in calls"}, svg.Key{Class: svg.Second, Text: "calls"}, svg.Key{Class: svg.Bad, Text: "of them failed"})
	var longest int64
	most := uint64(1)
	for i := range rows {
		longest, most = max(longest, rows[i].TotalNs), max(most, rows[i].Calls)
	}
	if len(rows) == 0 {
		p.Text(16, p.Take(30)+18, svg.Text, "no calls")
		_, err := p.WriteTo(w)
		return err
	}
	top := p.Take(barHeight * float64(len(rows)))
	bottom := top + barHeight*float64(len(rows))
	p.Take(42)
	time, calls := svg.Linear(0, float64(longest), timeLeft, timeRight), svg.Linear(0, float64(most), callsLeft, callsRight)
	if timed {
		p.AxisBelow(time.Linearly(5, svg.Duration), timeLeft, timeRight, top, bottom, "time in calls, of all threads together")
	}
	p.AxisBelow(calls.Linearly(3, func(v int64) string { return term.Count(uint64(v)) }), callsLeft, callsRight, top, bottom, "calls")
	for i := range rows {
		x, y := &rows[i], top+barHeight*float64(i)
		base := y + barHeight/2 + 4
		p.TextEnd(timeLeft-8, base, svg.Text, svg.Fit(x.Name, timeLeft-24, 12))
		if timed {
			said := term.Duration(x.TotalNs)
			if x.returned == 0 && x.Unfinished == 0 { // exit_group
				said = ""
			} else if r.ThreadNs > 0 && !r.NoClock {
				said += ", " + term.Percent(float64(x.TotalNs)/float64(r.ThreadNs))
			}
			tip := fmt.Sprintf("%s: %s in all, p50 %s, p99 %s, max %s %s", x.Name, term.Duration(x.TotalNs), term.Duration(x.P50Ns), term.Duration(x.P99Ns),
				term.Duration(x.MaxNs), event(x.MaxEvent, x.MaxFile))
			p.Rect(timeLeft, y+3, time.At(float64(x.TotalNs))-timeLeft, barHeight-6, svg.First, tip)
			p.Text(time.At(float64(x.TotalNs))+6, base, svg.Note, said)
		}
		said := term.Count(x.Calls)
		failed := calls.At(float64(x.Errors))
		if x.Errors > 0 {
			p.Rect(callsLeft, y+3, failed-callsLeft, barHeight-6, svg.Bad, fmt.Sprintf("%s: %s failed: %s", x.Name, term.Plural(x.Errors, "call"), x.errnoList()))
			said += ", " + term.Count(x.Errors) + " failed"
		}
		if x.Calls > x.Errors {
			p.Rect(failed, y+3, calls.At(float64(x.Calls))-failed, barHeight-6, svg.Second, fmt.Sprintf("%s: %s", x.Name, term.Plural(x.Calls, "call")))
		}
		p.Text(calls.At(float64(x.Calls))+6, base, svg.Note, said)
	}
	p.Line(timeLeft, top, timeLeft, bottom, svg.Axis)
	p.Line(callsLeft, top, callsLeft, bottom, svg.Axis)
	if n := len(r.Rows) - len(rows); n > 0 {
		p.Text(16, p.Take(22)+12, svg.Note, fmt.Sprintf("… and %s more", term.Count(uint64(n))))
	}
	_, err := p.WriteTo(w)
	return err
}

// heading says of what the result is.
func heading(r *Result) string {
	s := counted(r)
	if r.CalibrationNs > 0 && !r.NoDurations {
		s += fmt.Sprintf("; the recorder adds about %s to each call", term.Duration(r.CalibrationNs))
	}
	return s
}
