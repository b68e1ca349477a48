package format

import (
	"fmt"
	"math/bits"

	"sysreel/proto/syscalls"
)

// maxDepth bounds the nesting of values; the table's own is at most 5.
const maxDepth = 12

// special writes a value of a type that the table names but does not describe.
type special func(p *printer, t *syscalls.Type, v view)

// word writes a value that lies in a register.
func (p *printer) word(t *syscalls.Type, v uint64) {
	switch t.Kind {
	case syscalls.Int:
		p.int(t, v)
	case syscalls.Flags, syscalls.Enum:
		if t.Name == "ethernet_protocol" && t.Size == 2 { // in network order
			p.s("htons(")
			p.consts(t.Consts, uint64(bits.ReverseBytes16(uint16(v))))
			p.c(')')
			return
		}
		if fn := p.code(t).set; fn != nil {
			fn(p, t.Consts, truncate(v, t.Size))
			return
		}
		p.consts(t.Consts, truncate(v, t.Size))
	case syscalls.Pointer:
		p.addr(truncate(v, p.arch.PtrSize()))
	case syscalls.Special:
		var mem [8]byte
		for i := range mem {
			mem[i] = byte(v >> (8 * i))
		}
		size := 8
		if t.Size > 0 && t.Size < 8 {
			size = t.Size
		}
		p.value(t, view{data: mem[:size], want: size, buf: -1})
	default:
		p.hex(v)
	}
}

// int writes an integer by what it means.
func (p *printer) int(t *syscalls.Type, v uint64) {
	if fn := p.code(t).number; fn != nil {
		fn(p, truncate(v, t.Size))
		return
	}
	switch {
	case t.Base == syscalls.Hex:
		p.hex(truncate(v, t.Size))
	case t.Base == syscalls.Oct:
		p.oct(truncate(v, t.Size))
	case t.Signed:
		p.dec(signExtend(v, t.Size))
	default:
		p.udec(truncate(v, t.Size))
	}
}

// ints are the integers that are written by what they mean. The value is cut
// to the type's size.
var ints map[string]func(p *printer, v uint64)

func init() {
	ints = map[string]func(p *printer, v uint64){
		"fd":   func(p *printer, v uint64) { p.fd(int32(v)) },
		"fd64": func(p *printer, v uint64) { p.fd(int32(v)) }, // strace looks at the lower half
		"wide_fd": func(p *printer, v uint64) {
			p.udec(v)
			if v < 1<<31 {
				p.fdName(int32(v))
			}
		},
		"dirfd": func(p *printer, v uint64) { p.dirfd(int32(v)) },
		"uid":   (*printer).id,
		"gid":   (*printer).id,
		"uid16": (*printer).id16,
		"gid16": (*printer).id16,
		"signo": (*printer).signo, "signo64": (*printer).signo,
		"usigno": func(p *printer, v uint64) {
			if v > 64 {
				p.udec(v)
				return
			}
			p.signo(v)
		},
		"mode": (*printer).mode, "mode16": (*printer).mode, "mode32": (*printer).mode,
		"addr": (*printer).addr, "addr64": (*printer).addr,
		"pid": (*printer).pid, "tid": (*printer).pid,
		"pgid": (*printer).pgid,
		"be16": func(p *printer, v uint64) { p.udec(uint64(bits.ReverseBytes16(uint16(v)))) },
		"be32": func(p *printer, v uint64) { p.udec(uint64(bits.ReverseBytes32(uint32(v)))) },
		"be64": func(p *printer, v uint64) { p.udec(bits.ReverseBytes64(v)) },
		"kernel_version": func(p *printer, v uint64) { // KERNEL_VERSION in include/linux/version.h
			p.s("KERNEL_VERSION(")
			p.udec(v >> 16)
			p.s(", ")
			p.udec(v >> 8 & 0xff)
			p.s(", ")
			p.udec(v & 0xff)
			p.c(')')
		},
		"hex8":           func(p *printer, v uint64) { p.paddedHex(v, 2) },
		"hex16":          func(p *printer, v uint64) { p.paddedHex(v, 4) },
		"hex32":          func(p *printer, v uint64) { p.paddedHex(v, 8) },
		"hex64":          func(p *printer, v uint64) { p.paddedHex(v, 16) },
		"char":           func(p *printer, v uint64) { p.char(byte(v)) },
		"btrfs_objectid": func(p *printer, v uint64) { p.btrfsID("btrfs_tree_objectids", v) },
		"btrfs_u64":      func(p *printer, v uint64) { p.btrfsID("", v) },
		"btrfs_key_type": func(p *printer, v uint64) {
			if v == 1<<32-1 {
				p.s("UINT32_MAX")
				return
			}
			p.btrfsID("btrfs_key_types", v)
		},
		"u32_any": func(p *printer, v uint64) { // all bits set: any will do
			if v == 1<<32-1 {
				p.s("-1")
				return
			}
			p.udec(v)
		},
		"ebpf_code": ebpfCode,
		"u64_max": func(p *printer, v uint64) {
			if v == 1<<64-1 {
				p.s("UINT64_MAX")
				return
			}
			p.udec(v)
		},
		"listns_user": func(p *printer, v uint64) {
			if v == 1<<64-1 {
				p.styled(func() { p.hex(v) }, func() { p.s("LISTNS_CURRENT_USER") })
				return
			}
			p.hex(v)
		},
		"timestamp": func(p *printer, v uint64) {
			p.udec(v)
			p.date(int64(v), 0, 0)
		},
		"per_mille": func(p *printer, v uint64) {
			p.udec(v)
			p.comment(fmt.Sprintf("%d.%d%%", v/10, v%10))
		},
		"usecs":      func(p *printer, v uint64) { p.seconds(int64(v), 6) },
		"clock_t":    (*printer).clockT,
		"nsecs":      func(p *printer, v uint64) { p.seconds(int64(int32(v)), 9) },
		"signo_word": (*printer).signalWord,
		"ifindex":    (*printer).interfaceIndex,
		"ring_slot": func(p *printer, v uint64) {
			const skip = -2 // IORING_REGISTER_FILES_SKIP, include/uapi/linux/io_uring.h
			switch n := int32(v); {
			case n == skip:
				p.s("IORING_REGISTER_FILES_SKIP")
			case n < -1:
				p.dec(int64(n))
			default:
				p.fd(n)
			}
		},
		"numa_node": func(p *printer, v uint64) {
			p.udec(v)
			if v == 1<<32-1 {
				p.s(" /* NUMA_NO_NODE */")
			}
		},
		"errno_neg": func(p *printer, v uint64) {
			if n := -int32(v); n > 0 && syscalls.ErrnoName(int(n)) != "" {
				p.styled(func() { p.dec(-int64(n)) }, func() { p.c('-'); p.errno(int(n)) })
				return
			}
			p.dec(int64(int32(v)))
		},
		"key_errno": func(p *printer, v uint64) {
			if v == 0 || v > 4095 {
				p.udec(v)
				return
			}
			p.errno(int(v))
		},
		"errno": func(p *printer, v uint64) {
			if v == 0 || v > 4095 {
				p.dec(int64(int32(v)))
				return
			}
			p.errno(int(v))
		},
	}
}

