package syscalls

// Select returns the variant of d that fits the arguments, or d itself. Of
// several that fit it is the first in the table.
func (d *Desc) Select(args *[6]uint64) *Desc {
	variants := d.Variants
	if d.byKey != nil {
		m := variants[0].Match[0]
		variants = d.byKey[args[m.Reg]&m.Mask]
	}
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
	byKey := make(map[uint64][]*Desc, len(d.Variants))
	for _, v := range d.Variants {
		m := v.Match[0]
		if m.Reg != first.Reg || m.Mask != first.Mask {
			return
		}
		byKey[m.Value] = append(byKey[m.Value], v)
	}
	d.byKey = byKey
}
