package main

import (
	"context"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"sysreel/analyze"
	"sysreel/analyze/summary"
	"sysreel/proto/tracefile"
)

// summaryOptions are the flags of summary.
type summaryOptions struct {
	filter  filterFlags
	by      string
	sort    string
	top     limitValue
	format  string
	json    bool
	objects bool
	all     bool
	follow  bool
	threads bool
	columns bool
	svg     string
}

func newSummaryCommand(std *stdio) *cobra.Command {
	var o summaryOptions
	cmd := &cobra.Command{
		Use:   "summary [flags] FILE...",
		Short: "where the calls, the errors and the time went",
		Long: `Sum up one trace, or several together: calls, errors, time and bytes by system
call or another key; processes, signals, slowest calls and failing paths.
Time is what threads spent in calls, added up: with several threads it can be
more than the time that passed.

With --follow it goes on until the recording ends, or Ctrl-C. A terminal then
shows the table as it grows, without the calls that still run; a pipe or a file
gets the result at the end.

--threads tells for each thread how much of its time went to calls that wait for
something (and for what: a child, a lock, a descriptor, a timer), to other calls,
and outside calls, where it ran or waited for a CPU. How much of a call was
waiting a trace does not tell: a read of a pipe counts as waiting, all of it.
Calls that a filter leaves out count as outside.
--by wait adds up by what was waited for, --by phase by equal parts of the time
in which calls began.

--side-by-side gives each trace columns of its own; processes and threads then
go by name.

--svg writes a picture in place of the table: bars of time, calls and failures.`,
		Example: `  sysreel summary trace.reel
  sysreel summary --by file --top 20 trace.reel
  sysreel summary --failed --by errno *.reel
  sysreel summary --threads --by wait trace.reel
  sysreel summary --by phase -e trace=openat trace.reel
  sysreel summary --side-by-side monday.reel tuesday.reel
  sysreel summary --svg time.svg --top 15 trace.reel
  sysreel record -o - -- make | sysreel summary -
  sysreel summary --follow running.reel`,
		Args: someTraces,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runSummary(cmd.Context(), std, o, args)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.by, "by", "syscall", "group by `KEY`: "+strings.Join(analyze.ByNames(), ", "))
	f.StringVar(&o.sort, "sort", "total", "order of the rows: "+strings.Join(summary.SortNames(), ", "))
	f.Var(&o.top, "top", "only the first `N` rows; 0: all")
	f.StringVar(&o.format, "format", "table", "table, json, csv, or strace-c for strace's own columns")
	f.BoolVar(&o.json, "json", false, "the same as --format json")
	f.BoolVar(&o.objects, "objects", true, "also bytes by file and peer, and failing paths; =false is faster on large traces")
	f.BoolVar(&o.all, "all", false, "all rows of every list")
	f.BoolVar(&o.follow, "follow", false, "go on while the trace is still being recorded")
	f.BoolVar(&o.threads, "threads", false, "also what each thread's time went to, and what it waited for")
	f.BoolVar(&o.columns, "side-by-side", false, "a group of columns for each trace, in place of adding them up")
	f.StringVar(&o.svg, "svg", "", "write a picture to `FILE`, - for standard output")
	o.filter.add(f)
	cmd.SetUsageTemplate(cmd.UsageTemplate() + analyserStatus)
	return cmd
}

func runSummary(ctx context.Context, std *stdio, o summaryOptions, names []string) error {
	filter, err := o.filter.filter()
	if err != nil {
		return err
	}
	by, err := analyze.ParseBy(o.by)
	if err != nil {
		return usagef("--by: %w", err)
	}
	order, err := summary.ParseSort(o.sort)
	if err != nil {
		return usagef("--sort: %w", err)
	}
	if o.json {
		o.format = "json"
	}
	switch o.format {
	case "table", "json":
	case "csv", "strace-c":
		o.objects, o.threads = false, false // not shown
	default:
		return usagef("no format %q: there is table, json, csv and strace-c", o.format)
	}

	if o.svg != "" {
		if o.format != "table" || o.columns {
			return usagef("--svg is in place of --json, --format and --side-by-side")
		}
		o.objects, o.threads = false, false // not shown
	}
	if o.columns {
		if o.follow {
			return usagef("--follow takes one trace, --side-by-side several")
		}
		return runSideBySide(ctx, std, o, filter, by, order, names)
	}

	if o.follow && len(names) > 1 {
		return usagef("--follow takes one trace, not %d", len(names))
	}
	var ro tracefile.ReaderOptions
	var screen *live
	if o.follow {
		follow, stop := untilInterrupt(ctx)
		defer stop()
		ro.Follow = follow
		if o.format == "table" && o.svg == "" {
			screen = newLive(std)
		}
	}

	defer thrifty()()
	var sum *summary.Analysis
	progress := newProgress(std)
	if screen != nil {
		progress = nil
	}
	for i, name := range names {
		err := passTrace(ctx, std, "summary", name, ro, func(t *analyze.Trace) error {
			if by == analyze.ByPhase && t.Header().GetNoClock() {
				return noPhases(name)
			}
			so := summary.Options{By: by, Objects: o.objects, Threads: o.threads, File: i, Sort: order}
			part := summary.New(t.Header(), so)
			pass := analyze.Options{Filter: filter, Need: so.Need(), Progress: progress.hook(name)}
			var shown error
			if screen != nil {
				pass.Progress = func(uint64, float64) {
					if shown == nil && screen.due() {
						shown = o.show(screen, std, part.Result())
					}
				}
			}
			err := t.Run(ctx, pass, func(c *analyze.Call) error {
				part.Add(c)
				return shown
			})
			if sum == nil {
				sum = part
			} else {
				sum.Merge(part)
			}
			return err
		})
		progress.clear()
		screen.clear()
		if err != nil {
			return err
		}
	}
	defer sum.Close()
	result := sum.Result()
	if o.svg != "" {
		limit := int(o.top)
		if o.all && limit == 0 {
			limit = len(result.Rows)
		}
		return writePicture(std, o.svg, func(w io.Writer) error {
			return summary.WriteSVG(w, pictureTitle("where the time went", by, names), result, limit)
		})
	}
	result.Top(int(o.top))
	if o.format == "strace-c" && result.NoDurations {
		std.message("sysreel summary: no times: the log that this was made from has no durations (strace -T)")
	}
	switch o.format {
	case "json":
		return writeJSON(std.out, result)
	case "csv":
		return summary.WriteCSV(std.out, result)
	case "strace-c":
		return summary.WriteStrace(std.out, result)
	}
	return o.table(std.out, std, result)
}

// show shows the result so far.
func (o *summaryOptions) show(screen *live, std *stdio, result *summary.Result) error {
	result.Top(int(o.top))
	var b strings.Builder
	if err := o.table(&b, std, result); err != nil {
		return err
	}
	return screen.show(b.String())
}

// table writes the result for people.
func (o *summaryOptions) table(w io.Writer, std *stdio, result *summary.Result) error {
	d := std.display()
	ro := summary.RenderOptions{Width: d.Width, Color: d.Color}
	if o.all {
		ro.Limit = -1
	}
	return summary.Render(w, result, ro)
}
