package format

import (
	"bytes"
	"fmt"
	"math/bits"

	"sysreel/proto/syscalls"
)

// attributes writes netlink attributes: one, or [one, ...]. The set of that
// name has their types; a union of the same name in types.txt says what each
// holds. head is the structure before them, on which some depend.
func (p *printer) attributes(set string, v view, head []byte) {
	if p.depth >= maxDepth {
		p.s("...")
		return
	}
	p.depth++
	defer func() { p.depth-- }()
	p.records(v, nlaHeader, 2, p.hexBytes, func(one view) { p.attribute(set, one, head) })
}

func (p *printer) attribute(set string, v view, head []byte) {
	const nested, netByteOrder = 0x8000, 0x4000 // NLA_F_NESTED, NLA_F_NET_BYTEORDER
	kind := load(v.data, 2, 2)
	if v.want > nlaHeader {
		p.c('[')
	}
	p.s("{nla_len=")
	p.udec(load(v.data, 0, 2))
	p.s(", nla_type=")
	if kind&nested != 0 {
		p.s("NLA_F_NESTED|")
	}
	if kind&netByteOrder != 0 {
		p.s("NLA_F_NET_BYTEORDER|")
	}
	c := p.set(set)
	p.consts(c, kind&^(nested|netByteOrder))
	p.c('}')
	if v.want <= nlaHeader {
		return
	}
	p.s(", ")
	v = v.at(nlaHeader, v.want)
	if t := attributeType(syscalls.TypeByName(p.arch, set), c, kind&^(nested|netByteOrder)); t == nil || !p.attributeValue(t, v, head) {
		if len(v.data) == 0 {
			p.cutShort(v)
		} else {
			p.hexBytes(v)
		}
	}
	p.c(']')
}

// attributeType returns what the union t says an attribute holds, or nil. Where
// no set has the types of attributes they are numbers, and all hold the same.
func attributeType(t *syscalls.Type, c *syscalls.Consts, kind uint64) *syscalls.Type {
	if t == nil || t.Kind != syscalls.Union {
		return nil
	}
	if c == nil {
		return t.Fields[0].Type
	}
	for i := range c.Values {
		if c.Values[i].Val != kind {
			continue
		}
		if f := fieldOf(t, c.Values[i].Name); f != nil {
			return f.Type
		}
	}
	return nil
}

// attributeLists are types of which an attribute may hold several.
var attributeLists = map[string]bool{
	"nla_u8s": true, "nla_u16s": true, "nla_u32s": true,
	"nexthop_grp": true, "tcp_diag_md5sig": true, "packet_mclist": true,
}

// attributeSizes are sizes that structures had in older kernels. Of those with
// one that is negative, so many bytes are enough: what follows is padding.
var attributeSizes = map[string][]int{
	"rtnl_link_stats":   {92},
	"rtnl_link_stats64": {184, 192},
	"ndt_stats":         {80},
	"rtnl_link_ifmap":   {-28},
	"tc_stats":          {-36},
	"gnet_stats_basic":  {-12},
}

// attributeTails are structures with something behind them in an attribute:
// attributes of a set, or else bytes.
var attributeTails = map[string]string{
	"br_mdb_entry":       "rtnl_mdba_mdb_eattr_attrs",
	"bridge_vlan_info":   "",
	"bridge_vlan_xstats": "",
	"br_mcast_stats":     "",
	"bridge_stp_xstats":  "",
	"mpls_link_stats":    "",
}

// anyLength are sets of constants that strace reads from the first bytes of an
// attribute, however long that is.
var anyLength = map[string]bool{
	"routing_table_ids": true, "routing_protocols": true, "nl_xdp_flags": true, "rtnl_ifla_events": true,
	"netlink_socket_flags": true, "multicast_router_types": true,
	"lwtunnel_encap_types": true, "ifaddrflags": true,
}

