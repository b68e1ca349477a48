// Package summary adds up where the calls, the errors and the time of a trace
// went, and how its processes lived and ended.
package summary

import (
	"cmp"
	"errors"

	"sysreel/analyze"
	"sysreel/analyze/latency"
	"sysreel/analyze/spill"
	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
	"sysreel/proto/world"
)

// Options of an Analysis.
type Options struct {
	By analyze.By
	// Objects also counts bytes by file and peer and failures by path, which
	// takes arguments and memory of every call.
	Objects bool
	// Threads also tells what each thread's time went to, and what it waited
	// for.
	Threads bool
	// Roles groups processes and threads by name rather than number, so that
	// two runs compare.
	Roles bool
	// File numbers the trace among several that are to be merged.
	File int
	// Sort is the order of the result's rows: by it those are chosen that it
	// tells apart, where there are too many.
	Sort Sort
	// Memory bounds what rows take of it, in bytes; 0: 12 MiB. Files and peers
	// take a third of it, failing paths too.
	Memory int
}

// Need returns what the pass must provide.
func (o Options) Need() analyze.Need {
	if o.Objects || o.Threads {
		return analyze.NeedWorld
	}
	return o.By.Need()
}

// Analysis sums up calls. Its memory is bounded by the threads and processes: of
// keys, files, peers and failing paths it puts aside in temporary files, which
// Close removes, what does not fit. It is not safe for concurrent use; analyses of
// parts or of several traces merge exactly, in any order.
type Analysis struct {
	options Options
	stop    int64 // calibration
	untimed Untimed

	events      uint64
	first, last int64
	keys        *rowCodec
	rows        *spill.Table[analyze.Key, row]
	byShape     []*row // BySyscall: the row of each shape
	spills      int    // of rows when byShape was begun
	noKey       uint64
	phases      *analyze.Phases[row] // ByPhase: in place of rows
	start       int64                // of the trace's clock

	threads   map[*world.Thread]*span
	recent    [64]recentThread
	processes map[*world.Process]*process
	order     []*process // of appearance
	lives     lives
	merged    int64 // thread-time of analyses merged in
	mergedN   int
	elapsed   int64 // of the longest trace merged in

	signals  map[signalKey]*signal
	tampered analyze.Tamperings
	slowest  slowest
	objects  *spill.Table[objectKey, object]
	failing  *spill.Table[failKey, failure]

	times     map[*world.Thread]*threadTime // with Threads
	timesKeys int                           // how many things they wait for, together
}

// row is what is counted under a key.
type row struct {
	hist          latency.Histogram
	calls         uint64
	errors        uint64
	errnos        map[int]uint64
	read, written int64
}

// span is when a thread was seen.
type span struct{ first, last int64 }

type recentThread struct {
	thread  *world.Thread
	span    *span
	process *process
}

type process struct {
	*world.Process
	file   int
	shift  int64 // from the clock of its trace to that of the first one merged
	first  int64 // shifted, as last
	last   int64
	calls  uint64
	errors uint64
	total  int64

	trouble *trouble // with Objects
	why     *Reason  // that came of it, when the process has failed
}

type signalKey struct {
	process *world.Process
	signo   uint32
}

type signal struct {
	count uint64
	first uint64 // event
	file  int
}

type object struct {
	calls         uint64
	read, written int64
	total         int64
	first         uint64 // event
	file          int
}

type failKey struct {
	path, call string
	errno      int
}

type failure struct {
	count uint64
	first uint64
	file  int
}

// New returns an Analysis of a trace with the header.
func New(h *tracepb.Header, o Options) *Analysis {
	memory := cmp.Or(o.Memory, standardMemory)
	keys := &rowCodec{analyze.KeyCodec{File: o.File}}
	a := &Analysis{
		options:   o,
		start:     h.GetClock().GetMonotonicNs(),
		stop:      h.GetCalibration().GetStopNs(),
		untimed:   Untimed{h.GetNoDurations(), h.GetNoClock()},
		first:     -1,
		keys:      keys,
		rows:      spill.New[analyze.Key, row](memory, keys),
		threads:   make(map[*world.Thread]*span),
		processes: make(map[*world.Process]*process),
		signals:   make(map[signalKey]*signal),
		objects:   spill.New[objectKey, object](memory/3, objectCodec{}),
		failing:   spill.New[failKey, failure](memory/3, failCodec{}),
		times:     make(map[*world.Thread]*threadTime),
	}
	if o.By == analyze.ByPhase {
		a.phases = analyze.NewPhases((*row).merge)
	}
	return a
}

