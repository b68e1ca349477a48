//go:build linux && (amd64 || arm64)

package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"sysreel/analyze"
	"sysreel/proto/tracepb"
)

// A test suite is run bare and under record, and each of its tests must end the
// same way in both. TestSuites does so with a part of Go's own tests, of which
// those of os/exec and os/signal ask most of a tracer; SYSREEL_SUITES=1 with more
// of them and with Python's: see make test-suites.

// testSuite is one suite.
type testSuite struct {
	name string
	dir  string // where it is run
	argv []string
	// report is a file with the results; "": they are in the output.
	report string
	parse  func([]byte) (map[string]string, error)
	// differ are tests that must end in another way when they are recorded:
	// expressions for their names, and why.
	differ []knownDifference
}

type knownDifference struct {
	tests *regexp.Regexp
	why   string
}

// suiteRun is what came of one run of a suite.
type suiteRun struct {
	results map[string]string // by test: PASS, FAIL or SKIP
	status  int
	output  string
	took    time.Duration
}

// goDifferences are the differences known of the suites of Go.
var goDifferences = map[string][]knownDifference{
	"runtime": {{regexp.MustCompile(`^TestDebugCall`), "they inject calls as a debugger does, and skip where a tracer is there already"}},
}

func TestSuites(t *testing.T) {
	all := os.Getenv("SYSREEL_SUITES") != ""
	packages := []string{"os/exec", "os/signal"}
	if all {
		packages = []string{"os", "os/exec", "os/signal", "os/user", "net", "syscall", "runtime"}
	}
	record := recorded(t)
	need(t, "go")
	var suites []testSuite
	bins := t.TempDir()
	for _, p := range packages {
		suites = append(suites, goSuite(t, bins, p))
	}
	if all {
		suites = append(suites, pythonSuite(t, bins, "test_signal", "test_subprocess", "test_threading")...)
	}
	var table bytes.Buffer
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "suite\ttests\tpass\tskip\tfail\tstatus\tdiffer\tbare\trecorded\tevents")
	for _, s := range suites {
		t.Run(s.name, func(t *testing.T) { compareSuite(t, s, record, w) })
	}
	w.Flush()
	t.Logf("bare, and what is different when recorded:\n%s", &table)
}

// goSuite builds the tests of a package of Go's standard library.
func goSuite(t *testing.T, bins, pkg string) testSuite {
	t.Helper()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	s := testSuite{
		name: pkg, dir: filepath.Join(strings.TrimSpace(string(root)), "src", pkg),
		argv:  []string{filepath.Join(bins, strings.ReplaceAll(pkg, "/", "-")+".test"), "-test.short", "-test.v=test2json", "-test.timeout=20m"},
		parse: parseGoTests, differ: goDifferences[pkg],
	}
	out, err := exec.Command("go", "test", "-c", "-o", s.argv[0], pkg).CombinedOutput()
	if _, missing := os.Stat(s.argv[0]); err != nil || missing != nil {
		needless(t, "the tests of %s cannot be built: %v\n%s", pkg, err, out)
	}
	return s
}

// pythonSuite returns tests of Python's own, if they are installed.
func pythonSuite(t *testing.T, dir string, modules ...string) (suites []testSuite) {
	t.Helper()
	for _, m := range modules {
		report := filepath.Join(dir, m+".xml")
		if out, err := exec.Command("python3", "-c", "import test."+m).CombinedOutput(); err != nil {
			t.Logf("left out: %s of Python: %v\n%s", m, err, out)
			continue
		}
		suites = append(suites, testSuite{
			name: "python " + m, dir: dir, report: report, parse: parseJUnit,
			argv: []string{"python3", "-m", "test", "--junit-xml", report, m},
		})
	}
	return suites
}

