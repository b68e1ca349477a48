package syscalls

import (
	"fmt"
	"strconv"
	"sync"
)

// word stands for the size of a pointer or long in the tables below.
const word = -1

type builtin struct {
	size   int
	signed bool
	base   Base
}

// integers are the scalar types of the notation.
var integers = map[string]builtin{
	"i8": {1, true, Dec}, "u8": {1, false, Dec}, "i16": {2, true, Dec}, "u16": {2, false, Dec},
	"i32": {4, true, Dec}, "u32": {4, false, Dec}, "i64": {8, true, Dec}, "u64": {8, false, Dec},
	"int": {4, true, Dec}, "uint": {4, false, Dec}, "long": {word, true, Dec}, "ulong": {word, false, Dec},
	"size": {word, false, Dec}, "ssize": {word, true, Dec},
	"x8": {1, false, Hex}, "x16": {2, false, Hex}, "x32": {4, false, Hex}, "x64": {8, false, Hex}, "xlong": {word, false, Hex}, "kernel_version": {4, false, Hex},
	"oct": {4, false, Oct}, "char": {1, false, Hex}, "be16": {2, false, Dec}, "be32": {4, false, Dec}, "be64": {8, false, Dec},
	"addr": {word, false, Hex}, "addr64": {8, false, Hex},

	"fd": {4, true, Dec}, "dirfd": {4, true, Dec}, "pid": {4, true, Dec}, "tid": {4, true, Dec}, "pgid": {4, true, Dec},
	"uid": {4, false, Dec}, "gid": {4, false, Dec}, "uid16": {2, false, Dec}, "gid16": {2, false, Dec},
	"signo": {4, true, Dec}, "usigno": {word, false, Dec}, "signo64": {8, false, Dec}, "ifindex": {4, false, Dec}, "mode": {2, false, Oct}, "mode16": {2, false, Oct}, "mode32": {4, false, Oct}, "dev": {4, false, Dec},
	"off": {word, true, Dec}, "loff": {8, true, Dec}, "loffhl": {8, true, Dec}, "loffhilo": {8, true, Dec},
	"time_t": {word, true, Dec}, "time64": {8, true, Dec}, "clock_t": {word, true, Dec},
	"hex8": {1, false, Hex}, "hex16": {2, false, Hex}, "hex32": {4, false, Hex}, "hex64": {8, false, Hex},
	"errno": {4, true, Dec}, "btrfs_u64": {8, false, Dec}, "btrfs_objectid": {8, false, Dec}, "btrfs_key_type": {4, false, Dec}, "numa_node": {4, false, Dec}, "ring_slot": {4, true, Dec}, "u64_max": {8, false, Dec}, "listns_user": {8, false, Hex}, "ebpf_code": {1, false, Hex}, "errno_neg": {4, true, Dec}, "u32_any": {4, false, Dec}, "bool": {4, true, Dec},
	"noreturn": {0, false, Dec},
}

// special is a type that code of analyze/format decodes.
type special struct {
	size  int    // bytes; word; 0: as many as its length says
	align int    // 0: by size
	max   uint32 // most bytes worth copying, 0: maxWhole
	bits  bool   // the length counts bits, kept in longs,
	over  uint32 // and this many more than there are
	head  bool   // a long stands before what the length counts
	set   string // constants that the decoder and conditions need
}

