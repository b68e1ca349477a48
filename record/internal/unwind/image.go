//go:build linux && (amd64 || arm64)

package unwind

import (
	"debug/elf"
	"encoding/binary"
	"io"
	"strings"
)

// image is what is kept of an ELF file: how it is laid out in memory, and its
// call frame information.
type image struct {
	segments []segment
	frames   *frames // nil: none
	goTable  *goTable
	buildID  string
	size     int // bytes kept
	// fileSize and mtime tell files apart that have no buildID.
	fileSize uint64
	mtime    int64 // ns since 1970
}

// segment is a PT_LOAD of a file.
type segment struct {
	off, addr, size uint64 // in the file: addr is the virtual address of off
	exec            bool
}

// Bounds of what is read of a file.
const (
	maxSegments = 64
	maxSections = 1 << 10
	maxNotes    = 64 << 10
	maxData     = 64 << 20 // of .eh_frame
	maxEntries  = 4 << 20  // of .eh_frame_hdr
)

// parse reads an ELF file of 32 or 64 bits, little-endian. What is not
// understood is left out.
func parse(r io.ReaderAt) *image {
	im := new(image)
	head := make([]byte, 64)
	if n, _ := r.ReadAt(head, 0); n < 52 || string(head[:4]) != elf.ELFMAG || head[5] != byte(elf.ELFDATA2LSB) {
		return im
	}
	p := parser{r: r, im: im, le: binary.LittleEndian, word: 8}
	if elf.Class(head[4]) == elf.ELFCLASS32 {
		p.word = 4
	}
	p.segments(head)
	return im
}

type parser struct {
	r    io.ReaderAt
	im   *image
	le   binary.ByteOrder
	word int
}

// bytes reads a part of the file, of most bytes at most; what is missing at its end
// is left out.
func (p *parser) bytes(off, size, most uint64) []byte {
	if off > 1<<62 || size > most {
		return nil
	}
	b := make([]byte, size)
	n, _ := p.r.ReadAt(b, int64(off))
	return b[:max(n, 0)]
}

// num reads a number of a header: at off64 in a 64-bit file, at off32 in another.
func (p *parser) num(b []byte, off32, off64 int) uint64 {
	if p.word == 4 {
		return uint64(p.le.Uint32(b[off32:]))
	}
	return p.le.Uint64(b[off64:])
}

// segments reads the program headers and what they lead to.
func (p *parser) segments(head []byte) {
	off := p.num(head, 28, 32)
	at, size := 54, 56 // of e_phentsize; of an entry
	if p.word == 4 {
		at, size = 42, 32
	}
	if int(p.le.Uint16(head[at:])) != size {
		return
	}
	count := min(int(p.le.Uint16(head[at+2:])), maxSegments)
	table := p.bytes(off, uint64(count*size), maxSegments*56)
	var hdr segment
	for ; len(table) >= size; table = table[size:] {
		s := segment{off: p.num(table, 4, 8), addr: p.num(table, 8, 16), size: p.num(table, 16, 32)}
		flags := p.le.Uint32(table[4:])
		if p.word == 4 {
			flags = p.le.Uint32(table[24:])
		}
		s.exec = elf.ProgFlag(flags)&elf.PF_X != 0
		switch elf.ProgType(p.le.Uint32(table)) {
		case elf.PT_LOAD:
			p.im.segments = append(p.im.segments, s)
		case elf.PT_NOTE:
			if p.im.buildID == "" {
				p.im.buildID = buildID(p.bytes(s.off, min(s.size, maxNotes), maxNotes))
			}
		case elf.PT_GNU_EH_FRAME:
			hdr = s
		}
	}
	if hdr.size > 0 {
		p.header(hdr)
	}
	p.sections(head)
}

// buildID finds NT_GNU_BUILD_ID among notes.
func buildID(b []byte) string {
	const gnuBuildID = 3
	for len(b) >= 12 {
		name, desc := uint64(binary.LittleEndian.Uint32(b)), uint64(binary.LittleEndian.Uint32(b[4:]))
		typ := binary.LittleEndian.Uint32(b[8:])
		b = b[12:]
		pad := func(n uint64) uint64 { return (n + 3) &^ 3 }
		if pad(name)+desc > uint64(len(b)) {
			return ""
		}
		if typ == gnuBuildID && string(b[:name]) == "GNU\x00" && desc <= 64 {
			return string(b[pad(name) : pad(name)+desc])
		}
		if pad(name)+pad(desc) > uint64(len(b)) {
			return ""
		}
		b = b[pad(name)+pad(desc):]
	}
	return ""
}

