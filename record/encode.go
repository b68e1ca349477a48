//go:build linux && (amd64 || arm64)

package record

import (
	"errors"
	"io"
	"sync"

	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
	"sysreel/proto/world"
	"sysreel/record/internal/ptrace"
	"sysreel/record/internal/redact"
)

// encoder writes batches to the output, on a goroutine of its own. When the
// output fails it says so once and goes on taking batches, so that the engine
// is never stuck. It may be stuck itself, for as long as the output is.
type encoder struct {
	free    chan<- *ptrace.Batch
	failed  func(error)
	full    func() // the trace has reached maxSize
	maxSize int64
	names   bool // calls tell what the descriptors are that they make
	paths   []string
	rules   *redact.Rules

	secrets *redact.Events // nil: nothing is blanked
	world   *world.World
	w       *tracefile.Writer
	err     error             // the first of the output
	before  int64             // bytes of the parts before this one
	block   int64             // bytes of the last block
	pending uint64            // events of the current block
	end     int64             // ns: of the last event
	ends    []tracefile.Event // of the current block, those of note
	cut     *tracepb.Loss     // what maxSize has left no room for; nil: everything had

	done chan struct{} // closed when nothing more will be written

	mu      sync.Mutex
	written written
}

// written is what has got to the output. It may be asked for while the encoder
// is stuck.
type written struct {
	events uint64 // in blocks that were written
	kept   uint64 // of them those that the file still has; of a series all of the last part
	bytes  int64
	lost   uint64
	err    error
}

// open writes the header.
func (c *encoder) open(o *Options, h *tracepb.Header) {
	c.world = world.New()
	c.secrets = redact.NewEvents(c.rules, c.world)
	c.secrets.Header(h)
	wo := tracefile.WriterOptions{Tracker: c.world, MaxSize: o.MaxSize, Reserve: lastBlock}
	switch {
	case o.RingSize > 0:
		wo.MaxSize, wo.Reserve, wo.Ring = o.RingSize, 0, o.RingFiles
	case o.PartSize > 0:
		wo.MaxSize, wo.Reserve = o.PartSize, 0
		wo.Next = func() (io.Writer, error) {
			c.before += c.w.Size()
			return o.NextPart()
		}
	}
	c.w, c.err = tracefile.NewWriter(o.Output, h, wo)
	if c.err != nil {
		c.failed(c.err)
	}
	c.publish()
}

const (
	// endSize is about what index and footer take.
	endSize = 2 << 10
	// lastBlock is room for the ends of threads where maxSize cuts off the rest.
	lastBlock = 4 << 10
)

func (c *encoder) run(batches <-chan *ptrace.Batch) {
	for b := range batches {
		if c.err == nil {
			if c.err = c.write(b); c.err != nil {
				c.failed(c.err)
			}
			c.publish()
		}
		if !b.Spare {
			c.free <- b
		}
	}
}

// publish notes how far it is.
func (c *encoder) publish() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		c.written.err = c.err
	}
	if c.w == nil {
		return
	}
	first, n := c.w.Written()
	c.written.events, c.written.kept = first-1+n, n
	c.written.bytes = c.before + c.w.Size()
}

func (c *encoder) write(b *ptrace.Batch) error {
	if b.Gap != nil {
		return c.gap(b)
	}
	if err := c.add(b.Events, b.Names); err != nil {
		return err
	}
	c.losses(b.Losses)
	if !b.Flush {
		return nil
	}
	for i := range b.InFlight {
		c.name(&b.InFlight[i], namesOf(&b.Flying, i))
	}
	return c.flush(b.InFlight)
}

// add puts events into the current block.
func (c *encoder) add(events []tracefile.Event, names []ptrace.Name) error {
	for i := range events {
		e := &events[i]
		named := namesOf(&names, i)
		if len(named) > 0 {
			c.name(e, named)
		}
		if e.Facts != nil && c.w.Full() {
			// More is to be said than the engine foresaw.
			if err := c.flush(nil); err != nil {
				return err
			}
		}
		if e.Fingerprint != 0 && !c.world.See(e.Thread).Process.File(int32(e.Args[0])).Stored() {
			e.Fingerprint = 0
		}
		c.secrets.Event(e)
		if c.maxSize > 0 {
			if ofNote(e) {
				c.ends = append(c.ends, *e)
				c.ends[len(c.ends)-1].Secontexts = nil // the batch's
			} else if c.cut != nil {
				c.cut.Count++
				c.cut.LastNs = e.End
				continue
			}
			if c.cut != nil && c.w.Full() {
				continue
			}
		}
		if err := c.w.Add(e); err != nil {
			return err
		}
		c.made(e, named)
		c.pending++
		c.end = e.End
	}
	return nil
}

