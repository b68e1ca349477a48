// Package record records the system calls of processes into a trace.
//
// [Run] launches a command or attaches to running processes, writes what they
// do to an output as a trace (proto/FORMAT.md) and returns when they have ended
// or the recording has. It needs Linux on amd64 or arm64; elsewhere Run returns
// [ErrUnsupported].
//
// Recording must never harm what is recorded: a full disk, a broken pipe, a
// limit or the death of the recorder lets the processes go on as if nothing had
// been there. What could not be recorded is a loss in the trace, never a
// failure of the target. The one exception is a command with a seccomp filter
// ([Options.Seccomp]), which dies with its recorder.
package record

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
	"sysreel/record/internal/inject"
	"sysreel/record/internal/redact"
)

// What is kept of each data buffer when Options.Snap is 0, in bytes: of what is
// read, and of binary data, as much as strace prints by default; of text that is
// written enough for a message, which is what tells why a program gave up.
const (
	DefaultSnap    = 32
	DefaultWritten = 256
)

// The least for Options.MaxSize, and for PartSize and RingSize: there must be room
// for a few blocks.
const (
	MinSize     = 16 << 10
	MinPartSize = 64 << 10
)

// DefaultStacks is the depth of stacks that a program should ask for that is not
// told another: as strace -k. MaxStacks is the largest.
const (
	DefaultStacks = 256
	MaxStacks     = tracefile.MaxStack
)

