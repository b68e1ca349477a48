package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sysreel/proto/syscalls"
)

// TestEveryCall makes every call of the table with many arguments, and holds
// replay's text of each against strace's.
//
// SYSREEL_PLAN=N gives each argument up to N values instead of a few, and compares
// with -v -y -s 8 too (100 takes some minutes), SYSREEL_SEED=N others, SYSREEL_CALLS=a,b plans those calls
// only, SYSREEL_SHOW=N shows so many differences of each.
func TestEveryCall(t *testing.T) {
	if testing.Short() {
		t.Skip("makes thousands of calls three times")
	}
	if !canRecord() {
		t.Skip("cannot record here")
	}
	if os.Geteuid() != 0 {
		skipOrFail(t, "the program of calls gives up root's privileges: there are none")
	}
	need(t, "strace")
	need(t, "setarch")
	need(t, "gcc")
	bin := buildSysreel(t)
	modes := [][]string{nil}
	if os.Getenv("SYSREEL_PLAN") != "" {
		modes = append(modes, []string{"-v", "-y", "-s", "8"})
	}
	for _, tt := range []struct {
		arch syscalls.Arch
		gcc  []string
		args [][]string
	}{
		{syscalls.AMD64, nil, modes},
	} {
		t.Run(tt.arch.String(), func(t *testing.T) {
			prog := filepath.Join(t.TempDir(), "plan")
			if out, err := exec.Command("gcc", append(tt.gcc, "-Wall", "-o", prog, "../../testdata/progs/plan.c")...).CombinedOutput(); err != nil {
				if tt.gcc != nil && os.Getenv("CI") == "" {
					t.Skipf("gcc-multilib is not installed: %s", out)
				}
				t.Fatalf("gcc: %v\n%s", err, out)
			}
			p := newPlanner(tt.arch, uint64(envInt("SYSREEL_SEED", 1)), envInt("SYSREEL_PLAN", 3))
			only := strings.FieldsFunc(os.Getenv("SYSREEL_CALLS"), func(r rune) bool { return r == ',' })
			for _, d := range syscalls.All(tt.arch) {
				if unplanned[d.Name] != "" || theirOwn[d.Name] != "" || len(only) > 0 && !slices.Contains(only, d.Name) {
					continue
				}
				if p.call(d); p.planned[d.Name] == 0 {
					t.Errorf("no call of %s is in the plan", d.Name)
				}
			}
			t.Logf("%d calls of %d rows, %d KiB of memory", p.calls, len(p.planned), (p.next-(planMemory-planBase))>>10)
			for _, args := range tt.args {
				t.Run(strings.Join(append([]string{"replay"}, args...), " "), func(t *testing.T) { everyCall(t, bin, prog, p, args) })
			}
		})
	}
}

func skipOrFail(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}

