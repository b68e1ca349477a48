package analyze

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
)

// Filter selects calls. The zero Filter lets everything through; conditions are
// joined by and, values of one condition by or. Trace, Failed, Errnos, MinLatency
// and Paths concern system calls only: signals, execs, starts and ends of the
// selected threads pass, as they do with strace.
type Filter struct {
	Trace      string // the SET of -e trace=SET; "" is all
	PIDs       []int32
	TIDs       []int32
	Paths      []string // globs (** crosses directories) over Call.Paths
	Failed     bool
	Errnos     []string      // names or numbers
	MinLatency time.Duration // also of unfinished calls: they last at least so long
	From, To   Point         // calls that overlap the range; both ends count
}

// ErrFilter is in every error about a filter that cannot be understood.
var ErrFilter = errors.New("invalid filter")

// Point is a place in a trace: nothing (the zero Point), an event number, a time
// since the start of the recording, or a wall-clock time.
type Point struct {
	kind  pointKind
	event uint64
	since time.Duration
	wall  time.Time // day zero: the day on which the recording began
}

type pointKind uint8

const (
	noPoint pointKind = iota
	atEvent
	atOffset
	atTime  // with date and zone
	atLocal // date in the recording machine's zone
	atClock // time of day in the recording machine's zone
)

// IsZero reports whether p says nothing.
func (p Point) IsZero() bool { return p.kind == noPoint }

// timed reports whether p is a moment.
func (p Point) timed() bool { return p.kind != noPoint && p.kind != atEvent }

// Event returns the event number if p is one.
func (p Point) Event() (uint64, bool) { return p.event, p.kind == atEvent }

// ParsePoint understands "#123" (an event), "1.5", "1.5s", "250ms", "2m" (since
// the start; a bare number is in seconds), and wall-clock times: "15:04",
// "15:04:05.123" and "2006-01-02 15:04:05" as on the recording machine, and RFC
// 3339 with a zone.
func ParsePoint(s string) (Point, error) {
	if s == "" {
		return Point{}, nil
	}
	if num, ok := strings.CutPrefix(s, "#"); ok {
		n, err := strconv.ParseUint(num, 10, 64)
		if err != nil || n == 0 {
			return Point{}, fmt.Errorf("%w: %q is not an event number; they look like #1", ErrFilter, s)
		}
		return Point{kind: atEvent, event: n}, nil
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil && f >= 0 && f < 1e9 {
		return Point{kind: atOffset, since: time.Duration(f * 1e9)}, nil
	}
	if d, err := time.ParseDuration(s); err == nil && d >= 0 {
		return Point{kind: atOffset, since: d}, nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00"} {
		if t, err := time.Parse(layout, s); err == nil {
			return Point{kind: atTime, wall: t}, nil
		}
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil { // fractions are accepted after seconds
			return Point{kind: atLocal, wall: t}, nil
		}
	}
	for _, layout := range []string{"15:04:05", "15:04"} {
		if t, err := time.Parse(layout, s); err == nil {
			return Point{kind: atClock, wall: t}, nil
		}
	}
	return Point{}, fmt.Errorf("%w: %q is not a point in a trace; use an offset (1.5s), a time (15:04:05) or an event (#123)", ErrFilter, s)
}

// resolve returns the point as ns of the trace's monotonic clock.
func (p Point) resolve(c *tracepb.Clock) int64 {
	zone := time.FixedZone(c.GetZone(), int(c.GetUtcOffsetS()))
	began := time.Unix(0, c.GetRealtimeNs()).In(zone)
	at := p.wall
	switch p.kind {
	case atOffset:
		return c.GetMonotonicNs() + int64(p.since)
	case atLocal:
		at = time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), at.Nanosecond(), zone)
	case atClock:
		at = time.Date(began.Year(), began.Month(), began.Day(), at.Hour(), at.Minute(), at.Second(), at.Nanosecond(), zone)
		if at.Before(began.Add(-12 * time.Hour)) { // the recording crossed midnight
			at = at.AddDate(0, 0, 1)
		}
	}
	return c.GetMonotonicNs() + at.Sub(began).Nanoseconds()
}

// Check returns an error if the filter cannot be understood.
func (f *Filter) Check() error {
	_, err := f.compile(&tracepb.Header{})
	return err
}

// matcher is a Filter made ready for one trace.
type matcher struct {
	set        *syscalls.Set
	pids, tids map[int32]bool
	globs      []string
	errnos     map[int]bool
	failed     bool
	minLatency int64

	firstEvent, lastEvent uint64 // inclusive; lastEvent 0: no end
	firstTime, lastTime   int64  // inclusive
	fromTime, toTime      bool   // firstTime, lastTime are set
}