// Options say what to record and where to. Exactly one of Command, PIDs, Cgroup
// and Container must be set, or Command and PIDs.
type Options struct {
	// Command is the argument vector of a command to run and record. Its
	// first word is looked up in PATH unless it has a slash. The command gets
	// the recorder's environment, working directory, standard files, other
	// inherited descriptors, resource limits and signal mask.
	Command []string

	// Program is looked up instead of Command's first word, if set.
	Program string
	// Unchecked leaves it to the kernel to say that a path cannot be executed,
	// so that the call that fails is in the trace. The process exits with
	// status 1 then, as under strace.
	Unchecked bool
	// Env is the command's environment; nil: the recorder's.
	Env []string
	// User, if set, is whom the command runs as.
	User *User
	// Held, if set, is the process that is to execute the command: see [Hold]. It is
	// no child of this one, so Run does not wait for it and passes no signals on; it
	// has no seccomp filter.
	Held *Held

	// PIDs are running processes to attach to: every thread of each.
	PIDs []int
	// Skipped, if set, is told of the PIDs that could not be attached to, an
	// AttachError each, before the trace begins; the others are recorded, if
	// there are any. Without it all must be attached to.
	Skipped func(error)
	// Tree adds every descendant of PIDs.
	Tree bool

	// Cgroup is a control group: every process that is in it, or in one below
	// it, is recorded, and those that are put there later. It is a directory
	// of a cgroup file system, or a path as in /proc/PID/cgroup.
	Cgroup string
	// Container is a container's name, ID or beginning of its ID: the same
	// with its cgroup. The recording of either ends when nothing is left.
	Container string
	// Wait waits for a Cgroup or Container that is not there yet, or has no
	// process. MaxTime counts from its first one.
	Wait bool
	// Restarts waits again when nothing is left: a container of the same
	// name or ID, or a cgroup of the same path, is recorded again.
	Restarts bool

	// Output receives the trace, a chunk a Write. Run does not close it. The
	// processes wait where it is slower than they are: nothing is lost. With
	// Drop they do not, and what there is no room for is a loss in the trace.
	// Run may return, with an OutputError, while a Write is stuck.
	Output io.Writer
	Drop   bool

	// PartSize makes the trace a series of parts of at most so many bytes, each
	// a trace in itself. NextPart ends the one that is being written to and
	// returns the output of the next.
	PartSize int64
	NextPart func() (io.Writer, error)
	// RingSize keeps the end of the recording only, in at most so many bytes;
	// see tracefile.RingFiles for what it is kept in. Output must be a
	// tracefile.RingFile then.
	RingSize  int64
	RingFiles tracefile.RingFiles

	// StdoutToStderr gives a launched command standard error as its standard
	// output, because the trace itself goes to the recorder's.
	StdoutToStderr bool
	// HandOver gives up, as soon as a launched command has them, this
	// process's standard input, its standard output (unless StdoutToStderr)
	// and every other descriptor that it inherited: whoever is at the other
	// end of a pipe then sees end of file or SIGPIPE when the command
	// closes its end. The standard files become /dev/null. It is for
	// programs that do nothing but record.
	HandOver bool
	// NoSuspend keeps the terminal's suspend character from stopping a program
	// that hands over: it goes on when the command has stopped.
	NoSuspend bool
	// Recorder names the program in the trace's header: "sysreel 0.1.0".
	Recorder string

	// NoFollow leaves child processes alone. Threads are always recorded.
	NoFollow bool
	// Alone leaves threads alone too: of a command its first thread is recorded
	// and of PIDs, which may be IDs of threads then, these.
	Alone bool
	// DetachExec lets go of processes that execute a program, but for the
	// command's own.
	DetachExec bool
	// KillOnExit ends what is recorded with the recording.
	KillOnExit bool
	// Leave lets Run return as soon as the recording has ended, where without
	// it Run waits for a launched command that still runs.
	Leave bool
	// Trace selects calls in the notation of strace's -e trace=; empty: all.
	// Process starts, execs, exits and signals are always recorded.
	Trace string
	// Seccomp says whether a launched command gets a seccomp filter, so that
	// calls that Trace does not select are not slowed down. A command that
	// has one cannot be without the recorder: when the recording ends early,
	// Run stays until the last process has ended, and if this process dies,
	// so do they.
	Seccomp Seccomp
	// Snap is how many bytes to keep of each data buffer: 0 the defaults,
	// negative none. Paths and structures are always kept whole.
	Snap int
	// Stacks is how many frames to keep of the stack of each call, as it was
	// when the call began, and of each signal, innermost first: 0 none, 1 only
	// the instruction pointer, at most [MaxStacks]. Addresses are kept, and the
	// files that they are in; what functions these are is told by analysers
	// (analyze/symbols). It costs a few kernel calls more for each call.
	Stacks int
	// VCPUs says what to keep, of each ioctl(KVM_RUN), of the virtual CPU that it
	// runs.
	VCPUs VCPUs
	// Inject tampers with calls: each expression is one of strace's
	// -e inject= or, with "fault=" in front, of its -e fault=; see
	// [CheckInject]. Of several that name a call the last one holds. Calls are
	// counted for each thread and, where an expression names several, for each
	// of them. They are tampered with whether Trace selects them or not; what
	// was done to a call is recorded with it, in any case. The execve that
	// starts Command is not counted.
	Inject []string
	// NoFingerprints keeps none of what is read from files. A fingerprint is a
	// hash of 16 bits of data that is not kept whole; see proto/FORMAT.md.
	// There are none either where Snap is negative or Redact has rules, the
	// user's own or "files", that look for secrets in files.
	NoFingerprints bool
	// WholeRead and WholeWritten tell of which descriptors all that a call reads
	// or writes is kept, up to 256 KiB, whatever Snap. They may be nil.
	WholeRead, WholeWritten func(fd int32) bool
	// Names reads at each call what its descriptors are, as /proc shows it, and
	// not only where the trace does not tell: inodes of pipes and sockets, device
	// numbers, symbolic links resolved. It costs some microseconds each.
	Names bool
	// Sockets asks, with Names, for addresses that no call tells: the port that the
	// kernel chose, the inode of a UNIX socket's peer. A socket without an address
	// costs up to a millisecond after each call that may have given it one.
	Sockets bool
	// Inner keeps what threads are called in PID namespaces below this process's. It
	// is kept without it too of processes that are in one when they are attached to.
	Inner bool
	// Secontexts keeps the security contexts (SELinux) of threads, and of the
	// descriptors and paths of each call, so far as the kernel has them; with
	// ExpectedSecontexts also those that the policy on this machine gives the files. It
	// costs some microseconds each. Unlike all else it looks files up: where a file
	// system is served by a process that is recorded, that waits for itself.
	Secontexts, ExpectedSecontexts bool
	// SystemTime keeps of each call the CPU time that it took in the kernel.
	SystemTime bool
	// Environ keeps environments. Without it only their size is recorded.
	Environ bool
	// Redact lists the rules by which secrets are blanked in the trace, in the
	// notation of CheckRedact; empty: the default rules.
	Redact string

	// Until ends the recording when something happens: see [ParseUntil]. Like
	// the limits it lets the processes live on.
	Until string
	// MaxTime, MaxSize (bytes of trace) and MaxEvents end the recording when
	// reached; 0: no limit. The processes are let go and live on; Run still
	// waits for a launched command. The trace never has more than MaxSize
	// bytes: what happened last may be missing.
	MaxTime   time.Duration
	MaxSize   int64
	MaxEvents uint64

	// Signals brings the signals that the recorder itself gets. The first
	// one ends an attach by detaching; it is passed on to a launched command
	// unless the terminal has sent it there already. A second one ends the
	// recording at once, leaves the processes running and gives up an output
	// that is stuck. May be nil.
	Signals <-chan os.Signal

	// Freeze ends the recording and leaves the processes running, at what it
	// brings: a name for the trace's end. May be nil.
	Freeze <-chan string

	// FlushEvery is how far the trace may be behind what happens; 0: a second.
	// Each flush costs some tens of microseconds and a few hundred bytes.
	FlushEvery time.Duration

	// Warn is told, one line each, what could not be recorded as asked. It is
	// called from any goroutine, one call at a time. May be nil.
	Warn func(message string)

	// Attached is called when every thread of PIDs is followed: from then on
	// no call of theirs is missed. It must return soon; it may be nil.
	Attached func()
}

