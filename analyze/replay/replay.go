// Package replay writes a trace as text, in strace's notation and order, or
// as a line of JSON for each event.
//
// A trace holds calls in the order of their ends. strace's text begins a call
// where it began: a call during which another thread wrote a line is split in
// "<unfinished ...>" and "<... resumed>". Within a block both moments of every
// call are known, so the block's lines are merged by time; a call that was in
// flight at its end is begun there and resumed in a later block. So no more
// than one block's text is held.
package replay

import (
	"io"
	"strconv"
	"strings"
	"time"

	"sysreel/analyze"
	"sysreel/analyze/format"
	"sysreel/analyze/paint"
	"sysreel/analyze/symbols"
	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
	"sysreel/proto/world"
)

// Clock is what stands at the start of a line.
type Clock uint8

const (
	NoClock Clock = iota
	Day           // -t, -tt: the time of day, 15:04:05
	Epoch         // -ttt: seconds since 1970
)

// Precision is the unit that a time is cut to.
type Precision uint8

const (
	Micros Precision = iota
	Seconds
	Millis
	Nanos
)

// PIDs says when a line begins with the thread that it is of.
type PIDs uint8

const (
	NoPIDs  PIDs = iota
	AllPIDs      // "1234  ", as strace -f -o FILE
	// ManyPIDs is "[pid  1234] " on the lines written while there is more than
	// one thread, as strace -f on a terminal.
	ManyPIDs
)

// FDNames is what is written behind descriptors, a sum of what follows.
type FDNames uint8

const (
	Paths     FDNames = 1 << iota // -y: 3</etc/passwd>, 4<socket:[1234]>
	Sockets                       // 4<TCP:[127.0.0.1:8080]>
	DevNos                        // 2</dev/null<char 1:3>>
	PIDFDs                        // 5<pid:1234>
	EventFDs                      // 6<{eventfd-count=0x1, eventfd-id=2, eventfd-semaphore=0}>
	SignalFDs                     // 7<signalfd:[USR1]>

	NoNames   FDNames = 0
	Protocols         = Paths | Sockets | DevNos | PIDFDs | EventFDs | SignalFDs // -yy
)

// Options of a replay. The zero value gives strace's own defaults.
type Options struct {
	Format format.Options
	// Interfaces names network interfaces; may be nil.
	Interfaces *Interfaces
	Names      FDNames // analyze.NeedWorld is needed; without it netlink messages are data
	Clock      Clock
	ClockUnit  Precision
	// Epoch is the wall-clock time, ns since 1970, at which the trace's clock
	// was 0: Header.clock.realtime_ns − monotonic_ns.
	Epoch int64
	// Zone of Day; nil means UTC.
	Zone         *time.Location
	Relative     bool // -r: time since the line before
	RelativeUnit Precision
	Durations    bool // -T: time in the call
	DurationUnit Precision
	PIDs         PIDs
	Comms        bool // -Y: PIDs are followed by the thread's name: 1234<sh>
	// Comm is asked, with Comms, about what the trace does not tell of; may be nil.
	Comm func(id int32) string
	// OuterPIDs writes behind the ID of a process what the recorder calls it, where
	// that is another (--decode-pids=pidns): if the trace tells (record.Options.Inner).
	// Outer is asked about what it does not tell of: with the inode of the PID
	// namespace that the ID is of; may be nil.
	OuterPIDs   bool
	Outer       func(namespace uint64, id int32) int32
	Numbers     bool // start each line with the event's number: #42
	CallNumbers bool // -n: "[ 257] " before a call, with its number
	// Column is where results stand; 0: in strace's, 40. Negative: at once.
	Column int
	// Results, if set, tells whether a call is wanted, by what came of it. Calls
	// are then written when they end, in one piece (-z, -Z, -e status=).
	Results func(*analyze.Call) bool
	// NoLetGo leaves out, with Results, the calls in which threads were let go of.
	NoLetGo bool
	// Attached, if set, is told of each thread that turns up, before its first
	// line. What it returns is written where the text has got to, even in the
	// middle of a line: that is what becomes of strace's messages, which go to
	// the same terminal.
	Attached func(tid int32) string
	// Present is how many threads have been attached to, if that is known: they
	// are there from the beginning, and Attached is not told of them.
	Present int
	// Detached is the same for threads that are let go of.
	Detached func(tid int32) string
	// Personalities writes "[ Process PID=1234 runs in 32 bit mode. ]" where a
	// thread changes to another kind of calls.
	Personalities bool
	Silence       Silence
	JSON          bool // instead of text
	// Stacks writes the stack of each call and signal that has one behind its
	// line, a frame a line (-k). Symbols finds the functions' names; nil: none.
	// In JSON stacks are always there.
	Stacks  bool
	Sources bool // and the line of the source that each is of (-kk)
	Symbols *symbols.Finder
	IP      bool           // -i: the instruction pointer before a call
	Paint   *paint.Painter // gives the text colours; nil: none. JSON has none
}

