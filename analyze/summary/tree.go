package summary

import (
	"sort"

	"sysreel/proto/world"
)

// tree returns the processes, parents before their children, siblings in order
// of their start.
func (a *Analysis) tree() []Process {
	children := make(map[*world.Process][]*process)
	var roots []*process
	for _, p := range a.order {
		if p.Parent != nil && a.processes[p.Parent] != nil {
			children[p.Parent] = append(children[p.Parent], p)
		} else {
			roots = append(roots, p)
		}
	}
	byStart := func(ps []*process) {
		sort.SliceStable(ps, func(i, j int) bool {
			x, y := ps[i], ps[j]
			switch {
			case x.file != y.file:
				return x.file < y.file
			case x.first != y.first:
				return x.first < y.first
			}
			return x.ID < y.ID
		})
	}
	ends := make(exits)
	out := make([]Process, 0, len(a.order))
	type item struct {
		p     *process
		depth int
	}
	byStart(roots)
	stack := make([]item, 0, len(roots))
	for i := len(roots) - 1; i >= 0; i-- {
		stack = append(stack, item{roots[i], 0})
	}
	for len(stack) > 0 { // not recursive: a trace may nest as deep as it likes
		it := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		below := children[it.p.Process]
		r := a.process(it.p, it.depth, ends)
		if r.Reason != nil && r.Reason.Stderr == "" && passedOn(it.p, below) {
			r.Reason = nil
		}
		out = append(out, r)
		byStart(below)
		for i := len(below) - 1; i >= 0; i-- {
			stack = append(stack, item{below[i], it.depth + 1})
		}
	}
	return out
}

// passedOn reports whether a process ended as one of its children did: shells
// and drivers fail because what they ran failed.
func passedOn(p *process, children []*process) bool {
	for _, c := range children {
		if c.Ended && c.StatusKnown && c.Status == p.Status {
			return true
		}
	}
	return false
}

// exits are the ways that processes ended, shared by those that ended alike.
type exits map[int32]*Exit

func (x exits) of(status int32) *Exit {
	e := x[status]
	if e == nil {
		e = exitOf(status)
		x[status] = e
	}
	return e
}

func (a *Analysis) process(p *process, depth int, exits exits) Process {
	r := Process{
		PID: p.TGID, Depth: depth, Exe: p.Exe, Argv: p.Argv, StartNs: max(p.first-a.first, 0),
		Ended: p.Ended, Calls: p.calls, Errors: p.errors, CallNs: p.total, Threads: p.Threads, File: p.file,
		name: p.Name(),
	}
	if r.Argv == nil {
		r.Argv = []string{}
	}
	last := p.last
	if p.Ended {
		last = p.End + p.shift
		if p.StatusKnown {
			r.Exit = exits.of(p.Status)
		}
	}
	if r.Exit != nil && (r.Exit.Code == nil || *r.Exit.Code != 0) {
		r.Reason = p.reason()
		if r.Reason != nil && r.Reason.Stderr == "" && r.Exit.sent() {
			r.Reason = nil // nothing that it did
		}
	}
	r.DurationNs = max(last-p.first, 0)
	if p.Parent != nil {
		r.Parent = p.Parent.TGID
	}
	for i := range p.Execs {
		r.Execs = append(r.Execs, p.Execs[i].Path)
	}
	return r
}
