package latency

import (
	"sort"
	"time"

	"sysreel/analyze"
	"sysreel/proto/tracepb"
)

// Schema names the form of a Result's JSON.
const Schema = "sysreel.hist/1"

// Options of an Analysis.
type Options struct {
	By      analyze.By
	Heatmap bool
	// Roles groups processes and threads by name rather than number, so that
	// two runs compare.
	Roles bool
	// File numbers the trace among several that are to be merged.
	File int
}

// Need returns what the pass must provide.
func (o Options) Need() analyze.Need { return o.By.Need() }

// Analysis counts the durations of calls under each key, of which it tells
// [analyze.MaxKeys] apart. It is not safe for concurrent use; analyses of parts of a trace, or
// of several traces, merge exactly, in any order.
type Analysis struct {
	options Options
	start   int64
	stop    int64 // calibration
	rows    map[analyze.Key]*Histogram
	last    *Histogram // of lastKey: calls come in runs
	lastKey analyze.Key
	heat    *heat
	noKey   uint64
}

// New returns an Analysis of a trace with the header.
func New(h *tracepb.Header, o Options) *Analysis {
	a := &Analysis{
		options: o,
		start:   h.GetClock().GetMonotonicNs(),
		stop:    h.GetCalibration().GetStopNs(),
		rows:    make(map[analyze.Key]*Histogram),
	}
	if o.Heatmap {
		a.heat = new(heat)
	}
	return a
}

// Add counts a call; events that are none, and calls that never return, it
// passes over.
func (a *Analysis) Add(c *analyze.Call) {
	if !c.IsCall() || !c.Returns() {
		return
	}
	key, ok := a.options.By.Key(c)
	if !ok {
		a.noKey++
		return
	}
	if a.options.Roles {
		key = key.Role()
	}
	h := a.last
	if h == nil || key != a.lastKey {
		if h = a.rows[key]; h == nil && len(a.rows) >= analyze.MaxKeys {
			key = analyze.OtherKey
			h = a.rows[key]
		}
		if h == nil {
			h = new(Histogram)
			a.rows[key] = h
		}
		a.last, a.lastKey = h, key
	}
	ns := c.Duration()
	h.Add(ns, c.Num, a.options.File)
	if c.AtLeast() {
		h.AtLeast++
	}
	if a.heat != nil {
		a.heat.add(c.End-a.start, ns)
	}
}

// Merge adds what b counted. b is not to be used any more.
func (a *Analysis) Merge(b *Analysis) {
	for key, h := range b.rows {
		if mine := a.rows[key]; mine != nil {
			mine.Merge(h)
		} else {
			a.rows[key] = h
		}
	}
	a.stop = max(a.stop, b.stop)
	a.noKey += b.noKey
	if a.heat != nil && b.heat != nil {
		a.heat.merge(b.heat)
	}
}

// Result is what is shown and written as JSON.
type Result struct {
	Schema string `json:"schema"`
	By     string `json:"by"`
	// CalibrationNs is what the recorder itself adds to a call: durations near
	// it say little about the call.
	CalibrationNs int64    `json:"calibration_ns,omitempty"`
	Events        uint64   `json:"events"`           // calls counted
	NoKey         uint64   `json:"no_key,omitempty"` // calls that have no such key
	Rows          []Row    `json:"rows"`             // most time first
	Heatmap       *Heatmap `json:"heatmap,omitempty"`
}

// Row is the histogram of a key.
type Row struct {
	Name     string   `json:"name"`
	Count    uint64   `json:"count"`
	AtLeast  uint64   `json:"unfinished,omitempty"` // calls whose end was not seen, counted as long as seen
	TotalNs  int64    `json:"total_ns"`
	MinNs    int64    `json:"min_ns"`
	MeanNs   int64    `json:"mean_ns"`
	P50Ns    int64    `json:"p50_ns"`
	P90Ns    int64    `json:"p90_ns"`
	P99Ns    int64    `json:"p99_ns"`
	P999Ns   int64    `json:"p999_ns"`
	MaxNs    int64    `json:"max_ns"`
	MaxEvent uint64   `json:"max_event"`
	MaxFile  int      `json:"max_file,omitempty"`
	Buckets  []Bucket `json:"buckets"`
}

// Result returns what was counted so far.
func (a *Analysis) Result() *Result {
	r := &Result{Schema: Schema, By: a.options.By.String(), CalibrationNs: a.stop, NoKey: a.noKey, Rows: []Row{}}
	for key, h := range a.rows {
		r.Rows = append(r.Rows, newRow(key.String(), h))
		r.Events += h.Count
	}
	sort.Slice(r.Rows, func(i, j int) bool {
		x, y := &r.Rows[i], &r.Rows[j]
		switch {
		case x.TotalNs != y.TotalNs:
			return x.TotalNs > y.TotalNs
		case x.Name != y.Name:
			return x.Name < y.Name
		}
		return x.MaxEvent < y.MaxEvent
	})
	if a.heat != nil {
		r.Heatmap = a.heat.result()
	}
	return r
}

