//go:build linux && (amd64 || arm64)

package record

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"sysreel/proto/tracefile"
)

// rounds is how many rounds of a stress test to make: SYSREEL_STRESS, or a few.
//
//	SYSREEL_STRESS=1000 go test -count=1 -timeout 60m -v -run Stress ./record
func rounds(t *testing.T, few int) int {
	t.Helper()
	v := os.Getenv("SYSREEL_STRESS")
	if v == "" {
		return few
	}
	n, err := strconv.Atoi(v)
	if err != nil {
		t.Fatalf("SYSREEL_STRESS: %v", err)
	}
	return n
}

// counts are what the program stress says of one of its processes, or what a
// trace says: see struct slot there.
type counts struct {
	serial, parent, pid    int
	how                    int // what the process does
	status, exact          int
	begun, done            int // calls: if not exact, as many as were begun or as were done
	threads, execs, failed int
	queued, plain, stops   int
	partly                 bool // the trace has not all of it
	ended                  bool
}

// counted reads the lines of stress, and from which process on all are to be
// in the trace.
func counted(t *testing.T, lines []string) (all map[int]*counts, from int) {
	t.Helper()
	all = make(map[int]*counts)
	for _, line := range lines {
		c := new(counts)
		n, err := fmt.Sscan(line, &c.serial, &c.parent, &c.pid, &c.how, &c.status, &c.exact, &c.begun, &c.done,
			&c.threads, &c.execs, &c.failed, &c.queued, &c.plain, &c.stops)
		switch {
		case n == 1:
			from = c.serial
		case err != nil:
			t.Fatalf("stress says %q", line)
		default:
			all[c.serial] = c
		}
	}
	return all, from
}

// traced counts the same in a trace. Processes that were killed before they
// made a call have no serial number: they are returned by themselves.
func traced(t *testing.T, tr *trace) (all map[int]*counts, nameless []*counts) {
	t.Helper()
	byID := make(map[tracefile.ProcessID]*counts)
	process := make(map[tracefile.ThreadID]*counts)
	parents := make(map[*counts]*counts)
	for i := range tr.events {
		e := &tr.events[i]
		c := byID[e.Thread.Process]
		if c == nil {
			c = &counts{serial: -1, parent: -1, pid: int(e.Thread.TGID), threads: -1} // the first comes with it
			byID[e.Thread.Process] = c
			parents[c] = process[tracefile.ThreadID(e.Args[1])]
			c.partly = tracefile.StartHow(e.Args[0]) == tracefile.StartAttach
		}
		process[e.Thread.ID] = c
		switch e.Kind {
		case tracefile.ThreadStart:
			c.threads++
		case tracefile.ThreadExit:
			if e.Args[0] == 1 {
				c.ended, c.status = true, int(e.Ret)
			}
		case tracefile.Detach:
			c.partly = true
		case tracefile.Exec:
			c.execs++
		case tracefile.Signal:
			switch e.NR {
			case uint32(syscall.SIGUSR1):
				c.plain++
			case 36: // SIGRTMIN + 2
				c.queued++
			case uint32(syscall.SIGSTOP):
				c.stops++
			}
		case tracefile.Syscall, tracefile.Unfinished:
			if name(e) == "execve" && e.Ret < 0 {
				c.failed++
			}
			s, ok := strings.CutPrefix(text(e, -1), "/mark/")
			if !ok || e.Bufs[0].Faulted { // killed while it was read
				continue
			}
			n, err := strconv.Atoi(s)
			if err != nil || c.serial >= 0 && c.serial != n {
				t.Fatalf("event %d, of process %d: a call of %q", e.Num, c.serial, s)
			}
			c.serial = n
			c.begun++
		}
	}
	all = make(map[int]*counts)
	for _, c := range byID {
		if p := parents[c]; p != nil {
			c.parent = p.serial
		}
		switch {
		case c.serial < 0:
			nameless = append(nameless, c)
		case all[c.serial] != nil:
			t.Errorf("two processes have serial number %d", c.serial)
		default:
			all[c.serial] = c
		}
	}
	return all, nameless
}

