package page

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"sysreel/analyze/diff"
	"sysreel/analyze/term"
)

// tree lists the processes, children beneath their parents.
func (b *builder) tree(v *view) {
	children := map[int][]int{}
	for i, p := range b.d.Processes {
		children[p.Parent] = append(children[p.Parent], i)
	}
	started := func(i int) int64 {
		p := b.d.Processes[i]
		if p.Bad != nil {
			return p.Bad.Start
		}
		return p.Good.Start
	}
	first := map[int]int{} // thread of each process
	for i := len(b.model.Threads) - 1; i >= 0; i-- {
		first[b.model.Threads[i].Process] = i
	}
	byProcess := map[int][]int{}
	for i, p := range b.d.Findings {
		byProcess[p] = append(byProcess[p], i+1)
	}
	names := make([]string, len(b.d.Processes))
	var walk func(i, depth int)
	walk = func(i, depth int) {
		p := b.d.Processes[i]
		row := TreeRow{Index: i, Depth: depth, Good: processView(p.Good), Bad: processView(p.Bad), Differs: p.Missing + p.Added + p.Changed, Findings: byProcess[i]}
		any := cmp.Or(p.Bad, p.Good)
		switch {
		case p.Bad == nil:
			row.Side = "good"
		case p.Good == nil:
			row.Side = "bad"
		default:
			row.Side = "both"
			row.Ended = p.Good.Ended != p.Bad.Ended
		}
		row.Name, row.Command, row.InPlace = term.Safe(any.Role), term.Safe(strings.Join(any.Argv, " ")), any.InPlace
		if t, ok := first[i]; ok {
			row.Link = template.URL(fmt.Sprintf("#tab=calls&thread=%d", t))
		}
		if n := len(row.Findings); n > maxMarks {
			row.Findings, row.More = row.Findings[:maxMarks], n-maxMarks
		}
		names[i] = fmt.Sprintf("%s%s %s", strings.Repeat("  ", min(depth, 8)), row.Name, pids(p))
		if len(v.Tree) < maxTree {
			v.Tree = append(v.Tree, row)
		} else {
			v.Hidden++
		}
		list := children[i]
		slices.SortStableFunc(list, func(x, y int) int { return cmp.Compare(started(x), started(y)) })
		for _, k := range list {
			walk(k, depth+1)
		}
	}
	for _, i := range children[-1] {
		walk(i, 0)
	}
	for i, t := range b.model.Threads {
		label := names[t.Process]
		if t.Label != "" {
			label += " " + t.Label
		}
		if t.Differs > 0 {
			label += fmt.Sprintf(" · %s", term.Plural(uint64(t.Differs), "difference"))
		}
		v.Threads = append(v.Threads, ThreadOption{i, label})
	}
}

func pids(p *diff.ProcessPair) string {
	switch {
	case p.Bad == nil:
		return fmt.Sprintf("[%d, good only]", p.Good.PID)
	case p.Good == nil:
		return fmt.Sprintf("[%d, bad only]", p.Bad.PID)
	}
	return fmt.Sprintf("[%d | %d]", p.Good.PID, p.Bad.PID)
}

// threadLabel tells the threads of a process apart.
func threadLabel(t *diff.ThreadPair) string {
	x := cmp.Or(t.Bad, t.Good)
	if t.Good != nil && t.Bad != nil {
		return fmt.Sprintf("thread %d | %d", t.Good.TID, t.Bad.TID)
	}
	return fmt.Sprintf("thread %d", x.TID)
}

func processView(p *diff.Process) *ProcessView {
	if p == nil {
		return nil
	}
	v := &ProcessView{PID: p.PID, Ended: p.Ended, Failed: p.Failed, Elapsed: term.Duration(p.End - p.Start), Calls: p.Calls, Errors: p.Errors}
	if v.Ended == "" {
		v.Ended, v.Failed = "execve", false // goes on beneath
	}
	return v
}
