package main

import (
	"fmt"
	"os/exec"
	"regexp"
	"testing"
)

// Text is held against the strace that PATH has. It follows strace 7.2: of an
// older one, lines may differ in what it did not have yet.

// difference is lines of strace's that replay writes otherwise.
type difference struct {
	lines  string // regular expression
	why    string
	before string // only of straces before this version, "7.2", where not empty
}

// mayDiffer returns the lines that may differ from those of the strace at hand.
func mayDiffer(t *testing.T, list []difference) (lines []*regexp.Regexp) {
	t.Helper()
	for _, d := range list {
		if d.before == "" || straceBefore(t, d.before) {
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
	out, err := exec.Command("strace", "--version").Output()
	if err != nil {
		t.Fatal(err)
	}
	var have, want [2]int
	if _, err := fmt.Sscanf(string(out), "strace -- version %d.%d", &have[0], &have[1]); err != nil {
		t.Fatalf("the version of strace: %v\n%s", err, out)
	}
	if _, err := fmt.Sscanf(version, "%d.%d", &want[0], &want[1]); err != nil {
		t.Fatalf("version %q: %v", version, err)
	}
	return have[0] < want[0] || have[0] == want[0] && have[1] < want[1]
}
