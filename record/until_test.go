package record

import (
	"strings"
	"testing"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

func TestUntil(t *testing.T) {
	call := func(name string, ret int64) tracefile.Event {
		d := syscalls.ByName(syscalls.AMD64, name)
		return tracefile.Event{Kind: tracefile.Syscall, Arch: syscalls.AMD64, NR: uint32(d.NR), Ret: ret}
	}
	signal := func(signo uint32) tracefile.Event { return tracefile.Event{Kind: tracefile.Signal, NR: signo} }
	exit := func(status int64) tracefile.Event {
		return tracefile.Event{Kind: tracefile.ThreadExit, Ret: status, Args: [6]uint64{1}}
	}
	thread, vanished, stuck := exit(1<<8), exit(0), call("openat", -2)
	thread.Args[0] = 0
	vanished.Args[1] = uint64(tracefile.ExitVanished)
	stuck.Kind = tracefile.Unfinished
	for _, c := range []struct {
		expr string
		e    tracefile.Event
		want string // prefix; empty: not met
	}{
		{"exit=0", exit(0), "exit=0: process 0 exited with 0"},
		{"exit=0", exit(1 << 8), ""},
		{"exit!=0", exit(0), ""},
		{"exit!=0", exit(255 << 8), "exit!=0: process 0 exited with 255"},
		{"exit!=0", exit(11), "exit!=0: process 0 was killed by SIGSEGV"},
		{"exit=139", exit(11 | 0x80), "exit=139: process 0 was killed by SIGSEGV"},
		{"exit=1", thread, ""},
		{"exit!=1", vanished, ""},
		{"signal=SEGV", signal(11), "signal=SEGV: process 0 got it"},
		{"signal=sigkill", exit(9), "signal=sigkill: process 0 was killed by SIGKILL"},
		{"signal=11", signal(10), ""},
		{"signal=SIGSEGV", exit(11 << 8), ""},
		{"ENOENT", call("openat", -2), "ENOENT: openat of process 0"},
		{"ENOENT", call("openat", -13), ""},
		{"ENOENT", call("openat", 2), ""},
		{"ENOENT", stuck, ""},
		{"openat=ENOENT", call("openat", -2), "openat=ENOENT: openat"},
		{"openat=ENOENT", call("stat", -2), ""},
		{"%file=ENOENT", call("stat", -2), "%file=ENOENT: stat"},
		{"/^open=EACCES", call("openat", -13), "/^open=EACCES: openat"},
		{"exit=7, signal=USR1,write=ENOSPC", call("write", -28), "write=ENOSPC: write"},
		{"exit=7, signal=USR1,write=ENOSPC", exit(7 << 8), "exit=7"},
	} {
		u, err := ParseUntil(c.expr)
		if err != nil {
			t.Errorf("%s: %v", c.expr, err)
			continue
		}
		if got := u.Met(&c.e); (got == "") != (c.want == "") || !strings.HasPrefix(got, c.want) {
			t.Errorf("%s, event %+v: %q, want %q", c.expr, c.e, got, c.want)
		}
	}
	for _, expr := range []string{"", ",", "exit", "exit=", "exit=256", "exit=-1", "exit>0", "signal", "signal=", "signal=0", "signal=65", "signal=ENOENT",
		"ENOENTS", "enoent", "openat=", "=ENOENT", "openat!=ENOENT", "openat=SIGSEGV", "exit=1,", "nosuchcall=ENOENT"} {
		if _, err := ParseUntil(expr); err == nil {
			t.Errorf("%q is taken", expr)
		}
	}
}
