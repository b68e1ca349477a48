//go:build linux && (amd64 || arm64)

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// contextLines are what strace 7.2 prints of testdata/progs/contexts.c with --secontext,
// -v and -a 1. They were held against a strace that is built with SELinux, which those
// of distributions are as a rule not.
const contextLines = `openat(AT_FDCWD, "file" [etc_t], O_RDONLY) = 3 [etc_t]
openat(AT_FDCWD, "dir" [dir_t], O_RDONLY|O_DIRECTORY) = 4 [dir_t]
read(3 [etc_t], "content\n", 4096) = 8
faccessat(4 [dir_t], "entry" [entry], F_OK) = 0
faccessat(4 [dir_t], "absent", F_OK) = -1 ENOENT (No such file or directory)
faccessat(4 [dir_t], "" [dir_t], F_OK) = -1 ENOENT (No such file or directory)
faccessat(-7, "entry", F_OK) = -1 EBADF (Bad file descriptor)
faccessat(AT_FDCWD, "link" [link_t], F_OK) = 0
faccessat(AT_FDCWD, "/proc/self/cwd/file" [etc_t], F_OK) = 0
faccessat(AT_FDCWD, "dir/proc/self", F_OK) = -1 ENOENT (No such file or directory)
faccessat(AT_FDCWD, NULL, F_OK) = -1 EFAULT (Bad address)
dup3(3 [etc_t], 9, 0) = 9 [etc_t]
dup3(4 [dir_t], 9 [etc_t], 0) = 9 [dir_t]
close(9 [dir_t]) = 0
pipe2([5, 6], 0) = 0
ppoll([{fd=3 [etc_t], events=POLLIN}], 1, NULL, NULL, 0) = 1 ([{fd=3, revents=POLLIN}])
linkat(4 [dir_t], "entry" [entry], AT_FDCWD, "file" [etc_t], 0) = -1 EEXIST (File exists)
socket(AF_UNIX, SOCK_DGRAM, 0) = 7
connect(7, {sa_family=AF_UNIX, sun_path="file" [etc_t]}, 7) = -1 ECONNREFUSED (Connection refused)
sendmsg(7, {msg_name={sa_family=AF_UNIX, sun_path="file" [etc_t]}, msg_namelen=7, msg_iov=NULL, msg_iovlen=0, msg_controllen=0, msg_flags=0}, 0) = -1 ECONNREFUSED (Connection refused)
getdents64(4 [dir_t], [{d_name="." [dir_t]}, {d_name=".."}, {d_name="entry" [entry]}], 4096) = N
chdir("dir" [dir_t]) = 0
getcwd("WD/dir" [dir_t], 4096) = N
fsetxattr(3 [etc_t], "security.selinux", "u:r:two\nlines[!]2\"\1:", 20, 0) = 0
close(3 [two\nlines\133\41\1352\"\1]) = 0
`

// TestSecontexts holds what is printed of files that have security contexts against
// what strace prints: at once, from a recording, and by the strace at hand if it can.
// Of a thread there is one only where the kernel has a security module that tells it.
func TestSecontexts(t *testing.T) {
	if list, err := os.ReadFile("/proc/filesystems"); err == nil && bytes.Contains(list, []byte("\tselinuxfs\n")) {
		t.Skip("with SELinux everything has a context")
	}
	bin, prog := buildSysreel(t), compileProg(t, "contexts", "-O1")
	labelled(t, t.TempDir()) // or skips
	all := regexp.MustCompile("")
	for _, c := range []struct {
		options, show string         // of strace and replay
		calls         *regexp.Regexp // lines
		change        []string       // in contextLines
		policy        bool           // differs where there is one, and in strace
	}{
		{"--secontext", "--secontext", all, nil, false},
		{"-e secontext=full -x", "--secontext=full -x", all, []string{
			"[etc_t", "[system_u:object_r:etc_t:s0", "[dir_t", "[user_u:object_r:dir_t:s0:c1,c2", "[link_t", "[user_u:object_r:link_t:s0",
			`"u:r:two\nlines[!]2\"\1:"`, `"\x75\x3a\x72\x3a\x74\x77\x6f\x0a\x6c\x69\x6e\x65\x73\x5b\x21\x5d\x32\x22\x01\x3a"`,
			`[two\nlines\133\41\1352\"\1]`, `[u:r:two\nlines\x5b\x21\x5d2\"\x01:]`}, false},
		{"-y --secontext=!full,mismatch", "-y --secontext", regexp.MustCompile(`^(?:read|dup3)`), []string{
			"(3 ", "(3<WD/file> ", "(4 ", "(4<WD/dir> ", " 9 [etc_t]", " 9<WD/file> [etc_t]", " 9 [dir_t]", " 9<WD/dir> [dir_t]"}, false},
		{"--secontext=mismatch", "--secontext=mismatch", regexp.MustCompile(`^(?:read|dup3)`), []string{"[etc_t]", "[etc_t!!??]", "[dir_t]", "[dir_t!!??]"}, true},
		{"--secontext=none", "--secontext=none", regexp.MustCompile(`^(?:read|dup3)`), []string{" [etc_t]", "", " [dir_t]", ""}, false},
	} {
		t.Run(c.options, func(t *testing.T) {
			if policies, _ := filepath.Glob("/etc/selinux/*/contexts/files/file_contexts"); c.policy && len(policies) > 0 {
				t.Skip("this machine has a policy")
			}
			prefix := ""
			if !strings.Contains(c.options, "none") {
				prefix = ownContext(strings.Contains(c.options, "=full"))
			}
			var want strings.Builder
			for line := range strings.Lines(contextLines) {
				if c.calls.MatchString(line) {
					want.WriteString(prefix + strings.NewReplacer(c.change...).Replace(line))
				}
			}
			check := func(script string) {
				t.Helper()
				if got := contextText(t, script, prefix, c.calls, bin, prog); got != want.String() {
					t.Errorf("%s:\n%s\nwant\n%s", script, got, want.String())
				}
			}
			check(`"$BIN" strace -o text -v -a 1 ` + c.options + ` "$PROG"`)
			check(`"$BIN" record -q --secontext=mismatch -o reel -- "$PROG" && "$BIN" replay -f=false -v -a 1 ` + c.show + ` reel >text`)
			if !c.policy && straceKnowsContexts() {
				check(`strace -o text -v -a 1 ` + c.options + ` "$PROG"`)
			}
		})
	}
}

