// Package stracelog turns logs of strace(1) into traces.
//
// A log tells in text what a trace holds as registers and memory. Each call is
// read back by the table of system calls (encoder), lines are joined to calls
// and put in order (assembler), and where the text says less than a recorder
// would have seen, or cannot be read back to the letter, it is kept with the
// event. Nothing here reads the host.
package stracelog

import (
	"context"
	"errors"
	"fmt"
	"io"

	"sysreel/proto/syscalls"
)

// Log is a file to read.
type Log struct {
	Name string // for messages
	// PID is the thread that the whole log is of, as strace -ff writes them; 0 if
	// the lines say, or none does.
	PID  int32
	Open func() (io.ReadCloser, error)
}

// Options of an import.
type Options struct {
	Arch     syscalls.Arch // of the machine that strace ran on; 0 means AMD64
	Recorder string        // for the header: "sysreel 1.0"
	Workers  int           // that parse a single log; 0: one a CPU
	// Progress, if set, is called now and then with the number of events written,
	// always by the goroutine that called Import.
	Progress func(events uint64)
}

// Result is what was found.
type Result struct {
	Lines   uint64
	Events  uint64
	Calls   uint64
	Threads int
	// Processes as far as the log tells who made whom.
	Processes int
	Damaged   uint64   // lines that could not be understood
	First     []Damage // the first of them
	Stacks    uint64   // lines of stack traces (-k), which are not kept
	AsText    uint64   // calls of which the text had to be kept
	Durations bool     // the log has them (-T)
	Clock     bool     // it says when (-t, -r)
	Size      int64    // bytes written
}

// Damage is a line that could not be understood.
type Damage struct {
	Log  string
	Line int64
	Text string // its beginning
}

// maxDamage is how many damaged lines are shown.
const maxDamage = 5

// Errors that say what the input is instead of a log.
var (
	ErrTrace  = errors.New("is a sysreel trace already: give it to replay, summary or diff")
	ErrCounts = errors.New("is the table of strace -c: counts cannot be turned into calls; use strace -f -ttt -T -o FILE without -c")
	ErrUTF16  = errors.New("is UTF-16 text: turn it into UTF-8 first (iconv -f UTF-16 -t UTF-8)")
	ErrNoLog  = errors.New("is no strace log: none of its lines is a system call")
	ErrEmpty  = errors.New("is empty")
)

// Import reads the logs, which are of one run of strace, and writes a trace to
// w. Several logs are merged by their times. What is damaged is counted; an
// error means that there is no trace, or none that is whole.
func Import(ctx context.Context, w io.Writer, logs []Log, o Options) (*Result, error) {
	if o.Arch == 0 {
		o.Arch = syscalls.AMD64
	}
	if len(logs) == 0 {
		return nil, errors.New("no logs given")
	}
	a := newAssembler(w, o)
	var err error
	if len(logs) == 1 {
		err = a.single(ctx, &logs[0])
	} else {
		err = a.several(ctx, logs)
	}
	if err != nil {
		return a.res, err
	}
	if a.w == nil { // not one call
		if a.res.Lines == 0 {
			return a.res, fmt.Errorf("%s: %w", logs[0].Name, ErrEmpty)
		}
		return a.res, fmt.Errorf("%s: %w", logs[0].Name, ErrNoLog)
	}
	return a.res, a.close()
}
