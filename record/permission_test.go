//go:build linux && (amd64 || arm64)

package record

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Why tracing is not permitted is said for each of the causes.
func TestNotPermitted(t *testing.T) {
	refused := func(what string, cmd *exec.Cmd, want string) {
		t.Helper()
		out, _ := cmd.CombinedOutput()
		if status := cmd.ProcessState.ExitCode(); status != 125 || !strings.Contains(string(out), want) {
			t.Errorf("%s: status %d, %q; want 125, %q", what, status, out, want)
		}
	}
	around := func(cmd *exec.Cmd, argv ...string) *exec.Cmd {
		return exec.Command(argv[0], append(argv[1:], cmd.Args...)...)
	}
	file := filepath.Join(t.TempDir(), "t.reel")
	p := start(t, prog(t, "server"))
	attach := func() *exec.Cmd { return recorder(t, Options{PIDs: []int{p.Process.Pid}}, file) }
	launch := func() *exec.Cmd { return recorder(t, Options{}, file, "true") }

	deny := []string{prog(t, "deny"), strconv.Itoa(syscall.SYS_PTRACE)}
	refused("filter, attach", around(attach(), deny...), "a seccomp filter forbids ptrace(2) here; in a container")
	refused("filter, launch", around(launch(), deny...), "starting true: a seccomp filter forbids ptrace(2) here")

	zombie := exec.Command("true")
	if err := zombie.Start(); err != nil {
		t.Fatal(err)
	}
	defer zombie.Wait()
	state := func() string {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", zombie.Process.Pid))
		return string(b[bytes.LastIndexByte(b, ')')+1:])
	}
	for deadline := time.Now().Add(2 * time.Minute); !strings.HasPrefix(state(), " Z"); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("true does not end")
		}
	}
	refused("zombie", recorder(t, Options{PIDs: []int{zombie.Process.Pid}}, file), "ended already")
	if b, _ := os.ReadFile("/proc/2/comm"); string(b) == "kthreadd\n" && os.Geteuid() == 0 {
		refused("kernel thread", recorder(t, Options{PIDs: []int{2}}, file), "kthreadd is a kernel thread")
	}

	needTool(t, "strace")
	refused("launch under a tracer", around(launch(), "strace", "-f", "-o", os.DevNull), "starting true: it is traced already, by strace (process ")

	if os.Geteuid() != 0 {
		t.Skip("root is needed to become others")
	}
	needTool(t, "setpriv")
	refused("in a user namespace", userNamespace(attach()), "CAP_SYS_PTRACE in its own user namespace only")
	// The recorder where nobody may execute it.
	b, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	public, err := os.MkdirTemp("/tmp", "sysreel-recorder") // TMPDIR may be root's own
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(public)
	os.Chmod(public, 0o755)
	exe := filepath.Join(public, "recorder")
	if err := os.WriteFile(exe, b, 0o700); err != nil {
		t.Fatal(err)
	}
	os.Chmod(exe, 0o755) // whatever the umask
	asNobody := func(argv ...string) *exec.Cmd {
		cmd := exec.Command(argv[0], argv[1:]...)
		cmd.Dir, cmd.SysProcAttr = "/", &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		return cmd
	}
	byNobody := func(pid int) *exec.Cmd {
		return asNobody(append([]string{exe}, recorder(t, Options{PIDs: []int{pid}}, "-").Args[1:]...)...)
	}
	refused("another user's", byNobody(p.Process.Pid), "it belongs to user 0, this is user 65534; run as root, or with CAP_SYS_PTRACE")
	weak := exec.Command("setpriv", append([]string{"--bounding-set", "-all", "--inh-caps", "-all", "--"}, attach().Args...)...)
	refused("more capable", weak, "it has capabilities that this process lacks; run as root, or with CAP_SYS_PTRACE")
}

// userNamespace has a command run as root of a user namespace of its own.
func userNamespace(cmd *exec.Cmd) *exec.Cmd {
	ids := []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1}}
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER, UidMappings: ids, GidMappings: ids}
	return cmd
}
