package summary

import (
	"fmt"
	"sort"
	"strconv"
	"strings"

	"sysreel/analyze"
	"sysreel/analyze/spill"
	"sysreel/analyze/term"
	"sysreel/proto/syscalls"
)

// Schema names the form of a Result's JSON.
const Schema = "sysreel.summary/1"

// Result is what is shown and written as JSON. All lists are there, if empty,
// but those that only Objects gives.
type Result struct {
	Schema    string `json:"schema"`
	Events    uint64 `json:"events"`     // of all kinds that the filter let through
	ElapsedNs int64  `json:"elapsed_ns"` // from the first to the last of them
	By        string `json:"by"`
	// ThreadNs is how long the threads were recorded, together: the
	// denominator of a row's share of time.
	ThreadNs int64 `json:"thread_ns"`
	Threads  int   `json:"threads"`
	Untimed
	CalibrationNs int64  `json:"calibration_ns,omitempty"`
	NoKey         uint64 `json:"no_key,omitempty"` // calls that have no such key
	Rows          []Row  `json:"rows"`
	// OtherKeys is how many keys, the last ones in order, are one row at the
	// end, named "(other)", because there are more than analyze.MaxKeys.
	// OtherObjects and OtherFailing are the same of the lists of these names.
	OtherKeys    uint64 `json:"other_keys,omitempty"`
	OtherObjects uint64 `json:"other_objects,omitempty"`
	OtherFailing uint64 `json:"other_failing_paths,omitempty"`
	// Problems say why not even those could be told apart that should have
	// been: what could not is in the same rows.
	Problems  []string  `json:"problems,omitempty"`
	Processes []Process `json:"processes"` // parents before children
	Signals   []Signal  `json:"signals"`
	// Tampered are the calls that were changed on purpose.
	Tampered []analyze.Tampering `json:"tampered,omitempty"`
	Slowest  []Slow              `json:"slowest"`
	Failing  []Failing           `json:"failing_paths,omitempty"` // most failures first
	Objects  []Object            `json:"objects,omitempty"`       // most bytes first
	// ThreadTimes is there with Threads: the longest waiting first.
	ThreadTimes []ThreadTime `json:"thread_times,omitempty"`
}

// Untimed says what of the times is not known, because a trace was made from a
// log that does not have it: there JSON has null, and CSV nothing.
type Untimed struct {
	NoDurations bool `json:"no_durations,omitempty"` // of calls
	NoClock     bool `json:"no_clock,omitempty"`     // when things happened
}

// Row is what happened under a key.
type Row struct {
	Name         string            `json:"name"`
	Calls        uint64            `json:"calls"`
	Errors       uint64            `json:"errors"`
	TotalNs      int64             `json:"total_ns"`
	MinNs        int64             `json:"min_ns"`
	MaxNs        int64             `json:"max_ns"`
	MeanNs       int64             `json:"mean_ns"`
	P50Ns        int64             `json:"p50_ns"`
	P90Ns        int64             `json:"p90_ns"`
	P99Ns        int64             `json:"p99_ns"`
	MaxEvent     uint64            `json:"max_event"`
	MaxFile      int               `json:"max_file,omitempty"`
	Errnos       map[string]uint64 `json:"errnos"`
	ReadBytes    int64             `json:"read_bytes"`
	WrittenBytes int64             `json:"written_bytes"`
	// Unfinished calls are in Calls, and in the times as long as seen.
	Unfinished uint64 `json:"unfinished,omitempty"`
	// Phase is the time in which the calls began, by phase only.
	Phase *Phase `json:"phase,omitempty"`

	other     bool // the sum of what is not told apart: last in any order
	topErrno  string
	topErrnos uint64
	returned  uint64 // calls whose exit was seen: what strace -c counts
}

// Phase is a part of the time of a trace, ns from its beginning.
type Phase struct {
	From int64 `json:"from_ns"`
	To   int64 `json:"to_ns"`
}

// Exit is how a process ended.
type Exit struct {
	Code   *int   `json:"code,omitempty"`
	Signal string `json:"signal,omitempty"`
	Core   bool   `json:"core,omitempty"` // dumped
}

func (e *Exit) String() string {
	switch {
	case e == nil:
		return ""
	case e.Signal != "" && e.Core:
		return e.Signal + ", core"
	case e.Signal != "":
		return e.Signal
	case e.Code != nil:
		return fmt.Sprintf("exit %d", *e.Code)
	}
	return ""
}

