package format

import (
	"net/netip"
	"strings"

	"sysreel/proto/syscalls"
)

// ioctlRequest writes an ioctl request; one without a name by its parts
// (include/uapi/asm-generic/ioctl.h).
func ioctlRequest(p *printer, c *syscalls.Consts, v uint64) {
	v = truncate(v, 4)
	if name := terminalRequests[v]; name != "" && p.onTerminal() {
		p.styled(func() { p.hex(v) }, func() { p.s(name) })
		return
	}
	variable := p.variableRequest(v)
	switch known := c.Has(v); {
	case known && variable:
		p.s(" or ")
		fallthrough
	case known:
		p.consts(c, v)
		return
	case variable:
		return
	}
	p.s("_IOC(")
	p.s([...]string{"_IOC_NONE", "_IOC_WRITE", "_IOC_READ", "_IOC_READ|_IOC_WRITE"}[v>>30])
	for _, part := range [...]uint64{v >> 8 & 0xff, v & 0xff, v >> 16 & 0x3fff} {
		p.s(", ")
		p.hex(part)
	}
	p.c(')')
}

// terminalRequests are those of terminals that are others of sound devices
// (include/uapi/asm-generic/ioctls.h, include/uapi/linux/soundcard.h).
var terminalRequests = map[uint64]string{0x5402: "TCSETS", 0x5403: "TCSETSW", 0x5404: "TCSETSF"}

// onTerminal tells whether the call's descriptor is known to be a terminal.
func (p *printer) onTerminal() bool {
	t, ok := p.names.(Terminals)
	return ok && t.Terminal(int32(p.e.Args[0]))
}

// variableRequest is a request, or a row of them, whose size is that of a buffer
// and no part of its name.
type variableRequest struct {
	dirs        string // the directions there are: "r", "w", "rw" for both at once
	kind        byte
	first, last byte
	name        string
	set         string // of what the number stands for
	plain       bool   // the size is not written
}

// variableRequests are those of include/uapi/linux/input.h, hidraw.h, hiddev.h,
// soundcard.h, uinput.h, joystick.h and spi/spidev.h.
var variableRequests = [...]variableRequest{
	{dirs: "r", kind: 'E', first: 0x06, last: 0x06, name: "EVIOCGNAME"},
	{dirs: "r", kind: 'E', first: 0x07, last: 0x07, name: "EVIOCGPHYS"},
	{dirs: "r", kind: 'E', first: 0x08, last: 0x08, name: "EVIOCGUNIQ"},
	{dirs: "r", kind: 'E', first: 0x09, last: 0x09, name: "EVIOCGPROP"},
	{dirs: "r", kind: 'E', first: 0x0a, last: 0x0a, name: "EVIOCGMTSLOTS"},
	{dirs: "r", kind: 'E', first: 0x18, last: 0x18, name: "EVIOCGKEY"},
	{dirs: "r", kind: 'E', first: 0x19, last: 0x19, name: "EVIOCGLED"},
	{dirs: "r", kind: 'E', first: 0x1a, last: 0x1a, name: "EVIOCGSND"},
	{dirs: "r", kind: 'E', first: 0x1b, last: 0x1b, name: "EVIOCGSW"},
	{dirs: "r", kind: 'E', first: 0x20, last: 0x3f, name: "EVIOCGBIT", set: "evdev_types"},
	{dirs: "r", kind: 'E', first: 0x40, last: 0x7f, name: "EVIOCGABS", set: "evdev_abs", plain: true},
	{dirs: "w", kind: 'E', first: 0xc0, last: 0xff, name: "EVIOCSABS", set: "evdev_abs", plain: true},
	{dirs: "r", kind: 'H', first: 0x04, last: 0x04, name: "HIDIOCGRAWNAME"},
	{dirs: "r", kind: 'H', first: 0x05, last: 0x05, name: "HIDIOCGRAWPHYS"},
	{dirs: "r", kind: 'H', first: 0x06, last: 0x06, name: "HIDIOCSFEATURE"},
	{dirs: "rw", kind: 'H', first: 0x06, last: 0x06, name: "HIDIOCSFEATURE"},
	{dirs: "rw", kind: 'H', first: 0x07, last: 0x07, name: "HIDIOCGFEATURE"},
	{dirs: "r", kind: 'H', first: 0x08, last: 0x08, name: "HIDIOCGRAWUNIQ"},
	{dirs: "r", kind: 'H', first: 0x12, last: 0x12, name: "HIDIOCGPHYS"},
	{dirs: "w", kind: 'M', first: 0x00, last: 0xff, name: "MIXER_WRITE", plain: true},
	{dirs: "r", kind: 'M', first: 0x00, last: 0xff, name: "MIXER_READ", plain: true},
	{dirs: "r", kind: 'U', first: 0x2c, last: 0x2c, name: "UI_GET_SYSNAME"},
	{dirs: "r", kind: 'j', first: 0x13, last: 0x13, name: "JSIOCGNAME"},
	{dirs: "w", kind: 'k', first: 0x00, last: 0x00, name: "SPI_IOC_MESSAGE"},
}

