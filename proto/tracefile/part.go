package tracefile

import (
	"bytes"
	"crypto/rand"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"sysreel/proto/tracepb"
)

// makeRoom provides for the block of n bytes that is packed.
func (w *Writer) makeRoom(n int64) error {
	switch {
	case w.fits(n):
		return nil
	case w.ring == nil && w.o.Next == nil:
		return ErrFull
	case w.ring == nil && len(w.index.offset) == 0:
		return nil
	}
	block := bytes.Clone(w.out.Bytes()) // the buffer is needed in between
	defer func() {
		w.out.Reset()
		w.out.Write(block)
	}()
	if w.ring != nil {
		return w.compact(n)
	}
	return w.nextPart()
}

// nextPart closes the file and begins the next one of the series.
func (w *Writer) nextPart() error {
	if err := w.end(&tracepb.Footer{End: tracepb.Footer_NEXT_PART}); err != nil {
		return err
	}
	next, err := w.o.Next()
	if err != nil {
		return w.fail(err)
	}
	w.w = next
	h := proto.CloneOf(w.header)
	h.Uuid = make([]byte, len(h.Uuid))
	rand.Read(h.Uuid)
	h.Series.Part++
	return w.begin(h)
}

// What the end of a trace takes: the chunks' headers, a footer, and an index of
// some columns a block.
const (
	footerRoom = 3*headerSize + 1<<10
	indexRoom  = 48
)

// fits tells whether a block of n bytes may still be written.
func (w *Writer) fits(n int64) bool {
	if !w.full {
		n += w.o.Reserve
	}
	return w.o.MaxSize <= 0 || w.size+n+footerRoom+indexRoom*int64(len(w.index.offset)+1) <= w.o.MaxSize
}

// end writes index, footer and end mark.
func (w *Writer) end(f *tracepb.Footer) error {
	f.Events = w.done - w.first
	f.Blocks = uint64(len(w.index.offset))
	f.Losses = totals(w.losses)
	f.Redaction = w.b.redactions
	h := w.plain(kindIndex)
	out, err := w.pack(&h, []protowire.Number{chunkIndexField}, [][]byte{w.index.encode(&w.e.column)}, nil)
	if err != nil {
		return err
	}
	// An index is of use, not needed: the bound comes first.
	if w.o.MaxSize <= 0 || w.size+int64(len(out))+footerRoom <= w.o.MaxSize {
		if err := w.write(&h, out); err != nil {
			return err
		}
	}
	if err := w.message(kindFooter, chunkFooterField, f); err != nil {
		return err
	}
	h = w.plain(kindEnd)
	if out, err = w.pack(&h, nil, nil, nil); err != nil {
		return err
	}
	return w.write(&h, out)
}

// totals adds up losses by reason.
func totals(blocks [][]*tracepb.Loss) []*tracepb.Loss {
	var sum []*tracepb.Loss
	for _, losses := range blocks {
		for _, l := range losses {
			i := slices.IndexFunc(sum, func(t *tracepb.Loss) bool { return t.Reason == l.Reason })
			if i < 0 {
				i = len(sum)
				sum = append(sum, &tracepb.Loss{Reason: l.Reason, FirstNs: l.FirstNs})
			}
			t := sum[i]
			t.FirstNs = min(t.FirstNs, l.FirstNs)
			t.LastNs = max(t.LastNs, l.LastNs)
			t.Count += l.Count
		}
	}
	sortLosses(sum)
	return sum
}
