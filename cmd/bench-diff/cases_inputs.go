//go:build unix

package main

// The fifth set: inputs that no failing call tells of. A file of the same size
// with other bytes far behind its beginning, a name that a directory no longer
// lists so that nobody asks for it, a file that is there and should not be.

// flip is shell that changes three bytes of a file in place.
func flip(file, offset string) string {
	return `printf '\125\252\125' | dd of=` + file + ` bs=1 seek=` + offset + ` conv=notrunc status=none`
}

// filler makes a file long before what matters comes.
const filler = `i=0; while [ $i -lt 40 ]; do echo "# line $i of a long comment that nothing depends on"; i=$((i+1)); done`

var contentCases = []failure{
	{
		name: "gzip-bit-flip", program: "gzip",
		setup: "seq 20000 | gzip -n >a.gz", broken: flip("a.gz", "5000"), command: "gzip -t a.gz",
		want: want{kind: "input-changed", path: `/a\.gz`},
	},
	{
		name: "xz-bit-flip", program: "xz",
		setup: "seq 30000 | xz -T1 >a.xz", broken: flip("a.xz", "6000"), command: "xz -t a.xz",
		want: want{kind: "input-changed", path: `/a\.xz`},
	},
	{
		name: "tar-corrupt-member", program: "tar",
		setup: "mkdir d; seq 3000 >d/a; seq 3000 >d/b; tar cf a.tar --format=ustar d/a d/b", broken: flip("a.tar", "14900"), command: "tar tf a.tar",
		want: want{kind: "input-changed", path: `/a\.tar`},
	},
	{
		name: "sqlite-corrupt-page", program: "sqlite3",
		setup:  "sqlite3 a.db 'pragma page_size=4096; create table t(x); with recursive n(i) as (select 1 union all select i+1 from n where i<2000) insert into t select printf(\"row %d\",i) from n'",
		broken: flip("a.db", "8192"), command: "sqlite3 a.db 'select count(x), max(x) from t'",
		want: want{kind: "input-changed", path: `/a\.db`},
	},
	{
		name: "python-json-character", program: "python3",
		setup:   `{ echo '{ "comment": "this configuration is long enough that its beginning says little",'; echo '  "listen": "127.0.0.1", "port": 8080, "workers": 4 }'; } >config.json; printf 'import json\nprint(json.load(open("config.json"))["port"])\n' >app.py`,
		broken:  "sed -i s/8080/8o80/ config.json",
		command: "/usr/bin/python3 app.py",
		want:    want{kind: "input-changed", path: `config\.json`},
	},
	{
		name: "python-zip-corrupt", program: "python3",
		setup:  `/usr/bin/python3 -c "import zipfile;z=zipfile.ZipFile('a.zip','w',zipfile.ZIP_DEFLATED);z.writestr('one',''.join(str(i) for i in range(5000)));z.writestr('two','2'*100);z.close()"`,
		broken: flip("a.zip", "3000"), command: `/usr/bin/python3 -c "import zipfile;print(len(zipfile.ZipFile('a.zip').read('one')))"`,
		want: want{kind: "input-changed", path: `/a\.zip`},
	},
	{
		name: "node-json-character", program: "node",
		setup:   `{ echo '{ "comment": "this configuration is long enough that its beginning says little",'; echo '  "retries": 3, "verbose": true }'; } >app.json; echo 'const c=require("./app.json"); console.log(c.retries)' >app.js`,
		broken:  "sed -i s/true/trve/ app.json",
		command: "node app.js",
		want:    want{kind: "input-changed", path: `app\.json`},
	},
	{
		name: "sh-library-character", program: "sh",
		setup: "{ " + filler + "; echo 'check() { return 0; }'; } >lib.sh; printf '. ./lib.sh\\ncheck || exit 5\\n' >job.sh", broken: "sed -i 's/return 0/return 1/' lib.sh",
		command: "sh job.sh",
		want:    want{kind: "input-changed", path: `lib\.sh`},
	},
	{
		name: "gcc-header-character", program: "gcc",
		setup: `{ echo '#define A 1'; for i in 1 2 3 4 5 6 7 8 9; do echo "int f$i(int x);"; done; echo 'typedef int word;'; } >cfg.h; printf '#include "cfg.h"\nword g(void){return A;}\n' >main.c`, broken: "sed -i s/word/wort/ cfg.h",
		command: "gcc -c main.c",
		want:    want{kind: "input-changed", path: `cfg\.h`},
	},
	{
		name: "perl-module-character", program: "perl",
		setup: "{ echo 'package Mod;'; " + filler + "; echo 'sub value { return 42; }'; echo '1;'; } >Mod.pm; echo 'use lib \".\"; use Mod; print Mod::value(), \"\\n\";' >app.pl", broken: "sed -i 's/return 42/retrun 42/' Mod.pm",
		command: "perl app.pl",
		want:    want{kind: "input-changed", path: `Mod\.pm`},
	},
	{
		name: "nginx-config-character", program: "nginx",
		setup: nginxConf, broken: "sed -i s/listen/listem/ nginx.conf", command: nginxRun,
		want: want{kind: "input-changed", path: `nginx\.conf`},
	},
	{
		name: "redis-config-character", program: "redis",
		setup:   "{ " + filler + "; echo 'port 18386'; echo 'bind 127.0.0.1'; echo 'save \"\"'; echo 'maxmemory 10mb'; } >redis.conf",
		broken:  "sed -i s/10mb/10xb/ redis.conf",
		command: "redis-server redis.conf >/dev/null & sleep 0.7; redis-cli -p 18386 shutdown nosave; wait $!",
		want:    want{kind: "input-changed", path: `redis\.conf`},
	},
	{
		name: "java-source-character", program: "java",
		setup:   "{ echo 'public class App {'; " + filler + " | sed 's|#|//|'; echo 'public static void main(String[] a) { System.out.println(\"hello\"); } }'; } >App.java",
		broken:  "sed -i s/println/printin/ App.java",
		command: "java -Xint -Xshare:auto App.java",
		want:    want{kind: "input-changed", path: `App\.java`},
	},
}

