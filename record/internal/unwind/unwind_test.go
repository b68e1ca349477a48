//go:build linux && (amd64 || arm64)

package unwind

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

// uleb appends an unsigned LEB128 number.
func uleb(b []byte, v uint64) []byte { return binary.AppendUvarint(b, v) }

// ehFrame makes an .eh_frame at address 0 with one function of the size.
func ehFrame(augmentation string, ra byte, from, size uint32, initial, program []byte) []byte {
	le := binary.LittleEndian
	chunk := func(b []byte) []byte {
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
		return append(le.AppendUint32(nil, uint32(len(b))), b...)
	}
	cie := le.AppendUint32(nil, 0)
	cie = append(cie, 1)
	cie = append(append(cie, augmentation...), 0)
	cie = append(cie, 1, 0x78, ra) // code 1, data −8
	cie = append(uleb(cie, 1), peUdata4)
	out := chunk(append(cie, initial...))
	fde := le.AppendUint32(nil, uint32(len(out)+4))
	fde = le.AppendUint32(le.AppendUint32(fde, from), size)
	fde = append(uleb(fde, 0), program...)
	return append(out, chunk(fde)...)
}

// scanned returns the frames of an .eh_frame.
func scanned(b []byte) *frames {
	f := &frames{word: 8, data: b}
	f.scan()
	return f
}

// process is a made-up process: memory, and one file mapped at 0x10000.
type process struct {
	space Space
	mem   map[uint64]uint64
	code  map[uint64]string
}

func newProcess(im *image) *process {
	p := &process{mem: make(map[uint64]uint64), code: make(map[uint64]string)}
	p.space = Space{known: true, maps: []mapping{{from: 0x10000, to: 0x20000, object: &tracefile.Object{Path: "/prog"}, image: im}}}
	return p
}

func (p *process) read(addr uint64, into []byte) int {
	for from, code := range p.code {
		if addr >= from && addr-from < uint64(len(code)) {
			return copy(into, code[addr-from:])
		}
	}
	n := 0
	for ; n+8 <= len(into); n += 8 {
		v, ok := p.mem[addr+uint64(n)]
		if !ok {
			break
		}
		binary.LittleEndian.PutUint64(into[n:], v)
	}
	return n
}

// stack fills memory with words from an address on.
func (p *process) stack(addr uint64, words ...uint64) {
	for i := range 512 {
		p.mem[addr+uint64(8*i)] = 0
	}
	for i, w := range words {
		p.mem[addr+uint64(8*i)] = w
	}
}

// unwound unwinds and returns the stack as text: offsets, "!" behind exact ones,
// and "…" at the end of a partial one.
func (p *process) unwound(regs Regs, exact bool) string {
	var u Unwinder
	var extent uint64
	s := u.Stack(&Target{Space: &p.space, Regs: regs, Exact: exact, Read: p.read, Extent: &extent}, 20)
	var out []string
	for ; s != nil; s = s.Caller {
		f := fmt.Sprintf("%x", s.Offset)
		if s.Exact {
			f += "!"
		}
		if out = append(out, f); s.Partial {
			out = append(out, "…")
		}
	}
	return strings.Join(out, " ")
}

func amd64(pc, sp, fp uint64) Regs {
	r := Regs{Arch: syscalls.AMD64}
	r.R[16], r.R[7], r.R[6] = pc, sp, fp
	return r
}

func arm64(pc, sp, fp, lr uint64) Regs {
	r := Regs{Arch: syscalls.ARM64}
	r.R[32], r.R[31], r.R[29], r.R[30] = pc, sp, fp, lr
	return r
}

const sp = 0x7ff000

