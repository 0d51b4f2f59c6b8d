package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/riskpipe/riskpipe/operators"
)

func newPolicyDiffCommand() *cobra.Command {
	var lock bool
	c := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Say in words how two sets of policies differ",
		Long: `diff compares two folders or files of policies, each on top of what ships with
riskpipe, and says of each policy, indicator and list what changed, whether it can
change a score, and whether the version must be raised. With --lock the old side is
the lock of NEW (without NEW: of the policies in force), which knows versions and
hashes alone.

Exit status: 0 when the versions tell the changes, 1 when the logic of a policy
changed and its version did not rise.`,
		Example: `  git worktree add ../main main && riskpipe policy diff ../main/policies policies
  riskpipe policy diff leaver.yaml leaver-strict.yaml
  riskpipe policy diff --lock policies`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && cmd.Flags().Changed("policies") {
				return &exitError{exitRejects, errors.New("--policies is for --lock without NEW: the arguments name what is compared")}
			}
			if lock {
				return usage(cobra.MaximumNArgs(1))(cmd, args)
			}
			return usage(cobra.ExactArgs(2))(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			asJSON, err := wantsJSON(cmd, "text")
			if err != nil {
				return err
			}
			var changes []operators.Change
			if lock {
				config, err := loadScoring(cmd)
				if err != nil {
					return err
				}
				if len(args) == 1 {
					config.Score.Policies = args[0]
				}
				changes, err = diffLock(config.Score)
				if err != nil {
					return &exitError{exitConfig, err}
				}
			} else if changes, err = diffPolicies(args[0], args[1]); err != nil {
				return &exitError{exitConfig, err}
			}
			if asJSON {
				err = writeJSON(cmd.OutOrStdout(), changes)
			} else {
				err = printChanges(cmd.OutOrStdout(), changes)
			}
			if err == nil && bumpMissing(changes) {
				err = &exitError{exitFailure, errors.New("raise the version of each policy whose logic changed")}
			}
			return err
		},
	}
	c.Flags().BoolVar(&lock, "lock", false, "compare with the lock")
	addFormatFlag(c, "text", "json")
	return c
}

func diffPolicies(before, after string) ([]operators.Change, error) {
	var libraries [2]operators.Library
	for i, path := range []string{before, after} {
		library, err := loadPolicies(path)
		if err != nil {
			return nil, err
		}
		libraries[i] = library
	}
	return operators.Diff(libraries[0], libraries[1])
}

// diffLock compares policies with their lock.
func diffLock(config ScoreConfig) ([]operators.Change, error) {
	library, err := config.library()
	if err != nil {
		return nil, err
	}
	now, err := library.Lock()
	if err != nil {
		return nil, err
	}
	folder := config.Policies
	if info, err := os.Stat(folder); folder != "" && (err != nil || !info.IsDir()) {
		return nil, fmt.Errorf("%s is no folder: the lock stands beside all policies", folder)
	}
	locked, err := readLock(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w; make it by: riskpipe policy lock --write", err)
	}
	if err != nil {
		return nil, err
	}
	changes := []operators.Change{}
	for _, c := range locked.Compare(now) {
		changes = append(changes, operators.Change{Kind: "policy", Name: c.Name, Texts: []string{c.Text}, Logic: true, Bump: c.Bump})
	}
	return changes, nil
}

func bumpMissing(changes []operators.Change) bool {
	for _, c := range changes {
		if c.Bump {
			return true
		}
	}
	return false
}

func printChanges(out io.Writer, changes []operators.Change) error {
	p := paletteOf(out)
	var b strings.Builder
	for _, c := range changes {
		name := c.Name
		if c.Kind != c.Name {
			name = c.Kind + " " + c.Name
		}
		fmt.Fprintln(&b, p.paint(bold, name))
		for _, text := range c.Texts {
			fmt.Fprintln(&b, "  "+text)
		}
		switch {
		case c.Bump:
			fmt.Fprintln(&b, "  "+p.paint(red, "→ the logic changed: the version must be raised"))
		case !c.Logic:
			fmt.Fprintln(&b, "  "+p.paint(faint, "→ no score changes"))
		}
	}
	if len(changes) == 0 {
		b.WriteString("no difference\n")
	}
	if _, err := io.WriteString(out, b.String()); err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}
