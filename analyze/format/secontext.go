package format

import (
	"bytes"
	"strings"

	"sysreel/proto/tracefile"
)

// Secontexts says how security contexts are written (--secontext), a sum of what
// follows; 0: not at all.
type Secontexts uint8

const (
	ContextTypes Secontexts = 1 << iota // the type alone: "etc_t"
	FullContexts                        // whole: "system_u:object_r:etc_t:s0"
	ExpectedToo                         // where the policy has another, that too: "tmp_t!!etc_t"
	NoSecontexts Secontexts = 0
)

// AppendSecontext appends a security context in brackets, as text has it.
func (f *Formatter) AppendSecontext(dst []byte, s *tracefile.Secontext) []byte {
	p := &f.p
	p.b = p.b[:0]
	p.bracketedContext(s)
	return append(dst, p.b...)
}

// contextOf writes the security context of something behind it, if that is asked for
// and known.
func (p *printer) contextOf(of tracefile.SecontextOf, at int32, off int) {
	if p.o.Secontexts == NoSecontexts || len(p.e.Secontexts) == 0 || off < 0 {
		return
	}
	if s, ok := p.e.Secontext(of, at, uint32(off)); ok {
		p.c(' ')
		p.bracketedContext(s)
	}
}

// fdContext writes that of a descriptor.
func (p *printer) fdContext(fd int32) {
	if p.enter >= 0 { // what is written when the call returns
		if _, ok := p.e.Secontext(tracefile.OfFDAfter, fd, 0); ok {
			p.contextOf(tracefile.OfFDAfter, fd, 0)
			return
		}
	}
	p.contextOf(tracefile.OfFD, fd, 0)
}

// pathContext writes that of the file whose path is at an offset of v.
func (p *printer) pathContext(v view, off int) {
	if v.buf >= 0 {
		p.contextOf(tracefile.OfPath, int32(v.buf), v.off+off)
	}
}

func (p *printer) bracketedContext(s *tracefile.Secontext) {
	context, expected := p.shownContext(s.Context), p.shownContext(s.Expected)
	p.c('[')
	p.quoteContext(context)
	if p.o.Secontexts&ExpectedToo != 0 && s.Expected != "" && context != expected {
		p.s("!!")
		p.quoteContext(expected)
	}
	p.c(']')
}

// shownContext returns as much of a context as is to be shown: all of it, or the type,
// which is the third of its parts, if there are as many.
func (p *printer) shownContext(context string) string {
	if p.o.Secontexts&FullContexts == 0 {
		if parts := strings.SplitN(context, ":", 4); len(parts) > 2 {
			context = parts[2]
		}
	}
	return strings.TrimRight(context, "\n")
}

// quoteContext writes a context as a C string without quotes, in which what stands
// around it is escaped.
func (p *printer) quoteContext(s string) {
	hex := p.o.Hex
	if hex != HexNone {
		p.o.Hex = HexChars
	}
	for rest := []byte(s); len(rest) > 0; {
		i := bytes.IndexAny(rest, "[]!")
		if i < 0 {
			p.quote(rest)
			break
		}
		p.quote(rest[:i])
		c := rest[i]
		rest = rest[i+1:]
		switch {
		case hex != HexNone:
			p.quoteHex([]byte{c})
		default:
			p.c('\\')
			if c < 0o100 && len(rest) > 0 && rest[0] >= '0' && rest[0] <= '7' {
				p.c('0')
			}
			p.oct3(c)
		}
	}
	p.o.Hex = hex
}
