package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// straceCase is a run of strace and sysreel strace with the same options.
type straceCase struct {
	options string // split at blanks
	script  string // for sh
}

// straceScripts are of one process, so that the order of lines is certain.
const (
	listing  = `exec ls -l dir/file`
	reading  = `exec cat dir/file missing 2>/dev/null`
	dumping  = `exec head -c 40 dir/file`
	devices  = `exec cat /dev/null dir/file`
	children = `cat dir/file | wc -c; (exit 3); exit 2`
)

var straceCases = []straceCase{
	{"", listing},
	{"-f", listing},
	{"-e trace=openat,close", listing},
	{"-e openat", listing},
	{"-e trace=%file", listing},
	{"-e trace=!%memory", listing},
	{"-e trace=/^(read|write)", listing},
	{"--trace=?nosuch,read", listing},
	{"-e trace=/(", listing},
	{"-e trace=/*", listing},
	{"-e verbose=/[[:foo:]]", listing},
	{"-e inject=/[z-a]:error=3", listing},
	{"-e raw=read,/[", listing},
	{"-e abbrev=99999", listing},
	{"-e trace=!", listing},
	{"-e trace=!!read,,9", listing},
	{"-e t=none", listing},
	{"-e signal=none -e status=failed", reading},
	{"-z", reading},
	{"-Z", reading},
	{"-e status=!successful", reading},
	{"--failing-only", reading},
	{"-P dir/file", reading},
	{"-q -P /dev/null -P dir/file", devices},
	{"-v", listing},
	{"-e abbrev=none", listing},
	{"-e abbrev=newfstatat -s 8", reading},
	{"--no-abbrev -s 1000", listing},
	{"-e verbose=none", listing},
	{"-e verbose=!newfstatat,execve", listing},
	{"-e raw=all", reading},
	{"-e raw=mmap,openat", listing},
	{"-e read=all -s 4", dumping},
	{"-e write=1", dumping},
	{"--write=all --read=3 -e trace=read,write", dumping},
	{"-X raw", reading},
	{"-X verbose", reading},
	{"--const-print-style=abbrev", listing},
	{"-x", listing},
	{"-xx -s 3", listing},
	{"--strings-in-hex", reading},
	{"--strings-in-hex=non-ascii-chars", reading},
	{"-y", listing},
	{"-yy", devices},
	{"--decode-fds=path", devices},
	{"-e decode-fds=dev", devices},
	{"-n", listing},
	{"-a 12", listing},
	{"--columns=70", listing},
	{"-s 0", reading},
	{"-t", listing},
	{"-tt -T", listing},
	{"-ttt", listing},
	{"-r", listing},
	{"-r -tt -n", listing},
	{"--absolute-timestamps=unix,ms --relative-timestamps=ns", listing},
	{"--timestamps=precision:ns --syscall-times=ms", listing},
	{"-r --relative-timestamps=s -T", listing},
	{"-E A=b -E HOME -v", listing},
	{"-Y -f -e trace=!getppid,set_tid_address", listing},
	{"-qq", listing},
	{"-qqq", listing},
	{"--quiet=exit", listing},
	// Whether a child ends before its parent waits is chance.
	{"-e s=!CHLD -e trace=!wait4,rt_sigreturn", `sleep 0; kill -USR1 $$`},
	{"-e signal=usr1,15 -e trace=!wait4,rt_sigreturn", `trap : USR1; sleep 0; kill -USR1 $$`},
	{"-i -n -e trace=!execve", listing},
	{"-e inject=openat:error=EACCES:when=5 -e trace=openat", listing},
	{"-e fault=getuid -e trace=getuid", `exec id`},
	{"-b execve -f", `exec /bin/true`},
	{"-e signal=!9 -e trace=none", `kill -9 $$`},
	{"-e signal=kill -e trace=none", `kill -9 $$`},
	{"-I 3 -e trace=exit_group", listing},
	{"-D -e trace=!getppid", reading},
	{"-DD -f -q", `exit 3`},
	{"--daemonize=session -u nobody", `exec id`},
	{"-D -z -E A=b -v -e trace=execve", `kill -9 $$`},
	{"-u root -e trace=exit_group", listing},
	{"-u nobody -e trace=exit_group", `exec id`},
	{"--user= -e trace=exit_group", `exec id`},
	{"-p 4194304 -e trace=exit_group", listing}, // no process has that number
	{"-f -p 4194304,4194305 -e trace=exit_group", listing},
	{"-c -U name,calls,errors -S name", reading},
	{"-C -w -U calls,errors -S calls -e trace=openat,close", reading},
}

