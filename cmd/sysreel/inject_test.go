//go:build linux && (amd64 || arm64)

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// TestInjectLikeStrace holds the text of calls that were tampered with against
// that of two runs under strace, which was told to do the same.
func TestInjectLikeStrace(t *testing.T) {
	if !canRecord() {
		t.Skip("cannot record here")
	}
	need(t, "strace")
	need(t, "setarch")
	bin, prog := buildSysreel(t), compileProg(t, "tamper", "-O1")
	for mode, inject := range map[string][]string{ // see record/tamper_test.go
		"error":   {"mkdirat:error=EIO:when=2..5+2"},
		"last":    {"mkdirat:error=EIO", "mkdirat:error=600:when=2+2"},
		"retval":  {"unlinkat:retval=0", "dup:retval=42", "ftruncate:retval=0", "fchdir:retval=0", "getppid:retval=12345"},
		"signal":  {"mkdirat:signal=USR1:when=1", "getppid:signal=10:error=ESRCH", "ppoll:signal=SIGUSR1"},
		"delay":   {"getppid:delay_enter=1ms", "getpgid:delay_exit=0.001s", "getsid:delay_enter=1000:delay_exit=1000us:error=EPERM"},
		"poke":    {"mkdirat:poke_enter=@arg2=64393900", "readlinkat:poke_exit=@arg3=4243", "symlinkat:poke_enter=@arg1=58,@arg3=6c00:poke_exit=@arg1=59:error=EROFS"},
		"counts":  {"getpgid,getsid:error=ENOMEM:when=2"},
		"nofork":  {"?fork,?vfork,clone,clone3:error=EAGAIN"},
		"noexit":  {"exit_group:error=EIO:when=1"},
		"instead": {"getppid:syscall=getpid:error=EIO:when=1..3", "getpgid:syscall=getuid:retval=77:when=2+5"},
		"i386":    {"getppid:error=EIO:when=2", "getpgid:retval=2", "getsid:syscall=getpid:retval=7"},
	} {
		t.Run(mode, func(t *testing.T) {
			if mode == "i386" && runtime.GOARCH != "amd64" {
				t.Skip("for amd64")
			}
			tryTimes(t, func() []string {
				run := func(argv ...string) []byte {
					cmd := exec.Command("setarch", append([]string{"-R"}, argv...)...)
					cmd.Dir = t.TempDir()
					out, _ := cmd.Output() // the program checks what it was to see elsewhere
					return out
				}
				tampered := func(flag, prefix string) (words []string) {
					for _, x := range inject {
						words = append(words, flag, prefix+x)
					}
					return words
				}
				log := filepath.Join(t.TempDir(), "log")
				var logs [2]*straced
				for i := range logs {
					run(append(append([]string{"strace", "-f", "-o", log}, tampered("-e", "inject=")...), "--", prog, mode)...)
					text, err := os.ReadFile(log)
					if err != nil {
						t.Fatal(err)
					}
					logs[i] = parseText(string(text))
				}
				run(append(append([]string{bin, "record", "-q", "-o", log + ".reel"}, tampered("--inject", "")...), "--", prog, mode)...)
				text := run(bin, "replay", log+".reel")
				if !bytes.Contains(text, []byte("INJECTED")) && !bytes.Contains(text, []byte("DELAYED")) {
					t.Errorf("nothing is marked:\n%s", text)
				}
				return checkCalls(t, parseText(inWordsOf(t, string(text))), logs[0], logs[1], nil)
			})
		})
	}
}

// TestInjectedCause makes one call of real programs fail, and wants diff to name
// that call first.
func TestInjectedCause(t *testing.T) {
	if !canRecord() {
		t.Skip("cannot record here")
	}
	bin, dir := buildSysreel(t), t.TempDir()
	sh := func(script string) {
		cmd := exec.Command("sh", "-ec", script)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", script, err, out)
		}
	}
	t.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	t.Setenv("GIT_OPTIONAL_LOCKS", "0")
	t.Setenv("HOME", dir)
	need(t, "git")
	sh("git init -q repo; cd repo; echo 1 >f; git add f; git -c user.name=a -c user.email=a@b commit -qm 1; echo 2 >f; cd ..; echo text >text")
	python := "python3"
	if out, err := exec.Command(python, "-c", "import sys; print(sys.executable)").Output(); err == nil {
		python = strings.TrimSpace(string(out)) // not a script that stands before it
	}
	for _, c := range []struct {
		name       string
		argv       []string
		call, path string // what is to fail: the first such call on such a path
		errno      string
	}{
		{"cat-open", []string{"cat", "text"}, "openat", "/text", "EACCES"},
		{"cat-write", []string{"cat", "text"}, "write", "", "ENOSPC"},
		{"git-ref", []string{"git", "-C", "repo", "log"}, "openat", "/refs/heads/", "EMFILE"},
		{"git-index", []string{"git", "-C", "repo", "status", "--short"}, "openat", "/.git/index", "EIO"},
		{"git-object", []string{"git", "-C", "repo", "log"}, "openat", "/objects/", "EIO"},
		{"git-mmap", []string{"git", "-C", "repo", "status", "--short"}, "mmap", "/.git/index", "ENOMEM"},
		{"python", []string{python, "-S", "-c", "import json; print(json.load(open('repo/f')), open('text').read())"}, "openat", "/text", "ENFILE"},
		{"python-import", []string{python, "-S", "-c", "import json; print(json.dumps([1]))"}, "openat", "/json", "EIO"},
	} {
		t.Run(c.name, func(t *testing.T) {
			need(t, c.argv[0])
			out := t.TempDir()
			record := func(name string, flags ...string) string {
				file := filepath.Join(out, name)
				cmd := exec.Command(bin, append(append(append([]string{"record", "-q", "-o", file}, flags...), "--"), c.argv...)...)
				cmd.Dir = dir
				cmd.Run() // its status is the program's
				return file
			}
			good := record("good.reel")
			n := ordinal(t, bin, good, c.call, c.path)
			bad := record("bad.reel", "--inject", c.call+":error="+c.errno+":when="+n)
			text, _ := exec.Command(bin, "diff", "--json", good, bad).Output()
			var r struct {
				Findings []struct {
					Summary, Syscall, Errno string
					Bad                     struct{ Tampered []string }
				}
			}
			if err := json.Unmarshal(text, &r); err != nil || len(r.Findings) == 0 {
				t.Fatalf("diff --json: %v\n%s", err, text)
			}
			f := r.Findings[0]
			if f.Syscall != c.call || f.Errno != c.errno || len(f.Bad.Tampered) == 0 || !strings.HasSuffix(f.Summary, "(injected by the recorder)") {
				human, _ := exec.Command(bin, "diff", good, bad).Output()
				t.Errorf("%s number %s was injected with %s\n%s", c.call, n, c.errno, human)
			}
		})
	}
}

// ordinal tells which of a thread's calls of a name, from 1, is the first on a
// path that contains some text.
func ordinal(t *testing.T, bin, file, call, path string) string {
	t.Helper()
	text, err := exec.Command(bin, "replay", "--json", "-e", "trace="+call, file).Output()
	if err != nil {
		t.Fatal(err)
	}
	counts := make(map[int]int)
	for line := range bytes.Lines(text) {
		var e struct {
			TID     int
			Syscall string
			Paths   []string
		}
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		if e.Syscall != call {
			continue
		}
		counts[e.TID]++
		if path == "" || strings.Contains(strings.Join(e.Paths, " "), path) {
			return strconv.Itoa(counts[e.TID])
		}
	}
	t.Fatalf("no %s of %s in %s", call, path, file)
	return ""
}
