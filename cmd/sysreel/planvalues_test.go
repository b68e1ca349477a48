package main

import (
	"encoding/binary"
	"slices"
	"strings"

	"sysreel/proto/syscalls"
)

// numbers are what arguments and members of a type are given, by its name. The
// first is the usual one.
var numbers = map[string][]uint64{
	"fd":     {3, 4, 5, 7, 9, 10, 11, 12, 13, ^uint64(0), 1000, 0x7fffffff, 0x100000003, 0xffffff9c, 0xfffffffe},
	"dirfd":  {0xffffffffffffff9c, 0xffffff9c, 4, 3, ^uint64(0), 1000, 0x7fffffff},
	"pid":    {0x7ffffffe, 0, ^uint64(0), 0xffffffff80000002},
	"tid":    {0x7ffffffe, 0, ^uint64(0)},
	"pgid":   {0, 0x7ffffffe, ^uint64(0)},
	"uid":    {^uint64(0), 0, 1000, 65534, 65535, 0x80000000, 0x1ffffffff},
	"signo":  {10, 0, 1, 9, 11, 17, 31, 32, 33, 34, 63, 64, 65, 128, ^uint64(0), 0x80000001},
	"mode":   {0o644, 0, 7, 0o70, 0o1777, 0o7777, 0o100644, 0xffff, ^uint64(0)},
	"size":   {16, 0, 1, 4, 8, 12, 32, 33, 100, 4096, 0x7fffffff, 0x80000000, ^uint64(0)},
	"errno":  {2, 0, 1, 11, 133, 134, 512, 516, 4095, ^uint64(0)},
	"":       {1, 0, 2, 3, 4, 5, 7, 8, 10, 16, 31, 64, 100, 1000, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000001, ^uint64(0)},
	"time_t": {1700000000, 0, 1, 1 << 40, ^uint64(0), 0x80000000, 0x7fffffff},
}

var numbersLike = map[string]string{
	"gid": "uid", "uid16": "uid", "gid16": "uid", "mode16": "mode", "time64": "time_t", "signo64": "signo", "st_mode": "mode",
}

// arguments returns the values that an argument takes, the usual one first.
func (p *planner) arguments(a *syscalls.Arg) []uint64 {
	t := a.Type
	if t.Kind == syscalls.Pointer && t.Elem != nil {
		var list []uint64
		n := 6
		if t.Elem.Kind == syscalls.Struct {
			n += 4
		}
		if t.Elem.Kind == syscalls.String {
			n = len(texts)
		}
		for i := range n {
			list = append(list, p.place(t.Elem, i))
		}
		return append(list, 0, 0x10, planEnd-1, planEnd-2, planEnd-4, planEnd-8, planEnd-16, planEnd-24, planEnd, ^uint64(0), ^uint64(0)-4095)
	}
	if t.Kind == syscalls.Int && t.Name == "addr" || t.Kind == syscalls.Pointer {
		return []uint64{p.room(4096, 4096), 0, 0x10, 1, planEnd - 8, planEnd, ^uint64(0), 0x7fffffffffff, 0xdeadbeef000}
	}
	switch {
	case strings.Contains(a.Name, "sigsetsize"), a.Name == "sizemask":
		return []uint64{8, 0, 4, 16, 128, ^uint64(0)}
	case a.Name == "timeout":
		return []uint64{0, 1, 100, ^uint64(0)}
	case a.Name == "n", strings.HasPrefix(a.Name, "n") && strings.Contains(a.Name, "fds"), strings.HasSuffix(a.Name, "cnt"), strings.HasPrefix(a.Name, "nr"), strings.Contains(a.Name, "vlen"):
		return []uint64{2, 0, 1, 3, 5, 40, 1025, 0x7fffffff, ^uint64(0)}
	case p.name == "getpriority" || p.name == "setpriority" || strings.HasPrefix(p.name, "ioprio"):
		if a.Name == "who" {
			return []uint64{0x7ffffffe, ^uint64(0)}
		}
	case a.Name == "msqid": // no queue: it may be waited in
		return []uint64{1000, 0, 1, 2, 5, 0x7fffffff, ^uint64(0)}
	case p.name == "alarm":
		return []uint64{0, 100000, ^uint64(0)}
	}
	list := slices.Clone(p.numbers(t))
	if t.Size < 8 && t.Kind != syscalls.Flags {
		list = append(list, list[0]|0xabcd<<32) // the kernel looks at the lower half
	}
	return list
}

