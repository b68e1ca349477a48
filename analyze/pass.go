package analyze

import (
	"context"
	"errors"
	"io"
	"math"
	"slices"

	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
	"sysreel/proto/world"
)

// pass is one run over a trace.
type pass struct {
	options Options
	match   *matcher
	fn      func(*Call) error
	world   *world.World
	shapes  shapes

	next  uint64 // number of the event expected
	load  bool   // events are missing: every block's context is needed
	call  Call
	event tracefile.Event

	push pushdown

	pending []tracefile.Event // in flight at the end of the last block

	blockShapes  []*shapeMeta // by index in the block
	blockThreads []bool       // the filter wants the thread

	passed uint64 // events of the blocks passed over
	size   int64  // of the file, negative if not known
	began  int64  // where in it the first block was
}

// errDone ends a pass early.
var errDone = errors.New("range ended")

func (p *pass) run(ctx context.Context, r *tracefile.Reader) error {
	if err := p.seek(r); err != nil {
		return err
	}
	p.size = r.Size()
	p.push = pushdown{next: 1, world: p.options.Need == NeedWorld, match: p.match, shapes: &p.shapes}
	p.push.broken.Store(math.MaxInt64)
	var choose tracefile.Choose
	if p.options.Need > NeedCore {
		choose = p.push.choose
	}
	if choose != nil && p.options.everything {
		choose = tracefile.All
	}
	err := r.Each(ctx, p.options.Workers, choose, p.skip, p.block)
	if err != nil && err != errDone {
		return err
	}
	if p.options.BlockEnd != nil {
		return nil // they were handed on with their block
	}
	return p.inFlight()
}

// seek goes to the first block of the range, where the input can.
func (p *pass) seek(r *tracefile.Reader) error {
	p.next = 1
	var err error
	switch {
	case p.match.firstEvent > 1:
		err = r.SeekEvent(p.match.firstEvent)
	case p.match.fromTime && p.match.firstTime > r.Header().GetClock().GetMonotonicNs():
		err = r.SeekTime(p.match.firstTime)
	}
	if err == io.EOF {
		return nil
	}
	return err
}

// skip passes over blocks that have nothing of the range.
func (p *pass) skip(c *tracefile.ChunkInfo) bool {
	m := p.match
	if m.fromTime && c.LastTime < m.firstTime || c.FirstEvent+uint64(c.Events) <= m.firstEvent && c.Events > 0 {
		return true
	}
	p.push.see(c)
	return false
}

// block hands on the events of a block.
func (p *pass) block(b *tracefile.Block) error {
	c := &b.Core
	if c.FirstEvent != p.next || dropped(c.Losses) {
		p.world.Lose()
		p.load = true
	}
	m := p.match
	// The range has ended if all that comes begins after it. Calls that began
	// within and end later were in flight at the end of the block before.
	if m.lastEvent != 0 && c.FirstEvent > m.lastEvent || m.toTime && c.Events > 0 && after(c.Start, m.lastTime) {
		return errDone
	}
	p.next = c.FirstEvent + uint64(c.Events)
	if p.load || p.options.Need == NeedCore && len(c.Processes) > 0 {
		p.loadContext(b)
	}
	if p.options.Loss != nil {
		for _, l := range c.Losses {
			p.options.Loss(l)
		}
	}
	p.blockShapes = p.blockShapes[:0]
	for _, s := range c.Shapes {
		p.blockShapes = append(p.blockShapes, p.shapes.of(s.Kind, s.Arch, s.NR, s.Name, s.Proto))
	}
	p.blockThreads = p.blockThreads[:0]
	for _, t := range c.Threads {
		p.blockThreads = append(p.blockThreads, m.thread(t))
	}
	var err error
	if p.options.Need == NeedCore {
		err = p.coreEvents(c)
	} else {
		err = p.fullEvents(b)
	}
	if err != nil {
		return err
	}
	p.keepPending(b)
	if p.options.BlockEnd != nil {
		if err := p.inFlight(); err != nil {
			return err
		}
		if err := p.options.BlockEnd(); err != nil {
			return err
		}
	}
	p.progress(c)
	if m.lastEvent != 0 && p.next > m.lastEvent {
		return errDone
	}
	return nil
}

