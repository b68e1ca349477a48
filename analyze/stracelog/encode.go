package stracelog

import (
	"bytes"

	"sysreel/analyze/format"
	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

// An encoder makes registers and memory of the text of a call: the reverse of
// package format, by the same table. What it cannot read it leaves out, and the
// text is kept with the event; and whatever it has read, the event must format
// to the same text again, or the text is kept too.
//
// An encoder works on one call at a time and belongs to one goroutine.
type encoder struct {
	arch  syscalls.Arch
	calls [syscalls.I386 + 1]map[string]*callInfo
	words map[wordKey]uint64 // of flags and the like, by their text
	fmt   [3]*format.Formatter
	full  [3]*format.Formatter // with -v
	mem   arena

	d       *syscalls.Desc
	e       *tracefile.Event
	b       []byte // text of the arguments
	pos     int
	told    bool // the text says less or more than can be kept
	hexed   bool // a string was written in hexadecimal
	clear   bool // one was not
	names   []named
	made    []byte // name behind the result
	depth   int
	scratch []byte
	commas  []int
}

// named is the name of a descriptor in the text of a call.
type named struct {
	fd   int32 // atFDCWD: the working directory
	name []byte
}

const atFDCWD = -100 // include/uapi/linux/fcntl.h

// wordKey is the text of a value of a set of constants.
type wordKey struct {
	set  *syscalls.Consts
	text string
}

// callInfo is what is looked up once for each name of a call.
type callInfo struct {
	d  *syscalls.Desc // nil: not in the table
	nr uint32
}

// unlimited is longer than any string in a line.
const unlimited = 1 << 30

func newEncoder(arch syscalls.Arch) *encoder {
	c := &encoder{arch: arch, words: make(map[wordKey]uint64)}
	for i := range c.fmt {
		c.fmt[i] = format.New(format.Options{Strings: unlimited, Hex: format.Hex(i)})
		c.full[i] = format.New(format.Options{Strings: unlimited, Hex: format.Hex(i), Verbose: true})
	}
	return c
}

// info returns what is known of a call by its name; of one that is not in the
// table number is 0.
func (c *encoder) info(name []byte) *callInfo {
	m := c.calls[c.arch]
	if m == nil {
		m = make(map[string]*callInfo)
		c.calls[c.arch] = m
	}
	if i := m[string(name)]; i != nil {
		return i
	}
	i := &callInfo{}
	if i.d = syscalls.ByName(c.arch, string(name)); i.d != nil {
		i.nr = i.d.NR
	}
	if len(m) < maxNames {
		m[string(name)] = i
	}
	return i
}

// maxNames bounds what is kept of names that a hostile log makes up.
const maxNames = 4096

// encode fills in the call's number, result, arguments, memory and text of e,
// whose Kind and Arch are set. args is the text between the parentheses; of it
// begun bytes were written when the call began, −1 if that is not known.
// The event refers to ret and args, and to the encoder's memory until reset.
func (c *encoder) encode(e *tracefile.Event, i *callInfo, args, ret []byte, begun int) {
	c.d, c.e, c.b, c.pos = i.d, e, args, 0
	c.told, c.hexed, c.clear, c.names, c.made, c.depth = false, false, false, c.names[:0], nil, 0
	e.NR = i.nr
	e.Bufs = c.mem.bufs()
	note := c.result(ret)
	if c.d != nil {
		c.d = c.selected(i.d)
		c.arguments()
		c.after(note)
		c.lengths()
	}
	c.verify(i.d, args, ret, begun)
	e.Bufs = c.mem.keep(e.Bufs)
}

// verify adds to the event what formatting it would not give back.
func (c *encoder) verify(d *syscalls.Desc, args, ret []byte, begun int) {
	e := c.e
	var t tracefile.Text
	f := &c.fmt
	for range 2 {
		got := f[c.hex()].Call(d, e, c)
		argsOK := d != nil && !c.told && len(got.Call) > got.Name && bytes.Equal(got.Call[got.Name+1:], args) &&
			(begun < 0 || got.Enter == got.Name+1+begun)
		resultOK := d != nil && c.sameResult(ret, &got)
		if argsOK {
			t.Args, t.Rest = nil, nil
		} else {
			t.Args = args
			if begun >= 0 {
				t.Args, t.Rest = args[:begun:begun], args[begun:]
			}
		}
		if t.Result = nil; !resultOK {
			t.Result = ret
		}
		if argsOK && resultOK || c.told || d == nil {
			break
		}
		f = &c.full
	}
	if t.Args != nil || t.Result != nil {
		e.AppendText(t)
	}
}

// sameResult reports whether the formatted result is the log's.
func (c *encoder) sameResult(ret []byte, got *format.Text) bool {
	if e := c.e; e.Kind != tracefile.Syscall {
		return true // none, or "?"
	}
	if c.made == nil {
		return bytes.Equal(got.Result, ret)
	}
	n := len(got.Result)
	return got.FD >= 0 && len(ret) == n+len(c.made)+2 && bytes.Equal(ret[:n], got.Result)
}

// hex tells in which way the strings of the call were written.
func (c *encoder) hex() format.Hex {
	switch {
	case c.hexed && c.clear:
		return format.HexNonASCII
	case c.hexed && c.d.Name != "getrandom":
		return format.HexAll
	}
	return format.HexNone
}

// FD, Cwd and Netlink make the encoder the format.Names of the call.
func (c *encoder) FD(dst []byte, fd int32) []byte {
	for i := range c.names {
		if c.names[i].fd == fd {
			return append(dst, c.names[i].name...)
		}
	}
	return dst
}

func (c *encoder) Cwd(dst []byte) []byte { return c.FD(dst, atFDCWD) }
func (c *encoder) Netlink(int32) int     { return format.NotNetlink }

// selected returns the variant of d that the arguments which are plain words
// (fcntl's command, ioctl's request) choose.
func (c *encoder) selected(d *syscalls.Desc) *syscalls.Desc {
	if !d.HasVariants() {
		return d
	}
	for i := range d.Args {
		a := &d.Args[i]
		if a.Type.Kind == syscalls.Pointer || a.Label {
			break
		}
		if i > 0 && !c.eat(", ") {
			break
		}
		v, ok := c.word(a.Type)
		if !ok || !c.ended() {
			c.skip()
			continue
		}
		c.setReg(a, v)
	}
	c.pos, c.names, c.told = 0, c.names[:0], false
	v := d.Select(&c.e.Args)
	c.e.Args = [6]uint64{}
	return v
}

// setReg puts the value of an argument into its register or registers.
func (c *encoder) setReg(a *syscalls.Arg, v uint64) {
	if a.Reg < 0 || a.Reg > 5 {
		return
	}
	if a.Wide && a.Hi >= 0 && a.Hi <= 5 {
		c.e.Args[a.Reg], c.e.Args[a.Hi] = v&0xffffffff, v>>32
		return
	}
	c.e.Args[a.Reg] = v
}

// arguments reads all of them.
func (c *encoder) arguments() {
	first := true
	for i := range c.d.Args {
		a := &c.d.Args[i]
		if !a.If.Holds(&c.e.Args) {
			continue
		}
		if c.pos >= len(c.b) { // of calls that have not ended, or less was written
			break
		}
		if !first && !c.eat(", ") {
			break
		}
		first = false
		if a.Label && !(c.eat(a.Name) && c.eat("=")) {
			break
		}
		if !c.argument(a) {
			c.told = true
			c.skip()
		}
	}
	if c.pos < len(c.b) {
		c.told = true
	}
}

// argument reads one; if it cannot, nothing of it is kept.
func (c *encoder) argument(a *syscalls.Arg) bool {
	bufs := len(c.e.Bufs)
	start := c.pos
	t := a.Type
	if t.Kind == syscalls.Pointer {
		addr, ok := c.pointer(t, int8(a.Reg), -1, 0, tracefile.AtEnter)
		if ok && c.ended() {
			c.setReg(a, addr)
			return true
		}
		c.e.Bufs = c.e.Bufs[:bufs]
		if c.pos = start; c.pos < len(c.b) && c.b[c.pos] != 'N' { // something is there
			c.setReg(a, somewhere)
		}
		return false
	}
	v, ok := c.word(t)
	if ok && c.ended() {
		c.setReg(a, v)
		return true
	}
	c.e.Bufs = c.e.Bufs[:bufs]
	if c.pos = start; ok {
		c.setReg(a, v)
	}
	return false
}

// somewhere is the address of memory of which the log shows the contents.
const somewhere = 1

// ended reports whether a value ends here.
func (c *encoder) ended() bool {
	if c.pos >= len(c.b) {
		return true
	}
	switch c.b[c.pos] {
	case ',', ')', ']', '}':
		return true
	case ' ': // " => ", " /* ", or the end of what was known at the beginning
		return c.pos+1 == len(c.b) || c.b[c.pos+1] == '='
	}
	return false
}

// skip goes on to the comma behind the argument.
func (c *encoder) skip() {
	c.commas = c.commas[:0]
	format.ScanArgs(c.b[c.pos:], &c.commas)
	if len(c.commas) == 0 {
		c.pos = len(c.b)
		return
	}
	c.pos += c.commas[0]
}

// eat takes s off the text if that is what comes.
func (c *encoder) eat(s string) bool {
	if len(c.b)-c.pos >= len(s) && string(c.b[c.pos:c.pos+len(s)]) == s {
		c.pos += len(s)
		return true
	}
	return false
}

// peek returns the next byte, 0 at the end.
func (c *encoder) peek() byte {
	if c.pos < len(c.b) {
		return c.b[c.pos]
	}
	return 0
}

// comment passes over " /* ... */".
func (c *encoder) comment() {
	if rest := c.b[c.pos:]; len(rest) > 4 && rest[0] == ' ' && rest[1] == '/' && rest[2] == '*' {
		if i := bytes.Index(rest, []byte("*/")); i > 0 {
			c.pos += i + 2
		}
	}
}

// arena holds the memory of many events until all of it is let go of.
type arena struct {
	data  []byte
	buf   []tracefile.Buf
	small bool // made in small pieces
}

func (a *arena) reset() { a.data, a.buf = a.data[:0], a.buf[:0] }

// take returns n zero bytes.
func (a *arena) take(n int) []byte {
	if cap(a.data)-len(a.data) < n {
		size := 64 << 10
		if a.small {
			size = 4 << 10
		}
		a.data = make([]byte, 0, max(size, n)) // the old one stays with its events
	}
	from := len(a.data)
	a.data = a.data[:from+n]
	s := a.data[from : from+n : from+n]
	clear(s)
	return s
}

// bufs returns room for the pieces of an event; keep says what of it was used.
func (a *arena) bufs() []tracefile.Buf {
	if cap(a.buf)-len(a.buf) < 32 {
		n := 2048
		if a.small {
			n = 128
		}
		a.buf = make([]tracefile.Buf, 0, n)
	}
	return a.buf[len(a.buf):]
}

func (a *arena) keep(b []tracefile.Buf) []tracefile.Buf {
	free := a.buf[len(a.buf):cap(a.buf)]
	if len(b) > 0 && len(b) <= len(free) && &free[0] == &b[0] {
		a.buf = a.buf[:len(a.buf)+len(b)]
		return b[:len(b):len(b)]
	}
	return b
}
