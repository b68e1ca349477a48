package format

import "sysreel/proto/syscalls"

// The ioctls of consoles and input devices (include/uapi/linux/kd.h,
// keyboard.h, input.h).

// clockTickRate is that of the timer which makes a PC's beeps, in Hz
// (arch/x86/include/asm/timex.h).
const clockTickRate = 1193180

// char writes a character constant: 'a', '\n', '\x80'.
func (p *printer) char(c byte) {
	p.c('\'')
	switch {
	case c == '\'' || c == '\\':
		p.c('\\')
		p.c(c)
	case c >= ' ' && c < 0x7f:
		p.c(c)
	case c >= '\t' && c <= '\r':
		p.c('\\')
		p.c("tnvfr"[c-'\t'])
	default:
		p.quoteHex([]byte{c})
	}
	p.c('\'')
}

// keycode writes a scan code and the key it stands for.
func keycode(p *printer, t *syscalls.Type, v view) {
	if !v.has(8) {
		p.lost(v)
		return
	}
	p.c('[')
	p.udec(load(v.data, 0, 4))
	p.s(", ")
	p.consts(t.Consts, load(v.data, 4, 4))
	p.c(']')
}

// keyTable writes which modifiers a table of keys is for.
func keyTable(p *printer, _ *syscalls.Type, v view) {
	n := load(v.data, 0, 1)
	if c := p.set("kd_key_tables"); c != nil && hasValue(c, n) {
		p.consts(c, n)
		return
	}
	p.consts(p.set("kd_key_modifiers"), n)
}

// keyFunc writes a function key by its number.
func keyFunc(p *printer, _ *syscalls.Type, v view) {
	n := load(v.data, 0, 1)
	const ktFn = 1
	if c := p.set("kd_keysyms"); c != nil && hasValue(c, ktFn<<8|n) {
		p.s("KVAL(")
		p.consts(c, ktFn<<8|n)
		p.c(')')
		return
	}
	p.udec(n)
}

// keysym writes what a key means: a kind and a value.
func keysym(p *printer, _ *syscalls.Type, v view) {
	n := load(v.data, 0, 2)
	const (
		ktLatin  = 0
		ktMeta   = 8
		ktLetter = 11
	)
	p.hex(n)
	p.s(" /* ")
	defer p.s(" */")
	if c := p.set("kd_keysyms"); c != nil && hasValue(c, n) {
		p.consts(c, n)
		return
	}
	p.s("K(")
	kind := n >> 8
	if c := p.set("kd_key_types"); c != nil && hasValue(c, kind) {
		p.consts(c, kind)
	} else {
		p.hex(kind)
	}
	p.s(", ")
	if kind == ktLatin || kind == ktMeta || kind == ktLetter {
		p.char(byte(n))
	} else {
		p.hex(n & 0xff)
	}
	p.c(')')
}

// consoleSound writes the argument of KIOCSOUND, the period of a tone.
func consoleSound(p *printer, _ *syscalls.Type, v view) {
	n := load(v.data, 0, p.arch.PtrSize())
	p.udec(n)
	if n > 0 && n <= clockTickRate {
		p.s(" /* ")
		p.udec(clockTickRate / n)
		p.s(" Hz */")
		return
	}
	p.s(" /* off */")
}

// consoleTone writes the argument of KDMKTONE, a period and a duration.
func consoleTone(p *printer, _ *syscalls.Type, v view) {
	n := load(v.data, 0, p.arch.PtrSize())
	ms, period := n>>16&0xffff, n&0xffff
	if ms > 0 {
		p.udec(ms)
		p.s("<<16|")
	}
	p.udec(period)
	if ms == 0 || period == 0 {
		p.s(" /* off */")
		return
	}
	p.s(" /* ")
	p.udec(clockTickRate / period)
	p.s(" Hz, ")
	p.udec(ms)
	p.s(" ms */")
}

// hardwareAddr writes sa_data of a struct sockaddr whose sa_family is a kind of
// hardware: as many bytes as that kind has.
func hardwareAddr(p *printer, _ *syscalls.Type, v view) {
	n := len(v.data)
	if v.buf >= 0 && v.off >= 2 && v.off <= len(p.e.Bufs[v.buf].Data) {
		if size, ok := hardwareSizes[load(p.e.Bufs[v.buf].Data, v.off-2, 2)]; ok {
			n = min(n, size)
		}
	}
	for i, c := range v.data[:n] {
		if i > 0 {
			p.c(':')
		}
		p.b = append(p.b, hexDigits[c>>4], hexDigits[c&15])
	}
}

// hardwareSizes are the lengths of the addresses of kinds of hardware
// (ARPHRD_ in include/uapi/linux/if_arp.h).
var hardwareSizes = map[uint64]int{
	0: 7, 1: 6, 3: 7, 6: 6, 7: 1, 15: 2, 24: 8, 32: 20, // NETROM ETHER AX25 IEEE802 ARCNET DLCI EUI64 INFINIBAND
	270: 5, 271: 5, 768: 4, 772: 6, 773: 1, 774: 6, // ROSE X25 TUNNEL LOOPBACK LOCALTLK FDDI
	776: 4, 777: 4, 778: 4, 779: 4, 780: 6, 783: 4, // SIT IPDDP IPGRE PIMREG HIPPI IRDA
	801: 6, 802: 6, 803: 6, 804: 8, 805: 8, // IEEE80211, its PRISM and RADIOTAP, IEEE802154, its MONITOR
	820: 1, 821: 1, 822: 1, 825: 8, 826: 8, 290: 1, // PHONET PHONET_PIPE CAIF 6LOWPAN VSOCKMON MCTP
}

// unicodeChar writes a character of a console's font map: those from
// UNI_DIRECT_BASE on stand for the font's own places.
func unicodeChar(p *printer, _ *syscalls.Type, v view) {
	const base, mask = 0xf000, 0x01ff // UNI_DIRECT_BASE, UNI_DIRECT_MASK
	n := load(v.data, 0, 2)
	if n&^mask == base {
		p.s("UNI_DIRECT_BASE+")
		n &= mask
	}
	p.hex(n)
}

// fontMap writes struct unimapdesc: of GIO_UNIMAP how many entries there is room
// for, how many there are, and the entries.
func fontMap(p *printer, t *syscalls.Type, in, out view) bool {
	entries := fieldOf(t, "entries")
	if entries == nil || !in.has(t.Size) || p.d.Args[2].Type.Dir != syscalls.InOut {
		return false
	}
	p.s("{entry_ct=")
	room := load(in.data, 0, 2)
	p.udec(room)
	p.pause()
	if !p.done() || !out.has(t.Size) {
		p.s(", entries=")
		p.addr(load(in.data, entries.Off, p.arch.PtrSize()))
		p.c('}')
		return true
	}
	if n := load(out.data, 0, 2); n != room {
		p.s(" => ")
		p.udec(n)
	}
	first := false
	p.member(t, out, "entries", &first)
	p.c('}')
	return true
}
