//go:build linux && (amd64 || arm64)

package record

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
)

// eachHierarchy runs a test on a cgroup of its own in a hierarchy of each
// version that there is. The cgroup is not made yet.
func eachHierarchy(t *testing.T, test func(t *testing.T, dir string)) {
	need(t, os.Getuid() == 0, "root")
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	mounts := make(map[string]string)
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		i := slices.Index(f, "-")
		if i < 0 || strings.Split(f[5], ",")[0] != "rw" {
			continue
		}
		switch kind, options := f[i+1], f[len(f)-1]; {
		case kind == "cgroup2":
			mounts["v2"] = f[4]
		case kind == "cgroup" && (strings.Contains(options, "name=") || strings.Contains(options, "pids")):
			mounts["v1"] = f[4]
		}
	}
	need(t, len(mounts) > 0, "a writable cgroup file system")
	for version, mount := range mounts {
		t.Run(version, func(t *testing.T) {
			dir := filepath.Join(mount, fmt.Sprintf("sysreel-test-%d-%d", os.Getpid(), time.Now().UnixNano()))
			t.Cleanup(func() { removeCgroup(t, dir) })
			test(t, dir)
		})
	}
}

func makeCgroup(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
}

// removeCgroup ends what is in a cgroup and removes it with all below it.
func removeCgroup(t *testing.T, dir string) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			for _, pid := range cgroupMembers(path) {
				syscall.Kill(pid, syscall.SIGKILL)
			}
			return nil
		})
		var dirs []string
		filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				dirs = append(dirs, path)
			}
			return nil
		})
		slices.Reverse(dirs) // the inner ones first
		for _, d := range dirs {
			syscall.Rmdir(d)
		}
		if !exists(dir) {
			return
		}
	}
	t.Errorf("cannot remove %s", dir)
}

func cgroupMembers(dir string) []int {
	b, _ := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
	var pids []int
	for _, f := range strings.Fields(string(b)) {
		pid, _ := strconv.Atoi(f)
		pids = append(pids, pid)
	}
	return pids
}

// put moves a process into a cgroup.
func put(t *testing.T, pid int, dir string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(itoa(pid)), 0); err != nil {
		t.Fatal(err)
	}
}

// sleeper starts a process that does nothing until it is killed.
func sleeper(t *testing.T) int { return start(t, "sh", "-c", "echo; exec sleep 1000").Process.Pid }

// path is a cgroup's as /proc/PID/cgroup has it, where the root is mounted.
func path(dir string) string { return "/" + filepath.Base(dir) }

func end(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := waitFor(cmd, 60*time.Second); err != nil {
		t.Fatalf("the recorder: %v", err)
	}
}

func attachedTo(tr *trace) []int32 {
	var pids []int32
	for _, e := range tr.kind(tracefile.ThreadStart) {
		if tracefile.StartHow(e.Args[0]) == tracefile.StartAttach {
			pids = append(pids, e.Thread.TGID)
		}
	}
	return pids
}

// Every process of a cgroup and of those below it is recorded, also those that
// are put there later, and the recording ends when the last one has.
func TestCgroup(t *testing.T) {
	eachHierarchy(t, func(t *testing.T, dir string) {
		makeCgroup(t, dir+"/a")
		first, inner := sleeper(t), sleeper(t)
		put(t, first, dir)
		put(t, inner, dir+"/a")
		outside := sleeper(t)
		file := filepath.Join(t.TempDir(), "t.reel")
		cmd := attach(t, Options{Cgroup: path(dir)}, file)
		waitTraced(t, first, true)
		waitTraced(t, inner, true)
		later, deep := sleeper(t), sleeper(t)
		put(t, later, dir)
		waitTraced(t, later, true)
		makeCgroup(t, dir+"/a/b/c")
		put(t, deep, dir+"/a/b/c")
		waitTraced(t, deep, true)
		put(t, first, filepath.Dir(dir)) // it stays followed
		pids := []int{first, inner, later, deep}
		for _, pid := range pids {
			syscall.Kill(pid, syscall.SIGKILL)
		}
		end(t, cmd)
		tr := readTrace(t, file)
		got := attachedTo(&tr)
		slices.Sort(got)
		slices.Sort(pids)
		if fmt.Sprint(got) != fmt.Sprint(pids) {
			t.Errorf("recorded %v, in the cgroup were %v, outside %d", got, pids, outside)
		}
		if n := len(tr.kind(tracefile.ThreadExit)); n != len(pids) {
			t.Errorf("%d exits of %d processes", n, len(pids))
		}
		if tr.footer.GetEnd() != tracepb.Footer_EXITED || tr.footer.GetProcesses() != uint32(len(pids)) {
			t.Errorf("footer %v", tr.footer)
		}
		target := tr.header.GetTarget()
		if string(target.GetCgroup()) != path(dir) || !slices.ContainsFunc(target.GetCgroupDirs(), func(b []byte) bool { return string(b) == dir }) {
			t.Errorf("target %v", target)
		}
	})
}

