//go:build linux && (amd64 || arm64)

package main

import (
	"bytes"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Work that many processes do at once, or many clients ask for, comes out under
// record as it does bare. SYSREEL_SUITES=1 makes more of it.

// scaled returns few, or many with SYSREEL_SUITES.
func scaled(few, many int) int {
	if os.Getenv("SYSREEL_SUITES") != "" {
		return many
	}
	return few
}

// Processes that insert into one database at once, in WAL mode, all get their
// turn: the locks work, and nothing is lost.
func TestRecordedSQLite(t *testing.T) {
	record := recorded(t)
	need(t, "sqlite3")
	const writers = 4
	rows := scaled(25, 1000)
	dir := t.TempDir()
	script := fmt.Sprintf(`sqlite3 db 'pragma journal_mode = wal; create table t (writer, n)' || exit
pids=
for w in $(seq %d); do
	{ echo .timeout 120000; for n in $(seq %d); do echo "insert into t values ($w, $n);"; done; } | sqlite3 -bail db & pids="$pids $!"
done
for p in $pids; do wait $p || exit; done
exec sqlite3 db 'pragma integrity_check; select count(*), count(distinct writer), sum(n) from t'`, writers, rows)
	got := command(t, dir, append(record, "sh", "-c", script)...)
	want := outcome{fmt.Sprintf("wal\nok\n%d|%d|%d\n", writers*rows, writers, writers*rows*(rows+1)/2), 0}
	if got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	checkWhole(t, record)
}

// A redis server that was launched by the recorder answers every request of
// redis-benchmark and ends in order, with its data written.
func TestRecordedRedis(t *testing.T) {
	record := recorded(t)
	for _, p := range []string{"redis-server", "redis-benchmark", "redis-cli"} {
		need(t, p)
	}
	dir, err := os.MkdirTemp("/tmp", "sysreel-redis") // short, whatever TMPDIR is: it names a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	var out bytes.Buffer
	server := exec.Command(record[0], append(record[1:], "redis-server", "--port", "0", "--unixsocket", socket, "--dir", dir, "--save", "")...)
	server.Stdout, server.Stderr, server.WaitDelay = &out, &out, 10*time.Second
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	var status error // valid when it has ended
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		status = server.Wait()
	}()
	t.Cleanup(func() {
		server.Process.Signal(syscall.SIGTERM) // which is passed on to the server
		<-ended
	})
	ask := func(words ...string) string {
		t.Helper()
		got := command(t, dir, append([]string{"redis-cli", "-s", socket}, words...)...)
		if got.status != 0 || strings.HasPrefix(got.output, "ERR") {
			t.Fatalf("redis-cli %q: %+v", words, got)
		}
		return got.output
	}
	for { // until it listens, which is after the socket's file is there
		if conn, err := net.Dial("unix", socket); err == nil {
			conn.Close()
			break
		}
		select {
		case <-ended:
			t.Fatalf("redis-server: %v\n%s", status, &out)
		case <-time.After(10 * time.Millisecond):
		}
	}
	for round, pipeline := range []string{"1", "16"} {
		got := command(t, dir, "redis-benchmark", "-s", socket, "-c", "20", "-n", fmt.Sprint(scaled(1000, 100000)), "-P", pipeline,
			"-q", "-t", "set,get,incr,lpush,lrange_100,mset")
		if got.status != 0 {
			t.Errorf("redis-benchmark: %+v", got)
		}
		if round == 0 {
			ask("BGSAVE") // a child writes while the second round runs
		}
	}
	info := ask("INFO")
	for _, want := range []string{"total_error_replies:0\r\n", "rejected_connections:0\r\n", "rdb_last_bgsave_status:ok\r\n"} {
		if !strings.Contains(info, want) {
			t.Errorf("the server does not say %q:\n%s", want, info)
		}
	}
	command(t, dir, "redis-cli", "-s", socket, "SHUTDOWN", "SAVE") // has no answer
	select {
	case <-ended:
		if status != nil || !strings.Contains(out.String(), "DB saved on disk") {
			t.Errorf("redis-server: %v\n%s", status, &out)
		}
	case <-time.After(2 * time.Minute):
		t.Fatalf("redis-server does not end after SHUTDOWN")
	}
	checkWhole(t, record)
}

// make -j4 makes the same files. The project is the programs of testdata/progs:
// objects, a library of them, programs that are linked with it and a
// header that all depend on.
func TestRecordedMake(t *testing.T) {
	record := recorded(t)
	need(t, "make")
	need(t, "gcc")
	need(t, "ar")
	sources, err := filepath.Glob(filepath.Join("..", "..", "testdata", "progs", "*.c"))
	if err != nil || len(sources) < 30 {
		t.Fatalf("%d programs: %v", len(sources), err)
	}
	dir := t.TempDir()
	headers, err := filepath.Glob(filepath.Join("..", "..", "testdata", "progs", "*.h"))
	if err != nil || len(headers) == 0 {
		t.Fatalf("%d headers: %v", len(headers), err)
	}
	for _, f := range append(sources[:scaled(8, len(sources))], headers...) {
		data, err := os.ReadFile(f)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, filepath.Base(f)), data, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	makefile := `CFLAGS = -O1 -g -w -pthread
SOURCES := $(sort $(wildcard *.c))
all: programs.a $(SOURCES:.c=)
programs.a: $(SOURCES:.c=.o)
	ar rcD $@ $^
%.o: %.c prog.h
	gcc $(CFLAGS) -MMD -c -o $@ $<
%: %.o
	gcc $(CFLAGS) -o $@ $<
clean:
	rm -f *.o *.d programs.a $(SOURCES:.c=)
.PRECIOUS: %.o
`
	if err := os.WriteFile(filepath.Join(dir, "Makefile"), []byte(makefile), 0o644); err != nil {
		t.Fatal(err)
	}
	build := []string{"make", "-s", "-j4"}
	made := func(words ...string) map[string]string {
		t.Helper()
		if got := command(t, dir, words...); got != (outcome{}) {
			t.Fatalf("%q: %+v", words, got)
		}
		files := make(map[string]string)
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			data, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			files[e.Name()] = string(data)
		}
		return files
	}
	bare := made(build...)
	clean := made(append(build, "clean")...)
	if len(bare) < 4*len(clean)-10 {
		t.Fatalf("make has made %d files of %d", len(bare), len(clean))
	}
	got := made(append(slices.Clone(record), build...)...)
	for _, name := range slices.Sorted(maps.Keys(bare)) {
		if got[name] != bare[name] {
			t.Errorf("%s: %d bytes, not those %d that it has bare", name, len(got[name]), len(bare[name]))
		}
	}
	if len(got) != len(bare) {
		t.Errorf("%d files, bare %d", len(got), len(bare))
	}
	checkWhole(t, record)
	if again := command(t, dir, append(record, "make", "-q")...); again != (outcome{}) {
		t.Errorf("make -q when all is made: %+v", again)
	}
}