// compareCounts holds what was recorded against what the program did.
func compareCounts(t *testing.T, lines []string, tr *trace) {
	t.Helper()
	did, from := counted(t, lines)
	recorded, nameless := traced(t, tr)
	killed, whole, calls := int(syscall.SIGKILL), 0, 0
	for serial, want := range did {
		check := func(what string, got, atLeast, atMost int) {
			if got < atLeast || got > atMost {
				t.Errorf("process %d, which does %d: %s %d, want %d to %d", serial, want.how, what, got, atLeast, atMost)
			}
		}
		got := recorded[serial]
		if got == nil {
			if serial >= from { // it may have been killed before its first call
				check("calls that were not recorded", want.done, 0, 0)
			}
			continue
		}
		if got.partly {
			if serial >= from {
				t.Errorf("process %d, which does %d, was not recorded from beginning to end", serial, want.how)
			}
			continue
		}
		whole++
		calls += got.begun
		check("PID", got.pid, want.pid, want.pid)
		check("calls", got.begun, want.done, want.begun)
		if want.exact == 1 {
			check("calls", got.begun, want.begun, want.begun)
		}
		if serial > 0 { // itself it knows neither
			if !got.ended {
				t.Errorf("process %d, which does %d, has no end", serial, want.how)
			}
			if p := did[want.parent]; got.parent != -1 || p == nil || p.status != killed {
				// Who was killed before telling of it is not always known.
				check("parent", got.parent, want.parent, want.parent)
			}
			check("status", got.status, want.status, want.status)
			check("executed", got.execs, want.execs, want.execs)
		}
		if want.status == killed { // between what it did and counting it
			check("threads", got.threads, want.threads-1, want.threads)
			continue
		}
		check("threads", got.threads, want.threads, want.threads)
		check("failed execve", got.failed, want.failed, want.failed)
		check("queued signals", got.queued, want.queued, want.queued)
		check("signals", got.plain, want.plain, want.plain)
		check("stop signals", got.stops, want.stops, want.stops)
	}
	for serial := range recorded {
		if did[serial] == nil {
			t.Errorf("process %d was recorded, but never was", serial)
		}
	}
	for _, c := range nameless {
		if !c.partly && c.status != killed {
			t.Errorf("PID %d has made no call, and ended with status %#x", c.pid, c.status)
		}
	}
	t.Logf("%d processes, %d recorded whole, with %d calls; %d killed before their first call", len(did), whole, calls, len(nameless))
}

// Everything at once, under the recorder: each process, its parent, its calls,
// threads, execs, signals, stops and its end are recorded as they were. The
// same where a filter lets all other calls through.
func TestStress(t *testing.T) {
	for name, o := range map[string]Options{
		"all":      {},
		"filtered": {Trace: "access,faccessat,faccessat2,execve", Seccomp: SeccompOn},
	} {
		t.Run(name, func(t *testing.T) {
			const atOnce = 20
			for seed, n := 1, rounds(t, 10); n > 0; seed, n = seed+1, n-atOnce {
				r := record(t, o, prog(t, "stress"), itoa(min(n, atOnce)), itoa(seed))
				lines := strings.Split(r.stdout, "\n")
				if len(lines) < 3 || lines[len(lines)-2] != "ok" {
					t.Fatalf("seed %d: status %d\n%s%s", seed, r.status, r.stdout, r.stderr)
				}
				compareCounts(t, lines[:len(lines)-2], &r.trace)
				if t.Failed() {
					t.Fatalf("seed %d", seed)
				}
			}
		})
	}
}

