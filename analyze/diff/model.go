package diff

import (
	"strings"

	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
)

// run is a trace as the comparison keeps it.
type run struct {
	name    string
	header  *tracepb.Header
	footer  *tracepb.Footer
	warning string
	events  uint64
	first   int64 // ns
	last    int64
	procs   []*proc // in order of appearance
	roots   []*proc // without a recorded parent
	errnos  map[string]int
	kills   []kill
	written map[string]bool     // canonical paths that the run itself wrote
	made    map[string]bool     // … that it made, removed or renamed, or tried to
	listed  int                 // names in listings
	canon   func(string) string // masks what the rules for names mask
}

// attached reports whether r is of processes that ran before and ran on.
func (r *run) attached() bool { return len(r.header.GetTarget().GetCommand()) == 0 }

// proc is a process of a run, as long as it ran one program. A process that
// executes another goes on as a child of what it was, so that a shell that
// replaces itself by its last command compares with one that forks for it.
type proc struct {
	run      *run
	id       tracefile.ProcessID
	pid      int32
	parent   *proc
	children []*proc
	born     uint64 // event
	start    int64  // ns
	end      int64
	next     *proc // what it went on as
	was      *proc // what it was before
	comm     string
	execs    []execution
	facts    *tracepb.Process // the latest that was recorded
	threads  []*thread
	uses     map[symbol]*use
	seen     map[symbol]int32 // how often a step's symbol occurs
	messages []message
	signals  []signal
	lists    map[string]*listing // by canonical directory

	ended    bool
	cpu      int64 // ns: with its children; of the last program that it ran; 0: not known
	status   int32 // wait status
	known    bool  // status is valid
	endEvent uint64

	tried  string   // canonical base name of the first program it tried to run
	sorted []symbol // cache of keys

	// Set by matching.
	other *proc // counterpart, nil if there is none
	group int   // of processes that play one role; see groupTwins
}

// execution is a program that a process ran.
type execution struct {
	event uint64
	path  string // as recorded
	argv  []string
	name  string // canonical path
	args  string // canonical arguments
	facts *tracepb.Process
}

// use sums up what a process did with an object.
type use struct {
	calls, errors uint64
	total         int64 // ns
	longest       int64
	longestEvent  uint64
	bytes         int64
	first         uint64 // event
}

// message is text written where a person or a log reads it.
type message struct {
	event uint64
	fd    int
	text  string // as written, at most maxMessage bytes
	canon string
	whole bool // nothing of the latest piece is missing
}

// signal is a delivered signal.
type signal struct {
	event uint64
	signo int
	code  int32 // si_code, 0 if not known
	pid   int32 // sender, where si_code says that there is one
	addr  uint64
}

// kill is a signal sent by a recorded process. SIGKILL is not seen where it is
// delivered, so only this tells where it came from.
type kill struct {
	event  uint64
	sender *proc
	target int32
	signo  int
}

// thread is a thread of a process.
type thread struct {
	proc  *proc
	id    tracefile.ThreadID
	tid   int32
	steps []step
	busy  int64 // ns in calls
	gap   int64 // ns: the longest time between two events
	start int64
	end   int64 // of the latest event
	last  lastCall
}

// lastCall is what a thread was doing at the end.
type lastCall struct {
	event      uint64
	name       string
	sym        symbol
	object     string
	start, end int64
	unfinished bool
}

// ref names a step. Of one that has no counterpart, at is the number of the
// latest event before that place in the other run, 0 if not known.
type ref struct {
	thread *thread
	index  int32
	at     uint32
}

func (r ref) step() *step { return &r.thread.steps[r.index] }

// event returns the number of the step's event.
func (r ref) event() uint64 { return uint64(r.step().num) }

// role names the program of p, as a person would.
func (p *proc) role() string {
	if n := len(p.execs); n > 0 {
		return p.execs[n-1].program()
	}
	if p.parent != nil {
		return p.parent.roleBefore(p.born)
	}
	if p.comm != "" {
		return p.comm
	}
	return "?"
}

// roleBefore names what p ran when event happened.
func (p *proc) roleBefore(event uint64) string {
	for i := len(p.execs) - 1; i >= 0; i-- {
		if p.execs[i].event <= event {
			return p.execs[i].program()
		}
	}
	if p.parent != nil && len(p.execs) == 0 {
		return p.parent.roleBefore(p.born)
	}
	return p.role()
}

// program is what a person calls the program: the name it was run by.
func (x *execution) program() string {
	if len(x.argv) > 0 {
		if name := strings.TrimPrefix(base(x.argv[0]), "-"); name != "" {
			return name
		}
	}
	return base(x.path)
}

// failed reports whether p ended badly: not by exit(0).
func (p *proc) failed() bool { return p.known && p.status != 0 }

// signalled returns the signal that killed p, or 0.
func (p *proc) signalled() int {
	if p.known && p.status&0x7f != 0 && p.status&0x7f != 0x7f {
		return int(p.status & 0x7f)
	}
	return 0
}

// code returns p's exit code, valid if it was not killed.
func (p *proc) code() int { return int(p.status>>8) & 0xff }

// ancestor reports whether a is p or above it.
func (p *proc) ancestor(a *proc) bool {
	for ; p != nil; p = p.parent {
		if p == a {
			return true
		}
	}
	return false
}

func base(p string) string {
	for i := len(p) - 1; i >= 0; i-- {
		if p[i] == '/' && i < len(p)-1 {
			return p[i+1:]
		}
	}
	return p
}
