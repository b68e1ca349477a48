package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// comparedProgram is what TestLikeStrace runs.
type comparedProgram struct {
	name   string
	needs  []string
	script string
	// threads: the order of lines is the scheduler's, so that only what lines
	// look like can be compared.
	threads bool
}

// compared are the programs whose recording is held against strace's text. @PORT
// is a free port; all run in a directory of their own that has the files of
// comparedFiles.
var compared = []comparedProgram{
	{name: "sh", script: `echo hi; for i in 1 2; do /bin/true; done; (exit 3); cat passwd | wc -c; sh -c 'kill -USR1 $$'; exit 7`},
	{name: "ls", script: `exec ls -l /etc`},
	{name: "cat", script: `exec cat passwd`},
	{name: "cp", script: `exec cp passwd copy`},
	{name: "find", script: `exec find /etc -maxdepth 2 -name '*.conf'`},
	{name: "git", needs: []string{"git"}, script: `git init -q r; cd r; cp ../passwd .; git add .; exec git status --short`},
	{name: "gcc", needs: []string{"gcc"}, script: `exec gcc -O0 -o hello hello.c`},
	{name: "make", needs: []string{"make"}, script: `exec make -f rules all`},
	{name: "python3", needs: []string{"/usr/bin/python3"}, script: `exec /usr/bin/python3 -c 'import json, subprocess; print(json.dumps(1)); subprocess.run(["true"])'`},
	{name: "curl", needs: []string{"curl"}, script: `exec curl -s http://127.0.0.1:@PORT/`},
	{name: "sqlite3", needs: []string{"sqlite3"}, script: `exec sqlite3 db 'create table t(a); insert into t values(1); select * from t'`},
	{name: "psql", needs: []string{"psql"}, script: `exec psql -h 127.0.0.1 -p @PORT -c 'select 1'`},
	{name: "tar", needs: []string{"tar"}, script: `exec tar cf x.tar passwd hello.c`},
	{name: "ssh-keygen", needs: []string{"ssh-keygen"}, script: `exec ssh-keygen -q -t ed25519 -N '' -f key`},
	{name: "apt-get", needs: []string{"apt-get"}, script: `exec apt-get --version`},
	{name: "coreutils", script: `mkdir d; touch -d 2020-01-01 d/x; chmod 600 d/x; ln -s x d/y; readlink d/y; mv d/x d/z; mkfifo d/p; rm -r d; df .; stat .; truncate -s 100 t; nproc; uname -a; timeout 0.1 sleep 1`},

	{name: "go build", needs: []string{"go"}, threads: true, script: `GOCACHE=$PWD/cache exec go build -p 1 internal/goarch`},
	{name: "Go server", needs: []string{"go"}, threads: true, script: `exec ./server`},
	{name: "node", needs: []string{"node"}, threads: true, script: `exec node -e 'console.log(1)'`},
	{name: "nginx", needs: []string{"nginx", "curl"}, threads: true, script: `nginx -e $PWD/error.log -c $PWD/nginx.conf & p=$!; until curl -s http://127.0.0.1:@PORT/; do kill -0 $p || exit; sleep 0.1; done; kill -QUIT $p; wait $p`},
	{name: "redis-server", needs: []string{"redis-server", "redis-cli"}, threads: true, script: `redis-server --port @PORT --save '' --dir $PWD & p=$!; until redis-cli -p @PORT set a 1; do kill -0 $p || exit; sleep 0.1; done; redis-cli -p @PORT get a; redis-cli -p @PORT shutdown nosave; wait $p`},
}

func comparedFiles(port int) map[string]string {
	return map[string]string{
		"passwd":     "root:x:0:0:root:/root:/bin/sh\nnobody:x:1:1::/:/bin/false\n",
		"index.html": "hello\n",
		"hello.c":    "#include <stdio.h>\nint main(void) { puts(\"hi\"); return 0; }\n",
		"rules":      "all: a b\na:\n\techo a\nb:\n\techo b; true\n",
		"sockets.py": socketsProgram,
		"server.go": `package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
)

func main() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "hi") }))
	for range 3 {
		r, err := http.Get("http://" + l.Addr().String())
		if err != nil {
			panic(err)
		}
		io.Copy(io.Discard, r.Body)
		r.Body.Close()
	}
}
`,
		"nginx.conf": fmt.Sprintf(`daemon off; worker_processes 1; pid nginx.pid; error_log error.log;
events { worker_connections 64; }
http { access_log off; server { listen 127.0.0.1:%d; root .; } }
`, port),
	}
}

