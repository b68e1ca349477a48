//go:build linux && (amd64 || arm64)

package ptrace

import "golang.org/x/sys/unix"

// stop is what a wait status means for a tracee under PTRACE_SEIZE
// (ptrace(2), "Stopped states").
type stop uint8

const (
	gone       stop = iota // exited or killed
	inSyscall              // syscall-enter or -exit; GET_SYSCALL_INFO says which
	signalStop             // signal-delivery-stop
	groupStop              // job control
	eventStop              // initial stop, PTRACE_INTERRUPT, or the end of a group-stop
	forked                 // PTRACE_EVENT_FORK, VFORK or CLONE
	execed                 // PTRACE_EVENT_EXEC
	filtered               // PTRACE_EVENT_SECCOMP
	otherStop
)

// classify names the stop that a wait status reports and the signal in it.
func classify(status uint32) (s stop, signo int) {
	if status&0xff != 0x7f {
		return gone, 0
	}
	signo = int(status >> 8 & 0xff)
	switch event := int(status >> 16); event {
	case 0:
		if signo == int(unix.SIGTRAP)|0x80 {
			return inSyscall, 0
		}
		return signalStop, signo
	case unix.PTRACE_EVENT_STOP:
		switch unix.Signal(signo) {
		case unix.SIGSTOP, unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU:
			return groupStop, signo
		}
		return eventStop, signo
	case unix.PTRACE_EVENT_FORK, unix.PTRACE_EVENT_VFORK, unix.PTRACE_EVENT_CLONE:
		return forked, event
	case unix.PTRACE_EVENT_EXEC:
		return execed, 0
	case unix.PTRACE_EVENT_SECCOMP:
		return filtered, 0
	}
	return otherStop, signo
}
