package replay

import (
	"bytes"
	"strings"
	"testing"

	"sysreel/analyze"
	"sysreel/analyze/paint"
	"sysreel/proto/tracefile"
)

// Every piece of a line has the colours that strace gives it, and results stand in
// the same column.
func TestColors(t *testing.T) {
	events := []*analyze.Call{
		at(8, 2, 4, "close", 0, 3),
		at(7, 1, 5, "getpid", 7),
		thread(7, 6, tracefile.Signal, 11, 0),
		at(7, 7, 8, "close", -9, 5),
		thread(7, 9, tracefile.ThreadExit, 0, 11),
	}
	for _, tt := range []struct {
		o    Options
		want string
	}{{
		o: Options{PIDs: AllPIDs},
		want: `
7     <33>getpid<0>(<35><0> <unfinished ...><0>
8     <33>close<0>(<35>3<0><0>)<0>                          <0>=<0><0> <32>0<0><0>
7     <... getpid resumed><0>)<0>             <0>=<0><0> <32>7<0><0>
7     --- SIGSEGV ---<0>
7     <33>close<0>(<35>5<0><0>)<0>                          <0>=<0><0> <32>-1<0> <31>EBADF<0> <31>(Bad file descriptor)<0><0>
7     +++ killed by SIGSEGV +++<0>
`,
	}, {
		o: Options{PIDs: ManyPIDs, Present: 2, Durations: true, CallNumbers: true, IP: true, Column: 60},
		want: `
<0>[<35>pid     7<0>]<35> <0>[<35>  39<0>]<35> <0>[<35>????????????????<0>]<35> <33>getpid<0>(<35><0> <unfinished ...><0>
<0>[<35>pid     8<0>]<35> <0>[<35>   3<0>]<35> <0>[<35>????????????????<0>]<35> <33>close<0>(<35>3<0><0>)<0>              <0>=<0><0> <32>0<0> <32><0><<35>0.000002<0>><35><0><0>
<0>[<35>pid     7<0>]<35> <0>[<35>  39<0>]<35> <0>[<35>????????????????<0>]<35> <... getpid resumed><0>)<0> <0>=<0><0> <32>7<0> <32><0><<35>0.000004<0>><35><0><0>
<0>[<35>pid     7<0>]<35> <0>[<35>  39<0>]<35> <0>[<35>????????????????<0>]<35> --- SIGSEGV ---<0>
<0>[<35>pid     7<0>]<35> <0>[<35>   3<0>]<35> <0>[<35>????????????????<0>]<35> <33>close<0>(<35>5<0><0>)<0>              <0>=<0><0> <32>-1<0> <31>EBADF<0> <31>(Bad file descriptor)<0> <32><0><<35>0.000001<0>><35><0><0>
<0>[<35>pid     7<0>]<35> <0>[<35>   3<0>]<35> <0>[<35>????????????????<0>]<35> +++ killed by SIGSEGV +++<0>
`,
	}} {
		var out bytes.Buffer
		tt.o.Paint = paint.New("")
		r := New(tt.o, &out)
		for _, e := range events {
			if err := r.Add(e); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for rest := out.String(); rest != ""; {
			before, after, found := strings.Cut(rest, "\x1b[")
			b.WriteString(before)
			if rest = after; found { // written as <33>
				code, after, _ := strings.Cut(rest, "m")
				b.WriteString("<" + code + ">")
				rest = after
			}
		}
		if got := b.String(); got != tt.want[1:] {
			t.Errorf("got\n%s\nwant\n%s", got, tt.want[1:])
		}
	}
}
