package symbols

import (
	"cmp"
	"debug/elf"
	"debug/gosym"
	"io"
	"slices"
	"strings"
)

// table holds the functions of a file, by address, one for each address.
type table struct {
	all []symbol
}

type symbol struct {
	addr, size uint64
	name       string
	rank       int // of those with the same address the least counts
	order      int
}

// maxEnclosing is how many symbols are looked at for one that encloses an address
// behind a smaller one.
const maxEnclosing = 32

// find returns the function that has an address. Of a function whose size is not
// known that is all up to the next one.
func (t *table) find(addr uint64) (name string, start uint64, ok bool) {
	i, found := slices.BinarySearchFunc(t.all, addr, func(s symbol, addr uint64) int { return cmp.Compare(s.addr, addr) })
	if found {
		i++
	}
	for n := 0; i > 0 && n < maxEnclosing; n++ {
		i--
		s := &t.all[i]
		if s.size == 0 && n == 0 || addr-s.addr < s.size {
			return s.name, s.addr, true
		}
	}
	return "", 0, false
}

// newTable reads the symbols of a file. full says that it has the symbols of all
// functions, not only those of dynamic linking. It returns nil for none.
func newTable(e *elf.File) (t *table, full bool) {
	t = new(table)
	if list, err := e.Symbols(); err == nil {
		t.add(e, list)
		full = len(t.all) > 0
	}
	if list, err := e.DynamicSymbols(); err == nil {
		t.add(e, list)
	}
	if !full {
		full = t.addGo(e)
	}
	if len(t.all) == 0 {
		return nil, false
	}
	slices.SortFunc(t.all, func(x, y symbol) int {
		return cmp.Or(cmp.Compare(x.addr, y.addr), cmp.Compare(x.rank, y.rank), cmp.Compare(x.order, y.order))
	})
	t.all = slices.CompactFunc(t.all, func(x, y symbol) bool { return x.addr == y.addr })
	return t, full
}

// add adds the functions among some symbols.
func (t *table) add(e *elf.File, list []elf.Symbol) {
	for _, s := range list {
		rank := 0
		switch elf.ST_TYPE(s.Info) {
		case elf.STT_FUNC, elf.STT_GNU_IFUNC:
		case elf.STT_NOTYPE: // of assembly; not the marks that arm64 has for code and data
			if strings.HasPrefix(s.Name, "$") {
				continue
			}
			rank = 4
		default:
			continue
		}
		if s.Section == elf.SHN_UNDEF || int(s.Section) >= len(e.Sections) || s.Name == "" ||
			e.Sections[s.Section].Flags&elf.SHF_EXECINSTR == 0 {
			continue
		}
		switch elf.ST_BIND(s.Info) {
		case elf.STB_GLOBAL:
		case elf.STB_WEAK:
			rank++
		default:
			rank += 2
		}
		if s.Size == 0 {
			rank += 8
		}
		name, _, _ := strings.Cut(s.Name, "@") // a version of the symbol
		t.all = append(t.all, symbol{s.Value, s.Size, name, rank, len(t.all)})
	}
}

// maxGoTable bounds the table of functions that Go's linker writes.
const maxGoTable = 256 << 20

// addGo adds the functions of a stripped Go program.
func (t *table) addGo(e *elf.File) bool {
	text := e.Section(".text")
	for _, s := range e.Sections {
		if text == nil || !strings.HasSuffix(s.Name, ".gopclntab") || s.Size > maxGoTable {
			continue
		}
		data := make([]byte, s.Size)
		if _, err := io.ReadFull(s.Open(), data); err != nil {
			return false
		}
		lines, err := gosym.NewTable(nil, gosym.NewLineTable(data, text.Addr))
		if err != nil {
			return false
		}
		for _, f := range lines.Funcs {
			t.all = append(t.all, symbol{f.Entry, f.End - f.Entry, f.Name, 0, len(t.all)})
		}
		return len(lines.Funcs) > 0
	}
	return false
}
