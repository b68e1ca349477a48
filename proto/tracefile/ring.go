package tracefile

import (
	"errors"
	"fmt"
	"io"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// A ring keeps the last blocks in one file that is a whole trace at any moment.
// Nothing in it is ever overwritten. As the file nears its size a successor is
// made: a header, and behind it the file's blocks without the oldest quarter,
// copied a few at each Flush. When it has them all and they are on the disk it
// takes the file's place in one step. So the file has at most MaxSize bytes
// and, once it has been full, at least two thirds of that but for a block; file and
// successor together take at most 7/4 of MaxSize.

// RingFile is a file written at its end and read anywhere.
type RingFile interface {
	io.Writer
	io.ReaderAt
	Sync() error
}

// RingFiles has the file of a ring.
type RingFiles interface {
	// Create makes an empty file beside it.
	Create() (RingFile, error)
	// Replace puts a file made by Create in its place, in one step, and closes
	// the one that was there.
	Replace(RingFile) error
	// Discard closes and removes a file made by Create.
	Discard(RingFile)
}

type ring struct {
	files RingFiles
	live  RingFile

	next   RingFile // the successor, nil: none
	head   chunkHeader
	size   int64
	index  indexColumns
	from   int // block of the file with which it begins
	copied int // block of the file up to which it has them
	synced chan error
	buf    []byte
}

// copySpeed is how many bytes are copied for each that is written: four fill a
// successor of 3/4 before the file has grown by a quarter, with time left to get
// it on the disk.
const copySpeed = 4

// errTooBig says that a block does not fit into an empty ring.
var errTooBig = errors.New("a block is larger than the ring")

// advance goes on with the successor after n bytes were written.
func (w *Writer) advance(n int64) error {
	r := w.ring
	if r.next == nil {
		if w.size < w.o.MaxSize-w.o.MaxSize/4 {
			return nil
		}
		if err := w.succeed(w.o.MaxSize / 4); err != nil {
			return err
		}
	}
	for left := n * copySpeed; left > 0 && r.copied < len(w.index.offset); {
		size, err := w.copyBlock()
		if err != nil {
			return err
		}
		left -= size
	}
	switch {
	case r.copied < len(w.index.offset):
	case r.synced == nil:
		// Before the name changes hands, or a loss of power could leave
		// neither file.
		synced, f := make(chan error, 1), r.next
		r.synced = synced
		go func() { synced <- f.Sync() }()
	default:
		select {
		case err := <-r.synced:
			return w.replace(err)
		default:
		}
	}
	return nil
}

// compact makes room for a block of n bytes at once.
func (w *Writer) compact(n int64) error {
	r := w.ring
	for !w.fits(n) {
		if len(w.index.offset) == 0 {
			return errTooBig
		}
		if r.next == nil {
			over := w.size + n + footerRoom + indexRoom*int64(len(w.index.offset)+1) - w.o.MaxSize
			if err := w.succeed(max(over, w.o.MaxSize/4)); err != nil {
				return err
			}
		}
		for r.copied < len(w.index.offset) {
			if _, err := w.copyBlock(); err != nil {
				return err
			}
		}
		var err error
		if r.synced != nil {
			err = <-r.synced
		} else {
			err = r.next.Sync()
		}
		if err := w.replace(err); err != nil {
			return err
		}
	}
	return nil
}

// succeed begins a successor without the oldest drop bytes of blocks.
func (w *Writer) succeed(drop int64) error {
	r, x := w.ring, &w.index
	r.from = 0
	for r.from < len(x.offset) && int64(x.offset[r.from]-x.offset[0]) < drop {
		r.from++
	}
	var err error
	if r.next, err = r.files.Create(); err != nil {
		r.next = nil
		return w.fail(fmt.Errorf("making room in the ring: %w", err))
	}
	r.copied, r.index, r.synced, r.size = r.from, indexColumns{}, nil, 0
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(w.header)
	if err != nil {
		return w.fail(err)
	}
	h := w.plain(kindHeader)
	if r.from < len(x.offset) {
		h.first = x.first[r.from]
	}
	if r.from > 0 { // the last event before
		h.start, h.end = unzigzag(x.end[r.from-1]), unzigzag(x.end[r.from-1])
	}
	out, err := w.pack(&h, []protowire.Number{chunkHeaderField}, [][]byte{b}, nil)
	if err != nil {
		return err
	}
	r.head = chunkHeader{}
	return w.append(&h, out)
}

// copyBlock appends to the successor the next block that it lacks.
func (w *Writer) copyBlock() (int64, error) {
	r, x := w.ring, &w.index
	at, end := int64(x.offset[r.copied]), w.size
	if r.copied+1 < len(x.offset) {
		end = int64(x.offset[r.copied+1])
	}
	if int64(cap(r.buf)) < end-at {
		r.buf = make([]byte, end-at)
	}
	b := r.buf[:end-at]
	if _, err := r.live.ReadAt(b, at); err != nil {
		return 0, w.fail(fmt.Errorf("reading the ring: %w", err))
	}
	var h chunkHeader
	if !h.get(b) {
		return 0, w.fail(errors.New("the ring's file was changed by someone else"))
	}
	size := r.size
	if err := w.append(&h, b); err != nil {
		return 0, err
	}
	r.index.add(size, &h)
	r.copied++
	return int64(len(b)), nil
}

// append writes a chunk to the successor, numbered for its place there.
func (w *Writer) append(h *chunkHeader, b []byte) error {
	r := w.ring
	h.uuid, h.seq, h.back = w.head.uuid, r.head.seq, r.head.back
	h.put((*[headerSize]byte)(b))
	n, err := r.next.Write(b)
	r.size += int64(n)
	if err != nil {
		return w.fail(fmt.Errorf("making room in the ring: %w", err))
	}
	r.head.seq++
	r.head.back = uint32(len(b))
	return nil
}

// replace puts the successor, of which synced is the result of getting it on the
// disk, in the file's place.
func (w *Writer) replace(synced error) error {
	r := w.ring
	if synced == nil {
		synced = r.files.Replace(r.next)
	}
	if synced != nil {
		return w.fail(fmt.Errorf("making room in the ring: %w", synced))
	}
	r.live, r.next, r.synced = r.next, nil, nil
	w.w, w.size, w.index = r.live, r.size, r.index
	w.head.seq, w.head.back = r.head.seq, r.head.back
	w.losses = w.losses[r.from:]
	w.first = w.done
	if len(w.index.first) > 0 {
		w.first = w.index.first[0]
	}
	return nil
}

// abandon drops a successor that is not whole.
func (r *ring) abandon() {
	if r.next != nil {
		r.files.Discard(r.next)
		r.next = nil
	}
}
