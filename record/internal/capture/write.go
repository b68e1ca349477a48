//go:build linux && (amd64 || arm64)

package capture

import (
	"encoding/binary"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Write changes memory of a tracee; it reports whether all of data is there.
func (c *Capturer) Write(tid int, addr uint64, data []byte) bool {
	if len(data) == 0 {
		return true
	}
	local := unix.Iovec{Base: &data[0], Len: uint64(len(data))}
	remote := unix.Iovec{Len: uint64(len(data))}
	*(*uint64)(unsafe.Pointer(&remote.Base)) = addr
	n, _, _ := syscall.RawSyscall6(unix.SYS_PROCESS_VM_WRITEV, uintptr(tid),
		uintptr(unsafe.Pointer(&local)), 1, uintptr(unsafe.Pointer(&remote)), 1, 0)
	if int(n) == len(data) {
		return true
	}
	// As for reading: ptrace may write where process_vm_writev may not.
	for i := 0; i < len(data); {
		at := addr + uint64(i)
		skip := at & 7
		var word [8]byte
		var v uint64
		if _, _, errno := syscall.RawSyscall6(unix.SYS_PTRACE, unix.PTRACE_PEEKDATA, uintptr(tid),
			uintptr(at-skip), uintptr(unsafe.Pointer(&v)), 0, 0); errno != 0 {
			return false
		}
		binary.LittleEndian.PutUint64(word[:], v)
		i += copy(word[skip:], data[i:])
		if _, _, errno := syscall.RawSyscall6(unix.SYS_PTRACE, unix.PTRACE_POKEDATA, uintptr(tid),
			uintptr(at-skip), uintptr(binary.LittleEndian.Uint64(word[:])), 0, 0); errno != 0 {
			return false
		}
	}
	return true
}
