package replay

import (
	"strings"
	"testing"

	"sysreel/analyze"
	"sysreel/analyze/format"
	"sysreel/proto/tracefile"
)

// The context of a thread stands between its ID and the time, of calls and of signals;
// where the kernel has none, as of the end, there is nothing.
func TestThreadSecontext(t *testing.T) {
	labelled := func(c *analyze.Call, context string) *analyze.Call {
		c.Event.Secontexts = []tracefile.Secontext{{Of: tracefile.OfThread, Context: context}}
		return c
	}
	calls := func() []*analyze.Call {
		return []*analyze.Call{
			labelled(at(2, 2, 3, "getuid", 0), "unconfined\n"),
			labelled(at(2, 4, 5, "getgid", 0), ""),
			labelled(at(1, 1, 9, "getpid", 1), "u:r:one_t:s0:c1\n"),
			labelled(thread(1, 10, tracefile.Signal, 10, 0), "u:r:o[ne_t"),
			thread(1, 11, tracefile.ThreadExit, 0, 0),
		}
	}
	for _, c := range []struct {
		show format.Secontexts
		want string
	}{
		{format.NoSecontexts, `1     0.000001 getpid( <unfinished ...>
2     0.000002 getuid()                 = 0
2     0.000004 getgid()                 = 0
1     0.000009 <... getpid resumed>)    = 1
1     0.000010 --- SIGUSR1 ---
1     0.000011 +++ exited with 0 +++
`},
		{format.ContextTypes, `1     [one_t] 0.000001 getpid( <unfinished ...>
2     [unconfined] 0.000002 getuid()    = 0
2     [] 0.000004 getgid()              = 0
1     [one_t] 0.000009 <... getpid resumed>) = 1
1     [o\133ne_t] 0.000010 --- SIGUSR1 ---
1     0.000011 +++ exited with 0 +++
`},
		{format.ContextTypes | format.FullContexts, `1     [u:r:one_t:s0:c1] 0.000001 getpid( <unfinished ...>
2     [unconfined] 0.000002 getuid()    = 0
2     [] 0.000004 getgid()              = 0
1     [u:r:one_t:s0:c1] 0.000009 <... getpid resumed>) = 1
1     [u:r:o\133ne_t] 0.000010 --- SIGUSR1 ---
1     0.000011 +++ exited with 0 +++
`},
	} {
		o := Options{PIDs: AllPIDs, Clock: Epoch}
		o.Format.Secontexts = c.show
		var out strings.Builder
		r := New(o, &out)
		for _, call := range calls() {
			if err := r.Add(call); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		if got := out.String(); got != c.want {
			t.Errorf("%d:\n%s\nwant\n%s", c.show, got, c.want)
		}
	}
}
