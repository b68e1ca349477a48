package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// stdio is where a command reads and writes.
type stdio struct {
	in  io.Reader
	out io.Writer
	err io.Writer
}

func newRootCommand(std *stdio) *cobra.Command {
	root := &cobra.Command{
		Use:   "sysreel",
		Short: "record system calls, then replay, summarise and compare them",
		Long: `sysreel records what processes ask of the kernel into a small file, and works
on that file later and elsewhere: it replays the calls in strace's notation,
sums them up, draws latency histograms, and says what made a bad run differ
from a good one.`,
		Example: `  sysreel record -o good.reel -- make          run make and record it
  sysreel record -p 1234 --max-time 10s        look at a running process
  sysreel replay --failed good.reel            the calls that failed
  sysreel diff good.reel bad.reel              why did the second one fail?`,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(cmd *cobra.Command, args []string) error { return cmd.Help() },
	}
	root.CompletionOptions.HiddenDefaultCmd = false
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return &usageError{err} })
	root.AddCommand(
		newRecordCommand(std),
		newReplayCommand(std),
		newSummaryCommand(std),
		newHistCommand(std),
		newDiffCommand(std),
		newInfoCommand(std),
		newImportCommand(std),
		newStraceCommand(std),
		newVersionCommand(std),
	)
	root.Args = knownCommand
	root.InitDefaultCompletionCmd()
	root.InitDefaultHelpCmd()
	for _, c := range root.Commands() {
		switch c.Name() {
		case "completion":
			c.Args = func(_ *cobra.Command, args []string) error {
				if len(args) > 0 {
					return usagef("no completion for %q: there is bash, zsh, fish and powershell", args[0])
				}
				return nil
			}
			c.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		case "help":
			c.Args = func(_ *cobra.Command, args []string) error {
				if topic, _, err := root.Find(args); err != nil || topic == root {
					return knownCommand(root, args)
				}
				return nil
			}
		}
	}
	return root
}

// knownCommand refuses what cobra did not take for a command.
func knownCommand(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("no command %q", args[0])
	}
	return nil
}

func newVersionCommand(std *stdio) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "print the version",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			_, err := fmt.Fprintf(std.out, "sysreel %s (%s, %s/%s)\n", buildVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

// buildVersion is the version given to the linker, else the module's or the
// revision it was built from.
func buildVersion() string {
	if version != "devel" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return version
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	return version
}

func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%s takes no arguments", cmd.Name())
	}
	return nil
}
