package stracelog

import (
	"encoding/binary"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

// piece is a place for a Buf, before what it holds is known.
func (c *encoder) piece(phase tracefile.Phase, arg int8, parent, off int) int {
	if len(c.e.Bufs) >= maxPieces {
		return -1
	}
	c.e.Bufs = append(c.e.Bufs, tracefile.Buf{Phase: phase, Arg: arg, Parent: int16(parent), Off: uint32(off)})
	return len(c.e.Bufs) - 1
}

// maxPieces bounds the pieces of memory of a call; a Writer takes 16,384.
const maxPieces = 8192

// pointer reads what stands for a pointer: NULL, an address, or what it leads
// to. It returns the pointer.
func (c *encoder) pointer(t *syscalls.Type, arg int8, parent, off int, outer tracefile.Phase) (uint64, bool) {
	b := c.peek()
	if b == 'N' || b >= '0' && b <= '9' {
		v, ok := c.address()
		if ok && (c.peek() == ' ' && c.pos+1 < len(c.b) && c.b[c.pos+1] == '/') { // 0x7ffe /* 20 vars */
			c.comment()
			c.told = true
		}
		return v, ok
	}
	if t.Elem == nil || t.Dir == syscalls.NoDir && parent < 0 {
		return 0, false
	}
	if c.depth++; c.depth > maxDepth {
		return 0, false
	}
	defer func() { c.depth-- }()
	phase := outer
	switch t.Dir {
	case syscalls.In:
		phase = tracefile.AtEnter
	case syscalls.Out:
		phase = tracefile.AtExit
	case syscalls.InOut:
		if parent < 0 {
			return somewhere, c.inout(t.Elem, arg)
		}
		phase = tracefile.AtExit
	}
	i := c.piece(phase, arg, parent, off)
	return somewhere, i >= 0 && c.pointee(t.Elem, i)
}

// inout reads memory that the call reads and writes: [1 => 2], or as it is
// afterwards.
func (c *encoder) inout(t *syscalls.Type, arg int8) bool {
	i := c.piece(tracefile.AtEnter, arg, -1, 0)
	if i < 0 {
		return false
	}
	after := func(data []byte) bool {
		if c.failed() {
			return true
		}
		j := c.piece(tracefile.AtExit, arg, -1, 0)
		if j >= 0 {
			c.e.Bufs[j].Data, c.e.Bufs[j].Want = data, c.e.Bufs[i].Want
		}
		return j >= 0
	}
	if !scalar(t) {
		return c.pointee(t, i) && after(c.e.Bufs[i].Data)
	}
	if !c.eat("[") {
		return false
	}
	in := c.mem.take(t.Size)
	if !c.value(t, in, i, 0) {
		return false
	}
	c.e.Bufs[i].Data, c.e.Bufs[i].Want = in, uint32(len(in))
	out := in
	if c.eat(" => ") {
		if out = c.mem.take(t.Size); !c.value(t, out, i, 0) {
			return false
		}
	}
	return c.eat("]") && after(out)
}

// failed tells whether the call has no result that stands for success.
func (c *encoder) failed() bool {
	e := c.e
	return e.Kind != tracefile.Syscall || e.Flags&(tracefile.NoResult|tracefile.Restarted) != 0 || e.Ret < 0 && e.Ret >= -4095
}

// scalar tells whether strace puts brackets around a value of this type behind
// a pointer.
func scalar(t *syscalls.Type) bool {
	switch t.Kind {
	case syscalls.Int, syscalls.Flags, syscalls.Enum, syscalls.Pointer:
		return true
	case syscalls.Special:
		switch t.Name {
		case "wait_status", "st_mode", "kdev", "kdev64", "ksigval":
			return true
		}
	}
	return false
}

// pointee reads what a pointer leads to into piece i.
func (c *encoder) pointee(t *syscalls.Type, i int) bool {
	switch {
	case t.Kind == syscalls.String && t.Size == 0:
		data, cut, ok := c.quoted(true)
		c.set(i, data, cut)
		return ok
	case t.Kind == syscalls.Bytes && t.Size == 0:
		data, cut, ok := c.quoted(false)
		c.set(i, data, cut)
		return ok
	case t.Kind == syscalls.Array && t.Size == 0:
		return c.array(t, i)
	case t.Kind == syscalls.Special && t.Size == 0:
		fn := blobs[t.Name]
		if fn == nil {
			return false
		}
		data, ok := fn(c)
		c.set(i, data, false)
		return ok
	}
	if t.Size <= 0 || t.Size > 1<<16 {
		return false
	}
	mem := c.mem.take(t.Size)
	if scalar(t) {
		if !c.eat("[") || !c.value(t, mem, i, 0) || !c.eat("]") {
			return false
		}
	} else if !c.value(t, mem, i, 0) {
		return false
	}
	c.set(i, mem, false)
	return true
}

// cutMark is the Want of a piece that "..." stands behind, until lengths.
const cutMark = 1<<32 - 1

func (c *encoder) set(i int, data []byte, cut bool) {
	b := &c.e.Bufs[i]
	if b.Data, b.Want = data, uint32(len(data)); cut {
		b.Want = cutMark
	}
}

// array reads [value, ...] of unknown length, or the strings of an argument
// vector.
func (c *encoder) array(t *syscalls.Type, i int) bool {
	if !c.eat("[") || t.Elem == nil || t.Elem.Size <= 0 {
		return false
	}
	list := t.Name == "strings" || t.Name == "envs"
	arg, phase := c.e.Bufs[i].Arg, c.e.Bufs[i].Phase
	var mem []byte
	size := t.Elem.Size
	cut := false
	for n := 0; !c.eat("]"); n++ {
		if n > 0 && !c.eat(", ") {
			return false
		}
		if cut = c.eat("..."); cut {
			if c.eat("]") {
				break
			}
			return false
		}
		if len(mem) >= 1<<20 {
			return false
		}
		one := c.mem.take(size)
		if t.Elem.Kind == syscalls.Pointer {
			v, ok := c.pointer(t.Elem, arg, i, n*size, phase)
			if !ok {
				return false
			}
			store(one, v)
		} else if !c.value(t.Elem, one, i, n*size) {
			return false
		}
		mem = append(mem, one...)
	}
	if list && !cut {
		mem = append(mem, make([]byte, size)...)
	}
	c.set(i, mem, false)
	if cut {
		c.e.Bufs[i].Want = uint32(len(mem) + size)
	}
	return true
}

func store(dst []byte, v uint64) {
	for i := range dst {
		dst[i] = byte(v)
		v >>= 8
	}
}

// truncate returns the low size bytes of v.
func truncate(v uint64, size int) uint64 {
	if size > 0 && size < 8 {
		return v & (1<<(8*size) - 1)
	}
	return v
}

// value reads a value of fixed size into mem, which lies in piece i at off.
func (c *encoder) value(t *syscalls.Type, mem []byte, i, off int) bool {
	if c.depth++; c.depth > maxDepth {
		return false
	}
	defer func() { c.depth-- }()
	switch t.Kind {
	case syscalls.Int, syscalls.Flags, syscalls.Enum:
		v, ok := c.word(t)
		store(mem[:min(t.Size, len(mem))], v)
		return ok
	case syscalls.Pointer:
		if i < 0 {
			return false
		}
		v, ok := c.pointer(t, c.e.Bufs[i].Arg, i, off, c.e.Bufs[i].Phase)
		store(mem[:min(t.Size, len(mem))], v)
		return ok
	case syscalls.Struct:
		return c.structure(t, mem, i, off)
	case syscalls.Union:
		if t.Name == "epoll_data" {
			return c.epollData(mem)
		}
		return c.structure(t, mem, i, off)
	case syscalls.Array:
		return c.fixedArray(t, mem, i, off)
	case syscalls.Bytes, syscalls.String:
		data, _, ok := c.quoted(t.Kind == syscalls.String)
		copy(mem, data)
		return ok && len(data) <= len(mem)+1
	case syscalls.Special:
		if fn := specials[t.Name]; fn != nil {
			return fn(c, mem)
		}
	}
	return false
}

func (c *encoder) fixedArray(t *syscalls.Type, mem []byte, i, off int) bool {
	if !c.eat("[") || t.Elem == nil || t.Elem.Size <= 0 {
		return false
	}
	size := t.Elem.Size
	for n := 0; !c.eat("]"); n++ {
		if n > 0 && !c.eat(", ") || (n+1)*size > len(mem) {
			return false
		}
		if !c.value(t.Elem, mem[n*size:(n+1)*size], i, off+n*size) {
			return false
		}
	}
	return true
}

// structure reads {name=value, ...}.
func (c *encoder) structure(t *syscalls.Type, mem []byte, i, off int) bool {
	if !c.eat("{") {
		return false
	}
	next := 0
	for first := true; !c.eat("}"); first = false {
		if !first && !c.eat(", ") {
			return false
		}
		if c.eat("...") {
			c.told = true
			continue
		}
		name := c.token()
		if !c.eat("=") {
			return false
		}
		f := member(t, string(name), &next)
		if f == nil || f.Off+f.Type.Size > len(mem) {
			return false
		}
		if f.Bits != 0 {
			v, ok := c.word(f.Type)
			if !ok {
				return false
			}
			at := mem[f.Off : f.Off+f.Type.Size]
			var old [8]byte
			copy(old[:], at)
			store(at, binary.LittleEndian.Uint64(old[:])|(v&(1<<f.Bits-1))<<f.Shift)
		} else if size := f.Type.Size; size == 0 {
			return false
		} else if !c.value(f.Type, mem[f.Off:f.Off+size], i, off+f.Off) {
			return false
		}
		c.comment()
	}
	c.comment()
	return true
}

// member finds a member by name, from the one behind the last.
func member(t *syscalls.Type, name string, next *int) *syscalls.Field {
	for k := range t.Fields {
		j := (*next + k) % len(t.Fields)
		if t.Fields[j].Name == name {
			*next = j + 1
			return &t.Fields[j]
		}
	}
	return nil
}
