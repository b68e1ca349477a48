//go:build linux && (amd64 || arm64)

package ptrace

import (
	"cmp"
	"slices"
	"time"

	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
)

// handOver gives the batch to the encoder and takes a fresh one. With flush the
// encoder closes a block.
func (e *Engine) handOver(flush bool) {
	if flush {
		e.tellTallies()
	}
	b := e.batch
	if flush {
		b.Flush = true
		for _, t := range e.threads {
			if !t.inside || t.call.entry == nil || !t.call.entry.selected {
				continue
			}
			var ev tracefile.Event
			t.event(&ev, tracefile.InFlight, t.call.start)
			ev.Bufs = b.own(t.call.mem.Bufs)
			ev.Secontexts = b.ownContexts(ev.Secontexts)
			b.Flying = appendNames(b.Flying, t.call.names, len(b.InFlight))
			b.InFlight = append(b.InFlight, ev)
		}
		e.inBlock.events, e.inBlock.bytes = 0, 0
		e.dirty = false
	}
	e.batch = nil
	e.Full <- b // has room
	if e.batch = e.take(); e.batch == nil {
		e.behind = newGap()
	}
}

// take returns an empty batch. Where the encoder has them all it waits for one;
// with Config.Drop, after [Engine.Hurry], and some time after [Engine.Stop], it
// returns nil instead.
func (e *Engine) take() *Batch {
	select {
	case b := <-e.Free:
		return fresh(b)
	default:
	}
	if e.cfg.Drop {
		return nil
	}
	select {
	case <-e.hurry: // from an earlier time
	default:
	}
	e.waiting = time.Now()
	e.mu.Unlock()
	defer func() {
		e.mu.Lock()
		e.waiting = time.Time{}
	}()
	var patience <-chan time.Time
	for {
		if patience == nil && e.reason() != Running {
			patience = time.After(stopPatience)
		}
		select {
		case b := <-e.Free:
			return fresh(b)
		case <-patience:
			return nil
		case <-e.hurry:
			if e.reason() == Running {
				return nil
			}
		}
	}
}

// stopPatience is how long a recording that is to end waits for an encoder that
// is behind before it lets the processes go.
const stopPatience = 300 * time.Millisecond

// fresh returns b empty.
func fresh(b *Batch) *Batch {
	if b == nil {
		return newBatch()
	}
	b.reset()
	return b
}

// wake takes the engine out of waiting for the encoder.
func (e *Engine) wake() {
	select {
	case e.hurry <- struct{}{}:
	default:
	}
}

// Hurry drops events if the processes have had to wait for the encoder for as
// long as that, until it has caught up. It may be called from any goroutine.
func (e *Engine) Hurry(after time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.waiting.IsZero() && time.Since(e.waiting) >= after {
		e.wake()
	}
}

// Tick closes the block that is being filled, so that what happened reaches
// the file. It may be called from any goroutine, and never waits.
func (e *Engine) Tick() {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.closed || !e.waiting.IsZero():
		return
	case e.behind != nil:
		e.resume(e.now())
	case e.dirty && len(e.Free) > 0:
		e.handOver(true)
	}
	e.quiet(e.now())
}

// Close hands over what is left. The encoder sees Full closed behind it.
func (e *Engine) Close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.tellTallies()
	e.closed = true
	if e.behind != nil {
		e.Full <- e.behind.batch()
	} else {
		e.Full <- e.batch
	}
	close(e.Full)
}

// Gap is a time in which events were dropped, as the encoder is told of it.
type Gap struct {
	// Threads and Processes are those that live at its end.
	Threads   []tracefile.Thread
	Processes []Snapshot
}

// Snapshot is what is known of a process.
type Snapshot struct {
	ID    tracefile.ProcessID
	Facts *tracepb.Process
}

