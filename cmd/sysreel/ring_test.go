//go:build linux && (amd64 || arm64)

package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// counterArgs returns the command line of testdata/progs/counter.c, and its log.
func counterArgs(t *testing.T, n, pause int) (argv []string, log []byte) {
	t.Helper()
	bin := compileProg(t, "counter", "-O1")
	name := filepath.Join(filepath.Dir(bin), "log")
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const size = 4096 + 8<<17
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
	log, err = syscall.Mmap(int(f.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Munmap(log) })
	return []string{bin, name, strconv.Itoa(n), strconv.Itoa(pause)}, log
}

func word(log []byte, i int) uint64 { return binary.NativeEndian.Uint64(log[8*i:]) }

// at is when the counter was about to make call i.
func at(log []byte, i uint64) int64 { return int64(word(log, 512+int(i%(1<<17)))) }

func monotonic() int64 {
	var ts syscall.Timespec
	syscall.Syscall(syscall.SYS_CLOCK_GETTIME, 1, uintptr(unsafe.Pointer(&ts)), 0) // CLOCK_MONOTONIC
	return ts.Nano()
}

// counted reads a trace of a counter. It returns the first and last call in it;
// the numbers of the events and the calls must have no gap.
func counted(t *testing.T, bin, trace string, wantWarning string) (firstEvent, lastEvent, first, last uint64) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	replay := exec.Command(bin, "replay", "--json", trace)
	replay.Stdout, replay.Stderr = &stdout, &stderr
	if err := replay.Run(); err != nil {
		t.Fatalf("replay %s: %v\n%s", trace, err, stderr.String())
	}
	if got := stderr.String(); (wantWarning == "") != (got == "") || !strings.Contains(got, wantWarning) || strings.Count(got, "\n") > 1 {
		t.Errorf("replay warns %q, want %q", got, wantWarning)
	}
	for line := range strings.Lines(stdout.String()) {
		var e struct {
			Event uint64   `json:"event"`
			Paths []string `json:"paths"`
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		if e.Event == 0 { // in flight at the end
			continue
		}
		if firstEvent == 0 {
			firstEvent, lastEvent = e.Event, e.Event-1
		}
		if e.Event != lastEvent+1 {
			t.Fatalf("%s: event %d follows %d", trace, e.Event, lastEvent)
		}
		lastEvent = e.Event
		if len(e.Paths) == 0 {
			continue
		}
		name, ok := strings.CutPrefix(e.Paths[0], "/count/")
		if !ok {
			continue
		}
		number, _, _ := strings.Cut(name, "/")
		n, err := strconv.ParseUint(number, 10, 64)
		if err != nil || first != 0 && n != last+1 {
			t.Fatalf("%s: call %q follows %d", trace, name, last)
		}
		if last = n; first == 0 {
			first = n
		}
	}
	return firstEvent, lastEvent, first, last
}

// TestRingKilled kills recorders with a ring at random moments. The file must be
// readable each time, without a gap, and have all but the last second. A machine
// that is busy may keep the recorder from its flush; so most rounds must, and
// all must when SYSREEL_RING_ROUNDS asks for a long run, on a machine of one's own:
//
//	SYSREEL_RING_ROUNDS=1000 go test -run RingKilled -timeout 60m -v ./cmd/sysreel
func TestRingKilled(t *testing.T) {
	bin := buildSysreel(t)
	rounds, strict := 30, false
	if s := os.Getenv("SYSREEL_RING_ROUNDS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		rounds, strict = n, true
	}
	var mu sync.Mutex
	var missing []time.Duration
	var wrapped, late int
	for lane := range 2 {
		t.Run(fmt.Sprint(lane), func(t *testing.T) {
			t.Parallel()
			// One works as fast as it can and fills rings; the other rests
			// between its calls, and only flushes in time get them into the file.
			argv, log := counterArgs(t, 1<<40, lane*500)
			target := exec.Command(argv[0], argv[1:]...)
			if err := target.Start(); err != nil {
				t.Fatal(err)
			}
			defer target.Process.Kill()
			trace := filepath.Join(t.TempDir(), "ring.reel")
			for round := range rounds / 2 {
				gone, first := killRecorder(t, bin, trace, target.Process.Pid, log, strict)
				mu.Lock()
				missing = append(missing, gone)
				if first > 1 {
					wrapped++
				}
				if gone > time.Second {
					late++
				}
				mu.Unlock()
				if t.Failed() {
					t.Fatalf("round %d", round)
				}
			}
			if word(log, 2) != 0 {
				t.Error("the target has ended")
			}
		})
	}
	t.Cleanup(func() {
		if len(missing) == 0 {
			return
		}
		slices.Sort(missing)
		t.Logf("%d rounds, in %d the ring had dropped blocks; missing: median %v, most %v", len(missing), wrapped, missing[len(missing)/2], missing[len(missing)-1])
		if late > 0 && strict || late > len(missing)/2 {
			t.Errorf("in %d of %d rounds more than a second was missing", late, len(missing))
		}
	})
}