func (f *Filter) compile(h *tracepb.Header) (*matcher, error) {
	switch {
	case f.MinLatency > 0 && h.GetNoDurations():
		return nil, fmt.Errorf("%w: --min-latency: the log that the trace was made from has no durations (strace -T)", ErrFilter)
	case h.GetNoClock() && (f.From.timed() || f.To.timed()):
		return nil, fmt.Errorf("%w: --from, --to: the log that the trace was made from has no times (strace -ttt); use event numbers", ErrFilter)
	}
	m := &matcher{failed: f.Failed, minLatency: int64(f.MinLatency), globs: f.Paths}
	if f.Trace != "" {
		set, err := syscalls.ParseSet(f.Trace)
		if err != nil {
			return nil, fmt.Errorf("%w: -e trace=%s: %w", ErrFilter, f.Trace, err)
		}
		m.set = set
	}
	m.pids, m.tids = setOf(f.PIDs), setOf(f.TIDs)
	for _, g := range f.Paths {
		if !doublestar.ValidatePattern(g) {
			return nil, fmt.Errorf("%w: --path %q is not a valid pattern", ErrFilter, g)
		}
	}
	for _, name := range f.Errnos {
		n, ok := syscalls.ErrnoByName(name)
		if !ok {
			v, err := strconv.Atoi(name)
			if err != nil || v <= 0 || v > 4095 {
				return nil, fmt.Errorf("%w: --errno %q is not an error number or name such as ENOENT", ErrFilter, name)
			}
			n = v
		}
		if m.errnos == nil {
			m.errnos = make(map[int]bool)
		}
		m.errnos[n] = true
	}
	if f.MinLatency < 0 {
		return nil, fmt.Errorf("%w: --min-latency %v is negative", ErrFilter, f.MinLatency)
	}
	switch n, isEvent := f.From.Event(); {
	case isEvent:
		m.firstEvent = n
	case !f.From.IsZero():
		m.firstTime, m.fromTime = f.From.resolve(h.GetClock()), true
	}
	switch n, isEvent := f.To.Event(); {
	case isEvent:
		m.lastEvent = n
	case !f.To.IsZero():
		m.lastTime, m.toTime = f.To.resolve(h.GetClock()), true
	}
	if m.lastEvent != 0 && m.lastEvent < m.firstEvent || m.fromTime && m.toTime && m.lastTime < m.firstTime {
		return nil, fmt.Errorf("%w: --to lies before --from", ErrFilter)
	}
	return m, nil
}

func setOf(ids []int32) map[int32]bool {
	if len(ids) == 0 {
		return nil
	}
	m := make(map[int32]bool, len(ids))
	for _, id := range ids {
		m[id] = true
	}
	return m
}

// thread reports whether the events of a thread are wanted.
func (m *matcher) thread(t tracefile.Thread) bool {
	return (m.pids == nil || m.pids[t.TGID]) && (m.tids == nil || m.tids[t.TID])
}

// result reports whether a call with these core columns is wanted.
func (m *matcher) result(e *tracefile.Event) bool {
	if m.minLatency > 0 && e.End-e.Start < m.minLatency {
		return false
	}
	if !m.failed && m.errnos == nil {
		return true
	}
	errno := e.Errno()
	return errno != 0 && (m.errnos == nil || m.errnos[errno])
}

// picky reports whether row looks at anything.
func (m *matcher) picky() bool {
	return m.fromTime || m.toTime || m.minLatency > 0 || m.failed || m.errnos != nil
}

// row reports whether result, duration and times of a call in a row of a block
// are wanted. What it lets through may still be out of the range of events.
func (m *matcher) row(c *tracefile.Columns, i int, kind tracefile.Kind) bool {
	if m.fromTime && c.End[i] < m.firstTime || m.toTime && c.Start[i] > m.lastTime {
		return false
	}
	e := tracefile.Event{Kind: kind, Flags: c.Flags[i], Start: c.Start[i], End: c.End[i], Ret: c.Ret[i]}
	return m.result(&e)
}

// path reports whether one of the paths is wanted.
func (m *matcher) path(paths []string) bool {
	for _, g := range m.globs {
		for _, p := range paths {
			if doublestar.MatchUnvalidated(g, p) {
				return true
			}
		}
	}
	return false
}

// within reports whether the event overlaps the wanted range.
func (m *matcher) within(e *tracefile.Event) bool {
	if m.fromTime && e.End < m.firstTime || m.toTime && e.Start > m.lastTime {
		return false
	}
	return e.Num == 0 || e.Num >= m.firstEvent && (m.lastEvent == 0 || e.Num <= m.lastEvent)
}
