package syscalls

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// readLists parses testdata/strace-sets.txt.
func readLists(t *testing.T, file string) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lists := map[string][]string{}
	name := ""
	for line := range strings.SplitSeq(string(text), "\n") {
		switch {
		case strings.HasPrefix(line, "#") || line == "":
		case line[0] == '\t':
			lists[name] = append(lists[name], strings.Fields(line)...)
		default:
			name = line
		}
	}
	return lists
}

func TestClassesAreStraces(t *testing.T) {
	lists := readLists(t, "testdata/strace-sets.txt")
	if len(lists["all"]) < 300 || len(lists) < 18 {
		t.Fatalf("%d calls in %d lists", len(lists["all"]), len(lists))
	}
	for class, want := range lists {
		if class == "all" {
			continue
		}
		s, err := ParseSet(class)
		if err != nil {
			t.Errorf("%s: %v", class, err)
			continue
		}
		for _, name := range lists["all"] {
			d := ByName(AMD64, name)
			if d == nil {
				t.Errorf("%s is in no row", name)
				continue
			}
			if in, wanted := s.Has(d), slices.Contains(want, name); in != wanted {
				t.Errorf("%s: %s is in the set: %v, strace says %v", class, name, in, wanted)
			}
		}
	}
}

func TestParseSet(t *testing.T) {
	for _, c := range []struct {
		expr    string
		in, out string
	}{
		{"openat,read", "openat read", "open write close"},
		{"!openat,read", "open write close", "openat read"},
		{"all", "openat read", ""},
		{"none", "", "openat read"},
		{"!all", "", "openat read"},
		{"!none", "openat read", ""},
		{"%file", "openat execve newfstatat", "read close"},
		{"file", "openat execve", "read close"},
		{"stat", "stat", "lstat newfstatat"},
		{"%%stat", "stat lstat fstat newfstatat statx", "statfs open"},
		{"/^open", "open openat openat2 open_by_handle_at", "mq_open"},
		{"/open", "mq_open open", "read"},
		{"%network,close", "socket connect close", "openat"},
		{"?nosuchcall,read", "read", "write"},
		{"0", "read", "write"},
		{"read@64", "read", "write"},
		{"!%desc", "getpid", "read"},
	} {
		s, err := ParseSet(c.expr)
		if err != nil {
			t.Errorf("%s: %v", c.expr, err)
			continue
		}
		for _, name := range strings.Fields(c.in) {
			if !s.Has(ByName(AMD64, name)) {
				t.Errorf("%s: %s is not in it", c.expr, name)
			}
		}
		for _, name := range strings.Fields(c.out) {
			if s.Has(ByName(AMD64, name)) {
				t.Errorf("%s: %s is in it", c.expr, name)
			}
		}
		nrs := s.NRs(AMD64)
		for _, d := range All(AMD64) {
			if _, found := slices.BinarySearch(nrs, d.NR); found != s.Has(d) {
				t.Errorf("%s: %s: NRs and Has disagree", c.expr, d.Name)
			}
		}
	}
	for expr, want := range map[string]string{
		"opena":      `"opena" is no system call`,
		"read,wirte": `"wirte" is no system call`,
		"%nosuch":    "%nosuch is not a class",
		"/(":         "missing closing )",
		"":           "is empty",
		"read,":      `"" is no system call`,
		"read@16":    "@16 is none of",
		"waitpid@64": `"waitpid" is no system call`,
	} {
		if _, err := ParseSet(expr); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseSet(%q): error %v, want %q", expr, err, want)
		}
	}
	s, _ := ParseSet("read@32")
	if s.Has(ByName(AMD64, "read")) || !s.Has(ByName(I386, "read")) {
		t.Error("read@32 is not i386's read alone")
	}
	s, _ = ParseSet("?/^frob")
	if !s.HasName("frobnicate") || s.HasName("read") {
		t.Error("a regular expression does not choose an unknown call")
	}
}
