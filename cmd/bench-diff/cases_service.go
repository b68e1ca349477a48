//go:build unix

package main

const nginxConf = `mkdir -p logs tmp html; echo hello >html/index.html; echo 'types { text/html html; }' >mime.types
cat >nginx.conf <<'EOF'
daemon off; master_process off; pid logs/nginx.pid; error_log logs/error.log;
events {}
http { include mime.types; access_log logs/access.log; client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp; uwsgi_temp_path tmp; scgi_temp_path tmp;
server { listen 127.0.0.1:18080; root html; } }
EOF
`

const nginxRun = `nginx -p $PWD -c nginx.conf & sleep 1; curl -sf -m 5 -o /dev/null http://127.0.0.1:18080/; s=$?; kill $! 2>/dev/null; wait $!; exit $s`

// holder is a program that occupies a port.
func holder(port string) string {
	return `exec /usr/bin/python3 -c "import socket,time
s=socket.socket(); s.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1); s.bind(('127.0.0.1',` + port + `)); s.listen(); time.sleep(60)"`
}

// answer is an HTTP server that answers after a delay.
func answer(port, delay string) string {
	return `exec /usr/bin/python3 -c "import http.server,time
class H(http.server.BaseHTTPRequestHandler):
  def do_GET(s):
    time.sleep(` + delay + `); s.send_response(200); s.send_header('Content-Length','3'); s.end_headers(); s.wfile.write(b'ok\n')
  def log_message(s,*a): pass
http.server.ThreadingHTTPServer(('127.0.0.1',` + port + `),H).serve_forever()"`
}

