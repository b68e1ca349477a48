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
	userOrigRAX = 15 * 8
)

func pokeUser(tid int, offset uintptr, v uint64) bool {
	return ptrace(unix.PTRACE_POKEUSR, tid, offset, uintptr(v)) == 0
}

// refuse makes the call at whose seccomp-stop a tracee is fail with ENOSYS: on
// x86 that is the result of a call without a number.
func refuse(tid int) { pokeUser(tid, userOrigRAX, ^uint64(0)) }

// setFirstArg changes the first argument of the call that a tracee is about to
// make, or the register after it.
func setFirstArg(tid int, arch syscalls.Arch, v uint64) bool {
	if arch == syscalls.I386 {
		return pokeUser(tid, userRBX, v)
	}
	return pokeUser(tid, userRDI, v)
}
