package tracefile

import "google.golang.org/protobuf/encoding/protowire"

// Field numbers of Column.
const (
	colConstant = 1
	colPlain    = 2
	colDelta    = 3
	colValue    = 4
	colIndex    = 5
	colLow      = 6
)

// maxDistinct is the largest dictionary of a column: an index is one byte.
const maxDistinct = 128

// columnEncoder writes Columns, each in its cheapest form. The zero value is
// ready; it keeps scratch memory.
type columnEncoder struct {
	slots  [4 * maxDistinct]uint16 // hash table: index in values, plus 1
	values []uint64
	index  []byte
	buf    []byte
}

// append appends v to b as a Column in the given field.
func (c *columnEncoder) append(b []byte, field protowire.Number, v []uint64) []byte {
	c.buf = c.encode(c.buf[:0], v)
	return appendBytes(b, field, c.buf)
}

func (c *columnEncoder) encode(b []byte, v []uint64) []byte {
	if len(v) == 0 {
		return b
	}
	// Sizes of the forms, before compression.
	plain, delta := 0, 0
	same := true
	prev := uint64(0)
	for _, x := range v {
		plain += varintLen(x)
		delta += varintLen(zigzag(int64(x - prev)))
		same = same && x == v[0]
		prev = x
	}
	if same {
		return appendUint(b, colConstant, v[0])
	}
	if dict := c.distinct(v); dict > 0 && dict < plain && dict < delta {
		b = appendPacked(b, colValue, c.values)
		return appendBytes(b, colIndex, c.index)
	}
	if delta < plain {
		prev = 0
		return appendNumbers(b, colDelta, v, delta, func(x uint64) uint64 {
			d := zigzag(int64(x - prev))
			prev = x
			return d
		})
	}
	return appendNumbers(b, colPlain, v, plain, func(x uint64) uint64 { return x })
}

// appendNumbers appends v after code, split into low bytes and rest if most
// numbers need more than one byte. size is their length as varints.
func appendNumbers(b []byte, field protowire.Number, v []uint64, size int, code func(uint64) uint64) []byte {
	b = protowire.AppendTag(b, field, protowire.BytesType)
	if 2*size < 3*len(v) {
		b = appendVarint(b, uint64(size))
		for _, x := range v {
			b = appendVarint(b, code(x))
		}
		return b
	}
	low := make([]byte, 0, len(v))
	high := make([]byte, 0, size)
	for _, x := range v {
		x = code(x)
		low = append(low, byte(x))
		high = appendVarint(high, x>>8)
	}
	b = appendVarint(b, uint64(len(high)))
	b = append(b, high...)
	return appendBytes(b, colLow, low)
}

func appendPacked(b []byte, field protowire.Number, v []uint64) []byte {
	n := 0
	for _, x := range v {
		n += varintLen(x)
	}
	b = protowire.AppendTag(b, field, protowire.BytesType)
	b = appendVarint(b, uint64(n))
	for _, x := range v {
		b = appendVarint(b, x)
	}
	return b
}

// distinct fills c.values and c.index and returns the size of the dictionary
// form, or 0 if v has too many distinct values for it.
func (c *columnEncoder) distinct(v []uint64) int {
	c.slots = [len(c.slots)]uint16{}
	c.values, c.index = c.values[:0], c.index[:0]
	size := 0
next:
	for _, x := range v {
		h := x * 0x9E3779B97F4A7C15 >> 55
		for {
			s := c.slots[h]
			if s == 0 {
				break
			}
			if c.values[s-1] == x {
				c.index = append(c.index, byte(s-1))
				continue next
			}
			h = (h + 1) % uint64(len(c.slots))
		}
		if len(c.values) == maxDistinct {
			return 0
		}
		c.index = append(c.index, byte(len(c.values)))
		c.values = append(c.values, x)
		c.slots[h] = uint16(len(c.values))
		size += varintLen(x)
	}
	return size + len(v)
}

// column is a decoded Column: the values, or a constant if vals is nil.
type column struct {
	vals  []uint64
	konst uint64
}

