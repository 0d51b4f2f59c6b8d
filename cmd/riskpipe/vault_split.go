package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/riskpipe/riskpipe/vault"
)

// maxShareFile bounds what is read of a share, in bytes.
const maxShareFile = 4 << 10

func newVaultSplitCommand() *cobra.Command {
	var (
		file, dir      string
		shares, needed int
	)
	c := &cobra.Command{
		Use:   "split",
		Short: "Split the vault's private key among several people",
		Long: `split writes shares of the private key in --key to the folder --out, such that any
--needed of them make the key and fewer say nothing about it (Shamir's secret
sharing). Give each to another person, then delete the key.

It guards the key while it is stored: no one person, server or backup can open
anything alone. It does not guard the machine where the shares are combined, which
has the whole key for as long as it runs. Combine them where the vault runs and
nowhere else.`,
		Example: "  riskpipe vault split --key keys/vault.key --shares 3 --needed 2 --out shares",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" {
				return &exitError{exitRejects, errors.New("name the --key to split")}
			}
			key, err := vault.ReadPrivateKeyFile(file)
			if err != nil {
				return &exitError{exitConfig, err}
			}
			texts, err := vault.SplitKey(key, shares, needed)
			if err != nil {
				return &exitError{exitRejects, err}
			}
			if err := os.MkdirAll(dir, 0o700); err != nil {
				return fmt.Errorf("making the folder of the shares: %w", err)
			}
			files := make([]keyFile, len(texts))
			lines := make([][2]string, len(texts))
			for i, text := range texts {
				path := filepath.Join(dir, fmt.Sprintf("vault-%s-%d.share", key.ID(), i+1))
				files[i] = keyFile{path, text, secretMode}
				lines[i] = [2]string{path, fmt.Sprintf("share %d of %d, of which %d are needed", i+1, len(texts), needed)}
			}
			if err := writeKeyFiles(files...); err != nil {
				return err
			}
			return sayKeys(cmd.OutOrStdout(), lines)
		},
	}
	c.Flags().StringVar(&file, "key", "", "`file` of the private key")
	c.Flags().IntVar(&shares, "shares", 3, "`number` of shares, at most 16")
	c.Flags().IntVar(&needed, "needed", 2, "`number` of shares that make the key, at least 2")
	c.Flags().StringVar(&dir, "out", ".", "`folder` to write to")
	return c
}

func newVaultCombineCommand() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "combine SHARE...",
		Short: "Put the vault's private key together from shares",
		Long: `combine reads files of shares as riskpipe vault split wrote them and writes the
private key to --out, readable by you alone. It finds out when a share was changed
or is of another key.`,
		Example: "  riskpipe vault combine --out vault.key shares/vault-*-1.share shares/vault-*-3.share",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return &exitError{exitRejects, errors.New("name the file to write with --out")}
			}
			texts := make([]string, len(args))
			for i, path := range args {
				text, err := readShare(path)
				if err != nil {
					return &exitError{exitConfig, err}
				}
				texts[i] = text
			}
			key, text, err := vault.CombineKey(texts)
			if err != nil {
				return &exitError{exitRejects, err}
			}
			if err := writeKeyFiles(keyFile{out, text, secretMode}); err != nil {
				return err
			}
			return sayKeys(cmd.OutOrStdout(), [][2]string{{out, "the vault alone: vault.private_key_file; id " + key.ID()}})
		},
	}
	c.Flags().StringVar(&out, "out", "", "`file` to write, which must not exist")
	return c
}

func readShare(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("opening a share: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(file, maxShareFile))
	if err := errors.Join(err, file.Close()); err != nil {
		return "", fmt.Errorf("reading a share: %w", err)
	}
	return string(text), nil
}
