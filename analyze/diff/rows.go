package diff

import (
	"cmp"
	"slices"
)

// Event is an event as Rows needs to know it.
type Event struct {
	Num  uint64
	Name string // the call, the signal: what makes two events alike that are not compared
	// Unfinished: a call whose end was not seen. It stands opposite a call of its
	// name that ended and has no counterpart.
	Unfinished bool
}

// Rows puts events of the two threads opposite each other: what is compared as
// Steps has it, and between that, by name, what is not. Either list may lack
// events; it must be in order.
func (t *ThreadPair) Rows(good, bad []Event) []Row {
	m := merger{good: good, bad: bad, ids: map[string]symbol{}}
	for r := range t.Steps() {
		m.step(r)
	}
	m.between(len(m.good), len(m.bad))
	m.leaveOut()
	return m.rows
}

// merger makes the rows of all events of two threads.
type merger struct {
	good, bad []Event // what is left
	rows      []Row
	alone     [2][]lone // steps since the last row with both sides
	out       Row       // steps with both sides that were not given
	ids       map[string]symbol
	al        aligner
}

// step takes up the row of a step. One without a counterpart has its place among
// the events that are not compared, and waits for them.
func (m *merger) step(r Row) {
	switch {
	case r.Bad == 0:
		m.alone[goodSide] = await(m.alone[goodSide], m.good, r.Kind, r.Good)
		return
	case r.Good == 0:
		m.alone[badSide] = await(m.alone[badSide], m.bad, r.Kind, r.Bad)
		return
	}
	g, hasGood := before(m.good, r.Good)
	b, hasBad := before(m.bad, r.Bad)
	m.between(g, b)
	if !hasGood {
		m.out.Good++
		r.Good = 0
	}
	if !hasBad {
		m.out.Bad++
		r.Bad = 0
	}
	if !hasGood && !hasBad {
		return
	}
	m.leaveOut()
	m.rows = append(m.rows, r)
	if hasGood {
		m.good = m.good[1:]
	}
	if hasBad {
		m.bad = m.bad[1:]
	}
}

// lone is a step without a counterpart, or a stretch of those that were not
// given.
type lone struct {
	kind RowKind
	num  uint64 // of the first
	left uint64 // how many were not given; kind is LeftOut
	*Event
}

// await appends step num to list; given are the events that there are.
func await(list []lone, given []Event, kind RowKind, num uint64) []lone {
	if _, ok := slices.BinarySearchFunc(given, num, func(e Event, n uint64) int { return cmp.Compare(e.Num, n) }); ok {
		return append(list, lone{kind: kind, num: num})
	}
	if k := len(list); k > 0 && list[k-1].kind == LeftOut {
		list[k-1].left++
		return list
	}
	return append(list, lone{kind: LeftOut, num: num, left: 1})
}

// before returns how many events of list come before number n, and whether n
// itself is in it.
func before(list []Event, n uint64) (int, bool) {
	for i := range list {
		if list[i].Num >= n {
			return i, list[i].Num == n
		}
	}
	return len(list), false
}

// between takes up the next ng and nb events: steps without a counterpart, and
// what is not compared, by name opposite its like.
func (m *merger) between(ng, nb int) {
	good, quietGood := inOrder(m.good[:ng], m.alone[goodSide])
	bad, quietBad := inOrder(m.bad[:nb], m.alone[badSide])
	m.alone[goodSide], m.alone[badSide] = m.alone[goodSide][:0], m.alone[badSide][:0]
	if len(good)+len(bad) > 0 {
		m.leaveOut()
	}
	g, b := 0, 0
	alone := func(toG, toB int) {
		for ; g < toG; g++ {
			m.rows = append(m.rows, Row{good[g].kind, good[g].value(), 0})
		}
		for ; b < toB; b++ {
			m.rows = append(m.rows, Row{bad[b].kind, 0, bad[b].value()})
		}
	}
	upTo := func(toG, toB int) {
		if i, j := stuck(good[g:toG], bad[b:toB]); i >= 0 {
			alone(g+i, b+j)
			m.rows = append(m.rows, Row{Changed, good[g].num, bad[b].num})
			g++
			b++
		}
		alone(toG, toB)
	}
	for _, x := range m.al.align(m.symbols(quietGood), m.symbols(quietBad)) {
		for i := range x.N {
			upTo(quietGood[x.A+i].at, quietBad[x.B+i].at)
			m.rows = append(m.rows, Row{NotCompared, good[g].num, bad[b].num})
			g++
			b++
		}
	}
	upTo(len(good), len(bad))
	m.good, m.bad = m.good[ng:], m.bad[nb:]
}

// stuck finds an unfinished call and the call of its name that has no counterpart
// in the other list; −1 if there is none.
func stuck(good, bad []lone) (int, int) {
	opposite := func(one, other []lone) (int, int) {
		for i, x := range one {
			if x.Event == nil || !x.Unfinished {
				continue
			}
			for j, y := range other {
				if y.Event != nil && y.kind != NotCompared && y.Name == x.Name {
					return i, j
				}
			}
		}
		return -1, -1
	}
	if j, i := opposite(bad, good); i >= 0 {
		return i, j
	}
	return opposite(good, bad)
}

// value is what a row says of it: its number, or how many there are.
func (l *lone) value() uint64 {
	if l.kind == LeftOut {
		return l.left
	}
	return l.num
}

// quietEvent is an event that is not compared, and its place among all.
type quietEvent struct {
	name string
	at   int
}

// inOrder puts events and the steps among them in order, and tells what is not
// compared.
func inOrder(events []Event, steps []lone) (all []lone, quiet []quietEvent) {
	for i := range events {
		e := &events[i]
		for len(steps) > 0 && steps[0].num < e.Num {
			all = append(all, steps[0])
			steps = steps[1:]
		}
		if len(steps) > 0 && steps[0].num == e.Num {
			steps[0].Event = &events[i]
			all = append(all, steps[0])
			steps = steps[1:]
			continue
		}
		quiet = append(quiet, quietEvent{e.Name, len(all)})
		all = append(all, lone{kind: NotCompared, num: e.Num, Event: e})
	}
	return append(all, steps...), quiet
}

func (m *merger) symbols(list []quietEvent) []symbol {
	out := make([]symbol, len(list))
	for i := range list {
		id, ok := m.ids[list[i].name]
		if !ok {
			id = symbol(len(m.ids) + 1)
			m.ids[list[i].name] = id
		}
		out[i] = id
	}
	return out
}

// leaveOut notes steps that were not given.
func (m *merger) leaveOut() {
	if m.out.Good+m.out.Bad > 0 {
		m.out.Kind = LeftOut
		m.rows = append(m.rows, m.out)
		m.out = Row{}
	}
}