// A cgroup that is not there is waited for, and again when it has ended.
func TestCgroupWait(t *testing.T) {
	eachHierarchy(t, func(t *testing.T, dir string) {
		file := filepath.Join(t.TempDir(), "t.reel")
		cmd := attach(t, Options{Cgroup: path(dir), Wait: true, Restarts: true}, file)
		var pids []int32
		for range 3 {
			makeCgroup(t, dir)
			pid := sleeper(t)
			pids = append(pids, int32(pid))
			put(t, pid, dir)
			waitTraced(t, pid, true)
			removeCgroup(t, dir)
		}
		tr := finish(t, cmd, file)
		if got := attachedTo(&tr); !slices.Equal(got, pids) {
			t.Errorf("recorded %v, want %v", got, pids)
		}
		if tr.footer.GetEnd() != tracepb.Footer_INTERRUPTED {
			t.Errorf("footer %v", tr.footer)
		}
	})
}

// The time that is waited does not count.
func TestCgroupWaitMaxTime(t *testing.T) {
	eachHierarchy(t, func(t *testing.T, dir string) {
		file := filepath.Join(t.TempDir(), "t.reel")
		cmd := attach(t, Options{Cgroup: path(dir), Wait: true, MaxTime: 50 * time.Millisecond}, file)
		time.Sleep(100 * time.Millisecond)
		makeCgroup(t, dir) // empty: it is still waited for
		pid := sleeper(t)
		put(t, pid, dir)
		end(t, cmd)
		tr := readTrace(t, file)
		if got := attachedTo(&tr); !slices.Equal(got, []int32{int32(pid)}) || tr.footer.GetEnd() != tracepb.Footer_LIMIT {
			t.Errorf("recorded %v, footer %v", got, tr.footer)
		}
		waitTraced(t, pid, false)
	})
}

// Nothing came before the end: a whole trace of nothing.
func TestCgroupWaitInVain(t *testing.T) {
	eachHierarchy(t, func(t *testing.T, dir string) {
		file := filepath.Join(t.TempDir(), "t.reel")
		cmd := recorder(t, Options{Cgroup: path(dir), Wait: true}, file)
		stderr, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
		if line, err := bufio.NewReader(stderr).ReadString('\n'); line != "warning: waiting for cgroup "+path(dir)+"\n" {
			t.Fatalf("%q, %v", line, err)
		}
		tr := finish(t, cmd, file)
		if len(tr.events) != 0 || tr.state != tracefile.Complete || tr.footer.GetEnd() != tracepb.Footer_INTERRUPTED {
			t.Errorf("%d events, %v, footer %v", len(tr.events), tr.state, tr.footer)
		}
	})
}

