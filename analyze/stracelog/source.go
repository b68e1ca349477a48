package stracelog

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

// batchSize is how much text is understood at once.
const batchSize = 128 << 10

// reader cuts a log into batches of whole lines.
type reader struct {
	r     io.Reader
	close func() error
	size  int
	rest  []byte // the beginning of a line
	line  int64  // number of the next
	skip  bool   // in a line that is too long
	eof   bool
}

// openLog opens a log, compressed or not, and refuses what is none.
func openLog(l *Log, size int) (*reader, error) {
	f, err := l.Open()
	if err != nil {
		return nil, err
	}
	r, err := decode(f, size)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", l.Name, err)
	}
	return &reader{r: r, close: f.Close, size: size, line: 1}, nil
}

// decode finds out how a log is written.
func decode(f io.Reader, size int) (io.Reader, error) {
	for range 2 { // compressed, and then what is in it
		b := bufio.NewReaderSize(f, max(size, 4096))
		head, err := b.Peek(4)
		if err != nil && err != io.EOF && len(head) == 0 {
			return nil, err
		}
		switch {
		case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
			z, err := gzip.NewReader(b)
			if err != nil {
				return nil, fmt.Errorf("reading gzip: %w", err)
			}
			f = z
			continue
		case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
			z, err := tracefile.Decompress(b)
			if err != nil {
				return nil, fmt.Errorf("reading zstd: %w", err)
			}
			f = z
			continue
		case bytes.HasPrefix(head, []byte{0x5c, 0x2a, 0x4d, 0x18}):
			return nil, ErrTrace
		case bytes.HasPrefix(head, []byte{0xff, 0xfe}), bytes.HasPrefix(head, []byte{0xfe, 0xff}):
			return nil, ErrUTF16
		case bytes.HasPrefix(head, []byte{0xef, 0xbb, 0xbf}):
			_, err := b.Discard(3)
			return b, err
		}
		return b, nil
	}
	return nil, errors.New("is compressed twice")
}

// next fills b with whole lines; io.EOF when there are no more.
func (r *reader) next(b *batch) error {
	b.data = append(b.data[:0], r.rest...)
	r.rest = r.rest[:0]
	b.first = r.line
	if cap(b.data) < r.size {
		b.data = append(make([]byte, 0, r.size), b.data...)
	}
	for {
		if r.eof {
			if len(b.data) == 0 {
				return io.EOF
			}
			break
		}
		if len(b.data) == cap(b.data) {
			if len(b.data) >= maxLine {
				r.tooLong(b)
				return nil
			}
			b.data = append(make([]byte, 0, 2*cap(b.data)), b.data...)
		}
		n, err := r.r.Read(b.data[len(b.data):cap(b.data)])
		fresh := b.data[len(b.data) : len(b.data)+n]
		b.data = b.data[:len(b.data)+n]
		if err != nil && err != io.EOF {
			return err
		}
		r.eof = err == io.EOF
		if r.skip {
			i := bytes.IndexByte(fresh, '\n')
			if i < 0 {
				b.data = b.data[:len(b.data)-n]
				continue
			}
			b.data = append(b.data[:len(b.data)-n], fresh[i+1:]...)
			r.skip = false
		}
		if i := bytes.LastIndexByte(b.data, '\n'); i >= 0 && (len(b.data) >= r.size/2 || r.eof || n < 4096) {
			if !r.eof {
				r.rest = append(r.rest, b.data[i+1:]...)
				b.data = b.data[:i+1]
			}
			break
		}
	}
	r.line += int64(bytes.Count(b.data, []byte{'\n'}))
	if n := len(b.data); n > 0 && b.data[n-1] != '\n' {
		r.line++
	}
	return nil
}

// tooLong keeps the beginning of a line without an end, for the report.
func (r *reader) tooLong(b *batch) {
	i := bytes.LastIndexByte(b.data, '\n') + 1
	b.data = append(b.data[:min(len(b.data), i+100)], '\n')
	r.line += int64(bytes.Count(b.data, []byte{'\n'}))
	r.skip = true
}

// pipeline reads a log and understands it on several goroutines, in order.
type pipeline struct {
	ordered chan *batch
	free    chan *batch
	err     error // valid when ordered is closed
}

// start begins to read. The pipeline ends when ctx does.
func start(ctx context.Context, r *reader, arch syscalls.Arch, workers int) *pipeline {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	p := &pipeline{ordered: make(chan *batch, workers+1), free: make(chan *batch, workers+3)}
	work := make(chan *batch, workers+1)
	for range cap(p.free) {
		p.free <- &batch{}
	}
	for range workers {
		go func() {
			c := newEncoder(arch)
			for b := range work {
				c.parse(b)
				close(b.done)
			}
		}()
	}
	go func() {
		defer close(p.ordered)
		defer close(work)
		for {
			var b *batch
			select {
			case b = <-p.free:
			case <-ctx.Done():
				p.err = ctx.Err()
				return
			}
			err := r.next(b)
			if err == io.EOF {
				return
			}
			if err != nil {
				p.err = err
				return
			}
			b.done = make(chan struct{})
			work <- b
			select {
			case p.ordered <- b:
			case <-ctx.Done():
				p.err = ctx.Err()
				return
			}
		}
	}()
	return p
}
