package summary

import (
	"fmt"
	"io"
	"sort"
	"strings"

	"sysreel/analyze"
	"sysreel/analyze/term"
)

// RenderOptions of Render.
type RenderOptions struct {
	Width int // columns; 0: 80
	Color bool
	// Limit is how many lines each list has at most; 0: 40 for the table and
	// the processes, 10 for the others. Negative: all.
	Limit int
}

func (o RenderOptions) limit(standard int) int {
	switch {
	case o.Limit < 0:
		return 1 << 30
	case o.Limit == 0:
		return standard
	}
	return o.Limit
}

const (
	tableLines = 40
	listLines  = 10
)

// Render writes the result for people: the table, then what there is to say of
// processes, signals, slow calls, failing paths and bytes.
func Render(w io.Writer, r *Result, o RenderOptions) error {
	b := &strings.Builder{}
	t := term.Options{Width: o.Width, Color: o.Color}
	head(b, r, t)
	rows(b, r, o, t)
	tampered(b, r, o, t)
	failures(b, r, o, t)
	processes(b, r, o, t)
	signals(b, r, o, t)
	threadTimes(b, r, o, t)
	slowestCalls(b, r, o, t)
	failing(b, r, o, t)
	objects(b, r, o, t)
	_, err := io.WriteString(w, b.String())
	return err
}

func head(b *strings.Builder, r *Result, t term.Options) {
	calls := int64(0)
	for i := range r.Rows {
		calls += r.Rows[i].TotalNs
	}
	fmt.Fprintf(b, "%s\n", counted(r))
	if r.NoDurations {
		fmt.Fprintf(b, "%s\n", t.Paint("no times: the log that this was made from has no durations (strace -T)", term.Dim))
	} else if r.ThreadNs > 0 && !r.NoClock {
		fmt.Fprintf(b, "%s\n", t.Paint(fmt.Sprintf("wall%% is the share of thread-time: %s in all, %s of it in these calls",
			term.Duration(r.ThreadNs), term.Percent(float64(calls)/float64(r.ThreadNs))), term.Dim))
	}
	if r.CalibrationNs > 0 {
		fmt.Fprintf(b, "%s\n", t.Paint(fmt.Sprintf("the recorder adds about %s to each call", term.Duration(r.CalibrationNs)), term.Dim))
	}
	b.WriteByte('\n')
}

// counted says how much there was.
func counted(r *Result) string {
	s := fmt.Sprintf("%s, %s, %s", term.Plural(r.Events, "event"), term.Plural(uint64(len(r.Processes)), "process"), term.Plural(uint64(r.Threads), "thread"))
	if !r.NoClock {
		s += fmt.Sprintf(", %s elapsed", term.Duration(r.ElapsedNs))
	}
	return s
}

func event(n uint64, file int) string {
	switch {
	case n == 0:
		return ""
	case file > 0:
		return fmt.Sprintf("%d#%d", file+1, n)
	}
	return fmt.Sprintf("#%d", n)
}

