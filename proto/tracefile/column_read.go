package tracefile

import "google.golang.org/protobuf/encoding/protowire"

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

// columnMemory is scratch memory of the decoding.
type columnMemory struct {
	threads threadMemory
	dict    []uint64
}

// decodeRelated is what a column's numbers may be counted from.
type decodeRelated struct {
	thread []uint32 // of each row; nil: by_thread is not allowed
	last   *column  // the column before; nil: less_last is not allowed
	ret    *column  // the results, zigzag; nil: less_ret is not allowed
}

// rawColumn is a Column taken apart, not decoded.
type rawColumn struct {
	konst                    uint64
	plain, delta, val, index []byte
	low                      []byte
	form                     uint8 // colConstant, colPlain, colDelta or colIndex
	byThread                 bool
	less                     less
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
		case colByThread<<3 | 0, colLessLast<<3 | 0, colLessRet<<3 | 0:
			v, n := varint(b[1:])
			if n == 0 {
				return c, errMalformed
			}
			b = b[1+n:]
			if v == 0 {
				continue
			}
			switch tag >> 3 {
			case colByThread:
				c.byThread = true
			case colLessLast:
				c.less = lessLast
			case colLessRet:
				c.less = lessRet
			}
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
			if n < 0 || num <= colLessRet {
				return c, errMalformed // unpacked or of the wrong type
			}
			b = b[n:]
		}
	}
	return c, nil
}

// decode decodes a column of n values. Values are taken from pool, so that one
// allocation serves many columns. The numbers in the message bound what is
// allocated: a value takes at least a byte, save in a constant column.
//
// r has what the column may be counted from; m is scratch memory.
func (c *rawColumn) decode(n int, pool *numberPool, r decodeRelated, m *columnMemory) (column, error) {
	if c.byThread && r.thread == nil || c.less == lessLast && r.last == nil || c.less == lessRet && r.ret == nil {
		return column{}, errMalformed
	}
	if n == 0 {
		return column{}, nil
	}
	if c.form == colConstant {
		if c.less == lessNothing {
			return column{konst: c.konst}, nil
		}
		out := pool.take(n)
		for i := range out {
			out[i] = c.konst
		}
		c.add(out, r)
		return column{vals: out}, nil
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
	out := pool.take(n)
	if !unpack(out, body) {
		return column{}, errMalformed
	}
	if c.low != nil {
		for i, l := range c.low {
			out[i] = out[i]<<8 | uint64(l)
		}
	}
	switch c.form {
	case colDelta:
		prev := uint64(0)
		if c.byThread {
			m.threads.reset()
			for i, x := range out {
				prev = m.threads.add(r.thread[i], uint64(unzigzag(x)), prev)
				out[i] = prev
			}
			break
		}
		for i, x := range out {
			prev += uint64(unzigzag(x))
			out[i] = prev
		}
	case colIndex:
		dict := m.dict[:0]
		v := uint64(0)
		for b := c.val; len(b) > 0; {
			d, w := varint(b)
			if w == 0 || len(dict) == maxDistinct {
				return column{}, errMalformed
			}
			v += d
			dict, b = append(dict, v), b[w:]
		}
		m.dict = dict
		for i, x := range out {
			if x >= uint64(len(dict)) {
				return column{}, errMalformed
			}
			out[i] = dict[x]
		}
	}
	c.add(out, r)
	return column{vals: out}, nil
}

// add adds what the column's numbers are less.
func (c *rawColumn) add(out []uint64, r decodeRelated) {
	switch c.less {
	case lessLast:
		for i := range out {
			out[i] += r.last.at(i)
		}
	case lessRet:
		for i := range out {
			out[i] += uint64(unzigzag(r.ret.at(i)))
		}
	}
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

// numberPool gives out memory for columns, all of it again after a reset. What
// took several chunks gets one the next time.
type numberPool struct {
	chunks [][]uint64
	taken  int
}

func (p *numberPool) reset() {
	if len(p.chunks) > 1 {
		p.chunks = [][]uint64{make([]uint64, 0, p.taken+p.taken/8)}
	}
	if len(p.chunks) > 0 {
		p.chunks[0] = p.chunks[0][:0]
	}
	p.taken = 0
}

func (p *numberPool) take(n int) []uint64 {
	p.taken += n
	last := len(p.chunks) - 1
	if last < 0 || cap(p.chunks[last])-len(p.chunks[last]) < n {
		p.chunks = append(p.chunks, make([]uint64, 0, max(n, 1<<14)))
		last++
	}
	c := p.chunks[last]
	l := len(c)
	p.chunks[last] = c[:l+n]
	return c[l : l+n : l+n]
}
