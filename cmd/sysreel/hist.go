package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"sysreel/analyze"
	"sysreel/analyze/latency"
	"sysreel/proto/tracefile"
)

// histOptions are the flags of hist.
type histOptions struct {
	filter  filterFlags
	by      string
	top     limitValue
	compare bool
	heatmap bool
	seconds bool
	json    bool
	svg     string
}

func newHistCommand(std *stdio) *cobra.Command {
	var o histOptions
	cmd := &cobra.Command{
		Use:   "hist [flags] FILE...",
		Short: "latency histograms, percentiles, heat map",
		Long: `Draw how long calls took: a histogram and percentiles for each system call or
another key, with the number of the slowest event. Several traces are taken
together, or, with --compare, two are set against each other.

--heatmap also draws latency over time. --subsecond draws, for each second, when
in it calls began: what is done at a steady pace, by a timer, makes lines.

--svg writes all of it as a picture, in place of text; values appear where the
pointer rests.`,
		Example: `  sysreel hist -e trace=read,fsync trace.reel
  sysreel hist --by file --top 5 trace.reel
  sysreel hist --compare good.reel bad.reel
  sysreel hist --heatmap -e trace=fsync trace.reel
  sysreel hist --by peer -e trace=%network trace.reel
  sysreel hist --by wait --top 5 trace.reel
  sysreel hist --svg latency.svg --top 4 --heatmap trace.reel`,
		Args: someTraces,
		RunE: func(cmd *cobra.Command, args []string) error {
			if (o.json || o.by == analyze.ByPhase.String()) && !cmd.Flags().Changed("top") {
				o.top = 0 // who reads JSON selects for himself; phases are few
			}
			return runHist(cmd.Context(), std, o, args)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.by, "by", "syscall", "a histogram for each `KEY`: "+strings.Join(analyze.ByNames(), ", "))
	o.top = 10
	f.Var(&o.top, "top", "only the `N` keys with the most time; 0: all, as in JSON and of phases")
	f.BoolVar(&o.compare, "compare", false, "set two traces against each other")
	f.BoolVar(&o.heatmap, "heatmap", false, "also latency over time")
	f.BoolVar(&o.seconds, "subsecond", false, "also when in their seconds calls began")
	f.BoolVar(&o.json, "json", false, "a JSON document")
	f.StringVar(&o.svg, "svg", "", "write a picture to `FILE`, - for standard output")
	o.filter.add(f)
	cmd.SetUsageTemplate(cmd.UsageTemplate() + analyserStatus)
	return cmd
}

func runHist(ctx context.Context, std *stdio, o histOptions, names []string) error {
	filter, err := o.filter.filter()
	if err != nil {
		return err
	}
	by, err := analyze.ParseBy(o.by)
	if err != nil {
		return usagef("--by: %w", err)
	}
	if o.compare && len(names) != 2 {
		return usagef("--compare takes two traces, not %d", len(names))
	}
	if o.svg != "" && o.json {
		return usagef("--svg is in place of --json")
	}
	if o.compare && (o.heatmap || o.seconds || by == analyze.ByPhase) {
		return usagef("--compare has no place for --heatmap, --subsecond and --by phase")
	}

	defer thrifty()()
	parts := make([]*latency.Analysis, len(names))
	progress := newProgress(std)
	for i, name := range names {
		err := passTrace(ctx, std, "hist", name, tracefile.ReaderOptions{}, func(t *analyze.Trace) error {
			if t.Header().GetNoDurations() {
				return fmt.Errorf("%s: the log that this was made from has no durations (strace -T)", name)
			}
			if (by == analyze.ByPhase || o.heatmap || o.seconds) && t.Header().GetNoClock() {
				return noPhases(name)
			}
			lo := latency.Options{By: by, Heatmap: o.heatmap, Subsecond: o.seconds, Roles: o.compare, File: i}
			part := latency.New(t.Header(), lo)
			parts[i] = part
			pass := analyze.Options{Filter: filter, Need: lo.Need(), Progress: progress.hook(name)}
			return t.Run(ctx, pass, func(c *analyze.Call) error {
				part.Add(c)
				return nil
			})
		})
		progress.clear()
		if err != nil {
			return err
		}
	}

	if o.compare {
		defer parts[0].Close()
		defer parts[1].Close()
		c := latency.Compare(names[0], parts[0].Result(), names[1], parts[1].Result())
		c.Top(int(o.top))
		if o.json {
			return writeJSON(std.out, c)
		}
		if o.svg != "" {
			return writePicture(std, o.svg, func(w io.Writer) error {
				return latency.WriteComparisonSVG(w, pictureTitle("how long calls took", by, nil), c)
			})
		}
		return latency.RenderComparison(std.out, c, std.display())
	}
	for _, part := range parts[1:] {
		parts[0].Merge(part)
	}
	defer parts[0].Close()
	result := parts[0].Result()
	result.Top(int(o.top))
	if o.json {
		return writeJSON(std.out, result)
	}
	if o.svg != "" {
		return writePicture(std, o.svg, func(w io.Writer) error {
			return latency.WriteSVG(w, pictureTitle("how long calls took", by, names), result)
		})
	}
	return latency.Render(std.out, result, std.display())
}
