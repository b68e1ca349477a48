//go:build linux && (amd64 || arm64)

// Package ptrace is the engine that follows processes with ptrace(2) and
// copies what their system calls say into batches of events. It decodes and
// writes nothing.
package ptrace

import (
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
	"sysreel/record/internal/capture"
	"sysreel/record/internal/inject"
	"sysreel/record/internal/procfs"
	"sysreel/record/internal/selinux"
)

// Config says what to record.
type Config struct {
	Selected *syscalls.Set // calls to record; nil: all
	Filter   Filter        // of a launched command
	Snap     int           // bytes kept of each payload that is read, negative none
	Written  int           // and of each that is written
	Environ  bool          // copy environments
	// Fingerprint is how many bytes of a read a fingerprint covers, 0: none;
	// FingerprintPages how many of one of whole pages.
	Fingerprint, FingerprintPages int
	NoFollow                      bool         // leave child processes alone
	Inject                        inject.Rules // calls to tamper with
	// Alone follows single threads: with NoFollow, no thread that they start.
	Alone bool
	// Names reads what the descriptors of every call are.
	Names bool
	// Sockets asks, with Names, what sockets are connected to.
	Sockets bool
	// Inner reads of every thread what it is called in PID namespaces below this
	// process's; without it only of those attached to, and their children.
	Inner bool
	// WholeRead and WholeWritten tell of which descriptors all is kept that is
	// read or written at once, as far as there is room; may be nil.
	WholeRead, WholeWritten func(fd int32) bool
	// Secontexts keeps the security contexts of threads, descriptors and files, with
	// Policy what those of files are to be.
	Secontexts bool
	Policy     *selinux.Files
	// SystemTime measures the CPU time that calls take.
	SystemTime bool
	// DetachExec lets go of a thread that executes another program.
	DetachExec bool
	// KillOnExit ends what is followed when the engine's thread does.
	KillOnExit bool
	// BlockEvents bounds the events of a block, 0: as the engine thinks fit.
	BlockEvents int
	// Warn is told what cannot be done as it should; may be nil.
	Warn func(string)
	// Attached is called once, when every thread that was attached to has
	// stopped; may be nil.
	Attached func()
	// Skipped is told of the processes that could not be attached to, an
	// *AttachError each, where others were. nil: then none is attached to.
	Skipped func(error)
	// NoPlacement leaves tracees and engine on whatever CPUs they run.
	NoPlacement bool
	// MaxEvents ends the recording, 0 does not.
	MaxEvents uint64
	// BlockBytes bounds the captured memory of a block, 0: as the engine
	// thinks fit.
	BlockBytes int
	// Drop drops events where the encoder is behind, rather than wait.
	Drop bool
	// Until is asked of every event; what it returns, if it is not empty,
	// ends the recording. May be nil.
	Until func(*tracefile.Event) string
	// Stacks is how many frames of the stack to keep of each call and signal;
	// 0: none.
	Stacks int
	VCPUs  VCPUs
	// Hold keeps Run from ending when nothing is left to follow: there may be
	// more to Join, until Release.
	Hold bool
}

// Engine follows processes. All its methods but Stop, Do, Release, Tick and the
// channels' use must be called by one goroutine, started by [Go].
type Engine struct {
	cfg Config

	// Full brings batches to the encoder, which gives them back to Free.
	Full chan *Batch
	Free chan *Batch

	tid   int // of the engine's thread
	start time.Time
	mono  int64 // CLOCK_MONOTONIC at start

	// mu is held while a stop is handled and while a batch is handed over.
	mu      sync.Mutex
	batch   *Batch
	dirty   bool // something happened since the last flush
	closed  bool
	waiting time.Time     // since when the engine waits for the encoder; zero: it does not
	behind  *gap          // events are being dropped
	hurry   chan struct{} // takes the engine out of waiting
	inBlock struct{ events, bytes int }

	threads   map[int]*thread
	processes map[int]*process
	// strangers are stops of threads that no event has announced yet.
	strangers map[int]stranger
	orphaned  []orphaned
	unsettled int          // threads of all processes, as in process
	running   bool         // Run was called
	settling  bool         // settleLate is at work
	reaped    []ended      // what waits to be handled before anything else
	tree      bool         // descendants of what was attached to are followed
	missing   map[int]bool // processes that it was recorded of that they cannot be followed
	lastID    tracefile.ThreadID
	lastPID   tracefile.ProcessID

	table    [5][]*entry // by arch and number
	variants map[*syscalls.Desc]*entry
	capturer capture.Capturer
	proc     procfs.Reader
	info     syscallInfo
	siginfo  [siginfoSize]byte
	stacks   stacks
	naming   naming
	contexts *contexts // nil: they are not asked for

	launch  launch
	place   placement
	stop    atomic.Int32
	tallies map[tally]*tracepb.Loss
	// filtered: everything followed has the engine's seccomp filter.
	filtered bool
	usage    *unix.Rusage // of the tracee that has stopped last; nil: not asked for
	used     int64        // ns of CPU time: of the process whose end is being handled
	Counts   Counts
	Met      Met

	requests requests

	held  map[*thread]bool // stopped for a while: see hold
	alarm alarm            // rings when the next of them is to go on

	turns turns
}