// header reads .eh_frame_hdr, and .eh_frame by it.
func (p *parser) header(hdr segment) {
	d := data{b: p.bytes(hdr.off, min(hdr.size, maxEntries*8+64), maxEntries*8+64), addr: hdr.addr, word: p.word}
	version, ptrEnc, countEnc, tableEnc := d.uint(1), byte(d.uint(1)), byte(d.uint(1)), byte(d.uint(1))
	if version != 1 || d.bad {
		return
	}
	start := d.pointer(ptrEnc, hdr.addr)
	count := uint64(0)
	if countEnc != peOmit {
		count = d.pointer(countEnc, hdr.addr)
	}
	s, ok := p.im.segmentOf(start)
	if !ok || d.bad {
		return
	}
	// It ends at the latest where its segment does.
	size := s.addr + s.size - start
	f := &frames{word: p.word, addr: start, hdr: hdr.addr, data: p.bytes(start-s.addr+s.off, min(size, maxData), maxData)}
	p.im.frames = f
	if tableEnc == peDataRel|peSdata4 && count > 0 && count <= uint64(len(d.b)-d.at)/8 {
		f.table = d.take(int(count) * 8)
	} else {
		f.scan()
	}
	p.im.size += len(f.data) + len(f.table) + len(f.list)*24
}

// segmentOf returns the segment that has a virtual address.
func (im *image) segmentOf(addr uint64) (segment, bool) {
	for _, s := range im.segments {
		if addr >= s.addr && addr-s.addr < s.size {
			return s, true
		}
	}
	return segment{}, false
}

// bias returns what is to be added to the offset in the file of mapped code to
// get its virtual address.
func (im *image) bias(off uint64) int64 {
	for _, exec := range []bool{true, false} {
		for _, s := range im.segments {
			// The mapping begins at the page that the segment begins in.
			const page = 64<<10 - 1
			if s.exec == exec && off >= s.off&^page && off < s.off+s.size {
				return int64(s.addr - s.off)
			}
		}
	}
	return 0
}

// sections looks for .eh_frame of a file that has no PT_GNU_EH_FRAME, and for
// the tables of Go's linker.
func (p *parser) sections(head []byte) {
	off := p.num(head, 32, 40)
	at, size := 58, 64 // of e_shentsize; of an entry
	if p.word == 4 {
		at, size = 46, 40
	}
	if int(p.le.Uint16(head[at:])) != size {
		return
	}
	count := min(int(p.le.Uint16(head[at+2:])), maxSections)
	table := p.bytes(off, uint64(count*size), maxSections*64)
	type section struct {
		name            uint32
		addr, off, size uint64
	}
	var all []section
	for b := table; len(b) >= size; b = b[size:] {
		all = append(all, section{p.le.Uint32(b), p.num(b, 12, 16), p.num(b, 16, 24), p.num(b, 20, 32)})
	}
	index := int(p.le.Uint16(head[at+4:]))
	if index >= len(all) {
		return
	}
	text := uint64(0)
	names := data{b: p.bytes(all[index].off, min(all[index].size, maxNotes), maxNotes)}
	for _, s := range all {
		if uint64(s.name) >= uint64(len(names.b)) {
			continue
		}
		names.at = int(s.name)
		switch name := names.text(); {
		case name == ".text":
			text = s.addr
		case name == ".eh_frame" && p.im.frames == nil:
			f := &frames{word: p.word, addr: s.addr, data: p.bytes(s.off, min(s.size, maxData), maxData)}
			if f.scan(); len(f.list) > 0 {
				p.im.frames = f
				p.im.size += len(f.data) + len(f.list)*24
			}
		case strings.HasSuffix(name, ".gopclntab") && p.word == 8: // after .text
			p.im.goTable = newGoTable(p.bytes(s.off, min(s.size, maxData), maxData), text)
		}
	}
	if g := p.im.goTable; g != nil {
		p.im.size += len(g.data)
	}
}
