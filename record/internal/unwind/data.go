//go:build linux && (amd64 || arm64)

package unwind

import "encoding/binary"

// data is a stretch of a file, read from front to back. Reading behind its end
// sets bad and gives zeros.
type data struct {
	b    []byte
	addr uint64 // virtual address of b[0]
	at   int
	word int // bytes of a pointer
	bad  bool
}

func (d *data) take(n int) []byte {
	if n < 0 || n > len(d.b)-d.at {
		d.bad, d.at = true, len(d.b)
		return nil
	}
	d.at += n
	return d.b[d.at-n : d.at]
}

// uint reads an unsigned number of 1, 2, 4 or 8 bytes.
func (d *data) uint(size int) uint64 {
	b := d.take(size)
	if b == nil {
		return 0
	}
	switch size {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(binary.LittleEndian.Uint16(b))
	case 4:
		return uint64(binary.LittleEndian.Uint32(b))
	}
	return binary.LittleEndian.Uint64(b)
}

// int reads a signed number of 1, 2, 4 or 8 bytes.
func (d *data) int(size int) uint64 {
	shift := 64 - 8*size
	return uint64(int64(d.uint(size)<<shift) >> shift)
}

func (d *data) uleb() uint64 {
	v := uint64(0)
	for shift := 0; ; shift += 7 {
		b := d.uint(1)
		if shift < 64 {
			v |= b & 0x7f << shift
		}
		if b < 0x80 || d.bad {
			return v
		}
		if shift > maxLEB {
			d.bad = true
		}
	}
}

func (d *data) sleb() int64 {
	v := int64(0)
	for shift := 0; ; {
		b := d.uint(1)
		if shift < 64 {
			v |= int64(b&0x7f) << shift
		}
		if shift += 7; shift > maxLEB {
			d.bad = true
		}
		if b < 0x80 || d.bad {
			if b&0x40 != 0 && shift < 64 {
				v |= -1 << shift
			}
			return v
		}
	}
}

const (
	maxLEB  = 7 * 16 // bits of a number: some are padded
	maxText = 64     // bytes of a string
)

// text reads a string up to its NUL.
func (d *data) text() string {
	for i := d.at; i < min(len(d.b), d.at+maxText); i++ {
		if d.b[i] == 0 {
			s := string(d.b[d.at:i])
			d.at = i + 1
			return s
		}
	}
	d.bad = true
	return ""
}

// Encodings of pointers (DW_EH_PE_*, Linux Standard Base Core, 10.5.1).
const (
	peOmit    = 0xff
	peAbs     = 0x00
	peULEB    = 0x01
	peUdata2  = 0x02
	peUdata4  = 0x03
	peUdata8  = 0x04
	peSLEB    = 0x09
	peSdata2  = 0x0a
	peSdata4  = 0x0b
	peSdata8  = 0x0c
	peFormat  = 0x0f
	pePCRel   = 0x10
	peDataRel = 0x30
	peHow     = 0x70
)

// pointer reads an encoded pointer; base is what data-relative ones count from.
func (d *data) pointer(enc byte, base uint64) uint64 {
	here := d.addr + uint64(d.at)
	var v uint64
	switch enc & peFormat {
	case peAbs:
		v = d.uint(d.word)
	case peULEB:
		v = d.uleb()
	case peUdata2:
		v = d.uint(2)
	case peUdata4:
		v = d.uint(4)
	case peUdata8:
		v = d.uint(8)
	case peSLEB:
		v = uint64(d.sleb())
	case peSdata2:
		v = d.int(2)
	case peSdata4:
		v = d.int(4)
	case peSdata8:
		v = d.int(8)
	default:
		d.bad = true
	}
	switch enc & peHow {
	case 0:
	case pePCRel:
		v += here
	case peDataRel:
		v += base
	default:
		d.bad = true
	}
	if d.word == 4 {
		v = uint64(uint32(v))
	}
	return v
}
