package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// vcpusDiffer are lines of testdata/progs/kvm.c.
var vcpusDiffer = []difference{
	{lines: `^ VCPU:0< .*io=\{direction=(?:KVM_EXIT_IO_OUT|0x1\b).*, port=0x3f8, `, why: "of the state before the call strace shows the data as it is after it"},
	{lines: `^ VCPU:[01]< .*exit_reason=5 `, why: "of two machines that have virtual CPUs of a name strace shows the first's"},
}

// staleState is what strace writes of a call that runs no virtual CPU that it knows:
// the state in which the call before began.
var staleState = regexp.MustCompile(`^ VCPU< `)

// vcpuLines returns the lines of ioctls and of virtual CPUs, without the PIDs. The
// threads that make them take turns.
func vcpuLines(text string) (lines []string) {
	for line := range strings.Lines(text) {
		line = strings.TrimRight(pidBefore.ReplaceAllString(line, ""), "\n")
		if strings.HasPrefix(line, "ioctl(") || strings.HasPrefix(line, " VCPU") && !staleState.MatchString(line) {
			lines = append(lines, line)
		}
	}
	return lines
}

var pidBefore = regexp.MustCompile(`^\d+ +`)

// compareVCPUs holds lines of ours against strace's.
func compareVCPUs(theirs, ours []string, differ []*regexp.Regexp) (problems []string) {
	if len(theirs) != len(ours) || len(theirs) < 150 {
		problems = append(problems, fmt.Sprintf("strace writes %d lines, sysreel %d", len(theirs), len(ours)))
	}
	for i := range min(len(theirs), len(ours)) {
		if theirs[i] != ours[i] && !slicesContain(differ, theirs[i]) {
			if problems = append(problems, fmt.Sprintf("strace  %s\nsysreel %s", theirs[i], ours[i])); len(problems) > 5 {
				break
			}
		}
	}
	return problems
}

// compileGuest returns the program, on a machine that can run it.
func compileGuest(t *testing.T) string {
	t.Helper()
	if !canRecord() {
		t.Skip("cannot record here")
	}
	f, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no machines can be made here: %v", err) // in CI too: no package installs them
	}
	f.Close()
	prog := compileProg(t, "kvm")
	if out, err := exec.Command(prog).CombinedOutput(); err != nil {
		t.Skipf("machines do not run here: %v\n%s", err, out) // what KVM can do depends on the processor
	}
	return prog
}

// TestVCPUs runs a guest under strace and sysreel strace with -e kvm=, and compares
// the text, that of other requests of KVM too.
func TestVCPUs(t *testing.T) {
	prog := compileGuest(t)
	need(t, "strace")
	sysreel, options := buildSysreel(t), []string{"-e kvm=vcpu -y", "-e kvm=vcpu+", "--kvm=vcpu+ -v -X verbose", "-e kvm=vcpu+ -s 3 -X raw -N", "-e kvm=vcpu+ -e verbose=none", "-e kvm=vcpu+ -e raw=ioctl"}
	if straceBefore(t, "7.2") {
		options = options[:1] // strace 6.1 has no more
	}
	for _, option := range options {
		t.Run(option, func(t *testing.T) {
			text := func(tracer ...string) []string {
				file := filepath.Join(t.TempDir(), "text")
				args := append(tracer[1:], "-f", "-o", file, "-e", "trace=ioctl")
				args = append(append(args, strings.Fields(option)...), "setarch", "-R", prog)
				if out, err := exec.Command(tracer[0], args...).CombinedOutput(); err != nil || string(out) != "ok\n" {
					t.Fatalf("%s %s: %v\n%s", tracer[0], strings.Join(args, " "), err, out)
				}
				b, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				return vcpuLines(string(b))
			}
			for _, problem := range compareVCPUs(text("strace"), text(sysreel, "strace"), mayDiffer(t, vcpusDiffer)) {
				t.Error(problem)
			}
		})
	}
}

