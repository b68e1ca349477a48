package tracefile

import (
	"bytes"
	"io"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"sysreel/proto/tracepb"
)

// addUnknown adds fields to a message and all in it.
func addUnknown(m protoreflect.Message, extra []byte) {
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.Message() == nil || f.IsMap():
		case f.IsList():
			for i := range v.List().Len() {
				addUnknown(v.List().Get(i).Message(), extra)
			}
		default:
			addUnknown(v.Message(), extra)
		}
		return true
	})
	m.SetUnknown(extra)
}

// readHostile reads everything of a trace that may say anything, as a program
// would, and returns the errors of its blocks.
func readHostile(data []byte) (errs []error) {
	for _, r := range []io.Reader{bytes.NewReader(data), onlyReader{bytes.NewReader(data)}} {
		rd, err := NewReader(r, ReaderOptions{})
		if err != nil {
			return []error{err}
		}
		_ = rd.Header().String()
		var b Block
		var e Event
		for {
			c, err := rd.Next()
			if err != nil {
				if err != io.EOF {
					errs = append(errs, err)
				}
				break
			}
			if err := c.Block(&b); err != nil {
				errs = append(errs, err)
				continue
			}
			touch(&b, &e)
		}
		_, _ = rd.Warning(), rd.State().String()
		_ = rd.Footer().String()
		if rd.src.at != nil {
			for _, n := range []uint64{0, 1, 9, math.MaxUint64} {
				if err := rd.SeekEvent(n); err == nil {
					if c, err := rd.Next(); err == nil && c.Core(&b.Core) == nil {
						_ = b.Events
					}
				}
			}
			_ = rd.SeekTime(1e12)
		}
	}
	return errs
}

// touch calls every getter and reads every byte.
func touch(b *Block, e *Event) (sum int) {
	for i := range b.Events {
		b.Event(i, e)
		for a := range 6 {
			sum += int(b.Arg(i, a))
		}
		sum += e.Errno() + int(e.Duration()) + int(e.Thread.ID) + int(b.Threads[b.Thread[i]].ID) + len(b.Shapes[b.Shape[i]].Name)
		for k, buf := range e.Bufs {
			if int(buf.Parent) >= k {
				panic("piece before its parent")
			}
			for _, c := range buf.Data {
				sum += int(c)
			}
		}
		sum += len(e.Facts.GetArgv())
	}
	for i := range b.InFlight {
		sum += len(b.InFlight[i].Bufs)
	}
	for i := range b.Pending.End {
		sum += int(b.Pending.End[i] - b.Pending.Start[i])
	}
	return sum
}

// block makes a trace whose only block has the two messages.
func blockTrace(t testing.TB, b *tracepb.Block, d *tracepb.Detail) []byte {
	trace := write(t, nil, 1, 0, nil)
	var h chunkHeader
	h.get(trace)
	first := headerSize + h.size()
	h.kind, h.seq, h.first, h.events = kindBlock, 1, b.FirstEvent, b.Events
	var frames [][]byte
	for _, c := range []*tracepb.Chunk{{Kind: &tracepb.Chunk_Block{Block: b}}, {Kind: &tracepb.Chunk_Detail{Detail: d}}} {
		f, err := proto.Marshal(&tracepb.Trace{Chunk: []*tracepb.Chunk{c}})
		if err != nil {
			t.Fatal(err)
		}
		frames = append(frames, f)
	}
	return append(trace[:first:first], makeChunk(h, frames...)...)
}

