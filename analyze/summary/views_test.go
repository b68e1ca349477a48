package summary

import (
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"sysreel/analyze"
	"sysreel/analyze/term"
	"sysreel/analyze/tracetest"
	"sysreel/proto/tracefile"
)

// What each thread's time went to, worked out by hand.
func TestThreads(t *testing.T) {
	r := analyse(t, service(t, 0), Options{Threads: true}).Result()
	type line struct {
		name, waits                   string
		seen, waiting, calls, outside int64
	}
	var got []line
	for _, x := range r.ThreadTimes {
		l := line{name: fmt.Sprintf("%s/%d", x.Name, x.TID), seen: x.SeenNs, waiting: x.WaitingNs, calls: x.CallsNs, outside: x.OutsideNs}
		for _, w := range x.Waits {
			l.waits += fmt.Sprintf("%s %d #%d; ", w.For, w.TotalNs, w.MaxEvent)
		}
		got = append(got, l)
		if x.SeenNs != x.WaitingNs+x.CallsNs+x.OutsideNs {
			t.Errorf("%s: %d ns are not %d and %d and %d", l.name, x.SeenNs, x.WaitingNs, x.CallsNs, x.OutsideNs)
		}
	}
	want := []line{
		{"server/102", "futex 0x0 of server[101] 61222000 #0; ", 61_222_000, 61_222_000, 0, 0},
		{"sh/100", "child server[101] 31000000 #29; ", 61_772_000, 31_000_000, 250_000, 30_522_000},
		{"server/101", "accept TCP:[#19] 30000000 #20; write 10.0.0.7:4433 60000 #22; read 10.0.0.7:4433 40000 #21; write /dev/pts/0 8000 #24; ", 30_522_000, 30_108_000, 414_000, 0},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	for name, o := range map[string]RenderOptions{"threads80.txt": {Width: 80}, "threads200.txt": {Width: 200}} {
		var b strings.Builder
		threadTimes(&b, r, o, term.Options{Width: o.Width})
		golden(t, name, b.String())
		checkWidth(t, b.String(), o.Width)
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

// Parts of a trace and several traces give the same thread times in any order.
func TestThreadsMerge(t *testing.T) {
	one, two := service(t, 0), service(t, 77)
	merge := func(files ...int) string {
		var sum *Analysis
		for _, i := range files {
			part := analyse(t, [][]byte{one, two}[i], Options{Threads: true, By: analyze.ByPhase, File: i})
			if sum == nil {
				sum = part
			} else {
				sum.Merge(part)
			}
		}
		r := sum.Result()
		data, err := json.Marshal([]any{r.ThreadTimes, r.Rows})
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	if a, b := merge(0, 1), merge(1, 0); a != b {
		t.Errorf("merged the other way round:\n%s\n%s", a, b)
	}
}

// Phases have every call, in the phase in which it began, and come in order.
func TestPhases(t *testing.T) {
	b := tracetest.New(t)
	th := b.Process(100, tracefile.Thread{}, tracetest.Program("/bin/tick", "tick"))
	for i := range 50 {
		b.Call(th, "getpid", 1000, 100)
		if i%10 == 9 {
			b.Call(th, "clock_nanosleep", 10_000_000, 0, 0, 0, 0, 0)
		}
	}
	r := analyse(t, b.Bytes(), Options{By: analyze.ByPhase}).Result()
	r.Sort(ByTotal)
	var got []string
	for i := range r.Rows {
		got = append(got, fmt.Sprintf("%s: %d", r.Rows[i].Name, r.Rows[i].Calls))
	}
	want := "0 … 2 ms: 11, 10 ms … 12 ms: 11, 20 ms … 22 ms: 11, 30 ms … 32 ms: 11, 40 ms … 42 ms: 11" // 24 phases at most
	if s := strings.Join(got, ", "); s != want {
		t.Errorf("phases are %s, want %s", s, want)
	}
}

func TestSideBySide(t *testing.T) {
	names := []string{"good.reel", "a/very/long/name/of/a/directory/that/does/not/fit/bad.reel"}
	c := SideBySide(names, []*Result{analyse(t, service(t, 0), Options{Roles: true}).Result(), analyse(t, disk(t), Options{Roles: true}).Result()})
	for name, o := range map[string]RenderOptions{"columns80.txt": {Width: 80}, "columns200.txt": {Width: 200}} {
		var b strings.Builder
		if err := RenderColumns(&b, c, o); err != nil {
			t.Fatal(err)
		}
		golden(t, name, b.String())
		checkWidth(t, b.String(), o.Width)
	}
	// The comma-separated values are the rows' own.
	var b strings.Builder
	if err := WriteColumnsCSV(&b, c); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	n := 1
	for _, row := range c.Rows {
		for i, x := range row.Cells {
			if x == nil {
				continue
			}
			if l := lines[n]; l[0] != names[i] || l[1] != row.Name || l[2] != strconv.FormatUint(x.Calls, 10) || l[6] != strconv.FormatInt(x.TotalNs, 10) {
				t.Errorf("line %d is %q, not %s of trace %d", n, l, row.Name, i)
			}
			n++
		}
	}
	if n != len(lines) {
		t.Errorf("%d lines, want %d", len(lines), n)
	}
	// Many traces still fit, with what matters most.
	results := make([]*Result, 7)
	for i := range results {
		results[i] = analyse(t, service(t, int64(i)), Options{Roles: true, By: analyze.ByProcess}).Result()
	}
	b.Reset()
	if err := RenderColumns(&b, SideBySide(make([]string, 7), results), RenderOptions{Width: 120}); err != nil {
		t.Fatal(err)
	}
	checkWidth(t, b.String(), 120)
	if !strings.Contains(b.String(), "G total") || !strings.Contains(b.String(), "server") {
		t.Errorf("seven traces:\n%s", b.String())
	}
}

// disk is a program that reads and syncs.
func disk(t testing.TB) []byte {
	b := tracetest.New(t)
	th := b.Process(200, tracefile.Thread{}, tracetest.Program("/usr/bin/disk", "disk"))
	for i := range int64(30) {
		b.Call(th, "read", 1500+i%7*100, 512, 0, tracetest.Out("x"), 512)
		b.Call(th, "fsync", 400_000+i*1000, -5, 0)
	}
	return b.Bytes()
}

// The picture has the numbers of the rows, and hostile names stay text.
func TestSVG(t *testing.T) {
	r := analyse(t, service(t, 0), Options{}).Result()
	r.Rows[1].Name = "</title><script>x</script>\x1b]\u202e"
	var b, again strings.Builder
	for _, w := range []*strings.Builder{&b, &again} {
		if err := WriteSVG(w, `where "the" <time> went`, r, 0); err != nil {
			t.Fatal(err)
		}
	}
	if b.String() != again.String() {
		t.Error("drawn again it is another picture")
	}
	var doc struct {
		Rects []struct {
			Title string `xml:"title"`
		} `xml:"rect"`
		Texts []string `xml:"text"`
	}
	if err := xml.Unmarshal([]byte(b.String()), &doc); err != nil {
		t.Fatalf("not XML: %v\n%s", err, b.String())
	}
	if strings.Contains(b.String(), "<script") || strings.ContainsAny(b.String(), "\x1b\u202e") {
		t.Errorf("a name is more than text:\n%s", b.String())
	}
	tips := make(map[string]bool)
	for _, x := range doc.Rects {
		tips[x.Title] = true
	}
	texts := make(map[string]bool)
	for _, x := range doc.Texts {
		texts[x] = true
	}
	for i := range r.Rows {
		x := &r.Rows[i]
		name := term.Safe(x.Name)
		if x.returned+x.Unfinished > 0 && !texts[fmt.Sprintf("%s, %s", term.Duration(x.TotalNs), term.Percent(float64(x.TotalNs)/float64(r.ThreadNs)))] {
			t.Errorf("no time of %s", name)
		}
		if x.Calls > x.Errors && !tips[fmt.Sprintf("%s: %s", name, term.Plural(x.Calls, "call"))] {
			t.Errorf("no calls of %s", name)
		}
		if x.Errors > 0 && !tips[fmt.Sprintf("%s: %s failed: %s", name, term.Plural(x.Errors, "call"), x.errnoList())] {
			t.Errorf("no errors of %s", name)
		}
	}
	b.Reset()
	if err := WriteSVG(&b, "", &Result{By: "file"}, 0); err != nil || !strings.Contains(b.String(), "no calls") {
		t.Errorf("nothing: %v\n%s", err, b.String())
	}
}
