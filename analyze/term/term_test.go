package term

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"unicode"
)

func TestDuration(t *testing.T) {
	for ns, want := range map[int64]string{
		0: "0 ns", 999: "999 ns", 1000: "1.00 µs", 1254: "1.25 µs", 9994: "9.99 µs", 9996: "10.0 µs", 99_949: "99.9 µs", 99_960: "100 µs",
		999_499: "999 µs", 999_500: "1.00 ms", 38_123_000: "38.1 ms", 1_000_000_000: "1.00 s", 99_949_000_000: "99.9 s", 99_950_000_000: "1m39s",
		245_000_000_000: "4m05s", 11_520_000_000_000: "3h12m", -1500: "-1.50 µs",
	} {
		if got := Duration(ns); got != want {
			t.Errorf("%d ns is written %q, want %q", ns, got, want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for n, want := range map[uint64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", 1<<64 - 1: "18,446,744,073,709,551,615"} {
		if got := Count(n); got != want {
			t.Errorf("%d is written %q", n, got)
		}
	}
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.00 KiB", 1536: "1.50 KiB", 1023 * 1024: "1.00 MiB", 5 << 30: "5.00 GiB", 1<<63 - 1: "8.00 EiB"} {
		if got := Bytes(n); got != want {
			t.Errorf("%d is written %q, want %q", n, got, want)
		}
	}
}

// Text of the traced machine cannot move the cursor or change colours.
func FuzzSafe(f *testing.F) {
	for _, s := range []string{"plain", "tab\there", "\x1b[2J", "\xff\xfe", "é\u202e\u0085", "\x00", "日本"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Safe(s)
		for _, r := range got {
			if !unicode.IsPrint(r) {
				t.Errorf("%q becomes %q", s, got)
			}
		}
		for _, n := range []int{0, 1, 2, 5, 80} {
			if Len(Fit(got, n)) > n || Len(FitHead(got, n)) > n {
				t.Errorf("%q does not fit %d columns: %q %q", got, n, Fit(got, n), FitHead(got, n))
			}
		}
	})
}

// A document stays the same document, and holds nothing that a terminal obeys.
func TestSafeJSON(t *testing.T) {
	in := map[string]string{"é\x7f\u009b31m\u202e": "日本 \U000e0001 \x1b[0m \u00a0 \"\\"}
	doc, err := json.MarshalIndent(in, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	got := SafeJSON(doc)
	for _, r := range string(got) {
		if r != '\n' && r != '\t' && !unicode.IsPrint(r) {
			t.Errorf("%U is left in %q", r, got)
		}
	}
	var out map[string]string
	if err := json.Unmarshal(got, &out); err != nil || !maps.Equal(in, out) {
		t.Errorf("%s: %v", got, err)
	}
}

func TestBar(t *testing.T) {
	for share, want := range map[float64]string{0: "", 1e-9: "▏", 0.5: "██", 0.53: "██▏", 1: "████", 2: "████"} {
		if got := Bar(share, 4); got != want {
			t.Errorf("a bar of %v is %q, want %q", share, got, want)
		}
	}
}

func TestTable(t *testing.T) {
	table := Table{Columns: []Column{{Title: "n", Right: true}, {Title: "extra", Optional: 2}, {Title: "more", Optional: 1}, {Title: "name", Flex: true}}}
	table.Row("1", "aaaaaaaaaa", "b", "/a/very/long/path/to/some/file/that/does/not/fit")
	table.Row("1,000", "", "", "x\n")
	for width, want := range map[int]string{
		100: "    n  extra       more  name\n    1  aaaaaaaaaa  b     /a/very/long/path/to/some/file/that/does/not/fit\n1,000                    x\\n\n",
		60:  "    n  extra       more  name\n    1  aaaaaaaaaa  b     /a/very/lon…/file/that/does/not/fit\n1,000                    x\\n\n",
		50:  "    n  more  name\n    1  b     /a/very/long…e/file/that/does/not/fit\n1,000        x\\n\n",
	} {
		var b strings.Builder
		if err := table.Write(&b, Options{Width: width}); err != nil {
			t.Fatal(err)
		}
		if b.String() != want {
			t.Errorf("at %d columns\n%s\nwant\n%s", width, b.String(), want)
		}
	}
}