// Silence leaves out lines that are not calls.
type Silence struct {
	Exits bool // "+++ exited with 0 +++"
	// Killed, if set, tells of which signals: "+++ killed by SIGTERM +++".
	Killed     func(signo int) bool
	Superseded bool // "+++ superseded by execve in pid 1234 +++"
}

// flushEvents is the number of events after which lines are merged and
// written even when no block has ended.
const flushEvents = 1 << 16

// A Replay writes events as lines. It is used by one goroutine.
type Replay struct {
	o     Options
	out   output
	f     *format.Formatter
	names names
	fresh fresh

	items   []item // since the last Flush, in order of their ends
	text    []byte // theirs
	starts  []int32
	open    open
	waiting map[tracefile.ThreadID]int64 // calls begun in an earlier batch: their start
	last    int64                        // time of the line before, for -r
	any     bool
	present int                          // of Options.Present, not seen yet
	live    int                          // threads begun and not ended, in what was written
	tids    map[tracefile.ThreadID]int32 // of live threads
	// former are the TIDs of the threads that took their leader's place by an
	// execve, until that call's line, by that leader.
	former map[tracefile.ThreadID]former
	// blocked are the calls that restart_syscall will go on with, by thread.
	blocked map[tracefile.ThreadID]string
	// modes are the personalities of threads, where not "64 bit" all the time.
	modes   map[tracefile.ThreadID]string
	numbers map[tracefile.ThreadID]uint32 // of their last calls
	alive   map[int32]alive               // by TID, for Options.Comms
	speaker speaker
	reaped  int32              // whom the call rendered has waited for, 0: nobody
	zombies []tracefile.Thread // that may be in alive
	args    []string
	written uint64
	frames  map[*tracefile.Stack]string // lines of the block's

	held    []byte // JSON of the calls in flight at the end of the last block
	flushed bool   // nothing was added since
}

// New returns a Replay that writes to w. Close flushes it.
func New(o Options, w io.Writer) *Replay {
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	if o.Format.Zone == nil {
		o.Format.Zone = o.Zone
	}
	if o.Column == 0 {
		o.Column = 40
	}
	r := &Replay{o: o, present: o.Present, live: o.Present, waiting: make(map[tracefile.ThreadID]int64), tids: make(map[tracefile.ThreadID]int32),
		former: make(map[tracefile.ThreadID]former), frames: make(map[*tracefile.Stack]string), blocked: make(map[tracefile.ThreadID]string),
		modes: make(map[tracefile.ThreadID]string), numbers: make(map[tracefile.ThreadID]uint32)}
	r.out.w = w
	if o.Comms {
		r.alive = make(map[int32]alive)
		o.Format.Comm = r.comm
	}
	if o.Comms || o.OuterPIDs {
		o.Format.Outer, o.Format.OuterPIDs = r.outer, o.OuterPIDs
	}
	if o.Interfaces != nil {
		o.Format.Interface = o.Interfaces.Name
	}
	r.f = format.New(o.Format)
	return r
}

// Add takes the next event of the trace. A call in flight is taken as such:
// InFlight events are what the calls were that had begun, and not ended, when
// their block did; Flush is to follow. As JSON, which tells a call once, only
// those of the last block are written.
func (r *Replay) Add(c *analyze.Call) error {
	r.nameFresh()
	if r.o.Comms || r.o.OuterPIDs {
		r.speaks(c)
	}
	if r.o.Interfaces != nil {
		r.o.Interfaces.see(c)
	}
	if r.o.JSON {
		return r.addJSON(c)
	}
	switch c.Kind {
	case tracefile.Syscall, tracefile.Unfinished, tracefile.InFlight:
		r.call(c)
	case tracefile.Signal, tracefile.Stop:
		r.signal(c)
	case tracefile.ThreadExit:
		r.exit(c)
	case tracefile.ThreadStart:
		r.start(c)
	case tracefile.Detach:
		r.leave(c)
	case tracefile.Exec:
		r.executed(c)
		if c.Args[0] != 0 {
			r.superseded(c)
		}
	}
	if len(r.items) >= flushEvents {
		return r.Flush()
	}
	return r.out.err
}

// Flush writes the lines of the events so far. It is called at the end of each
// block, after the calls in flight; nothing that began before what was flushed
// can be put in its place later.
func (r *Replay) Flush() error {
	r.nameFresh()
	r.merge()
	clear(r.frames)
	if r.flushed { // another block without an event
		r.held = r.held[:0]
	}
	r.flushed = true
	return r.out.flush()
}

// Close writes what is left.
func (r *Replay) Close() error {
	r.nameFresh()
	r.merge()
	r.endOpen()
	r.out.b = append(r.out.b, r.held...)
	return r.out.flush()
}

// Lines returns the number of lines written so far.
func (r *Replay) Lines() uint64 { return r.written }

// names answers the Formatter about the call's process.
type names struct {
	process *world.Process
	how     FDNames
	// made is what the call's output descriptors are, "" if it has none: they
	// are named as world.World will name them.
	made string
	// opened are descriptors that the call made, where the trace tells what they are.
	opened []*tracepb.OpenFile
	// received are those that came with messages, or with a child.
	received []world.Received
}

