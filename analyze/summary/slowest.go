package summary

import (
	"sort"

	"sysreel/analyze"
	"sysreel/proto/world"
)

// slowCall is one of the slowest calls.
type slowCall struct {
	ns      int64
	event   uint64
	file    int
	name    string
	path    string
	start   int64
	thread  *world.Thread
	atLeast bool
}

// slower is a total order, so that merging in any order gives the same.
func (s *slowCall) slower(o *slowCall) bool {
	switch {
	case s.ns != o.ns:
		return s.ns > o.ns
	case s.file != o.file:
		return s.file < o.file
	case s.event != o.event:
		return s.event-1 < o.event-1 // 0, still in flight, last
	case s.thread != nil && o.thread != nil:
		return s.thread.ID < o.thread.ID
	}
	return false
}

// maxSlowest is how many slow calls are kept.
const maxSlowest = 10

// slowest holds the slowest calls, slowest first.
type slowest struct{ calls []slowCall }

func (s *slowest) add(c *analyze.Call, ns int64, file int) {
	if len(s.calls) == maxSlowest && ns < s.calls[maxSlowest-1].ns {
		return
	}
	call := slowCall{ns: ns, event: c.Num, file: file, name: c.Name, start: c.Start, thread: c.Thread, atLeast: c.AtLeast()}
	if k, ok := analyze.ByFile.Key(c); ok {
		call.path = k.Name
	}
	s.insert(call)
}

func (s *slowest) insert(call slowCall) {
	i := sort.Search(len(s.calls), func(i int) bool { return call.slower(&s.calls[i]) })
	if i == maxSlowest {
		return
	}
	if len(s.calls) < maxSlowest {
		s.calls = append(s.calls, slowCall{})
	}
	copy(s.calls[i+1:], s.calls[i:])
	s.calls[i] = call
}

func (s *slowest) merge(o *slowest, shift int64) {
	for _, c := range o.calls {
		c.start += shift
		s.insert(c)
	}
}
