package format

import (
	"strings"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

// fieldOf returns a member of a structure, nil if it has none of that name.
func fieldOf(t *syscalls.Type, name string) *syscalls.Field {
	for i := range t.Fields {
		if t.Fields[i].Name == name {
			return &t.Fields[i]
		}
	}
	return nil
}

// memberValue returns the value of a member, an integer.
func memberValue(t *syscalls.Type, v view, name string) uint64 {
	f := fieldOf(t, name)
	if f == nil {
		return 0
	}
	return load(v.data, f.Off, f.Type.Size)
}

// member writes "name=value" of a member, if the structure has it.
func (p *printer) member(t *syscalls.Type, v view, name string, first *bool) {
	if f := fieldOf(t, name); f != nil {
		p.memberOf(f, v, first)
	}
}

func (p *printer) memberOf(f *syscalls.Field, v view, first *bool) {
	fv := v.at(f.Off, sizeOr(f.Type, v.want-f.Off))
	if !fv.has(f.Type.Size) {
		return
	}
	if !*first {
		p.s(", ")
	}
	*first = false
	p.s(f.Name)
	p.c('=')
	p.field(f, v, fv, nil)
}

// statMembers are the members of a struct stat in the order in which they are
// written, which is the same on all architectures. A structure may lack some.
type statMembers struct {
	t          *syscalls.Type
	mode       *syscalls.Field
	size, rdev *syscalls.Field
	before     []*syscalls.Field // of the size
	times      [3]struct{ sec, nsec *syscalls.Field }
}

// statMembers finds the members of t, of which there are few kinds in a trace.
func (p *printer) statMembers(t *syscalls.Type) *statMembers {
	m := &p.f.stat
	if m.t == t {
		return m
	}
	*m = statMembers{t: t, mode: fieldOf(t, "st_mode"), size: fieldOf(t, "st_size"), rdev: fieldOf(t, "st_rdev")}
	for _, name := range []string{"st_dev", "st_ino", "st_mode", "st_nlink", "st_uid", "st_gid", "st_blksize", "st_blocks"} {
		if f := fieldOf(t, name); f != nil {
			m.before = append(m.before, f)
		}
	}
	for i, name := range []string{"st_atime", "st_mtime", "st_ctime"} {
		m.times[i].sec, m.times[i].nsec = fieldOf(t, name), fieldOf(t, name+"_nsec")
	}
	return m
}

// stat writes struct stat: the device in place of the size for a device file,
// and a date behind each time.
func stat(p *printer, t *syscalls.Type, v view) bool {
	m := p.statMembers(t)
	if m.mode == nil || !v.has(t.Size) {
		return false
	}
	size := m.size
	const ifmt, ifchr, ifblk = 0o170000, 0o020000, 0o060000
	switch load(v.data, m.mode.Off, m.mode.Type.Size) & ifmt {
	case ifchr, ifblk:
		size = m.rdev
	}
	first := true
	p.c('{')
	if !p.o.Verbose {
		p.memberOf(m.mode, v, &first)
		if size != nil {
			p.memberOf(size, v, &first)
		}
		p.s(", ...}")
		return true
	}
	for _, f := range m.before {
		p.memberOf(f, v, &first)
	}
	if t.Name == "old_stat" { // strace shows those that it does not have
		p.s(", st_blksize=0, st_blocks=0")
	}
	if size != nil {
		p.memberOf(size, v, &first)
	}
	for _, at := range m.times {
		if at.sec == nil {
			continue
		}
		p.memberOf(at.sec, v, &first)
		var ns uint64
		if at.nsec != nil {
			ns = load(v.data, at.nsec.Off, at.nsec.Type.Size)
		}
		p.moment(signExtend(load(v.data, at.sec.Off, at.sec.Type.Size), at.sec.Type.Size), ns)
		if at.nsec != nil {
			p.memberOf(at.nsec, v, &first)
		}
	}
	p.c('}')
	return true
}

// flock writes struct flock. The process that holds the lock is there only in
// the answer to a question.
func flock(p *printer, t *syscalls.Type, v view) bool {
	if !v.has(t.Size) {
		return false
	}
	const getlk, getlk64, ofdGetlk = 5, 12, 36
	first := true
	p.c('{')
	for _, name := range []string{"l_type", "l_whence", "l_start", "l_len"} {
		p.member(t, v, name, &first)
	}
	if cmd := p.e.Args[1]; cmd == getlk || cmd == getlk64 || cmd == ofdGetlk {
		p.member(t, v, "l_pid", &first)
	}
	p.c('}')
	return true
}

// sigevent writes struct sigevent: its value only where there is one, its
// thread only where one is told.
func sigevent(p *printer, t *syscalls.Type, v view) bool {
	value, notify := fieldOf(t, "sigev_value"), fieldOf(t, "sigev_notify")
	if value == nil || notify == nil || !v.has(notify.Off+4) {
		return false
	}
	// strace reads no more than there may be: a signal, what it carries, how,
	// and a function with its argument.
	if w := p.arch.PtrSize(); v.faulted && !v.has((notify.Off+4+w-1)&^(w-1)+2*w) {
		p.lost(v)
		return true
	}
	const sigevSignal, sigevThread, sigevThreadID = 0, 2, 4
	first := true
	p.c('{')
	if load(v.data, value.Off, value.Type.Size) != 0 {
		p.member(t, v, "sigev_value", &first)
	}
	signo := fieldOf(t, "sigev_signo")
	switch load(v.data, notify.Off, 4) {
	case sigevSignal, sigevThread, sigevThreadID:
		p.member(t, v, "sigev_signo", &first)
	default:
		if !first {
			p.s(", ")
		}
		first = false
		p.s("sigev_signo=")
		p.udec(load(v.data, signo.Off, 4))
	}
	p.member(t, v, "sigev_notify", &first)
	switch load(v.data, notify.Off, 4) {
	case sigevThreadID:
		p.member(t, v, "sigev_notify_thread_id", &first)
	case sigevThread: // the thread's number overlaps the function's address
		w := p.arch.PtrSize()
		off := (notify.Off + 4 + w - 1) &^ (w - 1)
		if v.has(off + 2*w) {
			p.s(", sigev_notify_function=")
			p.addr(load(v.data, off, w))
			p.s(", sigev_notify_attributes=")
			p.addr(load(v.data, off+w, w))
		}
	}
	p.c('}')
	return true
}

// msghdr writes struct msghdr. The control messages have no place in it when
// there are none; of a receive that failed only the room for the sender's
// address is told.
func msghdr(p *printer, t *syscalls.Type, v view) bool {
	size := fieldOf(t, "msg_controllen")
	if size == nil || !v.has(t.Size) {
		return false
	}
	first := true
	p.c('{')
	defer p.c('}')
	if p.d.Name == "recvmsg" && !p.done() {
		p.member(t, v, "msg_namelen", &first)
		return true
	}
	p.member(t, v, "msg_name", &first)
	p.nameLength(t, v)
	p.member(t, v, "msg_iov", &first)
	p.member(t, v, "msg_iovlen", &first)
	if load(v.data, size.Off, size.Type.Size) != 0 {
		p.member(t, v, "msg_control", &first)
	}
	p.member(t, v, "msg_controllen", &first)
	p.member(t, v, "msg_flags", &first)
	return true
}

// mmsghdr writes one message of recvmmsg or sendmmsg. Of the room for a
// received one only what was filled means something.
func mmsghdr(p *printer, t *syscalls.Type, v view) bool {
	if n := fieldOf(t, "msg_len"); n != nil && v.has(n.Off+4) && p.d.Name != "sendmmsg" {
		p.limited, p.left0 = true, int(load(v.data, n.Off, 4))
	}
	if first := true; p.d.Name == "sendmmsg" && p.failed() { // nothing has written msg_len
		p.c('{')
		p.member(t, v, "msg_hdr", &first)
		p.c('}')
	} else {
		p.structure(t, v)
	}
	p.limited = false
	return true
}

// recvmmsg writes recvmmsg: the timeout as it was, the rest of it behind the
// result.
func recvmmsg(p *printer) bool {
	const timeout = 4
	for i := range p.d.Args {
		a := &p.d.Args[i]
		v, ok := p.root(a.Reg, tracefile.AtEnter)
		if i != timeout || !ok || a.Type.Elem == nil {
			p.arg(i)
			continue
		}
		p.next()
		p.pointee(a.Type.Elem, v)
	}
	if !p.done() || len(p.d.Args) <= timeout {
		return true
	}
	if p.e.Ret == 0 {
		p.note = append(p.note, "Timeout"...)
		return true
	}
	p.noted(func() {
		n := len(p.b)
		p.left(timeout)
		if s := p.b[n:]; len(s) > 2 {
			p.b = append(p.b[:n], s[2:]...)
		}
	})
	return true
}

// nameLength writes msg_namelen, which recvmsg changes.
func (p *printer) nameLength(t *syscalls.Type, v view) {
	f := fieldOf(t, "msg_namelen")
	if f == nil {
		return
	}
	is := load(v.data, f.Off, 4)
	p.s(", msg_namelen=")
	if in, ok := p.root(1, tracefile.AtEnter); ok && in.has(v.off+f.Off+4) && (p.d.Name == "recvmsg" || strings.HasPrefix(p.d.Name, "recvmmsg") && p.done()) {
		if was := load(in.data, v.off+f.Off, 4); was != is {
			p.dec(int64(int32(was)))
			p.s(" => ")
		}
	}
	p.dec(int64(int32(is)))
}

// sigaction writes struct sigaction in strace's order. The restorer is there
// only if the flags say so.
func sigaction(p *printer, t *syscalls.Type, v view) bool {
	flags := fieldOf(t, "sa_flags")
	if flags == nil || !v.has(t.Size) {
		return false
	}
	const saRestorer = 0x04000000 // arch/x86/include/uapi/asm/signal.h
	first := true
	p.c('{')
	p.member(t, v, "sa_handler", &first)
	p.member(t, v, "sa_mask", &first)
	p.member(t, v, "sa_flags", &first)
	if load(v.data, flags.Off, flags.Type.Size)&saRestorer != 0 {
		p.member(t, v, "sa_restorer", &first)
	}
	p.c('}')
	return true
}
