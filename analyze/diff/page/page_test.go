package page_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"html"
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"sysreel/analyze"
	"sysreel/analyze/diff"
	"sysreel/analyze/diff/page"
	"sysreel/analyze/tracetest"
	"sysreel/proto/tracefile"
)

const atFDCWD, enoent = -100, -2

// source makes a trace of what script does.
func source(t *testing.T, name string, script func(b *tracetest.Builder)) diff.Source {
	t.Helper()
	b := tracetest.New(t)
	b.Header.Uuid = []byte((name + "0123456789abcdef")[:16])
	script(b)
	file := b.Bytes()
	return diff.Source{Name: name, Open: func() (*analyze.Trace, error) {
		return &analyze.Trace{Reader: tracetest.Reader(t, file), Name: name}, nil
	}}
}

func traceFile(name string) diff.Source {
	path := filepath.Join("..", "..", "..", "testdata", "traces", name)
	return diff.Source{Name: name, Open: func() (*analyze.Trace, error) {
		return analyze.Open(path, nil, tracefile.ReaderOptions{})
	}}
}

// write compares and returns the page.
func write(t *testing.T, good, bad diff.Source, maxEvents int) (string, *diff.Result) {
	t.Helper()
	r, err := diff.Compare(context.Background(), diff.Options{Good: []diff.Source{good}, Bad: []diff.Source{bad}, Detail: true})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	err = page.Write(context.Background(), &b, r, page.Options{Good: []diff.Source{good}, Bad: []diff.Source{bad}, MaxEvents: maxEvents})
	if err != nil {
		t.Fatal(err)
	}
	return b.String(), r
}

var scripts = regexp.MustCompile(`(?s)<script([^>]*)>(.*?)</script>`)

// parts takes a page apart: its scripts by their id ("" of the one that runs),
// and what is left of the page.
func parts(t *testing.T, text string) (map[string]string, string) {
	t.Helper()
	out := map[string]string{}
	for _, m := range scripts.FindAllStringSubmatch(text, -1) {
		id := ""
		if x := regexp.MustCompile(`id="([^"]*)"`).FindStringSubmatch(m[1]); x != nil {
			id = x[1]
		}
		if _, twice := out[id]; twice {
			t.Fatalf("two scripts %q", id)
		}
		out[id] = m[2]
	}
	return out, scripts.ReplaceAllString(text, "")
}

// elements counts the elements of the page, which must be well-formed.
func elements(t *testing.T, text string) map[string]int {
	t.Helper()
	_, rest := parts(t, text)
	rest = regexp.MustCompile(`(?s)<style>.*?</style>`).ReplaceAllString(strings.TrimPrefix(rest, "<!DOCTYPE html>"), "<style></style>")
	d := xml.NewDecoder(strings.NewReader(rest))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	count := map[string]int{}
	for {
		token, err := d.Token()
		if err == io.EOF {
			return count
		}
		if err != nil {
			t.Fatalf("the page is not well-formed: %v", err)
		}
		if e, ok := token.(xml.StartElement); ok {
			count[e.Name.Local]++
			for _, a := range e.Attr {
				if name := strings.ToLower(a.Name.Local); strings.HasPrefix(name, "on") || name == "style" || name == "src" {
					t.Errorf("<%s %s=%q>", e.Name.Local, a.Name.Local, a.Value)
				}
				if a.Name.Local == "href" && !strings.HasPrefix(a.Value, "#") {
					t.Errorf("a link to %q", a.Value)
				}
			}
		}
	}
}

type rows struct {
	Texts   []string
	Threads []struct {
		Kinds, Sides string
		Left         []int
		Good, Bad    struct{ Num, Text, Start, Duration []int64 }
	}
}

// chunks decodes the calls of a page.
func chunks(t *testing.T, text string) []rows {
	t.Helper()
	found, _ := parts(t, text)
	var out []rows
	for i := 0; ; i++ {
		packed, ok := found[fmt.Sprintf("rows-%d", i)]
		if !ok {
			return out
		}
		z, err := gzip.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(packed)))
		if err != nil {
			t.Fatal(err)
		}
		var r rows
		if err := json.NewDecoder(z).Decode(&r); err != nil {
			t.Fatalf("chunk %d: %v", i, err)
		}
		out = append(out, r)
	}
}

