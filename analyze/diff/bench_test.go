package diff

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"testing"
	"time"

	"sysreel/analyze"
	"sysreel/analyze/tracetest"
	"sysreel/proto/tracefile"
)

// busy is a server's run of about n events: requests that open, stat, read and
// answer one of a thousand files, and now and then a job of its own. broken is
// the request at which a file is missing, −1 for none.
func busy(b *tracetest.Builder, n, broken int) {
	b.PerBlock = 1 << 16
	p := program(b, 900, "server")
	workers := []tracefile.Thread{p, b.Clone(901, p), b.Clone(902, p)}
	name := make([]string, 1000)
	for i := range name {
		name[i] = fmt.Sprintf("/srv/files/%d/page-%d.html", i%40, i)
	}
	for i := range n / 7 {
		t := workers[i%len(workers)]
		f := name[i*7919%len(name)]
		b.Call(t, "epoll_wait", 20_000, 1, 5, tracetest.Out("123456789012"), 64, -1)
		if i == broken {
			b.Call(t, "openat", 2000, enoent, atFDCWD, f, rdonly)
			continue
		}
		b.Call(t, "openat", 2000, 9, atFDCWD, f, rdonly)
		b.Call(t, "fstat", 500, 0, 9, stat(0o100644, uint64(100+i%1000), 0))
		b.Call(t, "read", 800, 100, 9, tracetest.Out("<html><body>hello, it is a page"), 4096)
		b.Call(t, "write", 900, 100, 7, tracetest.In("HTTP/1.1 200 OK"), 100)
		b.Call(t, "close", 300, 0, 9)
		if i%50 == 0 {
			b.Call(t, "openat", 2000, 9, atFDCWD, fmt.Sprintf("/var/lib/app/job-%d.tmp", i/50), creatEx, 0o600)
			b.Call(t, "close", 300, 0, 9)
		}
	}
	b.Exit(p, 0)
}

// BenchmarkCompare compares two traces of SYSREEL_BENCH_EVENTS events each
// (default 300,000) and prints events a second and the largest heap per event.
func BenchmarkCompare(b *testing.B) {
	n := 300_000
	if s := os.Getenv("SYSREEL_BENCH_EVENTS"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			b.Fatal(err)
		}
	}
	var sources [2]Source
	for side, broken := range [2]int{-1, n / 7 * 3 / 4} {
		file := b.TempDir() + "/trace.reel"
		tb := tracetest.New(b)
		busy(tb, n, broken)
		if err := os.WriteFile(file, tb.Bytes(), 0o600); err != nil {
			b.Fatal(err)
		}
		sources[side] = Source{Name: file, Open: func() (*analyze.Trace, error) { return analyze.Open(file, nil, tracefile.ReaderOptions{}) }}
	}
	debug.FreeOSMemory()
	var peak, base runtime.MemStats
	runtime.ReadMemStats(&base)
	b.ResetTimer()
	for b.Loop() {
		done := make(chan struct{})
		stop := make(chan struct{})
		go func() {
			defer close(done)
			var m runtime.MemStats
			for {
				runtime.ReadMemStats(&m)
				if m.Sys-m.HeapReleased > peak.Sys {
					peak.Sys = m.Sys - m.HeapReleased
				}
				select {
				case <-stop:
					return
				case <-time.After(50 * time.Millisecond):
				}
			}
		}()
		r, err := Compare(context.Background(), Options{Good: sources[:1], Bad: sources[1:]})
		if err != nil {
			b.Fatal(err)
		}
		close(stop)
		<-done
		if len(r.Findings) == 0 || r.Findings[0].Errno != "ENOENT" {
			b.Fatalf("findings %+v", r.Findings)
		}
	}
	b.ReportMetric(float64(2*n)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(peak.Sys)/float64(2*n), "B/event")
	b.ReportMetric(float64(peak.Sys)/(1<<20), "MiB")
}
