package tracefile

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracepb"
)

// A Tracker follows the state of the traced processes, so that each block can
// say what it needs of what came before. world.World is one.
type Tracker interface {
	// Apply takes an event into account.
	Apply(*Event)
	// TakeContext returns what was mentioned since the last call, as it
	// stood before its first mention.
	TakeContext() *Context
}

// WriterOptions changes what a Writer does. The zero value is good.
type WriterOptions struct {
	Tracker   Tracker // nil: blocks carry no context but threads
	MaxEvents int     // of a block; 0: 65,536
	MaxBytes  int     // of a block before compression, roughly; 0: 4 MiB
	Level     Level
	// Lookup finds the description of a call, whose name and prototype are
	// put in the file and whose registers are kept. nil: syscalls.Lookup.
	Lookup func(syscalls.Arch, uint32) *syscalls.Desc

	// MaxSize bounds the bytes of the trace, its end included; 0: no bound. A
	// block that would not fit makes Flush return [ErrFull], unless Next or
	// Ring, of which one may be set, provides for it.
	MaxSize int64
	// Reserve is how much of MaxSize is left free until ErrFull was returned.
	Reserve int64
	// Next makes the trace a series of parts: where a block does not fit into
	// MaxSize, the part is closed and what Next returns takes the following
	// one. A part has at least one block, even one of more than MaxSize.
	Next func() (io.Writer, error)
	// Ring keeps the last blocks only, so that the file never has more than
	// MaxSize bytes. NewWriter's w must then be a [RingFile].
	Ring RingFiles
}

// ErrFull says that a block did not fit into WriterOptions.MaxSize and is not in
// the trace: the next event gets the number of its first. It is the one error
// after which a Writer goes on.
var ErrFull = errors.New("the trace has reached its size")

// Level trades the Writer's speed for size.
type Level uint8

const (
	// Normal is fast for full blocks and thorough for small ones: those come
	// from a recording that has time. Short traces are written quickly.
	Normal Level = iota
	// Small is thorough always, and a few times slower.
	Small
)

const (
	defaultMaxEvents = 1 << 16
	defaultMaxBytes  = 4 << 20
	// maxEventBytes is the most that the memory of one event may take.
	maxEventBytes = 4 << 20
	// maxEventPieces is the most pieces of memory that an event may have.
	maxEventPieces = 1 << 14
	// maxLosses is the most losses that a block may have.
	maxLosses = 1 << 12
	// maxRedactions is the most rules of redaction that a trace may count.
	maxRedactions = 256
	// hardBytes is where Add refuses to go on without a Flush: a frame
	// must stay below maxRaw.
	hardBytes = maxRaw - maxEventBytes - 1<<20
)

// Writer writes a trace as one stream: nothing is patched afterwards, and after
// every Flush what was written so far is a readable trace. Its errors are
// sticky. A Writer must not be used concurrently.
type Writer struct {
	w    io.Writer
	o    WriterOptions
	head chunkHeader // of the next chunk: uuid, seq, back
	size int64
	err  error

	encoders encoders

	b        builder
	e        encoder
	next     uint64          // number of the next event
	lastEnd  int64           // ns
	done     uint64          // number after the last event that is in a block
	doneEnd  int64           // ns: its end
	inFlight uint64          // signature of the last block's calls in flight
	header   *tracepb.Header // of a ring or series: what the next file's is made of
	first    uint64          // number of the file's first event
	index    indexColumns
	losses   [][]*tracepb.Loss // of each block
	full     bool              // ErrFull was returned: the reserve may be used
	ring     *ring             // nil: none
	raw      [2][]byte
	cuts     [2][]int
	whole    []byte
	out      bytes.Buffer
}

