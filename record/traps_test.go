//go:build linux && (amd64 || arm64)

package record

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
)

// One test for each trap of ptrace. The programs in testdata/progs check from
// the inside that nothing has changed; here the trace is checked.

// SIGKILL may come at any moment: every ptrace call may fail, and every child
// must still be seen to end by it.
func TestKilledAtAnyMoment(t *testing.T) {
	r := runProg(t, "killed", "200")
	killed := 0
	for _, e := range r.kind(tracefile.ThreadExit) {
		if syscall.WaitStatus(e.Ret).Signal() == syscall.SIGKILL {
			killed++
		}
	}
	if killed != 200 {
		t.Errorf("%d children ended by SIGKILL, want 200", killed)
	}
}

// Stopped processes stay stopped, and SIGCONT is not lost.
func TestJobControl(t *testing.T) {
	r := runProg(t, "jobctl")
	stops := make(map[uint32]int)
	for _, e := range r.kind(tracefile.Stop) {
		stops[e.NR]++
	}
	// Two threads stop each time.
	for _, sig := range []syscall.Signal{syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU} {
		if stops[uint32(sig)] != 2 {
			t.Errorf("%d threads stopped by %v, want 2", stops[uint32(sig)], sig)
		}
	}
}

// Attaching and detaching in a storm of signals and system calls: the stop
// that PTRACE_INTERRUPT asks for may be another one, or come late.
func TestAttachInSignalStorm(t *testing.T) {
	p := start(t, prog(t, "storm"))
	dir := t.TempDir()
	signals := 0
	for i := range 15 {
		file := filepath.Join(dir, strconv.Itoa(i))
		cmd := attach(t, Options{PIDs: []int{p.Process.Pid}}, file)
		time.Sleep(20 * time.Millisecond)
		tr := finish(t, cmd, file)
		signals += len(tr.kind(tracefile.Signal))
	}
	if signals == 0 {
		t.Error("no signal was recorded")
	}
	p.Process.Signal(syscall.SIGUSR1)
	if s := p.line(t); s != "ok" {
		t.Errorf("the target: %s", s)
	}
}

// Restarts give two exits in a row; a call that goes on after an interruption
// is marked, and one that the program makes again by itself is not.
func TestRestarts(t *testing.T) {
	r := runProg(t, "restart")
	section := ""
	got := make(map[string][]string)
	root := r.events[0].Thread.ID
	for i := range r.events {
		e := &r.events[i]
		if e.Thread.ID != root || e.Kind != tracefile.Syscall {
			continue
		}
		path := 0
		if name(e) == "faccessat" {
			path = 1
		}
		if s, ok := strings.CutPrefix(text(e, path), "/mark/"); ok && s != "handler" {
			section = s
			continue
		}
		switch n := name(e); n {
		case "read", "nanosleep", "clock_nanosleep", "futex", "restart_syscall":
			flags := ""
			if e.Flags&tracefile.Restarted != 0 {
				flags += " restarted"
			}
			if e.Flags&tracefile.Resumed != 0 {
				flags += " resumed"
			}
			if section != "" {
				got[section] = append(got[section], fmt.Sprintf("%s %d%s", n, e.Ret, flags))
			}
		}
	}
	check := func(section, want string) {
		t.Helper()
		if g := strings.Join(got[section], ", "); g != want {
			t.Errorf("%s: %s\nwant: %s", section, g, want)
		}
	}
	check("restart", "read -512 restarted, read 1 resumed")
	check("eintr", "read -512 restarted")
	check("stop", "clock_nanosleep -516 restarted, restart_syscall -516 restarted resumed")
	check("wake", "futex -516 restarted, restart_syscall 0 resumed")
}