// straceNewer are options of strace 7, and what it prints otherwise.
var straceNewer = []straceCase{
	{"-Y -f -e trace=getpid,set_tid_address", listing},
	{"-N", listing},
	{"-N -e raw=openat,close -e verbose=!newfstatat -v", reading},
	{"--arg-names -y -X verbose -e trace=!rseq", reading},
	{"-e trace-fds=3", reading},
	{"--trace-fds=!0,3 -e trace=!execve", devices},
	{"-e fd=0 -P dir/file", reading},
	{"-u 65534:65534 -e trace=exit_group", `exec id`},
	{"-u 5:x", listing},
	{"--argv0= -e trace=execve", listing},
	{"-e trace=none -F -z -z -A --output-separately --stack-trace-frame-limit=3 --seccomp-bpf", listing},
	{"-S name -e trace=close", listing},
	{"-U name", listing},
	{"-U name,calls,syscall -c", listing},
	{"-c -i -k -n -N -r -t -T -y -U name,calls -S name", reading},
	{"-e trace=none -x --strings-in-hex", listing},
	{"-e trace=none -f --follow-forks", listing},
	{"-ff --output-separately", listing},
	{"-D --daemonize", listing},
	{"--columns=x", listing},
	{"-s 1073741824", listing},
	{"--stack=symbol", listing},
	{"--stack-trace=x", listing},
	{"--strace=3", listing},
	{"-e trace=close@33", listing},
	{"-e namespace=x", listing},
	{"-e kvm=x", listing},
	{"-e inject=nocall:error=3", listing},
	{"--color=sometimes", listing},
	{"--color=never -e trace=none --tips=none", listing},
	{"--tips=id:x", listing},
	{"--timestamps= -e trace=close", listing},
	{"-o no/such/file", listing},
	{"--color=always", listing},
	{"--color=ALWAYS -N -v -yy -X verbose", reading},
	{"--color=always -i -n -Y --always-show-pid -e trace=!execve", devices},
	{"--color=always -z -e inject=access:error=EIO", reading},
	{"--color=always -C -S name -e trace=close,openat", reading},
	{"--color=always -e raw=openat -e read=3 -e write=1 -e signal=none", reading},
	{"--color=", listing},
	{"-q --syscall-limit=5 -e trace=openat", reading},
	{"-c -U name,calls,errors -S wall_total -e trace=openat", reading},
	{"-e signal=0,255 -e trace=none", listing},
}

// TestStraceOptions runs strace and sysreel, called strace, with many options and compares
// text and exit status: line by line, word by word, but for the words in which two
// runs of strace differ.
func TestStraceOptions(t *testing.T) {
	if testing.Short() {
		t.Skip("runs sixty programs three times each")
	}
	if !canRecord() {
		t.Skip("cannot record here")
	}
	need(t, "strace")
	called := calledStraceHere(t)
	cases := straceCases
	if !straceBefore(t, "7.2") {
		cases = append(slices.Clone(cases), straceNewer...)
	}
	for _, c := range cases {
		t.Run(c.options, func(t *testing.T) {
			dir := straceDir(t)
			tryTimes(t, func() []string {
				a, b := runTraced(t, dir, c, "strace"), runTraced(t, dir, c, "strace")
				return a.differs(b, runTraced(t, dir, c, called))
			})
		})
	}
}

// TestStraceProcesses does the same with several processes, whose lines may come in
// any order: each process is compared for itself.
func TestStraceProcesses(t *testing.T) {
	if testing.Short() {
		t.Skip("runs some programs three times each")
	}
	if !canRecord() {
		t.Skip("cannot record here")
	}
	need(t, "strace")
	for _, options := range []string{"-f -o text", "-f -y -o text", "-f -o |cat>text", "-f -A -o text", "-f -o text --seccomp-bpf -e trace=%process"} {
		t.Run(options, func(t *testing.T) { compareProcesses(t, straceCase{options, children}, 20) })
	}
}

// compareProcesses runs strace and sysreel strace with options that write a file
// text, of so many lines at least.
func compareProcesses(t *testing.T, c straceCase, lines int) {
	t.Helper()
	called := calledStraceHere(t)
	tryTimes(t, func() (problems []string) {
		text := func(program ...string) *straced {
			dir := straceDir(t)
			runTraced(t, dir, c, program...)
			b, err := os.ReadFile(filepath.Join(dir, "text"))
			if err != nil {
				t.Fatal(err)
			}
			return parseText(inWordsOf(t, namespaceInode.ReplaceAllString(string(b), ":[NS]")))
		}
		a, b := text("strace"), text("strace")
		r := compareText(text(called), a, b)
		delete(r.examples, "getrandom")
		for _, example := range r.examples {
			problems = append(problems, fmt.Sprintf("strace  %s\nsysreel %s", example[0], example[1]))
		}
		// When a child ends, and so which of a parent's lines comes
		// first, is chance.
		if r.lines < lines || r.order*10 < r.lines*9 {
			problems = append(problems, fmt.Sprintf("%v; missing: %q", r, r.missing))
		}
		return problems
	})
}