// needless skips the test for want of something; in CI it fails.
func needless(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// compareSuite runs a suite bare and recorded, up to three times: a test that
// ends now this way and now that, bare or recorded, is the same if it ever ended
// in one way in both.
func compareSuite(t *testing.T, s testSuite, record []string, table *tabwriter.Writer) {
	const attempts = 3
	bareSeen, seen := make(map[string][]string), make(map[string][]string)
	for attempt := 1; ; attempt++ {
		bare := s.run(t, nil)
		got := s.run(t, record)
		bare.note(bareSeen)
		got.note(seen)
		x := checkWhole(t, record)
		different := s.differences(bareSeen, seen)
		s.row(table, bare, got, len(different), x.Events)
		if len(different) == 0 {
			return
		}
		if attempt < attempts {
			t.Logf("attempt %d: %s", attempt, strings.Join(different, "; "))
			continue
		}
		for _, d := range different {
			t.Error(d)
		}
		t.Logf("the output when recorded:\n%s", got.output)
		return
	}
}

// run runs the suite after the words of prefix.
func (s *testSuite) run(t *testing.T, prefix []string) suiteRun {
	t.Helper()
	var out bytes.Buffer
	cmd := exec.Command(append(slices.Clone(prefix), s.argv...)[0])
	cmd.Args = append(slices.Clone(prefix), s.argv...)
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = s.dir, &out, &out, time.Minute
	begin := time.Now()
	if err := cmd.Run(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatalf("%q: %v", cmd.Args, err)
	}
	r := suiteRun{status: cmd.ProcessState.ExitCode(), output: out.String(), took: time.Since(begin)}
	report := out.Bytes()
	if s.report != "" {
		var err error
		if report, err = os.ReadFile(s.report); err != nil {
			t.Fatalf("%q: no report: %v\n%s", cmd.Args, err, &out)
		}
		os.Remove(s.report)
	}
	var err error
	if r.results, err = s.parse(report); err != nil || len(r.results) == 0 {
		t.Fatalf("%q: status %d, %d tests in the report: %v\n%s", cmd.Args, r.status, len(r.results), err, &out)
	}
	return r
}

// exitStatus is listed among the tests.
const exitStatus = "exit status"

// note adds a run to what was seen of each test.
func (r *suiteRun) note(seen map[string][]string) {
	for name, result := range r.results {
		seen[name] = append(seen[name], result)
	}
	seen[exitStatus] = append(seen[exitStatus], fmt.Sprint(r.status))
}

// differences returns the tests that never ended the same way in both.
func (s *testSuite) differences(bare, recorded map[string][]string) (different []string) {
	names := maps.Clone(bare)
	maps.Copy(names, recorded)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		same := slices.ContainsFunc(bare[name], func(r string) bool { return slices.Contains(recorded[name], r) })
		known := slices.ContainsFunc(s.differ, func(k knownDifference) bool { return k.tests.MatchString(name) })
		if !same && !known {
			different = append(different, fmt.Sprintf("%s: %v bare, %v recorded", name, bare[name], recorded[name]))
		}
	}
	return different
}

// row adds a pair of runs to the table.
func (s *testSuite) row(w *tabwriter.Writer, bare, got suiteRun, different int, events uint64) {
	count := func(result string) string {
		a, b := bare.count(result), got.count(result)
		if a == b {
			return fmt.Sprint(a)
		}
		return fmt.Sprintf("%d→%d", a, b)
	}
	status := fmt.Sprint(bare.status)
	if got.status != bare.status {
		status += fmt.Sprintf("→%d", got.status)
	}
	fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%.1f s\t%.1f s\t%d\n", s.name, count(""), count("PASS"), count("SKIP"), count("FAIL"),
		status, different, bare.took.Seconds(), got.took.Seconds(), events)
}

// count returns how many tests ended in a way, or were run at all.
func (r *suiteRun) count(result string) (n int) {
	for _, v := range r.results {
		if result == "" || v == result {
			n++
		}
	}
	return n
}

// tracedInfo is of what info --json says of a trace.
type tracedInfo struct {
	State  string
	Events uint64
	End    string
	Losses []tracedLoss
}

type tracedLoss struct {
	Reason string
	Count  uint64
	Detail string
}

