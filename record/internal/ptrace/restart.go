//go:build linux && (amd64 || arm64)

package ptrace

import "sysreel/proto/syscalls"

// isRestart reports whether a result says that the kernel may make the call
// again (include/linux/errno.h: ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND,
// ERESTART_RESTARTBLOCK).
func isRestart(ret int64) bool { return ret <= -512 && ret >= -516 && ret != -515 }

// interrupted is a call that ended with ERESTART* and may be made again by the
// kernel: at once, or when the signal handler that it was left for returns.
type interrupted struct {
	valid bool
	away  bool // a handler runs
	arch  syscalls.Arch
	nr    uint32
	ip    uint64
	args  [6]uint64
}

// resumes reports whether the call being entered is i made again.
func (i *interrupted) resumes(c *call, ip uint64) bool {
	if !i.valid || i.away {
		return false
	}
	if c.entry.role == restartCall || c.arch == i.arch && c.nr == i.nr && c.args == i.args && ip == i.ip {
		i.valid = false
		return true
	}
	i.away = true
	return false
}

// left takes in that another call has ended. When a handler returns, the
// program counter tells what becomes of i: before the system call's
// instruction it is made again, behind it the program gets EINTR.
func (i *interrupted) left(r role, ip uint64) {
	if r == sigreturnCall {
		i.away = false
		i.valid = ip+syscallSize == i.ip
	}
}