// TestStracePIDNamespace does the same with processes whose numbers are others in
// their PID namespace.
func TestStracePIDNamespace(t *testing.T) {
	if !canRecord() {
		t.Skip("cannot record here")
	}
	if os.Geteuid() != 0 {
		skipOrFail(t, "only root makes a PID namespace")
	}
	need(t, "strace")
	script := "exec " + compileProg(t, "nested")
	for _, options := range []string{"--decode-pids=pidns", "-Y -e trace=!set_tid_address", "--decode-pids=all -e trace=%process,%signal,prctl"} {
		t.Run(options, func(t *testing.T) { compareProcesses(t, straceCase{"-f -o text " + options, script}, 40) })
	}
}

// TestStraceFDs holds the names of descriptors against strace's as they change: of
// pidfds, before their processes have been waited for and after it, and of sockets
// whose connections are accepted.
func TestStraceFDs(t *testing.T) {
	if !canRecord() {
		t.Skip("cannot record here")
	}
	need(t, "strace")
	dir, called := straceDir(t), calledStraceHere(t)
	for _, of := range []struct{ prog, calls string }{
		{"pidfds", "clone,clone3,pidfd_open,pidfd_send_signal,fcntl,dup,close"},
		{"connects", "%network,close"},
	} {
		script := "exec " + compileProg(t, of.prog)
		for _, options := range []string{"-y", "-yy", "--decode-fds=pidfd", "--decode-fds=socket"} {
			t.Run(of.prog+" "+options, func(t *testing.T) {
				c := straceCase{options + " -e signal=none -e trace=" + of.calls, script}
				tryTimes(t, func() []string {
					a, b := runTraced(t, dir, c, "strace"), runTraced(t, dir, c, "strace")
					return a.differs(b, runTraced(t, dir, c, called))
				})
			})
		}
	}
}

// TestStraceNamespaces holds -e namespace=new against strace 7.2, and against what the
// program sees.
func TestStraceNamespaces(t *testing.T) {
	if !canRecord() {
		t.Skip("cannot record here")
	}
	if os.Geteuid() != 0 {
		skipOrFail(t, "only root makes namespaces")
	}
	prog := compileProg(t, "enters")
	c := straceCase{"-f -o text -e namespace=new -e trace=unshare,setns,clone,clone3", "exec " + prog}
	need(t, "strace")
	if !straceBefore(t, "7.2") {
		compareProcesses(t, c, 12)
	}
	dir := straceDir(t)
	out := runTraced(t, dir, c, calledStraceHere(t)).stdout
	text, err := os.ReadFile(filepath.Join(dir, "text"))
	if err != nil {
		t.Fatal(err)
	}
	made := strings.Fields(out) // "uts:[1]", "net:[2]"
	if len(made) != 2 {
		t.Fatalf("the program writes %q", out)
	}
	for _, line := range []string{
		`unshare\(CLONE_FS\|CLONE_NEWUTS\) += 0 \(` + regexp.QuoteMeta(made[0]) + `\)`,
		`unshare\(CLONE_FILES\) += 0`,
		`unshare\(CLONE_NEWCGROUP\|CLONE_NEWNET\) += 0 \(cgroup:\[\d+\], ` + regexp.QuoteMeta(made[1]) + `\)`,
		`setns\(\d+, 0\) += 0`,
		`setns\(\d+, CLONE_NEWNET\) += 0 \(net:\[\d+\]\)`,
		`clone\(.*\) += \d+ \(pid:\[\d+\], uts:\[\d+\]\)`,
		`clone3\(.*\) += \d+ \(ipc:\[\d+\]\)`,
	} {
		if !regexp.MustCompile(`(?m)^\d+ +` + line + `$`).Match(text) {
			t.Errorf("no line %s in\n%s", line, text)
		}
	}
}

// TestStraceWaiting holds lines of calls in which processes are killed against
// strace's: as much as it has printed by then.
func TestStraceWaiting(t *testing.T) {
	if !canRecord() {
		t.Skip("cannot record here")
	}
	need(t, "strace")
	const calls = "?poll,ppoll,?select,pselect6,accept,accept4,rt_sigtimedwait,splice,recvfrom,nanosleep,clock_nanosleep,rt_sigsuspend,readv,sendfile"
	compareProcesses(t, straceCase{"-f -o text -e trace=" + calls, "exec " + compileProg(t, "waiting")}, 40)
}

// calledStraceHere returns sysreel under strace's name.
func calledStraceHere(t *testing.T) string {
	t.Helper()
	called := filepath.Join(t.TempDir(), "strace")
	if err := os.Symlink(buildSysreel(t), called); err != nil {
		t.Fatal(err)
	}
	return called
}

var namespaceInode = regexp.MustCompile(`:\[40\d{8}\]`) // as the kernel numbers them, again and again

func straceDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "dir"), 0o755); err != nil {
		t.Fatal(err)
	}
	text := strings.Repeat("some \x80\xfftext\t\"quoted\"\n", 5)
	if err := os.WriteFile(filepath.Join(dir, "dir", "file"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// tracedRun is what came of a run.
type tracedRun struct {
	lines  []string
	pids   straced
	stdout string
	status string
}

var anyPID = regexp.MustCompile(`(?m)\[pid +(\d+)|^(\d+) +|Process (\d+) |si_pid=(\d+)|set_tid_address\([^)]*\) += (\d+)|getp?p?[gt]?id\(\) += (\d+)|kill\((\d+)`)

// What differs between runs of any program: times, and what is random.
var (
	varying     = regexp.MustCompile(`(?m)<[0-9.]+>$|^ +[0-9.]+ |^(\d\d:\d\d:\d\d[.0-9]*|[0-9.]{10,}) (\(\+ +[0-9.]+\) )?`)
	anyDigit    = regexp.MustCompile(`\d`)
	rseqLine    = regexp.MustCompile(`\brseq\(.*`)
	randomBytes = regexp.MustCompile(`getrandom\((buf=)?"(?:[^"\\]|\\.)*"`)
	calledAs    = regexp.MustCompile(`(?m)^(Try ')?\S*/strace\b`) // in messages
)

func runTraced(t *testing.T, dir string, c straceCase, program ...string) *tracedRun {
	t.Helper()
	args := append(program[1:], strings.Fields(c.options)...)
	for i, a := range args {
		args[i] = strings.Replace(a, "|cat>", "|cat >", 1)
	}
	cmd := exec.Command(program[0], append(args, "sh", "-c", c.script)...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=/", "LC_ALL=C", "TZ=UTC"}
	var out, text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &text
	_ = cmd.Run() // the status is compared
	shown := varying.ReplaceAllStringFunc(text.String(), func(s string) string {
		return anyDigit.ReplaceAllString(s, "0")
	})
	shown = ofFiles.ReplaceAllStringFunc(shown, func(s string) string { return anyNumber.ReplaceAllString(s, "0") })
	shown = randomBytes.ReplaceAllString(shown, `getrandom(${1}"R"`)
	shown = calledAs.ReplaceAllString(shown, "${1}strace")
	if straceBefore(t, "7.2") { // which knows the structure
		shown = rseqLine.ReplaceAllString(shown, "rseq()")
	}
	r := &tracedRun{lines: strings.Split(shown, "\n"), stdout: out.String(), status: cmd.ProcessState.String()}
	for _, m := range anyPID.FindAllStringSubmatch(text.String(), -1) {
		r.pids.pids = append(r.pids.pids, strings.Join(m[1:], ""))
	}
	return r
}

// differs holds a run against two of strace.
func (a *tracedRun) differs(b, ours *tracedRun) (problems []string) {
	if a.status != ours.status {
		problems = append(problems, fmt.Sprintf("strace ends with %s, sysreel with %s", a.status, ours.status))
	}
	if a.stdout != ours.stdout && a.stdout == b.stdout {
		problems = append(problems, fmt.Sprintf("with strace the program writes %q, with sysreel %q", a.stdout, ours.stdout))
	}
	if len(a.lines) != len(b.lines) {
		return append(problems, fmt.Sprintf("strace writes %d lines and %d lines", len(a.lines), len(b.lines)))
	}
	if len(a.lines) != len(ours.lines) {
		problems = append(problems, fmt.Sprintf("strace writes %d lines, sysreel %d", len(a.lines), len(ours.lines)))
	}
	for i := range min(len(a.lines), len(ours.lines)) {
		if !sameWords(a.pids.words(a.lines[i]), b.pids.words(b.lines[i]), ours.pids.words(ours.lines[i])) {
			problems = append(problems, fmt.Sprintf("strace  %s\nsysreel %s", a.lines[i], ours.lines[i]))
			if len(problems) > 5 {
				break
			}
		}
	}
	return problems
}

// TestStraceAtOnce reads what is printed of a call while the call blocks.
func TestStraceAtOnce(t *testing.T) {
	if !canRecord() {
		t.Skip("cannot record here")
	}
	cmd := exec.Command(buildSysreel(t), "strace", "-e", "trace=read", "head", "-c", "1")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	text, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	seen := ""
	for buf := make([]byte, 4096); !strings.HasSuffix(seen, "read(0"); {
		n, err := text.Read(buf) // until the test's own time is up
		if err != nil {
			t.Fatalf("%v after %q", err, seen)
		}
		seen += string(buf[:n])
	}
	if _, err := in.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(rest), `, "x", 1`) || !strings.HasSuffix(string(rest), "+++ exited with 0 +++\n") {
		t.Errorf("after the call: %q", rest)
	}
}
