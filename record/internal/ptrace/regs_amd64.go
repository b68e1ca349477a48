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
const syscallSize = 2

// callInterrupted tells from the registers of a stopped thread which system
// call it was in. On x86 the number stays in orig_ax and the arguments in
// their registers until the call is left; ax holds −ERESTART* if the kernel
// will make it again.
func callInterrupted(tid int) (m pendingCall, ok bool) {
	var b [27 * 8]byte // struct user_regs_struct, arch/x86/include/asm/user_64.h
	iov := unix.Iovec{Base: &b[0], Len: uint64(len(b))}
	const ntPrstatus = 1
	if ptrace(unix.PTRACE_GETREGSET, tid, ntPrstatus, uintptr(unsafe.Pointer(&iov))) != 0 {
		return m, false
	}
	var number int64
	if iov.Len == 17*4 { // a 32-bit program: struct user_regs_struct32
		r := func(i int) int64 { return int64(int32(binary.LittleEndian.Uint32(b[4*i:]))) }
		m.arch, number, m.ret = syscalls.I386, r(11), r(6) // orig_eax, eax
		for i, reg := range []int{0, 1, 2, 3, 4, 5} {      // ebx ecx edx esi edi ebp
			m.args[i] = uint64(uint32(r(reg)))
		}
	} else {
		r := func(i int) int64 { return int64(binary.LittleEndian.Uint64(b[8*i:])) }
		m.arch, number, m.ret = syscalls.AMD64, r(15), r(10) // orig_rax, rax
		for i, reg := range []int{14, 13, 12, 7, 9, 8} {     // rdi rsi rdx r10 r8 r9
			m.args[i] = uint64(r(reg))
		}
	}
	if number < 0 { // interrupted outside of any call
		return m, false
	}
	m.nr = uint32(number)
	if m.arch == syscalls.AMD64 && m.nr&x32Bit != 0 {
		m.arch = syscalls.X32
	}
	m.restarts = isRestart(m.ret)
	return m, true
}

// foreign reports whether a stopped thread runs a program of an architecture of
// whose calls the table has none. All that run here are in it.
func foreign(int) bool { return false }

// userRegs is the number of registers in struct user_regs_struct
// (arch/x86/include/asm/user_64.h).
const userRegs = 27

// fillRegs fills r from the size bytes that the kernel gave.
func fillRegs(r *unwind.Regs, b *[userRegs]uint64, size int) bool {
	if size == 17*4 { // struct user_regs_struct32, by its order of DWARF numbers: eax … edi, eip
		r.Arch = syscalls.I386
		for i, at := range []int{6, 1, 2, 0, 15, 5, 3, 4, 12} {
			r.R[i] = b[at/2] >> (at % 2 * 32) & (1<<32 - 1)
		}
		return true
	}
	r.Arch = syscalls.AMD64
	for i, at := range []int{10, 12, 11, 5, 13, 14, 4, 19, 9, 8, 7, 6, 3, 2, 1, 0, 16} {
		r.R[i] = b[at]
	}
	return true
}