// hostile are texts that would take over a page, or a reader's eyes.
var hostile = []string{
	`</script><script>alert(1)</script>`, `<!--<script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`,
	"\u202egnp.exe", "\u2066isolated\u2069", "\u200bzero", "bell\a and \x1b[31mred", "\xff\xfe not UTF-8", "{{.Secret}}", "`${alert(1)}`",
	`javascript:alert(1)`, "&lt;already&gt;", "line\u2028separator", "]]>", "\x7f", "é ü 漢字 🎉",
}

func hostileRun(bad bool) func(b *tracetest.Builder) {
	return func(b *tracetest.Builder) {
		p := b.Process(10, tracefile.Thread{}, nil)
		b.Exec(p, tracetest.Program("/usr/bin/"+hostile[0], append([]string{hostile[0]}, hostile...)...))
		for i, s := range hostile {
			ret := int64(3)
			if bad && i%2 == 0 {
				ret = enoent
			}
			b.Call(p, "openat", 1000, ret, atFDCWD, "/data/"+s, 0)
			if bad {
				b.Call(p, "write", 1000, int64(len(s)), 2, tracetest.In(s+": No such file or directory\n"), len(s))
			}
		}
		status := int32(0)
		if bad {
			status = 1 << 8
		}
		b.Exit(p, status)
	}
}

// Nothing that a trace contains is more than text, and no text changes how
// others look.
func TestHostile(t *testing.T) {
	text, r := write(t, source(t, hostile[2], hostileRun(false)), source(t, hostile[4], hostileRun(true)), 0)
	if len(r.Findings) == 0 {
		t.Fatal("no findings, so nothing is tested")
	}
	plain, _ := write(t, traceFile("git-good.reel"), traceFile("git-bad.reel"), 0)
	want := elements(t, plain)
	for name, n := range elements(t, text) {
		if want[name] == 0 && name != "aside" && name != "ul" && name != "li" {
			t.Errorf("%d elements <%s>, which an honest page does not have", n, name)
		}
	}
	if n := strings.Count(text, "<script"); n != 3 {
		t.Errorf("%d scripts, want the model, a chunk and the one that runs", n)
	}
	check := func(where, s string) {
		for i, c := range s {
			if c != '\n' && (c == unicode.ReplacementChar || !unicode.IsPrint(c)) {
				t.Fatalf("%s has %U: %q", where, c, s[max(0, i-20):min(len(s), i+20)])
			}
		}
	}
	check("the page", html.UnescapeString(text))
	for _, c := range chunks(t, text) {
		for _, s := range c.Texts {
			check("a call", s)
		}
	}
	found, _ := parts(t, text)
	var model struct {
		Threads []struct{ Rows int }
		Files   []string
	}
	if err := json.Unmarshal([]byte(found["model"]), &model); err != nil {
		t.Fatal(err)
	}
	if len(model.Threads) != 1 || model.Files[0] != hostile[2] {
		t.Errorf("model %+v", model)
	}
}

func TestDeterministic(t *testing.T) {
	first, _ := write(t, traceFile("git-good.reel"), traceFile("git-bad.reel"), 0)
	for range 3 {
		if again, _ := write(t, traceFile("git-good.reel"), traceFile("git-bad.reel"), 0); again != first {
			t.Fatal("the same comparison gave another page")
		}
	}
}

// Only the style and the script of the page itself may act.
func TestPolicy(t *testing.T) {
	text, _ := write(t, traceFile("git-good.reel"), traceFile("git-bad.reel"), 0)
	found, _ := parts(t, text)
	style := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindStringSubmatch(text)[1]
	sum := func(s string) string {
		h := sha256.Sum256([]byte(s))
		return "'sha256-" + base64.StdEncoding.EncodeToString(h[:]) + "'"
	}
	want := "default-src 'none'; style-src " + sum(style) + "; script-src " + sum(found[""]) + "; base-uri 'none'; form-action 'none'"
	policy := regexp.MustCompile(`http-equiv="Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(text)
	if policy == nil || html.UnescapeString(policy[1]) != want {
		t.Errorf("policy %v, want %s", policy, want)
	}
	if m := regexp.MustCompile(`https?://|url\(|@import`).FindString(text); m != "" {
		t.Errorf("the page has %q", m)
	}
}

