package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
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

// passTrace opens the trace, passes over it and warns of what is missing.
func passTrace(ctx context.Context, std *stdio, cmd, name string, ro tracefile.ReaderOptions, use func(*analyze.Trace) error) error {
	t, err := analyze.Open(name, std.in, ro)
	if err != nil {
		return err
	}
	defer t.Close()
	if err := use(t); err != nil {
		return err
	}
	warn(std, cmd, t)
	return nil
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
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(layout.SafeJSON(b.Bytes()))
	return err
}

// message writes a line to standard error. Names in it come from traces, from
// the traced machine and from globs: they must not reach a terminal raw.
func (std *stdio) message(format string, args ...any) {
	fmt.Fprintln(std.err, layout.Safe(fmt.Sprintf(format, args...)))
}