// TestLikeStrace records real programs and holds replay's text of each against
// two runs of it under strace -f. What those two agree on, replay must say
// too: the same calls in the same order in each process, in the same words.
func TestLikeStrace(t *testing.T) {
	if testing.Short() {
		t.Skip("runs twenty programs three times each")
	}
	if !canRecord() {
		t.Skip("cannot record here")
	}
	need(t, "strace")
	bin := buildSysreel(t)
	for _, p := range compared {
		t.Run(p.name, func(t *testing.T) {
			for _, n := range p.needs {
				need(t, n)
			}
			tryTimes(t, func() []string { return likeStrace(t, bin, p) })
		})
	}
}

// tryTimes fails the test if a comparison of runs finds something in three
// attempts. Chance differs between runs, and more on a busy machine; what is
// wrong is wrong every time.
func tryTimes(t *testing.T, compare func() (problems []string)) {
	t.Helper()
	const attempts = 3
	for i := 1; i <= attempts; i++ {
		problems := compare()
		if len(problems) == 0 {
			return
		}
		for _, problem := range problems {
			if i == attempts {
				t.Error(problem)
			} else {
				t.Logf("attempt %d: %s", i, problem)
			}
		}
	}
}

// likeStrace runs the program under strace, twice, and under sysreel, and
// returns what is not alike.
func likeStrace(t *testing.T, bin string, p comparedProgram) (problems []string) {
	port := freePort(t)
	script := strings.ReplaceAll(p.script, "@PORT", strconv.Itoa(port))
	out := t.TempDir()
	w := &workplace{dir: filepath.Join(t.TempDir(), "w"), port: port, server: strings.HasPrefix(p.script, "exec ./server")}
	var text [2]string
	var said [3]string
	for i := range text {
		log := filepath.Join(out, strconv.Itoa(i))
		said[i] = w.run(t, script, "strace", "-f", "-o", log)
		b, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		text[i] = string(b)
	}
	reel := filepath.Join(out, "reel")
	said[2] = w.run(t, script, bin, "record", "-q", "-o", reel, "--")
	if said[0] == said[1] && said[2] != said[0] {
		problems = append(problems, fmt.Sprintf("output and status when recorded:\n%s\nunder strace:\n%s", said[2], said[0]))
	}
	replayed, err := exec.Command(bin, "replay", reel).Output()
	if err != nil {
		t.Fatal(err)
	}
	a, b, ours := parseText(text[0]), parseText(text[1]), parseText(inWordsOf(t, string(replayed)))
	both := parseText(text[0] + text[1])
	for _, l := range numbersForNames(ours, both) {
		problems = append(problems, "a number where strace has a name: "+l)
	}
	if p.threads {
		return append(problems, checkShapes(t, ours, both)...)
	}
	return append(problems, checkLines(t, compareText(ours, a, b))...)
}

// checkLines wants nearly all lines alike. What may differ is what chance makes
// alike in two runs and not in three: times, sizes of reads from pipes, random
// numbers, places of signals.
func checkLines(t *testing.T, c *comparison) (problems []string) {
	t.Helper()
	t.Log(c)
	for n, x := range c.examples {
		t.Logf("%d %s\n  strace: %s\n  replay: %s", c.diffs[n], n, x[0], x[1])
	}
	for _, l := range c.missing {
		t.Logf("not in replay at its place: %s", l)
	}
	if c.lines == 0 || c.order*100 < c.lines*99 {
		problems = append(problems, fmt.Sprintf("%d of %d lines are in order, want 99 %%", c.order, c.lines))
	}
	if c.text*100 < c.lines*97 {
		problems = append(problems, fmt.Sprintf("%d of %d lines are in the same words, want 97 %%", c.text, c.lines))
	}
	return problems
}

// checkShapes wants nearly all lines to look like some line of strace's.
func checkShapes(t *testing.T, ours, theirs *straced) (problems []string) {
	t.Helper()
	known := theirs.shapes()
	lines, like := 0, 0
	odd := make(map[string]string)
	for _, ls := range ours.procs {
		for _, l := range ls {
			lines++
			if known[shapeOf(l)] {
				like++
			} else {
				odd[nameOf(l)] = l
			}
		}
	}
	t.Logf("%d lines, %d look like one of strace's", lines, like)
	for _, l := range odd {
		t.Logf("not like strace's: %s", l)
	}
	if lines == 0 || like*100 < lines*95 {
		problems = append(problems, fmt.Sprintf("%d of %d lines look like one of strace's, want 95 %%", like, lines))
	}
	return problems
}

