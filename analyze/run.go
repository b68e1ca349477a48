package analyze

import (
	"context"

	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
	"sysreel/proto/world"
)

// Need says how much of each call an analysis looks at. Less is faster.
type Need uint8

const (
	// NeedCore: number, kind, times, thread, call and result. Process and
	// Thread are known by number, parent, program and end, as far as starts,
	// execs and exits tell. Arguments and memory are neither read nor
	// decompressed.
	NeedCore Need = iota
	// NeedBuffers: arguments and memory as well.
	NeedBuffers
	// NeedWorld: and the world as it stood before the call: descriptors,
	// paths, peers, working directories.
	NeedWorld
)

// Options of a pass.
type Options struct {
	Filter  Filter
	Need    Need // raised as the filter requires
	Workers int  // that decode blocks; 0: one a CPU
	// BlockEnd, if set, is called at the end of each block of the trace. Before
	// it fn is handed the calls that were in flight then, as events of kind
	// InFlight with number 0: the same call may come so several times, and
	// comes once more when it ends.
	BlockEnd func() error
	// Progress, if set, is called after each block, by the goroutine that calls
	// fn, with the number of events passed so far and the share of the file
	// from where the pass began that has been read, negative if that is not
	// known: of a pipe.
	Progress func(events uint64, share float64)
	// Loss, if set, is called with each loss that the blocks passed over tell of.
	Loss func(*tracepb.Loss)

	everything bool // decode also what the filter needs not: for tests
}

// Run passes over the trace from where the filter's range begins and calls fn
// with each event that the filter lets through, in the order of the trace. A
// call that was in flight when the range, or an unfinished trace, ended comes
// last, as an event of kind InFlight with number 0. fn is never called
// concurrently. Run returns fn's first error, the context's, or the filter's
// ([ErrFilter]); damage is not an error, it is told by the Reader's Warning.
func Run(ctx context.Context, r *tracefile.Reader, o Options, fn func(*Call) error) error {
	m, err := o.Filter.compile(r.Header())
	if err != nil {
		return err
	}
	if len(m.globs) > 0 {
		o.Need = NeedWorld
	}
	p := &pass{options: o, match: m, fn: fn, world: world.ForReading()}
	p.shapes.set = m.set
	p.shapes.meta = make(map[shapeKey]*shapeMeta)
	return p.run(ctx, r)
}
