package format

import "sysreel/proto/syscalls"

const afBridge = 7 // include/linux/socket.h

// Message types of NETLINK_ROUTE (include/uapi/linux/rtnetlink.h). They come in
// groups of four, from rtmBase on: NEW, DEL, GET, SET.
const (
	rtmBase      = 16
	rtmGetNeigh  = 30
	rtmDelAction = 49
)

// routeFlags returns the set of flags of a NETLINK_ROUTE message: its type
// tells whether it makes, deletes, asks or sets.
func routeFlags(kind uint64) string {
	switch {
	case kind == rtmDelAction: // it may delete all: NLM_F_ROOT
		return "netlink_get_flags"
	case kind&3 == 0:
		return "netlink_new_flags"
	case kind&3 == 1:
		return "netlink_delete_flags"
	case kind&3 == 2:
		return "netlink_get_flags"
	}
	return ""
}

// routeShapes are the payloads of NETLINK_ROUTE by group of types: a structure
// and the set of the attributes behind it.
var routeShapes = map[uint64]struct{ body, attrs string }{
	0:  {"ifinfomsg", "rtnl_ifla_attrs"},
	1:  {"ifaddrmsg", "rtnl_addr_attrs"},
	2:  {"rtmsg", "rtnl_route_attrs"},
	3:  {"ndmsg", "rtnl_neigh_attrs"},
	4:  {"fib_rule_hdr", "rtnl_rule_attrs"},
	5:  {"tcmsg", "rtnl_tc_attrs"},
	6:  {"tcmsg", "rtnl_tc_attrs"},
	7:  {"tcmsg", "rtnl_tc_attrs"},
	8:  {"tcamsg", "rtnl_tca_root_attrs"},
	10: {"ifaddrmsg", "rtnl_addr_attrs"},
	11: {"ifaddrmsg", "rtnl_addr_attrs"},
	12: {"ndtmsg", "rtnl_neightbl_attrs"},
	14: {"ifaddrlblmsg", "rtnl_addrlabel_attrs"},
	15: {"dcbmsg", "rtnl_dcb_attrs"},
	16: {"netconfmsg", "rtnl_netconf_attrs"},
	17: {"br_port_msg", "rtnl_mdb_attrs"},
	18: {"rtgenmsg", "rtnl_nsid_attrs"},
	19: {"if_stats_msg", "ifstats_attrs"},
	20: {"rtgenmsg_cache", ""},
	21: {"tcmsg", "rtnl_tc_attrs"},
	22: {"nhmsg", "rtnl_nh_attrs"},
}

func routeBody(p *printer, m netlinkHead, v view) bool {
	shape, ok := routeShapes[(m.kind-rtmBase)/4]
	if c := p.set("nl_route_types"); !ok || c == nil || !hasValue(c, m.kind) {
		p.familyOnly(v)
		return true
	}
	if m.kind == rtmGetNeigh && v.data[0] == afBridge { // it asks for a bridge's forwarding table
		shape = routeShapes[0]
	}
	p.shaped(shape.body, shape.attrs, v)
	if shape.attrs == "" && v.want > 4 {
		p.s(", ")
		p.hexBytes(v.at(4, v.want))
	}
	return true
}

// familyOnly writes a payload of which only the address family is known.
func (p *printer) familyOnly(v view) {
	p.s("{family=")
	p.named("address_family", int64(v.data[0]))
	if v.want > 1 {
		p.s(", data=")
		p.hexBytes(v.at(1, v.want))
	}
	p.c('}')
}

// linkAddress writes an address of hardware. Of how many bytes it has strace
// tells by the family, which it takes for a kind of hardware (ARPHRD_).
func linkAddress(p *printer, v view, head []byte) bool {
	most := maxHardware
	if len(head) > 0 {
		if size, ok := hardwareSizes[uint64(head[0])]; ok {
			most = size
		}
	}
	return p.hardware(v, most)
}

// linkFamilies writes IFLA_AF_SPEC: what a link is to each family or, of a
// bridge's port, to the bridge.
func linkFamilies(p *printer, v view, head []byte) bool {
	if len(head) > 0 && head[0] == afBridge {
		p.attributes("rtnl_ifla_af_spec_bridge_attrs", v, head)
	} else {
		p.attributes("rtnl_ifla_af_spec_attrs", v, head)
	}
	return true
}

// linkProtocol writes IFLA_PROTINFO.
func linkProtocol(p *printer, v view, head []byte) bool {
	if len(head) == 0 {
		return false
	}
	switch head[0] {
	case afBridge:
		p.attributes("rtnl_ifla_brport_attrs", v, head)
	case afInet6:
		p.attributes("rtnl_ifla_af_spec_inet6_attrs", v, head)
	default:
		return false
	}
	return true
}