// Interpreters, databases, servers and their clients.
var serviceCases = []failure{
	{
		name: "python-missing-module", program: "python3",
		setup: "echo 'X=1' >helper.py; printf 'import json, helper\\nprint(helper.X)\\n' >app.py", broken: "rm helper.py", command: "/usr/bin/python3 -B app.py",
		want: want{path: `helper\.py|helper`},
	},
	{
		name: "python-missing-data", program: "python3",
		setup: "echo '{}' >data.json; printf 'import json\\nprint(json.load(open(\"data.json\")))\\n' >app.py", broken: "rm data.json", command: "/usr/bin/python3 app.py",
		want: want{path: `data\.json`, errno: "ENOENT"},
	},
	{
		name: "python-changed-config", program: "python3",
		setup: `echo '{"port": 80}' >conf.json; printf 'import json\nc=json.load(open("conf.json"))\nassert isinstance(c["port"],int), "bad port"\n' >app.py`, broken: `echo '{"port": "eighty"}' >conf.json`,
		command: "/usr/bin/python3 app.py",
		want:    want{kind: "input-changed", path: `conf\.json`},
	},
	{
		name: "python-environment", program: "python3",
		setup: `printf 'import os,sys\nt=os.environ.get("APP_TOKEN")\nsys.exit(0 if t else "no credentials")\n' >app.py`, command: "/usr/bin/python3 app.py",
		env: []string{"APP_TOKEN=abc"}, badEnv: []string{},
		want: want{text: `APP_TOKEN`},
	},
	{
		name: "python-descriptor-limit", program: "python3",
		setup: `printf 'fs=[open("/etc/passwd") for i in range(100)]\nprint(len(fs))\n' >app.py`, command: "/usr/bin/python3 app.py", bad: "ulimit -n 30; exec /usr/bin/python3 app.py",
		want: want{text: `EMFILE|NOFILE`},
	},
	{
		name: "python-memory-limit", program: "python3",
		setup: `printf 'b=bytearray(400000000)\nprint(len(b))\n' >app.py`, command: "/usr/bin/python3 app.py", bad: "ulimit -v 300000; exec /usr/bin/python3 app.py",
		want: want{text: `ENOMEM|limit`},
	},
	{
		name: "python-unreadable-config", program: "python3", root: true,
		setup: `chmod 755 .; echo x=1 >app.ini; printf 'print(open("app.ini").read())\n' >app.py`, broken: "chmod 600 app.ini",
		command: asNobody + "/usr/bin/python3 app.py",
		want:    want{path: `app\.ini`, errno: "EACCES"},
	},
	{
		name: "python-other-user", program: "python3", root: true,
		setup:   `chmod 755 .; echo x=1 >app.ini; chmod 600 app.ini; printf 'print(open("app.ini").read())\n' >app.py`,
		command: "/usr/bin/python3 app.py", bad: asNobody + "/usr/bin/python3 app.py",
		want: want{text: `app\.ini.*EACCES|user`},
	},
	{
		name: "python-database-locked", program: "python3",
		setup:   `printf 'import sqlite3\nc=sqlite3.connect("app.db",timeout=0.2)\nc.execute("create table if not exists t(x)")\nc.execute("insert into t values(1)")\nc.commit()\n' >app.py; sqlite3 app.db 'create table if not exists t(x)'`,
		command: "/usr/bin/python3 app.py",
		badSrv:  `exec /usr/bin/python3 -c "import sqlite3,time;c=sqlite3.connect('app.db',isolation_level=None);c.execute('begin exclusive');time.sleep(30)"`,
		want:    want{path: `app\.db`, errno: "EAGAIN"},
	},
	{
		name: "python-subprocess-missing", program: "python3",
		setup: `printf '#!/bin/sh\necho hi\n' >tool; chmod +x tool; printf 'import subprocess\nprint(subprocess.run(["./tool"],check=True).returncode)\n' >app.py`, broken: "rm tool",
		command: "/usr/bin/python3 app.py",
		want:    want{path: `tool`, errno: "ENOENT"},
	},
	{
		name: "python-more-work", program: "python3",
		setup: `seq 50 >n; printf 'n=len(open("n").readlines())\nfor i in range(n):\n  open("out","a").write(str(i))\n' >app.py`, broken: "seq 4000 >n", command: "/usr/bin/python3 app.py",
		want: want{text: `\bn\b.*(size|content)|out\b`},
	},
	{
		name: "sqlite-unwritable", program: "sqlite3", root: true,
		setup: "chmod 777 .; sqlite3 app.db 'create table t(x)'; chmod 666 app.db", broken: "chmod 444 app.db; chmod 755 .", command: asNobody + "sqlite3 app.db 'insert into t values(1)'",
		want: want{path: `app\.db`, text: "EACCES|mode"},
	},
	{
		name: "sqlite-corrupt", program: "sqlite3",
		setup: "sqlite3 app.db 'create table t(x); insert into t values(1)'", broken: "head -c 6000 /dev/zero | tr '\\0' x >app.db", command: "sqlite3 -bail app.db 'select * from t'",
		want: want{kind: "input-changed", path: `app\.db`},
	},
	{
		name: "sqlite-missing-table", program: "sqlite3",
		setup: "sqlite3 app.db 'create table t(x)'", broken: "rm app.db", command: "sqlite3 -bail app.db 'select * from t'",
		want: want{path: `app\.db`},
	},
	{
		name: "curl-refused", program: "curl",
		server: answer("18091", "0"), badSrv: "-", command: "curl -sS http://127.0.0.1:18091/",
		want: want{syscall: "connect|getsockopt", path: `18091`, errno: "ECONNREFUSED"},
	},
	{
		name: "curl-slow-peer", program: "curl",
		server: answer("18092", "0"), badSrv: answer("18092", "2"), command: "curl -sS http://127.0.0.1:18092/",
		want: want{kind: "slower", text: `poll|recv|read|18092`},
	},
	{
		name: "curl-missing-upload", program: "curl",
		setup: "echo body >body", broken: "rm body", server: answer("18093", "0"), command: "curl -sSf -o /dev/null -G --data-urlencode q@body http://127.0.0.1:18093/",
		want: want{path: `body`, errno: "ENOENT"},
	},
	{
		name: "curl-unwritable-output", program: "curl",
		setup: "mkdir out", broken: "rmdir out", server: answer("18094", "0"), command: "curl -sS -o out/page http://127.0.0.1:18094/",
		want: want{path: `out/page`, errno: "ENOENT"},
	},
	{
		name: "nginx-missing-include", program: "nginx",
		setup: nginxConf, broken: "rm mime.types", command: "nginx -t -p $PWD -c nginx.conf",
		want: want{path: `mime\.types`, errno: "ENOENT"},
	},
	{
		name: "nginx-port-in-use", program: "nginx",
		setup: nginxConf, badSrv: holder("18080"), command: nginxRun,
		want: want{syscall: "bind", text: "18080", errno: "EADDRINUSE"},
	},
	{
		name: "nginx-missing-log-directory", program: "nginx",
		setup: nginxConf, broken: "rmdir logs", command: nginxRun,
		want: want{path: `logs/`, errno: "ENOENT"},
	},
	{
		name: "nginx-missing-page", program: "nginx",
		setup: nginxConf, broken: "rm html/index.html", command: nginxRun,
		want: want{path: `index\.html`, errno: "ENOENT"},
	},
	{
		name: "redis-missing-directory", program: "redis",
		setup: "mkdir data; printf 'port 18379\\nbind 127.0.0.1\\ndir data\\nsave \"\"\\n' >redis.conf", broken: "rmdir data",
		command: "redis-server redis.conf & sleep 1; redis-cli -p 18379 shutdown nosave; wait $!",
		want:    want{path: `data`, errno: "ENOENT"},
	},
	{
		name: "redis-port-in-use", program: "redis",
		setup: "printf 'port 18380\\nbind 127.0.0.1\\nsave \"\"\\n' >redis.conf", badSrv: holder("18380"),
		command: "redis-server redis.conf & sleep 1; timeout 2 redis-cli -p 18380 shutdown nosave; wait $!",
		want:    want{syscall: "bind", text: "18380", errno: "EADDRINUSE"},
	},
	{
		name: "redis-corrupt-dump", program: "redis",
		setup:  "printf 'port 18381\\nbind 127.0.0.1\\n' >redis.conf; redis-server redis.conf >/dev/null & sleep 0.5; redis-cli -p 18381 set a b; redis-cli -p 18381 shutdown save; wait",
		broken: "head -c 30 dump.rdb >t; echo garbage >>t; mv t dump.rdb", command: "redis-server redis.conf & sleep 1; redis-cli -p 18381 shutdown nosave; wait $!",
		want: want{kind: "input-changed", path: `dump\.rdb`},
	},
	{
		name: "node-missing-module", program: "node",
		setup: "echo 'module.exports=1' >lib.js; echo 'console.log(require(\"./lib\"))' >app.js", broken: "rm lib.js", command: "node app.js",
		want: want{path: `lib`, errno: "ENOENT"},
	},
	{
		name: "node-changed-config", program: "node",
		setup: `echo '{"a":1}' >conf.json; echo 'const c=JSON.parse(require("fs").readFileSync("conf.json"));console.log(c.a)' >app.js`, broken: `echo '{"a":1' >conf.json`, command: "node app.js",
		want: want{kind: "input-changed", path: `conf\.json`},
	},
	{
		name: "node-port-in-use", program: "node",
		setup: `echo 'require("http").createServer().listen(18095,"127.0.0.1",()=>process.exit(0))' >app.js`, badSrv: holder("18095"), command: "node app.js",
		want: want{syscall: "bind|listen", text: "18095", errno: "EADDRINUSE"},
	},
}
