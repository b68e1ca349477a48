//go:build linux && (amd64 || arm64)

package record

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"sysreel/proto/tracefile"
)

// tamperings are the modes of testdata/progs/tamper.c and what they expect.
var tamperings = []struct {
	mode   string
	inject []string
}{
	{"error", []string{"mkdirat:error=EIO:when=2..5+2"}},
	{"last", []string{"mkdirat:error=EIO", "mkdirat:error=ENOSPC:when=2+2"}},
	{"retval", []string{"unlinkat:retval=0", "dup:retval=42", "ftruncate:retval=0", "fchdir:retval=0", "getppid:retval=12345"}},
	{"signal", []string{"mkdirat:signal=USR1:when=1", "getppid:signal=10:error=ESRCH", "ppoll:signal=SIGUSR1"}},
	{"delay", []string{"getppid:delay_enter=30ms", "getpgid:delay_exit=0.03s", "getsid:delay_enter=20000:delay_exit=20000us:error=EPERM"}},
	{"rest", []string{"getppid:delay_enter=9000s"}},
	{"poke", []string{"mkdirat:poke_enter=@arg2=64393900", "readlinkat:poke_exit=@arg3=4243", "symlinkat:poke_enter=@arg1=58,@arg3=6c00:poke_exit=@arg1=59:error=EROFS:when=2"}},
	{"counts", []string{"getpgid,getsid:error=ENOMEM:when=2"}},
	{"nofork", []string{"?fork,?vfork,clone,clone3:error=EAGAIN"}},
	{"noexec", []string{"execve:error=ENOENT:when=1", "?vfork:delay_enter=1ms:delay_exit=1ms", "clone,clone3:delay_exit=1ms"}},
	{"noexit", []string{"exit_group:error=EIO:when=1"}},
	{"instead", []string{"getppid:syscall=getpid:error=EIO", "getpgid:syscall=getuid:retval=77"}},
	{"sandboxed", []string{"getppid:syscall=getpid:error=EIO", "getpgid:syscall=getuid:retval=77", "mkdirat:error=ENOTTY"}},
	{"i386", []string{"getppid:error=EIO:when=2", "getpgid:retval=0xfffffffe", "getsid:syscall=getpid:retval=7"}},
}

// A program sees what it is to see: whether every call is stopped at or only
// those that a filter tells of, and whether the calls are selected or not.
func TestTamper(t *testing.T) {
	for _, m := range tamperings {
		var all []string
		for name, o := range map[string]Options{
			"all":     {},
			"stopped": {Trace: "execve", Seccomp: SeccompOff},
			"filter":  {Trace: "execve", Seccomp: SeccompOn},
		} {
			o.Inject = m.inject
			dir := t.TempDir()
			r := recordIn(t, inDir(dir), o, prog(t, "tamper"), m.mode)
			if r.status == 77 {
				continue // not on this architecture
			}
			if r.status != 0 || r.stdout != "ok\n" || r.stderr != "" {
				t.Errorf("%s, %s: status %d, %s%s", m.mode, name, r.status, r.stdout, r.stderr)
				continue
			}
			if !slices.Equal(r.header.Policy.Inject, m.inject) {
				t.Errorf("%s, %s: the header has %q", m.mode, name, r.header.Policy.Inject)
			}
			got := tamperedCalls(&r.trace)
			if m.mode == "rest" {
				continue // how many threads get there is open
			}
			if len(got) == 0 {
				t.Errorf("%s, %s: no call is marked", m.mode, name)
			}
			if slices.Sort(got); all == nil {
				all = got
			}
			if !slices.Equal(got, all) {
				t.Errorf("%s, %s: got %q, otherwise %q", m.mode, name, got, all)
			}
		}
	}
}

// tamperedCalls lists the calls that something was done to: thread, name, what
// it was, and the result.
func tamperedCalls(tr *trace) []string {
	var all []string
	for i := range tr.events {
		e := &tr.events[i]
		if e.Flags&tracefile.Tampered == 0 {
			continue
		}
		s := fmt.Sprintf("%d %s", e.Thread.ID, name(e))
		for _, m := range []struct {
			flag tracefile.Flags
			name string
		}{{tracefile.Injected, "injected"}, {tracefile.Delayed, "delayed"}, {tracefile.Poked, "poked"}, {tracefile.Signaled, "signaled"}} {
			if e.Flags&m.flag != 0 {
				s += " " + m.name
			}
		}
		if e.Flags&tracefile.Injected != 0 {
			s += fmt.Sprint(" ", e.Ret)
		}
		all = append(all, s)
	}
	return all
}

