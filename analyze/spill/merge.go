package spill

import (
	"bufio"
	"container/heap"
	"encoding/binary"
	"errors"
	"io"
)

// appendEntry appends key and value, each after its length.
func appendEntry(b, key, value []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(key)))
	b = append(b, key...)
	b = binary.AppendUvarint(b, uint64(len(value)))
	return append(b, value...)
}

// maxEntry bounds a key and a value.
const maxEntry = 1 << 20

// cursor goes along a run, or along the rows in memory.
type cursor[V any] struct {
	r      *bufio.Reader // nil: memory
	rows   []entry[V]
	key    []byte
	value  []byte
	memory *V
}

// next goes to the next entry; io.EOF if there is none.
func (c *cursor[V]) next() (err error) {
	if c.r == nil {
		if len(c.rows) == 0 {
			return io.EOF
		}
		c.key, c.memory, c.rows = c.rows[0].key, c.rows[0].value, c.rows[1:]
		return nil
	}
	if c.key, err = readBytes(c.r, c.key); err != nil {
		return err
	}
	if c.value, err = readBytes(c.r, c.value); err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}

func readBytes(r *bufio.Reader, b []byte) ([]byte, error) {
	n, err := binary.ReadUvarint(r)
	if err != nil {
		return b, err
	}
	if n > maxEntry {
		return b, errors.New("malformed entry")
	}
	if uint64(cap(b)) < n {
		b = make([]byte, n, 2*n)
	}
	b = b[:n]
	if _, err = io.ReadFull(r, b); err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return b, err
}

// merger goes along all runs at once, in order of keys.
type merger[K comparable, V any] struct {
	codec   Codec[K, V]
	cursors cursors[V] // a heap
	key     []byte
}

func (t *Table[K, V]) merger() (*merger[K, V], error) {
	m := &merger[K, V]{codec: t.codec}
	all := []*cursor[V]{{rows: t.sorted()}}
	for _, r := range t.runs {
		all = append(all, &cursor[V]{r: bufio.NewReaderSize(io.NewSectionReader(r.file, r.from, r.to-r.from), 16<<10)})
	}
	for _, c := range all {
		if err := c.next(); err == nil {
			m.cursors = append(m.cursors, c)
		} else if err != io.EOF {
			return nil, err
		}
	}
	heap.Init(&m.cursors)
	return m, nil
}

// next adds all values of the next key to v.
func (m *merger[K, V]) next(v *V) ([]byte, error) {
	if len(m.cursors) == 0 {
		return nil, io.EOF
	}
	m.key = append(m.key[:0], m.cursors[0].key...)
	for len(m.cursors) > 0 && string(m.cursors[0].key) == string(m.key) {
		c := m.cursors[0]
		if c.memory != nil {
			m.codec.Merge(v, c.memory)
		} else if err := m.codec.Decode(c.value, v); err != nil {
			return nil, err
		}
		switch err := c.next(); err {
		case nil:
			heap.Fix(&m.cursors, 0)
		case io.EOF:
			heap.Pop(&m.cursors)
		default:
			return nil, err
		}
	}
	return m.key, nil
}

type cursors[V any] []*cursor[V]

func (h cursors[V]) Len() int           { return len(h) }
func (h cursors[V]) Less(i, j int) bool { return string(h[i].key) < string(h[j].key) }
func (h cursors[V]) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *cursors[V]) Push(x any)        { *h = append(*h, x.(*cursor[V])) }
func (h *cursors[V]) Pop() any {
	old := *h
	c := old[len(old)-1]
	*h = old[:len(old)-1]
	return c
}
