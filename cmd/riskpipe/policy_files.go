package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/riskpipe/riskpipe/operators"
)

// policyFiles are files by their paths as the user wrote them, so that what is
// wrong is told under the same paths.
type policyFiles []string

// Open opens one of the files.
func (policyFiles) Open(name string) (fs.File, error) { return os.Open(name) }

// Glob returns all of the files: which they are was chosen before.
func (f policyFiles) Glob(string) ([]string, error) { return f, nil }

// openPolicies returns the file, or the .yaml files of the folder.
func openPolicies(path string) (policyFiles, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading policies: %w", err)
	case !info.IsDir():
		return policyFiles{path}, nil
	}
	names, err := filepath.Glob(filepath.Join(path, "*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("listing policies in %s: %w", path, err)
	}
	return names, nil
}

// loadPolicies reads a file or a folder on top of what ships with riskpipe, and
// what ships alone when the path is empty.
func loadPolicies(path string) (operators.Library, error) {
	if path == "" {
		return operators.Templates()
	}
	files, err := openPolicies(path)
	if err != nil {
		return operators.Library{}, err
	}
	return operators.LoadLibrary(files, path)
}

// addPoliciesFlag gives a command, and those below it, the flag --policies.
func addPoliciesFlag(c *cobra.Command) {
	c.PersistentFlags().String("policies", "", "`folder` of policies, instead of score.policies of the configuration")
	// The flag was added above.
	_ = c.MarkPersistentFlagDirname("policies")
}

// loadScoring reads the configuration for a command that has the flag --policies.
func loadScoring(cmd *cobra.Command) (Config, error) {
	config, _, err := load(cmd)
	if err != nil {
		return Config{}, err
	}
	return config, config.Score.override(cmd)
}

// override takes the folder of --policies over.
func (c *ScoreConfig) override(cmd *cobra.Command) error {
	path, err := cmd.Flags().GetString("policies")
	if err != nil {
		return err
	}
	if cmd.Flags().Changed("policies") {
		if path == "" {
			return &exitError{exitRejects, errors.New("--policies is empty: name a folder")}
		}
		c.Policies = path
	}
	return nil
}

// libraryOf reads the policies in force for a command.
func libraryOf(cmd *cobra.Command) (operators.Library, Config, error) {
	config, err := loadScoring(cmd)
	if err != nil {
		return operators.Library{}, Config{}, err
	}
	library, err := config.Score.library()
	return library, config, err
}
