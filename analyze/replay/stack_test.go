package replay

import (
	"bytes"
	"strings"
	"testing"

	"sysreel/analyze"
	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

// withStack gives a call a stack.
func withStack(c *analyze.Call, ip uint64, s *tracefile.Stack) *analyze.Call {
	c.Stack, c.IP = s, ip
	return c
}

func TestStacks(t *testing.T) {
	libc := &tracefile.Object{Path: "/usr/lib/\x1b[31mlibc.so.6"}
	main := &tracefile.Stack{Object: &tracefile.Object{Path: "/bin/prog (deleted)"}, Offset: 0x1139}
	jit := &tracefile.Stack{Offset: 0x7f0000001000, Caller: main}
	write := &tracefile.Stack{Object: libc, Offset: 0xf8350, Caller: jit}

	second := withStack(at(8, 2, 4, "close", 0, 3), 0xf7fc4579, &tracefile.Stack{Object: libc, Offset: 0x579, Partial: true})
	second.Arch = syscalls.I386
	events := []*analyze.Call{
		second,
		withStack(at(7, 1, 5, "getpid", 7), 0x7f12345f8350, write),
		withStack(thread(7, 6, tracefile.Signal, 11, 0), 0x55500001139, main),
		at(7, 7, 8, "getpid", 7),
		thread(7, 9, tracefile.ThreadExit, 0, 11),
	}
	for _, tt := range []struct {
		o    Options
		want string
	}{{
		o: Options{PIDs: AllPIDs, Stacks: true},
		want: `
7     getpid( <unfinished ...>
8     close(3)                          = 0
 > /usr/lib/\033[31mlibc.so.6() [0x579]
7     <... getpid resumed>)             = 7
 > /usr/lib/\033[31mlibc.so.6() [0xf8350]
 > [anon]() [0x7f0000001000]
 > /bin/prog (deleted)() [0x1139]
7     --- SIGSEGV ---
 > /bin/prog (deleted)() [0x1139]
7     getpid()                          = 7
7     +++ killed by SIGSEGV +++
`,
	}, {
		o: Options{PIDs: AllPIDs, IP: true, CallNumbers: true},
		want: `
7     [  39] [00007f12345f8350] getpid( <unfinished ...>
8     [   3] [f7fc4579] close(3)        = 0
7     [  39] [00007f12345f8350] <... getpid resumed>) = 7
7     [  39] [0000055500001139] --- SIGSEGV ---
7     [  39] [????????????????] getpid() = 7
7     [  39] [????????????????] +++ killed by SIGSEGV +++
`,
	}, {
		o: Options{JSON: true},
		want: `
"ip":4160505209,"stack":[{"path":"/usr/lib/\u001b[31mlibc.so.6","offset":1401}],"stack_partial":true}
"ip":139716164813648,"stack":[{"path":"/usr/lib/\u001b[31mlibc.so.6","offset":1016656},{"address":139637976731648},{"path":"/bin/prog (deleted)","offset":4409}]}
"ip":5862630363449,"stack":[{"path":"/bin/prog (deleted)","offset":4409}]}
`,
	}} {
		var out bytes.Buffer
		r := New(tt.o, &out)
		for _, e := range events {
			if err := r.Add(e); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		got := out.String()
		if tt.o.JSON {
			var ends []string
			for line := range strings.Lines(got) {
				if _, end, ok := strings.Cut(line, `"ip"`); ok {
					ends = append(ends, `"ip"`+end)
				}
			}
			got = strings.Join(ends, "")
		}
		if got != tt.want[1:] {
			t.Errorf("%+v:\n%s\nwant\n%s", tt.o, got, tt.want[1:])
		}
	}
}