// TestHostileBlocks gives the reader blocks with right checksums that lie.
func TestHostileBlocks(t *testing.T) {
	// good is a block of two rows that can be read.
	good := func() (*tracepb.Block, *tracepb.Detail) {
		return &tracepb.Block{
				FirstEvent: 1, Events: 2, TickNs: 1, Base: 5,
				Thread:   []*tracepb.Thread{{Id: 1}},
				Shape:    []*tracepb.Shape{{Kind: 1, Arch: 1, Ret: &tracepb.Column{}}},
				RowShape: &tracepb.Column{}, RowThread: &tracepb.Column{},
				RowGap: &tracepb.Column{Constant: 4}, RowDuration: &tracepb.Column{Constant: 1},
			}, &tracepb.Detail{
				FirstEvent: 1,
				Shape: []*tracepb.ShapeDetail{{
					RowLayout: &tracepb.Column{Constant: 1},
					Layout:    []*tracepb.Layout{{Slot: []*tracepb.Slot{{Row: &tracepb.Column{}, Want: &tracepb.Column{}}}}},
				}},
				Table: []*tracepb.Table{{Rows: 2, Size: 4, Data: []byte("abcdefgh")}},
			}
	}
	b, d := good()
	if errs := readHostile(blockTrace(t, b, d)); len(errs) > 0 {
		t.Fatalf("a good block: %v", errs)
	}
	slot := func(d *tracepb.Detail) *tracepb.Slot { return d.Shape[0].Layout[0].Slot[0] }
	for name, lie := range map[string]func(b *tracepb.Block, d *tracepb.Detail){
		"too many rows":    func(b *tracepb.Block, d *tracepb.Detail) { b.InFlight = maxRows },
		"very many rows":   func(b *tracepb.Block, d *tracepb.Detail) { b.InFlight = math.MaxUint32 },
		"no tick":          func(b *tracepb.Block, d *tracepb.Detail) { b.TickNs = 0 },
		"huge tick":        func(b *tracepb.Block, d *tracepb.Detail) { b.TickNs = math.MaxUint32 },
		"negative base":    func(b *tracepb.Block, d *tracepb.Detail) { b.Base = -1 },
		"time overflow":    func(b *tracepb.Block, d *tracepb.Detail) { b.Base = math.MaxInt64 },
		"long duration":    func(b *tracepb.Block, d *tracepb.Detail) { b.RowDuration.Constant = math.MaxUint64 },
		"gap before time":  func(b *tracepb.Block, d *tracepb.Detail) { b.RowGap.Constant = 9999 },
		"end before end":   func(b *tracepb.Block, d *tracepb.Detail) { b.RowGap = &tracepb.Column{Plain: []uint64{4, 5}} },
		"shape not there":  func(b *tracepb.Block, d *tracepb.Detail) { b.RowShape.Constant = 1 },
		"thread not there": func(b *tracepb.Block, d *tracepb.Detail) { b.RowThread.Plain = []uint64{0, 1} },
		"no shape":         func(b *tracepb.Block, d *tracepb.Detail) { b.Shape = nil },
		"no thread":        func(b *tracepb.Block, d *tracepb.Detail) { b.Thread = nil },
		"column too short": func(b *tracepb.Block, d *tracepb.Detail) { b.RowThread.Plain = []uint64{0} },
		"column too long":  func(b *tracepb.Block, d *tracepb.Detail) { b.RowThread.Plain = []uint64{0, 0, 0} },
		"low too short": func(b *tracepb.Block, d *tracepb.Detail) {
			b.RowThread = &tracepb.Column{Plain: []uint64{0, 0}, Low: []byte{0}}
		},
		"index without value": func(b *tracepb.Block, d *tracepb.Detail) { b.RowThread = &tracepb.Column{Index: []uint32{0, 0}} },
		"by_thread in a row column": func(b *tracepb.Block, d *tracepb.Detail) {
			b.RowThread = &tracepb.Column{Delta: []int64{0, 0}, ByThread: true}
		},
		"less_last in a result":       func(b *tracepb.Block, d *tracepb.Detail) { b.Shape[0].Ret.LessLast = true },
		"less_ret in a result":        func(b *tracepb.Block, d *tracepb.Detail) { b.Shape[0].Ret.LessRet = true },
		"flags of a row not there":    func(b *tracepb.Block, d *tracepb.Detail) { b.FlagRow, b.FlagBits = []uint32{2}, []uint32{1} },
		"flags without bits":          func(b *tracepb.Block, d *tracepb.Detail) { b.FlagRow = []uint32{1} },
		"facts of a row not there":    func(b *tracepb.Block, d *tracepb.Detail) { b.Facts = []*tracepb.Facts{{Row: 2}} },
		"facts in flight of an event": func(b *tracepb.Block, d *tracepb.Detail) { b.InFlightFacts = []*tracepb.Facts{{Row: 1}} },
		"facts in flight of no row":   func(b *tracepb.Block, d *tracepb.Detail) { b.InFlightFacts = []*tracepb.Facts{{Row: 1 << 20}} },
		"facts twice":                 func(b *tracepb.Block, d *tracepb.Detail) { b.Facts = []*tracepb.Facts{{Row: 1}, {Row: 1}} },
		"seven arguments":             func(b *tracepb.Block, d *tracepb.Detail) { d.Shape[0].Arg = make7() },
		"detail of another block":     func(b *tracepb.Block, d *tracepb.Detail) { d.FirstEvent = 3 },
		"shapes without detail":       func(b *tracepb.Block, d *tracepb.Detail) { d.Shape = nil },
		"fingerprints for more rows": func(b *tracepb.Block, d *tracepb.Detail) {
			d.Shape[0].Fingerprint = &tracepb.Column{Plain: make([]uint64, 99)}
		},
		"layout not there": func(b *tracepb.Block, d *tracepb.Detail) { d.Shape[0].RowLayout.Constant = 2 },
		"table not there":  func(b *tracepb.Block, d *tracepb.Detail) { slot(d).Table = 1 },
		"row not there":    func(b *tracepb.Block, d *tracepb.Detail) { slot(d).Row.Constant = 3 },
		"more new rows than there": func(b *tracepb.Block, d *tracepb.Detail) {
			d.Table[0] = &tracepb.Table{Rows: 1, Size: 4, Data: []byte("abcd")}
		},
		"phase 2":                    func(b *tracepb.Block, d *tracepb.Detail) { slot(d).Phase = 2 },
		"argument 6":                 func(b *tracepb.Block, d *tracepb.Detail) { slot(d).Arg = 6 },
		"argument -2":                func(b *tracepb.Block, d *tracepb.Detail) { slot(d).Arg = -2 },
		"parent of itself":           func(b *tracepb.Block, d *tracepb.Detail) { slot(d).Parent = 1 },
		"unknown want base":          func(b *tracepb.Block, d *tracepb.Detail) { slot(d).WantBase = 8 },
		"very many pieces":           func(b *tracepb.Block, d *tracepb.Detail) { slot(d).Count = math.MaxUint32; slot(d).Row.Constant = 1 },
		"table shorter than it says": func(b *tracepb.Block, d *tracepb.Detail) { d.Table[0].Size = 5 },
		"table longer than it says":  func(b *tracepb.Block, d *tracepb.Detail) { d.Table[0].Rows = 1 },
		"lengths that do not fit": func(b *tracepb.Block, d *tracepb.Detail) {
			d.Table[0].Size = 0
			d.Table[0].Length = &tracepb.Column{Constant: 5}
		},
		"table that expands": func(b *tracepb.Block, d *tracepb.Detail) { d.Table[0] = expanding(maxPieces, 16) },
		"tables that expand together": func(b *tracepb.Block, d *tracepb.Detail) {
			d.Table = append(d.Table, expanding(1<<20, 7), expanding(1<<20, 7))
		},
		"words of another size": func(b *tracepb.Block, d *tracepb.Detail) { d.Table[0] = expanding(2, 2); d.Table[0].Size = 4 },
		"directory entries too many": func(b *tracepb.Block, d *tracepb.Detail) {
			d.Table[0] = &tracepb.Table{Rows: 2, Dirents: &tracepb.Dirents{Count: &tracepb.Column{Constant: 1 << 40}}}
		},
		"directory that expands": func(b *tracepb.Block, d *tracepb.Detail) {
			d.Table[0] = &tracepb.Table{Rows: 1, Dirents: &tracepb.Dirents{Count: &tracepb.Column{Constant: 4 << 20}, Name: make([]byte, 4<<20)}}
		},
		"directory without NUL": func(b *tracepb.Block, d *tracepb.Detail) {
			d.Table[0] = &tracepb.Table{Rows: 2, Dirents: &tracepb.Dirents{Count: &tracepb.Column{Constant: 1}, Name: []byte("a\x00b")}}
		},
		"more stacks than bytes": func(b *tracepb.Block, d *tracepb.Detail) { d.Stacks = &tracepb.Stacks{Frames: 1, Nodes: 1 << 20} },
		"a frame not there":      func(b *tracepb.Block, d *tracepb.Detail) { d.Stacks = &tracepb.Stacks{Nodes: 1} },
		"a mapped file not there": func(b *tracepb.Block, d *tracepb.Detail) {
			d.Stacks = &tracepb.Stacks{Frames: 1, Nodes: 1, FrameObject: &tracepb.Column{Constant: 1}}
		},
		"a caller of itself": func(b *tracepb.Block, d *tracepb.Detail) {
			d.Stacks = &tracepb.Stacks{Frames: 1, Nodes: 1, NodeCaller: &tracepb.Column{Constant: 2}}
		},
		"a stack without end": func(b *tracepb.Block, d *tracepb.Detail) {
			callers := []uint64{0}
			for range MaxStack {
				callers = append(callers, 2)
			}
			d.Stacks = &tracepb.Stacks{Frames: 1, Nodes: MaxStack + 1, NodeCaller: &tracepb.Column{Plain: callers}}
		},
		"a stack not there": func(b *tracepb.Block, d *tracepb.Detail) { d.Shape[0].RowStack = &tracepb.Column{Constant: 1} },
		"a base not there": func(b *tracepb.Block, d *tracepb.Detail) {
			d.Stacks = &tracepb.Stacks{Frames: 1, Nodes: 1}
			d.Shape[0].RowStack = &tracepb.Column{Constant: 1}
		},
		"a million mapped files": func(b *tracepb.Block, d *tracepb.Detail) {
			d.Stacks = &tracepb.Stacks{Object: make([]*tracepb.Object, 1<<20)}
			for i := range d.Stacks.Object {
				d.Stacks.Object[i] = new(tracepb.Object)
			}
		},
		"a million losses": func(b *tracepb.Block, d *tracepb.Detail) {
			for range 1 << 20 {
				b.Loss = append(b.Loss, &tracepb.Loss{})
			}
		},
		"a million empty arguments": func(b *tracepb.Block, d *tracepb.Detail) {
			b.Process = []*tracepb.ProcessContext{{Argv: make([][]byte, 1<<20)}}
		},
		"a million tables": func(b *tracepb.Block, d *tracepb.Detail) {
			for range 1 << 20 {
				d.Table = append(d.Table, &tracepb.Table{})
			}
		},
		"a million slots": func(b *tracepb.Block, d *tracepb.Detail) {
			for range 1 << 20 {
				d.Shape[0].Layout[0].Slot = append(d.Shape[0].Layout[0].Slot, &tracepb.Slot{})
			}
		},
	} {
		b, d := good()
		lie(b, d)
		trace := blockTrace(t, b, d)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		errs := readHostile(trace)
		runtime.ReadMemStats(&after)
		if len(errs) == 0 {
			t.Errorf("%s: accepted", name)
		}
		// Twice the reading, and what one reading may take: see the limits.
		if n := after.TotalAlloc - before.TotalAlloc; n > 256<<20 {
			t.Errorf("%s: allocated %d MiB", name, n>>20)
		}
	}
}

