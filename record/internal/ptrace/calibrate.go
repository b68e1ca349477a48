//go:build linux && (amd64 || arm64)

package ptrace

import (
	"errors"
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// errNoInfo says that the engine cannot learn what a stop is about.
func errNoInfo(errno syscall.Errno) error {
	return fmt.Errorf("PTRACE_GET_SYSCALL_INFO: %w: recording needs Linux 5.3 or later, this is %s; or a sandbox does not have it",
		errno, Uname().Release)
}

// calibrate measures what a stop costs before an attach, on a process of its
// own: the stub, which is killed when it would execute a command. It fails only
// where nothing can be recorded; without the measurement recording goes on.
func (e *Engine) calibrate() error {
	pid, release, err := startStub(Command{Path: "/"}, nil, false)
	if err != nil {
		return nil
	}
	defer release.Close()
	defer func() {
		unix.Kill(pid, unix.SIGKILL)
		var status uint32
		for {
			if tid, errno := wait(0, &status); errno == unix.ECHILD || tid == pid && status&0xff != 0x7f {
				return
			}
		}
	}()
	if seize(pid, unix.PTRACE_O_TRACESYSGOOD|unix.PTRACE_O_EXITKILL) != 0 {
		return nil // the attach will say why
	}
	if p := &e.place; p.on { // both on one CPU, as one busy thread is placed
		if cpu := currentCPU(); p.own.has(cpu) {
			one := singleCPU(cpu, p.words)
			setAffinity(pid, one)
			setAffinity(e.tid, one)
			defer setAffinity(e.tid, p.own)
		}
	}
	interrupt(pid)
	for began, inside := int64(0), false; ; {
		var status uint32
		tid, errno := wait(0, &status)
		now := e.now()
		if errno == unix.EINTR || errno == 0 && tid != pid {
			continue
		}
		s, _ := classify(status)
		switch {
		case errno != 0 || s == gone:
			return nil
		case s != inSyscall:
			release.Write([]byte{1})
		default:
			switch errno := getSyscallInfo(pid, &e.info); {
			case errors.Is(errno, unix.ESRCH):
				return nil
			case errno != 0:
				return errNoInfo(errno)
			case e.info.Op == opEntry && e.info.NR == unix.SYS_EXECVE:
				return nil
			case e.info.Op == opEntry:
				began, inside = now, true
			case inside:
				inside = false
				e.launch.sample(now - began)
			}
		}
		resume(unix.PTRACE_SYSCALL, pid, 0)
	}
}