func rows(b *strings.Builder, r *Result, o RenderOptions, t term.Options) {
	title := r.By
	table := term.Table{Columns: []term.Column{
		{Title: "wall%", Right: true}, {Title: "total", Right: true}, {Title: "p50", Right: true, Optional: 2}, {Title: "p90", Right: true, Optional: 6},
		{Title: "p99", Right: true, Optional: 3}, {Title: "max", Right: true}, {Title: "@event", Optional: 1}, {Title: "calls", Right: true},
		{Title: "errors", Right: true}, {Title: "errno", Optional: 4}, {Title: "bytes", Right: true, Optional: 5}, {Title: title, Flex: true},
	}}
	limit := o.limit(tableLines)
	for i := range r.Rows {
		if i == limit {
			break
		}
		x := &r.Rows[i]
		share := 0.0
		if r.ThreadNs > 0 {
			share = float64(x.TotalNs) / float64(r.ThreadNs)
		}
		cells := []term.Cell{
			{Text: fmt.Sprintf("%.1f", 100*share)}, {Text: term.Duration(x.TotalNs)}, {Text: term.Duration(x.P50Ns)}, {Text: term.Duration(x.P90Ns)},
			{Text: term.Duration(x.P99Ns)}, {Text: term.Duration(x.MaxNs)}, {Text: event(x.MaxEvent, x.MaxFile), Style: term.Cyan}, {Text: term.Count(x.Calls)},
			{}, {}, {}, {Text: x.Name, Style: term.Bold},
		}
		if x.returned == 0 && x.Unfinished == 0 { // exit_group
			for j := range 7 {
				cells[j].Text = ""
			}
		}
		if x.Unfinished > 0 {
			cells[5].Text = "≥ " + cells[5].Text
		}
		if x.Errors > 0 {
			cells[8] = term.Cell{Text: term.Count(x.Errors), Style: term.Yellow}
			cells[9] = term.Cell{Text: x.topErrno, Style: term.Yellow}
			if x.topErrnos < x.Errors {
				cells[9].Text += fmt.Sprintf(" %s", term.Count(x.topErrnos))
			}
		}
		if n := x.ReadBytes + x.WrittenBytes; n > 0 {
			cells[10].Text = term.Bytes(n)
		}
		table.Rows = append(table.Rows, cells)
	}
	if r.By == analyze.ByErrno.String() {
		table.Drop(9, 10) // it would repeat the rows' names
	}
	switch {
	case r.NoDurations:
		table.Drop(0, 7)
	case r.NoClock:
		table.Drop(0, 1) // a share of what is not known
	}
	switch {
	case len(r.Rows) > 0:
		table.Write(b, t)
	case r.NoKey == 0:
		b.WriteString("no calls\n")
	}
	more(b, len(r.Rows), limit, t)
	note := func(format string, args ...any) {
		fmt.Fprintf(b, "%s\n", t.Paint(fmt.Sprintf(format, args...), term.Dim))
	}
	if r.OtherKeys > 0 {
		note("%s is what %s further down come to together", analyze.OtherName, term.Plural(r.OtherKeys, r.By))
	}
	for _, p := range r.Problems {
		note("%s is also what could not be told apart: %s", analyze.OtherName, term.Safe(p))
	}
	if r.NoKey > 0 {
		fmt.Fprintf(b, "%s\n", t.Paint(term.Plural(r.NoKey, "call")+" "+analyze.Without(r.By), term.Dim))
	}
}

func more(b *strings.Builder, n, limit int, t term.Options) {
	if n > limit {
		fmt.Fprintf(b, "%s\n", t.Paint(fmt.Sprintf("… and %s more", term.Count(uint64(n-limit))), term.Dim))
	}
}

// tampered tells which calls were changed on purpose.
func tampered(b *strings.Builder, r *Result, o RenderOptions, t term.Options) {
	if len(r.Tampered) == 0 {
		return
	}
	section(b, "tampered with, as the recorder was told to", t)
	limit := o.limit(listLines)
	for i := range r.Tampered[:min(len(r.Tampered), limit)] {
		fmt.Fprintf(b, "  %s\n", term.Safe(r.Tampered[i].String()))
	}
	more(b, len(r.Tampered), limit, t)
}

func section(b *strings.Builder, title string, t term.Options) {
	fmt.Fprintf(b, "\n%s\n", t.Paint(title, term.Bold))
}

func processes(b *strings.Builder, r *Result, o RenderOptions, t term.Options) {
	if len(r.Processes) == 0 {
		return
	}
	section(b, "processes: "+ends(r.Processes), t)
	table := term.Table{Indent: "  ", Columns: []term.Column{
		{Title: "start", Right: true, Optional: 2}, {Title: "time", Right: true}, {Title: "calls", Right: true, Optional: 1},
		{Title: "errors", Right: true, Optional: 3}, {Title: "end"}, {Title: "process", Flex: true, Head: true},
	}}
	limit := o.limit(tableLines)
	for i := range r.Processes {
		if i == limit {
			break
		}
		p := &r.Processes[i]
		end := term.Cell{Text: p.Exit.String()}
		switch {
		case p.Exit == nil && p.Ended:
			end = term.Cell{Text: "gone", Style: term.Dim}
		case p.Exit == nil:
			end = term.Cell{Text: "running", Style: term.Dim}
		case p.Exit.Code == nil || *p.Exit.Code != 0:
			end.Style = term.Red
		}
		name := strings.Repeat("  ", min(p.Depth, 20)) + p.title()
		errors := ""
		if p.Errors > 0 {
			errors = term.Count(p.Errors)
		}
		table.Rows = append(table.Rows, []term.Cell{{Text: "+" + term.Duration(p.StartNs)}, {Text: term.Duration(p.DurationNs)}, {Text: term.Count(p.Calls)},
			{Text: errors}, end, {Text: name}})
	}
	if r.NoClock {
		table.Drop(0, 2)
	}
	table.Write(b, t)
	more(b, len(r.Processes), limit, t)
}

