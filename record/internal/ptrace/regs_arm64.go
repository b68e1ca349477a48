//go:build linux

package ptrace

import (
	"encoding/binary"
	"unsafe"

	"golang.org/x/sys/unix"

	"sysreel/proto/syscalls"
	"sysreel/record/internal/unwind"
)

// syscallSize is the length in bytes of the instruction that makes a system
// call.
const syscallSize = 4

// callInterrupted tells from the registers of a stopped thread which system
// call it was in. Before it stops, the kernel has already set back the program
// counter and x0 of a call that it will make again (do_signal in
// arch/arm64/kernel/signal.c): the thread is then in front of an svc
// instruction with the number in x8. A call that ends with EINTR leaves no
// trace that could be told from ordinary registers.
func callInterrupted(tid int) (m pendingCall, ok bool) {
	var b [34 * 8]byte // struct user_pt_regs: x0–x30, sp, pc, pstate
	iov := unix.Iovec{Base: &b[0], Len: uint64(len(b))}
	const ntPrstatus = 1
	if ptrace(unix.PTRACE_GETREGSET, tid, ntPrstatus, uintptr(unsafe.Pointer(&iov))) != 0 || iov.Len != uint64(len(b)) {
		return m, false
	}
	r := func(i int) uint64 { return binary.LittleEndian.Uint64(b[8*i:]) }
	const pc, svc = 32, 0xd4000001
	var word uint64
	at := r(pc)
	if ptrace(unix.PTRACE_PEEKDATA, tid, uintptr(at&^7), uintptr(unsafe.Pointer(&word))) != 0 {
		return m, false
	}
	if uint32(word>>(at&4*8)) != svc {
		return m, false
	}
	m.arch, m.nr = syscalls.ARM64, uint32(r(8))
	for i := range m.args {
		m.args[i] = r(i)
	}
	m.restarts = true
	return m, true
}

// foreign reports whether a stopped thread runs a program of an architecture of
// whose calls the table has none: a 32-bit ARM program has fewer registers.
func foreign(tid int) bool {
	var b [34 * 8]byte
	iov := unix.Iovec{Base: &b[0], Len: uint64(len(b))}
	const ntPrstatus = 1
	return ptrace(unix.PTRACE_GETREGSET, tid, ntPrstatus, uintptr(unsafe.Pointer(&iov))) == 0 && iov.Len != uint64(len(b))
}

// userRegs is the number of registers in struct user_pt_regs
// (arch/arm64/include/uapi/asm/ptrace.h).
const userRegs = 34

// fillRegs fills r from the size bytes that the kernel gave.
func fillRegs(r *unwind.Regs, b *[userRegs]uint64, size int) bool {
	if size != userRegs*8 {
		return false // a 32-bit program
	}
	r.Arch = syscalls.ARM64
	copy(r.R[:], b[:]) // x0–x30, sp, pc
	return true
}