// What was done to a call is recorded with it.
func TestTamperedEvents(t *testing.T) {
	mode := func(name string) recording {
		for _, m := range tamperings {
			if m.mode == name {
				return recordIn(t, inDir(t.TempDir()), Options{Inject: m.inject}, prog(t, "tamper"), name)
			}
		}
		t.Fatal(name)
		return recording{}
	}
	for name, want := range map[string][]string{
		"error":  {"1 mkdirat injected -5", "1 mkdirat injected -5"},
		"signal": {"1 mkdirat signaled", "1 getppid injected signaled -3", "1 ppoll signaled"},
		"poke":   {"1 mkdirat poked", "1 readlinkat poked", "1 symlinkat injected poked -30"},
		"delay":  {"1 getppid delayed", "1 getppid delayed", "1 getpgid delayed", "1 getsid injected delayed -1"},
		"noexit": {"1 exit_group injected -5"},
	} {
		r := mode(name)
		if got := tamperedCalls(&r.trace); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
		switch name {
		case "error": // arguments as the program gave them
			e := r.calls("mkdirat")[1]
			if text(e, 1) != "d2" || e.Args[2] != 0o700 {
				t.Errorf("mkdirat(%q, %#o)", text(e, 1), e.Args[2])
			}
		case "poke": // as they were left
			if s := text(r.calls("mkdirat")[0], 1); s != "d99" {
				t.Errorf("mkdirat(%q)", s)
			}
			if s := text(r.calls("readlinkat")[len(r.calls("readlinkat"))-1], 2); s != "BCcdef" {
				t.Errorf("readlinkat: %q", s)
			}
		case "delay": // the time is in the call
			for name, want := range map[string]int64{"getppid": 30e6, "getpgid": 30e6, "getsid": 40e6} {
				e := r.calls(name)[0]
				if e.Duration() < want {
					t.Errorf("%s takes %d ns", name, e.Duration())
				}
			}
		case "signal":
			n := 0
			for _, e := range r.kind(tracefile.Signal) {
				const kernel = 0x80 // SI_KERNEL, as strace's
				if e.NR == uint32(syscall.SIGUSR1) && e.Bufs[0].Data[8] == kernel {
					n++
				}
			}
			if n != 3 {
				t.Errorf("%d signals, want 3", n)
			}
		}
	}
}

// The call that a process is in when it is attached to is entered again, and
// can be tampered with.
func TestTamperAttached(t *testing.T) {
	p := start(t, prog(t, "tamper"), "attached")
	file := t.TempDir() + "/t.reel"
	cmd := attach(t, Options{PIDs: []int{p.Process.Pid}, Inject: []string{"read:error=EIO:when=1"}}, file)
	if s := p.line(t); s != "ok" {
		t.Error(s)
	}
	tr := finish(t, cmd, file)
	if got, want := tamperedCalls(&tr), []string{"1 read injected -5"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Whenever the recorder is killed, or lets go, a call has its own result or the
// one that was asked for, and no thread stays where it was kept.
func TestTamperEnds(t *testing.T) {
	for _, expr := range []string{
		"getppid:error=EIO", "getppid:error=EIO:syscall=getuid",
		"getppid:error=EIO:delay_enter=9000s:when=2+", "getppid:error=EIO:delay_exit=9000s:when=2+",
		"getppid:error=EIO:delay_enter=100us:delay_exit=100us", "getppid:delay_enter=9000s:when=100",
	} {
		for _, sig := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM} {
			for i := range 3 {
				p := start(t, prog(t, "tamper"), "endless")
				file := t.TempDir() + "/t.reel"
				cmd := attach(t, Options{PIDs: []int{p.Process.Pid}, Inject: []string{expr}}, file)
				time.Sleep(time.Duration(3+5*i) * time.Millisecond) // any moment will do
				cmd.Process.Signal(sig)
				cmd.Wait()
				p.Process.Signal(syscall.SIGUSR1)
				if s := p.line(t); !strings.Contains(s, "injected") {
					t.Errorf("%s, %v: %s", expr, sig, s)
				} else if s := p.line(t); s != "ok" {
					t.Errorf("%s, %v: %s", expr, sig, s)
				}
			}
		}
	}
}

// The events of calls that were held when the recording ended are there.
func TestTamperHeldAtEnd(t *testing.T) {
	for _, c := range []struct {
		expr string
		kind tracefile.Kind
	}{{"getppid:error=EIO:delay_enter=9000s", tracefile.Unfinished}, {"getppid:error=EIO:delay_exit=9000s", tracefile.Syscall}} {
		p := start(t, prog(t, "tamper"), "endless")
		var last *tracefile.Event
		for wait := time.Millisecond; wait < 10*time.Second; wait *= 2 {
			file := t.TempDir() + "/t.reel"
			cmd := attach(t, Options{PIDs: []int{p.Process.Pid}, Inject: []string{c.expr}}, file)
			time.Sleep(wait) // may not be enough to get to the call
			tr := finish(t, cmd, file)
			if calls := tr.calls("getppid"); len(calls) > 0 {
				if last = calls[len(calls)-1]; last.Flags&tracefile.Tampered != 0 {
					break
				}
			}
		}
		if last == nil || last.Kind != c.kind || last.Flags&tracefile.Tampered != tracefile.Injected|tracefile.Delayed {
			t.Errorf("%s: the last call is %+v", c.expr, last)
		}
		p.Process.Signal(syscall.SIGUSR1)
		p.line(t)
		if s := p.line(t); s != "ok" {
			t.Errorf("%s: %s", c.expr, s)
		}
	}
}

// inDir has a command run in a directory.
func inDir(dir string) func(*exec.Cmd) { return func(c *exec.Cmd) { c.Dir = dir } }

// A call that is not selected is not in flight either: its end would never come.
// The parent waits in vfork for an execve that is held over the end of a block.
func TestUnselectedInFlight(t *testing.T) {
	r := record(t, Options{Trace: "access", Inject: []string{"execve:delay_enter=1500ms"}}, "sh", "-c", "cat /dev/null; exit 0")
	for _, flying := range r.blocks {
		for i := range flying {
			if n := name(&flying[i]); n != "access" && n != "execve" {
				t.Errorf("%s is in flight", n)
			}
		}
	}
}