// Add counts an event.
func (a *Analysis) Add(c *analyze.Call) {
	if c.Num != 0 { // a call in flight is not an event yet
		a.events++
	}
	if a.first < 0 || c.Start < a.first {
		a.first = c.Start
	}
	a.last = max(a.last, c.End)
	p := a.seen(c)
	if !c.IsCall() {
		switch {
		case c.Kind == tracefile.Signal:
			a.signal(c)
		case c.Kind == tracefile.ThreadExit && c.Args[0] == 1 && c.Ret == 0, c.Kind == tracefile.Exec:
			p.trouble, p.why = nil, nil // it went well, or is another program now
		case c.Kind == tracefile.ThreadExit && c.Args[0] == 1 && p.trouble != nil:
			p.why, p.trouble = p.reason(), nil
			if p.why == nil {
				p.why = new(Reason)
			}
		}
		if c.Kind == tracefile.ThreadExit {
			a.lived(c.Thread)
		}
		return
	}
	r := a.row(c)
	if r == nil {
		a.noKey++
	} else if grew := r.add(c, a.options.File); a.phases == nil {
		a.rows.Grew(grew)
	}
	if c.Flags&tracefile.Tampered != 0 && c.Num != 0 {
		a.tampered.Add(c.Name, c.Event, a.options.File)
	}
	ns := c.Duration()
	p.calls++
	if c.Returns() {
		p.total += ns
		a.slowest.add(c, ns, a.options.File)
	}
	if a.options.Threads {
		a.threadCall(c, ns)
	}
	failed := c.Failed()
	if failed {
		p.errors++
	}
	if a.options.Objects {
		a.object(c, ns)
		if failed {
			a.failed(c)
			p.failedCall(c)
		} else {
			p.wrote(c)
		}
	}
}

// seen notes when thread and process of the event were seen.
func (a *Analysis) seen(c *analyze.Call) *process {
	slot := &a.recent[c.Thread.ID%64]
	if slot.thread != c.Thread {
		slot.thread = c.Thread
		if slot.span = a.threads[c.Thread]; slot.span == nil {
			slot.span = &span{first: c.Start}
			if c.Thread.Ended {
				a.lives.resume(c.Thread.ID, slot.span)
			}
			a.threads[c.Thread] = slot.span
		}
		if slot.process = a.processes[c.Process]; slot.process == nil {
			slot.process = &process{Process: c.Process, file: a.options.File, first: c.Start}
			a.processes[c.Process] = slot.process
			a.order = append(a.order, slot.process)
		}
	}
	slot.span.first = min(slot.span.first, c.Start)
	slot.span.last = c.End
	slot.process.first = min(slot.process.first, c.Start)
	slot.process.last = c.End
	return slot.process
}

// Close removes the temporary files, if there are any. Results stay valid.
func (a *Analysis) Close() error {
	return errors.Join(a.rows.Close(), a.objects.Close(), a.failing.Close())
}

// row returns the row that the call counts in, nil if it has no key.
func (a *Analysis) row(c *analyze.Call) *row {
	if a.options.By == analyze.BySyscall {
		if s := c.Shape(); s < len(a.byShape) && a.byShape[s] != nil {
			return a.byShape[s]
		}
	}
	if a.phases != nil {
		return a.phases.At(c.Start - a.start)
	}
	key, ok := a.options.By.Key(c)
	if !ok {
		return nil
	}
	if a.options.Roles {
		key = key.Role()
	}
	r := a.rows.Get(key)
	if a.options.By == analyze.BySyscall {
		if n := a.rows.Spills(); n != a.spills {
			a.spills = n
			clear(a.byShape)
		}
		for len(a.byShape) <= c.Shape() {
			a.byShape = append(a.byShape, nil)
		}
		a.byShape[c.Shape()] = r
	}
	return r
}

// add counts a call, and returns how many bytes of memory that took.
func (r *row) add(c *analyze.Call, file int) (bytes int) {
	r.calls++
	if c.Returns() {
		bytes = -r.hist.Bytes()
		r.hist.Add(c.Duration(), c.Num, file)
		if c.AtLeast() {
			r.hist.AtLeast++
		}
		bytes += r.hist.Bytes()
	}
	if errno := c.Errno(); errno != 0 {
		r.errors++
		if r.errnos == nil {
			r.errnos = make(map[int]uint64, 1)
			bytes += errnosBytes
		}
		r.errnos[errno]++
		return bytes
	}
	switch n, flow := c.Bytes(); flow {
	case analyze.Read:
		r.read += n
	case analyze.Written:
		r.written += n
	}
	return bytes
}

