package analyze

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"sysreel/proto/tracefile"
)

// Trace is an open trace.
type Trace struct {
	*tracefile.Reader
	Name  string // as the user wrote it; "standard input" for "-"
	close func() error
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
	r, err := tracefile.NewReader(f, o)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &Trace{Reader: r, Name: name, close: f.Close}, nil
}

// Close closes the file.
func (t *Trace) Close() error {
	if t.close == nil {
		return nil
	}
	return t.close()
}