var listingCases = []failure{
	{
		name: "make-wildcard", program: "make",
		setup: project + "printf 'app: $(patsubst %%.c,%%.o,$(wildcard *.c))\\n\\tgcc -o app $^\\n%%.o: %%.c\\n\\tgcc -c -o $@ $<\\n' >Makefile", broken: "rm b.c", command: "make",
		want: want{path: `/b\.c`},
	},
	{
		name: "run-parts-missing-script", program: "run-parts",
		setup:   "mkdir parts; printf '#!/bin/sh\\necho ready >state\\n' >parts/05-prepare; printf '#!/bin/sh\\ntest -f state || { echo nothing is prepared >&2; exit 1; }\\n' >parts/10-check; chmod +x parts/*",
		broken:  "rm parts/05-prepare",
		command: "run-parts parts",
		want:    want{path: `05-prepare`},
	},
	{
		name: "python-module-gone-from-package", program: "python3",
		setup:  `mkdir -p pkg; echo 'from . import core, extra' >pkg/__init__.py; echo 'X=1' >pkg/core.py; echo 'Y=2' >pkg/extra.py; echo 'import pkg; print(pkg.extra.Y)' >app.py`,
		broken: "rm pkg/extra.py", command: "/usr/bin/python3 -B app.py",
		want: want{path: `extra\.py`},
	},
	{
		name: "nginx-missing-site", program: "nginx",
		setup:  nginxConf + "mkdir conf.d; echo 'server { listen 127.0.0.1:18081; root html; }' >conf.d/site.conf; sed -i 's|^server.*|include conf.d/*.conf; }|' nginx.conf",
		broken: "rm conf.d/site.conf", command: "nginx -p $PWD -c nginx.conf & sleep 1; curl -sS -f -m 5 -o /dev/null http://127.0.0.1:18081/; s=$?; kill $!; wait $!; exit $s",
		want: want{path: `site\.conf`},
	},
	{
		name: "sh-glob-missing", program: "sh",
		setup:  "mkdir conf; echo 'A=1' >conf/a.env; echo 'B=2' >conf/b.env; printf 'for f in conf/*.env; do . ./$f; done\\necho ${A:?} ${B:?}\\n' >job.sh",
		broken: "rm conf/b.env", command: "sh job.sh",
		want: want{path: `conf/b\.env`},
	},
	{
		name: "bash-glob-one-more", program: "bash",
		setup:  "mkdir conf; echo 'A=1' >conf/a.env; printf 'for f in conf/*.env; do source $f; done\\necho $A\\n' >job.sh",
		broken: "echo 'return_codes=5; exit $return_codes' >conf/zz.env", command: "bash job.sh",
		want: want{path: `conf/zz\.env`},
	},
	{
		name: "node-plugin-gone", program: "node",
		setup:  `mkdir plugins; echo 'exports.name="base"' >plugins/base.js; echo 'exports.name="store"' >plugins/store.js; echo 'const fs=require("fs");const p=fs.readdirSync("plugins").map(f=>require("./plugins/"+f).name);if(!p.includes("store"))throw new Error("no plugin provides the storage")' >app.js`,
		broken: "rm plugins/store.js", command: "node app.js",
		want: want{path: `plugins/store\.js`},
	},
	{
		name: "perl-glob-missing", program: "perl",
		setup:  `mkdir d; for i in 1 2 3; do echo "$i;" >d/part$i.pl; done; echo '$s += do "./$_" for glob "d/*.pl"; die "the sum is $s\n" if $s != 6;' >app.pl`,
		broken: "rm d/part2.pl", command: "perl app.pl",
		want: want{path: `d/part2\.pl`},
	},
	{
		name: "go-file-gone", program: "go",
		setup:  "mkdir m; cd m; printf 'module m\\ngo 1.21\\n' >go.mod; printf 'package main\\nfunc main(){ println(answer) }\\n' >main.go; printf 'package main\\nconst answer = 42\\n' >answer.go; go build -o /dev/null .; cd ..",
		broken: "rm m/answer.go", command: "cd m && go build -o app .",
		want: want{path: `m/answer\.go`},
	},
	{
		name: "find-count", program: "find",
		setup:  "mkdir -p spool/a spool/b; touch spool/a/one.job spool/b/two.job; printf 'n=$(find spool -name \"*.job\" | wc -l)\\n[ $n -eq 2 ] || { echo \"$n jobs\" >&2; exit 3; }\\n' >job.sh",
		broken: "rm spool/b/two.job", command: "sh job.sh",
		want: want{path: `b/two\.job`},
	},
}

