package page

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"sync"

	"sysreel/analyze"
	"sysreel/analyze/diff"
	"sysreel/analyze/format"
	"sysreel/analyze/info"
	"sysreel/analyze/latency"
	"sysreel/analyze/term"
)

// builder gathers what is on a page.
type builder struct {
	o Options
	r *diff.Result
	d *diff.Detail

	// Of the first good and the first bad run.
	wants   [2]wants
	threads [2]map[*diff.Thread]*thread
	left    [2]uint64 // events that are not in the page
	texts   texts
	latency [2]*latency.Result
	clock   [2]bool // it is known when things happened

	chunks [][]byte
	model  Model
	around [][]ContextRow // of each finding: its row among others
	at     [2]map[uint64]place
}

// thread is what the page has of a thread.
type thread struct {
	events []event
}

// event is an event in the page.
type event struct {
	num      uint64
	name     uint32 // in builder.texts
	atLeast  bool   // its end was not seen
	text     uint32
	start    int64 // ns since the beginning of the run
	duration int64 // ns, −1 of what takes no time
}

// texts are distinct strings.
type texts struct {
	list []string
	ids  map[string]uint32
}

func (t *texts) id(s string) uint32 {
	id, ok := t.ids[s]
	if !ok {
		if t.ids == nil {
			t.ids = map[string]uint32{}
		}
		id = uint32(len(t.list))
		t.list = append(t.list, s)
		t.ids[s] = id
	}
	return id
}

// Bounds on a text, in bytes: of a buffer, and in all.
const (
	maxString = 128
	maxText   = 1000
)

const goodSide, badSide = 0, 1

// inFlight is where the numbers of events begin that have none: calls in
// flight at the end.
const inFlight = uint64(1) << 52

// read passes over the two traces.
func (b *builder) read(ctx context.Context) error {
	b.choose()
	for side, s := range []diff.Source{b.o.Good[0], b.o.Bad[0]} {
		if err := b.readRun(ctx, side, s); err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
	}
	return nil
}

// readRun passes over a trace.
func (b *builder) readRun(ctx context.Context, side int, s diff.Source) error {
	t, err := s.Open()
	if err != nil {
		return err
	}
	defer t.Close()
	b.threads[side] = map[*diff.Thread]*thread{}
	b.at[side] = map[uint64]place{}
	r := &runReader{builder: b, side: side, format: format.New(format.Options{Strings: maxString}),
		times: latency.New(t.Header(), latency.Options{}), timed: !t.Header().GetNoDurations(), flying: inFlight}
	defer r.times.Close()
	o := analyze.Options{Filter: b.o.Filter, Need: analyze.NeedWorld, Workers: b.o.Workers}
	if b.o.Progress != nil {
		o.Progress = func(events uint64, share float64) { b.o.Progress(s.Name, events, share) }
	}
	err = analyze.Run(ctx, t.Reader, o, func(c *analyze.Call) error {
		r.add(c)
		return nil
	})
	if err != nil {
		return err
	}
	if r.timed {
		b.latency[side] = r.times.Result()
	}
	b.clock[side] = !t.Header().GetNoClock()
	return nil
}

// runReader takes up the events of a run.
type runReader struct {
	*builder
	side   int
	format *format.Formatter
	times  *latency.Analysis
	timed  bool
	seen   bool
	first  int64  // ns, when the first event began
	flying uint64 // number of the latest event without one
}

func (r *runReader) add(c *analyze.Call) {
	if !r.seen {
		r.first, r.seen = c.Start, true
	}
	r.times.Add(c)
	t := r.d.Find(r.side == badSide, c)
	if t == nil {
		return
	}
	num := c.Num
	if num == 0 {
		r.flying++
		num = r.flying
	}
	if !r.wants[r.side].has(t, num) {
		r.left[r.side]++
		return
	}
	th := r.threads[r.side][t]
	if th == nil {
		th = &thread{}
		r.threads[r.side][t] = th
	}
	e := event{num: num, start: c.Start - r.first, duration: -1}
	if c.IsCall() && c.Returns() {
		e.atLeast = c.AtLeast()
		if r.timed {
			e.duration = c.Duration()
		}
	}
	text := diff.Describe(r.format, c)
	if len(text) > maxText {
		text = text[:maxText] + "…"
	}
	e.name, e.text = r.texts.id(nameOf(c)), r.texts.id(term.Safe(text))
	th.events = append(th.events, e)
}

// nameOf tells events apart that are not compared.
func nameOf(c *analyze.Call) string {
	if c.IsCall() {
		return c.Name
	}
	return strconv.Itoa(int(c.Kind)) + " " + c.Name
}

// wants says which events of a run the page is to have.
type wants struct {
	all    bool
	named  map[uint64]bool // that a finding names
	ranges map[*diff.Thread][]span
}

// span is events from … to of a thread.
type span struct{ from, to uint64 }

// maxGap bounds, by their numbers, the events between two calls that come along
// with these, where not all are wanted.
const maxGap = 40

