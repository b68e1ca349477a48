package tracefile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"unicode/utf8"
)

// ErrNotTrace is what NewReader's error wraps when the input is no trace. The
// message says what it looks like instead.
var ErrNotTrace = errors.New("not a sysreel trace")

// ErrVersion is what NewReader's error wraps when the trace is of a newer major
// version or needs a feature that this build does not have.
var ErrVersion = errors.New("trace is newer than this sysreel")

func versionError(major uint32) error {
	return fmt.Errorf("%w: it has format %d, this build reads up to %d: use a newer sysreel", ErrVersion, major, Major)
}

// stracePattern is a line as strace -f or -ttt begins it.
var stracePattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(\[pid +\d+\] |\d+ +)?(\d+:\d+:\d+(\.\d+)? |\d+\.\d+ )?([a-z_0-9]+\(|\+\+\+ |--- SIG)`)
})

// notTrace names what the first bytes of the input look like.
func notTrace(b []byte) error {
	what := ""
	starts := func(s string) bool { return bytes.HasPrefix(b, []byte(s)) }
	switch {
	case len(b) == 0:
		what = "it is empty"
	case starts("\x1f\x8b"):
		what = "it is compressed with gzip: decompress it first"
	case starts("\xfd7zXZ"):
		what = "it is compressed with xz: decompress it first"
	case starts("BZh"):
		what = "it is compressed with bzip2: decompress it first"
	case len(b) >= 4 && binary.LittleEndian.Uint32(b) == 0xFD2FB528:
		what = "it is compressed with zstd: decompress it first"
	case starts("PK\x03\x04"):
		what = "it is a zip archive"
	case starts("\x7fELF"):
		what = "it is an ELF program"
	case starts("PERFILE2"):
		what = "it is a perf.data file"
	case stracePattern().Match(b):
		what = "it looks like strace's text output: make a trace of it with sysreel import"
	case looksLikeText(b):
		what = "it looks like text"
	case len(bytes.TrimLeft(b, "\x00")) == 0:
		what = "it holds only zero bytes"
	default:
		what = fmt.Sprintf("it begins with bytes % x", b[:min(8, len(b))])
	}
	return fmt.Errorf("%w: %s", ErrNotTrace, what)
}

func looksLikeText(b []byte) bool {
	if len(b) > 512 {
		b = b[:512]
		for n := 0; n < utf8.UTFMax-1 && len(b) > 0 && !utf8.Valid(b); n++ {
			b = b[:len(b)-1] // may be cut within a character
		}
	}
	if !utf8.Valid(b) {
		return false
	}
	for _, c := range b {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' && c != '\x1b' {
			return false
		}
	}
	return true
}
