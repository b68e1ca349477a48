//go:build linux && (amd64 || arm64)

package unwind

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"

	"sysreel/proto/tracefile"
)

// mapping is memory that can be executed.
type mapping struct {
	from, to uint64
	off      uint64 // in the file of from
	name     string // "" of memory without a file
	inode    uint64
	dev      string
	object   *tracefile.Object // nil: no file
	image    *image            // nil: not yet looked at, or no file
}

// Space is what is known of the executable memory of a process. The zero Space is
// one of which nothing is known. It is not safe for concurrent use.
type Space struct {
	maps  []mapping // by address; never changed once they are here
	known bool
	grown bool // there may be more
}

// Forget says that nothing is known any more: another program is executed.
func (s *Space) Forget() { *s = Space{} }

// Added says that more memory may be executable.
func (s *Space) Added() { s.grown = true }

// Replaced says that what is mapped in a range has changed.
func (s *Space) Replaced(addr, size uint64) {
	for i := range s.maps {
		if m := &s.maps[i]; addr < m.to && m.from < addr+size {
			s.Forget()
			return
		}
	}
}

// find returns the mapping that has an address.
func (s *Space) find(addr uint64) *mapping {
	i, found := slices.BinarySearchFunc(s.maps, addr, func(m mapping, addr uint64) int { return cmp.Compare(m.from, addr) })
	if !found {
		i--
	}
	if i < 0 || addr >= s.maps[i].to {
		return nil
	}
	return &s.maps[i]
}

// maxMaps bounds the mappings of a process that are kept.
const maxMaps = 1 << 16

// parseMaps reads the executable mappings from what /proc/PID/maps says
// (proc(5)).
func parseMaps(text []byte) []mapping {
	var all []mapping
	for len(text) > 0 && len(all) < maxMaps {
		var line []byte
		line, text, _ = bytes.Cut(text, []byte{'\n'})
		var field [5][]byte
		for i := range field {
			field[i], line, _ = bytes.Cut(line, []byte{' '})
		}
		if len(field[1]) < 4 || field[1][2] != 'x' {
			continue
		}
		from, to, _ := bytes.Cut(field[0], []byte{'-'})
		var m mapping
		var err [4]error
		m.from, err[0] = strconv.ParseUint(string(from), 16, 64)
		m.to, err[1] = strconv.ParseUint(string(to), 16, 64)
		m.off, err[2] = strconv.ParseUint(string(field[2]), 16, 64)
		m.inode, err[3] = strconv.ParseUint(string(field[4]), 10, 64)
		if slices.ContainsFunc(err[:], func(e error) bool { return e != nil }) || m.to <= m.from {
			continue
		}
		m.dev = string(field[3])
		m.name = unescape(bytes.TrimLeft(line, " "))
		all = append(all, m)
	}
	return all
}

// unescape undoes the kernel's "\012" for a newline in a name.
func unescape(name []byte) string {
	return string(bytes.ReplaceAll(name, []byte(`\012`), []byte{'\n'}))
}
