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

// TestSymbols checks that types of one name, and no others, have one number.
func TestSymbols(t *testing.T) {
	names := make(map[uint16]string)
	syms := make(map[string]uint16)
	for a := AMD64; a <= I386; a++ {
		for _, d := range All(a) {
			d.Variants()
		}
		for name, typ := range tables[a].types {
			if typ == nil {
				continue
			}
			if typ.Sym == 0 {
				t.Errorf("%s: no number", name)
			}
			if is, ok := names[typ.Sym]; ok && is != typ.Name {
				t.Errorf("%s and %s have number %d", is, typ.Name, typ.Sym)
			}
			if is, ok := syms[typ.Name]; ok && is != typ.Sym {
				t.Errorf("%s has numbers %d and %d", typ.Name, is, typ.Sym)
			}
			names[typ.Sym], syms[typ.Name] = typ.Name, typ.Sym
		}
	}
	if len(names) < 500 {
		t.Errorf("%d types", len(names))
	}
}