// Held is a process that waits to be recorded by another one: see [Hold].
type Held struct {
	PID               int
	Release, Executed *os.File // pipes
}

// User is whom a command runs as.
type User struct {
	UID, GID uint32
	Groups   []uint32
}

// Seccomp is the use of a seccomp filter.
type Seccomp int

const (
	// SeccompAuto uses one where it pays and changes nothing else for the
	// command: not for calls that are rare anyway, not where the recorder is
	// itself under a filter, whose refusals would not be seen, and not where
	// it would take from set-user-ID programs rights that they have.
	SeccompAuto Seccomp = iota
	SeccompOn           // wherever there is a Trace and children are followed
	SeccompOff
)

// VCPUs is what to keep of virtual CPUs.
type VCPUs int

const (
	NoVCPUs    VCPUs = iota
	VCPUExits        // why it came back
	VCPUStates       // and its struct kvm_run before
)

// CheckRedact tells what is wrong with a list of rules: "off", or separated by
// commas NAME (only what is named), +NAME and -NAME (changes to the default
// rules) and /REGEXP/ (of package regexp; what it matches, or its first group).
func CheckRedact(list string) error {
	_, err := redact.Parse(list)
	return err
}

// CheckInject tells what is wrong with an expression that says what to do to
// calls, naming the part:
//
//	SET[:error=ERRNO|:retval=N][:syscall=CALL][:signal=SIGNAL]
//	   [:delay_enter=TIME][:delay_exit=TIME]
//	   [:poke_enter=@argN=HEX,…][:poke_exit=@argN=HEX,…]
//	   [:when=FIRST[..LAST][+[STEP]]]
//	fault=SET[:error=ERRNO][:when=…]
//
// SET is as Options.Trace. With error= and retval= the call is not made and
// returns that; fault= without error= returns ENOSYS. syscall= makes another,
// harmless call instead of none. TIME is in microseconds, or has one of the
// units s, ms, us and ns.
func CheckInject(expr string) error {
	_, err := inject.ParseRule(expr)
	return err
}

// RedactRule is a rule by which secrets are blanked.
type RedactRule struct {
	Name    string
	About   string
	Default bool
}

// RedactRules lists the rules that have names.
func RedactRules() []RedactRule {
	var all []RedactRule
	for _, b := range redact.Builtins {
		all = append(all, RedactRule(b))
	}
	return all
}

// A fingerprint covers so many bytes of a read, and of one of whole pages, which
// is a piece of a large file as a rule, the beginning: to copy 64 KiB takes a
// fifth of the time that the recording of a call takes.
const (
	fingerprint      = 256 << 10
	fingerprintPages = 16 << 10
)

// snap is how many bytes to keep of what is read; negative: none.
func (o *Options) snap() int {
	if o.Snap == 0 {
		return DefaultSnap
	}
	return o.Snap
}

// written is how many bytes to keep of what is written; negative: none.
func (o *Options) written() int {
	if o.Snap == 0 {
		return DefaultWritten
	}
	return o.Snap
}

