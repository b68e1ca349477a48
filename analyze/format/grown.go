package format

import "sysreel/proto/syscalls"

// Structures of which the caller states the size, because they have grown and
// may grow again (copy_struct_from_user in include/linux/uaccess.h).

// behindKnown are those of which strace shows what stands behind the members
// that it knows.
var behindKnown = map[string]bool{
	"mount_attr": true, "open_how": true, "file_attr": true, "xattr_args_in": true, "xattr_args_out": true,
}

// behind writes what stands behind the first size bytes of a structure, if a bit
// is set in it: /* bytes 24..31 */ "\x01...". prefix goes before it. It tells
// whether there was anything to write.
func (p *printer) behind(prefix string, v view, size int) bool {
	end := min(v.want, maxGrown)
	if end <= size {
		return false
	}
	if !v.has(end) {
		p.s(prefix)
		p.s("???")
		return true
	}
	rest := v.data[size:end]
	if !anySet(rest) {
		return false
	}
	p.s(prefix)
	p.s("/* bytes ")
	p.udec(uint64(size))
	p.s("..")
	p.udec(uint64(end - 1))
	p.s(" */ ")
	p.hexBytes(v.at(size, end-size))
	return true
}

// openHow writes struct open_how: the mode only where there is one.
func openHow(p *printer, t *syscalls.Type, v view) bool {
	if !v.has(t.Size) || v.want < t.Size {
		return false
	}
	const creates = 0x40 | 0x400000 // O_CREAT, __O_TMPFILE
	first := true
	p.c('{')
	p.member(t, v, "flags", &first)
	if mode := fieldOf(t, "mode"); mode != nil && (load(v.data, 0, 8)&creates != 0 || load(v.data, mode.Off, 8) != 0) {
		p.member(t, v, "mode", &first)
	}
	p.member(t, v, "resolve", &first)
	p.behind(", ", v, t.Size)
	p.c('}')
	return true
}

// request writes struct mnt_id_req and struct ns_id_req, which begin with their
// size: no more than that if it is less than the first of them had.
func request(p *printer, t *syscalls.Type, v view) bool {
	if !v.has(4) {
		return false
	}
	least := 24 // MNT_ID_REQ_SIZE_VER0
	if t.Name == "ns_id_req" {
		least = t.Size // NS_ID_REQ_SIZE_VER0
	}
	size := load(v.data, 0, 4)
	first := true
	p.c('{')
	p.member(t, v, "size", &first)
	defer p.c('}')
	if size < uint64(least) {
		return true
	}
	v.want = int(min(size, maxGrown))
	if !v.has(min(v.want, t.Size)) {
		p.s(", ???")
		return true
	}
	v.data = v.data[:min(len(v.data), v.want)]
	for i := range t.Fields {
		f := &t.Fields[i]
		n := load(v.data, f.Off, f.Type.Size)
		if f.Hidden || i == 0 || f.NonZero && n == 0 || !v.has(f.Off+f.Type.Size) {
			continue
		}
		switch {
		case f.Name == "mnt_id" && n == ^uint64(0) && p.d.Name == "listmount":
			p.s(", mnt_id=")
			p.styled(func() { p.hex(n) }, func() { p.s("LSMT_ROOT") })
		case f.Name == "param" && p.d.Name == "statmount":
			p.s(", param=")
			p.consts(p.set("statmount_mask"), n)
		default:
			p.member(t, v, f.Name, &first)
		}
	}
	p.behind(", ", v, t.Size)
	return true
}

// fileAttr writes struct file_attr: what is only told is not there where
// attributes are set.
func fileAttr(p *printer, t *syscalls.Type, v view) bool {
	if v.want < t.Size || v.want > maxGrown || !v.has(t.Size) {
		p.lost(v)
		return true
	}
	first := true
	p.c('{')
	for i := range t.Fields {
		if name := t.Fields[i].Name; name != "fa_nextents" || p.d.Name == "file_getattr" {
			p.member(t, v, name, &first)
		}
	}
	p.behind(", ", v, t.Size)
	p.c('}')
	return true
}

// rulesetAttr writes struct landlock_ruleset_attr; what is behind it is not
// looked at.
func rulesetAttr(p *printer, t *syscalls.Type, v view) bool {
	whole := min(v.want, t.Size)
	if whole < 8 || !v.has(whole) {
		p.lost(v)
		return true
	}
	first := true
	p.c('{')
	for i := range t.Fields {
		if f := &t.Fields[i]; f.Off < v.want {
			if rest := v.at(f.Off, f.Type.Size); !rest.has(f.Type.Size) { // the end of it, the rest being 0
				var full [8]byte
				copy(full[:], rest.data)
				p.s(", ")
				p.s(f.Name)
				p.c('=')
				p.word(f.Type, load(full[:], 0, f.Type.Size))
				break
			}
			p.member(t, v, f.Name, &first)
		}
	}
	if v.want > t.Size {
		p.s(", ...")
	}
	p.c('}')
	return true
}

// mountStatus writes struct statmount, behind which its strings lie: their
// offsets are counted from its end.
func mountStatus(p *printer, t *syscalls.Type, v view) bool {
	if !v.has(16) {
		return false
	}
	var strings []byte
	if size := int(min(load(v.data, 0, 4), uint64(len(v.data)))); size > t.Size {
		strings = v.data[t.Size:size]
	}
	first := true
	p.c('{')
	for i := range t.Fields {
		f := &t.Fields[i]
		if f.Hidden || !f.If.Holds(v.data) {
			continue
		}
		off := load(v.data, f.Off, f.Type.Size)
		if f.Name == "sb_magic" && !hasValue(f.Type.Consts, off) {
			p.s(", sb_magic=")
			p.hex(off)
			continue
		}
		if f.Type.Name != "x32" || f.Name == "mnt_id_old" || f.Name == "mnt_parent_id_old" || off >= uint64(len(strings)) {
			p.member(t, v, f.Name, &first)
			continue
		}
		p.s(", ")
		p.s(f.Name)
		p.c('=')
		switch f.Name {
		case "opt_array", "opt_sec_array", "mnt_uidmap", "mnt_gidmap": // behind their number
			p.stringArray(strings[off:], load(v.data, f.Off-4, 4))
		default:
			p.stringBehind(strings[off:])
		}
	}
	p.c('}')
	return true
}

// stringBehind writes the string that data begins with, and returns its length.
func (p *printer) stringBehind(data []byte) int {
	s, ended := trimNUL(data)
	if !ended {
		s = s[:len(s)-1] // there is room for a NUL in any case
	}
	p.path(s, !ended)
	return min(len(s)+1, len(data))
}

// stringArray writes n strings that lie one behind the other, each with its NUL.
func (p *printer) stringArray(data []byte, n uint64) {
	p.c('[')
	for i := range n {
		if i > 0 {
			p.s(", ")
		}
		if len(data) == 0 {
			p.s("???")
			break
		}
		data = data[p.stringBehind(data):]
	}
	p.c(']')
}
