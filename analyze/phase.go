package analyze

import "time"

// Phases keeps a T for each of the equal parts that the time of a trace is
// divided into: at most maxPhases, whose width grows with the trace, from 1 ms
// by turns twofold and fivefold. As a width is a multiple of those before, Phases
// of parts of a trace merge exactly. It is not safe for concurrent use.
type Phases[T any] struct {
	merge  func(into, from *T)
	widths int // how often the width has grown
	parts  []*T
}

const (
	maxPhases  = 24
	firstPhase = int64(time.Millisecond)
)

// NewPhases returns empty Phases; merge adds the second to the first.
func NewPhases[T any](merge func(into, from *T)) *Phases[T] {
	return &Phases[T]{merge: merge}
}

// width returns the width of a phase, ns, and by what it grows next.
func (p *Phases[T]) width() (ns, grows int64) {
	ns, grows = firstPhase, 2
	for range p.widths {
		ns *= grows
		grows = 7 - grows // 2, 5, 2, …
	}
	return ns, grows
}

// At returns the T of the phase that a moment is in, ns from the trace's
// beginning; what is before that counts as at it.
func (p *Phases[T]) At(ns int64) *T {
	width, _ := p.width()
	i := max(ns, 0) / width
	for i >= maxPhases {
		_, by := p.width()
		p.grow()
		i /= by
	}
	for int64(len(p.parts)) <= i {
		p.parts = append(p.parts, nil)
	}
	if p.parts[i] == nil {
		p.parts[i] = new(T)
	}
	return p.parts[i]
}

func (p *Phases[T]) grow() {
	_, by := p.width()
	old := p.parts
	p.parts = nil
	p.widths++
	for i, part := range old {
		p.put(i/int(by), part)
	}
}

func (p *Phases[T]) put(i int, part *T) {
	for len(p.parts) <= i {
		p.parts = append(p.parts, nil)
	}
	switch {
	case part == nil:
	case p.parts[i] == nil:
		p.parts[i] = part
	default:
		p.merge(p.parts[i], part)
	}
}

// Merge adds the phases of o, which is not to be used any more.
func (p *Phases[T]) Merge(o *Phases[T]) {
	for p.widths < o.widths {
		p.grow()
	}
	for o.widths < p.widths {
		o.grow()
	}
	for i, part := range o.parts {
		p.put(i, part)
	}
}

// Each calls fn with every phase [from, to) in which something was, in order.
func (p *Phases[T]) Each(fn func(from, to int64, part *T)) {
	width, _ := p.width()
	for i, part := range p.parts {
		if part != nil {
			fn(int64(i)*width, int64(i+1)*width, part)
		}
	}
}
