package syscalls

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"
)

// constSet returns a set of flags.txt, parsed at first use. t.mu is held.
func (t *archTable) constSet(name string) *Consts {
	if c, ok := t.consts[name]; ok {
		return c
	}
	sets, _ := loadFlags()
	s := sets.get(name)
	if s == nil {
		return nil
	}
	t.consts[name] = nil // a set that includes itself includes nothing
	c, err := t.parseConsts(s)
	if err != nil {
		t.problem(err)
	}
	t.consts[name] = c
	return c
}

// parseConsts returns what could be parsed, and the first error.
func (t *archTable) parseConsts(s *section) (*Consts, error) {
	kind, words := s.header()
	c := &Consts{Name: s.name, Enum: kind == "enum"}
	joined := false
	for _, w := range words {
		switch {
		case strings.Contains(w, "/"):
			c.Header = w
		case w == "decimal":
			c.decimal = true
		case w == "joined":
			joined = true
		case w == "field":
			c.field = true
		case w == "rest":
			c.rest = true
		case w == "commented":
			c.commented = true
		case w != "-":
			c.Prefix = w
		}
	}
	c.Values = make([]Const, 0, strings.Count(s.body, "\n"))
	err := s.lines(func(line string) error { return t.parseConst(c, line) })
	c.whole = true
	if c.Enum {
		c.byVal = make(map[uint64]int32, len(c.Values))
		for i := range c.Values {
			v := &c.Values[i]
			if v.Hidden {
				continue
			}
			if _, ok := c.byVal[v.Val]; !ok {
				c.byVal[v.Val] = int32(i)
			} else if joined {
				c.joined = append(c.joined, v.Val)
			}
			if int64(v.Val) < 0 {
				// Also as 32 bits: −1 in an int.
				if _, ok := c.byVal[uint64(uint32(v.Val))]; !ok {
					c.byVal[uint64(uint32(v.Val))] = int32(i)
				}
			}
		}
	}
	return c, err
}

// parseConst parses "NAME value [mask=...] [hidden] [arch=value]" or
// "include SET".
func (t *archTable) parseConst(c *Consts, line string) error {
	name, rest, _ := strings.Cut(line, " ")
	value, rest, _ := strings.Cut(strings.TrimLeft(rest, " "), " ")
	if value == "" {
		return fmt.Errorf("%q is not a name and a value", line)
	}
	if name == "include" {
		sets, _ := loadFlags()
		s := sets.get(value)
		if s == nil || value == c.Name {
			return fmt.Errorf("include %s: no such set", value)
		}
		return s.lines(func(line string) error { return t.parseConst(c, line) })
	}
	v := Const{Name: name}
	mask := ""
	for rest != "" {
		var o string
		o, rest, _ = strings.Cut(strings.TrimLeft(rest, " "), " ")
		key, val, ok := strings.Cut(o, "=")
		switch {
		case o == "" || ok && (key == "amd64" || key == "arm64" || key == "i386"):
			if key == archNames[t.arch] {
				value = val
			}
		case o == "hidden":
			v.Hidden = true
		case ok && key == "mask":
			mask = val
		default:
			return fmt.Errorf("%s: %q is not mask=, hidden or an architecture's value", name, o)
		}
	}
	if value == "-" {
		c.absent = append(c.absent, name)
		return nil
	}
	var err error
	if v.Val, err = t.evaluate(value, c); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if mask != "" {
		if v.Mask, err = t.evaluate(mask, c); err != nil {
			return fmt.Errorf("%s: mask: %w", name, err)
		}
	}
	if strings.Contains(name, "%") {
		if v.Mask == 0 {
			return fmt.Errorf("%s: a number within the bits needs mask=", name)
		}
		c.numbers = append(c.numbers, v)
		return nil
	}
	c.Values = append(c.Values, v)
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
	if s != "" && s[0] >= '0' && s[0] <= '9' {
		if v, err := strconv.ParseUint(s, 0, 64); err == nil {
			return v, nil
		}
	}
	if c != nil {
		if v, ok := c.ByName(s); ok {
			return v, nil
		}
		if slices.Contains(c.absent, s) {
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
	return 0, fmt.Errorf("%q is neither a number nor a name of the set", s)
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
	if len(c.Values) < 32 || !c.whole {
		for i := range c.Values {
			if c.Values[i].Name == name {
				return c.Values[i].Val, true
			}
		}
		return 0, false
	}
	c.named.Do(func() {
		c.byName = make(map[string]int32, len(c.Values))
		for i := range c.Values {
			if _, ok := c.byName[c.Values[i].Name]; !ok {
				c.byName[c.Values[i].Name] = int32(i)
			}
		}
	})
	i, ok := c.byName[name]
	if !ok {
		return 0, false
	}
	return c.Values[i].Val, true
}

// Has reports whether some constant has exactly this value.
func (c *Consts) Has(v uint64) bool {
	if c.Enum {
		_, ok := c.byVal[v]
		return ok
	}
	return slices.ContainsFunc(c.Values, func(k Const) bool { return k.Val == v && !k.Hidden })
}

// Format returns v as strace prints it: "O_RDONLY|O_CLOEXEC",
// "0x80000000 /* O_??? */", "0".
func (c *Consts) Format(v uint64) string { return string(c.Append(nil, v)) }

// Append appends what Format returns.
func (c *Consts) Append(dst []byte, v uint64) []byte {
	if c.Enum {
		if i, ok := c.byVal[v]; ok {
			if slices.Contains(c.joined, v) {
				return append(dst, c.allNames(v)...)
			}
			if c.commented {
				dst = appendHex(dst, v)
				dst = append(dst, " /* "...)
				dst = append(dst, c.Values[i].Name...)
				return append(dst, " */"...)
			}
			return append(dst, c.Values[i].Name...)
		}
		return c.appendUnknown(dst, v)
	}
	start, left := len(dst), v
	for i := range c.numbers {
		left &^= c.numbers[i].Mask
	}
	zero := ""
	bits := false   // one outside of the masks has been printed
	var seen uint64 // masks whose field has been printed
	if f := c.firstField(); v&f != 0 && !c.known(v&f, f) {
		dst = c.appendUnknown(dst, v&f) // "0xf /* MAP_??? */|0x80"
		left &^= f
		seen |= f
	}
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
			bits = true
		}
		if len(dst) > start {
			dst = append(dst, '|')
		}
		dst = append(dst, k.Name...)
	}
	switch {
	case left != 0 && len(dst) > start && c.rest && !bits:
		dst = c.appendUnknown(append(dst, '|'), left)
	case left != 0 && len(dst) > start:
		dst = append(dst, "|0x"...)
		dst = strconv.AppendUint(dst, left, 16)
	case left != 0:
		dst = c.appendUnknown(dst, left)
	}
	for i := range c.numbers {
		dst = c.numbers[i].appendNumber(dst, v, len(dst) > start)
	}
	switch {
	case len(dst) > start:
	case zero != "":
		dst = append(dst, zero...)
	default:
		dst = append(dst, '0')
	}
	return dst
}

