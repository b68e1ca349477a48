package summary

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"

	"sysreel/analyze"
	"sysreel/analyze/tracetest"
	"sysreel/proto/tracefile"
)

// shortLived is the trace of a shell that runs n programs, one after the other,
// of which every tenth fails.
func shortLived(tb testing.TB, n int) []byte {
	t := tracetest.New(tb)
	t.PerBlock = 1 << 14
	shell := t.Process(100, tracefile.Thread{}, tracetest.Program("/usr/bin/bash", "bash", "-c", "while true; do stat /etc/hostname; done"))
	t.Call(shell, "openat", 1000, 3, cwdFD, "/var/log/jobs", 1)
	for i := range n {
		pid := int32(1000 + i%30000)
		child := t.Process(pid, shell, nil)
		t.Call(shell, "clone", 40_000, int64(pid), 0x01200011, 0, 0, 0, 0)
		t.Call(child, "close", 900, 0, 3)
		t.Exec(child, tracetest.Program("/usr/bin/stat", "stat", "--format", "%s", fmt.Sprintf("/srv/job/%d", i%100)))
		t.Call(child, "openat", 900, -2, cwdFD, "/etc/ld.so.preload", 0)
		t.Call(child, "openat", 900, 3, cwdFD, "/etc/ld.so.cache", 0)
		t.Call(child, "read", 900, 4096, 3, tracetest.Out("\x7fELF"), 4096)
		t.Call(child, "close", 900, 0, 3)
		status := int32(0)
		if i%10 == 0 {
			status = 1 << 8
		}
		t.Exit(child, status)
		t.Call(shell, "wait4", 400_000, int64(pid), -1, 0, 0, 0)
	}
	return t.Bytes()
}

// heap returns how much memory is in use.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Processes that ended are kept, for the tree of them, but cost little each. With
// SYSREEL_PROCESSES=200000 it says what that many take, and SYSREEL_TRACE names a
// file to write the trace to.
func TestEndedProcessMemory(t *testing.T) {
	n := 10_000
	if s := os.Getenv("SYSREEL_PROCESSES"); s != "" {
		n, _ = strconv.Atoi(s)
	}
	measure := func(n int) (kept, result int64) {
		file := shortLived(t, n)
		if name := os.Getenv("SYSREEL_TRACE"); name != "" {
			if err := os.WriteFile(name, file, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		before := heap()
		r := tracetest.Reader(t, file)
		a := New(r.Header(), Options{Objects: true})
		err := analyze.Run(context.Background(), r, analyze.Options{Need: a.options.Need()}, func(c *analyze.Call) error {
			a.Add(c)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		kept = heap() - before
		res := a.Result()
		result = heap() - before - kept
		if len(res.Processes) != n+1 {
			t.Fatalf("%d processes, want %d", len(res.Processes), n+1)
		}
		runtime.KeepAlive(file)
		runtime.KeepAlive(r)
		runtime.KeepAlive(a)
		return kept, result
	}
	measure(100) // what decoders keep for the next
	few, fewResult := measure(n / 2)
	many, manyResult := measure(n)
	perProcess := float64(many-few) / float64(n-n/2)
	perResult := float64(manyResult-fewResult) / float64(n-n/2)
	t.Logf("%.0f bytes for each process that ended, and %.0f in the result", perProcess, perResult)
	if perProcess > 500 {
		t.Errorf("%.0f bytes are kept of each process that ended, more than 500", perProcess)
	}
}