// missing reports whether a loss is one of events. Tests hand the kernel bad
// addresses, and trace processes themselves.
func (l *tracedLoss) missing() bool {
	switch l.Reason {
	case analyze.LossText(tracepb.Loss_UNREADABLE):
		return false
	case analyze.LossText(tracepb.Loss_NOT_FOLLOWED):
		return l.Detail != "traced by another recorded program"
	}
	return true
}

// checkWhole wants the trace that was just recorded by the words of record
// complete, without missing events.
func checkWhole(t *testing.T, record []string) tracedInfo {
	t.Helper()
	trace := record[slices.Index(record, "-o")+1]
	out, err := exec.Command(record[0], "info", "--json", trace).Output()
	if err != nil {
		t.Fatalf("info: %v", err)
	}
	var x tracedInfo
	if err := json.Unmarshal(out, &x); err != nil {
		t.Fatal(err)
	}
	if x.State != "complete" || x.End != "every process ended" || x.Events == 0 {
		t.Errorf("the trace is %s with %d events, its end: %s", x.State, x.Events, x.End)
	}
	for _, l := range x.Losses {
		if l.missing() {
			t.Errorf("lost: %s, %d: %s", l.Reason, l.Count, l.Detail)
		}
	}
	return x
}

// Results of a Go test binary under -test.v=test2json, which marks its lines.
var goTestLine = regexp.MustCompile(`\x16 *--- (PASS|FAIL|SKIP): (\S+) \(`)

func parseGoTests(out []byte) (map[string]string, error) {
	results := make(map[string]string)
	for _, m := range goTestLine.FindAllSubmatch(out, -1) {
		results[string(m[2])] = string(m[1])
	}
	return results, nil
}

// parseJUnit reads what python3 -m test --junit-xml writes.
func parseJUnit(report []byte) (map[string]string, error) {
	var x struct {
		Cases []struct {
			Name    string    `xml:"name,attr"`
			Failure *struct{} `xml:"failure"`
			Error   *struct{} `xml:"error"`
			Skipped *struct{} `xml:"skipped"`
		} `xml:"testsuite>testcase"`
	}
	if err := xml.Unmarshal(report, &x); err != nil {
		return nil, err
	}
	results := make(map[string]string)
	for _, c := range x.Cases {
		switch {
		case c.Failure != nil || c.Error != nil:
			results[c.Name] = "FAIL"
		case c.Skipped != nil:
			results[c.Name] = "SKIP"
		default:
			results[c.Name] = "PASS"
		}
	}
	return results, nil
}

// The comparison sees what it should.
func TestSuiteDifferences(t *testing.T) {
	s := testSuite{differ: goDifferences["runtime"]}
	bare, got := make(map[string][]string), make(map[string][]string)
	for _, r := range []struct {
		into map[string][]string
		out  string
	}{
		{bare, "\x16--- PASS: TestA (0.00s)\n\x16    --- FAIL: TestA/b (0.01s)\n\x16--- PASS: TestDebugCall2 (0s)\nno newline\x16--- PASS: TestC (1s)\n--- PASS: TestOfChild (0s)\n"},
		{got, "\x16--- PASS: TestA (0.00s)\n\x16    --- PASS: TestA/b (0.01s)\n\x16--- SKIP: TestDebugCall2 (0s)\n"},
		{got, "\x16--- FAIL: TestA (0.00s)\n\x16    --- FAIL: TestA/b (0.01s)\n"},
	} {
		results, err := parseGoTests([]byte(r.out))
		if err != nil {
			t.Fatal(err)
		}
		(&suiteRun{results: results}).note(r.into)
	}
	want := []string{"TestC: [PASS] bare, [] recorded"}
	if d := s.differences(bare, got); !slices.Equal(d, want) {
		t.Errorf("differences %q, want %q", d, want)
	}
	xml := `<testsuites><testsuite><testcase name="a"/><testcase name="b"><skipped>no</skipped></testcase><testcase name="c"><error/></testcase></testsuite></testsuites>`
	results, err := parseJUnit([]byte(xml))
	if want := map[string]string{"a": "PASS", "b": "SKIP", "c": "FAIL"}; err != nil || !maps.Equal(results, want) {
		t.Errorf("JUnit: %v, %v; want %v", results, err, want)
	}
}
