package format

// mount writes mount: what is done by the flags tells which of its arguments the
// kernel looks at (path_mount in fs/namespace.c).
func mount(p *printer) bool {
	if len(p.d.Args) < 5 {
		return false
	}
	const (
		magicMask, magic = 0xffff0000, 0xc0ed0000 // MS_MGC_MSK, MS_MGC_VAL
		remount          = 0x20
		// MS_BIND, MS_MOVE, MS_UNBINDABLE, MS_PRIVATE, MS_SLAVE, MS_SHARED
		changes = 0x1000 | 0x2000 | 0x20000 | 0x40000 | 0x80000 | 0x100000
	)
	flags := p.reg(&p.d.Args[3])
	old := flags&magicMask == magic
	if old {
		flags &^= magicMask
	}
	p.arg(0)
	p.arg(1)
	if flags&(remount|changes) != 0 {
		p.next()
		p.addr(p.reg(&p.d.Args[2]))
	} else {
		p.arg(2)
	}
	p.next()
	if old {
		p.styled(func() { p.hex(magic) }, func() { p.s("MS_MGC_VAL") })
		if flags != 0 {
			p.c('|')
		}
	}
	if !old || flags != 0 {
		p.consts(p.d.Args[3].Type.Consts, flags)
	}
	if flags&remount == 0 && flags&changes != 0 {
		p.next()
		p.addr(p.reg(&p.d.Args[4]))
	} else {
		p.arg(4)
	}
	return true
}
