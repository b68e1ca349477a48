package tracefile

import (
	"context"
	"io"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// Choose says what is to be decoded of a block beside the core columns, which it
// is given: it sets the shapes, by index in c.Shapes, whose events are needed with
// arguments and memory, and returns false if nothing else is needed either: no
// Files.
type Choose func(c *Core, shapes []bool) bool

// All chooses everything.
func All(_ *Core, shapes []bool) bool {
	for i := range shapes {
		shapes[i] = true
	}
	return true
}

// Each decodes the remaining blocks on workers goroutines (0: one a CPU) and
// calls fn with them one after the other, in file order. choose, called by several
// of these at once, says how much of them; nil: the core columns only. Blocks for
// which skip, if given, returns true are passed over; it is called in file order. A
// block is fn's until fn returns. fn's error ends the pass.
//
// A block that cannot be decoded although its checksum is right becomes a gap. What
// is not decoded is not checked.
func (r *Reader) Each(ctx context.Context, workers int, choose Choose, skip func(*ChunkInfo) bool, fn func(*Block) error) error {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	type job struct {
		chunk *Chunk
		block *Block
		err   error
		done  chan struct{}
	}
	// Blocks and buffers go round. Whoever is first in the file has its block
	// before those after it, so what waits can always go on.
	blocks := make(chan *Block, workers+1)
	for range workers + 1 {
		blocks <- new(Block)
	}
	buffers := make(chan []byte, workers+1)
	r.buffer = func(n int) []byte {
		select {
		case b := <-buffers:
			if cap(b) >= n {
				return b[:0]
			}
		default:
		}
		return make([]byte, 0, n+n/4)
	}
	defer func() { r.buffer = nil }()
	todo := make(chan *job)
	order := make(chan *job, workers+1)
	g, ctx := errgroup.WithContext(ctx)
	var end error
	var bad []Gap
	g.Go(func() error {
		defer close(todo)
		defer close(order)
		for {
			j := &job{done: make(chan struct{})}
			select {
			case j.block = <-blocks:
			case <-ctx.Done():
				return nil
			}
			for j.chunk == nil {
				c, err := r.Next()
				if err != nil {
					end = err
					return nil
				}
				if skip == nil || !skip(&c.ChunkInfo) {
					j.chunk = c
				} else if ctx.Err() != nil {
					return nil
				}
			}
			order <- j // has room for as many as there are blocks
			select {
			case todo <- j:
			case <-ctx.Done():
				return nil
			}
		}
	})
	for range workers {
		g.Go(func() error {
			for j := range todo {
				if choose == nil {
					j.err = j.chunk.Core(&j.block.Core)
				} else {
					j.err = j.chunk.choose(j.block, choose)
				}
				select {
				case buffers <- j.chunk.core[:0]: // the whole payload begins there
				default:
				}
				j.chunk.core, j.chunk.detail = nil, nil
				close(j.done)
			}
			return nil
		})
	}
	g.Go(func() error {
		for j := range order {
			select {
			case <-j.done:
			case <-ctx.Done():
				return nil
			}
			if j.err != nil {
				c := &j.chunk.ChunkInfo
				bad = append(bad, Gap{Offset: c.Offset, Bytes: int64(c.Size), Events: uint64(c.Events), Known: true, Reason: j.err.Error()})
			} else if err := fn(j.block); err != nil {
				return err
			}
			blocks <- j.block
		}
		return nil
	})
	err := g.Wait()
	for _, b := range bad {
		r.gap(b)
	}
	if r.err == io.EOF {
		r.finish()
	}
	if err != nil {
		return err
	}
	if end != nil && end != io.EOF {
		return end
	}
	if end == nil {
		return context.Cause(ctx)
	}
	return nil
}
