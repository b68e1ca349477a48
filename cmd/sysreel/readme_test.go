package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReadme runs the README's examples: every "$ sysreel …" line of a console
// block must print what stands below it. UPDATE=1 rewrites the README.
func TestReadme(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(root)
	t.Setenv("COLUMNS", "100")
	old, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	examples := 0
	lines := strings.SplitAfter(strings.ReplaceAll(string(old), "\r\n", "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		out.WriteString(lines[i])
		if lines[i] != "```console\n" {
			continue
		}
		for i++; lines[i] != "```\n"; i++ {
			command, ok := strings.CutPrefix(lines[i], "$ ")
			if !ok {
				continue // what it printed last time
			}
			out.WriteString(lines[i])
			out.WriteString(runExample(t, strings.TrimSpace(command)))
			examples++
		}
		out.WriteString(lines[i])
	}
	if examples < 5 {
		t.Fatalf("the README has %d examples, expected at least 5", examples)
	}
	if out.String() == strings.Join(lines, "") {
		return
	}
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile("README.md", []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got := strings.SplitAfter(out.String(), "\n")
	for i := range got {
		if i >= len(lines) || got[i] != lines[i] {
			t.Fatalf("README.md:%d is not what sysreel prints (UPDATE=1 rewrites it):\n got %s", i+1, got[i])
		}
	}
	t.Fatal("README.md has more output than sysreel prints")
}

// runExample runs a command line of words and single-quoted words.
func runExample(t *testing.T, command string) string {
	t.Helper()
	var args []string
	for i, part := range strings.Split(command, "'") {
		if i%2 == 1 {
			args = append(args, part)
		} else {
			args = append(args, strings.Fields(part)...)
		}
	}
	if args[0] != "sysreel" {
		t.Fatalf("README example %q does not run sysreel", command)
	}
	var stdout, stderr bytes.Buffer
	status := run(args[1:], strings.NewReader(""), &stdout, &stderr)
	if status != 0 && !(args[1] == "diff" && status == exitDifferent) {
		t.Fatalf("README example %q: exit status %d: %s", command, status, stderr.String())
	}
	return stdout.String()
}
