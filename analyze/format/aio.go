package format

import (
	"sysreel/proto/syscalls"
)

// iocb writes struct iocb: what stands behind the descriptor depends on the
// operation, and io_cancel looks at none of it (include/uapi/linux/aio_abi.h).
func iocb(p *printer, t *syscalls.Type, v view) bool {
	opcode, flags := fieldOf(t, "aio_lio_opcode"), fieldOf(t, "aio_flags")
	if opcode == nil || flags == nil || !v.has(t.Size) {
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
	p.c('{')
	shown("aio_data")
	shown("aio_key")
	shown("aio_rw_flags")
	show("aio_lio_opcode")
	shown("aio_reqprio")
	show("aio_fildes")
	op := load(v.data, opcode.Off, 2)
	const pread, pwrite, poll, preadv, pwritev = 0, 1, 5, 7, 8 // IOCB_CMD_*
	if p.d.Name != "io_cancel" {
		switch op {
		case pread, pwrite, preadv, pwritev:
			show("aio_buf", "aio_nbytes", "aio_offset")
		case poll:
			p.s(", aio_buf=")
			if f := fieldOf(t, "aio_buf"); f != nil {
				p.consts(p.set("poll_events"), load(v.data, f.Off, 4))
			}
		default:
			p.c('}')
			return true
		}
		shown("aio_flags")
		if load(v.data, flags.Off, 4)&1 != 0 { // IOCB_FLAG_RESFD
			show("aio_resfd")
		}
	}
	p.c('}')
	return true
}
