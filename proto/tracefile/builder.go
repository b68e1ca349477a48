package tracefile

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracepb"
)

// builder collects the rows of a block in columns.
type builder struct {
	tick    int64
	regs    func(a syscalls.Arch, nr uint32) *syscalls.Desc
	first   uint64 // number of row 0
	base    int64  // ticks
	end     []int64
	dur     []uint64
	thread  []uint64
	shape   []uint64
	flagRow []uint64
	flags   []uint64
	facts   []factsAt
	losses  []*tracepb.Loss
	// redactions go into every block.
	redactions []*tracepb.Redaction
	start      int64 // ns: earliest start of an event
	last       int64 // ns: end of the last event

	threads  []Thread
	threadOf map[ThreadID]uint32
	shapes   []*shapeBuilder            // of this block
	known    map[shapeKey]*shapeBuilder // also of earlier blocks, for their memory
	tables   map[tableKey]*table        // likewise
	stacks   stackBuilder
	contexts secontextBuilder
	strings  table
	data     table
	dirents  table
	scratch  []byte
	bytes    int // kept, before encoding
	parts    int // threads, shapes, slots and fields of facts
}

type factsAt struct {
	row   int
	facts *tracepb.Process
}

// shapeKey packs kind, arch and number.
type shapeKey uint64

func keyOf(e *Event) shapeKey {
	return shapeKey(e.Kind)<<40 | shapeKey(e.Arch)<<32 | shapeKey(e.NR)
}

// maxKnown bounds the shapes, the tables, and the layouts of a shape, whose memory
// is kept from block to block.
const maxKnown = 512

// tableKey says which pieces share a table: those of one place in one shape, or
// all of one size if that is large enough to tell what they are.
type tableKey struct {
	shape shapeKey
	slot  slotKey
	size  int
}

// ownSize is the size from which structures of equal size share a table: stat,
// which several calls fill, takes 144 bytes, and statx 256.
const ownSize = 128

// shapeBuilder holds the rows of one (kind, arch, nr).
type shapeBuilder struct {
	index   int // in builder.shapes, −1: not in this block
	key     shapeKey
	kind    Kind
	arch    syscalls.Arch
	nr      uint32
	desc    *syscalls.Desc
	regs    int      // registers kept
	thread  []uint32 // of each row
	ret     []uint64
	args    [6][]uint64
	prints  []uint64 // fingerprints, as far as the last that is not 0
	layout  []uint64
	stack   []uint64 // node, plus 1, of the rows up to the last that has one
	base    []uint64 // likewise
	layouts []*layoutBuilder
	spare   []*layoutBuilder // of earlier blocks, for their memory
	last    int              // layout of the last row with memory
}

// slotKey is what two pieces at one place of a layout must have in common.
type slotKey struct {
	phase   Phase
	arg     int8
	parent  int16
	off     uint32
	faulted bool
	size    int32 // of a structure, else −1
	dirents bool
}

type layoutBuilder struct {
	rows  []uint32 // of the shape that have it
	keys  []slotKey
	slots []slotBuilder
}

// slotBuilder holds the pieces of one place, or of count alike ones.
type slotBuilder struct {
	slotKey
	count, stride uint32
	table         *table
	rows          []uint32
	want          []uint32
	length        []uint32
}

func (b *builder) reset(first uint64, base int64) {
	b.first, b.base = first, base
	b.end, b.dur, b.thread, b.shape = b.end[:0], b.dur[:0], b.thread[:0], b.shape[:0]
	b.flagRow, b.flags = b.flagRow[:0], b.flags[:0]
	b.facts, b.losses = nil, nil
	b.threads = b.threads[:0]
	clear(b.threadOf)
	if b.known == nil || len(b.known) > maxKnown || len(b.tables) > maxKnown {
		b.threadOf = make(map[ThreadID]uint32)
		b.known = make(map[shapeKey]*shapeBuilder)
		b.tables = make(map[tableKey]*table)
		b.shapes = nil
	}
	for _, s := range b.shapes {
		s.reset()
	}
	b.shapes = b.shapes[:0]
	for _, t := range b.tables {
		t.reset()
	}
	b.stacks.reset()
	b.contexts.reset()
	b.strings.reset()
	b.data.reset()
	b.dirents.reset()
	b.dirents.dirents = true
	b.bytes, b.parts = 0, 0
}

