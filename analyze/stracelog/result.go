package stracelog

import (
	"bytes"
	"encoding/binary"

	"sysreel/analyze/format"
	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

// restarts are the results that programs never see, by strace's names
// (include/linux/errno.h).
var restarts = map[string]int64{
	"ERESTARTSYS": -512, "ERESTARTNOINTR": -513, "ERESTARTNOHAND": -514, "ERESTART_RESTARTBLOCK": -516,
}

// result reads what follows "= " and returns what is in the parentheses behind a
// value: "Timeout", "[{fd=3, revents=POLLIN}]".
func (c *encoder) result(ret []byte) (note []byte) {
	e := c.e
	if e.Kind != tracefile.Syscall {
		return nil
	}
	ret = c.tampered(ret)
	if len(ret) > 0 && ret[0] == '?' {
		if len(ret) == 1 {
			e.Kind = tracefile.Unfinished
			return nil
		}
		word, _, _ := bytes.Cut(ret[2:], []byte(" "))
		if v, ok := restarts[string(word)]; ok {
			e.Ret = v
			e.Flags |= tracefile.Restarted
		} else {
			e.Flags |= tracefile.NoResult
		}
		return nil
	}
	if bytes.HasPrefix(ret, []byte("-1 ")) {
		word, _, _ := bytes.Cut(ret[3:], []byte(" "))
		if n, ok := syscalls.ErrnoByName(string(word)); ok {
			e.Ret = -int64(n)
			return nil
		}
		if rest, ok := bytes.CutPrefix(ret[3:], []byte("(errno ")); ok {
			if n, _ := number(rest); n > 0 && n < 4096 {
				e.Ret = -n
				return nil
			}
		}
	}
	text, pos := c.b, c.pos
	c.b, c.pos = ret, 0
	v, ok := c.number()
	if ok {
		e.Ret = int64(v)
		if c.peek() == '<' {
			if n := format.ScanName(c.b[c.pos:]); n > 2 {
				c.made = c.b[c.pos+1 : c.pos+n-1]
				c.pos += n
			}
		}
		if rest := c.b[c.pos:]; len(rest) > 3 && rest[0] == ' ' && rest[1] == '(' && rest[len(rest)-1] == ')' {
			note = rest[2 : len(rest)-1]
		}
	} else {
		e.Flags |= tracefile.NoResult
	}
	c.b, c.pos = text, pos
	return note
}

// tamperings are what strace writes behind the result of a call that it was told
// to tamper with, the last first.
var tamperings = []struct {
	text  string
	flags tracefile.Flags
}{
	{" (DELAYED)", tracefile.Delayed},
	{" (INJECTED)", tracefile.Injected},
	{" (INJECTED: args)", tracefile.Poked},
	{" (INJECTED: args, retval)", tracefile.Poked | tracefile.Injected},
}

// tampered cuts off what says that the call was tampered with.
func (c *encoder) tampered(ret []byte) []byte {
	for _, t := range tamperings {
		if rest, ok := bytes.CutSuffix(ret, []byte(t.text)); ok {
			c.e.Flags |= t.flags
			ret = rest
		}
	}
	return ret
}

// after reads what the note behind the result tells of memory.
func (c *encoder) after(note []byte) {
	if len(note) == 0 || c.failed() {
		return
	}
	text := c.b
	c.b, c.pos = note, 0
	switch c.d.Name {
	case "poll", "ppoll":
		c.polled()
	case "select", "_newselect", "pselect6":
		c.selectedFDs()
	}
	c.b, c.pos = text, len(text)
}

// root returns the piece that argument arg points to, or nil.
func (c *encoder) root(arg int8, phase tracefile.Phase) *tracefile.Buf {
	for i := range c.e.Bufs {
		if b := &c.e.Bufs[i]; b.Arg == arg && b.Parent < 0 && b.Phase == phase {
			return b
		}
	}
	return nil
}

// polled reads "[{fd=3, revents=POLLIN}], left {...}".
func (c *encoder) polled() {
	in, out := c.root(0, tracefile.AtEnter), c.root(0, tracefile.AtExit)
	if in == nil || out == nil || len(in.Data)%8 != 0 {
		return
	}
	mem := c.mem.take(len(in.Data))
	copy(mem, in.Data)
	events := syscalls.ConstSet(c.arch, "poll_events")
	at := 0
	if !c.eat("[") {
		return
	}
	for !c.eat("]") {
		c.eat(", ")
		if !c.eat("{fd=") {
			return
		}
		fd, ok := c.fd()
		if !ok || !c.eat(", revents=") {
			return
		}
		v, ok := c.consts(events)
		if !ok || !c.eat("}") {
			return
		}
		for ; at < len(mem); at += 8 {
			if binary.LittleEndian.Uint32(mem[at:]) == uint32(fd) {
				binary.LittleEndian.PutUint16(mem[at+6:], uint16(v))
				at += 8
				break
			}
		}
	}
	out.Data = mem
	c.left(2)
}

// selectedFDs reads "in [3], out [4], left {...}".
func (c *encoder) selectedFDs() {
	for i := range c.e.Bufs { // none, unless told
		if b := &c.e.Bufs[i]; b.Phase == tracefile.AtExit && b.Parent < 0 && b.Arg >= 1 && b.Arg <= 3 {
			b.Data = c.mem.take(len(b.Data))
		}
	}
	for i, name := range [...]string{"in ", "out ", "except "} {
		if !c.eat(name) {
			continue
		}
		mem, ok := c.bitset()
		if b := c.root(int8(i+1), tracefile.AtExit); ok && b != nil {
			b.Data, b.Want = mem, uint32(len(mem))
		}
		c.eat(", ")
	}
	c.left(4)
}

// left reads "left {tv_sec=0, tv_usec=1}", the rest of the timeout that argument
// i points to.
func (c *encoder) left(i int) {
	if c.eat(", "); i >= len(c.d.Args) || !c.eat("left ") {
		return
	}
	a := &c.d.Args[i]
	b := c.root(int8(a.Reg), tracefile.AtExit)
	if t := a.Type; b == nil || t.Elem == nil || t.Elem.Size <= 0 {
		return
	}
	mem := c.mem.take(a.Type.Elem.Size)
	if c.value(a.Type.Elem, mem, -1, 0) {
		b.Data, b.Want = mem, uint32(len(mem))
	}
}

// lengths gives the strings that the text cut short the length that the call
// promised.
func (c *encoder) lengths() {
	e := c.e
	for i := range e.Bufs {
		b := &e.Bufs[i]
		if b.Want != cutMark {
			continue
		}
		b.Want = uint32(len(b.Data) + 1)
		for k := range c.d.Copies {
			p := &c.d.Copies[k]
			if p.Arg != b.Arg || (p.Phase == syscalls.AtEnter) != (b.Phase == tracefile.AtEnter) || (p.Parent < 0) != (b.Parent < 0) || p.Mode != syscalls.Counted {
				continue
			}
			if n := c.promised(p, b); n > uint64(b.Want) {
				b.Want = uint32(min(n, 1<<31))
			}
			break
		}
	}
}

// promised returns how many bytes a piece should have, 0 if that is not known.
func (c *encoder) promised(p *syscalls.Copy, b *tracefile.Buf) uint64 {
	e := c.e
	least, known := uint64(0), false
	for _, l := range p.Count {
		var n uint64
		switch l.From {
		case syscalls.LenConst:
			n = uint64(l.Val)
		case syscalls.LenArg:
			n = e.Args[l.Val%6]
		case syscalls.LenIoctl:
			n = syscalls.IoctlSize(e.Args[l.Val%6])
		case syscalls.LenRet:
			if n = uint64(e.Ret); c.failed() {
				continue
			}
		case syscalls.LenField:
			if b.Parent < 0 || b.Off < uint32(p.Off) {
				continue
			}
			data, at := e.Bufs[b.Parent].Data, int(b.Off-uint32(p.Off)+l.Val)
			if at+int(l.Size) > len(data) || l.Size > 8 {
				continue
			}
			var word [8]byte
			copy(word[:], data[at:at+int(l.Size)])
			n = binary.LittleEndian.Uint64(word[:])
		default:
			continue
		}
		if n = uint64(l.Scale(n)); !known || n < least {
			least, known = n, true
		}
	}
	return least * uint64(p.Unit)
}

// siCode reads what made a signal.
func (c *encoder) siCode(sig int64) (uint64, bool) {
	if b := c.peek(); b >= '0' && b <= '9' || b == '-' {
		v, ok := c.number()
		c.comment()
		return v, ok
	}
	name := string(c.token())
	for _, set := range [...]string{"si_code", siCodes[sig]} {
		if s := syscalls.ConstSet(c.arch, set); s != nil {
			if v, ok := s.ByName(name); ok {
				return v, true
			}
		}
	}
	return 0, false
}

// siCodes are the sets of si_code by signal.
var siCodes = map[int64]string{4: "si_code_ill", 5: "si_code_trap", 7: "si_code_bus", 8: "si_code_fpe",
	11: "si_code_segv", 17: "si_code_chld", 29: "si_code_poll", 31: "si_code_sys"}

// signal makes the event of a delivered signal. info is the text in braces.
func (c *encoder) signal(e *tracefile.Event, sig int64, info []byte) {
	e.NR = uint32(sig)
	e.Bufs = c.mem.bufs()
	if len(info) > 0 {
		c.d, c.e, c.b, c.pos, c.depth, c.told = nil, e, info, 0, 0, false
		mem := c.mem.take(siginfoSize)
		if ok := c.siginfo(mem); !ok || c.pos < len(c.b) {
			clear(mem)
			binary.LittleEndian.PutUint32(mem, uint32(sig))
		}
		e.Bufs = append(e.Bufs, tracefile.Buf{Arg: -1, Parent: -1, Want: siginfoSize, Data: mem})
		c.scratch = c.fmt[0].Siginfo(c.scratch[:0], mem)
		if !bytes.Equal(c.scratch, info) {
			e.AppendText(tracefile.Text{Rest: info})
		}
	}
	e.Bufs = c.mem.keep(e.Bufs)
}

const siginfoSize = 128 // SI_MAX_SIZE
