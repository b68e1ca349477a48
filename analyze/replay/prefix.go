package replay

import (
	"slices"
	"strconv"
	"time"

	"sysreel/analyze"
	"sysreel/analyze/format"
	"sysreel/proto/tracefile"
)

// prefix starts a line of a thread at time t: event number, thread and time, as the
// options say. It returns where in the output the line begins.
func (r *Replay) prefix(it *item, tid int32, t int64) int {
	r.endOpen()
	if len(r.out.b) >= outputSize {
		r.out.flush()
	}
	n := len(r.out.b)
	if r.o.Numbers {
		r.say("#")
		if it.num == 0 {
			r.say("?") // it has its number when it ends
		} else {
			r.out.b = strconv.AppendUint(r.out.b, it.num, 10)
		}
		r.say(" ")
	}
	switch {
	case r.o.PIDs == AllPIDs:
		r.pid(it, tid, false)
		r.say(" ")
	case r.o.PIDs == ManyPIDs && r.live > 1:
		r.punct("[")
		r.say("pid ")
		r.pid(it, tid, true)
		r.punct("]")
		r.say(" ")
	}
	if n := len(it.context); n > 0 {
		r.punct("[")
		r.say(it.context[1 : n-1])
		r.punct("]")
		r.say(" ")
	}
	r.clock(t)
	if r.o.CallNumbers {
		r.punct("[")
		from := len(r.out.b)
		r.out.b = strconv.AppendUint(r.out.b, uint64(it.nr), 10)
		r.right(from, 4)
		r.punct("]")
		r.say(" ")
	}
	if r.o.IP {
		r.instruction(it)
	}
	return n
}

// context appends a security context as text, where it is asked for and known.
func (r *Replay) context(dst []byte, c *analyze.Call, of tracefile.SecontextOf, at int32) []byte {
	if r.o.Format.Secontexts == format.NoSecontexts {
		return dst
	}
	if s, ok := c.Event.Secontext(of, at, 0); ok {
		dst = r.f.AppendSecontext(dst, s)
	}
	return dst
}

// ownContext returns that of the event's thread, "" if there is none.
func (r *Replay) ownContext(c *analyze.Call) string {
	var room [64]byte
	return string(r.context(room[:0], c, tracefile.OfThread, 0))
}

// pid writes a thread's ID, five wide, with its name if that is asked for.
func (r *Replay) pid(it *item, tid int32, right bool) {
	from := len(r.out.b)
	r.out.b = strconv.AppendInt(r.out.b, int64(tid), 10)
	if right {
		r.right(from, 5)
	}
	if it.comm != "" {
		r.putName(it.comm)
	}
	if !right {
		for n := r.columns(from); n < 5; n++ {
			r.say(" ")
		}
	}
}

// right moves what was written since from to the right, so that it is as wide.
func (r *Replay) right(from, width int) {
	for len(r.out.b) < from+width {
		r.out.b = slices.Insert(r.out.b, from, ' ')
	}
}

// clock writes the time of day and the time since the line before.
func (r *Replay) clock(t int64) {
	if r.o.Clock != NoClock {
		wall := r.o.Epoch + t
		if r.o.Clock == Epoch {
			r.seconds(wall, 1, r.o.ClockUnit)
		} else {
			r.out.b = time.Unix(0, wall).In(r.o.Zone).AppendFormat(r.out.b, layouts[r.o.ClockUnit])
		}
		r.say(" ")
	}
	if r.o.Relative {
		since := int64(0)
		if r.any {
			since = max(0, t-r.last)
		}
		r.any, r.last = true, t
		if r.o.Clock != NoClock {
			r.say("(+")
			r.seconds(since, 6, r.o.RelativeUnit)
			r.say(") ")
			return
		}
		r.seconds(since, 6, r.o.RelativeUnit)
		r.say(" ")
	}
}

// layouts of the time of day, by Precision.
var layouts = [...]string{Micros: "15:04:05.000000", Seconds: "15:04:05", Millis: "15:04:05.000", Nanos: "15:04:05.000000000"}

// seconds writes ns as seconds with as many digits as the unit asks for, the
// whole ones at least width wide. What is smaller is cut off.
func (r *Replay) seconds(ns int64, width int, unit Precision) {
	whole, part := ns/1e9, ns%1e9
	if part < 0 {
		whole, part = whole-1, part+1e9
	}
	var room [24]byte
	s := strconv.AppendInt(room[:0], whole, 10)
	for i := len(s); i < width; i++ {
		r.out.b = append(r.out.b, ' ')
	}
	r.out.b = append(r.out.b, s...)
	if unit == Seconds {
		return
	}
	var digits [1 + 9]byte
	digits[0] = '.'
	for i := 9; i > 0; i-- {
		digits[i] = '0' + byte(part%10)
		part /= 10
	}
	n := [...]int{Micros: 6, Millis: 3, Nanos: 9}[unit]
	r.out.b = append(r.out.b, digits[:1+n]...)
}
