package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"sysreel/proto/syscalls"
)

// straceOutput is where text goes.
type straceOutput struct {
	w     io.Writer
	each  func(tid int32) (io.WriteCloser, error) // -ff: a file for each thread
	close func() error
}

// openText opens what -o names.
func (o *straceOptions) openText(std *stdio) (*straceOutput, error) {
	nothing := func() error { return nil }
	switch {
	case o.output == "":
		return &straceOutput{w: std.err, close: nothing}, nil
	case o.piped():
		return pipeText(o.output[1:], std)
	case o.separately:
		return &straceOutput{close: nothing, each: func(tid int32) (io.WriteCloser, error) {
			return o.createText(o.output + "." + strconv.Itoa(int(tid)))
		}}, nil
	}
	f, err := o.createText(o.output)
	if err != nil {
		return nil, err
	}
	return &straceOutput{w: f, close: func() error { return ignoreClosed(f.Close()) }}, nil
}

func (o *straceOptions) createText(name string) (*os.File, error) {
	mode := os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	if o.append {
		mode = os.O_WRONLY | os.O_CREATE | os.O_APPEND
	}
	f, err := os.OpenFile(name, mode, 0o666)
	if err != nil {
		return nil, straceError("Can't fopen '%s': %v", name, reason(err))
	}
	return f, nil
}

// pipeText gives the text to a command of the shell's.
func pipeText(command string, std *stdio) (*straceOutput, error) {
	cmd := exec.Command("/bin/sh", "-c", command)
	cmd.Stdout, cmd.Stderr = std.out, std.err
	w, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("popen: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("popen: %w", err)
	}
	closed := false
	return &straceOutput{w: w, close: func() error {
		if closed {
			return nil
		}
		closed = true
		w.Close()
		_ = cmd.Wait() // what becomes of it is its own affair
		return nil
	}}, nil
}

// straceStream brings the trace from the recorder to the text, and with --record
// to a file.
type straceStream struct {
	reader *io.PipeReader
	pipe   *io.PipeWriter
	kept   *output
	failed error // of the file, the first
}

func (o *straceOptions) openStream(std *stdio) (*straceStream, error) {
	s := &straceStream{}
	s.reader, s.pipe = io.Pipe()
	if o.record == "" {
		return s, nil
	}
	if st, err := os.Stat(o.record); err == nil && st.Mode().IsRegular() {
		return nil, straceError("--record: %s exists; name another file", o.record)
	}
	var err error
	if s.kept, err = createOutput(o.record, false, false, std); err != nil {
		return nil, &exitError{status: exitTrouble, err: err}
	}
	if s.kept.isStdout {
		return nil, refused("--record=-", "standard output is the command's; name a file")
	}
	return s, nil
}

// Write passes a piece of the trace on. A file that fails does not end the text.
func (s *straceStream) Write(p []byte) (int, error) {
	if s.kept != nil && s.failed == nil {
		_, s.failed = s.kept.Write(p)
	}
	return s.pipe.Write(p)
}

// end says that there is no more.
func (s *straceStream) end() error {
	s.pipe.Close()
	if s.kept == nil {
		return nil
	}
	err := s.kept.Close()
	if s.failed != nil {
		err = s.failed
	}
	if err != nil {
		return fmt.Errorf("--record: writing %s: %w", s.kept.name, reason(err))
	}
	return nil
}

// reason is what the system said of a file, in the C library's words where it has
// them.
func reason(err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errors.New(syscalls.ErrnoText(int(errno)))
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

func ignoreClosed(err error) error {
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}
