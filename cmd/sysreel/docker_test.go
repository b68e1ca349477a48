//go:build linux && (amd64 || arm64)

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// appSource is a service that gives up at once because a file is missing, or
// goes on for ever.
const appSource = `
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
int main(int argc, char **argv) {
	do {
		if (open("/etc/app.conf", O_RDONLY) < 0 && argc < 2) {
			perror("app: /etc/app.conf");
			return 3;
		}
	} while (usleep(10000) == 0);
}`

// docker is a Docker daemon of the test's own, with its files in a temporary
// directory and its mounts in a mount namespace that ends with it.
type docker struct {
	t       *testing.T
	dir     string
	sysreel string
}

// startDocker starts a daemon and loads an image "app" from scratch. Since it
// is root's business and makes cgroups, that is done in CI or on request only.
func startDocker(t *testing.T) *docker {
	if os.Getenv("CI") == "" && os.Getenv("SYSREEL_DOCKER") == "" {
		t.Skip("starts a Docker daemon: set SYSREEL_DOCKER=1, as root")
	}
	for _, tool := range []string{"dockerd", "docker", "cc", "tar"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatal(err)
		}
	}
	dir, err := os.MkdirTemp("/tmp", "sysreel-docker") // short, whatever TMPDIR is: it holds a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	d := &docker{t: t, dir: dir, sysreel: filepath.Join(dir, "sysreel")}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	daemon := exec.Command("dockerd", "--data-root", dir+"/data", "--exec-root", dir+"/exec", "--pidfile", dir+"/pid", "-H", d.host(),
		"--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false", "--bridge=none", "--storage-driver=overlay2")
	daemon.Stdout, daemon.Stderr = log, log
	daemon.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- daemon.Wait() }()
	t.Cleanup(func() {
		daemon.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(2 * time.Minute):
			daemon.Process.Kill()
			<-ended
		}
	})

	bin, err := os.ReadFile(buildSysreel(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.sysreel, bin, 0o755); err != nil {
		t.Fatal(err)
	}
	app := filepath.Join(dir, "app")
	cc := exec.Command("cc", "-static", "-Os", "-o", app, "-x", "c", "-")
	cc.Stdin = strings.NewReader(appSource)
	if out, err := cc.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for deadline := time.Now().Add(2 * time.Minute); d.command("version").Run() != nil; time.Sleep(50 * time.Millisecond) {
		select {
		case err := <-ended:
			ended <- err
			text, _ := os.ReadFile(log.Name())
			t.Fatalf("dockerd: %v\n%s", err, text)
		default:
		}
		if time.Now().After(deadline) {
			text, _ := os.ReadFile(log.Name())
			t.Fatalf("dockerd does not answer\n%s", text)
		}
	}
	image, err := exec.Command("tar", "-C", dir, "-c", "app").Output()
	if err != nil {
		t.Fatal(err)
	}
	load := d.command("import", "-c", `ENTRYPOINT ["/app"]`, "-", "app")
	load.Stdin = bytes.NewReader(image)
	if out, err := load.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return d
}

func (d *docker) host() string { return "unix://" + d.dir + "/sock" }

func (d *docker) command(args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	d.t.Cleanup(cancel)
	return exec.CommandContext(ctx, "docker", append([]string{"-H", d.host()}, args...)...)
}

// run runs docker and returns its exit status and what it printed.
func (d *docker) run(args ...string) (int, string) {
	d.t.Helper()
	out, err := d.command(args...).CombinedOutput()
	if exit, ok := err.(*exec.ExitError); ok {
		return exit.ExitCode(), string(out)
	} else if err != nil {
		d.t.Fatal(err)
	}
	return 0, string(out)
}

// must runs docker, which must end well.
func (d *docker) must(args ...string) string {
	d.t.Helper()
	status, out := d.run(args...)
	if status != 0 {
		d.t.Fatalf("docker %s: status %d\n%s", strings.Join(args, " "), status, out)
	}
	return strings.TrimSpace(out)
}

