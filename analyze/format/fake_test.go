package format

import (
	"bytes"
	"encoding/binary"
	"testing"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

// snap is the limit of copied data in tests: --snap's default would do.
const snap = 64

// memoryAt holds the memory of a made-up program by address.
type memoryAt map[uint64][]byte

func (m memoryAt) read(addr uint64, n int) (data []byte, faulted bool) {
	for base, b := range m {
		if addr >= base && addr < base+uint64(len(b)) {
			b = b[addr-base:]
			if n > len(b) {
				return b, true
			}
			return b[:n], false
		}
	}
	return nil, n > 0
}

// call makes an event as a recorder would, by the copy plan of the call: enter
// and exit are the memory at those moments.
func call(t testing.TB, arch syscalls.Arch, name string, args [6]uint64, ret int64, enter, exit memoryAt) (*syscalls.Desc, *tracefile.Event) {
	t.Helper()
	d := syscalls.ByName(arch, name)
	if d == nil {
		t.Fatalf("%s: no such call", name)
	}
	e := &tracefile.Event{Kind: tracefile.Syscall, Arch: arch, NR: d.NR, Args: args, Ret: ret}
	v := d.Select(&args)
	instances := make([][]int, len(v.Copies))
	for i := range v.Copies {
		c := &v.Copies[i]
		mem := enter
		if c.Phase != syscalls.AtEnter {
			mem = exit
		}
		if c.Phase == syscalls.AtSuccess && e.Errno() != 0 {
			continue
		}
		if c.Parent < 0 {
			instances[i] = follow(e, c, -1, 0, mem, instances[i])
			continue
		}
		for _, parent := range instances[c.Parent] {
			data := e.Bufs[parent].Data
			step := int(c.Stride)
			if step == 0 {
				step = len(data) + 1
			}
			for off := int(c.Off); off+arch.PtrSize() <= len(data); off += step {
				instances[i] = follow(e, c, parent, off, mem, instances[i])
			}
		}
	}
	return d, e
}

// follow copies what a pointer leads to.
func follow(e *tracefile.Event, c *syscalls.Copy, parent, off int, mem memoryAt, made []int) []int {
	w := e.Arch.PtrSize()
	addr := e.Args[c.Arg]
	if parent >= 0 {
		addr = load(e.Bufs[parent].Data, off, w)
	}
	if addr == 0 {
		return made
	}
	b := tracefile.Buf{Arg: c.Arg, Parent: int16(parent), Off: uint32(off)}
	if c.Phase != syscalls.AtEnter {
		b.Phase = tracefile.AtExit
	}
	switch c.Mode {
	case syscalls.CString:
		data, faulted := mem.read(addr, 4096)
		if i := bytes.IndexByte(data, 0); i >= 0 {
			data, faulted = data[:i+1], false
		}
		b.Want, b.Faulted, b.Data = uint32(len(data)), faulted, data
	case syscalls.Pointers:
		data, faulted := mem.read(addr, 4096)
		for i := 0; i+w <= len(data); i += w {
			if load(data, i, w) == 0 {
				data, faulted = data[:i+w], false
				break
			}
		}
		b.Want, b.Faulted, b.Data = uint32(len(data)), faulted, data
	default:
		n := uint64(1 << 31)
		for _, l := range c.Count {
			if v, ok := units(e, c, l, parent, off, mem); ok {
				n = min(n, v)
			}
		}
		want := n * uint64(c.Unit)
		keep := want
		if c.Data {
			keep = min(keep, snap)
		} else if c.Max > 0 {
			keep = min(keep, uint64(c.Max))
		}
		b.Want = uint32(want)
		b.Data, b.Faulted = mem.read(addr, int(keep))
	}
	e.Bufs = append(e.Bufs, b)
	return append(made, len(e.Bufs)-1)
}

func units(e *tracefile.Event, c *syscalls.Copy, l syscalls.Length, parent, off int, mem memoryAt) (uint64, bool) {
	var v uint64
	switch l.From {
	case syscalls.LenConst:
		v = uint64(l.Val)
	case syscalls.LenArg:
		v = e.Args[l.Val]
	case syscalls.LenRet:
		v = uint64(e.Ret)
	case syscalls.LenDeref:
		data, _ := mem.read(e.Args[l.Val]+uint64(l.Off), int(l.Size))
		v = load(data, 0, int(l.Size))
	case syscalls.LenField:
		base := off
		if c.Stride > 0 {
			base -= int(c.Off)
		} else {
			base = 0
		}
		v = load(e.Bufs[parent].Data, base+int(l.Val), int(l.Size))
		if c.Stride > 0 {
			v = load(e.Bufs[parent].Data, off-int(c.Off)%max(1, int(c.Stride))+int(l.Val), int(l.Size))
		}
	case syscalls.LenRest:
		v = uint64(e.Ret)
		for i := range e.Bufs {
			if b := &e.Bufs[i]; int(b.Parent) == parent && b.Arg == c.Arg {
				v -= min(v, uint64(b.Want))
			}
		}
	default:
		return 0, false
	}
	return uint64(l.Scale(v)), true
}

// bin lays out values in little-endian order: ints take 4 bytes, uint64 8,
// strings and byte slices what they are.
func bin(parts ...any) []byte {
	var b []byte
	for _, p := range parts {
		switch v := p.(type) {
		case int:
			b = binary.LittleEndian.AppendUint32(b, uint32(v))
		case int16:
			b = binary.LittleEndian.AppendUint16(b, uint16(v))
		case uint16:
			b = binary.LittleEndian.AppendUint16(b, v)
		case uint64:
			b = binary.LittleEndian.AppendUint64(b, v)
		case string:
			b = append(b, v...)
		case []byte:
			b = append(b, v...)
		default:
			panic(p)
		}
	}
	return b
}
