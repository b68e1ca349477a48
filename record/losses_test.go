//go:build linux && (amd64 || arm64)

package record

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"sysreel/proto/tracepb"
)

// lost returns the losses of a reason, added up by detail.
func (tr *trace) lost(reason tracepb.Loss_Reason) map[string]uint64 {
	sum := make(map[string]uint64)
	for _, l := range tr.losses {
		if l.Reason == reason {
			sum[l.Detail] += l.Count
		}
	}
	return sum
}

// What is submitted to io_uring is not seen, and that is said: of rings made
// while recording, and of those that were there before.
func TestLossUring(t *testing.T) {
	path := prog(t, "uring")
	if out, err := exec.Command(path).Output(); err != nil {
		t.Skipf("%s", out) // sysctl kernel.io_uring_disabled, or a container's filter: no fault of the machine
	}
	for _, o := range []Options{{}, {Trace: "close", Seccomp: SeccompOff}} {
		r := record(t, o, path)
		got := r.lost(tracepb.Loss_IO_URING)
		if r.status != 0 || len(got) != 3 || got["rings set up"] != 1 || got["rings set up that a kernel thread polls (SQPOLL)"] != 1 || got["operations submitted"] != 1 {
			t.Errorf("status %d, losses %v", r.status, got)
		}
	}
	r := record(t, filtered("close"), path)
	if got := r.lost(tracepb.Loss_IO_URING); len(got) != 2 {
		t.Errorf("with a filter: %v", got)
	}
}

// Children that were not to be followed are counted.
func TestLossLeftAlone(t *testing.T) {
	r := record(t, Options{NoFollow: true}, "sh", "-c", "/bin/true; /bin/true; :")
	if got := r.lost(tracepb.Loss_LEFT_ALONE); len(got) != 1 || got["children of recorded processes"] != 2 {
		t.Errorf("losses %v", got)
	}
}

// Memory that could not be read is counted by call, but for calls that failed
// because of it themselves.
func TestLossUnreadable(t *testing.T) {
	r := runProg(t, "badmem")
	got := r.lost(tracepb.Loss_UNREADABLE)
	if got["write"] != 1 || got["writev"] != 1 || got["access"]+got["faccessat"] != 0 {
		t.Errorf("losses %v", got)
	}
}

// Where the kernel lacks what recording needs, the message says so: nothing
// runs, nothing hangs, and a process to be attached to is not touched.
func TestOldKernel(t *testing.T) {
	dir := t.TempDir()
	file, ran := filepath.Join(dir, "t.reel"), filepath.Join(dir, "ran")
	p := start(t, prog(t, "server"))
	for name, rec := range map[string]*exec.Cmd{
		"launch": recorder(t, Options{}, file, "touch", ran),
		"attach": recorder(t, Options{PIDs: []int{p.Process.Pid}}, file),
	} {
		out, _ := exec.Command(prog(t, "oldkernel"), rec.Args...).CombinedOutput()
		if !strings.Contains(string(out), "recording needs Linux 5.3 or later") {
			t.Errorf("%s: %s", name, out)
		}
	}
	if _, err := os.Stat(ran); err == nil {
		t.Error("the command ran")
	}
}

// Below another tracer nothing can be recorded: it is named.
func TestBelowTracer(t *testing.T) {
	needTool(t, "strace")
	file := filepath.Join(t.TempDir(), "t.reel")
	rec := recorder(t, Options{}, file, "true")
	cmd := exec.Command("strace", append([]string{"-f", "-o", os.DevNull}, rec.Args...)...)
	out, _ := cmd.CombinedOutput()
	if want := "it is traced already, by strace (process " + strconv.Itoa(cmd.Process.Pid) + ")"; !strings.Contains(string(out), want) {
		t.Errorf("got %s, want %s", out, want)
	}
}

// An attach says what a stop costs, as a launch does, and how much CPU time
// the recorder took.
func TestCalibrationOfAttach(t *testing.T) {
	p := start(t, prog(t, "server"))
	file := filepath.Join(t.TempDir(), "t.reel")
	cmd := attach(t, Options{PIDs: []int{p.Process.Pid}}, file)
	tr := finish(t, cmd, file)
	if c := tr.header.Calibration.GetStopNs(); c < 500 || c > 1e8 {
		t.Errorf("calibrated cost of a stop: %d ns", c)
	}
	if n := tr.footer.GetRecorderCpuNs(); n < 1000 || n > 1e12 {
		t.Errorf("CPU time of the recorder: %d ns", n)
	}
	if err := p.Process.Signal(syscall.Signal(0)); err != nil {
		t.Error(err)
	}
}
