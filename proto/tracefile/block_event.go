package tracefile

import "sysreel/proto/tracepb"

// The events of a block, put together from its columns.

func (b *Block) decodeInFlight() error {
	n := b.rows - b.Events
	b.InFlight = resize(b.InFlight, n)
	for i := range n {
		b.event(b.Events+i, &b.InFlight[i])
		b.InFlight[i].Num = 0
	}
	for _, f := range b.InFlightFacts {
		b.InFlight[f.Index-b.Events].Facts = f.Facts
	}
	return nil
}

// Event fills e with the event at index i, 0 to Events−1. It uses e.Bufs again;
// the data in it belongs to the block.
func (b *Block) Event(i int, e *Event) {
	b.event(i, e)
	e.Num = b.FirstEvent + uint64(i)
	if len(b.Facts) == 0 {
		return
	}
	lo, hi := 0, len(b.Facts)
	for lo < hi {
		if mid := (lo + hi) / 2; b.Facts[mid].Index < i {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < len(b.Facts) && b.Facts[lo].Index == i {
		e.Facts = b.Facts[lo].Facts
	}
}

func (b *Block) event(i int, e *Event) {
	si := b.all.Shape[i]
	shape, s, k := &b.Shapes[si], &b.shapes[si], int(b.ordinal[i])
	bufs := e.Bufs[:0]
	// Field by field: it is done for every event, and clearing a whole one first
	// takes as long again.
	e.Kind, e.Flags, e.Arch, e.NR = shape.Kind, b.all.Flags[i], shape.Arch, shape.NR
	e.Thread = b.Threads[b.all.Thread[i]]
	e.Start, e.End, e.Ret = b.all.Start[i], b.all.End[i], b.all.Ret[i]
	e.Num, e.Facts, e.Stack, e.IP = 0, nil, nil, 0
	e.Secontexts = b.secontextsOf(i, e.Secontexts[:0])
	b.stackOf(s, k, e)
	args := s.args
	if len(b.args[si]) > 0 {
		args = b.args[si]
	}
	e.Args = [6]uint64{}
	for a := range args {
		if c := &args[a]; c.vals != nil {
			e.Args[a] = c.vals[k]
		} else {
			e.Args[a] = c.konst
		}
	}
	e.Fingerprint = 0
	if s.printed {
		e.Fingerprint = uint16(s.prints.at(k))
	}
	if s.layout == nil || s.layout[k] == 0 {
		e.Bufs = bufs
		return
	}
	l := &s.layouts[s.layout[k]-1]
	at := int(s.ordinal[k])
	for j := range l.slots {
		sl := &l.slots[j]
		for c := range int(sl.count) {
			buf := sl.Buf
			p := at*int(sl.count) + c
			buf.Off += uint32(c) * sl.stride
			buf.Data = sl.table.row(sl.row[p])
			want := unzigzag(sl.want.at(p))
			switch sl.wantBase {
			case tracepb.WantBase_LENGTH:
				want += int64(len(buf.Data))
			case tracepb.WantBase_RET:
				want += e.Ret
			default:
				want += int64(e.Args[sl.wantBase-tracepb.WantBase_ARG0])
			}
			buf.Want = uint32(want)
			bufs = append(bufs, buf)
		}
	}
	e.Bufs = bufs
}