func (p *printer) fd(fd int32) {
	p.dec(int64(fd))
	p.fdName(fd)
	p.fdContext(fd)
}

func (p *printer) fdName(fd int32) {
	if p.names == nil || fd < 0 {
		return
	}
	if name := p.names.FD(p.room[:0], fd); len(name) > 0 {
		p.room = name
		device := ""
		if d, ok := p.names.(Devices); ok {
			device = d.Device(fd)
		}
		p.bracketed(name, device)
	}
}

const atFDCWD = -100 // include/uapi/linux/fcntl.h

func (p *printer) dirfd(fd int32) {
	if fd != atFDCWD {
		p.fd(fd)
		return
	}
	p.styled(func() { p.dec(int64(fd)) }, func() { p.s("AT_FDCWD") })
	if p.names == nil {
		return
	}
	if name := p.names.Cwd(p.room[:0]); len(name) > 0 {
		p.room = name
		p.bracketed(name, "")
	}
}

func (p *printer) signo(v uint64) {
	if name := signalName(v); name != "" {
		p.styled(func() { p.udec(v) }, func() { p.s(name) })
		return
	}
	p.dec(int64(int32(v)))
}

// signalName returns the name of a signal, or "".
func signalName(v uint64) string {
	if v == 0 || v > 64 {
		return ""
	}
	return syscalls.SignalName(int(v))
}

// errno writes the name of an error number.
func (p *printer) errno(n int) {
	if name := syscalls.ErrnoName(n); name != "" {
		p.s(name)
		return
	}
	p.dec(int64(n))
}

// value writes a value that lies in memory. Where it could not be copied the
// address stands for it.
func (p *printer) value(t *syscalls.Type, v view) {
	if p.depth >= maxDepth {
		p.s("...")
		return
	}
	p.depth++
	p.inner(t, v)
	p.depth--
}

