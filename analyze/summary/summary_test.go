package summary

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"sysreel/analyze"
	"sysreel/analyze/tracetest"
	"sysreel/proto/tracefile"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const cwdFD = -100

// service is a shell that runs a server; the server reads, answers a client,
// fails to open its log, says so and ends, killed by a signal at last.
func service(t testing.TB, seed int64) []byte {
	b := tracetest.New(t)
	b.PerBlock = 7
	sh := b.Process(100, tracefile.Thread{}, tracetest.Program("/bin/sh", "sh", "-c", "server; true"))
	b.Call(sh, "execve", 250_000, 0, "/bin/sh", 0, 0)
	srv := b.Process(101, sh, nil)
	b.Exec(srv, tracetest.Program("/usr/sbin/server", "server", "--config", "/etc/a b.conf"))
	b.Call(srv, "execve", 300_000, 0, "/usr/sbin/server", 0, 0)
	worker := b.Clone(102, srv)
	b.Begin(worker, "futex", 0, 0, 1)
	for i := range 3 {
		b.Call(srv, "access", 7_000, -2, "/etc/ld.so.preload", 4)
		b.Call(srv, "openat", 10_000+int64(i)*1000, 3, cwdFD, "/etc/a b.conf", 0)
		b.Call(srv, "read", 5_000+seed, 2048, 3, tracetest.Out("a=1"), 4096)
		b.Call(srv, "close", 4_000, 0, 3)
	}
	b.Call(srv, "socket", 9_000, 4, 2, 1, 0)
	b.Call(srv, "accept4", 30_000_000, 5, 4, tracetest.Out(tracetest.Sockaddr(10, 0, 0, 7, 4433)), tracetest.Out(tracetest.Ints(16)), 0)
	b.Call(srv, "recvfrom", 40_000, 120, 5, tracetest.Out("GET /"), 4096, 0, 0, 0)
	b.Call(srv, "sendto", 60_000, 70_000, 5, tracetest.In("HTTP"), 70_000, 0, 0, 0)
	b.Call(srv, "openat", 12_000, -13, cwdFD, "/var/log/server.log", 1)
	b.Call(srv, "write", 8_000, 44, 2, tracetest.In("server: cannot open /var/log/server.log: Per"), 44)
	b.Call(srv, "openat", 12_000, -2, cwdFD, "/usr/share/locale/de/x.mo", 0)
	b.Signal(srv, 11)
	b.Exit(srv, 11|0x80)
	b.Signal(sh, 17)
	b.Call(sh, "wait4", 31_000_000, 101, -1, 0, 0, 0)
	b.Unfinished(sh, "exit_group", 0, 3)
	b.Exit(sh, 3<<8)
	return b.Cut()
}

func analyse(t testing.TB, file []byte, o Options) *Analysis {
	t.Helper()
	r := tracetest.Reader(t, file)
	a := New(r.Header(), o)
	if err := analyze.Run(context.Background(), r, analyze.Options{Need: o.Need()}, func(c *analyze.Call) error {
		a.Add(c)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return a
}

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	name = filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test -update rewrites it):\n%s", name, got)
	}
}

func TestRender(t *testing.T) {
	r := analyse(t, service(t, 0), Options{Objects: true}).Result()
	for name, o := range map[string]RenderOptions{"80.txt": {Width: 80}, "200.txt": {Width: 200}, "color.txt": {Width: 100, Color: true}} {
		var b strings.Builder
		if err := Render(&b, r, o); err != nil {
			t.Fatal(err)
		}
		golden(t, name, b.String())
		if o.Color {
			continue
		}
		for _, line := range strings.Split(b.String(), "\n") {
			if n := len([]rune(line)); n > o.Width {
				t.Errorf("%s: a line has %d columns: %s", name, n, line)
			}
		}
	}
}

func TestStraceFormat(t *testing.T) {
	var b strings.Builder
	if err := WriteStrace(&b, analyse(t, service(t, 0), Options{}).Result()); err != nil {
		t.Fatal(err)
	}
	golden(t, "strace-c.txt", b.String())
}

