package replay

import (
	"cmp"
	"slices"

	"sysreel/analyze/paint"
)

// merge writes the items in order of time: a call has two moments, its
// beginning and its end.
func (r *Replay) merge() {
	r.starts = r.starts[:0]
	sorted := true
	for i := range r.items {
		it := &r.items[i]
		if it.begun || it.whole || it.single() {
			continue
		}
		if n := len(r.starts); n > 0 && it.start < r.items[r.starts[n-1]].start {
			sorted = false
		}
		r.starts = append(r.starts, int32(i))
	}
	if !sorted {
		slices.SortStableFunc(r.starts, func(a, b int32) int {
			return cmp.Compare(r.items[a].start, r.items[b].start)
		})
	}
	next := 0
	for i := range r.items {
		it := &r.items[i]
		if it.kind == inFlightItem {
			continue
		}
		for ; next < len(r.starts); next++ {
			b := &r.items[r.starts[next]]
			if b.start >= it.end && (it.begun || it.whole || it.single()) {
				break
			}
			r.begin(b)
		}
		r.end(it)
	}
	for ; next < len(r.starts); next++ {
		b := &r.items[r.starts[next]]
		r.begin(b)
	}
	for i := range r.items {
		if it := &r.items[i]; it.kind == inFlightItem {
			r.waiting[it.thread] = it.start
		}
	}
	r.items, r.text = r.items[:0], r.text[:0]
}

// open says which call's line has not been ended.
type open struct {
	is     bool
	call   key
	column int
}

// key tells the calls of a trace apart: a thread makes one at a time.
type key struct {
	thread uint32
	start  int64
}

func (it *item) key() key { return key{uint32(it.thread), it.start} }

// begin writes what is known of a call at its beginning. The line stays open.
func (r *Replay) begin(it *item) {
	it.begun = true
	n := r.prefix(it, it.began, it.start)
	r.putCall(it, it.from, it.enter)
	r.open = open{true, it.key(), r.columns(n)}
}

// end writes the rest of a call, or a line of its own.
func (r *Replay) end(it *item) {
	switch it.kind {
	case startItem, leaveItem:
		if it.kind == startItem {
			r.live++
		} else {
			r.live--
		}
		r.put(it.from, it.result)
		return
	case cutItem:
		r.say(it.note)
		if it.whole {
			r.begin(it)
		}
		if r.open.is && r.open.call == it.key() {
			r.open.is = false
			r.say(it.cut) // and no more, even with colours
			r.say("\n")
			r.written++
		}
		return
	case lineItem, exitItem:
		if it.from < it.result {
			r.prefix(it, it.tid, it.end)
			r.putLine(it)
			r.stack(it.stack)
		}
		if it.kind == exitItem {
			r.live--
		}
		return
	}
	if it.whole {
		r.begin(it)
	}
	var column int
	if r.open.is && r.open.call == it.key() {
		n := len(r.out.b)
		r.rest(it)
		column = r.open.column + r.columns(n)
		r.open.is = false
	} else {
		n := r.prefix(it, it.tid, it.end)
		r.say("<... ")
		r.put(it.from, it.name)
		r.say(" resumed>")
		r.rest(it)
		column = r.columns(n)
	}
	for ; column < r.o.Column-1; column++ {
		r.out.b = append(r.out.b, ' ')
	}
	r.putResult(it)
	r.newline()
	if it.dump > it.result && it.kind == callItem {
		r.put(it.result, it.dump)
	}
	r.stack(it.stack)
	r.put(it.dump, it.states)
}

// rest writes the arguments that were not known at the beginning, and the
// closing parenthesis.
func (r *Replay) rest(it *item) {
	switch {
	case it.kind == lastItem && it.more:
		r.say(" <unfinished ...>")
	default:
		r.putCall(it, it.enter, it.call)
	}
	if r.o.Paint != nil {
		r.out.b = r.o.Paint.End(r.out.b)
		return
	}
	r.say(")")
}

// endOpen ends the line of a call that is still running.
func (r *Replay) endOpen() {
	if r.open.is {
		r.open.is = false
		r.say(" <unfinished ...>")
		r.newline()
	}
}

func (r *Replay) newline() {
	if r.o.Paint != nil {
		r.say(paint.Reset)
	}
	r.out.b = append(r.out.b, '\n')
	r.written++
}
