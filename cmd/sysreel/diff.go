package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"sysreel/analyze"
	"sysreel/analyze/diff"
	"sysreel/analyze/diff/page"
	layout "sysreel/analyze/term"
	"sysreel/proto/tracefile"
)

// diffOptions are the flags of diff.
type diffOptions struct {
	filter     filterFlags
	good, bad  []string
	noNorm     []string
	maps       []string
	context    int
	sideBySide bool
	all        bool
	json       bool
	html       string
	force      bool
	explain    bool
}

// Exit statuses of diff.
const (
	exitDifferent   = 1
	exitDiffTrouble = 2
)

func newDiffCommand(std *stdio) *cobra.Command {
	var o diffOptions
	cmd := &cobra.Command{
		Use:   "diff [flags] GOOD BAD\n  sysreel diff [flags] --good G1,G2,... --bad B1,B2,...",
		Short: "what made the bad run bad, most likely cause first",
		Long: `Compare a good run with a bad one. What varies between healthy runs (process
IDs, addresses, times, temporary names, scheduling) is left out of account; what
remains is ranked by how likely it is the cause, with its evidence and its
consequences. With several runs a side, what varies among the good ones is
noise.

--html writes one file that needs nothing else: findings with their evidence,
the processes, the calls of both runs side by side, times. It shows what the
traces have, so it needs the same care.`,
		Example: `  sysreel diff good.reel bad.reel
  sysreel diff --html report.html good.reel bad.reel
  sysreel diff --map /srv/staging=/srv/prod staging.reel prod.reel
  sysreel diff --good g1.reel,g2.reel,g3.reel --bad b1.reel,b2.reel`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runDiff(cmd.Context(), std, o, args)
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&o.good, "good", nil, "good runs: `FILE,...`")
	f.StringSliceVar(&o.bad, "bad", nil, "bad runs: `FILE,...`")
	f.StringSliceVar(&o.noNorm, "no-norm", nil, "switch off a `RULE` that hides differences; see --explain-norm")
	f.BoolVar(&o.explain, "explain-norm", false, "list these rules and why they are there")
	f.StringArrayVar(&o.maps, "map", nil, "`GOODDIR=BADDIR`: directories that stand for each other")
	f.IntVar(&o.context, "context", 0, "show `N` calls of the same thread around each evidence")
	f.BoolVar(&o.sideBySide, "side-by-side", false, "the two runs' evidence beside each other")
	f.BoolVar(&o.all, "all", false, "every finding, and what its rank rests on")
	f.BoolVar(&o.json, "json", false, "a JSON document")
	f.StringVar(&o.html, "html", "", "also write a page for a browser to `FILE`; -: to standard output, in place of text")
	f.BoolVar(&o.force, "force", false, "overwrite the FILE of --html")
	o.filter.add(f)
	cmd.SetUsageTemplate(cmd.UsageTemplate() + `
Exit status: 0 the runs did the same, 1 they differ, 2 trouble.
`)
	return cmd
}

func runDiff(ctx context.Context, std *stdio, o diffOptions, args []string) error {
	if o.explain {
		return explainNorm(std)
	}
	switch {
	case len(args) == 2 && len(o.good) == 0 && len(o.bad) == 0:
		o.good, o.bad = args[:1], args[1:]
	case len(args) > 0 && len(o.good)+len(o.bad) > 0:
		return usagef("give GOOD BAD, or --good and --bad, not both")
	case len(args) > 0:
		return usagef("diff compares two traces, GOOD and BAD, not %d", len(args))
	case len(o.good) == 0 || len(o.bad) == 0:
		return usagef("a good and a bad run are needed: GOOD BAD, or --good and --bad")
	}
	filter, err := o.filter.filter()
	if err != nil {
		return err
	}
	do := diff.Options{Filter: filter, NoNorm: o.noNorm, Context: o.context}
	for _, m := range o.maps {
		from, to, ok := strings.Cut(m, "=")
		if !ok || from == "" || to == "" {
			return usagef("--map %s: write it as GOODDIR=BADDIR", m)
		}
		do.Map = append(do.Map, diff.Mapping{From: from, To: to})
	}
	report, err := newReport(std, o)
	if err != nil {
		return err
	}
	do.Detail = report != nil
	sources := &diffSources{std: std}
	defer sources.close()
	if do.Good, err = sources.open(o.good); err != nil {
		return err
	}
	if do.Bad, err = sources.open(o.bad); err != nil {
		return err
	}
	progress := newProgress(std)
	if progress != nil {
		do.Progress = progress.show
	}
	result, err := diff.Compare(ctx, do)
	progress.clear()
	if err != nil {
		return err
	}
	sources.warn()
	switch {
	case o.html == "-":
	case o.json:
		err = writeJSON(std.out, result)
	default:
		err = diff.Render(std.out, result, diff.RenderOptions{Options: std.display(), All: o.all, SideBySide: o.sideBySide})
	}
	if err != nil {
		return err
	}
	if report != nil {
		progress := newProgress(std)
		po := page.Options{Good: do.Good, Bad: do.Bad, Filter: do.Filter}
		if progress != nil {
			po.Progress = progress.show
		}
		err := report.write(func(w io.Writer) error { return page.Write(ctx, w, result, po) })
		progress.clear()
		if err != nil {
			return err
		}
	}
	if result.Verdict != diff.Same {
		return &exitError{status: exitDifferent}
	}
	return nil
}

// diffSources opens the traces of a comparison, which are read twice.
type diffSources struct {
	std    *stdio
	traces []*analyze.Trace
	stdin  string // copy of the standard input
}

func (s *diffSources) open(names []string) ([]diff.Source, error) {
	var out []diff.Source
	for _, name := range names {
		path := name
		if name == "-" {
			if s.stdin != "" {
				return nil, usagef("standard input can be one trace only")
			}
			if err := s.keepStdin(); err != nil {
				return nil, err
			}
			path = s.stdin
		}
		out = append(out, diff.Source{Name: name, Open: func() (*analyze.Trace, error) {
			t, err := analyze.Open(path, nil, tracefile.ReaderOptions{})
			if err == nil {
				t.Name = name
				s.traces = append(s.traces, t)
			}
			return t, err
		}})
	}
	return out, nil
}

// keepStdin copies the standard input to a file, as it cannot be read twice.
func (s *diffSources) keepStdin() error {
	f, err := os.CreateTemp("", "sysreel-*.reel")
	if err != nil {
		return fmt.Errorf("keeping standard input: %w", err)
	}
	s.stdin = f.Name()
	_, err = io.Copy(f, s.std.in)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("keeping standard input: %w", err)
	}
	return nil
}

// warn says once of each trace what it lacks.
func (s *diffSources) warn() {
	said := make(map[string]bool)
	for _, t := range s.traces {
		if !said[t.Name] && t.Warning() != "" {
			said[t.Name] = true
			warn(s.std, "diff", t)
		}
	}
}

func (s *diffSources) close() {
	if s.stdin != "" {
		os.Remove(s.stdin)
	}
}

// explainNorm lists the normalisation rules.
func explainNorm(std *stdio) error {
	table := layout.Table{Columns: []layout.Column{{Title: "rule"}, {Title: "what it leaves out of account, and why"}}}
	for _, r := range diff.Rules() {
		table.Row(r.Name, r.Why)
	}
	return table.Write(std.out, std.display())
}
