//go:build unix

package main

// The third set: written after the second had shown what diff lacked.
var thirdCases = []failure{
	{
		name: "awk-missing-program", program: "awk",
		setup: "echo '{print $1}' >p.awk; echo a b >in", broken: "rm p.awk", command: "awk -f p.awk in",
		want: want{path: `p\.awk`, errno: "ENOENT"},
	},
	{
		name: "patch-does-not-apply", program: "patch",
		setup: "seq 20 >f; seq 20 | sed s/10/ten/ >g; diff -u f g >p; cp f target", broken: "seq 20 | sed s/10/zehn/ >target", command: "patch -s target <p",
		want: want{kind: "input-changed", path: `/target\b`},
	},
	{
		name: "openssl-missing-key", program: "openssl",
		setup: "openssl genpkey -algorithm ed25519 -out key.pem 2>/dev/null", broken: "rm key.pem", command: "openssl pkey -in key.pem -pubout",
		want: want{path: `key\.pem`, errno: "ENOENT"},
	},
	{
		name: "openssl-corrupt-key", program: "openssl",
		setup: "openssl genpkey -algorithm ed25519 -out key.pem 2>/dev/null", broken: "sed -i s/M/N/g key.pem", command: "openssl pkey -in key.pem -pubout",
		want: want{kind: "input-changed", path: `key\.pem`},
	},
	{
		name: "make-missing-include", program: "make",
		setup: "echo 'MSG=hello' >rules.mk; printf 'include rules.mk\\nall:\\n\\techo $(MSG)\\n' >Makefile", broken: "rm rules.mk", command: "make",
		want: want{path: `rules\.mk`, errno: "ENOENT"},
	},
	{
		name: "git-untracked-in-the-way", program: "git",
		setup: repository + "cd r; git checkout -q -b other; echo o >extra; git add extra; git commit -q -m o; git checkout -q -; cd ..", broken: "echo mine >r/extra", command: "cd r && git checkout -q other",
		want: want{path: `/extra\b`},
	},
	{
		name: "xargs-missing-command", program: "xargs",
		setup: "mkdir bin; printf '#!/bin/sh\\necho $1\\n' >bin/each; chmod +x bin/each", broken: "rm bin/each", command: "seq 3 | xargs -n1 bin/each",
		want: want{path: `bin/each`, errno: "ENOENT"},
	},
	{
		name: "python-missing-socket", program: "python3",
		setup: `printf 'import socket\ns=socket.socket(socket.AF_UNIX); s.connect("app.sock"); print(s.recv(10))\n' >app.py`,
		server: `exec /usr/bin/python3 -c "import socket
s=socket.socket(socket.AF_UNIX); s.bind('app.sock'); s.listen()
while 1:
  c,_=s.accept(); c.send(b'hello'); c.close()"`, badSrv: "-", command: "/usr/bin/python3 app.py",
		want: want{path: `app\.sock`, errno: "ENOENT"},
	},
	{
		name: "python-forbidden-socket", program: "python3", root: true,
		setup: `chmod 755 .; printf 'import socket\ns=socket.socket(socket.AF_UNIX); s.connect("app.sock"); print(s.recv(10))\n' >app.py`,
		server: `exec /usr/bin/python3 -c "import socket,os
s=socket.socket(socket.AF_UNIX); s.bind('app.sock'); os.chmod('app.sock',0o777); s.listen()
while 1:
  c,_=s.accept(); c.send(b'hello'); c.close()"`,
		badSrv: `exec /usr/bin/python3 -c "import socket,os
s=socket.socket(socket.AF_UNIX); s.bind('app.sock'); os.chmod('app.sock',0o700); s.listen()
while 1:
  c,_=s.accept(); c.send(b'hello'); c.close()"`, command: asNobody + "/usr/bin/python3 app.py",
		want: want{path: `app\.sock`, errno: "EACCES"},
	},
	{
		name: "sh-noexec-mount", program: "sh", root: true,
		setup:   "mkdir m; printf '#!/bin/sh\\necho run\\n' >tool; chmod +x tool",
		command: "unshare -m sh -c 'mount -t tmpfs none m; cp tool m/; m/tool; exit $?'",
		bad:     "unshare -m sh -c 'mount -t tmpfs -o noexec none m; cp tool m/; m/tool; exit $?'",
		want:    want{path: `m/tool`, errno: "EACCES"},
	},
	{
		name: "python-syntax-error", program: "python3",
		setup: `printf 'def f():\n  return 1\n' >mod.py; printf 'import mod\nprint(mod.f())\n' >app.py`, broken: `printf 'def f(:\n  return 1\n' >mod.py`, command: "/usr/bin/python3 -B app.py",
		want: want{kind: "input-changed", path: `mod\.py`},
	},
	{
		name: "node-hang-peer", program: "node", kill: 4,
		setup:  `echo 'require("http").get("http://127.0.0.1:18291/",r=>{r.on("data",d=>console.log(""+d))})' >app.js`,
		server: answer("18291", "0"), badSrv: answer("18291", "60"), command: "node app.js",
		want: want{text: `blocked in epoll|18291`},
	},
	{
		name: "redis-cli-password", program: "redis",
		server: "exec redis-server --port 18384 --save '' >/dev/null", badSrv: "exec redis-server --port 18384 --save '' --requirepass x >/dev/null", command: "test \"$(redis-cli -p 18384 set a b)\" = OK",
		want: want{syscall: "read|recv", path: "18384"},
	},
	{
		name: "tail-missing-log", program: "tail",
		setup: "mkdir log; seq 10 >log/app.log", broken: "rm log/app.log", command: "tail -n 3 log/app.log | grep -q 9",
		want: want{path: `log/app\.log`, errno: "ENOENT"},
	},
	{
		name: "dd-no-space-left", program: "dd", root: true,
		setup:   "mkdir m",
		command: "unshare -m sh -c 'mount -t tmpfs -o size=2m none m; exec dd if=/dev/zero of=m/image bs=64k count=10'",
		bad:     "unshare -m sh -c 'mount -t tmpfs -o size=256k none m; exec dd if=/dev/zero of=m/image bs=64k count=10'",
		want:    want{path: `m/image`, errno: "ENOSPC"},
	},
	{
		name: "sqlite-slow-lock", program: "sqlite3",
		setup:   "sqlite3 a.db 'create table t(x)'",
		command: "sqlite3 -cmd '.timeout 5000' a.db 'insert into t values(1)'",
		badSrv:  `exec /usr/bin/python3 -c "import sqlite3,time;c=sqlite3.connect('a.db',isolation_level=None);c.execute('begin exclusive');time.sleep(3);c.execute('commit');time.sleep(30)"`,
		want:    want{text: `a\.db|nanosleep`},
	},
}