// A call that was in progress at the attach is shown by its real name.
func TestAttachInCalls(t *testing.T) {
	p := start(t, prog(t, "server"))
	file := filepath.Join(t.TempDir(), "t.reel")
	cmd := attach(t, Options{PIDs: []int{p.Process.Pid}}, file)
	p.Process.Signal(syscall.SIGUSR1)
	if s := p.line(t); s != "ok" {
		t.Fatalf("the target: %s", s)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	tr := readTrace(t, file)
	in := make(map[string]int)
	for i := range tr.events {
		if e := &tr.events[i]; e.Flags&tracefile.MidCall != 0 {
			in[name(e)]++
			if e.Kind != tracefile.Syscall {
				t.Errorf("%s is not seen to return", name(e))
			}
			if n := name(e); n == "read" && (e.Ret != 1 || len(e.Bufs) != 1 || string(e.Bufs[0].Data) != "g") {
				t.Errorf("read: %d, %+v", e.Ret, e.Bufs)
			}
		}
	}
	for _, want := range []string{"read", "futex", "poll", "epoll_wait", "rt_sigtimedwait"} {
		if runtime.GOARCH == "arm64" && want != "read" && want != "futex" {
			continue // ppoll, epoll_pwait
		}
		if in[want] == 0 {
			t.Errorf("%s was not seen in progress; seen: %v", want, in)
		}
	}
	if in["nanosleep"]+in["clock_nanosleep"] == 0 {
		t.Errorf("nanosleep was not seen in progress; seen: %v", in)
	}
	if len(tr.calls("restart_syscall")) != 0 {
		t.Error("a call in progress is called restart_syscall")
	}
}

// execve by a thread that is not the leader.
func TestThreadExec(t *testing.T) {
	r := runProg(t, "threadexec")
	execs := r.kind(tracefile.Exec)
	if len(execs) != 3 {
		t.Fatalf("%d execs, want 3", len(execs))
	}
	for _, e := range execs[1:] {
		if e.Args[0] == 0 || tracefile.ThreadID(e.Args[0]) == e.Thread.ID || e.Thread.TID != e.Thread.TGID {
			t.Errorf("exec by thread %d as %+v", e.Args[0], e.Thread)
		}
		if int(e.Num) >= len(r.events) || name(&r.events[e.Num]) != "execve" || r.events[e.Num].Ret != 0 {
			t.Errorf("exec #%d is not followed by the call's exit", e.Num)
		}
	}
	var calls []string
	for _, e := range r.calls("execve") {
		calls = append(calls, fmt.Sprintf("%s=%d", filepath.Base(text(e, 0)), e.Ret))
	}
	if got := strings.Join(calls, " "); got != "threadexec=0 exe=0 no-such-file=-2 exe=0" {
		t.Errorf("execve: %s", got)
	}
	pauses := 0
	for _, e := range r.calls("pause", "ppoll") {
		if e.Kind == tracefile.Unfinished {
			pauses++
		}
	}
	if pauses != 4 { // twice the leader and one thread
		t.Errorf("%d unfinished pauses, want 4", pauses)
	}
}

// Attached to while a thread that is not the leader is in the middle of its
// execve, which is then the first that is seen of it: each thread's events begin
// with its start all the same, and end with its end.
func TestAttachInThreadExec(t *testing.T) {
	for _, args := range [][]string{nil, {"leaderless"}, {"crowd"}} {
		t.Run(strings.Join(args, ""), func(t *testing.T) {
			p := start(t, append([]string{prog(t, "reexec")}, args...)...)
			dir, former := t.TempDir(), 0
			for i := range 30 {
				file := filepath.Join(dir, itoa(i))
				cmd := attach(t, Options{PIDs: []int{p.Process.Pid}}, file)
				waitTree(t, p.Process.Pid)
				time.Sleep(time.Duration(i%4) * 5 * time.Millisecond)
				tr := finish(t, cmd, file)
				for _, e := range tr.kind(tracefile.Exec) {
					if e.Args[0] != 0 {
						former++
					}
				}
			}
			if former == 0 {
				t.Error("no execve of a thread that is not the leader was recorded")
			}
			p.Process.Signal(syscall.SIGUSR1)
			if s := p.line(t); s != "ok" {
				t.Errorf("the target: %s", s)
			}
		})
	}
}

// The arguments of execve are read while they are there, and success is known.
func TestExec(t *testing.T) {
	r := runProg(t, "exec")
	calls := r.calls("execve")
	if len(calls) != 4 {
		t.Fatalf("%d execves, want 4", len(calls))
	}
	for i, want := range []struct {
		path string
		ret  int64
	}{{"", 0}, {"/no-such-dir/program", -2}, {"/etc", -13}, {"/proc/self/exe", 0}} {
		e := calls[i]
		if want.path != "" && text(e, 0) != want.path || e.Ret != want.ret {
			t.Errorf("execve %d: %q = %d, want %q = %d", i, text(e, 0), e.Ret, want.path, want.ret)
		}
		if i > 0 && !bytes.Contains(joined(e), []byte("second argument\x00")) {
			t.Errorf("execve %d: the arguments are not all there: %q", i, joined(e))
		}
	}
	execs := r.kind(tracefile.Exec)
	if len(execs) != 2 {
		t.Fatalf("%d execs, want 2", len(execs))
	}
	if argv := execs[1].Facts.Argv; len(argv) != 3 || string(argv[0]) != "renamed" {
		t.Errorf("argv of the new program: %q", argv)
	}
}

func joined(e *tracefile.Event) []byte {
	var all []byte
	for _, b := range e.Bufs {
		all = append(all, b.Data...)
	}
	return all
}

// PIDs are used again, threads and processes of a trace are not.
func TestPIDReuse(t *testing.T) {
	need(t, os.Geteuid() == 0, "root")
	r := runProg(t, "pidreuse")
	pid, _ := strconv.Atoi(strings.Fields(r.stdout)[0])
	ids := make(map[tracefile.ProcessID]int64)
	for _, e := range r.kind(tracefile.ThreadExit) {
		if int(e.Thread.TID) == pid {
			ids[e.Thread.Process] = e.Ret >> 8
		}
	}
	if len(ids) != 2 {
		t.Errorf("PID %d stands for %d processes, want 2", pid, len(ids))
	}
}

// The first stop of a child may come before its creator tells of it: every
// child has its creator all the same, in a storm of forks.
func TestForkStorm(t *testing.T) {
	r := runProg(t, "forks", "400")
	starts := r.kind(tracefile.ThreadStart)
	if len(starts) != 401 {
		t.Errorf("%d threads, want 401", len(starts))
	}
	byID := make(map[tracefile.ThreadID]*tracefile.Event)
	for _, e := range starts {
		byID[e.Thread.ID] = e
		if e.Thread.ID == r.events[0].Thread.ID {
			continue
		}
		creator := byID[tracefile.ThreadID(e.Args[1])]
		if creator == nil {
			t.Fatalf("thread %d has no creator (%d)", e.Thread.ID, e.Args[1])
		}
		if e.Facts == nil || e.Facts.Ppid != creator.Thread.TGID {
			t.Errorf("thread %d: parent %v, want %d", e.Thread.ID, e.Facts, creator.Thread.TGID)
		}
	}
	if exits := r.kind(tracefile.ThreadExit); len(exits) != 401 {
		t.Errorf("%d exits, want 401", len(exits))
	}
}

// A vfork parent sleeps uninterruptibly: attaching to it must not wait for it.
func TestVfork(t *testing.T) {
	r := runProg(t, "vfork")
	n := 0
	for _, e := range r.kind(tracefile.ThreadStart) {
		if tracefile.StartHow(e.Args[0]) == tracefile.StartVfork {
			n++
		}
	}
	if n != 3 {
		t.Errorf("%d processes made by vfork, want 3", n)
	}

	// The child is not traced, and keeps its parent asleep for long after
	// the recording.
	cmd := exec.Command(prog(t, "vfork"), "60000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	time.Sleep(100 * time.Millisecond)
	file := filepath.Join(t.TempDir(), "t.reel")
	rec := recorder(t, Options{PIDs: []int{cmd.Process.Pid}, MaxTime: 200 * time.Millisecond}, file)
	done := make(chan error, 1)
	go func() { done <- rec.Run() }()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("the recorder: %v", err)
		}
	case <-time.After(2 * time.Minute):
		rec.Process.Kill()
		t.Error("the recorder waits for the parent of a vfork")
	}
	kids, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", cmd.Process.Pid, cmd.Process.Pid))
	if kid, err := strconv.Atoi(strings.TrimSpace(string(kids))); err == nil {
		syscall.Kill(kid, syscall.SIGKILL)
	}
}

