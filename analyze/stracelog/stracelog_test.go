package stracelog_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sysreel/analyze"
	"sysreel/analyze/format"
	"sysreel/analyze/replay"
	"sysreel/analyze/stracelog"
	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

// log is a log in memory.
func textLog(name, text string) stracelog.Log {
	return stracelog.Log{Name: name, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }}
}

func importLogs(t testing.TB, o stracelog.Options, logs ...stracelog.Log) ([]byte, *stracelog.Result) {
	t.Helper()
	var b bytes.Buffer
	res, err := stracelog.Import(context.Background(), &b, logs, o)
	if err != nil {
		t.Fatalf("import: %v", err)
	}
	return b.Bytes(), res
}

func importText(t testing.TB, text string) ([]byte, *stracelog.Result) {
	t.Helper()
	return importLogs(t, stracelog.Options{}, textLog("log", text))
}

func openTrace(t testing.TB, data []byte) *analyze.Trace {
	t.Helper()
	tr, err := analyze.Open("-", bytes.NewReader(data), tracefile.ReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// replayed is the text of a trace.
func replayed(t testing.TB, data []byte, o replay.Options) string {
	t.Helper()
	tr := openTrace(t, data)
	c := tr.Header().GetClock()
	o.Epoch = c.GetRealtimeNs() - c.GetMonotonicNs()
	var out bytes.Buffer
	r := replay.New(o, &out)
	if err := tr.Run(context.Background(), analyze.Options{Need: analyze.NeedWorld, BlockEnd: r.Flush}, r.Add); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if tr.State() != tracefile.Complete {
		t.Fatalf("the trace is not whole: %s", tr.Warning())
	}
	return out.String()
}

// sameText fails with the first line that differs.
func sameText(t *testing.T, got, want string) {
	t.Helper()
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range w {
		if i >= len(g) || g[i] != w[i] {
			t.Fatalf("line %d:\n got %q\nwant %q", i+1, append(g, "")[min(i, len(g))], w[i])
		}
	}
	if len(g) != len(w) {
		t.Fatalf("%d lines, want %d", len(g), len(w))
	}
}

// optionSets are those whose text holds all that is needed to print it again. -r
// does not: its sums lose the fractions of microseconds.
var optionSets = map[string]replay.Options{
	"plain":     {PIDs: replay.AllPIDs},
	"ttt-T":     {PIDs: replay.AllPIDs, Clock: replay.Epoch, Durations: true},
	"tt-T-yy":   {PIDs: replay.AllPIDs, Clock: replay.Day, Durations: true, Names: replay.Protocols},
	"y":         {PIDs: replay.AllPIDs, Names: replay.Paths},
	"ttt-v-s":   {PIDs: replay.AllPIDs, Clock: replay.Epoch, Format: format.Options{Verbose: true, Strings: 256}},
	"ttt-T-x":   {PIDs: replay.AllPIDs, Clock: replay.Epoch, Durations: true, Format: format.Options{Hex: format.HexNonASCII}},
	"xx-ttt-T":  {PIDs: replay.AllPIDs, Clock: replay.Epoch, Durations: true, Format: format.Options{Hex: format.HexAll}},
	"ttt-T-s-1": {PIDs: replay.AllPIDs, Clock: replay.Epoch, Durations: true, Format: format.Options{Strings: -1}},
}

func traceFiles(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("../../testdata/traces/*.reel")
	if err != nil || len(files) < 4 {
		t.Fatalf("traces: %v, %v", files, err)
	}
	// badcalls and i386calls hold what text does not tell: paths that cannot be
	// read, calls of two architectures.
	return slices.DeleteFunc(files, func(file string) bool { return strings.Contains(file, "calls") })
}

// What replay wrote of a recording, imported, is replayed the same.
func TestReplayAgain(t *testing.T) {
	for _, file := range traceFiles(t) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for name, o := range optionSets {
			t.Run(filepath.Base(file)+"/"+name, func(t *testing.T) {
				text := replayed(t, data, o)
				again, res := importLogs(t, stracelog.Options{Arch: archOf(file)}, textLog("log", text))
				if res.Damaged > 0 {
					t.Fatalf("%d damaged lines, first %+v", res.Damaged, res.First)
				}
				sameText(t, replayed(t, again, o), text)
			})
		}
	}
}

func archOf(file string) syscalls.Arch {
	if strings.Contains(file, "i386") {
		return syscalls.I386
	}
	return syscalls.AMD64
}

// call is what analysers see of an event.
type call struct {
	kind       tracefile.Kind
	name       string
	tid, pid   int32
	ret        int64
	errno      int
	start, dur int64 // µs
	paths, fds string
}

func calls(t *testing.T, data []byte) []call {
	t.Helper()
	var list []call
	tr := openTrace(t, data)
	clock := tr.Header().GetClock()
	epoch := clock.GetRealtimeNs() - clock.GetMonotonicNs()
	err := tr.Run(context.Background(), analyze.Options{Need: analyze.NeedWorld}, func(c *analyze.Call) error {
		x := call{kind: c.Kind, name: c.Name, tid: c.Event.Thread.TID, pid: c.Event.Thread.TGID, errno: c.Errno()}
		switch c.Kind {
		case tracefile.ThreadStart, tracefile.Exec, tracefile.InFlight:
			return nil // in the text only as calls
		case tracefile.ThreadExit:
			x.ret = c.Ret
		case tracefile.Syscall:
			x.ret = c.Ret
			x.dur = c.Duration() / 1000
			x.paths, x.fds = strings.Join(c.Paths(), " "), fmt.Sprint(c.FDs())
		}
		x.start = (epoch + c.Start) / 1000
		list = append(list, x)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// An imported log gives analysers the same calls as the recording did.
func TestSameCalls(t *testing.T) {
	for _, file := range traceFiles(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			o := optionSets["tt-T-yy"]
			o.Clock = replay.Epoch
			again, _ := importLogs(t, stracelog.Options{Arch: archOf(file)}, textLog("log", replayed(t, data, o)))
			want, got := calls(t, data), calls(t, again)
			if len(got) != len(want) {
				t.Fatalf("%d events, want %d", len(got), len(want))
			}
			for i := range want {
				if strings.Contains(want[i].paths, "socket:") || strings.Contains(want[i].paths, "pipe:") {
					continue
				}
				if x := &want[i]; i == 0 && strings.HasSuffix(x.paths, strings.TrimPrefix(got[i].paths, ".")) {
					x.paths = got[i].paths // the first execve does not tell its directory
				}
				if got[i] != want[i] {
					t.Fatalf("event %d:\n got %+v\nwant %+v", i, got[i], want[i])
				}
			}
		})
	}
}

// Real logs of strace, replayed with the options they were made with. Where they
// have times, calls that others interrupted may begin and end a few microseconds
// elsewhere: strace notes their ends only when it prints them. Durations are right.
func TestRealLogs(t *testing.T) {
	for _, x := range []struct {
		file string
		o    replay.Options
	}{
		{"f.log", replay.Options{PIDs: replay.AllPIDs}},
		{"ttt-T-y.log", replay.Options{PIDs: replay.AllPIDs, Clock: replay.Epoch, Durations: true, Names: replay.Paths}},
		{"tt-T-v-x.log", replay.Options{PIDs: replay.AllPIDs, Clock: replay.Day, Durations: true, Format: format.Options{Verbose: true, Strings: 200, Hex: format.HexNonASCII}}},
	} {
		t.Run(x.file, func(t *testing.T) {
			data, err := os.ReadFile("../../testdata/logs/" + x.file)
			if err != nil {
				t.Fatal(err)
			}
			trace, res := importText(t, string(data))
			if res.Damaged > 0 || res.Processes != 4 {
				t.Fatalf("%+v", res)
			}
			text := replayed(t, trace, x.o)
			if x.o.Clock == replay.NoClock {
				sameText(t, text, commasMoved(string(data)))
				return
			}
			got, want := byThread(text), byThread(string(data))
			if len(got) != len(want) || len(want) != 4 {
				t.Fatalf("%d threads, want %d", len(got), len(want))
			}
			for pid := range want {
				if len(got[pid]) != len(want[pid]) {
					t.Fatalf("%s: %d lines, want %d", pid, len(got[pid]), len(want[pid]))
				}
				for i, w := range want[pid] {
					// The names of pipes where they are made are the world's.
					if g := got[pid][i]; g != w && !(strings.Contains(w, "pipe2([") && strings.Contains(g, "pipe:[#")) {
						t.Errorf("%s, line %d:\n got %q\nwant %q", pid, i+1, g, w)
					}
				}
			}
		})
	}
}

// commasMoved gives a log of strace before 7.0 as later ones write it: the comma
// after the arguments known at a call's beginning comes with the next one.
func commasMoved(text string) string {
	moved := make(map[string]bool)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		pid, rest, _ := strings.Cut(line, " ")
		if head, ok := strings.CutSuffix(rest, ",  <unfinished ...>"); ok {
			lines[i], moved[pid] = pid+" "+head+" <unfinished ...>", true
		}
		if head, tail, ok := strings.Cut(rest, " resumed>"); ok && moved[pid] {
			moved[pid] = false
			if !strings.HasPrefix(tail, " <unfinished") {
				end := strings.LastIndex(tail, " = ")
				args := strings.TrimSuffix(strings.TrimSuffix(tail[:end], " "), " ") // padded
				lines[i] = pid + " " + head + " resumed>, " + args + tail[end:]
			}
		}
	}
	return strings.Join(lines, "\n")
}

// byThread joins interrupted calls and gives each thread's lines, without
// the times of their beginnings.
func byThread(text string) map[string][]string {
	threads, begun := map[string][]string{}, map[string]string{}
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		pid, rest, _ := strings.Cut(line, " ")
		rest = strings.TrimLeft(rest, " ")
		if head, ok := strings.CutSuffix(rest, " <unfinished ...>"); ok {
			begun[pid] = head
			continue
		}
		if _, tail, ok := strings.Cut(rest, " resumed>"); ok {
			rest = begun[pid] + tail
		}
		f := strings.Fields(rest)
		if c := f[0][0]; c >= '0' && c <= '9' {
			f = f[1:]
		}
		threads[pid] = append(threads[pid], strings.Join(f, " "))
	}
	return threads
}

