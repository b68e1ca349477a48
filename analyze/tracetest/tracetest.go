// Package tracetest makes traces by hand, for the tests of analyses: a few lines
// say what happened, and the result is a real trace file in memory.
package tracetest

import (
	"bytes"
	"encoding/binary"
	"testing"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
	"sysreel/proto/world"
)

// Start is the monotonic time at which traces begin, in ns.
const Start = 5_000_000_000

// Realtime is the wall-clock time then: 2026-01-02 03:04:05 UTC.
const Realtime = 1767323045_000000000

// Builder collects the events of a trace for AMD64.
type Builder struct {
	tb       testing.TB
	now      int64
	threads  tracefile.ThreadID
	procs    tracefile.ProcessID
	out      bytes.Buffer
	w        *tracefile.Writer
	inFlight []tracefile.Event
	Header   *tracepb.Header
	PerBlock int // events a block; 0: all in one
	n        int
}

// New returns an empty trace.
func New(tb testing.TB) *Builder {
	return &Builder{tb: tb, now: Start, Header: &tracepb.Header{
		Recorder: "tracetest", Backend: "test", Uuid: []byte("0123456789abcdef"),
		Clock:       &tracepb.Clock{MonotonicNs: Start, RealtimeNs: Realtime, Zone: "UTC"},
		Target:      &tracepb.Target{Command: [][]byte{[]byte("prog")}, Cwd: []byte("/home/user")},
		Calibration: &tracepb.Calibration{StopNs: 900},
	}}
}

// Add appends an event as it is; End becomes the current time if zero.
func (b *Builder) Add(e tracefile.Event) {
	b.tb.Helper()
	if b.w == nil {
		w, err := tracefile.NewWriter(&b.out, b.Header, tracefile.WriterOptions{Tracker: world.New()})
		if err != nil {
			b.tb.Fatal(err)
		}
		b.w = w
	}
	if e.End == 0 {
		e.End = b.now
	}
	if e.Start == 0 {
		e.Start = e.End
	}
	if e.Arch == 0 {
		e.Arch = syscalls.AMD64
	}
	if err := b.w.Add(&e); err != nil {
		b.tb.Fatal(err)
	}
	b.now = max(b.now, e.End)
	if b.n++; b.PerBlock > 0 && b.n%b.PerBlock == 0 {
		b.Flush()
	}
}

// Loss notes a loss in the current block.
func (b *Builder) Loss(l *tracepb.Loss) { b.w.AddLoss(l) }

// Redactions counts what a rule has blanked.
func (b *Builder) Redactions(rule string, n uint64) { b.w.AddRedactions(rule, n) }

// Flush ends the block.
func (b *Builder) Flush() {
	b.tb.Helper()
	if err := b.w.Flush(b.inFlight); err != nil {
		b.tb.Fatal(err)
	}
}

// Sleep lets time pass, in ns.
func (b *Builder) Sleep(ns int64) { b.now += ns }

// Process starts a process; parent is its creator's thread, zero for none. With
// facts it is a program that was run or attached to.
func (b *Builder) Process(pid int32, parent tracefile.Thread, facts *tracepb.Process) tracefile.Thread {
	b.tb.Helper()
	b.threads++
	b.procs++
	t := tracefile.Thread{ID: b.threads, Process: b.procs, TID: pid, TGID: pid}
	how := tracefile.StartLaunch
	if parent.ID != 0 {
		how = tracefile.StartFork
	}
	b.Add(tracefile.Event{Kind: tracefile.ThreadStart, Thread: t, Args: [6]uint64{uint64(how), uint64(parent.ID)}, Facts: facts})
	return t
}

// Clone starts a thread in the process of another.
func (b *Builder) Clone(tid int32, of tracefile.Thread) tracefile.Thread {
	b.tb.Helper()
	b.threads++
	t := tracefile.Thread{ID: b.threads, Process: of.Process, TID: tid, TGID: of.TGID}
	b.Add(tracefile.Event{Kind: tracefile.ThreadStart, Thread: t, Args: [6]uint64{uint64(tracefile.StartClone), uint64(of.ID)}})
	return t
}

// Exec runs a program in the process.
func (b *Builder) Exec(t tracefile.Thread, facts *tracepb.Process) {
	b.tb.Helper()
	b.Add(tracefile.Event{Kind: tracefile.Exec, Thread: t, Facts: facts})
}

// Exit ends a thread, and with it its process, with the wait status.
func (b *Builder) Exit(t tracefile.Thread, status int32) {
	b.tb.Helper()
	b.Add(tracefile.Event{Kind: tracefile.ThreadExit, Thread: t, Ret: int64(status), Args: [6]uint64{1}})
}

// Signal delivers a signal.
func (b *Builder) Signal(t tracefile.Thread, signo uint32) {
	b.tb.Helper()
	b.Add(tracefile.Event{Kind: tracefile.Signal, Thread: t, NR: signo})
}

// Out is memory that a call wrote: an argument of Call.
type Out []byte

// In is memory that a call read: an argument of Call.
type In []byte

