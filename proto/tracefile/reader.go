package tracefile

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"

	"sysreel/proto/tracepb"
)

// ReaderOptions changes what a Reader does.
type ReaderOptions struct {
	// Follow, when not nil, makes Next wait for more bytes where the file
	// ends without a footer, until the context is done. A pipe ends when its
	// writer does.
	Follow context.Context
	// Successor, if set, is asked while a file is followed, at its end, for the
	// one that has taken its place, as that of a ring is replaced; nil: none has.
	// If that is the same trace, reading goes on in it.
	Successor func() io.ReaderAt
}

// State says whether a trace is whole.
type State uint8

const (
	Complete   State = 1 // closed in order, and all there
	Incomplete State = 2 // ends without a footer: the recorder was killed, still writes, or the file was cut
	Damaged    State = 3 // something in it cannot be read
)

func (s State) String() string {
	switch s {
	case Complete:
		return "complete"
	case Incomplete:
		return "unfinished"
	case Damaged:
		return "damaged"
	}
	return "unread"
}

// Gap is a part of the file that could not be read.
type Gap struct {
	Offset int64  // in the file
	Bytes  int64  // 0: chunks are missing here
	Events uint64 // lost with it, if Known
	Known  bool
	Reason string
}

// ChunkInfo describes a block by its header alone.
type ChunkInfo struct {
	Seq        uint32 // of the chunk in the file
	FirstEvent uint64
	Events     int
	Losses     int
	FirstTime  int64 // ns: earliest start of its events
	LastTime   int64 // ns: end of its last event
	Offset     int64 // in the file
	Size       int   // in the file
	CoreRaw    int   // decompressed size of the core columns
	DetailRaw  int   // and of arguments and memory
}

// Chunk is a block whose checksum is right but which has not been decompressed.
// It stays valid, and different goroutines may use different Chunks.
type Chunk struct {
	ChunkInfo
	core, detail []byte
}

// Reader returns the blocks of a trace in file order. It never needs more of
// the input than one block, and reads pipes as well as files; what is damaged it
// passes over and lists in Gaps. Its errors are sticky, save that after
// io.EOF a seek may go back. A Reader must not be used concurrently.
type Reader struct {
	src    source
	header *tracepb.Header
	footer *tracepb.Footer
	uuid   [16]byte
	begin  int64 // offset of the header chunk
	size   int64 // of the input, −1 if not known
	// firstEvent is the number of the trace's first event: a later part of a
	// recording does not begin with 1.
	firstEvent uint64
	lastEnd    int64       // ns: end of the last block read
	blocks     []ChunkInfo // of the index, once read
	seen       bool        // a chunk was read
	seq        uint32      // of the next chunk
	next       uint64      // number of the next event
	gaps       []Gap
	end        bool // the end mark was read
	state      State
	torn       int64 // bytes of an incomplete chunk at the end
	err        error

	pending *rawChunk          // read already
	buffer  func(n int) []byte // memory for a chunk's frames, nil: make it
}

// NewReader reads the header of a trace. If r is an io.ReaderAt and an
// io.Seeker that can seek, the Seek methods can go back and need not read what
// they pass.
//
// The error wraps ErrNotTrace or ErrVersion where that is the matter.
func NewReader(r io.Reader, o ReaderOptions) (*Reader, error) {
	rd := &Reader{next: 1, src: source{r: r, follow: o.Follow, successor: o.Successor}}
	if s, ok := r.(interface {
		io.ReaderAt
		io.Seeker
	}); ok {
		if off, err := s.Seek(0, io.SeekCurrent); err == nil {
			rd.src.at, rd.src.off = s, off
		}
	}
	if s, ok := r.(interface{ Stat() (fs.FileInfo, error) }); ok {
		if fi, err := s.Stat(); err == nil && fi.IsDir() {
			return nil, fmt.Errorf("%w: it is a directory", ErrNotTrace)
		}
	}
	rd.begin = rd.src.off
	rd.size = rd.src.size()
	if err := rd.open(); err != nil {
		return nil, err
	}
	return rd, nil
}

// open finds the header chunk, or what is left of the trace without it.
func (r *Reader) open() error {
	var h chunkHeader
	if !h.get(r.src.peek(headerSize)) {
		start := r.src.peek(searchStart)
		if err := r.src.err; err != nil && err != io.EOF {
			return err
		}
		i := findHeader(start, nil)
		if i < 0 {
			return notTrace(start)
		}
		h.get(start[i:])
	}
	if h.major > Major {
		return versionError(uint32(h.major))
	}
	r.uuid = h.uuid
	c, err := r.chunk()
	if err == io.EOF {
		return fmt.Errorf("%w: it is cut off within its header", ErrNotTrace)
	}
	if err != nil {
		return err
	}
	r.firstEvent = 1
	if c.head.kind == kindHeader {
		r.firstEvent = c.head.first
	} else {
		// The header is lost. The blocks can be read without.
		r.header = &tracepb.Header{Major: Major, Uuid: bytes.Clone(r.uuid[:])}
		r.pending = c
		return nil
	}
	_, msg, err := decompress(nil, c.frame(0), int(c.head.frame[0].raw), chunkHeaderField)
	if err != nil {
		return fmt.Errorf("reading the trace's header: %w", err)
	}
	r.header = new(tracepb.Header)
	budget := parts(maxParts)
	if err := budget.unmarshal(msg, r.header); err != nil {
		return fmt.Errorf("reading the trace's header: %w", err)
	}
	if r.header.Major > Major {
		return versionError(r.header.Major)
	}
	if len(r.header.RequiredFeatures) > 0 {
		return fmt.Errorf("%w: it needs feature %d, which this build does not have", ErrVersion, r.header.RequiredFeatures[0])
	}
	return nil
}

