//go:build linux && (amd64 || arm64)

package ptrace

import (
	"os"

	"golang.org/x/sys/unix"

	"sysreel/proto/syscalls"
)

// Filter says whether a launched command gets a seccomp filter that tells the
// kernel which calls stop it. The others then cost nothing.
type Filter int

const (
	FilterAuto Filter = iota // where it pays and takes nothing from the command
	FilterOn                 // wherever it is possible
	FilterOff
)

// filterMark is what the engine's filter says with SECCOMP_RET_TRACE, to tell
// its stops from those of filters that programs install themselves.
const filterMark = 0x7372

// Offsets in struct seccomp_data, include/uapi/linux/seccomp.h.
const (
	dataNR   = 0
	dataArch = 4
)

// needed lists the calls that the engine has to see whichever are selected:
// those that make threads and programs, because it must know of the call when
// the event comes; those that tell a restarted call from a new one; those it
// answers for, while tracees are placed; those that take calls out of sight; and
// the one that changes descriptors but is of no class. All of them are rare, or stop the tracee anyway.
var needed = map[role]bool{
	execCall: true, cloneCall: true, clone3Call: true, forkCall: true,
	restartCall: true, sigreturnCall: true,
	affinityGet: true, affinitySet: true,
	uringCall: true, ptraceCall: true, filterCall: true, prctlCall: true,
	closeRangeCall: true,
}

// hot lists the calls that programs make by the thousand. A filter that lets
// none of them through without a stop would gain little.
var hot = []string{
	"read", "write", "pread64", "pwrite64", "readv", "writev", "lseek", "futex", "poll", "ppoll", "select", "epoll_wait", "epoll_pwait",
	"recvfrom", "sendto", "recvmsg", "sendmsg", "sched_yield", "getpid", "newfstatat", "io_uring_enter",
}

// pays reports whether a filter for the set leaves out any call that is made
// often.
func pays(set *syscalls.Set) bool {
	for _, name := range hot {
		if !set.HasName(name) && syscalls.ByName(native, name) != nil {
			return true
		}
	}
	return false
}

// chooseFilter returns the filter for a command, nil for none, and whether
// no_new_privs must be set for it.
func (e *Engine) chooseFilter() (filter []unix.SockFilter, noNewPrivs bool) {
	set := e.cfg.Selected
	// Children that are not followed would have the filter and no tracer:
	// their calls would fail with ENOSYS.
	if set == nil || e.cfg.NoFollow || e.cfg.Filter == FilterOff {
		return nil, false
	}
	self, _ := e.proc.Look(os.Getpid())
	// Without CAP_SYS_ADMIN a filter needs no_new_privs, and with that
	// set-user-ID programs do not get their rights.
	noNewPrivs = self.Effective>>unix.CAP_SYS_ADMIN&1 == 0
	if e.cfg.Filter == FilterAuto {
		switch {
		case !pays(set):
			return nil, false
		case e.cfg.Inject.Signals():
			// At the filter's stops a signal cannot be sent in the
			// kernel's name.
			return nil, false
		case self.Seccomp == seccompFilter:
			// The strictest filter wins, and what it refuses would
			// never get to ours: in a container that may be the
			// very call that matters.
			return nil, false
		case noNewPrivs && self.Effective>>unix.CAP_SYS_PTRACE&1 != 0:
			// Without CAP_SYS_PTRACE they do not get them anyway,
			// being traced (cap_bprm_creds_from_file in
			// security/commoncap.c). With it they do.
			return nil, false
		}
	}
	return buildFilter(filterArchs, e.filterNumbers), noNewPrivs
}

// seccompFilter is SECCOMP_MODE_FILTER, as in the line Seccomp of
// /proc/PID/status.
const seccompFilter = 2

// filterNumbers returns the numbers of an architecture at which the filter
// stops the tracee, as the registers have them.
func (e *Engine) filterNumbers(a syscalls.Arch) map[uint32]bool {
	numbers := make(map[uint32]bool)
	bit := uint32(0)
	if a == syscalls.X32 {
		bit = x32Bit
	}
	for _, nr := range e.cfg.Selected.NRs(a) {
		numbers[nr|bit] = true
	}
	for _, rule := range e.cfg.Inject {
		for _, nr := range rule.Calls.NRs(a) {
			numbers[nr|bit] = true
		}
	}
	for name, role := range roles {
		if !needed[role] && (role != mapCall || !e.mapping()) {
			continue
		}
		if d := syscalls.ByName(a, name); d != nil {
			numbers[d.NR|bit] = true
		}
	}
	return numbers
}

// filterArch is what one AUDIT_ARCH_* value stands for.
type filterArch struct {
	audit uint32
	archs []syscalls.Arch // told apart by their numbers
}

// buildFilter makes a program that returns SECCOMP_RET_TRACE for the numbers
// given and SECCOMP_RET_ALLOW for all others, and for other architectures: the
// engine does not know their calls. It looks at nothing but architecture and
// number, so the kernel (since 5.11) runs it once for each number, and not at
// each call (seccomp_cache_prepare in kernel/seccomp.c).
func buildFilter(archs []filterArch, numbers func(syscalls.Arch) map[uint32]bool) []unix.SockFilter {
	p := []unix.SockFilter{load(dataArch)}
	for _, a := range archs {
		all := make(map[uint32]bool)
		for _, arch := range a.archs {
			for nr := range numbers(arch) {
				all[nr] = true
			}
		}
		section := append([]unix.SockFilter{load(dataNR)}, search(runs(all))...)
		p = append(p, jump(unix.BPF_JEQ, a.audit, 1, 0), jump(unix.BPF_JA, uint32(len(section)), 0, 0))
		p = append(p, section...)
	}
	return append(p, verdict(false))
}

// run is a range of numbers with one verdict; it ends where the next begins.
type run struct {
	first  uint32
	traced bool
}

// runs cuts all numbers into runs. Only numbers that the kernel has matter:
// maxNR ones, with and without the bit of x32.
func runs(traced map[uint32]bool) []run {
	all := []run{{0, traced[0]}}
	for _, base := range []uint32{0, x32Bit} {
		for i := range uint32(maxNR + 1) {
			if nr := base + i; traced[nr] != all[len(all)-1].traced {
				all = append(all, run{nr, traced[nr]})
			}
		}
	}
	return all
}

// search finds the run of the number in the accumulator by halving.
func search(r []run) []unix.SockFilter {
	if len(r) == 1 {
		return []unix.SockFilter{verdict(r[0].traced)}
	}
	mid := len(r) / 2
	low, high := search(r[:mid]), search(r[mid:])
	// A conditional jump reaches 255 instructions far, the other any.
	p := []unix.SockFilter{jump(unix.BPF_JGE, r[mid].first, 0, 1), jump(unix.BPF_JA, uint32(len(low)), 0, 0)}
	return append(append(p, low...), high...)
}

func load(offset uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
}

func jump(op uint16, k uint32, yes, no uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_K | op, Jt: yes, Jf: no, K: k}
}

func verdict(traced bool) unix.SockFilter {
	k := uint32(unix.SECCOMP_RET_ALLOW)
	if traced {
		k = unix.SECCOMP_RET_TRACE | filterMark
	}
	return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: k}
}
