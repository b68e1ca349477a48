package main

import (
	"context"

	"sysreel/analyze"
	"sysreel/analyze/summary"
	"sysreel/proto/tracefile"
)

// runSideBySide is summary --side-by-side.
func runSideBySide(ctx context.Context, std *stdio, o summaryOptions, filter analyze.Filter, by analyze.By, order summary.Sort, names []string) error {
	if o.format == "strace-c" || o.threads {
		return usagef("--side-by-side has no place for --threads and --format strace-c")
	}
	results := make([]*summary.Result, len(names))
	progress := newProgress(std)
	for i, name := range names {
		err := passTrace(ctx, std, "summary", name, tracefile.ReaderOptions{}, func(t *analyze.Trace) error {
			if by == analyze.ByPhase && t.Header().GetNoClock() {
				return noPhases(name)
			}
			so := summary.Options{By: by, Roles: true, Sort: order}
			a := summary.New(t.Header(), so)
			defer a.Close()
			pass := analyze.Options{Filter: filter, Need: so.Need(), Progress: progress.hook(name)}
			err := t.Run(ctx, pass, func(c *analyze.Call) error {
				a.Add(c)
				return nil
			})
			results[i] = a.Result()
			return err
		})
		progress.clear()
		if err != nil {
			return err
		}
	}
	c := summary.SideBySide(names, results)
	c.Sort(order)
	c.Top(int(o.top))
	switch o.format {
	case "json":
		return writeJSON(std.out, c)
	case "csv":
		return summary.WriteColumnsCSV(std.out, c)
	}
	d := std.display()
	ro := summary.RenderOptions{Width: d.Width, Color: d.Color}
	if o.all {
		ro.Limit = -1
	}
	return summary.RenderColumns(std.out, c, ro)
}
