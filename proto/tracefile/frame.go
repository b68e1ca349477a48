package tracefile

import (
	"errors"
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/encoding/protowire"
)

// decoder decompresses frames. Both of its limits are set: a frame of a single
// segment is checked against the window limit, others against both.
var decoder = sync.OnceValue(func() *zstd.Decoder {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxMemory(maxRaw), zstd.WithDecoderMaxWindow(maxRaw))
	if err != nil {
		panic(err) // the options are constants
	}
	return d
})

// decompress returns the content of a frame, which must be the one field of the
// one Chunk of a Trace, in dst's memory if it has room. src must be exactly
// one frame that states its content size, raw.
func decompress(dst, src []byte, raw int, field protowire.Number) (buf, msg []byte, err error) {
	if err := oneFrame(src, raw); err != nil {
		return dst, nil, err
	}
	if cap(dst) < raw {
		dst = make([]byte, 0, raw+raw/4)
	}
	buf, err = decoder().DecodeAll(src, dst[:0])
	if err != nil {
		return buf, nil, err
	}
	if len(buf) != raw {
		return buf, nil, fmt.Errorf("frame holds %d bytes, header says %d", len(buf), raw)
	}
	msg, err = onlyField(buf, traceChunk)
	if err == nil {
		msg, err = onlyField(msg, field)
	}
	return buf, msg, err
}

// onlyField returns the content of the message's only field.
func onlyField(b []byte, field protowire.Number) ([]byte, error) {
	num, typ, n := protowire.ConsumeTag(b)
	if n < 0 || typ != protowire.BytesType || num != field {
		return nil, errMalformed
	}
	v, m := protowire.ConsumeBytes(b[n:])
	if m < 0 || n+m != len(b) {
		return nil, errMalformed
	}
	return v, nil
}

var errFrame = errors.New("not exactly one zstd frame")

// oneFrame checks that src is one zstd frame with the given content size.
// It walks the block headers of RFC 8878, section 3.1.1.2.
func oneFrame(src []byte, raw int) error {
	var h zstd.Header
	if err := h.Decode(src); err != nil {
		return err
	}
	if h.Skippable || !h.HasFCS || h.FrameContentSize != uint64(raw) || h.DictionaryID != 0 {
		return fmt.Errorf("frame of %d bytes, header says %d", h.FrameContentSize, raw)
	}
	b := src[h.HeaderSize:]
	for {
		if len(b) < 3 {
			return errFrame
		}
		v := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16
		size := int(v >> 3)
		if v>>1&3 == 1 { // RLE
			size = 1
		}
		if len(b) < 3+size {
			return errFrame
		}
		b = b[3+size:]
		if v&1 != 0 {
			break
		}
	}
	if h.HasCheckSum {
		if len(b) < 4 {
			return errFrame
		}
		b = b[4:]
	}
	if len(b) != 0 {
		return errFrame
	}
	return nil
}
