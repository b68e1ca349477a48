package summary

import (
	"context"
	"os"
	"testing"
	"time"

	"sysreel/analyze"
	"sysreel/analyze/tracetest"
	"sysreel/proto/tracefile"
)

// large is a trace of n calls of several threads, like a server's.
func large(b *testing.B, n int) []byte {
	t := tracetest.New(b)
	t.PerBlock = 1 << 16
	main := t.Process(100, tracefile.Thread{}, tracetest.Program("/usr/sbin/server", "server"))
	threads := []tracefile.Thread{main}
	for tid := range int32(7) {
		threads = append(threads, t.Clone(101+tid, main))
	}
	t.Call(main, "openat", 1000, 3, cwdFD, "/var/log/access", 1)
	for i := range n / 4 {
		th := threads[i*7919%len(threads)]
		t.Call(th, "epoll_wait", int64(1000+i%977*100), 1, 4, 0, 16, 1000)
		t.Call(th, "read", int64(900+i%31*10), int64(i%4096), 3, tracetest.Out("GET / HTTP/1.1\r\n"), 4096)
		t.Call(th, "write", int64(1100+i%63*10), 64, 3, tracetest.In("127.0.0.1 - GET /"), 64)
		t.Call(th, "read", 700, -11, 5, 0, 4096)
	}
	return t.Bytes()
}

// BenchmarkEvents gives the events a second that a summary takes in, from the
// core columns alone, with objects, and by file.
func BenchmarkEvents(b *testing.B) {
	n := uint64(1 << 20)
	file := large(b, int(n))
	if name := os.Getenv("SYSREEL_TRACE"); name != "" { // a real one
		var err error
		if file, err = os.ReadFile(name); err != nil {
			b.Fatal(err)
		}
		n = 0
	}
	for name, o := range map[string]Options{"core": {}, "objects": {Objects: true}, "file": {By: analyze.ByFile}} {
		b.Run(name, func(b *testing.B) {
			start := time.Now()
			for b.Loop() {
				r := tracetest.Reader(b, file)
				a := New(r.Header(), o)
				if err := analyze.Run(context.Background(), r, analyze.Options{Need: o.Need()}, func(c *analyze.Call) error {
					a.Add(c)
					return nil
				}); err != nil {
					b.Fatal(err)
				}
				result := a.Result()
				if result.Events < n {
					b.Fatal("events are missing")
				}
				n = result.Events
			}
			b.ReportMetric(float64(n)*float64(b.N)/time.Since(start).Seconds()/1e6, "Mevents/s")
		})
	}
}