// has reports whether the page is to have the event, which is the next of its
// thread.
func (w *wants) has(t *diff.Thread, num uint64) bool {
	if w.all || w.named[num] || num > inFlight {
		return true
	}
	list := w.ranges[t]
	for len(list) > 0 && list[0].to < num {
		list = list[1:]
	}
	w.ranges[t] = list
	return len(list) > 0 && num >= list[0].from
}

// Calls kept around a difference, and around what a finding names, where not all
// events fit in.
const (
	aroundDifference = 20
	aroundFinding    = 200
)

// choose decides which events the page is to have: all if they fit in, else
// those near what findings name, then those near differences, in order, until
// it is full.
func (b *builder) choose() {
	total := b.r.Good[0].Events + b.r.Bad[0].Events
	named := b.named()
	for side := range b.wants {
		b.wants[side] = wants{all: total <= uint64(b.o.MaxEvents), named: named[side], ranges: map[*diff.Thread][]span{}}
	}
	if b.wants[goodSide].all {
		return
	}
	room := b.o.MaxEvents
	b.pick(aroundFinding, &room, func(r diff.Row) bool { return named[goodSide][r.Good] || named[badSide][r.Bad] })
	b.pick(aroundDifference, &room, func(r diff.Row) bool { return r.Kind.Differs() })
	for side := range b.wants {
		for t, list := range b.wants[side].ranges {
			b.wants[side].ranges[t] = join(list)
		}
	}
}

// pick wants the rows for which is says so, and around others before and after,
// as long as there is room.
func (b *builder) pick(around int, room *int, is func(diff.Row) bool) {
	for _, p := range b.d.Processes {
		for _, t := range p.Threads {
			var window []diff.Row // the latest, at most around
			after := 0
			for r := range t.Steps() {
				if *room <= 0 {
					return
				}
				switch {
				case is(r):
					for _, x := range window {
						b.want(t, x, room)
					}
					window = window[:0]
					b.want(t, r, room)
					after = around
				case after > 0:
					b.want(t, r, room)
					after--
				default:
					if len(window) == around {
						copy(window, window[1:])
						window = window[:around-1]
					}
					window = append(window, r)
				}
			}
		}
	}
}

// want wants the events of a row, and a few between it and the one before.
func (b *builder) want(t *diff.ThreadPair, r diff.Row, room *int) {
	for side, x := range []struct {
		t *diff.Thread
		n uint64
	}{{t.Good, r.Good}, {t.Bad, r.Bad}} {
		if x.n == 0 {
			continue
		}
		list := b.wants[side].ranges[x.t]
		if k := len(list); k > 0 && x.n >= list[k-1].to && x.n-list[k-1].to <= maxGap {
			*room -= int(x.n - list[k-1].to)
			list[k-1].to = x.n
		} else {
			*room--
			list = append(list, span{x.n, x.n})
		}
		b.wants[side].ranges[x.t] = list
	}
}

// join sorts spans and joins those that touch.
func join(list []span) []span {
	slices.SortFunc(list, func(x, y span) int {
		if x.from < y.from {
			return -1
		}
		return 1
	})
	out := list[:0]
	for _, s := range list {
		if k := len(out); k > 0 && s.from <= out[k-1].to+1 {
			out[k-1].to = max(out[k-1].to, s.to)
		} else {
			out = append(out, s)
		}
	}
	return out
}

var eventNumber = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`#([0-9]+)$`) })

// named lists the events that findings name: their evidence, and in the bad run
// what their consequences end with.
func (b *builder) named() (out [2]map[uint64]bool) {
	out = [2]map[uint64]bool{{}, {}}
	for i := range b.r.Findings {
		f := &b.r.Findings[i]
		if f.Good != nil {
			out[goodSide][f.Good.Event] = true
		}
		if f.Bad != nil {
			out[badSide][f.Bad.Event] = true
		}
		for _, c := range f.Consequences {
			if n := numberIn(c); n != 0 {
				out[badSide][n] = true
			}
		}
	}
	return out
}

// numberIn returns the event that a consequence ends with, 0 if none.
func numberIn(s string) uint64 {
	if m := eventNumber().FindStringSubmatch(s); m != nil {
		n, _ := strconv.ParseUint(m[1], 10, 64)
		return n
	}
	return 0
}

// recordings tells of each run what is known of its trace.
func (b *builder) recordings() ([]Recording, error) {
	var out []Recording
	for side, list := range [][]diff.Source{b.o.Good, b.o.Bad} {
		for _, s := range list {
			t, err := s.Open()
			if err != nil {
				return nil, err
			}
			x, err := info.Read(s.Name, t.Reader)
			if err := errors.Join(err, t.Close()); err != nil {
				return nil, fmt.Errorf("%s: %w", s.Name, err)
			}
			out = append(out, Recording{Side: sides[side], File: term.Safe(s.Name), State: x.State, Lines: x.Lines()})
		}
	}
	return out, nil
}

var sides = [2]string{"good", "bad"}