// labelled makes the files of testdata/progs/contexts.c.
func labelled(t *testing.T, dir string) {
	t.Helper()
	for _, err := range []error{
		os.WriteFile(filepath.Join(dir, "file"), []byte("content\n"), 0o600), os.Symlink("file", filepath.Join(dir, "link")),
		os.Mkdir(filepath.Join(dir, "dir"), 0o700), os.WriteFile(filepath.Join(dir, "dir/entry"), nil, 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, context := range map[string]string{
		"file": "system_u:object_r:etc_t:s0", "link": "user_u:object_r:link_t:s0", "dir": "user_u:object_r:dir_t:s0:c1,c2", "dir/entry": "entry",
	} {
		if err := setContext(filepath.Join(dir, name), context); err != nil {
			t.Skipf("%s cannot be labelled: %v", filepath.Join(dir, name), err) // not root, or a container
		}
	}
}

// setContext labels a file, or a symbolic link.
func setContext(name, context string) error {
	path, err := syscall.BytePtrFromString(name)
	if err != nil {
		return err
	}
	attribute, value := []byte("security.selinux\x00"), []byte(context+"\x00")
	_, _, errno := syscall.Syscall6(syscall.SYS_LSETXATTR, uintptr(unsafe.Pointer(path)), uintptr(unsafe.Pointer(&attribute[0])),
		uintptr(unsafe.Pointer(&value[0])), uintptr(len(value)), 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// ownContext returns what stands before lines of a thread that is like this process.
func ownContext(full bool) string {
	data, err := os.ReadFile("/proc/self/attr/current")
	if err != nil {
		return ""
	}
	context, _, _ := strings.Cut(string(data), "\x00")
	if parts := strings.SplitN(context, ":", 4); !full && len(parts) > 2 {
		context = parts[2]
	}
	return "[" + strings.TrimRight(context, "\n") + "] "
}

// straceKnowsContexts tells whether the strace at hand is built with SELinux.
func straceKnowsContexts() bool {
	out, _ := exec.Command("strace", "-V").Output()
	return bytes.Contains(out, []byte(" secontext")) && bytes.Contains(out, []byte("version 7"))
}

var (
	contextEntries = regexp.MustCompile(`\{d_ino=\d+, d_off=-?\d+, d_reclen=\d+, d_type=\w+, (d_name=[^}]*\})`)
	contextList    = regexp.MustCompile(`\[\{d_name.*\}\]`)
	contextSizes   = regexp.MustCompile(`(?m)^(.*(?:getdents64|getcwd)\(.*\) = )\d+$`)
)

// contextText runs a script that writes text about the program, and returns the lines
// of the calls on the files, with what is chance taken out.
func contextText(t *testing.T, script, prefix string, calls *regexp.Regexp, bin, prog string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	labelled(t, dir)
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "BIN="+bin, "PROG="+prog)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	data, err := os.ReadFile(filepath.Join(dir, "text"))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(data), dir, "WD")
	text = contextSizes.ReplaceAllString(contextEntries.ReplaceAllString(text, "{$1"), "${1}N")
	text = contextList.ReplaceAllStringFunc(text, func(list string) string {
		entries := strings.Split(strings.Trim(list, "[]"), "}, ")
		for i, e := range entries {
			entries[i] = strings.TrimSuffix(e, "}") + "}"
		}
		slices.Sort(entries)
		return "[" + strings.Join(entries, ", ") + "]"
	})
	var out strings.Builder
	begun := false
	for line := range strings.Lines(text) {
		call := strings.TrimPrefix(line, prefix)
		begun = begun || strings.Contains(call, `, "file"`)
		if begun && calls.MatchString(call) && !strings.HasPrefix(call, "exit_group") && !strings.HasPrefix(call, "+++") {
			out.WriteString(line)
		}
	}
	return out.String()
}