func newRow(name string, h *Histogram) Row {
	return Row{
		Name: name, Count: h.Count, AtLeast: h.AtLeast,
		TotalNs: h.Total, MinNs: h.Min, MeanNs: h.Mean(),
		P50Ns: h.Quantile(0.5), P90Ns: h.Quantile(0.9), P99Ns: h.Quantile(0.99), P999Ns: h.Quantile(0.999),
		MaxNs: h.Max, MaxEvent: h.MaxEvent, MaxFile: h.MaxFile,
		Buckets: h.Buckets(),
	}
}

// Top keeps the n rows with the most time; 0 keeps all.
func (r *Result) Top(n int) {
	if n > 0 && n < len(r.Rows) {
		r.Rows = r.Rows[:n]
	}
}

// heat counts calls by time and latency: columns of equal time, twice as wide
// whenever there would be more than maxColumns.
type heat struct {
	shift   uint // a column is heatBase << shift
	columns [][]uint64
}

const (
	heatBase   = int64(time.Millisecond)
	maxColumns = 256
)

func (h *heat) add(at, ns int64) {
	col := max(at, 0) / (heatBase << h.shift)
	for col >= maxColumns {
		h.coarsen()
		col /= 2
	}
	h.bump(int(col), stepOf(ns), 1)
}

func (h *heat) bump(col, step int, n uint64) {
	for len(h.columns) <= col {
		h.columns = append(h.columns, nil)
	}
	c := h.columns[col]
	for len(c) <= step {
		c = append(c, 0)
	}
	c[step] += n
	h.columns[col] = c
}

func (h *heat) coarsen() {
	old := h.columns
	h.columns = nil
	h.shift++
	for i, c := range old {
		for step, n := range c {
			if n != 0 {
				h.bump(i/2, step, n)
			}
		}
	}
}

func (h *heat) merge(o *heat) {
	for h.shift < o.shift {
		h.coarsen()
	}
	for i, c := range o.columns {
		for step, n := range c {
			if n != 0 {
				h.bump(i>>(h.shift-o.shift), step, n)
			}
		}
	}
}

// stepOfBucket maps the buckets of a histogram, whose boundaries the 1-2-5 steps
// are, to steps: 0 for under 1 ns, then [1,2), [2,5), [5,10), [10,20), …
var stepOfBucket [numBuckets]uint8

func init() {
	step, next := 0, stepLow(1)
	for i := range stepOfBucket {
		for low, _ := bounds(i); low > 0 && next > 0 && next <= low; next = stepLow(step + 1) {
			step++
		}
		stepOfBucket[i] = uint8(step)
	}
}

func stepOf(ns int64) int { return int(stepOfBucket[bucketOf(ns)]) }

// stepLow returns where a step begins; not positive beyond the largest int64.
func stepLow(step int) int64 {
	if step == 0 {
		return 0
	}
	low := [...]int64{1, 2, 5}[(step-1)%3]
	for range (step - 1) / 3 {
		low *= 10
	}
	return low
}

// Heatmap is time × latency.
type Heatmap struct {
	ColumnNs int64        `json:"column_ns"` // column i begins i·ColumnNs after the trace
	Columns  int          `json:"columns"`
	Rows     []HeatmapRow `json:"rows"` // shortest first, the empty ones between left in
}

// HeatmapRow has the calls that lasted [Low, High), by when they ended.
type HeatmapRow struct {
	Low    int64    `json:"low_ns"`
	High   int64    `json:"high_ns"`
	Counts []uint64 `json:"counts"`
}

func (h *heat) result() *Heatmap {
	m := &Heatmap{ColumnNs: heatBase << h.shift, Columns: len(h.columns), Rows: []HeatmapRow{}}
	first, last := -1, -1
	for _, c := range h.columns {
		for step, n := range c {
			if n != 0 {
				if first < 0 || step < first {
					first = step
				}
				last = max(last, step)
			}
		}
	}
	if first < 0 {
		return m
	}
	for step := first; step <= last; step++ {
		row := HeatmapRow{Low: stepLow(step), High: stepLow(step + 1), Counts: make([]uint64, len(h.columns))}
		for i, c := range h.columns {
			if step < len(c) {
				row.Counts[i] = c[step]
			}
		}
		m.Rows = append(m.Rows, row)
	}
	return m
}
