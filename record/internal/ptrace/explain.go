//go:build linux && (amd64 || arm64)

package ptrace

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"sysreel/record/internal/procfs"
)

// AttachError says which process could not be attached to and why.
type AttachError struct {
	PID  int
	Err  error
	Hint string
}

func (e *AttachError) Error() string { return fmt.Sprintf("process %d: %v", e.PID, e.Err) }
func (e *AttachError) Unwrap() error { return e.Err }

// needCapability is what to do where a right is missing.
const needCapability = "run as root, or with CAP_SYS_PTRACE (in a container: --cap-add SYS_PTRACE)"

// What is said where a seccomp filter denies ptrace(2).
var errFilter = errors.New("a seccomp filter forbids ptrace(2) here")

const withoutFilter = "in a container try --cap-add SYS_PTRACE, or --security-opt seccomp=unconfined"

// explain turns an error of PTRACE_SEIZE into one that names its cause.
func (e *Engine) explain(pid, tid int, errno syscall.Errno) *AttachError {
	s, ok := e.proc.Look(tid)
	switch {
	case !ok:
		return &AttachError{PID: pid, Err: syscall.ESRCH}
	case s.Kernel && s.State != 'Z':
		return &AttachError{PID: pid, Err: fmt.Errorf("%s is a kernel thread: it makes no system calls", s.Name)}
	case s.TracerPID != 0:
		tracer, _ := e.proc.Look(s.TracerPID) // a thread
		return &AttachError{PID: pid, Err: fmt.Errorf("it is traced already, by %s (process %d)", tracer.Name, tracer.TGID),
			Hint: "a process can have one tracer: end that one first"}
	case errno != unix.EPERM:
		return &AttachError{PID: pid, Err: errno}
	}
	if forbidden() {
		return &AttachError{PID: pid, Err: errFilter, Hint: withoutFilter}
	}
	euid := os.Geteuid()
	own := procfs.Capabilities(os.Getpid())
	theirs := procfs.Capabilities(pid)
	const sysPtrace = 1 << unix.CAP_SYS_PTRACE
	switch {
	case own&sysPtrace != 0 && procfs.InUserNamespace():
		return &AttachError{PID: pid, Err: fmt.Errorf("%w: this process has CAP_SYS_PTRACE in its own user namespace only", errno),
			Hint: "run outside of it, as root"}
	case own&sysPtrace != 0:
		return &AttachError{PID: pid, Err: errno,
			Hint: "this process has CAP_SYS_PTRACE, so a security module (SELinux, AppArmor) forbids it: its log says more"}
	case int(s.UID) != euid:
		return &AttachError{PID: pid, Err: fmt.Errorf("%w: it belongs to user %d, this is user %d", errno, s.UID, euid),
			Hint: needCapability}
	case theirs&^own != 0:
		return &AttachError{PID: pid, Err: fmt.Errorf("%w: it has capabilities that this process lacks", errno),
			Hint: needCapability}
	}
	switch scope := procfs.YamaScope(); scope {
	case 1:
		return &AttachError{PID: pid, Err: fmt.Errorf("%w: kernel.yama.ptrace_scope is 1, only descendants may be traced", errno),
			Hint: needCapability + ", or set it to 0: sysctl kernel.yama.ptrace_scope=0; a command that sysreel starts can always be recorded"}
	case 2:
		return &AttachError{PID: pid, Err: fmt.Errorf("%w: kernel.yama.ptrace_scope is 2, only administrators may trace", errno),
			Hint: needCapability}
	case 3:
		return &AttachError{PID: pid, Err: fmt.Errorf("%w: kernel.yama.ptrace_scope is 3, nothing may be traced until the next boot", errno)}
	}
	return &AttachError{PID: pid, Err: fmt.Errorf("%w: the process is not dumpable (it changed its user, or asked for it)", errno),
		Hint: needCapability}
}

// explainLaunch says why a new process of our own cannot be traced.
func (e *Engine) explainLaunch(pid int, errno syscall.Errno) error {
	if s, ok := e.proc.Look(pid); ok && s.TracerPID != 0 {
		tracer, _ := e.proc.Look(s.TracerPID)
		return fmt.Errorf("it is traced already, by %s (process %d), which follows all that sysreel starts; a process can have one tracer",
			tracer.Name, s.TracerPID)
	}
	if forbidden() {
		return fmt.Errorf("%w; %s", errFilter, withoutFilter)
	}
	err := fmt.Errorf("tracing the new process: %w", errno)
	if errno == unix.EPERM { // which the kernel itself does not say to a parent
		err = fmt.Errorf("%w; a security module (SELinux, AppArmor) forbids it: its log says more", err)
	}
	return err
}

// forbidden reports whether a seccomp filter keeps this process from using
// ptrace: it fails even for a process that cannot exist, and not because of that.
func forbidden() bool {
	const nobody = 1 << 30 // above PID_MAX_LIMIT, include/linux/threads.h
	return seize(nobody, 0) != unix.ESRCH
}