// Met is what ended a recording by Config.Until, valid when Run has returned.
type Met struct {
	Text  string // empty: nothing did
	Event uint64 // number of the event, 0 if it was dropped
}

// Counts are totals of a recording, valid when Run has returned.
type Counts struct {
	Events    uint64
	Processes int
	Threads   int
}

// Go runs fn on a thread of its own, which ends with fn and with that lets go
// of everything it traces. It returns when the thread is gone.
func Go(fn func()) {
	done := make(chan int)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		tid := unix.Gettid()
		if tid == os.Getpid() || hasChildren() {
			// The main thread does not end before the process, and the
			// children of this one, started by os/exec for example, are
			// for others to wait for: another thread, then.
			Go(fn)
			runtime.UnlockOSThread()
			done <- 0
			return
		}
		fn()
		done <- tid
	}()
	tid := <-done
	task := "/proc/self/task/" + itoa(tid)
	for wait := 10 * time.Microsecond; tid != 0 && wait < time.Second; wait *= 2 {
		if unix.Access(task, unix.F_OK) != nil {
			return
		}
		time.Sleep(wait)
	}
}

// New returns an engine. It must be called on the thread that Go gives.
func New(cfg Config) *Engine {
	e := &Engine{
		cfg:       cfg,
		Full:      make(chan *Batch, 2*batches), // so that it takes every batch there is
		Free:      make(chan *Batch, batches),
		tid:       unix.Gettid(),
		threads:   make(map[int]*thread),
		processes: make(map[int]*process),
		strangers: make(map[int]stranger),
		hurry:     make(chan struct{}, 1),
		variants:  make(map[*syscalls.Desc]*entry),
		capturer:  capture.Capturer{Keep: capture.Keep{Snap: cfg.Snap, Written: cfg.Written}, Environ: cfg.Environ, Fingerprint: cfg.Fingerprint, FingerprintPages: cfg.FingerprintPages},
		proc:      procfs.Reader{Environ: cfg.Environ},
		requests:  newRequests(),
		held:      make(map[*thread]bool),
		naming:    namingFor(cfg.Selected, cfg.Names, cfg.Sockets),
	}
	for range batches - 1 {
		e.Free <- nil // made when it is needed
	}
	if cfg.Secontexts {
		e.contexts = newContexts(cfg.Policy)
		e.naming.files = true
	}
	if cfg.SystemTime {
		e.usage = new(unix.Rusage)
	}
	e.batch = newBatch()
	if e.cfg.BlockEvents <= 0 || e.cfg.BlockEvents > blockEvents {
		e.cfg.BlockEvents = blockEvents
	}
	if e.cfg.BlockBytes <= 0 || e.cfg.BlockBytes > blockBytes {
		e.cfg.BlockBytes = blockBytes
	}
	var ts unix.Timespec
	unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts)
	e.start, e.mono = time.Now(), ts.Nano()
	e.initPlacement()
	return e
}

// Now returns CLOCK_MONOTONIC in nanoseconds. It may be called from any
// goroutine.
func (e *Engine) Now() int64 { return e.now() }

func (e *Engine) now() int64 { return e.mono + int64(time.Since(e.start)) }

// Reason says why Run returned.
type Reason int32

const (
	Running   Reason = iota // it has not
	Ended                   // everything followed has ended
	Stopped                 // Stop was called
	EventsMet               // Config.MaxEvents was reached
	UntilMet                // Config.Until was: see Met
)

// Stop makes Run return soon. It may be called from any goroutine, at any
// time, more than once.
func (e *Engine) Stop() {
	first := e.stop.CompareAndSwap(int32(Running), int32(Stopped))
	e.wake()
	if !first {
		return
	}
	close(e.requests.stopped)
	e.interrupt(stopDone)
}

// interrupt takes the engine out of wait4 until it has set a mark. A signal
// without SA_RESTART does it; one that comes just before wait4 is lost, so
// there may have to be another.
func (e *Engine) interrupt(until int32) {
	go func() {
		for e.stop.Load()&until == 0 {
			unix.Tgkill(os.Getpid(), e.tid, wakeSignal)
			time.Sleep(5 * time.Millisecond)
		}
	}()
}

// reason is why Run returned or is to return.
func (e *Engine) reason() Reason { return Reason(e.stop.Load() & stopReason) }

