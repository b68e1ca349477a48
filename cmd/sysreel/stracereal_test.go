package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// realPrograms are run beside those of compared where there is time.
var realPrograms = []comparedProgram{
	{name: "perl", needs: []string{"perl"}, script: `exec perl -e 'use Socket; socket(S, PF_INET, SOCK_STREAM, 0); open F, "<passwd"; print scalar <F>; system "true"; print -d ".", "\n"'`},
	{name: "bash", needs: []string{"bash"}, script: `exec bash -c 'x=$(cat passwd | wc -l); trap "echo usr" USR1; kill -USR1 $$; for i in 1 2; do (exit $i); done; echo $x <(true); read y < passwd; umask 77; ulimit -n'`},
	{name: "sockets", needs: []string{"/usr/bin/python3"}, script: `exec /usr/bin/python3 sockets.py`},
	{name: "gdb", needs: []string{"gdb"}, script: `exec gdb -nx -batch -ex 'info line' /bin/true`},
	{name: "apt-cache", needs: []string{"apt-cache"}, script: `exec apt-cache policy coreutils`},
	{name: "tmux", needs: []string{"tmux"}, script: `tmux -f /dev/null -S ./s new-session -d 'sleep 60'; tmux -S ./s ls; tmux -S ./s kill-server; true`},
	{name: "java", needs: []string{"java"}, threads: true, script: `exec java -version`},
	{name: "ip", needs: []string{"ip"}, script: `ip addr; ip route; ip -s link; ss -tlnp; exit 0`},
	{name: "util-linux", script: `lsblk; findmnt; mount; unshare -U true; setsid true; nice true; flock x true; dmesg | head -1; lscpu; ipcs; taskset -p $$; prlimit; chrt -p $$; getopt a b; logger -s --no-act x; fallocate -l 10 y; exit 0`},
	{name: "procps", script: `ps; free; uptime; vmstat; pgrep nosuch; w; exit 0`},
}

const socketsProgram = `
import socket, os, select, signal, ctypes
t = socket.socket(); t.bind(("127.0.0.1", 0)); t.listen()
c = socket.socket(); c.connect(t.getsockname()); a, _ = t.accept()
c.send(b"hi"); a.recv(2)
u = socket.socket(type=socket.SOCK_DGRAM); u.bind(("127.0.0.1", 0)); u.sendto(b"x", u.getsockname()); u.recvfrom(10)
six = socket.socket(socket.AF_INET6); six.bind(("::1", 0)); six.listen(); six.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1) if 0 else None
p, q = socket.socketpair(); p.send(b"y"); q.recv(1)
x = socket.socket(socket.AF_UNIX); x.bind("./unix"); x.listen(); y = socket.socket(socket.AF_UNIX); y.connect("./unix"); z, _ = x.accept(); y.send(b"z"); z.recv(1)
n = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0); n.bind((0, 0)); n.getsockname()
e = select.epoll(); e.register(a, select.EPOLLIN); e.poll(0)
r, w = os.pipe(); os.write(w, b"1"); os.read(r, 1)
m = os.memfd_create("mem"); os.write(m, b"2"); os.lseek(m, 0, 0)
v = os.eventfd(3); os.eventfd_write(v, 1); os.eventfd_read(v)
d = os.pidfd_open(os.getpid()); os.fstat(d)
libc = ctypes.CDLL(None)
i = libc.inotify_init(); libc.inotify_add_watch(i, b".", 2); os.fstat(i)
f = libc.timerfd_create(1, 0); os.fstat(f)
mask = ctypes.c_ulong(1 << 9 | 1 << 11); s = libc.signalfd(-1, ctypes.byref(mask), 0) ; os.fstat(s)
g = os.open("gone", os.O_CREAT | os.O_RDWR); os.unlink("gone"); os.write(g, b"3"); os.fstat(g)
k = os.open("/dev/null", os.O_RDWR); os.write(k, b"4"); os.dup2(k, 40); os.fstat(40)
o = os.open(".", os.O_RDONLY | os.O_DIRECTORY); os.listdir(o); os.stat("passwd", dir_fd=o); os.fchdir(o)
t.close(); c.close(); a.recv(1)
`

// TestStraceReal holds the text that sysreel strace writes of real programs against
// two runs of strace with the same options, in each process line by line.
//
// SYSREEL_REAL gives other options, in place of -f -v -y, and runs all programs.
func TestStraceReal(t *testing.T) {
	if testing.Short() {
		t.Skip("runs programs three times each")
	}
	if !canRecord() {
		t.Skip("cannot record here")
	}
	need(t, "strace")
	bin := buildSysreel(t)
	options, only := "-f -v -y", "sh|git|gcc|make|python3|sockets|tar|coreutils"
	if o := os.Getenv("SYSREEL_REAL"); o != "" {
		options, only = o, os.Getenv("SYSREEL_ONLY")
	}
	for _, p := range append(realPrograms, compared...) {
		if ok, _ := regexp.MatchString(`^(`+only+`)$`, p.name); !ok && only != "" {
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			for _, n := range p.needs {
				need(t, n)
			}
			tryTimes(t, func() []string { return realProgram(t, bin, p, strings.Fields(options)) })
			if p.name == "sockets" {
				tryTimes(t, func() []string { return realProgram(t, bin, p, []string{"-f", "-yy"}) })
			}
		})
	}
}

// Each run has files of its own, whose inodes and times two runs may share by
// chance and the third not.
var (
	ofFiles   = regexp.MustCompile(`\bst_(ino=\d+|[acm]time=\d+ /\* [^*]* \*/|[acm]time_nsec=\d+)`)
	anyNumber = regexp.MustCompile(`\d+`)
)

func realProgram(t *testing.T, bin string, p comparedProgram, options []string) (problems []string) {
	port := freePort(t)
	script := strings.ReplaceAll(p.script, "@PORT", strconv.Itoa(port))
	out := t.TempDir()
	w := &workplace{dir: filepath.Join(t.TempDir(), "w"), port: port, server: strings.HasPrefix(p.script, "exec ./server")}
	var text [3]string
	for i, tracer := range [][]string{{"strace"}, {"strace"}, {bin, "strace"}} {
		log := filepath.Join(out, strconv.Itoa(i))
		w.run(t, script, append(append(tracer, options...), "-o", log)...)
		b, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		text[i] = ofFiles.ReplaceAllStringFunc(string(b), func(s string) string {
			return anyNumber.ReplaceAllString(s, "0")
		})
	}
	if d := os.Getenv("SYSREEL_KEEP"); d != "" {
		for i := range text {
			os.WriteFile(filepath.Join(d, p.name+"."+strconv.Itoa(i)), []byte(text[i]), 0o644)
		}
	}
	a, b, ours := parseText(text[0]), parseText(text[1]), parseText(inWordsOf(t, text[2]))
	if p.threads {
		return checkShapes(t, ours, parseText(text[0]+text[1]))
	}
	return checkLines(t, compareText(ours, a, b))
}