// A leader that has ended before its threads is reported last.
func TestZombieLeader(t *testing.T) {
	r := runProg(t, "zombieleader")
	if n := len(r.marks("alone")); n != 2 {
		t.Errorf("%d threads went on without their leader, want 2", n)
	}
	exits := r.kind(tracefile.ThreadExit)
	if len(exits) != 3 {
		t.Fatalf("%d exits, want 3", len(exits))
	}
	for i, e := range exits {
		if last := i == 2; (e.Args[0] == 1) != last || (e.Thread.TID == e.Thread.TGID) != last {
			t.Errorf("exit %d: thread %+v, process ended: %d", i, e.Thread, e.Args[0])
		}
	}

	// The same, attached to when the leader is gone already.
	p := exec.Command(prog(t, "zombieleader"), "wait")
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go p.Wait()
	defer p.Process.Kill()
	for !strings.HasPrefix(states(p.Process.Pid), "Z") {
		time.Sleep(time.Millisecond)
	}
	file := filepath.Join(t.TempDir(), "t.reel")
	if out, err := recorder(t, Options{PIDs: []int{p.Process.Pid}, MaxTime: 2 * time.Minute}, file).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	tr := readTrace(t, file)
	alone := make(map[tracefile.ThreadID]bool)
	for _, e := range tr.marks("alone") {
		alone[e.Thread.ID] = true
	}
	if n := len(alone); n != 2 {
		t.Errorf("attached: %d threads went on without their leader, want 2", n)
	}
	if tr.footer.End != tracepb.Footer_EXITED {
		t.Errorf("attached: the recording ended by %v", tr.footer.End)
	}
}

