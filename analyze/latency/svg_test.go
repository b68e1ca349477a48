package latency

import (
	"encoding/xml"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"sysreel/analyze"
	"sysreel/analyze/term"
)

// titles are what pointing at the areas of a picture shows.
func titles(t *testing.T, picture string) []string {
	t.Helper()
	var doc struct {
		Rects []struct {
			Title string `xml:"title"`
		} `xml:"rect"`
	}
	if err := xml.Unmarshal([]byte(picture), &doc); err != nil {
		t.Fatalf("not XML: %v", err)
	}
	var out []string
	for _, r := range doc.Rects {
		if r.Title != "" {
			out = append(out, r.Title)
		}
	}
	return out
}

var countIn = regexp.MustCompile(`: ([0-9,]+) calls?`)

// counted adds up the calls of titles.
func counted(t *testing.T, titles []string) uint64 {
	t.Helper()
	sum := uint64(0)
	for _, title := range titles {
		var n uint64
		m := countIn.FindStringSubmatch(title)
		if m == nil {
			t.Fatalf("no count in %q", title)
		}
		if _, err := fmt.Sscan(strings.ReplaceAll(m[1], ",", ""), &n); err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	return sum
}

// The picture has the numbers that the result has: each bar that of its buckets,
// every call once in the bars and once in each map.
func TestSVG(t *testing.T) {
	r := analyse(t, disk(t, 1), Options{Heatmap: true, Subsecond: true}).Result()
	var b, again strings.Builder
	if err := WriteSVG(&b, "disk", r); err != nil {
		t.Fatal(err)
	}
	if err := WriteSVG(&again, "disk", r); err != nil || b.String() != again.String() {
		t.Error("drawn again it is another picture")
	}
	bars, maps := []string{}, []string{}
	for _, title := range titles(t, b.String()) {
		if strings.HasPrefix(title, "+") {
			maps = append(maps, title)
		} else {
			bars = append(bars, title)
		}
	}
	if n := counted(t, bars); n != r.Events {
		t.Errorf("the bars hold %d calls of %d", n, r.Events)
	}
	if n := counted(t, maps); n != 2*r.Events {
		t.Errorf("the two maps hold %d calls of %d", n, r.Events)
	}
	lo, hi := span(r.Rows)
	var want []string
	for i := range r.Rows {
		for _, x := range fold(r.Rows[i].Buckets, edges(lo, hi, svgBars)) {
			if x.Count > 0 {
				want = append(want, fmt.Sprintf("%s … %s: %s,", term.Edge(x.Low), term.Edge(x.High), term.Plural(x.Count, "call")))
			}
		}
	}
	for i := range want {
		if i >= len(bars) || !strings.HasPrefix(bars[i], want[i]) {
			t.Fatalf("bar %d is not %q", i, want[i])
		}
	}
	for i := range r.Rows {
		said := fmt.Sprintf("%s in all, max %s", term.Duration(r.Rows[i].TotalNs), term.Duration(r.Rows[i].MaxNs))
		if n := r.Rows[i].MaxEvent; n != 0 { // else it is still in flight
			said += fmt.Sprintf(" #%d<", n)
		}
		if !strings.Contains(b.String(), said) {
			t.Errorf("the picture does not say %q", said)
		}
	}
}

// Pictures of nothing, of calls that took no time, and of traces of one side.
func TestSVGOdd(t *testing.T) {
	zero := &Result{Schema: Schema, By: "all", Rows: []Row{{Name: "</svg>&\x1b\xff", Count: 1, Buckets: []Bucket{{0, 1, 1}}}}, Events: 1}
	for _, r := range []*Result{{By: "file"}, zero} {
		var b strings.Builder
		if err := WriteSVG(&b, "<odd>", r); err != nil {
			t.Fatal(err)
		}
		titles(t, b.String())
		if strings.Contains(b.String(), "NaN") || strings.Contains(b.String(), "Inf") {
			t.Errorf("not a number in\n%s", b.String())
		}
	}
	some := analyse(t, disk(t, 1), Options{}).Result()
	for _, c := range []*Comparison{Compare("a", zero, "b", &Result{}), Compare("a", &Result{}, "b", &Result{}), Compare("a", some, "b", zero)} {
		var b strings.Builder
		if err := WriteComparisonSVG(&b, "<odd>", c); err != nil {
			t.Fatal(err)
		}
		titles(t, b.String())
		if strings.Contains(b.String(), "NaN") || strings.Contains(b.String(), "Inf") {
			t.Errorf("not a number in\n%s", b.String())
		}
	}
}

func TestComparisonSVG(t *testing.T) {
	x, y := analyse(t, disk(t, 1), Options{}).Result(), analyse(t, disk(t, 10), Options{}).Result()
	var b strings.Builder
	if err := WriteComparisonSVG(&b, "two", Compare("good.reel", x, "bad.reel", y)); err != nil {
		t.Fatal(err)
	}
	if n := counted(t, titles(t, b.String())); n != x.Events+y.Events {
		t.Errorf("the bars hold %d calls of %d", n, x.Events+y.Events)
	}
}

// The map of offsets counts every call once, in its second and its place there,
// in whatever order parts of it are merged; phases too.
func TestSubsecond(t *testing.T) {
	file := disk(t, 1)
	a := analyse(t, file, Options{Subsecond: true, By: analyze.ByPhase})
	a.Merge(analyse(t, file, Options{Subsecond: true, By: analyze.ByPhase}))
	r := a.Result()
	m := r.Subsecond
	sum := uint64(0)
	for _, row := range m.Rows {
		if row.High-row.Low != offsetStep || row.Low%offsetStep != 0 || row.High > 1e9 {
			t.Errorf("a row from %d to %d", row.Low, row.High)
		}
		for _, n := range row.Counts {
			sum += n
		}
	}
	phases := uint64(0)
	for i := range r.Rows {
		phases += r.Rows[i].Count
	}
	if sum != r.Events || phases != r.Events || m.ColumnNs != 1e9 || r.Events != 2*332 {
		t.Errorf("the map holds %d calls, phases %d, of %d, in columns of %d ns", sum, phases, r.Events, m.ColumnNs)
	}
	whole := m.seconds(subsecondLines)
	sum = 0
	for _, row := range whole.Rows {
		for _, n := range row.Counts {
			sum += n
		}
	}
	if len(whole.Rows) != subsecondLines || sum != r.Events {
		t.Errorf("%d rows hold %d calls of %d", len(whole.Rows), sum, r.Events)
	}
}
