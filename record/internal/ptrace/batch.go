//go:build linux && (amd64 || arm64)

package ptrace

import (
	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
)

const (
	batchEvents = 4096
	batchBytes  = 256 << 10
	batches     = 4 // that exist: one being filled, the others on their way

	blockEvents = 60_000  // at which a block of the trace is closed
	blockBytes  = 1 << 20 // of captured memory
)

// Batch is a run of events on its way from the engine to the encoder. Its
// events and their buffers are valid until it is given back.
type Batch struct {
	Events []tracefile.Event
	Losses []*tracepb.Loss
	Names  []Name // in order of Event
	// Flush closes the block behind this batch; InFlight are then the calls
	// that have not returned.
	Flush    bool
	InFlight []tracefile.Event
	Flying   []Name // of InFlight

	// Gap says that events were dropped before this batch's end: Events are
	// those starts, execs and ends of threads among them that were kept, and
	// Losses count the others.
	Gap *Gap
	// Spare batches are not to be given back.
	Spare bool

	bufs     []tracefile.Buf
	data     []byte
	contexts []tracefile.Secontext
}

// newBatch returns an empty batch. It grows to its size as it is used, for
// most recordings are short.
func newBatch() *Batch { return &Batch{Events: make([]tracefile.Event, 0, 256)} }

func (b *Batch) reset() {
	clear(b.Events) // facts are garbage now
	clear(b.InFlight)
	clear(b.Losses)
	clear(b.Names)
	clear(b.Flying)
	b.Names, b.Flying = b.Names[:0], b.Flying[:0]
	b.Events, b.InFlight, b.Losses = b.Events[:0], b.InFlight[:0], b.Losses[:0]
	b.bufs, b.data, b.contexts = b.bufs[:0], b.data[:0], b.contexts[:0]
	b.Flush = false
}

func (b *Batch) full() bool { return len(b.Events) >= batchEvents || len(b.data) >= batchBytes }

// own copies bufs into the batch's space. Growing it leaves what was handed
// out before where it is.
func (b *Batch) own(bufs []tracefile.Buf) []tracefile.Buf {
	if len(bufs) == 0 {
		return nil
	}
	first := len(b.bufs)
	b.bufs = append(b.bufs, bufs...)
	own := b.bufs[first:len(b.bufs):len(b.bufs)]
	for i := range own {
		at := len(b.data)
		b.data = append(b.data, own[i].Data...)
		own[i].Data = b.data[at:len(b.data):len(b.data)]
	}
	return own
}

// ownContexts does the same with security contexts.
func (b *Batch) ownContexts(list []tracefile.Secontext) []tracefile.Secontext {
	first := len(b.contexts)
	b.contexts = append(b.contexts, list...)
	return b.contexts[first:len(b.contexts):len(b.contexts)]
}

// contextBytes is about what a security context weighs in a block.
const contextBytes = 8
