package summary

import (
	"sort"
	"strconv"
	"strings"

	"sysreel/analyze"
	"sysreel/analyze/term"
	"sysreel/proto/world"
)

// threadTime is what a thread's time went to.
type threadTime struct {
	file        int
	first, last int64 // seen, on its trace's clock
	waiting     int64
	calls       int64 // in other calls
	waits       map[analyze.Key]*waited
}

// waited is the waiting for one thing.
type waited struct {
	calls    uint64
	total    int64
	max      int64
	maxEvent uint64
}

// maxTimesKeys bounds the things that threads wait for, of all threads together.
const maxTimesKeys = 50_000

// threadCall counts the call's time for its thread.
func (a *Analysis) threadCall(c *analyze.Call, ns int64) {
	t := a.times[c.Thread]
	if t == nil {
		t = &threadTime{file: a.options.File, first: c.Start, waits: make(map[analyze.Key]*waited)}
		a.times[c.Thread] = t
	}
	t.first, t.last = min(t.first, c.Start), max(t.last, c.End)
	if !c.Returns() {
		return
	}
	key, ok := c.Wait()
	if !ok {
		t.calls += ns
		return
	}
	t.waiting += ns
	w := t.waits[key]
	if w == nil && a.timesKeys >= maxTimesKeys {
		key = analyze.Key{Name: analyze.OtherName}
		w = t.waits[key]
	}
	if w == nil {
		w = new(waited)
		t.waits[key] = w
		a.timesKeys++
	}
	w.merge(&waited{1, ns, ns, c.Num})
}

func (w *waited) merge(o *waited) {
	if w.calls == 0 || o.max > w.max || o.max == w.max && o.maxEvent-1 < w.maxEvent-1 { // 0, in flight, last
		w.max, w.maxEvent = o.max, o.maxEvent
	}
	w.calls += o.calls
	w.total += o.total
}

func (a *Analysis) mergeTimes(b *Analysis) {
	a.timesKeys += b.timesKeys
	for thread, t := range b.times {
		mine := a.times[thread]
		if mine == nil {
			a.times[thread] = t
			continue
		}
		mine.first, mine.last = min(mine.first, t.first), max(mine.last, t.last)
		mine.waiting += t.waiting
		mine.calls += t.calls
		for key, w := range t.waits {
			if m := mine.waits[key]; m != nil {
				m.merge(w)
			} else {
				mine.waits[key] = w
			}
		}
	}
}

// ThreadTime is what a thread's time went to. SeenNs is the sum of the three
// that follow it.
type ThreadTime struct {
	PID       int32  `json:"pid"`
	TID       int32  `json:"tid"`
	Name      string `json:"name"`
	SeenNs    int64  `json:"seen_ns"`    // from its first call to the end of its last
	WaitingNs int64  `json:"waiting_ns"` // in calls that wait for something, see Waits
	CallsNs   int64  `json:"calls_ns"`   // in other calls
	// OutsideNs is the rest: running its own code, or ready to and waiting for
	// a CPU, or in calls that were not recorded or not selected.
	OutsideNs int64  `json:"outside_ns"`
	Waits     []Wait `json:"waits"` // most time first
	File      int    `json:"file,omitempty"`
}

// Wait is what a thread waited for.
type Wait struct {
	For      string `json:"for"`
	Calls    uint64 `json:"calls"`
	TotalNs  int64  `json:"total_ns"`
	MaxNs    int64  `json:"max_ns"`
	MaxEvent uint64 `json:"max_event"`
}

func (a *Analysis) threadTimes() []ThreadTime {
	var out []ThreadTime
	for thread, t := range a.times {
		out = append(out, t.result(thread))
	}
	sort.Slice(out, func(i, j int) bool {
		x, y := &out[i], &out[j]
		switch {
		case x.WaitingNs != y.WaitingNs:
			return x.WaitingNs > y.WaitingNs
		case x.File != y.File:
			return x.File < y.File
		case x.TID != y.TID:
			return x.TID < y.TID
		}
		return x.SeenNs > y.SeenNs
	})
	return out
}

func (t *threadTime) result(thread *world.Thread) ThreadTime {
	r := ThreadTime{
		PID: thread.Process.TGID, TID: thread.TID, Name: thread.Name(), SeenNs: t.last - t.first,
		WaitingNs: t.waiting, CallsNs: t.calls, Waits: []Wait{}, File: t.file,
	}
	r.OutsideNs = max(r.SeenNs-r.WaitingNs-r.CallsNs, 0)
	for key, w := range t.waits {
		r.Waits = append(r.Waits, Wait{key.String(), w.calls, w.total, w.max, w.maxEvent})
	}
	sort.Slice(r.Waits, func(i, j int) bool {
		x, y := &r.Waits[i], &r.Waits[j]
		switch {
		case x.TotalNs != y.TotalNs:
			return x.TotalNs > y.TotalNs
		case x.For != y.For:
			return x.For < y.For
		}
		return x.MaxEvent < y.MaxEvent
	})
	return r
}

// maxWaits is how many of the things a thread waited for are shown.
const maxWaits = 3

func threadTimes(b *strings.Builder, r *Result, o RenderOptions, t term.Options) {
	if len(r.ThreadTimes) == 0 || r.NoDurations {
		return
	}
	section(b, "threads: the shares of time spent waiting, in other calls, and outside calls", t)
	table := term.Table{Indent: "  ", Columns: []term.Column{
		{Title: "seen", Right: true, Optional: 3}, {Title: "waiting", Right: true}, {Title: "calls", Right: true, Optional: 2}, {Title: "outside", Right: true, Optional: 1},
		{Title: "thread"}, {Title: "waited", Right: true}, {Title: "longest", Optional: 1}, {Title: "for", Flex: true},
	}}
	limit, waits := o.limit(tableLines), maxWaits
	if o.Limit < 0 {
		waits = 1 << 30
	}
	for i := range r.ThreadTimes {
		if i == limit {
			break
		}
		x := &r.ThreadTimes[i]
		share := func(ns int64) term.Cell {
			if x.SeenNs == 0 {
				return term.Cell{}
			}
			return term.Cell{Text: term.Percent(float64(ns) / float64(x.SeenNs))}
		}
		row := []term.Cell{{Text: term.Duration(x.SeenNs)}, share(x.WaitingNs), share(x.CallsNs), share(x.OutsideNs),
			{Text: x.Name + "/" + strconv.Itoa(int(x.TID)), Style: term.Bold}, {}, {}, {}}
		for j, w := range x.Waits {
			if j == waits || j > 0 && w.TotalNs*100 < x.WaitingNs { // the rest are crumbs
				break
			}
			if j > 0 {
				row = make([]term.Cell, len(row))
			}
			row[5], row[6], row[7] = term.Cell{Text: term.Duration(w.TotalNs)}, term.Cell{Text: event(w.MaxEvent, x.File), Style: term.Cyan}, term.Cell{Text: w.For}
			table.Rows = append(table.Rows, row)
		}
		if len(x.Waits) == 0 {
			table.Rows = append(table.Rows, row)
		}
	}
	table.Write(b, t)
	more(b, len(r.ThreadTimes), limit, t)
}
