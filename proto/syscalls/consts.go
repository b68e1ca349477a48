package syscalls

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// constSet returns a set of flags.txt, parsed at first use. t.mu is held.
func (t *archTable) constSet(name string) *Consts {
	if c, ok := t.consts[name]; ok {
		return c
	}
	sets, _ := loadFlags()
	list := sets[name] // of "" there is none
	if len(list) == 0 {
		return nil
	}
	t.consts[name] = nil // a set that includes itself includes nothing
	c, err := t.parseConsts(&list[0])
	if err != nil {
		t.problem(err)
	}
	t.consts[name] = c
	return c
}

// parseConsts returns what could be parsed, and the first error.
func (t *archTable) parseConsts(s *section) (*Consts, error) {
	c := &Consts{Name: s.name, Enum: s.kind == "enum", byName: make(map[string]uint64)}
	for _, w := range s.words {
		if strings.Contains(w, "/") {
			c.Header = w
		} else if w != "-" {
			c.Prefix = w
		}
	}
	err := s.lines(func(line string) error { return t.parseConst(c, line) })
	if c.Enum {
		c.byVal = make(map[uint64]string, len(c.Values))
		for _, v := range c.Values {
			if v.Hidden {
				continue
			}
			for _, key := range []uint64{v.Val, uint64(uint32(v.Val))} {
				if key != v.Val && int64(v.Val) >= 0 {
					continue // only −1 has a 32-bit form of its own
				}
				if _, ok := c.byVal[key]; !ok {
					c.byVal[key] = v.Name
				}
			}
		}
	}
	return c, err
}

func (t *archTable) parseConst(c *Consts, line string) error {
	w := strings.Fields(line)
	if len(w) < 2 {
		return fmt.Errorf("%q is not a name and a value", line)
	}
	if w[0] == "include" {
		o := t.constSet(w[1])
		if o == nil {
			return fmt.Errorf("include %s: no such set", w[1])
		}
		for _, v := range o.Values {
			c.Values = append(c.Values, v)
			c.byName[v.Name] = v.Val
		}
		for name := range o.absent {
			if c.absent == nil {
				c.absent = make(map[string]bool)
			}
			c.absent[name] = true
		}
		return nil
	}
	v := Const{Name: w[0]}
	value, mask := w[1], ""
	for _, o := range w[2:] {
		key, val, ok := strings.Cut(o, "=")
		switch {
		case o == "hidden":
			v.Hidden = true
		case ok && key == "mask":
			mask = val
		case ok && key == archNames[t.arch]:
			value = val
		case ok && (key == "amd64" || key == "arm64" || key == "i386"):
		default:
			return fmt.Errorf("%s: %q is not mask=, hidden or an architecture's value", w[0], o)
		}
	}
	if value == "-" {
		if c.absent == nil {
			c.absent = make(map[string]bool)
		}
		c.absent[v.Name] = true
		return nil
	}
	var err error
	if v.Val, err = t.evaluate(value, c); err != nil {
		return fmt.Errorf("%s: %w", w[0], err)
	}
	if mask != "" {
		if v.Mask, err = t.evaluate(mask, c); err != nil {
			return fmt.Errorf("%s: mask: %w", w[0], err)
		}
	}
	c.Values = append(c.Values, v)
	if _, ok := c.byName[v.Name]; !ok {
		c.byName[v.Name] = v.Val
	}
	return nil
}

// ioc directions (asm-generic/ioctl.h, the same on all three architectures).
var iocDirs = map[string]uint64{"_IO": 0, "_IOW": 1, "_IOR": 2, "_IOWR": 3}

// evaluate computes a constant expression: names of c, numbers, <<, | and the
// _IO macros. c may be nil.
func (t *archTable) evaluate(s string, c *Consts) (uint64, error) {
	if name, args, ok := strings.Cut(s, "("); ok && strings.HasPrefix(name, "_IO") {
		return t.ioc(name, strings.TrimSuffix(args, ")"), c)
	}
	var v uint64
	for part := range strings.SplitSeq(s, "|") {
		base, shift, shifted := strings.Cut(part, "<<")
		n, err := number(base, c)
		if err != nil {
			return 0, err
		}
		if shifted {
			by, err := number(shift, c)
			if err != nil || by > 63 {
				return 0, fmt.Errorf("%q: shift is not 0…63", part)
			}
			n <<= by
		}
		v |= n
	}
	return v, nil
}

