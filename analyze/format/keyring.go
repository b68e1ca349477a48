package format

import (
	"sysreel/proto/syscalls"
)

// decimalConst writes one of an enumeration whose values without a name are
// decimal: -3 /* KEY_REQKEY_DEFL_??? */.
func decimalConst(p *printer, c *syscalls.Consts, v uint64) {
	if hasValue(c, v) {
		p.consts(c, v)
		return
	}
	p.dec(int64(int32(v)))
	if p.o.Constants != RawConstants {
		p.s(" /* ")
		p.s(c.Prefix)
		p.s("??? */")
	}
}

// keyText writes a description of a key: as much as there was room for, without
// the NUL at its end.
func keyText(p *printer, _ *syscalls.Type, v view) {
	s := v.data
	if n := len(s); n > 0 && s[n-1] == 0 {
		s = s[:n-1]
	}
	p.str(s, len(s), p.o.Strings)
}

// keyCapabilities writes what KEYCTL_CAPABILITIES tells, by bytes.
func keyCapabilities(p *printer, _ *syscalls.Type, v view) {
	p.c('[')
	for i, b := range v.data {
		if i > 0 {
			p.s(", ")
		}
		switch i {
		case 0:
			p.consts(p.set("keyctl_caps0"), uint64(b))
		case 1:
			p.consts(p.set("keyctl_caps1"), uint64(b))
		default:
			p.hex(uint64(b))
		}
	}
	p.c(']')
}

// uringProbe writes struct io_uring_probe (include/uapi/linux/io_uring.h) as it
// was, if there was anything in it, and as the kernel filled it.
func uringProbe(p *printer, _ *syscalls.Type, in, out view) bool {
	if !in.has(in.want) || in.want < 16 {
		return false
	}
	members := (in.want - 16) / 8
	asked := anySet(in.data)
	if asked {
		p.probe(in, members, members)
	}
	if p.pause(); out.buf < 0 {
		if !asked {
			p.lost(in)
		}
		return true
	}
	if asked {
		p.s(" => ")
	}
	p.probe(out, members, int(load(out.data, 1, 1)))
	return true
}

// probe writes the header of struct io_uring_probe and n of its members, for as
// many of which there is room.
func (p *printer) probe(v view, room, n int) {
	header := syscalls.TypeByName(p.arch, "io_uring_probe")
	op := syscalls.TypeByName(p.arch, "io_uring_probe_op")
	if header == nil || op == nil {
		p.lost(v)
		return
	}
	p.c('{')
	p.members("io_uring_probe", v)
	p.s(", ops=[")
	for i := range n {
		if i > 0 {
			p.s(", ")
		}
		at := v.at(header.Size+i*op.Size, op.Size)
		if i >= room || !p.o.Verbose && i >= p.o.Strings || !at.has(op.Size) {
			p.s("...")
			break
		}
		p.value(op, at)
	}
	p.s("]}")
}

// uringWorkers writes how many workers io_uring may have, by their kind, before
// and after.
func uringWorkers(p *printer, _ *syscalls.Type, in, out view) bool {
	if in.want > 0 && !in.has(4) {
		p.lost(in)
		return true
	}
	p.workers(in)
	if p.pause(); in.want == 0 || !in.has(in.want) {
		return true
	}
	p.s(" => ")
	if out.buf < 0 {
		p.lost(in)
	} else {
		p.workers(out)
	}
	return true
}

func (p *printer) workers(v view) {
	kinds := p.set("uring_iowq_acct")
	p.c('[')
	for off := 0; off < v.want; off += 4 {
		if off > 0 {
			p.s(", ")
		}
		at := v.at(off, 4)
		if !p.o.Verbose && off/4 >= p.o.Strings {
			p.s("...")
			break
		}
		if !at.has(4) {
			p.s("... /* ")
			p.hex(at.addr)
			p.s(" */")
			break
		}
		p.c('[')
		decimalConst(p, kinds, uint64(off/4))
		p.s("]=")
		p.udec(load(at.data, 0, 4))
	}
	p.c(']')
}

// longer writes a structure that has to be there whole, and what follows it: a
// newer kernel's members.
func (p *printer) longer(name string, v view) {
	t := syscalls.TypeByName(p.arch, name)
	if t == nil || !v.has(t.Size) || len(v.data) < v.want && v.faulted {
		p.lost(v)
		return
	}
	p.structure(t, v.at(0, t.Size))
	rest := v.data[t.Size:]
	if !anySet(rest) {
		return
	}
	p.b = p.b[:len(p.b)-1] // its brace
	p.s(", /* bytes ")
	p.udec(uint64(t.Size))
	p.s("..")
	p.udec(uint64(v.want - 1))
	p.s(" */ \"")
	p.quoteHex(rest)
	p.s("\"}")
}