func (s *shapeBuilder) reset() {
	s.index, s.last = -1, -1
	s.thread, s.ret, s.layout, s.prints = s.thread[:0], s.ret[:0], s.layout[:0], s.prints[:0]
	s.stack, s.base = s.stack[:0], s.base[:0]
	for i := range s.args {
		s.args[i] = s.args[i][:0]
	}
	s.spare = append(s.spare, s.layouts...)
	s.layouts = s.layouts[:0]
	if len(s.spare) > maxKnown/8 {
		s.spare = nil
	}
}

// add appends a row for e, of which it keeps copies.
func (b *builder) add(e *Event) {
	row := len(b.end)
	end := e.End / b.tick
	b.end = append(b.end, end)
	b.dur = append(b.dur, uint64(end-e.Start/b.tick))
	b.thread = append(b.thread, uint64(b.addThread(e.Thread)))
	s := b.addShape(e)
	b.shape = append(b.shape, uint64(s.index))
	if e.Flags != 0 {
		b.flagRow = append(b.flagRow, uint64(row))
		b.flags = append(b.flags, uint64(e.Flags))
	}
	if e.Facts != nil {
		b.facts = append(b.facts, factsAt{row, e.Facts})
		n := proto.Size(e.Facts)
		b.bytes += n
		b.parts += factsParts(e.Facts, n)
	}
	s.thread = append(s.thread, uint32(b.thread[row]))
	s.ret = append(s.ret, zigzag(e.Ret))
	for i := range s.regs {
		s.args[i] = append(s.args[i], e.Args[i])
	}
	b.bytes += 8 + 8*s.regs
	if e.Fingerprint != 0 {
		for len(s.prints) < len(s.layout) {
			s.prints = append(s.prints, 0)
		}
		s.prints = append(s.prints, uint64(e.Fingerprint))
	}
	if e.Stack != nil {
		b.addStack(s, e)
	}
	if len(e.Secontexts) > 0 {
		bytes, fresh := b.contexts.add(row, e.Secontexts)
		b.bytes += bytes
		b.parts += fresh
	}
	if len(e.Bufs) == 0 {
		s.layout = append(s.layout, 0)
		return
	}
	li := b.findLayout(s, e)
	l := s.layouts[li]
	l.rows = append(l.rows, uint32(len(s.layout)))
	s.layout = append(s.layout, uint64(li+1))
	i := 0
	for j := range l.slots {
		sl := &l.slots[j]
		for range sl.count {
			buf := &e.Bufs[i]
			i++
			data := buf.Data
			if sl.table == &b.dirents {
				b.scratch = appendDirents(b.scratch[:0], data)
				data = b.scratch
			}
			sl.rows = append(sl.rows, sl.table.add(data))
			sl.want = append(sl.want, buf.Want)
			sl.length = append(sl.length, uint32(len(buf.Data)))
			b.bytes += 4 + len(buf.Data)
		}
	}
}

// addLoss adds a loss; when there are too many, to one of its kind.
func (b *builder) addLoss(l *tracepb.Loss) {
	if len(b.losses) >= maxLosses {
		for _, o := range b.losses {
			if o.Reason == l.Reason {
				o.FirstNs, o.LastNs = min(o.FirstNs, l.FirstNs), max(o.LastNs, l.LastNs)
				o.Count += l.Count
				o.Thread, o.Detail = 0, ""
				return
			}
		}
	}
	b.losses = append(b.losses, l)
}

// factsParts counts the parts of what was read of a process, whose encoding
// takes size bytes, or more than there are where that is few.
func factsParts(p *tracepb.Process, size int) int {
	if size < 16<<10 {
		n := 4 + size/2
		if few := 5 + 6*len(p.Files); few < n && proto.Size(&tracepb.Process{Cwd: p.Cwd, Files: p.Files}) == size {
			return few // names that go with a call
		}
		return n
	}
	b, err := proto.Marshal(p)
	left := parts(maxParts)
	if err != nil || left.count(b, p.ProtoReflect().Descriptor()) != nil {
		return maxParts
	}
	return 4 + maxParts - int(left)
}

