package format

import (
	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

// swapFlags writes the flags of swapon, behind which stands a priority, be it 0.
func swapFlags(p *printer, c *syscalls.Consts, v uint64) {
	const priority = 0x7fff // SWAP_FLAG_PRIO_MASK, include/linux/swap.h
	if flags := v &^ priority; flags != 0 {
		p.consts(c, flags)
		p.c('|')
	}
	p.udec(v & priority)
}

// syslogAction writes what syslog is to do, which has a name in the kernel only.
func syslogAction(p *printer, c *syscalls.Consts, v uint64) {
	p.dec(int64(int32(v)))
	style := p.o.Constants
	p.o.Constants = Abbreviated
	p.valueComment(c, v)
	p.o.Constants = style
}

// syslog writes syslog: several actions look at no more arguments.
func syslog(p *printer) bool {
	switch uint32(p.e.Args[0]) {
	case 0, 1, 5, 6, 7, 9, 10: // CLOSE OPEN CLEAR CONSOLE_OFF CONSOLE_ON SIZE_UNREAD SIZE_BUFFER
		p.arg(0)
		return true
	case 8: // CONSOLE_LEVEL
		if len(p.d.Args) < 3 {
			return false
		}
		p.arg(0)
		p.next()
		p.addr(p.reg(&p.d.Args[1]))
		p.next()
		level := p.reg(&p.d.Args[2])
		p.dec(int64(int32(level)))
		p.s(" /* ")
		if uint32(level) < uint32(len(logLevels)) {
			p.s(logLevels[uint32(level)])
		} else {
			p.s("LOGLEVEL_???")
		}
		p.s(" */")
		return true
	}
	return false
}

// logLevels are those of include/linux/kern_levels.h.
var logLevels = [...]string{"LOGLEVEL_EMERG", "LOGLEVEL_ALERT", "LOGLEVEL_CRIT", "LOGLEVEL_ERR",
	"LOGLEVEL_WARNING", "LOGLEVEL_NOTICE", "LOGLEVEL_INFO", "LOGLEVEL_DEBUG", "LOGLEVEL_DEBUG+1"}

// sendfile writes sendfile: the offset before the call and after it.
func sendfile(p *printer) bool {
	if len(p.d.Args) < 4 {
		return false
	}
	offset := &p.d.Args[2]
	in, ok := p.root(offset.Reg, tracefile.AtEnter)
	t := offset.Type.Elem
	if !ok || t == nil || !in.has(t.Size) {
		return false
	}
	p.arg(0)
	p.arg(1)
	p.next()
	p.c('[')
	p.value(t, in)
	if p.reg(&p.d.Args[3]) != 0 {
		p.pause()
	}
	if out, ok := p.root(offset.Reg, tracefile.AtExit); ok && out.has(t.Size) && p.done() && p.e.Ret != 0 {
		p.s(" => ")
		p.value(t, out)
	}
	p.c(']')
	p.arg(3)
	return true
}

// kexecFlags writes the flags of kexec_load: the architecture, then the others.
func kexecFlags(p *printer, c *syscalls.Consts, v uint64) {
	const arch = 0xffff0000 // KEXEC_ARCH_MASK, include/uapi/linux/kexec.h
	p.consts(c, v&arch)
	if v&^arch != 0 {
		p.c('|')
		p.consts(p.set("kexec_flags"), v&^arch)
	}
}

// fanotifyInit writes the flags of fanotify_init: the class, then the others.
func fanotifyInit(p *printer, c *syscalls.Consts, v uint64) {
	const class = 0xc // FAN_ALL_CLASS_BITS, include/uapi/linux/fanotify.h
	p.consts(p.set("fanotify_classes"), v&class)
	if v&^class != 0 {
		p.c('|')
		p.consts(c, v&^class)
	}
}

// schedPolicy writes a policy and SCHED_RESET_ON_FORK: no negative number is one.
func schedPolicy(p *printer, c *syscalls.Consts, v uint64) {
	if int32(v) < 0 {
		p.hex(v)
		p.valueComment(c, v)
		return
	}
	p.consts(c, v)
}

// nameToHandle writes name_to_handle_at when the handle is not there.
func nameToHandle(p *printer) bool {
	if len(p.d.Args) < 5 {
		return false
	}
	if in, ok := p.root(p.d.Args[2].Reg, tracefile.AtEnter); ok && in.has(8) {
		return false
	}
	p.arg(0)
	p.arg(1)
	for i := 2; i < 4; i++ {
		p.next()
		p.addr(p.reg(&p.d.Args[i]))
	}
	p.arg(4)
	return true
}

// fileHandle writes struct file_handle: the handle itself is no text, and the
// room for it becomes its size.
func fileHandle(p *printer, t *syscalls.Type, in, out view) bool {
	size, kind, handle := fieldOf(t, "handle_bytes"), fieldOf(t, "handle_type"), fieldOf(t, "f_handle")
	if size == nil || kind == nil || handle == nil || !in.has(8) {
		return false
	}
	p.s("{handle_bytes=")
	room := load(in.data, 0, 4)
	p.udec(room)
	v := in
	if p.d.Name == "name_to_handle_at" {
		const overflow = -75 // EOVERFLOW: the room that there should be
		if v = out; !out.has(4) || !p.done() && p.e.Ret != overflow {
			p.c('}')
			return true
		}
		if is := load(out.data, 0, 4); is != room {
			p.s(" => ")
			p.udec(is)
		}
		if !p.done() {
			p.c('}')
			return true
		}
	}
	if !v.has(handle.Off) {
		p.c('}')
		return true
	}
	const maxHandle = 128 // MAX_HANDLE_SZ, include/linux/exportfs.h
	p.s(", handle_type=")
	p.dec(int64(int32(load(v.data, kind.Off, 4))))
	size0 := load(v.data, 0, 4)
	n := int(min(size0, maxHandle))
	data := v.data[handle.Off:]
	p.s(", f_handle=")
	if n > len(data) {
		p.s("???}")
		return true
	}
	p.c('"')
	p.quoteHex(data[:n])
	p.c('"')
	if size0 > maxHandle {
		p.s("...")
	}
	p.c('}')
	return true
}

// futexWaiter writes struct futex_waitv; what is reserved should be 0.
func futexWaiter(p *printer, t *syscalls.Type, v view) bool {
	reserved := fieldOf(t, "__reserved")
	if reserved == nil || !v.has(t.Size) {
		return false
	}
	first := true
	p.c('{')
	for _, name := range []string{"val", "uaddr", "flags"} {
		p.member(t, v, name, &first)
	}
	if load(v.data, reserved.Off, 4) != 0 {
		p.member(t, v, "__reserved", &first)
	}
	p.c('}')
	return true
}

// rseqCPU writes the number of a processor, or why there is none.
func rseqCPU(p *printer, c *syscalls.Consts, v uint64) {
	if c.Has(v) {
		p.styled(func() { p.dec(signExtend(v, 4)) }, func() { p.consts(c, v) })
	} else {
		p.udec(v)
	}
}

// rseq writes struct rseq: members beyond the length that the caller states are
// zero.
func rseq(p *printer, t *syscalls.Type, v view) bool {
	const least = 32 // ORIG_RSEQ_SIZE, kernel/rseq.c
	if v.want < least || len(v.data) < min(v.want, t.Size) {
		p.lost(v)
		return true
	}
	whole := make([]byte, t.Size)
	copy(whole, v.data)
	v.data, v.want = whole, t.Size
	p.structure(t, v)
	return true
}

// readdir writes readdir: the count, which is always 1, only if it is not.
func readdir(p *printer) bool {
	if len(p.d.Args) < 3 {
		return false
	}
	p.arg(0)
	if p.e.Ret == 0 { // the end
		p.next()
		p.pause()
		p.addr(p.reg(&p.d.Args[1]))
	} else {
		p.arg(1)
	}
	if p.reg(&p.d.Args[2]) != 1 {
		p.arg(2)
	}
	return true
}

// oldDirent writes what readdir gives, struct old_linux_dirent (fs/readdir.c):
// d_reclen is the length of the name.
func oldDirent(p *printer, _ *syscalls.Type, v view) {
	w := p.arch.PtrSize()
	name := 2*w + 2
	if !v.has(name) {
		p.lost(v)
		return
	}
	length := load(v.data, 2*w, 2)
	p.s("{d_ino=")
	p.udec(load(v.data, 0, w))
	p.s(", d_off=")
	p.udec(load(v.data, w, w))
	p.s(", d_reclen=")
	p.udec(length)
	p.s(", d_name=")
	const most = 256 // D_NAME_LEN_MAX of strace
	s, ended := trimNUL(v.at(name, int(min(length, most))+1).data)
	p.path(s, !ended)
	p.c('}')
}

// ipcVersion writes what ipc is to do, with the version that stands above it.
func ipcVersion(p *printer, c *syscalls.Consts, v uint64) {
	if version := v >> 16; version != 0 {
		p.udec(version)
		p.s("<<16|")
	}
	numberOrName(p, c, v&0xffff)
}

// numberOrName writes a constant, or a number without a comment.
func numberOrName(p *printer, c *syscalls.Consts, v uint64) {
	if hasValue(c, v) {
		p.consts(c, v)
		return
	}
	p.dec(int64(int32(v)))
}

// decimalOrName writes a constant, or a decimal number that says it is none.
func decimalOrName(p *printer, c *syscalls.Consts, v uint64) {
	if hasValue(c, v) {
		p.consts(c, v)
		return
	}
	p.dec(int64(int32(v)))
	p.valueComment(c, v)
}

// mknod writes mknod and mknodat: only a device file has a device.
func mknod(p *printer) bool {
	n := len(p.d.Args)
	if n < 3 {
		return false
	}
	const format, char, block = 0o170000, 0o020000, 0o060000 // S_IFMT, S_IFCHR, S_IFBLK
	if m := p.reg(&p.d.Args[n-2]) & format; m == char || m == block {
		return false
	}
	for i := range n - 1 {
		p.arg(i)
	}
	return true
}

// mremap writes mremap: a new address counts only where the mapping may move.
func mremap(p *printer) bool {
	const mayMove = 1 // MREMAP_MAYMOVE, include/uapi/linux/mman.h
	if len(p.d.Args) < 5 || p.reg(&p.d.Args[3])&mayMove != 0 {
		return false
	}
	for i := range 4 {
		p.arg(i)
	}
	return true
}

// schedAttr writes struct sched_attr, which says how large it is. What a call
// that sets it is told to keep is not shown.
func schedAttr(p *printer, t *syscalls.Type, v view) bool {
	flags := fieldOf(t, "sched_flags")
	if p.d.Name != "sched_setattr" || flags == nil || !v.has(4) {
		return false
	}
	const (
		first                  = 48         // SCHED_ATTR_SIZE_VER0, include/uapi/linux/sched/types.h
		keepPolicy, keepParams = 0x08, 0x10 // SCHED_FLAG_KEEP_*, include/uapi/linux/sched.h
	)
	size := int(load(v.data, 0, 4))
	has := size
	if has == 0 {
		has = first
	}
	if has = min(has, t.Size); has >= first && !v.has(has) {
		p.lost(v)
		return true
	}
	p.s("{size=")
	p.udec(uint64(size))
	if has < first {
		p.c('}')
		return true
	}
	set := load(v.data, flags.Off, 8)
	begun := false
	for i := range t.Fields {
		f := &t.Fields[i]
		if f.Off+f.Type.Size > has {
			break
		}
		switch f.Name {
		case "size":
			continue
		case "sched_policy":
			if set&(keepPolicy|keepParams) != 0 && int32(load(v.data, f.Off, 4)) >= 0 {
				continue
			}
		case "sched_nice", "sched_priority", "sched_runtime", "sched_deadline", "sched_period":
			if set&keepParams != 0 {
				continue
			}
		}
		p.member(t, v, f.Name, &begun)
	}
	if size > t.Size {
		p.s(", ...")
	}
	p.c('}')
	return true
}

// schedAttrSize writes what sched_setattr is told, and how much the kernel would
// take if that was too much or too little.
func schedAttrSize(p *printer, t *syscalls.Type, in, out view) bool {
	const tooBig = -7 // E2BIG
	p.value(t, in)
	p.pause()
	if p.ended() && p.e.Ret == tooBig && out.has(4) {
		p.s(" => {size=")
		p.udec(load(out.data, 0, 4))
		p.c('}')
	}
	return true
}

// sysctlArgs writes the arguments of _sysctl: the name and the new value only of
// a call that did well.
func sysctlArgs(p *printer, t *syscalls.Type, v view) bool {
	if p.done() || !v.has(t.Size) {
		return false
	}
	p.c('{')
	first := true
	for i := range t.Fields {
		switch f := &t.Fields[i]; {
		case f.Hidden:
		case f.Type.Kind == syscalls.Pointer:
			if !first {
				p.s(", ")
			}
			first = false
			p.s(f.Name)
			p.c('=')
			p.addr(load(v.data, f.Off, p.arch.PtrSize()))
		default:
			p.member(t, v, f.Name, &first)
		}
	}
	p.c('}')
	return true
}