func envInt(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

func everyCall(t *testing.T, bin, prog string, p *planner, args []string) {
	top := t.TempDir()
	plan, dir := filepath.Join(top, "plan"), filepath.Join(top, "dir")
	run := func(tracer ...string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if err := p.write(plan, dir); err != nil {
			t.Fatal(err)
		}
		if os.Geteuid() == 0 {
			if out, err := exec.Command("chown", "-R", "54321", dir).CombinedOutput(); err != nil {
				t.Fatalf("chown: %v\n%s", err, out)
			}
			for d := top; d != "/" && d != os.TempDir(); d = filepath.Dir(d) {
				os.Chmod(d, 0o755)
			}
		}
		cmd := exec.CommandContext(ctx, tracer[0], append(tracer[1:], "setarch", "-R", prog, plan, dir)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", tracer, err, out)
		}
	}
	var logs [2]*straced
	for i := range logs {
		log := filepath.Join(top, "strace")
		run(append(append([]string{"strace", "-f", "-o", log}, args...), "--")...)
		text, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		logs[i] = parseText(string(text))
	}
	reel := filepath.Join(top, "reel")
	run(bin, "record", "-q", "--force", "--snap", "65536", "-o", reel, "--")
	cmd := exec.Command(bin, append([]string{"replay", reel}, args...)...)
	var text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &text, os.Stderr
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	ours := parseText(inWordsOf(t, text.String()))
	if d := os.Getenv("SYSREEL_KEEP"); d != "" {
		exec.Command("cp", filepath.Join(top, "strace"), filepath.Join(d, "strace.txt")).Run()
		os.WriteFile(filepath.Join(d, "ours.txt"), text.Bytes(), 0o644)
	}
	compareCalls(t, p, ours, logs[0], logs[1])
}

// theirOwn are the calls whose text is held against strace's elsewhere, by
// programs that know their operations.
var theirOwn = map[string]string{
	"ioctl": "ioctls.c", "setsockopt": "sockopts.c", "getsockopt": "sockopts.c", "bpf": "bpf.c", "keyctl": "keyctl.c",
}

// otherwise are the lines that replay writes in another way. All others must be
// the same to the letter.
var otherwise = []difference{
	{lines: `^_sysctl\(`, why: "strace prints names and values only of calls that did well"},
	{lines: `^add_key\(`, why: "fails in another way every time"},
	{lines: `^arch_prctl\(`, why: "strace names the bits of ARCH_GET_XCOMP_SUPP"},
	{lines: `^clock_adjtime\(`, why: "strace names ADJ_OFFSET_SS_READ"},
	{lines: `^clone\(`, why: "of the child that the test makes itself"},
	{lines: `^execve\(`, why: "strace counts an environment that cannot be read to its end; here it is \"3+ vars\""},
	{lines: `^execveat\(`, why: "as execve"},
	{lines: `^fcntl\(`, why: "strace 6.1 does not know all operations", before: "7.2"},
	{lines: `^fcntl64\(`, why: "as fcntl"},
	{lines: `^fsconfig\(`, why: "strace prints binary values in hexadecimal"},
	{lines: `^fsmount\(`, why: "strace 6.1 does not know two flags here that it knows in mount_setattr", before: "7.2"},
	{lines: `^futex\(`, why: "strace 6.1 knows no FUTEX_CLOCK_REALTIME with FUTEX_LOCK_PI2", before: "7.2"},
	{lines: `^futex_time64\(`, why: "as futex"},
	{lines: `^futex_waitv\(`, why: "the low bits of the flags are a size now"},
	{lines: `^get_mempolicy\(`, why: "an empty set of nodes"},
	{lines: `^get_thread_area\(`, why: "a structure cut by the end of memory"},
	{lines: `^getsockname\(`, why: "an address cut by the room that there was for it"},
	{lines: `^io_submit\(`, why: "strace prints less of struct iocb"},
	{lines: `^io_uring_enter\(.*IORING_ENTER_EXT_ARG`, why: "arguments that strace 6.1 takes for signals", before: "7.2"},
	{lines: `^io_uring_register\(`, why: "operations newer than strace 6.1", before: "7.2"},
	{lines: `^io_uring_setup\(`, why: "strace prints reserved members of a call that failed"},
	{lines: `^landlock_create_ruleset\(`, why: "the structure has grown since strace 6.1", before: "7.2"},
	{lines: `^mbind\(`, why: "an empty set of nodes, and one of more than 4096 words"},
	{lines: `^migrate_pages\(`, why: "as mbind"},
	{lines: `^modify_ldt\(`, why: "strace prints the structures"},
	{lines: `^mount\(`, why: "strace prints types that do not matter as addresses"},
	{lines: `^mount_setattr\(`, why: "strace prints the bytes behind the structure"},
	{lines: `^move_pages\(`, why: "an empty array that the call should have filled"},
	{lines: `^mremap\(`, why: "strace prints the new address only with MREMAP_MAYMOVE too"},
	{lines: `^msgctl\(`, why: "IPC_64 with unknown bits"},
	{lines: `^msgget\(`, why: "strace leaves out the bar before the mode: 0x80000000000"},
	{lines: `^msgsnd\(`, why: "a message cut by the end of memory"},
	{lines: `^oldolduname\(`, why: "strace does not decode it"},
	{lines: `^olduname\(`, why: "strace does not decode it"},
	{lines: `^open_by_handle_at\(`, why: "a handle longer than 128 bytes"},
	{lines: `^perf_event_open\(`, why: "the structure has grown since strace 6.1", before: "7.2"},
	{lines: `^prctl\(`, why: "operations of other architectures, and what strace 6.1 does not know", before: "7.2"},
	{lines: `^process_madvise\(`, why: "more than 2^63 bytes of vectors"},
	{lines: `^ptrace\(`, why: "registers are printed whole by strace"},
	{lines: `^quotactl\(`, why: "a path longer than 4095 bytes"},
	{lines: `^request_key\(`, why: "as add_key"},
	{lines: `^rseq\(`, why: "strace 6.1 prints the flags as a number", before: "7.2"},
	{lines: `^sched_setaffinity\(`, why: "strace prints the first 32 words only"},
	{lines: `^sched_setattr\(`, why: "a size too small for the first version"},
	{lines: `^seccomp\(`, why: "filters that the kernel would refuse"},
	{lines: `^select\(`, why: "more descriptors than there is memory"},
	{lines: `^pselect6\(`, why: "as select"},
	{lines: `^pselect6_time64\(`, why: "as select"},
	{lines: `^_newselect\(`, why: "as select"},
	{lines: `^semctl\(`, why: "IPC_64 with unknown bits"},
	{lines: `^semget\(`, why: "as msgget"},
	{lines: `^sendmmsg\(`, why: "what a call that failed would have sent is not recorded"},
	{lines: `^sendmsg\(`, why: "control messages that are none"},
	{lines: `^sendto\(`, why: "addresses of Bluetooth"},
	{lines: `^set_mempolicy\(`, why: "as mbind"},
	{lines: `^setxattr\(`, why: "a value of more than 2^31 bytes"},
	{lines: `^lsetxattr\(`, why: "as setxattr"},
	{lines: `^fsetxattr\(`, why: "as setxattr"},
	{lines: `^shmctl\(`, why: "IPC_64 with unknown bits"},
	{lines: `^shmget\(`, why: "strace has no comment for unknown bits here"},
	{lines: `^socket\(`, why: "protocols of AX.25 and IrDA"},
	{lines: `^bind\(`, why: "an address of a negative length"},
	{lines: `^connect\(`, why: "as bind"},
	{lines: `^syscall_0xffffffffffffffda\(`, why: "the call during which SECCOMP_MODE_STRICT killed"},
	{lines: `^ustat\(`, why: "strace cannot decode it: the C library has no struct ustat any more"},
	{lines: `^kexec_load\(`, why: "strace has another comment for unknown architectures"},
	{lines: `^openat2\(`, why: "strace prints the bytes behind the structure"},
	{lines: `^sendfile\(`, why: "a negative offset"},
	{lines: `^name_to_handle_at\(`, why: "the size that a handle would have had is not recorded"},
	{lines: `^vmsplice\(`, why: "a vector of 2^64-1 bytes"},
	{lines: `^wait4\(`, why: "of the child that the test makes itself"},
}

// everyTime are the calls that tell what is otherwise every time: times, inode
// numbers, what is free. Their lines are compared with any number or text taken
// for any other.
var everyTime = map[string]bool{}

func init() {
	for _, n := range strings.Fields(`add_key clock_adjtime clock_getres clock_gettime fstat fstatfs getcpu getrandom getrusage gettimeofday
		lstat mincore msgctl name_to_handle_at newfstatat semctl shmctl stat statfs statx sysinfo time times adjtimex getdents getdents64
		stat64 lstat64 fstat64 fstatat64 statfs64 fstatfs64 clock_gettime64 clock_adjtime64 oldstat oldlstat oldfstat ustat getpid gettid getppid
		set_tid_address getpgrp getpgid getsid setsid sched_rr_get_interval getitimer setitimer timer_gettime timer_settime alarm io_uring_setup`) {
		everyTime[n] = true
	}
}

func compareCalls(t *testing.T, p *planner, ours, a, b *straced) {
	strace := straceNames(t)
	may := mayDiffer(t, otherwise)
	lines, same, newer, odd := 0, 0, 0, 0
	differ := make(map[string][]string)
	covered := make(map[string]int)
	for place, la := range a.procs {
		if place == "0" {
			continue // it only makes the others
		}
		la, lb, lo := known(p.arch, la), known(p.arch, b.procs[place]), ours.procs[place]
		ab, ao := align(names(la), names(lb)), align(names(la), names(lo))
		for i, x := range la {
			n := nameOf(x)
			covered[n]++
			lines++
			y, z := "nothing", x
			if ab[i] >= 0 {
				z = lb[ab[i]]
			}
			if ao[i] >= 0 {
				y = lo[ao[i]]
			}
			switch {
			case x == y, x != z && sameWords(a.words(x), b.words(z), ours.words(y)), everyTime[n] && shapeOf(x) == shapeOf(y):
				same++
			case strings.Contains(x, "(0) /* new */"), strace.lacks(y):
				newer++
			case slicesContain(may, x):
				odd++
			default:
				differ[n] = append(differ[n], fmt.Sprintf("strace: %s\nreplay: %s", x, y))
			}
		}
	}
	t.Logf("%d calls in %d lines: %d the same, %d with what is newer than strace, %d otherwise for a known reason, %d calls differ",
		len(covered), lines, same, newer, odd, len(differ))
	for n, list := range differ {
		t.Errorf("%s: %d lines, among them\n%s", n, len(list), strings.Join(list[:min(len(list), envInt("SYSREEL_SHOW", 2))], "\n"))
	}
}

var unknownCall = regexp.MustCompile(`^syscall_(0x[0-9a-f]+)\(.*\) = `)

// known gives calls that strace has no name for the one that they have.
func known(a syscalls.Arch, lines []string) []string {
	lines = slices.Clone(lines)
	for i, l := range lines {
		if m := unknownCall.FindStringSubmatch(l); m != nil {
			nr, _ := strconv.ParseUint(m[1], 0, 32)
			if d := syscalls.Lookup(a, uint32(nr)); d != nil {
				lines[i] = d.Name + "(0) /* new */"
			}
		}
	}
	return lines
}

// straceWords are the names that the strace of the machine knows.
type straceWords map[string]bool

var constant = regexp.MustCompile(`\b_*[A-Z][A-Z0-9]*_[A-Za-z0-9_]+`)

func straceNames(t *testing.T) straceWords {
	path, err := exec.LookPath("strace")
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	names := make(straceWords)
	for _, n := range constant.FindAll(data, -1) {
		names[string(n)] = true
	}
	return names
}

// lacks tells whether a line has a name that strace does not know.
func (s straceWords) lacks(line string) bool {
	for _, n := range constant.FindAllString(stringShape.ReplaceAllString(line, "S"), -1) {
		if !s[n] {
			return true
		}
	}
	return false
}
