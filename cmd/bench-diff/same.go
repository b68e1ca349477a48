//go:build unix

package main

// A healthy command is run several times; every pair of runs must be the same.
type healthy struct {
	name    string
	setup   string
	command string
	server  string
}

var healthyCommands = []healthy{
	{name: "sh-pipeline", setup: "seq 1000 >in", command: "cat in | grep 7 | sort -r | head -5 | wc -l; for i in 1 2 3; do mktemp; done | sort | tail -1 >x"},
	{name: "git-commit", setup: repository, command: "cd r && echo 9 >f1 && git add f1 && git commit -q -m new && git log --oneline && git status --short"},
	{name: "gcc", setup: project, command: "gcc -O1 -c main.c && gcc -c b.c && gcc -o app main.o b.o"},
	{name: "make-j4", setup: project, command: "make -j4"},
	{name: "go-list", setup: "mkdir m; cd m; printf 'module m\\ngo 1.21\\n' >go.mod; printf 'package main\\nimport _ \"fmt\"\\nfunc main(){}\\n' >main.go; go build -o /dev/null .; cd ..", command: "cd m && go build -o app . && ./app"},
	{name: "python", setup: `printf 'import json,tempfile,subprocess,threading\nwith tempfile.TemporaryDirectory() as d:\n  open(d+"/x","w").write(json.dumps({"a":1}))\n  print(subprocess.run(["cat",d+"/x"],capture_output=True).stdout)\nts=[threading.Thread(target=lambda:open("/etc/passwd").read()) for i in range(4)]\n[t.start() for t in ts];[t.join() for t in ts]\n' >app.py`, command: "/usr/bin/python3 app.py"},
	{name: "node", setup: `echo 'const fs=require("fs");fs.writeFileSync("o",JSON.stringify({a:1}));fs.readFile("o",(e,d)=>console.log(d.length))' >app.js`, command: "node app.js"},
	{name: "curl", server: answer("18196", "0"), command: "curl -sS http://127.0.0.1:18196/ -o out"},
	{name: "nginx", setup: nginxConf, command: nginxRun},
	{name: "redis", setup: "printf 'port 18382\\nbind 127.0.0.1\\nsave \"\"\\n' >redis.conf", command: "redis-server redis.conf & sleep 0.7; for i in 1 2 3; do redis-cli -p 18382 set k$i v; done; redis-cli -p 18382 shutdown nosave; wait $!"},
	{name: "sqlite", setup: "sqlite3 a.db 'create table t(x)'", command: "sqlite3 a.db 'insert into t values(1); select * from t; create index i on t(x); vacuum;'"},
	{name: "tar", setup: "mkdir d x; seq 20000 >d/a; seq 20000 >d/b", command: "tar czf a.tgz d && tar xzf a.tgz -C x"},
	{name: "apt-get", command: "apt-get -s install hello"},
	{name: "ssh-keygen", command: "ssh-keygen -q -t ed25519 -N '' -f id && ssh-keygen -lf id"},
	{name: "find", setup: "mkdir -p a/b/c d; touch a/1 a/b/2 a/b/c/3 d/4", command: "find . -type f -name '*[134]' | sort | xargs ls -l; find /usr/share/doc -maxdepth 1 | wc -l"},
	{name: "perl", command: "perl -MPOSIX -MFile::Temp -e 'my ($f,$n)=File::Temp::tempfile(UNLINK=>1); print $f strftime(\"%s\",gmtime); close $f; print qx(cat $n)'"},
	{name: "bash", command: "bash -c 'for i in $(seq 3); do (echo $i; date) & done; wait; diff <(ls /etc) <(ls /etc)'"},
}
