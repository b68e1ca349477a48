package format

import "strings"

// Address families whose addresses take some code (include/linux/socket.h): of
// AX.25, TIPC, RxRPC, IEEE 802.15.4 and NFC.
const (
	afAX25       = 3
	afTIPC       = 30
	afRxRPC      = 33
	afIEEE802154 = 36
)

func init() {
	families[afAX25] = addressFamily{16, sockaddrAX25}
	families[afTIPC] = addressFamily{16, sockaddrTIPC}
	families[afRxRPC] = addressFamily{36, sockaddrRxRPC}
	families[afIEEE802154] = addressFamily{20, sockaddrIEEE802154}
	families[afNFC] = addressFamily{16, sockaddrNFC}
}

// explain writes a number and behind it what it is: 0x2 /* IEEE802154_ADDR_SHORT */.
// Of those without a name it says so if the set has a prefix.
func (p *printer) explain(set string, n uint64) {
	c := p.set(set)
	p.hex(n)
	switch {
	case c == nil || p.o.Constants != Abbreviated || c.Prefix == "" && !hasValue(c, n):
	case strings.Contains(c.Prefix, "?") && !hasValue(c, n):
		p.s(" /* ")
		p.s(c.Prefix)
		p.s(" */")
	default:
		p.valueComment(c, n)
	}
}

// sockaddrAX25 writes struct sockaddr_ax25 or full_sockaddr_ax25
// (include/uapi/linux/ax25.h): a station, and the stations on the way to it.
func sockaddrAX25(p *printer, v view) {
	const size, call, most = 16, 7, 8 // sizeof(struct sockaddr_ax25), of ax25_address, AX25_MAX_DIGIS
	digis := int32(load(v.data, 12, 4))
	full := digis != 0 || v.want > size
	if full {
		p.s("fsa_ax25={")
	}
	p.s("sax25_call=")
	p.station(v.data[2:9])
	p.s(", sax25_ndigis=")
	p.dec(int64(digis))
	if !full {
		return
	}
	p.c('}')
	has := min((len(v.data)-size)/call, most)
	want := int(min(max(digis, 0), most))
	if want > 0 {
		p.s(", fsa_digipeater=[")
		for i := range min(has, want) {
			if i > 0 {
				p.s(", ")
			}
			p.station(v.data[size+i*call : size+(i+1)*call])
		}
		if want > has {
			if has > 0 {
				p.s(", ")
			}
			p.s("...")
		}
		p.c(']')
	}
	if v.want > size+has*call {
		p.s(", ...")
	}
}

// station writes an ax25_address: six characters, shifted to the left by a bit,
// and a number. One that cannot be is written as bytes, one that should not be
// in both ways.
func (p *printer) station(a []byte) {
	odd, space, char := false, false, false
	raw := false
	for _, b := range a[:6] {
		c := b >> 1
		if c == ' ' {
			space = true
		} else {
			char = true
			odd = odd || space
		}
		odd = odd || b&1 != 0 || c != ' ' && (c < '0' || c > '9') && (c < 'A' || c > 'Z')
		raw = raw || c < ' ' || c > '~' || c == '*' || c == '/'
	}
	odd = odd || a[6]&^0x1e != 0 || !char && a[6] != 0
	if raw || odd {
		p.s(`{ax25_call="`)
		p.quoteHex(a)
		p.s(`"}`)
		if raw {
			return
		}
		p.s(" /* ")
		defer p.s(" */")
	}
	name := make([]byte, 6)
	for i, b := range a[:6] {
		name[i] = b >> 1
	}
	text := strings.TrimRight(string(name), " ")
	ssid := uint64(a[6]>>1) & 0xf
	if text == "" && ssid == 0 {
		p.c('*')
		return
	}
	p.s(text)
	p.c('-')
	p.udec(ssid)
}