// variableRequest writes a request of one of variableRequests with what varies:
// EVIOCGNAME(256).
func (p *printer) variableRequest(v uint64) bool {
	dir, size, kind, nr := [...]string{"", "w", "r", "rw"}[v>>30], v>>16&0x3fff, byte(v>>8), byte(v)
	for i := range variableRequests {
		r := &variableRequests[i]
		if r.kind != kind || r.dirs != dir || nr < r.first || nr > r.last {
			continue
		}
		p.s(r.name)
		p.c('(')
		switch n := uint64(nr - r.first); {
		case r.set != "":
			p.consts(p.set(r.set), n)
		case r.plain:
			p.udec(n)
		}
		if !r.plain {
			if r.set != "" {
				p.s(", ")
			}
			p.udec(size)
		}
		p.c(')')
		return true
	}
	return false
}

// personality writes a personality; all ones only ask for it.
func personality(p *printer, c *syscalls.Consts, v uint64) {
	if v == 0xffffffff {
		p.hex(v)
		return
	}
	p.inParts(c, v, 0xff) // PER_MASK, include/uapi/linux/personality.h
}

// inParts writes flags of which those of a mask are a number: of numbers they
// stand for themselves, and the others behind them.
func (p *printer) inParts(c *syscalls.Consts, v, mask uint64) {
	if p.o.Constants == Abbreviated || v&^mask == 0 {
		p.consts(c, v)
		return
	}
	p.consts(c, v&mask)
	p.c('|')
	p.styledConsts(v&^mask, strings.TrimPrefix(c.Format(v&^mask), c.Format(0)+"|"))
}

// statxFlags writes the flags of statx; of bare numbers there is none for
// AT_STATX_SYNC_AS_STAT, which is 0.
func statxFlags(p *printer, c *syscalls.Consts, v uint64) {
	const sync = 0x6000 // AT_STATX_SYNC_TYPE, include/uapi/linux/fcntl.h
	if p.o.Constants == RawConstants && v&sync == 0 {
		if v != 0 {
			p.c('|')
			p.hex(v)
		}
		return
	}
	p.inParts(c, v, sync)
}

// socketType writes the type of a socket and flags.
func socketType(p *printer, c *syscalls.Consts, v uint64) {
	const kind = 0xf // SOCK_TYPE_MASK, include/linux/net.h
	if c.Has(v & kind) {
		p.inParts(c, v, kind)
	} else {
		p.consts(c, v)
	}
}

// mmapFlags writes the flags of mmap, whose number is that of all together.
func mmapFlags(p *printer, c *syscalls.Consts, v uint64) {
	p.styled(func() { p.hex(v) }, func() { p.consts(c, v) })
}

// fanotifyMark writes fanotify_mark: no directory is FAN_NOFD, not AT_FDCWD.
func fanotifyMark(p *printer) bool {
	const noFD = -1
	for i := range p.d.Args {
		if a := &p.d.Args[i]; a.Type.Name == "dirfd" && int32(p.reg(a)) == noFD {
			p.next()
			p.styled(func() { p.dec(noFD) }, func() { p.s("FAN_NOFD") })
			continue
		}
		p.arg(i)
	}
	return true
}

// scsiReset writes what SG_SCSI_RESET is to reset.
func scsiReset(p *printer, c *syscalls.Consts, v uint64) {
	const noEscalate = 0x100 // SG_SCSI_RESET_NO_ESCALATE, include/scsi/sg.h
	if v&noEscalate != 0 {
		p.consts(c, noEscalate)
		p.c('|')
	}
	p.consts(c, v&^noEscalate)
}

// bare writes a structure of one member as that member alone.
func bare(p *printer, t *syscalls.Type, v view) bool {
	if len(t.Fields) == 0 || !v.has(t.Size) {
		return false
	}
	p.value(t.Fields[0].Type, v)
	return true
}

// cpuid writes struct kvm_cpuid2: what a processor can do only with -v.
func cpuid(p *printer, t *syscalls.Type, v view) bool {
	if p.o.Verbose || !v.has(4) || load(v.data, 0, 4) == 0 {
		return false
	}
	first := true
	p.c('{')
	p.member(t, v, "nent", &first)
	p.s(", entries=[...]}")
	return true
}

