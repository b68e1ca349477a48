//go:build linux && (amd64 || arm64)

// Package container finds the processes of a container or of a control group,
// those there are and those that come. It reads the cgroup trees, and where a
// container is asked for by name what the engines have written to disk; it asks
// no daemon.
package container

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Target is what to look for: one of the two.
type Target struct {
	// Cgroup is a directory below a cgroup mount, or a path as
	// /proc/PID/cgroup has it.
	Cgroup string
	// Container is a container's name, its ID or the beginning of its ID.
	Container string
}

func (t Target) String() string {
	if t.Cgroup != "" {
		return "cgroup " + t.Cgroup
	}
	return "container " + t.Container
}

// ErrAbsent says, wrapped, that the target is not there or does not run: it
// may come.
var ErrAbsent = errors.New("is not there")

// absent is an ErrAbsent with words of its own.
type absent struct{ text string }

func (e *absent) Error() string        { return e.text }
func (e *absent) Is(target error) bool { return target == ErrAbsent }

// Group is a target that was found.
type Group struct {
	Engine string // of a container: docker, podman, containerd, …; "" unknown
	ID     string // of a container
	Name   string // of a container, "" unknown
	// Dirs are its cgroup's directories, a hierarchy each, the most telling
	// first.
	Dirs []string

	// unmounted: the cgroup is in no tree that can be seen here (another
	// cgroup namespace, most likely); its processes are told by their
	// /proc/PID/cgroup.
	unmounted bool
}

func (g *Group) String() string {
	c := Identity{Engine: g.Engine, ID: g.ID}
	if g.Name == "" {
		return c.String()
	}
	return g.Name + " (" + c.String() + ")"
}

// system is the machine to look on; tests make their own.
type system struct {
	root      string // of the engines' records
	proc      string // "/proc"
	mountinfo string
	records   records
}

func host() *system {
	return &system{root: "/", proc: "/proc", mountinfo: "/proc/self/mountinfo", records: records{root: "/"}}
}

func (s *system) hierarchies() ([]hierarchy, error) {
	f, err := os.Open(s.mountinfo)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return hierarchies(f), nil
}

// find looks for the target. visit is told every cgroup that was looked at.
func (s *system) find(t Target, visit func(dir string)) (*Group, error) {
	trees, err := s.hierarchies()
	if err != nil {
		return nil, err
	}
	if t.Cgroup != "" {
		return findCgroup(t.Cgroup, trees, visit)
	}
	return s.findContainer(t.Container, trees, visit)
}

func findCgroup(path string, trees []hierarchy, visit func(dir string)) (*Group, error) {
	if isCgroup(path) {
		return &Group{Dirs: []string{filepath.Clean(path)}}, nil
	}
	g := &Group{}
	for _, h := range trees {
		dir := h.dir("/" + strings.TrimPrefix(path, "/"))
		if isCgroup(dir) {
			g.Dirs = append(g.Dirs, dir)
			continue
		}
		// Its first ancestor tells when it is made.
		for dir = filepath.Dir(dir); len(dir) > len(h.mount); dir = filepath.Dir(dir) {
			if isCgroup(dir) {
				break
			}
		}
		visit(dir)
	}
	switch st, err := os.Stat(path); {
	case len(g.Dirs) > 0:
		return g, nil
	case len(trees) == 0:
		return nil, fmt.Errorf("cgroup %s: no cgroup file system is mounted here", path)
	case err == nil && st.IsDir():
		return nil, fmt.Errorf("%s is not a cgroup: it has no %s", path, procs)
	}
	return nil, &absent{fmt.Sprintf("no cgroup %s: there is no such directory, nor in %s", path, places(trees))}
}

// candidate is a container that is in a cgroup tree, on disk or both.
type candidate struct {
	Group
	names []string
}

// shortest is how much of an ID must be given.
const shortest = 4

func (s *system) findContainer(name string, trees []hierarchy, visit func(dir string)) (*Group, error) {
	if _, id, ok := strings.Cut(name, "://"); ok {
		name = id // as kubectl shows it: containerd://ID
	}
	name = strings.TrimPrefix(name, "/")
	all := s.running(trees, visit)
	s.recorded(all, trees)
	if !s.whole(trees) {
		s.unmounted(all)
	}
	for _, match := range []func(*candidate) bool{
		func(c *candidate) bool { return c.ID == name },
		func(c *candidate) bool { return slices.Contains(c.names, name) },
		func(c *candidate) bool { return len(name) >= shortest && strings.HasPrefix(c.ID, name) },
	} {
		var found, live []*candidate
		for _, c := range all {
			if match(c) {
				found = append(found, c)
				if c.live() {
					live = append(live, c)
				}
			}
		}
		switch {
		case len(live) == 1:
			c := live[0]
			return &c.Group, nil
		case len(live) > 1:
			return nil, ambiguous(name, live)
		case len(found) == 1:
			return nil, &absent{fmt.Sprintf("container %s is not running", &found[0].Group)}
		case len(found) > 1:
			return nil, &absent{fmt.Sprintf("container %s is not running: %d that are not have that name", name, len(found))}
		}
	}
	return nil, &absent{s.notFound(name, trees, all)}
}

