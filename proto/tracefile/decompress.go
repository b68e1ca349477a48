package tracefile

import (
	"io"

	"github.com/klauspost/compress/zstd"
)

// Decompress reads a zstd stream that is no trace, in at most 32 MiB of memory.
func Decompress(r io.Reader) (io.Reader, error) {
	const most = 32 << 20
	return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(most))
}
