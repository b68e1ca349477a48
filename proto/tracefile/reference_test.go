package tracefile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/proto"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracepb"
)

// This file is a second reader, written after FORMAT.md with the generated code
// and no thought of speed. The reader of this package is held against it.

// referenceRead returns the events, and the calls in flight at the end of each
// block.
func referenceRead(trace []byte) (events []Event, inFlight [][]Event, err error) {
	dec, err := zstd.NewReader(nil)
	if err != nil {
		return nil, nil, err
	}
	defer dec.Close()
	le := binary.LittleEndian
	crc := func(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }
	for seq := uint32(0); len(trace) > 0; seq++ {
		h := trace[:104]
		if le.Uint32(h) != 0x184D2A5C || le.Uint32(h[4:]) != 96 || string(h[8:16]) != "\x89REEL\r\n\x1a" ||
			h[32] != 1 || le.Uint32(h[36:]) != seq || crc(h[:100]) != le.Uint32(h[100:]) {
			return nil, nil, fmt.Errorf("chunk %d: bad header % x", seq, h)
		}
		size := 104 + le.Uint32(h[40:]) + le.Uint32(h[48:])
		if crc(trace[104:size]) != le.Uint32(h[96:]) {
			return nil, nil, fmt.Errorf("chunk %d: bad checksum", seq)
		}
		content, err := dec.DecodeAll(trace[104:size], nil)
		if err != nil {
			return nil, nil, err
		}
		if len(content) != int(le.Uint32(h[44:])+le.Uint32(h[52:])) {
			return nil, nil, fmt.Errorf("chunk %d: %d bytes of content", seq, len(content))
		}
		var m tracepb.Trace
		if err := proto.Unmarshal(content, &m); err != nil {
			return nil, nil, err
		}
		if len(m.Chunk) != int(h[33]) {
			return nil, nil, fmt.Errorf("chunk %d: %d messages, want %d", seq, len(m.Chunk), h[33])
		}
		if le.Uint16(h[34:]) == 0x8002 {
			e, f := referenceBlock(m.Chunk[0].GetBlock(), m.Chunk[1].GetDetail())
			if len(e) != int(le.Uint32(h[56:])) {
				return nil, nil, fmt.Errorf("chunk %d: %d events", seq, len(e))
			}
			events = append(events, e...)
			inFlight = append(inFlight, f)
		}
		trace = trace[size:]
	}
	return events, inFlight, nil
}

// numbers returns the values of a column of n.
func referenceColumn(c *tracepb.Column, n int, thread []uint64, last, ret []uint64) []uint64 {
	out := make([]uint64, n)
	low := func(i int, v uint64) uint64 {
		if c.Low != nil {
			return v<<8 | uint64(c.Low[i])
		}
		return v
	}
	byThread := map[uint64]uint64{}
	var values []uint64
	for i, v := range c.GetValue() {
		if i > 0 {
			v += values[i-1]
		}
		values = append(values, v)
	}
	for i := range out {
		switch {
		case len(c.GetPlain()) > 0:
			out[i] = low(i, c.Plain[i])
		case len(c.GetDelta()) > 0:
			// The generated code has undone the zigzag of what low is taken from.
			d := low(i, zigzag(c.Delta[i]))
			before := uint64(0)
			if i > 0 {
				before = out[i-1]
			}
			if c.ByThread {
				if v, ok := byThread[thread[i]]; ok {
					before = v
				}
			}
			out[i] = before + uint64(unzigzag(d))
			if c.ByThread {
				byThread[thread[i]] = out[i]
			}
		case len(c.GetIndex()) > 0:
			out[i] = values[low(i, uint64(c.Index[i]))]
		default:
			out[i] = c.GetConstant()
		}
	}
	for i := range out {
		if c.GetLessLast() {
			out[i] += last[i]
		}
		if c.GetLessRet() {
			out[i] += ret[i]
		}
	}
	return out
}

