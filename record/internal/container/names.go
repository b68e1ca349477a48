//go:build linux && (amd64 || arm64)

package container

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// known is a container that an engine keeps a record of on disk, whether it
// runs or not.
type known struct {
	engine string
	id     string
	names  []string // the first is the one to show
	// path is its cgroup's where the record tells, as runc takes it.
	path string
}

// source is a place where an engine writes down its containers' names.
type source struct {
	engine string
	globs  []string // files, below the root directory
	parse  func(engine, file string, content []byte) []known
	// byName: the file's name tells all, its content is not read.
	byName bool
}

var sources = []source{
	{engine: "docker", parse: dockerConfig, globs: []string{
		"var/lib/docker/containers/*/config.v2.json",
		"var/lib/docker/*.*/containers/*/config.v2.json", // with userns-remap: UID.GID
		"var/snap/docker/common/var-lib-docker/containers/*/config.v2.json",
		"home/*/.local/share/docker/containers/*/config.v2.json",
	}},
	{engine: "podman", parse: storage, globs: []string{ // and CRI-O
		"var/lib/containers/storage/*-containers/containers.json",
		"var/lib/containers/storage/*-containers/volatile-containers.json",
		"run/containers/storage/*-containers/volatile-containers.json",
		"home/*/.local/share/containers/storage/*-containers/containers.json",
		"home/*/.local/share/containers/storage/*-containers/volatile-containers.json",
	}},
	{engine: "containerd", parse: bundle, globs: []string{ // nerdctl, ctr, Kubernetes
		"run/containerd/io.containerd.runtime.v2.task/*/*/config.json",
		"run/containerd/io.containerd.runtime.v1.linux/*/*/config.json",
	}},
	{engine: "nerdctl", parse: nerdctlName, globs: []string{"var/lib/nerdctl/*/names/*/*"}},
	{engine: "kubernetes", parse: kubeletLog, globs: []string{"var/log/containers/*.log"}, byName: true},
}

// dockerConfig reads the record that Docker keeps of a container.
func dockerConfig(engine, _ string, content []byte) []known {
	var c struct{ ID, Name string }
	if json.Unmarshal(content, &c) != nil || c.ID == "" {
		return nil
	}
	return []known{{engine: engine, id: c.ID, names: []string{strings.TrimPrefix(c.Name, "/")}}}
}

// storage reads the list of containers/storage, which podman and CRI-O use.
func storage(engine, _ string, content []byte) []known {
	var list []struct {
		ID    string   `json:"id"`
		Names []string `json:"names"`
	}
	json.Unmarshal(content, &list)
	var all []known
	for _, c := range list {
		k := known{engine: engine, id: c.ID, names: c.Names}
		for _, name := range c.Names {
			// CRI-O's names have all: k8s_CONTAINER_POD_NAMESPACE_UID_ATTEMPT.
			if f := strings.Split(name, "_"); len(f) == 6 && f[0] == "k8s" && f[1] != "POD" {
				k.engine, k.names = "cri-o", kubernetesNames(f[3], f[2], f[1])
			}
		}
		all = append(all, k)
	}
	return all
}

// bundle reads the OCI configuration in the directory NAMESPACE/ID of a
// container that containerd runs.
func bundle(engine, file string, content []byte) []known {
	var c struct {
		Annotations map[string]string `json:"annotations"`
		Linux       struct {
			CgroupsPath string `json:"cgroupsPath"`
		} `json:"linux"`
	}
	if json.Unmarshal(content, &c) != nil {
		return nil
	}
	dir := filepath.Dir(file)
	k := known{engine: engine, id: filepath.Base(dir), path: c.Linux.CgroupsPath}
	const cri = "io.kubernetes.cri."
	a := c.Annotations
	switch {
	case filepath.Base(filepath.Dir(dir)) == "moby":
		k.engine = "docker" // which keeps the name elsewhere
	case a["nerdctl/name"] != "":
		k.engine, k.names = "nerdctl", []string{a["nerdctl/name"]}
	case a[cri+"container-type"] == "container":
		k.names = kubernetesNames(a[cri+"sandbox-namespace"], a[cri+"sandbox-name"], a[cri+"container-name"])
	}
	return []known{k}
}

