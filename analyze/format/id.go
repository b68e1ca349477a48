package format

import "strconv"

// pid writes the ID of a process or thread.
func (p *printer) pid(v uint64) {
	id := int32(v)
	p.dec(int64(id))
	if group := -id; group > 1 && p.d != nil && signalsGroups[p.d.Name] {
		p.outer(group, false)
		return
	}
	p.outer(id, true)
}

// pgid writes the ID of a process group or session, which has no name.
func (p *printer) pgid(v uint64) {
	p.dec(int64(int32(v)))
	p.outer(int32(v), false)
}

// outer writes, behind an ID, the process's name and what it is called outside of its
// PID namespace.
func (p *printer) outer(id int32, named bool) {
	if id <= 0 {
		return
	}
	outer := id
	if p.o.Outer != nil {
		outer = p.o.Outer(id, p.enter >= 0)
	}
	if outer == 0 {
		return
	}
	if named && p.o.Comm != nil {
		if name := p.o.Comm(outer, p.enter >= 0); name != "" {
			p.bracketed([]byte(name), "")
		}
	}
	if p.o.OuterPIDs && outer != id {
		p.comment(strconv.Itoa(int(outer)) + " in strace's PID NS")
	}
}

// signalsGroups are the calls in which the negative of its ID stands for a process group.
var signalsGroups = map[string]bool{"kill": true, "wait4": true, "waitpid": true, "fcntl": true, "fcntl64": true}

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
