package format

import (
	"math/bits"

	"sysreel/proto/syscalls"
)

// NotNetlink is what [Names.Netlink] returns of all else.
const NotNetlink = -1

// Protocols of netlink, message types that all of them have and sizes
// (include/uapi/linux/netlink.h).
const (
	netlinkRoute    = 0
	netlinkSockDiag = 4
	netlinkUevent   = 15
	netlinkGeneric  = 16

	nlmsgError   = 2
	nlmsgDone    = 3
	nlmsgMinType = 16

	nlmsgHeader = 16
	nlaHeader   = 4
)

// netlinkFamily describes the messages of one netlink protocol. Its parts may
// be nil; data that nobody describes is written as hexadecimal escapes.
type netlinkFamily struct {
	types   string                          // set of message types
	flags   func(kind uint64) string        // set of flags, by message type
	payload func(kind uint64) *netlinkShape // by message type
}

// netlinkShape is the form of a payload: a structure that begins with an
// address family, then attributes.
type netlinkShape struct {
	body  string // in types.txt
	attrs string // set of attribute types and, in types.txt, union of what they hold
}

var netlinkFamilies map[int]*netlinkFamily

func init() {
	netlinkFamilies = map[int]*netlinkFamily{
		netlinkRoute:    {types: "nl_route_types", flags: routeFlags, payload: routePayload},
		netlinkSockDiag: {types: "nl_sock_diag_types", flags: diagFlags, payload: nil},
		netlinkGeneric:  {types: "genl_ids"},
	}
}

// netlinkFD sets the netlink protocol of the call's socket, if it is one.
func (p *printer) netlinkFD() {
	p.netlink = NotNetlink
	if p.names == nil || len(p.d.Args) < 2 {
		return
	}
	switch p.d.Name {
	case "sendto", "send", "recvfrom", "recv", "sendmsg", "recvmsg", "sendmmsg", "recvmmsg", "recvmmsg_time64":
		p.netlink = p.names.Netlink(int32(p.e.Args[0]))
	}
}

// netlink writes what stands in a buffer that netlink takes or gives.
func netlink(p *printer, _ *syscalls.Type, v view) { p.messages(v) }

// messages writes netlink messages: one, or [one, ...].
func (p *printer) messages(v view) {
	p.records(v, nlmsgHeader, 4,
		func(rest view) { p.str(rest.data, rest.want, p.o.Strings) },
		func(one view) { p.message(one) })
}

// records writes a list of records of which each begins with its own size, a
// number of sizeBytes in a header: one, or [one, ...]. What is too short for a
// header is for rest.
func (p *printer) records(v view, header, sizeBytes int, rest, one func(view)) {
	many := false
	for n := 0; ; n++ {
		if v.want < header {
			rest(v)
			break
		}
		if !v.has(header) {
			p.cutShort(v)
			break
		}
		if !p.o.Verbose && n >= p.o.Strings {
			p.s("...")
			break
		}
		size := load(v.data, 0, sizeBytes)
		step, more := following(size, header, v.want)
		if more && !many {
			p.c('[')
			many = true
		}
		one(v.at(0, int(min(max(size, uint64(header)), uint64(v.want)))))
		if !more {
			break
		}
		p.s(", ")
		v = v.at(step, v.want)
	}
	if many {
		p.c(']')
	}
}

// following returns where the next of a list of records begins, of which this
// one says its size; they are aligned to 4 bytes.
func following(size uint64, least, want int) (step int, more bool) {
	if size < uint64(least) || size >= uint64(want) {
		return 0, false
	}
	step = (int(size) + 3) &^ 3
	return step, step < want
}

// cutShort stands for data that was not copied: what the recorder left away,
// or could not read.
func (p *printer) cutShort(v view) {
	if v.faulted {
		p.lost(v)
		return
	}
	p.s("...")
}

// message writes a message of which at least the header is there.
func (p *printer) message(v view) {
	f := netlinkFamilies[p.netlink]
	if f == nil {
		f = &netlinkFamily{}
	}
	kind := load(v.data, 4, 2)
	if v.want > nlmsgHeader {
		p.c('[')
	}
	p.s("{nlmsg_len=")
	p.udec(load(v.data, 0, 4))
	p.s(", nlmsg_type=")
	switch {
	case kind < nlmsgMinType:
		p.named("nl_message_types", int64(kind))
	case p.netlink == netlinkGeneric && kind == nlmsgMinType:
		p.s("nlctrl")
	case f.types != "":
		p.named(f.types, int64(kind))
	default:
		p.hex(kind)
	}
	set := "netlink_flags"
	switch {
	case kind == nlmsgError:
		set = "netlink_ack_flags"
	case kind >= nlmsgMinType && f.flags != nil:
		set = f.flags(kind)
	}
	p.s(", nlmsg_flags=")
	p.consts(p.set(set), load(v.data, 6, 2))
	p.s(", nlmsg_seq=")
	p.udec(load(v.data, 8, 4))
	p.s(", nlmsg_pid=")
	p.dec(signExtend(load(v.data, 12, 4), 4))
	p.c('}')
	if v.want <= nlmsgHeader {
		return
	}
	p.s(", ")
	p.payload(f, kind, v.at(nlmsgHeader, v.want), load(v.data, 6, 2))
	p.c(']')
}