// errnosBytes is about what a small map of errors takes.
const errnosBytes = 200

func (a *Analysis) signal(c *analyze.Call) {
	k := signalKey{c.Process, c.NR}
	s := a.signals[k]
	if s == nil {
		s = &signal{first: c.Num, file: a.options.File}
		a.signals[k] = s
	}
	s.count++
}

// object counts the bytes that the call moved.
func (a *Analysis) object(c *analyze.Call, ns int64) {
	n, flow := c.Bytes()
	if flow == analyze.NoFlow {
		return
	}
	name, peer := "", false
	if f := c.File(); f != nil {
		if f.Kind == world.Socket {
			if p := c.Peer(); p != "" {
				name, peer = p, true
			}
		}
		if name == "" {
			name = f.Detail()
		}
	}
	if name == "" {
		name = "(unknown)"
	}
	o := a.objects.Get(objectKey{name, peer})
	if o.calls == 0 {
		o.first, o.file = c.Num, a.options.File
	}
	o.calls++
	o.total += ns
	if flow == analyze.Read {
		o.read += n
	} else {
		o.written += n
	}
}

func (a *Analysis) failed(c *analyze.Call) {
	paths := c.Paths()
	if len(paths) == 0 {
		return
	}
	a.failing.Get(failKey{paths[0], c.Name, c.Errno()}).merge(&failure{1, c.Num, a.options.File})
}

// Merge adds what b counted: a later part of the same trace, or another trace.
// b is not to be used any more.
func (a *Analysis) Merge(b *Analysis) {
	a.events += b.events
	a.noKey += b.noKey
	a.stop = max(a.stop, b.stop)
	a.untimed.NoDurations = a.untimed.NoDurations || b.untimed.NoDurations
	a.untimed.NoClock = a.untimed.NoClock || b.untimed.NoClock
	a.keys.Join(&b.keys.KeyCodec)
	a.rows.Merge(b.rows)
	a.byShape = nil
	if a.phases != nil && b.phases != nil {
		a.phases.Merge(b.phases)
	}
	a.mergeTimes(b)
	shift := int64(0) // all traces begin at the same time
	if a.options.File == b.options.File {
		a.mergeSpans(b)
	} else {
		if a.first >= 0 && b.first >= 0 {
			shift = a.first - b.first
		}
		n, ns := b.threadTime()
		a.mergedN += n
		a.merged += ns
		a.elapsed = max(a.elapsed, b.elapsedNs())
	}
	for _, p := range b.order {
		if mine := a.processes[p.Process]; mine != nil {
			mine.calls += p.calls
			mine.errors += p.errors
			mine.total += p.total
			mine.first, mine.last = min(mine.first, p.first), max(mine.last, p.last)
			if p.trouble != nil || p.why != nil {
				mine.trouble, mine.why = p.trouble, p.why
			}
		} else {
			p.shift, p.first, p.last = p.shift+shift, p.first+shift, p.last+shift
			a.processes[p.Process] = p
			a.order = append(a.order, p)
		}
	}
	for k, s := range b.signals {
		if mine := a.signals[k]; mine != nil {
			mine.count += s.count
			mine.first = min(mine.first, s.first)
		} else {
			a.signals[k] = s
		}
	}
	a.tampered.Merge(&b.tampered)
	a.slowest.merge(&b.slowest, shift)
	a.objects.Merge(b.objects)
	a.failing.Merge(b.failing)
}

func (r *row) merge(b *row) {
	r.hist.Merge(&b.hist)
	r.calls += b.calls
	r.errors += b.errors
	r.read += b.read
	r.written += b.written
	for e, n := range b.errnos {
		if r.errnos == nil {
			r.errnos = make(map[int]uint64, len(b.errnos))
		}
		r.errnos[e] += n
	}
}

// threadTime returns how many threads were seen, and for how long together.
func (a *Analysis) threadTime() (int, int64) {
	n, ns := a.mergedN+len(a.lives), a.merged
	for _, l := range a.lives {
		ns += l.last - l.first
	}
	for _, s := range a.threads {
		n++
		ns += s.last - s.first
	}
	return n, ns
}

func (a *Analysis) elapsedNs() int64 {
	if a.first < 0 {
		return a.elapsed
	}
	return max(a.last-a.first, a.elapsed)
}

// topErrno returns the errors of a row, the most frequent first.
func (r *row) topErrno() (name string, n uint64) {
	best := 0
	for e, count := range r.errnos {
		if count > n || count == n && e < best {
			best, n = e, count
		}
	}
	if n == 0 {
		return "", 0
	}
	return syscalls.ErrnoName(best), n
}
