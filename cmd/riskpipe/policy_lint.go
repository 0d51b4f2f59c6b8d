package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/riskpipe/riskpipe/operators"
)

func newPolicyLintCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "lint [DIR|FILE…]",
		Short: "Check policy files, and say where what is wrong",
		Long: `lint reads policy files as the services do and prints all that is wrong with them, as
file:line:column, with the line and a caret. Without an argument it checks
score.policies, or the policies that ship with riskpipe. A FILE is read together
with the others of its folder, to which it may refer; only what is wrong with the
file itself is told.

Exit status: 0 when nothing is wrong, 1 when something is.`,
		Example: `  riskpipe policy lint policies/
  riskpipe policy lint policies/leaver.yaml     # in an editor, or before a commit
  riskpipe policy lint policies/ -o json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			asJSON, err := wantsJSON(cmd, "text")
			if err != nil {
				return err
			}
			config, err := loadScoring(cmd)
			if err != nil {
				return err
			}
			if len(args) == 0 {
				args = []string{config.Score.Policies}
			}
			mistakes := operators.Mistakes{}
			for _, path := range args {
				found, err := lint(path)
				if err != nil {
					return err
				}
				mistakes = append(mistakes, found...)
			}
			if asJSON {
				err = writeJSON(cmd.OutOrStdout(), mistakes)
			} else {
				err = printMistakes(cmd, mistakes)
			}
			if err == nil && len(mistakes) > 0 {
				err = &exitError{exitFailure, fmt.Errorf("%s in the policies", counted(len(mistakes), "mistake"))}
			}
			return err
		},
	}
	addFormatFlag(c, "text", "json")
	return c
}

// lint returns what is wrong with a folder, or with a file among the others of
// its folder; with what ships when the path is empty.
func lint(path string) (operators.Mistakes, error) {
	folder := path
	if path != "" {
		info, err := os.Stat(path)
		if err != nil {
			return nil, &exitError{exitRejects, fmt.Errorf("reading policies: %w", err)}
		}
		if !info.IsDir() {
			folder = filepath.Dir(path)
			if filepath.Ext(path) != ".yaml" {
				return nil, &exitError{exitRejects, fmt.Errorf("%s is no .yaml file, so riskpipe does not read it", path)}
			}
		}
	}
	library, err := loadPolicies(folder)
	if err == nil {
		_, err = operators.NewEngine(library, operators.Options{})
	}
	var mistakes operators.Mistakes
	switch {
	case err == nil:
		return nil, nil
	case !errors.As(err, &mistakes):
		return nil, err
	case folder != path:
		mistakes = slices.DeleteFunc(mistakes, func(m operators.Mistake) bool { return m.File != filepath.Clean(path) })
	}
	return mistakes, nil
}

func printMistakes(cmd *cobra.Command, mistakes operators.Mistakes) error {
	out := cmd.OutOrStdout()
	p := paletteOf(out)
	for _, m := range mistakes {
		at := fmt.Sprintf("%s:%d:%d:", m.File, m.Line, m.Column)
		if _, err := fmt.Fprintf(out, "%s %s\n%s", p.paint(bold, at), p.paint(red, m.Text), m.Frame); err != nil {
			return fmt.Errorf("writing the output: %w", err)
		}
	}
	if len(mistakes) == 0 {
		fmt.Fprintln(cmd.ErrOrStderr(), "nothing is wrong")
	}
	return nil
}

// counted says how many of a thing there are.
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