// limitFacts leaves out of what was read of a process what an event has no
// room for, and says how much that was: "" for nothing.
func limitFacts(p *tracepb.Process) (*tracepb.Process, string) {
	const maxBytes, maxFactsParts = 2 << 20, maxParts / 4
	if n := proto.Size(p); n <= maxBytes && factsParts(p, n) <= maxFactsParts {
		return p, ""
	}
	cut := func(list [][]byte) [][]byte {
		left, bytes := maxFactsParts/16, maxBytes/8
		for i, s := range list {
			if left, bytes = left-1, bytes-len(s); left < 0 || bytes < 0 {
				return list[:i]
			}
		}
		return list
	}
	files := func(list []*tracepb.OpenFile) []*tracepb.OpenFile {
		left, bytes := maxFactsParts*3/4, maxBytes/2
		for i, f := range list {
			if left, bytes = left-6, bytes-len(f.Link)-len(f.Socket)-16; left < 0 || bytes < 0 {
				return list[:i]
			}
		}
		return list
	}
	all := p
	p = proto.CloneOf(all)
	p.Argv, p.Env, p.Files = cut(p.Argv), cut(p.Env), files(p.Files)
	if p.Maps != nil {
		p.Maps.Files = cut(p.Maps.Files)
	}
	return p, fmt.Sprintf("of process %d there are kept %d of %d arguments, %d of %d variables, %d of %d descriptors, %d of %d mapped files", p.Tgid,
		len(p.Argv), len(all.Argv), len(p.Env), len(all.Env), len(p.Files), len(all.Files), len(p.GetMaps().GetFiles()), len(all.GetMaps().GetFiles()))
}

// limitContext leaves out what a block has no room for: all that the context of
// one says is elsewhere in the trace too.
func limitContext(c *Context) *Context {
	const maxBytes = 2 << 20
	left, bytes := maxParts/8, maxBytes
	out := &Context{Threads: c.Threads}
	for _, p := range c.Processes {
		left -= 10 + len(p.Argv)
		bytes -= len(p.Exe) + len(p.Comm) + len(p.Cwd) + len(p.Root)
		for _, a := range p.Argv {
			bytes -= len(a)
		}
		if left < 0 || bytes < 0 {
			break
		}
		out.Processes = append(out.Processes, p)
	}
	left, bytes = maxParts/8, maxBytes
	for _, f := range c.Files {
		left -= 7
		if bytes -= len(f.Link) + len(f.Peer); left < 0 || bytes < 0 {
			break
		}
		out.Files = append(out.Files, f)
	}
	return out
}

func (b *builder) addThread(t Thread) uint32 {
	if n := len(b.thread); n > 0 {
		if i := b.thread[n-1]; b.threads[i] == t {
			return uint32(i)
		}
	}
	// An exec changes the kernel's number of a thread: then it is listed again.
	if i, ok := b.threadOf[t.ID]; ok && b.threads[i] == t {
		return i
	}
	i := uint32(len(b.threads))
	b.parts++
	b.threads = append(b.threads, t)
	b.threadOf[t.ID] = i
	return i
}

func (b *builder) addShape(e *Event) *shapeBuilder {
	key := keyOf(e)
	s := b.known[key]
	if s == nil {
		s = &shapeBuilder{index: -1, key: key, kind: e.Kind, arch: e.Arch, nr: e.NR, regs: 6, last: -1}
		if e.Kind.isCall() {
			if s.desc = b.regs(e.Arch, e.NR); s.desc != nil {
				s.regs = registers(s.desc)
			}
		}
		b.known[key] = s
	}
	if s.index < 0 {
		s.index = len(b.shapes)
		b.shapes = append(b.shapes, s)
		b.parts += 16
	}
	return s
}

// isCall reports whether events of the kind are system calls.
func (k Kind) isCall() bool { return k == Syscall || k == Unfinished || k == InFlight }

// registers returns how many argument registers the call has; its variants use
// no others.
func registers(d *syscalls.Desc) int {
	n := 0
	for i := range d.Args {
		a := &d.Args[i]
		n = max(n, a.Reg+1)
		if a.Wide {
			n = max(n, a.Reg+2)
		}
	}
	return min(n, 6)
}

// findLayout returns the index of the layout of e's memory in s, a new one if
// there is none yet.
func (b *builder) findLayout(s *shapeBuilder, e *Event) int {
	if s.last >= 0 && s.layouts[s.last].fits(e) {
		return s.last
	}
	for i, l := range s.layouts {
		if l.fits(e) {
			s.last = i
			return i
		}
	}
	for i, l := range s.spare {
		if l.fits(e) {
			last := len(s.spare) - 1
			s.spare[i] = s.spare[last]
			s.spare = s.spare[:last]
			l.reset()
			return b.addLayout(s, l)
		}
	}
	l := &layoutBuilder{keys: make([]slotKey, len(e.Bufs))}
	tables := make([]*table, len(e.Bufs))
	for i := range e.Bufs {
		buf := &e.Bufs[i]
		k := slotKey{buf.Phase, buf.Arg, buf.Parent, buf.Off, buf.Faulted, -1, false}
		switch classify(s.desc, e, i) {
		case classString:
			tables[i] = &b.strings
		case classData:
			tables[i] = &b.data
		case classDirents:
			tables[i] = &b.dirents
			k.dirents = true
		case classStruct:
			k.size = int32(len(buf.Data))
			tables[i] = b.structTable(s.key, k)
		}
		l.keys[i] = k
	}
	l.fold(tables)
	return b.addLayout(s, l)
}

