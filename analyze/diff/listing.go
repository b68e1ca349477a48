package diff

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"sysreel/analyze"
	"sysreel/proto/tracefile"
	"sysreel/proto/world"
)

// A program that lists a directory never asks for a file that is gone, so no
// call fails. What the listings say is compared instead.

// maxListed bounds the names of all listings of a run that are kept.
const maxListed = 1 << 17

// listing is what a process saw in a directory that it read to its end.
type listing struct {
	event uint64 // of the first call
	name  string // of the call
	dir   string // as it was
	names map[string]listed
	cut   bool // some were not kept
}

// listed is a name in a listing: as it was, and the event that gave it.
type listed struct {
	name  string
	event uint64
}

// list notes the names that a call of the getdents family gave. dir is canonical.
func (b *builder) list(p *proc, c *analyze.Call, f *world.File, dir string) {
	if f == nil || shared(dir) {
		return
	}
	l := b.reading[f]
	if l == nil {
		if len(b.reading) >= maxCachedNames {
			clear(b.reading)
		}
		l = &listing{event: c.Num, name: c.Name, dir: f.Path, names: map[string]listed{}}
		b.reading[f] = l
	}
	if c.Ret == 0 {
		delete(b.reading, f)
		p.addListing(dir, l)
		return
	}
	d := buffer(c.Event, 1, tracefile.AtExit)
	if d == nil || int64(len(d.Data)) < c.Ret {
		l.cut = true
		return
	}
	eachName(c.Name, d.Data, func(name string) {
		if b.run.listed++; b.run.listed > maxListed {
			l.cut = true
			return
		}
		canon := base(b.names.path(dir + "/" + name))
		if strings.Contains(canon, "<temp>") {
			return
		}
		l.names[canon] = listed{name, c.Num}
	})
}

// addListing joins a listing of dir with what the process saw there before.
func (p *proc) addListing(dir string, l *listing) {
	if p.lists == nil {
		p.lists = map[string]*listing{}
	}
	p.lists[dir] = p.lists[dir].join(l)
}

// join returns what is in either listing. It changes and may return either;
// l may be nil.
func (l *listing) join(m *listing) *listing {
	if l == nil {
		return m
	}
	for canon, n := range m.names {
		if _, ok := l.names[canon]; !ok {
			l.names[canon] = n
		}
	}
	l.cut = l.cut || m.cut
	return l
}

// shared reports whether names in a directory come and go without regard to any
// one program.
func shared(dir string) bool {
	switch dir {
	case "/tmp", "/var/tmp", "/dev/shm", "/run", "/var/run", "/run/lock", "/var/lock":
		return true
	}
	for _, d := range [...]string{"/proc", "/sys", "/dev"} {
		if rest, ok := strings.CutPrefix(dir, d); ok && (rest == "" || rest[0] == '/') {
			return !strings.HasPrefix(dir, "/dev/shm/")
		}
	}
	return !strings.HasPrefix(dir, "/")
}

// eachName calls fn for the entries of a directory but . and .. Layouts:
// struct linux_dirent64 and linux_dirent of getdents64(2), the latter as 64-bit
// programs have it.
func eachName(call string, data []byte, fn func(name string)) {
	const reclen = 16
	at := 19 // d_name
	if call == "getdents" {
		at = 18
	}
	for len(data) > at {
		n := int(binary.LittleEndian.Uint16(data[reclen:]))
		if n <= at || n > len(data) {
			return
		}
		name, _, _ := bytes.Cut(data[at:n], []byte{0})
		if s := string(name); s != "." && s != ".." && s != "" {
			fn(s)
		}
		data = data[n:]
	}
}

// makes notes names that a call makes, removes or changes, or tries to.
func (b *builder) makes(pl *plan, e *tracefile.Event, object string) {
	switch pl.family.name {
	case "open":
		if pl.word(e, "flags")&oCreat == 0 && pl.desc.Name != "creat" {
			return
		}
	case "mkdir", "mknod", "link", "symlink", "rename", "unlink":
	case "bind":
		if i := strings.IndexByte(object, '/'); i >= 0 {
			b.make(object[i:])
		}
		return
	default:
		return
	}
	for _, p := range b.paths {
		b.make(b.names.path(p))
	}
}

func (b *builder) make(path string) {
	if len(b.run.made) < maxCachedNames {
		b.run.made[path] = true
	}
}

// dirKey names a directory that processes of one role list.
type dirKey struct {
	group int
	dir   string
}

