package format

import (
	"sync"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

// Some calls of i386 stand for others: socketcall, mmap and select take their
// arguments in memory, ipc takes them in an order of its own. strace writes
// the call that is meant.

// ipcCall is a call that ipc(2) makes, and which registers of ipc its
// arguments are (ipc/syscall.c).
type ipcCall struct {
	name string
	regs []int8
}

// ipcCalls are the calls of ipc by its first argument without the version
// (include/uapi/linux/ipc.h).
var ipcCalls = map[uint64]ipcCall{
	1:  {"semop", []int8{1, 4, 2}},
	2:  {"semget", []int8{1, 2, 3}},
	3:  {"semctl", []int8{1, 2, 3, 4}},
	4:  {"semtimedop", []int8{1, 4, 2, 5}},
	11: {"msgsnd", []int8{1, 4, 2, 3}},
	12: {"msgrcv", []int8{1, 4, 2, 5, 3}},
	13: {"msgget", []int8{1, 2}},
	14: {"msgctl", []int8{1, 2, 4}},
	21: {"shmat", []int8{1, 4, 2}},
	22: {"shmdt", []int8{4}},
	23: {"shmget", []int8{1, 2, 3}},
	24: {"shmctl", []int8{1, 2, 4}},
}

// unfold puts the call that is meant in the place of d, if there is
// one. Its name replaces that of the call.
func (p *printer) unfold(d *syscalls.Desc) *syscalls.Desc {
	switch d.Name {
	case "socketcall":
		if name := syscalls.SocketCall(p.e.Args[0]); name != "" {
			like, few := name, 0
			if name == "send" || name == "recv" {
				like, few = name+"to", 4
				if name == "recv" {
					like = "recvfrom"
				}
			}
			return p.inMemory(of32(like), name, 1, few)
		}
	case "ipc":
		if c, ok := ipcCalls[p.e.Args[0]&0xffff]; ok {
			if c.name == "msgrcv" && p.e.Args[0]>>16 == 0 {
				return p.kludge(of32(c.name))
			}
			return p.reordered(of32(c.name), c)
		}
	case "mmap":
		return p.inMemory(syscalls.ByName(syscalls.AMD64, "mmap"), "mmap", 0, 0)
	case "select":
		return p.inMemory(syscalls.ByName(syscalls.I386, "_newselect"), "select", 0, 0)
	}
	return d
}

// numberless are the calls that i386 makes with ipc and socketcall only: those
// of amd64 with its types. semtimedop's time, say, has 32 bits.
var numberless = sync.OnceValue(func() map[string]*syscalls.Desc {
	m := make(map[string]*syscalls.Desc)
	for _, name := range []string{"accept", "semop", "semtimedop"} {
		if d := syscalls.ByName(syscalls.AMD64, name); d != nil {
			if d, err := syscalls.ParseDesc(d.Proto, syscalls.I386); err == nil {
				m[name] = d
			}
		}
	}
	return m
})

// of32 returns a call of i386 by name, or nil.
func of32(name string) *syscalls.Desc {
	if d := syscalls.ByName(syscalls.I386, name); d != nil {
		return d
	}
	return numberless()[name]
}

// rename writes "name(" in the place of what there is.
func (p *printer) rename(name string) {
	p.b = append(p.b[:0], name...)
	p.c('(')
	p.name = len(p.b)
}

// inMemory unfolds a call whose arguments are words that register reg points
// to: d with the first few of its arguments, 0 meaning all.
func (p *printer) inMemory(d *syscalls.Desc, name string, reg, few int) *syscalls.Desc {
	args, ok := p.root(reg, tracefile.AtEnter)
	if d == nil || !ok {
		return p.d
	}
	n := 4 * len(d.Args)
	if few > 0 && few < len(d.Args) {
		n = 4 * few
	}
	if !args.has(n) {
		return p.d
	}
	e := *p.e
	e.Args = [6]uint64{}
	for i := range min(n/4, len(e.Args)) {
		e.Args[i] = load(args.data, 4*i, 4)
	}
	d = selected(d, &e)
	if n/4 < len(d.Args) {
		part := *d
		part.Args = d.Args[:n/4]
		d = &part
	}
	e.Bufs = append([]tracefile.Buf(nil), p.e.Bufs...)
	for i := range e.Bufs {
		b := &e.Bufs[i]
		switch parent := int(b.Parent); {
		case parent < 0: // the words, before the call and after it
			b.Arg = -1
		case parent < i && p.e.Bufs[parent].Parent < 0:
			b.Arg, b.Parent, b.Off = int8(b.Off/4&7), -1, 0
		case parent < i:
			b.Arg = e.Bufs[parent].Arg
		}
		if (name == "recv" || name == "recvfrom") && b.Arg == 1 && b.Phase == tracefile.AtExit && p.e.Ret >= 0 {
			b.Data = b.Data[:min(int64(len(b.Data)), p.e.Ret)]
			b.Want = uint32(min(int64(b.Want), p.e.Ret))
		}
	}
	p.rename(name)
	p.e = &e
	return d
}

// reordered unfolds ipc.
func (p *printer) reordered(d *syscalls.Desc, c ipcCall) *syscalls.Desc {
	if d == nil {
		return p.d
	}
	e := *p.e
	e.Args = [6]uint64{}
	e.Bufs = append([]tracefile.Buf(nil), p.e.Bufs...)
	for i := range e.Bufs {
		e.Bufs[i].Arg = -1
	}
	for i, reg := range c.regs {
		e.Args[i] = truncate(p.e.Args[reg], 4)
		for j := range e.Bufs {
			if p.e.Bufs[j].Arg == reg {
				e.Bufs[j].Arg = int8(i)
			}
		}
	}
	if c.name == "semctl" { // the union lies in memory
		if v, ok := p.root(4, tracefile.AtEnter); ok && v.has(4) {
			e.Args[3] = load(v.data, 0, 4)
			p.union = true
		}
		p.rooted(e.Bufs, 3)
	}
	p.rename(c.name)
	p.e = &e
	return selected(d, &e)
}

// rooted makes what the first word that ptr of ipc points to leads to the memory
// behind register reg, in bufs, which is a copy of the call's.
func (p *printer) rooted(bufs []tracefile.Buf, reg int8) {
	for i := range bufs {
		switch parent := int(bufs[i].Parent); {
		case parent < 0:
			bufs[i].Arg = -1
		case parent < i && p.e.Bufs[parent].Parent < 0 && p.e.Bufs[parent].Arg == 4 && bufs[i].Off == 0:
			bufs[i].Arg, bufs[i].Parent = reg, -1
		}
	}
}

// kludge unfolds msgrcv as ipc makes it without a version: two of its arguments
// lie in memory, struct ipc_kludge.
func (p *printer) kludge(d *syscalls.Desc) *syscalls.Desc {
	if d == nil || len(d.Args) < 5 {
		return p.d
	}
	e := *p.e
	e.Args = [6]uint64{p.e.Args[1], 0, p.e.Args[2], 0, p.e.Args[3]}
	for i, v := range e.Args {
		e.Args[i] = truncate(v, 4)
	}
	e.Bufs = append([]tracefile.Buf(nil), p.e.Bufs...)
	if v, ok := p.root(4, tracefile.AtEnter); ok && v.has(8) {
		e.Args[1], e.Args[3] = load(v.data, 0, 4), load(v.data, 4, 4)
	} else { // the address of the two, in the place of the first
		few := *d
		few.Args = append(append([]syscalls.Arg(nil), d.Args[:3]...), d.Args[4])
		few.Args[1].Type = syscalls.TypeByName(syscalls.I386, "addr")
		d, e.Args[1] = &few, truncate(p.e.Args[4], 4)
	}
	p.rooted(e.Bufs, 1)
	p.rename(d.Name)
	p.e = &e
	return d
}

// semctl writes semctl as ipc makes it: what its last argument points to is an
// address, if it cannot be read.
func semctl(p *printer) bool {
	if !p.union || len(p.d.Args) < 4 {
		return false
	}
	arg := &p.d.Args[3]
	info := false
	if t := arg.Type; t.Kind == syscalls.Pointer && t.Elem != nil {
		info = t.Elem.Name == "seminfo"
		phase := phaseOf(t.Dir)
		if v, ok := p.root(arg.Reg, phase); ok && v.has(t.Elem.Size) && (phase == tracefile.AtEnter || p.done()) {
			return false
		}
	}
	for i := range 3 {
		p.arg(i)
	}
	p.next()
	if arg.Type.Dir == syscalls.Out {
		p.pause()
	}
	if info { // strace says it bare
		p.addr(p.reg(arg))
		return true
	}
	p.c('[')
	p.addr(p.reg(arg))
	p.c(']')
	return true
}

// selected returns the variant of d that the call is.
func selected(d *syscalls.Desc, e *tracefile.Event) *syscalls.Desc {
	if v := d.Select(&e.Args); v != nil {
		return v
	}
	return d
}
