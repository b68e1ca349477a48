//go:build linux && (amd64 || arm64)

package record

import (
	"syscall"

	"sysreel/record/internal/ptrace"
)

// Die ends this process by a signal, as a process does that does not catch it,
// without a core dump. It returns if the signal does not end processes.
func Die(signo int) {
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
	ptrace.DieOf(syscall.Signal(signo))
}