// errAbsent: the constant exists, but not on this architecture.
var errAbsent = errors.New("not on this architecture")

func number(s string, c *Consts) (uint64, error) {
	if c != nil {
		if v, ok := c.byName[s]; ok {
			return v, nil
		}
		if c.absent[s] {
			return 0, errAbsent
		}
	}
	if n := len(s); n == 3 && s[0] == '\'' && s[2] == '\'' {
		return uint64(s[1]), nil
	}
	if strings.HasPrefix(s, "-") {
		v, err := strconv.ParseInt(s, 0, 64)
		if err != nil {
			return 0, fmt.Errorf("%q is not a number", s)
		}
		return uint64(v), nil
	}
	v, err := strconv.ParseUint(s, 0, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is neither a number nor a name of the set", s)
	}
	return v, nil
}

func (t *archTable) ioc(macro, args string, c *Consts) (uint64, error) {
	dir, ok := iocDirs[macro]
	a := strings.Split(args, ",")
	if !ok || len(a) != 3 && (dir != 0 || len(a) != 2) {
		return 0, fmt.Errorf("%s(%s): want _IO(type,nr) or _IOR, _IOW, _IOWR(type,nr,size)", macro, args)
	}
	typ, err := number(a[0], c)
	if err != nil {
		return 0, err
	}
	nr, err := number(a[1], c)
	if err != nil {
		return 0, err
	}
	var size uint64
	if len(a) == 3 {
		if size, err = number(a[2], nil); err != nil {
			elem := t.named(a[2])
			if elem == nil {
				return 0, fmt.Errorf("%s(%s): no type %s", macro, args, a[2])
			}
			size = uint64(elem.Size)
		}
	}
	return dir<<30 | size&0x3fff<<16 | typ<<8 | nr, nil
}

// ByName returns the value of a constant of the set.
func (c *Consts) ByName(name string) (uint64, bool) {
	v, ok := c.byName[name]
	return v, ok
}

// Format returns v as strace prints it: "O_RDONLY|O_CLOEXEC",
// "0x80000000 /* O_??? */", "0".
func (c *Consts) Format(v uint64) string { return string(c.Append(nil, v)) }

// Append appends what Format returns.
func (c *Consts) Append(dst []byte, v uint64) []byte {
	if c.Enum {
		if name, ok := c.byVal[v]; ok {
			return append(dst, name...)
		}
		return c.appendUnknown(dst, v)
	}
	start, left := len(dst), v
	zero := ""
	var seen uint64 // masks whose field has been printed
	for i := range c.Values {
		k := &c.Values[i]
		switch {
		case k.Hidden:
			continue
		case k.Mask != 0:
			if v&k.Mask != k.Val || seen&k.Mask == k.Mask {
				continue
			}
			seen |= k.Mask
			left &^= k.Mask
		case k.Val == 0:
			if zero == "" {
				zero = k.Name
			}
			continue
		case left&k.Val != k.Val:
			continue
		default:
			left &^= k.Val
		}
		if len(dst) > start {
			dst = append(dst, '|')
		}
		dst = append(dst, k.Name...)
	}
	switch {
	case left != 0 && len(dst) > start:
		dst = append(dst, "|0x"...)
		dst = strconv.AppendUint(dst, left, 16)
	case left != 0:
		dst = c.appendUnknown(dst, left)
	case len(dst) > start:
	case zero != "":
		dst = append(dst, zero...)
	default:
		dst = append(dst, '0')
	}
	return dst
}

// appendUnknown appends a value without a name. strace writes zero as "0".
func (c *Consts) appendUnknown(dst []byte, v uint64) []byte {
	if v == 0 {
		dst = append(dst, '0')
	} else {
		dst = append(dst, "0x"...)
		dst = strconv.AppendUint(dst, v, 16)
	}
	if c.Prefix != "" {
		dst = append(dst, " /* "...)
		dst = append(dst, c.Prefix...)
		dst = append(dst, "??? */"...)
	}
	return dst
}