// Every event of both runs is in the page, once, in order.
func TestWhole(t *testing.T) {
	text, r := write(t, traceFile("git-good.reel"), traceFile("git-bad.reel"), 0)
	var seen [2]uint64
	for _, c := range chunks(t, text) {
		for _, th := range c.Threads {
			var both [2]int
			for i, side := range th.Sides {
				if side != '0' {
					both[1]++
				}
				if side != '1' {
					both[0]++
				}
				if side == '2' && strings.ContainsRune("-+/", rune(th.Kinds[i])) {
					t.Errorf("row %d of kind %c has both sides", i, th.Kinds[i])
				}
			}
			for s, col := range [][]int64{th.Good.Num, th.Bad.Num} {
				if len(col) != both[s] {
					t.Errorf("side %d: %d events for %d rows", s, len(col), both[s])
				}
				for i, d := range col {
					if d <= 0 {
						t.Errorf("side %d: event %d follows by %d", s, i, d)
					}
				}
				seen[s] += uint64(len(col))
			}
		}
	}
	if seen != [2]uint64{r.Good[0].Events, r.Bad[0].Events} {
		t.Errorf("%d events in the page, %d and %d in the runs", seen, r.Good[0].Events, r.Bad[0].Events)
	}
	if strings.Contains(text, "events of the two runs: those near") {
		t.Error("the page says that it leaves something out")
	}
}

// long is a run of many calls, of which one near the end fails.
func long(n int, bad bool) func(b *tracetest.Builder) {
	return func(b *tracetest.Builder) {
		b.PerBlock = 4096
		p := b.Process(10, tracefile.Thread{}, nil)
		b.Exec(p, tracetest.Program("/usr/bin/prog", "prog"))
		for i := range n {
			ret := int64(3)
			if bad && i == n*3/4 {
				ret = enoent
			}
			b.Call(p, "openat", 1000, ret, atFDCWD, fmt.Sprintf("/data/%c%c%c", 'a'+i/676%26, 'a'+i/26%26, 'a'+i%26), 0)
			b.Call(p, "mmap", 1000, 0x7f0000000000+int64(i)*4096, 0, 4096, 3, 2, 3, 0)
			b.Call(p, "close", 1000, 0, 3)
		}
		if bad {
			b.Exit(p, 1<<8)
		} else {
			b.Exit(p, 0)
		}
	}
}

// A page keeps to its size; what findings name is in it.
func TestCap(t *testing.T) {
	const n, limit = 5_000, 3_000
	text, r := write(t, source(t, "good", long(n, false)), source(t, "bad", long(n, true)), limit)
	events, failed := 0, false
	for _, c := range chunks(t, text) {
		for _, th := range c.Threads {
			num := int64(0)
			for i, d := range th.Bad.Num {
				num += d
				if uint64(num) == r.Findings[0].Bad.Event {
					failed = strings.Contains(c.Texts[th.Bad.Text[i]], "ENOENT")
				}
			}
			events += len(th.Good.Num) + len(th.Bad.Num)
			if !strings.Contains(th.Kinds, "/") || len(th.Left) == 0 {
				t.Error("no row says that calls are left out")
			}
		}
	}
	if events > limit || events < 100 {
		t.Errorf("%d events in a page of at most %d", events, limit)
	}
	if !failed {
		t.Error("the event that the first finding names is not in the page")
	}
	if !strings.Contains(text, "of the 30,00") {
		t.Error("the page does not say what it leaves out")
	}
	whole, _ := write(t, source(t, "good", long(n, false)), source(t, "bad", long(n, true)), 0)
	if len(whole) < 2*len(text) {
		t.Errorf("%d bytes with everything, %d without", len(whole), len(text))
	}
}

func TestSame(t *testing.T) {
	text, r := write(t, traceFile("git-good.reel"), traceFile("git-good.reel"), 0)
	if r.Verdict != diff.Same || !strings.Contains(text, "The runs did the same: both ended well (exit 0).") {
		t.Error("the page of a run and itself does not say so")
	}
	elements(t, text)
}
