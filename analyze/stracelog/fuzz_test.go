package stracelog_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"sysreel/analyze"
	"sysreel/analyze/format"
	"sysreel/analyze/replay"
	"sysreel/analyze/stracelog"
	"sysreel/proto/syscalls"
)

// Whatever a log holds, importing it ends, and if it gives a trace that is whole
// and can be replayed.
func FuzzImport(f *testing.F) {
	files, _ := filepath.Glob("../../testdata/logs/*")
	if len(files) < 5 {
		f.Fatal(files)
	}
	for _, name := range files {
		data, _ := os.ReadFile(name)
		for lines := bytes.SplitAfter(data, []byte("\n")); len(lines) > 0; lines = lines[min(40, len(lines)):] {
			f.Add(bytes.Join(lines[:min(40, len(lines))], nil), false)
		}
	}
	for _, s := range oddLines {
		f.Add([]byte(s), true)
	}
	f.Fuzz(func(t *testing.T, data []byte, i386 bool) {
		o := stracelog.Options{Workers: 1}
		if i386 {
			o.Arch = syscalls.I386
		}
		var b bytes.Buffer
		res, err := stracelog.Import(context.Background(), &b, []stracelog.Log{textLog("log", string(data))}, o)
		if err != nil {
			return
		}
		if n := uint64(bytes.Count(data, []byte("\n"))) + 1; res.Lines > n || res.Damaged > n {
			t.Fatalf("%+v of %d lines", res, n)
		}
		text := replayed(t, b.Bytes(), replay.Options{PIDs: replay.AllPIDs, Names: replay.Protocols, Format: format.Options{Verbose: true, Strings: 1 << 20}})
		for _, c := range []byte(text) {
			if c >= 0x7f || c < ' ' && c != '\n' {
				t.Fatalf("byte %#x in the text", c)
			}
		}
		tr := openTrace(t, b.Bytes())
		n := uint64(0)
		if err := tr.Run(context.Background(), analyze.Options{}, func(*analyze.Call) error { n++; return nil }); err != nil || n < res.Events {
			t.Fatalf("%d events of %d: %v", n, res.Events, err)
		}
	})
}

// oddLines are lines that once were, or might be, misunderstood.
var oddLines = []string{
	`1 read(3, "a\"b\\", 4) = 4`,
	`1 read(3</tmp/a) = 3>, "", 4) = 0`,
	`1 read(3<TCP:[127.0.0.1:1->127.0.0.1:2]>, "", 4) = 0`,
	`1 write(1</dev/pts/0<char 136:0>>, "x", 1) = 1`,
	`1 futex(0x7f, FUTEX_WAIT_PRIVATE, 2, NULL <unfinished ...>` + "\n" + `1 <... futex resumed>) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)`,
	`1 read(0,  <unfinished ...>) = ?` + "\n" + `1 +++ killed by SIGKILL +++`,
	`1 restart_syscall(<... resuming interrupted read ...>) = 0`,
	`1 execve("/bin/x", ["x"], 0x1 /* 2 vars */ <unfinished ...>` + "\n" + `2 +++ superseded by execve in pid 1 +++` + "\n" + `2 <... execve resumed>) = 0`,
	`[pid  7] 12:00:00.000001 (+     0.000001) poll([{fd=3, events=POLLIN}], 1, -1) = 1 ([{fd=3, revents=POLLIN}]) <0.000001>`,
	`1 select(4, [3], NULL, NULL, {tv_sec=1, tv_usec=0}) = 1 (in [3], left {tv_sec=0, tv_usec=9})`,
	`1 newcall_2030(0x1, {a=b}, "(") = -1 EPERM (Operation not permitted)`,
	`1 syscall_0x1ff(0x1, 0, 0, 0, 0, 0) = -1 (errno 38)`,
	`1 umask(022) = 077`,
	`1 fcntl(3, F_GETFL) = 0x8000 (flags O_RDONLY|O_LARGEFILE)`,
	`1 wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 3}], 0, NULL) = 9`,
	`1 clone3({flags=CLONE_VM|CLONE_THREAD, exit_signal=0} => {parent_tid=[5]}, 88) = 5`,
	`1 ioctl(1, _IOC(_IOC_READ, 0x1, 0x2, 0x3), 0x7f) = -1 ENOTTY (Keine passende Funktion gefunden)`,
	`1 open("\303\244\x61", O_RDONLY|0x40000000) = 3 (INJECTED)`,
	`1 getdents64(3, 0x55 /* 12 entries */, 32768) = 384`,
	`[ Process PID=1 runs in 32 bit mode. ]`,
	`--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=NULL} ---`,
	`1 --- stopped by SIGSTOP ---`,
	`strace: Process 9 detached`,
	`1 sendmsg(3, {msg_name={sa_family=AF_UNIX, sun_path=@"a\0b"}, msg_namelen=6, msg_iov=[{iov_base="hi", iov_len=2}], msg_iovlen=1, msg_control=[{cmsg_len=20, cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[4]}], msg_controllen=24, msg_flags=0}, 0) = 2`,
}