// protocols are those of sockets that strace -yy names: it knows no others.
var protocols = map[string]bool{"TCP": true, "TCPv6": true, "UDP": true, "UDPv6": true, "RAW": true, "RAWv6": true, "UNIX": true, "UNIX-STREAM": true, "NETLINK": true}

// received stands for what came with messages, cloned for a child's pidfd.
const (
	received = "received"
	cloned   = "cloned"
)

// makes returns what begins the names of the descriptors that a call returns
// through memory; "" if it returns none.
func makes(call string) string {
	switch call {
	case "pipe", "pipe2":
		return "pipe:[#"
	case "socketpair":
		return "socket:[#"
	case "recvmsg", "recvmmsg", "recvmmsg_time64":
		return received
	case "clone", "clone3":
		return cloned
	}
	return ""
}

// fresh is the descriptor that the last call added returned. What it stands
// for is known once the world has taken in the call.
type fresh struct {
	process *world.Process // nil: none
	fd      int32
	context []byte // its security context as text; empty: none
}

// nameFresh writes the name of the fresh descriptor behind the result of the
// last item, which is the last of r.text.
func (r *Replay) nameFresh() {
	p := r.fresh.process
	if p == nil {
		return
	}
	r.fresh.process = nil
	if len(r.items) == 0 {
		return
	}
	r.names = names{process: p, how: r.o.Names}
	var room [128]byte
	if name := r.names.FD(room[:0], r.fresh.fd); len(name) > 0 {
		r.text = r.f.AppendName(r.text, name, r.names.Device(r.fresh.fd))
	}
	if len(r.fresh.context) > 0 {
		r.text = append(append(r.text, ' '), r.fresh.context...)
	}
	last := &r.items[len(r.items)-1]
	end := int32(len(r.text))
	last.result, last.dump, last.states = end, end, end
}

// Netlink returns the protocol of a netlink socket.
func (n *names) Netlink(fd int32) int {
	if f := n.process.File(fd); f != nil {
		if proto, ok := f.Netlink(); ok {
			return proto
		}
	}
	return format.NotNetlink
}

// FD appends what is known of a descriptor.
func (n *names) FD(dst []byte, fd int32) []byte {
	if n.how == NoNames {
		return dst
	}
	if n.made != "" && n.opened == nil {
		return append(dst, n.made...)
	}
	switch f := n.file(fd); {
	case f == nil:
	case n.how&Sockets != 0 && f.Proto == "NETLINK" && !strings.Contains(f.Local, ":"): // not bound yet
		dst = append(dst, "NETLINK:"...)
		dst = append(dst, strings.TrimPrefix(f.Link, "socket:")...)
	case n.how&Sockets != 0 && f.Kind == world.Socket && protocols[f.Proto]:
		dst = append(dst, f.Detail()...)
	case n.how&PIDFDs != 0 && f.PID < 0: // it stands for nobody any more
		dst = append(dst, f.Name()...)
	case n.how&PIDFDs != 0 && f.PID > 0:
		dst = append(dst, "pid:"...)
		dst = strconv.AppendInt(dst, int64(f.PID), 10)
	case n.how&EventFDs != 0 && strings.HasPrefix(f.Device, "{"), n.how&SignalFDs != 0 && strings.HasPrefix(f.Device, "signalfd:"):
		dst = append(dst, f.Device...)
	case n.how&Paths != 0 || n.how&DevNos != 0 && isDevice(f.Device):
		dst = append(dst, f.Name()...)
	}
	return dst
}

// file returns what a descriptor is, nil if that is not known.
func (n *names) file(fd int32) *world.File {
	f, made := n.process.File(fd), n.made != ""
	for i := range n.received {
		if r := &n.received[i]; r.FD == fd {
			f, made = r.File, true
		}
	}
	if made {
		for _, o := range n.opened {
			if o.Fd == fd {
				f = world.FileOf(o)
			}
		}
	}
	return f
}

// Device returns the device that a descriptor is.
func (n *names) Device(fd int32) string {
	if f := n.file(fd); f != nil && n.how&DevNos != 0 && isDevice(f.Device) {
		return f.Device
	}
	return ""
}

// Terminal tells whether a descriptor is a terminal.
func (n *names) Terminal(fd int32) bool { return n.process.File(fd).Terminal() }

// isDevice tells whether what is told of a descriptor is a device's number.
func isDevice(detail string) bool {
	return strings.HasPrefix(detail, "char ") || strings.HasPrefix(detail, "block ")
}

// Cwd appends the working directory.
func (n *names) Cwd(dst []byte) []byte {
	if n.how&Paths == 0 {
		return dst
	}
	return append(dst, n.process.Cwd()...)
}

// output collects lines and writes them in large pieces. Its error is sticky.
type output struct {
	w   io.Writer
	b   []byte
	err error
}

const outputSize = 64 << 10

func (o *output) flushIfFull() error {
	if len(o.b) < outputSize {
		return o.err
	}
	return o.flush()
}

func (o *output) flush() error {
	if o.err == nil && len(o.b) > 0 {
		_, o.err = o.w.Write(o.b)
	}
	o.b = o.b[:0]
	return o.err
}
