package format

// pid writes the ID of a process or a thread.
func (p *printer) pid(v uint64) {
	p.dec(int64(int32(v)))
	if p.o.Comm != nil && int32(v) > 0 {
		if name := p.o.Comm(int32(v)); name != "" {
			p.bracketed([]byte(name), "")
		}
	}
}

// id writes a user or group: −1 means none.
func (p *printer) id(v uint64) {
	if v == 0xffffffff {
		p.s("-1")
		return
	}
	p.udec(v)
}

func (p *printer) id16(v uint64) {
	if v == 0xffff {
		p.s("-1")
		return
	}
	p.udec(v)
}

// interfaceIndex writes the index of a network interface: by its name, if it is
// known.
func (p *printer) interfaceIndex(v uint64) {
	name := ""
	if p.o.Interface != nil {
		name = p.o.Interface(uint32(v))
	}
	if name == "" {
		p.udec(v)
		return
	}
	p.styled(func() { p.udec(v) }, func() {
		p.s(`if_nametoindex("`)
		p.quote([]byte(name))
		p.s(`")`)
	})
}
