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
