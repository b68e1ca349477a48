package diff

import (
	"encoding/binary"
	"testing"

	"sysreel/analyze/tracetest"
	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
)

// What directories list is no difference where the runs themselves, or others all the
// time, make and remove the names, and where many changed and nothing went wrong.
func TestListingsThatDoNotMatter(t *testing.T) {
	type script = func(b *tracetest.Builder, p tracefile.Thread)
	run := func(status int32, steps ...script) func(b *tracetest.Builder) {
		return func(b *tracetest.Builder) {
			p := program(b, 10, "app")
			for _, s := range steps {
				s(b, p)
			}
			b.Exit(p, status)
		}
	}
	makes := func(b *tracetest.Builder, p tracefile.Thread) {
		b.Call(p, "openat", 1000, 4, atFDCWD, "/srv/d/out", 0o101, 0o666)
	}
	unfinished := func(b *tracetest.Builder, p tracefile.Thread) {
		b.Call(p, "openat", 1000, 5, atFDCWD, "/srv/d", rdonly)
		d := dirents([]string{"a"})
		b.Call(p, "getdents64", 1000, int64(len(d)), 5, d, 32768)
	}
	for _, c := range []struct {
		name      string
		good, bad func(b *tracetest.Builder)
	}{
		{"made by both", run(0, makes, list("a", "out")), run(0, makes, list("a"))},
		{"made by one", run(0, list("a", "out")), run(0, list("a"), makes)},
		{"not read to its end", run(0, list("a", "b")), run(0, unfinished)},
		{"many, and nothing is worse", run(0, list("a", "b", "c", "d", "e", "f")), run(0, list("a"))},
		{"the same in another order", run(0, list("a", "b", "c")), run(0, list("c", "a", "b"))},
		{"hashes", run(0, list("0123456789abcdef0123")), run(0, list("00112233445566778899"))},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, f := range compare(t, pair(t, c.good, c.bad)).Findings {
				if f.Syscall == "getdents64" && f.Kind == InputChanged {
					t.Errorf("%s", f.Summary)
				}
			}
		})
	}
}

// Fingerprints are compared where both traces have them, made alike, and where what
// is kept does not show that the content has a date or the like in it.
func TestFingerprints(t *testing.T) {
	pid := int32(4320)
	run := func(fingerprint uint32, data string, print tracetest.Print) func(b *tracetest.Builder) {
		pid++
		own := pid
		return func(b *tracetest.Builder) {
			b.Header.Policy = &tracepb.Policy{Fingerprint: fingerprint}
			p := program(b, own, "app")
			b.Call(p, "openat", 1000, 3, atFDCWD, "/etc/app.conf", rdonly)
			b.Call(p, "read", 1000, 500, 3, tracetest.Out(data), 4096, print)
			b.Exit(p, 0)
		}
	}
	for _, c := range []struct {
		name      string
		good, bad func(b *tracetest.Builder)
		want      Verdict
	}{
		{"equal", run(100, "text", 5), run(100, "text", 5), Same},
		{"unequal", run(100, "text", 5), run(100, "text", 6), Different},
		{"one run has none", run(100, "text", 5), run(0, "text", 0), Same},
		{"made in another way", run(100, "text", 5), run(200, "text", 6), Same},
		{"a date among it", run(100, "made 20261122 by", 5), run(100, "made 20261123 by", 6), Same},
		{"a number that is a process by chance", run(100, "4321 4331 4332", 5), run(100, "4321 4331 4332", 5), Same},
	} {
		t.Run(c.name, func(t *testing.T) {
			if r := compare(t, pair(t, c.good, c.bad)); r.Verdict != c.want {
				t.Errorf("%s, want %s: %+v", r.Verdict, c.want, r.Findings)
			}
		})
	}
}

// printed makes a recorder that makes fingerprints of one that does not.
func printed(script func(b *tracetest.Builder)) func(b *tracetest.Builder) {
	return func(b *tracetest.Builder) {
		b.Header.Policy = &tracepb.Policy{Fingerprint: 100}
		script(b)
	}
}

// list makes a process that lists /srv/d, where these names are.
func list(names ...string) func(b *tracetest.Builder, p tracefile.Thread) {
	return func(b *tracetest.Builder, p tracefile.Thread) {
		b.Call(p, "openat", 1000, 5, atFDCWD, "/srv/d", rdonly)
		for len(names) > 0 {
			n := min(2, len(names)) // the listing takes several calls
			d := dirents(names[:n])
			b.Call(p, "getdents64", 1000, int64(len(d)), 5, d, 32768)
			names = names[n:]
		}
		b.Call(p, "getdents64", 1000, 0, 5, tracetest.Out(nil), 32768)
		b.Call(p, "close", 1000, 0, 5)
	}
}

// dirents returns names as an array of struct linux_dirent64.
func dirents(names []string) tracetest.Out {
	var out []byte
	for _, name := range names {
		e := make([]byte, (19+len(name)+1+7)/8*8)
		binary.LittleEndian.PutUint16(e[16:], uint16(len(e)))
		copy(e[19:], name)
		out = append(out, e...)
	}
	return out
}