// NewWriter returns a Writer to w and writes the header chunk. It fills in h's
// version, its UUID if that is empty, and what it is of a series or ring. It does
// not keep h.
func NewWriter(w io.Writer, h *tracepb.Header, o WriterOptions) (*Writer, error) {
	if o.MaxEvents <= 0 || o.MaxEvents > maxRows/2 {
		o.MaxEvents = defaultMaxEvents
	}
	if o.MaxBytes <= 0 || o.MaxBytes > hardBytes {
		o.MaxBytes = defaultMaxBytes
	}
	if o.Lookup == nil {
		o.Lookup = syscalls.Lookup
	}
	if len(h.Uuid) == 0 {
		h.Uuid = make([]byte, 16)
		rand.Read(h.Uuid)
	}
	if len(h.Uuid) != 16 {
		return nil, fmt.Errorf("trace UUID has %d bytes, need 16", len(h.Uuid))
	}
	h.Major, h.Minor = Major, Minor
	wr := &Writer{w: w, o: o, next: 1, done: 1}
	wr.head.major = Major
	switch {
	case o.Ring != nil:
		live, ok := w.(RingFile)
		if !ok || o.MaxSize <= 0 {
			return nil, errors.New("a ring needs a RingFile and a size")
		}
		h.RingBytes = uint64(o.MaxSize)
		wr.ring = &ring{files: o.Ring, live: live}
	case o.Next != nil:
		h.Series = &tracepb.Series{Id: h.Uuid, Part: 1}
	}
	wr.b.tick = max(1, int64(h.TickNs))
	wr.b.regs = o.Lookup
	wr.b.reset(wr.next, 0)
	if wr.ring != nil || o.Next != nil {
		h = proto.CloneOf(h) // for the headers that come
	}
	if err := wr.begin(h); err != nil {
		return nil, err
	}
	return wr, nil
}

// begin writes the header of a file.
func (w *Writer) begin(h *tracepb.Header) error {
	w.header, w.first = h, w.done
	w.size, w.head.seq, w.head.back = 0, 0, 0
	w.index, w.losses = indexColumns{}, nil
	copy(w.head.uuid[:], h.Uuid)
	return w.message(kindHeader, chunkHeaderField, h)
}

// Field numbers of Trace and Chunk.
const (
	traceChunk       = 1
	chunkHeaderField = 1
	chunkBlockField  = 2
	chunkDetailField = 3
	chunkIndexField  = 4
	chunkFooterField = 5
)

// Add appends an event. It keeps copies of the data, but e.Facts must not
// change until the next Flush. Events must come in order of End. Registers that
// the call's prototype does not have are not kept.
//
// Add never writes: the caller calls Flush when Full, or after a time.
func (w *Writer) Add(e *Event) error {
	if w.err != nil {
		return w.err
	}
	if e.Facts != nil {
		if facts, missing := limitFacts(e.Facts); missing != "" {
			limited := *e
			limited.Facts, e = facts, &limited
			defer w.AddLoss(&tracepb.Loss{Reason: tracepb.Loss_TRUNCATED, Thread: uint32(e.Thread.ID), FirstNs: e.End, LastNs: e.End, Count: 1, Detail: missing})
		}
	}
	if err := w.check(e); err != nil {
		return err
	}
	if len(w.b.end) == 0 {
		losses := w.b.losses // told of before the first event
		w.b.reset(w.next, e.End/w.b.tick)
		w.b.losses = losses
		w.b.start = e.Start
	}
	w.b.add(e)
	w.b.start = min(w.b.start, e.Start)
	w.b.last = e.End
	w.lastEnd = e.End
	w.next++
	if w.o.Tracker != nil {
		w.o.Tracker.Apply(e)
	}
	return nil
}

func (w *Writer) check(e *Event) error {
	switch {
	case e.End < w.lastEnd:
		return fmt.Errorf("event %d ended at %d ns, before the one before it (%d ns)", w.next, e.End, w.lastEnd)
	case e.Start > e.End || e.Start < 0:
		return fmt.Errorf("event %d starts at %d ns and ends at %d ns", w.next, e.Start, e.End)
	case len(w.b.end) >= maxRows/2 || w.b.bytes > hardBytes || w.b.parts > maxParts/4 || len(w.b.losses) > maxLosses:
		return fmt.Errorf("block is full with %d events of %d bytes, %d parts and %d losses: flush it before adding events", len(w.b.end), w.b.bytes, w.b.parts, len(w.b.losses))
	}
	n := 0
	for i := range e.Bufs {
		n += len(e.Bufs[i].Data) + 16
	}
	if e.Facts != nil {
		n += proto.Size(e.Facts)
	}
	if len(e.Bufs) > maxEventPieces {
		return fmt.Errorf("event %d has %d pieces of memory, more than %d", w.next, len(e.Bufs), maxEventPieces)
	}
	if n > maxEventBytes {
		return fmt.Errorf("event %d has %d bytes of memory, more than %d", w.next, n, maxEventBytes)
	}
	return nil
}