// killRecorder attaches a recorder with a ring to a counter and kills it. It
// returns how much of the time before that is missing from the file, and the
// number of the file's first event.
func killRecorder(t *testing.T, bin, trace string, pid int, log []byte, long bool) (missing time.Duration, first uint64) {
	t.Helper()
	os.Remove(trace)
	cmd := exec.Command(bin, "record", "-q", "--ring", "64KiB", "-o", trace, "-p", strconv.Itoa(pid))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	begin := word(log, 1)
	waitFor(t, "the recorder to attach", func() bool {
		info, err := os.Stat(trace)
		return err == nil && info.Size() > 0 && word(log, 1) > begin
	})
	most := 500.0
	if long {
		most = 2000
	}
	time.Sleep(time.Duration(rand.Float64() * most * float64(time.Millisecond)))
	killed := monotonic()
	done := word(log, 1)
	cmd.Process.Signal(syscall.SIGKILL)
	cmd.Wait()
	if stderr.Len() > 0 {
		t.Errorf("the recorder: %s", stderr.String())
	}
	if out, err := exec.Command(bin, "info", trace).CombinedOutput(); err != nil || !strings.Contains(string(out), "unfinished") || strings.Contains(string(out), "unreadable") {
		t.Errorf("info: %v\n%s", err, out)
	}
	if info, err := os.Stat(trace); err != nil || info.Size() > 64<<10 {
		t.Errorf("the ring's file: %v, %v", info, err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(trace), ".*")); len(left) > 0 {
		// The name is there between two system calls only.
		if info, err := os.Stat(left[0]); err == nil && info.Size() > 64<<10 {
			t.Errorf("%s with %d bytes is left", left[0], info.Size())
		}
	}
	first, _, _, last := counted(t, bin, trace, "unfinished trace")
	switch {
	case last == 0: // nothing was flushed yet: what is missing began with the recording
		last = begin
	case last > word(log, 1):
		t.Errorf("call %d is recorded, the target has made %d", last, word(log, 1))
	}
	if last >= done {
		return 0, first
	}
	return time.Duration(killed - at(log, last+1)), first
}

