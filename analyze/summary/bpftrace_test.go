//go:build linux && (amd64 || arm64)

package summary_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"testing"

	"sysreel/analyze/summary"
	"sysreel/proto/syscalls"
)

// bpfProgram adds up, in the kernel, the calls of the command that bpftrace runs.
const bpfProgram = `
tracepoint:sched:sched_process_exec /pid == cpid/ { @on = 1; }
tracepoint:raw_syscalls:sys_enter /pid == cpid && @on/ { @start[tid] = nsecs; }
tracepoint:raw_syscalls:sys_exit /pid == cpid && @start[tid]/ {
	@calls[args->id] = count();
	@total[args->id] = sum(nsecs - @start[tid]);
	if (args->ret < 0 && args->ret >= -4095) { @errors[args->id] = count(); }
	delete(@start[tid]);
}
END { clear(@start); clear(@on); }`

// bpfCounts is what it prints, by number of the call.
type bpfCounts struct{ calls, errors, total map[string]uint64 }

func runBPF(t *testing.T, dir string, argv ...string) (bpfCounts, error) {
	t.Helper()
	text := filepath.Join(dir, "bpftrace.json")
	out, err := exec.Command("bpftrace", "-q", "-f", "json", "-o", text, "-c", strings.Join(argv, " "), "-e", bpfProgram).CombinedOutput()
	if err != nil {
		return bpfCounts{}, fmt.Errorf("%w\n%s", err, out)
	}
	data, err := os.ReadFile(text)
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]map[string]uint64)
	for line := range strings.Lines(string(data)) {
		var m struct {
			Type string
			Data map[string]map[string]uint64
		}
		if json.Unmarshal([]byte(line), &m) == nil && m.Type == "map" {
			for name, values := range m.Data {
				all[name] = values
			}
		}
	}
	return bpfCounts{all["@calls"], all["@errors"], all["@total"]}, nil
}

// initPIDs is the initial PID namespace (PROC_PID_INIT_INO, include/linux/proc_ns.h).
const initPIDs = "pid:[4026531836]"

// TestCountsEqualBpftrace compares counts with those of bpftrace in another run of
// the same programs, and the time of a call that takes some. On CI it must be
// possible wherever root sees the kernel's trace points. bpftrace begins behind the
// command's execve, and does not count calls that do not return.
func TestCountsEqualBpftrace(t *testing.T) {
	if testing.Short() {
		t.Skip("runs programs")
	}
	need(t, "bpftrace")
	dir := t.TempDir()
	counts, err := runBPF(t, dir, "/bin/true")
	if ns, _ := os.Readlink("/proc/self/ns/pid"); err == nil && len(counts.calls) == 0 && ns != initPIDs {
		t.Skip("bpftrace compares process IDs of the initial namespace: this is another one")
	}
	if err != nil {
		_, points := os.Stat("/sys/kernel/tracing/events/raw_syscalls")
		if os.Getenv("CI") != "" && os.Geteuid() == 0 && points == nil {
			t.Fatal(err)
		}
		t.Skipf("bpftrace does not work here: %v", err)
	}
	bin := filepath.Join(dir, "sysreel")
	if out, err := exec.Command("go", "build", "-o", bin, "sysreel/cmd/sysreel").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	arch := map[string]syscalls.Arch{"amd64": syscalls.AMD64, "arm64": syscalls.ARM64}[runtime.GOARCH]
	for _, argv := range [][]string{{"ls", "-l", "/usr", "/nonexistent"}, {"find", "/usr/include/linux", "-name", "*.h"}, {"sleep", "0.05"}} {
		t.Run(argv[0], func(t *testing.T) {
			path, err := exec.LookPath(argv[0])
			if err != nil {
				t.Fatal(err)
			}
			argv := append([]string{path}, argv[1:]...)
			bpf, err := runBPF(t, dir, argv...)
			if err != nil {
				t.Fatal(err)
			}
			reel := filepath.Join(t.TempDir(), "t.reel")
			exec.Command(bin, append([]string{"record", "-q", "-o", reel, "--"}, argv...)...).CombinedOutput() // the status is the program's
			out, err := exec.Command(bin, "summary", "--json", reel).Output()
			if err != nil {
				t.Fatal(err)
			}
			var sum summary.Result
			if err := json.Unmarshal(out, &sum); err != nil {
				t.Fatal(err)
			}
			var got, want []string
			ours := make(map[string]int64)
			for _, r := range sum.Rows {
				if ours[r.Name] = r.TotalNs; r.Name != "execve" && r.Name != "exit_group" {
					got = append(got, fmt.Sprint(r.Name, " ", r.Calls, " ", r.Errors))
				}
			}
			for id, calls := range bpf.calls {
				nr, err := strconv.ParseUint(id, 10, 32)
				d := syscalls.Lookup(arch, uint32(nr))
				if err != nil || d == nil {
					t.Fatalf("call number %s", id)
				}
				if d.Name != "execve" {
					want = append(want, fmt.Sprint(d.Name, " ", calls, " ", bpf.errors[id]))
				}
				if d.Name == "clock_nanosleep" {
					const least = 50_000_000
					if total := int64(bpf.total[id]); total < least || ours[d.Name] < least {
						t.Errorf("a sleep of 50 ms takes %d ns, by bpftrace %d", ours[d.Name], total)
					}
				}
			}
			sort.Strings(got)
			sort.Strings(want)
			if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w || len(got) < 5 {
				t.Errorf("sysreel counts\n%s\nbpftrace\n%s", g, w)
			}
		})
	}
}
