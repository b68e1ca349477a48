package format

import (
	"encoding/binary"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

var architectures = []syscalls.Arch{syscalls.AMD64, syscalls.ARM64, syscalls.I386, syscalls.X32}

// everyDesc returns each call of an architecture, and each variant of it.
func everyDesc(arch syscalls.Arch) []*syscalls.Desc {
	var all []*syscalls.Desc
	for _, d := range syscalls.All(arch) {
		all = append(append(all, d), d.Variants()...)
	}
	return all
}

// noise is what a fuzzer gave, as numbers and data; zeros when it is used up.
type noise []byte

func (n *noise) byte() byte {
	if len(*n) == 0 {
		return 0
	}
	b := (*n)[0]
	*n = (*n)[1:]
	return b
}

// word is a number as calls have them: small, negative, any, an address, or a
// few bits.
func (n *noise) word() uint64 {
	switch k := n.byte(); k & 7 {
	case 0:
		return 0
	case 1:
		return -uint64(n.byte())
	case 2:
		return uint64(n.byte())<<8 | uint64(n.byte())
	case 3:
		return 1<<(n.byte()&63) | 1<<(n.byte()&63)
	case 4:
		return binary.LittleEndian.Uint64(n.take(8))
	case 5:
		return 0x7f0000001000 + uint64(k)
	default:
		return uint64(n.byte())
	}
}

// take returns n bytes that may be written to.
func (n *noise) take(size int) []byte {
	b := make([]byte, size)
	*n = (*n)[copy(b, *n):]
	return b
}

// event makes a call as a hostile trace might hold it: its registers select d,
// and what the plan copies is there, more or less.
func (n *noise) event(d *syscalls.Desc) *tracefile.Event {
	kinds := []tracefile.Kind{tracefile.Syscall, tracefile.Syscall, tracefile.Unfinished, tracefile.InFlight}
	shape := n.byte()
	e := &tracefile.Event{Kind: kinds[shape&3], Arch: d.Arch, NR: d.NR}
	if shape&4 != 0 {
		e.Flags = tracefile.Flags(binary.LittleEndian.Uint16(n.take(2)))
	}
	for i := range e.Args {
		e.Args[i] = n.word()
	}
	for _, m := range d.Match {
		e.Args[m.Reg] = e.Args[m.Reg]&^m.Mask | m.Value
	}
	e.Ret = int64(n.word())
	first := make([]int16, len(d.Copies)) // Buf of each copy
	for i := range d.Copies {
		c := &d.Copies[i]
		first[i] = int16(len(e.Bufs))
		how := n.byte()
		if how&15 == 15 {
			first[i] = -1
			continue
		}
		size := int(c.Unit) * int(1+how&3)
		if c.Mode != syscalls.Counted || c.Data {
			size = int(n.byte())
		}
		size = min(size, 4096, 64+8*len(*n))
		b := tracefile.Buf{Arg: c.Arg, Parent: -1, Off: uint32(c.Off), Data: n.take(size)}
		if c.Phase != syscalls.AtEnter {
			b.Phase = tracefile.AtExit
		}
		if c.Parent >= 0 {
			b.Parent = first[c.Parent]
			b.Off += uint32(how>>6) * uint32(c.Stride)
		}
		if how&16 != 0 && size > 0 { // cut short
			b.Data = b.Data[:int(n.byte())%size]
		}
		b.Want = uint32(size) + uint32(how>>4&2)*uint32(n.byte())
		b.Faulted = how&32 != 0
		e.Bufs = append(e.Bufs, b)
	}
	return e
}

// perByte bounds the text by the memory it is of: names of flags and members are
// long. longest is the bound for calls that have none.
const perByte, longest = 400, 1 << 16

var fuzzOptions = []Options{
	{},
	{Verbose: true, Strings: 1 << 20},
	{Verbose: true, Hex: HexAll, Constants: BothConstants},
	{Hex: HexNonASCII, Strings: -1, Constants: RawConstants},
	{Hex: HexChars, Comm: func(int32, bool) string { return "a\x1b[31m" }},
}

// checkText fails unless the text of the call is fit for a terminal, and bounded.
func checkText(t *testing.T, f *Formatter, d *syscalls.Desc, e *tracefile.Event, names Names) {
	t.Helper()
	x := f.Call(d, e, names)
	if x.Enter > len(x.Call) || x.Name > len(x.Call) {
		t.Fatalf("enter %d, name %d of %d", x.Enter, x.Name, len(x.Call))
	}
	size := 0
	for i := range e.Bufs {
		size += len(e.Bufs[i].Data)
	}
	if n := len(x.Call) + len(x.Result); n > longest+perByte*size {
		t.Fatalf("%s: %d bytes of text from %d of memory", d.Name, n, size)
	}
	checkPrintable(t, x.Call)
	checkPrintable(t, x.Result)
	for _, a := range f.Args(nil, d, e, names) {
		checkPrintable(t, []byte(a))
	}
}

func checkPrintable(t *testing.T, text []byte) {
	t.Helper()
	for _, c := range text {
		if c < ' ' || c > '~' {
			t.Fatalf("%q in %q", c, text)
		}
	}
}

// checkEvent checks the call in all of fuzzOptions, as itself and through the
// description that the number has.
func checkEvent(t *testing.T, formatters []*Formatter, d *syscalls.Desc, e *tracefile.Event, names Names) {
	t.Helper()
	for _, f := range formatters {
		checkText(t, f, d, e, names)
	}
	if base := syscalls.Lookup(d.Arch, d.NR); base != nil && base != d {
		checkText(t, formatters[1], base, e, names)
	}
}

func newFormatters() []*Formatter {
	var all []*Formatter
	for _, o := range fuzzOptions {
		all = append(all, New(o))
	}
	return all
}

// protocols of netlink sockets that fuzzNames may tell of.
var protocols = []fuzzNames{NotNetlink, NotNetlink, netlinkRoute, netlinkSockDiag, netlinkGeneric, 4, 5, 6, 7, 9, 10, 12, 15, 20, 21}

// TestEveryCall prints each call and variant of the table, on every
// architecture, with memory of random bytes. SYSREEL_FUZZ rounds of it.
func TestEveryCall(t *testing.T) {
	rounds, _ := strconv.Atoi(os.Getenv("SYSREEL_FUZZ"))
	formatters := newFormatters()
	r := rand.New(rand.NewPCG(1, uint64(rounds)))
	calls, longestText := 0, 0
	for range max(rounds, 1) {
		for _, arch := range architectures {
			for _, d := range everyDesc(arch) {
				n := make(noise, r.IntN(1<<r.IntN(13)))
				for i := range n {
					n[i] = byte(r.Uint32())
					if r.Uint32()&3 == 0 {
						n[i] = 0
					}
				}
				e := n.event(d)
				checkEvent(t, formatters, d, e, protocols[r.IntN(len(protocols))])
				x := formatters[1].Call(d, e, nil)
				longestText = max(longestText, len(x.Call))
				calls++
			}
		}
	}
	t.Logf("%d calls; the longest text has %d bytes", calls, longestText)
}

// FuzzCall is TestEveryCall with bytes that the fuzzer looks for.
func FuzzCall(f *testing.F) {
	var descs [][]*syscalls.Desc
	for _, arch := range architectures {
		descs = append(descs, everyDesc(arch))
	}
	formatters := newFormatters()
	for i := range descs[0] {
		if i%37 == 0 {
			f.Add(uint8(i), uint16(i), []byte("\x00\x05\x06\x01\x04abcdefgh\x05\x05\x05\x01\x0f\x00\x01\x02\x1b[31m\xff"))
		}
	}
	f.Fuzz(func(t *testing.T, how uint8, index uint16, data []byte) {
		all := descs[int(how&15)%len(descs)]
		if len(all) == 0 {
			t.Skip()
		}
		d := all[int(index)%len(all)]
		n := noise(data)
		checkEvent(t, formatters, d, n.event(d), protocols[int(how>>4)%len(protocols)])
	})
}

// FuzzOwnDesc prints calls by the description that a trace brought along.
func FuzzOwnDesc(f *testing.F) {
	for _, proto := range []string{"strange(fd fd, buf out bytes[count,ret], count size) size", "a(flags= open_flags, p in iovec[n], n int) fd",
		"b(x in strings, y out always stat, z inout u32, w in sockaddr[z]) addr", "c\x1b(x in path) int", "clone9(fl= \x1b[1m, b in bytes[9]) int"} {
		f.Add(proto, uint8(1), []byte("\x00\x05\x06\x01\x04abcdefgh\x05\x05\x05\x01\x0f\x00\x01\x02\x1b[31m\xff"))
	}
	formatters := newFormatters()
	f.Fuzz(func(t *testing.T, proto string, arch uint8, data []byte) {
		d, err := syscalls.ParseDesc(proto, architectures[int(arch)%3])
		if err != nil {
			t.Skip()
		}
		n := noise(data)
		checkEvent(t, formatters, d, n.event(d), fuzzNames(NotNetlink))
	})
}

// FuzzSiginfo prints siginfo, ends of threads and text of logs.
func FuzzSiginfo(f *testing.F) {
	for _, code := range []int32{0, 1, -1, -6, 0x80} {
		for signo := range int32(35) {
			b := make([]byte, 128)
			binary.LittleEndian.PutUint32(b, uint32(signo))
			binary.LittleEndian.PutUint32(b[8:], uint32(code))
			b[16], b[40] = 0x1b, 0xff
			f.Add(b, signo<<8)
		}
	}
	formatters := newFormatters()
	f.Fuzz(func(t *testing.T, data []byte, status int32) {
		for _, f := range formatters {
			for _, text := range [][]byte{f.Siginfo(nil, data), f.Exit(nil, status), f.Plain(nil, data), f.AppendName(nil, data, "char 1:3")} {
				checkPrintable(t, text)
				if len(text) > 1024+8*len(data) {
					t.Fatalf("%d bytes of text from %d", len(text), len(data))
				}
			}
		}
	})
}
