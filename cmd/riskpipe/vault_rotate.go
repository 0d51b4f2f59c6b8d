package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/riskpipe/riskpipe/vault"
)

func newVaultRotateCommand() *cobra.Command {
	var (
		dir              string
		pseudonym, pairs bool
	)
	c := &cobra.Command{
		Use:   "rotate --pseudonym|--vault",
		Short: "Draw the next pseudonym key or vault key pair",
		Long: `rotate writes a new key beside those in the folder --dir and changes none of them.

--pseudonym writes pseudonym-v<version>.key with the version after the highest
there. Everybody gets another pseudonym: give the new key to all normalisers at
once, with the old one as pseudonym.previous_key_file, so that the vault can link
the two; scoring begins anew for everybody.

--vault writes vault-<id>.key and vault-<id>.pub. Give the new public key to the
normalisers, and the vault the new private key in front of the old ones, which
open what was sealed before; drop an old one when nothing that it sealed is kept.`,
		Example: `  riskpipe vault key rotate --vault --dir keys
  riskpipe vault key rotate --pseudonym --dir keys`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if pseudonym == pairs {
				return &exitError{exitRejects, errors.New("give one of --pseudonym and --vault")}
			}
			if pseudonym {
				return rotatePseudonym(cmd, dir)
			}
			return rotateVault(cmd, dir)
		},
	}
	c.Flags().StringVar(&dir, "dir", ".", "`folder` of the keys")
	c.Flags().BoolVar(&pseudonym, "pseudonym", false, "the key that makes pseudonyms")
	c.Flags().BoolVar(&pairs, "vault", false, "the key pair that seals and opens")
	return c
}

func rotatePseudonym(cmd *cobra.Command, dir string) error {
	paths, err := filepath.Glob(filepath.Join(dir, "pseudonym*.key"))
	if err != nil {
		return fmt.Errorf("looking for pseudonym keys: %w", err)
	}
	if len(paths) == 0 {
		return &exitError{exitConfig, fmt.Errorf("there is no pseudonym*.key in %s: name the folder of the keys with --dir", dir)}
	}
	highest, newest := int32(0), ""
	for _, path := range paths {
		key, err := vault.ReadKeyFile(path)
		if err != nil {
			return &exitError{exitConfig, err}
		}
		if key.Version() > highest {
			highest, newest = key.Version(), path
		}
	}
	_, text, err := vault.GenerateKey(highest + 1)
	if err != nil {
		return err
	}
	next := keyFile{filepath.Join(dir, fmt.Sprintf("pseudonym-v%d.key", highest+1)), text, secretMode}
	if err := writeKeyFiles(next); err != nil {
		return err
	}
	return sayKeys(cmd.OutOrStdout(), [][2]string{
		{next.path, "normalisers: pseudonym.key_file"},
		{newest, "normalisers: pseudonym.previous_key_file"},
	})
}

func rotateVault(cmd *cobra.Command, dir string) error {
	// The id is part of the name, so it is drawn first.
	private, public, id, err := drawVaultKey("")
	if err != nil {
		return err
	}
	private.path, public.path = filepath.Join(dir, "vault-"+id+".key"), filepath.Join(dir, "vault-"+id+".pub")
	if err := writeKeyFiles(private, public); err != nil {
		return err
	}
	return sayKeys(cmd.OutOrStdout(), [][2]string{
		{public.path, "normalisers: vault.public_key_file"},
		{private.path, "the vault alone: vault.private_key_file, before the keys that are there"},
	})
}