// All parts of a series together have each event once, of a program of several
// processes too; those beyond KEEP are gone.
func TestRotateUnderLoad(t *testing.T) {
	bin := buildSysreel(t)
	const calls = 12_000
	argv, _ := counterArgs(t, calls, 0)
	other, _ := counterArgs(t, calls, 0)
	dir := t.TempDir()
	script := fmt.Sprintf("%s & %s; i=0; while [ $i -lt 50 ]; do /bin/true; i=$((i+1)); done; wait", strings.Join(other, " "), strings.Join(argv, " "))
	cmd := exec.Command(bin, "record", "--rotate", "64KiB", "-o", "all.reel", "--", "sh", "-c", script)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	parts, _ := filepath.Glob(filepath.Join(dir, "*.reel"))
	slices.Sort(parts)
	if len(parts) < 3 {
		t.Fatalf("parts: %v\n%s", parts, out)
	}
	next, seen := uint64(1), make(map[string]int)
	for i, p := range parts {
		if want := filepath.Join(dir, fmt.Sprintf("all.%04d.reel", i+1)); p != want {
			t.Errorf("part %s, want %s", p, want)
		}
		if info, err := os.Stat(p); err != nil || info.Size() > 64<<10 {
			t.Errorf("%s: %v", p, info)
		}
		var r struct {
			State  string
			Events uint64
			First  uint64 `json:"first_event"`
			Series struct{ Part int }
		}
		out, err := exec.Command(bin, "info", "--json", p).Output()
		if err != nil || json.Unmarshal(out, &r) != nil {
			t.Fatalf("info %s: %v\n%s", p, err, out)
		}
		if r.State != "complete" || r.First != next || r.Series.Part != i+1 {
			t.Errorf("%s: %+v, want first event %d", p, r, next)
		}
		next += r.Events
		out, err = exec.Command(bin, "replay", "--json", "-e", "trace=%file", p).Output()
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(out)) {
			var e struct {
				Event uint64
				PID   int
				Paths []string
			}
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				t.Fatal(err)
			}
			if e.Event > 0 && len(e.Paths) == 1 && strings.HasPrefix(e.Paths[0], "/count/") {
				seen[fmt.Sprint(e.PID, e.Paths[0])]++
			}
		}
	}
	if len(seen) != 2*calls {
		t.Errorf("%d different calls in the parts, %d were made", len(seen), 2*calls)
	}
	for call, n := range seen {
		if n != 1 {
			t.Errorf("%s is there %d times", call, n)
			break
		}
	}
	if want := strings.ReplaceAll(strings.Fields(strings.TrimPrefix(string(out), "sysreel: "))[0], ",", ""); want != fmt.Sprint(next-1) {
		t.Errorf("the parts have %d events: %s", next-1, out)
	}

	cmd = exec.Command(bin, "record", "-q", "--rotate", "64KiB,2", "-o", filepath.Join(dir, "few.reel"), "--", argv[0], argv[1], argv[2], "0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	few, _ := filepath.Glob(filepath.Join(dir, "few.*"))
	if len(few) != 2 {
		t.Fatalf("%v are left", few)
	}
	_, last, _, _ := counted(t, bin, few[0], "")
	if first, _, _, call := counted(t, bin, few[1], ""); first != last+1 || call != calls {
		t.Errorf("the last part begins with event %d after %d, and ends with call %d", first, last, call)
	}
}

// A disk that is full, a file that may not grow and a reader that goes harm
// nobody, and what was written can be read.
func TestOutputTrouble(t *testing.T) {
	bin := buildSysreel(t)
	argv, log := counterArgs(t, 20_000, 0)
	for _, c := range []struct{ name, script, message string }{
		{"file size", `ulimit -f 32; exec "$BIN" record --max-size 128KiB -o "$DIR/x.reel" -- "$@"`, "file too large"},
		{"file size of a ring", `ulimit -f 32; exec "$BIN" record --ring 128KiB -o "$DIR/x.reel" -- "$@"`, "file too large"},
		{"full disk", `mount -t tmpfs -o size=28k none "$DIR" || exit 77; "$BIN" record --max-size 128KiB -o "$DIR/x.reel" -- "$@"; s=$?; cp "$DIR/x.reel" "$OUT/x.reel"; exit $s`, "no space left on device"},
		{"full disk of a ring", `mount -t tmpfs -o size=64k none "$DIR" || exit 77; "$BIN" record --ring 64KiB -o "$DIR/x.reel" -- "$@"; s=$?; cp "$DIR/x.reel" "$OUT/x.reel"; exit $s`, "no space left on device"},
		{"reader gone", `"$BIN" record --max-size 128KiB -o - -- "$@" | head -c 20000 >"$DIR/x.reel"`, "broken pipe"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for i := range 3 {
				binary.NativeEndian.PutUint64(log[8*i:], 0)
			}
			dir, keep := t.TempDir(), t.TempDir()
			sh := []string{"sh", "-c", c.script, "sh"}
			mounts := strings.HasPrefix(c.script, "mount")
			if mounts {
				sh = append([]string{"unshare", "-m", "--propagation", "private"}, sh...)
			}
			cmd := exec.Command(sh[0], append(sh[1:], argv...)...)
			cmd.Env = append(os.Environ(), "BIN="+bin, "DIR="+dir, "OUT="+keep)
			out, _ := cmd.CombinedOutput()
			if status := cmd.ProcessState.ExitCode(); mounts && (status == 77 || strings.Contains(string(out), "unshare")) {
				t.Skipf("cannot mount: %s", out)
			}
			if !strings.Contains(string(out), c.message) || !strings.Contains(string(out), "the rest was not recorded") {
				t.Errorf("it says %q, want %q", out, c.message)
			}
			if word(log, 1) != 20_000 || word(log, 2) != 1 {
				t.Errorf("the command has made %d calls", word(log, 1))
			}
			trace := filepath.Join(dir, "x.reel")
			if mounts {
				trace = filepath.Join(keep, "x.reel")
			}
			if _, _, _, last := counted(t, bin, trace, "unfinished trace"); last == 0 {
				t.Error("nothing was kept")
			}
		})
	}
}

