package cross

import (
	"fmt"
	"strconv"
	"strings"

	"sysreel/proto/syscalls"
)

const pageShift = 12 // of mmap2's offset

// word translates a number.
func (c *converter) word(s, t *syscalls.Type, v uint64) (uint64, error) {
	if s == nil || t == nil {
		return v, nil
	}
	switch {
	case t.Name == "pgoff" && s.Name != "pgoff":
		if v&(1<<pageShift-1) != 0 {
			return 0, fmt.Errorf("%#x is not a number of pages", v)
		}
		return v >> pageShift, nil
	case s.Kind == syscalls.Pointer || s.Name == "addr" || s.Name == "xlong" || addresses[s.Name]:
		return c.address(v), nil
	case s.Kind == syscalls.Flags || s.Kind == syscalls.Enum:
		if s.Size < 8 {
			v &= 1<<(8*s.Size) - 1
		}
		if c.from == c.to {
			return v, nil
		}
		return constants(s.Consts, t.Consts, v)
	}
	if s.Size > t.Size && t.Size > 0 && !fits(v, t.Size) {
		return 0, fmt.Errorf("%s: %#x does not fit", s.Name, v)
	}
	return v, nil
}

// fits tells whether a number means the same in so many bytes, with or without
// a sign.
func fits(v uint64, size int) bool {
	shift := 8 * size
	if shift >= 64 {
		return true
	}
	return v>>shift == 0 && v>>(shift-1) == 0 || int64(v)>>(shift-1) == -1
}

// address cuts an address, but not to NULL.
func (c *converter) address(v uint64) uint64 {
	if !c.narrow || v == 0 {
		return v
	}
	if v &= 0xffffffff; v == 0 {
		return 0x1000
	}
	return v
}

// constants translates a value by the names that it has.
func constants(s, t *syscalls.Consts, v uint64) (uint64, error) {
	if s == nil || t == nil || s == t {
		return v, nil
	}
	text, _, _ := strings.Cut(s.Format(v), " or ")
	if v == 0 {
		return 0, nil
	}
	var out uint64
	for word := range strings.SplitSeq(text, "|") {
		word, _, _ = strings.Cut(word, " /*")
		n, ok := t.ByName(word)
		if !ok {
			if _, named := s.ByName(word); named {
				return 0, fmt.Errorf("%s is not there", word)
			}
			number, err := strconv.ParseUint(word, 0, 64)
			if err != nil {
				return v, nil // a set with numbers in it
			}
			n = number
		}
		out |= n
	}
	return out, nil
}