func (p *printer) inner(t *syscalls.Type, v view) {
	switch t.Kind {
	case syscalls.Int, syscalls.Flags, syscalls.Enum:
		if !v.has(t.Size) {
			p.lost(v)
			return
		}
		p.word(t, load(v.data, 0, t.Size))
	case syscalls.Pointer:
		p.pointerAt(t, v)
	case syscalls.Struct:
		if fn := p.code(t).structure; fn != nil && fn(p, t, v) {
			return
		}
		p.structure(t, v)
	case syscalls.Union:
		if fn := p.code(t).structure; fn != nil && fn(p, t, v) {
			return
		}
		if len(t.Fields) > 0 {
			f := &t.Fields[0]
			p.c('{')
			p.s(f.Name)
			p.c('=')
			p.value(f.Type, v.at(f.Off, sizeOr(f.Type, v.want-f.Off)))
			p.c('}')
		} else {
			p.lost(v)
		}
	case syscalls.Array:
		p.array(t, v)
	case syscalls.Bytes:
		if t.Name == "octets" {
			p.hexBytes(v)
			return
		}
		p.bytes(v)
	case syscalls.String:
		p.string(t, v)
	case syscalls.Special:
		if fn := p.code(t).special; fn != nil {
			fn(p, t, v)
			return
		}
		p.lost(v)
	default:
		p.lost(v)
	}
}

// lost writes what stands for memory that is not there: its address.
func (p *printer) lost(v view) {
	if v.addr == 0 {
		p.s("???")
		return
	}
	p.hex(v.addr)
}

func sizeOr(t *syscalls.Type, n int) int {
	if t.Size > 0 {
		return t.Size
	}
	return max(0, n)
}

// maxInsns is the most instructions of a program that strace prints
// (BPF_MAXINSNS in include/uapi/linux/bpf_common.h).
const maxInsns = 4096

// array writes [value, ...], of at most -s elements unless -v is given.
func (p *printer) array(t *syscalls.Type, v view) {
	e := t.Elem
	if t.Name == "strings" || t.Name == "envs" {
		p.strings(v)
		return
	}
	if e == nil || e.Size <= 0 {
		p.lost(v)
		return
	}
	if t.Size > 0 && v.faulted && len(v.data) < t.Size && e.Name != "futex_waitv" {
		p.lost(v)
		return
	}
	if t.Size > 0 && v.want > t.Size {
		v.want = t.Size
	}
	limit := p.o.Strings
	if e.Name == "file_dedupe_range_info" || e.Name == "file_dedupe_range_done" {
		limit = min(limit, 2)
	}
	n := v.want / e.Size
	const waiters = 128 // FUTEX_WAITV_MAX, include/uapi/linux/futex.h
	if n > 0 && !v.has(e.Size) {
		p.lost(v)
		return
	}
	p.c('[')
	for i := range n {
		if i > 0 {
			p.s(", ")
		}
		if !p.o.Verbose && i >= limit || i >= waiters && e.Name == "futex_waitv" || i >= maxInsns && (e.Name == "bpf_insn" || e.Name == "sock_filter") {
			p.s("...")
			break
		}
		ev := v.at(i*e.Size, e.Size)
		if !ev.has(e.Size) {
			p.s("...")
			if v.faulted {
				p.s(" /* ")
				p.hex(ev.addr)
				p.s(" */")
			}
			break
		}
		if e.Kind == syscalls.Pointer {
			p.pointerIn(e, v, i*e.Size)
			continue
		}
		p.value(e, ev)
	}
	p.c(']')
}

// bytes writes data as a string. What strace would have shown but could not
// be copied makes it an address.
func (p *printer) bytes(v view) {
	v = p.meant(v)
	if v.faulted && len(v.data) < min(v.want, p.o.Strings+1) { // strace reads one more
		p.lost(v)
		return
	}
	if n := min(v.want, p.o.Strings); n > 0 && n <= len(v.data) && v.data[n-1] == 0 && p.d != nil && attributes[p.d.Name] && !p.inHex(v.data[:n]) {
		v.data, v.want = v.data[:n-1], n-1 // strace takes the value for text
	}
	switch p.netlink {
	case NotNetlink:
	case netlinkUevent:
		p.uevent(v)
		return
	default:
		p.messages(v)
		return
	}
	p.str(v.data, v.want, p.o.Strings)
}

// meant returns as much of v as means something.
func (p *printer) meant(v view) view {
	if p.limited {
		v.want = min(v.want, p.left0)
		v.data = v.data[:min(len(v.data), v.want)]
		p.left0 -= v.want
	}
	return v
}

// string writes text up to its NUL.
func (p *printer) string(t *syscalls.Type, v view) {
	s, ended := trimNUL(v.data)
	if !ended && v.faulted && (t.Name != "str" || len(v.data) <= p.o.Strings) { // of text no more is looked at
		p.lost(v)
		return
	}
	switch {
	case v.want == 0 && t.Name == "str": // of a buffer without room
		p.s(`""`)
	case t.Name == "cstr" && t.Size > 0 && len(s) == t.Size: // the last byte is the NUL's
		p.path(s[:t.Size-1], true)
	case t.Name == "name" && ended: // of an attribute
		p.str(s, len(s), p.o.Strings)
	case t.Name == "path" || t.Name == "name" || t.Name == "cstr":
		p.path(s, !ended)
		p.pathContext(v, 0)
	case ended:
		p.str(s, len(s), p.o.Strings)
	default:
		p.str(s, max(v.want, len(s)+1), p.o.Strings)
	}
}
