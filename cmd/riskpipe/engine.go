package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/riskpipe/riskpipe/deploy/embedded"
)

// newEngineCommand is the process in which the embedded ClickHouse engine runs;
// demo starts it.
func newEngineCommand() *cobra.Command {
	var o embedded.ServeOptions
	c := &cobra.Command{
		Use:    "engine",
		Short:  "Run the embedded ClickHouse engine behind its HTTP interface",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Ready, o.Parent = os.Stdout, os.Stdin
			return embedded.ServeEngine(cmd.Context(), o)
		},
	}
	c.Flags().StringVar(&o.Listen, "listen", "127.0.0.1:8123", "`host:port` on loopback")
	c.Flags().StringVar(&o.Data, "data", "", "`folder` of the tables")
	return c
}
