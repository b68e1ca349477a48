package format

import (
	"bytes"

	"sysreel/proto/syscalls"
)

// nftablesID is a subsystem of netfilter (include/uapi/linux/netfilter/nfnetlink.h).
const nftablesID = 10

// subsystem is a part of netfilter, and its messages.
type subsystem struct {
	types string         // set
	flags map[byte]uint8 // what messages do: nfNew, ...
}

// What messages do, by which their flags are read.
const (
	nfNew = 1 + iota
	nfGet
	nfDelete
)

var netfilterFlagSets = [...]string{nfNew: "netlink_new_flags", nfGet: "netlink_get_flags", nfDelete: "netlink_delete_flags"}

// subsystems are those of netfilter, by number.
var subsystems = [...]subsystem{
	1: {"nf_ctnetlink_msg_types", map[byte]uint8{0: nfNew, 1: nfGet, 2: nfDelete, 3: nfGet, 4: nfGet, 5: nfGet, 6: nfGet, 7: nfGet}},
	2: {"nf_ctnetlink_exp_msg_types", map[byte]uint8{0: nfNew, 1: nfGet, 2: nfDelete, 3: nfGet}},
	3: {types: "nf_queue_msg_types"},
	4: {types: "nf_ulog_msg_types"},
	5: {types: "nf_osf_msg_types"},
	6: {types: "nf_ipset_msg_types"},
	7: {"nf_acct_msg_types", map[byte]uint8{0: nfNew, 1: nfGet, 2: nfGet, 3: nfDelete}},
	8: {"nf_cttimeout_msg_types", map[byte]uint8{0: nfNew, 1: nfGet, 2: nfDelete}},
	9: {"nf_cthelper_msg_types", map[byte]uint8{0: nfNew, 1: nfGet, 2: nfDelete}},
	nftablesID: {"nf_nftables_msg_types", map[byte]uint8{
		0: nfNew, 3: nfNew, 6: nfNew, 9: nfNew, 12: nfNew, 15: nfNew, 18: nfNew, 22: nfNew,
		1: nfGet, 4: nfGet, 7: nfGet, 10: nfGet, 13: nfGet, 16: nfGet, 19: nfGet, 21: nfGet, 23: nfGet, 25: nfGet, 33: nfGet,
		2: nfDelete, 5: nfDelete, 8: nfDelete, 11: nfDelete, 14: nfDelete, 20: nfDelete, 24: nfDelete,
		26: nfDelete, 27: nfDelete, 28: nfDelete, 29: nfDelete, 30: nfDelete, 31: nfDelete, 32: nfDelete,
	}},
	11: {"nf_nft_compat_msg_types", map[byte]uint8{0: nfGet}},
	12: {"nf_hook_msg_types", map[byte]uint8{0: nfGet}},
}

// netfilterType writes the type of a NETLINK_NETFILTER message: a subsystem and
// one of its messages.
func netfilterType(p *printer, kind uint64) {
	if c := p.set("nl_netfilter_msg_types"); c != nil && hasValue(c, kind) {
		p.consts(c, kind)
		return
	}
	id, what := kind>>8, kind&0xff
	p.named("netfilter_subsys", int64(id))
	p.s("<<8|")
	if id >= uint64(len(subsystems)) || subsystems[id].types == "" {
		p.hex(what)
		return
	}
	p.named(subsystems[id].types, int64(what))
}

func netfilterFlags(kind uint64) string {
	id := kind >> 8
	if id >= uint64(len(subsystems)) {
		return ""
	}
	return netfilterFlagSets[subsystems[id].flags[byte(kind)]]
}