func TestCSV(t *testing.T) {
	var b strings.Builder
	if err := WriteCSV(&b, analyse(t, service(t, 0), Options{By: analyze.ByFile}).Result()); err != nil {
		t.Fatal(err)
	}
	golden(t, "files.csv", b.String())
}

// The numbers of one row, worked out by hand, and the schema's names.
func TestJSON(t *testing.T) {
	r := analyse(t, service(t, 0), Options{}).Result()
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Schema  string
		Events  int
		Elapsed int64 `json:"elapsed_ns"`
		Rows    []map[string]any
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Schema != "sysreel.summary/1" || doc.Events != 31 {
		t.Errorf("schema %q, %d events", doc.Schema, doc.Events)
	}
	for _, row := range doc.Rows {
		if row["name"] != "openat" {
			continue
		}
		for key, want := range map[string]any{
			"calls": 5.0, "errors": 2.0, "total_ns": 57000.0, "min_ns": 10000.0, "max_ns": 12000.0, "max_event": 16.0,
			"errnos": map[string]any{"ENOENT": 1.0, "EACCES": 1.0}, "p50_ns": 12000.0, "p90_ns": 12000.0, "p99_ns": 12000.0,
		} {
			if !reflect.DeepEqual(row[key], want) {
				t.Errorf("openat %s is %v, want %v", key, row[key], want)
			}
		}
		return
	}
	t.Errorf("no row for openat in %s", data)
}

func TestBy(t *testing.T) {
	for by, want := range map[analyze.By]string{
		analyze.BySyscall: "futex 1, wait4 1, accept4 1, execve 2, sendto 1, openat 5, recvfrom 1, access 3, read 3, close 3, socket 1, write 1, exit_group 1",
		analyze.ByProcess: "server[101] 21, sh[100] 3",
		analyze.ByThread:  "server/102 1, sh/100 3, server/101 20",
		analyze.ByErrno:   "ok 17, unfinished 2, ENOENT 4, EACCES 1",
		analyze.ByPeer:    "10.0.0.7:4433 3",
		analyze.ByDir:     "/usr/sbin 1, /bin 1, /etc 12, /usr/share/locale/de 1, /var/log 1, /dev/pts 1",
	} {
		r := analyse(t, service(t, 0), Options{By: by}).Result()
		var got []string
		for _, row := range r.Rows {
			got = append(got, fmt.Sprintf("%s %d", row.Name, row.Calls))
		}
		if g := strings.Join(got, ", "); g != want {
			t.Errorf("by %v:\n got %s\nwant %s", by, g, want)
		}
	}
}

