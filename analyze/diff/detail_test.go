package diff

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"sysreel/analyze"
	"sysreel/analyze/tracetest"
)

// events lists the events of both runs by thread, as a reader of Detail gathers
// them.
func events(t *testing.T, o Options, d *Detail) (out [2]map[*Thread][]Event) {
	t.Helper()
	for side, s := range []Source{o.Good[0], o.Bad[0]} {
		out[side] = map[*Thread][]Event{}
		tr, err := s.Open()
		if err != nil {
			t.Fatal(err)
		}
		err = analyze.Run(context.Background(), tr.Reader, analyze.Options{Need: analyze.NeedWorld}, func(c *analyze.Call) error {
			th := d.Find(side == badSide, c)
			if th == nil {
				return fmt.Errorf("event #%d has no thread", c.Num)
			}
			out[side][th] = append(out[side][th], Event{c.Num, c.Name, c.AtLeast() && c.Returns()})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// Rows has every event once and in order, and Steps' differences are where the
// runs differ.
func TestDetail(t *testing.T) {
	o := pair(t, compile(100, false, 4), compile(70000, true, enoent))
	o.Detail = true
	r := compare(t, o)
	d := r.Detail
	all := events(t, o, d)
	total, changed := [2]uint64{}, 0
	for i, p := range d.Processes {
		if p.Parent >= i {
			t.Errorf("process %d comes before its parent %d", i, p.Parent)
		}
		for _, th := range p.Threads {
			last := [2]uint64{}
			for _, row := range th.Rows(all[goodSide][th.Good], all[badSide][th.Bad]) {
				for side, n := range [2]uint64{row.Good, row.Bad} {
					if n == 0 {
						continue
					}
					if n <= last[side] {
						t.Errorf("event #%d of side %d after #%d", n, side, last[side])
					}
					last[side] = n
					total[side]++
				}
				if row.Kind == Changed {
					changed++
					if f := r.Findings[0]; changed == 1 && (row.Good != f.Good.Event || row.Bad != f.Bad.Event) {
						t.Errorf("changed %+v, but the first finding is of #%d and #%d", row, f.Good.Event, f.Bad.Event)
					}
				}
			}
		}
	}
	if total != [2]uint64{r.Good[0].Events, r.Bad[0].Events} {
		t.Errorf("%d events in rows, %d and %d in the runs", total, r.Good[0].Events, r.Bad[0].Events)
	}
	if changed != 2 {
		t.Errorf("%d rows changed, want the call that failed and the exit", changed)
	}
	p := d.Processes[d.Findings[0]]
	if p.Good == nil || p.Bad == nil || p.Bad.Role != "cc1" || p.Bad.Ended != "exit 1" || !p.Bad.Failed || p.Good.Failed || p.Changed != 2 {
		t.Errorf("process of the first finding: %+v good %+v bad %+v", p, p.Good, p.Bad)
	}
	missing := 0
	for _, p := range d.Processes {
		if p.Bad == nil {
			missing++
			if p.Good.Role != "ld" || d.Processes[p.Parent].Good.Role != "make" {
				t.Errorf("only the good run has %+v", p.Good)
			}
		}
	}
	if missing != r.Structure.ProcessesMissing {
		t.Errorf("%d processes without a counterpart, want %d", missing, r.Structure.ProcessesMissing)
	}
}

// What stands elsewhere is no difference, and what is not compared stands
// opposite its like.
func TestDetailKinds(t *testing.T) {
	run := func(names string) func(b *tracetest.Builder) {
		return func(b *tracetest.Builder) {
			p := program(b, 10, "prog")
			for _, c := range names {
				switch {
				case c == 'm':
					b.Call(p, "mmap", 1000, 0x7f00, 0, 4096, 3, 2, 3, 0)
				case c < 'a':
					b.Call(p, "openat", 1000, enoent, atFDCWD, "/data/"+strings.ToLower(string(c)), rdonly)
				default:
					b.Call(p, "openat", 1000, 3, atFDCWD, "/data/"+string(c), rdonly)
				}
			}
			b.Exit(p, 0)
		}
	}
	for _, test := range []struct{ good, bad, want string }{
		{"abc", "abc", "==="},
		{"abc", "ac", "=-="},
		{"ac", "abc", "=+="},
		{"abc", "aBc", "=!="},
		{"ambmmc", "abmmmc", "=.=...="},
		{"abc", "bca", "~==~"},
		{"abcabcabc", "abcabc", "======~~~"},
	} {
		o := pair(t, run(test.good), run(test.bad))
		o.Detail = true
		d := compare(t, o).Detail
		all := events(t, o, d)
		th := d.Processes[0].Threads[0]
		var got strings.Builder
		rows := th.Rows(all[goodSide][th.Good], all[badSide][th.Bad])
		for _, row := range rows[2 : len(rows)-1] { // start and exec, exit
			got.WriteByte(byte(row.Kind))
		}
		if got.String() != test.want {
			t.Errorf("%s against %s: %s, want %s", test.good, test.bad, got.String(), test.want)
		}
	}
}

// Events that are not given are counted where they are missing.
func TestDetailLeftOut(t *testing.T) {
	o := pair(t, compile(100, false, 4), compile(100, false, 4))
	o.Detail = true
	d := compare(t, o).Detail
	all := events(t, o, d)
	for _, p := range d.Processes {
		for _, th := range p.Threads {
			g, b := all[goodSide][th.Good], all[badSide][th.Bad]
			steps := 0
			for range th.Steps() {
				steps++
			}
			left := uint64(0)
			rows := th.Rows(g[len(g)-1:], b[len(b)-1:])
			for _, row := range rows {
				if row.Kind == LeftOut {
					left += row.Good + row.Bad
				}
			}
			if want := uint64(2 * steps); left != want || len(rows) > 2 {
				t.Errorf("%s: %d calls left out in %d rows, want %d", p.Good.Role, left, len(rows), want)
			}
		}
	}
}

// A call that never returned stands opposite the one that did.
func TestDetailStuck(t *testing.T) {
	run := func(stuck bool) func(b *tracetest.Builder) {
		return func(b *tracetest.Builder) {
			p := program(b, 10, "prog")
			b.Call(p, "openat", 1000, 3, atFDCWD, "/first", rdonly)
			if stuck {
				b.Unfinished(p, "flock", 2e9, 3, 2)
				b.Exit(p, 9)
				return
			}
			b.Call(p, "mmap", 1000, 0x7f00, 0, 4096, 3, 2, 3, 0)
			b.Call(p, "flock", 1000, 0, 3, 2)
			b.Call(p, "openat", 1000, 3, atFDCWD, "/second", rdonly)
			b.Exit(p, 0)
		}
	}
	o := pair(t, run(false), run(true))
	o.Detail = true
	r := compare(t, o)
	all := events(t, o, r.Detail)
	th := r.Detail.Processes[0].Threads[0]
	var got strings.Builder
	for _, row := range th.Rows(all[goodSide][th.Good], all[badSide][th.Bad]) {
		got.WriteByte(byte(row.Kind))
		if row.Kind == Changed && row.Bad != r.Findings[0].Bad.Event {
			t.Errorf("%+v, but the first finding is of #%d", row, r.Findings[0].Bad.Event)
		}
	}
	if got.String() != "..=.!-." {
		t.Errorf("rows %s", got.String())
	}
}

// A process that runs another program goes on as its own child: its events are
// told apart.
func TestDetailExec(t *testing.T) {
	run := func(b *tracetest.Builder) {
		p := program(b, 10, "sh", "-c", "prog")
		b.Call(p, "openat", 1000, 3, atFDCWD, "/first", rdonly)
		b.Exec(p, tracetest.Program("/usr/bin/prog", "prog"))
		b.Call(p, "execve", 1000, 0, "/usr/bin/prog", 0, 0)
		b.Call(p, "openat", 1000, 3, atFDCWD, "/second", rdonly)
		b.Exit(p, 0)
	}
	o := pair(t, run, run)
	o.Detail = true
	d := compare(t, o).Detail
	all := events(t, o, d)
	if len(d.Processes) != 2 || d.Processes[1].Parent != 0 || !d.Processes[1].Bad.InPlace {
		t.Fatalf("%d processes", len(d.Processes))
	}
	for i, want := range []string{"start exec openat execve", "exec openat exit"} {
		var got []string
		for _, e := range all[badSide][d.Processes[i].Threads[0].Bad] {
			got = append(got, e.Name)
		}
		if len(got) != len(strings.Fields(want)) {
			t.Errorf("process %d has %q, want %s", i, got, want)
		}
	}
}