// look runs an analyser on a trace.
func (d *docker) look(args ...string) string {
	d.t.Helper()
	out, err := exec.Command(d.sysreel, args...).CombinedOutput()
	if err != nil {
		d.t.Fatalf("sysreel %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// record starts a recorder on the host; told to --wait, it does when record
// returns. It must end well, by itself or when end has it interrupted.
func (d *docker) record(file string, args ...string) (end func(interrupt bool)) {
	d.t.Helper()
	cmd := exec.Command(d.sysreel, append([]string{"record", "-o", file}, args...)...)
	log := file + ".log"
	stderr, err := os.Create(log)
	if err != nil {
		d.t.Fatal(err)
	}
	defer stderr.Close()
	cmd.Stderr = stderr
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	d.t.Cleanup(func() { cmd.Process.Kill() })
	said := func() string {
		text, _ := os.ReadFile(log)
		return string(text)
	}
	if slices.Contains(args, "--wait") {
		for deadline := time.Now().Add(2 * time.Minute); !strings.Contains(said(), "waiting for container "); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				d.t.Fatalf("the recorder does not wait\n%s", said())
			}
		}
	}
	return func(interrupt bool) {
		d.t.Helper()
		if interrupt {
			cmd.Process.Signal(os.Interrupt)
		}
		select {
		case err := <-ended:
			if err != nil {
				d.t.Fatalf("the recorder: %v\n%s", err, said())
			}
		case <-time.After(2 * time.Minute):
			d.t.Fatalf("the recorder does not end\n%s", said())
		}
	}
}

// traced waits until a process of the host has a tracer.
func (d *docker) traced(pid string) {
	d.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(5 * time.Millisecond) {
		b, err := os.ReadFile("/proc/" + pid + "/status")
		if err == nil && !bytes.Contains(b, []byte("\nTracerPid:\t0\n")) {
			return
		}
		if time.Now().After(deadline) {
			d.t.Fatalf("process %s of the container is not followed (%v)", pid, err)
		}
	}
}

// events returns the events of a trace in the order of their ends, a line of
// JSON each: in text other threads' lines may be between the parts of a call.
func (d *docker) events(file string) []string {
	d.t.Helper()
	return strings.Split(d.look("replay", "--json", file), "\n")
}

// has checks that one event has all the parts.
func (d *docker) has(file string, parts ...string) {
	d.t.Helper()
	if !slices.ContainsFunc(d.events(file), func(e string) bool {
		return !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(e, part) })
	}) {
		d.t.Errorf("%s has no event with %q", file, parts)
	}
}

// executed reports whether a trace has, soon, the execve
// of app.
func (d *docker) executed(file string) bool {
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		text, _ := exec.Command(d.sysreel, "replay", "--json", file).Output()
		if strings.Contains(string(text), `"paths":["/app"]`) {
			return true
		}
	}
	return false
}

// cause checks that a trace tells why app gave up.
func (d *docker) cause(file string) {
	d.t.Helper()
	d.has(file, `"syscall":"execve"`, `"args":["\"/app\"","[\"/app\"]"`, `"ret":0`)
	d.has(file, `"syscall":"openat"`, `"paths":["/etc/app.conf"]`, `"errno":"ENOENT"`)
	d.has(file, `"event_type":"exit"`, `"process_ended":true`, `"code":3}`)
}