// attributeValue writes what an attribute holds, unless it is too short for it.
func (p *printer) attributeValue(t *syscalls.Type, v view, head []byte) bool {
	if fn := attributeSpecials[t.Name]; fn != nil {
		return fn(p, v, head)
	}
	if attributeLists[t.Name] {
		return p.attributeList(t, v)
	}
	switch t.Kind {
	case syscalls.Union: // attributes within
		p.attributes(t.Name, v, head)
		return true
	case syscalls.String:
		p.attributeText(v)
		return true
	case syscalls.Flags, syscalls.Enum:
		return p.attributeConst(t, v)
	case syscalls.Struct:
		return p.attributeStruct(t, v, head)
	case syscalls.Special:
		if t.Consts != nil {
			return p.indexed(t, v)
		}
	}
	if t.Size == 0 || !v.has(t.Size) {
		return false
	}
	v = v.at(0, t.Size)
	switch t.Name {
	case "be16":
		p.htons(uint64(bits.ReverseBytes16(uint16(load(v.data, 0, 2)))))
	case "be32":
		p.s("htonl(")
		p.value(t, v)
		p.c(')')
	case "be64":
		p.s("htobe64(")
		p.value(t, v)
		p.c(')')
	default:
		p.value(t, v)
	}
	return true
}

// attributeText writes text without the NUL that it should end with.
func (p *printer) attributeText(v view) {
	data := v.data[:min(len(v.data), p.o.Strings)]
	text, ended := bytes.CutSuffix(data, []byte{0})
	p.c('"')
	p.quote(text)
	p.c('"')
	if !ended {
		p.s("...")
	}
}

// attributeConst writes one of a set of constants: a number of at most 8 bytes.
func (p *printer) attributeConst(t *syscalls.Type, v view) bool {
	size := t.Size
	if t.Name == "inet_protocol" {
		size = v.want
	}
	if !v.has(size) || v.want > 8 && !anyLength[t.Name] {
		return false
	}
	n := load(v.data, 0, size)
	if t.Name == "ether_proto" {
		p.s("htons(")
		p.consts(t.Consts, uint64(bits.ReverseBytes16(uint16(n))))
		p.c(')')
		return true
	}
	if t.Name == "inet_protocol" {
		p.consts(t.Consts, n)
		return true
	}
	p.word(t, n)
	return true
}

// attributeStruct writes a structure, which may be one of an older kernel.
func (p *printer) attributeStruct(t *syscalls.Type, v view, head []byte) bool {
	size := t.Size
	if v.want < size {
		size = 0
		for _, n := range attributeSizes[t.Name] {
			if v.want == n || n < 0 && v.want >= -n {
				size = v.want
			}
		}
	}
	if size == 0 || !v.has(size) {
		return false
	}
	p.value(t, v.at(0, size))
	if t.Name == "inet_diag_sockopt" && anySet(v.at(size, v.want).data) {
		p.b = fmt.Appendf(p.b, ", /* bytes %d..%d */ ", size, v.want-1)
		p.hexBytes(v.at(size, v.want))
	}
	set, ok := attributeTails[t.Name]
	if from := (size + 3) &^ 3; ok && v.want > from {
		p.s(", ")
		if set != "" {
			p.attributes(set, v.at(from, v.want), nil)
		} else {
			p.hexBytes(v.at(from, v.want))
		}
	}
	return true
}

// attributeList writes [value, ...].
func (p *printer) attributeList(t *syscalls.Type, v view) bool {
	if v.want < t.Size {
		return false
	}
	p.array(&syscalls.Type{Kind: syscalls.Array, Elem: t}, v.at(0, v.want/t.Size*t.Size))
	return true
}

// indexed writes numbers whose places have names: [[NAME]=1, ...].
func (p *printer) indexed(t *syscalls.Type, v view) bool {
	size, signed := 4, true
	switch t.Name {
	case "snmp_ip", "snmp_icmp6", "mcast_count":
		size, signed = 8, false
	case "sk_meminfo":
		signed = false
	}
	return p.words(v, size, func(i int, m uint64) {
		p.c('[')
		if hasValue(t.Consts, uint64(i)) {
			p.consts(t.Consts, uint64(i))
		} else {
			p.udec(uint64(i))
			p.valueComment(t.Consts, uint64(i))
		}
		p.s("]=")
		if signed {
			p.dec(signExtend(m, size))
		} else {
			p.udec(m)
		}
	})
}

// words writes what of an attribute is whole numbers of size bytes; without -v no
// more than there are characters in a string. It tells whether there is one.
func (p *printer) words(v view, size int, one func(i int, m uint64)) bool {
	n := v.want / size
	if n == 0 {
		return false
	}
	p.c('[')
	for i := range n {
		if i > 0 {
			p.s(", ")
		}
		if !v.has(i*size+size) || !p.o.Verbose && i >= p.o.Strings {
			p.s("...")
			break
		}
		one(i, load(v.data, i*size, size))
	}
	p.c(']')
	return true
}

