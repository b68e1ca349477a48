package spill

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// sums is a codec of counters under names.
type sums struct{}

func (sums) Slot(k string) uint32                   { return Text(k) }
func (sums) Note(k string) int                      { return len(k) + 8 }
func (sums) AppendKey(b []byte, k string) []byte    { return append(b, k...) }
func (sums) Key(b []byte) (string, error)           { return string(b), nil }
func (sums) AppendValue(b []byte, v *uint64) []byte { return binary.AppendUvarint(b, *v) }
func (sums) Merge(into, from *uint64)               { *into += *from }
func (sums) Decode(b []byte, into *uint64) error {
	v, n := binary.Uvarint(b)
	if n != len(b) {
		return fmt.Errorf("%d bytes of %d", n, len(b))
	}
	*into += v
	return nil
}

func each(t *testing.T, table *Table[string, uint64]) map[string]uint64 {
	t.Helper()
	got := make(map[string]uint64)
	if err := table.Each(func(k string, v *uint64) error {
		if _, ok := got[k]; ok {
			t.Errorf("%q comes twice", k)
		}
		got[k] = *v
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return got
}

// However little memory there is, and in whatever order tables are merged, the
// sums are those of a map, and the first keys are its first.
func TestTable(t *testing.T) {
	for seed := range uint64(30) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		want := make(map[string]uint64)
		tables := make([]*Table[string, uint64], 1+rnd.IntN(5))
		for i := range tables {
			tables[i] = New(1+rnd.IntN(2000), sums{})
			defer tables[i].Close()
		}
		spills := 0
		for range 3000 {
			k := fmt.Sprint("key", rnd.IntN(1+rnd.IntN(500)))
			n := rnd.Uint64N(1000)
			want[k] += n
			table := tables[rnd.IntN(len(tables))]
			*table.Get(k) += n
			table.Grew(rnd.IntN(3))
		}
		sum := tables[0]
		for _, i := range rnd.Perm(len(tables) - 1) {
			sum.Merge(tables[i+1])
		}
		for range 2 { // looking changes nothing
			if got := each(t, sum); !maps.Equal(got, want) {
				t.Fatalf("seed %d: %d keys, want %d", seed, len(got), len(want))
			}
		}
		if rest, err := sum.Rest(); rest != nil || err != nil {
			t.Errorf("seed %d: %v was not put aside: %v", seed, rest, err)
		}
		spills += sum.Spills()

		type rank struct {
			n uint64
			k string
		}
		before := func(a, b *rank) bool { return a.n > b.n || a.n == b.n && a.k < b.k }
		n := 1 + rnd.IntN(20)
		first := make(map[string]uint64)
		others := 0
		err := Select(sum, n, func(k string, v *uint64) rank { return rank{*v, k} }, before, func(k string, v *uint64, in bool) error {
			if in {
				first[k] = *v
			} else {
				others++
			}
			return nil
		})
		if err != nil || len(first) != min(n, len(want)) || len(first)+others != len(want) {
			t.Fatalf("seed %d: %d first, %d others of %d: %v", seed, len(first), others, len(want), err)
		}
		for k, v := range want {
			if _, in := first[k]; in {
				continue
			}
			for fk, fv := range first {
				if before(&rank{v, k}, &rank{fv, fk}) {
					t.Fatalf("seed %d: %s with %d is not among the first %d, %s with %d is", seed, k, v, n, fk, fv)
				}
			}
		}
	}
}

// Where nothing can be put aside the sum of all is right all the same, and told
// is why.
func TestNoFile(t *testing.T) {
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "none"))
	t.Setenv("TMP", filepath.Join(t.TempDir(), "none"))
	table, second := New(500, sums{}), New(500, sums{})
	for i := range 1000 {
		*table.Get(fmt.Sprint(i)) += 1
		*second.Get(fmt.Sprint(-i)) += 2
	}
	table.Merge(second)
	sum := uint64(0)
	for _, v := range each(t, table) {
		sum += v
	}
	rest, err := table.Rest()
	if rest == nil || err == nil || sum+*rest != 3000 || sum == 0 {
		t.Errorf("%d and the rest %v: %v", sum, rest, err)
	}
	if err := table.Close(); err != nil {
		t.Error(err)
	}
}

// No file is left behind, and one that was damaged is an error.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Setenv("TMP", dir)
	table := New(100, sums{})
	for i := range 1000 {
		*table.Get(fmt.Sprint(i)) += 1
	}
	if table.Spills() == 0 {
		t.Fatal("nothing was put aside")
	}
	if err := table.out.Truncate(table.at / 2); err != nil {
		t.Fatal(err)
	}
	if err := table.Each(func(string, *uint64) error { return nil }); err == nil {
		t.Error("half a file is enough")
	}
	if err := table.Close(); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
