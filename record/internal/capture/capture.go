//go:build linux && (amd64 || arm64)

package capture

import (
	"bytes"
	"encoding/binary"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

const (
	pageSize   = 4096 // the smallest there is: what is inside one is readable whole
	maxCopies  = 104  // copies in one description
	maxBytes   = 1 << 18
	firstChunk = 256  // of a string or pointer array: nearly all end in it
	wordChunk  = 128  // read of what a length behind a pointer will cut
	defaultMax = 4096 // of a copy without a Max
)

// Keep is how much of data is kept, in bytes; negative: none.
type Keep struct {
	Snap    int // of each payload that is read
	Written int // and of each text that is written; of other data Snap
}

// Whole is a Keep of as much as is ever copied for a call.
const Whole = maxBytes

// Capturer copies memory. It is used on the tracing thread only.
type Capturer struct {
	Keep
	Environ bool // copy environments too

	// Fingerprint is how many bytes of a read a fingerprint covers at most,
	// FingerprintPages how many of one of whole pages of 4,096 bytes.
	Fingerprint, FingerprintPages int

	mem memory
	got [maxPieces]uint32
	// whole is what the fingerprint covers, covered how much that is to be.
	whole   []byte
	covered int
	pieces  []piece
	asked   []int // pieces in the fetch going on
	// first and count tell where in pieces the instances of a copy are.
	first, count [maxCopies]int
	// words are the lengths behind pointer arguments, by register; the last that
	// was asked for, which lies so far behind the pointer.
	words   [6]int
	offsets [6]uint16
}

// Call holds the memory copied for one call. Its space is reused by the next
// call: Bufs and their Data are valid until Reset.
type Call struct {
	Bufs []tracefile.Buf
	// Fingerprint is the event's. It is made at exit if Whole is set.
	Fingerprint uint16
	Whole       bool
	data        []byte
	// first and count tell where in Bufs the instances of a copy are.
	first, count [maxCopies]int16
}

// Reset empties c.
func (c *Call) Reset() {
	c.Bufs = c.Bufs[:0]
	c.data = c.data[:0]
	c.Fingerprint, c.Whole = 0, false
}

// piece is a stretch of memory being copied.
type piece struct {
	addr    uint64
	want    uint64 // bytes promised by the call
	keep    uint64 // bytes to keep of them
	whole   int    // bytes that the fingerprint covers, those to keep and more; 0: none
	place   int    // offset of them in Capturer.whole
	unit    uint64 // with length: bytes of a unit
	at      int    // offset in Call.data of what has been read
	got     int    // bytes read
	asking  int    // bytes asked for in the fetch going on
	index   uint8  // in the plan
	mode    syscalls.CopyMode
	done    bool
	faulted bool
	hidden  bool // a length behind a pointer: not for the event
	// length is the piece that holds the number of units, −1 if known.
	length int
	limit  uint64 // with length: what the other Count and the policy allow
	scale  syscalls.Length
	parent int // piece or buffer that holds the pointer, −1: an argument
	off    uint32
	buf    int // index in Call.Bufs
}

// Enter copies what the kernel will read. call must have been reset. With
// slow it avoids process_vm_readv, which can wait for an execve of another
// thread of the process.
func (c *Capturer) Enter(tid int, slow bool, p *Plan, args *[6]uint64, call *Call) {
	c.run(tid, slow, p, 0, false, args, 0, call)
}

// Exit copies what the kernel has written when the call has returned ret.
// args are those of the enter.
func (c *Capturer) Exit(tid int, slow bool, p *Plan, args *[6]uint64, ret int64, call *Call) {
	failed := ret < 0 && ret >= -4095 // include/linux/err.h, MAX_ERRNO
	c.run(tid, slow, p, 1, failed, args, ret, call)
}

// Reads returns how many kernel calls have been made to read memory:
// process_vm_readv, and single words by ptrace.
func (c *Capturer) Reads() (vm, words uint64) { return c.mem.reads, c.mem.words }

func (c *Capturer) run(tid int, slow bool, p *Plan, now int, failed bool, args *[6]uint64, ret int64, call *Call) {
	c.pieces = c.pieces[:0]
	c.whole, c.covered = c.whole[:0], c.coverage(ret)
	c.words = [6]int{-1, -1, -1, -1, -1, -1}
	for i := range p.copies {
		if side(&p.copies[i]) == now {
			c.count[i] = 0
		}
	}
	for _, round := range p.rounds[now] {
		from := len(c.pieces)
		for _, i := range round {
			if failed && p.copies[i].Phase == syscalls.AtSuccess {
				continue
			}
			c.first[i] = len(c.pieces)
			c.collect(p, now, i, args, ret, call)
			c.count[i] = len(c.pieces) - c.first[i]
		}
		c.read(tid, slow, from, p.Desc.Arch.PtrSize(), call)
	}
	if call.Whole && len(c.whole) > 0 {
		call.Fingerprint = c.fingerprint(call)
	}
	c.emit(p, now, call)
}

// collect adds the pieces of copy i: one for each pointer that leads to one.
func (c *Capturer) collect(p *Plan, now int, i uint8, args *[6]uint64, ret int64, call *Call) {
	cp := &p.copies[i]
	ptr := p.Desc.Arch.PtrSize()
	if cond := p.conds[i]; cond != nil && !cond.Holds(args) {
		return
	}
	if cp.Parent < 0 {
		rest := ret
		c.add(cp, i, args[cp.Arg], -1, 0, nil, args, &rest, ptr, call)
		return
	}
	first, count := c.instances(p, now, cp.Parent, call)
	rest := ret
	for k := first; k < first+count; k++ {
		if side(&p.copies[cp.Parent]) == now && c.pieces[k].hidden {
			continue
		}
		data := c.parentData(p, now, cp.Parent, k, call)
		stride := int(cp.Stride)
		if stride == 0 {
			stride = len(data) + 1 // one unit: all of it
		}
		for base := 0; base+int(cp.Off)+ptr <= len(data); base += stride {
			addr := word(data[base+int(cp.Off):], ptr)
			end := min(base+stride, len(data))
			c.add(cp, i, addr, k, uint32(base)+uint32(cp.Off), data[base:end], args, &rest, ptr, call)
		}
	}
}

// instances tells where the instances of a copy are: among the pieces if it
// is of the phase going on, else among the buffers.
func (c *Capturer) instances(p *Plan, now int, i int8, call *Call) (first, count int) {
	if side(&p.copies[i]) == now {
		return c.first[i], c.count[i]
	}
	return int(call.first[i]), int(call.count[i])
}

func (c *Capturer) parentData(p *Plan, now int, i int8, k int, call *Call) []byte {
	if side(&p.copies[i]) == now {
		q := &c.pieces[k]
		return call.data[q.at : q.at+q.got]
	}
	return call.Bufs[k].Data
}

// add adds one piece, unless its pointer is NULL.
func (c *Capturer) add(cp *syscalls.Copy, i uint8, addr uint64, parent int, off uint32, unit []byte,
	args *[6]uint64, rest *int64, ptr int, call *Call) {
	if !cp.If.Hold(unit) {
		return
	}
	if ptr == 4 {
		addr = uint64(uint32(addr))
	}
	most := uint64(cp.Max)
	if most == 0 {
		most = defaultMax
	}
	if cp.Data {
		most = uint64(max(c.Snap, 0))
		if side(cp) == 0 {
			most = uint64(max(c.Written, 0))
		}
	}
	n, length := uint64(1<<40), -1
	for _, l := range cp.Count {
		switch l.From {
		case syscalls.LenNone:
		case syscalls.LenDeref:
			length = c.wordBehind(l, args, ptr)
			if length < 0 {
				n = 0
			}
		default:
			n = min(n, number(l, unit, args, rest))
		}
	}
	if cp.Mode == syscalls.Counted && cp.Count[0].From == syscalls.LenNone && cp.Count[1].From == syscalls.LenNone {
		n = 1
	}
	want := mul(n, uint64(cp.Unit))
	for _, l := range cp.Count {
		if l.From == syscalls.LenRest {
			*rest -= int64(min(want, uint64(max(*rest, 0))))
		}
	}
	if addr == 0 || len(c.pieces) >= maxPieces || len(call.data) >= maxBytes {
		return
	}
	q := piece{addr: addr, want: want, index: i, mode: cp.Mode, length: length, parent: parent, off: off}
	switch cp.Mode {
	case syscalls.CString:
		q.keep = most
		if cp.Data {
			q.keep++ // room for the NUL: text of exactly Snap bytes is whole
		}
		q.keep = min(q.keep, n) // text in a buffer of that size
		q.done = q.keep == 0
	case syscalls.Pointers:
		q.keep = most
	default:
		q.keep = min(want, most)
		if call.Whole && cp.Data && length < 0 {
			c.cover(&q)
		}
		if length >= 0 {
			q.limit, q.unit, q.scale = q.keep, uint64(cp.Unit), cp.Count[0]
			if q.scale.From != syscalls.LenDeref {
				q.scale = cp.Count[1]
			}
		}
		q.done = q.keep == 0
	}
	c.pieces = append(c.pieces, q)
}

// wordBehind adds, once a phase, the piece that holds the length behind a
// pointer argument.
func (c *Capturer) wordBehind(l syscalls.Length, args *[6]uint64, ptr int) int {
	reg := int(l.Val)
	if reg >= len(c.words) {
		return -1
	}
	if (c.words[reg] < 0 || c.offsets[reg] != l.Off) && len(c.pieces) < maxPieces {
		addr := args[reg]
		if ptr == 4 {
			addr = uint64(uint32(addr))
		}
		if addr == 0 {
			return -1
		}
		size := uint64(l.Size)
		if size != 8 {
			size = 4
		}
		addr += uint64(l.Off)
		c.words[reg], c.offsets[reg] = len(c.pieces), l.Off
		c.pieces = append(c.pieces, piece{addr: addr, want: size, keep: size, length: -1, hidden: true, parent: -1})
	}
	return c.words[reg]
}

// number evaluates a length that needs no reading. The remainder of LenRest
// is used up by the caller.
func number(l syscalls.Length, unit []byte, args *[6]uint64, rest *int64) uint64 {
	var v uint64
	switch l.From {
	case syscalls.LenConst:
		v = uint64(l.Val)
	case syscalls.LenArg:
		v = args[min(int(l.Val), 5)]
		if l.Size > 0 && l.Size < 8 {
			v &= 1<<(8*l.Size) - 1 // an int: the rest of the register means nothing
		}
	case syscalls.LenIoctl:
		v = syscalls.IoctlSize(args[min(int(l.Val), 5)])
	case syscalls.LenRet, syscalls.LenRest:
		v = uint64(max(*rest, 0))
	case syscalls.LenField:
		// Of a structure that is stated to be short the rest is 0.
		for i := range min(int(l.Size), max(0, len(unit)-int(l.Val))) {
			v |= uint64(unit[int(l.Val)+i]) << (8 * i)
		}
	}
	return scale(v, l)
}

// scale applies a length's arithmetic to the number found.
func scale(v uint64, l syscalls.Length) uint64 {
	v -= min(v, uint64(l.Sub))
	if l.Div > 1 {
		v = v/uint64(l.Div) + min(v%uint64(l.Div), 1)
	}
	if l.Mul > 1 {
		v = mul(v, uint64(l.Mul))
	}
	return v + min(uint64(l.Add), ^v)
}

// mul multiplies without overflow: past 2^40, which is beyond any buffer, it
// stays there.
func mul(a, b uint64) uint64 {
	const most = 1 << 40
	if a > most {
		a = most
	}
	if b != 0 && a > most/b {
		return most
	}
	return a * b
}

func word(b []byte, size int) uint64 {
	switch size {
	case 8:
		return binary.LittleEndian.Uint64(b)
	case 4:
		return uint64(binary.LittleEndian.Uint32(b))
	case 2:
		return uint64(binary.LittleEndian.Uint16(b))
	}
	return uint64(b[0])
}

// read fetches the pieces from index from on: in one call all that can be,
// then more of the strings that went on behind what was read of them.
func (c *Capturer) read(tid int, slow bool, from, ptr int, call *Call) {
	for {
		c.asked = c.asked[:0]
		total := 0
		for k := from; k < len(c.pieces); k++ {
			q := &c.pieces[k]
			if q.done || len(c.asked) == maxPieces {
				continue
			}
			q.asking = q.next()
			total += q.got + q.asking
			c.asked = append(c.asked, k)
		}
		if len(c.asked) == 0 {
			return
		}
		// All the space first: growing moves the data.
		at := len(call.data)
		call.data = grow(call.data, total)
		for _, k := range c.asked {
			q := &c.pieces[k]
			copy(call.data[at:], call.data[q.at:q.at+q.got])
			q.at = at
			c.mem.add(q.addr+uint64(q.got), call.data[at+q.got:at+q.got+q.asking])
			at += q.got + q.asking
		}
		c.addRest(from, call)
		c.mem.fetch(tid, slow, &c.got)
		c.takeRest(from, call)
		for j, k := range c.asked {
			c.advance(&c.pieces[k], int(c.got[j]), ptr, call)
		}
	}
}

// next returns how many bytes to ask for now.
func (q *piece) next() int {
	at := q.addr + uint64(q.got)
	left := q.keep - uint64(q.got)
	switch {
	case q.mode != syscalls.Counted:
		n := min(left, pageSize-at%pageSize)
		if q.got == 0 {
			n = min(n, firstChunk)
		}
		return int(n)
	case q.length >= 0 && q.got == 0:
		return int(min(left, wordChunk))
	}
	return int(min(left, maxBytes))
}

// advance takes in what was read of a piece and decides whether it is done.
func (c *Capturer) advance(q *piece, got, ptr int, call *Call) {
	short := got < q.asking
	before := q.got
	q.got += got
	data := call.data[q.at : q.at+q.got]
	switch {
	case q.mode == syscalls.CString:
		if i := bytes.IndexByte(data[before:], 0); i >= 0 {
			q.got = before + i + 1
			q.want, q.done = uint64(q.got), true
			return
		}
		q.want = uint64(q.got) + 1 // its end was not seen
		q.done = short || uint64(q.got) >= q.keep
		q.faulted = short
		return
	case q.mode == syscalls.Pointers:
		for i := before / ptr * ptr; i+ptr <= len(data); i += ptr {
			if word(data[i:], ptr) == 0 {
				q.got = i + ptr
				q.want, q.done = uint64(q.got), true
				return
			}
		}
		q.want = uint64(q.got + ptr)
		q.done = short || uint64(q.got) >= q.keep
		q.faulted = short
		return
	case q.length >= 0:
		// The length was asked for before this piece, in the same fetch.
		n := &c.pieces[q.length]
		if n.got < int(n.want) {
			q.want, q.got, q.done, q.faulted = uint64(q.scale.Add), 0, true, true
			return
		}
		count := word(call.data[n.at:], int(n.want))
		if q.scale.Size < 8 {
			count &= 1<<(8*q.scale.Size) - 1
		}
		q.want = min(q.want, mul(scale(count, q.scale), q.unit))
		q.keep = min(q.limit, q.want)
		q.length = -1
	}
	if uint64(q.got) >= q.keep {
		q.got = int(q.keep)
		q.done = true
		return
	}
	q.done, q.faulted = short, short
}

// emit turns the pieces into buffers in the order of the plan.
func (c *Capturer) emit(p *Plan, now int, call *Call) {
	for i := range p.copies {
		cp := &p.copies[i]
		if side(cp) != now {
			continue
		}
		call.first[i], call.count[i] = int16(len(call.Bufs)), 0
		if p.skip[i] {
			continue
		}
		for k := c.first[i]; k < c.first[i]+c.count[i]; k++ {
			q := &c.pieces[k]
			if q.hidden {
				continue
			}
			if cp.Data && q.mode == syscalls.Counted && q.got > c.Snap && c.Snap >= 0 && !isText(call.data[q.at:q.at+c.Snap]) {
				q.got, q.faulted = c.Snap, false
			}
			parent := q.parent
			if parent >= 0 && side(&p.copies[cp.Parent]) == now {
				parent = c.pieces[parent].buf
			}
			q.buf = len(call.Bufs)
			call.count[i]++
			call.Bufs = append(call.Bufs, tracefile.Buf{
				Phase:   tracefile.Phase(now),
				Arg:     cp.Arg,
				Parent:  int16(parent),
				Off:     q.off,
				Want:    uint32(min(q.want, 1<<32-1)),
				Faulted: q.faulted,
				Data:    call.data[q.at : q.at+q.got : q.at+q.got],
			})
		}
	}
}

// isText reports whether the beginning of a buffer reads like text in ASCII or
// a superset of it: no control characters but those of messages.
func isText(b []byte) bool {
	for _, c := range b {
		if c < ' ' && c != '\n' && c != '\t' && c != '\r' && c != '\x1b' || c == 0x7f {
			return false
		}
	}
	return true
}

// grow returns b longer by n, its old bytes kept. The new ones are whatever
// was there.
func grow(b []byte, n int) []byte {
	if len(b)+n <= cap(b) {
		return b[:len(b)+n]
	}
	bigger := make([]byte, len(b)+n, max(2*(len(b)+n), 4096))
	copy(bigger, b)
	return bigger
}

// Piece reads size bytes, at most 4,096, at an address that no plan leads to, and
// adds them to call as the buffer b, whose Want is what it has to be if it is more.
// It returns what could be read.
func (c *Capturer) Piece(tid int, slow bool, addr uint64, size int, b tracefile.Buf, call *Call) []byte {
	if size == 0 {
		return nil
	}
	at := len(call.data)
	call.data = grow(call.data, size)
	c.mem.add(addr, call.data[at:at+size])
	c.mem.fetch(tid, slow, &c.got)
	n := int(c.got[0])
	b.Data = call.data[at : at+n : at+n]
	b.Faulted, b.Want = n < size, max(b.Want, uint32(size))
	call.Bufs = append(call.Bufs, b)
	return b.Data
}

// Word reads a 64-bit number of a tracee.
func (c *Capturer) Word(tid int, addr uint64) (v uint64, ok bool) {
	var b [8]byte
	c.mem.add(addr, b[:])
	c.mem.fetch(tid, false, &c.got)
	return binary.LittleEndian.Uint64(b[:]), c.got[0] == 8
}
