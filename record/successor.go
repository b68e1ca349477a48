package record

import (
	"os"
	"path/filepath"

	"sysreel/record/internal/tmpfile"
)

// Successor is a file that is to take the place of another: see
// tracefile.RingFiles.
type Successor struct {
	*os.File
	path string
	temp string // its own name for as long as it has one
	open bool   // it has that name from the beginning
}

// NewSuccessor makes an empty file beside the one at path. Where the file system
// can, it has no name, and is gone if this process is killed. Else it is called
// .NAME.next, and replaces what was left under that name.
func NewSuccessor(path string) (*Successor, error) {
	dir, base := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	s := &Successor{path: path, temp: filepath.Join(dir, "."+base+".next")}
	if err := os.Remove(s.temp); err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	var err error
	if s.File, err = tmpfile.Create(dir); err == nil {
		return s, nil
	}
	s.open = true
	s.File, err = os.OpenFile(s.temp, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	return s, err
}

// Take puts the file in the other's place in one step.
func (s *Successor) Take() error {
	if !s.open {
		if err := tmpfile.Link(s.File, s.temp); err != nil {
			return &os.PathError{Op: "link", Path: s.temp, Err: err}
		}
		s.open = true
	}
	return os.Rename(s.temp, s.path)
}

// Discard closes and removes it.
func (s *Successor) Discard() {
	s.Close()
	if s.open {
		os.Remove(s.temp)
	}
}
