package tracefile

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracepb"
)

// Shape is what the rows of one kind have in common.
type Shape struct {
	Kind  Kind
	Arch  syscalls.Arch
	NR    uint32
	Name  string // of the call, as the recorder knew it
	Proto string // its prototype, in the notation of syscalls/linux.txt
}

// Columns holds one entry an event.
type Columns struct {
	Start  []int64  // ns
	End    []int64  // ns
	Thread []uint32 // index in Core.Threads
	Shape  []uint32 // index in Core.Shapes
	Ret    []int64
	Flags  []Flags
}

// FactsAt is what was read of a process at an event of a block.
type FactsAt struct {
	Index int // of the event in the block
	Facts *tracepb.Process
}

// Core is what summaries need of a block: the columns that every event has.
// Its memory is used again by the next decoding into it.
type Core struct {
	Chunk      ChunkInfo // that it was decoded from
	FirstEvent uint64    // number of the event at index 0
	Events     int
	Columns
	Pending   Columns  // calls in flight where the block ends; End says how long known
	Threads   []Thread // those of the events, then others mentioned
	Shapes    []Shape
	Losses    []*tracepb.Loss
	Processes []ProcessContext // as they stood before the first event
	Facts     []FactsAt        // in order of Index
	// InFlightFacts are those of the calls in flight; an Index is that of the row.
	InFlightFacts []FactsAt
	// Redactions are those of the recording up to here, by rule.
	Redactions []*tracepb.Redaction

	parts    parts
	rows     int
	tick     int64
	all      Columns // of all rows
	raw      rawBlock
	ordinal  []uint32 // of a row among those of its shape
	perShape []uint32 // rows of each shape
	pool     numberPool
	lastEnd  []uint64 // of each thread, ticks plus 1
	memory   columnMemory
	threadOf []uint32   // threads of the rows, shape by shape
	threads  [][]uint32 // of the rows of each shape, once split
	split    bool
	rets     []column   // of each shape, zigzag
	args     [][]column // by shape, of other kinds than calls
	argv     [][]byte   // of all Processes
	buf      []byte
}

// rawBlock is a Block message taken apart.
type rawBlock struct {
	first, events, inFlight, tick uint64
	base                          int64
	shape, thread, gap, dur       []byte
	flagRow, flagBits             []byte
	ret                           [][]byte
	arg                           [][][]byte
}

// Core decodes the core columns into dst.
func (c *Chunk) Core(dst *Core) error {
	if err := c.decodeCore(dst); err != nil {
		return fmt.Errorf("reading the block of events from #%d: %w", c.FirstEvent, err)
	}
	return nil
}

func (c *Chunk) decodeCore(dst *Core) error {
	buf, msg, err := decompress(dst.buf, c.core, c.CoreRaw, chunkBlockField)
	dst.buf = buf
	if err != nil {
		return err
	}
	if err := dst.parse(msg); err != nil {
		return err
	}
	if dst.FirstEvent != c.FirstEvent || dst.Events != c.Events {
		return fmt.Errorf("it holds %d events from #%d, its header says %d from #%d",
			dst.Events, dst.FirstEvent, c.Events, c.FirstEvent)
	}
	dst.Chunk = c.ChunkInfo
	return dst.decode()
}

// parse takes the message apart and decodes all but the columns.
func (c *Core) parse(msg []byte) error {
	c.parts = maxParts
	c.raw = rawBlock{ret: c.raw.ret[:0], arg: c.raw.arg[:0]}
	c.Threads, c.Shapes = c.Threads[:0], c.Shapes[:0]
	c.Losses, c.Facts, c.InFlightFacts, c.Redactions = nil, nil, nil, nil
	c.Processes, c.argv = c.Processes[:0], c.argv[:0]
	r := &c.raw
	err := eachField(msg, func(num protowire.Number, v uint64, data []byte) error {
		switch num {
		case blockFirstEvent:
			r.first = v
		case blockEvents:
			r.events = v
		case blockInFlight:
			r.inFlight = v
		case blockTickNs:
			r.tick = v
		case blockBase:
			r.base = int64(v)
		case blockThread:
			return c.addThread(data)
		case blockShape:
			return c.addShape(data)
		case blockRowShape:
			r.shape = data
		case blockRowThread:
			r.thread = data
		case blockRowGap:
			r.gap = data
		case blockRowDuration:
			r.dur = data
		case blockFlagRow:
			r.flagRow = data
		case blockFlagBits:
			r.flagBits = data
		case blockLoss:
			if len(c.Losses) == 2*maxLosses {
				return errParts
			}
			l := new(tracepb.Loss)
			c.Losses = append(c.Losses, l)
			return c.parts.unmarshal(data, l)
		case blockRedaction:
			if len(c.Redactions) == maxRedactions {
				return errParts
			}
			n := new(tracepb.Redaction)
			c.Redactions = append(c.Redactions, n)
			return c.parts.unmarshal(data, n)
		case blockProcess:
			return c.addProcess(data)
		case blockFacts, blockInFlightFacts:
			f := new(tracepb.Facts)
			if err := c.parts.spend(2); err != nil {
				return err
			}
			if err := c.parts.unmarshal(data, f); err != nil {
				return err
			}
			if f.Process == nil {
				f.Process = new(tracepb.Process)
			}
			at := &c.Facts
			if num == blockInFlightFacts {
				at = &c.InFlightFacts
			}
			*at = append(*at, FactsAt{int(f.Row), f.Process})
		}
		return nil
	})
	if err != nil {
		return err
	}
	if r.events+r.inFlight > maxRows || r.events > maxRows || r.tick == 0 || r.tick > 1e9 {
		return errMalformed
	}
	c.FirstEvent, c.Events, c.rows, c.tick = r.first, int(r.events), int(r.events+r.inFlight), int64(r.tick)
	prev := -1
	for _, f := range c.Facts {
		if f.Index <= prev || f.Index >= c.Events {
			return errMalformed
		}
		prev = f.Index
	}
	for _, f := range c.InFlightFacts { // their rows come behind
		if f.Index <= prev || f.Index < c.Events || f.Index >= c.rows {
			return errMalformed
		}
		prev = f.Index
	}
	return nil
}