// The halves of a call are joined the same, whether they are read together or far
// apart: after a beginning without an end, for calls without arguments, where the
// execve of a thread takes its leader's place, and for another architecture.
func TestHalves(t *testing.T) {
	const halves = `1 execve("/bin/x", ["x"], 0x7ffe /* 3 vars */) = 0
1 getpid( <unfinished ...>
1 <... getpid resumed>) = 1
1 read(3,  <unfinished ...>
1 read(4 <unfinished ...>
1 <... read resumed>, "b", 4) = 1
1 <... read resumed>"c", 5) = 1
1 write(1, "d", 1 <unfinished ...>
1 <... close resumed>) = 0
1 clone(child_stack=0x7f, flags=CLONE_VM|CLONE_THREAD|CLONE_SIGHAND <unfinished ...>
2 execve("/bin/true", ["true"], 0x7ffe /* 3 vars */ <unfinished ...>
1 <... clone resumed>, parent_tid=[2], tls=0, child_tidptr=0) = 2
1 execve("/bin/ture", ["ture"], 0x7ffe /* 3 vars */ <unfinished ...>
1 +++ superseded by execve in pid 2 +++
1 <... execve resumed>) = 0
[ Process PID=1 runs in 32 bit mode. ]
1 waitpid(-1, NULL, 0 <unfinished ...>
1 <... waitpid resumed>) = 2
1 +++ exited with 0 +++
`
	const other = "9 close(1) = -1 EBADF (Bad file descriptor)\n"
	read := func(between string) string {
		trace, res := importText(t, strings.ReplaceAll(halves, "\n", "\n"+between))
		if res.Damaged > 0 {
			t.Fatalf("%+v", res.First)
		}
		var kept []string
		for line := range strings.SplitSeq(replayed(t, trace, replay.Options{PIDs: replay.AllPIDs}), "\n") {
			if f := strings.Fields(line); len(f) > 0 && f[0] != "9" {
				kept = append(kept, strings.Join(f, " ")) // replay pads
			}
		}
		err := openTrace(t, trace).Run(context.Background(), analyze.Options{}, func(c *analyze.Call) error {
			if c.Event.Thread.TID != 9 && c.Kind == tracefile.Syscall {
				kept = append(kept, fmt.Sprintf("%d %d", c.Arch, c.NR))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(kept, "\n")
	}
	near, far := read(other), read(strings.Repeat(other, 4000)) // of which a batch holds less
	sameText(t, far, near)
	for _, want := range []string{"1 <... getpid resumed>) = 1", `1 <... read resumed>, "b", 4) = 1`, `1 read("c", 5) = 1`} {
		if !strings.Contains(near, want+"\n") {
			t.Errorf("%s is missing:\n%s", want, near)
		}
	}
}

// One run of strace -ff is the same as its -f, but for the order.
// A clone whose line was broken in two tells in its first half what it makes, also
// if the thread's own lines come later.
func TestHalvesOfClone(t *testing.T) {
	for _, halves := range [][2]string{
		{"clone(child_stack=0x7f, flags=CLONE_VM|CLONE_THREAD|CLONE_SIGHAND <unfinished ...>", "<... clone resumed>) = 2"},
		{"clone(child_stack=0x7f,  <unfinished ...>", "<... clone resumed>flags=CLONE_VM|CLONE_THREAD|CLONE_SIGHAND) = 2"},
		{"clone3({flags=CLONE_VM|CLONE_THREAD|CLONE_SIGHAND, stack=0x7f, stack_size=0x10} <unfinished ...>", "<... clone3 resumed>, 88) = 2"},
	} {
		_, res := importText(t, "1 "+halves[0]+"\n1 "+halves[1]+"\n2 gettid() = 2\n")
		if res.Threads != 2 || res.Processes != 1 {
			t.Errorf("%q: %d threads, %d processes, want 2 and 1", halves, res.Threads, res.Processes)
		}
	}
}

func TestSeveralLogs(t *testing.T) {
	files, _ := filepath.Glob("../../testdata/logs/ff.*")
	if len(files) < 3 {
		t.Fatal(files)
	}
	var logs []stracelog.Log
	lines := 0
	for _, f := range files {
		var pid int32
		if _, err := fmt.Sscanf(filepath.Ext(f), ".%d", &pid); err != nil {
			t.Fatal(err)
		}
		data, _ := os.ReadFile(f)
		lines += bytes.Count(data, []byte("\n"))
		logs = append(logs, stracelog.Log{Name: f, PID: pid, Open: func() (io.ReadCloser, error) { return os.Open(f) }})
	}
	trace, res := importLogs(t, stracelog.Options{}, logs...)
	if res.Damaged > 0 || res.Lines != uint64(lines) || res.Processes != len(files) {
		t.Fatalf("%d lines in %d files: %+v", lines, len(files), res)
	}
	tr := openTrace(t, trace)
	parents := map[string]int{}
	exits := 0
	err := tr.Run(context.Background(), analyze.Options{Need: analyze.NeedWorld}, func(c *analyze.Call) error {
		if c.Kind == tracefile.ThreadExit {
			exits++
			parent := ""
			if c.Process.Parent != nil {
				parent = c.Process.Parent.Name()
			}
			parents[parent]++
		}
		return nil
	})
	if err != nil || exits != len(files) || parents["sh"] != len(files)-1 || parents[""] != 1 {
		t.Fatalf("%d exits, parents %v, %v", exits, parents, err)
	}
	// Per thread the text is the log's.
	text := replayed(t, trace, replay.Options{PIDs: replay.AllPIDs, Clock: replay.Epoch, Durations: true})
	for _, l := range logs {
		data, _ := os.ReadFile(l.Name)
		prefix := fmt.Sprintf("%d ", l.PID)
		n := 0
		for line := range strings.SplitSeq(text, "\n") {
			if strings.HasPrefix(line, prefix) && !strings.Contains(line, "<unfinished") && !strings.Contains(line, "resumed>") {
				n++
				if !strings.Contains(squeezed(string(data)), squeezed(strings.TrimPrefix(line, prefix))) {
					t.Errorf("%s has no line %q", l.Name, line)
				}
			}
		}
		if n == 0 {
			t.Errorf("nothing of %s", l.Name)
		}
	}
}

func squeezed(s string) string { return strings.ReplaceAll(s, " ", "") }

// What strace writes on standard error has no PIDs until there are two
// processes, and lines that strace itself interrupts.
func TestStandardError(t *testing.T) {
	data, err := os.ReadFile("../../testdata/logs/stderr-r.log")
	if err != nil {
		t.Fatal(err)
	}
	trace, res := importText(t, string(data))
	// cat says that there is no such file, in the middle of it.
	if res.Damaged > 0 {
		t.Fatalf("%+v", res)
	}
	if !res.Clock || res.Durations || res.Processes != 4 && res.Processes != 3 {
		t.Fatalf("%+v", res)
	}
	text := replayed(t, trace, replay.Options{})
	for line := range strings.SplitSeq(string(data), "\n") {
		if i := strings.Index(line, "execve("); i >= 0 && !strings.Contains(line, "unfinished") && !strings.Contains(line, "resumed") {
			if !strings.Contains(text, squeezeResult(line[i:])) {
				t.Errorf("no line %q", line[i:])
			}
		}
	}
}

func squeezeResult(line string) string {
	i := strings.LastIndex(line, " = ")
	return strings.TrimRight(line[:i], " ")
}

func TestStacks(t *testing.T) {
	data, _ := os.ReadFile("../../testdata/logs/k.log")
	trace, res := importText(t, string(data))
	if want := bytes.Count(data, []byte("\n > ")); res.Stacks != uint64(want) || want == 0 || res.Damaged > 0 {
		t.Fatalf("%d stack lines, want %d; %+v", res.Stacks, want, res)
	}
	if text := replayed(t, trace, replay.Options{PIDs: replay.AllPIDs}); !strings.Contains(text, "+++ exited with 3 +++") {
		t.Fatal(text)
	}
}

// However a log is stored, it gives the same text.
func TestStored(t *testing.T) {
	data, _ := os.ReadFile("../../testdata/logs/f.log")
	o := replay.Options{PIDs: replay.AllPIDs}
	want := replayed(t, first(importText(t, string(data))), o)
	var z bytes.Buffer
	g := gzip.NewWriter(&z)
	g.Write(data)
	g.Close()
	for name, text := range map[string]string{
		"gzip":     z.String(),
		"CRLF":     strings.ReplaceAll(string(data), "\n", "\r\n"),
		"BOM":      "\ufeff" + string(data),
		"no end":   strings.TrimSuffix(string(data), "\n"),
		"-n -i":    strings.ReplaceAll(strings.ReplaceAll(string(data), " brk(", " [ 12] brk("), " close(", " [00007f0102030405] close("),
		"empties":  strings.ReplaceAll(string(data), "\n", "\n\n"),
		"decorate": strings.ReplaceAll(string(data), "resumed>", "resumed>"),
	} {
		got, res := importText(t, text)
		if res.Damaged > 0 {
			t.Errorf("%s: %+v", name, res)
		}
		sameText(t, replayed(t, got, o), want)
	}
}

// What strace 6 and strace 7 write differently is read from both, and stays as
// the log has it.
func TestForms(t *testing.T) {
	for _, log := range []string{
		"1     sched_setparam(0, [4])            = 0\n",
		"1     sched_setparam(0, {sched_priority=4}) = 0\n",
		"1     epoll_ctl(3, EPOLL_CTL_ADD, 4, {events=EPOLLIN, data={u32=7, u64=7}}) = 0\n",
		"1     epoll_ctl(3, EPOLL_CTL_ADD, 4, {events=EPOLLIN, data=0x7}) = 0\n",
	} {
		data, res := importText(t, log)
		if res.Damaged > 0 {
			t.Errorf("%s: %+v", log, res)
		}
		sameText(t, replayed(t, data, replay.Options{PIDs: replay.AllPIDs}), log)
	}
}

func first(b []byte, _ *stracelog.Result) []byte { return b }

// What is no log is refused with a word of what it is.
func TestRefused(t *testing.T) {
	counts, _ := os.ReadFile("../../testdata/logs/c.log")
	trace, _ := os.ReadFile("../../testdata/traces/git-bad.reel")
	for _, x := range []struct {
		text string
		want error
	}{
		{"", stracelog.ErrEmpty},
		{string(counts), stracelog.ErrCounts},
		{string(trace), stracelog.ErrTrace},
		{"\xff\xfea\x00", stracelog.ErrUTF16},
		{"hello\nworld\n", stracelog.ErrNoLog},
		{"\x1f\x8bx", nil},
	} {
		var b bytes.Buffer
		_, err := stracelog.Import(context.Background(), &b, []stracelog.Log{textLog("f", x.text)}, stracelog.Options{})
		if err == nil || x.want != nil && !errors.Is(err, x.want) || !strings.HasPrefix(err.Error(), "f: ") {
			t.Errorf("%.10q: %v, want %v", x.text, err, x.want)
		}
		if b.Len() > 0 {
			t.Errorf("%.10q: wrote %d bytes", x.text, b.Len())
		}
	}
}

// What strace was told to do to calls is kept.
func TestTampered(t *testing.T) {
	log := `openat(AT_FDCWD, "/etc/passwd", O_RDONLY) = -1 EIO (Input/output error) (INJECTED)
openat(AT_FDCWD, "/etc/passwd", O_RDONLY) = -1 (errno 600) (INJECTED)
getppid()                               = 12 (DELAYED)
close(3)                                = 0 (INJECTED) (DELAYED)
read(3, "ABC\0\0", 20)                  = 5 (INJECTED: args, retval)
read(3, "ABCt:x:0:0:root:/roo", 20)     = 20 (INJECTED: args)
read(3, 0x7ffcd97a4e80, 20)             = -1 EIO (Input/output error) (INJECTED: args, retval) (DELAYED)
poll([{fd=3, events=POLLIN}], 1, 5)     = 0 (Timeout) (INJECTED)
exit_group(3)                           = -1 EIO (Input/output error) (INJECTED)
`
	data, _ := importText(t, log)
	const both = tracefile.Injected | tracefile.Poked
	want := []tracefile.Flags{tracefile.Injected, tracefile.Injected, tracefile.Delayed, tracefile.Injected | tracefile.Delayed,
		both, tracefile.Poked, both | tracefile.Delayed, tracefile.Injected, tracefile.Injected}
	var got []tracefile.Flags
	tr := openTrace(t, data)
	err := tr.Run(context.Background(), analyze.Options{Need: analyze.NeedWorld}, func(c *analyze.Call) error {
		if c.Kind == tracefile.Syscall {
			got = append(got, c.Flags&tracefile.Tampered)
		}
		return nil
	})
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("flags %v, want %v: %v", got, want, err)
	}
	if text := replayed(t, data, replay.Options{}); text != log {
		t.Errorf("replayed:\n%s", text)
	}
}
