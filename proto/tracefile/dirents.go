package tracefile

import (
	"bytes"
	"encoding/binary"

	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers of Dirents.
const (
	deCount = 1
	deIno   = 2
	deOff   = 3
	deType  = 4
	deName  = 5
)

// direntName is the offset of d_name in struct linux_dirent64
// (include/linux/dirent.h), the same on every architecture.
const direntName = 19

// direntSize returns the size of an entry whose name has n bytes: with its NUL,
// up to a multiple of 8 (fs/readdir.c, filldir64).
func direntSize(n int) int { return (direntName + n + 1 + 7) &^ 7 }

// nextDirent returns the length of the entry at the start of b and of its name.
// size is 0 if there is no entry as the kernel makes them.
func nextDirent(b []byte) (size, name int) {
	if len(b) < direntSize(0) {
		return 0, 0
	}
	size = int(binary.LittleEndian.Uint16(b[16:]))
	if size > len(b) || size < direntSize(0) {
		return 0, 0
	}
	name = bytes.IndexByte(b[direntName:size], 0)
	if name < 0 || direntSize(name) != size {
		return 0, 0
	}
	return size, name
}

// isDirents reports whether b consists of whole directory entries.
func isDirents(b []byte) bool {
	for len(b) > 0 {
		size, _ := nextDirent(b)
		if size == 0 {
			return false
		}
		b = b[size:]
	}
	return true
}

// appendDirents appends b, which isDirents, with zero for the bytes after the
// names: the kernel leaves there what was in the caller's buffer.
func appendDirents(dst, b []byte) []byte {
	at := len(dst)
	dst = append(dst, b...)
	for at < len(dst) {
		size, name := nextDirent(dst[at:])
		clear(dst[at+direntName+name : at+size])
		at += size
	}
	return dst
}

// encodeDirents appends the Dirents message of the rows referred to.
func (t *table) encodeDirents(b []byte, c *columnEncoder) []byte {
	var count, ino, off, typ []uint64
	var names []byte
	for _, r := range t.order {
		n := uint64(0)
		for row := t.row(r); len(row) > 0; n++ {
			size, name := nextDirent(row)
			ino = append(ino, binary.LittleEndian.Uint64(row))
			off = append(off, binary.LittleEndian.Uint64(row[8:]))
			typ = append(typ, uint64(row[18]))
			names = append(names, row[direntName:direntName+name+1]...)
			row = row[size:]
		}
		count = append(count, n)
	}
	b = c.append(b, deCount, count, related{})
	b = c.append(b, deIno, ino, related{})
	b = c.append(b, deOff, off, related{})
	b = c.append(b, deType, typ, related{})
	return c.body(b, deName, names)
}

// decodeDirents makes the rows of a table from a Dirents message.
func (b *Block) decodeDirents(t *tableData, msg []byte) error {
	var cols [deName][]byte
	var names []byte
	err := eachField(msg, func(num protowire.Number, _ uint64, data []byte) error {
		switch num {
		case deCount, deIno, deOff, deType:
			cols[num] = data
		case deName:
			names = data
		}
		return nil
	})
	if err != nil {
		return err
	}
	count, err := b.column(cols[deCount], t.rows, decodeRelated{})
	if err != nil {
		return err
	}
	entries := bytes.Count(names, []byte{0})
	total := uint64(0)
	for i := range t.rows {
		if total += count.at(i); count.at(i) > uint64(entries) || total > uint64(entries) {
			return errMalformed
		}
	}
	expand := len(names) + entries*direntSize(7)
	if total != uint64(entries) || expand > maxExpand-b.expand {
		return errMalformed
	}
	b.expand += expand
	var col [deName]column
	for f := deIno; f <= deType; f++ {
		if col[f], err = b.column(cols[f], entries, decodeRelated{}); err != nil {
			return err
		}
	}
	t.data = make([]byte, 0, expand)
	t.end = b.take(t.rows)
	k := 0
	for i := range t.end {
		for range count.at(i) {
			n := bytes.IndexByte(names, 0)
			size, at := direntSize(n), len(t.data)
			if size > 1<<16-1 {
				return errMalformed
			}
			t.data = append(t.data, make([]byte, size)...)
			e := t.data[at:]
			binary.LittleEndian.PutUint64(e, col[deIno].at(k))
			binary.LittleEndian.PutUint64(e[8:], col[deOff].at(k))
			binary.LittleEndian.PutUint16(e[16:], uint16(size))
			e[18] = byte(col[deType].at(k))
			copy(e[direntName:], names[:n])
			names = names[n+1:]
			k++
		}
		t.end[i] = uint32(len(t.data))
	}
	return nil
}