func (c *Core) addThread(b []byte) error {
	var t Thread
	err := eachField(b, func(num protowire.Number, v uint64, _ []byte) error {
		switch num {
		case 1:
			t.ID = ThreadID(v)
		case 2:
			t.Process = ProcessID(v)
		case 3:
			t.TID = int32(v)
		case 4:
			t.TGID = int32(v)
		}
		return nil
	})
	if err == nil {
		err = c.parts.spend(1)
	}
	c.Threads = append(c.Threads, t)
	return err
}

// addProcess decodes a ProcessContext, by hand: they are many, and rarely looked
// at. Its bytes stay where they are.
func (c *Core) addProcess(b []byte) error {
	if err := c.parts.spend(2); err != nil {
		return err
	}
	var p ProcessContext
	first := len(c.argv)
	err := eachField(b, func(num protowire.Number, v uint64, data []byte) error {
		switch num {
		case 1:
			p.ID = ProcessID(v)
		case 2:
			p.TGID = int32(v)
		case 3:
			p.Parent = ProcessID(v)
		case 4:
			p.Exe = data
		case 5:
			p.Comm = data
		case 6:
			c.argv = append(c.argv, data)
			return c.parts.spend(1)
		case 7:
			p.Cwd = data
		case 8:
			p.Root = data
		}
		return nil
	})
	if n := len(c.argv); n > first {
		p.Argv = c.argv[first:n:n]
	}
	c.Processes = append(c.Processes, p)
	return err
}

func (c *Core) addShape(b []byte) error {
	var s Shape
	var ret []byte
	var args [][]byte
	err := eachField(b, func(num protowire.Number, v uint64, data []byte) error {
		switch num {
		case shapeKind:
			s.Kind = Kind(v)
		case shapeArch:
			s.Arch = syscalls.Arch(v)
		case shapeNR:
			s.NR = uint32(v)
		case shapeName:
			s.Name = intern(data)
		case shapeProto:
			s.Proto = intern(data)
		case shapeRet:
			ret = data
		case shapeArg:
			if args = append(args, data); len(args) > 6 {
				return errMalformed
			}
		}
		return nil
	})
	if err == nil {
		err = c.parts.spend(2 + len(args))
	}
	c.Shapes = append(c.Shapes, s)
	c.raw.ret = append(c.raw.ret, ret)
	c.raw.arg = append(c.raw.arg, args)
	return err
}

// decode decodes the columns.
func (c *Core) decode() error {
	n := c.rows
	c.pool.reset()
	a := &c.all
	a.Start, a.End = resize(a.Start, n), resize(a.End, n)
	a.Thread, a.Shape = resize(a.Thread, n), resize(a.Shape, n)
	a.Ret, a.Flags = resize(a.Ret, n), resize(a.Flags, n)
	c.ordinal = resize(c.ordinal, n)
	c.perShape = resize(c.perShape, len(c.Shapes))
	clear(c.perShape)
	clear(a.Flags)

	if err := c.indices(a.Thread, c.raw.thread, len(c.Threads)); err != nil {
		return err
	}
	if err := c.indices(a.Shape, c.raw.shape, len(c.Shapes)); err != nil {
		return err
	}
	for i, s := range a.Shape {
		c.ordinal[i] = c.perShape[s]
		c.perShape[s]++
	}
	c.split = false
	if err := c.times(); err != nil {
		return err
	}
	if err := c.shapes(); err != nil {
		return err
	}
	if err := c.flags(); err != nil {
		return err
	}
	e := c.Events
	c.Columns = Columns{a.Start[:e], a.End[:e], a.Thread[:e], a.Shape[:e], a.Ret[:e], a.Flags[:e]}
	c.Pending = Columns{a.Start[e:n], a.End[e:n], a.Thread[e:n], a.Shape[e:n], a.Ret[e:n], a.Flags[e:n]}
	return nil
}