func (b *builder) addLayout(s *shapeBuilder, l *layoutBuilder) int {
	b.parts += 2 + 3*len(l.slots)
	s.layouts = append(s.layouts, l)
	s.last = len(s.layouts) - 1
	return s.last
}

func (l *layoutBuilder) reset() {
	l.rows = l.rows[:0]
	for i := range l.slots {
		sl := &l.slots[i]
		sl.rows, sl.want, sl.length = sl.rows[:0], sl.want[:0], sl.length[:0]
	}
}

func (b *builder) structTable(shape shapeKey, k slotKey) *table {
	key := tableKey{shape, k, int(k.size)}
	if k.size >= ownSize {
		key = tableKey{size: int(k.size)}
	}
	t := b.tables[key]
	if t == nil {
		t = &table{size: int(k.size)}
		b.tables[key] = t
	}
	return t
}

// fits reports whether e's memory has this layout.
func (l *layoutBuilder) fits(e *Event) bool {
	if len(l.keys) != len(e.Bufs) {
		return false
	}
	for i := range l.keys {
		k, b := &l.keys[i], &e.Bufs[i]
		if k.phase != b.Phase || k.arg != b.Arg || k.parent != b.Parent || k.off != b.Off ||
			k.faulted != b.Faulted || k.size >= 0 && int(k.size) != len(b.Data) ||
			k.dirents && !isDirents(b.Data) {
			return false
		}
	}
	return true
}

// fold makes the slots: runs of pieces that differ by a constant step of their
// offset (the strings of an argument vector) become one slot.
func (l *layoutBuilder) fold(tables []*table) {
	for i := 0; i < len(l.keys); {
		sl := slotBuilder{slotKey: l.keys[i], count: 1, table: tables[i]}
		for j := i + 1; j < len(l.keys); j++ {
			k := l.keys[j]
			step := k.off - l.keys[j-1].off
			if sl.count == 1 {
				sl.stride = step
			}
			k.off = sl.off
			if k != sl.slotKey || step != sl.stride || tables[j] != sl.table || sl.parent < 0 {
				break
			}
			sl.count++
		}
		if sl.count == 1 {
			sl.stride = 0
		}
		l.slots = append(l.slots, sl)
		i += int(sl.count)
	}
}

type class uint8

const (
	classData    class = iota // what differs in length or has no structure
	classString               // text
	classStruct               // of one size and structure
	classDirents              // whole directory entries
)

// maxStruct is the size up to which a piece is split into columns.
const maxStruct = 512

// classify chooses the table for piece i of e. The choice is a matter of size
// alone: a reader needs no table of calls.
func classify(d *syscalls.Desc, e *Event, i int) class {
	buf := &e.Bufs[i]
	fixed := len(buf.Data)%4 == 0 && len(buf.Data) > 0 && len(buf.Data) <= maxStruct && int(buf.Want) == len(buf.Data)
	if d != nil {
		if c := findCopy(d.Select(&e.Args), buf); c != nil {
			switch {
			case d.Name == "getdents64" && len(buf.Data) > 0 && isDirents(buf.Data):
				return classDirents
			case c.Mode == syscalls.CString:
				return classString
			case c.Mode == syscalls.Counted && !c.Data && fixed && int(c.Unit) == len(buf.Data):
				return classStruct
			}
			return classData
		}
	}
	if n := len(buf.Data); n > 0 && buf.Data[n-1] == 0 && slices.Index(buf.Data, 0) == n-1 {
		return classString
	}
	if e.Kind == Signal && fixed {
		return classStruct
	}
	return classData
}

// findCopy returns the step of the call's copy plan that made buf, or nil.
func findCopy(d *syscalls.Desc, buf *Buf) *syscalls.Copy {
	for i := range d.Copies {
		c := &d.Copies[i]
		if c.Phase != uint8(buf.Phase) || c.Arg != buf.Arg || (c.Parent < 0) != (buf.Parent < 0) {
			continue
		}
		off := uint32(c.Off)
		if buf.Parent < 0 || off == buf.Off || c.Stride > 0 && buf.Off > off && (buf.Off-off)%uint32(c.Stride) == 0 {
			return c
		}
	}
	return nil
}