// Marks beside the Reason in Engine.stop.
const (
	stopReason = 1<<16 - 1
	stopDone   = 1 << 16 // Run has returned
	abandoned  = 1 << 17 // Abandon was called
	attended   = 1 << 18 // Attend has returned
)

// Run follows the processes until they have ended or Stop is called. It leaves
// what still lives as it is: it goes on untraced when the thread ends.
func (e *Engine) Run() Reason {
	defer close(e.requests.over)
	defer e.stop.Or(stopDone)
	defer e.place.guard.close()
	defer e.alarm.close()
	e.running = true
	e.settleLate()
	for {
		if r := e.reason(); r != Running {
			e.letGo()
			return r
		}
		e.serve()
		if len(e.held) > 0 {
			e.releaseDue()
		}
		var status uint32
		var ended unix.Rusage
		tid, errno := e.nextStop(&status, &ended)
		now := e.now()
		switch errno {
		case 0:
			e.mu.Lock()
			e.used = ended.Utime.Nano() + ended.Stime.Nano()
			e.handle(tid, status, now)
			e.used = 0
			if len(e.strangers) > 0 {
				e.adopt(now)
			}
			e.mu.Unlock()
		case unix.ECHILD:
			e.mu.Lock()
			e.vanished(now)
			e.mu.Unlock()
			if !e.idle() {
				return Ended
			}
		}
	}
}

// Discard ends an engine that will not Run.
func (e *Engine) Discard() {
	e.spread()
	e.place.guard.close()
	e.Reap()
}

// Reap waits, after Run, for the helper processes to end. It may be called by
// any goroutine.
func (e *Engine) Reap() { e.place.guard.wait() }

// emitCall appends the event of a call.
func (e *Engine) emitCall(ev *tracefile.Event, c *call) {
	e.add(ev, c.mem.Bufs, c.names)
}

// emit appends an event to the batch; bufs are copied.
func (e *Engine) emit(ev *tracefile.Event, bufs []tracefile.Buf) {
	if e.contexts != nil {
		ev.Secontexts = e.contexts.ofThread(nil, ev.Thread.TID)
	}
	e.add(ev, bufs, nil)
}

func (e *Engine) add(ev *tracefile.Event, bufs []tracefile.Buf, names []Name) {
	kept := e.behind == nil || e.resume(ev.End) || e.drop(ev)
	if kept {
		e.Counts.Events++
		if e.Counts.Events == e.cfg.MaxEvents {
			e.stop.CompareAndSwap(int32(Running), int32(EventsMet))
		}
	}
	if e.cfg.Until != nil && e.Met.Text == "" {
		e.until(ev, kept)
	}
	if e.behind != nil {
		return
	}
	b := e.batch
	b.Events = append(b.Events, *ev)
	if len(bufs) > 0 {
		size := len(b.data)
		b.Events[len(b.Events)-1].Bufs = b.own(bufs)
		e.inBlock.bytes += len(b.data) - size
	}
	if len(ev.Secontexts) > 0 {
		b.Events[len(b.Events)-1].Secontexts = b.ownContexts(ev.Secontexts)
		e.inBlock.bytes += len(ev.Secontexts) * contextBytes
	}
	if p := ev.Facts; p != nil {
		e.inBlock.bytes += factsBytes(p)
	}
	if len(names) > 0 {
		b.Names = appendNames(b.Names, names, len(b.Events)-1)
		e.inBlock.bytes += namesBytes(names)
	}
	e.inBlock.events++
	e.dirty = true
	switch {
	case e.inBlock.events >= e.cfg.BlockEvents || e.inBlock.bytes >= e.cfg.BlockBytes:
		e.handOver(true)
	case b.full():
		e.handOver(false)
	}
}

// factsBytes is about what facts weigh in a block. Each string and each field of
// a file is a part of its own, of which a block has no more than so many.
// proto.Size would be exact, but its first use builds the messages' descriptions,
// which costs as much as dozens of calls.
func factsBytes(p *tracepb.Process) int {
	const part = 32
	n := 1 << 10
	for _, list := range [][][]byte{p.Argv, p.Env, p.GetMaps().GetFiles()} {
		for _, s := range list {
			n += part + len(s)
		}
	}
	for _, f := range p.Files {
		n += 6*part + len(f.Link) + len(f.Socket)
	}
	return n
}

// until ends the recording if the event is what it was to last until.
func (e *Engine) until(ev *tracefile.Event, kept bool) {
	if e.Met.Text = e.cfg.Until(ev); e.Met.Text == "" {
		return
	}
	if kept {
		e.Met.Event = e.Counts.Events
	}
	e.stop.CompareAndSwap(int32(Running), int32(UntilMet))
}
