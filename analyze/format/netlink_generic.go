package format

import "sysreel/proto/syscalls"

// genlCtrl is the type of messages of the controller, the one generic family
// whose number is fixed (include/uapi/linux/genetlink.h).
const genlCtrl = 16

// genericType writes the type of a NETLINK_GENERIC message: the name of a
// family, which the kernel numbers as they come.
func genericType(p *printer, kind uint64) {
	name := ""
	if kind == genlCtrl {
		name = "nlctrl"
	} else if p.o.Family != nil {
		name = p.o.Family(uint16(kind))
	}
	if name == "" {
		p.hex(kind)
		if p.o.Constants != RawConstants {
			p.s(" /* GENERIC_FAMILY_??? */")
		}
		return
	}
	p.styled(func() { p.hex(kind) }, func() { p.quote([]byte(name)) })
}

func genericBody(p *printer, m netlinkHead, v view) bool {
	const size = 4 // of struct genlmsghdr
	if v.want < size || !v.has(size) {
		return false
	}
	header, attrs := "genlmsghdr", ""
	if m.kind == genlCtrl {
		header, attrs = "genlmsghdr_ctrl", "genl_ctrl_attrs"
	}
	t := syscalls.TypeByName(p.arch, header)
	if t == nil {
		return false
	}
	p.value(t, v.at(0, size))
	if v.want > size {
		p.genlFamily = "nlctrl"
		p.s(", ")
		p.attributes(attrs, v.at(size, v.want), nil)
	}
	return true
}

// genericCommands are the sets of the commands of generic families.
var genericCommands = map[string]string{
	"nlctrl": "genl_ctrl_cmds", "devlink": "genl_devlink_cmd", "ethtool": "genl_ethtool_msg_send", "IOAM6": "genl_ioam6_cmd",
	"mptcp_pm": "genl_mptcp_pm_cmd", "netdev": "genl_netdev_cmd", "nl80211": "genl_nl80211_cmd", "SEG6": "genl_seg6_cmd",
	"TASKSTATS": "genl_taskstats_cmd", "tcp_metrics": "genl_tcp_metrics_cmd", "thermal": "genl_thermal_cmd",
}

// genericName writes the name of a family, and keeps it for the attributes that
// follow.
func genericName(p *printer, v view, _ []byte) bool {
	if name, _ := trimNUL(v.data); genericCommands[string(name)] != "" {
		p.genlFamily = string(name)
	}
	p.attributeText(v)
	return true
}

// genericOperation writes a command of the family that was named.
func genericOperation(p *printer, v view, _ []byte) bool {
	set := genericCommands[p.genlFamily]
	if p.genlFamily == "ethtool" && !p.sends() {
		set = "genl_ethtool_msg_recv"
	}
	c := p.set(set)
	return c != nil && p.attributeConst(&syscalls.Type{Kind: syscalls.Enum, Name: set, Size: 4, Consts: c}, v)
}

// sends tells whether the call gives the kernel its data.
func (p *printer) sends() bool {
	switch p.d.Name {
	case "sendto", "send", "sendmsg", "sendmmsg", "write", "writev":
		return true
	}
	return false
}
