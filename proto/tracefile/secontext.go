package tracefile

import (
	"sort"

	"google.golang.org/protobuf/encoding/protowire"
)

// Secontext is the security context of something that an event shows, as SELinux
// has it: "system_u:object_r:etc_t:s0".
type Secontext struct {
	Of  SecontextOf
	At  int32  // which descriptor, or the index in Event.Bufs
	Off uint32 // of a path in the piece of memory
	// Context is as the kernel gave it, perhaps with a newline behind it.
	Context string
	// Expected is what it is to be by the policy, where that was asked for and is
	// another; "??": it could not be told.
	Expected string
}

// SecontextOf says what a Secontext is of.
type SecontextOf uint8

// The numbers are part of the file format: never renumber.
const (
	OfThread  SecontextOf = 0 // the event's
	OfFD      SecontextOf = 1 // a descriptor, at the begin of the call
	OfFDAfter SecontextOf = 2 // a descriptor, when the call has returned
	OfPath    SecontextOf = 3 // the file that a path in memory names, when that was copied
)

// Secontext returns the security context of something; false if it is not there.
func (e *Event) Secontext(of SecontextOf, at int32, off uint32) (*Secontext, bool) {
	for i := range e.Secontexts {
		if s := &e.Secontexts[i]; s.Of == of && s.At == at && s.Off == off {
			return s, true
		}
	}
	return nil, false
}

// secontextBuilder collects the security contexts of a block.
type secontextBuilder struct {
	contexts []string
	index    map[string]uint64 // in contexts
	last     uint64            // row of the last entry
	// columns, by number of field
	columns [secontextsExpected + 1][]uint64
}

func (b *secontextBuilder) reset() {
	b.contexts, b.last = b.contexts[:0], 0
	clear(b.index)
	for i := range b.columns {
		b.columns[i] = b.columns[i][:0]
	}
}

// add appends the entries of a row and returns about what they weigh in bytes, and
// how many contexts are new.
func (b *secontextBuilder) add(row int, list []Secontext) (bytes, fresh int) {
	known := len(b.contexts)
	for i := range list {
		s := &list[i]
		expected := uint64(0)
		if s.Expected != "" {
			expected = b.place(s.Expected) + 1
		}
		for field, v := range [...]uint64{
			secontextsRow: uint64(row) - b.last, secontextsOf: uint64(s.Of), secontextsAt: zigzag(int64(s.At)),
			secontextsOffset: uint64(s.Off), secontextsValue: b.place(s.Context), secontextsExpected: expected,
		} {
			b.columns[field] = append(b.columns[field], v)
		}
		b.last = uint64(row)
	}
	bytes = secontextBytes * len(list)
	for _, c := range b.contexts[known:] {
		bytes += len(c)
	}
	return bytes, len(b.contexts) - known
}

// secontextBytes is about what an entry weighs.
const secontextBytes = 8

// place returns the index of a context.
func (b *secontextBuilder) place(context string) uint64 {
	i, ok := b.index[context]
	if !ok {
		if b.index == nil {
			b.index = make(map[string]uint64)
		}
		i = uint64(len(b.contexts))
		b.contexts = append(b.contexts, context)
		b.index[context] = i
	}
	return i
}

// Field numbers of Detail and Secontexts.
const (
	detailSecontexts = 50

	secontextsContext  = 1
	secontextsEntries  = 2
	secontextsRow      = 3
	secontextsOf       = 4
	secontextsAt       = 5
	secontextsOffset   = 6
	secontextsValue    = 7
	secontextsExpected = 8
)

// secontexts appends the Secontexts message.
func (n *encoder) secontexts(dst []byte, b *secontextBuilder) []byte {
	entries := len(b.columns[secontextsRow])
	if entries == 0 {
		return dst
	}
	cut := len(n.column.cuts)
	m := n.table[:0]
	for _, c := range b.contexts {
		m = protowire.AppendTag(m, secontextsContext, protowire.BytesType)
		m = protowire.AppendString(m, c)
	}
	m = appendUint(m, secontextsEntries, uint64(entries))
	for field := protowire.Number(secontextsRow); field <= secontextsExpected; field++ {
		m = n.column.append(m, field, b.columns[field], related{})
	}
	n.table = m
	return n.column.nest(dst, detailSecontexts, m, cut)
}

// secontexts are those of a block that has been read.
type secontexts struct {
	contexts []string
	rows     []uint32 // of each entry, ascending
	columns  [secontextsExpected + 1]column
}

// decodeSecontexts decodes a Secontexts message.
func (b *Block) decodeSecontexts(msg []byte) error {
	b.secontexts = secontexts{rows: b.secontexts.rows[:0]}
	if msg == nil {
		return nil
	}
	s := &b.secontexts
	var raw [len(s.columns)][]byte
	entries := uint64(0)
	err := eachField(msg, func(num protowire.Number, v uint64, data []byte) error {
		if err := b.parts.spend(1); err != nil {
			return err
		}
		switch {
		case num == secontextsContext:
			s.contexts = append(s.contexts, string(data))
		case num == secontextsEntries:
			entries = v
		case num < protowire.Number(len(raw)):
			raw[num] = data
		}
		return nil
	})
	if err != nil {
		return err
	}
	if entries > maxPieces {
		return errMalformed
	}
	for field := secontextsRow; field <= secontextsExpected; field++ {
		if s.columns[field], err = b.column(raw[field], int(entries), decodeRelated{}); err != nil {
			return err
		}
	}
	row, rows := uint64(0), uint64(len(b.all.Shape))
	for i := range int(entries) {
		step := s.columns[secontextsRow].at(i)
		if step >= rows || row+step >= rows || s.columns[secontextsValue].at(i) >= uint64(len(s.contexts)) ||
			s.columns[secontextsExpected].at(i) > uint64(len(s.contexts)) {
			return errMalformed
		}
		row += step
		s.rows = append(s.rows, uint32(row))
	}
	return nil
}

// secontextsOf appends the security contexts of a row.
func (b *Block) secontextsOf(row int, dst []Secontext) []Secontext {
	s := &b.secontexts
	if len(s.rows) == 0 {
		return dst
	}
	for i := sort.Search(len(s.rows), func(i int) bool { return s.rows[i] >= uint32(row) }); i < len(s.rows) && s.rows[i] == uint32(row); i++ {
		c := Secontext{
			Of: SecontextOf(s.columns[secontextsOf].at(i)), At: int32(unzigzag(s.columns[secontextsAt].at(i))),
			Off: uint32(s.columns[secontextsOffset].at(i)), Context: s.contexts[s.columns[secontextsValue].at(i)],
		}
		if n := s.columns[secontextsExpected].at(i); n > 0 {
			c.Expected = s.contexts[n-1]
		}
		dst = append(dst, c)
	}
	return dst
}
