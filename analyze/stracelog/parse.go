package stracelog

import (
	"bytes"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

// record is a line that has been understood as far as it can be by itself. Its
// slices belong to its batch.
type record struct {
	line
	num   int64 // of the line, from 1
	call  *callInfo
	ev    tracefile.Event // of complete lines and signals; without Thread and times
	names []named
	made  []byte
	whole []byte // of resumed: the arguments that ev was made of, nil if it was not
	raw   []byte // of damaged lines
}

// batch is some lines that follow each other, read and understood together.
type batch struct {
	data    []byte
	first   int64 // number of the first line
	lines   int64
	records []record
	names   []named
	arena   arena
	open    map[int32]beginning // by PID
	done    chan struct{}       // closed when records are there
}

// beginning is a call that has begun in a batch and not ended yet. Its two lines
// are joined here, where several goroutines work, if they come in one batch; who
// takes the records checks that they belong together, and joins what is left.
type beginning struct {
	name, args []byte
}

// maxLine is the most bytes of a line; longer ones count as damaged.
const maxLine = 1 << 20

// parse understands the lines of b.
func (c *encoder) parse(b *batch) {
	b.arena.reset()
	c.mem = b.arena
	b.records, b.names = b.records[:0], b.names[:0]
	if b.open == nil {
		b.open = make(map[int32]beginning)
	}
	clear(b.open)
	num := b.first
	rest := b.data
	for len(rest) > 0 {
		text := rest
		if i := bytes.IndexByte(rest, '\n'); i >= 0 {
			text, rest = rest[:i], rest[i+1:]
		} else {
			rest = nil
		}
		if n := len(text); n > 0 && text[n-1] == '\r' {
			text = text[:n-1]
		}
		if len(text) > 0 {
			b.records = append(b.records, record{})
			c.record(&b.records[len(b.records)-1], text, num, b)
		}
		num++
	}
	b.lines = num - b.first
	b.arena = c.mem
	c.mem = arena{}
}

// record understands one line.
func (c *encoder) record(r *record, text []byte, num int64, b *batch) {
	r.num = num
	r.line.parse(text)
	switch r.kind {
	case damaged:
		r.raw = text
	case begun:
		r.call = c.info(r.name)
		if b.open != nil {
			b.open[r.pid] = beginning{r.name, r.args}
		}
	case resumed:
		r.call = c.info(r.name)
		if o, ok := b.open[r.pid]; ok && bytes.Equal(o.name, r.name) {
			delete(b.open, r.pid)
			r.whole = c.mem.take(len(o.args) + len(r.args))
			copy(r.whole[copy(r.whole, o.args):], r.args)
			c.complete(r, r.whole, r.ret, len(o.args), b)
		}
	case complete:
		r.call = c.info(r.name)
		c.complete(r, r.args, r.ret, -1, b)
	case signal, stopped:
		r.ev = tracefile.Event{Kind: tracefile.Signal, Arch: c.arch}
		if r.kind == stopped {
			r.ev.Kind = tracefile.Stop
		}
		c.signal(&r.ev, r.n, r.other)
	}
}

// complete makes the event of a call with its result. b may be nil.
func (c *encoder) complete(r *record, args, ret []byte, begun int, b *batch) {
	r.ev = tracefile.Event{Kind: tracefile.Syscall, Arch: c.arch}
	c.encode(&r.ev, r.call, args, ret, begun)
	r.made = c.made
	if b == nil {
		r.names = c.names
		return
	}
	if n := len(b.names); len(c.names) > 0 {
		b.names = append(b.names, c.names...)
		r.names = b.names[n:len(b.names):len(b.names)]
	}
}

// withArch returns what c does for calls of another architecture.
func (c *encoder) withArch(a syscalls.Arch, fn func()) {
	old := c.arch
	c.arch = a
	fn()
	c.arch = old
}
