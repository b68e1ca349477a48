//go:build linux && (amd64 || arm64)

package ptrace

import (
	"fmt"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Held is a process that has become the stub in place, and that another process is to
// launch.
type Held struct {
	PID int
	// Release lets the stub go on: see startStub.
	Release *os.File
	// Executed has been closed at its other end when the process is the stub.
	Executed *os.File
}

// await waits until the process is the stub.
func (h *Held) await() {
	_, _ = io.Copy(io.Discard, h.Executed)
	h.Executed.Close()
}

// Hold prepares to make a Held of this process: it returns what the engine's process
// needs, and what executes the stub, and returns only if that fails.
func Hold(c Command) (h Held, execute func() error, err error) {
	var release, executed [2]int
	if err := unix.Pipe2(release[:], unix.O_CLOEXEC); err != nil {
		return Held{}, nil, err
	}
	if err := unix.Pipe2(executed[:], unix.O_CLOEXEC); err != nil {
		return Held{}, nil, err
	}
	_, name, err := programFile(stubImage(release[0], inheritedIgnored(), nil, false, c.failStatus()))
	if err != nil {
		return Held{}, nil, err
	}
	h = Held{PID: os.Getpid(), Release: os.NewFile(uintptr(release[1]), "pipe"), Executed: os.NewFile(uintptr(executed[0]), "pipe")}
	return h, func() error {
		// Yama lets only ancestors trace, unless it is told otherwise.
		_ = unix.Prctl(unix.PR_SET_PTRACER, unix.PR_SET_PTRACER_ANY, 0, 0, 0)
		if u := c.User; u != nil {
			if err := become(u); err != nil {
				return err
			}
		}
		if _, err := unix.FcntlInt(uintptr(release[0]), unix.F_SETFD, 0); err != nil {
			return err
		}
		return syscall.Exec(name, append([]string{c.Path}, c.Argv...), c.Env)
	}, nil
}

// become makes this process one of a user.
func become(u *syscall.Credential) error {
	groups := make([]int, len(u.Groups))
	for i, g := range u.Groups {
		groups[i] = int(g)
	}
	if err := syscall.Setgroups(groups); err != nil {
		return fmt.Errorf("setgroups: %w", err)
	}
	if err := syscall.Setgid(int(u.Gid)); err != nil {
		return fmt.Errorf("setgid: %w", err)
	}
	if err := syscall.Setuid(int(u.Uid)); err != nil {
		return fmt.Errorf("setuid: %w", err)
	}
	return nil
}
