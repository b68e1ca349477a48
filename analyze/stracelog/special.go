package stracelog

import (
	"bytes"
	"net/netip"

	"sysreel/analyze/format"
	"sysreel/proto/syscalls"
)

// quoted reads a string with its escapes. Of text the NUL that strace does not
// show is added, unless the string was cut.
func (c *encoder) quoted(text bool) (data []byte, cut, ok bool) {
	if !c.eat(`"`) {
		return nil, false, false
	}
	end := bytes.IndexByte(c.b[c.pos:], '"')
	if end < 0 {
		return nil, false, false
	}
	raw := c.b[c.pos:]
	if esc := bytes.IndexByte(raw[:end], '\\'); esc < 0 {
		data = c.mem.take(end + 1)
		copy(data, raw[:end])
		data = data[:end]
		c.pos += end + 1
		c.clear = c.clear || end > 0
	} else if data, ok = c.escaped(); !ok {
		return nil, false, false
	}
	if cut = c.eat("..."); text && !cut {
		data = data[:len(data)+1]
		data[len(data)-1] = 0
	}
	return data, cut, true
}

// escaped reads a string with escapes up to its closing quote. Behind the data it
// leaves room for a NUL.
func (c *encoder) escaped() ([]byte, bool) {
	b, i := c.b, c.pos
	stop := i
	for ; stop < len(b) && b[stop] != '"'; stop++ {
		if b[stop] == '\\' {
			stop++
		}
	}
	if stop >= len(b) {
		return nil, false
	}
	out := c.mem.take(stop - i + 1)
	n := 0
	for i < stop {
		ch := b[i]
		i++
		if ch != '\\' {
			out[n], n = ch, n+1
			c.clear = true
			continue
		}
		ch = b[i]
		i++
		switch ch {
		case 'n':
			ch = '\n'
		case 't':
			ch = '\t'
		case 'r':
			ch = '\r'
		case 'v':
			ch = '\v'
		case 'f':
			ch = '\f'
		case 'a':
			ch = '\a'
		case 'b':
			ch = '\b'
		case 'x':
			v, k := byte(0), 0
			for ; k < 2 && i < stop && digit(b[i]) < 16; k++ {
				v, i = v<<4|digit(b[i]), i+1
			}
			if k == 0 {
				return nil, false
			}
			out[n], n = v, n+1
			c.hexed = true
			continue
		case '0', '1', '2', '3', '4', '5', '6', '7':
			v := int(ch - '0')
			for k := 1; k < 3 && i < stop && b[i] >= '0' && b[i] <= '7'; k++ {
				v, i = v<<3|int(b[i]-'0'), i+1
			}
			ch = byte(v)
		}
		c.clear = true
		out[n], n = ch, n+1
	}
	c.pos = stop + 1
	return out[:n], true
}

// blobs read what has no fixed size, by the names of types.
var blobs map[string]func(c *encoder) ([]byte, bool)

// specials read types that the table only names into memory of their size.
var specials map[string]func(c *encoder, mem []byte) bool

func init() {
	blobs = map[string]func(c *encoder) ([]byte, bool){
		"sockaddr": (*encoder).sockaddr,
		"sigset": func(c *encoder) ([]byte, bool) {
			mem := c.mem.take(8)
			return mem, c.sigset(mem)
		},
		"fdset":   (*encoder).bitset,
		"cpuset":  (*encoder).bitset,
		"netlink": (*encoder).plain,
	}
	set := func(name string) func(c *encoder, mem []byte) bool {
		return func(c *encoder, mem []byte) bool {
			v, ok := c.consts(syscalls.ConstSet(c.arch, name))
			store(mem, v)
			return ok
		}
	}
	specials = map[string]func(c *encoder, mem []byte) bool{
		"wait_status": (*encoder).waitStatus,
		"st_mode":     (*encoder).fileMode,
		"kdev":        (*encoder).dev,
		"kdev64":      (*encoder).dev,
		"sigset8":     (*encoder).sigset,
		"sigset4":     (*encoder).sigset,
		"old_sigset":  (*encoder).sigset,
		"sighandler":  (*encoder).sighandler,
		"rlim":        (*encoder).rlim,
		"rlim64":      (*encoder).rlim,
		"utimespec":   (*encoder).utimespec,
		"utimespec64": (*encoder).utimespec,
		"cap_bits":    set("cap"),
		"siginfo":     (*encoder).siginfo,
		"in_addr":     (*encoder).inet,
	}
}

