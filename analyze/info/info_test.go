package info

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sysreel/analyze/term"
	"sysreel/analyze/tracetest"
	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func sample(t *testing.T) *tracetest.Builder {
	b := tracetest.New(t)
	b.PerBlock = 2
	b.Header.Machine = &tracepb.Machine{Hostname: []byte("web\x1b[2J1"), Kernel: "6.1.0", Arch: "x86_64", Cpus: 2, OsRelease: "Debian"}
	b.Header.Policy = &tracepb.Policy{Snap: 32, Trace: "%file", Redact: []string{"url", "header"}}
	b.Header.Target.Follow = true
	th := b.Process(100, tracefile.Thread{}, tracetest.Program("/bin/true", "true"))
	b.Redactions("header", 2)
	b.Redactions("url", 1)
	b.Loss(&tracepb.Loss{Reason: tracepb.Loss_IO_URING, Count: 3})
	b.Loss(&tracepb.Loss{Reason: tracepb.Loss_IO_URING, Count: 4})
	b.Loss(&tracepb.Loss{Reason: tracepb.Loss_UNREADABLE, Count: 2, Detail: "write"})
	for range 5 {
		b.Call(th, "getpid", 1_000_000, 100)
		b.Redactions("header", 1)
	}
	return b
}

func TestInfo(t *testing.T) {
	whole := sample(t).Bytes()
	cut := sample(t).Cut()
	broken := append([]byte(nil), whole...)
	broken[len(broken)/2] ^= 1
	for name, file := range map[string][]byte{"complete.txt": whole, "unfinished.txt": cut, "damaged.txt": broken} {
		t.Run(name, func(t *testing.T) {
			x, err := Read("x.reel", tracetest.Reader(t, file))
			if err != nil {
				t.Fatal(err)
			}
			if x.State+".txt" != name {
				t.Errorf("it is %s", x.State)
			}
			if name != "damaged.txt" && (x.Events != 6 || x.Blocks != 3 || len(x.Losses) != 2 || x.Losses[0].Count != 2 || x.Losses[0].Detail != "write" || x.Losses[1].Count != 7) {
				t.Errorf("%d events in %d blocks, losses %v", x.Events, x.Blocks, x.Losses)
			}
			var b strings.Builder
			if err := Render(&b, x, term.Options{}); err != nil {
				t.Fatal(err)
			}
			if strings.ContainsRune(b.String(), 0x1b) {
				t.Error("the host's name reaches the terminal raw")
			}
			if name != "damaged.txt" { // sizes and offsets may change with the encoder
				golden(t, name, sizes(b.String()))
			}
			if _, err := json.Marshal(x); err != nil {
				t.Error(err)
			}
		})
	}
}

// sizes drops the line that depends on how well a trace is compressed.
func sizes(s string) string {
	var keep []string
	for _, line := range strings.Split(s, "\n") {
		if !strings.HasPrefix(line, "size ") {
			keep = append(keep, line)
		}
	}
	return strings.Join(keep, "\n")
}

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

// What was done to calls on purpose, and how often.
func TestInfoTampered(t *testing.T) {
	b := tracetest.New(t)
	b.PerBlock = 3
	b.Header.Policy = &tracepb.Policy{Inject: []string{"close:error=EIO:when=2+2", "fault=read"}}
	th := b.Process(100, tracefile.Thread{}, tracetest.Program("/bin/true", "true"))
	for i := range 6 {
		e := tracefile.Event{Kind: tracefile.Syscall, Thread: th, NR: 3}
		if i%2 == 1 {
			e.Flags, e.Ret = tracefile.Injected, -5
		}
		b.Add(e)
	}
	x, err := Read("x.reel", tracetest.Reader(t, b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := Render(&out, x, term.Options{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"inject      close:error=EIO:when=2+2\ninject      fault=read\n", "tampered    3 × close injected with EIO, the first #3\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}
