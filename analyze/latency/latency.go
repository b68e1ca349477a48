package latency

import (
	"cmp"
	"errors"
	"sort"
	"time"
	"unsafe"

	"sysreel/analyze"
	"sysreel/analyze/spill"
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
	// Memory bounds what the histograms take of it, in bytes; 0: 24 MiB.
	Memory int
}

// Need returns what the pass must provide.
func (o Options) Need() analyze.Need { return o.By.Need() }

// Analysis counts the durations of calls under each key. Its memory is bounded:
// what does not fit it puts aside in a temporary file, which Close removes. It is
// not safe for concurrent use; analyses of parts of a trace, or of several
// traces, merge exactly, in any order.
type Analysis struct {
	options Options
	start   int64
	stop    int64 // calibration
	keys    *codec
	rows    *spill.Table[analyze.Key, Histogram]
	heat    *heat
	noKey   uint64
}

// memory is the standard of Options.Memory.
const memory = 24 << 20

// codec writes rows for package spill.
type codec struct{ analyze.KeyCodec }

func (c *codec) Note(k analyze.Key) int {
	return c.KeyCodec.Note(k) + int(unsafe.Sizeof(Histogram{}))
}

func (c *codec) AppendValue(b []byte, h *Histogram) []byte { return h.Append(b) }

func (c *codec) Decode(b []byte, into *Histogram) error {
	var h Histogram
	_, err := h.Decode(b)
	into.Merge(&h)
	return err
}

func (c *codec) Merge(into, from *Histogram) { into.Merge(from) }

// New returns an Analysis of a trace with the header.
func New(h *tracepb.Header, o Options) *Analysis {
	keys := &codec{analyze.KeyCodec{File: o.File}}
	a := &Analysis{
		options: o,
		start:   h.GetClock().GetMonotonicNs(),
		stop:    h.GetCalibration().GetStopNs(),
		keys:    keys,
		rows:    spill.New[analyze.Key, Histogram](cmp.Or(o.Memory, memory), keys),
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
	h := a.rows.Get(key)
	size := h.Bytes()
	ns := c.Duration()
	h.Add(ns, c.Num, a.options.File)
	if c.AtLeast() {
		h.AtLeast++
	}
	a.rows.Grew(h.Bytes() - size)
	if a.heat != nil {
		a.heat.add(c.End-a.start, ns)
	}
}

// Merge adds what b counted. b is not to be used any more.
func (a *Analysis) Merge(b *Analysis) {
	a.keys.Join(&b.keys.KeyCodec)
	a.rows.Merge(b.rows)
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
	CalibrationNs int64  `json:"calibration_ns,omitempty"`
	Events        uint64 `json:"events"`           // calls counted
	NoKey         uint64 `json:"no_key,omitempty"` // calls that have no such key
	Rows          []Row  `json:"rows"`             // most time first
	// OtherKeys is how many keys, those with the least time, are one row at
	// the end, named "(other)", because there are more than MaxKeys.
	OtherKeys uint64 `json:"other_keys,omitempty"`
	// Problem says why not all keys could be told apart: what could not is in
	// that row, too.
	Problem string   `json:"problem,omitempty"`
	Heatmap *Heatmap `json:"heatmap,omitempty"`
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
	var other Histogram
	err := spill.Select(a.rows, analyze.MaxKeys, rankOf, func(x, y *rank) bool { return x.before(y) }, func(key analyze.Key, h *Histogram, first bool) error {
		r.Events += h.Count
		if first {
			r.Rows = append(r.Rows, newRow(key.String(), h))
		} else {
			other.Merge(h)
			r.OtherKeys++
		}
		return nil
	})
	rest, why := a.rows.Rest()
	if err = errors.Join(err, why); err != nil {
		r.Problem = err.Error()
	}
	if rest != nil {
		r.Events += rest.Count
		other.Merge(rest)
	}
	sort.Slice(r.Rows, func(i, j int) bool {
		x, y := &r.Rows[i], &r.Rows[j]
		return (&rank{x.TotalNs, x.Name, x.MaxEvent}).before(&rank{y.TotalNs, y.Name, y.MaxEvent})
	})
	if other.Count > 0 {
		r.Rows = append(r.Rows, newRow(analyze.OtherName, &other))
	}
	if a.heat != nil {
		r.Heatmap = a.heat.result()
	}
	return r
}

// rank is what rows are ordered by: most time first.
type rank struct {
	total int64
	name  string
	event uint64
}

func rankOf(k analyze.Key, h *Histogram) rank { return rank{h.Total, k.String(), h.MaxEvent} }

func (x *rank) before(y *rank) bool {
	switch {
	case x.total != y.total:
		return x.total > y.total
	case x.name != y.name:
		return x.name < y.name
	}
	return x.event < y.event
}

// Close removes the temporary file, if there is one. Results stay valid.
func (a *Analysis) Close() error { return a.rows.Close() }

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
