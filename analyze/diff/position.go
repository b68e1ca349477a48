package diff

import (
	"fmt"

	"sysreel/analyze"
	"sysreel/proto/tracefile"
	"sysreel/proto/world"
)

// positions follows where in files reads take place, as far as calls tell it.
type positions map[*world.File]int64

// unknown is the position of a read that cannot be told.
const unknown = -1

// take returns the offset in its file of what a read-like call has read, and
// follows the call. It must see every call in order.
func (p positions) take(c *analyze.Call) int64 {
	if c.Kind != tracefile.Syscall || c.Failed() || c.Desc == nil {
		return unknown
	}
	var fam string
	switch c.Name {
	case "lseek":
	case "pread64", "preadv", "preadv2":
		if at := int64(c.Args[3]); at >= 0 && c.Arch.PtrSize() == 8 {
			return at
		}
		return unknown
	default:
		if fam = familyOf(c.Name, "").name; fam != "read" && fam != "write" && fam != "copy" {
			return unknown
		}
	}
	f := c.Process.File(int32(c.Args[0]))
	if !f.Stored() {
		return unknown
	}
	at, known := p[f]
	if !known && f.Opened == 0 {
		at = unknown
	}
	switch {
	case fam == "copy", fam == "write" && f.Flags&oAppend != 0, c.Name == "_llseek":
		p[f] = unknown
		return unknown
	case c.Name == "lseek":
		p[f] = c.Ret
		return unknown
	case at == unknown:
		return unknown
	}
	if len(p) >= maxCachedNames {
		clear(p)
	}
	p[f] = at + c.Ret
	return at
}

// differsAt says, in words for behind "has other content", where the first
// difference of two reads lies, "" if that is not known.
func differsAt(good, bad *evidence) string {
	if good.offset != bad.offset || good.offset == unknown {
		return ""
	}
	n := min(len(good.data), len(bad.data))
	for i := range n {
		if good.data[i] != bad.data[i] {
			return fmt.Sprintf(", from byte %d on", good.offset+int64(i))
		}
	}
	if end := min(good.ret, bad.ret); end > int64(n) {
		return fmt.Sprintf(", first within bytes %d to %d", good.offset+int64(n), good.offset+end-1)
	}
	return ""
}