func (c *candidate) live() bool { return len(c.Dirs) > 0 || c.unmounted }

// running finds the containers in the cgroup trees.
func (s *system) running(trees []hierarchy, visit func(dir string)) map[string]*candidate {
	all := make(map[string]*candidate)
	for _, h := range trees {
		walk(h.mount, func(dir string) bool {
			visit(dir)
			if _, id, ok := idInName(filepath.Base(dir)); ok {
				c := all[id]
				if c == nil {
					found, _ := parse(dir)
					c = &candidate{Group: Group{Engine: found.Engine, ID: id}}
					all[id] = c
				}
				// A container's tree may hold a cgroup of its own name
				// again, and one mount may be below another.
				if !slices.ContainsFunc(c.Dirs, func(d string) bool { return strings.HasPrefix(dir+"/", d+"/") }) {
					c.Dirs = append(c.Dirs, dir)
				}
			}
			return true
		})
	}
	return all
}

// recorded adds what the engines have on disk.
func (s *system) recorded(all map[string]*candidate, trees []hierarchy) {
	for _, k := range s.records.all() {
		c := all[k.id]
		if c == nil {
			c = &candidate{Group: Group{Engine: k.engine, ID: k.id}}
			all[k.id] = c
		}
		if c.Engine == "" || c.Engine == "kubernetes" {
			c.Engine = k.engine
		}
		if c.Name == "" && len(k.names) > 0 {
			c.Name = k.names[0]
		}
		c.names = append(c.names, k.names...)
		if len(c.Dirs) == 0 && strings.HasPrefix(k.path, "/") {
			for _, h := range trees { // ctr's /NAMESPACE/NAME, which says nothing by itself
				if dir := h.dir(k.path); isCgroup(dir) {
					c.Dirs = append(c.Dirs, dir)
				}
			}
		}
	}
}

// initCgroupNS is the inode of the first cgroup namespace
// (include/linux/proc_ns.h, PROC_CGROUP_INIT_INO).
const initCgroupNS = "cgroup:[4026531835]"

// whole reports whether the trees show all the cgroups of the machine. In a
// container they are its own only.
func (s *system) whole(trees []hierarchy) bool {
	ns, err := os.Readlink(filepath.Join(s.proc, "self/ns/cgroup"))
	return (err != nil || ns == initCgroupNS) && slices.ContainsFunc(trees, func(h hierarchy) bool { return h.root == "/" })
}

// unmounted adds the containers of processes that can be seen although their
// cgroups cannot.
func (s *system) unmounted(all map[string]*candidate) {
	for _, id := range s.inProc() {
		c := all[id.ID]
		if c == nil {
			c = &candidate{Group: Group{Engine: id.Engine, ID: id.ID}}
			all[id.ID] = c
		}
		if len(c.Dirs) == 0 {
			c.unmounted = true
		}
	}
}

// inProc tells the container of every process that is in one.
func (s *system) inProc() map[int]Identity {
	all := make(map[int]Identity)
	entries, _ := os.ReadDir(s.proc)
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		b, err := os.ReadFile(filepath.Join(s.proc, e.Name(), "cgroup"))
		if err != nil {
			continue
		}
		if c, ok := ofProcess(b); ok {
			all[pid] = c
		}
	}
	return all
}

// places tells where trees are mounted. Those of cgroup v1 are a dozen, mostly
// in one directory.
func places(trees []hierarchy) string {
	var all []string
	for _, h := range trees {
		place := h.mount
		if dir := filepath.Dir(place); len(trees) > 1 && dir != "/" {
			place = dir + "/*"
		}
		if !slices.Contains(all, place) {
			all = append(all, place)
		}
	}
	if len(all) == 0 {
		return "no cgroup tree, for none is mounted,"
	}
	return strings.Join(all, ", ")
}

// maxListed bounds the containers in a message.
const maxListed = 8

func list(cs []*candidate) string {
	slices.SortFunc(cs, func(a, b *candidate) int { return cmp.Compare(a.Group.String(), b.Group.String()) })
	var names []string
	for i, c := range cs {
		if i == maxListed {
			names = append(names, fmt.Sprintf("%d more", len(cs)-i))
			break
		}
		names = append(names, c.Group.String())
	}
	return strings.Join(names, ", ")
}

func ambiguous(name string, cs []*candidate) error {
	return fmt.Errorf("container %s: %d that run are meant by that: %s; give one's ID", name, len(cs), list(cs))
}

func (s *system) notFound(name string, trees []hierarchy, all map[string]*candidate) string {
	text := fmt.Sprintf("no container %s: looked for its ID in %s and %s/PID/cgroup", name, places(trees), s.proc)
	if dirs := s.records.dirs(); len(dirs) > 0 {
		text += ", for its name in " + strings.Join(dirs, ", ")
	} else {
		text += "; no engine's records of names are here"
	}
	var live []*candidate
	for _, c := range all {
		if c.live() {
			live = append(live, c)
		}
	}
	if len(live) == 0 {
		return text + "; no container runs"
	}
	return text + "; there run " + list(live)
}
