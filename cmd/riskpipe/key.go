package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/riskpipe/riskpipe/vault"
)

func newKeyCommand() *cobra.Command {
	var (
		file string
		keep bool
	)
	c := &cobra.Command{
		Use:   "key",
		Short: "Draw a pseudonym key",
		Long: `key draws a key for pseudonyms at random and writes it to --out, readable by
you alone, or to standard output. All normalisers need the same key; nothing else
needs it. Losing it makes strangers of all known people.`,
		Example: `  riskpipe key --out pseudonym.key
  RISKPIPE_PSEUDONYM_KEY_FILE=pseudonym.key riskpipe normalise signin`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if keep && file != "" {
				if _, err := vault.ReadKeyFile(file); err == nil {
					fmt.Fprintln(cmd.ErrOrStderr(), "keeping the key in "+file)
					return nil
				} else if !errors.Is(err, fs.ErrNotExist) {
					return fmt.Errorf("reading the key to keep: %w", err)
				}
			}
			_, text, err := vault.GenerateKey(1)
			if err != nil {
				return fmt.Errorf("drawing a key: %w", err)
			}
			if file == "" {
				_, err := fmt.Fprintln(cmd.OutOrStdout(), text)
				return err
			}
			f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
			if err != nil {
				return fmt.Errorf("writing the key (an existing file is never overwritten): %w", err)
			}
			_, err = fmt.Fprintln(f, text)
			return errors.Join(err, f.Close())
		},
	}
	c.Flags().StringVar(&file, "out", "", "`file` to write, which must not exist")
	c.Flags().BoolVar(&keep, "keep", false, "leave a key that is in the file already")
	return c
}

// open returns the pseudonym key.
func (c PseudonymConfig) open() (*vault.Key, error) {
	switch {
	case c.KeyFile != "":
		key, err := vault.ReadKeyFile(c.KeyFile)
		if err != nil {
			return nil, &exitError{exitConfig, fmt.Errorf("reading pseudonym.key_file: %w", err)}
		}
		return key, nil
	case c.Key != "":
		key, err := vault.ParseKey(string(c.Key))
		if err != nil {
			return nil, &exitError{exitConfig, fmt.Errorf("reading pseudonym.key: %w", err)}
		}
		return key, nil
	default:
		return nil, &exitError{exitConfig, errors.New("no pseudonym key: draw one with `riskpipe key --out pseudonym.key` and set pseudonym.key_file (RISKPIPE_PSEUDONYM_KEY_FILE) to it")}
	}
}

// previous returns the pseudonym key before the current one, nil when there was
// none.
func (c PseudonymConfig) previous() (*vault.Key, error) {
	if c.PreviousKeyFile == "" {
		return nil, nil
	}
	key, err := vault.ReadKeyFile(c.PreviousKeyFile)
	if err != nil {
		return nil, &exitError{exitConfig, fmt.Errorf("reading pseudonym.previous_key_file: %w", err)}
	}
	return key, nil
}
