package syscalls

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Set is a choice of system calls. It must not be changed once parsed and is
// safe for concurrent use.
type Set struct {
	negate bool
	nrs    [I386 + 1]map[uint32]bool
	names  map[string]bool
	res    []*regexp.Regexp // for calls that the table does not know
	all    bool
}

// classes are strace's sets. Where the table keeps two sets for what strace
// calls one, the class names both.
var classes = map[string][]string{
	"file": {"file"}, "desc": {"desc"}, "network": {"network"}, "net": {"network"}, "process": {"process"},
	"signal": {"signal"}, "ipc": {"ipc"}, "memory": {"memory"}, "creds": {"creds"}, "clock": {"clock"}, "pure": {"pure"},
	"stat": {"stat"}, "lstat": {"lstat"}, "fstat": {"fstat"}, "%stat": {"stat", "lstat", "fstat", "stat_like"},
	"statfs": {"statfs"}, "fstatfs": {"fstatfs"}, "%statfs": {"statfs", "fstatfs", "statfs_like"},
}

// ParseSet parses strace's -e trace= expression: names, numbers, %file and
// other classes (also without %, for those strace once knew so), /regex, all,
// none, separated by commas; a leading "!" turns it around, a leading "?" makes
// an unknown name no error, a trailing @64 or @32 chooses the word size.
func ParseSet(expr string) (*Set, error) {
	s := &Set{names: make(map[string]bool)}
	for a := range s.nrs {
		s.nrs[a] = make(map[uint32]bool)
	}
	rest, negate := strings.CutPrefix(expr, "!")
	s.negate = negate
	if rest == "none" {
		return s, nil
	}
	if rest == "" {
		return nil, fmt.Errorf("set of calls %q is empty", expr)
	}
	for item := range strings.SplitSeq(rest, ",") {
		if err := s.add(item); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *Set) add(item string) error {
	name, optional := strings.CutPrefix(item, "?")
	archs := []Arch{AMD64, ARM64, I386}
	if n, size, ok := strings.Cut(name, "@"); ok && name[0] != '/' {
		switch name = n; size {
		case "64":
			archs = archs[:2]
		case "32":
			archs = archs[2:]
		case "x32":
			archs = nil
		default:
			return fmt.Errorf("call %q: @%s is none of @64, @32, @x32", item, size)
		}
	}
	found := false
	switch {
	case name == "all":
		s.all = len(archs) == 3
		found = s.choose(archs, func(*rowText) bool { return true })
	case strings.HasPrefix(name, "/"):
		re, err := regexp.Compile(name[1:])
		if err != nil {
			return fmt.Errorf("calls %q: %w", item, err)
		}
		s.res = append(s.res, re)
		found = s.choose(archs, func(r *rowText) bool { return re.MatchString(r.name) })
	case strings.HasPrefix(name, "%") || classes[name] != nil && !s.isCall(name):
		sets, ok := classes[strings.TrimPrefix(name, "%")]
		if !ok {
			return fmt.Errorf("%s is not a class of calls (%%file, %%desc, %%network, %%process, %%signal, %%ipc, %%memory, %%creds, %%clock, %%pure, %%stat, ...)", name)
		}
		s.choose(archs, func(r *rowText) bool {
			row, err := parseProto(r.proto)
			return err == nil && slices.ContainsFunc(row.classes(), func(c string) bool { return slices.Contains(sets, c) })
		})
		found = true
	default:
		if nr, err := strconv.ParseUint(name, 10, 31); err == nil {
			for _, a := range archs {
				s.nrs[a][uint32(nr)] = true
			}
			return nil
		}
		s.names[name] = true
		found = s.choose(archs, func(r *rowText) bool { return r.name == name })
	}
	if !found && !optional {
		return fmt.Errorf("%q is no system call", name)
	}
	return nil
}

// isCall reports whether name is a call on some architecture: "stat" is the
// call, "%stat" the class.
func (s *Set) isCall(name string) bool {
	rows, _ := loadRows()
	return rows.named(name) != nil
}

// choose adds the calls whose rows ok picks, and reports whether there was one.
func (s *Set) choose(archs []Arch, ok func(*rowText) bool) bool {
	rows, _ := loadRows()
	found := false
	for i := range rows.rows {
		r := &rows.rows[i]
		if !ok(r) {
			continue
		}
		for _, a := range archs {
			if nr := r.nr[a]; nr >= 0 {
				s.nrs[a][uint32(nr)], s.names[r.name] = true, true
				found = true
			}
		}
	}
	return found
}

// classes returns the strace sets that a call is in: what its arguments and
// result say, and what the row says.
func (r *rowExpr) classes() []string {
	var list []string
	add := func(s string) {
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	network := slices.Contains(r.sets, "%network")
	for i := range r.args {
		switch t := &r.args[i].typ; {
		case t.dir == NoDir && (t.name == "fd" || t.name == "dirfd") && !network:
			add("desc")
		case t.dir != NoDir && t.name == "path":
			add("file")
		}
	}
	if r.ret == "fd" && !network {
		add("desc")
	}
	for _, w := range r.sets {
		if minus, ok := strings.CutPrefix(w, "-%"); ok {
			list = slices.DeleteFunc(list, func(s string) bool { return s == minus })
		} else {
			add(w[1:])
		}
	}
	return list
}

// Has reports whether the call is in the set.
func (s *Set) Has(d *Desc) bool {
	if d.Arch < AMD64 || d.Arch > I386 {
		return s.HasName(d.Name)
	}
	return s.nrs[d.Arch][d.NR] != s.negate
}

// HasName reports whether a call of this name is in the set on any
// architecture; for calls that the table does not know.
func (s *Set) HasName(name string) bool {
	in := s.all || s.names[name]
	for _, re := range s.res {
		in = in || re.MatchString(name)
	}
	return in != s.negate
}

// NRs returns the numbers of the set's calls on an architecture, in order.
// With a leading "!", these are the calls of the table that it does not name.
func (s *Set) NRs(a Arch) []uint32 {
	if a == X32 {
		a = AMD64
	}
	if a < AMD64 || a > I386 {
		return nil
	}
	var nrs []uint32
	rows, _ := loadRows()
	for nr := range uint32(maxNR) {
		if rows.byNR[a][nr] != 0 && s.nrs[a][nr] != s.negate {
			nrs = append(nrs, nr)
		}
	}
	return nrs
}
