package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"sysreel/proto/tracefile"
	"sysreel/record"
)

// series is an output of numbered files: for trace.reel trace.0001.reel,
// trace.0002.reel and so on.
type series struct {
	*output // the part that is written
	stem    string
	ext     string
	force   bool
	keep    int // how many files to keep, 0: all
	part    int
	std     *stdio
}

// createSeries makes the first file. None of an earlier series may be there,
// but with force it is removed, when the recording begins.
func createSeries(name string, force bool, keep int, std *stdio) (*series, error) {
	if name == "-" {
		return nil, fmt.Errorf("standard output cannot be rotated: name a file with -o")
	}
	s := &series{ext: filepath.Ext(name), force: force, keep: keep, part: 1, std: std}
	s.stem = strings.TrimSuffix(name, s.ext)
	old, err := s.files()
	if err != nil {
		return nil, fmt.Errorf("cannot create the trace: %w", err)
	}
	if len(old) > 0 && !force {
		return nil, fmt.Errorf("%s exists; overwrite the series with --force or name another file with -o", old[0])
	}
	s.output, err = createOutput(s.file(1), force, true, std)
	return s, err
}

// file names a part.
func (s *series) file(part int) string { return fmt.Sprintf("%s.%04d%s", s.stem, part, s.ext) }

// files lists the parts that are there, in no order that matters.
func (s *series) files() ([]string, error) {
	dir, base := filepath.Split(s.stem)
	if dir == "" {
		dir = "."
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	is := regexp.MustCompile("^" + regexp.QuoteMeta(base) + `\.[0-9]{4,}` + regexp.QuoteMeta(s.ext) + "$")
	var all []string
	for _, e := range entries {
		if is.MatchString(e.Name()) {
			all = append(all, filepath.Join(dir, e.Name()))
		}
	}
	return all, nil
}

func (s *series) Write(p []byte) (int, error) {
	if s.part == 1 && !s.wrote && s.force {
		old, _ := s.files()
		for _, name := range old {
			if filepath.Clean(name) != filepath.Clean(s.name) {
				os.Remove(name)
			}
		}
	}
	return s.output.Write(p)
}

// nextPart ends the file and begins the next. The oldest goes first, so that
// there are never more than are to be kept.
func (s *series) nextPart() (io.Writer, error) {
	if err := s.output.Close(); err != nil {
		return nil, err
	}
	if s.keep > 0 && s.part >= s.keep {
		if err := os.Remove(s.file(s.part + 1 - s.keep)); err != nil && !os.IsNotExist(err) {
			s.std.message("sysreel record: cannot remove the oldest part: %v", err)
		}
	}
	s.part++
	f, err := os.OpenFile(s.file(s.part), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	*s.output = output{name: f.Name(), w: f, file: f, created: true}
	return s, nil
}

// rotateValue is SIZE or SIZE,KEEP.
type rotateValue struct {
	size sizeValue
	keep int
}

func (v *rotateValue) Type() string { return "SIZE[,KEEP]" }

func (v *rotateValue) String() string {
	if v.keep == 0 {
		return v.size.String()
	}
	return v.size.String() + "," + strconv.Itoa(v.keep)
}

func (v *rotateValue) Set(text string) error {
	size, keep, found := strings.Cut(text, ",")
	var n rotateValue
	if err := n.size.Set(size); err != nil {
		return err
	}
	if found {
		k, err := strconv.ParseUint(keep, 10, 31)
		if err != nil || k < 2 {
			return fmt.Errorf("%q is not a number of files to keep, at least 2", keep)
		}
		n.keep = int(k)
	}
	*v = n
	return nil
}

// destination is where a recording goes, in one of three ways.
type destination struct {
	*output // what is written to at the moment
	w       io.Writer
	next    func() (io.Writer, error) // the next part of a series
	ring    tracefile.RingFiles
}

// open makes the output that the flags ask for.
func (o *recordOptions) open(name string, std *stdio) (d destination, err error) {
	if o.rotate.size > 0 {
		s, err := createSeries(name, o.force, o.rotate.keep, std)
		if err != nil {
			return d, err
		}
		return destination{output: s.output, w: s, next: s.nextPart}, nil
	}
	if name == "-" && o.ring > 0 {
		return d, fmt.Errorf("standard output cannot be a ring: name a file with -o")
	}
	if d.output, err = createOutput(name, o.force, o.ring > 0, std); err != nil {
		return d, err
	}
	d.w = d.output
	if o.ring > 0 {
		r, err := newRingOutput(d.output)
		if err != nil {
			d.output.Close()
			return d, err
		}
		d.w, d.ring = r, r
	}
	return d, nil
}

// checkSizes refuses sizes into which no trace fits.
func (o *recordOptions) checkSizes() error {
	for _, c := range []struct {
		flag  string
		size  sizeValue
		least int64
	}{{"max-size", o.maxSize, record.MinSize}, {"ring", o.ring, record.MinPartSize}, {"rotate", o.rotate.size, record.MinPartSize}} {
		if c.size != 0 && int64(c.size) < c.least {
			return usagef("--%s %d: too small for a trace, give at least %dKiB", c.flag, int64(c.size), c.least>>10)
		}
	}
	set := 0
	for _, size := range []sizeValue{o.maxSize, o.ring, o.rotate.size} {
		if size > 0 {
			set++
		}
	}
	if set > 1 {
		return usagef("--ring, --rotate and --max-size exclude each other: --rotate SIZE,KEEP and --ring bound the space too")
	}
	return nil
}
