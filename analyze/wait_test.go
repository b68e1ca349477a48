package analyze_test

import (
	"context"
	"slices"
	"testing"

	"sysreel/analyze"
	"sysreel/analyze/tracetest"
	"sysreel/proto/tracefile"
)

// What calls wait for, and which do not.
func TestWait(t *testing.T) {
	b := tracetest.New(t)
	th := b.Process(100, tracefile.Thread{}, tracetest.Program("/usr/bin/server", "server"))
	child := b.Process(101, th, tracetest.Program("/usr/bin/job", "job"))
	b.Exit(child, 0)
	b.Call(th, "wait4", 5000, 101, -1, 0, 0, 0)
	b.Call(th, "wait4", 5000, -10, -1, 0, 0, 0)
	b.Call(th, "wait4", 5000, 77, -1, 0, 0, 0)
	b.Call(th, "futex", 5000, 0, 0x7f00, 0|128, 1, 0) // FUTEX_WAIT_PRIVATE
	b.Call(th, "futex", 5000, 1, 0x7f00, 1|128, 1, 0) // FUTEX_WAKE_PRIVATE
	b.Call(th, "futex", 5000, 0, 0x7f40, 9|256, 1, 0) // FUTEX_WAIT_BITSET, on the real-time clock
	b.Call(th, "pipe2", 5000, 0, tracetest.Out(tracetest.Ints(3, 4)), 0)
	b.Call(th, "read", 5000, 1, 3, tracetest.Out("x"), 1)
	b.Call(th, "write", 5000, 1, 4, tracetest.In("x"), 1)
	b.Call(th, "openat", 5000, 5, -100, "/etc/passwd", 0)
	b.Call(th, "read", 5000, 1, 5, tracetest.Out("x"), 1) // a file: no wait
	b.Call(th, "read", 5000, 1, 0, tracetest.Out("x"), 1) // the terminal
	b.Call(th, "fsync", 5000, 0, 5)
	b.Call(th, "fcntl", 5000, 0, 5, 7) // F_SETLKW
	b.Call(th, "fcntl", 5000, 0, 5, 6) // F_SETLK
	b.Call(th, "poll", 5000, 1, tracetest.In(tracetest.Ints(3, 1, 4, 1, -1, 0, 99, 1)), 4, -1)
	b.Call(th, "poll", 5000, 0, 0, 0, 10)
	b.Call(th, "epoll_wait", 5000, 0, 6, 0, 1, -1)
	b.Call(th, "socket", 5000, 7, 2, 1, 0)
	b.Call(th, "connect", 5000, 0, 7, tracetest.In(tracetest.Sockaddr(10, 0, 0, 7, 443)), 16)
	b.Call(th, "recvfrom", 5000, 3, 7, tracetest.Out("abc"), 3, 0, 0, 0)
	b.Call(th, "clock_nanosleep", 5000, 0, 0, 0, 0, 0)
	b.Call(th, "getpid", 5000, 100)
	b.Unfinished(th, "wait4", 5000, -1, 0, 0, 0)
	b.Unfinished(th, "wait4", 5000, 101, 0, 0, 0)
	b.Call(th, "waitid", 5000, 0, 1, 101, 0, 4, 0) // P_PID
	b.Call(th, "pidfd_open", 5000, 8, 101, 0)
	b.Call(th, "waitid", 5000, 0, 3, 8, 0, 4, 0) // P_PIDFD
	b.Call(th, "waitid", 5000, 0, 0, 0, 0, 4, 0) // P_ALL

	sets := func(fds ...int) tracetest.In {
		set := make(tracetest.In, 16)
		for _, fd := range fds {
			set[fd/8] |= 1 << (fd % 8)
		}
		return set
	}
	b.Call(th, "select", 5000, 1, 8, sets(3, 7), sets(3), 0, 0)
	b.Call(th, "select", 5000, 1, 100, sets(99), sets(4, 3, 7), sets(0), 0)
	b.Call(th, "select", 5000, 0, 4, sets(7), 0, 0, 0) // beyond nfds
	b.Call(th, "select", 5000, 0, 0, 0, 0, 0, 0)
	b.Call(th, "select", 5000, 0, 8, 0x7f00, 0, 0, 0)

	want := []string{
		"wait4 child job[101]", "wait4 children", "wait4 child 77", "futex futex 0x7f00 of server[100]", "futex -", "futex futex 0x7f40 of server[100]",
		"pipe2 -", "read read pipe:[#10]", "write write pipe:[#10]", "openat -", "read -", "read read /dev/pts/0",
		"fsync disk /etc/passwd", "fcntl lock /etc/passwd", "fcntl -", "poll poll pipe:[#10], pipe:[#10], fd 99, …", "poll sleep",
		"epoll_wait epoll 6 of server[100]", "socket -", "connect connect 10.0.0.7:443", "recvfrom read 10.0.0.7:443", "clock_nanosleep sleep",
		"getpid -", "wait4 children", "wait4 child job[101]", "waitid child job[101]", "pidfd_open -", "waitid child job[101]", "waitid children",
		"select select pipe:[#10], TCP:[#22->10.0.0.7:443]", "select select /dev/pts/0, pipe:[#10], pipe:[#10], …", "select sleep", "select sleep",
		"select select of server[100]",
	}
	var got, roles []string
	err := analyze.Run(context.Background(), tracetest.Reader(t, b.Bytes()), analyze.Options{Need: analyze.ByWait.Need()}, func(c *analyze.Call) error {
		if !c.IsCall() {
			return nil
		}
		name := "-"
		if key, ok := analyze.ByWait.Key(c); ok {
			name = key.String()
			roles = append(roles, key.Role().String())
		}
		got = append(got, c.Name+" "+name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		for i := range got {
			if i >= len(want) || got[i] != want[i] {
				t.Fatalf("call %d: %q, want %q", i, got[i], want[min(i, len(want)-1)])
			}
		}
		t.Fatalf("%d calls, want %d", len(got), len(want))
	}
	if roles[0] != "child job" || roles[3] != "futex of server" {
		t.Errorf("roles are %q", roles)
	}
}
