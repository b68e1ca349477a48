package syscalls

// Select returns the variant of d that fits the arguments, or d itself. Of
// several that fit it is the first in the table, but those that look at fewer
// bits of an argument (ioctl requests that carry a size) come last.
func (d *Desc) Select(args *[6]uint64) *Desc {
	if d.byKey == nil {
		return d.first(d.Variants, args)
	}
	m := d.Variants[0].Match[0]
	if v := d.first(d.byKey[args[m.Reg]&m.Mask], args); v != d {
		return v
	}
	return d.first(d.loose, args)
}

func (d *Desc) first(variants []*Desc, args *[6]uint64) *Desc {
	for _, v := range variants {
		if v.fits(args) {
			return v
		}
	}
	return d
}

func (d *Desc) fits(args *[6]uint64) bool {
	for _, m := range d.Match {
		if args[m.Reg]&m.Mask != m.Value {
			return false
		}
	}
	return true
}

// indexVariants lets Select find the variants of calls like ioctl, which has
// hundreds, without trying each.
func (d *Desc) indexVariants() {
	if len(d.Variants) < 4 {
		return
	}
	first := d.Variants[0].Match[0]
	d.byKey = make(map[uint64][]*Desc, len(d.Variants))
	for _, v := range d.Variants {
		m := v.Match[0]
		if m.Reg == first.Reg && m.Mask == first.Mask {
			d.byKey[m.Value] = append(d.byKey[m.Value], v)
		} else {
			d.loose = append(d.loose, v)
		}
	}
}
