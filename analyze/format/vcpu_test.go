package format

import (
	"bytes"
	"encoding/binary"
	"testing"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

// vcpuCall is an ioctl(KVM_RUN) with the pieces that a recorder keeps.
func vcpuCall(run, data []byte) *tracefile.Event {
	e := &tracefile.Event{Kind: tracefile.Syscall, Arch: syscalls.AMD64, NR: 16, Args: [6]uint64{5, 0xae80}}
	where := binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint64(nil, 0x7f0000001000), 3)
	for _, phase := range []tracefile.Phase{tracefile.AtEnter, tracefile.AtExit} {
		at := int16(len(e.Bufs))
		e.Bufs = append(e.Bufs, tracefile.Buf{Phase: phase, Parent: -1, Want: 12, Data: where},
			tracefile.Buf{Phase: phase, Parent: at, Want: 288, Data: run},
			tracefile.Buf{Phase: phase, Parent: at + 1, Off: 40, Want: uint32(len(data)), Data: data})
	}
	return e
}

// FuzzVCPU writes the states of virtual CPUs that hold anything.
func FuzzVCPU(f *testing.F) {
	run := make([]byte, 288)
	for reason := range byte(8) {
		run[8], run[32], run[33], run[36] = reason, reason&1, 1, reason
		f.Add(bytes.Clone(run), []byte("data\x1b\n"), uint8(reason))
	}
	f.Add(run[:33], []byte{}, uint8(0))
	f.Fuzz(func(t *testing.T, run, data []byte, how uint8) {
		e := vcpuCall(run, data)
		e.Bufs = e.Bufs[:len(e.Bufs)-int(how%7)]
		d := syscalls.Lookup(e.Arch, e.NR)
		o := Options{VCPUs: VCPUStates, Verbose: how&8 != 0, Constants: Constants(how >> 4 % 3)}
		if how&0x80 != 0 {
			o.Pointed, _ = syscalls.ParseSet("none")
		}
		formatter := New(o)
		text := append([]byte(nil), formatter.Call(d, e, nil).Result...)
		text = formatter.States(text, d, e)
		_, reason, ok := formatter.VCPU(d, e)
		text = append(text, reason...)
		if ok && !bytes.Contains(text, []byte("("+reason+")")) {
			t.Errorf("%q does not tell %s", text, reason)
		}
		for _, c := range text {
			if c < ' ' && c != '\n' || c > '~' {
				t.Fatalf("%q in %q", c, text)
			}
		}
		if len(text) > 2000+20*len(data) {
			t.Fatalf("%d bytes", len(text))
		}
	})
}
