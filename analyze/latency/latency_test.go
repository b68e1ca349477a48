package latency

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sysreel/analyze"
	"sysreel/analyze/term"
	"sysreel/analyze/tracetest"
	"sysreel/proto/tracefile"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// disk is a program whose reads are mostly fast, sometimes slow, and whose fsync
// gets slower by the factor; its last call has not ended.
func disk(t testing.TB, factor int64) []byte {
	b := tracetest.New(t)
	b.PerBlock = 100
	th := b.Process(100, tracefile.Thread{}, tracetest.Program("/usr/bin/disk", "disk"))
	b.Call(th, "openat", 30_000, 3, -100, "/data/db", 2)
	for i := range int64(300) {
		ns := 1500 + i%7*100
		if i%50 == 49 {
			ns = 2_000_000 * factor
		}
		b.Call(th, "read", ns, 512, 3, tracetest.Out("x"), 512)
		if i%10 == 0 {
			b.Call(th, "fsync", 400_000+i*1000*factor, 0, 3)
		}
		b.Sleep(50_000)
	}
	b.Begin(th, "poll", 0, 0, -1)
	b.Sleep(1000)
	b.Signal(th, 14)
	return b.Cut()
}

func analyse(t testing.TB, file []byte, o Options) *Analysis {
	t.Helper()
	r := tracetest.Reader(t, file)
	a := New(r.Header(), o)
	if err := analyze.Run(context.Background(), r, analyze.Options{Need: o.Need()}, func(c *analyze.Call) error {
		a.Add(c)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return a
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

func checkWidth(t *testing.T, text string, width int) {
	t.Helper()
	for _, line := range strings.Split(text, "\n") {
		if n := term.Len(line); n > width {
			t.Errorf("a line has %d columns, more than %d: %s", n, width, line)
		}
	}
}

func TestRender(t *testing.T) {
	r := analyse(t, disk(t, 1), Options{Heatmap: true}).Result()
	for name, o := range map[string]term.Options{"80.txt": {Width: 80}, "200.txt": {Width: 200}, "color.txt": {Width: 100, Color: true}} {
		var b strings.Builder
		if err := Render(&b, r, o); err != nil {
			t.Fatal(err)
		}
		golden(t, name, b.String())
		if !o.Color {
			checkWidth(t, b.String(), o.Width)
		}
	}
}

func TestRenderComparison(t *testing.T) {
	c := Compare("good.reel", analyse(t, disk(t, 1), Options{}).Result(), "bad.reel", analyse(t, disk(t, 10), Options{}).Result())
	c.Top(2)
	if c.Rows[0].Name != "read" || c.Rows[1].Name != "fsync" {
		t.Errorf("the largest differences are of %s and %s", c.Rows[0].Name, c.Rows[1].Name)
	}
	var b strings.Builder
	if err := RenderComparison(&b, c, term.Options{Width: 80}); err != nil {
		t.Fatal(err)
	}
	golden(t, "compare.txt", b.String())
	checkWidth(t, b.String(), 80)
}

// The document's names and the numbers of a row, worked out by hand.
func TestJSON(t *testing.T) {
	data, err := json.Marshal(analyse(t, disk(t, 1), Options{}).Result())
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Schema string
		Rows   []struct {
			Name     string
			Count    uint64
			P50      int64  `json:"p50_ns"`
			P99      int64  `json:"p99_ns"`
			Max      int64  `json:"max_ns"`
			MaxEvent uint64 `json:"max_event"`
			AtLeast  uint64 `json:"unfinished"`
			Buckets  []struct {
				Low   int64 `json:"low_ns"`
				High  int64 `json:"high_ns"`
				Count uint64
			}
		}
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Schema != "sysreel.hist/1" || len(doc.Rows) != 4 {
		t.Fatalf("schema %q, %d rows", doc.Schema, len(doc.Rows))
	}
	for _, r := range doc.Rows {
		sum := uint64(0)
		for _, b := range r.Buckets {
			sum += b.Count
		}
		if sum != r.Count {
			t.Errorf("%s: the buckets hold %d, the row %d", r.Name, sum, r.Count)
		}
		switch r.Name {
		case "read": // 300, of them 6 of 2 ms; the first of those is the 50th read
			if r.Count != 300 || r.P50/100 != 18 || r.P99/10_000 != 200 || r.Max != 2_000_000 || r.MaxEvent != 57 {
				t.Errorf("read: %+v", r)
			}
		case "fsync":
			if r.Count != 30 || r.Max != 690_000 {
				t.Errorf("fsync: %+v", r)
			}
		case "poll":
			if r.Count != 1 || r.AtLeast != 1 || r.Max != 1000 {
				t.Errorf("poll: %+v", r)
			}
		}
	}
}

// Shards give what the whole gives, heat map and all, in any order.
func TestMerge(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	file := disk(t, 5)
	o := Options{By: analyze.ByFD, Heatmap: true}
	whole, _ := json.Marshal(analyse(t, file, o).Result())
	for i := range 20 {
		o.Memory = i % 2 * 1000 // with little memory, too
		r := tracetest.Reader(t, file)
		shards := make([]*Analysis, 4)
		for i := range shards {
			shards[i] = New(r.Header(), o)
		}
		if err := analyze.Run(context.Background(), r, analyze.Options{Need: o.Need()}, func(c *analyze.Call) error {
			shards[rnd.IntN(len(shards))].Add(c)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		rnd.Shuffle(len(shards), func(i, j int) { shards[i], shards[j] = shards[j], shards[i] })
		for _, s := range shards[1:] {
			shards[0].Merge(s)
		}
		merged, _ := json.Marshal(shards[0].Result())
		if string(merged) != string(whole) {
			t.Fatalf("merged shards give\n%s\nthe whole\n%s", merged, whole)
		}
	}
}

// The heat map counts every call once, however often its columns were doubled.
func TestHeatmap(t *testing.T) {
	h := heat{base: heatBase}
	for i := range int64(100_000) {
		h.add(i*1_000_000, stepOf(i*i))
	}
	m := h.result(stepLow)
	if m.Columns > maxColumns || m.Columns < maxColumns/2 || m.ColumnNs*int64(m.Columns) < 99_999_000_000 {
		t.Errorf("%d columns of %d ns", m.Columns, m.ColumnNs)
	}
	sum := uint64(0)
	for i, r := range m.Rows {
		if i > 0 && r.Low != m.Rows[i-1].High {
			t.Errorf("row %d begins at %d, the one before ends at %d", i, r.Low, m.Rows[i-1].High)
		}
		for _, n := range r.Counts {
			sum += n
		}
	}
	if sum != 100_000 {
		t.Errorf("the map holds %d calls", sum)
	}
	for ns := int64(1); ns > 0 && ns < 1<<62; ns = ns*3/2 + 1 {
		if s := stepOf(ns); stepLow(s) > ns || stepLow(s+1) > 0 && stepLow(s+1) <= ns {
			t.Errorf("%d is in the step [%d, %d)", ns, stepLow(s), stepLow(s+1))
		}
	}
}

// Every edge that a bar can have is a bucket's, so that bars are exact.
func TestEdgesAreBuckets(t *testing.T) {
	for _, r := range [][2]int64{{0, 0}, {0, 99}, {1, 1 << 62}, {150, 160}, {100, 100}, {999, 1001}, {12345, 67890}, {0, 1<<63 - 1}, {1 << 62, 1<<63 - 1}} {
		e := edges(r[0], r[1], maxBars)
		if len(e) < 2 || e[0] > r[0] || e[len(e)-1] <= r[1] && e[len(e)-1] != 1<<63-1 {
			t.Fatalf("durations %d to %d: edges %d", r[0], r[1], e)
		}
		for i, x := range e {
			if low, _ := bounds(bucketOf(x)); low != x && x != 1<<63-1 {
				t.Errorf("durations %d to %d: the edge %d is within a bucket from %d", r[0], r[1], x, low)
			}
			if i > 0 && x <= e[i-1] {
				t.Errorf("durations %d to %d: edges %d", r[0], r[1], e)
			}
		}
	}
}

// Of more keys than a result tells apart it tells those with the most time,
// whenever they came, and the others together.
func TestManyKeys(t *testing.T) {
	b := tracetest.New(t)
	b.PerBlock = 1 << 14
	th := b.Process(100, tracefile.Thread{}, nil)
	const n = analyze.MaxKeys + 1000
	for i := range n {
		b.Call(th, "access", 1000+int64(i), 0, fmt.Sprintf("/%d", i), 0)
	}
	b.Call(th, "access", 5000, 0, "/0", 0)
	file := b.Bytes()
	for _, memory := range []int{0, 1 << 20} {
		a := analyse(t, file, Options{By: analyze.ByFile, Memory: memory})
		if spilled := a.rows.Spills() > 0; spilled != (memory > 0) {
			t.Errorf("memory %d: put aside: %v", memory, spilled)
		}
		r := a.Result()
		other := r.Rows[len(r.Rows)-1]
		if r.Events != n+1 || len(r.Rows) != analyze.MaxKeys+1 || r.OtherKeys != 1000 || r.Problem != "" ||
			other.Name != "(other)" || other.Count != 1000 || other.MaxNs != 2000 || other.MaxEvent != 1002 {
			t.Errorf("%d calls in %d rows, %d others, %s with %d up to %d #%d", r.Events, len(r.Rows), r.OtherKeys, other.Name, other.Count, other.MaxNs, other.MaxEvent)
		}
		if last := r.Rows[len(r.Rows)-2]; last.TotalNs != 2001 {
			t.Errorf("the last that is told apart took %d", last.TotalNs)
		}
		var out strings.Builder
		if err := Render(&out, &Result{By: r.By, Rows: r.Rows[:1], OtherKeys: r.OtherKeys}, term.Options{}); err != nil || !strings.Contains(out.String(), "(other) is what 1,000 files with less time come to together") {
			t.Errorf("%s\n%v", out.String(), err)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Two runs compare by the names of their processes, whose numbers differ.
func TestCompareRoles(t *testing.T) {
	o := Options{By: analyze.ByProcess, Roles: true}
	c := Compare("a", analyse(t, disk(t, 1), o).Result(), "b", analyse(t, disk(t, 2), o).Result())
	if len(c.Rows) != 1 || c.Rows[0].Name != "disk" || c.Rows[0].A == nil || c.Rows[0].B == nil {
		t.Errorf("rows %+v", c.Rows)
	}
}
