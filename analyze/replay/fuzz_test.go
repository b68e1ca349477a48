package replay

import (
	"bytes"
	"encoding/json"
	"testing"

	"sysreel/analyze"
	"sysreel/analyze/format"
	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
)

// FuzzReplay writes events of every kind as text and as JSON: names of threads
// and files, marks of tampering, signals and stacks as a hostile trace has them.
func FuzzReplay(f *testing.F) {
	for kind := range uint8(10) {
		f.Add([]byte{kind, 9, 0, 0x1b, 0xff, kind, 0xff, 3, 200, 1}, "a\x1b[31m\nb\xff", int64(-516))
	}
	f.Add([]byte("2000!000"), "0", int64(-572)) // an execve of a thread that nothing is known of
	f.Add([]byte{4, 1, 1, 1, 4, 65, 3, 2}, "\u202e\u2028", int64(1<<63-1))
	f.Fuzz(func(t *testing.T, data []byte, name string, ret int64) {
		stack := &tracefile.Stack{Object: &tracefile.Object{Path: name}, Offset: uint64(ret), Caller: &tracefile.Stack{Offset: 1, Partial: true}}
		var calls []*analyze.Call
		for i := 0; i+4 <= len(data) && i < 64; i += 4 {
			e := &tracefile.Event{Num: uint64(i), Kind: tracefile.Kind(data[i]%9 + 1), Flags: tracefile.Flags(data[i+1]) << (data[i+2] & 3), Arch: syscalls.Arch(1 + data[i+2]>>6),
				NR: uint32(data[i+3]), Ret: ret, Start: int64(i), End: int64(i) + int64(data[i+1]), Stack: stack, IP: uint64(ret),
				Args: [6]uint64{uint64(data[i+1]) & 1, uint64(ret), 3}}
			e.Thread = tracefile.Thread{ID: tracefile.ThreadID(data[i+2] & 3), Process: 1, TID: int32(data[i+2] & 3), TGID: 1}
			e.Bufs = []tracefile.Buf{{Arg: int8(data[i+1]%4) - 1, Parent: -1, Want: uint32(len(name)), Data: []byte(name)}}
			if e.Kind == tracefile.Exec || e.Kind == tracefile.ThreadStart {
				e.Facts = &tracepb.Process{Exe: []byte(name), Argv: [][]byte{[]byte(name)}, Comm: []byte(name)}
			}
			c := &analyze.Call{Event: e}
			switch d := syscalls.Lookup(e.Arch, e.NR); {
			case e.Kind == tracefile.Signal || e.Kind == tracefile.Stop:
				c.Name = syscalls.SignalName(int(e.NR))
			case !c.IsCall():
			case d != nil:
				c.Desc, c.Name = d, d.Name
			default:
				c.Name = name // that the trace gives a call without description
			}
			calls = append(calls, c)
		}
		for _, o := range []Options{
			{PIDs: AllPIDs, Stacks: true, IP: true, Personalities: true, Durations: true, Clock: Epoch},
			{PIDs: ManyPIDs, Comms: true, OuterPIDs: true, Comm: func(int32) string { return name }, Names: Protocols, CallNumbers: true, Format: format.Options{Hex: format.HexAll}},
			{JSON: true},
		} {
			var out bytes.Buffer
			r := New(o, &out)
			for _, c := range calls {
				if err := r.Add(c); err != nil {
					t.Fatal(err)
				}
				if c.Kind == tracefile.InFlight {
					if err := r.Flush(); err != nil {
						t.Fatal(err)
					}
				}
			}
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
			if n := out.Len(); n > len(calls)*(8192+64*len(name)) {
				t.Fatalf("%d bytes of %d events", n, len(calls))
			}
			for line := range bytes.Lines(out.Bytes()) {
				line = bytes.TrimSuffix(line, []byte("\n"))
				if o.JSON && !json.Valid(line) {
					t.Fatalf("not JSON: %q", line)
				}
				for _, b := range line {
					if b < ' ' || b == 0x7f || b > '~' && !o.JSON {
						t.Fatalf("%q in %q", b, line)
					}
				}
			}
		}
	})
}
