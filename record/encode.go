//go:build linux && (amd64 || arm64)

package record

import (
	"io"

	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
	"sysreel/proto/world"
	"sysreel/record/internal/ptrace"
)

// encoder writes batches to the output, on a goroutine of its own. When the
// output fails it says so once and goes on taking batches, so that the engine
// is never stuck.
type encoder struct {
	free    chan<- *ptrace.Batch
	failed  func(error)
	full    func() // the trace has reached maxSize
	maxSize int64

	w      *tracefile.Writer
	err    error  // the first of the output
	events uint64 // taken; after an error those that were written
	whole  uint64 // of them in blocks that were written
	lost   uint64
	done   chan struct{}
}

// open writes the header.
func (c *encoder) open(out io.Writer, h *tracepb.Header) {
	c.w, c.err = tracefile.NewWriter(out, h, tracefile.WriterOptions{Tracker: world.New()})
	if c.err != nil {
		c.failed(c.err)
	}
}

// endSize is about what index and footer take.
const endSize = 1 << 10

func (c *encoder) run(batches <-chan *ptrace.Batch) {
	for b := range batches {
		if c.err == nil {
			if c.err = c.write(b); c.err != nil {
				c.events = c.whole
				c.failed(c.err)
			}
		}
		c.free <- b
	}
}

func (c *encoder) write(b *ptrace.Batch) error {
	for i := range b.Events {
		if err := c.w.Add(&b.Events[i]); err != nil {
			return err
		}
		c.events++
	}
	for _, l := range b.Losses {
		c.w.AddLoss(l)
		if l.Reason == tracepb.Loss_DROPPED {
			c.lost += l.Count
		}
	}
	if !b.Flush {
		return nil
	}
	before := c.w.Size()
	if err := c.w.Flush(b.InFlight); err != nil {
		return err
	}
	c.whole = c.events
	// Another block like this one, and the end, must fit.
	if size := c.w.Size(); c.maxSize > 0 && size+(size-before)+endSize >= c.maxSize {
		c.full()
	}
	return nil
}

// close ends the trace.
func (c *encoder) close(f *tracepb.Footer) {
	if c.err != nil {
		return
	}
	if c.err = c.w.Flush(nil); c.err != nil {
		c.events = c.whole
		return
	}
	c.err = c.w.Close(f)
}

func (c *encoder) size() int64 {
	if c.w == nil {
		return 0
	}
	return c.w.Size()
}
