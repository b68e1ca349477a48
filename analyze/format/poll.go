package format

import (
	"math/bits"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

// epollData writes the union that belongs to the program as its 64-bit number.
func epollData(p *printer, _ *syscalls.Type, v view) bool {
	if !v.has(8) {
		return false
	}
	p.hex(load(v.data, 0, 8))
	return true
}

// poll writes poll and ppoll: the events asked for are arguments, those that
// came follow the result.
func poll(p *printer) bool {
	if len(p.d.Args) < 3 {
		return false
	}
	p.more = true
	in, ok := p.root(0, tracefile.AtEnter)
	for i := range p.d.Args {
		a := &p.d.Args[i]
		if i == 0 && ok {
			p.next()
			p.pollfds(in, false)
			continue
		}
		if a.Type.Kind == syscalls.Pointer && a.Type.Elem != nil {
			p.next()
			if v, ok := p.root(a.Reg, tracefile.AtEnter); ok {
				p.pointee(a.Type.Elem, v)
			} else {
				p.addr(p.reg(a))
			}
			continue
		}
		p.arg(i)
	}
	if !p.done() {
		return true
	}
	if p.e.Ret == 0 {
		p.note = append(p.note, "Timeout"...)
		return true
	}
	out, ok := p.root(0, tracefile.AtExit)
	if !ok {
		return true
	}
	p.noted(func() {
		p.pollfds(out, true)
		p.left(2)
	})
	return true
}

// pollfds writes an array of struct pollfd {int fd; short events, revents}.
// After the call only those with an event are written.
func (p *printer) pollfds(v view, after bool) {
	events := p.set("poll_events")
	if v.want > 0 && !v.has(8) {
		p.lost(v)
		return
	}
	p.c('[')
	first := true
	shown := 0
	for off := 0; off+8 <= v.want; off += 8 {
		if off+8 > len(v.data) {
			if !first {
				p.s(", ")
			}
			p.s("...")
			if v.faulted {
				p.s(" /* ")
				p.hex(v.addr + uint64(off))
				p.s(" */")
			}
			break
		}
		if after && load(v.data, off+6, 2) == 0 {
			continue
		}
		if !first {
			p.s(", ")
		}
		first = false
		if !p.o.Verbose && shown >= p.o.Strings {
			p.s("...")
			break
		}
		shown++
		fd := int32(load(v.data, off, 4))
		p.s("{fd=")
		if after {
			p.dec(int64(fd))
			p.s(", revents=")
			p.consts(events, load(v.data, off+6, 2))
		} else if p.fd(fd); fd >= 0 {
			p.s(", events=")
			p.consts(events, load(v.data, off+4, 2))
		}
		p.c('}')
	}
	p.c(']')
}

// noted lets f write, and moves what it wrote behind the result.
func (p *printer) noted(f func()) {
	n := len(p.b)
	f()
	p.note = append(p.note, p.b[n:]...)
	p.b = p.b[:n]
}

// left writes ", left {...}": the rest of the timeout that argument i points
// to, where the kernel wrote it back.
func (p *printer) left(i int) {
	a := &p.d.Args[i]
	if a.Type.Kind != syscalls.Pointer || a.Type.Elem == nil {
		return
	}
	v, ok := p.root(a.Reg, tracefile.AtExit)
	if !ok {
		return
	}
	if len(p.b) > 0 {
		p.s(", ")
	}
	p.s("left ")
	p.pointee(a.Type.Elem, v)
}

// selects writes select and pselect6: the sets asked for are arguments, those
// that are ready follow the result.
func selects(p *printer) bool {
	if len(p.d.Args) < 5 {
		return false
	}
	p.more = true
	for i := range p.d.Args {
		a := &p.d.Args[i]
		p.next()
		if a.Type.Kind != syscalls.Pointer || a.Type.Elem == nil {
			p.word(a.Type, p.reg(a))
			continue
		}
		if v, ok := p.root(a.Reg, tracefile.AtEnter); ok && (i > 3 || int32(p.e.Args[0]) > 0) {
			p.pointee(a.Type.Elem, v)
		} else {
			p.addr(p.reg(a))
		}
	}
	if !p.done() {
		return true
	}
	if p.e.Ret == 0 {
		p.note = append(p.note, "Timeout"...)
		return true
	}
	// No more than are ready: the kernel writes back only what the process's
	// table of descriptors has room for, and behind that is what was asked for.
	ready := p.e.Ret
	for i, name := range []string{1: "in", 2: "out", 3: "except"} {
		if name == "" || ready <= 0 {
			continue
		}
		v, ok := p.root(p.d.Args[i].Reg, tracefile.AtExit)
		if !ok || !anySet(v.data) {
			continue
		}
		p.noted(func() {
			if len(p.note) > 0 {
				p.s(", ")
			}
			p.s(name)
			p.c(' ')
			p.fdList(v, func(n uint64) bool {
				p.dec(int64(n))
				ready--
				return ready > 0
			})
		})
	}
	p.noted(func() {
		n := len(p.b)
		p.left(4)
		if s := p.b[n:]; len(p.note) == 0 && len(s) > 2 {
			p.b = append(p.b[:n], s[2:]...)
		}
	})
	return true
}

func anySet(data []byte) bool {
	for _, c := range data {
		if c != 0 {
			return true
		}
	}
	return false
}

// fdset writes a set of descriptors: [3 4].
func fdset(p *printer, _ *syscalls.Type, v view) {
	if len(v.data) == 0 && v.want > 0 || v.faulted && len(v.data) < v.want {
		p.lost(v)
		return
	}
	p.fdList(v, func(n uint64) bool {
		p.fd(int32(n))
		return true
	})
}

// fdList writes the descriptors of a set that are below the call's nfds, each by one,
// until that returns false.
func (p *printer) fdList(v view, one func(n uint64) bool) {
	limit := uint64(len(v.data)) * 8
	if p.d != nil && len(p.d.Args) > 0 {
		limit = min(limit, p.e.Args[0]) // nfds
	}
	p.c('[')
	sep := ""
	eachBit(v.data, func(n uint64) bool {
		if n >= limit {
			return false
		}
		p.s(sep)
		sep = " "
		return one(n)
	})
	p.c(']')
}

// cpuset writes a set of processors: [0 1].
func cpuset(p *printer, _ *syscalls.Type, v view) {
	if len(v.data) == 0 && v.want > 0 || v.faulted && len(v.data) < v.want {
		p.lost(v)
		return
	}
	const most = 128 // sizeof(cpu_set_t) of the C library: of more strace tells only that there is more
	p.c('[')
	first := true
	eachBit(v.data[:min(len(v.data), most)], func(n uint64) bool {
		if !first {
			p.c(' ')
		}
		first = false
		p.udec(n)
		return true
	})
	if v.want > most {
		if !first {
			p.c(' ')
		}
		p.s("...")
	}
	p.c(']')
}

// eachBit calls f with the number of each bit that is set, until f says no.
func eachBit(data []byte, f func(n uint64) bool) {
	for i, c := range data {
		for ; c != 0; c &= c - 1 {
			if !f(uint64(i*8 + bits.TrailingZeros8(c))) {
				return
			}
		}
	}
}
