//go:build linux && (amd64 || arm64)

package ptrace

import (
	"bytes"
	"encoding/binary"
	"strconv"

	"golang.org/x/sys/unix"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

// VCPUs says what to keep of the virtual CPUs that calls of KVM_RUN run.
type VCPUs uint8

// The numbers are those of Policy.vcpus.
const (
	NoVCPUs    VCPUs = iota
	VCPUExits        // struct kvm_run when the call has returned
	VCPUStates       // and when it begins
)

// Of include/uapi/linux/kvm.h; the offsets are of struct kvm_run.
const (
	kvmRun       = 0xae80 // KVM_RUN, the request
	exitIO       = 2      // KVM_EXIT_IO
	runExit      = 8      // exit_reason
	runIO        = 32     // io: what the reason says more
	runIOSize    = runIO + 1
	runIOCount   = runIO + 4
	runIOData    = runIO + 8 // data_offset
	runSize      = runIO + 256
	mostRunBytes = 4096 // of io there is a page
)

// vcpu is a virtual CPU's memory, where it is mapped.
type vcpu struct {
	link       string // of its descriptor
	number     uint32
	addr, size uint64
}

var vcpuLink = []byte("anon_inode:kvm-vcpu:")

// vcpuNumber returns the number in the name of a virtual CPU's descriptor.
func vcpuNumber(link []byte) (uint32, bool) {
	text, ok := bytes.CutPrefix(link, vcpuLink)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(string(text), 10, 32)
	return uint32(n), err == nil
}

// runsVCPU tells whether the call is one of KVM_RUN.
func (c *call) runsVCPU() bool {
	return c.entry != nil && c.entry.desc != nil && c.entry.desc.Name == "ioctl" && uint32(c.args[1]) == kvmRun
}

// keepVCPU keeps the state of the virtual CPU that the call runs, if it is known
// where that is: a piece that tells it, struct kvm_run as its child, and the data of
// KVM_EXIT_IO as the child of that. See FORMAT.md.
func (e *Engine) keepVCPU(t *thread, phase tracefile.Phase) {
	v, ok := e.vcpuOf(t, int32(t.call.args[0]))
	if !ok {
		return
	}
	m, tid, slow := &t.call.mem, int(t.TID), e.slow(t)
	where := binary.LittleEndian.AppendUint64(make([]byte, 0, 12), v.addr)
	where = binary.LittleEndian.AppendUint32(where, v.number)
	m.Bufs = append(m.Bufs, tracefile.Buf{Phase: phase, Parent: -1, Want: uint32(len(where)), Data: where})

	below := func() int16 { return int16(len(m.Bufs) - 1) }
	run := e.capturer.Piece(tid, slow, v.addr, runSize, tracefile.Buf{Phase: phase, Parent: below()}, m)
	if len(run) < runSize || binary.LittleEndian.Uint32(run[runExit:]) != exitIO {
		return
	}
	n := uint64(run[runIOSize]) * uint64(binary.LittleEndian.Uint32(run[runIOCount:]))
	data := v.addr + binary.LittleEndian.Uint64(run[runIOData:])
	e.capturer.Piece(tid, slow, data, int(min(n, mostRunBytes)), tracefile.Buf{Phase: phase, Parent: below(), Off: runIOData, Want: uint32(min(n, 1<<32-1))}, m)
}

// vcpuOf returns where the virtual CPU of a descriptor is mapped. That is known of
// those mapped by a call that was seen; else it is the first mapping of its name,
// which virtual CPUs of several machines may have.
func (e *Engine) vcpuOf(t *thread, fd int32) (vcpu, bool) {
	link := e.readLink(t, fd)
	number, ok := vcpuNumber(link)
	if !ok {
		return vcpu{}, false
	}
	if v := t.proc.vcpus[fd]; v.link == string(link) {
		return v, true
	}
	if e.slow(t) {
		return vcpu{}, false // /proc would wait for an execve
	}
	addr, size := e.proc.Mapping(int(t.TID), link)
	if size < runSize {
		return vcpu{}, false
	}
	v := vcpu{string(link), number, addr, size}
	t.proc.setVCPU(fd, v)
	return v, true
}

func (p *process) setVCPU(fd int32, v vcpu) {
	if p.vcpus == nil {
		p.vcpus = make(map[int32]vcpu)
	}
	p.vcpus[fd] = v
}

// mappedVCPUs takes in that a call has changed what is mapped, and returned ret.
func (e *Engine) mappedVCPUs(t *thread, ret int64) {
	c := &t.call
	addr, size := c.args[0], c.args[1]
	name := c.entry.desc.Name
	isMap := name == "mmap" && c.arch != syscalls.I386 || name == "mmap2" // i386's mmap has its arguments in memory
	if isMap {
		addr = uint64(ret)
	}
	if name == "munmap" || name == "mremap" || isMap {
		for fd, v := range t.proc.vcpus {
			if addr < v.addr+v.size && v.addr < addr+size {
				delete(t.proc.vcpus, fd)
			}
		}
	}
	const fdArg, offsetArg = 4, 5
	if fd := int32(c.args[fdArg]); isMap && fd >= 0 && c.args[3]&unix.MAP_ANONYMOUS == 0 && c.args[offsetArg] == 0 && size >= runSize {
		link := e.readLink(t, fd)
		if number, ok := vcpuNumber(link); ok {
			t.proc.setVCPU(fd, vcpu{string(link), number, addr, size})
		}
	}
}
