//go:build linux && (amd64 || arm64)

package ptrace

import (
	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
	"sysreel/record/internal/capture"
	"sysreel/record/internal/unwind"
)

// process is a traced process.
type process struct {
	id      tracefile.ProcessID
	tgid    int
	ppid    int
	threads int // traced and alive
	// unsettled counts the threads that were attached to and have not
	// stopped since.
	unsettled int
	// described: an event has told what is known of it.
	described bool
	// nested: it is in a PID namespace below the recorder's.
	nested bool
	// execs counts the threads inside execve. With more than one thread
	// alive, process_vm_readv could wait for that execve, which waits for
	// the other threads to be reaped by us.
	execs int
	// links is what its descriptors were when they were last asked for.
	links map[int32]shown
	// space is what is known of its executable memory.
	space *unwind.Space
	// stored tells of descriptors whether they are of files, if they are in
	// it; it is empty when any may have changed.
	stored map[int32]bool
	// netlink tells in the same way whether they are netlink sockets.
	netlink map[int32]bool
	// vcpus are virtual CPUs by their descriptors, as far as it is known where they
	// are mapped.
	vcpus map[int32]vcpu
}

// thread is a traced thread.
type thread struct {
	tracefile.Thread
	proc *process

	// begun: its start has been told. first is set until the first stop, which
	// may be any; letGo: detach there.
	begun, first, letGo bool
	how                 tracefile.StartHow
	// halted: it is in a group-stop.
	halted bool
	// launching: the stub has not yet got to its execve.
	launching bool
	// inside is set from syscall-enter to syscall-exit.
	inside bool
	call   call
	// resuming: the call was in progress at the attach, which took the
	// thread out of it; it will be entered again.
	resuming bool

	// made counts the calls made that there is a rule for.
	made map[counted]uint32

	interrupted interrupted
	// heir waits at the enter of its own ptrace call until this thread is
	// let go of, to become its tracer.
	heir *thread

	// mask is the thread's own affinity, nil until it is asked for; placed:
	// it shares the engine's CPU instead. running: it was resumed outside of
	// a call, at the time resumed.
	mask    cpuMask
	placed  bool
	running bool
	resumed int64
	// extent is how much of its stack was needed to unwind it, in bytes.
	extent uint64
}

// call is the call a thread is in.
type call struct {
	entry *entry // nil for calls that are not recorded
	flags tracefile.Flags
	told  bool // the event of the child that it makes has come
	child int  // which one, then
	// entered are the namespaces that it has brought its thread or child into.
	entered []*tracepb.Namespace
	arch    syscalls.Arch
	nr      uint32
	start   int64
	// system is the CPU time that the process had spent in the kernel, ns.
	system int64
	args   [6]uint64
	mem    capture.Call
	names  []Name // of its descriptors, where they are read
	// contexts are security contexts, where they are read.
	contexts []tracefile.Secontext
	stack    *tracefile.Stack
	ip       uint64
	// untraced: it had CLONE_UNTRACED, which was taken out.
	untraced bool
	tampered
}

// unsettled reports whether the thread was attached to and has not stopped since.
func (t *thread) unsettled() bool { return t.first && t.how == tracefile.StartAttach }

// untold reports whether the event of a child that t makes may still come.
func (t *thread) untold() bool {
	return t.inside && t.call.entry != nil && t.call.entry.role.forks() && !t.call.told
}

// executes reports whether t is in an execve.
func (t *thread) executes() bool {
	return t.inside && t.call.entry != nil && t.call.entry.role == execCall
}

// event fills e with the call as it stands.
func (t *thread) event(e *tracefile.Event, kind tracefile.Kind, end int64) {
	c := &t.call
	*e = tracefile.Event{
		Kind:   kind,
		Flags:  c.flags,
		Arch:   c.arch,
		Thread: t.Thread,
		NR:     c.nr,
		Start:  c.start,
		End:    end,
		Args:   c.args,
		Stack:  c.stack,
		IP:     c.ip,

		Secontexts: c.contexts,
	}
}
