package main

import (
	"context"

	"github.com/spf13/cobra"

	"sysreel/analyze"
	"sysreel/analyze/info"
	"sysreel/proto/tracefile"
)

func newInfoCommand(std *stdio) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "info [flags] FILE",
		Short: "what a trace is: origin, command, size, losses; is it whole?",
		Long: `Tell where, when and of what a trace was recorded, how large it is, what is
missing from it and whether it is whole.`,
		Example: `  sysreel info trace.reel
  sysreel info --json trace.reel`,
		Args: oneTrace,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runInfo(cmd.Context(), std, asJSON, args[0])
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "a JSON document")
	cmd.SetUsageTemplate(cmd.UsageTemplate() + analyserStatus)
	return cmd
}

func runInfo(ctx context.Context, std *stdio, asJSON bool, name string) error {
	return passTrace(ctx, std, "info", name, tracefile.ReaderOptions{}, func(t *analyze.Trace) error {
		result, err := info.Read(name, t.Reader)
		if err != nil {
			return err
		}
		if asJSON {
			return writeJSON(std.out, result)
		}
		return info.Render(std.out, result, std.display())
	})
}
