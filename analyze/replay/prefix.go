package replay

import (
	"strconv"
	"time"
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
	if r.o.PIDs {
		from := len(r.out.b)
		r.out.b = strconv.AppendInt(r.out.b, int64(tid), 10)
		for len(r.out.b) < from+5 {
			r.say(" ")
		}
		r.say(" ")
	}
	r.clock(t)
	return n
}

// clock writes the time of day and the time since the line before.
func (r *Replay) clock(t int64) {
	if r.o.Clock != NoClock {
		wall := r.o.Epoch + t
		switch r.o.Clock {
		case Epoch:
			r.seconds(wall, 1)
		default:
			at := time.Unix(0, wall).In(r.o.Zone)
			layout := "15:04:05"
			if r.o.Clock == Micros {
				layout = "15:04:05.000000"
			}
			r.out.b = at.AppendFormat(r.out.b, layout)
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
			r.seconds(since, 6)
			r.say(") ")
			return
		}
		r.seconds(since, 6)
		r.say(" ")
	}
}

// seconds writes ns as seconds with microseconds, the whole ones at least
// width wide.
func (r *Replay) seconds(ns int64, width int) {
	us := ns / 1000
	whole, micro := us/1e6, us%1e6
	if micro < 0 {
		whole, micro = whole-1, micro+1e6
	}
	var room [24]byte
	s := strconv.AppendInt(room[:0], whole, 10)
	for i := len(s); i < width; i++ {
		r.out.b = append(r.out.b, ' ')
	}
	r.out.b = append(append(r.out.b, s...), '.')
	for div := int64(100000); div > 0; div /= 10 {
		r.out.b = append(r.out.b, '0'+byte(micro/div%10))
	}
}
