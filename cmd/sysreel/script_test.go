package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(suite{m}, map[string]func(){"sysreel": main})
}

// suite is all tests, and the removal of what they share.
type suite struct{ *testing.M }

// cleanup is called when all tests are done.
var cleanup []func()

func (s suite) Run() int {
	defer func() {
		for _, f := range cleanup {
			f()
		}
	}()
	return s.M.Run()
}

// TestScripts runs testdata/script: sysreel as people run it. UPDATE=1 rewrites
// the outputs that the scripts expect.
func TestScripts(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join(root, "testdata", "script"),
		UpdateScripts:       os.Getenv("UPDATE") != "",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("ROOT", root)
			env.Setenv("TRACES", filepath.Join(root, "testdata", "traces"))
			env.Setenv("LOGS", filepath.Join(root, "testdata", "logs"))
			env.Setenv("LC_ALL", "C")
			env.Setenv("COLUMNS", "100")
			return nil
		},
		Condition: func(cond string) (bool, error) {
			if cond == "record" {
				return canRecord(), nil
			}
			if name, ok := strings.CutPrefix(cond, "need:"); ok {
				_, err := exec.LookPath(name)
				if err != nil && os.Getenv("CI") != "" {
					return false, err
				}
				return err == nil, nil
			}
			return false, os.ErrInvalid
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status":   scriptStatus,
			"truncate": scriptTruncate,
			"jsonl":    scriptJSON,
		},
	})
}

// canRecord tells whether this platform can record; in CI, where it must, the
// scripts run and fail if it cannot.
func canRecord() bool {
	return runtime.GOOS == "linux" && (runtime.GOARCH == "amd64" || runtime.GOARCH == "arm64")
}

// scriptStatus runs a command and checks its exit status: status 125 sysreel record.
func scriptStatus(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N command [args...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := err.(*exec.ExitError)
		if !ok {
			ts.Fatalf("%v: %v", args[1:], err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("%v: exit status %d, want %d", args[1:], got, want)
	}
}

// scriptTruncate cuts a file: truncate FILE BYTES-FROM-END.
func scriptTruncate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: truncate file bytes-to-cut-off")
	}
	name := ts.MkAbs(args[0])
	cut, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	info, err := os.Stat(name)
	ts.Check(err)
	ts.Check(os.Truncate(name, info.Size()-cut))
}

// scriptJSON checks that the last standard output is JSON, a document a line, and
// that every document has the keys named: jsonl KEY...
func scriptJSON(ts *testscript.TestScript, neg bool, args []string) {
	lines := bufio.NewScanner(bytes.NewReader([]byte(ts.ReadFile("stdout"))))
	lines.Buffer(nil, 64<<20)
	n := 0
	for lines.Scan() {
		n++
		var doc map[string]any
		if err := json.Unmarshal(lines.Bytes(), &doc); err != nil {
			ts.Fatalf("line %d is not JSON: %v", n, err)
		}
		for _, key := range args {
			if _, ok := doc[key]; ok == neg {
				ts.Fatalf("line %d: key %q present: %v", n, key, ok)
			}
		}
	}
	ts.Check(lines.Err())
	if n == 0 {
		ts.Fatalf("no JSON on standard output")
	}
}