// plain reads bytes that no code decodes.
func (c *encoder) plain() ([]byte, bool) {
	data, cut, ok := c.quoted(false)
	return data, ok && !cut
}

// sockaddr reads {sa_family=AF_INET, ...}.
func (c *encoder) sockaddr() ([]byte, bool) {
	if !c.eat("{sa_family=") {
		return nil, false
	}
	family, ok := c.consts(syscalls.ConstSet(c.arch, "address_family"))
	if !ok {
		return nil, false
	}
	mem := c.mem.take(28)
	store(mem[:2], family)
	switch {
	case c.eat("}"):
		return mem[:2], true
	case c.eat(", sun_path="):
		abstract := c.eat("@")
		path, cut, ok := c.quoted(!abstract)
		if !ok || cut {
			return nil, false
		}
		mem = append(mem[:2:2], 0)
		if !abstract {
			mem = mem[:2]
		}
		mem = append(mem, path...)
		return mem, c.eat("}")
	case c.eat(", sin_port=htons("):
		if !c.port(mem[2:4]) || !c.eat(", sin_addr=") || !c.inet(mem[4:8]) {
			return nil, false
		}
		return mem[:16], c.eat("}")
	case c.eat(", sin6_port=htons("):
		if !c.port(mem[2:4]) || !c.eat(", sin6_flowinfo=htonl(") {
			return nil, false
		}
		flow, ok := c.number()
		if !ok || !c.eat(`), inet_pton(AF_INET6, "`) {
			return nil, false
		}
		mem[4], mem[5], mem[6], mem[7] = byte(flow>>24), byte(flow>>16), byte(flow>>8), byte(flow)
		addr, ok := c.ip()
		if !ok || !addr.Is6() || !c.eat(`", &sin6_addr)`) {
			return nil, false
		}
		a := addr.As16()
		copy(mem[8:24], a[:])
		if !c.eat(", sin6_scope_id=") {
			return mem[:24], c.eat("}")
		}
		scope, ok := c.number()
		store(mem[24:28], scope)
		return mem, ok && c.eat("}")
	case c.eat(", nl_pid="):
		pid, ok := c.number()
		if !ok || !c.eat(", nl_groups=") {
			return nil, false
		}
		store(mem[4:8], pid)
		var groups uint64
		for c.pos < len(c.b) && digit(c.b[c.pos]) < 16 {
			groups = groups<<4 | uint64(digit(c.b[c.pos]))
			c.pos++
		}
		store(mem[8:12], groups)
		return mem[:12], c.eat("}")
	case c.eat(", sa_data="):
		data, cut, ok := c.quoted(false)
		return append(mem[:2:2], data...), ok && !cut && c.eat("}")
	}
	return nil, false
}

// port reads a port and the closing parenthesis.
func (c *encoder) port(mem []byte) bool {
	n, ok := c.number()
	mem[0], mem[1] = byte(n>>8), byte(n)
	return ok && c.eat(")")
}

