package stracelog

import (
	"encoding/binary"
	"math/bits"

	"sysreel/analyze/format"
	"sysreel/proto/syscalls"
)

// maxDepth bounds the nesting of values; the table's own is at most 5.
const maxDepth = 12

// word reads a value that lies in a register.
func (c *encoder) word(t *syscalls.Type) (uint64, bool) {
	switch t.Kind {
	case syscalls.Int:
		return c.int(t)
	case syscalls.Flags, syscalls.Enum:
		if t.Name == "ethernet_protocol" && t.Size == 2 {
			if !c.eat("htons(") {
				return 0, false
			}
			v, ok := c.consts(t.Consts)
			return uint64(bits.ReverseBytes16(uint16(v))), ok && c.eat(")")
		}
		if t.Name == "ioctl_req" && c.eat("_IOC(") {
			return c.ioc()
		}
		v, ok := c.consts(t.Consts)
		return truncate(v, t.Size), ok
	case syscalls.Pointer:
		return c.address()
	case syscalls.Special:
		size := 8
		if t.Size > 0 && t.Size < 8 {
			size = t.Size
		}
		var mem [8]byte
		if t.Name == "clone_signal_flags" {
			return c.cloneFlags()
		}
		ok := c.value(t, mem[:size], -1, 0)
		return binary.LittleEndian.Uint64(mem[:]), ok
	}
	return 0, false
}

// int reads an integer by what it means.
func (c *encoder) int(t *syscalls.Type) (uint64, bool) {
	var v uint64
	var ok bool
	switch t.Name {
	case "fd", "dirfd":
		v, ok = c.fd()
	case "signo", "signo64":
		if b := c.peek(); b == 'S' {
			v = uint64(signo(c.token()))
			return v, v != 0
		}
		v, ok = c.number()
	case "errno":
		if b := c.peek(); b == 'E' {
			n, ok := syscalls.ErrnoByName(string(c.token()))
			return uint64(n), ok
		}
		v, ok = c.number()
	case "addr", "addr64":
		v, ok = c.address()
	case "be16":
		v, ok = c.number()
		v = uint64(bits.ReverseBytes16(uint16(v)))
	case "be32":
		v, ok = c.number()
		v = uint64(bits.ReverseBytes32(uint32(v)))
	case "be64":
		v, ok = c.number()
		v = bits.ReverseBytes64(v)
	default:
		v, ok = c.number()
		if ok && c.peek() == '<' { // -Y: 42<make>
			c.pos += format.ScanName(c.b[c.pos:])
		}
	}
	return truncate(v, t.Size), ok
}

// fd reads a descriptor and its name.
func (c *encoder) fd() (uint64, bool) {
	var v uint64
	ok := true
	switch {
	case c.eat("AT_FDCWD"):
		v = atFDCWD & (1<<64 - 1)
	case c.eat("FAN_NOFD"):
		v = 1<<64 - 1
	default:
		v, ok = c.number()
	}
	if ok && c.peek() == '<' {
		n := format.ScanName(c.b[c.pos:])
		if n < 2 {
			return 0, false
		}
		c.names = append(c.names, named{int32(v), c.b[c.pos+1 : c.pos+n-1]})
		c.pos += n
	}
	return v, ok
}

// number reads a decimal, hexadecimal or octal number.
func (c *encoder) number() (uint64, bool) {
	b, i := c.b, c.pos
	neg := i < len(b) && b[i] == '-'
	if neg {
		i++
	}
	start := i
	var v uint64
	switch {
	case i+2 < len(b) && b[i] == '0' && b[i+1] == 'x':
		for start, i = i+2, i+2; i < len(b) && i < start+16; i++ {
			d := digit(b[i])
			if d > 15 {
				break
			}
			v = v<<4 | uint64(d)
		}
	case i+1 < len(b) && b[i] == '0' && b[i+1] >= '0' && b[i+1] <= '7':
		for i++; i < len(b) && b[i] >= '0' && b[i] <= '7' && i < start+22; i++ {
			v = v<<3 | uint64(b[i]-'0')
		}
	default:
		for ; i < len(b) && b[i] >= '0' && b[i] <= '9' && i < start+20; i++ {
			v = v*10 + uint64(b[i]-'0')
		}
	}
	if i == start {
		return 0, false
	}
	if c.pos = i; neg {
		v = -v
	}
	return v, true
}

