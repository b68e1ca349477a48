package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sysreel/proto/syscalls"
)

// A resultProgram is a program of testdata/progs whose calls mostly succeed: what
// the kernel really answers is held against strace.
type resultProgram struct {
	prog   string
	forms  []string // of the text: options of strace and of ours, beside none
	differ []difference
}

var resultPrograms = []resultProgram{
	{prog: "tracer", forms: []string{"-X verbose"}, differ: []difference{
		{lines: `^ptrace\((?:PTRACE_GET_RSEQ_CONFIGURATION|0x420f\b).*\) = 24$`, why: "a structure that strace does not look at"},
		{lines: `^ptrace\(.*/\* (?:PTRACE|NT)_\?\?\? \*/`, why: "requests that strace 6.1 does not know", before: "7.2"},
	}},
	{prog: "waits", forms: []string{"-y"}},
	{prog: "sysv", forms: []string{"-v", "-X verbose"}, differ: []difference{
		{lines: `^msgrcv\(.*\) = \d`, why: "strace shows the room for the message, with what has been in it behind the message"},
	}},
	{prog: "execs", forms: []string{"-v"}, differ: []difference{
		{lines: `^execveat\(.*AT_REMOVEDIR`, why: "flags of other calls", before: "7.2"},
	}},
	{prog: "deliver", forms: []string{"-X verbose"}, differ: []difference{
		{lines: `^read\(\d+, "\\n\\0`, why: "of a signalfd: the sender's PID"},
		{lines: `PR_SYS_DISPATCH_ON\b`, why: "another name", before: "7.2"},
		{lines: `^pkey_alloc\(0, 0\)`, why: "a name for 0", before: "7.2"},
	}},
	{prog: "mounted", forms: []string{"-v"}, differ: []difference{
		{lines: `^landlock_`, why: "Landlock has grown since strace 6.1", before: "7.2"},
	}},
	{prog: "attrs", forms: []string{"-y", "-X verbose"}, differ: []difference{
		{lines: `^sendfile\(.*\] => \[`, why: "[1 => 2] now", before: "7.2"},
		{lines: `^fcntl\(\d+(?:<[^>]*>)?, 0x4\w\w /\* F_\?\?\? \*/`, why: "commands that strace 6.1 does not know", before: "7.2"},
		{lines: `^pkey_alloc\(0, 0\)`, why: "a name for 0", before: "7.2"},
	}},
	{prog: "events", forms: []string{"-y"}, differ: []difference{
		{lines: `^(?:pidfd_getfd|kcmp)\(.*<`, why: "descriptors of other processes have no name"},
		{lines: `^read\(3.*, 4096\) = [1-9]`, why: "of fanotify: the PID of who did it"},
		{lines: `^io_uring_setup\(.*sq_off=`, why: "the addresses of the memory of rings, which strace 6.1 does not know", before: "7.2"},
	}},
	{prog: "states", forms: []string{"-x", "-X raw"}, differ: []difference{
		{lines: `^clone3?\(.*(?:pidfd|parent_tid)=\[\d+<`, why: "the descriptor that the call makes has no name yet"},
		{lines: `^sched_[gs]etscheduler\(.*(?:0x40000001|= \d+)`, why: "SCHED_RESET_ON_FORK, and a policy in hexadecimal", before: "7.2"},
		{lines: `^futex_waitv\(\[`, why: "flags by other names", before: "7.2"},
	}},
}

// byChance are the parts of lines that are alike in two runs by chance and not in
// a third: times, uses of resources, numbers of inodes, mounts and devices.
var byChance = regexp.MustCompile(`\b(ru_\w+|si_[us]time|\w+_[acdmors]time(?:_nsec)?|stx?_ino|\w+_dev_minor|(?:stx_)?mnt_(?:parent_)?id(?:_old)?|mnt_peer_group|mnt_master|propagate_from|f_b?f?avail|f_b?f?free)=(?:\{[^}]*\}|[^,}]*)|(left )\{[^}]*\}|\b(tv_[nu]?sec)=\d{4,}`)

// TestResultsLikeStrace holds the text of calls that succeed against that of two
// runs under strace, in each form.
//
// SYSREEL_FORMS gives other forms, for all programs: "-v,-y,-x,-X raw".
func TestResultsLikeStrace(t *testing.T) {
	bin := besideStrace(t, "runs each program some ten times")
	for _, r := range resultPrograms {
		t.Run(r.prog, func(t *testing.T) {
			command := []string{"setarch", "-R", compileProg(t, r.prog)}
			differ := mayDiffer(t, r.differ)
			forms := append([]string{""}, r.forms...)
			if f := os.Getenv("SYSREEL_FORMS"); f != "" {
				forms = strings.Split(f, ",")
			}
			for _, form := range forms {
				tryTimes(t, func() []string { return resultsLikeStrace(t, bin, command, strings.Fields(form), differ) })
			}
		})
	}
}

// resultsLikeStrace runs the program under strace, twice, and under sysreel, and
// returns what the texts say otherwise.
func resultsLikeStrace(t *testing.T, bin string, command, form []string, differ []*regexp.Regexp) (problems []string) {
	out := t.TempDir()
	dir := filepath.Join(out, "w")
	var text [3]string
	for i, tracer := range [][]string{{"strace"}, {"strace"}, {bin, "strace"}} {
		log := filepath.Join(out, strconv.Itoa(i))
		args := slices.Concat(tracer[1:], []string{"-f", "-o", log}, form, []string{"--"}, command)
		cmd := exec.Command(tracer[0], args...)
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		cmd.Dir = dir
		cmd.Env = []string{"PATH=/usr/bin:/bin"}
		said, err := cmd.Output()
		if e, ok := err.(*exec.ExitError); ok && e.ExitCode() == 77 {
			skipOrFail(t, string(said))
		}
		if err != nil {
			t.Fatalf("%s: %v\n%s", tracer[0], err, said)
		}
		b, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		text[i] = string(b)
	}
	text[2] = inWordsOf(t, text[2])
	var runs [3]*straced
	for i := range text {
		runs[i] = parseText(byChance.ReplaceAllString(text[i], "$1$2$3=#"))
	}
	ours, a, b2 := runs[2], runs[0], runs[1]
	strace, arch := straceNames(t), syscalls.AMD64
	if runtime.GOARCH == "arm64" {
		arch = syscalls.ARM64
	}
	lines, same := 0, 0
	for place, la := range a.procs {
		la, lb, lo := known(arch, la), known(arch, b2.procs[place]), ours.procs[place]
		ab, ao := align(names(la), names(lb)), align(names(la), names(lo))
		for i, x := range la {
			if ab[i] < 0 {
				continue
			}
			lines++
			y := "nothing"
			if ao[i] >= 0 {
				y = lo[ao[i]]
			}
			switch {
			case sameWords(a.words(x), b2.words(lb[ab[i]]), ours.words(y)), everyTime[nameOf(x)] && shapeOf(x) == shapeOf(y):
				same++
			case slicesContain(differ, x), strings.Contains(x, "(0) /* new */"), strace.newer(x, y):
			default:
				problems = append(problems, fmt.Sprintf("%s\nstrace: %.1000s\nreplay: %.1000s", strings.Join(form, " "), x, y))
			}
		}
	}
	t.Logf("%s: %d lines, %d the same", strings.Join(form, " "), lines, same)
	return problems
}