var specials = map[string]special{
	"st_mode":           {size: 4}, // S_IFREG|0644
	"wait_status":       {size: 4}, // wait(2)
	"kdev":              {size: 4}, // makedev(), the kernel's 32-bit encoding
	"kdev64":            {size: 8}, // makedev(), 64 bits as in struct stat
	"ipc_key":           {size: 4}, // IPC_PRIVATE
	"ioprio":            {size: 4}, // IOPRIO_PRIO_VALUE()
	"quota_cmd":         {size: 4}, // QCMD(cmd, type)
	"siginfo":           {size: 128, align: word},
	"sigset8":           {size: 8, align: word}, // sigset_t of fixed size
	"ksigval":           {size: word},           // union sigval
	"sighandler":        {size: word},           // SIG_DFL, SIG_IGN or an address
	"old_sigset":        {size: word},           // one word of signals
	"pgoff":             {size: word},           // file offset in pages
	"sockaddr":          {max: 128, align: 2},   // struct sockaddr_storage is the largest
	"sigset":            {max: 128},
	"cmsg":              {max: 16 << 10},
	"dirents64":         {},
	"dirents":           {},
	"netlink":           {},
	"cpuset":            {max: 8 << 10},
	"fdset":             {bits: true, max: 8 << 10},
	"nodemask":          {bits: true, over: 1, max: 8 << 10},
	"msgbuf_data":       {head: true},
	"futex_wake_op":     {size: 4}, // FUTEX_OP_SET<<28|0<<12|FUTEX_OP_CMP_EQ<<24|0
	"prctl_ptracer":     {size: 4}, // a PID or PR_SET_PTRACER_ANY
	"in_addr":           {size: 4}, // inet_addr("127.0.0.1")
	"in6_addr":          {size: 16, align: 1},
	"term_cc":           {align: 1},   // [[VINTR]=0x3, ...]
	"user_offset":       {size: word}, // 8*RAX: a place in struct user
	"ether_addr":        {size: 6, align: 1},
	"hw_addr":           {size: 14, align: 1}, // sa_data of a struct sockaddr with a hardware type
	"ev_keycode":        {size: 8, align: 4, set: "evdev_keycode"},
	"sockopt":           {max: 8 << 10}, // a number of 4 bytes, else data
	"sockint":           {max: 8 << 10}, // a number of 4 bytes, whatever else is there
	"port_range":        {max: 8 << 10}, // a number of 4 bytes, else data
	"tcp_ao_key":        {max: 288},     // struct tcp_ao_add, or what there is of it
	"packet_address":    {size: 8, align: 1},
	"unicode_char":      {size: 2},
	"uuid":              {size: 16, align: 1},
	"btrfs_items":       {align: 8},
	"v4l2_fourcc":       {size: 4},
	"v4l2_cid":          {size: 4},
	"kd_key_table":      {size: 1},
	"kd_key_func":       {size: 1},
	"kd_keysym":         {size: 2},
	"kd_sound":          {size: word},
	"kd_tone":           {size: word},
	"nla_address":       {},           // an address of the family of the message
	"rlim":              {size: word}, // 8192*1024, RLIM_INFINITY
	"rlim64":            {size: 8},
	"utimespec":         {size: 2 * word}, // struct timespec with UTIME_NOW and UTIME_OMIT
	"utimespec64":       {size: 16},
	"cap_data":          {size: 24}, // three sets of capabilities, in halves
	"old_dirent":        {size: 266},
	"bpf_attr":          {max: 4 << 10},
	"key_text":          {max: 4 << 10},    // a string in a buffer, its NUL counted
	"key_caps":          {max: 64},         // what keyctl can do, in bytes
	"uring_probe":       {max: 16 + 8*256}, // struct io_uring_probe and its members
	"uring_workers":     {max: 4 << 10},
	"lsm_ctx":           {max: 16 << 10},
	"dm_data":           {align: 1, max: 64 << 10}, // behind struct dm_ioctl
	"uring_rsrc":        {max: 4 << 10},            // struct io_uring_rsrc_register and what stands behind it
	"uring_rsrc_update": {max: 4 << 10},
	"nla_hwaddr":        {}, // of hardware, as long as it is for the family of the message
	"nla_mac":           {}, // of hardware
	"nla_clock":         {}, // USER_HZ ticks, a number of any size
	"nla_msec":          {}, // milliseconds, likewise
	"inet_devconf":      {set: "inet_devconf_indices"},
	"inet6_devconf":     {set: "inet6_devconf_indices"},
	"snmp_ip":           {set: "snmp_ip_stats"},
	"snmp_icmp6":        {set: "snmp_icmp6_stats"},
	"sk_meminfo":        {set: "netlink_sk_meminfo_indices"},
	"mcast_count":       {size: 16, align: word, set: "ifstats_xstats_bridge_mcast_indices"},
	"nla_sockaddrs":     {}, // a list of struct sockaddr_storage
	"nl_groups":         {}, // of a netlink socket, in longs
	"ifla_protinfo":     {},
	"ifla_af_spec":      {},
	"ifla_info_kind":    {},
	"ifla_info_data":    {},
	"ifla_info_xstats":  {},
	"ifla_slave_kind":   {},
	"ifla_slave_data":   {},
	"rta_multipath":     {}, // struct rtnexthop, each with attributes
	"rtvia":             {},
	"mdb_router_port":   {}, // an interface, and attributes
	"hw_bytes":          {}, // an address of hardware that fills an array
	"crypto_type":       {},
	"genl_name":         {},
	"genl_op_id":        {}, // a command of the family that was named before
}

