package main

import (
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"testing"

	"sysreel/proto/syscalls"
)

// Text is held against the strace that PATH has. It follows strace 7.2: of an
// older one, lines may differ in what it did not have yet.

// difference is lines of strace's that replay writes otherwise.
type difference struct {
	lines  string // regular expression
	why    string
	before string        // only of straces before this version, "7.2", where not empty
	arch   syscalls.Arch // only of programs of this architecture, where not 0
}

// mayDiffer returns the lines that may differ from those of the strace at hand.
func mayDiffer(t *testing.T, list []difference) (lines []*regexp.Regexp) {
	t.Helper()
	return differencesFrom(t, installedStrace(t), list)
}

// differencesFrom returns the lines that may differ from those of a strace.
func differencesFrom(t *testing.T, version string, list []difference) (lines []*regexp.Regexp) {
	t.Helper()
	for _, d := range list {
		if d.before == "" || olderThan(t, version, d.before) {
			lines = append(lines, regexp.MustCompile(d.lines))
		}
	}
	return lines
}

func slicesContain(list []*regexp.Regexp, s string) bool {
	for _, re := range list {
		if re.MatchString(s) {
			return true
		}
	}
	return false
}

// straceBefore tells whether the strace that PATH has is older than version,
// "7.2".
func straceBefore(t *testing.T, version string) bool {
	t.Helper()
	return olderThan(t, installedStrace(t), version)
}

// installedStrace returns the version of the strace that PATH has, "6.1".
func installedStrace(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("strace", "--version").Output()
	if err != nil {
		t.Fatal(err)
	}
	var n [2]int
	if _, err := fmt.Sscanf(string(out), "strace -- version %d.%d", &n[0], &n[1]); err != nil {
		t.Fatalf("the version of strace: %v\n%s", err, out)
	}
	return fmt.Sprintf("%d.%d", n[0], n[1])
}

func olderThan(t *testing.T, a, b string) bool {
	t.Helper()
	number := func(version string) (major, minor int) {
		if _, err := fmt.Sscanf(version, "%d.%d", &major, &minor); err != nil {
			t.Fatalf("version %q: %v", version, err)
		}
		return major, minor
	}
	haveMajor, haveMinor := number(a)
	major, minor := number(b)
	return haveMajor < major || haveMajor == major && haveMinor < minor
}

// Words that strace 7 chose anew, in lines of every program.
var (
	newRseq       = regexp.MustCompile(`\brseq\(\{cpu_id_start=.*?\}, (\d+), `)
	newEpollData  = regexp.MustCompile(`(\{events=[^{}]*, )data=(0x[0-9a-f]+|0)\}`)
	newTermios    = regexp.MustCompile(`(, |/\* )(TCSETS([WF]?))(, | \*/)`)
	newSchedParam = regexp.MustCompile(`\{sched_priority=(-?\d+)\}`)
)

// inWordsOf gives text of ours the words of the strace that PATH has, where an
// older one says the same of a call in others. What it does not say at all is
// left out.
func inWordsOf(t *testing.T, text string) string {
	t.Helper()
	if !straceBefore(t, "7.2") {
		return text
	}
	number := func(s string) uint64 {
		n, err := strconv.ParseUint(s, 0, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	text = newRseq.ReplaceAllStringFunc(text, func(s string) string {
		return fmt.Sprintf("rseq(0x7ffff7fb0060, %#x, ", number(newRseq.FindStringSubmatch(s)[1]))
	})
	text = newEpollData.ReplaceAllStringFunc(text, func(s string) string {
		m := newEpollData.FindStringSubmatch(s)
		n := number(m[2])
		return fmt.Sprintf("%sdata={u32=%d, u64=%d}}", m[1], uint32(n), n)
	})
	text = newTermios.ReplaceAllStringFunc(text, func(s string) string {
		m := newTermios.FindStringSubmatch(s)
		return m[1] + map[string]string{"": "SNDCTL_TMR_START or ", "W": "SNDCTL_TMR_STOP or ", "F": "SNDCTL_TMR_CONTINUE or "}[m[3]] + m[2] + m[4]
	})
	return newSchedParam.ReplaceAllString(text, "[$1]")
}

// besideStrace returns sysreel for a test that runs programs under strace and under
// it, with their addresses where they always are. work says what takes so long.
func besideStrace(t *testing.T, work string) (bin string) {
	t.Helper()
	if testing.Short() {
		t.Skip(work)
	}
	if !canRecord() {
		t.Skip("cannot record here")
	}
	need(t, "strace")
	need(t, "setarch")
	return buildSysreel(t)
}
