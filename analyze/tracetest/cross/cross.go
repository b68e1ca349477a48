// Package cross rewrites the calls of a trace for another architecture, for
// tests of the tables: numbers, flags and the places of members are translated
// by name from the one architecture's tables to the other's. What the tables say
// of both must then give the same text.
package cross

import (
	"encoding/binary"
	"errors"
	"fmt"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

// ErrNoTwin is wrapped by the errors about calls that the other architecture
// does not have.
var ErrNoTwin = errors.New("no such call")

// Twins are the calls that i386 has under another name, of which the one it has
// under the same is an older.
var Twins = map[string]string{
	"mmap": "mmap2", "fstat": "fstat64", "newfstatat": "fstatat64", "fcntl": "fcntl64", "getrlimit": "ugetrlimit",
	"truncate": "truncate64", "ftruncate": "ftruncate64", "sendfile": "sendfile64", "fadvise64": "fadvise64_64",
	"getuid": "getuid32", "getgid": "getgid32", "geteuid": "geteuid32", "getegid": "getegid32",
	"setuid": "setuid32", "setgid": "setgid32", "setreuid": "setreuid32", "setregid": "setregid32",
	"setresuid": "setresuid32", "setresgid": "setresgid32", "getresuid": "getresuid32", "getresgid": "getresgid32",
	"setfsuid": "setfsuid32", "setfsgid": "setfsgid32", "getgroups": "getgroups32", "setgroups": "setgroups32",
	"fchown": "fchown32",
}

// Convert returns an event of AMD64 as it would be on the architecture to. Its
// memory is its own. The error says what cannot be translated.
func Convert(e tracefile.Event, to syscalls.Arch) (tracefile.Event, error) {
	return convert(e, to, to.PtrSize() == 4)
}

// Narrow returns the event with the addresses in it cut to 32 bits, so that it
// may have the text of an event of I386.
func Narrow(e tracefile.Event) (tracefile.Event, error) { return convert(e, e.Arch, true) }

func convert(e tracefile.Event, to syscalls.Arch, narrow bool) (tracefile.Event, error) {
	if !isCall(&e) {
		return e, nil
	}
	base := syscalls.Lookup(e.Arch, e.NR)
	if base == nil {
		return e, fmt.Errorf("call %d: %w", e.NR, ErrNoTwin)
	}
	name := base.Name
	if twin := Twins[name]; twin != "" && to == syscalls.I386 {
		name = twin
	}
	target := syscalls.ByName(to, name)
	if target == nil {
		return e, fmt.Errorf("%s: %w", base.Name, ErrNoTwin)
	}
	if narrow && base.Name == "rt_sigreturn" {
		return e, fmt.Errorf("%s: its result is a register of the program's", base.Name)
	}
	c := converter{from: e.Arch, to: to, narrow: narrow, e: &e}
	out := e
	out.Arch, out.NR, out.Bufs = to, target.NR, nil
	// The values that select the variant are named by the base's types.
	d := base.Select(&e.Args)
	var selected [6]uint64
	if err := c.registers(base, target, &selected); err != nil && d == base {
		return e, fmt.Errorf("%s: %w", base.Name, err)
	}
	td := target.Select(&selected)
	if td.Variant != d.Variant {
		return e, fmt.Errorf("%s: is %q here and %q there", base.Name, d.Variant, td.Variant)
	}
	if td != target {
		own := selected
		if err := c.registers(d, td, &selected); err != nil {
			return e, fmt.Errorf("%s: %w", base.Name, err)
		}
		for _, m := range td.Match {
			selected[m.Reg] = own[m.Reg]
		}
	}
	out.Args = selected
	err := c.buffers(d, td, &out)
	if err == nil && out.Errno() == 0 && e.Kind == tracefile.Syscall && e.Flags&tracefile.NoResult == 0 {
		var v uint64
		v, err = c.word(d.Ret, td.Ret, uint64(e.Ret))
		out.Ret = int64(v)
		if to.PtrSize() == 4 {
			if v>>32 != 0 && !fits(v, 4) {
				err = fmt.Errorf("result %#x does not fit", v)
			}
			out.Ret = int64(int32(v))
		}
	}
	if err != nil {
		return e, fmt.Errorf("%s: %w", base.Name, err)
	}
	return out, nil
}

// converter translates one call.
type converter struct {
	from, to syscalls.Arch
	narrow   bool
	e        *tracefile.Event
	places   map[int]place // pointers in the buffer at hand, by offset
}

// place is where a pointer came to be.
type place struct {
	off  int
	s, d *syscalls.Type
}

func argument(d *syscalls.Desc, name string) *syscalls.Arg {
	for i := range d.Args {
		if d.Args[i].Name == name {
			return &d.Args[i]
		}
	}
	return nil
}

// registers translates the arguments by name.
func (c *converter) registers(d, td *syscalls.Desc, out *[6]uint64) error {
	*out = [6]uint64{}
	for i := range td.Args {
		ta := &td.Args[i]
		a := argument(d, ta.Name)
		if a == nil && len(d.Args) == len(td.Args) {
			a = &d.Args[i]
		}
		if a == nil {
			return fmt.Errorf("argument %s has no counterpart", ta.Name)
		}
		v := c.e.Args[a.Reg]
		if a.If.Holds(&c.e.Args) {
			var err error
			if v, err = c.word(a.Type, ta.Type, v); err != nil {
				return fmt.Errorf("%s: %w", ta.Name, err)
			}
		}
		switch {
		case ta.Wide:
			out[ta.Reg], out[ta.Hi] = v&0xffffffff, v>>32
		case c.to.PtrSize() == 4:
			out[ta.Reg] = v & 0xffffffff
		default:
			out[ta.Reg] = v
		}
	}
	return nil
}

// buffers translates what was copied.
func (c *converter) buffers(d, td *syscalls.Desc, out *tracefile.Event) error {
	places := make([]map[int]place, len(c.e.Bufs))
	for i, b := range c.e.Bufs {
		c.places = make(map[int]place)
		places[i] = c.places
		var s, t *syscalls.Type
		switch {
		case b.Arg < 0: // the text of a log
			out.Bufs = append(out.Bufs, b)
			continue
		case b.Parent < 0:
			a := byRegister(d, int(b.Arg))
			if a == nil {
				return fmt.Errorf("memory of register %d, which is no argument", b.Arg)
			}
			ta := argument(td, a.Name)
			if ta == nil {
				ta = byRegister(td, int(b.Arg))
			}
			if ta == nil {
				return fmt.Errorf("%s has no counterpart", a.Name)
			}
			s, t, b.Arg = a.Type.Elem, ta.Type.Elem, int8(ta.Reg)
		default:
			p, ok := places[b.Parent][int(b.Off)]
			if !ok {
				return fmt.Errorf("buffer %d: nothing points to it", i)
			}
			s, t, b.Off = p.s.Elem, p.d.Elem, uint32(p.off)
			b.Arg = out.Bufs[b.Parent].Arg
		}
		if s == nil || t == nil {
			return fmt.Errorf("buffer %d has no type", i)
		}
		data, err := c.memory(s, t, b.Data)
		if err != nil {
			return err
		}
		if len(data) != len(b.Data) {
			if b.Want != uint32(len(b.Data)) {
				return fmt.Errorf("%s: cut short", s.Name)
			}
			b.Want = uint32(len(data))
		}
		b.Data = data
		out.Bufs = append(out.Bufs, b)
	}
	return nil
}

func byRegister(d *syscalls.Desc, reg int) *syscalls.Arg {
	for i := range d.Args {
		if d.Args[i].Reg == reg {
			return &d.Args[i]
		}
	}
	return nil
}

// memory translates a buffer of type s to one of t.
func (c *converter) memory(s, t *syscalls.Type, data []byte) ([]byte, error) {
	size, tsize := s.Size, t.Size
	if size == 0 {
		if s.Kind == syscalls.Array && s.Elem.Size > 0 {
			size, tsize = len(data), len(data)/s.Elem.Size*t.Elem.Size
			if len(data)%s.Elem.Size != 0 {
				return nil, fmt.Errorf("%s: cut short", s.Name)
			}
		} else {
			size, tsize = len(data), len(data)
		}
	}
	short := len(data) - size
	if short > 0 { // several units, or a structure that grows
		if size != tsize {
			return nil, fmt.Errorf("%s: %d bytes are too long", s.Name, len(data))
		}
	}
	in := make([]byte, max(size, len(data)))
	copy(in, data)
	out := make([]byte, tsize+max(short, 0))
	if len(in) == len(out) {
		copy(out, in) // padding, and what is not described
	}
	if err := c.value(s, t, in, out, 0, 0); err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	if short < 0 {
		if size != tsize {
			return nil, fmt.Errorf("%s: cut short", s.Name)
		}
		out = out[:len(data)]
	}
	return out, nil
}

func load(b []byte, size int) uint64 {
	var mem [8]byte
	copy(mem[:], b[:size])
	return binary.LittleEndian.Uint64(mem[:])
}

func store(b []byte, size int, v uint64) {
	var mem [8]byte
	binary.LittleEndian.PutUint64(mem[:], v)
	copy(b[:size], mem[:])
}

// value translates the value at in[soff:] to out[doff:].
func (c *converter) value(s, t *syscalls.Type, in, out []byte, soff, doff int) error {
	switch s.Kind {
	case syscalls.Int, syscalls.Flags, syscalls.Enum, syscalls.Pointer:
		return c.number(s, t, in, out, soff, doff)
	case syscalls.Struct:
		return c.structure(s, t, in, out, soff, doff)
	case syscalls.Array:
		if s.Elem == nil || t.Elem == nil || s.Elem.Size == 0 {
			return c.raw(s, t, in, out, soff, doff)
		}
		n := s.Size / s.Elem.Size
		if s.Size == 0 {
			n = (len(in) - soff) / s.Elem.Size
		}
		for i := range n {
			if err := c.value(s.Elem, t.Elem, in, out, soff+i*s.Elem.Size, doff+i*t.Elem.Size); err != nil {
				return err
			}
		}
		return nil
	case syscalls.Special:
		if s.Size != t.Size {
			return c.words(s, t, in, out, soff, doff)
		}
		if c.from.PtrSize() != c.to.PtrSize() && s.Name == "siginfo" {
			return childInfo(in[soff:], out[doff:])
		}
		if c.from.PtrSize() != c.to.PtrSize() && layouts[s.Name] {
			return fmt.Errorf("%s: the layout differs, and is not described", s.Name)
		}
		if c.narrow && addresses[s.Name] {
			return c.number(s, t, in, out, soff, doff)
		}
	}
	return c.raw(s, t, in, out, soff, doff)
}

// raw copies bytes as they are.
func (c *converter) raw(s, t *syscalls.Type, in, out []byte, soff, doff int) error {
	if s.Size != t.Size {
		return fmt.Errorf("%s: %d bytes here, %d there", s.Name, s.Size, t.Size)
	}
	n := s.Size
	if n == 0 {
		n = len(in) - soff
	}
	if soff+n > len(in) || doff+n > len(out) {
		return fmt.Errorf("%s: cut short", s.Name)
	}
	copy(out[doff:doff+n], in[soff:])
	return nil
}

// layouts are the special types that hold pointers, longs or their alignment.
var layouts = map[string]bool{"cmsg": true, "dirents": true, "msgbuf_data": true, "bpf_attr": true, "ksigval": true, "lsm_ctx": true}

// addresses are the special types that are pointers.
var addresses = map[string]bool{"ksigval": true, "sighandler": true}

// childInfo translates the siginfo_t of a SIGCHLD (include/uapi/asm-generic/siginfo.h):
// behind three ints come, aligned as the times need it, PID, UID, status and two
// times in long.
func childInfo(in, out []byte) error {
	const sigchld, wide, narrow = 17, 16, 12
	if len(in) < 48 || len(out) < 32 || load(in, 4) != sigchld {
		return errors.New("siginfo: only that of SIGCHLD is translated")
	}
	clear(out)
	copy(out[:12], in)
	copy(out[narrow:narrow+12], in[wide:])
	for i := range 2 {
		v := load(in[wide+16+8*i:], 8)
		if !fits(v, 4) {
			return fmt.Errorf("siginfo: %#x does not fit", v)
		}
		store(out[narrow+12+4*i:], 4, v)
	}
	return nil
}

// words translates the special types that consist of longs.
func (c *converter) words(s, t *syscalls.Type, in, out []byte, soff, doff int) error {
	w, tw := c.from.PtrSize(), c.to.PtrSize()
	if layouts[s.Name] || s.Size%w != 0 || s.Size/w != t.Size/tw {
		return fmt.Errorf("%s: the layout differs, and is not described", s.Name)
	}
	for i := range s.Size / w {
		v := load(in[soff+i*w:], w)
		if addresses[s.Name] {
			v = c.address(v)
		} else if !fits(v, tw) {
			return fmt.Errorf("%s: %#x does not fit", s.Name, v)
		}
		store(out[doff+i*tw:], tw, v)
	}
	return nil
}

func (c *converter) number(s, t *syscalls.Type, in, out []byte, soff, doff int) error {
	if soff+s.Size > len(in) || doff+t.Size > len(out) {
		return fmt.Errorf("%s: cut short", s.Name)
	}
	v := load(in[soff:], s.Size)
	if s.Signed && s.Size < 8 {
		shift := 64 - 8*s.Size
		v = uint64(int64(v<<shift) >> shift)
	}
	v, err := c.word(s, t, v)
	if err != nil {
		return err
	}
	store(out[doff:], t.Size, v)
	if s.Kind == syscalls.Pointer {
		c.places[soff] = place{off: doff, s: s, d: t}
	}
	return nil
}

func (c *converter) structure(s, t *syscalls.Type, in, out []byte, soff, doff int) error {
	if s.Name == "ifconf" && s.Size != t.Size {
		return errors.New("what its length means is not described")
	}
	seen := make(map[string]int)
	for i := range t.Fields {
		tf := &t.Fields[i]
		n := seen[tf.Name] // fields of one name are told apart by their conditions
		seen[tf.Name]++
		f := field(s, tf.Name, n)
		if f == nil {
			if tf.Hidden {
				continue
			}
			return fmt.Errorf("member %s has no counterpart", tf.Name)
		}
		if f.If.Size > 0 && !f.If.Holds(in[soff:]) {
			continue
		}
		if err := c.value(f.Type, tf.Type, in, out, soff+f.Off, doff+tf.Off); err != nil {
			if tf.Hidden {
				continue
			}
			return fmt.Errorf("%s: %w", tf.Name, err)
		}
	}
	for i := range s.Fields {
		if f := &s.Fields[i]; !f.Hidden && field(t, f.Name, 0) == nil {
			return fmt.Errorf("member %s has no counterpart", f.Name)
		}
	}
	return nil
}

// field returns the nth field of a name.
func field(t *syscalls.Type, name string, n int) *syscalls.Field {
	for i := range t.Fields {
		if t.Fields[i].Name != name {
			continue
		}
		if n == 0 {
			return &t.Fields[i]
		}
		n--
	}
	return nil
}
