//go:build linux && (amd64 || arm64)

package ptrace

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// The helper processes, stub and guard, are programs of a few dozen
// instructions without any runtime. Their code is assembled into this one and
// copied from there.

const (
	programBase   = 0x10000000 // where a program is loaded
	programParams = 0x80       // offset of its parameters, behind the ELF headers
	programCode   = 0x100      // offset of its code
	programSize   = 512        // bytes of code copied; what follows it there is never reached
	programData   = 0x400      // offset of further data
)

// program returns an ELF executable (man 5 elf).
func program(code *[programSize]byte, params, data []byte) []byte {
	machine := uint16(62) // EM_X86_64
	if runtime.GOARCH == "arm64" {
		machine = 183 // EM_AARCH64
	}
	var b bytes.Buffer
	put := func(values ...any) {
		for _, v := range values {
			binary.Write(&b, binary.LittleEndian, v)
		}
	}
	pad := func(to int) { b.Write(make([]byte, to-b.Len())) }
	size := uint64(programData + len(data))
	b.WriteString("\x7fELF\x02\x01\x01")
	pad(16)
	put(uint16(2), machine, uint32(1), uint64(programBase+programCode), uint64(64), uint64(0), // ET_EXEC … e_entry, e_phoff
		uint32(0), uint16(64), uint16(56), uint16(1), uint16(64), uint16(0), uint16(0))
	put(uint32(1), uint32(5), uint64(0), uint64(programBase), uint64(programBase), size, size, uint64(0x10000)) // PT_LOAD, r-x
	pad(programParams)
	b.Write(params)
	pad(programCode)
	b.Write(code[:])
	pad(programData)
	b.Write(data)
	return b.Bytes()
}

// programFile returns an open file with the image, and a name to execute it by.
func programFile(image []byte) (*os.File, string, error) {
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
