package format

import (
	"encoding/binary"
	"strconv"
)

func (p *printer) s(s string) { p.b = append(p.b, s...) }
func (p *printer) c(c byte)   { p.b = append(p.b, c) }

func (p *printer) dec(v int64)   { p.b = strconv.AppendInt(p.b, v, 10) }
func (p *printer) udec(v uint64) { p.b = strconv.AppendUint(p.b, v, 10) }

// hex writes a number as C's %#x does: 0 has no prefix.
func (p *printer) hex(v uint64) { p.b = appendHex(p.b, v) }

// padded writes a number with zeros in front, up to that many digits.
func (p *printer) padded(v uint64, digits int) {
	for n := v; digits > 1; digits-- {
		if n /= 10; n == 0 {
			p.c('0')
		}
	}
	p.udec(v)
}

// oct writes a number as C's %#o does: 0 has no prefix.
func (p *printer) oct(v uint64) {
	if v != 0 {
		p.c('0')
	}
	p.b = strconv.AppendUint(p.b, v, 8)
}

// mode writes permission bits as strace does: three digits at least.
func (p *printer) mode(v uint64) {
	if v < 0o10 {
		p.c('0')
	}
	p.c('0')
	p.b = strconv.AppendUint(p.b, v, 8)
}

// addr writes an address: NULL for 0.
func (p *printer) addr(v uint64) {
	if v == 0 {
		p.s("NULL")
		return
	}
	p.hex(v)
}

func appendHex(b []byte, v uint64) []byte {
	if v == 0 {
		return append(b, '0')
	}
	return appendHexDigits(append(b, '0', 'x'), v)
}

// paddedHex writes a number as C's %#0*x does: with zeros in front, up to that
// width.
func (p *printer) paddedHex(v uint64, width int) {
	if v != 0 {
		p.s("0x")
		width -= len("0x")
	}
	digits := appendHexDigits(nil, v)
	for range width - len(digits) {
		p.c('0')
	}
	p.b = append(p.b, digits...)
}

const hexDigits = "0123456789abcdef"

func appendHexDigits(b []byte, v uint64) []byte {
	var buf [16]byte
	i := len(buf)
	for {
		i--
		buf[i] = hexDigits[v&15]
		if v >>= 4; v == 0 {
			return append(b, buf[i:]...)
		}
	}
}

// signExtend returns the low size bytes of v as a signed number.
func signExtend(v uint64, size int) int64 {
	switch size {
	case 1:
		return int64(int8(v))
	case 2:
		return int64(int16(v))
	case 4:
		return int64(int32(v))
	}
	return int64(v)
}

// truncate returns the low size bytes of v.
func truncate(v uint64, size int) uint64 {
	if size > 0 && size < 8 {
		return v & (1<<(8*size) - 1)
	}
	return v
}

// load reads a little-endian number of up to 8 bytes; missing bytes are 0. All
// architectures of the table are little-endian.
func load(data []byte, off, size int) uint64 {
	if size > 0 && off >= 0 && off <= len(data)-8 { // at once; the loop is for the end
		return truncate(binary.LittleEndian.Uint64(data[off:]), size)
	}
	var v uint64
	for i := 0; i < size && i < 8; i++ {
		if off+i >= 0 && off+i < len(data) {
			v |= uint64(data[off+i]) << (8 * i)
		}
	}
	return v
}

// comment writes " /* s */".
func (p *printer) comment(s string) {
	p.s(" /* ")
	p.s(s)
	p.s(" */")
}
