//go:build unix

// Bench-diff measures how well sysreel diff names the cause of failures: it
// breaks real programs on purpose, records a good and a bad run of each, and
// counts at which place the right finding stands. It also checks that healthy
// runs come out the same. For comparison it ranks the same causes in a masked
// text difference of strace's logs.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"sysreel/analyze"
	"sysreel/analyze/diff"
	"sysreel/proto/tracefile"
)

func main() {
	os.Exit(run())
}

func run() int {
	var (
		sysreel  = flag.String("sysreel", "./sysreel", "the sysreel to record with")
		only     = flag.String("run", "", "only cases whose name matches this regular expression")
		baseline = flag.Bool("baseline", false, "rank the causes in a masked difference of strace logs as well")
		healthy  = flag.Int("healthy", 0, "run each healthy command so many times, and no failures")
		keep     = flag.String("keep", "", "keep the traces in this directory")
		reuse    = flag.Bool("reuse", false, "with -keep: compare the traces that are there; record nothing")
		fit      = flag.Bool("fit", false, "with -keep: fit the weights of diff to the traces that are there, each program's held out in turn")
		verbose  = flag.Bool("v", false, "print what diff says of every case that it did not get right first")
	)
	flag.Parse()
	dir, err := os.MkdirTemp("", "bench-diff-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench-diff:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { // some commands run as nobody
		fmt.Fprintln(os.Stderr, "bench-diff:", err)
		return 1
	}
	path, err := filepath.Abs(*sysreel)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench-diff:", err)
		return 1
	}
	traces := dir
	if *keep != "" {
		traces = *keep
		if err := os.MkdirAll(traces, 0o755); err != nil {
			fmt.Fprintln(os.Stderr, "bench-diff:", err)
			return 1
		}
		if traces, err = filepath.Abs(traces); err != nil {
			fmt.Fprintln(os.Stderr, "bench-diff:", err)
			return 1
		}
	}
	re, err := regexp.Compile(*only)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench-diff:", err)
		return 2
	}
	b := &bench{sysreel: path, dir: dir, verbose: *verbose}
	if *fit {
		return b.fit(re, traces)
	}
	if *healthy > 0 {
		return b.healthy(re, *healthy, traces, *reuse)
	}
	return b.failures(re, traces, *baseline, *reuse)
}

func allCases() []failure {
	return slices.Concat(fileCases, buildCases, serviceCases, secondCases, thirdCases, fourthCases, contentCases, listingCases, presenceCases)
}

// failures runs the cases and prints the table.
func (b *bench) failures(re *regexp.Regexp, traces string, baseline, reuse bool) int {
	all := allCases()
	var ranks, baseRanks []int // 0: not found
	skipped := 0
	fmt.Printf("%-30s %-10s %5s %5s %6s  %s\n", "case", "program", "rank", "of", "lines", "first finding")
	for i := range all {
		f := &all[i]
		if !re.MatchString(f.name) {
			continue
		}
		if f.root && os.Getuid() != 0 {
			skipped++
			continue
		}
		good, bad := filepath.Join(traces, f.name+".good.reel"), filepath.Join(traces, f.name+".bad.reel")
		if !reuse {
			if err := b.record(f, good, bad); err != nil {
				fmt.Printf("%-30s cannot be run: %v\n", f.name, err)
				skipped++
				continue
			}
		}
		r, err := compare(good, bad)
		if err != nil {
			fmt.Printf("%-30s cannot be compared: %v\n", f.name, err)
			ranks, baseRanks = append(ranks, 0), append(baseRanks, 0)
			continue
		}
		rank, first := 0, "same"
		for i := range r.Findings {
			if i == 0 {
				first = r.Findings[0].Summary
			}
			if rank == 0 && f.want.right(&r.Findings[i]) {
				rank = i + 1
			}
		}
		ranks = append(ranks, rank)
		line := ""
		if baseline {
			at, of, err := b.strace(f)
			if err != nil {
				line = " strace: " + err.Error()
			} else {
				line = fmt.Sprintf(" [strace %d of %d]", at, of)
			}
			baseRanks = append(baseRanks, at)
		}
		fmt.Printf("%-30s %-10s %5d %5d %6d  %.110s%s\n", f.name, f.program, rank, len(r.Findings), linesBefore(r, rank), first, line)
		if b.verbose && rank != 1 {
			_ = diff.Render(indent{os.Stdout}, r, diff.RenderOptions{All: true})
		}
	}
	if len(ranks) == 0 {
		return 1
	}
	fmt.Printf("\n%d cases: %s; %d skipped\n", len(ranks), score(ranks), skipped)
	if baseline {
		fmt.Printf("masked difference of strace logs: %s (by line)\n", score(baseRanks))
	}
	return 0
}

