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