var presenceCases = []failure{
	{
		name: "sh-stale-lock", program: "sh",
		setup:  "printf '[ -e app.lock ] && { echo already running >&2; exit 1; }\\n: >app.lock\\necho working\\n[ -e app.lock ] && rm app.lock\\n' >job.sh",
		broken: "touch app.lock", command: "sh job.sh",
		want: want{path: `app\.lock`},
	},
	{
		name: "python-refuses-to-overwrite", program: "python3",
		setup:  `printf 'import os,sys\nif os.path.exists("report.txt"): sys.exit("report.txt is there already")\nopen("report.txt","w").write("x")\nprint(os.path.exists("report.txt"))\n' >app.py`,
		broken: "echo old >report.txt", command: "/usr/bin/python3 app.py",
		want: want{path: `report\.txt`},
	},
	{
		name: "git-clone-into-full-directory", program: "git",
		setup: repository, broken: "mkdir copy; echo x >copy/file", command: "git clone -q r copy",
		want: want{path: `/copy\b`},
	},
	{
		name: "ssh-keygen-key-exists", program: "ssh-keygen",
		setup: "true", broken: "echo old >id", command: "ssh-keygen -q -t ed25519 -N '' -f id </dev/null",
		want: want{path: `/id\b`},
	},
	{
		name: "sh-maintenance-file", program: "sh",
		setup:  "printf 'if [ -f maintenance ]; then echo down for maintenance >&2; exit 7; fi\\necho serving; : >maintenance; [ -f maintenance ] && rm maintenance\\n' >job.sh",
		broken: "touch maintenance", command: "sh job.sh",
		want: want{path: `/maintenance\b`},
	},
}
