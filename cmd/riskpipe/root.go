package main

import (
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// version is set when a release is linked.
var version = "dev"

func versionText() string {
	if version != "dev" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" && len(setting.Value) >= 12 {
				return "dev-" + setting.Value[:12]
			}
		}
	}
	return version
}

// newRootCommand builds the command tree.
func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "riskpipe",
		Short: "Streaming insider-risk detection: five feeds in, explained alerts out",
		Long: `riskpipe turns sign-in, email, file, Defender and HR records on Kafka into
explained insider-risk alerts and activity timelines in ClickHouse, for people
who may not look at names.

Start with:  riskpipe demo`,
		Version:       versionText(),
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.PersistentFlags().String("config", "", "configuration `file` (YAML); see riskpipe config --help")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		return &exitError{exitRejects, fmt.Errorf("%w; see --help", err)}
	})
	root.AddGroup(
		&cobra.Group{ID: "services", Title: "Services:"},
		&cobra.Group{ID: "tools", Title: "Tools:"},
		&cobra.Group{ID: "setup", Title: "Setting up:"},
	)
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add("services", newNormaliseCommand(), newScoreCommand(), newSinkCommand())
	add("tools", newDemoCommand(), newCheckCommand(), newReplayCommand(), newPolicyCommand(), newScopeCommand(), newGenerateCommand(), newCatCommand(),
		newRevealCommand(), newAuditCommand(), newBenchCommand(), newRebuildCommand(), newEraseCommand())
	add("setup", newConfigCommand(), newKeyCommand(), newVaultCommand(), newTopicsCommand(), newMigrateCommand(), newDoctorCommand())
	root.AddCommand(newEngineCommand(), newBrokersCommand())
	return root
}

// load reads the configuration for a command and makes its logger, whose first
// lines are what is dangerous about the configuration.
func load(cmd *cobra.Command) (Config, *slog.Logger, error) {
	path, err := cmd.Flags().GetString("config")
	if err != nil {
		return Config{}, nil, err
	}
	config, err := LoadConfig(path)
	if err != nil {
		return Config{}, nil, &exitError{exitConfig, err}
	}
	log := newLogger(cmd.ErrOrStderr(), config.Log)
	warnUnverified(log, config)
	return config, log, nil
}

func newLogger(w io.Writer, config LogConfig) *slog.Logger {
	var level slog.Level
	// The level was checked when the configuration was read.
	_ = level.UnmarshalText([]byte(config.Level))
	options := &slog.HandlerOptions{Level: level}
	if strings.EqualFold(config.Format, "json") {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