// The same, attached to in the middle, again and again: what begins while the
// recorder is there is recorded whole, and everything goes on when it is gone.
func TestStressAttach(t *testing.T) {
	const atOnce = 20
	for seed, n := 1, rounds(t, 5); n > 0; seed, n = seed+1, n-atOnce {
		p := start(t, prog(t, "stress"), itoa(min(n, atOnce)), itoa(seed), "attach")
		dir := t.TempDir()
		o := Options{PIDs: []int{p.Process.Pid}, Tree: true}
		before := affinity(t, p.Process.Pid)
		for i := range 5 {
			file := filepath.Join(dir, itoa(i))
			cmd := attach(t, o, file)
			time.Sleep(time.Duration(i*10) * time.Millisecond)
			finish(t, cmd, file)
			untouched(t, p.Process.Pid, before)
		}
		file := filepath.Join(dir, "last")
		cmd := attach(t, o, file)
		waitTree(t, p.Process.Pid)
		p.Process.Signal(syscall.SIGUSR2)
		var lines []string
		for s := p.line(t); s != "ok"; s = p.line(t) {
			lines = append(lines, s)
		}
		if err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
		tr := readTrace(t, file)
		compareCounts(t, lines, &tr)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// A crowd of processes and threads is attached to as a whole, and let go of.
func TestAttachCrowd(t *testing.T) {
	const processes, threads = 200, 5
	// What is read of a process has many parts, of which a block takes so many.
	p := exec.Command(prog(t, "crowd"), itoa(processes), itoa(threads), strings.Repeat("long ", 400))
	in, err := p.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	ready := bufio.NewReader(startOut(t, p))
	if _, err := ready.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	before := affinity(t, p.Process.Pid)
	file := filepath.Join(t.TempDir(), "t.reel")
	begin := time.Now()
	cmd := attach(t, Options{PIDs: []int{p.Process.Pid}, Tree: true}, file)
	waitTree(t, p.Process.Pid)
	t.Logf("%d threads attached to in %v", processes*threads+1, time.Since(begin))
	tr := finish(t, cmd, file)
	untouched(t, p.Process.Pid, before)
	seen := make(map[int32]int)
	for _, e := range tr.kind(tracefile.ThreadStart) {
		if e.Facts.GetTgid() != e.Thread.TGID || string(e.Facts.GetComm()) != "crowd" {
			t.Errorf("thread %d: %v", e.Thread.TID, e.Facts)
		}
		seen[e.Thread.TGID]++
	}
	if len(seen) != processes+1 {
		t.Errorf("%d processes, want %d", len(seen), processes+1)
	}
	for tgid, n := range seen {
		if n != threads && int(tgid) != p.Process.Pid {
			t.Errorf("process %d: %d threads, want %d", tgid, n, threads)
		}
	}
}

// startOut starts a command that is killed at the end of the test, and returns
// its standard output.
func startOut(t *testing.T, cmd *exec.Cmd) io.Reader {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return out
}

// waitTree waits until every thread of a process and its descendants is traced.
func waitTree(t *testing.T, root int) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(2 * time.Millisecond) {
		untraced := 0
		for _, pid := range descendants(root) {
			files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
			for _, file := range files {
				if b, _ := os.ReadFile(file); strings.Contains(string(b), "\nTracerPid:\t0\n") && !strings.Contains(string(b), "\nState:\tZ") {
					untraced++
				}
			}
		}
		if untraced == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d threads are not traced", untraced)
		}
	}
}

// untouched checks that nothing is left of a recorder in a process and its
// descendants: no tracer, and the CPUs that they had before.
func untouched(t *testing.T, root int, cpus string) {
	t.Helper()
	if left := remains(root, cpus); left != "" {
		t.Fatal(left)
	}
}

// untouchedSoon is for a recorder that was killed: another process gives the
// CPUs back.
func untouchedSoon(t *testing.T, root int, cpus string) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); remains(root, cpus) != "" && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	untouched(t, root, cpus)
}

func remains(root int, cpus string) string {
	for _, pid := range descendants(root) {
		files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
		for _, file := range files {
			b, _ := os.ReadFile(file)
			if strings.Contains(string(b), "\nState:\tZ") {
				continue
			}
			for line := range strings.Lines(string(b)) {
				key, v, _ := strings.Cut(strings.TrimSpace(line), ":\t")
				if key == "TracerPid" && v != "0" || key == "Cpus_allowed_list" && v != cpus {
					return fmt.Sprintf("process %d, of %d, after the recording: %s", pid, root, line)
				}
			}
		}
	}
	return ""
}

// descendants lists a process and what comes of it.
func descendants(root int) []int {
	all := []int{root}
	for i := 0; i < len(all); i++ {
		files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", all[i]))
		for _, file := range files {
			b, _ := os.ReadFile(file)
			for _, f := range strings.Fields(string(b)) {
				if pid, err := strconv.Atoi(f); err == nil {
					all = append(all, pid)
				}
			}
		}
	}
	return all
}