// progress tells how far the pass is.
func (p *pass) progress(c *tracefile.Core) {
	if p.passed == 0 {
		p.began = c.Chunk.Offset
	}
	p.passed += uint64(c.Events)
	if p.options.Progress == nil {
		return
	}
	share := -1.0
	if rest := p.size - p.began; p.size >= 0 && rest > 0 {
		share = min(float64(c.Chunk.Offset+int64(c.Chunk.Size)-p.began)/float64(rest), 1)
	}
	p.options.Progress(p.passed, share)
}

// dropped reports whether events before the block are missing though the numbers
// do not show it.
func dropped(losses []*tracepb.Loss) bool {
	return slices.ContainsFunc(losses, func(l *tracepb.Loss) bool { return l.Reason == tracepb.Loss_DROPPED })
}

func after(times []int64, t int64) bool {
	for _, x := range times {
		if x <= t {
			return false
		}
	}
	return true
}

// loadContext gives the world what the block says of what came before.
func (p *pass) loadContext(b *tracefile.Block) {
	c := tracefile.Context{Processes: b.Processes}
	if p.options.Need == NeedWorld {
		c.Threads, c.Files = b.Threads, b.Files
	}
	if !p.load { // NeedCore: of processes not yet known only
		c.Processes = nil
		for _, pc := range b.Processes {
			if p.world.Process(pc.ID) == nil {
				c.Processes = append(c.Processes, pc)
			}
		}
	}
	p.world.Load(&c)
}

// coreEvents hands on the events from the core columns alone.
func (p *pass) coreEvents(c *tracefile.Core) error {
	m, e, call := p.match, &p.event, &p.call
	facts := c.Facts
	ranged := m.fromTime || m.toTime || m.lastEvent != 0 || m.firstEvent > 1
	picky := m.failed || m.errnos != nil || m.minLatency > 0
	*e = tracefile.Event{}
	for i := range c.Events {
		s := c.Shape[i]
		meta := p.blockShapes[s]
		shape := &c.Shapes[s]
		isCall := shape.Kind == tracefile.Syscall || shape.Kind == tracefile.Unfinished
		if isCall && (!meta.pass || !p.blockThreads[c.Thread[i]]) {
			continue
		}
		// Field by field: clearing the whole event costs more than all the rest.
		e.Num, e.Kind, e.Flags, e.Arch = c.FirstEvent+uint64(i), shape.Kind, c.Flags[i], shape.Arch
		e.Thread, e.NR = c.Threads[c.Thread[i]], shape.NR
		e.Start, e.End, e.Ret = c.Start[i], c.End[i], c.Ret[i]
		if isCall {
			if picky && !m.result(e) || ranged && !m.within(e) {
				continue
			}
			if t := p.world.See(e.Thread); t != call.Thread || call.Event != e {
				*call = Call{Event: e, Thread: t, Process: t.Process}
			}
			if call.meta != meta {
				call.Name, call.Desc, call.meta = meta.name, meta.desc, meta
			}
			if err := p.fn(call); err != nil {
				return err
			}
			continue
		}
		for k := range e.Args {
			e.Args[k] = c.Arg(i, k)
		}
		for len(facts) > 0 && facts[0].Index < i {
			facts = facts[1:]
		}
		if len(facts) > 0 && facts[0].Index == i {
			e.Facts = facts[0].Facts
		}
		if err := p.other(meta, p.blockThreads[c.Thread[i]]); err != nil {
			return err
		}
		*e = tracefile.Event{}
		*call = Call{}
	}
	return nil
}

