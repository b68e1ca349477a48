package tracefile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
)

// searchStart is how far into a file a trace is looked for when its first
// bytes are damaged.
const searchStart = 1 << 20

// rawChunk is a chunk whose checksums are right.
type rawChunk struct {
	head chunkHeader
	off  int64
	data []byte // its frames
}

func (c *rawChunk) size() int { return headerSize + c.head.size() }

func (c *rawChunk) frame(i int) []byte {
	n := int(c.head.frame[0].packed)
	if i == 0 {
		return c.data[:n]
	}
	return c.data[n:]
}

// findHeader returns the index of the first chunk header in b with the UUID, or
// any if that is nil, −1 if there is none.
func findHeader(b []byte, uuid *[16]byte) int {
	var h chunkHeader
	for from := 8; from < len(b); {
		i := bytes.Index(b[from:], []byte(syncMagic))
		if i < 0 {
			break
		}
		at := from + i - 8
		if h.get(b[at:]) && (uuid == nil || h.uuid == *uuid) && h.valid() {
			return at
		}
		from += i + 1
	}
	return -1
}

// chunk returns the next chunk that is intact, of a kind that is known. What it
// has to pass over for that becomes a gap.
func (r *Reader) chunk() (*rawChunk, error) {
	if c := r.pending; c != nil {
		r.pending = nil
		return c, nil
	}
	lost := Gap{Offset: r.src.off}
	for {
		c, reason := r.tryChunk()
		if c == nil && reason == "" {
			return nil, r.atEnd(&lost)
		}
		if c == nil {
			if lost.Reason == "" {
				lost.Reason = reason
			}
			n, err := r.resync()
			lost.Bytes += n
			if err != nil {
				return nil, r.atEnd(&lost)
			}
			continue
		}
		h := &c.head
		if r.seen && (h.seq < r.seq || h.first < r.next) {
			// A copy of what was read, or out of its place.
			if lost.Reason == "" && h.seq >= r.seq {
				lost.Reason = fmt.Sprintf("chunk %d counts its events from #%d, after #%d", h.seq, h.first, r.next-1)
			}
			if lost.Reason == "" {
				lost.Reason = fmt.Sprintf("chunk %d in the place of chunk %d", h.seq, r.seq)
			}
			lost.Bytes += int64(c.size())
			continue
		}
		r.account(&lost, h)
		lost = Gap{Offset: r.src.off}
		switch h.kind {
		case kindHeader, kindBlock, kindFooter, kindEnd:
			return c, nil
		}
		if h.kind&critical != 0 && h.kind != kindIndex {
			return nil, fmt.Errorf("%w: chunk at offset %d is of kind %#x, which this build does not know", ErrVersion, c.off, uint16(h.kind))
		}
	}
}

// tryChunk takes the chunk at the current place. Without one it returns why,
// or "" where there is nothing or not all of a chunk before the end of the file.
func (r *Reader) tryChunk() (*rawChunk, string) {
	b := r.src.peek(headerSize)
	if len(b) == 0 {
		return nil, ""
	}
	var h chunkHeader
	if !h.get(b) {
		if len(b) < headerSize && r.torn == 0 && r.headerPrefix(b) {
			r.torn = int64(len(b))
			return nil, ""
		}
		switch {
		case r.end:
			return nil, "bytes after the end of the trace"
		case len(bytes.TrimLeft(b, "\x00")) == 0:
			return nil, "zero bytes where a chunk should be"
		}
		return nil, "no chunk header where one should be"
	}
	if h.uuid != r.uuid {
		return nil, "chunk of another trace"
	}
	if h.major != Major || !h.valid() {
		return nil, "chunk header that is not valid"
	}
	size := headerSize + h.size()
	b = r.src.peek(size)
	if len(b) < size {
		if findHeader(b[headerSize:], &r.uuid) < 0 {
			r.torn = int64(len(b))
			return nil, ""
		}
		return nil, "incomplete chunk"
	}
	data := b[headerSize:]
	if crc32.Checksum(data, crcTable) != h.crc {
		return nil, "wrong checksum"
	}
	c := &rawChunk{head: h, off: r.src.off}
	if r.buffer != nil {
		c.data = append(r.buffer(len(data)), data...)
	} else {
		c.data = bytes.Clone(data)
	}
	r.src.skip(size)
	return c, ""
}

// headerPrefix reports whether b can be the beginning of a chunk header.
func (r *Reader) headerPrefix(b []byte) bool {
	var p [32]byte
	binary.LittleEndian.PutUint32(p[0:], skippable)
	binary.LittleEndian.PutUint32(p[4:], headerSize-8)
	copy(p[8:], syncMagic)
	copy(p[16:], r.uuid[:])
	n := min(len(b), len(p))
	return bytes.Equal(b[:n], p[:n])
}

// resync moves to the next chunk header after the current place and returns how
// far that was. The error is io.EOF if there is none, or what reading gave.
func (r *Reader) resync() (int64, error) {
	passed := int64(0)
	pass := func(n int) {
		r.src.skip(n)
		passed += int64(n)
	}
	pass(1)
	for {
		b := r.src.peek(sourceChunk)
		if i := findHeader(b, &r.uuid); i >= 0 {
			pass(i)
			return passed, nil
		}
		if len(b) < sourceChunk {
			pass(len(b))
			return passed, io.EOF
		}
		pass(len(b) - headerSize)
	}
}

// account notes the gap before a chunk, if there is one.
func (r *Reader) account(lost *Gap, h *chunkHeader) {
	if r.seen && h.seq > r.seq && lost.Reason == "" {
		lost.Reason = fmt.Sprintf("chunks %d to %d are missing", r.seq, h.seq-1)
		if h.seq == r.seq+1 {
			lost.Reason = fmt.Sprintf("chunk %d is missing", r.seq)
		}
	}
	if r.seen && h.first > r.next && lost.Reason == "" {
		lost.Reason = fmt.Sprintf("events #%d to #%d are missing", r.next, h.first-1)
	}
	if !r.seen && h.seq > 0 && lost.Reason == "" {
		lost.Reason = "the beginning is missing"
	}
	if lost.Reason != "" {
		if h.first >= r.next {
			lost.Events, lost.Known = h.first-r.next, true
		}
		r.gap(*lost)
	}
	r.seen = true
	r.seq = h.seq + 1
	r.next = h.first
	if h.kind == kindBlock {
		r.next += uint64(h.events)
	}
}

// atEnd notes what was lost up to the end of the file, and returns io.EOF or
// the error that ended it.
func (r *Reader) atEnd(lost *Gap) error {
	if err := r.src.err; err != nil && err != io.EOF {
		return fmt.Errorf("reading the trace at offset %d: %w", r.src.off, err)
	}
	if lost.Reason != "" {
		lost.Known = r.end
		r.gap(*lost)
	}
	return io.EOF
}
