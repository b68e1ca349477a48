package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/spf13/cobra"

	"sysreel/analyze/stracelog"
	layout "sysreel/analyze/term"
	"sysreel/proto/syscalls"
)

// importOptions are the flags of import.
type importOptions struct {
	output string
	force  bool
	arch   string
	quiet  bool
}

func newImportCommand(std *stdio) *cobra.Command {
	var o importOptions
	cmd := &cobra.Command{
		Use:   "import [flags] LOG...",
		Short: "make a trace of strace's log",
		Long: `Make a trace of what strace wrote, so that summary, hist, diff and replay work on
it. LOG is a file (gzip and zstd are read too) or - for standard input. Several
are the parts of one run, as strace -ff writes them: FILE.PID; FILE alone stands
for all of them. Best are logs of strace -f -ttt -T -y -s 256 -o FILE; without -T
there are no durations, without -t or -r no times.`,
		Example: `  sysreel import strace.log -o run.reel
  sysreel import trace.* -o run.reel             the files of strace -ff -ttt -o trace
  zcat old.log.gz | sysreel import - -o - | sysreel summary -`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("no log given: name a LOG, or - for standard input")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return runImport(cmd.Context(), std, o, args)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.output, "output", "o", "", "`FILE` to write, - for standard output (default: LOG.reel)")
	f.BoolVar(&o.force, "force", false, "overwrite a file that exists")
	f.StringVar(&o.arch, "arch", "amd64", "`ARCH` of the machine that strace ran on: amd64, arm64 or i386")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "no line about what was read")
	cmd.SetUsageTemplate(cmd.UsageTemplate() + analyserStatus)
	return cmd
}

// importArchs are the values of --arch.
var importArchs = map[string]syscalls.Arch{"amd64": syscalls.AMD64, "arm64": syscalls.ARM64, "i386": syscalls.I386}

func runImport(ctx context.Context, std *stdio, o importOptions, names []string) error {
	arch, ok := importArchs[o.arch]
	if !ok {
		return usagef("no architecture %q: there is amd64, arm64 and i386", o.arch)
	}
	if o.output == "" {
		if o.output = "strace.reel"; names[0] != "-" {
			o.output = names[0] + ".reel"
		}
	}
	logs, err := findLogs(std, names)
	if err != nil {
		return err
	}
	out, err := createOutput(o.output, o.force, false, std)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(out, 256<<10)
	so := stracelog.Options{Arch: arch, Recorder: "sysreel " + buildVersion()}
	progress := newProgress(std)
	if hook := progress.hook(names[0]); hook != nil {
		share := readShare(logs)
		so.Progress = func(events uint64) { hook(events, share()) }
	}
	res, err := stracelog.Import(ctx, w, logs, so)
	progress.clear()
	if err == nil {
		err = w.Flush()
	}
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	reportImport(std, o, res, out.name)
	return nil
}

// readShare returns a function that tells which share of the logs has been read;
// negative if one of them is no file.
func readShare(logs []stracelog.Log) func() float64 {
	var read atomic.Int64
	total := int64(0)
	for i := range logs {
		l := &logs[i]
		st, err := os.Stat(l.Name)
		if err != nil || !st.Mode().IsRegular() {
			return func() float64 { return -1 }
		}
		total += st.Size()
		open := l.Open
		l.Open = func() (io.ReadCloser, error) {
			f, err := open()
			if err != nil {
				return nil, err
			}
			return &countedLog{f, &read}, nil
		}
	}
	return func() float64 { return min(float64(read.Load())/float64(max(total, 1)), 1) }
}

// countedLog counts the bytes that are read of a log.
type countedLog struct {
	io.ReadCloser
	read *atomic.Int64
}

func (c *countedLog) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.read.Add(int64(n))
	return n, err
}

// reportImport says what was read, and what of it was not understood.
func reportImport(std *stdio, o importOptions, res *stracelog.Result, name string) {
	for _, d := range res.First {
		std.message("sysreel import: %s:%d: not understood: %s", d.Log, d.Line, d.Text)
	}
	if n := uint64(len(res.First)); res.Damaged > n {
		std.message("sysreel import: %s more not understood", layout.Plural(res.Damaged-n, "line"))
	}
	if o.quiet {
		return
	}
	text := fmt.Sprintf("%s of %s, %s, from %s; %s in %s", layout.Plural(res.Calls, "call"), layout.Plural(uint64(res.Processes), "process"),
		layout.Plural(uint64(res.Threads), "thread"), layout.Plural(res.Lines, "line"), layout.Bytes(res.Size), name)
	switch {
	case !res.Clock && !res.Durations:
		text += "; the log has no times (strace -ttt -T)"
	case !res.Durations:
		text += "; the log has no durations (strace -T)"
	case !res.Clock:
		text += "; the log does not say when calls were made (strace -ttt)"
	}
	if res.Stacks > 0 {
		text += fmt.Sprintf("; %s of stack traces left out", layout.Plural(res.Stacks, "line"))
	}
	std.message("sysreel import: %s", text)
}

// findLogs opens what the user named. FILE.PID is the log of a thread; a FILE
// that does not exist stands for its FILE.PIDs.
func findLogs(std *stdio, names []string) ([]stracelog.Log, error) {
	var logs []stracelog.Log
	for _, name := range names {
		if name == "-" {
			logs = append(logs, stracelog.Log{Name: "standard input", Open: func() (io.ReadCloser, error) { return io.NopCloser(std.in), nil }})
			continue
		}
		st, err := os.Stat(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			parts := logParts(name)
			if len(parts) == 0 {
				return nil, fmt.Errorf("%s: %w, nor %s.PID", name, fs.ErrNotExist, name)
			}
			for _, part := range parts {
				logs = append(logs, fileLog(part))
			}
			continue
		case err != nil:
			return nil, err
		case st.IsDir():
			return nil, fmt.Errorf("%s: is a directory, not a log", name)
		}
		logs = append(logs, fileLog(name))
	}
	return logs, nil
}

// logParts returns the files NAME.PID in order of the PIDs.
func logParts(name string) []string {
	entries, err := os.ReadDir(filepath.Dir(name))
	if err != nil {
		return nil
	}
	var parts []string
	for _, e := range entries {
		if rest, ok := strings.CutPrefix(e.Name(), filepath.Base(name)+"."); ok && logPID(rest) > 0 {
			parts = append(parts, filepath.Join(filepath.Dir(name), e.Name()))
		}
	}
	sort.Slice(parts, func(i, j int) bool {
		return logPID(filepath.Ext(parts[i])) < logPID(filepath.Ext(parts[j]))
	})
	return parts
}

// logPID returns the PID at the end of a name, 0 if there is none.
func logPID(name string) int32 {
	n, err := strconv.ParseInt(name[strings.LastIndexByte(name, '.')+1:], 10, 32)
	if err != nil || n <= 0 {
		return 0
	}
	return int32(n)
}

func fileLog(name string) stracelog.Log {
	return stracelog.Log{Name: name, PID: logPID(name), Open: func() (io.ReadCloser, error) { return os.Open(name) }}
}