// Strings are read although another thread is inside execve all the time.
func TestExecRace(t *testing.T) {
	r := runProg(t, "execrace")
	if n := len(r.marks("race")); n != 300 {
		t.Errorf("%d strings read, want 300", n)
	}
}

// Calls that never return are in the trace.
func TestUnfinished(t *testing.T) {
	r := runProg(t, "unfinished")
	got := make(map[string]int)
	for _, e := range r.kind(tracefile.Unfinished) {
		got[name(e)]++
	}
	// exit_group in main, the first child and true; read in a thread of
	// each child and in the leader that was killed.
	if got["read"] != 4 || got["exit_group"] != 3 {
		t.Errorf("unfinished calls: %v, want read 4, exit_group 3", got)
	}
}

// Signals are delivered once, with their siginfo, which is recorded.
func TestSignals(t *testing.T) {
	r := runProg(t, "signals")
	n := make(map[uint32]int)
	var queued []int32
	for _, e := range r.kind(tracefile.Signal) {
		n[e.NR]++
		if len(e.Bufs) != 1 || len(e.Bufs[0].Data) != 128 {
			t.Fatalf("signal %d has no siginfo: %+v", e.NR, e.Bufs)
		}
		info := e.Bufs[0].Data
		signo, code := binary.LittleEndian.Uint32(info), int32(binary.LittleEndian.Uint32(info[8:]))
		if signo != e.NR {
			t.Errorf("signal %d has the siginfo of %d", e.NR, signo)
		}
		switch {
		case e.NR == 37 && code == -1: // SIGRTMIN+3, SI_QUEUE
			queued = append(queued, int32(binary.LittleEndian.Uint32(info[24:])))
		case e.NR == uint32(syscall.SIGSEGV):
			if addr := binary.LittleEndian.Uint64(info[16:]); addr != 0x1230 {
				t.Errorf("SIGSEGV at %#x, want 0x1230", addr)
			}
		}
	}
	if len(queued) != 20 || queued[0] != 1000 || queued[19] != 1019 {
		t.Errorf("queued values: %v", queued)
	}
	if n[uint32(syscall.SIGSEGV)] != 1 || n[uint32(syscall.SIGHUP)] != 1 || n[uint32(syscall.SIGALRM)] != 2 {
		t.Errorf("signals: %v", n)
	}
}

