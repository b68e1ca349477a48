package analyze_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sysreel/analyze"
	"sysreel/analyze/tracetest"
	"sysreel/proto/tracefile"
)

const cwdFD = -100

// sample is a shell that runs a program, which fails to open a file and talks to
// a server; a thread waits in futex all the while.
func sample(t testing.TB, perBlock int) *tracetest.Builder {
	b := tracetest.New(t)
	b.PerBlock = perBlock
	sh := b.Process(100, tracefile.Thread{}, tracetest.Program("/bin/sh", "sh", "-c", "prog"))
	b.Call(sh, "execve", 50_000, 0, "/bin/sh", 0, 0)
	waiter := b.Clone(101, sh)
	b.Begin(waiter, "futex", 0, 0, 1)
	b.Call(sh, "openat", 20_000, 3, cwdFD, "in.txt", 0)
	b.Call(sh, "read", 10_000, 4096, 3, tracetest.Out("data"), 4096)
	prog := b.Process(102, sh, nil)
	b.Exec(prog, tracetest.Program("/usr/bin/prog", "prog", "-x"))
	b.Call(prog, "execve", 90_000, 0, "/usr/bin/prog", 0, 0)
	b.Sleep(1_000_000)
	b.Call(prog, "openat", 21_000, -2, cwdFD, "cfg/missing.conf", 0)
	b.Call(prog, "socket", 9_000, 5, 2, 1, 0)
	b.Call(prog, "connect", 300_000, 0, 5, tracetest.In(tracetest.Sockaddr(10, 0, 0, 7, 443)), 16)
	b.Call(prog, "sendto", 30_000, 100, 5, tracetest.In("GET /"), 100, 0, 0, 0)
	b.Call(prog, "recvfrom", 2_000_000, 1500, 5, tracetest.Out("HTTP/1.1"), 4096, 0, 0, 0)
	b.Signal(prog, 15)
	b.Exit(prog, 15)
	b.Call(sh, "wait4", 5_000_000, 102, -1, 0, 0, 0)
	b.Call(sh, "write", 8_000, 3, 1, tracetest.In("bye"), 3)
	return b
}

