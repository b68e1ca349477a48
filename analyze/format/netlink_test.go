package format

import (
	"testing"

	"sysreel/proto/syscalls"
)

// linkNames says that every descriptor is a socket of a netlink protocol.
type linkNames int

func (n linkNames) FD(dst []byte, _ int32) []byte { return dst }
func (n linkNames) Cwd(dst []byte) []byte         { return dst }
func (n linkNames) Netlink(int32) int             { return int(n) }

// header makes a struct nlmsghdr with its payload.
func header(kind, flags int16, payload []byte) []byte {
	return append(bin(16+len(payload), kind, flags, 7, 0), payload...)
}

func TestNetlink(t *testing.T) {
	link := bin("\x00\x00\x04\x03", 1, 0x10049, 0)
	name := bin(int16(7), int16(3), "lo\x00\x00")
	info := bin(int16(16), int16(18), int16(9), int16(1), "dummy\x00\x00\x00")
	const head = `nlmsg_seq=7, nlmsg_pid=0}`
	const body = `{ifi_family=AF_UNSPEC, ifi_type=ARPHRD_LOOPBACK, ifi_index=1, ifi_flags=IFF_UP|IFF_LOOPBACK|IFF_RUNNING|IFF_LOWER_UP, ifi_change=0}`
	families := func(id uint16) string { return map[uint16]string{27: "tcp_metrics"}[id] }
	for _, tt := range []struct {
		proto int
		data  []byte
		want  string
	}{
		{NotNetlink, header(18, 0x301, nil), `"\20\0\0\0\22\0\1\3\7\0\0\0\0\0\0\0"`},
		{netlinkUevent, []byte("add@/x"), `"add@/x"`},
		{netlinkRoute, header(18, 0x301, nil), `{nlmsg_len=16, nlmsg_type=RTM_GETLINK, nlmsg_flags=NLM_F_REQUEST|NLM_F_DUMP, ` + head},
		{netlinkRoute, header(16, 2, append(link, name...)), `[{nlmsg_len=40, nlmsg_type=RTM_NEWLINK, nlmsg_flags=NLM_F_MULTI, ` + head + `, ` + body +
			`, [{nla_len=7, nla_type=IFLA_IFNAME}, "lo"]]`},
		{netlinkRoute, header(16, 0x600, append(append(link, name...), info...)), `[{nlmsg_len=56, nlmsg_type=RTM_NEWLINK, nlmsg_flags=NLM_F_EXCL|NLM_F_CREATE, ` + head + `, ` + body +
			`, [[{nla_len=7, nla_type=IFLA_IFNAME}, "lo"], [{nla_len=16, nla_type=IFLA_LINKINFO}, [{nla_len=9, nla_type=IFLA_INFO_KIND}, "dummy"...]]]]`},
		{netlinkRoute, header(2, 0, append(bin(-19), header(16, 5, nil)...)), `[{nlmsg_len=36, nlmsg_type=NLMSG_ERROR, nlmsg_flags=0, ` + head +
			`, {error=-ENODEV, msg={nlmsg_len=16, nlmsg_type=RTM_NEWLINK, nlmsg_flags=NLM_F_REQUEST|NLM_F_ACK, ` + head + `}]`},
		{netlinkRoute, append(header(3, 2, bin(0)), header(18, 1, nil)...), `[[{nlmsg_len=20, nlmsg_type=NLMSG_DONE, nlmsg_flags=NLM_F_MULTI, ` + head +
			`, 0], {nlmsg_len=16, nlmsg_type=RTM_GETLINK, nlmsg_flags=NLM_F_REQUEST, ` + head + `]`},
		{netlinkGeneric, header(16, 1, []byte("\x03\x00\x00\x00")), `[{nlmsg_len=20, nlmsg_type=nlctrl, nlmsg_flags=NLM_F_REQUEST, ` + head + `, {cmd=CTRL_CMD_GETFAMILY, version=0}]`},
		{netlinkGeneric, header(27, 1, []byte("\x03\x01\x00\x00")), `[{nlmsg_len=20, nlmsg_type=tcp_metrics, nlmsg_flags=NLM_F_REQUEST, ` + head + `, {cmd=0x3, version=1}]`},
		{netlinkGeneric, header(28, 1, []byte("\x03\x01\x00\x00")), `[{nlmsg_len=20, nlmsg_type=0x1c /* GENERIC_FAMILY_??? */, nlmsg_flags=NLM_F_REQUEST, `},
	} {
		d, e := call(t, syscalls.AMD64, "sendto", [6]uint64{3, 0x1000, uint64(len(tt.data))}, int64(len(tt.data)), memoryAt{0x1000: tt.data}, nil)
		got := string(New(Options{Family: families}).Call(d, e, linkNames(tt.proto)).Call)
		const before, after = "sendto(3, ", ", "
		if len(got) < len(before)+len(tt.want) || got[len(before):][:min(len(tt.want), len(got)-len(before))] != tt.want {
			t.Errorf("protocol %d:\n got %s\nwant %s%s%s", tt.proto, got, before, tt.want, after)
		}
	}
}

// TestUnfold checks calls of i386 that stand for others.
func TestUnfold(t *testing.T) {
	mem := memoryAt{
		0x1000: bin(3, 0x2000, 16),
		0x2000: []byte("\x02\x00\x00\x50\x7f\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00"),
		0x3000: bin(0, 4096, 1, 0x22, -1, 0),
	}
	for _, tt := range []struct {
		want, call string
		args       [6]uint64
	}{
		{`connect(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}, 16`, "socketcall", [6]uint64{3, 0x1000}},
		{`mmap(NULL, 4096, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0`, "mmap", [6]uint64{0x3000}},
		{`mmap(0x5000`, "mmap", [6]uint64{0x5000}},
		{`shmget(IPC_PRIVATE, 100, IPC_CREAT|0600`, "ipc", [6]uint64{23, 0, 100, 0o1600}},
		{`socketcall(SYS_CONNECT, 0x9000`, "socketcall", [6]uint64{3, 0x9000}},
	} {
		d, e := call(t, syscalls.I386, tt.call, tt.args, 0, mem, nil)
		if got := string(New(Options{}).Call(d, e, nil).Call); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}
