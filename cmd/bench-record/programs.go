//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// program is something to record. It runs in a directory of its own.
type program struct {
	name    string
	argv    []string
	flags   []string // of strace and sysreel; with any the program is left out of the mean
	needs   []string // further tools
	prepare func(dir string) error
	// client, if the program is a server, uses it, ends it, and returns how
	// long the use took.
	client func(dir string) (time.Duration, error)
}

var programs = []program{
	{name: "dd bs=1", argv: []string{"dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=20000", "status=none"}},
	{name: "find", argv: []string{"find", "/usr/share/doc", "/etc"}},
	{name: "gcc", argv: []string{"gcc", "-O1", "-o", "hello", "hello.c"}, prepare: hello},
	{name: "git status", argv: []string{"git", "status", "--short"}, prepare: repository},
	{name: "python", argv: []string{"/usr/bin/python3", "-c", "import json, http.client"}},
	{name: "sqlite inserts", argv: []string{"sqlite3", "t.db", ".read insert.sql"}, prepare: inserts},
	{name: "400 forks", argv: []string{"./forks", "400"}, needs: []string{"cc"}, prepare: forks},
	{name: "make -j2", argv: []string{"make", "-s", "-B", "-j2"}, needs: []string{"cc"}, prepare: project},
	{name: "redis", argv: []string{"redis-server", "redis.conf"}, needs: []string{"redis-cli", "redis-benchmark"}, prepare: redisConf, client: redisBenchmark},
	{name: "CPU only", argv: []string{"sh", "-c", "i=0; while [ $i -lt 400000 ]; do i=$((i+1)); done"}},
	{name: "dd, accept", argv: []string{"dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=300000", "status=none"}, flags: []string{"-e", "trace=accept"}},
}

func write(dir, name, text string) error {
	return os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644)
}

// do runs a command in dir.
func do(dir string, argv ...string) error {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(argv, " "), err, out)
	}
	return nil
}

func hello(dir string) error {
	return write(dir, "hello.c", "#include <stdio.h>\n#include <stdlib.h>\nint main(void) { puts(\"hello\"); return 0; }\n")
}

// repository makes 400 files in 20 directories and commits them.
func repository(dir string) error {
	for i := range 400 {
		sub := fmt.Sprintf("d%d", i%20)
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return err
		}
		if err := write(dir, fmt.Sprintf("%s/f%d", sub, i), strings.Repeat("text\n", i)); err != nil {
			return err
		}
	}
	for _, args := range []string{"init -q", "add .", "-c user.name=a -c user.email=a@b commit -q -m all"} {
		if err := do(dir, append([]string{"git"}, strings.Fields(args)...)...); err != nil {
			return err
		}
	}
	return nil
}

// inserts is 500 transactions that do not wait for the disk.
func inserts(dir string) error {
	return write(dir, "insert.sql", "PRAGMA synchronous=OFF; DROP TABLE IF EXISTS t; CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT);\n"+
		strings.Repeat("INSERT INTO t(b) VALUES(hex(randomblob(40)));\n", 500))
}

func forks(dir string) error {
	source, err := filepath.Abs("testdata/progs/forks.c")
	if err != nil {
		return err
	}
	return do(dir, "cc", "-O1", "-w", "-pthread", "-o", "forks", source)
}

// project is a C program of 12 files.
func project(dir string) error {
	makefile := "prog:"
	rules := ""
	for i := range 12 {
		makefile += fmt.Sprintf(" f%d.o", i)
		rules += fmt.Sprintf("f%d.o: f%d.c\n\tcc -O1 -c -o $@ $<\n", i, i)
		main := ""
		if i == 0 {
			main = "int main(void) { return 0; }\n"
		}
		err := write(dir, fmt.Sprintf("f%d.c", i), fmt.Sprintf("#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\nint f%d(int n) { return printf(\"%%d\", n); }\n%s", i, main))
		if err != nil {
			return err
		}
	}
	return write(dir, "Makefile", makefile+"\n\tcc -o $@ $^\n"+rules)
}

func redisConf(dir string) error {
	return write(dir, "redis.conf", "port 0\nunixsocket redis.sock\nsave \"\"\nlogfile redis.log\n")
}

func redisBenchmark(dir string) (time.Duration, error) {
	socket := filepath.Join(dir, "redis.sock")
	end := func() error { return do(dir, "redis-cli", "-s", socket, "shutdown", "nosave") }
	for deadline := time.Now().Add(20 * time.Second); do(dir, "redis-cli", "-s", socket, "ping") != nil; {
		if time.Now().After(deadline) {
			end()
			return 0, fmt.Errorf("redis-server does not answer")
		}
		time.Sleep(10 * time.Millisecond)
	}
	begin := time.Now()
	err := do(dir, "redis-benchmark", "-s", socket, "-t", "set,get", "-n", "5000", "-c", "20", "-q")
	took := time.Since(begin)
	if e := end(); err == nil {
		err = e
	}
	return took, err
}
