package stracelog

import (
	"context"
	"fmt"
)

// single reads one log.
func (a *assembler) single(ctx context.Context, l *Log) error {
	r, err := openLog(l, batchSize)
	if err != nil {
		return err
	}
	defer r.close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p := start(ctx, r, a.o.Arch, a.o.Workers)
	s := &state{log: l}
	first := true
	for b := range p.ordered {
		<-b.done
		if first {
			first = false
			if len(b.records) > 0 && b.records[0].kind == counts {
				return fmt.Errorf("%s: %w", l.Name, ErrCounts)
			}
			a.sample(s, b.records)
		}
		if err := a.batch(s, b); err != nil {
			return err
		}
		p.free <- b
	}
	a.unheld(s)
	if p.err != nil {
		return fmt.Errorf("reading %s, line %d: %w", l.Name, r.line, p.err)
	}
	return nil
}

// batch takes the lines of a batch.
func (a *assembler) batch(s *state, b *batch) error {
	for i := range b.records {
		if err := a.add(s, &b.records[i]); err != nil {
			return fmt.Errorf("%s:%d: %w", s.log.Name, b.records[i].num, err)
		}
	}
	a.res.Lines += uint64(b.lines)
	return nil
}

// sample finds out from the first lines what the log tells, and whose lines
// those without a PID are.
func (a *assembler) sample(s *state, records []record) {
	children := make(map[int32]bool)
	for i := range records {
		r := &records[i]
		a.res.Durations = a.res.Durations || r.dur >= 0
		a.res.Clock = a.res.Clock || r.at.kind != noClock
		switch {
		case r.kind == attached:
			children[int32(r.n)] = true
		case r.kind == complete && isClone(r.name) && r.ev.Ret > 0:
			children[int32(r.ev.Ret)] = true
		}
	}
	s.tid = 1
	for i := range records {
		if r := &records[i]; r.attr && !children[r.pid] {
			s.tid = r.pid
			return
		}
	}
}
