package symbols

import (
	"cmp"
	"debug/dwarf"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"slices"

	"sysreel/proto/tracefile"
)

// How much of debugging information is held at a time, of one file and of all.
const (
	maxDebug     = 256 << 20 // bytes of sections of a file
	maxAllDebug  = 512 << 20
	maxRanges    = 1 << 21 // of addresses, of a file's units
	maxRows      = 1 << 21 // of its line tables
	maxWork      = 1 << 30 // bytes of its line tables that are read, again and again
	maxUnits     = 1 << 18 // of compilation
	maxPositions = 1 << 16 // places whose positions are remembered
)

// A Position is a line of source.
type Position struct {
	File string // as the compiler calls it, with its directory
	Line int
}

func (p Position) String() string { return fmt.Sprintf("%s:%d", p.File, p.Line) }

// place is an address in a file.
type place struct {
	object tracefile.Object
	addr   uint64
}

// Position returns where in the source the code of a frame comes from: of functions
// put into each other, the innermost. ok is false if no file with debugging
// information is at hand. A nil Finder finds nothing.
func (f *Finder) Position(s *tracefile.Stack) (p Position, ok bool) {
	if f == nil || s.Object == nil {
		return p, false
	}
	at := place{*s.Object, address(s)}
	if p, ok = f.positions[at]; ok {
		return p, p.File != ""
	}
	l, known := f.lines[*s.Object]
	if !known {
		l = f.loadLines(s.Object)
	}
	if l != nil {
		p, ok = l.find(at.addr)
	}
	if f.positions == nil || len(f.positions) >= maxPositions {
		f.positions = make(map[place]Position)
	}
	f.positions[at] = p
	return p, ok
}

// loadLines reads the debugging information of a file, nil if none is at hand.
func (f *Finder) loadLines(o *tracefile.Object) (l *lines) {
	for _, name := range f.candidates(o) {
		if withFile(name, o, func(e *elf.File) { l = newLines(e) }); l != nil {
			break
		}
	}
	size := 0
	if l != nil {
		size = l.size
	}
	if f.lines == nil || f.held+size > maxAllDebug || len(f.lines) >= maxTables {
		f.lines, f.held = make(map[tracefile.Object]*lines), 0
	}
	f.lines[*o] = l
	f.held += size
	return l
}

// lines finds lines of source by the addresses of a file.
type lines struct {
	data  *dwarf.Data
	order binary.ByteOrder
	// Sections that names of files are in.
	lineTable, lineText, text []byte
	size                      int    // bytes held
	units                     []unit // by address; they may overlap
	rows                      int    // read so far
	work                      int    // bytes that this took
	read                      map[dwarf.Offset][]row
}

// unit is a range of addresses whose code is of one unit of compilation.
type unit struct {
	from, to uint64
	at       dwarf.Offset
}

// row is the beginning of a line's code.
type row struct {
	addr uint64
	file string
	line int
	end  bool // of a sequence: there is none here
}

// newLines reads which units there are. It returns nil if there are none that can
// be understood: debug/dwarf may panic at what is damaged.
func newLines(e *elf.File) (l *lines) {
	defer func() {
		if recover() != nil {
			l = nil
		}
	}()
	l = &lines{order: e.ByteOrder, read: make(map[dwarf.Offset][]row)}
	section := func(name string) []byte {
		s := e.Section(name)
		if s == nil || s.Type == elf.SHT_NOBITS || s.Size > uint64(maxDebug-l.size) || s.FileSize > s.Size+maxDebug {
			return nil
		}
		data, err := s.Data()
		if err != nil {
			return nil
		}
		l.size += len(data)
		return data
	}
	info := section(".debug_info")
	l.lineTable, l.text, l.lineText = section(".debug_line"), section(".debug_str"), section(".debug_line_str")
	if info == nil || l.lineTable == nil {
		return nil
	}
	entries, ok := unitEntries(info, e.ByteOrder)
	if !ok {
		return nil
	}
	var err error
	if l.data, err = dwarf.New(section(".debug_abbrev"), nil, nil, info, l.lineTable, nil, section(".debug_ranges"), l.text); err != nil {
		return nil
	}
	if l.lineText != nil && l.data.AddSection(".debug_line_str", l.lineText) != nil {
		return nil
	}
	for _, name := range [...]string{".debug_addr", ".debug_str_offsets", ".debug_rnglists"} {
		if data := section(name); data != nil && l.data.AddSection(name, data) != nil {
			return nil
		}
	}
	r := l.data.Reader()
	all := 0
	for _, at := range entries {
		r.Seek(at)
		entry, err := r.Next()
		if entry == nil || err != nil {
			continue
		}
		if entry.Tag != dwarf.TagCompileUnit && entry.Tag != dwarf.TagSkeletonUnit && entry.Tag != dwarf.TagPartialUnit {
			continue
		}
		ranges, err := l.data.Ranges(entry)
		if err != nil {
			continue
		}
		if all += len(ranges); all > maxRanges {
			break
		}
		for _, pair := range ranges {
			if pair[0] < pair[1] {
				l.units = append(l.units, unit{pair[0], pair[1], entry.Offset})
			}
		}
	}
	slices.SortStableFunc(l.units, func(a, b unit) int { return cmp.Compare(a.from, b.from) })
	return l
}

