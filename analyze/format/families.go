package format

import "sysreel/proto/syscalls"

// Address families that are described by a structure of types.txt, or by little
// code (include/linux/socket.h).
const (
	afIPX       = 4
	afX25       = 9
	afBluetooth = 31
	afALG       = 38
	afNFC       = 39
	afQIPCRTR   = 42
	afXDP       = 44
	afMCTP      = 45
)

func init() {
	for family, f := range map[uint64]struct {
		least int
		name  string
	}{
		afX25:     {18, "sockaddr_x25"},
		afVsock:   {16, "sockaddr_vm"},
		afQIPCRTR: {12, "sockaddr_qrtr"},
		afXDP:     {16, "sockaddr_xdp"},
		afMCTP:    {12, "sockaddr_mctp"},
	} {
		families[family] = addressFamily{f.least, func(p *printer, v view) { p.members(f.name, v) }}
	}
	families[afIPX] = addressFamily{16, sockaddrIPX}
	families[afALG] = addressFamily{25, sockaddrALG}
	families[afBluetooth] = addressFamily{3, sockaddrBluetooth}
}

// members writes the members of a structure without its braces.
func (p *printer) members(name string, v view) {
	t := syscalls.TypeByName(p.arch, name)
	if t == nil {
		p.hexBytes(v)
		return
	}
	from := len(p.b)
	p.structure(t, v.at(0, t.Size))
	if n := len(p.b); n >= from+2 && p.b[from] == '{' && p.b[n-1] == '}' {
		copy(p.b[from:], p.b[from+1:n-1])
		p.b = p.b[:n-2]
	}
}

// sockaddrIPX writes struct sockaddr_ipx (include/uapi/linux/ipx.h).
func sockaddrIPX(p *printer, v view) {
	p.s("sipx_port=")
	p.htons(be16(v.data, 2))
	p.s(", sipx_network=htonl(")
	p.hex(be32(v.data, 4))
	p.s("), sipx_node=[")
	for i, c := range v.data[8:14] {
		if i > 0 {
			p.s(", ")
		}
		p.hex02(c)
	}
	p.s("], sipx_type=")
	p.hex02(v.data[14])
	if c := v.data[15]; c != 0 {
		p.s(", sipx_zero=")
		p.hex(uint64(c))
	}
}

// hex02 writes a byte as C's %#02x does: 0 is 00.
func (p *printer) hex02(c byte) {
	if c == 0 {
		p.c('0')
	}
	p.hex(uint64(c))
}

// sockaddrALG writes struct sockaddr_alg_new (include/uapi/linux/if_alg.h),
// whose name is as long as the address.
func sockaddrALG(p *printer, v view) {
	p.s("salg_type=")
	p.string(&syscalls.Type{Kind: syscalls.String, Name: "cstr", Size: 14}, v.at(2, 14))
	for i, name := range []string{", salg_feat=", ", salg_mask="} {
		n := load(v.data, 16+4*i, 4)
		p.s(name)
		p.hex(n)
		if n != 0 {
			p.s(" /* ")
			p.consts(p.set("crypto_user_flags"), n)
			p.s(" */")
		}
	}
	p.s(", salg_name=")
	n := v.want - 24
	p.string(&syscalls.Type{Kind: syscalls.String, Name: "cstr", Size: n}, v.at(24, n))
}

// sockaddrBluetooth writes the addresses of Bluetooth, which are told apart by
// their sizes (include/net/bluetooth/hci_sock.h, sco.h, rfcomm.h, l2cap.h).
func sockaddrBluetooth(p *printer, v view) {
	switch {
	case v.want == 4 || v.want == 6:
		p.s("hci_dev=htobs(")
		p.udec(load(v.data, 2, 2))
		p.c(')')
		if v.want == 6 {
			p.s(", hci_channel=")
			p.named("hci_channels", int64(load(v.data, 4, 2)))
		}
	case v.want == 8:
		p.s("sco_bdaddr=")
		p.bluetoothAddr(v.data[2:8])
	case v.want == 10:
		p.s("rc_bdaddr=")
		p.bluetoothAddr(v.data[2:8])
		p.s(", rc_channel=")
		p.udec(load(v.data, 8, 1))
	case v.want == 12 || v.want == 14:
		p.s("l2_psm=htobs(")
		switch n := load(v.data, 2, 2); {
		case n >= 0x80 && n <= 0xff:
			p.l2Number("bluetooth_l2_psm", "L2CAP_PSM_LE_DYN_START+", 0x80, n)
		default:
			p.l2Number("bluetooth_l2_psm", "L2CAP_PSM_DYN_START+", 0x1001, n)
		}
		p.s("), l2_bdaddr=")
		p.bluetoothAddr(v.data[4:10])
		p.s(", l2_cid=htobs(")
		p.l2Number("bluetooth_l2_cid", "L2CAP_CID_DYN_START+", 0x40, load(v.data, 10, 2))
		p.c(')')
		if v.has(13) {
			p.s(", l2_bdaddr_type=")
			p.named("bdaddr_types", int64(load(v.data, 12, 1)))
		}
	default:
		p.s("sa_data=")
		p.str(v.data[2:], v.want-2, v.want)
	}
}

// l2Number writes a number of L2CAP; from first on they are given as needed.
func (p *printer) l2Number(set, dynamic string, first, n uint64) {
	if c := p.set(set); n < first || c != nil && hasValue(c, n) {
		p.named(set, int64(n))
		return
	}
	p.s(dynamic)
	p.udec(n - first)
}

// bluetoothAddr writes an address.
func (p *printer) bluetoothAddr(a []byte) {
	for i, c := range a {
		if i > 0 {
			p.c(':')
		}
		p.b = append(p.b, hexDigits[c>>4], hexDigits[c&15])
	}
}
