package replay

import (
	"strconv"

	"sysreel/analyze"
	"sysreel/analyze/symbols"
	"sysreel/proto/tracefile"
)

// maxFrames bounds the lines of frames that are kept.
const maxFrames = 1 << 16

// stack writes a stack, a frame a line, in strace's way:
//
//	> /usr/lib/x86_64-linux-gnu/libc.so.6(__write+0x14) [0xf9f33]
//
// with the offset in the file in brackets, and with -kk the place in the source behind it; in memory without a file, which
// strace does not show, the address.
func (r *Replay) stack(s *tracefile.Stack) {
	if !r.o.Stacks {
		return
	}
	for ; s != nil; s = s.Caller {
		line, ok := r.frames[s]
		if !ok {
			if len(r.frames) >= maxFrames {
				clear(r.frames)
			}
			line = r.frame(s)
			r.frames[s] = line
		}
		r.say(line)
		if len(r.out.b) >= outputSize {
			r.out.flush()
		}
	}
}

// frame returns the line of a frame.
func (r *Replay) frame(s *tracefile.Stack) string {
	b := []byte(" > ")
	if s.Object == nil {
		b = append(b, "[anon]"...)
	} else {
		b = r.f.Plain(b, []byte(s.Object.Path))
	}
	b = append(b, '(')
	sym, named := r.o.Symbols.Find(s)
	if named {
		b = r.f.Plain(b, []byte(sym.Name))
		b = append(b, "+0x"...)
		b = strconv.AppendUint(b, sym.Offset, 16)
	}
	b = append(b, ") [0x"...)
	b = strconv.AppendUint(b, s.Offset, 16)
	b = append(b, ']')
	if named {
		if p, ok := r.position(s); ok {
			b = r.f.Plain(append(b, ' '), []byte(p.String()))
		}
	}
	return string(append(b, '\n'))
}

// position returns the line of source that a frame is of, if it is asked for.
func (r *Replay) position(s *tracefile.Stack) (p symbols.Position, ok bool) {
	if !r.o.Sources {
		return p, false
	}
	return r.o.Symbols.Position(s)
}

// instruction writes the instruction pointer at the beginning of a line.
func (r *Replay) instruction(it *item) {
	digits := 16
	if it.arch.PtrSize() == 4 {
		digits = 8
	}
	r.punct("[")
	if it.stack == nil {
		r.say("????????????????"[:digits])
	} else {
		for i := digits - 1; i >= 0; i-- {
			r.out.b = append(r.out.b, hexDigits[it.ip>>(4*i)&15])
		}
	}
	r.punct("]")
	r.say(" ")
}

// jsonStack writes the stack of an event, innermost frame first.
func (r *Replay) jsonStack(b []byte, c *analyze.Call) []byte {
	if c.Stack == nil {
		return b
	}
	b = append(b, `,"ip":`...)
	b = strconv.AppendUint(b, c.IP, 10)
	b = append(b, `,"stack":[`...)
	partial := false
	for s := c.Stack; s != nil; s = s.Caller {
		if s != c.Stack {
			b = append(b, ',')
		}
		if s.Object == nil {
			b = append(b, `{"address":`...)
		} else {
			b = append(b, `{"path":`...)
			b = appendString(b, s.Object.Path)
			b = append(b, `,"offset":`...)
		}
		b = strconv.AppendUint(b, s.Offset, 10)
		if sym, ok := r.o.Symbols.Find(s); ok {
			b = append(b, `,"symbol":`...)
			b = appendString(b, sym.Name)
			b = append(b, `,"symbol_offset":`...)
			b = strconv.AppendUint(b, sym.Offset, 10)
		}
		if p, ok := r.position(s); ok {
			b = append(b, `,"file":`...)
			b = appendString(b, p.File)
			b = append(b, `,"line":`...)
			b = strconv.AppendInt(b, int64(p.Line), 10)
		}
		b = append(b, '}')
		partial = s.Partial
	}
	b = append(b, ']')
	if partial {
		b = append(b, `,"stack_partial":true`...)
	}
	return b
}