// TestVCPUText holds replay's text of a guest that testdata/strace72 keeps against
// that of strace 7.2. With UPDATE set the pair is made, where it is missing and strace
// and /dev/kvm are at hand.
func TestVCPUText(t *testing.T) {
	reel, text := filepath.Join("..", "..", "testdata", "strace72", "kvm.reel"), filepath.Join("..", "..", "testdata", "strace72", "kvm.txt")
	if _, err := os.Stat(reel); err != nil && os.Getenv("UPDATE") != "" {
		makeVCPUPair(t, reel, text)
	}
	theirs, err := os.ReadFile(text)
	if err != nil {
		t.Fatal(err)
	}
	replayed := func(args ...string) string {
		var out, errs bytes.Buffer
		if status := run(append([]string{"replay"}, append(args, reel)...), strings.NewReader(""), &out, &errs); status != 0 || errs.Len() > 0 {
			t.Fatalf("replay: status %d: %s", status, errs.String())
		}
		return out.String()
	}
	for _, problem := range compareVCPUs(vcpuLines(string(theirs)), vcpuLines(replayed("--kvm", "vcpu+")), differencesFrom(t, "7.2", vcpusDiffer)) {
		t.Error(problem)
	}
	if out := replayed("-e", "trace=ioctl"); strings.Contains(out, "KVM_EXIT") || strings.Contains(out, "VCPU:") {
		t.Error("virtual CPUs are written of without --kvm")
	}
	if out := replayed("--json"); !strings.Contains(out, `"syscall":"ioctl","args":["5","KVM_RUN","0"],"ret":0,"vcpu":0,"exit_reason":"KVM_EXIT_IO"}`) {
		t.Error("JSON does not tell why a virtual CPU came back")
	}
}

func makeVCPUPair(t *testing.T, reel, text string) {
	t.Helper()
	prog := compileGuest(t)
	if need(t, "strace"); straceBefore(t, "7.2") {
		t.Skip("the text is to be that of strace 7.2")
	}
	for _, args := range [][]string{
		{"strace", "-f", "-e", "trace=ioctl", "-e", "kvm=vcpu+", "-o", text, "setarch", "-R", prog},
		{buildSysreel(t), "record", "-q", "-e", "trace=ioctl", "--kvm", "vcpu+", "-o", reel, "--", "setarch", "-R", prog},
	} {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", args[0], err, out)
		}
	}
}

// TestVCPUAttached attaches to a machine that has been made before.
func TestVCPUAttached(t *testing.T) {
	prog := compileGuest(t)
	cmd := exec.Command(prog, "wait")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	read := bufio.NewReader(out)
	if line, err := read.ReadString('\n'); line != "ready\n" {
		t.Fatalf("%q, %v", line, err)
	}
	strace := exec.Command(buildSysreel(t), "strace", "-e", "trace=ioctl", "-e", "kvm=vcpu+", "-p", strconv.Itoa(cmd.Process.Pid))
	messages, err := strace.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := strace.Start(); err != nil {
		t.Fatal(err)
	}
	text := bufio.NewReader(messages)
	if line, err := text.ReadString('\n'); !strings.HasSuffix(line, " attached\n") {
		t.Fatalf("%q, %v", line, err)
	}
	in.Close()
	var rest bytes.Buffer
	if _, err := rest.ReadFrom(text); err != nil {
		t.Fatal(err)
	}
	if err := strace.Wait(); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	for _, want := range []string{`ioctl\(\d+, KVM_RUN, 0\) += 0 \(KVM_EXIT_IO\)`, ` VCPU:0> .* \{io=\{direction=KVM_EXIT_IO_OUT, size=1, port=0x3f8, count=1, data_offset=0x00000000001000, data=\[0x37\]\}\}\}`,
		` VCPU:0> .* \{mmio=\{phys_addr=0x00000000008000, data=\[0x42, .*\], len=1, is_write=1\}\}\}`, `ioctl\(\d+, KVM_RUN, 0\) += 0 \(KVM_EXIT_HLT\)`} {
		if !regexp.MustCompile("(?m)^" + want + "$").Match(rest.Bytes()) {
			t.Errorf("no line %s in\n%s", want, rest.String())
		}
	}
}