// workplace is the directory in which each run of a program finds the same
// files.
type workplace struct {
	dir    string
	port   int
	server bool // needs server.go built
	built  string
}

// run runs a shell script under a tracer and returns its output and status.
func (w *workplace) run(t *testing.T, script string, tracer ...string) string {
	t.Helper()
	if err := os.RemoveAll(w.dir); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(w.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, data := range comparedFiles(w.port) {
		if err := os.WriteFile(filepath.Join(w.dir, name), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if w.server {
		build := exec.Command("go", "build", "-o", "server", "server.go")
		build.Dir = w.dir
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("go build: %v\n%s", err, out)
		}
	}
	out, err := os.Create(w.dir + ".out")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd := exec.Command(tracer[0], append(tracer[1:], "/bin/sh", "-c", script)...)
	cmd.Dir = w.dir
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Env = append(os.Environ(), "LC_ALL=C", "PYTHONDONTWRITEBYTECODE=1")
	status := "exit status 0"
	if err := cmd.Run(); err != nil {
		status = err.Error()
	}
	said, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(said) + status
}

// need skips the test where a program is missing; in CI it fails.
func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err == nil {
		return
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is not installed", program)
	}
	t.Skipf("%s is not installed", program)
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// TestStraceText checks the comparison itself: that it sees what it should.
func TestStraceText(t *testing.T) {
	a := parseText("1  fork( <unfinished ...>\n2  read(3,  <unfinished ...>\n1  <... fork resumed>)  = 2\n2  <... read resumed>\"x\", 1)   = 1\n1  open(\"a\", O_RDONLY) = 3\n")
	b := parseText("7  fork()  = 8\n8  read(3, \"y\", 1)   = 1\n7  open(\"a\", O_RDONLY) = 3\n")
	if c := compareText(b, a, b); c.processes != 2 || c.lines != 3 || c.order != 3 || c.text != 3 {
		t.Errorf("the same run: %v", c)
	}
	reused := parseText("7  fork()  = 8\n8  read(3) = 1\n8  +++ exited with 0 +++\n8  read(4) = 1\n7  fork() = 8\n8  +++ killed by SIGKILL +++\n7  fork() = 8\n8  read(5) = 1\n")
	for place, first := range map[string]string{"0": "fork() = 8", "0.1": "read(3) = 1", "0.2": "read(4) = 1", "0.3": "read(5) = 1"} {
		if lines := reused.procs[place]; len(reused.procs) != 4 || len(lines) == 0 || lines[0] != first {
			t.Errorf("processes that had a PID in turn: %s is %q, of %d", place, lines, len(reused.procs))
		}
	}
	// In a PID namespace a child is told of by another number than it has here: its
	// place is the same whichever line comes first.
	for _, text := range []string{"7 fork() = 2\n9 read(3) = 1\n7 exit(0) = ?\n", "9 read(3) = 1\n7 fork() = 2\n7 exit(0) = ?\n"} {
		if lines := parseText("1 fork() = 7\n" + text).procs["2?"]; len(lines) != 1 || lines[0] != "read(3) = 1" {
			t.Errorf("%q: 2? is %q", text, lines)
		}
	}
	for _, tt := range []struct {
		ours        string
		order, text int
		raw         int
	}{
		{"7  fork()  = 8\n8  read(3, \"y\", 1)   = 1\n7  open(\"a\", 0x0) = 3\n", 3, 2, 1},
		{"7  fork()  = 8\n8  read(4, \"y\", 1)   = 1\n7  open(\"a\", O_RDONLY) = 3\n", 3, 2, 0},
		{"7  open(\"a\", O_RDONLY) = 3\n7  fork()  = 8\n8  read(3, \"y\", 1)   = 1\n", 2, 2, 0},
		{"7  fork()  = 8\n7  open(\"a\", O_RDONLY) = 3\n", 2, 2, 0},
	} {
		ours := parseText(tt.ours)
		c := compareText(ours, a, b)
		if raw := len(numbersForNames(ours, a)); c.order != tt.order || c.text != tt.text || raw != tt.raw {
			t.Errorf("%s: %v, %d numbers for names; want %d in order, %d same, %d", tt.ours, c, raw, tt.order, tt.text, tt.raw)
		}
	}
}
