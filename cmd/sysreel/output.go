package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/term"
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
}

// createOutput opens name, or standard output for "-".
func createOutput(name string, force bool, std *stdio) (*output, error) {
	if name == "-" {
		if f, ok := std.out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
			return nil, errors.New("a trace is not text: not writing it to a terminal; name a file with -o or pipe it on")
		}
		return &output{name: "standard output", w: std.out, isStdout: true}, nil
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
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
	}
	// A pipe or a device is no file to lose.
	f, err = os.OpenFile(name, os.O_WRONLY, 0)
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
	if o.file == nil {
		return nil
	}
	err := o.file.Close()
	if o.created && !o.wrote {
		os.Remove(o.name)
	}
	return err
}
