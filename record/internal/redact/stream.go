package redact

// tail is what is left of a stream's last piece of data for the next to go on with.
type tail struct {
	open value
	size int  // bytes of it so far
	cut  bool // bytes behind the last piece were not kept
	// line is the end of an unfinished line without a value: a name may be cut.
	line []byte
}

const (
	// maxLine is how much of an unfinished line is remembered: a name, what
	// stands around it, and the user of a URL.
	maxLine = 96
	// maxValue is how long a value may go on over several pieces.
	maxValue = 16 << 10
	// keyLine is how many characters must look like a key's for a key to go on
	// behind data that was not kept.
	keyLine = 24
)

// next prepares for the first piece of another call. What was open where data
// was cut off ended somewhere in what was not kept, a key perhaps excepted.
func (t *tail) next(b []byte) {
	if !t.cut {
		return
	}
	t.cut, t.line = false, t.line[:0]
	if t.open.until == keyEnd && len(b) >= keyLine {
		if end, _ := valueEnd(b[:keyLine], 0, keyBreak); end == keyLine {
			return
		}
	}
	t.open.until = closed
}

// piece blanks the secrets in data that follows what t has seen. whole: nothing
// is missing behind it.
func (r *Redactor) piece(t *tail, b []byte, whole bool, on rules) {
	if t.open.until != closed {
		for !t.open.begun && len(b) > 0 && (b[0] == '\r' || b[0] == '\n') { // a key's first line
			b = b[1:]
		}
		end, done := valueEnd(b, 0, t.open.until)
		if end > 0 && !t.open.begun {
			r.count(t.open.rule)
			t.open.begun = true
		}
		blank(b[:end])
		if t.size += end; !done && t.size < maxValue {
			t.cut = t.cut || !whole
			return
		}
		b = b[end:]
		t.open.until, t.line = closed, t.line[:0]
	}
	if t.cut {
		t.line = t.line[:0]
	}
	floor := len(t.line)
	text := b
	if floor > 0 {
		r.scratch = append(append(r.scratch[:0], t.line...), b...)
		text = r.scratch
	}
	var kept [maxLine]byte
	line := kept[:copy(kept[:], unfinished(text))]
	t.open, t.size = r.scan(text, floor, true, on), 0
	if floor > 0 {
		copy(b, text[floor:])
	}
	t.cut, t.line = !whole, t.line[:0]
	if t.open.until == closed && whole {
		t.line = append(t.line, line...)
	}
}

// unfinished returns the end of b's last line, if it is text.
func unfinished(b []byte) []byte {
	from := max(0, len(b)-maxLine)
	for i := len(b) - 1; i >= from; i-- {
		switch c := b[i]; {
		case c == '\n' || c == '\r' || c == 0:
			return b[i+1:]
		case c < ' ' && c != '\t' && c != '\x1b':
			return nil
		}
	}
	return b[from:]
}
