package tracefile

import (
	"errors"
	"hash/crc32"
	"io"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// ErrPipe is returned by a seek that would have to go back in a pipe.
var ErrPipe = errors.New("cannot go back in a pipe")

// SeekEvent goes to the block that holds event n, or to the first after it if
// that is missing: Next returns it. Where nothing comes after, Next returns
// io.EOF. In a file it reads the index, or the headers of the chunks; a pipe is
// read, and only forwards. Gaps are counted anew from here.
func (r *Reader) SeekEvent(n uint64) error {
	if r.src.at == nil && n < r.next {
		return ErrPipe
	}
	return r.seek(func(c *ChunkInfo) bool { return c.FirstEvent+uint64(c.Events) > n })
}

// SeekTime goes to the first block with an event that ends at ns or later, as
// SeekEvent does.
func (r *Reader) SeekTime(ns int64) error {
	if r.src.at == nil && ns < r.lastEnd {
		return ErrPipe
	}
	return r.seek(func(c *ChunkInfo) bool { return c.LastTime >= ns })
}

// seek goes to the first block for which found is true. Blocks for which it is
// true come after those for which it is not.
func (r *Reader) seek(found func(*ChunkInfo) bool) error {
	if r.src.at != nil {
		at := r.locate(found)
		r.src.seek(at.Offset)
		r.seen, r.seq, r.next = true, at.Seq, at.FirstEvent
		r.gaps, r.end, r.footer, r.torn, r.err, r.state = nil, false, nil, 0, nil, 0
		r.pending = nil
	}
	// What follows is intact but for damage, which chunk passes over.
	for r.err == nil {
		c, err := r.chunk()
		if err != nil {
			if err == io.EOF {
				r.finish()
			}
			r.err = err
			break
		}
		if c.head.kind == kindFooter || c.head.kind == kindEnd {
			r.last(c)
			continue
		}
		if info := c.head.info(c.off); c.head.kind == kindBlock && found(&info) {
			r.pending = c
			return nil
		}
	}
	if r.err == io.EOF {
		return nil
	}
	return r.err
}

// locate returns where to look for the first block for which found is true: its
// place, or that of the last chunk known before it.
func (r *Reader) locate(found func(*ChunkInfo) bool) ChunkInfo {
	if list := r.readIndex(); len(list) > 0 {
		i, _ := slices.BinarySearchFunc(list, true, func(c ChunkInfo, _ bool) int {
			if found(&c) {
				return 1
			}
			return -1
		})
		// Not found: from the last block on there is nothing but the end.
		if c := list[min(i, len(list)-1)]; r.isBlock(&c) {
			return c
		}
	}
	at := ChunkInfo{Offset: r.begin, FirstEvent: r.firstEvent}
	for {
		h, ok := r.headerAt(at.Offset)
		if !ok {
			return at
		}
		info := h.info(at.Offset)
		if h.kind == kindBlock && found(&info) {
			return info
		}
		at.Offset += int64(info.Size)
		at.Seq = h.seq + 1
		at.FirstEvent = h.first
		if h.kind == kindBlock {
			at.FirstEvent += uint64(h.events)
		}
	}
}

// headerAt reads a chunk header of this trace.
func (r *Reader) headerAt(off int64) (h chunkHeader, ok bool) {
	var b [headerSize]byte
	if off < r.begin {
		return h, false
	}
	if n, _ := r.src.at.ReadAt(b[:], off); n < len(b) {
		return h, false
	}
	return h, h.get(b[:]) && h.uuid == r.uuid && h.major == Major && h.valid()
}

// isBlock reports whether the block that the index describes is there.
func (r *Reader) isBlock(c *ChunkInfo) bool {
	h, ok := r.headerAt(c.Offset)
	return ok && h.kind == kindBlock && h.seq == c.Seq && h.first == c.FirstEvent && int(h.events) == c.Events
}

// readIndex returns the index of the file, nil if it has none that can be read.
// The blocks have no sizes.
func (r *Reader) readIndex() []ChunkInfo {
	if r.blocks != nil {
		return r.blocks
	}
	s, ok := r.src.at.(io.Seeker)
	if !ok {
		return nil
	}
	size, err := s.Seek(0, io.SeekEnd)
	if err != nil {
		return nil
	}
	off := size - headerSize
	end, ok := r.headerAt(off)
	if !ok || end.kind != kindEnd {
		return nil
	}
	off -= int64(end.back)
	footer, ok := r.headerAt(off)
	if !ok || footer.kind != kindFooter {
		return nil
	}
	off -= int64(footer.back)
	h, ok := r.headerAt(off)
	if !ok || h.kind != kindIndex || h.frames != 1 {
		return nil
	}
	data := make([]byte, min(int64(h.size()), size-off-headerSize))
	if n, _ := r.src.at.ReadAt(data, off+headerSize); n < h.size() || crc32.Checksum(data, crcTable) != h.crc {
		return nil
	}
	_, msg, err := decompress(nil, data, int(h.frame[0].raw), chunkIndexField)
	if err != nil {
		return nil
	}
	if r.blocks, err = decodeIndex(msg); err != nil {
		r.blocks = nil
	}
	return r.blocks
}

// maxIndex bounds the blocks that an index may list: more than the largest frame
// holds, unless columns are constant.
const maxIndex = 1 << 21

func decodeIndex(msg []byte) ([]ChunkInfo, error) {
	var raw [idxSeq + 1][]byte
	blocks := uint64(0)
	err := eachField(msg, func(num protowire.Number, v uint64, data []byte) error {
		switch {
		case num == idxBlocks:
			blocks = v
		case num <= idxSeq:
			raw[num] = data
		}
		return nil
	})
	if err != nil || blocks > maxIndex {
		return nil, errMalformed
	}
	var cols [len(raw)]column
	var memory columnMemory
	var pool numberPool
	for i := 1; i < len(raw); i++ {
		c, err := parseColumn(raw[i])
		if err != nil {
			return nil, err
		}
		if cols[i], err = c.decode(int(blocks), &pool, decodeRelated{}, &memory); err != nil {
			return nil, err
		}
	}
	if blocks > 1 && cols[idxOffset].vals == nil {
		return nil, errMalformed // all in one place; also keeps blocks below the bytes
	}
	list := make([]ChunkInfo, blocks)
	for i := range list {
		list[i] = ChunkInfo{
			Offset:     int64(cols[idxOffset].at(i)),
			Events:     int(cols[idxEvents].at(i)),
			FirstEvent: cols[idxFirst].at(i),
			FirstTime:  unzigzag(cols[idxStart].at(i)),
			LastTime:   unzigzag(cols[idxEnd].at(i)),
			Losses:     int(cols[idxLosses].at(i)),
			Seq:        uint32(cols[idxSeq].at(i)),
		}
	}
	return list, nil
}
