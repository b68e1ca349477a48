package format

import "sysreel/proto/syscalls"

// The ioctls of btrfs (include/uapi/linux/btrfs.h, btrfs_tree.h).

// btrfsID writes a number of which some have names: those of a set, and the
// largest.
func (p *printer) btrfsID(set string, v uint64) {
	if v == 1<<64-1 {
		p.s("UINT64_MAX")
		return
	}
	if c := p.set(set); set != "" && c != nil && hasValue(c, v) {
		p.consts(c, v)
		return
	}
	p.udec(v)
}

// uuid writes 01234567-89ab-cdef-0123-456789abcdef.
func uuid(p *printer, _ *syscalls.Type, v view) {
	if !v.has(16) {
		p.lost(v)
		return
	}
	for i, c := range v.data[:16] {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			p.c('-')
		}
		p.b = append(p.b, hexDigits[c>>4], hexDigits[c&15])
	}
}

// btrfsItems writes the headers of the items that a search of a tree found
// (struct btrfs_ioctl_search_header). Their number stands in the key before them.
func btrfsItems(p *printer, _ *syscalls.Type, v view) {
	const header, nrItems = 32, 64 // in struct btrfs_ioctl_search_key
	items := uint64(0)
	if v.buf >= 0 {
		items = load(p.e.Bufs[v.buf].Data, nrItems, 4)
	}
	p.c('[')
	defer p.c(']')
	for n := uint64(0); n < items; n++ {
		if n > 0 {
			p.s(", ")
		}
		if !v.has(header) || !p.o.Verbose && n >= uint64(p.o.Strings) {
			p.s("...")
			return
		}
		p.s("{transid=")
		p.udec(load(v.data, 0, 8))
		p.s(", objectid=")
		p.btrfsID("btrfs_tree_objectids", load(v.data, 8, 8))
		p.s(", offset=")
		p.udec(load(v.data, 16, 8))
		p.s(", type=")
		ints["btrfs_key_type"](p, load(v.data, 24, 4))
		size := load(v.data, 28, 4)
		p.s(", len=")
		p.udec(size)
		p.c('}')
		v = v.at(int(min(header+size, uint64(v.want))), v.want)
	}
}

// btrfsFeatures writes the answer of BTRFS_IOC_GET_SUPPORTED_FEATURES: three
// sets of features.
func btrfsFeatures(p *printer, t *syscalls.Type, v view) bool {
	if !v.has(t.Size) || len(t.Fields) == 0 || t.Fields[0].Type.Elem == nil {
		return false
	}
	one := t.Fields[0].Type.Elem
	p.c('[')
	for i, what := range [...]string{"supported", "safe to set", "safe to clear"} {
		if i > 0 {
			p.s(", ")
		}
		p.value(one, v.at(i*one.Size, one.Size))
		p.comment(what)
	}
	p.c(']')
	return true
}

// btrfsDevStats writes BTRFS_IOC_GET_DEV_STATS: how many counters there is room
// for, then the counters.
func btrfsDevStats(p *printer, t *syscalls.Type, in, out view) bool {
	const header = 24
	values := fieldOf(t, "values")
	if values == nil || !in.has(header) {
		return false
	}
	first := true
	p.c('{')
	for _, name := range []string{"devid", "nr_items", "flags"} {
		p.member(t, in, name, &first)
	}
	p.c('}')
	p.pause()
	if !out.has(t.Size) || !p.done() {
		return true
	}
	first = true
	p.s(" => {")
	p.member(t, out, "nr_items", &first)
	p.member(t, out, "flags", &first)
	p.s(", [")
	items, names := load(out.data, 8, 8), p.set("btrfs_dev_stats")
	for i := range items {
		if i > 0 {
			p.s(", ")
		}
		if i >= uint64(values.Type.Size/8) {
			p.s("...")
			break
		}
		p.c('[')
		p.consts(names, i)
		p.s("]=")
		p.udec(load(out.data, values.Off+8*int(i), 8))
	}
	p.s("]}")
	return true
}
