package tracefile

import (
	"encoding/binary"
	"hash/maphash"

	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers of Table.
const (
	tabRows   = 1
	tabSize   = 2
	tabLength = 3
	tabData   = 4
	tabWord   = 5
	tabDirent = 6
)

// Tables come in four kinds: the strings, other data, directory entries, and one
// for each structure.

// minTransposed is the number of rows from which a table of fixed size is split
// into columns: fewer take more for the columns than for the rows.
const minTransposed = 6

var tableSeed = maphash.MakeSeed()

// table collects distinct pieces of memory.
type table struct {
	size    int  // of every row, if fixed
	dirents bool // rows are directory entries
	arena   []byte
	end     []uint32 // of each row in arena
	hash    []uint32 // open addressing: row, plus 1
	remap   []uint32 // row to its place in the file, plus 1
	order   []uint32 // rows by place
	index   uint32   // of the table in Detail.table
	used    bool
}

func (t *table) row(i uint32) []byte {
	start := uint32(0)
	if i > 0 {
		start = t.end[i-1]
	}
	return t.arena[start:t.end[i]]
}

// add returns the row that holds data, a new one if there is none.
func (t *table) add(data []byte) uint32 {
	if 2*len(t.end) >= len(t.hash) {
		t.grow()
	}
	mask := uint64(len(t.hash) - 1)
	h := maphash.Bytes(tableSeed, data) & mask
	for t.hash[h] != 0 {
		if r := t.hash[h] - 1; string(t.row(r)) == string(data) {
			return r
		}
		h = (h + 1) & mask
	}
	t.arena = append(t.arena, data...)
	t.end = append(t.end, uint32(len(t.arena)))
	t.hash[h] = uint32(len(t.end))
	return uint32(len(t.end) - 1)
}

func (t *table) grow() {
	t.hash = make([]uint32, max(64, 2*len(t.hash)))
	mask := uint64(len(t.hash) - 1)
	for r := range t.end {
		h := maphash.Bytes(tableSeed, t.row(uint32(r))) & mask
		for t.hash[h] != 0 {
			h = (h + 1) & mask
		}
		t.hash[h] = uint32(r + 1)
	}
}

func (t *table) reset() {
	t.arena, t.end, t.order = t.arena[:0], t.end[:0], t.order[:0]
	t.remap = t.remap[:0]
	clear(t.hash)
	t.used = false
}

// refer appends to out how the file refers to rows: 0 for the next row not
// referred to before, else its place, plus 1.
func (t *table) refer(out []uint64, rows []uint32) []uint64 {
	for len(t.remap) < len(t.end) {
		t.remap = append(t.remap, 0)
	}
	for _, r := range rows {
		if p := t.remap[r]; p != 0 {
			out = append(out, uint64(p))
			continue
		}
		t.order = append(t.order, r)
		t.remap[r] = uint32(len(t.order))
		out = append(out, 0)
	}
	return out
}

// encode appends the Table message of the rows referred to.
func (t *table) encode(b []byte, c *columnEncoder, nums []uint64) []byte {
	b = appendUint(b, tabRows, uint64(len(t.order)))
	b = appendUint(b, tabSize, uint64(t.size))
	if t.dirents {
		cut := len(c.cuts)
		return c.nest(b, tabDirent, t.encodeDirents(nil, c), cut)
	}
	if t.size > 0 && t.size%4 == 0 && len(t.order) >= minTransposed {
		for off := 0; off < t.size; off += 4 {
			nums = nums[:0]
			for _, r := range t.order {
				nums = append(nums, uint64(binary.LittleEndian.Uint32(t.row(r)[off:])))
			}
			b = c.append(b, tabWord, nums, related{})
		}
		return b
	}
	total := 0
	nums = nums[:0]
	for _, r := range t.order {
		n := len(t.row(r))
		nums = append(nums, uint64(n))
		total += n
	}
	if t.size == 0 {
		b = c.append(b, tabLength, nums, related{})
	}
	b = protowire.AppendTag(b, tabData, protowire.BytesType)
	b = appendVarint(b, uint64(total))
	start := len(b)
	for _, r := range t.order {
		b = append(b, t.row(r)...)
	}
	if total >= minCut {
		c.cuts = append(c.cuts, start, len(b))
	}
	return b
}
