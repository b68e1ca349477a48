//go:build linux && (amd64 || arm64)

package ptrace

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"sysreel/proto/tracefile"
	"sysreel/record/internal/unwind"
)

// stacks is what the engine needs to follow stacks.
type stacks struct {
	unwinder unwind.Unwinder
	target   unwind.Target
	tid      int
}

// stackAt returns the stack of a stopped thread and the address that it is at.
// exact: it is not behind a call or the instruction of a system call. The stack
// is the same at the enter of a call and at its exit, but for calls that change
// it: so it is taken at the enter, of calls that never return too.
func (e *Engine) stackAt(t *thread, exact bool) (*tracefile.Stack, uint64) {
	s := &e.stacks
	target := &s.target
	if target.Read == nil {
		target.Read = s.read
	}
	if !readRegs(int(t.TID), &target.Regs) {
		return nil, 0
	}
	s.tid = int(t.TID)
	target.TID, target.Space, target.Exact, target.Extent = s.tid, t.proc.space, exact, &t.extent
	depth := e.cfg.Stacks
	if e.slow(t) {
		depth = 1 // memory could not be read without waiting for an execve
	}
	return s.unwinder.Stack(target, depth), target.Regs.PC()
}

// read reads the memory of the thread that is being unwound.
func (s *stacks) read(addr uint64, into []byte) int {
	local := unix.Iovec{Base: &into[0], Len: uint64(len(into))}
	remote := [2]uint64{addr, uint64(len(into))} // struct iovec
	n, _, errno := syscall.RawSyscall6(unix.SYS_PROCESS_VM_READV, uintptr(s.tid), uintptr(unsafe.Pointer(&local)), 1,
		uintptr(unsafe.Pointer(&remote)), 1, 0)
	switch errno {
	case 0:
		return int(n)
	case unix.EFAULT, unix.ESRCH:
		return 0
	}
	// A process that is not dumpable, or a filter of our own: word by word, and
	// so no more than is likely to be needed.
	const word, most = 8, 256
	done := 0
	for done+word <= len(into) && done < most {
		if ptrace(unix.PTRACE_PEEKDATA, s.tid, uintptr(addr)+uintptr(done), uintptr(unsafe.Pointer(&into[done]))) != 0 {
			break
		}
		done += word
	}
	return done
}

// mapping tells whether the engine has to know what is mapped.
func (e *Engine) mapping() bool { return e.cfg.Stacks > 0 || e.cfg.VCPUs != NoVCPUs }

// mapped takes in that a call has changed what is mapped, and returned ret.
func (e *Engine) mapped(t *thread, ret int64) {
	if e.cfg.VCPUs != NoVCPUs {
		e.mappedVCPUs(t, ret)
	}
	c := &t.call
	s := t.proc.space
	addr, size, prot := c.args[0], c.args[1], c.args[2]
	switch c.entry.desc.Name {
	case "munmap":
		s.Replaced(addr, size)
	case "mremap":
		s.Replaced(addr, size)
		s.Added()
	case "mmap", "mmap2":
		const fixed = unix.MAP_FIXED
		if c.args[3]&fixed != 0 {
			s.Replaced(addr, size)
		}
		if prot&unix.PROT_EXEC != 0 {
			s.Added()
		}
	default: // mprotect, pkey_mprotect
		if prot&unix.PROT_EXEC != 0 {
			s.Added()
		}
	}
}

// readRegs fills r with what PTRACE_GETREGSET gives for NT_PRSTATUS.
func readRegs(tid int, r *unwind.Regs) bool {
	var b [userRegs]uint64
	iov := unix.Iovec{Base: (*byte)(unsafe.Pointer(&b)), Len: uint64(unsafe.Sizeof(b))}
	const ntPrstatus = 1
	if ptrace(unix.PTRACE_GETREGSET, tid, ntPrstatus, uintptr(unsafe.Pointer(&iov))) != 0 {
		return false
	}
	return fillRegs(r, &b, int(iov.Len))
}