// sent reports whether it was a signal that others send, and not the kernel for
// what the process did.
func (e *Exit) sent() bool {
	switch e.Signal {
	case "SIGKILL", "SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT":
		return true
	}
	return false
}

// exitOf decodes a wait status, see wait(2).
func exitOf(status int32) *Exit {
	if sig := status & 0x7f; sig != 0 {
		return &Exit{Signal: syscalls.SignalName(int(sig)), Core: status&0x80 != 0}
	}
	code := int(status >> 8 & 0xff)
	return &Exit{Code: &code}
}

// Process is a process of the trace.
type Process struct {
	PID     int32    `json:"pid"`
	Parent  int32    `json:"parent,omitempty"` // of the recorded ones
	Depth   int      `json:"depth"`            // below a process whose parent is not recorded
	Exe     string   `json:"exe"`
	Argv    []string `json:"argv"` // of what it ran last
	Execs   []string `json:"execs,omitempty"`
	StartNs int64    `json:"start_ns"` // since the trace's first event
	// DurationNs runs to the end of the process, or to what was last seen of it.
	DurationNs int64  `json:"duration_ns"`
	Exit       *Exit  `json:"exit"` // null: not seen to end
	Ended      bool   `json:"ended"`
	Calls      uint64 `json:"calls"`
	Errors     uint64 `json:"errors"`
	CallNs     int64  `json:"call_ns"` // time of its threads within calls
	Threads    int    `json:"threads"`
	File       int    `json:"file,omitempty"`
	// Reason is what a process that failed, or did not end, showed; with
	// Objects only.
	Reason *Reason `json:"reason,omitempty"`

	name string
}

// label names the process as elsewhere: "nginx[42]".
func (p *Process) label() string { return p.name + "[" + strconv.Itoa(int(p.PID)) + "]" }

// Signal is a signal that a process got.
type Signal struct {
	Signal     string `json:"signal"`
	Process    string `json:"process"`
	Count      uint64 `json:"count"`
	FirstEvent uint64 `json:"first_event"`
	File       int    `json:"file,omitempty"`
}

// Slow is one of the slowest calls.
type Slow struct {
	Event      uint64 `json:"event"` // 0: had not ended
	DurationNs int64  `json:"duration_ns"`
	StartNs    int64  `json:"start_ns"` // since the trace's first event
	Syscall    string `json:"syscall"`
	Path       string `json:"path,omitempty"`
	Process    string `json:"process"`
	TID        int32  `json:"tid"`
	AtLeast    bool   `json:"at_least,omitempty"`
	File       int    `json:"file,omitempty"`
}

// Failing is a path and how a call on it failed.
type Failing struct {
	Path       string `json:"path"`
	Syscall    string `json:"syscall"`
	Errno      string `json:"errno"`
	Count      uint64 `json:"count"`
	FirstEvent uint64 `json:"first_event"`
	File       int    `json:"file,omitempty"`
}

// Object is a file, or a peer of sockets, that bytes were moved from or to.
type Object struct {
	Name         string `json:"name"`
	Peer         bool   `json:"peer,omitempty"`
	Calls        uint64 `json:"calls"`
	ReadBytes    int64  `json:"read_bytes"`
	WrittenBytes int64  `json:"written_bytes"`
	TotalNs      int64  `json:"total_ns"`
	FirstEvent   uint64 `json:"first_event"` // that moved bytes
	File         int    `json:"file,omitempty"`
}

// Result returns what was counted so far, its rows in the order of the options;
// see [Result.Sort] for that of phases.
func (a *Analysis) Result() *Result {
	n, ns := a.threadTime()
	r := &Result{
		Schema: Schema, Events: a.events, ElapsedNs: a.elapsedNs(), By: a.options.By.String(),
		ThreadNs: ns, Threads: n, Untimed: a.untimed, CalibrationNs: a.stop, NoKey: a.noKey,
		Rows: []Row{}, Signals: []Signal{}, Slowest: []Slow{}, Tampered: a.tampered.List(),
	}
	a.resultRows(r)
	r.ThreadTimes = a.threadTimes()
	r.Processes = a.tree()
	for k, s := range a.signals {
		r.Signals = append(r.Signals, Signal{syscalls.SignalName(int(k.signo)), k.process.Label(), s.count, s.first, s.file})
	}
	sort.Slice(r.Signals, func(i, j int) bool {
		x, y := &r.Signals[i], &r.Signals[j]
		return x.File < y.File || x.File == y.File && x.FirstEvent < y.FirstEvent
	})
	for i := range a.slowest.calls {
		if a.untimed.NoDurations {
			break
		}
		s := &a.slowest.calls[i]
		r.Slowest = append(r.Slowest, Slow{s.event, s.ns, s.start - a.first, s.name, s.path, s.thread.Process.Label(), s.thread.TID, s.atLeast, s.file})
	}
	a.resultObjects(r)
	return r
}

