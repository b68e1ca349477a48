package tracefile

import "github.com/klauspost/compress/zstd"

// effort is how thoroughly a chunk is compressed. The encoders differ most in
// the memory that the first use touches, which for a short recording is more
// work than all the rest: 0.3, 1.3 and 4 MiB take 1, 2.5 and 7 ms. Best, with
// 36 MiB, takes 40.
type effort uint8

const (
	quick effort = iota
	fast
	thorough
	best
)

var efforts = [...]zstd.EncoderLevel{
	quick: zstd.SpeedFastest, fast: zstd.SpeedDefault, thorough: zstd.SpeedBetterCompression, best: zstd.SpeedBestCompression,
}

const (
	// quickChunk is the size in bytes up to which Normal compresses all but
	// the later blocks quickly: 3 to 6 % larger than thoroughly.
	quickChunk = 64 << 10
	// smallBlock is up to where it compresses later blocks thoroughly. At one
	// block a second that takes a few hundredths of a core.
	smallBlock = 512 << 10
)

// effort chooses how a chunk is compressed.
func (w *Writer) effort(h *chunkHeader, messages [][]byte) effort {
	size := 0
	for _, m := range messages {
		size += len(m)
	}
	later := h.kind == kindBlock && h.first > 1
	switch {
	case w.o.Level == Small:
		return best
	case later && size <= smallBlock:
		return thorough
	case !later && size <= quickChunk:
		return quick
	}
	return fast
}

// encoders are made when they are first asked for.
type encoders [len(efforts)]*zstd.Encoder

func (all *encoders) get(e effort) *zstd.Encoder {
	if all[e] == nil {
		enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(efforts[e]), zstd.WithEncoderCRC(false),
			zstd.WithSingleSegment(true), zstd.WithAllLitEntropyCompression(true), zstd.WithWindowSize(2<<20))
		if err != nil {
			panic(err) // the options are constants
		}
		all[e] = enc
	}
	return all[e]
}

// compress appends raw to w.out as a zstd frame, with a block boundary at each
// of the cuts, which are shift bytes further on in raw. So what differs in nature
// gets entropy codes of its own.
func (w *Writer) compress(enc *zstd.Encoder, raw []byte, cuts []int, shift int) error {
	if len(cuts) == 0 {
		w.out.Write(enc.EncodeAll(raw, w.out.AvailableBuffer()))
		return nil
	}
	enc.ResetContentSize(&w.out, int64(len(raw)))
	from := 0
	for _, c := range cuts {
		if c += shift; c <= from {
			continue
		}
		if _, err := enc.Write(raw[from:c]); err != nil {
			return err
		}
		if from = c; c < len(raw) {
			if err := enc.Flush(); err != nil {
				return err
			}
		}
	}
	if _, err := enc.Write(raw[from:]); err != nil {
		return err
	}
	return enc.Close()
}
