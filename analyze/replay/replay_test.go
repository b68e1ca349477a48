package replay

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"sysreel/analyze"
	"sysreel/analyze/format"
	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

const us = 1000 // ns

// at makes a call of thread tid between two moments, in microseconds.
func at(tid int32, start, end int64, name string, ret int64, args ...uint64) *analyze.Call {
	d := syscalls.ByName(syscalls.AMD64, name)
	e := &tracefile.Event{Kind: tracefile.Syscall, Arch: syscalls.AMD64, NR: d.NR, Ret: ret, Start: start * us, End: end * us}
	copy(e.Args[:], args)
	e.Thread = tracefile.Thread{ID: tracefile.ThreadID(tid), Process: 1, TID: tid, TGID: 100}
	return &analyze.Call{Event: e, Name: name, Desc: d}
}

func kind(k tracefile.Kind, c *analyze.Call) *analyze.Call {
	c.Kind = k
	return c
}

func thread(tid int32, t int64, k tracefile.Kind, nr uint32, ret int64) *analyze.Call {
	e := &tracefile.Event{Kind: k, NR: nr, Ret: ret, Start: t * us, End: t * us}
	e.Thread = tracefile.Thread{ID: tracefile.ThreadID(tid), Process: 1, TID: tid, TGID: 100}
	c := &analyze.Call{Event: e}
	if k == tracefile.Signal || k == tracefile.Stop {
		c.Name = syscalls.SignalName(int(nr))
	}
	return c
}

// takesPlace makes the Exec event c that of a thread which was not the leader.
func takesPlace(c *analyze.Call, was tracefile.ThreadID) *analyze.Call {
	c.Args[0] = uint64(was)
	return c
}

// endOfBlock stands for the end of a block among events.
var endOfBlock *analyze.Call

