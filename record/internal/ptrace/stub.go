//go:build linux && (amd64 || arm64)

package ptrace

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
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

// stubAddr returns the stub's instructions, and some of what is behind them.
func stubAddr() *[stubSize]byte

const (
	stubBase   = 0x10000000 // where it is loaded
	stubParams = 0x80       // offset of the parameters, behind the ELF headers
	stubCode   = 0x100      // offset of the code
	stubSize   = 320        // bytes of code copied; what follows the stub is never reached
	stubProg   = 0x400      // offset of the seccomp program

	stubSamples = 64 // calls for the calibration
)

// stubImage returns an ELF executable (man 5 elf) that waits for a byte from
// descriptor fd. filter, if any, is installed as a seccomp program.
func stubImage(fd int, filter []unix.SockFilter, noNewPrivs bool) []byte {
	machine := uint16(62) // EM_X86_64
	if runtime.GOARCH == "arm64" {
		machine = 183 // EM_AARCH64
	}
	var b bytes.Buffer
	put := func(v ...any) {
		for _, v := range v {
			binary.Write(&b, binary.LittleEndian, v)
		}
	}
	size := uint64(stubProg + 8*len(filter))
	b.WriteString("\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	put(uint16(2), machine, uint32(1), uint64(stubBase+stubCode), uint64(64), uint64(0), // ET_EXEC … e_entry, e_phoff
		uint32(0), uint16(64), uint16(56), uint16(1), uint16(64), uint16(0), uint16(0))
	put(uint32(1), uint32(5), uint64(0), uint64(stubBase), uint64(stubBase), size, size, uint64(0x10000)) // PT_LOAD, r-x
	b.Write(make([]byte, stubParams-b.Len()))
	var privs uint32
	if noNewPrivs {
		privs = 1
	}
	put(int32(fd), int32(stubSamples), uint16(len(filter)), [6]byte{}, uint64(stubBase+stubProg), privs)
	b.Write(make([]byte, stubCode-b.Len()))
	b.Write(stubAddr()[:])
	b.Write(make([]byte, stubProg-b.Len()))
	for _, f := range filter {
		put(f.Code, f.Jt, f.Jf, f.K)
	}
	return b.Bytes()
}

// stubFile returns an open file with the image, and a name to execute it by.
func stubFile(image []byte) (*os.File, string, error) {
	const mfdExec = 0x10 // MFD_EXEC, Linux 6.3: or vm.memfd_noexec may forbid it
	fd, err := unix.MemfdCreate("sysreel", unix.MFD_CLOEXEC|mfdExec)
	if err == unix.EINVAL {
		fd, err = unix.MemfdCreate("sysreel", unix.MFD_CLOEXEC)
	}
	if err == nil {
		f := os.NewFile(uintptr(fd), "memfd")
		if _, err := f.Write(image); err == nil {
			return f, fmt.Sprintf("/proc/self/fd/%d", fd), nil
		}
		f.Close()
	}
	// No anonymous memory may be executed here: a file, then. It is removed
	// as soon as it is open.
	for _, dir := range []string{os.TempDir(), "/dev/shm", "/var/tmp", "."} {
		f, err := executableFile(dir, image)
		if err == nil {
			return f, fmt.Sprintf("/proc/self/fd/%d", f.Fd()), nil
		}
	}
	return nil, "", fmt.Errorf("no place for a helper program that may be executed: %w", err)
}

func executableFile(dir string, image []byte) (*os.File, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return nil, err
	}
	if fs.Flags&unix.ST_NOEXEC != 0 {
		return nil, unix.EACCES
	}
	w, err := os.CreateTemp(dir, ".sysreel")
	if err != nil {
		return nil, err
	}
	defer os.Remove(w.Name())
	_, err = w.Write(image)
	if err == nil {
		err = w.Chmod(0o700)
	}
	if cerr := w.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return nil, err
	}
	// Opened for reading only: a file open for writing cannot be executed.
	return os.Open(w.Name())
}

// startStub starts the stub as a child of the calling thread. Writing a byte
// to release lets it execute the command; closing it makes the stub exit.
func startStub(c Command, filter []unix.SockFilter, noNewPrivs bool) (pid int, release *os.File, err error) {
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		return 0, nil, err
	}
	fd, w := pipe[0], os.NewFile(uintptr(pipe[1]), "pipe")
	defer unix.Close(fd)
	f, name, err := stubFile(stubImage(fd, filter, noNewPrivs))
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
	pid, err = syscall.ForkExec(name, append([]string{c.Path}, c.Argv...), &syscall.ProcAttr{
		Env:   c.Env,
		Files: []uintptr{0, stdout, 2},
	})
	if err != nil {
		w.Close()
		return 0, nil, fmt.Errorf("starting the helper program: %w", err)
	}
	return pid, w, nil
}
