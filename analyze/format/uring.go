package format

import "sysreel/proto/syscalls"

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

// uringResources writes a structure that has to be there whole, and what follows
// it: a newer kernel's members.
func uringResources(p *printer, t *syscalls.Type, v view) bool {
	if !v.has(t.Size) {
		p.lost(v)
		return true
	}
	p.structure(t, v.at(0, t.Size))
	size := min(v.want, maxGrown)
	if !anySet(v.data[t.Size:]) {
		return true
	}
	p.b = p.b[:len(p.b)-1] // its brace
	p.s(", /* bytes ")
	p.udec(uint64(t.Size))
	p.s("..")
	p.udec(uint64(size - 1))
	p.s(" */ ")
	p.hexBytes(v.at(t.Size, size-t.Size))
	p.c('}')
	return true
}

// registeredRing is the bit of io_uring_register's opcode that says that its
// descriptor is an index (IORING_REGISTER_USE_REGISTERED_RING).
const registeredRing = 1 << 31

// uringRegister writes io_uring_register of a ring that is not a descriptor.
func uringRegister(p *printer) bool {
	if p.e.Args[1]&registeredRing == 0 {
		return false
	}
	p.next()
	p.udec(truncate(p.e.Args[0], 4))
	for i := 1; i < len(p.d.Args); i++ {
		p.arg(i)
	}
	return true
}

func uringOpcode(p *printer, c *syscalls.Consts, v uint64) {
	p.consts(c, v&^registeredRing)
	if v&registeredRing != 0 {
		p.c('|')
		p.styled(func() { p.hex(registeredRing) }, func() { p.s("IORING_REGISTER_USE_REGISTERED_RING") })
	}
}

// uringRestriction writes what is restricted; of what is not known a comment
// says which operation.
func uringRestriction(p *printer, t *syscalls.Type, v view) bool {
	f := fieldOf(t, "opcode")
	if f == nil || !v.has(t.Size) || hasValue(f.Type.Consts, load(v.data, f.Off, f.Type.Size)) {
		return false
	}
	first := true
	p.c('{')
	p.member(t, v, f.Name, &first)
	p.s(" /* op: ")
	p.hex(load(v.data, 2, 1))
	p.s(" */")
	for _, name := range []string{"resv", "resv2"} {
		if f := fieldOf(t, name); f != nil && anySet(v.at(f.Off, f.Type.Size).data) {
			p.member(t, v, name, &first)
		}
	}
	p.c('}')
	return true
}

// uringEntry writes an entry of a submission ring; those of some operations are
// followed by a command.
func uringEntry(p *printer, t *syscalls.Type, v view) bool {
	const nop128, cmd128 = 63, 64 // IORING_OP_NOP128, IORING_OP_URING_CMD128
	if !v.has(t.Size) {
		p.lost(v)
		return true
	}
	p.structure(t, v.at(0, t.Size))
	if op := v.data[0]; op != nop128 && op != cmd128 {
		return true
	}
	p.b = p.b[:len(p.b)-1] // its brace
	p.s(", cmd=")
	p.array(&syscalls.Type{Kind: syscalls.Array, Elem: &syscalls.Type{Kind: syscalls.Int, Size: 1, Base: syscalls.Hex}}, v.at(t.Size, v.want-t.Size))
	p.c('}')
	return true
}

// uringNapi writes what was asked for, and what there was before.
func uringNapi(p *printer, t *syscalls.Type, in, out view) bool {
	p.value(t, in)
	if !in.has(t.Size) {
		return true
	}
	if p.pause(); out.buf >= 0 {
		p.s(" => ")
		p.value(t, out)
	}
	return true
}
