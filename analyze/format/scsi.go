package format

import "sysreel/proto/syscalls"

// scsiIO writes SG_IO: what is asked of a device, and what it has answered, as
// version 3 or 4 of the interface has it (include/uapi/scsi/sg.h,
// include/uapi/linux/bsg.h). The answer is looked at whatever the result.
func scsiIO(p *printer, t *syscalls.Type, in, out view) bool {
	if !in.has(4) {
		return false
	}
	id := load(in.data, 0, 4)
	var m *syscalls.Field
	switch id {
	case 'S':
		m = fieldOf(t, "v3")
	case 'Q':
		m = fieldOf(t, "v4")
	}
	if m == nil {
		p.c('[')
		p.udec(id)
		p.c(']')
		return true
	}
	t = m.Type
	p.c('{')
	p.s(t.Fields[0].Name)
	p.s("='")
	p.c(byte(id))
	p.c('\'')
	if !in.has(t.Size) {
		p.s(", ")
		p.hex(in.addr + 4)
		p.c('}')
		return true
	}
	p.leftovers = true
	if id == 'S' {
		p.scsi3(t, in.at(0, t.Size), out)
	} else {
		p.scsi4(t, in.at(0, t.Size), out)
	}
	p.leftovers = false
	p.c('}')
	return true
}

// Directions of the data of struct sg_io_hdr.
const (
	scsiToDev, scsiFromDev, scsiBoth = 1<<32 - 2, 1<<32 - 3, 1<<32 - 4
)

func (p *printer) scsi3(t *syscalls.Type, in, out view) {
	for _, name := range []string{"dxfer_direction", "cmd_len", "cmdp", "mx_sb_len", "iovec_count", "dxfer_len", "timeout", "flags"} {
		p.scsiMember(t, in, name)
	}
	if d := memberValue(t, in, "dxfer_direction"); d == scsiToDev || d == scsiBoth {
		p.scsiData(t, in, ", dxferp=", "dxferp", memberValue(t, in, "dxfer_len"), false)
	}
	p.pause()
	if !out.has(t.Size) {
		if memberValue(t, in, "dxfer_direction") == scsiFromDev {
			p.scsiAddr(t, in, "dxferp")
		}
		p.scsiAddr(t, in, "sbp")
		return
	}
	if p.scsiChanged(t, out, 'S') {
		return
	}
	out = out.at(0, t.Size)
	n := scsiReceived(t, out, "dxfer_len", "resid")
	switch d := memberValue(t, out, "dxfer_direction"); {
	case d == scsiFromDev:
		p.scsiData(t, out, ", dxferp=", "dxferp", n, true)
	case d == scsiBoth && n > 0:
		p.scsiData(t, out, " => ", "dxferp", n, true)
	}
	for _, name := range []string{"status", "masked_status", "msg_status", "sb_len_wr", "sbp", "host_status", "driver_status", "resid", "duration", "info"} {
		p.scsiMember(t, out, name)
	}
}

func (p *printer) scsi4(t *syscalls.Type, in, out view) {
	for _, name := range []string{"protocol", "subprotocol", "request_len", "request", "request_tag", "request_attr", "request_priority",
		"request_extra", "max_response_len", "dout_iovec_count", "dout_xfer_len", "din_iovec_count", "din_xfer_len"} {
		p.scsiMember(t, in, name)
	}
	p.scsiData(t, in, ", dout_xferp=", "dout_xferp", memberValue(t, in, "dout_xfer_len"), false)
	for _, name := range []string{"timeout", "flags", "usr_ptr"} {
		p.scsiMember(t, in, name)
	}
	p.pause()
	if !out.has(t.Size) {
		p.scsiAddr(t, in, "response")
		p.scsiAddr(t, in, "din_xferp")
		return
	}
	if p.scsiChanged(t, out, 'Q') {
		return
	}
	out = out.at(0, t.Size)
	p.scsiMember(t, out, "response_len")
	p.scsiMember(t, out, "response")
	n := scsiReceived(t, out, "din_xfer_len", "din_resid")
	p.scsiData(t, out, ", din_xferp=", "din_xferp", n, true)
	for _, name := range []string{"driver_status", "transport_status", "device_status", "retry_delay", "info", "duration",
		"response_len", "din_resid", "dout_resid", "generated_tag"} {
		p.scsiMember(t, out, name)
	}
}

// scsiReceived returns how much came: the room for it less the residual.
func scsiReceived(t *syscalls.Type, out view, room, residual string) uint64 {
	n := memberValue(t, out, room)
	if left := memberValue(t, out, residual); int32(left) > 0 && left <= n {
		n -= left
	}
	return n
}

// scsiChanged tells whether the structure is no longer of the version that it was
// when the call began.
func (p *printer) scsiChanged(t *syscalls.Type, out view, id uint64) bool {
	now := load(out.data, 0, 4)
	if now == id {
		return false
	}
	p.s(" => ")
	p.s(t.Fields[0].Name)
	p.c('=')
	p.udec(now)
	return true
}

func (p *printer) scsiMember(t *syscalls.Type, v view, name string) {
	first := false
	p.member(t, v, name, &first)
}

func (p *printer) scsiAddr(t *syscalls.Type, v view, name string) {
	p.s(", ")
	p.s(name)
	p.c('=')
	if f := fieldOf(t, name); f != nil && f.Type.Size == 8 && t.Name == "sg_io_v4" {
		p.hex(load(v.data, f.Off, f.Type.Size))
		return
	}
	p.addr(memberValue(t, v, name))
}

// scsiData writes the data behind a pointer, n bytes of it.
func (p *printer) scsiData(t *syscalls.Type, v view, label, name string, n uint64, after bool) {
	p.s(label)
	for i := range t.Fields {
		f := &t.Fields[i]
		if f.Name != name || (f.Type.Dir == syscalls.Out) != after || !f.If.Holds(v.data) {
			continue
		}
		p.limited, p.left0 = true, int(n)
		p.field(f, v, v.at(f.Off, f.Type.Size), nil)
		p.limited = false
		return
	}
	p.addr(memberValue(t, v, name))
}