// ofNote tells the events by which the others are understood.
func ofNote(e *tracefile.Event) bool {
	switch e.Kind {
	case tracefile.ThreadStart, tracefile.Exec, tracefile.ThreadExit, tracefile.Detach:
		return true
	}
	return false
}

func (c *encoder) losses(all []*tracepb.Loss) {
	for _, l := range all {
		c.w.AddLoss(l)
		if l.Reason == tracepb.Loss_DROPPED {
			c.mu.Lock()
			c.written.lost += l.Count
			c.mu.Unlock()
		}
	}
}

// flush closes the block.
func (c *encoder) flush(inFlight []tracefile.Event) error {
	if c.cut != nil {
		return nil // close does it
	}
	for i := range inFlight {
		c.secrets.Event(&inFlight[i])
	}
	c.secrets.Take(c.w.AddRedactions)
	before := c.w.Size()
	switch err := c.w.Flush(inFlight); {
	case err == tracefile.ErrFull:
		return c.overflow(c.pending)
	case err != nil:
		return err
	}
	c.ends, c.pending = c.ends[:0], 0
	if size := c.w.Size(); size > before {
		c.block = size - before
	}
	// Another block like this one, and the end, should fit.
	if c.maxSize > 0 && c.w.Size()+c.block+lastBlock+endSize >= c.maxSize {
		c.full()
	}
	return nil
}

// overflow ends the recording, because a block of so many events did not fit. From
// now on only events of note are taken, beginning with those of that block.
func (c *encoder) overflow(events uint64) error {
	c.full()
	again := c.ends
	c.ends = nil
	c.cut = &tracepb.Loss{Reason: tracepb.Loss_TRUNCATED, Count: events - uint64(len(again)), FirstNs: c.end, LastNs: c.end}
	return c.add(again, nil)
}

// gap takes in what little is known of the time in which events were dropped.
// That goes into a block of its own; the next one begins with the world as it
// is then, and with the loss, which tells readers to forget what they knew.
func (c *encoder) gap(b *ptrace.Batch) error {
	if err := c.flush(nil); err != nil {
		return err
	}
	if err := c.add(b.Events, nil); err != nil {
		return err
	}
	if err := c.flush(nil); err != nil {
		return err
	}
	c.losses(b.Losses)
	for i := range b.Gap.Processes {
		c.secrets.Facts(b.Gap.Processes[i].Facts)
	}
	c.world.Lose()
	c.world.Load(snapshot(b.Gap))
	return nil
}

// snapshot is the context that a gap's end gives.
func snapshot(g *ptrace.Gap) *tracefile.Context {
	ctx := &tracefile.Context{Threads: g.Threads}
	for i := range g.Processes {
		id, p := g.Processes[i].ID, g.Processes[i].Facts
		ctx.Processes = append(ctx.Processes, tracefile.ProcessContext{
			ID: id, TGID: p.Tgid, Exe: p.Exe, Comm: p.Comm, Argv: p.Argv, Cwd: p.Cwd, Root: p.Root,
		})
		for _, f := range p.Files {
			ctx.Files = append(ctx.Files, tracefile.FileContext{Process: id, FD: f.Fd, Link: f.Link, Flags: f.Flags, Peer: f.Socket})
		}
	}
	return ctx
}

// close ends the trace.
func (c *encoder) close(f *tracepb.Footer) {
	if c.err != nil {
		return
	}
	if c.err = c.flush(nil); c.err != nil {
		c.publish()
		return
	}
	if c.cut != nil {
		c.w.AddLoss(c.cut)
	}
	c.secrets.Take(c.w.AddRedactions)
	if err := c.w.Flush(nil); err != nil && err != tracefile.ErrFull {
		c.err = err
	} else {
		if first, n := c.w.Written(); f.TriggerEvent >= first+n {
			f.TriggerEvent = 0
		}
		c.err = c.w.Close(f)
	}
	c.publish()
}

// progress tells what has been written.
func (c *encoder) progress() written {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.written
}

// giveUp makes it an error that the output is stuck.
func (c *encoder) giveUp() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.written.err == nil {
		c.written.err = errStuck
	}
}

// errStuck says that the recording was ended while the output took nothing.
var errStuck = errors.New("it takes no more, and was given up")
