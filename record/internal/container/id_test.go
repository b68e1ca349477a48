//go:build linux && (amd64 || arm64)

package container

import (
	"strings"
	"testing"
)

const (
	id    = "5ff922c1f0e9f9440855980f3eaab20aab73f4ef83494b26d226707e46f42d1a"
	other = "0b24a5ee1fd17fb3a1c04a1a0ab3a33e27bd1ae0a5c84b2e2fdf6cbb8a4e9c77"
	pod   = "7d1c9b0e-4a54-4a5f-9c1d-2f0f3f6f1a2b"
	podU  = "7d1c9b0e_4a54_4a5f_9c1d_2f0f3f6f1a2b"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		path        string
		engine, pod string
		id          string // "" none
	}{
		// Docker: cgroupfs and systemd driver, rootless, own parent, docker in docker.
		{"/docker/" + id, "docker", "", id},
		{"/system.slice/docker-" + id + ".scope", "docker", "", id},
		{"/user.slice/user-1000.slice/user@1000.service/user.slice/docker-" + id + ".scope", "docker", "", id},
		{"/jenkins/" + id, "", "", id},
		{"/docker/" + other + "/docker/" + id, "docker", "", id},
		{"/system.slice/docker-" + id + ".scope/init.scope", "docker", "", id},
		// as another container's cgroup namespace shows it
		{"/../" + id, "", "", id},
		{"/../docker-" + id + ".scope", "docker", "", id},
		// podman: rootful, rootless, cgroupfs, in a pod; crun's inner cgroup; its monitor
		{"/machine.slice/libpod-" + id + ".scope", "podman", "", id},
		{"/machine.slice/libpod-" + id + ".scope/container", "podman", "", id},
		{"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + id + ".scope/container", "podman", "", id},
		{"/libpod_parent/libpod-" + id, "podman", "", id},
		{"/machine.slice/machine-libpod_pod_" + other + ".slice/libpod-" + id + ".scope", "podman", "", id},
		{"/machine.slice/libpod-conmon-" + id + ".scope", "", "", ""},
		// Kubernetes: containerd, CRI-O, dockershim, with systemd and cgroupfs
		{"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + podU + ".slice/cri-containerd-" + id + ".scope", "containerd", pod, id},
		{"/kubepods.slice/kubepods-pod" + podU + ".slice/cri-containerd-" + id + ".scope", "containerd", pod, id},
		{"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" + podU + ".slice/crio-" + id + ".scope/container", "cri-o", pod, id},
		{"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" + podU + ".slice/crio-conmon-" + id + ".scope", "", "", ""},
		{"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" + podU + ".slice/docker-" + id + ".scope", "docker", pod, id},
		{"/kubepods/burstable/pod" + pod + "/" + id, "", pod, id},
		{"/kubepods/besteffort/pod" + pod + "/crio-" + id, "cri-o", pod, id},
		{"/system.slice/containerd.service/kubepods-burstable-pod" + podU + ".slice:cri-containerd:" + id, "containerd", pod, id},
		// kind: a node that is a container itself
		{"/docker/" + other + "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod" + podU + ".slice/cri-containerd-" + id + ".scope", "containerd", pod, id},
		// nerdctl, ECS
		{"/system.slice/nerdctl-" + id + ".scope", "nerdctl", "", id},
		{"/default/" + id, "", "", id},
		{"/ecs/0123456789abcdef0123456789abcdef/" + id, "", "", id},
		// none
		{"/", "", "", ""},
		{"/user.slice/user-1000.slice/session-3.scope", "", "", ""},
		{"/system.slice/docker.service", "", "", ""},
		{"/docker", "", "", ""},
		{"/system.slice/docker-" + id[:12] + ".scope", "", "", ""},
		{"/docker/" + strings.ToUpper(id), "", "", ""},
		{"/kubepods/burstable/pod" + pod, "", "", ""},
	} {
		c, ok := parse(tt.path)
		if want := (Identity{tt.engine, tt.id, tt.pod}); ok != (tt.id != "") || ok && c != want {
			t.Errorf("%s:\n got %+v, %v\nwant %+v", tt.path, c, ok, want)
		}
	}
}

func TestOfProcess(t *testing.T) {
	for _, text := range []string{
		"0::/docker/" + id + "\n",
		"3:cpuset:/\n2:cpu,cpuacct:/docker/" + id + "\n1:name=systemd:/docker/" + id + "\n0::/\n",
	} {
		if c, ok := ofProcess([]byte(text)); !ok || c.String() != "docker 5ff922c1f0e9" {
			t.Errorf("%q: %v, %v", text, c, ok)
		}
	}
	colons := "1:cpu:/system.slice/containerd.service/kubepods-pod" + podU + ".slice:cri-containerd:" + id + "\n"
	if c, ok := ofProcess([]byte(colons)); !ok || c.Engine != "containerd" || c.Pod != pod {
		t.Errorf("%q: %+v, %v", colons, c, ok)
	}
	for _, text := range []string{"", "\n", "0::/\n", ":", "::", "0::/user.slice\n1:"} {
		if c, ok := ofProcess([]byte(text)); ok {
			t.Errorf("%q: %v", text, c)
		}
	}
}
