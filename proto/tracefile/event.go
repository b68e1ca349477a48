// Package tracefile reads and writes traces: the file container of FORMAT.md.
package tracefile

import (
	"sysreel/proto/syscalls"
	"sysreel/proto/tracepb"
)

// A Kind says what an Event records.
//
// The comment of each kind gives the meaning of the generic fields for it; a
// field that is not named is zero.
type Kind uint8

// The numbers are part of the file format: never renumber.
const (
	// Syscall is a call that returned. NR, Args (registers at enter), Ret
	// (register at exit), Start (enter) and End (exit).
	Syscall Kind = 1

	// Unfinished is a call whose exit was never seen: its thread was killed,
	// vanished in another thread's exec or called exit, or the recorder let
	// go of it. Like Syscall without Ret; End is when that became known.
	Unfinished Kind = 2

	// InFlight is a call that had not returned when its block ended. It has
	// no number and is found in Block.InFlight only; the call comes again as
	// Syscall or Unfinished in a later block.
	InFlight Kind = 3

	// Signal is a signal delivered to the thread. NR is the signal number;
	// Bufs[0], when present, the siginfo_t as the kernel gave it (128 bytes).
	Signal Kind = 4

	// Stop is a group-stop of the thread (job control). NR is the signal.
	Stop Kind = 5

	// ThreadStart is the first event of a thread. Args[0] is a StartHow,
	// Args[1] the ThreadID of the creator, 0 if not known. Facts is set on
	// the first thread of a process, when they could be read.
	ThreadStart Kind = 6

	// Exec is a successful execve, just before the call's own exit. Facts
	// describes the new program. Args[0] is the ThreadID that made the call
	// if it was not the thread-group leader: that thread goes on as Thread,
	// and every other thread of the process is gone.
	Exec Kind = 7

	// ThreadExit is the end of a thread. Ret is its wait status as in
	// wait(2); for the last thread of a process it is the process's status.
	// Args[0] is 1 when the process ended with it, Args[1] an ExitHow. Args[2]
	// is then the CPU time in ns of the process and of the children that it
	// waited for; 0: not known.
	ThreadExit Kind = 8

	// Detach says that the recorder let go of a thread that lives on.
	Detach Kind = 9
)

// StartHow says how a thread came to be recorded.
type StartHow uint64

const (
	StartLaunch StartHow = 1 // run by the recorder
	StartAttach StartHow = 2 // attached to while running
	StartFork   StartHow = 3
	StartVfork  StartHow = 4
	StartClone  StartHow = 5 // a thread or a process: Thread.Process tells
)

// ExitHow says how a thread's end was seen.
type ExitHow uint64

const (
	ExitWaited     ExitHow = 0 // reaped: Ret is certain
	ExitSuperseded ExitHow = 1 // gone in another thread's exec: no status
	ExitVanished   ExitHow = 2 // gone unseen: no status
)

// Flags mark what is unusual about an Event.
type Flags uint16

// The bits are part of the file format: never reuse one.
const (
	// Restarted: the call ended with ERESTART* and will be restarted by the
	// kernel, or was interrupted by a signal (Ret −512…−516).
	Restarted Flags = 1 << iota
	// MidCall: the thread was already in the call when recording began; the
	// start is the attach and In-buffers were read then.
	MidCall
	// NoResult: the exit was seen but gave no result (execve of a killed…).
	NoResult
	// Injected: the result was forced by the recorder. The call was not made.
	Injected
	// Seccomp: the call was refused by a seccomp filter of the tracee.
	Seccomp
	// Resumed: the kernel made the call again, by itself, after an earlier
	// one of the thread ended Restarted; NR may be restart_syscall.
	Resumed
	// Delayed: the recorder kept the thread waiting, before the call or before
	// it returned. The time is between Start and End.
	Delayed
	// Poked: the recorder wrote to memory that the arguments point to, before
	// the call or when it had returned. Bufs are as the recorder left them.
	Poked
	// Signaled: the recorder sent the thread a signal as it made the call.
	Signaled
)

// Tampered are the flags of calls that the recorder was told to change.
const Tampered = Injected | Delayed | Poked | Signaled

// Phase is the moment at which memory was copied.
type Phase uint8

const (
	AtEnter Phase = 0
	AtExit  Phase = 1
)

// ThreadID numbers the threads of a trace from 1 in order of appearance. It is
// never reused within a trace, unlike the kernel's TID.
type ThreadID uint32

// ProcessID numbers the processes of a trace from 1 in order of appearance.
type ProcessID uint32

// Thread identifies a thread.
type Thread struct {
	ID      ThreadID
	Process ProcessID
	TID     int32 // kernel's, in the recorder's PID namespace
	TGID    int32
}