func make7() (c []*tracepb.Column) {
	for range 7 {
		c = append(c, &tracepb.Column{})
	}
	return c
}

func expanding(rows uint32, words int) *tracepb.Table {
	t := &tracepb.Table{Rows: rows, Size: uint32(4 * words)}
	for range words {
		t.Word = append(t.Word, &tracepb.Column{})
	}
	return t
}

// TestHostileHeaders gives chunk headers with right checksums that lie.
func TestHostileHeaders(t *testing.T) {
	trace, _ := smallTrace(t)
	ends, _ := chunkEnds(t, trace)
	chunk := func() (chunkHeader, []byte) {
		var h chunkHeader
		h.get(trace[ends[0]:])
		return h, bytes.Clone(trace[ends[0]:ends[1]])
	}
	for name, lie := range map[string]func(h *chunkHeader){
		"huge compressed size":   func(h *chunkHeader) { h.frame[0].packed = math.MaxUint32 },
		"huge raw size":          func(h *chunkHeader) { h.frame[0].raw = math.MaxUint32 },
		"raw size too large":     func(h *chunkHeader) { h.frame[0].raw++ },
		"raw size too small":     func(h *chunkHeader) { h.frame[1].raw-- },
		"frames moved":           func(h *chunkHeader) { h.frame[0].packed--; h.frame[1].packed++ },
		"three frames":           func(h *chunkHeader) { h.frames = 3 },
		"one frame":              func(h *chunkHeader) { h.frames = 1 },
		"very many events":       func(h *chunkHeader) { h.events = math.MaxUint32 },
		"an event more":          func(h *chunkHeader) { h.events++ },
		"another first event":    func(h *chunkHeader) { h.first = 100 },
		"first event overflows":  func(h *chunkHeader) { h.first = math.MaxUint64 },
		"last sequence number":   func(h *chunkHeader) { h.seq = math.MaxUint32 },
		"another major version":  func(h *chunkHeader) { h.major = 0 },
		"another trace":          func(h *chunkHeader) { h.uuid[0]++ },
		"a header in the middle": func(h *chunkHeader) { h.kind = kindHeader },
		"a footer in the middle": func(h *chunkHeader) { h.kind = kindFooter },
	} {
		h, b := chunk()
		lie(&h)
		data := append(bytes.Clone(trace[:ends[0]]), seal(h, b)...)
		data = append(data, trace[ends[1]:]...)
		errs := readHostile(data)
		rd, err := NewReader(bytes.NewReader(data), ReaderOptions{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for {
			if _, err := rd.Next(); err != nil {
				break
			}
		}
		if len(errs) == 0 && rd.State() == Complete {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestBombs gives frames that expand without end, or hold more than one.
func TestBombs(t *testing.T) {
	trace := write(t, nil, 1, 0, nil)
	var h chunkHeader
	h.get(trace)
	first := headerSize + h.size()
	h.kind, h.seq, h.first = kindBlock, 1, 1
	h.frames = 2
	big := makeChunk(h, make([]byte, maxRaw+1), []byte("x"))
	if errs := readHostile(append(bytes.Clone(trace[:first]), big...)); len(errs) > 0 {
		t.Errorf("a frame over the limit should be no chunk: %v", errs)
	}
	// Two frames where one should be, the first with the right size.
	one := makeChunk(h, []byte("aaaa"))[headerSize:]
	two := append(append(make([]byte, headerSize), one...), one...)
	two = append(two, one...)
	h.frame[0] = frameSize{uint32(2 * len(one)), 4}
	h.frame[1] = frameSize{uint32(len(one)), 4}
	errs := readHostile(append(bytes.Clone(trace[:first]), seal(h, two)...))
	if len(errs) == 0 || !strings.Contains(errs[0].Error(), errFrame.Error()) {
		t.Errorf("two frames in one: %v", errs)
	}
}

func FuzzReader(f *testing.F) {
	trace, _ := smallTrace(f)
	f.Add(trace)
	f.Add(trace[:len(trace)/2])
	f.Add(write(f, randomEvents(rand.New(rand.NewPCG(1, 1)), 3), 1, 500, nil))
	f.Fuzz(func(t *testing.T, data []byte) { readHostile(data) })
}

// FuzzBlock fuzzes the content of a block under right checksums.
func FuzzBlock(f *testing.F) {
	for seed := range uint64(8) {
		trace := write(f, randomEvents(rand.New(rand.NewPCG(seed, 1)), 20), 20, 500, nil)
		rd, err := NewReader(bytes.NewReader(trace), ReaderOptions{})
		if err != nil {
			f.Fatal(err)
		}
		c, err := rd.Next()
		if err != nil {
			f.Fatal(err)
		}
		_, core, _ := decompress(nil, c.core, c.CoreRaw, chunkBlockField)
		_, detail, _ := decompress(nil, c.detail, c.DetailRaw, chunkDetailField)
		f.Add(core, detail)
	}
	f.Fuzz(func(t *testing.T, core, detail []byte) {
		var b Block
		var e Event
		if b.parse(core) != nil || b.decode() != nil {
			return
		}
		if b.parseDetail(detail) == nil {
			touch(&b, &e)
		}
	})
}

// FuzzRoundTrip writes events made from the input and reads them back.
func FuzzRoundTrip(f *testing.F) {
	f.Add(uint64(1), uint64(2), uint16(50), uint16(7), uint32(1))
	f.Fuzz(func(t *testing.T, a, b uint64, n, per uint16, tick uint32) {
		events := randomEvents(rand.New(rand.NewPCG(a, b)), int(n%500))
		tick %= 1e6
		got, rd := readAll(t, bytes.NewReader(write(t, events, 1+int(per), tick, nil)))
		if len(got) != len(events) || rd.State() != Complete {
			t.Fatalf("%d events of %d, %v", len(got), len(events), rd.State())
		}
		for i := range got {
			want := kept(events[i], max(1, int64(tick)))
			want.Num = uint64(i + 1)
			if err := sameEvent(&got[i], &want); err != nil {
				t.Fatalf("event %d: %v", i+1, err)
			}
		}
	})
}
