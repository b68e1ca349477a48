package diff

import (
	"testing"

	"sysreel/analyze/tracetest"
	"sysreel/proto/tracefile"
)

// A busy machine that holds up one call, or slows all of them down, makes no
// difference. What takes longer each time does, and what waits for somebody.
func TestSlowOrHeldUp(t *testing.T) {
	const ms = 1e6
	run := func(fn func(b *tracetest.Builder, p tracefile.Thread)) func(b *tracetest.Builder) {
		return func(b *tracetest.Builder) {
			p := program(b, 10, "app")
			b.Call(p, "openat", ms, 3, atFDCWD, "/data", rdonly)
			fn(b, p)
			b.Exit(p, 0)
		}
	}
	reads := func(durations ...int64) func(b *tracetest.Builder) {
		return run(func(b *tracetest.Builder, p tracefile.Thread) {
			for _, d := range durations {
				b.Call(p, "pread64", d, 4, 3, tracetest.Out("a=1\n"), 10, 0)
			}
		})
	}
	// paced is a run in which all takes as many times as long, and more computing.
	paced := func(times int64, compute int64) func(b *tracetest.Builder) {
		return run(func(b *tracetest.Builder, p tracefile.Thread) {
			for range 20 {
				b.Call(p, "mprotect", times*ms/10, 0, 0x1000, 4096, 1)
				b.Sleep(times * 20 * ms)
			}
			b.Sleep(compute)
		})
	}
	// starved is a run that takes so long between two calls, and of that a CPU so long.
	starved := func(between, cpu int64) func(b *tracetest.Builder) {
		return func(b *tracetest.Builder) {
			p := program(b, 10, "app")
			b.Call(p, "openat", ms, 3, atFDCWD, "/data", rdonly)
			b.Sleep(between)
			b.Call(p, "exit_group", 0, 0, 0)
			b.Add(tracefile.Event{Kind: tracefile.ThreadExit, Thread: p, Start: b.Now(), End: b.Now(), Args: [6]uint64{1, 0, uint64(cpu)}})
		}
	}
	one := func(dur int64, call string, args ...any) func(b *tracetest.Builder) {
		return run(func(b *tracetest.Builder, p tracefile.Thread) { b.Call(p, call, dur, 0, args...) })
	}
	for _, c := range []struct {
		name      string
		good, bad func(b *tracetest.Builder)
		want      Verdict
	}{
		{"one call is held up", reads(ms, ms, ms), reads(ms, 1700*ms, ms), Same},
		{"one call takes very long", reads(ms, ms, ms), reads(ms, 3000*ms, ms), Different},
		{"each call is slower", reads(ms, ms, ms), reads(400*ms, 400*ms, 400*ms), Different},
		{"one call waits for the disk", one(ms, "fsync", 3), one(900*ms, "fsync", 3), Different},
		{"one call waits for a lock", one(ms, "flock", 3, 2), one(900*ms, "flock", 3, 2), Different},
		{"all is slower", paced(1, 0), paced(5, 0), Same},
		{"computes longer", paced(1, 0), paced(1, 3000*ms), Different},
		{"waits for a CPU", starved(100*ms, 90*ms), starved(9000*ms, 120*ms), Same},
		{"needs a CPU", starved(100*ms, 90*ms), starved(9000*ms, 8000*ms), Different},
		{"is held up in computing", paced(1, 0), paced(1, 1500*ms), Same},
	} {
		t.Run(c.name, func(t *testing.T) {
			if r := compare(t, pair(t, c.good, c.bad)); r.Verdict != c.want {
				t.Errorf("%s, want %s: %+v", r.Verdict, c.want, r.Findings)
			}
			if c.want == Different {
				return
			}
			if r := compare(t, pair(t, c.bad, c.good)); r.Verdict != Same {
				t.Errorf("the other way round: %+v", r.Findings)
			}
		})
	}
}