// A child that the recorder has inherited from the program it was before is
// neither recorded nor waited for.
func TestInheritedChild(t *testing.T) {
	file := filepath.Join(t.TempDir(), "t.reel")
	rec := recorder(t, Options{}, file, "sh", "-c", "sleep 0.3; exit 5")
	script := `sleep 0.1 & sleep 100 & exec "$@"`
	cmd := exec.Command("sh", append([]string{"-c", script, "sh"}, rec.Args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	err := cmd.Run()
	if cmd.Process != nil {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
	if cmd.ProcessState.ExitCode() != 5 {
		t.Errorf("status %v, want 5", err)
	}
	tr := readTrace(t, file)
	if n := len(tr.kind(tracefile.ThreadStart)); n != 2 {
		t.Errorf("%d processes recorded, want 2", n)
	}
}

// Numbers mean different calls on different architectures of one process.
func TestInt80(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("amd64 only")
	}
	r := runProg(t, "int80")
	var got []string
	for i := range r.events {
		if e := &r.events[i]; isCall(e) && e.Arch != syscalls.AMD64 {
			got = append(got, fmt.Sprintf("%v:%s(%s)=%d", e.Arch, name(e), text(e, -1), e.Ret))
		}
	}
	pid, parent := r.calls("getpid")[0].Thread.TGID, -int64(syscall.ENOSYS)
	if x32 := r.calls("getppid"); x32[0].Ret > 0 { // not many kernels have x32
		parent = x32[1].Ret
	}
	if s, want := strings.Join(got, " "), fmt.Sprintf("i386:getpid()=%d i386:access(/i386/path)=-2 i386:write(ok\n)=3 x32:getppid()=%d", pid, parent); s != want {
		t.Errorf("calls of other architectures: %s, want %s", s, want)
	}
	if u := r.calls("syscall_100000"); len(u) != 1 || u[0].Ret != -int64(syscall.ENOSYS) {
		t.Errorf("the unknown call: %v", u)
	}
	// 20 is writev on amd64, 33 dup2.
	r = record(t, Options{Trace: "writev,dup2,getppid"}, prog(t, "int80"))
	for i := range r.events {
		if e := &r.events[i]; isCall(e) && e.Arch == syscalls.I386 {
			t.Errorf("-e trace=writev,dup2 records i386's %s", name(e))
		}
	}
}

// A thread that is not attached to yet may start others meanwhile: none is
// missed.
func TestAttachWhileThreadsStart(t *testing.T) {
	for range 8 {
		attachWhileThreadsStart(t)
	}
}

func attachWhileThreadsStart(t *testing.T) {
	t.Helper()
	p := start(t, prog(t, "threads"))
	file := filepath.Join(t.TempDir(), "t.reel")
	cmd := attach(t, Options{PIDs: []int{p.Process.Pid}}, file)
	p.Process.Signal(syscall.SIGUSR1)
	want, _ := strconv.Atoi(p.line(t))
	if s := p.line(t); s != "ok" {
		t.Fatalf("the target: %s", s)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	tr := readTrace(t, file)
	if got := len(tr.marks("last")); got != want || want < 150 {
		t.Errorf("%d threads made their call, %d of them were recorded", want, got)
	}
	for _, e := range tr.kind(tracefile.ThreadStart) {
		if tracefile.StartHow(e.Args[0]) == tracefile.StartClone && e.Args[1] == 0 {
			t.Errorf("thread %d has no creator", e.Thread.ID)
			break
		}
	}
}

// Threads that stop as fast as they are resumed do not keep an older one from
// going on.
func TestTurns(t *testing.T) { runProg(t, "turns") }

// A process may have more descriptors than a block has room for.
func TestAttachManyFiles(t *testing.T) {
	p := start(t, prog(t, "fds"))
	open, _ := strconv.Atoi(p.line(t))
	file := filepath.Join(t.TempDir(), "t.reel")
	cmd := attach(t, Options{PIDs: []int{p.Process.Pid}}, file)
	p.Process.Signal(syscall.SIGUSR1)
	if s := p.line(t); s != "ok" {
		t.Fatalf("the target: %s", s)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	tr := readTrace(t, file)
	if got := len(tr.marks("end")); got != 1 {
		t.Errorf("%d marks, want 1", got)
	}
	for _, e := range tr.kind(tracefile.ThreadStart) {
		got := len(e.Facts.GetFiles())
		t.Logf("%d of %d descriptors are in the trace", got, open)
		if got < min(open, 4000) || got < open && len(tr.losses) == 0 {
			t.Errorf("%d of %d descriptors are in the trace; losses: %v", got, open, tr.losses)
		}
	}
}

// The recorder refuses to attach to itself and to who traces it.
func TestRefused(t *testing.T) {
	refused := func(what string, cmd *exec.Cmd, want string) {
		t.Helper()
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		err := cmd.Start()
		if err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(2*time.Minute, func() { cmd.Process.Kill() })
		cmd.Wait()
		if !timer.Stop() {
			t.Errorf("%s: it hangs", what)
		}
		if cmd.ProcessState.ExitCode() != 125 || !strings.Contains(stderr.String(), want) {
			t.Errorf("%s: status %d, %q; want 125, %q", what, cmd.ProcessState.ExitCode(), stderr.String(), want)
		}
	}
	file := filepath.Join(t.TempDir(), "t.reel")

	rec := recorder(t, Options{PIDs: []int{-1}}, file)
	for i, a := range rec.Args { // the shell puts its PID, which becomes the recorder's
		rec.Args[i] = strings.Replace(a, "[-1]", "['$$']", 1)
	}
	script := "exec '" + strings.Join(rec.Args, "' '") + "'"
	refused("itself", exec.Command("sh", "-c", script), "this recorder itself")

	refused("no such process", recorder(t, Options{PIDs: []int{1 << 29}}, file), "no such process")

	needTool(t, "strace")
	p := start(t, prog(t, "server"))
	tracer := exec.Command("strace", "-f", "-o", os.DevNull, "-p", strconv.Itoa(p.Process.Pid))
	if err := tracer.Start(); err != nil {
		t.Fatal(err)
	}
	defer tracer.Wait()
	defer tracer.Process.Kill()
	waitTraced(t, p.Process.Pid, true)
	refused("traced already", recorder(t, Options{PIDs: []int{p.Process.Pid}}, file),
		fmt.Sprintf("traced already, by strace (process %d)", tracer.Process.Pid))

	// strace runs the shell that becomes the recorder, whose parent it is.
	for i, a := range rec.Args {
		rec.Args[i] = strings.Replace(a, "['$$']", "['$PPID']", 1)
	}
	script = "exec '" + strings.Join(rec.Args, "' '") + "'"
	refused("its tracer", exec.Command("strace", "-f", "-o", os.DevNull, "sh", "-c", script), "it traces this recorder")
}

// The recorder holds no end of the command's pipes.
func TestPipes(t *testing.T) {
	dir := t.TempDir()
	t.Run("output", func(t *testing.T) {
		// The reader sees the end when the command closes its output,
		// long before it ends.
		cmd := recorder(t, Options{}, filepath.Join(dir, "a"), "sh", "-c", "echo hello; exec >&-; read line")
		in, _ := cmd.StdinPipe()
		out, _ := cmd.StdoutPipe()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		got := make(chan string, 1)
		go func() {
			var b bytes.Buffer
			b.ReadFrom(out)
			got <- b.String()
		}()
		select {
		case s := <-got:
			if s != "hello\n" {
				t.Errorf("output %q", s)
			}
		case <-time.After(2 * time.Minute):
			t.Error("no end of file: someone else holds the pipe")
		}
		in.Close()
		cmd.Wait()
	})
	t.Run("input", func(t *testing.T) {
		cmd := recorder(t, Options{}, filepath.Join(dir, "b"), "sh", "-c", "exec <&-; sleep 100")
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stdin = r
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		r.Close()
		defer cmd.Wait()
		defer cmd.Process.Signal(syscall.SIGTERM)
		for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(10 * time.Millisecond) {
			if _, err := w.Write([]byte("x")); err != nil {
				break // EPIPE
			}
			if time.Now().After(deadline) {
				t.Fatal("no EPIPE: someone else holds the pipe")
			}
		}
	})
	t.Run("inherited", func(t *testing.T) {
		// A descriptor that a shell has passed on, like make's job server.
		cmd := recorder(t, Options{}, filepath.Join(dir, "c"), "sh", "-c", "echo there >&3; exec 3>&-; sleep 100")
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd.ExtraFiles = []*os.File{w}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		w.Close()
		defer cmd.Wait()
		defer cmd.Process.Signal(syscall.SIGTERM)
		r.SetReadDeadline(time.Now().Add(2 * time.Minute))
		var b bytes.Buffer
		if _, err := b.ReadFrom(r); err != nil || b.String() != "there\n" {
			t.Errorf("%q, %v: someone else holds the pipe", b.String(), err)
		}
	})
}

// Memory that cannot be read is marked, and never taken for empty.
func TestUnreadableMemory(t *testing.T) {
	r := runProg(t, "badmem")
	var got []string
	for _, e := range r.calls("access", "faccessat", "write", "writev") {
		if text(e, -1) == "/mark/end" {
			break
		}
		if e.Ret == -int64(syscall.ENOENT) && strings.HasPrefix(text(e, -1), "/etc") {
			continue // the loader's
		}
		s := fmt.Sprint(e.Ret)
		for _, b := range e.Bufs {
			data := string(b.Data)
			if len(data) == 48 {
				data = "iovecs"
			}
			s += fmt.Sprintf(" %q/%d", data, b.Want)
			if b.Faulted {
				s += "!"
			}
		}
		got = append(got, s)
	}
	want := []string{
		`-14 ""/1!`,
		`-14`,
		`-14 "aaaaaaaaaa"/11!`,
		`-2 "/path\x00"/6`,
		`-2 "/usr/across\x00"/12`,
		`100 "////////"/100!`,
		`16 "iovecs"/48 "first"/5 ""/6! "third"/5`,
		`0 ""/0`,
		`0 ""/0`,
	}
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("got:\n%s\nwant:\n%s", g, w)
	}
}

// The trace says what the tracer itself costs, and no duration is shorter than
// what really happened.
func TestCalibration(t *testing.T) {
	r := record(t, Options{}, "sleep", "0.05")
	if c := r.header.Calibration.GetStopNs(); c < 500 || c > 1e8 {
		t.Errorf("calibrated cost of a stop: %d ns", c)
	}
	sleeps := r.calls("nanosleep", "clock_nanosleep")
	if len(sleeps) != 1 || sleeps[0].Duration() < 50e6-1e6 {
		t.Errorf("sleep 0.05: %v", sleeps)
	}
}

// If the recorder is killed, what it followed goes on as if nothing had been,
// and the file can be read up to the last second.
func TestRecorderKilled(t *testing.T) {
	p := start(t, prog(t, "server"))
	before := affinity(t, p.Process.Pid)
	file := filepath.Join(t.TempDir(), "t.reel")
	for range 5 {
		cmd := attach(t, Options{PIDs: []int{p.Process.Pid}}, file)
		time.Sleep(20 * time.Millisecond)
		cmd.Process.Kill()
		cmd.Wait()
		waitTraced(t, p.Process.Pid, false)
	}
	for deadline := time.Now().Add(2 * time.Minute); affinity(t, p.Process.Pid) != before; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the target is left on CPUs %s, it was on %s", affinity(t, p.Process.Pid), before)
		}
	}
	p.Process.Signal(syscall.SIGUSR1)
	if s := p.line(t); s != "ok" {
		t.Errorf("the target: %s", s)
	}
	p.Wait()

	// A launched command, too.
	rec := recorder(t, Options{}, file, "sh", "-c", "while :; do echo x; sleep 0.05; done")
	out, _ := rec.StdoutPipe()
	if err := rec.Start(); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 2)
	for range 30 {
		if _, err := out.Read(buf); err != nil {
			t.Fatal(err)
		}
	}
	rec.Process.Kill()
	for range 10 {
		if _, err := out.Read(buf); err != nil {
			t.Fatalf("the command does not go on: %v", err)
		}
	}
	out.Close() // and it ends by SIGPIPE
	rec.Wait()
	tr := readTrace(t, file)
	if tr.state == tracefile.Complete || len(tr.events) < 100 {
		t.Errorf("the file of the killed recorder: %v, %d events", tr.state, len(tr.events))
	}
}

