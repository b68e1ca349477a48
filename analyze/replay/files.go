package replay

import (
	"io"

	"sysreel/analyze"
	"sysreel/proto/tracefile"
)

// Files writes what each thread does to an output of its own. It is used by one
// goroutine.
type Files struct {
	o     Options
	open  func(tid int32) (io.WriteCloser, error)
	files map[tracefile.ThreadID]*file
	tids  map[tracefile.ThreadID]int32
	// makers are the threads whose execve has given them their leader's place,
	// by that leader, until the call returns.
	makers map[tracefile.ThreadID]*file
}

type file struct {
	*Replay
	of     tracefile.Thread
	w      io.WriteCloser
	ended  bool
	passes int64 // when its execve gave it the place of its leader
}

// NewFiles returns Files that asks open for a thread's output when there is
// something to write, and closes it when the thread has ended.
func NewFiles(o Options, open func(tid int32) (io.WriteCloser, error)) *Files {
	return &Files{o: o, open: open, files: make(map[tracefile.ThreadID]*file), tids: make(map[tracefile.ThreadID]int32),
		makers: make(map[tracefile.ThreadID]*file)}
}

// Add takes the next event of the trace, as [Replay.Add] does.
func (f *Files) Add(c *analyze.Call) error {
	id := c.Event.Thread.ID
	to := f.files[id]
	if to == nil {
		w, err := f.open(c.Event.Thread.TID)
		if err != nil {
			return err
		}
		to = &file{Replay: New(f.o, w), of: c.Event.Thread, w: w}
		to.tids = f.tids
		f.files[id] = to
	}
	if m, ok := f.makers[id]; ok {
		delete(f.makers, id)
		m.ended = true
		if c.IsCall() && c.Start <= m.passes {
			m.passed(c, m.of)
			to.waiting[id] = c.Start
		}
	}
	switch c.Kind {
	case tracefile.ThreadExit:
		to.ended = true
	case tracefile.Exec:
		if m := f.files[tracefile.ThreadID(c.Args[0])]; m != nil {
			m.passes = c.End
			f.makers[id] = m
		}
	}
	return to.Add(c)
}

// Flush writes what there is of all threads.
func (f *Files) Flush() error {
	for id, to := range f.files {
		if err := to.Flush(); err != nil {
			return err
		}
		if to.ended {
			delete(f.files, id)
			if err := to.close(); err != nil {
				return err
			}
		}
	}
	return nil
}

// Close writes what is left.
func (f *Files) Close() error {
	var first error
	for _, to := range f.files {
		if err := to.close(); err != nil && first == nil {
			first = err
		}
	}
	clear(f.files)
	return first
}

func (to *file) close() error {
	err := to.Close()
	if cerr := to.w.Close(); err == nil {
		err = cerr
	}
	return err
}
