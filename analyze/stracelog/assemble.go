package stracelog

import (
	"bytes"
	"io"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
	"sysreel/proto/world"
)

// assembler joins the lines of logs to events in the order of their ends, with
// the threads and processes that the log tells of.
type assembler struct {
	o     Options
	out   io.Writer
	w     *tracefile.Writer // nil until the first event
	world *world.World
	enc   *encoder // for lines that only together make a call
	res   *Result

	threads map[int32]*thread // that live, by TID
	born    map[int32]birth   // children of which nothing was seen yet
	all     int               // threads so far
	procs   int
	launch  *process // the first, if the log begins with its execve
	status  int32
	known   bool               // status is
	unknown map[string]uint32  // numbers given to calls that are not in the table
	descs   []*syscalls.Desc   // theirs
	creator func(int32) *birth // looks for a thread's creator in other logs

	base    int64 // ns: the log's time at which the trace's clock is 0
	kind    clockKind
	raw     int64 // the last line's time as told
	clock   int64 // time of the last begin or end of a call
	lastEnd int64
	merged  bool // several logs: lines are not in the order of their times
	event   tracefile.Event
}

// thread is a thread of the log.
type thread struct {
	tracefile.Thread
	proc *process
	arch syscalls.Arch
	// The call that has begun and not ended.
	in     bool
	call   *callInfo
	name   []byte
	args   []byte
	start  int64
	latest int64 // to which start may be moved and is printed the same
	child  bool  // of a clone: the child has been seen
	execed bool  // of an execve: its event has been written
}

type process struct {
	id   tracefile.ProcessID
	tgid int32
	live int
}

// birth is what a call told about a thread that it made.
type birth struct {
	creator *thread
	how     tracefile.StartHow
	shares  bool // the process
}

func newAssembler(w io.Writer, o Options) *assembler {
	return &assembler{o: o, out: w, world: world.New(), enc: newEncoder(o.Arch), res: &Result{}, threads: make(map[int32]*thread),
		born: make(map[int32]birth), unknown: make(map[string]uint32), clock: -1000}
}

// open writes the header, when the first record tells what the times are.
func (a *assembler) open(r *record) error {
	s := r.at
	h := &tracepb.Header{
		Recorder: a.o.Recorder, Backend: "import", Clock: &tracepb.Clock{Zone: "UTC"},
		Machine: &tracepb.Machine{Arch: machines[a.o.Arch]}, Target: &tracepb.Target{Follow: true},
		NoDurations: !a.res.Durations, NoClock: !a.res.Clock,
	}
	h.Target.Command = a.command(r)
	a.kind = s.kind
	if s.kind == epoch || s.kind == dayClock {
		a.base = s.ns
		h.Clock.RealtimeNs = s.ns
	}
	var err error
	a.w, err = tracefile.NewWriter(a.out, h, tracefile.WriterOptions{Tracker: a.world, Lookup: a.lookup})
	return err
}

// command returns the argument vector, if the log begins with its execve.
func (a *assembler) command(r *record) (argv [][]byte) {
	if string(r.name) != "execve" {
		return nil
	}
	e := &r.ev
	if r.kind == begun {
		e = new(tracefile.Event)
		*e = a.partial(&thread{arch: a.o.Arch, call: r.call, name: r.name, args: r.args}, tracefile.Unfinished)
	}
	for i := range e.Bufs {
		if b := &e.Bufs[i]; b.Arg == 1 && b.Parent >= 0 {
			argv = append(argv, append([]byte(nil), bytes.TrimRight(b.Data, "\x00")...))
		}
	}
	return argv
}

// machines are uname's names.
var machines = map[syscalls.Arch]string{syscalls.AMD64: "x86_64", syscalls.ARM64: "aarch64", syscalls.I386: "i686"}

// firstUnknown is the number of the first call that is not in the table; the
// kernel has none so high.
const firstUnknown = 0x7f000000

// lookup describes to the Writer also the calls that only the log knows.
func (a *assembler) lookup(arch syscalls.Arch, nr uint32) *syscalls.Desc {
	if i := int(nr) - firstUnknown; i >= 0 && i < len(a.descs) {
		return a.descs[i]
	}
	return syscalls.Lookup(arch, nr)
}

// number returns the number of a call by its name.
func (a *assembler) number(i *callInfo, name []byte) uint32 {
	if i.d != nil {
		return i.nr
	}
	if hex, ok := bytes.CutPrefix(name, []byte("syscall_0x")); ok && len(hex) <= 7 {
		var nr uint32
		for _, c := range hex {
			nr = nr<<4 | uint32(digit(c)&15)
		}
		return nr
	}
	nr, ok := a.unknown[string(name)]
	if !ok {
		nr = firstUnknown
		if len(a.descs) < maxNames { // more than that are one
			nr += uint32(len(a.descs))
			a.descs = append(a.descs, &syscalls.Desc{Name: string(name), Proto: string(name) + "() long", NR: nr})
			a.unknown[string(name)] = nr
		}
	}
	return nr
}

