//go:build linux && (amd64 || arm64)

package container

import (
	"bytes"
	"os"
	"strconv"
	"strings"
)

// Identity is what the path of a cgroup tells of the container that it is, or
// is in: engines put the container's ID into it.
type Identity struct {
	// Engine is docker, podman, containerd, cri-o or nerdctl, or "" where the
	// path does not tell.
	Engine string
	ID     string // 64 hexadecimal digits
	Pod    string // the UID of its Kubernetes pod, or ""
}

// shortID is what engines print of an ID: 12 digits.
func shortID(id string) string {
	if isID(id) {
		return id[:12]
	}
	return id
}

// String is like "docker 5ff922c1f0e9".
func (c Identity) String() string {
	if c.Engine == "" {
		return shortID(c.ID)
	}
	return c.Engine + " " + shortID(c.ID)
}

// prefixes are what engines put before the ID where systemd makes the cgroup:
// docker-ID.scope. CRI-O and podman do so with cgroupfs too.
var prefixes = []struct{ prefix, engine string }{
	{"docker-", "docker"},
	{"libpod-", "podman"},
	{"cri-containerd-", "containerd"},
	{"crio-", "cri-o"},
	{"nerdctl-", "nerdctl"},
}

// parents are cgroups that an engine keeps its containers in where it makes
// them itself: /docker/ID.
var parents = map[string]string{"docker": "docker", "libpod_parent": "podman"}

// parse finds the innermost container in the path of a cgroup, as
// /proc/PID/cgroup or a directory below a cgroup mount has it. The monitors that
// podman and CRI-O keep beside their containers (libpod-conmon-ID.scope) are in
// none.
func parse(path string) (c Identity, ok bool) {
	parent, pod := "", ""
	for name := range strings.SplitSeq(path, "/") {
		if uid, found := podUID(name); found {
			pod = uid
		}
		if engine, id, found := idInName(name); found {
			if engine == "" {
				engine = parents[parent]
			}
			c, ok = Identity{Engine: engine, ID: id, Pod: pod}, true
		}
		parent = name
	}
	return c, ok
}

// Of tells which container processes are in, if all are in the same one.
func Of(pids []int) (c Identity, ok bool) {
	for _, pid := range pids {
		b, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cgroup")
		this, in := ofProcess(b)
		if !in || ok && this.ID != c.ID {
			return Identity{}, false
		}
		c, ok = this, true
	}
	return c, ok
}

// idInName tells which container's cgroup is named so, whatever it is in.
func idInName(name string) (engine, id string, ok bool) {
	// runc told to leave it to systemd, where there is none, makes a cgroup
	// of the name that it would have asked for: SLICE:PREFIX:ID.
	if _, rest, found := strings.Cut(name, ":"); found {
		prefix, id, _ := strings.Cut(rest, ":")
		name = prefix + "-" + id
	}
	name = strings.TrimSuffix(name, ".scope")
	if isID(name) {
		return "", name, true
	}
	for _, p := range prefixes {
		if id, found := strings.CutPrefix(name, p.prefix); found && isID(id) {
			return p.engine, id, true
		}
	}
	return "", "", false
}

// podUID finds a pod in one name: pod7d1c9b0e-… or kubepods-burstable-pod7d1c9b0e_….slice.
func podUID(name string) (string, bool) {
	if before, _, found := strings.Cut(name, ":"); found {
		name = before
	}
	name = strings.TrimSuffix(name, ".slice")
	if i := strings.LastIndex(name, "-pod"); i >= 0 && strings.Contains(name, "kubepods") {
		name = name[i+1:]
	}
	uid, found := strings.CutPrefix(name, "pod")
	if !found || len(uid) < 32 {
		return "", false
	}
	uid = strings.ReplaceAll(uid, "_", "-") // systemd reads - as /
	for _, r := range uid {
		if !isHex(r) && r != '-' {
			return "", false
		}
	}
	return uid, true
}

// ofProcess finds the container of a process in its /proc/PID/cgroup.
func ofProcess(text []byte) (Identity, bool) {
	for line := range bytes.Lines(text) {
		line = bytes.TrimSuffix(line, []byte("\n"))
		f := bytes.SplitN(line, []byte(":"), 3) // hierarchy-ID:controllers:path
		if len(f) < 3 {
			continue
		}
		if c, ok := parse(string(f[2])); ok {
			return c, true
		}
	}
	return Identity{}, false
}

func isID(s string) bool {
	if len(s) != 64 {
		return false
	}
	for _, r := range s {
		if !isHex(r) {
			return false
		}
	}
	return true
}

func isHex(r rune) bool { return '0' <= r && r <= '9' || 'a' <= r && r <= 'f' }