// sockaddrTIPC writes struct sockaddr_tipc (include/uapi/linux/tipc.h).
func sockaddrTIPC(p *printer, v view) {
	kind, scope := load(v.data, 2, 1), int8(v.data[3])
	p.s("addrtype=")
	p.named("tipc_addr_types", int64(kind))
	p.s(", scope=")
	if scope < 0 {
		p.c('-')
		scope = -scope // of −128, itself
	}
	p.consts(p.set("tipc_scopes"), uint64(uint32(scope)))
	words := [3]uint64{load(v.data, 4, 4), load(v.data, 8, 4), load(v.data, 12, 4)}
	p.s(", addr=")
	switch kind {
	case 1: // TIPC_SERVICE_RANGE
		p.s("{nameseq={type=")
		p.udec(words[0])
		p.s(", lower=")
		p.udec(words[1])
		p.s(", upper=")
		p.udec(words[2])
		p.s("}}")
	case 2: // TIPC_SERVICE_ADDR
		p.s("{name={name={type=")
		p.udec(words[0])
		p.s(", instance=")
		p.udec(words[1])
		p.s("}, domain=")
		p.hex(words[2])
		p.s("}}")
	case 3: // TIPC_SOCKET_ADDR
		p.s("{id={ref=")
		p.udec(words[0])
		p.s(", node=")
		p.hex(words[1])
		p.s("}}")
	default:
		p.str(v.data[4:16], 12, 12)
	}
}

// sockaddrRxRPC writes struct sockaddr_rxrpc (include/uapi/linux/rxrpc.h): a
// service and the address of the transport to it.
func sockaddrRxRPC(p *printer, v view) {
	const transport = 8 // offset of the address
	length := int(load(v.data, 6, 2))
	family := load(v.data, transport, 2)
	p.s("srx_service=")
	p.explain("rxrpc_services", load(v.data, 2, 2))
	p.s(", transport_type=")
	p.consts(p.set("socket_type_only"), load(v.data, 4, 2))
	p.s(", transport_len=")
	p.udec(uint64(length))
	p.s(", transport={")
	name := "family="
	switch family {
	case afInet:
		name = "sin={sin_family="
	case afInet6:
		name = "sin6={sin6_family="
	}
	p.s(name)
	p.named("address_family", int64(family))
	inner := v.at(transport, min(length, v.want-transport))
	f := families[family]
	switch ip := family == afInet || family == afInet6; {
	case ip && length >= f.least:
		p.s(", ")
		f.write(p, inner)
	case inner.want > 2:
		p.s(", ")
		p.str(inner.data[2:], inner.want-2, inner.want)
	}
	if name != "family=" {
		p.c('}')
	}
	p.c('}')
}

// sockaddrIEEE802154 writes struct sockaddr_ieee802154
// (include/net/af_ieee802154.h).
func sockaddrIEEE802154(p *printer, v view) {
	kind := load(v.data, 4, 4)
	p.s("addr={addr_type=")
	p.explain("ieee802154_addr_types", kind)
	p.s(", pan_id=")
	p.explain("ieee802154_pan_ids", load(v.data, 8, 2))
	switch kind {
	case 0: // IEEE802154_ADDR_NONE
	case 2: // IEEE802154_ADDR_SHORT
		p.s(", short_addr=")
		p.explain("ieee802154_addrs", load(v.data, 10, 2))
	default:
		p.s(", hwaddr=")
		p.bluetoothAddr(v.data[10:18])
	}
	p.c('}')
}

// sockaddrNFC writes struct sockaddr_nfc or, of that size,
// sockaddr_nfc_llcp (include/uapi/linux/nfc.h).
func sockaddrNFC(p *printer, v view) {
	const small, name, nameSize = 16, 18, 63 // sizeof(struct sockaddr_nfc), offset of service_name, NFC_LLCP_MAX_SERVICE_NAME
	length, word := 88, 8                    // offset and size of service_name_len
	if p.arch.PtrSize() == 4 {
		length, word = 84, 4
	}
	p.s("dev_idx=")
	p.udec(load(v.data, 4, 4))
	p.s(", target_idx=")
	p.hex(load(v.data, 8, 4))
	p.s(", nfc_protocol=")
	p.named("nfc_protos", int64(load(v.data, 12, 4)))
	if !v.has(length + word) {
		if v.want > small {
			p.s(", ...")
		}
		return
	}
	for i, field := range []string{", dsap=", ", ssap="} {
		p.s(field)
		p.explain("nfc_saps", load(v.data, 16+i, 1))
	}
	n := load(v.data, length, word)
	p.s(", service_name=")
	shown := int(min(n, nameSize))
	p.str(v.data[name:name+shown], shown, shown)
	p.s(", service_name_len=")
	p.udec(n)
}
