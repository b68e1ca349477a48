package analyze

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
)

// Trace is an open trace.
type Trace struct {
	*tracefile.Reader
	Name   string // as the user wrote it; "standard input" for "-"
	close  func() error
	losses []*tracepb.Loss // of the blocks passed over
}

// Run passes over the trace, as the function [Run] does, and notes what was
// lost, for [Trace.Warning].
func (t *Trace) Run(ctx context.Context, o Options, fn func(*Call) error) error {
	own := o.Loss
	o.Loss = func(l *tracepb.Loss) {
		t.losses = append(t.losses, l)
		if own != nil {
			own(l)
		}
	}
	return Run(ctx, t.Reader, o, fn)
}

// Warning says in a line what the file lacks and what the recorder lost, "" if
// nothing.
func (t *Trace) Warning() string {
	losses := t.losses
	if f := t.Footer(); f != nil {
		losses = f.Losses // the totals
	}
	warning, lost := t.Reader.Warning(), lossWarning(losses)
	if warning != "" && lost != "" {
		return warning + "; " + lost
	}
	return warning + lost
}

// Open opens a trace file; "-" is in. Its errors name the file and say what is
// wrong with it.
func Open(name string, in io.Reader, o tracefile.ReaderOptions) (*Trace, error) {
	if name == "-" {
		r, err := tracefile.NewReader(in, o)
		if err != nil {
			return nil, fmt.Errorf("standard input: %w", err)
		}
		return &Trace{Reader: r, Name: "standard input"}, nil
	}
	f, err := os.Open(name)
	if err != nil {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if st, err := f.Stat(); err == nil && st.IsDir() {
		f.Close()
		return nil, fmt.Errorf("%s: is a directory, not a trace", name)
	}
	files := &files{name: name, open: []*os.File{f}}
	if o.Follow != nil {
		o.Successor = files.successor
	}
	r, err := tracefile.NewReader(f, o)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &Trace{Reader: r, Name: name, close: files.close}, nil
}

// files are those that had a name one after the other: a ring's file is replaced
// now and then.
type files struct {
	name string
	open []*os.File
}

// successor returns the file that has taken the place of the last one, or nil.
func (f *files) successor() io.ReaderAt {
	now, err := os.Stat(f.name)
	if err != nil {
		return nil
	}
	last := f.open[len(f.open)-1]
	if st, err := last.Stat(); err != nil || os.SameFile(st, now) {
		return nil
	}
	next, err := os.Open(f.name)
	if err != nil {
		return nil
	}
	f.open = append(f.open, next)
	return next
}

func (f *files) close() error {
	var err error
	for _, file := range f.open {
		err = errors.Join(err, file.Close())
	}
	return err
}

// Close closes the file.
func (t *Trace) Close() error {
	if t.close == nil {
		return nil
	}
	return t.close()
}
