//go:build linux && (amd64 || arm64)

package capture

import (
	"encoding/binary"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// maxPieces is how many pieces one process_vm_readv takes (IOV_MAX,
// include/uapi/linux/uio.h).
const maxPieces = 1024

// memory reads the memory of tracees. All its methods must be called on the
// thread that traces them.
type memory struct {
	local, remote [maxPieces]unix.Iovec
	n             int
	// reads counts process_vm_readv calls, words PTRACE_PEEKDATA calls.
	reads, words uint64
}

// add asks for len(into) bytes at addr in the next fetch.
func (m *memory) add(addr uint64, into []byte) {
	m.local[m.n].Base = &into[0]
	m.local[m.n].SetLen(len(into))
	// Base is an address in the tracee. It is written as a number because
	// it is none of the garbage collector's business.
	*(*uint64)(unsafe.Pointer(&m.remote[m.n].Base)) = addr
	m.remote[m.n].SetLen(len(into))
	m.n++
}

// fetch reads everything added and returns in got how many bytes there were
// of each: less than asked for is where the memory could not be read. With
// slow it does without process_vm_readv.
func (m *memory) fetch(tid int, slow bool, got *[maxPieces]uint32) {
	n := m.n
	m.n = 0
	clear(got[:n])
	for i := 0; i < n && !slow; {
		r, _, errno := syscall.RawSyscall6(unix.SYS_PROCESS_VM_READV, uintptr(tid),
			uintptr(unsafe.Pointer(&m.local[i])), uintptr(n-i),
			uintptr(unsafe.Pointer(&m.remote[i])), uintptr(n-i), 0)
		m.reads++
		switch errno {
		case 0:
		case unix.EFAULT:
			r = 0
		case unix.ESRCH:
			return
		default:
			// EPERM: the tracee is no longer dumpable or changed its
			// credentials. ENOSYS: a seccomp filter forbids the call.
			// ptrace itself still may.
			slow = true
			continue
		}
		// The kernel copies piece after piece, a page at a time, and stops
		// at the first page that it cannot read.
		for left := uint64(r); i < n; i++ {
			size := uint64(m.remote[i].Len)
			if left < size {
				got[i] = uint32(left)
				i++ // the rest of this piece is unreadable; go on behind it
				break
			}
			got[i] = uint32(size)
			left -= size
		}
	}
	if !slow {
		return
	}
	for i := range n {
		if got[i] == 0 {
			addr := *(*uint64)(unsafe.Pointer(&m.remote[i].Base))
			got[i] = uint32(m.peek(tid, addr, unsafe.Slice(m.local[i].Base, m.local[i].Len)))
		}
	}
}

// peek reads with PTRACE_PEEKDATA, which needs no more than to be the tracer
// and takes no lock that an execve holds. It returns the bytes read.
func (m *memory) peek(tid int, addr uint64, into []byte) int {
	done := 0
	for done < len(into) {
		at := addr + uint64(done)
		skip := at & 7
		var word uint64
		_, _, errno := syscall.RawSyscall6(unix.SYS_PTRACE, unix.PTRACE_PEEKDATA, uintptr(tid),
			uintptr(at-skip), uintptr(unsafe.Pointer(&word)), 0, 0)
		m.words++
		if errno != 0 {
			break
		}
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], word)
		done += copy(into[done:], b[skip:])
	}
	return done
}
