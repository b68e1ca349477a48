//go:build unix

package main

// The second set: written after diff's weights were set on the first, to see
// how it does on what it was not made for.
var secondCases = []failure{
	{
		name: "bash-missing-source", program: "bash",
		setup: "echo 'f() { echo f; }' >lib.sh; printf 'set -e\\nsource ./lib.sh\\nf\\n' >job.sh", broken: "rm lib.sh", command: "bash job.sh",
		want: want{path: `lib\.sh`, errno: "ENOENT"},
	},
	{
		name: "perl-missing-module", program: "perl",
		setup: "mkdir lib; echo 'package Foo; sub x {1} 1;' >lib/Foo.pm; echo 'use Foo; print Foo::x();' >app.pl", broken: "rm lib/Foo.pm", command: "perl -Ilib app.pl",
		want: want{path: `lib/Foo\.pm`, errno: "ENOENT"},
	},
	{
		name: "sed-unwritable-directory", program: "sed", root: true,
		setup: "chmod 755 .; mkdir d; echo a >d/f; chown -R 65534 d", broken: "chown 0 d; chmod 755 d", command: asNobody + "sed -i s/a/b/ d/f",
		want: want{path: `/d/`, errno: "EACCES"},
	},
	{
		name: "gunzip-corrupt", program: "gzip",
		setup: "seq 5000 | gzip >a.gz", broken: "printf XXXX | dd of=a.gz bs=1 seek=2000 conv=notrunc 2>/dev/null; printf XX | dd of=a.gz bs=1 seek=10 conv=notrunc 2>/dev/null", command: "gunzip -t a.gz",
		want: want{kind: "input-changed", path: `a\.gz`},
	},
	{
		name: "sort-missing-tmpdir", program: "sort",
		setup: "mkdir t; seq 60000 | tac >in", broken: "rmdir t", command: "TMPDIR=$PWD/t sort -S 64k -o out in",
		want: want{path: `/t/`, errno: "ENOENT"},
	},
	{
		name: "sh-wrong-path", program: "sh",
		setup:   "mkdir new old; printf '#!/bin/sh\\necho v2\\n' >new/tool; printf '#!/bin/sh\\necho v1 >&2; exit 9\\n' >old/tool; chmod +x new/tool old/tool; echo 'tool run' >job.sh",
		command: "PATH=$PWD/new:$PWD/old:$PATH sh -e job.sh", bad: "PATH=$PWD/old:$PWD/new:$PATH sh -e job.sh",
		want: want{text: `PATH|old/tool`},
	},
	{
		name: "git-no-home", program: "git",
		setup: "mkdir home; printf '[user]\\n name=a\\n email=a@b\\n' >home/.gitconfig; git init -q r", broken: "rm home/.gitconfig",
		command: "cd r && HOME=$PWD/../home git -c user.useConfigOnly=true commit -q --allow-empty -m x",
		want:    want{path: `\.gitconfig`, errno: "ENOENT"},
	},
	{
		name: "git-clone-missing", program: "git",
		setup: repository, broken: "mv r elsewhere", command: "git clone -q r copy",
		want: want{path: `/r\b`, errno: "ENOENT"},
	},
	{
		name: "head-file-size-limit", program: "head",
		command: "head -c 500000 /dev/zero >out", bad: "ulimit -f 100; head -c 500000 /dev/zero >out",
		want: want{text: `SIGXFSZ|EFBIG`},
	},
	{
		name: "python-process-limit", program: "python3", root: true,
		setup: `printf 'import subprocess\nfor i in range(3): subprocess.run(["/bin/true"],check=True)\n' >app.py; chmod 755 .`, command: "setpriv --reuid=54321 --clear-groups /usr/bin/python3 app.py",
		bad:  "prlimit --nproc=1 setpriv --reuid=54321 --clear-groups /usr/bin/python3 app.py",
		want: want{syscall: "fork|clone", errno: "EAGAIN"},
	},
	{
		name: "sh-cpu-limit", program: "sh",
		setup: "echo 1000 >n; printf 'i=0; n=$(cat n); while [ $i -lt $n ]; do i=$((i+1)); done; echo done\\n' >job.sh", broken: "echo 90000000 >n",
		command: "ulimit -t 1; sh job.sh",
		want:    want{text: `SIGXCPU|SIGKILL|/n\b`},
	},
	{
		name: "curl-empty-reply", program: "curl",
		server: answer("18191", "0"), badSrv: `exec /usr/bin/python3 -c "import socket
s=socket.socket(); s.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1); s.bind(('127.0.0.1',18191)); s.listen()
while 1:
  c,_=s.accept(); c.recv(1000); c.close()"`, command: "curl -sS http://127.0.0.1:18191/",
		want: want{syscall: "recv|read", path: "18191"},
	},
	{
		name: "curl-server-error", program: "curl",
		server: answer("18192", "0"), badSrv: `exec /usr/bin/python3 -c "import http.server
class H(http.server.BaseHTTPRequestHandler):
  def do_GET(s): s.send_error(500)
  def log_message(s,*a): pass
http.server.HTTPServer(('127.0.0.1',18192),H).serve_forever()"`, command: "curl -sSf http://127.0.0.1:18192/",
		want: want{syscall: "recv|read", path: "18192"},
	},
	{
		name: "sh-broken-symlink", program: "sh",
		setup: "mkdir real; echo x >real/conf; ln -s real/conf conf; echo 'cat conf' >job.sh", broken: "mv real moved", command: "sh job.sh",
		want: want{path: `/conf\b`, errno: "ENOENT"},
	},
	{
		name: "cat-symlink-loop", program: "cat",
		setup: "echo x >a", broken: "rm a; ln -s b a; ln -s a b", command: "cat a",
		want: want{path: `/a\b`, errno: "ELOOP"},
	},
	{
		name: "cp-not-a-directory", program: "cp",
		setup: "mkdir out; echo x >in", broken: "rmdir out; echo y >out", command: "cp in out/",
		want: want{path: `out`, errno: "ENOTDIR"},
	},
	{
		name: "python-hang-child", program: "python3", kill: 3,
		setup: `echo 0 >delay; printf 'import subprocess\nprint(subprocess.run(["sh","-c","sleep $(cat delay); echo hi"],capture_output=True).stdout)\n' >app.py`, broken: "echo 30 >delay",
		command: "/usr/bin/python3 app.py",
		want:    want{text: `nanosleep|delay`},
	},
	{
		name: "python-deadlock", program: "python3", kill: 4,
		setup: `cat >app.py <<'EOF'
import threading, time, os
a, b = threading.Lock(), threading.Lock()
def w(x, y):
    with x:
        time.sleep(0.3)
        with y: pass
swap = os.path.exists("swap")
ts = [threading.Thread(target=w, args=(a, b)), threading.Thread(target=w, args=(b, a) if swap else (a, b))]
[t.start() for t in ts]; [t.join() for t in ts]
EOF
`, broken: "touch swap", command: "/usr/bin/python3 app.py",
		want: want{text: `futex|swap`},
	},
	{
		name: "python-more-computing", program: "python3",
		setup: `echo 10 >n; printf 'n=int(open("n").read())\nfor i in range(n*100000): pass\n' >app.py`, broken: "echo 400 >n", command: "/usr/bin/python3 app.py",
		want: want{text: `between calls|/n\b`},
	},
	{
		name: "sqlite-disk-full", program: "sqlite3", root: true,
		setup:   `mkdir m; echo 'create table t(x); insert into t values(randomblob(300000)); insert into t values(randomblob(300000));' >in.sql`,
		command: "unshare -m sh -c 'mount -t tmpfs -o size=4m none m; exec sqlite3 -bail m/a.db <in.sql'",
		bad:     "unshare -m sh -c 'mount -t tmpfs -o size=500k none m; exec sqlite3 -bail m/a.db <in.sql'",
		want:    want{path: `m/a\.db`, errno: "ENOSPC"},
	},
	{
		name: "nginx-upstream-down", program: "nginx",
		setup: nginxConf + `sed -i 's|root html;|location / { proxy_pass http://127.0.0.1:18193; }|' nginx.conf`, server: answer("18193", "0"), badSrv: "-", command: nginxRun,
		want: want{path: "18193", errno: "ECONNREFUSED"},
	},
	{
		name: "nginx-unreadable-page", program: "nginx", root: true,
		setup: nginxConf + "sed -i 's/master_process off;//' nginx.conf; chmod 755 . html; chmod 777 logs tmp", broken: "chmod 600 html/index.html", command: nginxRun,
		want: want{path: `index\.html`, errno: "EACCES"},
	},
	{
		name: "nginx-bad-directive", program: "nginx",
		setup: nginxConf, broken: "sed -i 's/root html;/rooot html;/' nginx.conf", command: "nginx -t -p $PWD -c nginx.conf",
		want: want{kind: "input-changed", path: `nginx\.conf`},
	},
	{
		name: "redis-bad-directive", program: "redis",
		setup: "printf 'port 18383\\nbind 127.0.0.1\\nsave \"\"\\n' >redis.conf", broken: "echo 'maxmemmory 1gb' >>redis.conf",
		command: "redis-server redis.conf & sleep 1; redis-cli -p 18383 shutdown nosave; wait $!",
		want:    want{kind: "input-changed", path: `redis\.conf`},
	},
	{
		name: "node-missing-package", program: "node",
		setup: "mkdir -p node_modules/dep; echo 'module.exports=2' >node_modules/dep/index.js; echo 'console.log(require(\"dep\"))' >app.js", broken: "rm -r node_modules/dep", command: "node app.js",
		want: want{path: `node_modules/dep`, errno: "ENOENT"},
	},
	{
		name: "node-environment", program: "node",
		setup: `echo 'if(!process.env.DB_URL){console.error("no database configured");process.exit(1)}' >app.js`, command: "node app.js",
		env: []string{"DB_URL=x"}, badEnv: []string{},
		want: want{text: "DB_URL"},
	},
	{
		name: "make-test-output-changed", program: "make",
		setup: "printf 'check:\\n\\tsort in >out\\n\\tcmp out expected\\n' >Makefile; printf '1\\n2\\n3\\n' >in; cp in expected", broken: "printf '1\\n2\\n4\\n' >in", command: "make -s check",
		want: want{kind: "input-changed", path: `/in\b`},
	},
	{
		name: "make-rebuilds", program: "make",
		setup: project + "make >/dev/null; sleep 0.1", broken: "touch cfg.h b.c", command: "make",
		want: want{text: "gcc|cc1|b\\.c"},
	},
	{
		name: "go-compile-error", program: "go",
		setup:  "mkdir m; cd m; printf 'module m\\ngo 1.21\\n' >go.mod; printf 'package main\\nfunc main(){println(1)}\\n' >main.go; go build -o /dev/null .; cd ..",
		broken: "printf 'package main\\nfunc main(){println(x)}\\n' >m/main.go", command: "cd m && go build -o app .",
		want: want{kind: "input-changed", path: `main\.go`},
	},
	{
		name: "getent-changed-hosts", program: "getent", root: true,
		setup:   "echo '127.0.0.1 localhost db.example.test' >h1; echo '127.0.0.1 localhost' >h2",
		command: "unshare -m sh -c 'mount --bind h1 /etc/hosts; exec getent -s hosts:files hosts db.example.test'",
		bad:     "unshare -m sh -c 'mount --bind h2 /etc/hosts; exec getent -s hosts:files hosts db.example.test'",
		want:    want{kind: "input-changed", path: `/etc/hosts`},
	},
	{
		name: "mktemp-missing-tmpdir", program: "mktemp",
		setup: "mkdir t; echo 'f=$(mktemp) && echo x >$f && cat $f' >job.sh", broken: "rmdir t", command: "TMPDIR=$PWD/t sh job.sh",
		want: want{path: `/t/`, errno: "ENOENT"},
	},
	{
		name: "ssh-keygen-exists", program: "ssh-keygen",
		broken: "echo x >id", command: "ssh-keygen -q -t ed25519 -N '' -f id </dev/null",
		want: want{path: `/id\b`},
	},
	{
		name: "mkdir-exists", program: "mkdir",
		broken: "echo x >out", command: "mkdir out && ls out",
		want: want{path: `/out`, errno: "EEXIST"},
	},
	{
		name: "rmdir-not-empty", program: "rmdir",
		setup: "mkdir d", broken: "touch d/.hidden", command: "rmdir d",
		want: want{path: `/d\b`, errno: "ENOTEMPTY"},
	},
	{
		name: "flock-would-block", program: "flock",
		setup: "touch lock", badSrv: "flock lock sleep 10", command: "flock -n lock echo got it",
		want: want{syscall: "flock", path: `lock`, errno: "EAGAIN"},
	},
	{
		name: "timeout-kills", program: "sh",
		setup: "echo 0 >delay; printf 'sleep $(cat delay); echo ok\\n' >job.sh", broken: "echo 5 >delay", command: "timeout 1 sh job.sh",
		want: want{text: "nanosleep|delay|SIGTERM"},
	},
	{
		name: "apt-get-missing-lists", program: "apt-get", root: true,
		setup: "mkdir -p state/lists/partial; cp -r /var/lib/dpkg/status state/", broken: "rm state/status", command: "apt-get -s -o Dir::State=$PWD/state -o Dir::State::status=$PWD/state/status install -y bash",
		want: want{path: `state/status`, errno: "ENOENT"},
	},
	{
		name: "wc-other-user-home", program: "sh", root: true,
		setup: "chmod 755 .; mkdir -m 700 private; seq 10 >private/data; echo 'wc -l <private/data' >job.sh", command: "sh -e job.sh", bad: asNobody + "sh -e job.sh",
		want: want{text: `private/data.*EACCES|user`},
	},
}
