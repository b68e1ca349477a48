//go:build linux && (amd64 || arm64)

package container

import (
	"bufio"
	"cmp"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// hierarchy is a mounted tree of cgroups: the unified one of cgroup v2, or one
// of several of v1, which have a controller or a name each.
type hierarchy struct {
	mount string // where it is mounted
	root  string // which of its cgroups is mounted there, mostly "/"
	rank  int
}

// Ranks say which hierarchy is asked first where a cgroup is in several. All
// engines join these; a single controller's may be shared with others.
const (
	rankUnified = iota
	rankSystemd
	rankPids
	rankOther
)

// hierarchies finds the cgroup mounts in a /proc/PID/mountinfo (proc(5)), the
// most telling first.
func hierarchies(mountinfo io.Reader) []hierarchy {
	var all []hierarchy
	for sc := bufio.NewScanner(mountinfo); sc.Scan(); {
		// 36 35 0:30 /root /mount options [tags...] - type source superoptions
		before, after, _ := strings.Cut(sc.Text(), " - ")
		f, g := strings.Fields(before), strings.Fields(after)
		if len(f) < 5 || len(g) < 3 {
			continue
		}
		h := hierarchy{mount: unescape(f[4]), root: unescape(f[3]), rank: rankOther}
		options := strings.Split(g[2], ",")
		switch {
		case g[0] == "cgroup2":
			h.rank = rankUnified
		case g[0] != "cgroup":
			continue
		case slices.Contains(options, "name=systemd"):
			h.rank = rankSystemd
		case slices.Contains(options, "pids"):
			h.rank = rankPids
		}
		if !slices.ContainsFunc(all, func(o hierarchy) bool { return o.mount == h.mount }) {
			all = append(all, h)
		}
	}
	slices.SortStableFunc(all, func(a, b hierarchy) int { return cmp.Compare(a.rank, b.rank) })
	return all
}

// unescape undoes the octal escapes of mountinfo: \040 is a space.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+4 <= len(s) {
			if v, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(v))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// dir is the directory of a cgroup given as /proc/PID/cgroup has it.
func (h hierarchy) dir(path string) string {
	if rest, ok := strings.CutPrefix(path, h.root); ok && h.root != "/" && (rest == "" || rest[0] == '/') {
		path = rest
	}
	return filepath.Join(h.mount, path)
}

const procs = "cgroup.procs"

// isCgroup reports whether a directory is a cgroup.
func isCgroup(dir string) bool {
	st, err := os.Stat(filepath.Join(dir, procs))
	return err == nil && !st.IsDir()
}

// walk calls fn for the cgroup dir and all those below it until it returns
// false. Cgroups come and go meanwhile: those that cannot be read are not there.
func walk(dir string, fn func(dir string) bool) bool {
	if !fn(dir) {
		return false
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return true
	}
	for _, e := range entries {
		if e.IsDir() && !walk(filepath.Join(dir, e.Name()), fn) {
			return false
		}
	}
	return true
}

// members appends the processes in one cgroup. Those of PID namespaces that
// are not below this one have no ID here; hidden counts them.
func members(dir string, pids []int) (_ []int, hidden int, err error) {
	b, err := os.ReadFile(filepath.Join(dir, procs))
	for line := range strings.Lines(string(b)) {
		switch pid, _ := strconv.Atoi(strings.TrimSpace(line)); pid {
		case 0:
			hidden++
		default:
			pids = append(pids, pid)
		}
	}
	return pids, hidden, err
}
