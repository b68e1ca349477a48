// Package symbols names the functions of stacks. A trace holds places in files;
// what is there is read from the files, where they are at hand: the very files
// that were recorded, which their build IDs tell, or files of debugging symbols.
package symbols

import (
	"debug/elf"
	"encoding/hex"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/ianlancetaylor/demangle"

	"sysreel/proto/tracefile"
)

// Options say where files are looked for. The zero value names nothing.
type Options struct {
	// Dirs hold files by the path that they had when recorded (a tree), by
	// their names alone, or as .build-id/xx/yyyy.debug.
	Dirs []string
	// Host: the machine itself may have the files, where they were, and their
	// debugging symbols in /usr/lib/debug.
	Host bool
}

// Finder finds symbols. It keeps those of the files that it was asked about and is
// used by one goroutine.
type Finder struct {
	o      Options
	tables map[tracefile.Object]*table
	names  map[string]string // demangled

	lines     map[tracefile.Object]*lines
	held      int // bytes, of lines
	positions map[place]Position
}

// New returns a Finder.
func New(o Options) *Finder {
	return &Finder{o: o, tables: make(map[tracefile.Object]*table), names: make(map[string]string)}
}

// Symbol is a function, demangled as strace does, and how far from its beginning
// a place is.
type Symbol struct {
	Name   string
	Offset uint64
}

// maxTables bounds the files whose symbols are kept.
const maxTables = 1 << 12

// Find returns the symbol of a frame: of the innermost of s. ok is false if no file
// with it is at hand. A nil Finder finds nothing.
func (f *Finder) Find(s *tracefile.Stack) (sym Symbol, ok bool) {
	if f == nil || s.Object == nil {
		return sym, false
	}
	t, known := f.tables[*s.Object]
	if !known {
		if len(f.tables) >= maxTables {
			clear(f.tables)
		}
		t = f.load(s.Object)
		f.tables[*s.Object] = t
	}
	if t == nil {
		return sym, false
	}
	name, start, ok := t.find(address(s))
	if !ok {
		return sym, false
	}
	return Symbol{f.demangle(name), s.Offset + uint64(s.Object.Bias) - start}, true
}

// address is the one in the file that tells what code a frame is in.
func address(s *tracefile.Stack) uint64 {
	addr := s.Offset + uint64(s.Object.Bias)
	if !s.Exact {
		addr-- // behind the call, which may be the last of its function
	}
	return addr
}

const (
	maxNames = 1 << 16
	// maxName bounds names that are demangled, and what of them comes out: it
	// can be much more.
	maxName = 1 << 12
)

func (f *Finder) demangle(name string) string {
	if !strings.HasPrefix(name, "_Z") && !strings.HasPrefix(name, "_R") || len(name) > maxName {
		return name
	}
	plain, ok := f.names[name]
	if !ok {
		if len(f.names) >= maxNames {
			clear(f.names)
		}
		plain = demangle.Filter(name, demangle.MaxLength(14))
		f.names[name] = plain
	}
	return plain
}

// load reads the symbols of a file, nil if none are at hand. The full symbol table
// is better than that of dynamic linking, wherever it is.
func (f *Finder) load(o *tracefile.Object) *table {
	var least *table
	for _, name := range f.candidates(o) {
		t, full := read(name, o)
		switch {
		case t == nil:
		case full:
			return t
		case least == nil:
			least = t
		}
	}
	return least
}

// candidates lists the names that a file or its symbols may have.
func (f *Finder) candidates(o *tracefile.Object) (names []string) {
	clean := path.Clean(strings.TrimSuffix(o.Path, " (deleted)"))
	if f.o.Host && strings.HasPrefix(o.Path, "/") {
		names = append(names, clean)
	}
	id := hex.EncodeToString([]byte(o.BuildID))
	for _, dir := range f.o.Dirs {
		// Cleaned from the root on: it leads out of dir by no "..".
		rooted := path.Clean("/" + clean)
		names = append(names, filepath.Join(dir, filepath.FromSlash(rooted)), filepath.Join(dir, path.Base(rooted)))
		if len(id) > 2 {
			names = append(names, filepath.Join(dir, ".build-id", id[:2], id[2:]+".debug"), filepath.Join(dir, ".build-id", id[:2], id[2:]))
		}
	}
	if f.o.Host && len(id) > 2 {
		names = append(names, "/usr/lib/debug/.build-id/"+id[:2]+"/"+id[2:]+".debug")
	}
	return names
}

// read reads the symbols of a file if it is the one meant. full says that it has
// all of them.
func read(name string, o *tracefile.Object) (t *table, full bool) {
	withFile(name, o, func(e *elf.File) { t, full = newTable(e) })
	return t, full
}

// withFile calls use with a file if it is the one meant.
func withFile(name string, o *tracefile.Object, use func(*elf.File)) {
	st, err := os.Stat(name)
	if err != nil || !st.Mode().IsRegular() {
		return // to open a pipe or device would be more than to look
	}
	if o.BuildID == "" && (o.Size == 0 || uint64(st.Size()) != o.Size) {
		return
	}
	file, err := os.Open(name)
	if err != nil {
		return
	}
	defer file.Close()
	e, err := elf.NewFile(file)
	if err != nil || o.BuildID != "" && buildID(e) != o.BuildID {
		return
	}
	use(e)
}

// buildID returns the GNU build ID of a file, "" if it has none.
func buildID(e *elf.File) string {
	const (
		gnuBuildID = 3
		most       = 64 << 10
	)
	notes := func(r io.Reader) string {
		b, _ := io.ReadAll(io.LimitReader(r, most))
		for len(b) >= 12 {
			name, desc := uint64(e.ByteOrder.Uint32(b)), uint64(e.ByteOrder.Uint32(b[4:]))
			typ := e.ByteOrder.Uint32(b[8:])
			b = b[12:]
			pad := func(n uint64) uint64 { return (n + 3) &^ 3 }
			if pad(name)+desc > uint64(len(b)) {
				return ""
			}
			if typ == gnuBuildID && string(b[:name]) == "GNU\x00" {
				return string(b[pad(name) : pad(name)+desc])
			}
			b = b[min(pad(name)+pad(desc), uint64(len(b))):]
		}
		return ""
	}
	for _, p := range e.Progs {
		if p.Type == elf.PT_NOTE {
			if id := notes(p.Open()); id != "" {
				return id
			}
		}
	}
	// The program headers of a file of debugging symbols lead to what it does not have.
	for _, s := range e.Sections {
		if s.Type == elf.SHT_NOTE {
			if id := notes(s.Open()); id != "" {
				return id
			}
		}
	}
	return ""
}