// firstField returns the mask of the field whose value is printed first even
// when it has no name, 0 if there is none.
func (c *Consts) firstField() uint64 {
	if !c.field || len(c.Values) == 0 {
		return 0
	}
	return c.Values[0].Mask
}

// known tells whether a field has a value with a name.
func (c *Consts) known(v, mask uint64) bool {
	return slices.ContainsFunc(c.Values, func(k Const) bool { return k.Mask == mask && k.Val == v && !k.Hidden })
}

// appendNumber appends the number within the bits of k's mask, as the name says:
// "0%o" is an octal mode, always printed, "%d" a decimal number unless zero.
func (k *Const) appendNumber(dst []byte, v uint64, more bool) []byte {
	n := (v & k.Mask) >> bits.TrailingZeros64(k.Mask)
	before, verb, _ := strings.Cut(k.Name, "%")
	if n == 0 && !strings.HasPrefix(verb, "o") {
		return dst
	}
	if more {
		dst = append(dst, '|')
	}
	dst = append(dst, before...)
	if strings.HasPrefix(verb, "o") {
		if n < 8 {
			dst = append(dst, '0') // strace writes modes with three digits
		}
		dst = strconv.AppendUint(dst, n, 8)
	} else {
		dst = strconv.AppendUint(dst, n, 10)
	}
	return append(dst, verb[min(1, len(verb)):]...)
}

// allNames returns the names of a value as strace has them where it cannot know
// which was meant: "BTRFS_IOC_CLONE or FICLONE".
func (c *Consts) allNames(v uint64) string {
	var names []string
	for i := range c.Values {
		if k := &c.Values[i]; k.Val == v && !k.Hidden && !slices.Contains(names, k.Name) {
			names = append(names, k.Name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, " or ")
}

// appendUnknown appends a value without a name.
func (c *Consts) appendUnknown(dst []byte, v uint64) []byte {
	if c.decimal {
		return strconv.AppendInt(dst, int64(int32(v)), 10)
	}
	dst = appendHex(dst, v)
	if c.Prefix != "" {
		dst = append(dst, " /* "...)
		dst = append(dst, c.Prefix...)
		if !strings.Contains(c.Prefix, "?") {
			dst = append(dst, "???"...)
		}
		dst = append(dst, " */"...)
	}
	return dst
}

// appendHex appends a number as strace writes it: zero without "0x".
func appendHex(dst []byte, v uint64) []byte {
	if v == 0 {
		return append(dst, '0')
	}
	return strconv.AppendUint(append(dst, "0x"...), v, 16)
}
