package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// report is where the page of diff --html goes. The file is there whole or not
// at all.
type report struct {
	std   *stdio
	name  string
	force bool
}

// newReport checks, before the work begins, that the page can be written; nil if
// none is wanted.
func newReport(std *stdio, o diffOptions) (*report, error) {
	switch {
	case o.html == "" && o.force:
		return nil, usagef("--force overwrites the FILE of --html, which is not given")
	case o.html == "":
		return nil, nil
	case o.html == "-" && o.json:
		return nil, usagef("--html - and --json both want standard output")
	}
	r := &report{std, o.html, o.force}
	if o.html == "-" {
		return r, nil
	}
	info, err := os.Stat(o.html)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if info, err := os.Stat(filepath.Dir(o.html)); err != nil {
			return nil, fmt.Errorf("cannot create the page: %w", err)
		} else if !info.IsDir() {
			return nil, fmt.Errorf("cannot create the page: %s is no directory", filepath.Dir(o.html))
		}
		return r, nil
	case err != nil:
		return nil, fmt.Errorf("cannot create the page: %w", err)
	case info.IsDir():
		return nil, fmt.Errorf("cannot create the page: %s is a directory", o.html)
	case !info.Mode().IsRegular():
		return r, nil // a pipe or a device is no file to lose
	case !o.force:
		return nil, r.exists()
	}
	for _, name := range slices.Concat(o.good, o.bad) {
		if in, err := os.Stat(name); err == nil && os.SameFile(in, info) {
			return nil, usagef("--html %s is one of the traces", o.html)
		}
	}
	return r, nil
}

func (r *report) exists() error {
	return fmt.Errorf("%s exists; overwrite it with --force or name another file with --html", r.name)
}

// write writes the page: into a file beside the one named, which takes its place
// when all is in it.
func (r *report) write(page func(io.Writer) error) error {
	if r.name == "-" {
		return buffered(r.std.out, page)
	}
	if info, err := os.Stat(r.name); err == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(r.name, os.O_WRONLY, 0)
		if err != nil {
			return fmt.Errorf("cannot write the page: %w", err)
		}
		return errors.Join(buffered(f, page), f.Close())
	}
	f, err := os.CreateTemp(filepath.Dir(r.name), ".sysreel-*.html") // mode 0600, as a trace has
	if err != nil {
		return fmt.Errorf("cannot create the page: %w", err)
	}
	defer os.Remove(f.Name())
	if err := errors.Join(buffered(f, page), f.Close()); err != nil {
		return fmt.Errorf("cannot write the page: %w", err)
	}
	return r.place(f.Name())
}

// place gives the file its name. Without --force a file that has come to be
// there meanwhile stays: a link does not replace one, where the file system has
// links.
func (r *report) place(temporary string) error {
	if !r.force {
		switch err := os.Link(temporary, r.name); {
		case err == nil:
			return nil
		case errors.Is(err, fs.ErrExist):
			return r.exists()
		}
		if _, err := os.Lstat(r.name); err == nil {
			return r.exists()
		}
	}
	if err := os.Rename(temporary, r.name); err != nil {
		return fmt.Errorf("cannot write the page: %w", err)
	}
	return nil
}

func buffered(w io.Writer, page func(io.Writer) error) error {
	b := bufio.NewWriterSize(w, 64<<10)
	return errors.Join(page(b), b.Flush())
}
