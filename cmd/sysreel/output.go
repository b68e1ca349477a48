package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/term"

	"sysreel/proto/tracefile"
	"sysreel/record"
)

// output is where a recording goes. An existing file is emptied by the first
// write only, and a file made here is removed again if nothing was written, so
// that a command that cannot be run costs nothing.
type output struct {
	name     string // for messages
	w        io.Writer
	file     *os.File // nil for standard output
	created  bool
	truncate bool
	wrote    bool
	isStdout bool
	next     *record.Successor // of a ring
}

// createOutput opens name, or standard output for "-". With exact it must be a
// regular file, and can be read too.
func createOutput(name string, force, exact bool, std *stdio) (*output, error) {
	if name == "-" {
		if f, ok := std.out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
			return nil, errors.New("a trace is not text: not writing it to a terminal; name a file with -o or pipe it on")
		}
		return &output{name: "standard output", w: std.out, isStdout: true}, nil
	}
	mode := os.O_WRONLY
	if exact {
		mode = os.O_RDWR
	}
	f, err := os.OpenFile(name, mode|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		return &output{name: name, w: f, file: f, created: true}, nil
	}
	if !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("cannot create the trace: %w", err)
	}
	info, serr := os.Stat(name)
	switch {
	case serr != nil:
		return nil, fmt.Errorf("cannot create the trace: %w", serr)
	case info.IsDir():
		return nil, fmt.Errorf("cannot create the trace: %s is a directory", name)
	case info.Mode().IsRegular() && !force:
		return nil, fmt.Errorf("%s exists; overwrite it with --force or name another file with -o", name)
	case exact && !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no regular file, which a ring and a series need", name)
	}
	// A pipe or a device is no file to lose.
	f, err = os.OpenFile(name, mode, 0)
	if err != nil {
		return nil, fmt.Errorf("cannot write the trace: %w", err)
	}
	return &output{name: name, w: f, file: f, truncate: info.Mode().IsRegular()}, nil
}

func (o *output) Write(p []byte) (int, error) {
	if !o.wrote && o.truncate {
		if err := o.file.Truncate(0); err != nil {
			return 0, err
		}
		// What a trace shows is the owner's business; not ours to insist on
		// where the file belongs to somebody else.
		_ = o.file.Chmod(0o600)
	}
	o.wrote = true
	return o.w.Write(p)
}

// Close closes a file and removes it if it is ours and empty.
func (o *output) Close() error {
	if o.next != nil {
		o.next.Discard()
	}
	if o.file == nil {
		return nil
	}
	err := o.file.Close()
	if o.created && !o.wrote {
		os.Remove(o.name)
	}
	return err
}

// ringOutput is an output that is a ring: a tracefile.RingFile and
// tracefile.RingFiles.
type ringOutput struct{ *output }

func (o ringOutput) ReadAt(p []byte, off int64) (int, error) { return o.file.ReadAt(p, off) }
func (o ringOutput) Sync() error                             { return o.file.Sync() }

// newRingOutput checks that the output can be one.
func newRingOutput(o *output) (ringOutput, error) {
	path, err := filepath.EvalSymlinks(o.name)
	if err != nil {
		return ringOutput{}, err
	}
	o.name = path
	s, err := record.NewSuccessor(path)
	if err != nil {
		return ringOutput{}, fmt.Errorf("a ring needs a directory that it can make files in: %w", err)
	}
	s.Discard()
	return ringOutput{o}, nil
}

// Create makes the file that is to follow.
func (o ringOutput) Create() (tracefile.RingFile, error) {
	s, err := record.NewSuccessor(o.name)
	if err != nil {
		return nil, err
	}
	o.next = s
	return s, nil
}

// Replace puts it in the output's place.
func (o ringOutput) Replace(tracefile.RingFile) error {
	if err := o.next.Take(); err != nil {
		return err
	}
	o.file.Close()
	o.file, o.next = o.next.File, nil
	return nil
}

// Discard removes it.
func (o ringOutput) Discard(tracefile.RingFile) {
	o.next.Discard()
	o.next = nil
}