func TestOrder(t *testing.T) {
	pids := Options{PIDs: AllPIDs}
	for _, tt := range []struct {
		name   string
		o      Options
		events []*analyze.Call
		want   string
	}{{
		name:   "one thread",
		events: []*analyze.Call{at(7, 1, 2, "close", 0, 3), at(7, 3, 3, "close", -9, 4), at(7, 3, 5, "getpid", 7)},
		want: `
close(3)                                = 0
close(4)                                = -1 EBADF (Bad file descriptor)
getpid()                                = 7
`,
	}, {
		name: "an execve makes a thread the leader",
		o:    pids,
		events: []*analyze.Call{
			thread(9, 1, tracefile.ThreadStart, 0, 0),
			takesPlace(thread(7, 5, tracefile.Exec, 0, 0), 9),
			at(7, 3, 6, "execve", 0, 0x1000, 0, 0),
			at(7, 7, 8, "close", 0, 5),
		},
		want: `
9     execve(0x1000, NULL, NULL <unfinished ...>
7     +++ superseded by execve in pid 9 +++
7     <... execve resumed>)             = 0
7     close(5)                          = 0
`,
	}, {
		name: "an execve that was in flight makes a thread the leader",
		o:    pids,
		events: []*analyze.Call{
			thread(9, 1, tracefile.ThreadStart, 0, 0),
			kind(tracefile.InFlight, at(9, 3, 4, "execve", 0, 0x1000, 0, 0)),
			endOfBlock,
			takesPlace(thread(7, 5, tracefile.Exec, 0, 0), 9),
			at(7, 3, 6, "execve", 0, 0x1000, 0, 0),
		},
		want: `
9     execve(0x1000, NULL, NULL <unfinished ...>
7     +++ superseded by execve in pid 9 +++
7     <... execve resumed>)             = 0
`,
	}, {
		name: "an execve that has made a thread the leader is in flight",
		o:    pids,
		events: []*analyze.Call{
			thread(9, 1, tracefile.ThreadStart, 0, 0),
			takesPlace(thread(7, 5, tracefile.Exec, 0, 0), 9),
			kind(tracefile.InFlight, at(7, 3, 5, "execve", 0, 0x1000, 0, 0)),
			endOfBlock,
			at(7, 3, 6, "execve", 0, 0x1000, 0, 0),
		},
		want: `
9     execve(0x1000, NULL, NULL <unfinished ...>
7     +++ superseded by execve in pid 9 +++
7     <... execve resumed>)             = 0
`,
	}, {
		name: "another call than the execve that made a thread the leader",
		o:    pids,
		events: []*analyze.Call{
			thread(9, 1, tracefile.ThreadStart, 0, 0),
			takesPlace(thread(7, 5, tracefile.Exec, 0, 0), 9),
			at(7, 7, 8, "close", 0, 5),
		},
		want: `
7     +++ superseded by execve in pid 9 +++
7     close(5)                          = 0
`,
	}, {
		name: "two threads",
		o:    pids,
		events: []*analyze.Call{
			at(8, 2, 3, "close", 0, 5),
			at(7, 1, 4, "read", 0, 3, 0x1000, 10),
			at(12345678, 5, 7, "getpid", 1),
			at(8, 6, 8, "close", 0, 4),
		},
		want: `
7     read(3 <unfinished ...>
8     close(5)                          = 0
7     <... read resumed>, "", 10)       = 0
12345678 getpid( <unfinished ...>
8     close(4 <unfinished ...>
12345678 <... getpid resumed>)          = 1
8     <... close resumed>)              = 0
`,
	}, {
		name: "across blocks",
		o:    pids,
		events: []*analyze.Call{
			at(8, 2, 3, "close", 0, 5),
			kind(tracefile.InFlight, at(7, 1, 3, "read", 0, 3, 0x1000, 10)),
			endOfBlock,
			at(8, 4, 5, "close", 0, 5),
			kind(tracefile.InFlight, at(7, 1, 5, "read", 0, 3, 0x1000, 10)),
			endOfBlock,
			at(7, 1, 6, "read", 0, 3, 0x1000, 10),
		},
		want: `
7     read(3 <unfinished ...>
8     close(5)                          = 0
8     close(5)                          = 0
7     <... read resumed>, "", 10)       = 0
`,
	}, {
		name: "a call alone across blocks is not split",
		events: []*analyze.Call{
			kind(tracefile.InFlight, at(7, 1, 3, "read", 0, 3, 0x1000, 10)),
			endOfBlock,
			at(7, 1, 6, "read", 0, 3, 0x1000, 10),
		},
		want: `
read(3, "", 10)                         = 0
`,
	}, {
		name: "still running at the end",
		events: []*analyze.Call{
			kind(tracefile.InFlight, at(7, 1, 3, "read", 0, 3, 0x1000, 10)),
			endOfBlock,
		},
		want: `
read(3 <unfinished ...>
`,
	}, {
		name: "killed",
		o:    pids,
		events: []*analyze.Call{
			thread(8, 2, tracefile.Signal, 9, 0),
			kind(tracefile.Unfinished, at(7, 1, 3, "read", 0, 3, 0x1000, 10)),
			kind(tracefile.Unfinished, at(8, 1, 3, "close", 0, 3)),
			thread(7, 4, tracefile.ThreadExit, 0, 9),
			kind(tracefile.Unfinished, at(9, 5, 5, "exit_group", 0, 3)),
			thread(9, 6, tracefile.ThreadExit, 0, 3<<8),
			thread(9, 6, tracefile.ThreadExit, 0, 0x8b),
			thread(9, 6, tracefile.Stop, 19, 0),
		},
		want: `
7     read(3 <unfinished ...>
8     close(3 <unfinished ...>
8     --- SIGKILL ---
7     <... read resumed> <unfinished ...>) = ?
8     <... close resumed>)              = ?
7     +++ killed by SIGKILL +++
9     exit_group(3)                     = ?
9     +++ exited with 3 +++
9     +++ killed by SIGSEGV (core dumped) +++
9     --- stopped by SIGSTOP ---
`,
	}, {
		name: "restarted",
		events: []*analyze.Call{
			at(7, 1, 2, "nanosleep", -516, 0x1000, 0),
			at(7, 3, 4, "restart_syscall", 0),
			at(8, 3, 4, "restart_syscall", -4),
		},
		want: `
nanosleep(0x1000, NULL)                 = ? ERESTART_RESTARTBLOCK (Interrupted by signal)
restart_syscall(<... resuming interrupted nanosleep ...> <unfinished ...>
restart_syscall(<... resuming interrupted system call ...> <unfinished ...>
<... restart_syscall resumed>)          = 0
<... restart_syscall resumed>)          = -1 EINTR (Interrupted system call)
`,
	}, {
		name:   "times",
		o:      Options{Clock: Day, Relative: true, Durations: true, Epoch: 1795385798e9},
		events: []*analyze.Call{at(7, 1, 2, "close", 0, 3), at(7, 1000003, 1000005, "getpid", 7)},
		want: `
22:16:38.000001 (+     0.000000) close(3) = 0 <0.000001>
22:16:39.000003 (+     1.000002) getpid() = 7 <0.000002>
`,
	}, {
		name:   "epoch",
		o:      Options{Clock: Epoch, Epoch: 1795385798e9, Numbers: true},
		events: []*analyze.Call{numbered(7, at(7, 1, 2, "close", 0, 3)), kind(tracefile.InFlight, at(7, 2, 3, "close", 0, 3))},
		want: `
#7 1795385798.000001 close(3)           = 0
#? 1795385798.000002 close(3 <unfinished ...>
`,
	}} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			r := New(tt.o, &out)
			for _, c := range tt.events {
				var err error
				if c == endOfBlock {
					err = r.Flush()
				} else {
					err = r.Add(c)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
			if got, want := out.String(), strings.TrimPrefix(tt.want, "\n"); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func numbered(n uint64, c *analyze.Call) *analyze.Call {
	c.Num = n
	return c
}

func TestJSON(t *testing.T) {
	var out bytes.Buffer
	r := New(Options{JSON: true, Epoch: 1795385798e9}, &out)
	c := at(7, 1, 2, "openat", -2, 0xffffffffffffff9c, 0x1000, 0o2000000)
	c.Num = 42
	c.Bufs = []tracefile.Buf{{Arg: 1, Parent: -1, Want: 3, Data: []byte("\x1b\xff\x00")}}
	if err := r.Add(c); err != nil {
		t.Fatal(err)
	}
	if err := r.Add(thread(7, 3, tracefile.ThreadExit, 0, 0x8b)); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	want := `{"event":42,"time":"2026-11-22T22:16:38.000001000Z","start_ns":1000,"duration_ns":1000,"pid":100,"tid":7,"syscall":"openat","args":["AT_FDCWD","\"\\33\\377\"","O_RDONLY|O_CLOEXEC"],"ret":-1,"errno":"ENOENT"}
{"event":0,"event_type":"exit","time":"2026-11-22T22:16:38.000003000Z","start_ns":3000,"pid":100,"tid":7,"signal":"SIGSEGV","core_dumped":true}
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
	for line := range strings.Lines(out.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
	}
}

// What a block holds is written at its end: a trace may be followed.
func TestFlush(t *testing.T) {
	for _, o := range []Options{{}, {JSON: true}} {
		var out bytes.Buffer
		r := New(o, &out)
		if err := r.Add(at(7, 1, 2, "close", 0, 3)); err != nil {
			t.Fatal(err)
		}
		if err := r.Flush(); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), "close") || !strings.HasSuffix(out.String(), "\n") {
			t.Errorf("%+v: the line is not written: %q", o, out.String())
		}
	}
}

// A call that is in flight where blocks end is one line of JSON: its own when
// it ends, else the last block's.
func TestJSONInFlight(t *testing.T) {
	var out bytes.Buffer
	r := New(Options{JSON: true}, &out)
	add := func(calls ...*analyze.Call) {
		t.Helper()
		for _, c := range calls {
			if err := r.Add(c); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	read := func() *analyze.Call { return kind(tracefile.InFlight, at(7, 1, 9, "read", 0, 3, 0x1000, 10)) }
	wait := func() *analyze.Call { return kind(tracefile.InFlight, at(8, 2, 9, "close", 0, 5)) }
	add(at(9, 1, 2, "close", 0, 4), read(), wait())
	add(read(), wait())
	add()
	add(at(7, 1, 20, "read", 0, 3, 0x1000, 10), wait())
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(out.String()) {
		var l struct {
			Syscall    string
			TID        int
			Unfinished bool
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s %d %v", l.Syscall, l.TID, l.Unfinished))
	}
	if want := "[close 9 false read 7 false close 8 true]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

// BenchmarkReplay writes a mixture of common calls, in lines a second.
func BenchmarkReplay(b *testing.B) {
	path := []byte("/usr/lib/x86_64-linux-gnu/libc.so.6\x00")
	open := at(7, 1, 2, "openat", 3, 0xffffffffffffff9c, 0x1000, 0o2000000)
	open.Bufs = []tracefile.Buf{{Arg: 1, Parent: -1, Want: uint32(len(path)), Data: path}}
	read := at(7, 3, 4, "read", 832, 3, 0x1000, 832)
	read.Bufs = []tracefile.Buf{{Arg: 1, Parent: -1, Phase: tracefile.AtExit, Want: 832, Data: []byte("\x7fELF\x02\x01\x01\x03" + strings.Repeat("\x00", 24))}}
	stat := at(7, 5, 6, "newfstatat", 0, 3, 0x1000, 0x2000, 0x1000)
	stat.Bufs = []tracefile.Buf{{Arg: 1, Parent: -1, Want: 1, Data: []byte{0}}, {Arg: 2, Parent: -1, Phase: tracefile.AtExit, Want: 144, Data: make([]byte, 144)}}
	calls := []*analyze.Call{open, read, stat, at(7, 7, 8, "close", 0, 3),
		at(7, 9, 10, "mmap", 0x7f0000000000, 0, 8192, 3, 0x22, ^uint64(0), 0), at(7, 11, 12, "access", -2, 0, 4)}
	r := New(Options{PIDs: AllPIDs, Format: format.Options{}}, nullWriter{})
	var t int64
	for b.Loop() {
		for _, c := range calls {
			t += 10
			c.Start, c.End = t, t+5
			if err := r.Add(c); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(r.Lines())/b.Elapsed().Seconds(), "lines/s")
	b.ReportMetric(0, "ns/op")
}

type nullWriter struct{}

func (nullWriter) Write(p []byte) (int, error) { return len(p), nil }
