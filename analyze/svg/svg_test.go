package svg

import (
	"encoding/xml"
	"io"
	"strings"
	"testing"
	"unicode"
)

// wellFormed decodes a picture and returns its texts.
func wellFormed(t *testing.T, picture string) []string {
	t.Helper()
	var texts []string
	d := xml.NewDecoder(strings.NewReader(picture))
	for {
		token, err := d.Token()
		if err == io.EOF {
			return texts
		}
		if err != nil {
			t.Fatalf("not XML: %v\n%s", err, picture)
		}
		switch token := token.(type) {
		case xml.StartElement:
			switch token.Name.Local {
			case "svg", "title", "style", "rect", "text", "path":
			default:
				t.Fatalf("an element %q", token.Name.Local)
			}
			for _, a := range token.Attr {
				if strings.HasPrefix(a.Name.Local, "on") || a.Name.Local == "href" {
					t.Errorf("an attribute %q", a.Name.Local)
				}
			}
		case xml.CharData:
			texts = append(texts, string(token))
		}
	}
}

// Text of the traced machine stays text.
func FuzzText(f *testing.F) {
	for _, s := range []string{"plain", "</text><script>alert(1)</script>", `" onload="x`, "]]>&amp;<!--", "\x00\x1b[2J\u202e", "\xff\xfe", "日本\ufffe", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p := New(s)
		y := p.Take(40)
		p.Text(0, y, Text, s)
		p.TextEnd(0, y, Note, Fit(s, 50, 12))
		p.TextUp(0, y, Note, s)
		p.Rect(0, y, 1, 1, First, s)
		p.Legend(0, y, Key{Class: Bad, Text: s})
		var b strings.Builder
		if _, err := p.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		for _, text := range wellFormed(t, b.String()) {
			for _, r := range text {
				if r != '\n' && !unicode.IsPrint(r) {
					t.Errorf("%U is left in %q", r, text)
				}
			}
		}
	})
}

// Ticks are within the scale, at round values, and not too many.
func TestTicks(t *testing.T) {
	for _, e := range [][]int64{{100, 1000}, {0, 1, 2}, {8000, 10_000, 12_600}, {1, 1 << 62}, {5, 6}} {
		s := Log(e, 100, 900)
		for _, tick := range s.Durations(50) {
			if tick.At < 99.9 || tick.At > 900.1 {
				t.Errorf("%v: a tick %q at %v", e, tick.Label, tick.At)
			}
		}
		last := -100.0
		for _, tick := range s.Durations(50) {
			if tick.Label != "" {
				if tick.At-last < 49 {
					t.Errorf("%v: %q is %v pixels behind the one before", e, tick.Label, tick.At-last)
				}
				last = tick.At
			}
		}
	}
	for _, most := range []float64{1, 2, 3, 7, 100, 12345, 1e15} {
		ticks := Linear(0, most, 0, 100).Linearly(4, func(v int64) string { return Duration(v) })
		if len(ticks) < 2 || len(ticks) > 6 || ticks[0].Label != "0" {
			t.Errorf("up to %v: %v", most, ticks)
		}
	}
}

func TestFit(t *testing.T) {
	for _, s := range []string{"short", strings.Repeat("long", 50), strings.Repeat("日本", 50)} {
		if got := Fit(s, 100, 12); TextWidth(got, 12) > 100 || got == "" {
			t.Errorf("%q does not fit", got)
		}
	}
}
