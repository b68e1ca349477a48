package main

import (
	"github.com/spf13/cobra"
)

func newInfoCommand(std *stdio) *cobra.Command {
	return &cobra.Command{Use: "info FILE", Args: cobra.ExactArgs(1)}
}