// payload writes what follows the header of a message.
func (p *printer) payload(f *netlinkFamily, kind uint64, v view, flags uint64) {
	switch {
	case len(v.data) == 0:
		p.cutShort(v)
	case kind == nlmsgError && v.has(4):
		p.netlinkError(v, flags)
	case kind == nlmsgDone && v.want == 4 && v.has(4):
		p.dec(signExtend(load(v.data, 0, 4), 4))
	case kind >= nlmsgMinType && p.netlink == netlinkSockDiag:
		p.sockDiag(kind, v)
	case kind >= nlmsgMinType && f.payload != nil:
		shape := f.payload(kind)
		if shape == nil {
			p.familyOnly(v)
			return
		}
		p.shaped(shape, v)
	default:
		p.hexBytes(v)
	}
}

// netlinkError writes struct nlmsgerr, the message that it answers, and what
// the kernel says of it.
func (p *printer) netlinkError(v view, flags uint64) {
	const capped = 0x100 // NLM_F_CAPPED
	start := len(p.b)
	p.s("{error=")
	if n := int32(load(v.data, 0, 4)); n < 0 && syscalls.ErrnoName(-int(n)) != "" {
		p.c('-')
		p.errno(-int(n))
	} else {
		p.dec(int64(n))
	}
	rest := v.at(4, v.want)
	var attrs view
	if rest.want > 0 {
		p.s(", msg=")
		switch {
		case rest.want < nlmsgHeader:
			p.str(rest.data, rest.want, p.o.Strings)
		case !rest.has(nlmsgHeader):
			p.cutShort(rest)
		case p.depth >= maxDepth: // an answer to an answer to an answer
			p.s("...")
		default:
			size := max(load(rest.data, 0, 4), nlmsgHeader)
			if flags&capped != 0 {
				size = nlmsgHeader
			}
			p.depth++
			p.message(rest.at(0, int(min(size, uint64(rest.want)))))
			p.depth--
			if size < uint64(rest.want) {
				attrs = rest.at(int(size), rest.want)
			}
		}
	}
	p.c('}')
	if attrs.want > 0 {
		p.b = append(p.b[:start+1], p.b[start:]...)
		p.b[start] = '['
		p.s(", ")
		p.attributes("netlink_ack_attrs", attrs, nil)
		p.c(']')
	}
}

// shaped writes a structure and the attributes behind it. Of one that is too
// short only the family is written.
func (p *printer) shaped(s *netlinkShape, v view) {
	t := syscalls.TypeByName(p.arch, s.body)
	if t == nil || len(t.Fields) == 0 {
		p.hexBytes(v)
		return
	}
	body := v.at(0, t.Size)
	if body.want < t.Size {
		p.c('{')
		p.s(t.Fields[0].Name)
		p.c('=')
		p.value(t.Fields[0].Type, v.at(0, 1))
		p.s(", ...}")
		return
	}
	p.value(t, body)
	from := (t.Size + 3) &^ 3
	if s.attrs != "" && v.want > from {
		p.s(", ")
		p.attributes(s.attrs, v.at(from, v.want), v.data[:min(t.Size, len(v.data))])
	}
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

// hexBytes writes data as hexadecimal escapes.
func (p *printer) hexBytes(v view) {
	if v.faulted && len(v.data) < min(v.want, p.o.Strings+1) {
		p.lost(v)
		return
	}
	h := p.o.Hex
	p.o.Hex = HexAll
	p.str(v.data, v.want, p.o.Strings)
	p.o.Hex = h
}

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

// attributeType returns what the union t says an attribute holds, or nil.
func attributeType(t *syscalls.Type, c *syscalls.Consts, kind uint64) *syscalls.Type {
	if t == nil || t.Kind != syscalls.Union || c == nil {
		return nil
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

// attributeValue writes what an attribute holds, unless it is too short for it.
func (p *printer) attributeValue(t *syscalls.Type, v view, head []byte) bool {
	switch {
	case t.Kind == syscalls.Union: // attributes within
		p.attributes(t.Name, v, head)
	case t.Kind == syscalls.String:
		s, ended := trimNUL(v.data)
		p.c('"')
		p.quote(s[:min(len(s), p.o.Strings)])
		p.c('"')
		if !ended || len(s) > p.o.Strings {
			p.s("...")
		}
	case t.Name == "nla_address": // of the family that the head begins with
		if len(head) == 0 {
			return false
		}
		switch {
		case head[0] == afInet && v.has(4):
			p.inet(v, 4)
		case head[0] == afInet6 && v.has(16):
			p.inet(v, 16)
		default:
			return false
		}
	case t.Name == "ether_addr":
		if v.want != t.Size || !v.has(t.Size) {
			return false
		}
		p.value(t, v)
	case t.Kind == syscalls.Int && t.Name == "be16":
		if !v.has(2) {
			return false
		}
		p.htons(uint64(bits.ReverseBytes16(uint16(load(v.data, 0, 2)))))
	case t.Kind == syscalls.Struct && v.want < t.Size && v.has(v.want): // of an older kernel
		p.structure(t, v)
	case t.Size == 0 || !v.has(t.Size):
		return false
	default:
		p.value(t, v.at(0, t.Size))
	}
	return true
}
