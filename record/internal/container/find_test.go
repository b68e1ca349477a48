//go:build linux && (amd64 || arm64)

package container

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// machine makes a directory that looks like a machine: cgroup mounts, records
// of engines and processes. Files are by path; a path below /sys/fs/cgroup is a
// cgroup, and its content the processes in it.
func machine(t *testing.T, mounts map[string]string, files map[string]string) *system {
	t.Helper()
	root := t.TempDir()
	write := func(path, content string) {
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	mountinfo := "21 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard\n"
	for i, mount := range slices.Sorted(maps.Keys(mounts)) {
		mountinfo += fmt.Sprintf("%d 21 0:%d / %s rw,nosuid - %s\n", 30+i, 40+i, filepath.Join(root, mount), mounts[mount])
		write(mount+"/"+procs, "")
	}
	write("mountinfo", mountinfo)
	for path, content := range files {
		if strings.HasPrefix(path, "/sys/fs/cgroup/") {
			for dir := path; len(dir) > len("/sys/fs/cgroup"); dir = filepath.Dir(dir) {
				if _, err := os.Stat(filepath.Join(root, dir, procs)); err != nil {
					write(dir+"/"+procs, "")
				}
			}
			path += "/" + procs
		}
		write(path, content)
	}
	return &system{root: root, proc: filepath.Join(root, "proc"), mountinfo: filepath.Join(root, "mountinfo"), records: records{root: root}}
}

var (
	unified = map[string]string{"/sys/fs/cgroup": "cgroup2 cgroup2 rw,nsdelegate"}
	hybrid  = map[string]string{
		"/sys/fs/cgroup/unified": "cgroup2 cgroup2 rw",
		"/sys/fs/cgroup/systemd": "cgroup cgroup rw,xattr,name=systemd",
		"/sys/fs/cgroup/memory":  "cgroup cgroup rw,memory",
		"/sys/fs/cgroup/pids":    "cgroup cgroup rw,pids",
	}
)

const (
	podSlice = "/sys/fs/cgroup/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + podU + ".slice"
	third    = "0b24a5ee77777777777777777777777777777777777777777777777777777777"
)

// look finds a target as a Watcher does and returns the group with its
// processes, or the error.
func look(s *system, target Target) string {
	w := &Watcher{target: target, sys: s, notice: &notice{fd: -1}}
	pids, err := w.Scan()
	if err != nil {
		kind := "error"
		if errors.Is(err, ErrAbsent) {
			kind = "absent"
		}
		text := strings.ReplaceAll(err.Error(), s.root+"/", "/")
		return kind + ": " + text
	}
	g := w.Group()
	if target.Cgroup != "" {
		return fmt.Sprint(pids)
	}
	return fmt.Sprintf("%v %v", g, pids)
}

func TestFindContainer(t *testing.T) {
	docker := machine(t, hybrid, map[string]string{
		"/sys/fs/cgroup/unified/docker/" + id:                     "101\n102\n",
		"/sys/fs/cgroup/systemd/docker/" + id:                     "101\n102\n",
		"/sys/fs/cgroup/memory/docker/" + id:                      "101\n102\n",
		"/sys/fs/cgroup/memory/docker/" + id + "/inner":           "103\n",
		"/sys/fs/cgroup/systemd/docker/" + third:                  "301\n", // not in the unified one
		"/sys/fs/cgroup/unified/system.slice/docker.service":      "77\n",
		"/var/lib/docker/containers/" + id + "/config.v2.json":    `{"State":{"Running":true,"Pid":101},"ID":"` + id + `","Name":"/web"}`,
		"/var/lib/docker/containers/" + other + "/config.v2.json": `{"ID":"` + other + `","Name":"/stopped"}`,
		"/var/lib/docker/containers/" + third + "/config.v2.json": `{"ID":"` + third + `","Name":"/cafe"}`,
		"/var/lib/docker/containers/broken/config.v2.json":        `{"ID":`,
		"/var/lib/docker/containers/empty/config.v2.json":         ``,
	})
	systemd := machine(t, unified, map[string]string{
		"/sys/fs/cgroup/system.slice/docker-" + id + ".scope":                 "101\n",
		"/sys/fs/cgroup/system.slice/docker-" + id + ".scope/init.scope":      "102\n",
		"/sys/fs/cgroup/machine.slice/libpod-" + other + ".scope":             "",
		"/sys/fs/cgroup/machine.slice/libpod-" + other + ".scope/container":   "201\n",
		"/sys/fs/cgroup/machine.slice/libpod-conmon-" + other + ".scope":      "200\n",
		"/var/lib/containers/storage/overlay-containers/containers.json":      `[{"id":"` + other + `","names":["db"],"metadata":"{}"},{"id":"` + third + `","names":["gone"]}]`,
		"/run/containers/storage/overlay-containers/volatile-containers.json": `[{"id":"1111111111111111111111111111111111111111111111111111111111111111","names":["volatile"]}]`,
		"/proc/900/cmdline":                          "/usr/bin/dockerd\x00-H\x00fd://\x00--data-root\x00DATA\x00",
		"/proc/901/cmdline":                          "",
		"/data/containers/" + id + "/config.v2.json": `{"ID":"` + id + `","Name":"/web"}`,
	})
	if err := os.WriteFile(filepath.Join(systemd.root, "proc/900/cmdline"), []byte("dockerd\x00--data-root="+systemd.root+"/data\x00"), 0o644); err != nil {
		t.Fatal(err)
	}
	kubernetes := machine(t, unified, map[string]string{
		podSlice + "/cri-containerd-" + id + ".scope":                                    "101\n",
		podSlice + "/cri-containerd-" + other + ".scope":                                 "1\n", // its pause container
		podSlice + "/crio-" + third + ".scope/container":                                 "301\n",
		"/run/containerd/io.containerd.runtime.v2.task/k8s.io/" + id + "/config.json":    `{"annotations":{"io.kubernetes.cri.container-type":"container","io.kubernetes.cri.container-name":"nginx","io.kubernetes.cri.sandbox-name":"web-5d9c","io.kubernetes.cri.sandbox-namespace":"shop"},"linux":{"cgroupsPath":"kubepods-burstable-pod` + podU + `.slice:cri-containerd:` + id + `"}}`,
		"/run/containerd/io.containerd.runtime.v2.task/k8s.io/" + other + "/config.json": `{"annotations":{"io.kubernetes.cri.container-type":"sandbox","io.kubernetes.cri.sandbox-name":"web-5d9c"}}`,
		"/var/log/containers/web-5d9c_shop_nginx-" + id + ".log":                         "",
		"/var/log/containers/job-1_shop_main-" + third + ".log":                          "",
		"/var/lib/containers/storage/overlay-containers/containers.json":                 `[{"id":"` + third + `","names":["k8s_main_job-1_shop_` + pod + `_0"]}]`,
	})
	containerd := machine(t, unified, map[string]string{
		"/sys/fs/cgroup/default/redis1":                                                "101\n",
		"/sys/fs/cgroup/default/" + id:                                                 "201\n",
		"/run/containerd/io.containerd.runtime.v2.task/default/redis1/config.json":     `{"linux":{"cgroupsPath":"/default/redis1"}}`,
		"/run/containerd/io.containerd.runtime.v2.task/default/" + id + "/config.json": `{"annotations":{"nerdctl/name":"api"},"linux":{"cgroupsPath":"/default/` + id + `"}}`,
		"/var/lib/nerdctl/1935db59/names/default/old":                                  other,
	})
	twins := machine(t, unified, map[string]string{
		"/sys/fs/cgroup/system.slice/docker-" + other + ".scope":     "101\n",
		"/sys/fs/cgroup/machine.slice/libpod-" + third + ".scope":    "201\n",
		"/var/lib/docker/containers/" + other + "/config.v2.json":    `{"ID":"` + other + `","Name":"/web"}`,
		"/var/lib/containers/storage/vfs-containers/containers.json": `[{"id":"` + third + `","names":["web"]},{"id":"` + id + `","names":["web"]}]`,
	})
	sidecar := machine(t, unified, map[string]string{ // a cgroup namespace of its own
		"/proc/1/cgroup":       "0::/../docker-" + id + ".scope\n",
		"/proc/9/cgroup":       "0::/../docker-" + id + ".scope\n",
		"/proc/12/cgroup":      "0::/\n",
		"/proc/sys/kernel/any": "",
	})
	os.MkdirAll(filepath.Join(sidecar.proc, "self/ns"), 0o755)
	os.Symlink("cgroup:[4026532512]", filepath.Join(sidecar.proc, "self/ns/cgroup"))
	hidden := machine(t, unified, map[string]string{"/sys/fs/cgroup/docker/" + id: "0\n0\n"})
	bare := machine(t, nil, nil)

	for _, tt := range []struct {
		on         *system
		name, want string
	}{
		{docker, id, "web (docker 5ff922c1f0e9) [101 102]"},
		{docker, "5ff922c1f0e9", "web (docker 5ff922c1f0e9) [101 102]"},
		{docker, "5ff9", "web (docker 5ff922c1f0e9) [101 102]"},
		{docker, "docker://" + id, "web (docker 5ff922c1f0e9) [101 102]"},
		{docker, "/web", "web (docker 5ff922c1f0e9) [101 102]"},
		{docker, "web", "web (docker 5ff922c1f0e9) [101 102]"},
		{docker, "cafe", "cafe (docker 0b24a5ee7777) [301]"},
		{docker, "0b24a5ee", "cafe (docker 0b24a5ee7777) [301]"}, // the other does not run
		{docker, "stopped", "absent: container stopped (docker 0b24a5ee1fd1) is not running"},
		{docker, "5ff", "absent: no container 5ff: looked for its ID in /sys/fs/cgroup/* and /proc/PID/cgroup, for its name in /var/lib/docker/containers; " +
			"there run cafe (docker 0b24a5ee7777), web (docker 5ff922c1f0e9)"},
		{docker, "docker", "absent: no container docker: looked"},
		{systemd, "web", "web (docker 5ff922c1f0e9) [101 102]"},
		{systemd, "db", "db (podman 0b24a5ee1fd1) [201]"},
		{systemd, "gone", "absent: container gone (podman 0b24a5ee7777) is not running"},
		{systemd, "volatile", "absent: container volatile (podman 111111111111) is not running"},
		{kubernetes, "shop/web-5d9c/nginx", "shop/web-5d9c/nginx (containerd 5ff922c1f0e9) [101]"},
		{kubernetes, "web-5d9c", "shop/web-5d9c/nginx (containerd 5ff922c1f0e9) [101]"},
		{kubernetes, "nginx", "shop/web-5d9c/nginx (containerd 5ff922c1f0e9) [101]"},
		{kubernetes, "containerd://" + id, "shop/web-5d9c/nginx (containerd 5ff922c1f0e9) [101]"},
		{kubernetes, "shop/job-1", "shop/job-1/main (cri-o 0b24a5ee7777) [301]"},
		{containerd, "redis1", "containerd redis1 [101]"},
		{containerd, "api", "api (nerdctl 5ff922c1f0e9) [201]"},
		{containerd, "old", "absent: container old (nerdctl 0b24a5ee1fd1) is not running"},
		{twins, "web", "error: container web: 2 that run are meant by that: web (docker 0b24a5ee1fd1), web (podman 0b24a5ee7777); give one's ID"},
		{twins, "0b24a5ee", "error: container 0b24a5ee: 2 that run are meant by that"},
		{twins, "0b24a5ee7", "web (podman 0b24a5ee7777) [201]"},
		{sidecar, "5ff922c1f0e9", "docker 5ff922c1f0e9 [1 9]"},
		{hidden, "5ff922c1f0e9", "error: container 5ff922c1f0e9: processes of a PID namespace that cannot be seen from this one (2 of them)"},
		{bare, "web", "absent: no container web: looked for its ID in no cgroup tree, for none is mounted, and /proc/PID/cgroup; no engine's records of names are here; no container runs"},
	} {
		if got := look(tt.on, Target{Container: tt.name}); got != tt.want && !(strings.Contains(tt.want, ":") && strings.HasPrefix(got, tt.want)) {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

func TestFindCgroup(t *testing.T) {
	s := machine(t, hybrid, map[string]string{
		"/sys/fs/cgroup/unified/system.slice/nginx.service": "",
		"/sys/fs/cgroup/systemd/system.slice/nginx.service": "10\n11\n",
		"/sys/fs/cgroup/memory/batch":                       "20\n",
		"/sys/fs/cgroup/memory/batch/a/b":                   "21\n22\n",
		"/sys/fs/cgroup/unified/empty":                      "",
		"/var/tmp/x":                                        "",
	})
	for _, tt := range []struct{ path, want string }{
		{"/system.slice/nginx.service", "[10 11]"},
		{"system.slice/nginx.service/", "[10 11]"},
		{"/batch", "[20 21 22]"},
		{"/batch/a", "[21 22]"},
		{s.root + "/sys/fs/cgroup/memory/batch", "[20 21 22]"},
		{"/empty", "absent: cgroup /empty: no process is in it"},
		{"/system.slice/apache.service", "absent: no cgroup /system.slice/apache.service: there is no such directory, nor in /sys/fs/cgroup/*"},
		{s.root + "/var/tmp", "error: /var/tmp is not a cgroup: it has no cgroup.procs"},
	} {
		if got := look(s, Target{Cgroup: tt.path}); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.path, got, tt.want)
		}
	}
	bare := machine(t, nil, nil)
	if got, want := look(bare, Target{Cgroup: "/x"}), "error: cgroup /x: no cgroup file system is mounted here"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestHierarchies(t *testing.T) {
	const mountinfo = `25 30 0:23 / /sys rw,nosuid shared:7 - sysfs sysfs rw
34 25 0:29 / /sys/fs/cgroup ro,nosuid shared:9 - tmpfs tmpfs ro,mode=755
40 34 0:35 / /sys/fs/cgroup/memory rw shared:16 - cgroup cgroup rw,memory
36 34 0:31 / /sys/fs/cgroup/systemd rw shared:11 - cgroup cgroup rw,xattr,name=systemd
35 34 0:30 / /sys/fs/cgroup/unified rw shared:10 master:3 - cgroup2 cgroup2 rw,nsdelegate
41 34 0:36 /docker/abc /mnt/own\040cgroups rw - cgroup cgroup rw,pids
bad line
`
	var got []string
	for _, h := range hierarchies(strings.NewReader(mountinfo)) {
		got = append(got, h.dir("/docker/abc/x"))
	}
	want := []string{"/sys/fs/cgroup/unified/docker/abc/x", "/sys/fs/cgroup/systemd/docker/abc/x", "/mnt/own cgroups/x", "/sys/fs/cgroup/memory/docker/abc/x"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// Records are read again when they change, and forgotten with their files.
func TestRecordsChange(t *testing.T) {
	file := "/var/lib/docker/containers/" + id + "/config.v2.json"
	s := machine(t, unified, map[string]string{
		"/sys/fs/cgroup/docker/" + id: "1\n",
		file:                          `{"ID":"` + id + `","Name":"/before"}`,
	})
	if got, want := look(s, Target{Container: "before"}), "before (docker 5ff922c1f0e9) [1]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	path := filepath.Join(s.root, file)
	if err := os.WriteFile(path, []byte(`{"ID":"`+id+`","Name":"/after it was renamed"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, want := look(s, Target{Container: "after it was renamed"}), "after it was renamed (docker 5ff922c1f0e9) [1]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	os.Remove(path)
	if got := look(s, Target{Container: "after it was renamed"}); !strings.HasPrefix(got, "absent: no container") {
		t.Errorf("got %s", got)
	}
}