// numbers returns what a number takes.
func (p *planner) numbers(t *syscalls.Type) []uint64 {
	switch t.Kind {
	case syscalls.Flags, syscalls.Enum:
		return p.constants(t)
	}
	name := t.Name
	if like := numbersLike[name]; like != "" {
		name = like
	}
	if list, ok := numbers[name]; ok {
		return list
	}
	return numbers[""]
}

// constants returns each constant of a set, some together, and some that it
// does not have.
func (p *planner) constants(t *syscalls.Type) []uint64 {
	var list []uint64
	all := uint64(0)
	for _, v := range t.Consts.Values {
		list = append(list, v.Val)
		all |= v.Val
	}
	if len(list) == 0 {
		return numbers[""]
	}
	const most = 100
	if len(list) > most {
		p.rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		list = list[:most]
	}
	n := len(list)
	list = append(list, 0, 0x80000000, 0x40000000, 0x10, 0xffffffff, ^uint64(0), 0x1234, 0x100)
	if t.Kind == syscalls.Flags {
		list = append(list, all, ^all, all|0x40000000)
		for range 8 {
			list = append(list, list[p.rand.IntN(n)]|list[p.rand.IntN(n)], list[p.rand.IntN(n)]|1<<p.rand.IntN(32))
		}
	}
	return list
}

// room returns the address of free memory, which is zero.
func (p *planner) room(size, align int) uint64 {
	p.next = (p.next + align - 1) &^ (align - 1)
	if p.next+size > len(p.image)-8192 {
		p.next = len(p.image) - 1<<16 + 1 // full: see add
		return planEnd - 8192
	}
	at := p.next
	p.next += size
	return planBase + uint64(at)
}

// place puts a value of the type in memory, with values of its own, and
// returns where.
func (p *planner) place(t *syscalls.Type, i int) uint64 {
	size := t.Size
	if t.Kind == syscalls.String && t.Size == 0 {
		s := texts[i%len(texts)]
		at := p.room(len(s)+1, 1)
		copy(p.image[at-planBase:], s)
		return at
	}
	if size == 0 {
		size = 256
	}
	at := p.room(size+16, 16)
	p.fill(t, p.image[at-planBase:][:size:size], 0)
	return at
}

var texts = []string{
	"f", "d", "missing/x", "", "link", "d/x", ".", "\xc3\xa4 \"\t\n", "\x01\x7f\x80\xff\x00", "\x001", "a\x009", "\\\"\x1b[1m\x1b1\r\n\v\f",
	"exactly-thirty-two-bytes-of-text", "thirty-three-bytes-of-text-are-it", strings.Repeat("long", 30), strings.Repeat("x", 300),
	strings.Repeat("/y", 2100), "user.name", "trusted.x", "<a>b</a>", "ext4", "keyring",
}