// ip reads an address up to a quote.
func (c *encoder) ip() (netip.Addr, bool) {
	end := bytes.IndexByte(c.b[c.pos:], '"')
	if end < 0 || end > 64 {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(string(c.b[c.pos : c.pos+end]))
	c.pos += end
	return a, err == nil
}

// inet reads inet_addr("127.0.0.1").
func (c *encoder) inet(mem []byte) bool {
	if !c.eat(`inet_addr("`) {
		return false
	}
	addr, ok := c.ip()
	if !ok || !addr.Is4() || !c.eat(`")`) {
		return false
	}
	a := addr.As4()
	copy(mem, a[:])
	return true
}

// sigset reads [INT CHLD] and ~[KILL STOP].
func (c *encoder) sigset(mem []byte) bool {
	not := c.eat("~")
	if !c.eat("[") {
		return false
	}
	var set uint64
	for first := true; !c.eat("]"); first = false {
		if !first && !c.eat(" ") {
			return false
		}
		n := signo(c.token())
		if n < 1 || n > 64 {
			return false
		}
		set |= 1 << (n - 1)
	}
	if not {
		set = ^set
	}
	store(mem, set)
	return true
}

// bitset reads [3 4].
func (c *encoder) bitset() ([]byte, bool) {
	if !c.eat("[") {
		return nil, false
	}
	mem := c.mem.take(8)
	for first := true; !c.eat("]"); first = false {
		if !first && !c.eat(" ") {
			return nil, false
		}
		n, ok := c.fd()
		if !ok || n > 1<<16 {
			return nil, false
		}
		for int(n/8) >= len(mem) {
			mem = append(mem, make([]byte, 8)...)
		}
		mem[n/8] |= 1 << (n % 8)
	}
	return mem, true
}

// waitStatus reads {WIFEXITED(s) && WEXITSTATUS(s) == 0}.
func (c *encoder) waitStatus(mem []byte) bool {
	var s uint64
	switch {
	case c.eat("{WIFCONTINUED(s)}"):
		s = 0xffff
	case c.eat("{WIFEXITED(s) && WEXITSTATUS(s) == "):
		n, ok := c.number()
		if !ok || !c.eat("}") {
			return false
		}
		s = n << 8
	case c.eat("{WIFSIGNALED(s) && WTERMSIG(s) == "):
		if s = uint64(signo(c.token())); s == 0 {
			return false
		}
		if c.eat(" && WCOREDUMP(s)") {
			s |= 0x80
		}
		if !c.eat("}") {
			return false
		}
	case c.eat("{WIFSTOPPED(s) && WSTOPSIG(s) == "):
		if s = uint64(signo(c.token())); s == 0 {
			return false
		}
		if c.eat(" | 0x80") {
			s |= 0x80
		}
		s = s<<8 | 0x7f
		if !c.eat("}") {
			return false
		}
		if c.eat(" | ") {
			event, ok := c.consts(syscalls.ConstSet(c.arch, "ptrace_events"))
			if !ok || !c.eat(" << 16") {
				return false
			}
			s |= event << 16
		}
	default:
		return false
	}
	store(mem, s)
	return true
}

// fileMode reads S_IFREG|0644.
func (c *encoder) fileMode(mem []byte) bool {
	var v uint64
	for {
		if b := c.peek(); b >= '0' && b <= '9' {
			n, ok := c.number()
			if !ok {
				return false
			}
			v |= n
		} else {
			switch string(c.token()) {
			case "S_IFIFO":
				v |= 0o010000
			case "S_IFCHR":
				v |= 0o020000
			case "S_IFDIR":
				v |= 0o040000
			case "S_IFBLK":
				v |= 0o060000
			case "S_IFREG":
				v |= 0o100000
			case "S_IFLNK":
				v |= 0o120000
			case "S_IFSOCK":
				v |= 0o140000
			case "S_ISUID":
				v |= 0o4000
			case "S_ISGID":
				v |= 0o2000
			case "S_ISVTX":
				v |= 0o1000
			default:
				return false
			}
		}
		if !c.eat("|") {
			store(mem, v)
			return true
		}
	}
}

// dev reads makedev(0x8, 0x1) (new_encode_dev in include/linux/kdev_t.h).
func (c *encoder) dev(mem []byte) bool {
	if !c.eat("makedev(") {
		return false
	}
	major, ok := c.number()
	if !ok || !c.eat(", ") {
		return false
	}
	minor, ok := c.number()
	store(mem, minor&0xff|major&0xfff<<8|minor&^0xff<<12|major&^0xfff<<32)
	return ok && c.eat(")")
}

func (c *encoder) sighandler(mem []byte) bool {
	switch {
	case c.eat("SIG_DFL"):
	case c.eat("SIG_IGN"):
		mem[0] = 1
	case c.eat("SIG_ERR"):
		store(mem, 1<<64-1)
	default:
		v, ok := c.number()
		store(mem, v)
		return ok
	}
	return true
}

// rlim reads 8192*1024 and RLIM_INFINITY.
func (c *encoder) rlim(mem []byte) bool {
	if c.eat("RLIM64_INFINITY") || c.eat("RLIM_INFINITY") {
		store(mem, 1<<64-1)
		return true
	}
	v, ok := c.number()
	if c.eat("*1024") {
		v *= 1024
	}
	store(mem, v)
	return ok
}

// utimespec reads a time of utimensat (include/linux/stat.h).
func (c *encoder) utimespec(mem []byte) bool {
	w := len(mem) / 2
	switch {
	case c.eat("UTIME_NOW"):
		store(mem[w:], 1<<30-1)
		return true
	case c.eat("UTIME_OMIT"):
		store(mem[w:], 1<<30-2)
		return true
	case !c.eat("{tv_sec="):
		return false
	}
	sec, ok := c.number()
	if !ok || !c.eat(", tv_nsec=") {
		return false
	}
	nsec, ok := c.number()
	store(mem[:w], sec)
	store(mem[w:], nsec)
	if !ok || !c.eat("}") {
		return false
	}
	c.comment()
	return true
}

// epollData reads 0x5, or {u32=5, u64=5} as strace wrote it before 7.
func (c *encoder) epollData(mem []byte) bool {
	if !c.eat("{u32=") {
		v, ok := c.number()
		store(mem, v)
		return ok
	}
	if _, ok := c.number(); !ok || !c.eat(", u64=") {
		return false
	}
	v, ok := c.number()
	store(mem, v)
	return ok && c.eat("}")
}

// siginfo reads {si_signo=SIGCHLD, si_code=CLD_EXITED, ...}: the common members
// of siginfo_t (include/uapi/asm-generic/siginfo.h), 64-bit layout.
func (c *encoder) siginfo(mem []byte) bool {
	const union = 16
	if len(mem) < 48 || !c.eat("{si_signo=") {
		return false
	}
	sig := signo(c.token())
	if sig == 0 || !c.eat(", si_code=") {
		return false
	}
	store(mem[:4], uint64(sig))
	code, ok := c.siCode(sig)
	if !ok {
		return false
	}
	store(mem[8:12], code)
	for !c.eat("}") {
		if !c.eat(", ") {
			return false
		}
		name := string(c.token())
		if !c.eat("=") {
			return false
		}
		at, size := 0, 4
		switch name {
		case "si_pid":
			at = union
		case "si_uid":
			at = union + 4
		case "si_status", "si_int":
			at = union + 8
		case "si_utime":
			at, size = union+16, 8
		case "si_stime":
			at, size = union+24, 8
		case "si_ptr":
			at, size = union+8, 8
		case "si_addr":
			at, size = union, 8
		case "si_errno":
			at = 4
		default:
			return false
		}
		var v uint64
		switch b := c.peek(); {
		case b == 'S':
			v = uint64(signo(c.token()))
		case b == 'E':
			n, _ := syscalls.ErrnoByName(string(c.token()))
			v = uint64(n)
		default:
			if v, ok = c.address(); !ok {
				return false
			}
			if c.peek() == '<' {
				c.pos += format.ScanName(c.b[c.pos:])
			}
		}
		store(mem[at:at+size], v)
	}
	return true
}