// ipv6Mreq writes struct ipv6_mreq.
func ipv6Mreq(p *printer, t *syscalls.Type, v view) bool {
	if !v.has(t.Size) || t.Size < 20 {
		return false
	}
	p.s(`{inet_pton(AF_INET6, "`)
	p.b = netip.AddrFrom16([16]byte(v.data[:16])).AppendTo(p.b)
	p.s(`", &ipv6mr_multiaddr), ipv6mr_interface=`)
	p.dec(signExtend(load(v.data, 16, 4), 4))
	p.c('}')
	return true
}

// fiemap writes FS_IOC_FIEMAP: the question, then what the kernel found.
func fiemap(p *printer, t *syscalls.Type, in, out view) bool {
	const header = 32 // include/uapi/linux/fiemap.h
	if !in.has(header) {
		return false
	}
	first := true
	p.c('{')
	for _, name := range []string{"fm_start", "fm_length", "fm_flags", "fm_extent_count"} {
		p.member(t, in, name, &first)
	}
	p.c('}')
	p.pause()
	if !out.has(header) || !p.done() {
		return true
	}
	first = true
	p.s(" => {")
	p.member(t, out, "fm_flags", &first)
	p.member(t, out, "fm_mapped_extents", &first)
	if f := fieldOf(t, "fm_extents"); p.o.Verbose && f != nil && f.Type.Elem != nil && f.Type.Elem.Size > 0 {
		p.s(", fm_extents=")
		n := int(min(load(out.data, 20, 4), load(out.data, 24, 4), 1<<20)) // mapped, room
		if n == 0 {
			p.s("[]")
		} else {
			p.array(f.Type, out.at(header, n*f.Type.Elem.Size))
		}
	} else {
		p.s(", ...")
	}
	p.c('}')
	return true
}

// ifconf writes SIOCGIFCONF: how much room there is, how much was filled, and
// with what (struct ifconf in include/uapi/linux/if.h).
func ifconf(p *printer, t *syscalls.Type, in, out view) bool {
	w := p.arch.PtrSize()
	if !in.has(2 * w) {
		return false
	}
	const nameSize = 16 // IFNAMSIZ
	unit := nameSize + 16
	if w == 8 {
		unit += 8 // union ifr_ifru has an ifmap, with longs
	}
	length := func(v view) int64 {
		n := signExtend(load(v.data, 0, 4), 4)
		p.s("ifc_len=")
		p.dec(n)
		if n > 0 && n%int64(unit) == 0 {
			p.s(" /* ")
			p.dec(n / int64(unit))
			p.s(" * sizeof(struct ifreq) */")
		}
		return n
	}
	addr := load(in.data, w, w)
	p.c('{')
	defer p.c('}')
	was := length(in)
	if addr != 0 {
		p.pause()
	}
	if !out.has(2*w) || !p.done() {
		p.s(", ifc_buf=")
		p.addr(addr)
		return true
	}
	if is := signExtend(load(out.data, 0, 4), 4); is != was || addr == 0 {
		if is != was {
			n := len(p.b)
			length(out)
			p.b = append(p.b[:n], append([]byte(" => "), p.b[n+len("ifc_len="):]...)...)
		}
	}
	p.s(", ifc_buf=")
	buf, ok := p.child(out, w, phaseOf(syscalls.Out))
	if addr == 0 || !ok || buf.faulted && !buf.has(unit) {
		p.addr(addr)
		return true
	}
	p.c('[')
	for off := 0; off+unit <= buf.want; off += unit {
		if off > 0 {
			p.s(", ")
		}
		if !buf.has(off+unit) || !p.o.Verbose && off/unit >= p.o.Strings {
			p.s("...")
			break
		}
		name, ended := trimNUL(buf.data[off : off+nameSize])
		p.s("{ifr_name=")
		p.path(name, !ended)
		p.s(", ifr_addr=")
		sockaddr(p, nil, buf.at(off+nameSize, 16))
		p.c('}')
	}
	p.c(']')
	return true
}

// faultAPI writes UFFDIO_API: which features of userfaultfd are asked for, then
// which there are.
func faultAPI(p *printer, t *syscalls.Type, in, out view) bool {
	features := fieldOf(t, "features")
	if features == nil || !in.has(t.Size) || !out.has(t.Size) || !p.done() {
		return false
	}
	const size = 8
	if load(in.data, features.Off, size) == load(out.data, features.Off, size) {
		return false
	}
	first := true
	p.c('{')
	p.member(t, in, "api", &first)
	p.member(t, in, "features", &first)
	p.pause()
	p.s(" => ")
	first = true
	p.member(t, out, "features", &first)
	p.member(t, out, "ioctls", &first)
	p.c('}')
	return true
}