// With this flag blocks have 16 Ki events, and so many calls are more than the
// recorder holds before its output takes anything: two blocks and four batches.
const (
	smallBlocks = "--max-size=4MiB"
	stuckCalls  = 60_000
)

// An output that takes nothing keeps neither the target nor the recorder: the
// first signal lets the target go, further ones end the recorder. With
// --on-full=drop the target does not even wait, and the trace is right afterwards.
func TestOutputStuck(t *testing.T) {
	bin := buildSysreel(t)
	argv, log := counterArgs(t, 1<<40, 0)
	target := exec.Command(argv[0], argv[1:]...)
	if err := target.Start(); err != nil {
		t.Fatal(err)
	}
	defer target.Process.Kill()
	start := func(flags ...string) (*exec.Cmd, *os.File, *bytes.Buffer) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { r.Close() })
		cmd := exec.Command(bin, append([]string{"record", "-o", "-", "-p", strconv.Itoa(target.Process.Pid)}, flags...)...)
		var stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = w, &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		w.Close()
		t.Cleanup(func() { cmd.Process.Kill() })
		waitFor(t, "the recorder to attach", func() bool { return traced(target.Process.Pid) })
		return cmd, r, &stderr
	}

	cmd, _, stderr := start(smallBlocks)
	// The pipe takes 64 KiB, the recorder's own batches a few thousand events.
	waitFor(t, "the target to be stuck", func() bool {
		before := word(log, 1)
		time.Sleep(500 * time.Millisecond)
		return word(log, 1) == before
	})
	cmd.Process.Signal(syscall.SIGINT)
	waitFor(t, "the target to be let go", func() bool { return !traced(target.Process.Pid) })
	before := word(log, 1)
	waitFor(t, "the target to go on", func() bool { return word(log, 1) > before })
	cmd.Process.Signal(syscall.SIGINT)
	cmd.Process.Signal(syscall.SIGINT)
	if cmd.Wait(); cmd.ProcessState.ExitCode() != 125 || !strings.Contains(stderr.String(), "it takes no more, and was given up") {
		t.Errorf("%v, %q", cmd.ProcessState, stderr)
	}

	cmd, r, stderr := start("--on-full=drop", smallBlocks)
	before = word(log, 1)
	waitFor(t, "the target to get far", func() bool { return word(log, 1) > before+stuckCalls })
	trace := filepath.Join(t.TempDir(), "drop.reel")
	f, err := os.Create(trace)
	if err != nil {
		t.Fatal(err)
	}
	copied := make(chan error, 1)
	go func() {
		_, err := f.ReadFrom(r)
		copied <- err
	}()
	// What is dropped ends when the reader has caught up; then it is recorded again.
	waitFor(t, "the trace to go on", func() bool {
		out, _ := exec.Command(bin, "info", "--json", trace).Output()
		return bytes.Contains(out, []byte("too slow"))
	})
	cmd.Process.Signal(syscall.SIGINT)
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, stderr)
	}
	if err := <-copied; err != nil {
		t.Fatal(err)
	}
	checkDropped(t, bin, trace, stderr.String())
}