// Header returns the trace's header. It must not be changed. If the header was
// damaged it holds the UUID only.
func (r *Reader) Header() *tracepb.Header { return r.header }

// Size returns the length of the input in bytes as it was when the Reader was
// made, −1 of a pipe. A trace that is being written grows.
func (r *Reader) Size() int64 { return r.size }

// Footer returns the trace's footer, nil until it was read. It is read last.
func (r *Reader) Footer() *tracepb.Footer { return r.footer }

// Next returns the next block, without decompressing it. At the end of the trace
// the error is io.EOF; State, Gaps and Warning then tell whether it is whole.
// Damage is no error.
func (r *Reader) Next() (*Chunk, error) {
	if r.err != nil {
		return nil, r.err
	}
	for {
		c, err := r.chunk()
		if err == io.EOF && r.src.next != nil && r.move() {
			continue
		}
		if err != nil {
			r.err = err
			if err == io.EOF {
				r.finish()
			}
			return nil, r.err
		}
		if c.head.kind == kindBlock {
			r.lastEnd = c.head.end
			return newChunk(c), nil
		}
		r.last(c)
	}
}

// move goes on in the file that has taken the place of the one read, at the block
// that is next; what that lacks becomes a gap. It reports false if that is another
// trace.
func (r *Reader) move() bool {
	was := *r
	r.src.at, r.src.next, r.begin, r.blocks = r.src.next, nil, 0, nil
	r.src.off, r.src.buf, r.src.err = 0, nil, nil
	if h, ok := r.headerAt(0); !ok || h.kind != kindHeader {
		*r = was
		r.src.next, r.src.successor = nil, nil
		return false
	}
	if r.SeekEvent(was.next) != nil {
		return false
	}
	r.gaps, r.err, r.state = append(was.gaps, r.gaps...), nil, 0
	if c := r.pending; c != nil {
		if n := c.head.first; n > was.next {
			r.gap(Gap{Offset: c.off, Events: n - was.next, Known: true, Reason: "dropped from the ring before it was read"})
		}
		r.next = c.head.first + uint64(c.head.events)
		r.seq = c.head.seq + 1
	}
	return true
}

// last takes in a chunk of the end of the trace.
func (r *Reader) last(c *rawChunk) {
	switch c.head.kind {
	case kindFooter:
		f := new(tracepb.Footer)
		budget := parts(maxParts)
		_, msg, err := decompress(nil, c.frame(0), int(c.head.frame[0].raw), chunkFooterField)
		if err == nil {
			err = budget.unmarshal(msg, f)
		}
		if err != nil {
			r.gap(Gap{Offset: c.off, Bytes: int64(c.size()), Known: true, Reason: "unreadable footer"})
			return
		}
		r.footer = f
	case kindEnd:
		r.end = true
		r.src.follow = nil // nothing is to come
	}
}

func newChunk(c *rawChunk) *Chunk {
	return &Chunk{ChunkInfo: c.head.info(c.off), core: c.frame(0), detail: c.frame(1)}
}

// info describes the chunk at off in the file.
func (h *chunkHeader) info(off int64) ChunkInfo {
	return ChunkInfo{
		Seq: h.seq, FirstEvent: h.first, Events: int(h.events), Losses: int(h.losses),
		FirstTime: h.start, LastTime: h.end,
		Offset: off, Size: headerSize + h.size(), CoreRaw: int(h.frame[0].raw), DetailRaw: int(h.frame[1].raw),
	}
}

// State says whether the trace is whole. It is 0 until Next has returned io.EOF.
func (r *Reader) State() State { return r.state }

// Gaps lists what could not be read so far.
func (r *Reader) Gaps() []Gap { return r.gaps }

func (r *Reader) gap(g Gap) { r.gaps = append(r.gaps, g) }

// finish decides on the state at the end of the file.
func (r *Reader) finish() {
	switch {
	case len(r.gaps) > 0:
		r.state = Damaged
	case r.end && r.footer != nil:
		r.state = Complete
	default:
		r.state = Incomplete
	}
}

// Warning says in a line what is missing, "" if the trace is whole.
func (r *Reader) Warning() string {
	switch r.state {
	case Damaged:
		var bytes int64
		var events uint64
		known := r.end
		for _, g := range r.gaps {
			bytes += g.Bytes
			events += g.Events
			known = known && g.Known
		}
		lost := fmt.Sprintf("%d events lost", events)
		if !known {
			lost = fmt.Sprintf("at least %d events lost", events)
		}
		where := fmt.Sprintf("at offset %d", r.gaps[0].Offset)
		if len(r.gaps) > 1 {
			where = fmt.Sprintf("in %d places, first %s", len(r.gaps), where)
		}
		s := fmt.Sprintf("damaged trace: %d unreadable bytes %s (%s); %s", bytes, where, r.gaps[0].Reason, lost)
		if !r.end {
			s += "; it has no end"
		}
		return s
	case Incomplete:
		if r.footer != nil {
			return "trace is cut off at its end mark; no event is lost"
		}
		if r.torn > 0 {
			return fmt.Sprintf("unfinished trace: the recorder was killed, still writes, or the file was cut; %d bytes of an incomplete block at the end", r.torn)
		}
		return "unfinished trace: the recorder was killed, still writes, or the file was cut; what it had not flushed is missing"
	}
	return ""
}