// affinity returns the CPUs that the threads of a process may use.
func affinity(t *testing.T, pid int) string {
	t.Helper()
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	seen := ""
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(b)) {
			if v, ok := strings.CutPrefix(line, "Cpus_allowed_list:"); ok {
				v = strings.TrimSpace(v)
				if seen != "" && seen != v {
					return seen + " and " + v
				}
				seen = v
			}
		}
	}
	return seen
}

// The affinity of threads is their own, although they share the engine's CPU.
func TestAffinity(t *testing.T) {
	r := record(t, Options{}, prog(t, "affinity"))
	if r.status == 77 {
		t.Skip("one CPU only")
	}
	if r.status != 0 || r.stdout != "ok\n" {
		t.Fatalf("status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
}

// clone with unusual flags: every child is followed but the one that asks not
// to be, which is a loss.
func TestClones(t *testing.T) {
	r := runProg(t, "clones")
	if n := len(r.marks("child")); n != 4 {
		t.Errorf("%d children made their mark, want 4", n)
	}
	if n := r.footer.Processes; n != 7 {
		t.Errorf("%d processes, want 7", n)
	}
	// Who is made with CLONE_PARENT, and exits with 4, is a child of its
	// creator's parent.
	starts := make(map[tracefile.ThreadID]*tracefile.Event)
	for _, e := range r.kind(tracefile.ThreadStart) {
		starts[e.Thread.ID] = e
	}
	for _, e := range r.kind(tracefile.ThreadExit) {
		if e.Ret != 4<<8 {
			continue
		}
		start := starts[e.Thread.ID]
		creator := starts[tracefile.ThreadID(start.Args[1])]
		if ppid := start.Facts.GetPpid(); ppid == creator.Thread.TGID || ppid != creator.Facts.GetPpid() {
			t.Errorf("the parent of process %d is %d; it was made by %d with CLONE_PARENT, whose parent is %d",
				e.Thread.TGID, ppid, creator.Thread.TGID, creator.Facts.GetPpid())
		}
	}
	lost := uint64(0)
	for _, l := range r.losses {
		if l.Reason == tracepb.Loss_NOT_FOLLOWED {
			lost += l.Count
		}
	}
	if lost != 1 {
		t.Errorf("%d processes not followed, want 1", lost)
	}
}

// In a PID namespace processes have other numbers than outside: they are
// recorded by those of outside, and what they do by their own numbers works.
func TestPIDNamespace(t *testing.T) {
	need(t, os.Geteuid() == 0, "root")
	r := runProg(t, "pidns")
	for _, mark := range []string{"inside", "thread", "chosen", "deeper", "pidfd"} {
		if m := r.marks(mark); len(m) != 1 {
			t.Errorf("%s: %d calls, want 1", mark, len(m))
		} else if m[0].Thread.TID < 10 || mark == "chosen" && m[0].Thread.TID == 300 {
			t.Errorf("%s: thread %d is not a number of outside", mark, m[0].Thread.TID)
		}
	}
	codes := make(map[int]int)
	for _, e := range r.kind(tracefile.ThreadExit) {
		if e.Args[0] == 1 {
			codes[syscall.WaitStatus(e.Ret).ExitStatus()]++
		}
	}
	for _, code := range []int{0, 3, 5, 7, 8} {
		if codes[code] != 1 {
			t.Errorf("%d processes exit with %d, want 1", codes[code], code)
		}
	}
	for _, e := range r.kind(tracefile.ThreadStart)[1:] {
		if e.Args[1] == 0 {
			t.Errorf("thread %d has no creator", e.Thread.TID)
		}
	}
	if len(r.losses) != 1 {
		t.Errorf("losses: %v, want one, of the process that another traces", r.losses)
	}
}

// Programs that use ptrace themselves keep working; what they trace is not
// followed, and that is said.
func TestNestedPtrace(t *testing.T) {
	needTool(t, "strace")
	lost := func(r *recording) (n uint64) {
		for _, l := range r.losses {
			if l.Reason == tracepb.Loss_NOT_FOLLOWED {
				n += l.Count
			}
		}
		return n
	}
	inner := filepath.Join(t.TempDir(), "inner")
	r := record(t, Options{}, "strace", "-f", "-o", inner, "sh", "-c", "/bin/echo hello; exit 3")
	if r.status != 3 || r.stdout != "hello\n" {
		t.Errorf("strace: status %d, output %q\n%s", r.status, r.stdout, r.stderr)
	}
	text, _ := os.ReadFile(inner)
	if n := bytes.Count(text, []byte("execve(")); n < 2 || !bytes.Contains(text, []byte("+++ exited with 3 +++")) {
		t.Errorf("the inner strace has not seen everything: %d execves", n)
	}
	if n := lost(&r); n == 0 {
		t.Error("no loss was recorded")
	}
	r = record(t, Options{}, prog(t, "traceme"))
	if r.status != 0 || r.stdout != "ok\n" || lost(&r) != 2 {
		t.Errorf("PTRACE_TRACEME, PTRACE_SEIZE: status %d, output %q, %d losses", r.status, r.stdout, lost(&r))
	}
}

// A set-user-ID program works under an unprivileged recorder, without its
// rights, and that is said.
func TestSetuid(t *testing.T) {
	need(t, os.Geteuid() == 0, "root")
	dir, err := os.MkdirTemp("", "sysreel-setuid")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	os.Chmod(dir, 0o777)
	install := func(from, to string, mode os.FileMode) string {
		b, err := os.ReadFile(from)
		if err == nil {
			to = filepath.Join(dir, to)
			err = os.WriteFile(to, b, 0o755)
		}
		if err == nil {
			err = os.Chmod(to, mode)
		}
		if err != nil {
			t.Fatal(err)
		}
		return to
	}
	id, _ := exec.LookPath("id")
	suid := install(id, "id", os.ModeSetuid|0o755)
	run := func(uid uint32) (string, string) {
		file := filepath.Join(dir, fmt.Sprint("t", uid))
		cmd := recorder(t, Options{}, file, suid, "-u")
		cmd.Path = install(os.Args[0], "recorder", 0o755)
		cmd.Dir = dir
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Run(); err != nil {
			t.Fatalf("user %d: %v\n%s", uid, err, stderr.String())
		}
		readTrace(t, file)
		return strings.TrimSpace(stdout.String()), stderr.String()
	}
	if euid, warning := run(65534); euid != "65534" || !strings.Contains(warning, "not as its owner, user 0") {
		t.Errorf("unprivileged: user %s, %q", euid, warning)
	}
	if euid, warning := run(0); euid != "0" || warning != "" {
		t.Errorf("root: user %s, %q", euid, warning)
	}
}