// nerdctlName reads a file that is named as a container and holds its ID.
func nerdctlName(engine, file string, content []byte) []known {
	return []known{{engine: engine, id: strings.TrimSpace(string(content)), names: []string{filepath.Base(file)}}}
}

// kubeletLog takes apart the name of the link that the kubelet makes to a
// container's log: POD_NAMESPACE_CONTAINER-ID.log.
func kubeletLog(_, file string, _ []byte) []known {
	f := strings.Split(strings.TrimSuffix(filepath.Base(file), ".log"), "_")
	if len(f) != 3 {
		return nil
	}
	i := strings.LastIndexByte(f[2], '-')
	if i < 0 {
		return nil
	}
	return []known{{engine: "kubernetes", id: f[2][i+1:], names: kubernetesNames(f[1], f[0], f[2][:i])}}
}

// kubernetesNames are the names by which a container of a pod may be asked for.
func kubernetesNames(namespace, pod, name string) []string {
	return []string{namespace + "/" + pod + "/" + name, pod + "/" + name, namespace + "/" + pod, pod, name}
}

// records reads the sources, and files again only when they have changed.
type records struct {
	root  string // "/" but for tests
	cache map[string]record
	extra []string // data directories of Docker daemons that run now
	asked time.Time
}

type record struct {
	mtime time.Time
	size  int64
	all   []known
}

// all returns what the engines have on disk. A container may be there more
// than once.
func (r *records) all() []known {
	if time.Since(r.asked) > 2*time.Second {
		r.extra, r.asked = dockerRoots(r.root), time.Now()
	}
	fresh := make(map[string]record)
	var all []known
	read := func(s source, glob string) {
		files, _ := filepath.Glob(glob)
		for _, file := range files {
			rec, ok := r.file(s, file)
			if ok {
				fresh[file] = rec
				all = append(all, rec.all...)
			}
		}
	}
	for _, s := range sources {
		for _, g := range s.globs {
			read(s, filepath.Join(r.root, g))
		}
	}
	for _, dir := range r.extra {
		read(sources[0], filepath.Join(dir, "containers/*/config.v2.json"))
	}
	r.cache = fresh
	return all
}

// maxRecord bounds what is read of one file.
const maxRecord = 16 << 20

func (r *records) file(s source, file string) (record, bool) {
	if s.byName {
		return record{all: s.parse(s.engine, file, nil)}, true
	}
	st, err := os.Stat(file)
	if err != nil || !st.Mode().IsRegular() || st.Size() > maxRecord {
		return record{}, false
	}
	if old, ok := r.cache[file]; ok && old.mtime.Equal(st.ModTime()) && old.size == st.Size() {
		return old, true
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return record{}, false
	}
	return record{st.ModTime(), st.Size(), s.parse(s.engine, file, content)}, true
}

// dirs are the directories that the sources are in, for a message.
func (r *records) dirs() []string {
	var all []string
	for _, s := range sources {
		g := s.globs[0]
		dir := filepath.Join(r.root, g[:strings.IndexByte(g, '*')])
		if _, err := os.Stat(dir); err == nil && !slices.Contains(all, dir) {
			all = append(all, dir)
		}
	}
	for _, dir := range r.extra {
		all = append(all, filepath.Join(dir, "containers"))
	}
	return all
}

// dockerRoots finds the data directories of Docker daemons that do not use the
// usual one: from their configuration and their command lines.
func dockerRoots(root string) []string {
	var all []string
	add := func(dir string) {
		if dir != "" && dir != "/var/lib/docker" && !slices.Contains(all, dir) {
			all = append(all, dir)
		}
	}
	var c struct {
		DataRoot string `json:"data-root"`
	}
	if b, err := os.ReadFile(filepath.Join(root, "etc/docker/daemon.json")); err == nil && json.Unmarshal(b, &c) == nil {
		add(c.DataRoot)
	}
	files, _ := filepath.Glob(filepath.Join(root, "proc/[0-9]*/cmdline"))
	for _, file := range files {
		b, _ := os.ReadFile(file)
		argv := strings.Split(string(b), "\x00")
		if filepath.Base(argv[0]) != "dockerd" {
			continue
		}
		for i, a := range argv {
			name, value, found := strings.Cut(a, "=")
			switch name {
			case "--data-root", "-g", "--graph":
				if !found && i+1 < len(argv) {
					value = argv[i+1]
				}
				add(value)
			}
		}
	}
	return all
}
