package format

import (
	"sysreel/proto/syscalls"
)

// NotNetlink is what [Names.Netlink] returns of all else.
const NotNetlink = -1

// Protocols of netlink, message types that all of them have and sizes
// (include/uapi/linux/netlink.h).
const (
	netlinkRoute     = 0
	netlinkSockDiag  = 4
	netlinkXFRM      = 6
	netlinkSELinux   = 7
	netlinkAudit     = 9
	netlinkNetfilter = 12
	netlinkUevent    = 15
	netlinkGeneric   = 16
	netlinkCrypto    = 21

	nlmsgError   = 2
	nlmsgDone    = 3
	nlmsgMinType = 16

	nlmsgHeader = 16
	nlaHeader   = 4
)

// netlinkFamily describes the messages of one netlink protocol. Its parts may
// be nil; data that nobody describes is written as hexadecimal escapes.
type netlinkFamily struct {
	types string                                       // set of message types
	kind  func(p *printer, kind uint64)                // writes a message type, where a set is not enough
	flags func(kind uint64) string                     // set of flags, by message type; "" if they have no more
	body  func(p *printer, m netlinkHead, v view) bool // writes a payload, or returns false and has written nothing
}

// netlinkHead is what of a message's header its payload depends on.
type netlinkHead struct{ kind, flags uint64 }

var netlinkFamilies map[int]*netlinkFamily

func init() {
	netlinkFamilies = map[int]*netlinkFamily{
		netlinkRoute:     {types: "nl_route_types", flags: routeFlags, body: routeBody},
		netlinkSockDiag:  {types: "nl_sock_diag_types", flags: diagFlags, body: sockDiag},
		netlinkXFRM:      {types: "xfrm_msg_types", flags: xfrmFlags},
		netlinkSELinux:   {types: "nl_selinux_types", body: selinuxBody},
		netlinkAudit:     {types: "nl_audit_types"},
		netlinkNetfilter: {kind: netfilterType, flags: netfilterFlags, body: netfilterBody},
		netlinkGeneric:   {kind: genericType, flags: diagFlags, body: genericBody},
		netlinkCrypto:    {types: "nl_crypto_types", flags: cryptoFlags, body: cryptoBody},
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
		p.hexBytes,
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
	m := netlinkHead{load(v.data, 4, 2), load(v.data, 6, 2)}
	if v.want > nlmsgHeader {
		p.c('[')
	}
	p.s("{nlmsg_len=")
	p.udec(load(v.data, 0, 4))
	p.s(", nlmsg_type=")
	switch {
	case m.kind >= nlmsgMinType && f.kind != nil:
		f.kind(p, m.kind)
	case m.kind >= nlmsgMinType && f.types != "":
		p.named(f.types, int64(m.kind))
	default:
		p.named("nl_message_types", int64(m.kind))
	}
	set := ""
	switch {
	case m.kind == nlmsgError:
		set = "netlink_ack_flags"
	case m.kind >= nlmsgMinType && f.flags != nil:
		set = f.flags(m.kind)
	}
	if set == "" {
		set = "netlink_flags"
	}
	p.s(", nlmsg_flags=")
	p.consts(p.set(set), m.flags)
	p.s(", nlmsg_seq=")
	p.udec(load(v.data, 8, 4))
	p.s(", nlmsg_pid=")
	p.dec(signExtend(load(v.data, 12, 4), 4))
	p.c('}')
	if v.want <= nlmsgHeader {
		return
	}
	p.s(", ")
	p.payload(f, m, v.at(nlmsgHeader, v.want))
	p.c(']')
}

// payload writes what follows the header of a message.
func (p *printer) payload(f *netlinkFamily, m netlinkHead, v view) {
	switch {
	case len(v.data) == 0:
		p.cutShort(v)
	case m.kind == nlmsgError:
		p.netlinkError(v, m.flags)
	case m.kind >= nlmsgMinType && f.body != nil && f.body(p, m, v):
	case m.kind == nlmsgDone && v.want == 4 && v.has(4):
		p.dec(signExtend(load(v.data, 0, 4), 4))
	default:
		p.hexBytes(v)
	}
}

// netlinkError writes struct nlmsgerr: an error, the message that it answers,
// and what the kernel says of it.
func (p *printer) netlinkError(v view, flags uint64) {
	const capped = 0x100 // NLM_F_CAPPED
	if v.want < 4+nlmsgHeader || !v.has(4) {
		p.hexBytes(v)
		return
	}
	start := len(p.b)
	var attrs view
	p.s("{error=")
	if n := int32(load(v.data, 0, 4)); n < 0 && syscalls.ErrnoName(-int(n)) != "" {
		p.c('-')
		p.errno(-int(n))
	} else {
		p.dec(int64(n))
	}
	rest := v.at(4, v.want)
	if rest.want > 0 {
		p.s(", msg=")
		switch {
		case rest.want < nlmsgHeader:
			p.hexBytes(rest)
		case !rest.has(nlmsgHeader):
			p.cutShort(rest)
		case p.depth >= maxDepth: // an answer to an answer to an answer
			p.s("...")
		default:
			size := int(min(max(load(rest.data, 0, 4), nlmsgHeader), uint64(rest.want)))
			if flags&capped != 0 {
				size = nlmsgHeader
			}
			p.depth++
			p.message(view{data: rest.data[:min(len(rest.data), size)], want: size, buf: rest.buf, off: rest.off, addr: rest.addr, faulted: rest.faulted})
			p.depth--
			if size < rest.want {
				attrs = rest.at(size, rest.want)
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

// shaped writes a structure, and the attributes of a set behind it if there is
// one. Of a structure that is too short only the family is written, with which
// it begins.
func (p *printer) shaped(body, attrs string, v view) {
	t := syscalls.TypeByName(p.arch, body)
	if t == nil || len(t.Fields) == 0 {
		p.hexBytes(v)
		return
	}
	if v.want < t.Size && !familyAlone(t) {
		p.c('{')
		p.s(t.Fields[0].Name)
		p.c('=')
		p.value(t.Fields[0].Type, v.at(0, 1))
		p.s(", ...}")
		return
	}
	p.value(t, v.at(0, t.Size))
	from := (t.Size + 3) &^ 3
	if v.want <= from || attrs == "" {
		return
	}
	p.s(", ")
	p.attributes(attrs, v.at(from, v.want), v.data[:min(t.Size, len(v.data))])
}

// familyAlone tells whether a structure has no member but its family.
func familyAlone(t *syscalls.Type) bool {
	for i := range t.Fields[1:] {
		if !t.Fields[1+i].Hidden {
			return false
		}
	}
	return true
}

// hexBytes writes data as hexadecimal escapes.
func (p *printer) hexBytes(v view) {
	v = p.meant(v)
	if v.faulted && len(v.data) < min(v.want, p.o.Strings+1) {
		p.lost(v)
		return
	}
	h := p.o.Hex
	p.o.Hex = HexAll
	p.str(v.data, v.want, p.o.Strings)
	p.o.Hex = h
}
