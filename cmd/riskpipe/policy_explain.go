package main

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/riskpipe/riskpipe/operators"
)

// explainFlags are those of policy explain.
type explainFlags struct {
	indicator, svg, resigned, lastDay string
}

func newPolicyExplainCommand() *cobra.Command {
	var f explainFlags
	c := &cobra.Command{
		Use:   "explain NAME",
		Short: "Say a policy in words, and draw its departure curve",
		Long: `explain says a policy in words, for people who do not read YAML: whom it is for, what
brings them in, what counts and for how much, how the score is made with an example
that the engine computes, when an alert opens, and what to do about it.

A departure curve is drawn as text and, with --svg, as a picture: for a departure
with the usual notice period, or for the dates of --resigned and --last-day.`,
		Example: `  riskpipe policy explain data_theft_departing_user
  riskpipe policy explain data_theft_departing_user --resigned 2026-03-02 --last-day 2026-03-31 --svg curve.svg
  riskpipe policy explain --indicator copy_to_removable_media`,
		Args: func(cmd *cobra.Command, args []string) error {
			if f.indicator != "" {
				return usage(cobra.NoArgs)(cmd, args)
			}
			return usage(cobra.ExactArgs(1))(cmd, args)
		},
		ValidArgsFunction: completePolicy,
		RunE: func(cmd *cobra.Command, args []string) error {
			asJSON, err := wantsJSON(cmd, "text")
			if err != nil {
				return err
			}
			library, config, err := libraryOf(cmd)
			if err != nil {
				return err
			}
			if f.indicator != "" {
				return explainIndicator(cmd, library, f.indicator, asJSON)
			}
			explanation, found := library.Explain(args[0])
			if !found {
				return unknownPolicy(args[0], library)
			}
			curve, err := curveOf(library, args[0], f)
			if err != nil {
				return err
			}
			if f.svg != "" {
				if err := writeCurve(f.svg, curve); err != nil {
					return err
				}
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), explanation)
			}
			options, err := config.Score.options()
			if err != nil {
				return err
			}
			example, err := workedExample(library, args[0], options)
			if err != nil {
				return &exitError{exitConfig, err}
			}
			return newExplained(cmd.OutOrStdout(), explanation, example, curve).write()
		},
	}
	c.Flags().StringVar(&f.indicator, "indicator", "", "explain the indicator of the `name` instead")
	c.Flags().StringVar(&f.svg, "svg", "", "draw the departure curve into the `file`, too")
	c.Flags().StringVar(&f.resigned, "resigned", "", "`date` of the notice, 2026-03-02")
	c.Flags().StringVar(&f.lastDay, "last-day", "", "`date` of the last working day")
	addFormatFlag(c, "text", "json")
	// The flags were added above.
	_ = c.RegisterFlagCompletionFunc("indicator", completeIndicator)
	_ = c.MarkFlagFilename("svg", "svg")
	return c
}

func unknownPolicy(name string, library operators.Library) error {
	var names []string
	for _, p := range library.Policies {
		names = append(names, p.Name)
	}
	return &exitError{exitRejects, errors.New(operators.UnknownName("policy", name, names))}
}

func explainIndicator(cmd *cobra.Command, library operators.Library, name string, asJSON bool) error {
	explanation, found := library.ExplainIndicator(name)
	if !found {
		var names []string
		for _, ind := range library.Indicators {
			names = append(names, ind.Name)
		}
		return &exitError{exitRejects, errors.New(operators.UnknownName("indicator", name, names))}
	}
	if asJSON {
		return writeJSON(cmd.OutOrStdout(), explanation)
	}
	var users []string
	for _, p := range library.Policies {
		if slices.ContainsFunc(p.Indicators, func(u operators.Use) bool { return u.Use == name }) {
			users = append(users, p.Name)
		}
	}
	return printIndicator(cmd.OutOrStdout(), explanation, users)
}

// curveOf returns the departure curve of the policy, nil when it has none.
func curveOf(library operators.Library, policy string, f explainFlags) (*drawnCurve, error) {
	for _, p := range library.Policies {
		for _, m := range p.Modifiers {
			if p.Name == policy && m.Curve != nil {
				curve, err := newDrawnCurve(policy+", "+m.Name, m.Curve, f.resigned, f.lastDay)
				return &curve, err
			}
		}
	}
	if f.svg != "" || f.resigned != "" || f.lastDay != "" {
		return nil, &exitError{exitRejects, fmt.Errorf("policy %s has no departure curve: --svg, --resigned and --last-day are for one", policy)}
	}
	return nil, nil
}

func writeCurve(path string, curve *drawnCurve) error {
	picture, err := curve.svg()
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, picture, 0o644); err != nil {
		return fmt.Errorf("writing the curve: %w", err)
	}
	return nil
}

// workedExample runs the first test of the policy that ends in an alert; nil when
// there is none.
func workedExample(library operators.Library, policy string, options operators.Options) (*operators.TestResult, error) {
	library.Indicators = slices.Clone(library.Indicators)
	for i := range library.Indicators {
		library.Indicators[i].Tests = nil
	}
	library.Policies = slices.DeleteFunc(slices.Clone(library.Policies), func(p operators.Policy) bool { return p.Name != policy })
	for i := range library.Policies {
		p := &library.Policies[i]
		p.Tests = slices.DeleteFunc(slices.Clone(p.Tests), func(t operators.Test) bool { return t.Expect.Alert == nil || !*t.Expect.Alert })
		p.Tests = p.Tests[:min(len(p.Tests), 1)]
	}
	results, err := library.RunTests(options)
	if err != nil || len(results) == 0 || len(results[0].Ledger) == 0 {
		return nil, err
	}
	return &results[0], nil
}
