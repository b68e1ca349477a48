//go:build linux && (amd64 || arm64)

// Package unwind follows the call stack of a stopped thread: by the call frame
// information (.eh_frame, System V ABI and DWARF 5, 6.4) of the files that are
// mapped, and where there is none by frame pointers. It knows nothing of ptrace:
// registers and memory are given to it.
//
// Files and stacks are those of any program, and may say anything. Every loop
// is bounded, by the bytes of what is read or by a count, and what cannot be
// understood ends the stack.
package unwind

import "sysreel/proto/syscalls"

// maxRegs is the number of registers that are followed: of arm64 x0–x30 and sp,
// and the program counter.
const maxRegs = 33

// Regs are the registers of a thread, in the order of the machine's DWARF
// numbers.
type Regs struct {
	Arch syscalls.Arch // AMD64, I386 or ARM64
	R    [maxRegs]uint64
}

// layout says which registers are which.
type layout struct {
	word         int // bytes of a pointer
	regs         int
	sp, fp, pc   int
	ra           int // return address on entry to a function; −1: it is on the stack
	pcMask       uint64
	trampoline   string // code of a signal trampoline
	context      uint64 // from the stack pointer there to the saved registers
	contextOrder []int  // which registers these are, −1: something else
}

// PC returns the program counter.
func (r *Regs) PC() uint64 { return r.R[layouts[r.Arch].pc] }

// SetPC sets it.
func (r *Regs) SetPC(pc uint64) { r.R[layouts[r.Arch].pc] = pc }

var layouts = map[syscalls.Arch]*layout{
	// System V ABI, AMD64 supplement, 3.6.2. struct sigcontext is in
	// arch/x86/include/uapi/asm/sigcontext.h, struct rt_sigframe in
	// arch/x86/include/asm/sigframe.h: the handler's return leaves the stack
	// pointer at its ucontext.
	syscalls.AMD64: {word: 8, regs: 17, sp: 7, fp: 6, pc: 16, ra: -1, pcMask: 1<<64 - 1,
		trampoline: "\x48\xc7\xc0\x0f\x00\x00\x00\x0f\x05", // mov $15,%rax; syscall
		context:    40, contextOrder: []int{8, 9, 10, 11, 12, 13, 14, 15, 5, 4, 6, 3, 1, 0, 2, 7, 16}},
	// System V ABI, Intel386 supplement, 2.5. The vDSO's trampolines have
	// call frame information.
	syscalls.I386: {word: 4, regs: 9, sp: 4, fp: 5, pc: 8, ra: -1, pcMask: 1<<32 - 1},
	// DWARF for the Arm 64-bit Architecture. Return addresses may be signed
	// (pointer authentication) in the bits above the address.
	// arch/arm64/include/uapi/asm/sigcontext.h, arch/arm64/kernel/signal.c.
	syscalls.ARM64: {word: 8, regs: 33, sp: 31, fp: 29, pc: 32, ra: 30, pcMask: 1<<48 - 1,
		trampoline: "\x68\x11\x80\xd2\x01\x00\x00\xd4", // mov x8,#139; svc #0
		context:    312, contextOrder: []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19,
			20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32}},
}
