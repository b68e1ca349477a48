package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"sysreel/analyze"
)

// pictureTitle says what a picture shows, and of which traces.
func pictureTitle(what string, by analyze.By, names []string) string {
	if by != analyze.ByAll {
		what += ", by " + by.String()
	}
	switch len(names) {
	case 0:
	case 1, 2, 3:
		what += ": " + strings.Join(names, ", ")
	default:
		what += fmt.Sprintf(": %d traces", len(names))
	}
	return strings.ToUpper(what[:1]) + what[1:]
}

// writePicture writes a picture to the file name, or to standard output for "-".
// What is there already is replaced only if it is a picture: the arguments of
// summary and hist are recordings.
func writePicture(std *stdio, name string, draw func(io.Writer) error) error {
	var b bytes.Buffer
	if err := draw(&b); err != nil {
		return err
	}
	if name == "-" {
		_, err := b.WriteTo(std.out)
		return err
	}
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return fmt.Errorf("cannot write the picture: %w", err)
	}
	if err := replace(f, b.Bytes()); err != nil {
		f.Close()
		return fmt.Errorf("cannot write the picture to %s: %w", name, err)
	}
	return f.Close()
}

// replace writes a picture over one, into an empty file, or to what is no file.
func replace(f *os.File, picture []byte) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Mode().IsRegular() && info.Size() > 0 {
		head := make([]byte, 4)
		if _, err := f.ReadAt(head, 0); err != nil && err != io.EOF {
			return err
		}
		if string(head) != "<svg" {
			return errors.New("it exists and is no picture of sysreel's; remove it or name another file")
		}
		if err := f.Truncate(0); err != nil {
			return err
		}
	}
	_, err = f.Write(picture)
	return err
}

// noPhases is the error of a trace whose calls have no place in time.
func noPhases(name string) error {
	return fmt.Errorf("%s: the log that this was made from does not tell when things happened (strace -t, -r)", name)
}