// Each odd line by itself is understood and replayed as it is.
func TestOddLines(t *testing.T) {
	for _, text := range oddLines {
		if text[0] != '1' {
			continue
		}
		trace, res := importText(t, text+"\n")
		if res.Damaged > 0 {
			t.Errorf("%s: %+v", text, res.First)
			continue
		}
		got := byThread(replayed(t, trace, replay.Options{PIDs: replay.AllPIDs, Names: replay.Protocols}))
		for pid, lines := range byThread(text) {
			for i := range lines {
				if len(got[pid]) <= i || got[pid][i] != lines[i] {
					t.Errorf("%s:\n got %q", text, got[pid])
				}
			}
		}
	}
}

// Lines of real logs with a few bytes changed, taken away or doubled.
// SYSREEL_MUTATIONS is how many times all of them are, if not once.
func TestMutated(t *testing.T) {
	rounds, _ := strconv.Atoi(os.Getenv("SYSREEL_MUTATIONS"))
	var lines [][]byte
	files, _ := filepath.Glob("../../testdata/logs/*.log")
	for _, name := range files {
		data, _ := os.ReadFile(name)
		lines = append(lines, bytes.SplitAfter(data, []byte("\n"))...)
	}
	for _, s := range oddLines {
		lines = append(lines, []byte(s+"\n"))
	}
	for round := range max(1, rounds) {
		r := rand.New(rand.NewPCG(1, uint64(round)))
		var log bytes.Buffer
		log.WriteString("1 close(1) = 0\n")
		for _, line := range lines {
			if len(line) == 0 || bytes.HasPrefix(line, []byte("% time")) {
				continue
			}
			line = bytes.Clone(line)
			for range r.IntN(4) {
				i := r.IntN(len(line))
				switch r.IntN(4) {
				case 0:
					line[i] = byte(r.IntN(256))
				case 1:
					line = slices.Delete(line, i, min(len(line), i+1+r.IntN(8)))
				case 2:
					line = slices.Insert(line, i, line[r.IntN(i+1):i]...)
				case 3:
					const marks = `"\(){}[]<>,=|0x- ~/*`
					line[i] = marks[r.IntN(len(marks))]
				}
				if len(line) == 0 {
					break
				}
			}
			log.Write(line)
		}
		trace, res := importText(t, log.String())
		if res.Events == 0 || res.Calls == 0 {
			t.Fatalf("%+v", res)
		}
		replayed(t, trace, replay.Options{PIDs: replay.AllPIDs, Names: replay.Protocols, Durations: true, Format: format.Options{Verbose: true}})
	}
}

// A line that does not end takes no more memory than its beginning.
func TestLongLine(t *testing.T) {
	long := `1 write(1, "` + string(bytes.Repeat([]byte("x"), 5<<20))
	_, res := importText(t, "1 close(1) = 0\n"+long+"\n1 close(2) = 0\n")
	if res.Damaged != 1 || res.Calls != 2 || res.Lines != 3 {
		t.Fatalf("%d lines, %d calls, %d damaged", res.Lines, res.Calls, res.Damaged)
	}
}