// named returns the type that a name alone stands for, or nil. t.mu is held.
//
// Structures of types.txt win over specials of the same name, so that what
// was code can become a description.
func (t *archTable) named(name string) *Type {
	if typ, ok := t.types[name]; ok {
		return typ
	}
	if b, ok := integers[name]; ok {
		return t.keep(name, &Type{Kind: Int, Name: name, Size: t.bytes(b.size), Signed: b.signed, Base: b.base})
	}
	switch name {
	case "path", "name", "str":
		return t.keep(name, &Type{Kind: String, Name: name})
	case "cstr":
		return t.keep(name, &Type{Kind: String, Name: name})
	case "bytes", "raw", "octets":
		return t.keep(name, &Type{Kind: Bytes, Name: name})
	case "strings", "envs":
		str := &Type{Kind: Pointer, Name: "str", Size: t.arch.PtrSize(), Elem: t.named("str"), Dir: In}
		return t.keep(name, &Type{Kind: Array, Name: name, Elem: str})
	}
	if typ := t.section(name); typ != nil {
		return typ
	}
	if c := t.constSet(name); c != nil {
		return t.keep(name, constsType(c, 4))
	}
	if s, ok := specials[name]; ok {
		return t.keep(name, &Type{Kind: Special, Name: name, Size: t.bytes(s.size), Consts: t.constSet(s.set)})
	}
	return nil
}

func constsType(c *Consts, size int) *Type {
	kind := Flags
	if c.Enum {
		kind = Enum
	}
	return &Type{Kind: kind, Name: c.Name, Size: size, Consts: c}
}

func (t *archTable) keep(name string, typ *Type) *Type {
	typ.Sym = symbolOf(name)
	t.types[name] = typ
	return typ
}

// symbols are the numbers of the names of types.
var symbols struct {
	sync.Mutex
	of map[string]uint16
}

func symbolOf(name string) uint16 {
	symbols.Lock()
	defer symbols.Unlock()
	if symbols.of == nil {
		symbols.of = make(map[string]uint16, 256)
	}
	s := symbols.of[name]
	if s == 0 {
		s = uint16(len(symbols.of) + 1)
		symbols.of[name] = s
	}
	return s
}

// bytes resolves sizes given in words.
func (t *archTable) bytes(size int) int {
	if size < 0 {
		return -size * t.arch.PtrSize()
	}
	return size
}

// scope resolves the names that a length may use: the arguments of a call, or
// the fields of a structure.
type scope interface {
	length(termExpr) (Length, error)
}

