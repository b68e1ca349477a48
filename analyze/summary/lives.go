package summary

import (
	"sysreel/proto/tracefile"
	"sysreel/proto/world"
)

// lives are the spans of threads that ended, without the threads: a trace may have
// hundreds of thousands.
type lives []life

type life struct {
	id tracefile.ThreadID
	span
}

// lived lets go of a thread that ends.
func (a *Analysis) lived(t *world.Thread) {
	a.lives = append(a.lives, life{t.ID, *a.threads[t]})
	delete(a.threads, t)
	a.recent[t.ID%64] = recentThread{}
}

// maxLate is behind how many other ends the events of a thread that ended are
// looked for; a trace that is whole has none.
const maxLate = 512

// resume takes a thread that ended back, which has an event after all.
func (l *lives) resume(id tracefile.ThreadID, s *span) {
	all := *l
	for i := len(all) - 1; i >= max(0, len(all)-maxLate); i-- {
		if all[i].id == id {
			s.join(all[i].span)
			*l = append(all[:i], all[i+1:]...)
			return
		}
	}
}

func (s *span) join(o span) {
	s.first, s.last = min(s.first, o.first), max(s.last, o.last)
}

// mergeSpans adds the spans of another part of the same trace.
func (a *Analysis) mergeSpans(b *Analysis) {
	if b.first >= 0 && (a.first < 0 || b.first < a.first) {
		a.first = b.first
	}
	a.last = max(a.last, b.last)
	ended := make(map[tracefile.ThreadID]int, len(a.lives)+len(b.lives))
	for i := range a.lives {
		ended[a.lives[i].id] = i
	}
	for _, l := range b.lives {
		if i, ok := ended[l.id]; ok {
			a.lives[i].join(l.span)
		} else {
			ended[l.id] = len(a.lives)
			a.lives = append(a.lives, l)
		}
	}
	for t, s := range a.threads {
		if i, ok := ended[t.ID]; ok {
			a.lives[i].join(*s)
			delete(a.threads, t)
		}
	}
	a.recent = [64]recentThread{}
	for t, s := range b.threads {
		if i, ok := ended[t.ID]; ok {
			a.lives[i].join(*s)
		} else if mine := a.threads[t]; mine != nil {
			mine.join(*s)
		} else {
			a.threads[t] = s
		}
	}
}