// fill writes a value of the type to b.
func (p *planner) fill(t *syscalls.Type, b []byte, depth int) {
	if depth > 6 {
		return
	}
	switch t.Kind {
	case syscalls.Int, syscalls.Flags, syscalls.Enum:
		list := p.numbers(t)
		put(b, t.Size, list[p.rand.IntN(len(list))])
	case syscalls.Pointer:
		at := uint64(0)
		switch p.rand.IntN(6) {
		case 0:
		case 1:
			at = 0x10
		case 2:
			at = planEnd - uint64(p.rand.IntN(40))
		default:
			if t.Elem != nil && depth < 4 {
				n := t.Elem.Size
				if n == 0 {
					n = 128
				}
				if t.Elem.Kind == syscalls.String && t.Elem.Size == 0 {
					at = p.place(t.Elem, p.rand.IntN(len(texts)))
				} else {
					at = p.room(n, 8)
					p.fill(t.Elem, p.image[at-planBase:][:n:n], depth+1)
				}
			} else {
				at = p.room(64, 8)
			}
		}
		put(b, p.arch.PtrSize(), at)
	case syscalls.Struct:
		for i := range t.Fields {
			f := &t.Fields[i]
			if f.Off >= len(b) {
				break
			}
			switch part := b[f.Off:]; {
			case f.Bits != 0:
				if f.Shift == 0 {
					put(part, f.Type.Size, p.rand.Uint64())
				}
			case strings.HasPrefix(f.Name, "tv_") || f.Name == "fsec":
				put(part, f.Type.Size, p.timePart(f.Name))
			case f.Name == "sem_flg": // see semWait
				list := p.numbers(f.Type)
				put(part, f.Type.Size, list[p.rand.IntN(len(list))]|0o4000)
			case strings.HasSuffix(f.Name, "len") || f.Name == "size" || strings.HasPrefix(f.Name, "nr_"):
				small := []uint64{0, 1, 2, 4, 8, 16, 100, ^uint64(0)}
				put(part, f.Type.Size, small[p.rand.IntN(len(small))])
			default:
				n := f.Type.Size
				if n == 0 || n > len(part) {
					n = len(part)
				}
				p.fill(f.Type, part[:n], depth+1)
			}
		}
	case syscalls.Union:
		if len(t.Fields) > 0 {
			p.fill(t.Fields[p.rand.IntN(len(t.Fields))].Type, b, depth+1)
		}
	case syscalls.Array:
		if t.Elem == nil {
			return
		}
		n := t.Elem.Size
		if n == 0 {
			n = p.arch.PtrSize()
		}
		max := len(b) / n
		if t.Name == "strings" || t.Name == "envs" {
			max = p.rand.IntN(5)
		}
		for i := 0; i < max && i < 8; i++ {
			if t.Elem.Kind == syscalls.String {
				put(b[i*n:], n, p.place(t.Elem, p.rand.IntN(len(texts))))
				continue
			}
			p.fill(t.Elem, b[i*n:][:n], depth+1)
		}
	case syscalls.String:
		copy(b, texts[p.rand.IntN(len(texts))])
	default:
		switch p.rand.IntN(4) {
		case 0: // zero
		case 1:
			for i := range b {
				b[i] = byte(p.rand.IntN(256))
			}
		case 2:
			for i := 0; i+4 <= len(b); i += 4 {
				put(b[i:], 4, uint64(p.rand.IntN(20)))
			}
		case 3:
			copy(b, texts[p.rand.IntN(len(texts))])
		}
		switch t.Name {
		case "sockaddr":
			if p.rand.IntN(3) > 0 {
				put(b, 2, uint64(p.rand.IntN(45)))
			}
		case "utimespec", "utimespec64":
			p.fill(syscalls.TypeByName(p.arch, "timespec"), b, depth+1)
		}
	}
}

// timePart returns seconds or a part of them. What may sleep gets times that
// have passed, are no times, or are none.
func (p *planner) timePart(name string) uint64 {
	seconds := []uint64{0, ^uint64(0), 0, 1 << 40}
	parts := []uint64{0, 0, ^uint64(0), 1000000000}
	if sleepers[p.name] {
		seconds = seconds[:3]
		if name == "tv_usec" { // select takes a second for what is more than one
			parts = parts[:3]
		}
		if strings.Contains(p.name, "timer") {
			seconds[2] = 100000
		}
	} else {
		seconds = append(seconds, 1, 1700000000, 0x7fffffff, 0x80000000)
		parts = append(parts, 1, 123456, 123456789, 999999, 999999999)
	}
	if name == "tv_sec" {
		return seconds[p.rand.IntN(len(seconds))]
	}
	return parts[p.rand.IntN(len(parts))]
}

func put(b []byte, size int, v uint64) {
	var room [8]byte
	binary.LittleEndian.PutUint64(room[:], v)
	copy(b, room[:min(size, 8)])
}