// Result is what a recording came to.
type Result struct {
	Events    uint64
	Processes int
	Threads   int
	Duration  time.Duration
	Kept      uint64 // of the events, in the ring or the last part
	Bytes     int64  // of the trace, all its parts; of a ring those that it has
	Lost      uint64 // events that happened and are not in the trace

	End    End
	Detail string // why it ended, for End OutputFailed, Limit and Triggered
	// Trigger is the number of the event that Until met; 0: none, or it is not
	// in the trace.
	Trigger uint64

	// WaitStatus is the launched command's status as in wait(2), valid if
	// Exited. An attach, and a command that was left running, has none.
	WaitStatus uint32
	Exited     bool
}

// End says why a recording ended.
type End int

const (
	// Exited: every recorded process has ended.
	Exited End = iota
	// Interrupted: by a signal or by the context.
	Interrupted
	// Limit: MaxTime, MaxSize or MaxEvents was reached.
	Limit
	// OutputFailed: the trace could not be written any further.
	OutputFailed
	// Triggered: Until has been met, or Freeze asked for it.
	Triggered
)

// footer maps an End to the trace's notion of it.
func (e End) footer() tracepb.Footer_End {
	switch e {
	case Interrupted:
		return tracepb.Footer_INTERRUPTED
	case Limit:
		return tracepb.Footer_LIMIT
	case OutputFailed:
		return tracepb.Footer_OUTPUT
	case Triggered:
		return tracepb.Footer_TRIGGERED
	}
	return tracepb.Footer_EXITED
}

// ErrUnsupported is returned, wrapped, by Run on a platform that it cannot
// record on.
var ErrUnsupported = errors.New("recording is not supported")

// CommandError says that Command could not be run.
type CommandError struct {
	Name string // as given
	Err  error
	// NotFound tells "no such command" (status 127 in shells) from "there,
	// but cannot be executed" (126).
	NotFound bool
}

func (e *CommandError) Error() string { return fmt.Sprintf("cannot run %s: %v", e.Name, e.Err) }
func (e *CommandError) Unwrap() error { return e.Err }

// AttachError says that a process could not be attached to, and what to do.
type AttachError struct {
	PID  int
	Err  error
	Hint string // what to do about it, "" if there is nothing
}

func (e *AttachError) Error() string {
	s := fmt.Sprintf("cannot attach to process %d: %v", e.PID, e.Err)
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	return s
}
func (e *AttachError) Unwrap() error { return e.Err }

// ErrAbsent is returned, wrapped in an error that tells where was looked, for a
// Cgroup or Container that is not there or has no process.
var ErrAbsent = errors.New("is not there")

// OutputError says that the trace could not be written to its end. What was
// written before is readable. The Result returned with it is valid.
type OutputError struct{ Err error }

func (e *OutputError) Error() string { return "writing the trace: " + e.Err.Error() }
func (e *OutputError) Unwrap() error { return e.Err }

// Run records as o says. It returns when every recorded process has ended, a
// limit is reached, ctx is done, or a signal asks for it; a launched command
// has then ended too, unless ctx or a second signal cut the wait short.
//
// The error is a *CommandError or an *AttachError if recording could not
// begin, an *OutputError if it ended before its time.
//
// Run changes the disposition of SIGCHLD of the calling process while it runs
// and needs an operating-system thread of its own; several Runs may go on at
// the same time.
func Run(ctx context.Context, o Options) (Result, error) {
	targets := 0
	for _, given := range []bool{len(o.Command) > 0 || len(o.PIDs) > 0, o.Cgroup != "", o.Container != ""} {
		if given {
			targets++
		}
	}
	switch {
	case targets == 0:
		return Result{}, errors.New("record: nothing to record: no command, process, cgroup or container was given")
	case targets > 1:
		return Result{}, errors.New("record: more than one of a command, processes, a cgroup and a container was given")
	case o.Output == nil:
		return Result{}, errors.New("record: no output was given")
	case o.RingSize > 0 && o.PartSize > 0, o.MaxSize > 0 && (o.RingSize > 0 || o.PartSize > 0):
		return Result{}, errors.New("record: a ring, a series and a size limit exclude each other")
	}
	return run(ctx, o)
}

func unsupported(need string) error {
	return fmt.Errorf("%w on %s/%s: %s", ErrUnsupported, runtime.GOOS, runtime.GOARCH, need)
}
