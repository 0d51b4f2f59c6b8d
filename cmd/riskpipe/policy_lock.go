package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/riskpipe/riskpipe/operators"
)

func newPolicyLockCommand() *cobra.Command {
	var write bool
	c := &cobra.Command{
		Use:   "lock",
		Short: "See to it that no policy changes under its version",
		Long: `lock compares the policies with the file policies.lock beside them, which says of each
policy its version and the hash of its logic: the one that alerts carry, which
covers the indicators and lists that it uses. Without a folder it checks the
policies that ship with riskpipe.

With --write it brings the file up to date. It does not where the logic of a
policy changed under its version: raise the version in the policy's file first. A
policy whose history begins anew is taken out of the file by hand.

Exit status: 0 when the file is up to date, 1 when it is not.`,
		Example: `  riskpipe policy lock --policies policies/           # in continuous integration
  riskpipe policy lock --policies policies/ --write   # after raising a version`,
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			library, config, err := libraryOf(cmd)
			if err != nil {
				return err
			}
			folder := config.Score.Policies
			if write && folder == "" {
				return &exitError{exitRejects, errors.New("--write needs the folder of your policies: give --policies, or set score.policies")}
			}
			locked, err := readLock(folder)
			missing := errors.Is(err, fs.ErrNotExist)
			if err != nil && !missing {
				return &exitError{exitConfig, err}
			}
			now, err := library.Lock()
			if err != nil {
				return &exitError{exitConfig, err}
			}
			changes := locked.Compare(now)
			for _, change := range changes {
				fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", change.Name, change.Text)
			}
			switch {
			case slices.ContainsFunc(changes, func(c operators.LockChange) bool { return c.Bump }):
				return &exitError{exitFailure, errors.New("raise the versions first, then run: riskpipe policy lock --write")}
			case write:
				return writeLock(cmd, folder, now)
			case missing:
				return &exitError{exitFailure, fmt.Errorf("there is no %s; make it by: riskpipe policy lock --write", filepath.Join(folder, operators.LockFile))}
			case len(changes) > 0:
				return &exitError{exitFailure, errors.New("the lock is not up to date; run: riskpipe policy lock --write")}
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "%s as locked\n", countedPolicies(len(now)))
			return nil
		},
	}
	c.Flags().BoolVar(&write, "write", false, "write the file")
	return c
}

// readLock reads the lock of a folder of policies, or the shipped one.
func readLock(folder string) (operators.Lock, error) {
	if folder == "" {
		return operators.ShippedLock()
	}
	path := filepath.Join(folder, operators.LockFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the lock: %w", err)
	}
	return operators.ParseLock(path, text)
}

func writeLock(cmd *cobra.Command, folder string, lock operators.Lock) error {
	path := filepath.Join(folder, operators.LockFile)
	if err := os.WriteFile(path, []byte(lock.String()), 0o644); err != nil {
		return fmt.Errorf("writing the lock: %w", err)
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%s: %s\n", path, countedPolicies(len(lock)))
	return nil
}

func countedPolicies(n int) string {
	if n == 1 {
		return "1 policy"
	}
	return fmt.Sprintf("%d policies", n)
}