func (a *Analysis) resultRows(r *Result) {
	by := a.options.Sort
	var other row
	err := spill.Select(a.rows, analyze.MaxKeys, func(k analyze.Key, x *row) rank {
		return x.rank(k.String(), by)
	}, (*rank).before, func(k analyze.Key, x *row, first bool) error {
		if first {
			r.Rows = append(r.Rows, x.result(k.String()))
		} else {
			other.merge(x)
			r.OtherKeys++
		}
		return nil
	})
	r.note(err)
	rest, err := a.rows.Rest()
	r.note(err)
	if rest != nil {
		other.merge(rest)
	}
	if a.phases != nil {
		a.phases.Each(func(from, to int64, x *row) {
			p := x.result(term.Span(from, to))
			p.Phase = &Phase{from, to}
			r.Rows = append(r.Rows, p)
		})
	}
	if other.calls > 0 {
		x := other.result(analyze.OtherName)
		x.other = true
		r.Rows = append(r.Rows, x)
	}
	r.Sort(by)
}

// listed returns the first rows of a table in an order, the sum of all others,
// and how many of these are told apart.
func listed[K comparable, V, R any](r *Result, t *spill.Table[K, V], row func(K, *V) R, before func(a, b *R) bool, merge func(into, v *V)) (rows []R, others V, n uint64) {
	r.note(spill.Select(t, maxListed, row, before, func(k K, v *V, first bool) error {
		if first {
			rows = append(rows, row(k, v))
		} else {
			merge(&others, v)
			n++
		}
		return nil
	}))
	sort.Slice(rows, func(i, j int) bool { return before(&rows[i], &rows[j]) })
	rest, err := t.Rest()
	r.note(err)
	if rest != nil {
		merge(&others, rest)
	}
	return rows, others, n
}

func (a *Analysis) resultObjects(r *Result) {
	failing := func(k failKey, f *failure) Failing {
		return Failing{k.path, k.call, syscalls.ErrnoName(k.errno), f.count, f.first, f.file}
	}
	failures, others, n := listed(r, a.failing, failing, (*Failing).before, (*failure).merge)
	r.Failing, r.OtherFailing = append(r.Failing, failures...), n
	if others.count > 0 {
		r.Failing = append(r.Failing, Failing{Path: analyze.OtherName, Count: others.count, FirstEvent: others.first, File: others.file})
	}

	objects := func(k objectKey, o *object) Object {
		return Object{k.name, k.peer, o.calls, o.read, o.written, o.total, o.first, o.file}
	}
	items, other, n := listed(r, a.objects, objects, (*Object).before, (*object).merge)
	r.Objects, r.OtherObjects = append(r.Objects, items...), n
	if other.calls > 0 {
		r.Objects = append(r.Objects, Object{analyze.OtherName, false, other.calls, other.read, other.written, other.total, other.first, other.file})
	}
}

// before orders failing paths: most failures first.
func (x *Failing) before(y *Failing) bool {
	switch {
	case x.Count != y.Count:
		return x.Count > y.Count
	case x.File != y.File:
		return x.File < y.File
	}
	return x.FirstEvent < y.FirstEvent
}

// before orders objects: most bytes first.
func (x *Object) before(y *Object) bool {
	if m, n := x.ReadBytes+x.WrittenBytes, y.ReadBytes+y.WrittenBytes; m != n {
		return m > n
	}
	if x.Name != y.Name {
		return x.Name < y.Name
	}
	return !x.Peer && y.Peer
}