// unitEntries returns where the entries of units are, behind their headers (DWARF 5,
// section 7.5.1). ok is false if there are more than debug/dwarf, which keeps each
// of them, is to be given. Its own way from unit to unit may lead back.
func unitEntries(info []byte, order binary.ByteOrder) (at []dwarf.Offset, ok bool) {
	const (
		skeleton     = 4 // types of units with a longer header
		splitCompile = 5
	)
	h := header{b: info, order: order}
	for len(h.b) > 0 {
		if len(at) == maxUnits {
			return nil, false
		}
		h.wide = false
		length := h.number(4)
		if length == 0xffffffff {
			length, h.wide = h.number(8), true
		}
		u := header{b: h.skip(length), order: order, wide: h.wide}
		end := len(info) - len(h.b)
		if version := u.number(2); version < 5 {
			u.offset()
			u.skip(1)
		} else {
			kind := u.number(1)
			u.skip(1)
			u.offset()
			if kind == skeleton || kind == splitCompile {
				u.skip(8)
			}
		}
		at = append(at, dwarf.Offset(end-len(u.b)))
	}
	return at, true
}

// find returns the line that the code at an address is of.
func (l *lines) find(addr uint64) (p Position, ok bool) {
	i, found := slices.BinarySearchFunc(l.units, addr, func(u unit, addr uint64) int { return cmp.Compare(u.from, addr) })
	if found {
		i++
	}
	for n := 0; i > 0 && n < maxEnclosing; n++ {
		i--
		if u := &l.units[i]; addr < u.to {
			return l.inUnit(u.at, addr)
		}
	}
	return p, false
}

// inUnit looks an address up in the line table of a unit: the last row that is not
// behind it counts.
func (l *lines) inUnit(at dwarf.Offset, addr uint64) (p Position, ok bool) {
	rows, known := l.read[at]
	if !known {
		rows = l.table(at)
		l.read[at] = rows
	}
	i, _ := slices.BinarySearchFunc(rows, addr, func(r row, addr uint64) int {
		if r.addr <= addr {
			return -1
		}
		return 1
	})
	if i == 0 || rows[i-1].end || rows[i-1].file == "" {
		return p, false
	}
	return Position{rows[i-1].file, rows[i-1].line}, true
}

// table reads the line table of a unit; what of it can be understood.
func (l *lines) table(at dwarf.Offset) (rows []row) {
	defer func() {
		if recover() != nil {
			rows = nil
		}
	}()
	r := l.data.Reader()
	r.Seek(at)
	entry, err := r.Next()
	if entry == nil || err != nil {
		return nil
	}
	lr, err := l.data.LineReader(entry)
	if lr == nil || err != nil {
		return nil
	}
	where, _ := entry.Val(dwarf.AttrStmtList).(int64)
	dir, _ := entry.Val(dwarf.AttrCompDir).(string)
	if where < 0 || where > int64(len(l.lineTable)) {
		return nil
	}
	program := header{b: l.lineTable[where:], order: l.order}
	size := program.number(4)
	if size == 0xffffffff {
		size = program.number(8)
	}
	if l.work += len(program.skip(size)); l.work > maxWork {
		return nil
	}
	names := make(map[*dwarf.LineFile]string)
	known := l.fileNames(l.lineTable[where:], dir)
	for i, f := range lr.Files() {
		if f != nil && i < len(known) {
			names[f] = known[i]
		}
	}
	var e dwarf.LineEntry
	for lr.Next(&e) == nil {
		if l.rows++; l.rows > maxRows {
			return nil
		}
		r := row{addr: e.Address, line: e.Line, end: e.EndSequence}
		if name, ok := names[e.File]; ok {
			r.file = name
		} else if e.File != nil {
			r.file = e.File.Name
		}
		rows = append(rows, r)
	}
	slices.SortStableFunc(rows, func(a, b row) int {
		if c := cmp.Compare(a.addr, b.addr); c != 0 || a.end == b.end {
			return c
		}
		if a.end { // another sequence begins where one ends
			return -1
		}
		return 1
	})
	return rows
}
