// Command sysreel records the system calls of processes into a trace file and
// works on such files: replay, summary, hist, diff and info.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"sysreel/record"
)

// version is set by the linker.
var version = "devel"

func main() {
	args := os.Args[1:]
	if calledStrace(os.Args[0]) {
		args = append([]string{"strace"}, args...)
	}
	os.Exit(run(args, os.Stdin, os.Stdout, os.Stderr))
}

// Exit statuses, other than those of a recorded command.
const (
	exitDone    = 0
	exitTrouble = 1
	exitUsage   = 2
	exitRecord  = 125 // sysreel itself failed to record
	exitNoExec  = 126 // the command cannot be executed
	exitNoCmd   = 127 // the command was not found
)

// run is the whole program: it returns the exit status.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	std := &stdio{in: stdin, out: stdout, err: stderr}
	root := newRootCommand(std)
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)

	cmd, err := root.ExecuteC()
	if err == nil {
		return exitDone
	}
	status := exitTrouble
	var exit *exitError
	var usage *usageError
	switch {
	case errors.As(err, &exit):
		status, err = exit.status, exit.err
		if exit.signal != 0 {
			record.Die(exit.signal)
		}
	case errors.As(err, &usage):
		status = usageStatus(cmd)
	case cmd.Name() == "diff":
		status = exitUsage
	case cmd.Name() == "record":
		status = exitRecord
	}
	if err != nil {
		std.message("%s: %v", cmd.CommandPath(), err)
		if usage != nil {
			fmt.Fprintf(stderr, "Try '%s --help'.\n", cmd.CommandPath())
		}
	}
	return status
}

// usageStatus is the status for wrong usage of a command. Under record every
// status below 125 may be the recorded command's own.
func usageStatus(cmd *cobra.Command) int {
	if cmd.Name() == "record" {
		return exitRecord
	}
	return exitUsage
}

// exitError asks for an exit status; err may be nil when all has been said.
type exitError struct {
	status int
	err    error
	signal int // to end by instead; 0: none
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.status)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// usageError is a mistake in how the command was called.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...)}
}
