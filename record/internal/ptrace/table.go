//go:build linux && (amd64 || arm64)

package ptrace

import (
	"runtime"

	"sysreel/proto/syscalls"
	"sysreel/proto/world"
	"sysreel/record/internal/capture"
	"sysreel/record/internal/inject"
)

// entry is what the engine has to know of a system call.
type entry struct {
	desc     *syscalls.Desc // nil: not in the table
	plan     *capture.Plan
	selected bool
	role     role
	refs     world.Refs   // of calls that are selected from all
	rule     *inject.Rule // what is to be done to it; nil: nothing
	altered  []*entry     // the entries of calls that it is done to
	alters   bool         // it may change what descriptors stand for
	takesFD  bool         // its first argument is a descriptor
	messages bool         // it sends or receives messages
	// returnsFD: the result is a descriptor, where that is to be named.
	returnsFD bool
}

// role marks the calls that the engine itself has to understand.
type role uint8

const (
	plain role = iota
	execCall
	cloneCall // flags in a register
	clone3Call
	forkCall
	restartCall // restart_syscall
	sigreturnCall
	affinityGet
	affinitySet
	uringCall  // io_uring_setup
	uringEnter // io_uring_enter
	ptraceCall
	filterCall // seccomp
	prctlCall
	closeRangeCall
	unshareCall
	setnsCall
	mapCall // changes what is mapped; where [Engine.mapping] says so
)

// forks reports whether the call makes a thread or process.
func (r role) forks() bool { return r == cloneCall || r == clone3Call || r == forkCall }

var roles = map[string]role{
	"execve": execCall, "execveat": execCall,
	"clone": cloneCall, "clone3": clone3Call, "fork": forkCall, "vfork": forkCall,
	"restart_syscall": restartCall, "rt_sigreturn": sigreturnCall, "sigreturn": sigreturnCall,
	"sched_getaffinity": affinityGet, "sched_setaffinity": affinitySet,
	"io_uring_setup": uringCall, "io_uring_enter": uringEnter, "ptrace": ptraceCall, "seccomp": filterCall, "prctl": prctlCall,
	"close_range": closeRangeCall, "unshare": unshareCall, "setns": setnsCall,
	"mmap": mapCall, "mmap2": mapCall, "munmap": mapCall, "mprotect": mapCall, "pkey_mprotect": mapCall, "mremap": mapCall,
}

const (
	maxNR  = 1 << 10 // beyond the numbers in use (x32 ends at 547)
	x32Bit = 1 << 30
)

// unknown stands for calls that the table does not have.
var unknown = entry{selected: true}

// lookup returns the entry of a call, chosen among its variants by args.
func (e *Engine) lookup(arch syscalls.Arch, nr uint32, args *[6]uint64) *entry {
	index := nr
	if arch == syscalls.X32 {
		index &^= x32Bit
	}
	if int(arch) >= len(e.table) || index >= maxNR {
		return e.unknown()
	}
	if e.table[arch] == nil {
		e.table[arch] = make([]*entry, maxNR)
	}
	en := e.table[arch][index]
	if en == nil {
		en = e.newEntry(syscalls.Lookup(arch, nr))
		if arch == syscalls.X32 {
			en.plan = nil // its structures are not described
		}
		e.table[arch][index] = en
	}
	if en.desc == nil || !en.desc.HasVariants() {
		return en
	}
	d := en.desc.Select(args)
	if d == en.desc {
		return en
	}
	v := e.variants[d]
	if v == nil {
		v = e.newEntry(d)
		v.selected, v.role, v.rule = en.selected, en.role, en.rule
		e.variants[d] = v
	}
	return v
}

func (e *Engine) unknown() *entry {
	if e.cfg.Selected == nil {
		return &unknown
	}
	return &entry{}
}

func (e *Engine) newEntry(d *syscalls.Desc) *entry {
	if d == nil {
		return e.unknown()
	}
	en := &entry{
		desc:     d,
		plan:     e.capturer.Plan(d),
		selected: e.cfg.Selected == nil || e.cfg.Selected.Has(d),
		role:     roles[d.Name],
		rule:     e.cfg.Inject.For(d),
	}
	if len(d.Args) > 0 && d.Args[0].Reg == 0 {
		first := d.Args[0].Type.Name
		en.takesFD = first == "fd" || first == "sockfd"
		en.messages = messageCalls[d.Name]
	}
	if en.role == mapCall && !e.mapping() {
		en.role = plain
	}
	if files, _ := world.Alters(d); files || en.role != plain && en.role != mapCall {
		en.alters = true
	}
	if e.cfg.Selected != nil || e.naming.all || e.contexts != nil {
		en.refs = world.RefsOf(d)
		en.returnsFD = d.Ret != nil && d.Ret.Name == "fd"
	}
	return en
}

// messageCalls are the calls whose data is structures where it goes to the kernel
// or comes from it: messages of netlink(7).
var messageCalls = map[string]bool{
	"send": true, "sendto": true, "sendmsg": true, "sendmmsg": true,
	"recv": true, "recvfrom": true, "recvmsg": true, "recvmmsg": true, "recvmmsg_time64": true,
}

// native is the architecture that this program was built for.
var native = map[string]syscalls.Arch{"amd64": syscalls.AMD64, "arm64": syscalls.ARM64}[runtime.GOARCH]

// archOf names the architecture of a call: an AUDIT_ARCH_* value and, for x32,
// a bit of the number. An unknown one is 0.
func archOf(audit uint32, nr uint64) syscalls.Arch {
	a, _ := syscalls.ArchFromAudit(audit)
	if a == syscalls.AMD64 && nr&x32Bit != 0 {
		return syscalls.X32
	}
	return a
}
