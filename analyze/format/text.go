package format

import (
	"bytes"
	"encoding/binary"
)

// quote writes data as a C string literal, without the quotes, as strace does:
// the shortest escape that cannot be misread, or hexadecimal ones.
func (p *printer) quote(data []byte) {
	if p.inHex(data) {
		p.quoteHex(data)
		return
	}
	b := p.b
	for i := 0; i < len(data); i++ {
		if n := plainRun(data[i:]); n > 0 {
			b = append(b, data[i:i+n]...)
			if i += n; i == len(data) {
				break
			}
		}
		c := data[i]
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c >= '\t' && c <= '\r':
			b = append(b, '\\', "tnvfr"[c-'\t'])
		case p.o.Hex == HexChars:
			b = append(b, '\\', 'x', hexDigits[c>>4], hexDigits[c&15])
		default:
			b = append(b, '\\')
			long := i+1 < len(data) && data[i+1] >= '0' && data[i+1] <= '7'
			if long || c >= 0o100 {
				b = append(b, '0'+c>>6)
			}
			if long || c >= 0o10 {
				b = append(b, '0'+c>>3&7)
			}
			b = append(b, '0'+c&7)
		}
	}
	p.b = b
}

// plainRun returns how many bytes at the beginning of data stand for themselves
// in a C string: printable ones but '"' and '\\'.
func plainRun(data []byte) int {
	// Eight at a time: of each byte the highest bit tells what it is.
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	n := 0
	for ; n+8 <= len(data); n += 8 {
		x := binary.LittleEndian.Uint64(data[n:])
		quote, back := x^ones*'"', x^ones*'\\'
		odd := x | (x + ones) | // from 0x7f on
			(x-ones*' ')&^x |
			(quote-ones)&^quote |
			(back-ones)&^back
		if odd &= tops; odd != 0 {
			break
		}
	}
	for n < len(data) {
		if c := data[n]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			break
		}
		n++
	}
	return n
}

func (p *printer) quoteHex(data []byte) {
	b := p.b
	for _, c := range data {
		b = append(b, '\\', 'x', hexDigits[c>>4], hexDigits[c&15])
	}
	p.b = b
}

// inHex tells whether all of data is written in hexadecimal.
func (p *printer) inHex(data []byte) bool {
	return p.o.Hex == HexAll || p.o.Hex == HexNonASCII && !isText(data)
}

// isText tells whether strace -x takes data for text: printable or white space.
func isText(data []byte) bool {
	for _, c := range data {
		if c >= 0x7f || c < ' ' && (c < '\t' || c > '\r') {
			return false
		}
	}
	return true
}

// str writes data in quotes, cut at limit, with "..." when cut there or when
// the whole of it, want bytes, was not copied.
func (p *printer) str(data []byte, want, limit int) {
	cut := want > len(data)
	if len(data) > limit {
		data, cut = data[:limit], true
	}
	p.c('"')
	p.quote(data)
	p.c('"')
	if cut {
		p.s("...")
	}
}

// path writes a file name in quotes, whole.
func (p *printer) path(data []byte, cut bool) {
	const pathMax = 4096 // with the NUL, include/uapi/linux/limits.h
	if cut && len(data) >= pathMax {
		data = data[:pathMax-1]
	}
	p.c('"')
	p.quote(data)
	p.c('"')
	if cut {
		p.s("...")
	}
}

// bracketed writes the name of an object inside angle brackets. Those inside
// a path are escaped, so that its end can be found.
func (p *printer) bracketed(name []byte, device string) {
	path, gone := bytes.CutSuffix(name, []byte(" (deleted)"))
	if gone && len(path) > 0 && path[0] == '/' {
		p.bracketed(path, device)
		p.s("(deleted)")
		return
	}
	p.c('<')
	if len(name) > 0 && name[0] >= 'A' && name[0] <= 'Z' { // UNIX-STREAM:[123,@"/x"]
		p.plain(name)
		p.c('>')
		return
	}
	if len(name) > 0 && name[0] != '/' {
		p.quote(name) // "TCP:[127.0.0.1:5000->127.0.0.1:80]"
		p.c('>')
		return
	}
	for bytes.IndexByte(name, '<') >= 0 || bytes.IndexByte(name, '>') >= 0 {
		i := bytes.IndexAny(name, "<>")
		p.quote(name[:i])
		c := name[i]
		name = name[i+1:]
		p.c('\\')
		if len(name) > 0 && name[0] >= '0' && name[0] <= '7' {
			p.c('0')
		}
		p.oct3(c)
	}
	p.quote(name)
	if device != "" {
		p.c('<')
		p.s(device)
		p.c('>')
	}
	p.c('>')
}

func (p *printer) oct3(c byte) {
	if c >= 0o100 {
		p.c('0' + c>>6)
	}
	p.b = append(p.b, '0'+c>>3&7, '0'+c&7)
}

func trimNUL(data []byte) ([]byte, bool) {
	for i, c := range data {
		if c == 0 {
			return data[:i], true
		}
	}
	return data, false
}