// record records both runs of a failure.
func (b *bench) record(f *failure, good, bad string) error {
	g, x := f.sides()
	status, text, err := b.run(g, "sysreel", good)
	if err != nil {
		return fmt.Errorf("good run: %w", err)
	}
	if status != 0 {
		return fmt.Errorf("good run: exit status %d: %s", status, tail(text))
	}
	if _, _, err := b.run(x, "sysreel", bad); err != nil {
		return fmt.Errorf("bad run: %w", err)
	}
	return nil
}

func tail(text []byte) string {
	s := strings.TrimSpace(string(text))
	if i := strings.LastIndexByte(s, '\n'); i >= 0 {
		s = s[i+1:]
	}
	return s
}

// strace runs both under strace and ranks the cause in the difference.
func (b *bench) strace(f *failure) (rank, lines int, err error) {
	g, x := f.sides()
	good, bad := filepath.Join(b.dir, "good.strace"), filepath.Join(b.dir, "bad.strace")
	if _, _, err := b.run(g, "strace", good); err != nil {
		return 0, 0, err
	}
	if _, _, err := b.run(x, "strace", bad); err != nil {
		return 0, 0, err
	}
	return baselineRank(good, bad, &f.want)
}

// healthy runs every healthy command n times and compares all pairs.
func (b *bench) healthy(re *regexp.Regexp, n int, traces string, reuse bool) int {
	pairs, same := 0, 0
	for _, h := range healthyCommands {
		if !re.MatchString(h.name) {
			continue
		}
		var files []string
		for i := range n {
			file := filepath.Join(traces, fmt.Sprintf("%s.%d.reel", h.name, i))
			if !reuse {
				status, text, err := b.run(side{setup: h.setup, command: h.command, server: h.server}, "sysreel", file)
				if err != nil || status != 0 {
					fmt.Printf("%-14s cannot be run: status %d: %v %s\n", h.name, status, err, tail(text))
					break
				}
			}
			files = append(files, file)
		}
		p, s, worst := 0, 0, (*diff.Result)(nil)
		for i := range files {
			for j := range files {
				if i == j {
					continue
				}
				r, err := compare(files[i], files[j])
				if err != nil {
					fmt.Printf("%-14s cannot be compared: %v\n", h.name, err)
					continue
				}
				p++
				if r.Verdict == diff.Same {
					s++
				} else if worst == nil || len(r.Findings) > len(worst.Findings) {
					worst = r
				}
			}
		}
		pairs, same = pairs+p, same+s
		note := ""
		if worst != nil {
			note = worst.Findings[0].Summary
		}
		fmt.Printf("%-14s %4d pairs %4d same  %.140s\n", h.name, p, s, note)
		if b.verbose && worst != nil {
			_ = diff.Render(indent{os.Stdout}, worst, diff.RenderOptions{All: true})
		}
	}
	if pairs == 0 {
		return 1
	}
	fmt.Printf("\n%d of %d pairs of healthy runs are the same (%.1f %%)\n", same, pairs, 100*float64(same)/float64(pairs))
	return 0
}

// compare compares two trace files.
func compare(good, bad string) (*diff.Result, error) {
	return diff.Compare(context.Background(), diff.Options{Good: []diff.Source{source(good)}, Bad: []diff.Source{source(bad)}})
}

func source(name string) diff.Source {
	return diff.Source{Name: name, Open: func() (*analyze.Trace, error) { return analyze.Open(name, nil, tracefile.ReaderOptions{}) }}
}

// linesBefore counts the lines that a person reads before the finding of the
// given rank.
func linesBefore(r *diff.Result, rank int) int {
	var s strings.Builder
	if err := diff.Render(&s, r, diff.RenderOptions{All: true}); err != nil || rank == 0 {
		return 0
	}
	for i, line := range strings.Split(s.String(), "\n") {
		if strings.HasPrefix(line, fmt.Sprintf("%2d ", rank)) {
			return i
		}
	}
	return 0
}

// indent sets every line off.
type indent struct{ w io.Writer }

func (in indent) Write(p []byte) (int, error) {
	_, err := io.WriteString(in.w, "    | "+strings.ReplaceAll(strings.TrimRight(string(p), "\n"), "\n", "\n    | ")+"\n")
	return len(p), err
}
