package symbols

import (
	"bytes"
	"debug/elf"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"sysreel/proto/tracefile"
)

func TestFind(t *testing.T) {
	tab := &table{all: []symbol{
		{addr: 0x100, size: 0x100, name: "outer"}, {addr: 0x140, size: 0x10, name: "inside"},
		{addr: 0x300, name: "unsized"}, {addr: 0x400, size: 0x20, name: "last"},
	}}
	for addr, want := range map[uint64]string{
		0xff: "", 0x100: "outer", 0x13f: "outer", 0x140: "inside", 0x14f: "inside", 0x150: "outer", 0x1ff: "outer",
		0x200: "", 0x2ff: "", 0x300: "unsized", 0x3ff: "unsized", 0x400: "last", 0x41f: "last", 0x420: "", ^uint64(0): "",
	} {
		if got, start, ok := tab.find(addr); got != want || ok != (want != "") || ok && start > addr {
			t.Errorf("%#x: %q from %#x, %v; want %q", addr, got, start, ok, want)
		}
	}
}

// TestCandidates: a trace names files; it cannot have others be opened than those
// below the directories.
func TestCandidates(t *testing.T) {
	f := New(Options{Dirs: []string{"dir"}})
	for _, path := range []string{"/usr/lib/x.so", "/../../etc/shadow", "../../etc/shadow", "/usr/../../lib/x (deleted)", "", "/", "..", "[vdso]"} {
		for _, name := range f.candidates(&tracefile.Object{Path: path, BuildID: "\x12\x34\x56"}) {
			if !filepath.IsLocal(name) || !strings.HasPrefix(filepath.ToSlash(name), "dir") {
				t.Errorf("%q leads to %q", path, name)
			}
		}
	}
	got := f.candidates(&tracefile.Object{Path: "/usr/lib/x.so (deleted)", BuildID: "\x12\x34\x56"})
	want := []string{"dir/usr/lib/x.so", "dir/x.so", "dir/.build-id/12/3456.debug", "dir/.build-id/12/3456"}
	for i := range got {
		got[i] = filepath.ToSlash(got[i])
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	host := New(Options{Host: true}).candidates(&tracefile.Object{Path: "/usr/lib/x.so", BuildID: "\x12\x34\x56"})
	if !slices.Equal(host, []string{"/usr/lib/x.so", "/usr/lib/debug/.build-id/12/3456.debug"}) {
		t.Errorf("on the host: %q", host)
	}
}

func TestDemangle(t *testing.T) {
	f := New(Options{})
	for name, want := range map[string]string{
		"write": "write",
		"_ZNK2ns3BoxIiE4holdERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE": "ns::Box<int>::hold(std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> > const&) const",
		"_RNvC6_123foo3bar": "123foo::bar",
		"_Z":                "_Z",
		"main.T.Method":     "main.T.Method",
	} {
		if got := f.demangle(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// TestGo names functions of this program, with and without its symbol table.
func TestGo(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("for ELF programs")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	e, err := elf.Open(exe)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	tab := new(table)
	if !tab.addGo(e) {
		t.Fatal("the table of Go's linker was not understood")
	}
	if !slices.ContainsFunc(tab.all, func(s symbol) bool { return s.name == "sysreel/analyze/symbols.TestGo" && s.size > 0 }) {
		t.Error("this function is not in the table")
	}
	st, err := os.Stat(exe)
	if err != nil {
		t.Fatal(err)
	}
	var at symbol
	for _, s := range tab.all {
		if s.name == "sysreel/analyze/symbols.TestGo" {
			at = s
		}
	}
	o := &tracefile.Object{Path: exe, Size: uint64(st.Size())}
	f := New(Options{Host: true})
	sym, ok := f.Find(&tracefile.Stack{Object: o, Offset: at.addr + 5})
	if !ok || sym != (Symbol{"sysreel/analyze/symbols.TestGo", 5}) {
		t.Errorf("%+v, %v", sym, ok)
	}
	// What begins behind a call belongs to the function before.
	if sym, ok := f.Find(&tracefile.Stack{Object: o, Offset: at.addr}); ok && sym.Name == at.name {
		t.Errorf("behind a call at the end of the function before: %+v", sym)
	}
	if sym, ok := f.Find(&tracefile.Stack{Object: o, Offset: at.addr, Exact: true}); !ok || sym.Name != at.name {
		t.Errorf("at its first instruction: %+v, %v", sym, ok)
	}
	other := *o
	other.Size++
	if sym, ok := f.Find(&tracefile.Stack{Object: &other, Offset: at.addr + 5}); ok {
		t.Errorf("another file of that name: %+v", sym)
	}
}

func FuzzTable(f *testing.F) {
	if b, err := os.ReadFile("/bin/true"); err == nil && len(b) < 1<<20 {
		f.Add(b)
	}
	f.Add([]byte("\x7fELF\x02\x01\x01"))
	f.Fuzz(func(t *testing.T, file []byte) {
		e, err := elf.NewFile(bytes.NewReader(file))
		if err != nil {
			return
		}
		buildID(e)
		if tab, _ := newTable(e); tab != nil {
			tab.find(0x1000)
		}
	})
}