// textToNUL writes the text of an attribute up to its first NUL, and returns it.
func (p *printer) textToNUL(data []byte) (text []byte) {
	text, ended := trimNUL(data)
	p.c('"')
	p.quote(text[:min(len(text), p.o.Strings)])
	p.c('"')
	if !ended || len(text) > p.o.Strings {
		p.s("...")
	}
	return text
}

// attributeSpecials write what attributes hold that is more than a type of the
// table. One that returns false has written nothing.
var attributeSpecials map[string]func(p *printer, v view, head []byte) bool

func init() {
	attributeSpecials = map[string]func(p *printer, v view, head []byte) bool{
		"nla_address":          attributeAddress,
		"nla_hwaddr":           linkAddress,
		"nla_mac":              func(p *printer, v view, _ []byte) bool { return p.hardware(v, maxHardware) },
		"nla_clock":            attributeClock,
		"nla_msec":             attributeMilliseconds,
		"in_addr":              func(p *printer, v view, _ []byte) bool { return p.inetAttribute(v, afInet) },
		"in6_addr":             func(p *printer, v view, _ []byte) bool { return p.inetAttribute(v, afInet6) },
		"ifla_af_spec":         linkFamilies,
		"ifla_protinfo":        linkProtocol,
		"rtnl_ifla_info_attrs": linkInfo,
		"ifla_info_kind":       func(p *printer, v view, _ []byte) bool { return p.linkKind(v, &p.link.kind) },
		"ifla_slave_kind":      func(p *printer, v view, _ []byte) bool { return p.linkKind(v, &p.link.slave) },
		"ifla_info_data":       func(p *printer, v view, head []byte) bool { return p.linkData(linkDataAttrs[p.link.kind], v, head) },
		"ifla_slave_data":      func(p *printer, v view, head []byte) bool { return p.linkData(linkSlaveAttrs[p.link.slave], v, head) },
		"ifla_info_xstats":     linkXStats,
		"rta_multipath":        multipath,
		"rtvia":                routeVia,
		"mdb_router_port":      routerPort,
		"ifla_vf_guid":         vfGUID,
		"genl_name":            genericName,
		"genl_op_id":           genericOperation,
		"inet_diag_bc_op":      diagBytecode,
		"nl_groups":            diagGroups,
		"nla_sockaddrs":        diagSockaddrs,
		"sock_filter":          diagFilter,
		"crypto_type":          cryptoType,
	}
	for _, name := range []string{"crypto_report_hash", "crypto_report_blkcipher", "crypto_report_aead", "crypto_report_rng", "crypto_report_cipher"} {
		attributeSpecials[name] = func(p *printer, v view, _ []byte) bool { p.cryptoStruct(name, v); return true }
	}
}

// attributeAddress writes an address of the family that the head begins with.
func attributeAddress(p *printer, v view, head []byte) bool {
	return len(head) > 0 && p.inetAttribute(v, head[0])
}

func (p *printer) inetAttribute(v view, family byte) bool {
	switch {
	case family == afInet && v.has(4):
		p.inet(v, 4)
	case family == afInet6 && v.has(16):
		p.inet(v, 16)
	default:
		return false
	}
	return true
}

// attributeClock writes clock ticks, a number of at most 8 bytes.
func attributeClock(p *printer, v view, _ []byte) bool {
	if v.want > 8 || !v.has(v.want) {
		return false
	}
	p.clockT(load(v.data, 0, v.want))
	return true
}

// attributeMilliseconds writes such a number of milliseconds.
func attributeMilliseconds(p *printer, v view, _ []byte) bool {
	if v.want > 8 || !v.has(v.want) {
		return false
	}
	n := load(v.data, 0, v.want)
	p.udec(n)
	if n != 0 {
		p.b = fmt.Appendf(p.b, " /* %d.%03d s */", n/1000, n%1000)
	}
	return true
}

// maxHardware is the length of the longest address of hardware (MAX_ADDR_LEN in
// include/linux/netdevice.h).
const maxHardware = 32

// hardware writes at most so many bytes of an address of hardware.
func (p *printer) hardware(v view, most int) bool {
	if v.want > maxHardware || !v.has(v.want) {
		return false
	}
	for i, c := range v.data[:min(v.want, most)] {
		if i > 0 {
			p.c(':')
		}
		p.b = append(p.b, hexDigits[c>>4], hexDigits[c&15])
	}
	return true
}