// checkDropped checks that what a trace has and what it says it lacks is all that
// the counter did.
func checkDropped(t *testing.T, bin, trace, said string) {
	t.Helper()
	var info struct {
		State  string
		Events uint64
		Losses []struct{ Count uint64 }
	}
	out, err := exec.Command(bin, "info", "--json", trace).Output()
	if err != nil || json.Unmarshal(out, &info) != nil || info.State != "complete" || len(info.Losses) != 1 {
		t.Fatalf("info: %v\n%s", err, out)
	}
	out, err = exec.Command(bin, "replay", "--json", trace).Output()
	if err != nil {
		t.Fatal(err)
	}
	first, last, next := uint64(0), uint64(0), uint64(1)
	for line := range strings.Lines(string(out)) {
		var e struct {
			Event uint64
			Paths []string
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		if e.Event != next {
			t.Fatalf("event %d where %d should be", e.Event, next)
		}
		next++
		if len(e.Paths) == 1 {
			if _, err := fmt.Sscanf(e.Paths[0], "/count/%d", &last); err == nil && first == 0 {
				first = last
			}
		}
	}
	// A start, perhaps a call in progress, and an end are events too.
	if made, told := last-first+1, info.Events+info.Losses[0].Count; told < made || told > made+4 {
		t.Errorf("the target made %d calls; recorded and lost are %d + %d", made, info.Events, info.Losses[0].Count)
	}
	if !strings.Contains(strings.ReplaceAll(said, ",", ""), fmt.Sprintf(" %d lost", info.Losses[0].Count)) {
		t.Errorf("%d lost, but: %s", info.Losses[0].Count, said)
	}
}

// traced tells whether a process has a tracer.
func traced(pid int) bool {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	return len(b) > 0 && !bytes.Contains(b, []byte("\nTracerPid:\t0\n"))
}

// After a time in which events were dropped, descriptors that were opened in it
// have their names, in the process that did and in its children.
func TestDropKeepsNames(t *testing.T) {
	bin := buildSysreel(t)
	dir := t.TempDir()
	argv, log := counterArgs(t, 1<<40, 0)
	script := strings.Join(argv, " ") + ` & while ! [ -e stuck ]; do sleep 0.05; done
		exec 7<known 8<gone; exec 8<&-; cd sub; : >../opened
		while ! [ -e ../resumed ]; do sleep 0.01; done; cat <&7; cat <&8; cat ../known; exit 5`
	for name, content := range map[string]string{"known": "text\n", "gone": "", "sub/x": ""} {
		os.Mkdir(filepath.Join(dir, "sub"), 0o700)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := exec.Command(bin, "record", "--on-full=drop", smallBlocks, "-o", "-", "--", "sh", "-c", script)
	var stderr bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, w, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	defer cmd.Process.Kill()
	touch := func(name string) {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Error(err)
		}
	}
	waitFor(t, "events to be dropped", func() bool { return word(log, 1) > stuckCalls })
	touch("stuck")
	waitFor(t, "the command to open its files", func() bool { _, err := os.Stat(filepath.Join(dir, "opened")); return err == nil })
	trace := filepath.Join(dir, "t.reel")
	f, err := os.Create(trace)
	if err != nil {
		t.Fatal(err)
	}
	copied := make(chan error, 1)
	go func() {
		_, err := f.ReadFrom(r)
		copied <- err
	}()
	waitFor(t, "the trace to go on", func() bool {
		out, _ := exec.Command(bin, "info", "--json", trace).Output()
		return bytes.Contains(out, []byte("too slow"))
	})
	binary.NativeEndian.PutUint64(log, 1)
	touch("resumed")
	if cmd.Wait(); cmd.ProcessState.ExitCode() != 5 {
		t.Fatalf("%v: %s", cmd.ProcessState, stderr.String())
	}
	if err := <-copied; err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(bin, "replay", "-y", "-e", "trace=dup2,dup3,read,openat", trace).Output()
	if err != nil {
		t.Fatal(err)
	}
	text := string(out)
	for _, want := range []string{"dup2(7<" + dir + "/known>, 0", "read(0<" + dir + "/known>, \"text\\n\"", "dup2(8, 0"} {
		if !strings.Contains(text, want) {
			t.Errorf("replay -y lacks %q", want)
		}
	}
	if t.Failed() {
		t.Logf("%s\n%s", text[max(0, len(text)-6000):], stderr.String())
	}
	// cwd: a path relative to it.
	out, _ = exec.Command(bin, "replay", "--json", "-e", "trace=openat", trace).Output()
	if !strings.Contains(string(out), `"paths":["`+dir+`/known"]`) {
		t.Errorf("no call names %s/known by a relative path:\n%s", dir, out[max(0, len(out)-2000):])
	}
}
