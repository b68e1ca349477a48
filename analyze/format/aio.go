package format

import (
	"sysreel/proto/syscalls"
)

// iocb writes struct iocb: what stands behind the descriptor depends on the
// operation, and io_cancel looks at none of it (include/uapi/linux/aio_abi.h).
func iocb(p *printer, t *syscalls.Type, v view) bool {
	opcode, buf, nbytes, flags := fieldOf(t, "aio_lio_opcode"), fieldOf(t, "aio_buf"), fieldOf(t, "aio_nbytes"), fieldOf(t, "aio_flags")
	if opcode == nil || buf == nil || nbytes == nil || flags == nil || !v.has(t.Size) {
		return false
	}
	first := true
	show := func(names ...string) {
		for _, name := range names {
			p.member(t, v, name, &first)
		}
	}
	shown := func(name string) {
		if f := fieldOf(t, name); f != nil && anySet(v.data[f.Off:f.Off+f.Type.Size]) {
			show(name)
		}
	}
	withPriority := load(v.data, flags.Off, 4)&2 != 0 // IOCB_FLAG_IOPRIO
	op := load(v.data, opcode.Off, 2)
	valid := int64(load(v.data, nbytes.Off, 8)) >= 0 // of others strace shows the address only
	p.c('{')
	show("aio_data")
	shown("aio_key")
	shown("aio_rw_flags")
	p.s(", aio_lio_opcode=")
	decimalConst(p, opcode.Type.Consts, op)
	if priority := fieldOf(t, "aio_reqprio"); withPriority && priority != nil {
		p.s(", aio_reqprio=")
		n := load(v.data, priority.Off, priority.Type.Size)
		p.besides(func() { p.hex(n) }, func() { p.ioprioValue(n) })
	} else {
		shown("aio_reqprio")
	}
	show("aio_fildes")
	const pread, pwrite, poll, preadv, pwritev = 0, 1, 5, 7, 8 // IOCB_CMD_*
	if p.d.Name != "io_cancel" {
		switch op {
		case pread, pwrite, preadv, pwritev:
			p.s(", aio_buf=")
			if valid && op != pread {
				p.iocbBuffer(t, v)
			} else {
				p.hex(load(v.data, buf.Off, 8))
			}
			if !valid || op == pread || op == pwrite {
				show("aio_nbytes")
			}
			show("aio_offset")
		case poll:
			p.s(", aio_buf=")
			p.consts(p.set("poll_events"), load(v.data, buf.Off, 8))
		default:
			p.c('}')
			return true
		}
		shown("aio_flags")
		if load(v.data, flags.Off, 4)&1 != 0 { // IOCB_FLAG_RESFD
			show("aio_resfd")
		} else if f := fieldOf(t, "aio_resfd"); f != nil && anySet(v.data[f.Off:f.Off+4]) {
			p.s(", aio_resfd=")
			p.hex(load(v.data, f.Off, 4))
		}
	}
	p.c('}')
	return true
}

// iocbBuffer writes what aio_buf leads to.
func (p *printer) iocbBuffer(t *syscalls.Type, v view) {
	for i := range t.Fields {
		if f := &t.Fields[i]; f.Type.Kind == syscalls.Pointer && f.If.Holds(v.data) {
			p.field(f, v, v.at(f.Off, f.Type.Size), nil)
		}
	}
}
