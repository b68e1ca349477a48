package latency

import (
	"cmp"
	"errors"
	"sort"
	"time"

	"sysreel/analyze"
	"sysreel/analyze/spill"
	"sysreel/analyze/term"
	"sysreel/proto/tracepb"
)

// Schema names the form of a Result's JSON.
const Schema = "sysreel.hist/1"

// Options of an Analysis.
type Options struct {
	By      analyze.By
	Heatmap bool
	// Subsecond also counts calls by where in a second they began.
	Subsecond bool
	// Roles groups processes and threads by name rather than number, so that
	// two runs compare.
	Roles bool
	// File numbers the trace among several that are to be merged.
	File int
	// Memory bounds what the histograms take of it, in bytes; 0: 12 MiB.
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
	offsets *heat                      // with Subsecond
	phases  *analyze.Phases[Histogram] // ByPhase: in place of rows
	noKey   uint64
}

// memory is the standard of Options.Memory.
const memory = 12 << 20

// histogramSize is what an empty Histogram takes, in bytes.
const histogramSize = 96

// codec writes rows for package spill.
type codec struct{ analyze.KeyCodec }

func (c *codec) Note(k analyze.Key) int {
	return c.KeyCodec.Note(k) + histogramSize
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
		a.heat = &heat{base: heatBase}
	}
	if o.Subsecond {
		a.offsets = &heat{base: int64(time.Second)}
	}
	if o.By == analyze.ByPhase {
		a.phases = analyze.NewPhases((*Histogram).Merge)
	}
	return a
}

// Add counts a call; events that are none, and calls that never return, it
// passes over.
func (a *Analysis) Add(c *analyze.Call) {
	if !c.IsCall() || !c.Returns() {
		return
	}
	ns := c.Duration()
	if !a.count(c, ns) {
		a.noKey++
		return
	}
	if a.heat != nil {
		a.heat.add(c.End-a.start, stepOf(ns))
	}
	if a.offsets != nil {
		at := max(c.Start-a.start, 0)
		a.offsets.add(at, int(at%int64(time.Second)/offsetStep))
	}
}

// count counts the call's duration under its key, false if it has none.
func (a *Analysis) count(c *analyze.Call, ns int64) bool {
	if a.phases != nil {
		a.phases.At(c.Start-a.start).count(c, ns, a.options.File)
		return true
	}
	key, ok := a.options.By.Key(c)
	if !ok {
		return false
	}
	if a.options.Roles {
		key = key.Role()
	}
	h := a.rows.Get(key)
	size := h.Bytes()
	h.count(c, ns, a.options.File)
	a.rows.Grew(h.Bytes() - size)
	return true
}

func (h *Histogram) count(c *analyze.Call, ns int64, file int) {
	h.Add(ns, c.Num, file)
	if c.AtLeast() {
		h.AtLeast++
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
	if a.offsets != nil && b.offsets != nil {
		a.offsets.merge(b.offsets)
	}
	if a.phases != nil && b.phases != nil {
		a.phases.Merge(b.phases)
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
	Rows          []Row  `json:"rows"`             // most time first; phases in their order
	// OtherKeys is how many keys, those with the least time, are one row at
	// the end, named "(other)", because there are more than MaxKeys.
	OtherKeys uint64 `json:"other_keys,omitempty"`
	// Problem says why not all keys could be told apart: what could not is in
	// that row, too.
	Problem string   `json:"problem,omitempty"`
	Heatmap *Heatmap `json:"heatmap,omitempty"`
	// Subsecond has the time in columns of whole seconds, and in its rows
	// where in their second calls began.
	Subsecond *Heatmap `json:"subsecond,omitempty"`
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
	if a.phases != nil {
		a.phases.Each(func(from, to int64, h *Histogram) {
			r.Rows = append(r.Rows, newRow(term.Span(from, to), h))
			r.Events += h.Count
		})
	}
	if a.heat != nil {
		r.Heatmap = a.heat.result(stepLow)
	}
	if a.offsets != nil {
		r.Subsecond = a.offsets.result(func(step int) int64 { return int64(step) * offsetStep })
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
