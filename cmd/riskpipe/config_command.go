package main

import (
	"encoding/json"
	"fmt"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"
)

func newConfigCommand() *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:   "config",
		Short: "Show the configuration in force, with secrets hidden",
		Long: `config reads the configuration as every command does, reports all of its
problems at once, and prints what is in force. Secrets show as ***.

Exit status: 0 when it is valid, 3 when it is not.`,
		Example: `  riskpipe config --config riskpipe.yaml
  riskpipe config defaults > riskpipe.yaml     # every setting with its meaning
  RISKPIPE_KAFKA_BROKERS=broker:9092 riskpipe config -o json | jq .kafka`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, err := cmd.Flags().GetString("config")
			if err != nil {
				return err
			}
			if _, err := LoadConfig(path); err != nil {
				return &exitError{exitConfig, err}
			}
			settings, err := effectiveSettings(path)
			if err != nil {
				return err
			}
			var text []byte
			switch format {
			case "yaml":
				text, err = yaml.Marshal(settings)
			case "json":
				if text, err = json.MarshalIndent(settings, "", "  "); err == nil {
					text = append(text, '\n')
				}
			default:
				return &exitError{exitRejects, fmt.Errorf("-o is %q: want yaml or json", format)}
			}
			if err != nil {
				return fmt.Errorf("writing the configuration: %w", err)
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		},
	}
	c.Flags().StringVarP(&format, "output", "o", "yaml", "`format`: yaml or json")
	c.AddCommand(&cobra.Command{
		Use:   "defaults",
		Short: "Print every setting with its meaning and default",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(defaults)
			return err
		},
	})
	return c
}

// effectiveSettings returns all settings by name, secrets hidden.
func effectiveSettings(path string) (map[string]any, error) {
	v, err := readSettings(path)
	if err != nil {
		return nil, err
	}
	settings := v.AllSettings()
	hideSecrets(settings)
	return settings, nil
}
