//go:build unix

package main

// The fourth set: other programs and other causes, written and labelled before
// the weights were fitted to the first three.
var fourthCases = []failure{
	{
		name: "java-missing-class", program: "java",
		setup:  "printf 'class Main{public static void main(String[] a){System.out.println(new Helper());}}' >Main.java; printf 'class Helper{}' >Helper.java; javac Main.java Helper.java",
		broken: "rm Helper.class", command: "java -Xshare:auto -cp . Main",
		want: want{path: `Helper(\.class)?`},
	},
	{
		name: "javac-changed-source", program: "java",
		setup: "printf 'class A{int f(){return 1;}}' >A.java", broken: "printf 'class A{int f(){return \"1\";}}' >A.java", command: "javac A.java",
		want: want{kind: "input-changed", path: `A\.java`},
	},
	{
		name: "rustc-missing-module", program: "rustc",
		setup: "printf 'mod a;\\nfn main(){a::f();}\\n' >main.rs; printf 'pub fn f(){}\\n' >a.rs", broken: "rm a.rs", command: "rustc --emit=metadata main.rs",
		want: want{path: `a\.rs`},
	},
	{
		name: "unzip-truncated", program: "unzip",
		setup: "head -c 40000 /dev/urandom >data; zip -q a.zip data; rm data", broken: "head -c 20000 a.zip >b; mv b a.zip", command: "unzip -q a.zip",
		want: want{kind: "input-changed", path: `a\.zip`},
	},
	{
		name: "zip-unreadable-file", program: "zip", root: true,
		setup: "chmod 777 .; mkdir d; echo 1 >d/a; echo 2 >d/b", broken: "chmod 000 d/b", command: asNobody + "zip -q -r out.zip d/a d/b",
		want: want{path: `d/b`, text: "EACCES|mode"},
	},
	{
		name: "jq-malformed", program: "jq",
		setup: `printf '{"limits":{"files":1024},"name":"app"}\n' >c.json`, broken: `printf '{"limits":{"files":1024,"name":"app"}\n' >c.json`, command: "jq -r .name c.json",
		want: want{kind: "input-changed", path: `c\.json`},
	},
	{
		name: "gpg-missing-keyring", program: "gpg",
		setup:   "mkdir -m 700 g; cp /bin/ls file; gpg --homedir g --batch --quiet --passphrase '' --quick-gen-key a@b default default never 2>/dev/null; gpg --homedir g --batch --quiet --passphrase '' --pinentry-mode loopback -b file; gpgconf --homedir g --kill all",
		broken:  "rm g/pubring.kbx",
		command: "gpg --homedir g --no-autostart --batch --verify file.sig file",
		want:    want{path: `pubring\.(kbx|gpg)`, errno: "ENOENT"},
	},
	{
		name: "wget-refused", program: "wget",
		server: answer("18291", "0"), badSrv: "-", command: "wget -q -t 1 -O out http://127.0.0.1:18291/",
		want: want{syscall: "connect", errno: "ECONNREFUSED"},
	},
	{
		name: "curl-timeout", program: "curl",
		server: answer("18292", "0"), badSrv: answer("18292", "30"), command: "curl -sS -m 2 http://127.0.0.1:18292/",
		want: want{kind: "slower|missing|added|result", text: "poll|recv|18292"},
	},
	{
		name: "curl-missing-certificates", program: "curl",
		setup: "cp /etc/ssl/certs/ca-certificates.crt ca.pem 2>/dev/null || openssl req -x509 -newkey ed25519 -nodes -keyout k -out ca.pem -subj /CN=x 2>/dev/null",
		server: `exec /usr/bin/python3 -c "import socket
s=socket.socket(); s.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1); s.bind(('127.0.0.1',18293)); s.listen()
while 1:
  c,_=s.accept(); c.close()"`,
		broken: "rm ca.pem", command: "curl -sS --cacert ca.pem https://127.0.0.1:18293/; test $? = 35",
		want: want{path: `ca\.pem`, errno: "ENOENT"},
	},
	{
		name: "curl-unresolved", program: "curl", root: true,
		setup: "echo '127.0.0.1 localhost api.internal.test' >h1; echo '127.0.0.1 localhost' >h2", server: answer("18294", "0"),
		command: "unshare -m sh -c 'mount --bind h1 /etc/hosts; exec curl -sS http://api.internal.test:18294/'",
		bad:     "unshare -m sh -c 'mount --bind h2 /etc/hosts; exec curl -sS http://api.internal.test:18294/'",
		want:    want{path: `/etc/hosts`},
	},
	{
		name: "python-low-port", program: "python3", root: true,
		setup:   "printf 'import socket\\ns=socket.socket(); s.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1); s.bind((\"127.0.0.1\",823)); print(1)\\n' >app.py",
		command: "/usr/bin/python3 app.py", bad: asNobody + "/usr/bin/python3 app.py",
		want: want{text: "bind|user|uid"},
	},
	{
		name: "python-raw-socket", program: "python3", root: true,
		setup:   "printf 'import socket\\ns=socket.socket(socket.AF_INET,socket.SOCK_RAW,1); print(1)\\n' >app.py",
		command: "/usr/bin/python3 app.py", bad: "setpriv --bounding-set=-net_raw --inh-caps=-net_raw /usr/bin/python3 app.py",
		want: want{text: "socket|capabilities"},
	},
	{
		name: "python-missing-entry", program: "python3",
		setup: "mkdir data; echo 3 >data/n; printf 'import os\\ntotal=0\\nfor n in os.listdir(\"data\"): total+=int(open(\"data/\"+n).read())\\nassert total==3, \"total is %%d\" %% total\\n' >app.py", broken: "rm data/n",
		command: "/usr/bin/python3 app.py",
		want:    want{path: `data\b`},
	},
	{
		name: "python-bad-zip-module", program: "python3",
		setup: "echo 'X=1' >m.py; zip -q lib.zip m.py; rm m.py", broken: "head -c 60 lib.zip >b; mv b lib.zip", command: "PYTHONPATH=lib.zip /usr/bin/python3 -c 'import m'",
		want: want{kind: "input-changed|result", path: `lib\.zip`},
	},
	{
		name: "python-output-pipe-closed", program: "python3",
		setup:   "printf 'import sys\\nfor i in range(20000): print(i)\\nsys.stdout.flush()\\n' >app.py; printf '#!/bin/bash\\nset -o pipefail\\n/usr/bin/python3 app.py | ./filter >out\\n' >job.sh; printf '#!/bin/sh\\ncat\\n' >filter; chmod +x filter job.sh",
		broken:  "printf '#!/bin/sh\\nhead -1\\n' >filter",
		command: "./job.sh",
		want:    want{text: "EPIPE|filter|SIGPIPE"},
	},
	{
		name: "python-stack-limit", program: "python3",
		setup:   "printf 'import threading\\nthreading.stack_size(64<<20)\\nt=[threading.Thread(target=lambda:None) for _ in range(4)]\\nfor x in t: x.start()\\nfor x in t: x.join()\\n' >app.py",
		command: "/usr/bin/python3 app.py", bad: "ulimit -v 120000; /usr/bin/python3 app.py",
		want: want{text: "mmap|limit AS|ENOMEM"},
	},
	{
		name: "python-slow-server", program: "python3",
		setup: "printf 'import time,socket\\ns=socket.create_connection((\"127.0.0.1\",18295)); print(s.recv(10))\\n' >app.py",
		server: `exec /usr/bin/python3 -c "import socket
s=socket.socket(); s.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1); s.bind(('127.0.0.1',18295)); s.listen()
while 1:
  c,_=s.accept(); c.send(b'hello'); c.close()"`,
		badSrv: `exec /usr/bin/python3 -c "import socket,time
s=socket.socket(); s.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1); s.bind(('127.0.0.1',18295)); s.listen()
while 1:
  c,_=s.accept(); time.sleep(2); c.send(b'hello'); c.close()"`,
		command: "/usr/bin/python3 app.py",
		want:    want{kind: "slower", syscall: "recv|read"},
	},
	{
		name: "python-child-oom", program: "python3",
		setup:   "printf 'import os,subprocess,sys\\nr=subprocess.run([\"sh\",\"./step\"]); sys.exit(r.returncode!=0)\\n' >app.py; echo 'exit 0' >step",
		broken:  "echo 'kill -9 $$' >step",
		command: "/usr/bin/python3 app.py",
		want:    want{text: "SIGKILL|/step"},
	},
	{
		name: "node-unreadable-config", program: "node", root: true,
		setup: `chmod 755 .; echo '{"a":1}' >c.json; echo 'console.log(JSON.parse(require("fs").readFileSync("c.json")).a)' >app.js`, broken: "chmod 600 c.json", command: asNobody + "node app.js",
		want: want{path: `c\.json`, text: "EACCES|mode"},
	},
	{
		name: "node-disk-full", program: "node", root: true,
		setup:   `mkdir m; echo 'require("fs").writeFileSync("m/out", Buffer.alloc(400000))' >app.js`,
		command: "unshare -m sh -c 'mount -t tmpfs -o size=1m none m; exec node app.js'",
		bad:     "unshare -m sh -c 'mount -t tmpfs -o size=64k none m; exec node app.js'",
		want:    want{errno: "ENOSPC"},
	},
	{
		name: "node-descriptor-limit", program: "node",
		setup:   `echo 'const fs=require("fs");for(let i=0;i<60;i++)fs.openSync("app.js")' >app.js`,
		command: "node app.js", bad: "ulimit -n 50; node app.js",
		want: want{text: "EMFILE|limit NOFILE"},
	},
	{
		name: "nginx-missing-types", program: "nginx",
		setup: nginxConf + "sed -i 's/http {/http { include types.conf;/' nginx.conf; echo 'types { text/html html; }' >types.conf\n", broken: "rm types.conf", command: nginxRun,
		want: want{path: `types\.conf`, errno: "ENOENT"},
	},
	{
		name: "nginx-pid-directory", program: "nginx",
		setup: nginxConf, broken: "rm -rf html; touch html", command: nginxRun,
		want: want{path: `html`},
	},
	{
		name: "redis-unreadable-config", program: "redis", root: true,
		setup:  "chmod 777 .; printf 'port 18385\\nbind 127.0.0.1\\nsave \"\"\\n' >redis.conf; chmod 644 redis.conf",
		broken: "chmod 600 redis.conf", command: asNobody + "redis-server redis.conf & sleep 1; redis-cli -p 18385 shutdown nosave; wait $!",
		want: want{path: `redis\.conf`, text: "EACCES|mode"},
	},
	{
		name: "postgres-wrong-mode", program: "postgres", root: true,
		setup:   "chmod 777 .; mkdir d; chown 65534:65534 d; " + asNobody + "initdb -D d -A trust -U a >/dev/null 2>&1; echo \"unix_socket_directories='$PWD'\" >>d/postgresql.conf",
		broken:  "chmod 777 d",
		command: asNobody + "postgres --single -D d postgres </dev/null",
		want:    want{path: `/d\b`, text: "mode"},
	},
	{
		name: "postgres-bad-setting", program: "postgres", root: true,
		setup:   "chmod 777 .; mkdir d; chown 65534:65534 d; " + asNobody + "initdb -D d -A trust -U a >/dev/null 2>&1",
		broken:  "echo 'shared_bufers = 1MB' >>d/postgresql.conf",
		command: asNobody + "postgres --single -D d postgres </dev/null",
		want:    want{path: `postgresql\.conf`},
	},
	{
		name: "git-corrupt-index", program: "git",
		setup: repository, broken: "printf garbage >r/.git/index", command: "cd r && git status --short",
		want: want{path: `/index\b`},
	},
	{
		name: "git-missing-branch", program: "git",
		setup: repository, broken: "echo 'ref: refs/heads/gone' >r/.git/HEAD", command: "cd r && git log -1 --format=%s",
		want: want{path: `HEAD|refs/heads/gone`},
	},
	{
		name: "git-objects-unwritable", program: "git", root: true,
		setup: "chmod 777 .; " + repository + "echo 4 >r/f4; chown -R 65534:65534 r\n", broken: "chmod -R a-w r/.git/objects", command: "cd r && HOME=/nonexistent " + asNobody + "git add f4",
		want: want{path: `\.git/objects`, text: "EACCES|mode"},
	},
	{
		name: "git-disk-full", program: "git", root: true,
		setup:   "mkdir m; head -c 300000 /dev/urandom >big\n",
		command: "unshare -m sh -c 'mount -t tmpfs -o size=4m none m; cd m; git init -q .; cp ../big .; git add big'",
		bad:     "unshare -m sh -c 'mount -t tmpfs -o size=500k none m; cd m; git init -q .; cp ../big .; git add big'",
		want:    want{errno: "ENOSPC"},
	},
	{
		name: "gcc-missing-output-directory", program: "gcc",
		setup: "printf 'int main(void){return 0;}\\n' >a.c; mkdir t", broken: "rmdir t", command: "TMPDIR=$PWD/t gcc -c -save-temps=obj -o t/a.o a.c",
		want: want{path: `/t\b`, errno: "ENOENT"},
	},
	{
		name: "gcc-corrupt-object", program: "gcc",
		setup: "printf 'int main(void){return 0;}\\n' >a.c; gcc -c a.c", broken: "head -c 300 a.o >b; mv b a.o", command: "gcc -o a a.o",
		want: want{kind: "input-changed", path: `a\.o`},
	},
	{
		name: "make-failing-script", program: "make",
		setup: "printf 'all: out\\nout: gen.py\\n\\t/usr/bin/python3 gen.py >out\\n' >Makefile; printf 'import json\\nprint(json.load(open(\"in.json\")))\\n' >gen.py; echo '{}' >in.json", broken: "rm in.json", command: "make -s",
		want: want{path: `in\.json`, errno: "ENOENT"},
	},
	{
		name: "cp-dangling-link", program: "cp",
		setup: "echo 1 >a; ln -s a l", broken: "rm l; ln -s /nonexistent/x l", command: "cp l out",
		want: want{path: `/l\b`, errno: "ENOENT"},
	},
	{
		name: "mv-read-only-target", program: "mv", root: true,
		setup:   "mkdir m; echo 1 >a",
		command: "unshare -m sh -c 'mount -t tmpfs none m; exec mv a m/'",
		bad:     "unshare -m sh -c 'mount -t tmpfs -o ro none m; exec mv a m/'",
		want:    want{errno: "EROFS"},
	},
	{
		name: "sh-unset-variable", program: "sh",
		setup: "echo 'set -u; echo $APP_HOME >out' >job.sh", env: []string{"APP_HOME=/srv/app"}, badEnv: []string{"OTHER=1"}, command: "sh job.sh",
		want: want{text: "APP_HOME"},
	},
	{
		name: "sh-umask", program: "sh", root: true,
		setup: "chmod 755 .; echo 'echo x >shared; exec " + asNobody + "cat shared' >job.sh", command: "umask 022; sh job.sh", bad: "umask 077; sh job.sh",
		want: want{text: "umask|EACCES|mode"},
	},
	{
		name: "run-parts-step-fails", program: "run-parts",
		setup: "mkdir d; printf '#!/bin/sh\\ntrue\\n' >d/one; printf '#!/bin/sh\\ntest -s ../state\\n' >d/two; chmod +x d/*; cd d; cd ..; echo ok >state", broken: ": >state", command: "cd d && run-parts --exit-on-error .",
		want: want{path: `/state\b`},
	},
	{
		name: "grep-more-work", program: "grep",
		setup: "mkdir d; for i in 1 2 3; do seq 1000 >d/$i; done", broken: "for i in $(seq 400); do seq 1000 >d/x$i; done", command: "grep -rc 77 d >/dev/null; true",
		want: want{kind: "added|slower|input", text: `/d\b|times|grep`},
	},
	{
		name: "sqlite-missing-column", program: "sqlite3",
		setup: "sqlite3 app.db 'create table t(x,y)'", broken: "rm app.db; sqlite3 app.db 'create table t(x,z)'", command: "sqlite3 -bail app.db 'select y from t'",
		want: want{kind: "input-changed", path: `app\.db`},
	},
	{
		name: "tar-changed-owner", program: "tar", root: true,
		setup: "chmod 777 .; mkdir -m 777 d; echo 1 >d/a; chown -R 65534 d", broken: "chown -R 0 d; chmod 700 d", command: asNobody + "tar cf out.tar d",
		want: want{path: `/d\b`, text: "EACCES|owner|mode"},
	},
	{
		name: "dpkg-corrupt-package", program: "dpkg",
		setup: "mkdir -p p/DEBIAN; printf 'Package: x\\nVersion: 1\\nArchitecture: all\\nMaintainer: a\\nDescription: d\\n' >p/DEBIAN/control; dpkg-deb -b p x.deb >/dev/null", broken: "head -c 150 x.deb >y; mv y x.deb", command: "dpkg-deb -I x.deb",
		want: want{kind: "input-changed|result", path: `x\.deb`},
	},
	{
		name: "perl-die-on-config", program: "perl",
		setup: "echo 'port=80' >app.conf; printf 'open F,\"app.conf\" or die; while(<F>){ /^port=(\\\\d+)$/ and $p=$1 } die \"no port\\\\n\" unless $p; print $p' >app.pl", broken: "echo 'prot=80' >app.conf", command: "perl app.pl",
		want: want{kind: "input-changed", path: `app\.conf`},
	},
	{
		name: "bash-child-not-executable", program: "bash",
		setup: "mkdir bin; printf '#!/bin/sh\\necho hi\\n' >bin/tool; chmod +x bin/tool; printf 'set -e\\nPATH=$PWD/bin:$PATH\\ntool | sort >out\\ntest -s out\\n' >job.sh", broken: "chmod -x bin/tool", command: "bash job.sh",
		want: want{path: `bin/tool`},
	},
}