// netfilterBody writes struct nfgenmsg, and attributes.
func netfilterBody(p *printer, m netlinkHead, v view) bool {
	const size, batchEnd = 4, 17 // of struct nfgenmsg; NFNL_MSG_BATCH_END
	t := syscalls.TypeByName(p.arch, "nfgenmsg")
	if v.want < size || !v.has(size) || t == nil {
		return false
	}
	p.c('{')
	first := true
	p.member(t, v, "nfgen_family", &first)
	p.member(t, v, "version", &first)
	p.s(", res_id=")
	id, raw := be16(v.data, 2), load(v.data, 2, 2)
	switch {
	case m.kind>>8 == nftablesID && id == nftablesID:
		p.styled(func() { p.hex(raw) }, func() { p.s("htons(NFNL_SUBSYS_NFTABLES)") })
	case m.kind>>8 == nftablesID && raw == nftablesID: // as kernels before 4.3 had it
		p.styled(func() { p.hex(raw) }, func() { p.s("NFNL_SUBSYS_NFTABLES") })
	default:
		p.s("htons(")
		p.udec(id)
		p.c(')')
	}
	p.c('}')
	if v.want > size {
		p.s(", ")
		if m.kind <= batchEnd {
			p.hexBytes(v.at(size, v.want))
		} else {
			p.attributes("", v.at(size, v.want), nil)
		}
	}
	return true
}

// xfrmFlags returns the set of flags of a NETLINK_XFRM message
// (include/uapi/linux/xfrm.h).
func xfrmFlags(kind uint64) string {
	switch kind {
	case 16, 19, 30, 34, 36: // XFRM_MSG_NEWSA, NEWPOLICY, NEWAE, NEWSADINFO, NEWSPDINFO
		return "netlink_new_flags"
	case 17, 20: // XFRM_MSG_DELSA, DELPOLICY
		return "netlink_delete_flags"
	case 18, 21, 31, 35, 37: // XFRM_MSG_GETSA, GETPOLICY, GETAE, GETSADINFO, GETSPDINFO
		return "netlink_get_flags"
	}
	return ""
}

// Message types of NETLINK_CRYPTO (include/uapi/linux/cryptouser.h).
const (
	cryptoNewAlg = 16
	cryptoDelAlg = 17
	cryptoGetAlg = 19
	cryptoDelRNG = 20
)

func cryptoFlags(kind uint64) string {
	switch kind {
	case cryptoNewAlg:
		return "netlink_new_flags"
	case cryptoDelAlg, cryptoDelRNG:
		return "netlink_delete_flags"
	case cryptoGetAlg:
		return "netlink_get_flags"
	}
	return ""
}

func cryptoBody(p *printer, m netlinkHead, v view) bool {
	if m.kind > cryptoGetAlg {
		return false
	}
	t := syscalls.TypeByName(p.arch, "crypto_user_alg")
	if t == nil || !v.has(t.Size) {
		p.str(v.data, v.want, p.o.Strings)
		return true
	}
	p.shaped(t.Name, "crypto_nl_attrs", v)
	return true
}

// cryptoStruct writes a report on an algorithm, one that is too short as data.
func (p *printer) cryptoStruct(name string, v view) {
	t := syscalls.TypeByName(p.arch, name)
	if t == nil || !v.has(t.Size) {
		p.str(v.data, v.want, p.o.Strings)
		return
	}
	p.value(t, v.at(0, t.Size))
}

// cryptoType writes a report that is only a name.
func cryptoType(p *printer, v view, _ []byte) bool {
	p.s("{type=")
	p.textToNUL(v.data)
	p.c('}')
	return true
}

// selinuxBody writes what SELinux tells (include/uapi/linux/selinux_netlink.h).
func selinuxBody(p *printer, m netlinkHead, v view) bool {
	name := ""
	switch m.kind {
	case 16: // SELNL_MSG_SETENFORCE
		name = "selnl_msg_setenforce"
	case 17: // SELNL_MSG_POLICYLOAD
		name = "selnl_msg_policyload"
	}
	t := syscalls.TypeByName(p.arch, name)
	if t == nil || !v.has(t.Size) {
		return false
	}
	p.value(t, v.at(0, t.Size))
	return true
}

// uevent writes what NETLINK_KOBJECT_UEVENT takes and gives: text of the
// kernel's, or a message of udev's with a header of its own.
func (p *printer) uevent(v view) {
	t := syscalls.TypeByName(p.arch, "udev_monitor_header")
	if t == nil || !v.has(t.Size) || !bytes.HasPrefix(v.data, []byte("libudev\x00")) {
		p.str(v.data, v.want, p.o.Strings)
		return
	}
	if v.want > t.Size {
		p.c('[')
	}
	p.value(t, v.at(0, t.Size))
	if v.want > t.Size {
		p.s(", ")
		rest := v.at(t.Size, v.want)
		p.str(rest.data, rest.want, p.o.Strings)
		p.c(']')
	}
}