// TestRows unwinds by one instruction of call frame information each.
func TestRows(t *testing.T) {
	// CFA = rsp + 8, return address at CFA − 8.
	initial := []byte{0x0c, 7, 8, 0x90, 1}
	for name, tt := range map[string]struct {
		program []byte
		stack   []uint64
		want    string
	}{
		"as at the beginning": {nil, []uint64{0x10200}, "100 200"},
		"def_cfa_offset":      {[]byte{0x0e, 24}, []uint64{1, 2, 0x10200}, "100 200 …"},
		"advance to behind":   {[]byte{0x41, 0x0e, 24, 0x7f, 0x0e, 8}, []uint64{1, 2, 0x10200}, "100 200 …"},
		"def_cfa":             {[]byte{0x0c, 6, 16}, []uint64{1, 2, 3, 0x10300}, "100 300 …"},
		"def_cfa_register":    {[]byte{0x0e, 16, 0x0d, 6}, []uint64{1, 2, 3, 0x10300}, "100 300 …"},
		"def_cfa_sf":          {[]byte{0x12, 7, 0x7e}, []uint64{1, 0x10400}, "100 400"},
		"remember, restore":   {[]byte{0x0a, 0x0e, 80, 0x0b}, []uint64{0x10200}, "100 200"},
		"undefined":           {[]byte{0x07, 16}, []uint64{0x10200}, "100"},
		"nothing calls":       {nil, []uint64{0}, "100"},
		"register":            {[]byte{0x09, 16, 3}, []uint64{1}, "100 500"},
		"val_offset":          {[]byte{0x14, 16, 0}, []uint64{1}, "100 …"}, // sp + 8 is no code
		// breg7+16, deref
		"expression of the CFA": {[]byte{0x0f, 3, 0x77, 8, 0x06}, []uint64{7, sp + 32, 0x10300, 0x10600}, "100 600 …"},
		// at breg7+16
		"expression":      {[]byte{0x10, 16, 2, 0x77, 16}, []uint64{1, 2, 0x10300}, "100 300"},
		"val_expression":  {[]byte{0x16, 16, 3, 0x77, 8, 0x06}, []uint64{1, 0x10700}, "100 700"},
		"endless":         {[]byte{0x16, 16, 3, 0x2f, 0xfd, 0xff}, []uint64{1}, "100 …"},
		"empty":           {[]byte{0x16, 16, 0}, []uint64{1}, "100 …"},
		"not understood":  {[]byte{0x3f}, []uint64{0x10200}, "100 200"}, // by what is on the stack
		"of another call": {[]byte{0x0e, 24, 0x2e, 5}, []uint64{1, 2, 0x10200}, "100 200 …"},
	} {
		p := newProcess(&image{frames: scanned(ehFrame("zR", 16, 0xf0, 0x20, initial, tt.program))})
		p.stack(sp, tt.stack...)
		p.code[0x10200-7] = "\x90\x90\xe8\x00\x00\x00\x00" // a call
		regs := amd64(0x10100, sp, sp+16)
		regs.R[3] = 0x10500
		if got := p.unwound(regs, false); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

// TestPLT computes the expression that linkers write for procedure linkage tables:
// CFA = rsp + 8 + (((rip & 15) >= 11) << 3).
func TestPLT(t *testing.T) {
	expr := []byte{0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22}
	initial := append([]byte{0x0c, 7, 8, 0x90, 1, 0x0f, byte(len(expr))}, expr...)
	p := newProcess(&image{frames: scanned(ehFrame("zR", 16, 0xf0, 0x20, initial, nil))})
	p.stack(sp, 0x10200, 0x10300)
	if got := p.unwound(amd64(0x10106, sp, 0), true); got != "106! 200" {
		t.Error(got)
	}
	if got := p.unwound(amd64(0x1010b, sp, 0), true); got != "10b! 300" {
		t.Error(got)
	}
}

// TestBehindTheEnd takes the caller's row from the call, not from what is behind
// it: a function that ends with a call.
func TestBehindTheEnd(t *testing.T) {
	initial := []byte{0x0c, 7, 8, 0x90, 1}
	p := newProcess(&image{frames: scanned(ehFrame("zR", 16, 0x100, 0x10, initial, nil))})
	p.stack(sp, 0x10110, 0x10500)
	if got := p.unwound(amd64(0x10108, sp, 0), false); got != "108 110 500" {
		t.Error(got)
	}
}

// TestSignalFrame goes through a trampoline known by its entry, and one known by
// its code. What is behind it is exact.
func TestSignalFrame(t *testing.T) {
	context := make([]uint64, 40)
	for i := range 17 {
		context[5+i] = uint64(i)
	}
	context[5+15], context[5+16] = sp+0x800, 0x10300 // rsp, rip

	expr := func(reg byte, off uint64) []byte {
		e := uleb([]byte{0x77}, off)
		return append([]byte{0x10, reg, byte(len(e))}, e...)
	}
	cfa := append([]byte{0x0f, 4}, append(uleb([]byte{0x77}, 0xa0), 0x06)...)
	initial := append(cfa, expr(16, 0xa8)...)
	p := newProcess(&image{frames: scanned(ehFrame("zRS", 16, 0x200, 0x20, initial, nil))})
	// A handler without an entry that has just been called, and the frame.
	p.stack(sp, append([]uint64{0x10201}, context...)...)
	p.stack(sp+0x1000, 0)
	p.code[0x10201-7] = "\x90\x90\xe8\x00\x00\x00\x00"
	if got := p.unwound(amd64(0x10100, sp, 0), false); got != "100 201! 300!" {
		t.Error("by its entry: ", got)
	}

	p = newProcess(&image{})
	p.stack(sp, append([]uint64{sp + 8, 0x10200, 0, 0, 0, 0, 0}, context[5:]...)...)
	p.stack(sp+0x1000, 0)
	p.code[0x10200] = layouts[syscalls.AMD64].trampoline
	regs := amd64(0x10100, sp, sp)
	p.mem[sp], p.mem[sp+8] = 0, 0x10200
	if got := p.unwound(regs, false); got != "100 200! 300! …" {
		t.Error("by its code: ", got)
	}
}

// TestFramePointers unwinds code without call frame information.
func TestFramePointers(t *testing.T) {
	p := newProcess(&image{})
	p.stack(sp, 5, 0x10999, sp+32, 0x10200, sp+64, 0x10300, 0, 0, 0, 0x10400)
	if got := p.unwound(amd64(0x10100, sp, sp+16), false); got != "100 200 300 400" {
		t.Error(got)
	}
	p.code[0x10999-7] = "\x90\x90\xe8\x00\x00\x00\x00"
	p.mem[sp] = 0x10999 // on top of the stack, and behind a call: there is no frame yet
	if got := p.unwound(amd64(0x10100, sp, sp+16), false); got != "100 999 200 300 400" {
		t.Error("a leaf: ", got)
	}
	// A chain that leads back.
	p.stack(sp, sp, 0x10200)
	if got := p.unwound(amd64(0x10100, sp, sp), false); got != "100 200 …" {
		t.Error("a circle: ", got)
	}
}

// TestARM64 unwinds with a link register, and signed return addresses.
func TestARM64(t *testing.T) {
	const signature = 0x5a << 48
	// CFA = sp, everything as it was: a leaf; then a frame of 32 bytes.
	initial := []byte{0x0c, 31, 0}
	frame := []byte{0x2d, 0x44, 0x0e, 32, 0x9d, 4, 0x9e, 3, 0x43}
	p := newProcess(&image{frames: scanned(ehFrame("zRB", 30, 0x100, 0x100, initial, frame))})
	p.stack(sp, 0, signature|0x10700, 1, 2)
	if got := p.unwound(arm64(0x10102, sp, 0, signature|0x10180), true); got != "102! 180 700" {
		t.Error(got)
	}
	// Frame pointers; the link register is behind a call that is not the last.
	p = newProcess(&image{})
	p.stack(sp, sp+32, signature|0x10200, 1, 2, 0, 0x10300)
	p.code[0x10280-4] = "\x00\x00\x00\x94" // bl
	if got := p.unwound(arm64(0x10100, sp, sp, 0x10200), false); got != "100 200 300" {
		t.Error(got)
	}
	if got := p.unwound(arm64(0x10100, sp, sp, 0x10280), false); got != "100 280 200 300" {
		t.Error("a leaf: ", got)
	}
	// A signal's frame, from the kernel's trampoline.
	p = newProcess(&image{})
	p.stack(sp, make([]uint64, 200)...)
	p.code[0x10200] = layouts[syscalls.ARM64].trampoline
	at := uint64(sp + 16 + 312)
	p.mem[sp], p.mem[sp+8] = 0, 0x10200
	p.mem[at+31*8], p.mem[at+32*8] = sp+0x400, 0x10300
	if got := p.unwound(arm64(0x10100, sp, sp, 0), false); got != "100 200! 300!" {
		t.Error("a signal: ", got)
	}
}

// TestDepth bounds a stack.
func TestDepth(t *testing.T) {
	p := newProcess(&image{})
	for i := range uint64(4000) {
		p.mem[sp+16*i], p.mem[sp+16*i+8] = sp+16*(i+1), 0x10200+i%16
	}
	if got := strings.Fields(p.unwound(amd64(0x10100, sp, sp), false)); len(got) != 21 || got[20] != "…" {
		t.Error(got)
	}
}

// TestShared gives stacks the callers that they have in common.
func TestShared(t *testing.T) {
	p := newProcess(&image{})
	p.stack(sp, sp+16, 0x10200, sp+32, 0x10300, 0, 0x10400)
	var u Unwinder
	var extent uint64
	target := Target{Space: &p.space, Read: p.read, Extent: &extent}
	unwind := func(pc uint64) *tracefile.Stack {
		target.Regs = amd64(pc, sp, sp)
		return u.Stack(&target, 20)
	}
	a, b, c := unwind(0x10100), unwind(0x10100), unwind(0x10108)
	if a != b || a == c || a.Caller != c.Caller {
		t.Error("not shared")
	}
	if n := testing.AllocsPerRun(100, func() { unwind(0x10100) }); n > 0 {
		t.Errorf("%v allocations for a stack that is known", n)
	}
}

func TestMaps(t *testing.T) {
	got := parseMaps([]byte(`00400000-00452000 r-xp 00001000 08:02 173521      /usr/bin/a b
00651000-00652000 r--p 00051000 08:02 173521      /usr/bin/a b
35b1800000-35b1820000 rwxp 00000000 00:00 0 
35b1a21000-35b1a22000 r-xp 0001f000 08:02 135522  /usr/lib/x\012y (deleted)
7ffff7fc1000-7ffff7fc3000 r-xp 00000000 00:00 0                          [vdso]
nonsense
10-8 r-xp 00000000 00:00 0
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
`))
	want := []mapping{
		{from: 0x400000, to: 0x452000, off: 0x1000, name: "/usr/bin/a b", dev: "08:02", inode: 173521},
		{from: 0x35b1800000, to: 0x35b1820000, dev: "00:00"},
		{from: 0x35b1a21000, to: 0x35b1a22000, off: 0x1f000, name: "/usr/lib/x\ny (deleted)", dev: "08:02", inode: 135522},
		{from: 0x7ffff7fc1000, to: 0x7ffff7fc3000, name: "[vdso]", dev: "00:00"},
		{from: 0xffffffffff600000, to: 0xffffffffff601000, name: "[vsyscall]", dev: "00:00"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
	s := Space{known: true, maps: got}
	for addr, want := range map[uint64]uint64{0x400000: 0x400000, 0x451fff: 0x400000, 0x452000: 0, 0: 0, 0x35b1a21fff: 0x35b1a21000, ^uint64(0): 0} {
		from := uint64(0)
		if m := s.find(addr); m != nil {
			from = m.from
		}
		if from != want {
			t.Errorf("find(%#x): %#x, want %#x", addr, from, want)
		}
	}
	if s.Replaced(0x452000, 0x1000); !s.known {
		t.Error("another mapping was replaced, and all were forgotten")
	}
	if s.Replaced(0x451000, 0x1000); s.known {
		t.Error("a mapping was replaced and is remembered")
	}
}

// TestGoTable reads the table of this program.
func TestGoTable(t *testing.T) {
	f, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	im := parse(f)
	if im.goTable == nil {
		t.Fatal("this program has no table")
	}
	pc := uint64(reflect.ValueOf(TestGoTable).Pointer())
	if bias := uint64(im.bias(im.segments[0].off)); bias > pc {
		t.Skip("this program is not where it was linked to be")
	}
	if !im.goTable.begins(pc) || im.goTable.begins(pc+1) {
		t.Error("it does not know where this function begins")
	}
	size, flags, ok := im.goTable.frame(pc)
	if !ok || size != 0 || flags != 0 {
		t.Errorf("at its beginning: frame of %d bytes, flags %d, %v", size, flags, ok)
	}
	if size, _, ok := im.goTable.frame(pc + 100); !ok || size < 64 {
		t.Errorf("inside: frame of %d bytes, %v", size, ok)
	}
}

// hostile unwinds with what a file and a stack say.
func hostile(im *image, memory []byte) {
	for _, a := range []syscalls.Arch{syscalls.AMD64, syscalls.I386, syscalls.ARM64} {
		p := newProcess(im)
		var u Unwinder
		var extent uint64
		target := Target{Space: &p.space, Extent: &extent, Read: func(addr uint64, into []byte) int {
			if len(memory) == 0 || addr < sp {
				return 0
			}
			return copy(into, memory[min(uint64(len(memory)), (addr-sp)):])
		}}
		target.Regs.Arch = a
		for i := range target.Regs.R {
			target.Regs.R[i] = sp + uint64(i)*8
		}
		for pc := uint64(0x10000); pc < 0x10040; pc++ {
			target.Regs.SetPC(pc)
			u.Stack(&target, 64)
		}
	}
}

// FuzzFrames unwinds with any .eh_frame and any stack.
func FuzzFrames(f *testing.F) {
	f.Add(ehFrame("zR", 16, 0, 0x40, []byte{0x0c, 7, 8, 0x90, 1}, []byte{0x41, 0x0e, 16}), make([]byte, 64))
	f.Add(ehFrame("zRS", 30, 0, 0x40, []byte{0x0f, 3, 0x77, 8, 0x06}, []byte{0x16, 16, 3, 0x2f, 0xfd, 0xff}), []byte{1, 2})
	f.Fuzz(func(t *testing.T, eh, memory []byte) {
		for _, word := range []int{4, 8} {
			fr := &frames{word: word, data: eh}
			fr.scan()
			hostile(&image{frames: fr}, memory)
			hostile(&image{frames: &frames{word: word, data: eh, table: eh[:len(eh)/8*8]}}, memory)
		}
	})
}

// FuzzGoTable does it with any table of Go's linker.
func FuzzGoTable(f *testing.F) {
	f.Add([]byte("\xf1\xff\xff\xff\x00\x00\x01\x08"), []byte("stack"))
	f.Fuzz(func(t *testing.T, table, memory []byte) {
		if g := newGoTable(table, 0); g != nil {
			hostile(&image{goTable: g}, memory)
		}
	})
}

// FuzzImage reads any file.
func FuzzImage(f *testing.F) {
	for _, name := range []string{"/bin/true", "/proc/self/exe"} {
		if b, err := os.ReadFile(name); err == nil && len(b) < 1<<20 {
			f.Add(b, []byte("stack"))
		}
	}
	f.Add([]byte("\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03\x00\x3e\x00\x01\x00\x00\x00"+
		"\x00\x00\x00\x00\x00\x00\x00\x00\x40\x00\x00\x00\x00\x00\x00\x00"), []byte("stack"))
	f.Fuzz(func(t *testing.T, file, memory []byte) {
		im := parse(bytes.NewReader(file))
		im.bias(0)
		hostile(im, memory)
	})
}

// FuzzMaps reads any /proc/PID/maps.
func FuzzMaps(f *testing.F) {
	f.Add([]byte("00400000-00452000 r-xp 00001000 08:02 173521 /usr/bin/a\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s := Space{known: true, maps: parseMaps(text)}
		s.find(0x400000)
		s.Replaced(0, 1)
	})
}
