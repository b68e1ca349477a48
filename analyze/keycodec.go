package analyze

import (
	"encoding/binary"
	"errors"

	"sysreel/analyze/spill"
	"sysreel/proto/world"
)

// KeyCodec writes keys as bytes and finds them again by these: package spill
// holds keys in files. Processes and threads, which a Key points to, it knows by
// the number of their trace and their own. It is for the keys of one analysis.
type KeyCodec struct {
	File int // number of the trace, of several

	numbers   map[any]keyNumber // of *world.Process and *world.Thread
	processes map[keyNumber]*world.Process
	threads   map[keyNumber]*world.Thread
}

type keyNumber struct {
	file int
	id   uint64
}

// What a key has beside its name.
const (
	keyProcess = 1 << iota
	keyThread
	keyWait
)

// Slot is a number that is another for most other keys.
func (c *KeyCodec) Slot(k Key) uint32 {
	slot := spill.Text(k.Name)
	if k.Process != nil {
		slot += uint32(k.Process.ID) * 0x9E3779B1
	}
	if k.Thread != nil {
		slot += uint32(k.Thread.ID) * 0x85EBCA77
	}
	return slot + uint32(len(k.Wait))
}

// Note takes down what the key points to, and returns about how many bytes of
// memory a key takes.
func (c *KeyCodec) Note(k Key) int {
	if k.Process != nil {
		c.note(k.Process, keyNumber{c.File, uint64(k.Process.ID)})
	}
	if k.Thread != nil {
		c.note(k.Thread, keyNumber{c.File, uint64(k.Thread.ID)})
	}
	return len(k.Name) + 80 // in a map
}

func (c *KeyCodec) note(p any, n keyNumber) {
	if _, ok := c.numbers[p]; ok {
		return
	}
	if c.numbers == nil {
		c.numbers = make(map[any]keyNumber)
		c.processes = make(map[keyNumber]*world.Process)
		c.threads = make(map[keyNumber]*world.Thread)
	}
	c.numbers[p] = n
	switch p := p.(type) {
	case *world.Process:
		c.processes[n] = p
	case *world.Thread:
		c.threads[n] = p
	}
}

// Join takes over what another codec, whose keys are merged in, knows.
func (c *KeyCodec) Join(o *KeyCodec) {
	for p, n := range o.numbers {
		c.note(p, n)
	}
}

// AppendKey appends the bytes of a key that was noted.
func (c *KeyCodec) AppendKey(b []byte, k Key) []byte {
	b = append(b, k.Name...)
	has := byte(0)
	if k.Process != nil {
		has |= keyProcess
		b = appendNumber(b, c.numbers[k.Process])
	}
	if k.Thread != nil {
		has |= keyThread
		b = appendNumber(b, c.numbers[k.Thread])
	}
	if k.Wait != "" {
		has |= keyWait
		b = append(append(b, k.Wait...), byte(len(k.Wait))) // a short word
	}
	return append(b, has)
}

const numberSize = 4 + 8

func appendNumber(b []byte, n keyNumber) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(b, uint32(n.file)), n.id)
}

var errKey = errors.New("malformed key")

// Key returns the key that the bytes are of.
func (c *KeyCodec) Key(b []byte) (k Key, err error) {
	if len(b) == 0 {
		return k, errKey
	}
	has := b[len(b)-1]
	b = b[:len(b)-1]
	cut := func() (n keyNumber) {
		if len(b) < numberSize {
			err = errKey
			return n
		}
		tail := b[len(b)-numberSize:]
		b = b[:len(b)-numberSize]
		return keyNumber{int(binary.BigEndian.Uint32(tail)), binary.BigEndian.Uint64(tail[4:])}
	}
	if has&keyWait != 0 && len(b) > 0 {
		n := len(b) - 1
		from := n - int(b[n])
		if from < 0 {
			return k, errKey
		}
		k.Wait, b = string(b[from:n]), b[:from]
	}
	if has&keyThread != 0 {
		k.Thread = c.threads[cut()]
	}
	if has&keyProcess != 0 {
		k.Process = c.processes[cut()]
	}
	k.Name = string(b)
	return k, err
}