// link is what IFLA_LINKINFO has said so far of the kind of a link.
type link struct{ kind, slave string }

// Sets of the attributes of kinds of links.
var (
	linkDataAttrs  = map[string]string{"bridge": "rtnl_ifla_info_data_bridge_attrs", "tun": "rtnl_ifla_info_data_tun_attrs"}
	linkSlaveAttrs = map[string]string{"bridge": "rtnl_ifla_brport_attrs"}
)

func linkInfo(p *printer, v view, head []byte) bool {
	p.link = link{}
	p.attributes("rtnl_ifla_info_attrs", v, head)
	return true
}

func (p *printer) linkKind(v view, kind *string) bool {
	text := p.textToNUL(v.data)
	*kind = string(text[:min(len(text), maxLinkKind)])
	return true
}

// maxLinkKind bounds what is kept of a link's kind, bytes.
const maxLinkKind = 64

func (p *printer) linkData(attrs string, v view, head []byte) bool {
	if attrs == "" {
		return false
	}
	p.attributes(attrs, v, head)
	return true
}

// linkXStats writes statistics of a kind of links.
func linkXStats(p *printer, v view, head []byte) bool {
	t := syscalls.TypeByName(p.arch, "can_device_stats")
	return p.link.kind == "can" && t != nil && p.attributeStruct(t, v, head)
}

// vfGUID writes struct ifla_vf_guid, whose number is where the program's
// architecture aligns it.
func vfGUID(p *printer, v view, _ []byte) bool {
	if v.want != 12 && v.want != 16 || !v.has(v.want) {
		return false
	}
	p.s("{vf=")
	p.udec(load(v.data, 0, 4))
	p.s(", guid=")
	p.hex(load(v.data, v.want-8, 8))
	p.c('}')
	return true
}

// multipath writes RTA_MULTIPATH: a list of struct rtnexthop, each with
// attributes.
func multipath(p *printer, v view, head []byte) bool {
	t := syscalls.TypeByName(p.arch, "rtnexthop")
	if t == nil || !v.has(t.Size) {
		return false
	}
	many := int(load(v.data, 0, 2)) < v.want
	if many {
		p.c('[')
	}
	for n := 0; ; n++ {
		if n > 0 {
			p.s(", ")
		}
		if !v.has(t.Size) {
			p.cutShort(v)
			break
		}
		size := min(int(load(v.data, 0, 2)), v.want)
		if size > t.Size {
			p.c('[')
		}
		p.value(t, v.at(0, t.Size))
		if size > t.Size {
			p.s(", ")
			p.attributes("rtnl_route_attrs", v.at(t.Size, size-t.Size), head)
			p.c(']')
		}
		step := (size + 3) &^ 3
		if step >= v.want || step == 0 { // strace does not come to an end then
			break
		}
		v = v.at(step, v.want)
	}
	if many {
		p.c(']')
	}
	return true
}

// routeVia writes struct rtvia: an address with its family.
func routeVia(p *printer, v view, _ []byte) bool {
	if !v.has(2) {
		return false
	}
	family := load(v.data, 0, 2)
	p.s("{rtvia_family=")
	p.named("address_family", int64(family))
	if v.want > 2 {
		p.s(", ")
		p.inetMember(v.at(2, v.want), family, "rtvia_addr")
	}
	p.c('}')
	return true
}

// inetMember writes a member that is an address.
func (p *printer) inetMember(v view, family uint64, name string) {
	switch {
	case family == afInet6 && v.has(16):
		p.inet6To(v, name)
	case family == afInet && v.has(4):
		p.s(name)
		p.c('=')
		p.inet4(v.data)
	default:
		p.s(name)
		p.c('=')
		p.hexBytes(v)
	}
}

// routerPort writes an interface, and attributes.
func routerPort(p *printer, v view, _ []byte) bool {
	if !v.has(4) {
		return false
	}
	p.interfaceIndex(load(v.data, 0, 4))
	if v.want > 4 {
		p.s(", ")
		p.attributes("rtnl_mdba_router_pattr_attrs", v.at(4, v.want), nil)
	}
	return true
}

// mdbAddress writes the address of a multicast group (struct br_mdb_entry).
func mdbAddress(p *printer, t *syscalls.Type, v view) bool {
	if !v.has(t.Size) {
		return false
	}
	family := be16(v.data, 16)
	p.c('{')
	p.inetMember(v.at(0, 16), family, "u")
	p.s(", proto=htons(")
	p.named("address_family", int64(family))
	p.s(")}")
	return true
}