func TestCgroupErrors(t *testing.T) {
	eachHierarchy(t, func(t *testing.T, dir string) {
		fails := func(want string, o Options) {
			t.Helper()
			out, err := recorder(t, o, filepath.Join(t.TempDir(), "t.reel")).CombinedOutput()
			if err == nil || !strings.Contains(string(out), want) {
				t.Errorf("%v: %s\nwant %q", err, out, want)
			}
		}
		fails("no cgroup "+path(dir), Options{Cgroup: path(dir)})
		makeCgroup(t, dir)
		fails("cgroup "+path(dir)+": no process is in it", Options{Cgroup: path(dir)})
		fails("is not a cgroup", Options{Cgroup: t.TempDir(), Wait: true})

		// A process that has a tracer already.
		pid := sleeper(t)
		put(t, pid, dir)
		other := filepath.Join(t.TempDir(), "other.reel")
		tracer := attach(t, Options{PIDs: []int{pid}}, other)
		fails("it is traced already", Options{Cgroup: path(dir)})

		// Another in the same cgroup is recorded, and the first when it is free.
		second := sleeper(t)
		put(t, second, dir)
		file := filepath.Join(t.TempDir(), "t.reel")
		cmd := recorder(t, Options{Cgroup: path(dir)}, file)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
		waitTraced(t, second, true)
		finish(t, tracer, other)
		waitTraced(t, pid, true)
		tr := finish(t, cmd, file)
		if got := attachedTo(&tr); !slices.Equal(got, []int32{int32(second), int32(pid)}) {
			t.Errorf("recorded %v, want %v", got, []int{second, pid})
		}
		for _, e := range tr.kind(tracefile.ThreadStart) {
			if !bytes.Contains(e.Facts.GetCgroup(), []byte(path(dir))) {
				t.Errorf("process %d: cgroup %q", e.Thread.TGID, e.Facts.GetCgroup())
			}
		}
		if len(tr.losses) != 1 || tr.losses[0].Reason != tracepb.Loss_NOT_FOLLOWED || !strings.Contains(tr.losses[0].Detail, "traced already") {
			t.Errorf("losses %v", tr.losses)
		}
		if n := strings.Count(stderr.String(), "traced already"); n != 1 {
			t.Errorf("told %d times:\n%s", n, stderr.String())
		}
	})
}

// A process that forks without end while its cgroup is attached to has no
// descendant that goes untraced.
func TestCgroupForks(t *testing.T) {
	eachHierarchy(t, func(t *testing.T, dir string) {
		makeCgroup(t, dir)
		for range 3 {
			p := start(t, "sh", "-c", "echo; while :; do (:; (:)); done")
			put(t, p.Process.Pid, dir)
		}
		file := filepath.Join(t.TempDir(), "t.reel")
		cmd := attach(t, Options{Cgroup: path(dir)}, file)
		untraced := func() int {
			n := 0
			for _, pid := range cgroupMembers(dir) {
				b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
				if err == nil && bytes.Contains(b, []byte("\nTracerPid:\t0\n")) && !bytes.Contains(b, []byte("\nState:\tZ")) && !bytes.Contains(b, []byte("\nState:\tX")) {
					n++
				}
			}
			return n
		}
		clean := 0
		for deadline := time.Now().Add(2 * time.Minute); clean < 100; time.Sleep(time.Millisecond) {
			if clean++; untraced() > 0 {
				clean = 0
			}
			if time.Now().After(deadline) {
				t.Fatal("there are always untraced processes")
			}
		}
		tr := finish(t, cmd, file)
		if len(tr.kind(tracefile.ThreadExit)) == 0 {
			t.Error("no process was seen to end")
		}
	})
}

// The recorder leaves out itself and the pipeline that it is in.
func TestCgroupWithItself(t *testing.T) {
	eachHierarchy(t, func(t *testing.T, dir string) {
		makeCgroup(t, dir)
		pid := sleeper(t) // of the test's process group, as the recorder is not
		put(t, pid, dir)
		file := filepath.Join(t.TempDir(), "t.reel")
		cmd := recorder(t, Options{Cgroup: path(dir)}, "-")
		words := append([]string{"-c", `echo $$ > "$1/cgroup.procs"; out=$2; shift 2; "$@" | cat > "$out"`, "sh", dir, file}, cmd.Args...)
		shell := exec.Command("sh", words...)
		shell.Stderr = os.Stderr
		shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := shell.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { shell.Process.Kill(); shell.Wait() })
		waitTraced(t, pid, true)
		syscall.Kill(pid, syscall.SIGKILL)
		end(t, shell)
		tr := readTrace(t, file)
		if got := attachedTo(&tr); !slices.Equal(got, []int32{int32(pid)}) {
			t.Errorf("recorded %v, want %d alone", got, pid)
		}
	})
}
