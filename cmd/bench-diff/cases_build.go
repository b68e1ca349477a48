//go:build unix

package main

const project = `printf '#include "cfg.h"\nint b(void);int main(void){return b()-CFG;}\n' >main.c
printf '#include "cfg.h"\nint b(void){return CFG;}\n' >b.c
printf '#define CFG 3\n' >cfg.h
printf 'all: app\napp: main.o b.o\n\tgcc -o app main.o b.o\n%%.o: %%.c\n\tgcc -c -o $@ $<\n' >Makefile
`

const repository = `git init -q r; cd r; git config user.email a@b; git config user.name n
for i in 1 2 3; do echo $i >f$i; git add f$i; git commit -q -m c$i; done; cd ..
`

// Compilers, make, version control.
var buildCases = []failure{
	{
		name: "gcc-missing-header", program: "gcc",
		setup: project, broken: "rm cfg.h", command: "gcc -c main.c",
		want: want{path: `cfg\.h`, errno: "ENOENT"},
	},
	{
		name: "gcc-missing-library", program: "gcc",
		setup: project + "mkdir lib; gcc -c b.c; ar rc lib/libbee.a b.o", broken: "rm lib/libbee.a", command: "gcc -o app main.c -Llib -lbee",
		want: want{path: `libbee`, errno: "ENOENT"},
	},
	{
		name: "gcc-changed-source", program: "gcc",
		setup: project, broken: "echo 'int b(void){return CFG' >b.c", command: "gcc -c b.c",
		want: want{kind: "input-changed", path: `b\.c`},
	},
	{
		name: "gcc-unwritable-output", program: "gcc", root: true,
		setup: "chmod 755 .; mkdir o; chmod 777 o;" + project, broken: "chmod 755 o", command: asNobody + "gcc -c b.c -o o/b.o",
		want: want{path: `o/b\.o`, errno: "EACCES"},
	},
	{
		name: "make-missing-source", program: "make",
		setup: project, broken: "rm b.c", command: "make -j2",
		want: want{path: `b\.c`, text: "ENOENT|missing|not "},
	},
	{
		name: "make-missing-header", program: "make",
		setup: project, broken: "rm cfg.h", command: "make -j4",
		want: want{path: `cfg\.h`, errno: "ENOENT"},
	},
	{
		name: "make-missing-tool", program: "make",
		setup:  "printf 'all: out\\nout: in\\n\\t./gen in >out\\n' >Makefile; printf '#!/bin/sh\\ncat $1\\n' >gen; chmod +x gen; echo x >in",
		broken: "rm gen", command: "make",
		want: want{path: `gen`, errno: "ENOENT"},
	},
	{
		name: "git-missing-object", program: "git",
		setup:   repository,
		broken:  "cd r; h=$(git rev-parse HEAD^); rm -f .git/objects/$(echo $h | cut -c1-2)/$(echo $h | cut -c3-)",
		command: "cd r && git log --oneline",
		want:    want{path: `\.git/objects/`, errno: "ENOENT"},
	},
	{
		name: "git-index-lock", program: "git",
		setup: repository, broken: "touch r/.git/index.lock", command: "cd r && echo 9 >f1 && git add f1",
		want: want{path: `index\.lock`, errno: "EEXIST"},
	},
	{
		name: "git-bad-config", program: "git",
		setup: repository, broken: "echo '[core' >>r/.git/config", command: "cd r && git status --short",
		want: want{kind: "input-changed", path: `\.git/config`},
	},
	{
		name: "git-unreadable-ref", program: "git",
		setup: repository, broken: "rm r/.git/HEAD", command: "cd r && git status --short",
		want: want{path: `\.git/HEAD`, errno: "ENOENT"},
	},
	{
		name: "git-not-owner", program: "git", root: true,
		setup: repository, broken: "chown -R 12345 r", command: "cd r && HOME=/nonexistent git status --short",
		want: want{path: `/r\b`, text: "owner"},
	},
	{
		name: "git-hook-fails", program: "git",
		setup:   repository + "printf '#!/bin/sh\\ntest -f allow\\n' >r/.git/hooks/pre-commit; chmod +x r/.git/hooks/pre-commit; touch r/allow",
		broken:  "rm r/allow",
		command: "cd r && git commit -q --allow-empty -m x",
		want:    want{path: `allow`, errno: "ENOENT"},
	},
	{
		name: "go-missing-package", program: "go",
		setup:  "mkdir -p m/p; cd m; printf 'module m\\ngo 1.21\\n' >go.mod; printf 'package p\\nconst X=1\\n' >p/p.go; printf 'package main\\nimport \"m/p\"\\nfunc main(){println(p.X)}\\n' >main.go; go list -deps . >/dev/null; cd ..",
		broken: "rm -r m/p", command: "cd m && go list -deps . >/dev/null",
		want: want{path: `m/p\b`, errno: "ENOENT"},
	},
}
