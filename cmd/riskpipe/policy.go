package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/riskpipe/riskpipe/operators"
)

func newPolicyCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "policy",
		Short: "List, check, test, explain and compare policies",
		Long: `policy works on policies as code, without servers: those in the folder of --policies
or score.policies, or the ones that ship with riskpipe.

Exit status: 0 when all is well, 1 when a check finds something, 2 for wrong
usage, 3 when the configuration or the policies cannot be read.`,
		Example: `  riskpipe policy list
  riskpipe policy lint policies/
  riskpipe policy test --policies policies/ --junit policies.xml
  riskpipe policy explain data_theft_departing_user`,
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	addPoliciesFlag(c)
	c.AddCommand(newPolicyListCommand(), newPolicyLintCommand(), newPolicySchemaCommand(), newPolicyTestCommand(),
		newPolicyExplainCommand(), newPolicyDiffCommand(), newPolicyLockCommand(),
		newPolicySignCommand(), newPolicyVerifyCommand())
	return c
}

func newPolicySchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of policy files, for editors",
		Long: `schema prints the JSON Schema (2020-12) of the three kinds of file: policies,
indicators and lists. Editors with a YAML language server complete and check by it
when a file begins with: # yaml-language-server: $schema=policy.v1.schema.json`,
		Example: "  riskpipe policy schema > policy.v1.schema.json",
		Args:    usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(operators.Schema())
			return err
		},
	}
}

// completePolicy completes the names of the policies in force.
func completePolicy(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	library, _, err := libraryOf(cmd)
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, p := range library.Policies {
		names = append(names, cobra.CompletionWithDesc(p.Name, p.Title))
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeIndicator completes the names of the catalogue.
func completeIndicator(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	library, _, err := libraryOf(cmd)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, ind := range library.Indicators {
		names = append(names, cobra.CompletionWithDesc(ind.Name, ind.Title))
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// addFormatFlag gives a command the flag -o, with the first format as default.
func addFormatFlag(c *cobra.Command, formats ...string) {
	c.Flags().StringP("output", "o", formats[0], "`format`: "+strings.Join(formats, " or "))
	// The flag was added above.
	_ = c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
}

// wantsJSON tells whether -o asks for JSON rather than for the text format.
func wantsJSON(cmd *cobra.Command, text string) (bool, error) {
	format, err := cmd.Flags().GetString("output")
	if err != nil {
		return false, err
	}
	if format != text && format != "json" {
		return false, &exitError{exitRejects, fmt.Errorf("-o is %q: want %s or json", format, text)}
	}
	return format == "json", nil
}

func writeJSON(out io.Writer, v any) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}

// usage checks the number of arguments.
func usage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return &exitError{exitRejects, fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())}
		}
		return nil
	}
}