func (c *column) at(i int) uint64 {
	if c.vals == nil {
		return c.konst
	}
	return c.vals[i]
}

// rawColumn is a Column taken apart, not decoded.
type rawColumn struct {
	konst                    uint64
	plain, delta, val, index []byte
	low                      []byte
	form                     uint8 // colConstant, colPlain, colDelta or colIndex
}

func parseColumn(b []byte) (c rawColumn, err error) {
	c.form = colConstant
	for len(b) > 0 {
		tag := b[0]
		switch tag {
		case colConstant<<3 | 0:
			v, n := varint(b[1:])
			if n == 0 {
				return c, errMalformed
			}
			c.konst, b = v, b[1+n:]
			continue
		case colPlain<<3 | 2, colDelta<<3 | 2, colValue<<3 | 2, colIndex<<3 | 2, colLow<<3 | 2:
			n, w := varint(b[1:])
			if w == 0 || n > uint64(len(b)-1-w) {
				return c, errMalformed
			}
			data := b[1+w : 1+w+int(n)]
			b = b[1+w+int(n):]
			switch tag >> 3 {
			case colPlain:
				c.plain, c.form = data, colPlain
			case colDelta:
				c.delta, c.form = data, colDelta
			case colValue:
				c.val = data
			case colIndex:
				c.index, c.form = data, colIndex
			case colLow:
				c.low = data
			}
		default:
			num, _, n := protowire.ConsumeField(b)
			if n < 0 || num <= colLow {
				return c, errMalformed // unpacked or of the wrong type
			}
			b = b[n:]
		}
	}
	return c, nil
}

// decode decodes a column of n values. Values are taken from *pool, so that one
// allocation serves many columns. The numbers in the message bound what is
// allocated: a value takes at least a byte, save in a constant column.
func (c *rawColumn) decode(n int, pool *[]uint64) (column, error) {
	if c.form == colConstant || n == 0 {
		return column{konst: c.konst}, nil
	}
	body := c.plain
	switch c.form {
	case colDelta:
		body = c.delta
	case colIndex:
		body = c.index
	}
	if len(body) < n || c.low != nil && len(c.low) != n {
		return column{}, errMalformed
	}
	out := take(pool, n)
	if !unpack(out, body) {
		return column{}, errMalformed
	}
	if c.low != nil && c.form != colIndex {
		for i, l := range c.low {
			out[i] = out[i]<<8 | uint64(l)
		}
	}
	switch c.form {
	case colDelta:
		prev := uint64(0)
		for i, x := range out {
			prev += uint64(unzigzag(x))
			out[i] = prev
		}
	case colIndex:
		var vals [maxDistinct]uint64
		dict := vals[:0]
		for b := c.val; len(b) > 0; {
			v, w := varint(b)
			if w == 0 {
				return column{}, errMalformed
			}
			dict, b = append(dict, v), b[w:]
		}
		for i, x := range out {
			if x >= uint64(len(dict)) {
				return column{}, errMalformed
			}
			out[i] = dict[x]
		}
	}
	return column{vals: out}, nil
}

// unpack decodes exactly len(out) varints that fill b.
func unpack(out []uint64, b []byte) bool {
	p := 0
	for i := range out {
		if p >= len(b) {
			return false
		}
		v := uint64(b[p])
		p++
		if v >= 0x80 {
			v &= 0x7f
			for shift := 7; ; shift += 7 {
				if p >= len(b) || shift > 63 {
					return false
				}
				x := b[p]
				p++
				v |= uint64(x&0x7f) << shift
				if x < 0x80 {
					break
				}
			}
		}
		out[i] = v
	}
	return p == len(b)
}

// take cuts n numbers off *pool, which grows when it is used up.
func take(pool *[]uint64, n int) []uint64 {
	if cap(*pool)-len(*pool) < n {
		*pool = make([]uint64, 0, max(n, 1<<14))
	}
	l := len(*pool)
	*pool = (*pool)[:l+n]
	return (*pool)[l : l+n : l+n]
}