// resolve returns a line's time on the log's own scale. It is to be asked once
// for each line, in order.
func (a *assembler) resolve(s *state, at stamp) (ns int64, ok bool) {
	if a.kind == noClock || at.kind != a.kind {
		return 0, false
	}
	switch at.kind {
	case relative:
		s.last += at.ns
		return s.last, true
	case dayClock:
		const day = 24 * 3600 * 1e9
		if at.ns+s.days*day < s.last-day/2 {
			s.days++
		}
		s.last = at.ns + s.days*day
		return s.last, true
	}
	return at.ns, true
}

// time returns the moment of a boundary of a call: the time that the line tells,
// moved by less than its last digit where that is needed to keep the order of
// the lines.
func (a *assembler) time(s *state, at stamp) int64 {
	if !s.ready {
		s.ns, s.timed = a.resolve(s, at)
	}
	s.ready = false
	raw, unit := a.clock+1000, int64(1)
	if s.timed {
		raw, unit = s.ns-a.base, at.unit
	}
	a.raw = raw
	if !a.merged && raw <= a.clock {
		raw = min(a.clock+1, raw+unit-1)
	}
	raw = max(0, raw)
	a.clock = max(a.clock, raw)
	return raw
}

// state is what is kept of a log from line to line.
type state struct {
	log      *Log
	last     int64 // -r: the sum; -t: the last time of day
	days     int64
	lone     *thread // whose lines have no PID
	tid      int32   // its
	held     []byte  // the beginning of a line that was broken in two
	heldLine int64   // its number
	// The time of the next line, if it was asked for already.
	ready, timed bool
	ns           int64
}

// progressEvents is how many events are written between two calls of
// Options.Progress.
const progressEvents = 4096

// emit writes an event. Its end is not before the one's before.
func (a *assembler) emit(e *tracefile.Event) error {
	e.End = max(e.End, a.lastEnd)
	e.Start = min(e.Start, e.End)
	a.lastEnd = e.End
	if !a.merged {
		a.clock = max(a.clock, e.End)
	}
	if a.res.Events++; a.o.Progress != nil && a.res.Events%progressEvents == 0 {
		a.o.Progress(a.res.Events)
	}
	if e.Kind == tracefile.Syscall || e.Kind == tracefile.Unfinished {
		a.res.Calls++
		if n := len(e.Bufs); n > 0 && e.Bufs[n-1].Arg < 0 {
			a.res.AsText++
		}
	}
	if err := a.w.Add(e); err != nil {
		return err
	}
	if a.w.Full() {
		return a.w.Flush(a.inFlight())
	}
	return nil
}

// inFlight returns the calls that have begun.
func (a *assembler) inFlight() []tracefile.Event {
	var list []tracefile.Event
	for _, t := range a.threads {
		if t.in {
			e := a.partial(t, tracefile.InFlight)
			e.Start, e.End = t.start, max(a.lastEnd, t.start)
			list = append(list, e)
		}
	}
	return list
}

// partial makes an event of what is known of a call that has not ended.
func (a *assembler) partial(t *thread, kind tracefile.Kind) tracefile.Event {
	e := tracefile.Event{Kind: kind, Arch: t.arch, Thread: t.Thread}
	a.enc.withArch(t.arch, func() { a.enc.encode(&e, t.call, t.args, nil, len(t.args)) })
	e.NR = a.number(t.call, t.name)
	return e
}

// close writes the end of the trace.
func (a *assembler) close() error {
	f := &tracepb.Footer{Clock: &tracepb.Clock{MonotonicNs: a.lastEnd, Zone: "UTC"}, Processes: uint32(a.procs), Threads: uint32(a.all),
		ExitStatus: a.status, ExitKnown: a.known}
	if a.kind != noClock && a.kind != relative {
		f.Clock.RealtimeNs = a.base + a.lastEnd
	}
	if len(a.threads) == 0 {
		f.End = tracepb.Footer_EXITED
	}
	if n := a.res.Damaged; n > 0 {
		a.w.AddLoss(&tracepb.Loss{Reason: tracepb.Loss_DAMAGED_LINES, Count: n, FirstNs: 0, LastNs: a.lastEnd})
	}
	if err := a.w.Flush(a.inFlight()); err != nil {
		return err
	}
	if err := a.w.Close(f); err != nil {
		return err
	}
	a.res.Threads, a.res.Processes, a.res.Size = a.all, a.procs, a.w.Size()
	return nil
}
