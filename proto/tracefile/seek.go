package tracefile

import (
	"errors"
	"io"
)

// SeekEvent goes to the block that holds event n, so that Next returns it; or to
// the first after it if n is missing.
func (r *Reader) SeekEvent(n uint64) error {
	return r.seek(func(c *ChunkInfo) bool { return c.FirstEvent+uint64(c.Events) > n })
}

// SeekTime goes to the first block with an event that ends at ns or later.
func (r *Reader) SeekTime(ns int64) error {
	return r.seek(func(c *ChunkInfo) bool { return c.LastTime >= ns })
}

var errNoSeek = errors.New("cannot go back in a pipe")

func (r *Reader) seek(found func(*ChunkInfo) bool) error {
	if r.src.at != nil {
		r.src.seek(r.begin)
		r.seen, r.seq, r.next, r.gaps, r.end, r.footer, r.torn, r.err, r.state = false, 0, 1, nil, false, nil, 0, nil, 0
	}
	for {
		c, err := r.chunk()
		if err == io.EOF {
			r.err = io.EOF
			return nil
		}
		if err != nil {
			return err
		}
		if c.head.kind == kindBlock && found(&newChunk(c).ChunkInfo) {
			r.pending = c
			return nil
		}
	}
}
