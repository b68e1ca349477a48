package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"sysreel/analyze"
	layout "sysreel/analyze/term"
	"sysreel/proto/tracefile"
)

// oneTrace checks that the arguments are one trace.
func oneTrace(cmd *cobra.Command, args []string) error {
	switch len(args) {
	case 0:
		return usagef("no trace given: name a FILE, or - for standard input")
	case 1:
		return nil
	}
	return usagef("%s takes one trace, not %d", cmd.Name(), len(args))
}

// someTraces checks that the arguments are at least one trace.
func someTraces(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usagef("no trace given: name a FILE, or - for standard input")
	}
	return nil
}

// thrifty makes garbage be collected sooner, until the function it returns is
// called: of long traces most of the memory is blocks that have been used. It costs
// little, as these are few and large.
func thrifty() func() {
	usual := debug.SetGCPercent(50)
	return func() { debug.SetGCPercent(usual) }
}

// passTrace opens the trace, passes over it and warns of what is missing.
func passTrace(ctx context.Context, std *stdio, cmd, name string, ro tracefile.ReaderOptions, use func(*analyze.Trace) error) error {
	t, err := analyze.Open(name, std.in, ro)
	if err != nil {
		return err
	}
	defer t.Close()
	if t.Size() < 0 {
		_, stop := untilInterrupt(ctx)
		defer stop()
	}
	if err := use(t); err != nil {
		return err
	}
	warn(std, cmd, t)
	return nil
}

// untilInterrupt returns a context that ends with the first interrupt, which then
// does not end the program; the second does, as ever. Ctrl-C goes to all of
// "record -o - | summary -": the recorder ends the trace, and what reads the pipe
// is to tell of it.
func untilInterrupt(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	c := make(chan os.Signal, 1)
	if !signal.Ignored(os.Interrupt) { // in the background
		signal.Notify(c, os.Interrupt)
	}
	go func() {
		select {
		case <-c:
		case <-ctx.Done():
		}
		signal.Stop(c)
		cancel()
	}()
	return ctx, cancel
}

// warn says in a line what the trace lacks, if it does.
func warn(std *stdio, cmd string, t *analyze.Trace) {
	if w := t.Warning(); w != "" {
		std.message("sysreel %s: warning: %s: %s", cmd, t.Name, w)
	}
}

// notTerminalWidth is the width to lay out for where no terminal tells it.
const notTerminalWidth = 100

// display says how to write for the standard output: its width and whether
// colour is welcome.
func (s *stdio) display() layout.Options {
	o := layout.Options{Width: notTerminalWidth}
	if f, ok := s.out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
			o.Width = w
		}
		o.Color = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	}
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		o.Width = n
	}
	return o
}

// writeJSON writes a document, a line.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(safeJSON{w})
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// safeJSON makes what is written to it, whole documents, harmless to a terminal.
type safeJSON struct{ w io.Writer }

func (s safeJSON) Write(doc []byte) (int, error) {
	if _, err := s.w.Write(layout.SafeJSON(doc)); err != nil {
		return 0, err
	}
	return len(doc), nil
}

// message writes a line to standard error. Names in it come from traces, from
// the traced machine and from globs: they must not reach a terminal raw.
func (std *stdio) message(format string, args ...any) {
	fmt.Fprintln(std.err, layout.Safe(fmt.Sprintf(format, args...)))
}