// Print is, of a call that read, the fingerprint of what it read: an argument of
// Call that is none of the call's.
type Print uint16

// event makes a call: integers are registers, strings, In and Out memory.
func (b *Builder) event(t tracefile.Thread, name string, dur, ret int64, args []any) tracefile.Event {
	b.tb.Helper()
	d := syscalls.ByName(syscalls.AMD64, name)
	if d == nil {
		b.tb.Fatalf("no call %q", name)
	}
	e := tracefile.Event{Kind: tracefile.Syscall, Thread: t, NR: d.NR, Start: b.now, End: b.now + dur, Ret: ret, Arch: syscalls.AMD64}
	for i, a := range args {
		buf := tracefile.Buf{Arg: int8(i), Parent: -1}
		switch a := a.(type) {
		case Print:
			e.Fingerprint = uint16(a)
			continue
		case int:
			e.Args[i] = uint64(a)
			continue
		case string:
			buf.Data = append([]byte(a), 0)
		case In:
			buf.Data = a
		case Out:
			buf.Data, buf.Phase = a, tracefile.AtExit
		default:
			b.tb.Fatalf("%s: argument %d is a %T", name, i, a)
		}
		e.Args[i] = 0x7ffc_0000_1000 + uint64(i)*0x1000
		buf.Want = uint32(len(buf.Data))
		e.Bufs = append(e.Bufs, buf)
	}
	return e
}

// Call appends a call that takes dur ns from now. Integer arguments are
// registers; strings, In and Out stand for pointers to memory.
func (b *Builder) Call(t tracefile.Thread, name string, dur, ret int64, args ...any) {
	b.tb.Helper()
	b.Add(b.event(t, name, dur, ret, args))
}

// Flagged appends a call with flags.
func (b *Builder) Flagged(t tracefile.Thread, flags tracefile.Flags, name string, dur, ret int64, args ...any) {
	b.tb.Helper()
	e := b.event(t, name, dur, ret, args)
	e.Flags = flags
	b.Add(e)
}

// Unfinished appends a call whose end was not seen, dur ns after its start.
func (b *Builder) Unfinished(t tracefile.Thread, name string, dur int64, args ...any) {
	b.tb.Helper()
	e := b.event(t, name, dur, 0, args)
	e.Kind = tracefile.Unfinished
	b.Add(e)
}

// Begin notes a call that began now as in flight, at the end of every block
// until Return.
func (b *Builder) Begin(t tracefile.Thread, name string, args ...any) {
	b.tb.Helper()
	b.inFlight = append(b.inFlight, b.event(t, name, 0, 0, args))
}

// Return ends the call of the thread that is in flight.
func (b *Builder) Return(t tracefile.Thread, ret int64) {
	b.tb.Helper()
	for i, e := range b.inFlight {
		if e.Thread == t {
			b.inFlight = append(b.inFlight[:i:i], b.inFlight[i+1:]...)
			e.End, e.Ret = b.now, ret
			b.Add(e)
			return
		}
	}
	b.tb.Fatalf("thread %d has no call in flight", t.TID)
}

// Now returns the current time, ns.
func (b *Builder) Now() int64 { return b.now }

// Bytes closes the trace and returns the file.
func (b *Builder) Bytes() []byte {
	b.tb.Helper()
	b.Flush()
	if err := b.w.Close(&tracepb.Footer{End: tracepb.Footer_EXITED, Clock: &tracepb.Clock{MonotonicNs: b.now, RealtimeNs: Realtime + b.now - Start}}); err != nil {
		b.tb.Fatal(err)
	}
	return b.out.Bytes()
}

// Cut returns the file as a killed recorder leaves it: flushed, without an end.
func (b *Builder) Cut() []byte {
	b.tb.Helper()
	b.Flush()
	return bytes.Clone(b.out.Bytes())
}

// Reader returns a reader of a file.
func Reader(tb testing.TB, file []byte) *tracefile.Reader {
	tb.Helper()
	r, err := tracefile.NewReader(bytes.NewReader(file), tracefile.ReaderOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// Sockaddr returns a struct sockaddr_in.
func Sockaddr(a, b, c, d byte, port uint16) []byte {
	s := []byte{2, 0, byte(port >> 8), byte(port), a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0}
	return s
}

// Ints returns 32-bit words as memory.
func Ints(v ...int32) []byte {
	var out []byte
	for _, x := range v {
		out = binary.LittleEndian.AppendUint32(out, uint32(x))
	}
	return out
}

// Program returns the facts of a program.
func Program(exe string, argv ...string) *tracepb.Process {
	p := &tracepb.Process{Exe: []byte(exe), Comm: []byte(exe[bytes.LastIndexByte([]byte(exe), '/')+1:]), Cwd: []byte("/home/user"), FilesKnown: true}
	for _, a := range argv {
		p.Argv = append(p.Argv, []byte(a))
	}
	for fd := range int32(3) {
		p.Files = append(p.Files, &tracepb.OpenFile{Fd: fd, Link: []byte("/dev/pts/0"), Flags: 2})
	}
	return p
}
