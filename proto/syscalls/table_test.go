package syscalls

import (
	"os"
	"sort"
	"testing"
)

func TestMain(m *testing.M) {
	testing_ = true
	os.Exit(m.Run())
}

// every compiles all calls of an architecture and returns what is wrong with
// the embedded text.
func every(a Arch) []error {
	for _, d := range All(a) {
		d.Variants()
	}
	return tables[a].problems
}

func TestTableIsSound(t *testing.T) {
	if _, err := loadRows(); err != nil {
		t.Fatal(err)
	}
	if _, err := loadFlags(); err != nil {
		t.Fatal(err)
	}
	if _, err := loadTypes(); err != nil {
		t.Fatal(err)
	}
	for a := AMD64; a <= I386; a++ {
		seen := map[string]int{}
		for _, err := range every(a) {
			seen[err.Error()]++
		}
		var list []string
		for s := range seen {
			list = append(list, s)
		}
		sort.Strings(list)
		for _, s := range list {
			t.Errorf("%v: %s", a, s)
		}
	}
}
