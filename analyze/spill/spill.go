// Package spill adds values up under keys in bounded memory. What does not fit
// is put aside in a temporary file, sorted, and comes back merged: sums are
// exact however many keys there are, and the same in whatever order tables are
// merged.
package spill

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// Codec tells a Table what its keys and values are.
type Codec[K comparable, V any] interface {
	// Slot returns a number that is another for most other keys, at little
	// cost; see [Text].
	Slot(K) uint32
	// Note is told every new key, and returns about how many bytes it and an
	// empty value take.
	Note(K) int
	// AppendKey appends the key's encoding: of different keys, different bytes.
	AppendKey([]byte, K) []byte
	Key([]byte) (K, error)
	AppendValue([]byte, *V) []byte
	// Decode adds an encoded value to one.
	Decode(b []byte, into *V) error
	// Merge adds a value, which it leaves as it is, to another.
	Merge(into, from *V)
}

// Table holds a value for each key. It is not safe for concurrent use.
type Table[K comparable, V any] struct {
	codec Codec[K, V]
	limit int // bytes

	rows map[K]*V
	size int // bytes they take, about
	// recent is a direct-mapped cache in front of rows.
	recent *[recentSlots]recentRow[K, V]

	runs  []run
	out   *os.File
	at    int64      // end of out
	files []*os.File // of tables merged in, too
	// rest is what can neither be held nor put aside, and err why.
	rest    V
	resting bool
	err     error
	spills  int
}

type recentRow[K comparable, V any] struct {
	key K
	row *V // nil: none
}

const recentSlots = 1 << 10

// Text returns a number that is another for most other texts, of their length
// and last bytes: names differ in these.
func Text(s string) uint32 {
	h := uint64(len(s))
	if n := len(s); n >= 8 {
		h ^= uint64(s[n-1]) | uint64(s[n-2])<<8 | uint64(s[n-3])<<16 | uint64(s[n-4])<<24 |
			uint64(s[n-5])<<32 | uint64(s[n-6])<<40 | uint64(s[n-7])<<48 | uint64(s[n-8])<<56
	} else {
		for i := range n {
			h = h<<8 | uint64(s[i])
		}
	}
	return uint32(h * 0x9E3779B97F4A7C15 >> 40)
}

// run is a sorted part of a file.
type run struct {
	file     *os.File
	from, to int64
}

// maxFile bounds a table's temporary file: a disk that fills up is somebody's.
const maxFile = 4 << 30

// New returns an empty Table that takes about limit bytes of memory at most.
func New[K comparable, V any](limit int, codec Codec[K, V]) *Table[K, V] {
	return &Table[K, V]{codec: codec, limit: limit, rows: make(map[K]*V), recent: new([recentSlots]recentRow[K, V])}
}

// Get returns the key's value, a zero one if it is new. It is valid until the
// next call of Get or Merge. If there is no room for the key, and none on disk,
// the value is one that all such keys share.
func (t *Table[K, V]) Get(k K) *V {
	slot := &t.recent[t.codec.Slot(k)%recentSlots]
	if slot.row != nil && slot.key == k && t.size < t.limit {
		return slot.row
	}
	room := t.room()
	v := t.rows[k]
	if v == nil {
		if !room {
			t.resting = true
			return &t.rest
		}
		v = new(V)
		t.rows[k] = v
		t.size += t.codec.Note(k)
	}
	slot.key, slot.row = k, v
	return v
}

// Grew says that the value got last takes more bytes than before.
func (t *Table[K, V]) Grew(bytes int) { t.size += bytes }

// Spills counts how often values were put aside: then all that Get has returned
// before is void.
func (t *Table[K, V]) Spills() int { return t.spills }

// room puts the rows aside if they take too much, and reports whether there is
// room for another key.
func (t *Table[K, V]) room() bool {
	if t.size >= t.limit && t.err == nil {
		t.err = t.spill()
	}
	return t.size < t.limit
}

// spill puts all rows aside.
func (t *Table[K, V]) spill() (err error) {
	if t.out == nil {
		if t.out, err = os.CreateTemp("", "sysreel-*"); err != nil {
			return err
		}
		os.Remove(t.out.Name()) // where an open file can be; else Close does
		t.files = append(t.files, t.out)
	}
	r := run{file: t.out, from: t.at, to: t.at}
	w := bufio.NewWriterSize(t.out, 256<<10)
	var b, value []byte
	for _, e := range t.sorted() {
		value = t.codec.AppendValue(value[:0], e.value)
		b = appendEntry(b[:0], e.key, value)
		if r.to += int64(len(b)); r.to > maxFile {
			err = errors.New("its temporary file would be too large")
			break
		}
		if _, err = w.Write(b); err != nil {
			break
		}
	}
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		t.out.Truncate(t.at) // give the room back
		return err
	}
	t.runs = append(t.runs, r)
	t.at = r.to
	clear(t.rows)
	clear(t.recent[:])
	t.size = 0
	t.spills++
	return nil
}

type entry[V any] struct {
	key   []byte
	value *V
}

// sorted returns the rows in order of their encoded keys.
func (t *Table[K, V]) sorted() []entry[V] {
	list := make([]entry[V], 0, len(t.rows))
	var keys []byte
	for k, v := range t.rows {
		n := len(keys)
		keys = t.codec.AppendKey(keys, k)
		list = append(list, entry[V]{keys[n:len(keys):len(keys)], v})
	}
	slices.SortFunc(list, func(a, b entry[V]) int { return cmp.Compare(string(a.key), string(b.key)) })
	return list
}

// Merge takes over what o holds; o is not to be used any more.
func (t *Table[K, V]) Merge(o *Table[K, V]) {
	each := o.size / max(len(o.rows), 1)
	for k, v := range o.rows {
		switch mine := t.rows[k]; {
		case mine != nil:
			t.codec.Merge(mine, v)
		case t.room():
			t.rows[k] = v
			t.size += max(t.codec.Note(k), each)
		default:
			t.resting = true
			t.codec.Merge(&t.rest, v)
		}
	}
	clear(t.recent[:])
	t.runs = append(t.runs, o.runs...)
	t.files = append(t.files, o.files...)
	if t.err == nil {
		t.err = o.err
	}
	if o.resting {
		t.resting = true
		t.codec.Merge(&t.rest, &o.rest)
	}
}

// Rest returns the sum of what was neither held nor put aside, and why; nil if
// there is none.
func (t *Table[K, V]) Rest() (*V, error) {
	if !t.resting {
		return nil, nil
	}
	return &t.rest, fmt.Errorf("putting keys aside: %w", t.err)
}

// Each calls fn with every key and its value, which it may not keep: in memory
// is no more than the table holds already.
func (t *Table[K, V]) Each(fn func(K, *V) error) error {
	if len(t.runs) == 0 {
		for k, v := range t.rows {
			if err := fn(k, v); err != nil {
				return err
			}
		}
		return nil
	}
	m, err := t.merger()
	if err != nil {
		return err
	}
	for {
		var v V
		key, err := m.next(&v)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading what was put aside: %w", err)
		}
		k, err := t.codec.Key(key)
		if err != nil {
			return err
		}
		if err := fn(k, &v); err != nil {
			return err
		}
	}
}

// Close removes the temporary files.
func (t *Table[K, V]) Close() error {
	var errs []error
	for _, f := range t.files {
		errs = append(errs, f.Close())
		os.Remove(f.Name())
	}
	t.files, t.runs = nil, nil
	return errors.Join(errs...)
}