const (
	// gapLeast is how long dropping goes on at least, in nanoseconds: to take
	// it up again costs a look at every process.
	gapLeast = int64(200 * time.Millisecond)
	// gapEvents is how many starts, execs and ends of threads are kept.
	gapEvents = 4096
	// gapThreads is of how many threads the dropped events are counted apart.
	gapThreads = 64
	// gapLosses is how many other losses are kept.
	gapLosses = 256
)

// gap collects what is to be said of events that are dropped.
type gap struct {
	begin  int64 // 0: nothing was dropped yet
	last   int64
	events []tracefile.Event
	losses []*tracepb.Loss
	lost   map[tracefile.ThreadID]*tracepb.Loss // 0: of all further threads
}

func newGap() *gap { return &gap{lost: make(map[tracefile.ThreadID]*tracepb.Loss)} }

// drop counts an event that finds no room, or keeps it if it is one of those by
// which the others are understood.
func (e *Engine) drop(ev *tracefile.Event) (kept bool) {
	g := e.behind
	g.last = ev.End
	if g.begin == 0 {
		g.begin = ev.End
	}
	switch ev.Kind {
	case tracefile.ThreadStart, tracefile.Exec, tracefile.ThreadExit, tracefile.Detach:
		if len(g.events) < gapEvents {
			g.events = append(g.events, *ev)
			return true
		}
	}
	id := ev.Thread.ID
	l := g.lost[id]
	if l == nil {
		if len(g.lost) >= gapThreads {
			id = 0
		}
		if l = g.lost[id]; l == nil {
			l = &tracepb.Loss{Reason: tracepb.Loss_DROPPED, Thread: uint32(id), FirstNs: ev.Start, LastNs: ev.End}
			g.lost[id] = l
		}
	}
	l.Count++
	l.FirstNs, l.LastNs = min(l.FirstNs, ev.Start), max(l.LastNs, ev.End)
	return false
}

// resume ends dropping if the encoder has caught up: it has given back every
// batch.
func (e *Engine) resume(now int64) bool {
	g := e.behind
	if len(e.Free) < batches-1 || g.begin != 0 && now-g.begin < gapLeast {
		return false
	}
	e.behind = nil
	b := g.batch()
	for _, t := range e.threads {
		b.Gap.Threads = append(b.Gap.Threads, t.Thread)
	}
	slices.SortFunc(b.Gap.Threads, func(x, y tracefile.Thread) int { return cmp.Compare(x.ID, y.ID) })
	seen := make(map[tracefile.ProcessID]bool)
	for _, t := range b.Gap.Threads {
		if seen[t.Process] {
			continue
		}
		if facts := e.proc.Standing(int(t.TID)); facts != nil {
			seen[t.Process] = true
			facts.Tgid = t.TGID
			b.Gap.Processes = append(b.Gap.Processes, Snapshot{t.Process, facts})
		}
	}
	e.Full <- b
	e.batch = e.take()
	e.inBlock.events, e.inBlock.bytes = 0, 0
	e.dirty = true
	return true
}

// batch returns what the encoder is to know of a gap.
func (g *gap) batch() *Batch {
	b := &Batch{Spare: true, Gap: &Gap{}, Events: g.events, Losses: g.losses}
	for _, l := range g.lost {
		b.Losses = append(b.Losses, l)
	}
	slices.SortFunc(b.Losses, func(x, y *tracepb.Loss) int { return cmp.Compare(x.Thread, y.Thread) })
	return b
}

// loss records a loss.
func (e *Engine) loss(l *tracepb.Loss) {
	e.dirty = true
	g := e.behind
	switch {
	case g == nil:
		e.batch.Losses = append(e.batch.Losses, l)
	case len(g.losses) < gapLosses:
		g.losses = append(g.losses, l)
	default:
		// One of its kind tells of it too.
		for _, o := range g.losses {
			if o.Reason == l.Reason {
				o.Count += l.Count
				o.LastNs = max(o.LastNs, l.LastNs)
				return
			}
		}
	}
}
