package redact

import (
	"bytes"
	"strings"

	"sysreel/proto/tracefile"
	"sysreel/proto/world"
)

// way is in which direction data goes through an open file description. What is
// read from files has a way of its own: there only keys go on from call to call,
// so that nearly always there is nothing to look up.
type way uint8

const (
	received way = iota
	sent
	fromFile
	ways
)

// maxStreams bounds memory: when there are more of a way, all of it are forgotten.
const maxStreams = 1024

// flow is where a call's data goes.
type flow struct {
	p     *plan
	begun bool        // there is data
	file  *world.File // nil: not known
	way   way
	kept  *tail // of the calls before, nil: none
	on    rules

	first bool   // no piece was seen
	found bool   // something of a file was blanked
	size  uint64 // of the pieces, as the call promised
}

// begin finds out where the data of a call goes, and what it goes on with.
func (x *Events) begin(f *flow, e *tracefile.Event) {
	f.begun, f.first, f.on = true, true, x.text
	x.tail = tail{line: x.tail.line[:0]}
	if f.p.fd >= 0 {
		f.file = x.world.See(e.Thread).Process.File(int32(e.Args[f.p.fd]))
	}
	if f.file == nil {
		return
	}
	switch {
	case f.p.out:
		f.way = sent
	case isFile(f.file):
		f.way, f.on = fromFile, x.file
	}
	if len(x.streams[f.way]) == 0 {
		return
	}
	if f.kept = x.streams[f.way][f.file]; f.kept != nil {
		line := append(x.tail.line, f.kept.line...)
		x.tail = *f.kept
		x.tail.line = line
	}
}

// isFile tells whether what is behind a descriptor is a file's content, as far
// as its name tells: not a device, and not what the kernel makes up.
func isFile(f *world.File) bool {
	return f.Kind == world.Named && !strings.HasPrefix(f.Path, "/dev/") && !strings.HasPrefix(f.Path, "/proc/")
}

// data redacts a piece of what a call reads or writes.
func (x *Events) data(f *flow, b *tracefile.Buf) {
	t := &x.tail
	f.size += uint64(b.Want)
	if f.first {
		f.first = false
		t.next(b.Data)
	}
	if f.way == fromFile && !x.rules.on[files] {
		// Only a key can be there.
		t.line = t.line[:0]
		if t.open.until == closed && len(x.rules.own) == 0 && !bytes.Contains(b.Data, pemHead) {
			return
		}
	}
	if f.way != fromFile {
		x.piece(t, b.Data, !cut(b), f.on)
		return
	}
	x.before = append(x.before[:0], b.Data...)
	x.piece(t, b.Data, !cut(b), f.on)
	f.found = f.found || !bytes.Equal(x.before, b.Data)
}

// end keeps what the next call on the stream goes on with.
func (x *Events) end(f *flow, e *tracefile.Event) {
	const msgPeek = 2 // include/linux/socket.h
	if f.found {
		e.Fingerprint = 0
	}
	switch {
	case f.file == nil, e.Kind != tracefile.Syscall, e.Errno() != 0:
		return // what it was to send it will send again
	case f.p.peeks >= 0 && e.Args[f.p.peeks]&msgPeek != 0:
		return // what it read it will read again
	}
	t := &x.tail
	if f.way == fromFile {
		t.line = t.line[:0]
	}
	streams := x.streams[f.way]
	if t.open.until == closed && len(t.line) == 0 || f.p.out && uint64(e.Ret) != f.size {
		if f.kept != nil {
			delete(streams, f.file)
		}
		return
	}
	kept := f.kept
	if kept == nil {
		if len(streams) >= maxStreams {
			clear(streams)
		}
		kept = &tail{}
		streams[f.file] = kept
	}
	line := append(kept.line[:0], t.line...)
	*kept = *t
	kept.line = line
}
