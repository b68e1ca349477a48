package symbols

import (
	"bytes"
	"compress/gzip"
	"debug/elf"
	"io"
	"os"
	"path/filepath"
	"testing"

	"sysreel/proto/tracefile"
)

// debugged returns a program of testdata/lines.c, built in /src:
//
//	gcc -O0 -g -gdwarf-5 -fdebug-prefix-map=$PWD=/src -shared -nostdlib -Wl,--build-id=none
func debugged(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".gz"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if b, err = io.ReadAll(r); err != nil {
		t.Fatal(err)
	}
	return b
}

// Addresses have the lines that libdw says (eu-addr2line).
func TestPositions(t *testing.T) {
	for _, name := range []string{"lines4.so", "lines5.so"} {
		file := debugged(t, name)
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), file, 0o600); err != nil {
			t.Fatal(err)
		}
		f := New(Options{Dirs: []string{dir}})
		for _, tt := range []struct {
			addr  uint64
			exact bool
			want  string
		}{
			{0x1000, true, ""}, {0x101f, true, ""}, {0x1020, true, "/src/twice.h:2"}, {0x1026, true, "/src/twice.h:2"}, {0x1027, true, "/src/twice.h:3"},
			{0x102c, true, "/src/twice.h:4"}, {0x102c, false, "/src/twice.h:3"}, {0x102e, true, "/src/lines.c:6"}, {0x1046, false, "/src/lines.c:7"},
			{0x1073, true, "/src/lines.c:16"}, {0x1074, true, "/src/lines.c:16"}, {0x1075, true, ""}, {0x1075, false, "/src/lines.c:16"}, {^uint64(0), true, ""},
		} {
			s := &tracefile.Stack{Object: &tracefile.Object{Path: "/x/" + name, Size: uint64(len(file))}, Offset: tt.addr, Exact: tt.exact}
			for range 2 { // found, and remembered
				got := ""
				if p, ok := f.Position(s); ok {
					got = p.String()
				}
				if got != tt.want {
					t.Errorf("%s %#x %v: %q, want %q", name, tt.addr, tt.exact, got, tt.want)
				}
			}
		}
	}
}

// Names are put together as libdw does it.
func TestJoinNames(t *testing.T) {
	dirs := []entry{{name: "./io"}, {name: "../sysdeps"}, {name: "/usr/include"}, {}}
	got := joinNames("/ignored", dirs, []entry{{"a.c", 0}, {"b.c", 1}, {"c.h", 2}, {"/d.h", 1}, {"e.c", 3}, {"f.c", 9}})
	for i, want := range []string{"./io/./io/a.c", "./io/../sysdeps/b.c", "/usr/include/c.h", "/d.h", "e.c", "f.c"} {
		if got[i] != want {
			t.Errorf("%q, want %q", got[i], want)
		}
	}
}

// Damaged debugging information is survived: bytes of its sections are changed.
func FuzzLines(f *testing.F) {
	files := [][]byte{debugged(f, "lines4.so"), debugged(f, "lines5.so")}
	f.Add(uint8(0), []byte{})
	for seed := range 24 {
		change := make([]byte, 0, 64)
		for i := range 16 {
			n := uint32(seed*7919+i*104729) * 2654435761
			change = append(change, byte(n>>24), byte(n>>16), byte(n>>9), byte(n>>3))
		}
		f.Add(uint8(seed), change)
	}
	f.Fuzz(func(t *testing.T, which uint8, change []byte) {
		file := bytes.Clone(files[int(which)%len(files)])
		e, err := elf.NewFile(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		names := []string{".debug_info", ".debug_abbrev", ".debug_line", ".debug_line_str", ".debug_str", ".debug_ranges", ".debug_rnglists"}
		for ; len(change) >= 4; change = change[4:] {
			s := e.Section(names[int(change[0])%len(names)])
			if s != nil && s.FileSize > 0 {
				file[s.Offset+(uint64(change[1])<<8|uint64(change[2]))%s.FileSize] = change[3]
			}
		}
		e, err = elf.NewFile(bytes.NewReader(file))
		if err != nil {
			return
		}
		l := newLines(e)
		if l == nil {
			return
		}
		for addr := uint64(0x1000); addr < 0x1080; addr++ {
			l.find(addr)
		}
		for _, u := range l.units[:min(len(l.units), 64)] {
			l.find(u.from)
			l.find(u.to - 1)
		}
	})
}