// Event is one thing that happened to one thread.
type Event struct {
	Num    uint64 // place in the trace, from 1; set by the Reader
	Kind   Kind
	Flags  Flags
	Arch   syscalls.Arch // of the call: one process may use several
	Thread Thread
	NR     uint32 // call or signal number
	Start  int64  // ns, CLOCK_MONOTONIC
	End    int64  // ns; equals Start for what takes no time
	Args   [6]uint64
	Ret    int64
	Bufs   []Buf // in the order of the copy plan
	// Fingerprint is a hash of the data that was read from a file, where less of
	// it is in Bufs; 0: none. See FORMAT.md.
	Fingerprint uint16
	// Facts is set of ThreadStart and Exec; and of calls, where other calls are
	// missing: directory and descriptors before it that only they would tell.
	Facts *tracepb.Process
	// Stack is where the thread was when it began the call, or when the signal
	// came, and IP the address that it was at: what is not in the trace is nil,
	// and IP then 0.
	Stack *Stack
	IP    uint64
	// Secontexts are the security contexts of what the event shows, where they were
	// asked for.
	Secontexts []Secontext
}

// Buf is a piece of the tracee's memory.
//
// The pointer that was followed is Args[Arg] when Parent is −1, else the
// word at offset Off of Bufs[Parent].Data, of the call's architecture's pointer
// size. So an address is never stored twice.
type Buf struct {
	Phase   Phase
	Arg     int8   // argument that leads here
	Parent  int16  // index in Event.Bufs, or −1
	Off     uint32 // of the pointer in the parent's Data; 0 without parent
	Want    uint32 // bytes that the call's arguments promise; ≥ len(Data)
	Faulted bool   // memory after Data could not be read
	Data    []byte
}

// Text is what a log that the event was made from wrote, of events that arguments
// and memory do not tell as a whole. What is nil can be told by them.
//
// It is kept as Bufs with neither Arg nor Parent (both −1), the last of the
// event: the arguments so far as known at the beginning (AtEnter, Off 0), the
// rest of them (AtExit, 0) and what follows "= " (AtExit, 1). Of a Signal the
// siginfo in braces is the rest.
type Text struct {
	Args, Rest, Result []byte
}

// Offs of the pieces of a Text.
const (
	textArgs   = 0
	textResult = 1
)

// Text returns the event's text.
func (e *Event) Text() (t Text) {
	for i := len(e.Bufs) - 1; i >= 0; i-- {
		switch b := &e.Bufs[i]; {
		case b.Arg >= 0 || b.Parent >= 0 || e.Kind == Signal && i == 0 && b.Phase == AtEnter:
			return t
		case b.Off == textResult:
			t.Result = b.Data
		case b.Phase == AtExit:
			t.Rest = b.Data
		default:
			t.Args = b.Data
		}
	}
	return t
}

// AppendText appends the pieces of a Text that are not nil. It keeps t's slices.
func (e *Event) AppendText(t Text) {
	add := func(phase Phase, off uint32, data []byte) {
		if data != nil {
			e.Bufs = append(e.Bufs, Buf{Phase: phase, Arg: -1, Parent: -1, Off: off, Want: uint32(len(data)), Data: data})
		}
	}
	add(AtEnter, textArgs, t.Args)
	add(AtExit, textArgs, t.Rest)
	add(AtExit, textResult, t.Result)
}

// Errno returns the error number of a failed call, or 0.
// An error is a result in −4095…−1 (include/linux/err.h, MAX_ERRNO).
func (e *Event) Errno() int {
	if e.Kind == Syscall && e.Flags&NoResult == 0 && e.Ret < 0 && e.Ret >= -4095 {
		return int(-e.Ret)
	}
	return 0
}

// Duration returns End − Start in nanoseconds.
func (e *Event) Duration() int64 { return e.End - e.Start }

// Context is what a block says about the world as it stood before the block's
// first event, so far as the block mentions it. With it a block can be
// understood without those before.
type Context struct {
	Threads   []Thread
	Processes []ProcessContext
	Files     []FileContext
}

// ProcessContext describes a process in a Context.
type ProcessContext struct {
	ID     ProcessID
	TGID   int32
	Parent ProcessID // 0 if not recorded
	Exe    []byte
	Comm   []byte
	Argv   [][]byte
	Cwd    []byte
	Root   []byte
}

// FileContext names an open file descriptor in a Context.
type FileContext struct {
	Process ProcessID
	FD      int32
	Link    []byte // as readlink of /proc/PID/fd/FD would show it
	Flags   uint32 // O_CLOEXEC and access mode as known
	Peer    []byte // sockets: local and peer as known, in the form of OpenFile.socket
}
