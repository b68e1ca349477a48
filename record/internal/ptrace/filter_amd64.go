//go:build linux

package ptrace

import (
	"golang.org/x/sys/unix"

	"sysreel/proto/syscalls"
)

// filterArchs are the architectures whose calls a filter chooses among.
var filterArchs = []filterArch{
	{unix.AUDIT_ARCH_X86_64, []syscalls.Arch{syscalls.AMD64, syscalls.X32}},
	{unix.AUDIT_ARCH_I386, []syscalls.Arch{syscalls.I386}},
}

// Offsets in struct user, arch/x86/include/asm/user_64.h; a 64-bit tracer uses
// them for 32-bit tracees too.
const (
	userRBX     = 5 * 8
	userRDI     = 14 * 8
	userRAX     = 10 * 8
	userOrigRAX = 15 * 8
)

func pokeUser(tid int, offset uintptr, v uint64) bool {
	return ptrace(unix.PTRACE_POKEUSR, tid, offset, uintptr(v)) == 0
}

// refuse makes the call at whose seccomp-stop a tracee is fail with ENOSYS: on
// x86 that is the result of a call without a number.
func refuse(tid int) { pokeUser(tid, userOrigRAX, ^uint64(0)) }

// setCall changes, at the enter of a call, its number. −1 is no call: the result
// is then what it is set to here. In this order: the kernel looks at orig_rax for
// the number, and overwrites rax if there is a call.
func setCall(tid int, number, result int64) bool {
	return pokeUser(tid, userRAX, uint64(result)) && pokeUser(tid, userOrigRAX, uint64(number))
}

// setResult changes, at the exit of a call, its result.
func setResult(tid int, result int64) bool { return pokeUser(tid, userRAX, uint64(result)) }

// setFirstArg changes the first argument of the call that a tracee is about to
// make, or the register after it.
func setFirstArg(tid int, arch syscalls.Arch, v uint64) bool {
	if arch == syscalls.I386 {
		return pokeUser(tid, userRBX, v)
	}
	return pokeUser(tid, userRDI, v)
}