func (x *row) result(name string) Row {
	h := &x.hist
	r := Row{
		Name: name, Calls: x.calls, Errors: x.errors, TotalNs: h.Total, MinNs: h.Min, MaxNs: h.Max, MeanNs: h.Mean(),
		P50Ns: h.Quantile(0.5), P90Ns: h.Quantile(0.9), P99Ns: h.Quantile(0.99), MaxEvent: h.MaxEvent, MaxFile: h.MaxFile,
		Errnos: make(map[string]uint64, len(x.errnos)), ReadBytes: x.read, WrittenBytes: x.written, Unfinished: h.AtLeast,
		returned: h.Count - h.AtLeast,
	}
	for e, n := range x.errnos {
		r.Errnos[syscalls.ErrnoName(e)] = n
	}
	r.topErrno, r.topErrnos = x.topErrno()
	return r
}

// Sort is an order of rows.
type Sort uint8

// All orders put the largest first, but names.
const (
	ByTotal Sort = iota
	ByCalls
	ByErrors
	ByMin
	ByMean
	ByP50
	ByP90
	ByP99
	ByMax
	ByBytes
	ByName
)

var sortNames = [...]string{"total", "calls", "errors", "min", "mean", "p50", "p90", "p99", "max", "bytes", "name"}

// SortNames lists what ParseSort understands.
func SortNames() []string { return sortNames[:] }

// ParseSort understands the name of a column; "" is total.
func ParseSort(s string) (Sort, error) {
	for i, name := range sortNames {
		if s == name {
			return Sort(i), nil
		}
	}
	switch s {
	case "", "wall", "wall%", "time":
		return ByTotal, nil
	}
	return 0, fmt.Errorf("%w: cannot sort by %q; use one of %s", analyze.ErrFilter, s, strings.Join(sortNames[:], ", "))
}

// rank is what rows are ordered by.
type rank struct {
	other bool
	value int64
	calls uint64 // but by name
	name  string
	event uint64
}

func (x *rank) before(y *rank) bool {
	switch {
	case x.other != y.other:
		return y.other
	case x.value != y.value:
		return x.value > y.value
	case x.calls != y.calls:
		return x.calls > y.calls
	case x.name != y.name:
		return x.name < y.name
	}
	return x.event < y.event
}

func (x *Row) rank(by Sort) rank {
	r := rank{x.other, x.TotalNs, x.Calls, x.Name, x.MaxEvent}
	switch by {
	case ByCalls:
		r.value = int64(x.Calls)
	case ByErrors:
		r.value = int64(x.Errors)
	case ByMin:
		r.value = x.MinNs
	case ByMean:
		r.value = x.MeanNs
	case ByP50:
		r.value = x.P50Ns
	case ByP90:
		r.value = x.P90Ns
	case ByP99:
		r.value = x.P99Ns
	case ByMax:
		r.value = x.MaxNs
	case ByBytes:
		r.value = x.ReadBytes + x.WrittenBytes
	case ByName:
		r.value, r.calls = 0, 0
	}
	return r
}

// rank is that of the Row, which is not made where it can be done without: there
// may be millions.
func (x *row) rank(name string, by Sort) rank {
	h := &x.hist
	r := Row{Name: name, Calls: x.calls, Errors: x.errors, TotalNs: h.Total, MinNs: h.Min, MeanNs: h.Mean(), MaxNs: h.Max, MaxEvent: h.MaxEvent,
		ReadBytes: x.read, WrittenBytes: x.written}
	switch by {
	case ByP50:
		r.P50Ns = h.Quantile(0.5)
	case ByP90:
		r.P90Ns = h.Quantile(0.9)
	case ByP99:
		r.P99Ns = h.Quantile(0.99)
	}
	return r.rank(by)
}

// Sort orders the rows. Phases stay in the order of time unless another column
// than the total is asked for: most of them are about as long as the others.
func (r *Result) Sort(by Sort) {
	sort.SliceStable(r.Rows, func(i, j int) bool {
		if p, q := r.Rows[i].Phase, r.Rows[j].Phase; by == ByTotal && p != nil && q != nil {
			return p.From < q.From
		}
		x, y := r.Rows[i].rank(by), r.Rows[j].rank(by)
		return x.before(&y)
	})
}

// Top keeps the first n rows; 0 keeps all.
func (r *Result) Top(n int) {
	if n > 0 && n < len(r.Rows) {
		r.Rows = r.Rows[:n]
	}
}
