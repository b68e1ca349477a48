package stracelog

import (
	"cmp"
	"container/heap"
	"context"
	"fmt"
	"io"
	"slices"

	"sysreel/proto/tracefile"
)

// source is one of several logs.
type source struct {
	state
	first stamp
	r     *reader // nil: not open
	b     *batch
	next  int   // record of b
	end   int64 // when that ended, on the log's scale
}

// smallBatch is how much is read at once of each of many logs: all of those that
// run at the same time are open.
const smallBatch = 8 << 10

// several reads the logs of one run, merged by time. Without times they can only
// follow each other.
func (a *assembler) several(ctx context.Context, logs []Log) error {
	var list []*source
	clocks := true
	for i := range logs {
		s := &source{state: state{log: &logs[i], tid: 1}}
		if err := a.peek(s); err != nil {
			return err
		}
		clocks = clocks && (s.first.kind == epoch || s.first.kind == dayClock || s.b == nil)
		list = append(list, s)
	}
	if !clocks {
		a.res.Clock = false // of -r each log has its own
		for _, s := range list {
			for ; s.b != nil; s.next++ {
				if err := a.feed(ctx, s); err != nil {
					return err
				}
			}
		}
		return nil
	}
	list = slices.DeleteFunc(list, func(s *source) bool { return s.b == nil })
	slices.SortStableFunc(list, func(x, y *source) int { return cmp.Compare(x.first.ns, y.first.ns) })
	return a.merge(ctx, list)
}

// peek finds out what a log tells from its beginning. A log of nothing has no
// batch afterwards.
func (a *assembler) peek(s *source) error {
	if err := a.openSource(s); err != nil || s.b == nil {
		return err
	}
	if len(s.b.records) > 0 && s.b.records[0].kind == counts {
		return fmt.Errorf("%s: %w", s.log.Name, ErrCounts)
	}
	for i := range s.b.records {
		r := &s.b.records[i]
		a.res.Durations = a.res.Durations || r.dur >= 0
		if s.first.kind == noClock && r.at.kind != noClock {
			s.first, a.res.Clock = r.at, true
		}
	}
	s.r.close()
	s.r, s.b = nil, &batch{}
	return nil
}

// openSource opens a log and reads its first lines.
func (a *assembler) openSource(s *source) (err error) {
	if s.r, err = openLog(s.log, smallBatch); err != nil {
		return err
	}
	s.b, s.next = &batch{arena: arena{small: true}}, 0
	return a.refill(s)
}

// refill reads on when all records have been taken. At the end of the log s.b
// is nil.
func (a *assembler) refill(s *source) error {
	for s.next >= len(s.b.records) {
		if s.b.lines > 0 {
			a.res.Lines += uint64(s.b.lines)
			s.b.lines = 0
		}
		err := s.r.next(s.b)
		if err != nil {
			s.r.close()
			s.b = nil
			a.unheld(&s.state)
			if err == io.EOF {
				return nil
			}
			return fmt.Errorf("reading %s, line %d: %w", s.log.Name, s.r.line, err)
		}
		a.enc.parse(s.b)
		s.next = 0
	}
	return nil
}

// feed takes the next record of a log.
func (a *assembler) feed(ctx context.Context, s *source) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.r == nil {
		if err := a.openSource(s); err != nil || s.b == nil {
			return err
		}
	} else if err := a.refill(s); err != nil || s.b == nil {
		return err
	}
	r := &s.b.records[s.next]
	if err := a.add(&s.state, r); err != nil {
		return fmt.Errorf("%s:%d: %w", s.log.Name, r.num, err)
	}
	return nil
}

// merge takes the records of all logs in the order of their ends. A log is open
// from its first line's time on.
func (a *assembler) merge(ctx context.Context, list []*source) error {
	a.merged = true
	var open sourceHeap
	defer func() {
		for _, s := range open {
			s.r.close()
		}
	}()
	a.creator = func(tid int32) *birth { return a.ahead(open, tid) }
	if len(list) > 0 {
		a.kind = list[0].first.kind
	}
	for len(list) > 0 || len(open) > 0 {
		for len(list) > 0 && (len(open) == 0 || list[0].first.ns <= open[0].end) {
			s := list[0]
			list = list[1:]
			if err := a.openSource(s); err != nil {
				return err
			}
			if s.b != nil {
				a.look(s)
				heap.Push(&open, s)
			}
		}
		if len(open) == 0 {
			break
		}
		s := open[0]
		if err := a.feed(ctx, s); err != nil {
			return err
		}
		s.next++
		if err := a.refill(s); err != nil {
			return err
		}
		if s.b == nil {
			heap.Pop(&open)
			continue
		}
		a.look(s)
		heap.Fix(&open, 0)
	}
	return nil
}

// look finds out when the next record ended.
func (a *assembler) look(s *source) {
	r := &s.b.records[s.next]
	if s.ns, s.timed = a.resolve(&s.state, r.at); s.timed {
		s.end = s.ns + max(0, r.dur)
	}
	s.ready = true
}

// ahead looks in the lines to come for the call that made a thread: its end may
// come after the thread's first line.
func (a *assembler) ahead(open []*source, tid int32) *birth {
	const most = 64 // lines of a log
	for _, s := range open {
		for i := s.next; i < min(len(s.b.records), s.next+most); i++ {
			r := &s.b.records[i]
			if r.kind != complete || !isClone(r.name) || r.ev.Kind != tracefile.Syscall || r.ev.Ret != int64(tid) {
				continue
			}
			pid := r.pid
			if pid == 0 {
				pid = s.log.PID
			}
			if t := a.threads[pid]; t != nil {
				b := birthOf(t, string(r.name), r.args)
				return &b
			}
		}
	}
	return nil
}

// sourceHeap has the log on top whose next record ended first.
type sourceHeap []*source

func (h sourceHeap) Len() int           { return len(h) }
func (h sourceHeap) Less(i, j int) bool { return h[i].end < h[j].end }
func (h sourceHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *sourceHeap) Push(x any)        { *h = append(*h, x.(*source)) }
func (h *sourceHeap) Pop() any {
	old := *h
	s := old[len(old)-1]
	*h = old[:len(old)-1]
	return s
}