// failures tells of the processes that failed what they showed.
func failures(b *strings.Builder, r *Result, o RenderOptions, t term.Options) {
	var failed []*Process
	for i := range r.Processes {
		if p := &r.Processes[i]; p.Reason != nil {
			failed = append(failed, p)
		}
	}
	// Those that said why first: what failed silently
	// is mostly meant to.
	sort.SliceStable(failed, func(i, j int) bool { return failed[i].Reason.weight() > failed[j].Reason.weight() })
	if len(failed) == 0 {
		return
	}
	section(b, "failed", t)
	limit := o.limit(listLines)
	for i, p := range failed {
		if i == limit {
			break
		}
		name := p.title()
		end := p.Exit.String()
		fmt.Fprintf(b, "  %s: %s\n", term.FitHead(term.Safe(name), t.Columns()-6-len(end)), t.Paint(end, term.Red))
		x := p.Reason
		if x.Event != 0 {
			what := fmt.Sprintf(" %s %s ", x.Syscall, x.Errno)
			num := event(x.Event, p.File)
			fmt.Fprintf(b, "    %s%s%s\n", t.Paint(num, term.Cyan), t.Paint(what, term.Yellow), term.Fit(term.Safe(x.Path), t.Columns()-5-len(num)-len(what)))
		}
		if x.Stderr != "" {
			num := event(x.StderrEvent, p.File)
			lead := "    " + t.Paint(num, term.Cyan) + " stderr: "
			lines := strings.Split(x.Stderr, "\n")
			for _, line := range lines[max(0, len(lines)-3):] {
				fmt.Fprintf(b, "%s%s\n", lead, term.FitHead(term.Safe(line), t.Columns()-13-len(num)))
				lead = strings.Repeat(" ", 13+len(num))
			}
		}
	}
	more(b, len(failed), limit, t)
}

// title returns the process's label and arguments, or what it calls itself.
func (p *Process) title() string {
	if len(p.Argv) == 0 {
		return p.label()
	}
	if _, said, ok := strings.Cut(p.Argv[0], " "); ok { // setproctitle(3)
		return p.label() + " " + strings.TrimSpace(said)
	}
	return strings.TrimSpace(p.label() + " " + commandLine(p.Argv[1:]))
}