// value resolves a type expression without direction: a value in a register or
// a structure, or what a pointer leads to. A name that stands for nothing
// becomes a hexadecimal number of size unknown.
func (t *archTable) value(e *typeExpr, sc scope, unknown int) (*Type, []Length, error) {
	base := t.named(e.name)
	if base == nil {
		t.problem(fmt.Errorf("type %s is defined nowhere", e.name))
		base = &Type{Kind: Int, Name: e.name, Size: unknown, Base: Hex}
	}
	if e.width != "" {
		w := t.named(e.width)
		if w == nil || w.Kind != Int {
			n, err := strconv.Atoi(e.width)
			if err != nil {
				return nil, nil, fmt.Errorf("type %s: width %s is no integer type", e.name, e.width)
			}
			w = &Type{Size: n}
		}
		wide := *base
		wide.Size = w.Size
		base = &wide
	}
	if e.star {
		base = &Type{Kind: Pointer, Name: e.name, Sym: base.Sym, Size: t.arch.PtrSize(), Elem: base}
	}
	if len(e.lens) == 0 {
		return base, nil, nil
	}
	lens := make([]Length, len(e.lens))
	for i, term := range e.lens {
		l, err := sc.length(term)
		if err != nil {
			return nil, nil, err
		}
		lens[i] = t.scale(l, base)
	}
	typ := *base
	typ.Len = lens[0]
	fixed := len(lens) == 1 && lens[0].From == LenConst && !e.prefix
	if _, ok := sc.(*layout); ok && len(lens) == 2 && lens[1].From == LenConst && !e.prefix && !e.ptr {
		// An array of fixed size in a structure, of which fewer count.
		if base.Kind == Bytes || base.Kind == String {
			typ.Size = int(lens[1].Val)
		} else {
			typ = Type{Kind: Array, Name: e.name, Sym: base.Sym, Elem: base, Len: lens[0], Size: base.Size * int(lens[1].Val)}
		}
		return &typ, lens, nil
	}
	switch {
	case e.prefix:
	case base.Kind == Bytes || base.Kind == String || base.Kind == Special && base.Size == 0:
		if fixed {
			typ.Size = int(lens[0].Val)
		}
	default:
		typ = Type{Kind: Array, Name: e.name, Sym: base.Sym, Elem: base, Len: lens[0]}
		if fixed {
			typ.Size = base.Size * int(lens[0].Val)
		}
	}
	return &typ, lens, nil
}

// pointer resolves a type expression with direction: a pointer to a value.
func (t *archTable) pointer(e *typeExpr, sc scope) (*Type, error) {
	elem, lens, err := t.value(e, sc, 0)
	if err != nil {
		return nil, err
	}
	size := t.arch.PtrSize()
	if e.ptr64 {
		size = 8
	}
	return &Type{
		Kind: Pointer, Name: e.name, Size: size, Elem: elem, Dir: e.dir,
		always: e.always, prefix: e.prefix, lens: lens,
	}, nil
}

// scale turns a length in a special's own unit into bytes.
func (t *archTable) scale(l Length, typ *Type) Length {
	s := specials[typ.Name]
	if typ.Kind != Special {
		return l
	}
	if s.bits {
		l.Sub = s.over
		l.Div, l.Mul = uint32(8*t.arch.PtrSize()), uint32(t.arch.PtrSize())
	}
	if s.head {
		l.Add += uint32(t.arch.PtrSize())
	}
	return l
}

// Scale applies Sub, Div, Mul and Add to the number that a Length refers to. The
// result is cut at the largest uint32.
func (l *Length) Scale(v uint64) uint32 {
	const most = 1<<32 - 1
	v -= min(v, uint64(l.Sub))
	if l.Div > 1 {
		rest := v % uint64(l.Div)
		v /= uint64(l.Div)
		if rest != 0 {
			v++
		}
	}
	v = min(v, most)
	if l.Mul > 1 {
		v *= uint64(l.Mul)
	}
	return uint32(min(v+uint64(l.Add), most))
}

// IoctlSize returns the size that an ioctl request carries, in bytes (_IOC_SIZE in
// include/uapi/asm-generic/ioctl.h).
func IoctlSize(request uint64) uint64 { return request >> 16 & 0x3fff }

// alignment returns what the C ABI aligns a type to.
func (t *archTable) alignment(typ *Type) int {
	ptr := t.arch.PtrSize()
	switch typ.Kind {
	case Struct, Union:
		return max(typ.align, 1)
	case Array:
		return t.alignment(typ.Elem)
	case Bytes, String:
		return 1
	case Pointer:
		return typ.Size // __aligned_u64 where it is wider than a word
	case Special:
		if s := specials[typ.Name]; s.align != 0 {
			return t.bytes(s.align)
		}
		if typ.Size == 2*ptr {
			return ptr
		}
	}
	switch {
	case typ.Size == 0:
		return 1
	case typ.Size > ptr:
		return ptr // i386 aligns 8-byte integers to 4
	}
	return typ.Size
}