func (c *Core) column(b []byte, n int, r decodeRelated) (column, error) {
	raw, err := parseColumn(b)
	if err != nil {
		return column{}, err
	}
	return raw.decode(n, &c.pool, r, &c.memory)
}

// shapeColumn decodes a column of a shape's rows.
func (c *Core) shapeColumn(b []byte, shape int, r decodeRelated, pool *numberPool) (column, error) {
	raw, err := parseColumn(b)
	if err != nil {
		return column{}, err
	}
	if raw.byThread {
		if !c.split {
			c.splitThreads()
		}
		r.thread = c.threads[shape]
	}
	return raw.decode(int(c.perShape[shape]), pool, r, &c.memory)
}

// indices decodes a column of indices below limit.
func (c *Core) indices(out []uint32, b []byte, limit int) error {
	col, err := c.column(b, len(out), decodeRelated{})
	if err != nil {
		return err
	}
	if col.vals == nil {
		if len(out) > 0 && col.konst >= uint64(limit) {
			return errMalformed
		}
		for i := range out {
			out[i] = uint32(col.konst)
		}
		return nil
	}
	for i, v := range col.vals {
		if v >= uint64(limit) {
			return errMalformed
		}
		out[i] = uint32(v)
	}
	return nil
}

// splitThreads lists the threads of each shape's rows.
func (c *Core) splitThreads() {
	c.split = true
	c.threadOf = resize(c.threadOf, c.rows)
	c.threads = resize(c.threads, len(c.Shapes))
	at := 0
	for s, n := range c.perShape {
		c.threads[s] = c.threadOf[at : at+int(n) : at+int(n)]
		at += int(n)
	}
	for i, s := range c.all.Shape {
		c.threads[s][c.ordinal[i]] = c.all.Thread[i]
	}
}

// times decodes the rows' starts and ends.
func (c *Core) times() error {
	gap, err := c.column(c.raw.gap, c.rows, decodeRelated{})
	if err != nil {
		return err
	}
	dur, err := c.column(c.raw.dur, c.rows, decodeRelated{})
	if err != nil {
		return err
	}
	const latest = 1 << 62 // ns; far from overflow
	limit := uint64(latest / c.tick)
	prev := uint64(c.raw.base)
	if prev > limit {
		return errMalformed
	}
	c.lastEnd = resize(c.lastEnd, len(c.Threads))
	clear(c.lastEnd)
	for i, t := range c.all.Thread {
		from := prev
		if e := c.lastEnd[t]; e > 0 {
			from = e - 1
		}
		start := from + uint64(unzigzag(gap.at(i)))
		length := dur.at(i)
		end := start + length
		if start > limit || length > limit || end > limit || end < prev && i < c.Events {
			return errMalformed
		}
		c.lastEnd[t] = end + 1
		prev = end
		c.all.Start[i] = int64(start) * c.tick
		c.all.End[i] = int64(end) * c.tick
	}
	return nil
}

// shapes decodes the columns of the shapes.
func (c *Core) shapes() error {
	c.rets = resize(c.rets, len(c.Shapes))
	c.args = resize(c.args, len(c.Shapes))
	for i := range c.Shapes {
		var err error
		var r decodeRelated
		if c.rets[i], err = c.shapeColumn(c.raw.ret[i], i, r, &c.pool); err != nil {
			return err
		}
		r.ret = &c.rets[i]
		c.args[i] = c.args[i][:0]
		for _, b := range c.raw.arg[i] {
			col, err := c.shapeColumn(b, i, r, &c.pool)
			if err != nil {
				return err
			}
			c.args[i] = append(c.args[i], col)
			r.last = &col
		}
	}
	for i, s := range c.all.Shape {
		c.all.Ret[i] = unzigzag(c.rets[s].at(int(c.ordinal[i])))
	}
	return nil
}

// flags decodes the sparse flags.
func (c *Core) flags() error {
	rows, bits := c.raw.flagRow, c.raw.flagBits
	row := uint64(0)
	for len(rows) > 0 {
		d, n := varint(rows)
		f, m := varint(bits)
		if n == 0 || m == 0 || d > uint64(c.rows) || row+d >= uint64(c.rows) {
			return errMalformed
		}
		row += d
		rows, bits = rows[n:], bits[m:]
		c.all.Flags[row] = Flags(f)
	}
	if len(bits) > 0 {
		return errMalformed
	}
	return nil
}

// Arg returns argument i of an event that is no system call: those are in the
// core columns too. For calls it returns 0.
func (c *Core) Arg(event, i int) uint64 {
	s := c.all.Shape[event]
	if i >= len(c.args[s]) {
		return 0
	}
	return c.args[s][i].at(int(c.ordinal[event]))
}

func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/8)
	}
	return s[:n]
}
