package world

import (
	"testing"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
)

// FuzzApply makes events of any bytes: whatever a trace says, the world neither
// panics nor hangs, and everything reached from it can be asked for its name.
func FuzzApply(f *testing.F) {
	f.Add([]byte("\x01\x00\x01\x03\x00\x00\x00\x05\x01\x02\x03\x04"))
	for nr := range byte(255) {
		f.Add([]byte{1, nr, 0, 1, 3, 3, 3, 3, 16, 2, 0, 0, 80, 127, 0, 0, 1, 6, 0, 1, 2, 1, nr, 1, 2, 8, 4, 5, 6, 7, 32, 1, 2, 3, 4})
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		w := New()
		next := func() byte {
			if len(data) == 0 {
				return 0
			}
			b := data[0]
			data = data[1:]
			return b
		}
		now := int64(0)
		for n := 0; len(data) > 0 && n < 200; n++ {
			now += int64(next())
			e := &tracefile.Event{
				Kind: tracefile.Kind(next() % 11), Arch: syscalls.Arch(next()%5 + 1), NR: uint32(next()) + uint32(next()&1)*256,
				Thread: tracefile.Thread{ID: tracefile.ThreadID(next() % 8), Process: tracefile.ProcessID(next() % 4), TID: int32(next()), TGID: int32(next())},
				Start:  now, End: now, Ret: int64(int8(next())),
			}
			if next()&1 != 0 {
				e.Arch = syscalls.AMD64
			}
			for i := range e.Args {
				e.Args[i] = uint64(int64(int8(next()))) << (next() % 64)
			}
			for range next() % 4 {
				b := tracefile.Buf{Arg: int8(next() % 6), Phase: tracefile.Phase(next() & 1), Parent: int16(len(e.Bufs)) - 1 - int16(next()&1)*int16(len(e.Bufs)), Off: uint32(next() % 64)}
				k := min(int(next()), len(data))
				b.Data, data = data[:k], data[k:]
				e.Bufs = append(e.Bufs, b)
			}
			if k := next(); k&3 == 0 {
				e.Facts = &tracepb.Process{Exe: []byte("/x"), FilesKnown: k&4 != 0}
				for range k >> 5 {
					e.Facts.Files = append(e.Facts.Files, &tracepb.OpenFile{Fd: int32(int8(next())), Link: []byte("socket:[1]"), Socket: []byte("TCP:[")})
				}
			}
			th := w.See(e.Thread)
			w.PathArgs(nil, th, e)
			for _, fd := range w.FDArgs(nil, e) {
				if f := th.Process.File(fd); f != nil {
					f.Detail()
				}
			}
			w.Apply(e)
			switch next() % 32 {
			case 0:
				c := w.TakeContext()
				alone := ForReading()
				alone.Load(c)
			case 1:
				w.Lose()
			}
		}
		w.Processes(func(p *Process) {
			_ = p.Label() + p.Cwd()
			p.Files(func(_ int32, f *File) { _ = f.Name() + f.Detail() })
		})
	})
}
