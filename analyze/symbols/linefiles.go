package symbols

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// fileNames reads the names of files from the header of a line table (DWARF 2 to 5,
// section 6.2.4), by their numbers, as strace has them from libdw: directory and
// name, put together and not cleaned. debug/dwarf, which reads the rows, cleans
// them. Of a damaged table there are as many as can be read.
func (l *lines) fileNames(table []byte, unitDir string) (names []string) {
	h := header{b: table, order: l.order}
	if h.number(4) == 0xffffffff {
		h.wide = true
		h.number(8)
	}
	version := h.number(2)
	if version >= 5 {
		h.skip(2) // sizes of addresses and segments
	}
	h.offset()
	h.skip(4)
	if version >= 4 {
		h.skip(1)
	}
	if n := h.number(1); n > 0 {
		h.skip(n - 1)
	}
	if version >= 5 {
		return joinNames(unitDir, l.entries(&h), l.entries(&h))
	}
	dirs, files := []entry{{name: unitDir}}, []entry{{}}
	for s := h.text(); s != ""; s = h.text() {
		dirs = append(dirs, entry{name: s})
	}
	for s := h.text(); s != ""; s = h.text() {
		files = append(files, entry{s, h.uleb()})
		h.uleb()
		h.uleb()
	}
	return joinNames(unitDir, dirs, files)
}

// entry is a directory, or a file of one.
type entry struct {
	name string
	dir  uint64
}

func joinNames(unitDir string, dirs, files []entry) (names []string) {
	if len(dirs) > 0 {
		unitDir = dirs[0].name
	}
	for _, f := range files {
		name := f.name
		if !strings.HasPrefix(name, "/") && f.dir < uint64(len(dirs)) && dirs[f.dir].name != "" {
			dir := dirs[f.dir].name
			if !strings.HasPrefix(dir, "/") && unitDir != "" {
				dir = unitDir + "/" + dir
			}
			name = dir + "/" + name
		}
		names = append(names, name)
	}
	return names
}

// What entries consist of, and forms of that (DWARF 5, 7.22 and 7.5.6).
const (
	contentPath = 1
	contentDir  = 2

	formData2    = 0x05
	formData4    = 0x06
	formData8    = 0x07
	formString   = 0x08
	formBlock    = 0x09
	formData1    = 0x0b
	formStrp     = 0x0e
	formUdata    = 0x0f
	formData16   = 0x1e
	formLineStrp = 0x1f
)

// entries reads the directories or files of DWARF 5.
func (l *lines) entries(h *header) (all []entry) {
	kinds := make([][2]uint64, 0, 8)
	for n := h.number(1); n > 0 && len(h.b) > 0; n-- {
		kinds = append(kinds, [2]uint64{h.uleb(), h.uleb()})
	}
	for n := h.uleb(); n > 0 && len(h.b) > 0 && len(kinds) > 0; n-- {
		var e entry
		for _, kind := range kinds {
			var s string
			var v uint64
			switch kind[1] {
			case formString:
				s = h.text()
			case formLineStrp:
				s = textAt(l.lineText, h.offset())
			case formStrp:
				s = textAt(l.text, h.offset())
			case formUdata:
				v = h.uleb()
			case formData1:
				v = h.number(1)
			case formData2:
				v = h.number(2)
			case formData4:
				v = h.number(4)
			case formData8:
				v = h.number(8)
			case formData16:
				h.skip(16)
			case formBlock:
				h.skip(h.uleb())
			default:
				return all
			}
			switch kind[0] {
			case contentPath:
				e.name = s
			case contentDir:
				e.dir = v
			}
		}
		all = append(all, e)
	}
	return all
}

// header is what is left of a header. Behind its end there are zeros.
type header struct {
	b     []byte
	order binary.ByteOrder
	wide  bool // offsets have 8 bytes
}

func (h *header) skip(n uint64) []byte {
	n = min(n, uint64(len(h.b)))
	b := h.b[:n]
	h.b = h.b[n:]
	return b
}

func (h *header) number(size int) uint64 {
	var b [8]byte
	part := h.skip(uint64(size))
	if h.order == binary.BigEndian {
		copy(b[8-size:], part)
		return binary.BigEndian.Uint64(b[:])
	}
	copy(b[:], part)
	return binary.LittleEndian.Uint64(b[:])
}

func (h *header) offset() uint64 {
	if h.wide {
		return h.number(8)
	}
	return h.number(4)
}

func (h *header) uleb() (v uint64) {
	v, n := binary.Uvarint(h.b)
	if n <= 0 {
		h.b = nil
		return 0
	}
	h.b = h.b[n:]
	return v
}

func (h *header) text() string {
	s := textAt(h.b, 0)
	h.skip(uint64(len(s)) + 1)
	return s
}

// textAt returns the string at an offset; "" if there is none.
func textAt(b []byte, at uint64) string {
	if at >= uint64(len(b)) {
		return ""
	}
	b = b[at:]
	n := bytes.IndexByte(b, 0)
	if n < 0 {
		return ""
	}
	return string(b[:n])
}