// listings gathers what the processes of each role saw in directories, and an
// example of those processes.
func (r *run) listings() (map[dirKey]*listing, map[dirKey]*proc) {
	all, who := map[dirKey]*listing{}, map[dirKey]*proc{}
	for _, p := range r.procs {
		for dir, l := range p.lists {
			k := dirKey{p.group, dir}
			if all[k] == nil {
				who[k] = p
				all[k] = &listing{event: l.event, name: l.name, dir: l.dir, names: map[string]listed{}}
			}
			all[k].join(l)
		}
	}
	return all, who
}

const (
	maxNamed   = 3 // names of one directory that are reported each by itself
	fewChanges = 3 // names in all that are reported where the run ended as well as the good one
)

// listingCandidates lists names that directories had in one run only, where that
// can explain something.
func (c *comparison) listingCandidates(o *outcome) []*candidate {
	good, _ := c.good.listings()
	bad, who := c.bad.listings()
	missing := c.soughtInVain()
	var out []*candidate
	changes := 0
	for key, b := range bad {
		g := good[key]
		if g == nil || g.cut || b.cut || c.madeBelow(key.dir) {
			continue
		}
		gone := c.only(key.dir, g, b, missing)
		come := c.only(key.dir, b, g, nil)
		changes += len(gone) + len(come)
		out = append(out, c.namesChanged(who[key], key.dir, gone, g, b, o, true)...)
		out = append(out, c.namesChanged(who[key], key.dir, come, g, b, o, false)...)
	}
	if !o.worse && changes > fewChanges {
		return nil
	}
	return out
}

// soughtInVain lists the paths, or names where no more is known, that the bad run
// did not find: a call that fails says more than a listing.
func (c *comparison) soughtInVain() map[string]bool {
	m := map[string]bool{}
	for _, p := range c.bad.procs {
		for s := range p.seen {
			switch f := c.syms.form(s); {
			case f.Result != "ENOENT":
			case strings.HasPrefix(f.Object, "/"):
				m[f.Object] = true
			default: // of a socket, behind its protocol
				m[base(f.Object[strings.LastIndexByte(f.Object, ' ')+1:])] = true
			}
		}
	}
	return m
}

// madeBelow reports whether a directory, or one above it, was made by a run.
func (c *comparison) madeBelow(dir string) bool {
	for ; len(dir) > 1; dir = dir[:max(strings.LastIndexByte(dir, '/'), 0)] {
		if c.good.made[dir] || c.bad.made[dir] {
			return true
		}
	}
	return false
}

// only returns the names in x that are not in y and that no run made or removed,
// but for those in skip.
func (c *comparison) only(dir string, x, y *listing, skip map[string]bool) []string {
	var out []string
	for canon := range x.names {
		path := strings.TrimSuffix(dir, "/") + "/" + canon
		if _, ok := y.names[canon]; !ok && !c.good.made[path] && !c.bad.made[path] && !skip[path] && !skip[canon] {
			out = append(out, canon)
		}
	}
	slices.Sort(out)
	return out
}

// namesChanged makes the candidates of names that a directory has lost, or got.
func (c *comparison) namesChanged(p *proc, dir string, names []string, g, b *listing, o *outcome, gone bool) []*candidate {
	from := b
	if gone {
		from = g
	}
	// What a message names comes first.
	slices.SortStableFunc(names, func(x, y string) int {
		a, _, _ := o.echoes(from.names[x].name, "", 0)
		b, _, _ := o.echoes(from.names[y].name, "", 0)
		switch {
		case a && !b:
			return -1
		case b && !a:
			return 1
		}
		return 0
	})
	if len(names) == 0 {
		return nil
	}
	var out []*candidate
	for i, canon := range names[:min(maxNamed, len(names))] {
		n, text := from.names[canon], from.names[canon].name
		if rest := len(names) - maxNamed; i == maxNamed-1 && rest > 0 {
			text = fmt.Sprintf("%s and %d more", text, rest)
		}
		k := &candidate{kind: InputChanged, proc: p, form: form{Name: b.name, Family: "list", Object: dir, Class: effect},
			good: g.event, bad: b.event, subject: strings.TrimSuffix(from.dir, "/") + "/" + n.name}
		if gone {
			k.good, k.means = n.event, kindGone
			k.what = fmt.Sprintf("missing from %s: %s, which the good run listed", from.dir, text)
		} else {
			k.bad, k.means = n.event, kindCome
			k.what = fmt.Sprintf("new in %s: %s, which the good run did not list", from.dir, text)
		}
		k.at = k.bad
		out = append(out, k)
	}
	return out
}