// digit returns the value of a hexadecimal digit, 255 of anything else.
func digit(b byte) byte {
	switch {
	case b >= '0' && b <= '9':
		return b - '0'
	case b >= 'a' && b <= 'f':
		return b - 'a' + 10
	case b >= 'A' && b <= 'F':
		return b - 'A' + 10
	}
	return 255
}

// address reads NULL or a number.
func (c *encoder) address() (uint64, bool) {
	if c.eat("NULL") {
		return 0, true
	}
	return c.number()
}

// token reads a name.
func (c *encoder) token() []byte {
	i := c.pos
	for i < len(c.b) {
		if b := c.b[i]; (b < 'A' || b > 'Z') && (b < '0' || b > '9') && (b < 'a' || b > 'z') && b != '_' && b != '$' {
			break
		}
		i++
	}
	t := c.b[c.pos:i]
	c.pos = i
	return t
}

// consts reads names and numbers with | between them, and the comment behind an
// unknown one.
func (c *encoder) consts(set *syscalls.Consts) (uint64, bool) {
	if set == nil {
		return c.number()
	}
	from := c.pos
	for c.pos < len(c.b) {
		b := c.b[c.pos]
		if b == ',' || b == ')' || b == ']' || b == '}' || b == ' ' || b == '<' {
			break
		}
		c.pos++
	}
	text := c.b[from:c.pos]
	if len(text) == 0 {
		return 0, false
	}
	v, ok := c.words[wordKey{set, string(text)}]
	if !ok {
		end := c.pos
		c.pos = from
		v, ok = c.constsOf(set, end)
		if c.pos != end {
			ok = false
		}
		c.pos = end
		if !ok {
			return 0, false
		}
		if len(c.words) < maxNames {
			c.words[wordKey{set, string(text)}] = v
		}
	}
	c.comment()
	return v, true
}

func (c *encoder) constsOf(set *syscalls.Consts, end int) (uint64, bool) {
	var v uint64
	for {
		if b := c.peek(); b >= '0' && b <= '9' || b == '-' {
			n, ok := c.number()
			if !ok {
				return 0, false
			}
			v |= n
		} else {
			n, ok := set.ByName(string(c.token()))
			if !ok {
				return 0, false
			}
			v |= n
		}
		if c.pos >= end || !c.eat("|") {
			return v, true
		}
	}
}

// cloneFlags reads clone's flags, with the signal among them.
func (c *encoder) cloneFlags() (uint64, bool) {
	set := syscalls.ConstSet(c.arch, "clone_flags")
	var v uint64
	for {
		switch b := c.peek(); {
		case b >= '0' && b <= '9':
			n, ok := c.number()
			if !ok {
				return 0, false
			}
			v |= n
		default:
			t := c.token()
			if n := signo(t); n != 0 {
				v |= uint64(n)
			} else if n, ok := set.ByName(string(t)); ok {
				v |= n
			} else {
				return 0, false
			}
		}
		if !c.eat("|") {
			return v, true
		}
	}
}

// ioc reads the parts of an ioctl request without a name, behind "_IOC(".
func (c *encoder) ioc() (uint64, bool) {
	var dir uint64
	for {
		switch {
		case c.eat("_IOC_NONE"):
		case c.eat("_IOC_WRITE"):
			dir |= 1
		case c.eat("_IOC_READ"):
			dir |= 2
		default:
			return 0, false
		}
		if !c.eat("|") {
			break
		}
	}
	v := dir << 30
	for _, shift := range [...]uint{8, 0, 16} {
		if !c.eat(", ") {
			return 0, false
		}
		n, ok := c.number()
		if !ok {
			return 0, false
		}
		v |= n << shift
	}
	return v, c.eat(")")
}