func referenceBlock(b *tracepb.Block, d *tracepb.Detail) (events, inFlight []Event) {
	n := int(b.Events + b.InFlight)
	shape := referenceColumn(b.RowShape, n, nil, nil, nil)
	thread := referenceColumn(b.RowThread, n, nil, nil, nil)
	gap := referenceColumn(b.RowGap, n, nil, nil, nil)
	dur := referenceColumn(b.RowDuration, n, nil, nil, nil)
	rows := make([]Event, n)
	byShape := make([][]int, len(b.Shape))
	ends := map[uint64]int64{}
	prev := b.Base
	for i := range rows {
		s, t := b.Shape[shape[i]], b.Thread[thread[i]]
		before, ok := ends[thread[i]]
		if !ok {
			before = prev
		}
		start := before + unzigzag(gap[i])
		end := start + int64(dur[i])
		ends[thread[i]], prev = end, end
		rows[i] = Event{
			Kind: Kind(s.Kind), Arch: syscalls.Arch(s.Arch), NR: s.Nr,
			Thread: Thread{ThreadID(t.Id), ProcessID(t.Process), t.Tid, t.Tgid},
			Start:  start * int64(b.TickNs), End: end * int64(b.TickNs),
		}
		if i < int(b.Events) {
			rows[i].Num = b.FirstEvent + uint64(i)
		}
		byShape[shape[i]] = append(byShape[shape[i]], i)
	}
	row := uint32(0)
	for i, d := range b.FlagRow {
		row += d
		rows[row].Flags = Flags(b.FlagBits[i])
	}
	for _, f := range append(b.Facts, b.InFlightFacts...) {
		rows[f.Row].Facts = f.Process
	}
	tables := make([][][]byte, len(d.Table))
	for i, t := range d.Table {
		tables[i] = referenceTable(t)
	}
	referenceSecontexts(d.Secontexts, rows)
	next := make([]uint64, len(tables))
	nodes, bases := referenceStacks(d.Stacks)
	for si, s := range d.Shape {
		mine := byShape[si]
		var threads []uint64
		for _, i := range mine {
			threads = append(threads, thread[i])
		}
		ret := referenceColumn(b.Shape[si].Ret, len(mine), threads, nil, nil)
		for k, i := range mine {
			ret[k] = uint64(unzigzag(ret[k]))
			rows[i].Ret = int64(ret[k])
		}
		var last []uint64
		for a, c := range append(b.Shape[si].Arg, s.Arg...) {
			last = referenceColumn(c, len(mine), threads, last, ret)
			for k, i := range mine {
				rows[i].Args[a] = last[k]
			}
		}
		if s.Fingerprint != nil {
			prints := referenceColumn(s.Fingerprint, len(mine), nil, nil, nil)
			for k, i := range mine {
				rows[i].Fingerprint = uint16(prints[k])
			}
		}
		if s.RowStack != nil {
			node := referenceColumn(s.RowStack, len(mine), threads, nil, nil)
			base := referenceColumn(s.RowBase, len(mine), threads, nil, nil)
			for k, i := range mine {
				if node[k] == 0 {
					continue
				}
				e := &rows[i]
				e.Stack = nodes[node[k]-1]
				if e.IP = e.Stack.Offset; e.Stack.Object != nil {
					e.IP += bases[base[k]]
				}
			}
		}
		if s.RowLayout == nil {
			continue
		}
		layout := referenceColumn(s.RowLayout, len(mine), nil, nil, nil)
		for li, l := range s.Layout {
			var with []int
			for k, i := range mine {
				if layout[k] == uint64(li+1) {
					with = append(with, i)
				}
			}
			for _, sl := range l.Slot {
				count := int(max(1, sl.Count))
				refs := referenceColumn(sl.Row, count*len(with), nil, nil, nil)
				want := referenceColumn(sl.Want, count*len(with), nil, nil, nil)
				for j, i := range with {
					e := &rows[i]
					for k := range count {
						ref := refs[j*count+k]
						if ref == 0 {
							next[sl.Table]++
							ref = next[sl.Table]
						}
						data := tables[sl.Table][ref-1]
						w := unzigzag(want[j*count+k])
						switch sl.WantBase {
						case tracepb.WantBase_LENGTH:
							w += int64(len(data))
						case tracepb.WantBase_RET:
							w += e.Ret
						default:
							w += int64(e.Args[sl.WantBase-tracepb.WantBase_ARG0])
						}
						e.Bufs = append(e.Bufs, Buf{Phase: Phase(sl.Phase), Arg: int8(sl.Arg), Parent: int16(sl.Parent) - 1,
							Off: sl.Offset + uint32(k)*sl.Stride, Want: uint32(w), Faulted: sl.Faulted, Data: data})
					}
				}
			}
		}
	}
	return rows[:b.Events], rows[b.Events:]
}

func referenceSecontexts(m *tracepb.Secontexts, rows []Event) {
	n := int(m.GetEntries())
	column := func(c *tracepb.Column) []uint64 { return referenceColumn(c, n, nil, nil, nil) }
	step, of, at, offset, value, expected := column(m.GetRow()), column(m.GetOf()), column(m.GetAt()), column(m.GetOffset()), column(m.GetValue()), column(m.GetExpected())
	row := uint64(0)
	for i := range n {
		row += step[i]
		s := Secontext{Of: SecontextOf(of[i]), At: int32(unzigzag(at[i])), Off: uint32(offset[i]), Context: string(m.Context[value[i]])}
		if e := expected[i]; e > 0 {
			s.Expected = string(m.Context[e-1])
		}
		rows[row].Secontexts = append(rows[row].Secontexts, s)
	}
}

