package tracefile

import (
	"encoding/binary"
	"hash/crc32"
)

// Version of the format that this package writes, and the newest major version
// that it reads.
const (
	Major = 1
	Minor = 0
)

// chunkKind says what a chunk holds. A reader skips a kind that it does not
// know, and refuses the file if the kind has the critical bit.
type chunkKind uint16

const (
	critical chunkKind = 1 << 15

	kindHeader chunkKind = critical | 1 // Header
	kindBlock  chunkKind = critical | 2 // Block, Detail
	kindIndex  chunkKind = 3            // Index
	kindFooter chunkKind = critical | 4 // Footer
	kindEnd    chunkKind = critical | 5 // nothing: the last bytes of a closed file
)

// headerSize is the size of a chunk header, itself a zstd skippable frame.
const headerSize = 104

// skippable is the magic number of the skippable frames used, one of the
// sixteen that RFC 8878 section 3.1.2 sets aside.
const skippable = 0x184D2A5C

// sync starts every chunk header, after the eight bytes of the skippable frame.
// Like PNG's signature it shows what transfer as text has damaged.
const syncMagic = "\x89REEL\r\n\x1a"

// Limits of what a reader accepts, and so of what a writer makes.
const (
	maxRaw    = 16 << 20 // bytes of a frame's content
	maxPacked = maxRaw + maxRaw>>8 + 1<<10
	maxRows   = 1 << 18  // events and calls in flight of a block
	maxExpand = 32 << 20 // bytes of a block's tables

	// maxParts bounds what a block's messages hold besides numbers and bytes:
	// messages, repeated strings, columns. Each takes about 100 bytes decoded.
	maxParts = 1 << 19
)

var crcTable = crc32.MakeTable(crc32.Castagnoli)

type frameSize struct{ packed, raw uint32 }

// chunkHeader is the fixed part of a chunk. FORMAT.md has the layout.
type chunkHeader struct {
	uuid   [16]byte
	major  uint8
	frames uint8
	kind   chunkKind
	seq    uint32
	frame  [2]frameSize
	events uint32
	losses uint32
	first  uint64 // number of the first event
	start  int64  // ns: earliest start of an event
	end    int64  // ns: end of the last event
	back   uint32 // bytes from the start of the chunk before
	crc    uint32 // of the frames
}

// size returns the length of the frames after the header.
func (h *chunkHeader) size() int { return int(h.frame[0].packed) + int(h.frame[1].packed) }

func (h *chunkHeader) put(b *[headerSize]byte) {
	le := binary.LittleEndian
	le.PutUint32(b[0:], skippable)
	le.PutUint32(b[4:], headerSize-8)
	copy(b[8:16], syncMagic)
	copy(b[16:32], h.uuid[:])
	b[32] = h.major
	b[33] = h.frames
	le.PutUint16(b[34:], uint16(h.kind))
	le.PutUint32(b[36:], h.seq)
	le.PutUint32(b[40:], h.frame[0].packed)
	le.PutUint32(b[44:], h.frame[0].raw)
	le.PutUint32(b[48:], h.frame[1].packed)
	le.PutUint32(b[52:], h.frame[1].raw)
	le.PutUint32(b[56:], h.events)
	le.PutUint32(b[60:], h.losses)
	le.PutUint64(b[64:], h.first)
	le.PutUint64(b[72:], uint64(h.start))
	le.PutUint64(b[80:], uint64(h.end))
	le.PutUint32(b[88:], h.back)
	le.PutUint32(b[92:], 0)
	le.PutUint32(b[96:], h.crc)
	le.PutUint32(b[100:], crc32.Checksum(b[:100], crcTable))
}

// get decodes b and reports whether it is a chunk header with a right checksum.
// What the fields say is not checked but for the limits.
func (h *chunkHeader) get(b []byte) bool {
	le := binary.LittleEndian
	if len(b) < headerSize || le.Uint32(b) != skippable || le.Uint32(b[4:]) != headerSize-8 ||
		string(b[8:16]) != syncMagic || le.Uint32(b[100:]) != crc32.Checksum(b[:100], crcTable) {
		return false
	}
	copy(h.uuid[:], b[16:32])
	h.major = b[32]
	h.frames = b[33]
	h.kind = chunkKind(le.Uint16(b[34:]))
	h.seq = le.Uint32(b[36:])
	h.frame[0] = frameSize{le.Uint32(b[40:]), le.Uint32(b[44:])}
	h.frame[1] = frameSize{le.Uint32(b[48:]), le.Uint32(b[52:])}
	h.events = le.Uint32(b[56:])
	h.losses = le.Uint32(b[60:])
	h.first = le.Uint64(b[64:])
	h.start = int64(le.Uint64(b[72:]))
	h.end = int64(le.Uint64(b[80:]))
	h.back = le.Uint32(b[88:])
	h.crc = le.Uint32(b[96:])
	return true
}

// valid reports whether the sizes are within the limits and agree with the
// number of frames.
func (h *chunkHeader) valid() bool {
	if h.frames > 2 || h.events > maxRows || h.first > 1<<62 {
		return false
	}
	for i, f := range h.frame {
		if i < int(h.frames) != (f.packed > 0) || f.packed > maxPacked || f.raw > maxRaw {
			return false
		}
	}
	return true
}
