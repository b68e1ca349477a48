//go:build unix

package main

const asNobody = "setpriv --reuid=65534 --regid=65534 --clear-groups "

// Programs of the shell, files and archives.
var fileCases = []failure{
	{
		name: "cat-missing", program: "cat",
		setup: "seq 100 >in.txt", broken: "rm in.txt", command: "cat in.txt",
		want: want{path: `in\.txt`, errno: "ENOENT"},
	},
	{
		name: "cat-unreadable", program: "cat", root: true,
		setup: "chmod 755 .; seq 100 >in.txt", broken: "chmod 000 in.txt", command: asNobody + "cat in.txt",
		want: want{path: `in\.txt`, errno: "EACCES"},
	},
	{
		name: "cat-is-directory", program: "cat",
		setup: "seq 100 >in.txt", broken: "rm in.txt; mkdir in.txt", command: "cat in.txt | wc -l; test -f in.txt",
		want: want{path: `in\.txt`, errno: "EISDIR"},
	},
	{
		name: "sh-missing-command", program: "sh",
		setup:   "mkdir bin; printf '#!/bin/sh\\necho help\\n' >bin/helper; chmod +x bin/helper; printf 'for i in 1 2 3; do echo $i; done\\nhelper a b\\n' >job.sh",
		broken:  "rm bin/helper",
		command: "PATH=$PWD/bin:$PATH sh job.sh",
		want:    want{path: `bin/helper`, errno: "ENOENT"},
	},
	{
		name: "sh-not-executable", program: "sh",
		setup:   "mkdir bin; printf '#!/bin/sh\\necho help\\n' >bin/helper; chmod +x bin/helper; echo './bin/helper a' >job.sh",
		broken:  "chmod -x bin/helper",
		command: "sh job.sh",
		want:    want{path: `bin/helper`, errno: "EACCES"},
	},
	{
		name: "sh-missing-interpreter", program: "sh",
		setup:   "printf '#!/bin/sh\\necho ok\\n' >tool; chmod +x tool; echo './tool && echo done' >job.sh",
		broken:  "printf '#!/opt/none/bin/sh\\necho ok\\n' >tool",
		command: "sh job.sh",
		want:    want{syscall: "exec", path: `tool`, errno: "ENOENT"},
	},
	{
		name: "sh-missing-directory", program: "sh",
		setup: "mkdir out; echo 'date >out/stamp; echo written' >job.sh", broken: "rmdir out", command: "sh -e job.sh",
		want: want{path: `out/stamp`, errno: "ENOENT"},
	},
	{
		name: "sh-read-only-mount", program: "sh", root: true,
		setup:   "mkdir m; echo 'echo data >m/file; cat m/file' >job.sh",
		command: "unshare -m sh -c 'mount -t tmpfs none m; exec sh -e job.sh'",
		bad:     "unshare -m sh -c 'mount -t tmpfs -o ro none m; exec sh -e job.sh'",
		want:    want{path: `m/file`, errno: "EROFS"},
	},
	{
		name: "sh-disk-full", program: "sh", root: true,
		setup:   "mkdir m; echo 'head -c 100000 /dev/zero >m/a; head -c 100000 /dev/zero >m/b; ls -l m' >job.sh",
		command: "unshare -m sh -c 'mount -t tmpfs -o size=1m none m; exec sh -e job.sh'",
		bad:     "unshare -m sh -c 'mount -t tmpfs -o size=128k none m; exec sh -e job.sh'",
		want:    want{path: `m/b`, errno: "ENOSPC"},
	},
	{
		name: "sh-changed-config", program: "sh",
		setup:   "echo 'mode=fast' >app.conf; printf '. ./app.conf\\ncase $mode in fast) echo ok;; *) echo unknown mode >&2; exit 3;; esac\\n' >job.sh",
		broken:  "echo 'mode=turbo' >app.conf",
		command: "sh job.sh",
		want:    want{kind: "input-changed", path: `app\.conf`},
	},
	{
		name: "sh-killed-child", program: "sh",
		setup:   "echo 'sleep 1; echo worker done' >worker.sh; printf 'sh worker.sh &\\np=$!\\n[ -f kill-it ] && kill -9 $p\\nwait $p || exit 4\\n' >job.sh",
		broken:  "touch kill-it",
		command: "sh job.sh",
		want:    want{text: `SIGKILL|kill-it`},
	},
	{
		name: "sh-other-directory", program: "sh",
		setup: "mkdir a b; echo hello >a/data; echo 'cat data' >job.sh", command: "cd a && sh -e ../job.sh", bad: "cd b && sh -e ../job.sh",
		want: want{path: `data|b$|working directory`, text: "ENOENT|working directory|chdir|a/data"},
	},
	{
		name: "sh-hang-fifo", program: "sh", kill: 3,
		setup: "mkfifo pipe; printf '[ -f writer ] && (echo x >pipe) &\\ncat pipe; echo finished\\n' >job.sh; touch writer", broken: "rm writer",
		command: "sh job.sh",
		want:    want{path: `pipe`, text: "blocked|writer"},
	},
	{
		name: "sh-hang-lock", program: "flock", kill: 3,
		setup: "touch lock", command: "flock lock echo got it",
		badSrv: "flock lock sleep 10",
		want:   want{syscall: "flock", path: `lock`},
	},
	{
		name: "sh-slow-step", program: "sh",
		setup: "echo 0 >delay; printf 'for i in 1 2 3; do echo step $i; done\\nsleep $(cat delay)\\necho end\\n' >job.sh", broken: "echo 2 >delay",
		command: "sh job.sh",
		want:    want{text: `nanosleep|delay`},
	},
	{
		name: "tar-missing-member", program: "tar",
		setup: "mkdir d; for i in 1 2 3 4 5; do seq $i 100 >d/f$i; done", broken: "rm d/f3", command: "tar cf out.tar d/f1 d/f2 d/f3 d/f4 d/f5",
		want: want{path: `d/f3`, errno: "ENOENT"},
	},
	{
		name: "tar-disk-full", program: "tar", root: true,
		setup:   "mkdir m d; head -c 300000 /dev/urandom >d/big",
		command: "unshare -m sh -c 'mount -t tmpfs -o size=1m none m; exec tar cf m/out.tar d'",
		bad:     "unshare -m sh -c 'mount -t tmpfs -o size=128k none m; exec tar cf m/out.tar d'",
		want:    want{path: `m/out\.tar`, errno: "ENOSPC"},
	},
	{
		name: "tar-truncated", program: "tar",
		setup: "mkdir d x; seq 20000 >d/a; seq 20000 >d/b; tar czf a.tgz d", broken: "head -c 20000 a.tgz >t; mv t a.tgz", command: "tar xzf a.tgz -C x",
		want: want{kind: "input-changed", path: `a\.tgz`},
	},
	{
		name: "tar-unwritable-target", program: "tar", root: true,
		setup: "chmod 755 .; mkdir d x; seq 100 >d/a; tar cf a.tar d; chown 65534 x", broken: "chown 0 x; chmod 755 x", command: asNobody + "tar xf a.tar -C x",
		want: want{path: `\bx/?|^d`, errno: "EACCES"},
	},
	{
		name: "find-unreadable-directory", program: "find", root: true,
		setup: "chmod 755 .; mkdir -p t/a t/b t/c; touch t/a/1 t/b/2 t/c/3", broken: "chmod 700 t/b", command: asNobody + "find t -type f",
		want: want{path: `\bb$|t/b`, errno: "EACCES"},
	},
	{
		name: "ssh-keygen-missing-directory", program: "ssh-keygen",
		setup: "mkdir keys", broken: "rmdir keys", command: "ssh-keygen -q -t ed25519 -N '' -f keys/id",
		want: want{path: `keys/id`, errno: "ENOENT"},
	},
	{
		name: "ssh-keygen-corrupt-key", program: "ssh-keygen",
		setup: "ssh-keygen -q -t ed25519 -N '' -f id", broken: "head -c 120 id >t; cat t >id", command: "ssh-keygen -y -f id",
		want: want{kind: "input-changed", path: `\bid\b`},
	},
	{
		name: "c-segv", program: "c",
		setup:   `printf 'int puts(const char*);int getchar(void);int main(void){int*p=0;if(getchar()==88)*p=1;puts("fine");return 0;}' >a.c; gcc -o a a.c; echo Y >in`,
		broken:  "echo X >in",
		command: "./a <in",
		want:    want{text: "SIGSEGV"},
	},
	{
		name: "c-missing-library", program: "c",
		setup:   `printf 'int f(void){return 0;}' >f.c; gcc -shared -fPIC -o libf.so f.c; printf 'int f(void);int main(void){return f();}' >a.c; gcc -o a a.c -L. -lf`,
		broken:  "rm libf.so",
		command: "LD_LIBRARY_PATH=. ./a",
		want:    want{path: `libf\.so`, errno: "ENOENT"},
	},
	{
		name: "c-abort", program: "c",
		setup:   `printf '#include <stdlib.h>\n#include <stdio.h>\nint main(void){FILE*f=fopen("state","r");int n=0;if(!f||fscanf(f,"%%d",&n)!=1)return 2;if(n>5)abort();puts("ok");return 0;}' >a.c; gcc -o a a.c; echo 3 >state`,
		broken:  "echo 7 >state",
		command: "./a",
		want:    want{text: "SIGABRT|state"},
	},
}