func referenceStacks(m *tracepb.Stacks) (nodes []*Stack, bases []uint64) {
	if m == nil {
		return nil, nil
	}
	object := referenceColumn(m.FrameObject, int(m.Frames), nil, nil, nil)
	offset := referenceColumn(m.FrameOffset, int(m.Frames), nil, nil, nil)
	exact := referenceColumn(m.FrameExact, int(m.Frames), nil, nil, nil)
	frame := referenceColumn(m.NodeFrame, int(m.Nodes), nil, nil, nil)
	caller := referenceColumn(m.NodeCaller, int(m.Nodes), nil, nil, nil)
	for i := range frame {
		f := frame[i]
		s := &Stack{Offset: offset[f], Exact: exact[f] == 1, Partial: caller[i] == 1}
		if object[f] > 0 {
			o := m.Object[object[f]-1]
			s.Object = &Object{Path: string(o.Path), BuildID: string(o.BuildId), Bias: o.Bias, Size: o.Size, Mtime: o.MtimeNs}
		}
		if caller[i] > 1 {
			s.Caller = nodes[i-int(caller[i]-1)]
		}
		nodes = append(nodes, s)
	}
	return nodes, referenceColumn(m.Base, int(m.Bases), nil, nil, nil)
}

func referenceTable(t *tracepb.Table) [][]byte {
	rows := make([][]byte, t.Rows)
	switch {
	case t.Dirents != nil:
		counts := referenceColumn(t.Dirents.Count, len(rows), nil, nil, nil)
		names := bytes.SplitAfter(t.Dirents.Name, []byte{0})
		n := len(names) - 1
		ino := referenceColumn(t.Dirents.Ino, n, nil, nil, nil)
		off := referenceColumn(t.Dirents.Off, n, nil, nil, nil)
		typ := referenceColumn(t.Dirents.Type, n, nil, nil, nil)
		k := 0
		for i := range rows {
			for range counts[i] {
				e := make([]byte, (19+len(names[k])+7)/8*8)
				binary.LittleEndian.PutUint64(e, ino[k])
				binary.LittleEndian.PutUint64(e[8:], off[k])
				binary.LittleEndian.PutUint16(e[16:], uint16(len(e)))
				e[18] = byte(typ[k])
				copy(e[19:], names[k])
				rows[i] = append(rows[i], e...)
				k++
			}
		}
	case len(t.Word) > 0:
		for _, c := range t.Word {
			for i, v := range referenceColumn(c, len(rows), nil, nil, nil) {
				rows[i] = binary.LittleEndian.AppendUint32(rows[i], uint32(v))
			}
		}
	default:
		data := t.Data
		lengths := referenceColumn(t.Length, len(rows), nil, nil, nil)
		for i := range rows {
			n := int(t.Size)
			if n == 0 {
				n = int(lengths[i])
			}
			rows[i], data = data[:n], data[n:]
		}
	}
	return rows
}

// TestReference holds the reader against the second one.
func TestReference(t *testing.T) {
	for seed := range uint64(10) {
		rng := rand.New(rand.NewPCG(seed, 2))
		events := randomEvents(rng, 2000)
		var calls [][]Event
		trace := write(t, events, 700, uint32(1+99*(seed%2)), func(i int) []Event {
			f := []Event{{Arch: 1, NR: 202, Start: events[i].End - 5e6, Thread: Thread{9, 3, 109, 108}, Args: [6]uint64{1, 2}}}
			calls = append(calls, f)
			return f
		})
		want, wantFlight, err := referenceRead(trace)
		if err != nil {
			t.Fatal(err)
		}
		got, _ := readAll(t, bytes.NewReader(trace))
		if len(got) != len(want) || len(got) != len(events) {
			t.Fatalf("%d events, reference has %d, want %d", len(got), len(want), len(events))
		}
		for i := range got {
			if err := sameEvent(&got[i], &want[i]); err != nil {
				t.Fatalf("seed %d event %d: %v", seed, i+1, err)
			}
		}
		rd, _ := NewReader(bytes.NewReader(trace), ReaderOptions{})
		for _, f := range wantFlight {
			c, err := rd.Next()
			if err != nil {
				t.Fatal(err)
			}
			var b Block
			if err := c.Block(&b); err != nil {
				t.Fatal(err)
			}
			if len(b.InFlight) != len(f) {
				t.Fatalf("%d calls in flight, want %d", len(b.InFlight), len(f))
			}
			for i := range f {
				if err := sameEvent(&b.InFlight[i], &f[i]); err != nil {
					t.Fatalf("seed %d, in flight: %v", seed, err)
				}
			}
		}
	}
}
