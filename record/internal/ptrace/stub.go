//go:build linux && (amd64 || arm64)

package ptrace

import (
	"encoding/binary"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// A launched command begins life as the stub: a program of a few dozen
// instructions (stub_amd64.s, stub_arm64.s) that waits at a pipe until the
// engine has seized it and then executes the command. It has no runtime, so
// the signal mask, the ignored signals, the resource limits, the environment
// and the descriptors reach the command as the recorder passed them on.
//
// Before the execve the stub makes a few calls that take no time; what the
// engine measures for them is the calibration.

// stub is code, not a function.
func stub()

// stubAddr returns its instructions, and some of what is behind them.
func stubAddr() *[programSize]byte

// stubSamples is how many calls the stub makes for the calibration: the median
// settles with the first few, and each takes two stops.
const stubSamples = 15

// stubImage returns the stub as a program that waits for a byte from
// descriptor fd. ignored are the signals to ignore, bit N−1 for signal N. filter,
// if any, is installed as a seccomp program. status is what the stub exits with if
// the command cannot be executed.
func stubImage(fd int, ignored uint64, filter []unix.SockFilter, noNewPrivs bool, status uint8) []byte {
	var params, prog []byte
	params = binary.LittleEndian.AppendUint32(params, uint32(fd))
	params = binary.LittleEndian.AppendUint32(params, stubSamples)
	params = binary.LittleEndian.AppendUint64(params, uint64(len(filter))) // struct sock_fprog
	params = binary.LittleEndian.AppendUint64(params, programBase+programData)
	var privs uint32
	if noNewPrivs {
		privs = 1
	}
	params = binary.LittleEndian.AppendUint32(params, privs)
	params = binary.LittleEndian.AppendUint32(params, uint32(status))
	params = binary.LittleEndian.AppendUint64(params, ignored)
	params = binary.LittleEndian.AppendUint64(params, sigIgn) // struct sigaction; what follows is 0
	for _, f := range filter {                                // struct sock_filter
		prog = binary.LittleEndian.AppendUint16(prog, f.Code)
		prog = append(prog, f.Jt, f.Jf)
		prog = binary.LittleEndian.AppendUint32(prog, f.K)
	}
	return program(stubAddr(), params, prog)
}

// startStub starts the stub. Writing a byte
// to release lets it execute the command; closing it makes the stub exit.
func startStub(c Command, filter []unix.SockFilter, noNewPrivs bool) (pid int, release *os.File, err error) {
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		return 0, nil, err
	}
	fd, w := pipe[0], os.NewFile(uintptr(pipe[1]), "pipe")
	defer unix.Close(fd)
	f, name, err := programFile(stubImage(fd, inheritedIgnored(), filter, noNewPrivs, c.failStatus()))
	if err != nil {
		w.Close()
		return 0, nil, err
	}
	defer f.Close()
	// The stub keeps the pipe at the number it has here: no descriptor that
	// the command inherits has that number.
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, 0); err != nil {
		w.Close()
		return 0, nil, err
	}
	stdout := uintptr(1)
	if c.StdoutToStderr {
		stdout = 2
	}
	// Its parent is not the calling thread, which ends with the recording:
	// the kernel takes the end of the parent's thread for the parent's death
	// (PR_SET_PDEATHSIG). The threads of Go's own keep on.
	started := make(chan struct{})
	go func() {
		defer close(started)
		pid, err = syscall.ForkExec(name, append([]string{c.Path}, c.Argv...), &syscall.ProcAttr{
			Env:   c.Env,
			Files: []uintptr{0, stdout, 2},
			Sys:   &syscall.SysProcAttr{Credential: c.User},
		})
	}()
	<-started
	if err != nil {
		w.Close()
		return 0, nil, fmt.Errorf("starting the helper program: %w", err)
	}
	return pid, w, nil
}