func pass(t testing.TB, file []byte, o analyze.Options) []string {
	t.Helper()
	var got []string
	err := analyze.Run(context.Background(), tracetest.Reader(t, file), o, func(c *analyze.Call) error {
		s := fmt.Sprintf("#%d %d ", c.Num, c.Thread.TID)
		switch {
		case c.IsCall():
			s += c.Name
			if c.AtLeast() {
				s += fmt.Sprintf(" ≥%d", c.Duration())
			}
			if o.Need == analyze.NeedWorld {
				for _, p := range c.Paths() {
					s += " " + p
				}
				if f := c.File(); f != nil {
					s += " <" + f.Detail() + ">"
				}
			}
		default:
			s += fmt.Sprintf("kind %d %s", c.Kind, c.Name)
		}
		got = append(got, strings.TrimRight(s, " "))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func want(t *testing.T, got []string, want string) {
	t.Helper()
	if g := strings.Join(got, "\n"); g != strings.TrimSpace(want) {
		t.Errorf("got\n%s\nwant\n%s", g, strings.TrimSpace(want))
	}
}

const all = `
#1 100 kind 6
#2 100 execve /bin/sh
#3 101 kind 6
#4 100 openat /home/user/in.txt
#5 100 read /home/user/in.txt </home/user/in.txt>
#6 102 kind 6
#7 102 kind 7
#8 102 execve /usr/bin/prog
#9 102 openat /home/user/cfg/missing.conf
#10 102 socket
#11 102 connect <TCP:[#10]>
#12 102 sendto <TCP:[#10->10.0.0.7:443]>
#13 102 recvfrom <TCP:[#10->10.0.0.7:443]>
#14 102 kind 4 SIGTERM
#15 102 kind 8
#16 100 wait4
#17 100 write /dev/pts/0 </dev/pts/0>
#0 101 futex ≥8488000`

// Blocks of any size give the same, and what was in flight comes last.
func TestRun(t *testing.T) {
	for _, per := range []int{0, 1, 2, 5} {
		t.Run(fmt.Sprint(per), func(t *testing.T) {
			want(t, pass(t, sample(t, per).Cut(), analyze.Options{Need: analyze.NeedWorld}), all)
		})
	}
}

// A pass over the core columns hands on the same events.
func TestRunCore(t *testing.T) {
	file := sample(t, 3).Cut()
	full := pass(t, file, analyze.Options{Need: analyze.NeedBuffers})
	core := pass(t, file, analyze.Options{})
	if !slices.Equal(full, core) {
		t.Errorf("core pass\n%s\nfull pass\n%s", strings.Join(core, "\n"), strings.Join(full, "\n"))
	}
	if len(core) != 18 {
		t.Errorf("%d events, want 18", len(core))
	}
}

func point(t testing.TB, s string) analyze.Point {
	t.Helper()
	p, err := analyze.ParsePoint(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestFilters(t *testing.T) {
	calls := func(got []string) string {
		var names []string
		for _, g := range got {
			if f := strings.Fields(g); !strings.HasPrefix(f[2], "kind") {
				names = append(names, f[0]+f[2])
			}
		}
		return strings.Join(names, " ")
	}
	file := sample(t, 2).Cut()
	for _, c := range []struct {
		name   string
		filter analyze.Filter
		want   string
	}{
		{"trace", analyze.Filter{Trace: "%network"}, "#10socket #11connect #12sendto #13recvfrom"},
		{"not", analyze.Filter{Trace: "!%network,openat,execve,futex"}, "#5read #16wait4 #17write"},
		{"pid", analyze.Filter{PIDs: []int32{100}}, "#2execve #4openat #5read #16wait4 #17write #0futex"},
		{"tid", analyze.Filter{TIDs: []int32{101}}, "#0futex"},
		{"failed", analyze.Filter{Failed: true}, "#9openat"},
		{"errno", analyze.Filter{Errnos: []string{"EACCES", "ENOENT"}}, "#9openat"},
		{"errno number", analyze.Filter{Errnos: []string{"13"}}, ""},
		{"latency", analyze.Filter{MinLatency: 300 * time.Microsecond}, "#11connect #13recvfrom #16wait4 #0futex"},
		{"path", analyze.Filter{Paths: []string{"/home/**/*.conf"}}, "#9openat"},
		{"path of a descriptor", analyze.Filter{Paths: []string{"/home/user/*"}}, "#4openat #5read"},
		{"both", analyze.Filter{Trace: "openat", Failed: true, PIDs: []int32{100}}, ""},
		{"events", analyze.Filter{From: point(t, "#9"), To: point(t, "#11")}, "#9openat #10socket #11connect"},
		{"from event", analyze.Filter{From: point(t, "#16")}, "#16wait4 #17write #0futex"},
		{"from", analyze.Filter{From: point(t, "8.43ms")}, "#16wait4 #17write #0futex"},
		{"to", analyze.Filter{To: point(t, "60µs")}, "#2execve #4openat #0futex"},
		{"range", analyze.Filter{From: point(t, "1.2ms"), To: point(t, "1.21ms")}, "#10socket #11connect #0futex"},
		{"clock", analyze.Filter{From: point(t, "03:04:05.0084")}, "#16wait4 #17write #0futex"},
		{"date", analyze.Filter{To: point(t, "2026-01-02T03:04:05.00006Z")}, "#2execve #4openat #0futex"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, need := range []analyze.Need{analyze.NeedCore, analyze.NeedBuffers, analyze.NeedWorld} {
				if got := calls(pass(t, file, analyze.Options{Filter: c.filter, Need: need})); got != c.want {
					t.Errorf("need %d: got %s, want %s", need, got, c.want)
				}
			}
		})
	}
}

// A range in the middle names its descriptors as the whole trace does.
func TestRangeNamesFiles(t *testing.T) {
	file := sample(t, 1).Cut()
	got := pass(t, file, analyze.Options{Need: analyze.NeedWorld, Filter: analyze.Filter{From: point(t, "#12")}})
	want(t, got, strings.Join(strings.Split(strings.TrimSpace(all), "\n")[11:], "\n"))
}

func TestBadFilters(t *testing.T) {
	for _, f := range []analyze.Filter{
		{Trace: "nosuchcall"}, {Errnos: []string{"ENOSUCH"}}, {Errnos: []string{"-1"}}, {Paths: []string{"[a"}},
		{MinLatency: -1}, {From: point(t, "#5"), To: point(t, "#4")}, {From: point(t, "2s"), To: point(t, "1s")},
	} {
		if err := f.Check(); !errors.Is(err, analyze.ErrFilter) {
			t.Errorf("%+v: error %v", f, err)
		}
	}
	for _, s := range []string{"#", "#0", "#x", "yesterday", "-1s", "25:00", "1e300"} {
		if _, err := analyze.ParsePoint(s); !errors.Is(err, analyze.ErrFilter) {
			t.Errorf("%q: error %v", s, err)
		}
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	n := 0
	err := analyze.Run(ctx, tracetest.Reader(t, sample(t, 1).Bytes()), analyze.Options{}, func(*analyze.Call) error {
		if n++; n == 3 {
			cancel()
			return ctx.Err()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || n != 3 {
		t.Errorf("after %d events: %v", n, err)
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	for name, want := range map[string]string{
		dir + "/none.reel": "no such file",
		dir:                "is a directory",
	} {
		_, err := analyze.Open(name, nil, tracefile.ReaderOptions{})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Count(err.Error(), name) != 1 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := analyze.Open("-", strings.NewReader("hello\n"), tracefile.ReaderOptions{}); !errors.Is(err, tracefile.ErrNotTrace) || !strings.HasPrefix(err.Error(), "standard input: ") {
		t.Errorf("text on standard input: %v", err)
	}
	tr, err := analyze.Open("-", strings.NewReader(string(sample(t, 0).Bytes())), tracefile.ReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Close(); err != nil {
		t.Error(err)
	}
}
