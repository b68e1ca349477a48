package summary

import (
	"encoding/binary"
	"errors"
	"slices"

	"sysreel/analyze"
	"sysreel/analyze/spill"
)

// What does not fit into an Analysis' memory is put aside in temporary files by
// package spill, for which the codecs here write it.

// standardMemory is the standard of Options.Memory.
const standardMemory = 12 << 20

// maxListed bounds the objects, and the failing paths, that a result lists: those
// with most bytes, and with most failures. The sum of the others is one more,
// named [analyze.OtherName].
const maxListed = 10_000

// perKey is about what a map takes for a key and a value, beside their contents.
const perKey = 32

// What a value, and its key where that is none of package analyze, take in bytes
// beside the contents.
const (
	rowSize     = 136
	objectSize  = 72
	failureSize = 64
)

var errAside = errors.New("malformed value")

// numbers reads n numbers, and returns what follows them.
func numbers(b []byte, out ...*uint64) ([]byte, error) {
	for _, p := range out {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			return nil, errAside
		}
		*p, b = v, b[n:]
	}
	return b, nil
}

func appendNumbers(b []byte, list ...uint64) []byte {
	for _, v := range list {
		b = binary.AppendUvarint(b, v)
	}
	return b
}

type rowCodec struct{ analyze.KeyCodec }

func (c *rowCodec) Note(k analyze.Key) int { return c.KeyCodec.Note(k) + rowSize }

func (c *rowCodec) AppendValue(b []byte, r *row) []byte {
	b = r.hist.Append(b)
	b = appendNumbers(b, r.calls, r.errors, uint64(r.read), uint64(r.written), uint64(len(r.errnos)))
	for e, n := range r.errnos {
		b = appendNumbers(b, uint64(e), n)
	}
	return b
}

func (c *rowCodec) Decode(b []byte, into *row) error {
	var r row
	b, err := r.hist.Decode(b)
	if err != nil {
		return err
	}
	var read, written, errnos uint64
	if b, err = numbers(b, &r.calls, &r.errors, &read, &written, &errnos); err != nil {
		return err
	}
	r.read, r.written = int64(read), int64(written)
	for range errnos {
		var e, n uint64
		if b, err = numbers(b, &e, &n); err != nil {
			return err
		}
		if r.errnos == nil {
			r.errnos = make(map[int]uint64, 1)
		}
		r.errnos[int(e)] = n
	}
	into.merge(&r)
	return nil
}

func (c *rowCodec) Merge(into, from *row) { into.merge(from) }

type objectKey struct {
	name string
	peer bool
}

type objectCodec struct{}

func (objectCodec) Slot(k objectKey) uint32 { return spill.Text(k.name) }

func (objectCodec) Note(k objectKey) int {
	return len(k.name) + objectSize + perKey
}

func (objectCodec) AppendKey(b []byte, k objectKey) []byte {
	b = append(b, k.name...)
	if k.peer {
		return append(b, 1)
	}
	return append(b, 0)
}

func (objectCodec) Key(b []byte) (objectKey, error) {
	if len(b) == 0 {
		return objectKey{}, errAside
	}
	return objectKey{string(b[:len(b)-1]), b[len(b)-1] == 1}, nil
}

func (objectCodec) AppendValue(b []byte, o *object) []byte {
	return appendNumbers(b, o.calls, uint64(o.read), uint64(o.written), uint64(o.total), o.first, uint64(o.file))
}

func (objectCodec) Decode(b []byte, into *object) error {
	var calls, read, written, total, first, file uint64
	_, err := numbers(b, &calls, &read, &written, &total, &first, &file)
	into.merge(&object{calls, int64(read), int64(written), int64(total), first, int(file)})
	return err
}

func (objectCodec) Merge(into, from *object) { into.merge(from) }

type failCodec struct{}

func (failCodec) Slot(k failKey) uint32 { return spill.Text(k.path) + uint32(k.errno) }

func (failCodec) Note(k failKey) int {
	return len(k.path) + failureSize + perKey
}

func (failCodec) AppendKey(b []byte, k failKey) []byte {
	b = append(append(b, k.path...), k.call...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(k.path)))
	return binary.BigEndian.AppendUint32(b, uint32(k.errno))
}

func (failCodec) Key(b []byte) (k failKey, err error) {
	n := len(b) - 8
	if n < 0 || uint64(binary.BigEndian.Uint32(b[n:])) > uint64(n) {
		return k, errAside
	}
	path := int(binary.BigEndian.Uint32(b[n:]))
	return failKey{string(b[:path]), string(b[path:n]), int(binary.BigEndian.Uint32(b[n+4:]))}, nil
}

func (failCodec) AppendValue(b []byte, f *failure) []byte {
	return appendNumbers(b, f.count, f.first, uint64(f.file))
}

func (failCodec) Decode(b []byte, into *failure) error {
	var f failure
	var file uint64
	_, err := numbers(b, &f.count, &f.first, &file)
	f.file = int(file)
	into.merge(&f)
	return err
}

func (failCodec) Merge(into, from *failure) { into.merge(from) }

func (o *object) merge(b *object) {
	if o.calls == 0 || b.calls > 0 && (b.file < o.file || b.file == o.file && b.first < o.first) {
		o.first, o.file = b.first, b.file
	}
	o.calls += b.calls
	o.read += b.read
	o.written += b.written
	o.total += b.total
}

func (f *failure) merge(b *failure) {
	if f.count == 0 || b.count > 0 && (b.file < f.file || b.file == f.file && b.first < f.first) {
		f.first, f.file = b.first, b.file
	}
	f.count += b.count
}

// note keeps a reason for which not everything is told apart, once.
func (r *Result) note(err error) {
	if err != nil && !slices.Contains(r.Problems, err.Error()) {
		r.Problems = append(r.Problems, err.Error())
	}
}