// The README's ways to record containers, with a real engine.
func TestDocker(t *testing.T) {
	d := startDocker(t)
	const none = "--network=none"
	mount := func(name, at string) string { return "-v=" + filepath.Join(d.dir, name) + ":" + at }
	file := func(name string) string { return filepath.Join(d.dir, name) }

	// From the host, before it starts. Between its start and its first
	// execve a crowded machine may leave the recorder no time: one of a few
	// must be whole.
	quick := func(last bool) bool {
		os.Remove(file("host.reel"))
		end := d.record(file("host.reel"), "--wait", "--container", "quick")
		if status, out := d.run("run", none, "--name=quick", "app"); status != 3 || !strings.Contains(out, "app: /etc/app.conf: No such file") {
			t.Errorf("recorded it exits with %d and says %q", status, out)
		}
		if !last && !d.executed(file("host.reel")) {
			// It may have ended unseen: then the recorder waits still.
			end(true)
			d.must("rm", "quick")
			return false
		}
		end(false)
		return true
	}
	for n := 0; n < 12 && !quick(n == 11); n++ {
	}
	d.cause(file("host.reel"))
	id := d.must("inspect", "-f", "{{.Id}}", "quick")
	if text := d.look("info", file("host.reel")); !strings.Contains(text, fmt.Sprintf("container   quick (docker %s)", id[:12])) {
		t.Errorf("info does not tell the container %s:\n%s", id, text)
	}
	d.must("rm", "quick")

	// From inside, with and without the capability.
	for _, capability := range []string{"--cap-add=SYS_PTRACE", "--cap-drop=SYS_PTRACE"} {
		os.Remove(file("inside.reel"))
		if status, out := d.run("run", none, "--rm", capability, mount("sysreel", "/sysreel:ro"), mount("", "/out"), "--entrypoint=/sysreel",
			"app", "record", "-o", "/out/inside.reel", "--", "/app"); status != 3 {
			t.Errorf("%s: status %d\n%s", capability, status, out)
		}
		d.cause(file("inside.reel"))
	}

	// The same by copying.
	d.must("create", none, "--name=copied", "--cap-add=SYS_PTRACE", "--entrypoint=/sysreel", "app", "record", "-o", "/app.reel", "--", "/app")
	d.must("cp", d.sysreel, "copied:/sysreel")
	if status, out := d.run("start", "-a", "copied"); status != 3 {
		t.Errorf("status %d\n%s", status, out)
	}
	d.must("cp", "copied:/app.reel", file("copied.reel"))
	d.cause(file("copied.reel"))

	// One that runs: from the host, with what is executed in it later.
	id = d.must("run", "-d", none, "--name=service", "app", "serve")
	pid := d.must("inspect", "-f", "{{.State.Pid}}", "service")
	end := d.record(file("service.reel"), "--container", id[:6], "--restarts")
	d.traced(pid)
	for n := 0; n < 5; n++ { // as above
		if status, out := d.run("exec", "service", "/app"); status != 3 {
			t.Errorf("exec: status %d\n%s", status, out)
		}
	}
	d.must("restart", "-t", "0", "service")
	d.traced(d.must("inspect", "-f", "{{.State.Pid}}", "service"))
	end(true)
	d.cause(file("service.reel"))
	d.has(file("service.reel"), `"event_type":"exit"`, `"signal":"SIGKILL"`)
	d.has(file("service.reel"), `"syscall":"execve"`, `"args":["\"/app\"","[\"/app\", \"serve\"]"`, `"ret":0`)

	pid = d.must("inspect", "-f", "{{.State.Pid}}", "service")
	end = d.record(file("process.reel"), "-p", pid, "--max-events=20")
	end(false)
	if text := d.look("info", file("process.reel")); !strings.Contains(text, "container   docker "+id[:12]) {
		t.Errorf("info of a process does not tell its container:\n%s", text)
	}

	// From a container beside it, whose own cgroup namespace hides the tree.
	beside := func(name string, flags []string, args ...string) (int, string) {
		t.Helper()
		flags = append([]string{"run", none, "--rm", "--pid=container:service", mount("sysreel", "/sysreel:ro"), mount("", "/out"), "--entrypoint=/sysreel"}, flags...)
		return d.run(append(append(flags, "app", "record", "-o", "/out/"+name), args...)...)
	}
	for name, flags := range map[string][]string{
		"pid.reel": {"-p", "1"},
		"id.reel":  {"--container", id[:12]},
	} {
		if status, out := beside(name, []string{"--cap-add=SYS_PTRACE", "--cgroupns=private"}, append(flags, "--max-events=20")...); status != 0 {
			t.Errorf("%s: status %d\n%s", name, status, out)
		}
		d.has(file(name), `"pid":1,`, `"syscall":"openat"`, `"paths":["/etc/app.conf"]`)
	}
	os.Chmod(d.dir, 0o777) // for a user without rights
	if status, out := beside("denied.reel", []string{"--user=1000"}, "-p", "1"); status != 125 || !strings.Contains(out, "--cap-add SYS_PTRACE") {
		t.Errorf("without the right: status %d\n%s", status, out)
	}
	d.must("rm", "-f", "service", "copied")
}