// other hands on the event p.event that is no call, and applies it.
func (p *pass) other(meta *shapeMeta, wanted bool) error {
	e := &p.event
	t := p.world.See(e.Thread)
	if wanted && p.match.within(e) {
		p.call = Call{Event: e, Name: meta.name, Thread: t, Process: t.Process, world: p.world, meta: meta, paths: p.call.paths, fds: p.call.fds}
		if err := p.fn(&p.call); err != nil {
			return err
		}
	}
	p.world.Apply(e)
	return nil
}

// fullEvents hands on the events with arguments and memory.
func (p *pass) fullEvents(b *tracefile.Block) error {
	e, m, facts := &p.event, p.match, b.Facts
	picky := m.picky()
	for i := range b.Events {
		s := b.Shape[i]
		meta := p.blockShapes[s]
		kind := b.Shapes[s].Kind
		wanted := p.blockThreads[b.Thread[i]]
		if kind != tracefile.Syscall && kind != tracefile.Unfinished {
			b.Event(i, e)
			if err := p.other(meta, wanted); err != nil {
				return err
			}
			continue
		}
		wanted = wanted && meta.pass && (!picky || m.row(&b.Columns, i, kind))
		for len(facts) > 0 && facts[0].Index < i {
			facts = facts[1:]
		}
		named := len(facts) > 0 && facts[0].Index == i
		if !wanted && !meta.changes && !named {
			continue
		}
		b.Event(i, e)
		if named && p.options.Need == NeedWorld {
			p.world.Named(e)
		}
		if wanted {
			if err := p.hand(e, meta); err != nil {
				return err
			}
		}
		if p.options.Need == NeedWorld && (meta.changes || named) {
			p.world.Apply(e)
		}
	}
	return nil
}

// hand gives a call to fn if the filter lets it through.
func (p *pass) hand(e *tracefile.Event, meta *shapeMeta) error {
	m := p.match
	if !m.result(e) || !m.within(e) {
		return nil
	}
	call := &p.call
	// Field by field, and only those that change: it is done for every call.
	if t := p.world.See(e.Thread); call.Event != e || call.Thread != t || call.Process != t.Process {
		call.Event, call.Thread, call.Process, call.world = e, t, t.Process, nil
		if p.options.Need != NeedCore {
			call.world = p.world
		}
	}
	if call.meta != meta {
		call.Name, call.Desc, call.meta = meta.name, meta.desc, meta
	}
	call.known = false
	if len(m.globs) > 0 && !m.path(call.Paths()) {
		return nil
	}
	return p.fn(call)
}

// keepPending copies the calls in flight at the end of the block, which is used
// again.
func (p *pass) keepPending(b *tracefile.Block) {
	if p.options.Need == NeedCore {
		c := &b.Pending
		p.pending = p.pending[:0]
		for i := range c.Shape {
			s := &b.Shapes[c.Shape[i]]
			p.pending = append(p.pending, tracefile.Event{
				Kind: tracefile.InFlight, Arch: s.Arch, NR: s.NR, Flags: c.Flags[i],
				Thread: b.Threads[c.Thread[i]], Start: c.Start[i], End: c.End[i],
			})
		}
		return
	}
	p.pending = p.pending[:0]
	for i := range b.InFlight {
		p.pending = append(p.pending, cloneEvent(&b.InFlight[i]))
	}
}

func cloneEvent(e *tracefile.Event) tracefile.Event {
	c := *e
	c.Kind = tracefile.InFlight
	c.Bufs = make([]tracefile.Buf, len(e.Bufs))
	for i, b := range e.Bufs {
		b.Data = append([]byte(nil), b.Data...)
		c.Bufs[i] = b
	}
	return c
}

// inFlight hands on the calls that were in flight when the pass ended.
func (p *pass) inFlight() error {
	for i := range p.pending {
		e := &p.pending[i]
		if p.match.lastEvent != 0 {
			continue // a range of numbers has none without
		}
		meta := p.shapes.of(e.Kind, e.Arch, e.NR, "", "")
		if !meta.pass || !p.match.thread(e.Thread) {
			continue
		}
		if err := p.world.Aside(e, func() error { return p.hand(e, meta) }); err != nil {
			return err
		}
	}
	return nil
}
