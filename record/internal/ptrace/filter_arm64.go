//go:build linux

package ptrace

import (
	"encoding/binary"
	"unsafe"

	"golang.org/x/sys/unix"

	"sysreel/proto/syscalls"
)

// filterArchs are the architectures whose calls a filter chooses among. The
// table has no 32-bit ARM calls: none of them stops.
var filterArchs = []filterArch{{unix.AUDIT_ARCH_AARCH64, []syscalls.Arch{syscalls.ARM64}}}

// refuse makes the call at whose seccomp-stop a tracee is fail with ENOSYS: the
// kernel leaves out a call with the number −1, and x0 as it is.
func refuse(tid int) {
	setCall(tid, -1, -int64(unix.ENOSYS))
}

// setCall changes, at the enter of a call, its number. −1 is no call: the result
// is then what it is set to here. The number comes first, for until there is no
// call x0 is an argument.
func setCall(tid int, number, result int64) bool {
	const ntARMSystemCall = 0x404 // include/uapi/linux/elf.h
	nr := int32(number)
	iov := unix.Iovec{Base: (*byte)(unsafe.Pointer(&nr)), Len: 4}
	if ptrace(unix.PTRACE_SETREGSET, tid, ntARMSystemCall, uintptr(unsafe.Pointer(&iov))) != 0 {
		return false
	}
	return number != -1 || setX0(tid, uint64(result))
}

// setResult changes, at the exit of a call, its result.
func setResult(tid int, result int64) bool { return setX0(tid, uint64(result)) }

// setFirstArg changes the first argument of the call that a tracee is about to
// make. After the call the register has its result: nothing to put back.
func setFirstArg(tid int, arch syscalls.Arch, v uint64) bool {
	var info syscallInfo
	if getSyscallInfo(tid, &info) == 0 && info.Op == opExit {
		return true
	}
	return setX0(tid, v)
}

func setX0(tid int, v uint64) bool {
	var b [34 * 8]byte // struct user_pt_regs
	iov := unix.Iovec{Base: &b[0], Len: uint64(len(b))}
	const ntPrstatus = 1
	if ptrace(unix.PTRACE_GETREGSET, tid, ntPrstatus, uintptr(unsafe.Pointer(&iov))) != 0 {
		return false
	}
	binary.LittleEndian.PutUint64(b[:], v)
	return ptrace(unix.PTRACE_SETREGSET, tid, ntPrstatus, uintptr(unsafe.Pointer(&iov))) == 0
}