// Traces merged in any order give the same result, and parts of one give what
// the whole gives.
func TestMerge(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	files := [][]byte{service(t, 0), service(t, 100), service(t, 5000), service(t, 1)}
	var first string
	for range 10 {
		var sum *Analysis
		for _, i := range rnd.Perm(len(files)) {
			part := analyse(t, files[i], Options{File: i})
			if sum == nil {
				sum = part
			} else {
				sum.Merge(part)
			}
		}
		r := sum.Result()
		data, err := json.Marshal([]any{r.Rows, r.Signals, r.Slowest, r.Events, r.ThreadNs, r.Threads, r.ElapsedNs})
		if err != nil {
			t.Fatal(err)
		}
		if first == "" {
			first = string(data)
		}
		if string(data) != first {
			t.Fatalf("another order gives\n%s\nnot\n%s", data, first)
		}
	}

	file := service(t, 0)
	whole := analyse(t, file, Options{Objects: true}).Result()
	parts := [3]*Analysis{}
	r := tracetest.Reader(t, file)
	for i := range parts {
		parts[i] = New(r.Header(), Options{Objects: true})
	}
	n := 0
	if err := analyze.Run(context.Background(), r, analyze.Options{Need: analyze.NeedWorld}, func(c *analyze.Call) error {
		parts[n/10%3].Add(c)
		n++
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	parts[0].Merge(parts[1])
	parts[0].Merge(parts[2])
	merged := parts[0].Result()
	merged.Processes, whole.Processes = nil, nil // reasons hang on the order of calls
	a, _ := json.Marshal(whole)
	b, _ := json.Marshal(merged)
	if string(a) != string(b) {
		t.Errorf("parts give\n%s\nthe whole\n%s", b, a)
	}
}

// busy is a trace of many files, peers, descriptors and failures in two
// processes.
func busy(t testing.TB, rnd *rand.Rand) []byte {
	b := tracetest.New(t)
	b.PerBlock = 100
	ths := []tracefile.Thread{b.Process(100, tracefile.Thread{}, tracetest.Program("/bin/a", "a")), b.Process(200, tracefile.Thread{}, tracetest.Program("/bin/b", "b"))}
	for range 2000 {
		th, name := ths[rnd.IntN(2)], fmt.Sprintf("/d%d/f%d", rnd.IntN(10), rnd.IntN(60))
		ns := 1000 + rnd.Int64N(1_000_000)
		switch rnd.IntN(5) {
		case 4:
			b.Call(th, "futex", ns, 0, 0x1000+rnd.IntN(60), 0, 1, 0)
		case 0:
			b.Call(th, "access", ns, -int64(1+rnd.IntN(3)), name, 0)
		case 1:
			b.Call(th, "openat", ns, int64(3+rnd.IntN(4)), cwdFD, name, 0)
		case 2:
			b.Call(th, "read", ns, rnd.Int64N(5000), 3+rnd.IntN(4), tracetest.Out("x"), 4096)
		case 3:
			b.Call(th, "sendto", ns, rnd.Int64N(5000), 9, tracetest.In("x"), 1, 0, tracetest.In(tracetest.Sockaddr(10, 0, 0, byte(rnd.IntN(50)), 80)), 16)
		}
	}
	return b.Bytes()
}

// Calls dealt to shards at random, and these merged in any order, give what the
// whole gives, whether or not there is memory for it.
func TestShards(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	file := busy(t, rnd)
	numbers := func(a *Analysis) string {
		r := a.Result()
		data, err := json.Marshal([]any{r.Rows, r.Signals, r.Slowest, r.Failing, r.Objects, r.Events, r.ThreadNs, r.Problems, r.NoKey, r.ThreadTimes})
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	spills := 0
	for by := analyze.BySyscall; by <= analyze.ByPhase; by++ {
		o := Options{By: by, Objects: true, Threads: true, Sort: Sort(rnd.IntN(int(ByName) + 1))}
		whole := numbers(analyse(t, file, o))
		for i := range 4 {
			o.Memory = i % 2 * 3000
			shards := make([]*Analysis, 1+rnd.IntN(5))
			r := tracetest.Reader(t, file)
			for i := range shards {
				shards[i] = New(r.Header(), o)
				defer shards[i].Close()
			}
			if err := analyze.Run(t.Context(), r, analyze.Options{Need: analyze.NeedWorld}, func(c *analyze.Call) error {
				shards[rnd.IntN(len(shards))].Add(c)
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			rnd.Shuffle(len(shards), func(i, j int) { shards[i], shards[j] = shards[j], shards[i] })
			for _, s := range shards[1:] {
				shards[0].Merge(s)
			}
			if got := numbers(shards[0]); got != whole {
				t.Fatalf("by %v, memory %d: %d shards give\n%s\nthe whole\n%s", by, o.Memory, len(shards), got, whole)
			}
			spills += shards[0].rows.Spills()
		}
	}
	if spills == 0 {
		t.Error("nothing was ever put aside")
	}
}

// Lists too long to be told whole end with the sum of what they leave out.
func TestLongLists(t *testing.T) {
	b := tracetest.New(t)
	b.PerBlock = 1 << 14
	th := b.Process(100, tracefile.Thread{}, nil)
	for i := range maxListed + 100 {
		name := fmt.Sprintf("/%05d", i)
		b.Call(th, "openat", 1000, 3, cwdFD, name, 0)
		b.Call(th, "write", 1000, int64(1+i), 3, tracetest.In("x"), 1+i)
		b.Call(th, "access", 1000, -2, name, 0)
	}
	b.Call(th, "access", 1000, -2, "/00000", 0)
	r := analyse(t, b.Bytes(), Options{Objects: true, Memory: 1 << 20}).Result()
	object, failing := r.Objects[len(r.Objects)-1], r.Failing[len(r.Failing)-1]
	if len(r.Objects) != maxListed+1 || r.OtherObjects != 100 || object.Name != "(other)" || object.Calls != 100 || object.WrittenBytes != 5050 {
		t.Errorf("%d objects, %d others, %+v", len(r.Objects), r.OtherObjects, object)
	}
	if len(r.Failing) != maxListed+1 || r.OtherFailing != 100 || failing.Path != "(other)" || failing.Count != 100 || r.Failing[0].Path != "/00000" {
		t.Errorf("%d failing paths, %d others, %+v first %+v", len(r.Failing), r.OtherFailing, failing, r.Failing[0])
	}
	var out strings.Builder
	if err := Render(&out, r, RenderOptions{}); err != nil || strings.Count(out.String(), "… and 10,090 more") != 2 {
		t.Errorf("%s", out.String())
	}
}

func TestSortAndParse(t *testing.T) {
	r := analyse(t, service(t, 0), Options{}).Result()
	for _, name := range SortNames() {
		s, err := ParseSort(name)
		if err != nil {
			t.Fatal(err)
		}
		r.Sort(s)
	}
	if r.Rows[0].Name != "accept4" {
		t.Errorf("sorted by name, %q comes first", r.Rows[0].Name)
	}
	if _, err := ParseSort("nonsense"); err == nil {
		t.Error("an unknown column is accepted")
	}
	r.Sort(ByCalls)
	r.Top(1)
	if len(r.Rows) != 1 || r.Rows[0].Name != "openat" {
		t.Errorf("most calls: %v", r.Rows)
	}
}

// An empty trace has a result without rows.
func TestEmpty(t *testing.T) {
	b := tracetest.New(t)
	b.Process(1, tracefile.Thread{}, nil)
	r := analyse(t, b.Bytes(), Options{Objects: true}).Result()
	data, err := json.Marshal(r)
	if err != nil || strings.Contains(string(data), "null,") && !strings.Contains(string(data), `"exit":null`) {
		t.Errorf("%s %v", data, err)
	}
	var out strings.Builder
	if err := Render(&out, r, RenderOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := WriteStrace(&out, r); err != nil {
		t.Fatal(err)
	}
}

// Calls that were changed on purpose are told of.
func TestTampered(t *testing.T) {
	b := tracetest.New(t)
	th := b.Process(100, tracefile.Thread{}, tracetest.Program("/bin/true", "true"))
	b.Add(tracefile.Event{Kind: tracefile.Syscall, Thread: th, NR: 0, Flags: tracefile.Injected, Ret: 4096})
	b.Add(tracefile.Event{Kind: tracefile.Syscall, Thread: th, NR: 0, Flags: tracefile.Injected, Ret: -5})
	b.Add(tracefile.Event{Kind: tracefile.Syscall, Thread: th, NR: 0, Ret: 10})
	r := analyse(t, b.Bytes(), Options{}).Result()
	var out strings.Builder
	if err := Render(&out, r, RenderOptions{}); err != nil {
		t.Fatal(err)
	}
	want := "\ntampered with, as the recorder was told to\n  1 × read injected, #2\n  1 × read injected with EIO, #3\n"
	if !strings.Contains(out.String(), want) {
		t.Errorf("no %q in\n%s", want, out.String())
	}
	if r.Rows[0].ReadBytes != 10 {
		t.Errorf("%d bytes read; what was injected has read none", r.Rows[0].ReadBytes)
	}
}
