package tracefile

import (
	"context"
	"io"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"
)

// Each decodes the remaining blocks on workers goroutines (0: one a CPU) and
// calls fn with them one after the other, in file order. With full false only
// the core columns are decoded. Blocks for which skip, if given, returns true
// are passed over. A block is fn's until fn returns. fn's error ends the pass.
//
// A block that cannot be decoded although its checksum is right becomes a gap.
func (r *Reader) Each(ctx context.Context, workers int, full bool, skip func(*ChunkInfo) bool, fn func(*Block) error) error {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	type job struct {
		chunk *Chunk
		block *Block
		err   error
		done  chan struct{}
	}
	pool := sync.Pool{New: func() any { return new(Block) }}
	todo := make(chan *job)
	order := make(chan *job, workers) // bounds what is decoded ahead
	g, ctx := errgroup.WithContext(ctx)
	var end error
	var bad []Gap
	g.Go(func() error {
		defer close(todo)
		defer close(order)
		for ctx.Err() == nil {
			c, err := r.Next()
			if err != nil {
				end = err
				return nil
			}
			if skip != nil && skip(&c.ChunkInfo) {
				continue
			}
			j := &job{chunk: c, done: make(chan struct{})}
			select {
			case order <- j:
			case <-ctx.Done():
				return nil
			}
			select {
			case todo <- j:
			case <-ctx.Done():
				close(j.done)
				return nil
			}
		}
		return nil
	})
	for range workers {
		g.Go(func() error {
			for j := range todo {
				j.block = pool.Get().(*Block)
				if full {
					j.err = j.chunk.Block(j.block)
				} else {
					j.err = j.chunk.Core(&j.block.Core)
				}
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
			switch {
			case j.block == nil:
			case j.err != nil:
				c := &j.chunk.ChunkInfo
				bad = append(bad, Gap{Offset: c.Offset, Bytes: int64(c.Size), Events: uint64(c.Events), Known: true, Reason: j.err.Error()})
			default:
				if err := fn(j.block); err != nil {
					return err
				}
			}
			if j.block != nil {
				pool.Put(j.block)
			}
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