// commandLine joins arguments, those with blanks quoted. Empty ones at the end,
// as titles leave them behind, it drops.
func commandLine(argv []string) string {
	for len(argv) > 0 && argv[len(argv)-1] == "" {
		argv = argv[:len(argv)-1]
	}
	out := make([]string, len(argv))
	for i, a := range argv {
		if out[i] = a; a == "" || strings.ContainsAny(a, " \t\n'\"") {
			out[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
	}
	return strings.Join(out, " ")
}

// ends counts the ways in which processes ended, the most frequent first.
func ends(ps []Process) string {
	count := make(map[string]int)
	for i := range ps {
		s := ps[i].Exit.String()
		switch {
		case s == "" && ps[i].Ended:
			s = "gone"
		case s == "":
			s = "running"
		}
		count[s]++
	}
	names := make([]string, 0, len(count))
	for s := range count {
		names = append(names, s)
	}
	sort.Slice(names, func(i, j int) bool {
		if count[names[i]] != count[names[j]] {
			return count[names[i]] > count[names[j]]
		}
		return names[i] < names[j]
	})
	for i, s := range names {
		names[i] = fmt.Sprintf("%s %s", term.Count(uint64(count[s])), s)
		if count[s] > 1 {
			names[i] = fmt.Sprintf("%s × %s", term.Count(uint64(count[s])), s)
		}
	}
	return strings.Join(names, ", ")
}

func signals(b *strings.Builder, r *Result, o RenderOptions, t term.Options) {
	if len(r.Signals) == 0 {
		return
	}
	section(b, "signals", t)
	table := term.Table{Indent: "  ", Columns: []term.Column{{Right: true}, {}, {}, {Flex: true}}}
	limit := o.limit(listLines)
	for i := range r.Signals {
		if i == limit {
			break
		}
		s := &r.Signals[i]
		table.Rows = append(table.Rows, []term.Cell{{Text: term.Count(s.Count)}, {Text: s.Signal}, {Text: event(s.FirstEvent, s.File), Style: term.Cyan}, {Text: s.Process}})
	}
	table.Write(b, t)
	more(b, len(r.Signals), limit, t)
}

func slowestCalls(b *strings.Builder, r *Result, o RenderOptions, t term.Options) {
	if len(r.Slowest) == 0 || r.NoDurations {
		return
	}
	section(b, "slowest calls", t)
	table := term.Table{Indent: "  ", Columns: []term.Column{{Right: true}, {}, {}, {Optional: 1}, {Flex: true}}}
	limit := o.limit(listLines)
	for i := range r.Slowest {
		if i == limit {
			break
		}
		s := &r.Slowest[i]
		d := term.Duration(s.DurationNs)
		if s.AtLeast {
			d = "≥ " + d
		}
		table.Rows = append(table.Rows, []term.Cell{{Text: d}, {Text: event(s.Event, s.File), Style: term.Cyan}, {Text: s.Syscall, Style: term.Bold}, {Text: s.Process}, {Text: s.Path}})
	}
	table.Write(b, t)
}

func failing(b *strings.Builder, r *Result, o RenderOptions, t term.Options) {
	if len(r.Failing) == 0 {
		return
	}
	section(b, "most failing paths", t)
	table := term.Table{Indent: "  ", Columns: []term.Column{{Right: true}, {}, {}, {Optional: 1}, {Flex: true}}}
	limit := o.limit(listLines)
	for i := range r.Failing {
		if i == limit {
			break
		}
		f := &r.Failing[i]
		table.Rows = append(table.Rows, []term.Cell{{Text: term.Count(f.Count)}, {Text: f.Errno, Style: term.Yellow}, {Text: event(f.FirstEvent, f.File), Style: term.Cyan}, {Text: f.Syscall}, {Text: f.Path}})
	}
	table.Write(b, t)
	more(b, len(r.Failing)+max(int(r.OtherFailing)-1, 0), limit, t)
}

func objects(b *strings.Builder, r *Result, o RenderOptions, t term.Options) {
	for _, peers := range []bool{false, true} {
		table := term.Table{Indent: "  ", Columns: []term.Column{{Title: "read", Right: true}, {Title: "written", Right: true},
			{Title: "calls", Right: true}, {Title: "time", Right: true, Optional: 1}, {Title: "@first", Optional: 2}, {Title: "file", Flex: true}}}
		title := "bytes by file"
		if peers {
			title, table.Columns[5].Title = "bytes by peer", "peer"
		}
		n, limit := 0, o.limit(listLines)
		for i := range r.Objects {
			x := &r.Objects[i]
			if x.Peer != peers || x.ReadBytes+x.WrittenBytes == 0 {
				continue
			}
			if n++; n > limit {
				continue
			}
			time := term.Duration(x.TotalNs)
			if r.NoDurations {
				time = ""
			}
			table.Rows = append(table.Rows, []term.Cell{{Text: bytes(x.ReadBytes)}, {Text: bytes(x.WrittenBytes)}, {Text: term.Count(x.Calls)},
				{Text: time}, {Text: event(x.FirstEvent, x.File), Style: term.Cyan}, {Text: x.Name}})
		}
		if !peers {
			n += max(int(r.OtherObjects)-1, 0) // which are one of the list
		}
		if n > 0 {
			section(b, title, t)
			if r.NoDurations {
				table.Drop(3, 4)
			}
			table.Write(b, t)
			more(b, n, limit, t)
		}
	}
}

func bytes(n int64) string {
	if n == 0 {
		return ""
	}
	return term.Bytes(n)
}
