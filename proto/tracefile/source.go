package tracefile

import (
	"context"
	"io"
	"time"
)

// followPoll is how often a followed file is looked at for more bytes.
const followPoll = 50 * time.Millisecond

// source is a stream with a window that can be looked at before it is taken.
type source struct {
	r      io.Reader
	at     io.ReaderAt // not nil: seek works
	off    int64       // of buf[0]
	buf    []byte
	store  []byte
	follow context.Context
	// successor is asked, where follow waits, for a file that has taken the
	// place of this one; next is what it said.
	successor func() io.ReaderAt
	next      io.ReaderAt
	err       error // what reading ended with, io.EOF or worse
}

// sourceChunk is the least that is read at once.
const sourceChunk = 64 << 10

// peek returns the next n bytes, fewer only at the end of the stream or after
// a read error, which stays in s.err. They are valid until the next call.
func (s *source) peek(n int) []byte {
	for len(s.buf) < n && s.fill(n) {
	}
	return s.buf[:min(n, len(s.buf))]
}

// fill reads more, with room for n bytes in all, and reports whether it did.
func (s *source) fill(n int) bool {
	if s.next != nil {
		return false
	}
	if s.err != nil && !(s.err == io.EOF && s.follow != nil && s.at != nil && s.follow.Err() == nil) {
		return false
	}
	want := max(n, min(sourceChunk, len(s.buf)+sourceChunk))
	if cap(s.buf) < want {
		if cap(s.store) < want {
			s.store = make([]byte, want)
		}
		copy(s.store[:cap(s.store)], s.buf)
		s.buf = s.store[:len(s.buf)]
	}
	for {
		room := s.buf[len(s.buf):cap(s.buf)]
		var k int
		var err error
		if s.at != nil {
			k, err = s.at.ReadAt(room, s.off+int64(len(s.buf)))
		} else {
			k, err = s.r.Read(room)
		}
		s.buf = s.buf[:len(s.buf)+k]
		if k > 0 {
			return true
		}
		if err == nil {
			continue
		}
		s.err = err
		if err != io.EOF || s.follow == nil || s.at == nil { // a pipe ends once
			return false
		}
		if s.successor != nil {
			if s.next = s.successor(); s.next != nil {
				return false
			}
		}
		select {
		case <-s.follow.Done():
			return false
		case <-time.After(followPoll):
		}
	}
}

// size returns the length of the stream, −1 of one that cannot seek.
func (s *source) size() int64 {
	at, ok := s.at.(io.Seeker)
	if !ok {
		return -1
	}
	n, err := at.Seek(0, io.SeekEnd)
	if err != nil {
		return -1
	}
	at.Seek(s.off, io.SeekStart) // where it was
	return n
}

// skip drops the next n bytes, which peek has returned.
func (s *source) skip(n int) {
	s.buf = s.buf[n:]
	s.off += int64(n)
}

// seek goes to an offset. The source must have at.
func (s *source) seek(off int64) {
	if d := off - s.off; d >= 0 && d <= int64(len(s.buf)) {
		s.skip(int(d))
		return
	}
	s.off, s.buf, s.err = off, s.store[:0], nil
}
