package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// operations are programs that make calls of one operation after the other.
var operations = []struct {
	prog   string
	calls  string // regular expression of the calls that are held against strace's
	lines  int    // there are at least so many
	differ []difference
}{
	{"controls", `fcntl|(?:shm|msg|sem)ctl|arch_prctl`, 8000, []difference{
		{lines: `^fcntl\(-1, 0x4(?:0[34b-f]|10) `, why: "F_DUPFD_QUERY, F_CREATED_QUERY, hints and delegations, which strace 6.1 does not know", before: "7.2"},
		{lines: `^fcntl\(-1, F_GETOWNER_UIDS`, why: "strace does not look at the answer"},
		{lines: `^arch_prctl\(0x[45]00[1-5] `, why: "tags and shadow stacks, which strace 6.1 does not know", before: "7.2"},
	}},
	{"keys", `keyctl|add_key|request_key`, 7000, []difference{
		{lines: `KEYCTL_REJECT.* 4\d{9}, `, why: "error numbers that there cannot be"},
		{lines: `KEYCTL_WATCH_KEY`, why: "strace does not describe it"},
		{lines: `KEYCTL_PKEY_\w+, 0x[0-9a-f]+, `, why: "only the lengths could be read of what stands before"},
	}},
	{"rings", `io_uring_setup|io_uring_register`, 2500, []difference{
		{lines: `(?:RESTRICTION|IORING_OP)_\?\?\?`, why: "operations newer than strace 6.1, or none", before: "7.2"},
		{lines: `IORING_SETUP_CQE32\|0x|IORING_FEAT_LINKED_FILE\|0x`, why: "flags newer than strace 6.1", before: "7.2"},
		{lines: `IORING_REGISTER_FILES_UPDATE, .*fds=`, why: "strace follows the pointer"},
	}},
}

// TestOperationsLikeStrace holds each operation of calls that do very different
// things by an argument against strace, to the letter.
func TestOperationsLikeStrace(t *testing.T) {
	if testing.Short() {
		t.Skip("makes some twenty thousand calls, twice")
	}
	if !canRecord() {
		t.Skip("cannot record here")
	}
	need(t, "strace")
	need(t, "setarch")
	need(t, "gcc")
	bin := buildSysreel(t)
	for _, o := range operations {
		t.Run(o.prog, func(t *testing.T) {
			prog := filepath.Join(t.TempDir(), o.prog)
			if out, err := exec.Command("gcc", "-w", "-O1", "-o", prog, "../../testdata/progs/"+o.prog+".c").CombinedOutput(); err != nil {
				t.Fatalf("gcc: %v\n%s", err, out)
			}
			differ := mayDiffer(t, o.differ)
			calls := regexp.MustCompile(`^(?:` + o.calls + `)\(`)
			tryTimes(t, func() []string {
				theirs, ours := textOfBoth(t, bin, []string{"setarch", "-R", prog}, nil)
				return linesLikeStrace(t, pretended(theirs), pretended(ours), calls, differ, o.lines)
			})
		})
	}
}

// pretended returns the lines from where calls are only pretended.
func pretended(lines []string) []string {
	for i, l := range lines {
		if strings.HasPrefix(l, "prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, {") {
			return lines[i+1:]
		}
	}
	return nil
}

func linesLikeStrace(t *testing.T, theirs, ours []string, calls *regexp.Regexp, differ []*regexp.Regexp, least int) (problems []string) {
	var count struct{ lines, same, accepted int }
	for i, x := range theirs {
		if !calls.MatchString(x) {
			continue
		}
		count.lines++
		y := "nothing"
		if i < len(ours) {
			y = ours[i]
		}
		switch {
		case x == y:
			count.same++
		case slicesContain(differ, x):
			count.accepted++
		case len(problems) < 40:
			problems = append(problems, fmt.Sprintf("strace: %.1000s\nreplay: %.1000s", x, y))
		}
	}
	if count.lines < least {
		problems = append(problems, fmt.Sprintf("only %d lines to hold against strace's", count.lines))
	}
	t.Logf("%d lines, %d the same, %d that differ as they may", count.lines, count.same, count.accepted)
	return problems
}
