package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
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
// strace -v -y -s 8 too (100 takes some minutes), SYSREEL_SEED=N others,
// SYSREEL_OPTIONS="-X raw; -yy -n" compares strace with each of these instead,
// SYSREEL_CALLS=a,b plans those calls only, SYSREEL_SHOW=N shows so many
// differences of each, SYSREEL_OTHERWISE=1 those that may be too.
func TestEveryCall(t *testing.T) {
	bin := besideStrace(t, "makes thousands of calls three times")
	if os.Geteuid() != 0 {
		skipOrFail(t, "the program of calls gives up root's privileges: there are none")
	}
	modes := [][]string{nil} // of replay; of strace with options
	if os.Getenv("SYSREEL_PLAN") != "" {
		modes = append(modes, []string{"-v", "-y", "-s", "8"})
	}
	if sets := os.Getenv("SYSREEL_OPTIONS"); sets != "" {
		modes = nil
		for set := range strings.SplitSeq(sets, ";") {
			modes = append(modes, strings.Fields(set))
		}
	}
	for _, tt := range []struct {
		arch    syscalls.Arch
		machine string
		gcc     []string
	}{
		{syscalls.AMD64, "amd64", nil},
		{syscalls.I386, "amd64", []string{"-m32"}},
		{syscalls.ARM64, "arm64", nil},
	} {
		if tt.machine != runtime.GOARCH {
			continue
		}
		t.Run(tt.arch.String(), func(t *testing.T) {
			prog := compileProg(t, "plan", tt.gcc...)
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
			for _, args := range modes {
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
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
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
		cmd.Dir = top
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"} // the trace may be kept
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", tracer, err, out)
		}
	}
	var logs [2]*straced
	for i := range logs {
		log := filepath.Join(top, "strace")
		run(append(append([]string{"strace", "-f", "-o", log}, args...), "--")...)
		logs[i] = parseText(inode.ReplaceAllString(shortened(t, log), "<$1:[N]>"))
	}
	reel := filepath.Join(top, "reel")
	var text []byte
	var err error
	if args == nil {
		run(bin, "record", "-q", "--force", "--snap", "65536", "-o", reel, "--")
		text, err = exec.Command(bin, "replay", reel).Output()
	} else { // what the kernel calls a file is not recorded otherwise
		log := filepath.Join(top, "log")
		run(append(append([]string{bin, "strace", "-f", "-o", log}, args...), "--")...)
		text, err = os.ReadFile(log)
	}
	if err != nil {
		t.Fatal(err)
	}
	ours := parseText(inode.ReplaceAllString(inWordsOf(t, string(text)), "<$1:[N]>"))
	both := &planText{strace: installedStrace(t), arch: p.arch, runs: logs, pairs: pairLines(p.arch, logs[0], logs[1]), names: straceNames(t)}
	keepPair(t, both, reel, args)
	both.compare(t, ours)
}

// shortened returns the text of a log, of each line no more than it takes to see
// that it is longer than wholeArray: with -v there are some of 100 MB.
func shortened(t *testing.T, log string) string {
	f, err := os.Open(log)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var text strings.Builder
	r, n := bufio.NewReader(f), 0
	for {
		piece, err := r.ReadSlice('\n')
		if n <= wholeArray {
			text.Write(piece)
		} else if err == nil {
			text.WriteByte('\n')
		}
		switch n += len(piece); err {
		case nil:
			n = 0
		case bufio.ErrBufferFull:
		case io.EOF:
			return text.String()
		default:
			t.Fatal(err)
		}
	}
}

// keepPair keeps what TestEveryCallText looks at: with UPDATE set where it is
// looked for, unless it is there; with SYSREEL_PAIRS there.
func keepPair(t *testing.T, s *planText, reel string, args []string) {
	dir := os.Getenv("SYSREEL_PAIRS")
	toReel, toText := pairFiles(dir, s.arch, args)
	if _, err := os.Stat(toReel); args != nil || dir == "" && (os.Getenv("UPDATE") == "" || straceBefore(t, "7.2") || err == nil) {
		return
	}
	data, err := os.ReadFile(reel)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(toReel, data, 0o644), s.write(toText)); err != nil {
		t.Fatal(err)
	}
}