// Full reports whether the block has reached its limits and should be flushed.
func (w *Writer) Full() bool {
	return len(w.b.end) >= w.o.MaxEvents || w.b.bytes >= w.o.MaxBytes || w.b.parts >= maxParts/8 || len(w.b.losses) >= maxLosses
}

// AddLoss puts a loss into the current block. The Writer keeps l.
func (w *Writer) AddLoss(l *tracepb.Loss) {
	w.b.addLoss(l)
}

// AddRedactions counts n more replacements by a rule of Policy.redact. Blocks
// and footer hold the sums since the Writer was made.
func (w *Writer) AddRedactions(rule string, n uint64) {
	for _, r := range w.b.redactions {
		if r.Rule == rule {
			r.Count += n
			return
		}
	}
	if len(w.b.redactions) < maxRedactions {
		w.b.redactions = append(w.b.redactions, &tracepb.Redaction{Rule: rule, Count: n})
	}
}

// Flush closes the block and writes it with one Write. inFlight lists the calls
// that have not returned; of each event Thread, Arch, NR, Start, Args, Bufs and
// Facts count. With no event, no loss and the same calls in flight as
// before, nothing is written.
func (w *Writer) Flush(inFlight []Event) error {
	if w.err != nil {
		return w.err
	}
	sig := signature(inFlight)
	events := len(w.b.end)
	if events == 0 && len(w.b.losses) == 0 && sig == w.inFlight {
		return nil
	}
	w.inFlight = sig
	if events == 0 {
		losses := w.b.losses
		w.b.reset(w.next, w.lastEnd/w.b.tick)
		w.b.losses = losses
		w.b.start, w.b.last = w.lastEnd, w.lastEnd
	}
	for i := range inFlight {
		if len(w.b.end) == maxRows {
			break
		}
		e := inFlight[i]
		e.Kind, e.Flags, e.Ret = InFlight, e.Flags&MidCall, 0
		e.End = max(e.Start, w.b.last)
		w.b.add(&e)
		if w.o.Tracker != nil {
			w.o.Tracker.Apply(&e) // mentions what the call names
		}
	}
	ctx := &Context{}
	if w.o.Tracker != nil {
		ctx = limitContext(w.o.Tracker.TakeContext())
		for _, t := range ctx.Threads {
			w.b.addThread(t)
		}
	}
	err := w.block(events, ctx)
	if err == ErrFull || err == errTooBig {
		w.next, w.lastEnd = w.done, w.doneEnd
	}
	losses := w.b.losses
	w.b.reset(w.next, 0)
	switch {
	case err == ErrFull:
		w.full = true
	case err == errTooBig: // it is a loss, and the recording goes on
		for _, l := range append(losses, &tracepb.Loss{Reason: tracepb.Loss_DROPPED, FirstNs: w.lastEnd, LastNs: w.lastEnd, Count: uint64(events),
			Detail: "a block larger than the ring"}) {
			w.AddLoss(l)
		}
		err = nil
	}
	return err
}

// signature condenses a set of calls in flight.
func signature(calls []Event) uint64 {
	s := uint64(0)
	for i := range calls {
		e := &calls[i]
		s += (uint64(e.Thread.ID)<<40 ^ uint64(e.NR)<<32 ^ uint64(e.Start)) * 0x9E3779B97F4A7C15
	}
	return s
}

// block writes the builder's rows as a chunk.
func (w *Writer) block(events int, ctx *Context) error {
	var err error
	if w.raw[0], err = w.e.block(w.raw[0][:0], &w.b, events, ctx); err != nil {
		return w.fail(fmt.Errorf("encoding a block: %w", err))
	}
	w.cuts[0] = append(w.cuts[0][:0], w.e.column.cuts...)
	if w.raw[1], err = w.e.detail(w.raw[1][:0], &w.b, ctx); err != nil {
		return w.fail(fmt.Errorf("encoding a block: %w", err))
	}
	w.cuts[1] = append(w.cuts[1][:0], w.e.column.cuts...)
	h := w.head
	h.kind = kindBlock
	h.events = uint32(events)
	h.losses = uint32(len(w.b.losses))
	h.first = w.b.first
	h.start, h.end = w.b.start, w.b.last
	out, err := w.pack(&h, []protowire.Number{chunkBlockField, chunkDetailField}, w.raw[:], w.cuts[:])
	if err != nil {
		return err
	}
	if err := w.makeRoom(int64(len(out))); err != nil {
		return err
	}
	out = w.out.Bytes()
	at := w.size
	if err := w.write(&h, out); err != nil {
		return err
	}
	w.index.add(at, &h)
	w.losses = append(w.losses, w.b.losses)
	w.done, w.doneEnd = h.first+uint64(events), h.end
	if w.ring != nil {
		return w.advance(int64(len(out)))
	}
	return nil
}

