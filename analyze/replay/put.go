package replay

import "sysreel/analyze/paint"

// Each piece of a line is written with colours or without.

func (r *Replay) put(from, to int32) { r.out.b = append(r.out.b, r.text[from:to]...) }
func (r *Replay) say(s string)       { r.out.b = append(r.out.b, s...) }

// columns returns how wide what was written since from is.
func (r *Replay) columns(from int) int {
	if r.o.Paint == nil {
		return len(r.out.b) - from
	}
	return paint.Columns(r.out.b[from:])
}

// putCall writes a part of a call.
func (r *Replay) putCall(it *item, from, to int32) {
	if r.o.Paint == nil {
		r.put(from, to)
		return
	}
	r.out.b = r.o.Paint.Call(r.out.b, r.text[it.from:it.call], int(from-it.from), int(to-it.from))
	if from == it.from { // whatever else is written while the call runs
		r.say(paint.Reset)
	}
}

// putResult writes what a call returned, and how long it took.
func (r *Replay) putResult(it *item) {
	timed := r.o.Durations && it.kind == callItem
	if r.o.Paint == nil {
		r.say(" = ")
		r.put(it.call, it.result)
		if timed {
			r.say(" <")
			r.took(it)
			r.say(">")
		}
		return
	}
	r.say(" ")
	r.out.b = r.o.Paint.Result(r.out.b, r.text[it.call:it.result])
	if timed {
		r.out.b = r.o.Paint.Next(r.out.b)
		r.punct("<")
		r.took(it)
		r.punct(">")
	}
	r.say(paint.Reset)
}

func (r *Replay) took(it *item) { r.seconds(max(0, it.end-it.start), 1, r.o.DurationUnit) }

// putLine writes a line of its own, with its end. Of strace's, those about
// personalities have no colours.
func (r *Replay) putLine(it *item) {
	text := r.text[it.from:it.result]
	if r.o.Paint == nil || text[0] == '[' {
		r.out.b = append(append(r.out.b, text...), '\n')
		r.written++
		return
	}
	r.out.b = r.o.Paint.Line(r.out.b, text)
	r.newline()
}

// putName writes the name of a thread behind its ID.
func (r *Replay) putName(comm string) {
	if r.o.Paint == nil {
		r.out.b = r.f.AppendName(r.out.b, []byte(comm), "")
		return
	}
	r.out.b = r.o.Paint.Line(r.out.b, r.f.AppendName(nil, []byte(comm), ""))
}

// punct writes punctuation.
func (r *Replay) punct(s string) {
	if r.o.Paint == nil {
		r.say(s)
		return
	}
	r.out.b = r.o.Paint.Punct(r.out.b, s)
}