// message writes a chunk of one frame that holds m.
func (w *Writer) message(kind chunkKind, field protowire.Number, m proto.Message) error {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return w.fail(fmt.Errorf("encoding a chunk: %w", err))
	}
	h := w.plain(kind)
	out, err := w.pack(&h, []protowire.Number{field}, [][]byte{b}, nil)
	if err != nil {
		return err
	}
	return w.write(&h, out)
}

// plain returns the header of a chunk without events.
func (w *Writer) plain(kind chunkKind) chunkHeader {
	h := w.head
	h.kind = kind
	h.first, h.start, h.end = w.done, w.doneEnd, w.doneEnd
	return h
}

// pack makes a chunk of the messages, each compressed into a frame, but for what
// of the header depends on its place. The result is valid until the next call.
func (w *Writer) pack(h *chunkHeader, fields []protowire.Number, messages [][]byte, cuts [][]int) ([]byte, error) {
	var empty [headerSize]byte
	w.out.Reset()
	h.frames = uint8(len(messages))
	w.out.Write(empty[:])
	enc := w.encoders.get(w.effort(h, messages))
	for i, m := range messages {
		raw := w.wrap(fields[i], m)
		if len(raw) > maxRaw {
			return nil, w.fail(fmt.Errorf("a block takes %d bytes, more than %d", len(raw), maxRaw))
		}
		start := w.out.Len()
		var at []int
		if cuts != nil {
			at = cuts[i]
		}
		if err := w.compress(enc, raw, at, len(raw)-len(m)); err != nil {
			return nil, w.fail(fmt.Errorf("compressing a block: %w", err))
		}
		h.frame[i] = frameSize{uint32(w.out.Len() - start), uint32(len(raw))}
	}
	out := w.out.Bytes()
	h.crc = crc32.Checksum(out[headerSize:], crcTable)
	return out, nil
}

// write puts a packed chunk at the end of the file.
func (w *Writer) write(h *chunkHeader, out []byte) error {
	h.uuid, h.seq, h.back = w.head.uuid, w.head.seq, w.head.back
	h.put((*[headerSize]byte)(out))
	n, err := w.w.Write(out)
	w.size += int64(n)
	if err != nil {
		return w.fail(err)
	}
	w.head.seq++
	w.head.back = uint32(len(out))
	return nil
}

// wrap returns a Trace whose chunk has m in the given field. It is valid until the
// next call.
func (w *Writer) wrap(field protowire.Number, m []byte) []byte {
	inner := protowire.SizeTag(field) + protowire.SizeBytes(len(m))
	b := protowire.AppendTag(w.whole[:0], traceChunk, protowire.BytesType)
	b = appendVarint(b, uint64(inner))
	w.whole = appendBytes(b, field, m)
	return w.whole
}

// Close flushes, and writes index and footer. It fills in f's totals: events,
// blocks, losses, redactions. It does not close the io.Writer.
func (w *Writer) Close(f *tracepb.Footer) error {
	if err := w.Flush(nil); err != nil && err != ErrFull {
		return err
	}
	if w.ring != nil {
		w.ring.abandon()
	}
	if err := w.end(f); err != nil {
		return err
	}
	w.err = errors.New("trace is closed")
	return nil
}

// Size returns the size of the trace, of a series the size of its last part.
func (w *Writer) Size() int64 { return w.size }

// Written returns the number of the first event in the file and how many it has
// in its blocks.
func (w *Writer) Written() (first, events uint64) { return w.first, w.done - w.first }

func (w *Writer) fail(err error) error {
	w.err = err
	return err
}
